//! Conditions on events as `enrich` makes them: fields whose values have a type or a form of their own, and what an alert
//! over such an event keeps and is filtered by later.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "support/live.rs"]
mod live;

use eyas_engine::output::parse;
use eyas_engine::syntax::text::Spliced;
use eyas_engine::{Dialect, FieldMap, Filter, Ruleset, Scratch, SourceId};
use eyas_event::{Event, OutputValue};

/// Conditions that hold for the event of that name.
const HOLDS: &[(&str, &str)] = &[
    // A raw parameter is compared in its own type: a number as a number, a path as it was given.
    ("open for writing", "evt.rawarg.flags = 262 and evt.rawarg.flags > 200 and evt.rawarg.flags != 263"),
    ("open for writing", "evt.rawarg.fd = 3 and evt.rawarg.dirfd < 0 and evt.rawarg.ino in (4711, 4712)"),
    (
        "open for writing",
        "evt.rawarg.name startswith /home and not evt.rawarg.res exists and evt.rawarg.mode = 0",
    ),
    ("exec", "evt.rawarg.uid = 1000 and evt.rawarg.comm = cc1 and evt.rawarg.args contains main.c"),
    ("connect", "evt.rawarg.res = 0 and evt.rawarg.fd = 4"),
    // A device as user space numbers it, printed in hexadecimal digits.
    ("open for reading", "fd.dev = 2049 and evt.rawarg.dev = 2049 and evt.arg.dev = 801"),
    ("open for reading", "fd.dev.major = 8 and fd.dev.minor = 1 and fd.directory = /usr/include"),
    (
        "open for reading",
        "evt.abspath = /usr/include/stdio.h and fd.containername endswith :/usr/include/stdio.h",
    ),
    (
        "open for reading",
        "evt.count.error = 0 and evt.count.error.file = 0 and not evt.count.error.net exists",
    ),
    ("open for reading", "evt.reltime.s = 10 and evt.reltime = 10000000000 and evt.reltime.ns = 0"),
    ("open for reading", "evt.is_io = false and evt.latency = 0 and evt.latency.human = 0ns"),
    ("connect", "fd.sproto = 443 and fd.cproto = 51000 and fd.proto = https and fd.uid = 54"),
    ("exec", "proc.loginshellid = 3 and proc.vpgid.name = cc1 and thread.vtid = 5 and thread.nametid = cc15"),
    ("exec", "proc.aargs[1] = \"-j2 all\" and proc.aargs[0] contains -quiet and not proc.aargs[9] exists"),
    // Host names that rules mention, as far as they lead to an end of the connection.
    ("connect", "fd.sip.name = api.test and fd.rip.name in (x.test, api.test) and fd.sip.name != other.test"),
    ("connect", "not fd.sip.name = other.test and fd.cip.name != api.test and not fd.lip.name in (api.test)"),
    ("exec", "user.homedir = /home/u and user.shell = /bin/bash and not fd.sip.name exists"),
    ("open for reading", "fd.is_upper_layer = true and fd.is_lower_layer = false"),
    ("connect", "fd.is_upper_layer = false and fd.is_lower_layer = false"),
    ("exec", "proc.aenv[EDITOR] = vi and proc.aenv[2] startswith \"EDITOR=\" and not proc.aenv[9] exists"),
    ("exec", "proc.fdlimit = 1024 and proc.vmsize = 10 and thread.vmrss.b = 4096 and thread.pfminor = 3"),
    ("exec", "proc.pidns_init_start_ts > 0"),
    // What is no call has no result.
    ("exit", "not evt.failed exists and not evt.count.error exists and evt.rawarg.status = 0"),
];

fn filter(condition: &str) -> Filter {
    Filter::compile(condition, &Ruleset::empty()).unwrap_or_else(|bad| panic!("{condition}: {bad:?}"))
}

fn with(name: &str, test: impl FnOnce(&Event<'_>)) {
    let live = live::Live::new("host");
    let events = live.events();
    test(&events.iter().find(|(kind, _)| *kind == name).unwrap().1);
}

#[test]
fn conditions_hold_for_live_events() {
    for (name, condition) in HOLDS {
        with(name, |event| {
            for part in condition.split(" and ") {
                assert!(filter(part).matches(event, &mut Scratch::new()), "{name}: {part}");
            }
        });
    }
}

#[test]
fn what_an_alert_keeps_answers_as_the_event_did() {
    for (name, condition) in HOLDS {
        with(name, |event| {
            let mut kept = Vec::new();
            event.all_fields(|field, value| kept.push((field.to_owned(), OutputValue::from(&value))));
            let stored = FieldMap::from_output(kept.iter().map(|(field, value)| (field.as_str(), value)));
            for part in condition.split(" and ") {
                // Raw parameters, arguments of an ancestor by its number and environments are not among what is kept.
                if ["evt.rawarg", "proc.aargs[", "proc.aenv["].iter().any(|gone| part.contains(gone)) {
                    continue;
                }
                assert!(filter(part).matches(&stored, &mut Scratch::new()), "{name}: {part}");
            }
        });
    }
}

#[test]
fn an_output_prints_numbers_in_falcos_digits_and_reads_back() {
    with("open for writing", |event| {
        let text = "%fd.dev|%evt.rawarg.flags|%evt.rawarg.fd|%evt.rawtime.ns|%evt.reltime|%evt.args";
        let template = parse(&Spliced::whole(SourceId(0), text), Dialect::Eyas, &mut Vec::new()).unwrap();
        let rendered = template.render(event, &mut Scratch::new());
        assert_eq!(
            String::from_utf8(rendered.message).unwrap(),
            "801|106|3|000000000|10000000000|fd=3(<f>/home/u/src/main.s) dirfd=-100(AT_FDCWD) \
             name=/home/u/src/main.s flags=262(O_TRUNC|O_CREAT|O_WRONLY) mode=0 dev=801 ino=4711"
        );
        let value = |name: &str| &rendered.fields.iter().find(|(field, _)| field == name).unwrap().1;
        assert_eq!(*value("fd.dev"), OutputValue::Text("801".into()));
        assert_eq!(*value("evt.rawarg.flags"), OutputValue::Text("106".into()));
        assert_eq!(*value("evt.rawarg.fd"), OutputValue::Int(3));
        let again = FieldMap::from_output(rendered.fields.iter().map(|(name, value)| (name.as_str(), value)));
        for part in ["fd.dev = 2049", "evt.rawarg.flags = 262", "evt.rawarg.fd = 3"] {
            assert!(filter(part).matches(&again, &mut Scratch::new()), "{part}");
        }
    });
}
