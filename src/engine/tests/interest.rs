//! What the sensor is asked for is never less than what could match: an opening that fires a rule is one that the
//! ruleset's interest admits, for random rules and random openings; and it is much less than everything for the stock rules.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::path::{Path, PathBuf};

use eyas_engine::{FieldMap, Loader, Ruleset, Scratch, SourceFile};
use eyas_event::{EventType, Opening, Outcome, Ways};
use proptest::prelude::*;
use serde_json::json;
use std::sync::Arc;

const PATHS: [&str; 9] = [
    "/etc/shadow",
    "/etc/ssh/sshd_config",
    "/etc",
    "/root/.ssh/authorized_keys",
    "/tmp/x",
    "/usr/lib/os-release",
    "/",
    "/proc/1/environ",
    "/var/log/auth.log",
];
const NAMES: [&str; 3] = ["cat", "tar", "bash"];

/// Comparisons that say something about an opening, or nothing.
fn leaf() -> impl Strategy<Value = String> {
    let text = prop::sample::select(vec![
        "/etc",
        "/etc/",
        "/etc/shadow",
        "shadow",
        "/root/.ssh",
        "/e*",
        "*.ssh/*",
        "?root*log",
        "*s[hx]*",
        "/tmp/x",
        "log",
        "/",
        "ssh/",
        "/usr//lib/",
    ]);
    let one =
        prop::sample::select(vec!["=", "!=", "startswith", "endswith", "contains", "icontains", "glob"]);
    let many = prop::sample::select(vec!["in", "intersects", "pmatch"]);
    let field =
        prop::sample::select(vec!["fd.name", "fd.directory", "fd.filename", "fd.nameraw", "fd.realpath"]);
    prop_oneof![
        (field.clone(), one, text.clone()).prop_map(|(field, op, text)| format!("{field} {op} \"{text}\"")),
        (field, many, prop::collection::vec(text, 0..4)).prop_map(|(field, op, texts)| {
            let texts: Vec<_> = texts.iter().map(|text| format!("\"{text}\"")).collect();
            format!("{field} {op} ({})", texts.join(", "))
        }),
        (prop::sample::select(vec!["=", "!="]), prop::sample::select(NAMES.to_vec()))
            .prop_map(|(op, name)| format!("proc.name {op} {name}")),
        prop::collection::vec(prop::sample::select(NAMES.to_vec()), 0..3)
            .prop_map(|names| format!("proc.name in ({})", names.join(", "))),
        prop::sample::select(vec![
            "evt.is_open_read = true",
            "evt.is_open_read != true",
            "evt.is_open_write = true",
            "evt.is_open_write = false",
            "evt.is_open_create = true",
            "evt.is_open_create != true",
            "evt.failed = true",
            "fd.num >= 0",
            "fd.num > 5",
            "fd.num < 0",
            "evt.rawres > -1",
            "evt.type = openat",
            "evt.type in (open, execve)",
            "evt.type = creat",
            "evt.type in (openat, creat)",
            "evt.type != creat",
            "evt.type != openat",
            "user.uid = 0",
        ])
        .prop_map(str::to_owned),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    nested(leaf())
}

fn nested(leaf: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = String> {
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" and "))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" or "))),
            inner.prop_map(|part| format!("not ({part})")),
        ]
    })
}

fn load(rules: &[String]) -> Arc<Ruleset> {
    let text: Vec<String> = rules
        .iter()
        .enumerate()
        .map(|(n, condition)| {
            format!(
                "- rule: r{n}\n  desc: d\n  condition: >\n    {condition}\n  output: o\n  priority: INFO\n"
            )
        })
        .collect();
    let loaded = Loader::new().add(SourceFile::new("random.yaml", text.concat())).finish();
    assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
    loaded.ruleset
}

/// How a file is opened.
#[derive(Clone, Copy, Debug)]
struct How {
    event: EventType,
    outcome: Outcome,
    read: bool,
    write: bool,
}

impl How {
    fn all() -> impl Iterator<Item = Self> + Clone {
        const OUTCOMES: [Outcome; 3] = [Outcome::Failed, Outcome::Made, Outcome::Created];
        (0..15).map(|way: usize| match way.checked_sub(12) {
            Some(outcome) => {
                Self { event: EventType::CREAT, outcome: OUTCOMES[outcome], read: false, write: false }
            }
            None => Self {
                event: EventType::OPENAT,
                outcome: OUTCOMES[way >> 2],
                read: way & 1 != 0,
                write: way & 2 != 0,
            },
        })
    }

    fn way(self) -> Ways {
        if self.event == EventType::CREAT {
            Ways::creat(self.outcome)
        } else {
            Ways::one(self.outcome, self.read, self.write)
        }
    }
}

/// An opening as the sensor would tell it, with every field that the conditions read.
fn opening(path: &str, real: &str, comm: &str, how: How) -> FieldMap {
    let How { event, outcome, read, write } = how;
    let made = outcome != Outcome::Failed;
    let at = path.rfind('/').unwrap();
    let mut fields = json!({
        "evt.type": event.name(),
        "evt.is_open_read": read,
        "evt.is_open_write": write,
        "evt.is_open_create": outcome == Outcome::Created,
        "evt.failed": !made,
        "evt.rawres": if made { 3 } else { -2 },
        "fd.num": if made { 3 } else { -1 },
        "fd.name": path,
        "fd.nameraw": path,
        "fd.directory": if at == 0 { "/" } else { &path[..at] },
        "proc.name": comm,
        "user.uid": 0,
    });
    if made {
        fields["fd.filename"] = path[at + 1..].into();
        fields["fd.realpath"] = real.into();
    }
    FieldMap::from_json(&fields).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_fires_is_left_out(rules in prop::collection::vec(condition(), 1..6)) {
        let ruleset = load(&rules);
        let interest = ruleset.interest();
        let (mut scratch, mut fired) = (Scratch::new(), Vec::new());
        // Each path as its own, and by links to two others.
        let files = (0..PATHS.len()).flat_map(|n| [n, n + 1, n + 4].map(|real| (PATHS[n], PATHS[real % PATHS.len()])));
        for (path, real) in files {
            for (comm, how) in NAMES.into_iter().flat_map(|comm| How::all().map(move |how| (comm, how))) {
                fired.clear();
                ruleset.judge(&opening(path, real, comm, how), &mut scratch, &mut fired);
                let admitted = interest.events.contains(how.event)
                    && interest.opens.admits(Opening {
                        way: how.way(),
                        path: path.as_bytes(),
                        given: path.as_bytes(),
                        real: if how.outcome == Outcome::Failed { b"" } else { real.as_bytes() },
                        comm: comm.as_bytes(),
                    });
                prop_assert!(admitted || fired.is_empty(), "{path}, {real} by {comm} {how:?} fires {fired:?}");
            }
        }
    }
}

/// Comparisons that say something about where a call happens and what socket it makes, or nothing.
fn placed() -> impl Strategy<Value = String> {
    let family = || prop::sample::select(vec!["AF_PACKET", "AF_INET", "AF_INET6", "INET", "17", "AF_"]);
    prop_oneof![
        prop::sample::select(vec![
            "container.id = host",
            "container.id != host",
            "not container.id = host",
            "container.id = 0123456789ab",
            "container.id != 0123456789ab",
            "container.id in (host, 0123456789ab)",
            "container.id startswith ho",
            "evt.type = socket",
            "evt.type != socket",
            "evt.type in (dup, socket)",
            "evt.type = dup",
            "user.uid = 0",
        ])
        .prop_map(str::to_owned),
        (prop::sample::select(vec!["=", "!=", "contains", "icontains", "startswith", "endswith"]), family())
            .prop_map(|(op, family)| format!("evt.arg.domain {op} {family}")),
        prop::collection::vec(family(), 0..3)
            .prop_map(|all| format!("evt.arg.domain in ({})", all.join(", "))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_call_that_fires_is_left_out_by_its_place_or_family(rules in prop::collection::vec(nested(placed()), 1..6)) {
        let ruleset = load(&rules);
        let interest = ruleset.interest();
        let (mut scratch, mut fired) = (Scratch::new(), Vec::new());
        for (event, name) in [(EventType::SOCKET, "socket"), (EventType::DUP, "dup"), (EventType::CONNECT, "connect")] {
            for container in ["host", "0123456789ab"] {
                for (number, family) in [(1, "AF_UNIX"), (2, "AF_INET"), (10, "AF_INET6"), (17, "AF_PACKET"), (45, "45")] {
                    let mut fields = json!({ "evt.type": name, "container.id": container, "user.uid": 0 });
                    if event == EventType::SOCKET {
                        fields["evt.arg.domain"] = family.into();
                    }
                    fired.clear();
                    ruleset.judge(&FieldMap::from_json(&fields).unwrap(), &mut scratch, &mut fired);
                    let admitted = interest.events.contains(event)
                        && (container != "host" || !interest.contained.contains(event))
                        && (event != EventType::SOCKET || interest.domains.has(number));
                    prop_assert!(admitted || fired.is_empty(), "{name} {family} in {container} fires {fired:?}");
                }
            }
        }
    }
}

#[test]
fn the_stock_rules_leave_out_what_a_compiler_reads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = std::env::var_os("EYAS_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    if !folder.is_dir() {
        eprintln!("skipped: no reference files at {}", folder.display());
        return;
    }
    let mut loader = Loader::new();
    for name in ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"] {
        let text = std::fs::read_to_string(folder.join("falco/rules").join(name)).unwrap();
        loader = loader.add(SourceFile::new(name, text));
    }
    let ruleset = loader.finish().ruleset;
    let opens = &ruleset.interest().opens;
    eprintln!("{} alternatives", opens.wants().len());
    let (read, write) = (Ways::one(Outcome::Made, true, false), Ways::one(Outcome::Made, false, true));
    let admits =
        |way, path: &[u8], comm: &[u8]| opens.admits(Opening { way, path, given: path, real: path, comm });
    assert!(!admits(read, b"/usr/include/stdio.h", b"cc1"));
    assert!(!admits(read, b"/etc/hostname", b"cat"));
    assert!(admits(read, b"/etc/shadow", b"cat"));
    assert!(admits(write, b"/usr/bin/new", b"cp"));
    let interest = ruleset.interest();
    assert!(interest.contained.contains(EventType::DUP2), "a shell on the host that redirects its output");
    assert!(interest.domains.has(17) && !interest.domains.has(2), "packet sockets, not those of connections");
    // A rule about files that tar packs names no path at all.
    assert!(admits(read, b"/usr/include/stdio.h", b"tar"));
}

#[test]
fn the_shipped_rules_leave_out_what_a_compiler_reads() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules/eyas.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let ruleset = Loader::new().add(SourceFile::new("eyas.yaml", text)).finish().ruleset;
    let opens = &ruleset.interest().opens;
    eprintln!("{} alternatives", opens.wants().len());
    let way = Ways::one(Outcome::Made, true, false);
    let admits =
        |path: &[u8], real: &[u8]| opens.admits(Opening { way, path, given: path, real, comm: b"cc1" });
    assert!(!admits(b"/usr/include/stdio.h", b"/usr/include/stdio.h"));
    assert!(!admits(b"/lib/libm.a", b"/usr/lib/libm.a"));
    assert!(!admits(b"/etc/hostname", b"/etc/hostname") && !admits(b"/tmp/plainfile", b"/tmp/plainfile"));
    assert!(admits(b"/tmp/link", b"/etc/shadow"));
    assert!(admits(b"/etc/shadow", b"/tmp/file"));
}

#[test]
fn rules_of_other_sources_ask_nothing_of_the_sensor() {
    const CALLS: &str = "
- rule: a
  desc: d
  condition: evt.type = openat and fd.name = /etc/shadow
  output: o
  priority: NOTICE
";
    const OTHERS: &str = "
- rule: b
  desc: d
  source: k8s_audit
  condition: jevt.value[/verb] != get
  output: o
  priority: NOTICE
- rule: c
  desc: d
  source: aws_cloudtrail
  condition: ct.name = CreateUser or not evt.num = 0
  output: o
  priority: NOTICE
";
    let load = |texts: &[&str]| {
        let files = texts.iter().map(|text| SourceFile::new("rules.yaml", *text));
        files.fold(Loader::new(), Loader::add).finish().ruleset
    };
    let (calls, both) = (load(&[CALLS]), load(&[CALLS, OTHERS]));
    assert_eq!(both.rules().filter(|(_, rule)| rule.enabled).count(), 3);
    assert_eq!(both.interest(), calls.interest());
}
