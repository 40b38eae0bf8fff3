//! The table of fields, joined from one file a family under `field_table/`. It has every field of Falco 0.44 and its
//! plugins, and a few of ours alone (`fd.realpath`, `evt.is_uring`, `alert.*`). Names, types and arguments are Falco's; the sentences
//! are ours.
//!
//! A row is `f(name, type, sentence)` and what differs from the common case: an argument, a shape, a source, flags, and
//! why there is no value where there is none. The reason follows the word "because" in messages.

mod alert;
mod cloudtrail;
mod container;
mod evt;
mod fd;
mod gcp;
mod github;
mod ids;
mod k8saudit;
mod k8smeta;
mod okta;
mod other;
mod proc;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::event_names::same;
use crate::field::{ArgKind, FieldFlags, FieldId, FieldInfo, FieldType, Origin, Provision, Shape};

/// The families in the order in which fields are told.
const PARTS: &[&[FieldInfo]] = &[
    evt::ROWS,
    proc::ROWS,
    fd::ROWS,
    container::ROWS,
    alert::ROWS,
    k8smeta::ROWS,
    cloudtrail::ROWS,
    k8saudit::ROWS,
    okta::ROWS,
    github::ROWS,
    gcp::ROWS,
    other::ROWS,
];

const COUNT: usize = {
    let (mut part, mut count) = (0, 0);
    while part < PARTS.len() {
        count += PARTS[part].len();
        part += 1;
    }
    count
};

pub(crate) static FIELDS: [FieldInfo; COUNT] = {
    let mut table = [PARTS[0][0]; COUNT];
    let (mut part, mut at) = (0, 0);
    while part < PARTS.len() {
        let mut row = 0;
        while row < PARTS[part].len() {
            table[at] = PARTS[part][row];
            at += 1;
            row += 1;
        }
        part += 1;
    }
    table
};

/// Where a live event takes a field's value from, in a byte, since every reading of a field asks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// There never is one.
    Absent,
    /// The process's ancestors.
    Ancestors,
    /// See [`Origin`].
    Of(Origin),
}

pub(crate) static ROUTES: [Route; COUNT] = {
    let mut routes = [Route::Absent; COUNT];
    let mut at = 0;
    while at < COUNT {
        let row = &FIELDS[at];
        if row.is_provided() {
            routes[at] = match row.shape {
                Shape::Ancestors => Route::Ancestors,
                _ => Route::Of(row.origin),
            };
        }
        at += 1;
    }
    routes
};

const PROVIDED_COUNT: usize = {
    let (mut at, mut count) = (0, 0);
    while at < COUNT {
        if FIELDS[at].is_provided() {
            count += 1;
        }
        at += 1;
    }
    count
};

/// The fields that ever have a value, so that nothing walks over the many others.
pub(crate) static PROVIDED: [FieldId; PROVIDED_COUNT] = {
    let mut provided = [FieldId(0); PROVIDED_COUNT];
    let (mut at, mut count) = (0, 0);
    while at < COUNT {
        if FIELDS[at].is_provided() {
            provided[count] = FieldId(at as u16);
            count += 1;
        }
        at += 1;
    }
    provided
};

/// Fields by name, made when first asked for.
pub(crate) static BY_NAME: LazyLock<HashMap<&'static str, FieldId>> =
    LazyLock::new(|| FIELDS.iter().enumerate().map(|(at, row)| (row.name, FieldId(at as u16))).collect());

/// Where the field stands; no such name is an error while the program is built.
const fn place_of(name: &str) -> u16 {
    let mut at = 0;
    while at < COUNT {
        if same(FIELDS[at].name, name) {
            return at as u16;
        }
        at += 1;
    }
    panic!("no such field")
}

/// A row with one value, no argument, for every source, provided.
const fn f(name: &'static str, ty: FieldType, doc: &'static str) -> FieldInfo {
    FieldInfo {
        name,
        ty,
        arg: ArgKind::None,
        shape: Shape::One,
        provision: Provision::Provided,
        source: None,
        flags: FieldFlags::NONE,
        bits: 64,
        origin: Origin::of(name),
        doc,
    }
}

impl FieldInfo {
    const fn arg(mut self, arg: ArgKind) -> Self {
        self.arg = arg;
        self
    }

    const fn shape(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    const fn flag(mut self, flag: FieldFlags) -> Self {
        self.flags = self.flags.and(flag);
        self
    }

    const fn bits(mut self, bits: u8) -> Self {
        self.bits = bits;
        self
    }

    const fn of(mut self, source: &'static str) -> Self {
        self.source = Some(source);
        self
    }

    const fn absent(mut self, why: &'static str) -> Self {
        self.provision = Provision::AlwaysAbsent(why);
        self
    }
}

/// The event sources as rules name them.
mod source {
    pub(super) const SYSCALL: &str = "syscall";
    pub(super) const AWS_CLOUDTRAIL: &str = "aws_cloudtrail";
    pub(super) const K8S_AUDIT: &str = "k8s_audit";
    pub(super) const OKTA: &str = "okta";
    pub(super) const GITHUB: &str = "github";
    pub(super) const GCP_AUDITLOG: &str = "gcp_auditlog";
}

/// Every event source that has fields.
pub(crate) const SOURCES: [&str; 6] = [
    source::SYSCALL,
    source::AWS_CLOUDTRAIL,
    source::K8S_AUDIT,
    source::OKTA,
    source::GITHUB,
    source::GCP_AUDITLOG,
];

/// Why fields have no value. Each reason ends the sentence "not provided here because …".
mod why {
    pub(super) const ALERTS_ONLY: &str =
        "it has a value only where alerts are filtered, not where events are judged";
    pub(super) const ANOMALY: &str = "eyas does not do the work of the plugin anomalydetection";
    pub(super) const CLOUDTRAIL: &str = "events of the source aws_cloudtrail are not read yet";
    pub(super) const GCP: &str = "events of the source gcp_auditlog are not read yet";
    pub(super) const GITHUB: &str = "events of the source github are not read yet";
    pub(super) const K8SMETA: &str =
        "eyas does not do the work of the plugin k8smeta, which asks the cluster";
    pub(super) const K8S_AUDIT: &str = "events of the source k8s_audit are not read yet";
    pub(super) const KRSI: &str = "eyas does not do the work of the plugin krsi";
    pub(super) const NEVER_K8S: &str =
        "it never has a value in Falco either; there the plugin k8smeta took its place";
    pub(super) const NEVER_PROBES: &str =
        "it never has a value in Falco either since its container plugin 0.7.0";
    pub(super) const NO_FD_TABLE: &str =
        "no table of open descriptors is kept; of the one that a call is about everything is told";
    pub(super) const NO_JSON: &str = "no event with a JSON payload is read yet";
    pub(super) const NO_METADATA: &str = "container and pod metadata is not collected yet";
    pub(super) const NO_PAYLOAD: &str =
        "it needs what reads and writes carry, which the sensor does not collect";
    pub(super) const NO_PLUGIN: &str = "no event comes from a plugin";
    pub(super) const NO_POLL: &str = "the sensor does not see poll";
    pub(super) const NO_STATIC: &str = "static fields cannot be configured yet";
    pub(super) const NO_THREADS: &str = "the sensor tells of processes and not of the threads in them";
    pub(super) const NO_CONTROLLERS: &str =
        "of control groups only that of the unified hierarchy is told, not one for each controller";
    pub(super) const NO_SAMPLES: &str =
        "it has no value in Falco either: the events that brought it are made no more";
    pub(super) const OLD_VIEWS: &str = "it served views that Falco has no more";
    pub(super) const OKTA: &str = "events of the source okta are not read yet";
}
