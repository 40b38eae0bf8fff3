//! [`Alert`]: what a rule said about an event, with everything that a person needs to judge it later: the rendered
//! output, every field that had a value, the process and its ancestors, and where in the recording it happened.

use std::fmt;
use std::sync::Arc;

use crate::process::Process;
use crate::text::to_utf8;
use crate::time::{BootTime, WallTime};
use crate::value::Value;

/// An id that sorts by time: microseconds since the epoch, shifted left by 12 bits, plus a counter. It fits `SQLite`'s
/// signed 64-bit rowid until the year 2112.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId(pub u64);

impl AlertId {
    /// The id of the `counter`-th alert of a run; only the counter's low 12 bits count. Times that cannot be are cut to
    /// the last one that fits.
    pub fn new(time: WallTime, counter: u64) -> Self {
        Self((time.0 / 1_000).min((1 << 51) - 1) << 12 | (counter & 0xfff))
    }
}

/// SHA-256 over everything that a ruleset was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RulesetHash(pub [u8; 32]);

impl fmt::Display for RulesetHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

/// How much a rule's author wants it noticed; the order is Falco's, most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the eight names are syslog's")]
pub enum Priority {
    Emergency = 0,
    Alert = 1,
    Critical = 2,
    Error = 3,
    Warning = 4,
    Notice = 5,
    Informational = 6,
    Debug = 7,
}

impl Priority {
    /// All of them, most urgent first.
    pub const ALL: [Self; 8] = [
        Self::Emergency,
        Self::Alert,
        Self::Critical,
        Self::Error,
        Self::Warning,
        Self::Notice,
        Self::Informational,
        Self::Debug,
    ];

    /// Reads a name in any case; `INFO` is a second name of `INFORMATIONAL`.
    pub fn from_name(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("info") {
            return Some(Self::Informational);
        }
        Self::ALL.into_iter().find(|p| p.name().eq_ignore_ascii_case(name))
    }

    /// The priority with that number, 0 to 7.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// How urgent: 0 is `Debug`, 7 is `Emergency`. What conditions compare, so that `>= warning` means warning or worse.
    pub const fn urgency(self) -> u8 {
        Self::Debug as u8 - self as u8
    }

    /// The name as alerts print it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Emergency => "Emergency",
            Self::Alert => "Alert",
            Self::Critical => "Critical",
            Self::Error => "Error",
            Self::Warning => "Warning",
            Self::Notice => "Notice",
            Self::Informational => "Informational",
            Self::Debug => "Debug",
        }
    }

    /// One letter, for narrow columns; all eight differ.
    pub const fn letter(self) -> char {
        match self {
            Self::Emergency => 'M',
            Self::Alert => 'A',
            Self::Critical => 'C',
            Self::Error => 'E',
            Self::Warning => 'W',
            Self::Notice => 'N',
            Self::Informational => 'I',
            Self::Debug => 'D',
        }
    }
}

/// A field's value in an alert, typed as Falco's JSON types it.
#[derive(Clone, Debug, PartialEq)]
pub enum OutputValue {
    /// The event had no such value.
    Null,
    /// A truth value.
    Bool(bool),
    /// A signed number.
    Int(i64),
    /// An unsigned number.
    Uint(u64),
    /// Text; bytes that are not UTF-8 are written `\xHH`.
    Text(String),
    /// A list.
    List(Vec<OutputValue>),
}

impl From<&Value<'_>> for OutputValue {
    fn from(value: &Value<'_>) -> Self {
        match value {
            Value::Absent => Self::Null,
            Value::Bool(b) => Self::Bool(*b),
            Value::Int(n) | Value::Span(n) => Self::Int(*n),
            Value::Uint(n) | Value::Time(n) => Self::Uint(*n),
            Value::Port(p) => Self::Uint((*p).into()),
            Value::Bytes(b) => Self::Text(to_utf8(b).into_owned()),
            Value::Ip(ip) => Self::Text(ip.to_string()),
            Value::Double(n) => Self::Text(n.to_string()),
        }
    }
}

/// A rule fired.
#[derive(Clone, Debug)]
pub struct Alert {
    /// Time-ordered id.
    pub id: AlertId,
    /// When the event happened.
    pub time: WallTime,
    /// The same on the kernel's clock.
    pub boot_time: BootTime,
    /// The rule's name.
    pub rule: Arc<str>,
    /// The rule's priority.
    pub priority: Priority,
    /// The rule's tags, sorted.
    pub tags: Arc<[Box<str>]>,
    /// The ruleset that judged the event.
    pub ruleset: RulesetHash,
    /// The event source: `syscall`.
    pub source: Arc<str>,
    /// The node it happened on.
    pub node: Arc<str>,
    /// The rule's output, rendered: neither time nor priority is in it.
    pub message: String,
    /// The plain fields of the output, in order of name.
    pub output_fields: Vec<(String, OutputValue)>,
    /// Every field that had a value, in the order of the field table; what filters over stored alerts read.
    pub fields: Vec<(String, OutputValue)>,
    /// The event's number in its source.
    pub event_num: u64,
    /// The event's type.
    pub event_type: &'static str,
    /// The process that did it.
    pub process: Arc<Process>,
    /// Its ancestors, parent first.
    pub ancestors: Vec<Arc<Process>>,
    /// Effective user at the event.
    pub user: String,
    /// How many records were known to be lost when it fired.
    pub lost_before: u64,
}
