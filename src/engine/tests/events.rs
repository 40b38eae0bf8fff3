//! Events as maps: what follows from what is given, what is refused, and how a stored alert answers a filter.
#![expect(clippy::unwrap_used, reason = "tests")]

use eyas_engine::{FieldMap, Filter, Ruleset, Scratch};
use eyas_event::OutputValue;

fn holds(event: &FieldMap, condition: &str) -> bool {
    let filter = Filter::compile(condition, &Ruleset::empty()).unwrap();
    filter.matches(event, &mut Scratch::new())
}

#[test]
fn any_side_fields_networks_and_ancestors_follow() {
    let event = FieldMap::from_json_text(
        r#"{"evt.type": "connect", "fd.cip": "10.0.0.5", "fd.sip": "::ffff:192.0.2.7", "fd.cport": 50000, "fd.sport": 443,
            "proc.aname[1]": "bash", "proc.aname[3]": "systemd", "evt.arg.fd": "<4>", "proc.name": null}"#,
    )
    .unwrap();
    for condition in [
        "fd.ip = 192.0.2.7",
        "fd.ip != 1.1.1.1",
        "not fd.ip != 10.0.0.5",
        "fd.net = 10.0.0.0/8",
        "fd.snet in (192.0.2.0/24)",
        "fd.port = 443 and fd.port > 49999",
        "proc.aname = systemd",
        "proc.aname != bash",
        "not proc.aname[2] exists",
        "evt.arg[2] = <4>",
        "not proc.name exists",
        "not proc.cmdline exists",
    ] {
        assert!(holds(&event, condition), "{condition}");
    }
    let chain =
        FieldMap::from_json_text(r#"{"proc.aname": ["make", "bash"], "fd.port": [22, 4000]}"#).unwrap();
    assert!(holds(
        &chain,
        "proc.aname[2] = bash and proc.aname[1] = make and fd.port = 4000 and fd.port != 80"
    ));
}

#[test]
fn a_wrong_key_or_value_is_named() {
    let cases = [
        (r#"{"proc.nmae": "x"}"#, "proc.nmae"),
        (r#"{"container.privileged": "yes"}"#, "container.privileged"),
        (r#"{"evt.type": "opne"}"#, "evt.type"),
        (r#"{"fd.num": "3"}"#, "fd.num"),
        (r#"{"fd.num": 3.5}"#, "fd.num"),
        (r#"{"fd.sport": 70000}"#, "fd.sport"),
        (r#"{"user.uid": -1}"#, "user.uid"),
        (r#"{"fd.sip": "10.0.0.0/8"}"#, "fd.sip"),
        (r#"{"fd.name": ["a"]}"#, "fd.name"),
        (r#"{"evt.arg.nosuch": "a"}"#, "evt.arg.nosuch"),
        (r#"{"proc.aname[x]": "a"}"#, "proc.aname[x]"),
        (r#"{"": 1}"#, ""),
        ("[]", ""),
        ("{", ""),
    ];
    for (text, key) in cases {
        let errors = FieldMap::from_json_text(text).unwrap_err();
        assert_eq!(errors.len(), 1, "{text}");
        assert_eq!(errors[0].key, key, "{text}");
        assert!(!errors[0].reason.is_empty());
    }
    let errors = FieldMap::from_json_text(r#"{"a.b": 1, "fd.num": "x", "proc.name": "y"}"#).unwrap_err();
    assert_eq!(errors.len(), 2);
}

#[test]
fn a_stored_alert_answers_a_filter() {
    let text = |s: &str| OutputValue::Text(s.to_owned());
    let fields = [
        ("evt.type", text("execve")),
        ("evt.time", OutputValue::Uint(1_700_000_000_000_000_000)),
        ("proc.name", text("sh")),
        ("proc.aname", text("nginx systemd")),
        ("user.uid", OutputValue::Uint(33)),
        ("proc.pid", OutputValue::Int(4711)),
        ("fd.sip", text("192.0.2.7")),
        ("proc.pname", OutputValue::Null),
        ("field.of.another.version", text("x")),
    ];
    let event = FieldMap::from_output(fields.iter().map(|(name, value)| (*name, value)));
    for condition in [
        "evt.type = execve and proc.name in (sh, bash)",
        "proc.aname = nginx and proc.aname[2] = systemd",
        "user.uid = 33 and proc.pid > 4000",
        "fd.ip = 192.0.2.7 and fd.snet = 192.0.2.0/24",
        "not proc.pname exists",
    ] {
        assert!(holds(&event, condition), "{condition}");
    }
}

#[test]
fn priorities_of_alerts_compare_by_urgency() {
    let alert =
        |priority: &str| FieldMap::from_output([("alert.priority", &OutputValue::Text(priority.into()))]);
    for (priority, condition, answer) in [
        ("Warning", "alert.priority = warning", true),
        ("Warning", "alert.priority = WARNING", true),
        ("Warning", "alert.priority != warning", false),
        ("Warning", "alert.priority >= warning", true),
        ("Critical", "alert.priority >= warning", true),
        ("Notice", "alert.priority >= warning", false),
        ("Notice", "alert.priority < warning", true),
        ("Informational", "alert.priority in (info, debug)", true),
    ] {
        assert_eq!(holds(&alert(priority), condition), answer, "{priority}: {condition}");
    }
}

#[test]
fn a_filter_that_is_wrong_says_what_was_meant() {
    for (condition, meant) in [
        ("alert.priority = warnign", "warning"),
        ("priority = warning", "alert.priority"),
        ("rule = x", "alert.rule"),
        ("proc.name contians x", "contains"),
        ("proc.name is x", "="),
    ] {
        let rejected = Filter::compile(condition, &Ruleset::empty()).unwrap_err();
        let edit = rejected.diagnostics[0].edit.as_ref().map(|edit| edit.replacement.as_str());
        assert_eq!(edit, Some(meant), "{condition}");
    }
    for condition in ["alert.priority >= 3", "alert.priority >= worse", "proc.pid > abc", "", " "] {
        assert!(Filter::compile(condition, &Ruleset::empty()).is_err(), "{condition:?}");
    }
}

#[test]
fn an_empty_filter_is_blamed_on_nobody_else() {
    let rejected = Filter::compile("", &Ruleset::empty()).unwrap_err();
    let found = &rejected.diagnostics[0];
    assert_eq!(found.message, "the filter is empty");
    let span = found.labels[0].span;
    assert_eq!(rejected.sources.name(span.source), "filter");
    let place = rejected.sources.place(span);
    assert_eq!((place.line, place.column), (1, 1));
}

#[test]
fn what_says_the_same_in_other_words_follows() {
    let event = FieldMap::from_json_text(r#"{"evt.rawtime": 7000000009, "evt.args": "fd=3"}"#).unwrap();
    for condition in [
        "evt.rawtime.s = 7",
        "evt.rawtime.ns = 9",
        "evt.datetime = '1970-01-01 00:00:07.000000009'",
        "evt.info = fd=3",
    ] {
        assert!(holds(&event, &condition.replace("fd=3", "\"fd=3\"")), "{condition}");
    }
}

#[test]
fn numbers_to_another_base_are_read_as_alerts_print_them() {
    let text = r#"{"fd.dev": "802", "evt.rawarg.flags": "FF", "evt.rawarg.mode": "755", "evt.rawarg.fd": 9}"#;
    let event = FieldMap::from_json_text(text).unwrap();
    for condition in ["fd.dev = 2050", "evt.rawarg.flags = 255", "evt.rawarg.mode = 493", "evt.rawarg.fd = 9"]
    {
        assert!(holds(&event, condition), "{condition}");
    }
    assert!(FieldMap::from_json_text(r#"{"fd.dev": "none"}"#).is_err());
}
