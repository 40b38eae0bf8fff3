//! What a ruleset says of itself, and what its rules say of an event.
#![expect(clippy::unwrap_used, reason = "tests")]

use eyas_engine::diag::Code;
use eyas_engine::{FieldMap, Loader, Ruleset, Scratch, SourceFile};
use eyas_event::{EventType, OutputValue, Priority, Variables};

const RULES: &str = include_str!("fixtures/typical.yaml");

fn typical() -> Loader {
    Loader::new().add(SourceFile::new("typical.yaml", RULES))
}

#[test]
fn the_index_and_the_interest_follow_from_the_conditions() {
    let ruleset = typical().finish().ruleset;
    let names =
        |event| -> Vec<&str> { ruleset.rules_for(event).iter().map(|id| &*ruleset.rule(*id).name).collect() };
    assert_eq!(names(EventType::CONNECT), ["Connection out of the site"]);
    assert_eq!(names(EventType::OPENAT2), ["Secret read", "Write below etc", "Key material touched"]);
    assert!(names(EventType::PROCEXIT).is_empty());
    let interest = ruleset.interest().events;
    assert!(interest.contains(EventType::EXECVEAT) && interest.contains(EventType::OPEN));
    assert!(!interest.contains(EventType::PROCEXIT));
    let rule = ruleset.rule(ruleset.find("Secret read").unwrap());
    assert_eq!(rule.macros.iter().map(|m| &**m).collect::<Vec<_>>(), ["opened_for_reading"]);
    assert_eq!(rule.output_fields().collect::<Vec<_>>(), ["fd.name", "proc.name"]);
    let text = ruleset.rule_text(ruleset.find("Secret read").unwrap());
    assert!(text.starts_with("- rule: Secret read\n") && text.ends_with("priority: WARNING"), "{text}");
}

#[test]
fn the_hash_is_of_the_texts_and_the_settings() {
    let hash = |loader: Loader| loader.finish().ruleset.hash();
    let renamed = Loader::new().add(SourceFile::new("elsewhere.yaml", RULES));
    assert_eq!(hash(typical()), hash(renamed));
    let changed = Loader::new().add(SourceFile::new("typical.yaml", RULES.replace("base64", "base65")));
    assert_ne!(hash(typical()), hash(changed));
    assert_ne!(hash(typical()), hash(typical().least_priority(Priority::Warning)));
    assert_ne!(hash(typical()), hash(typical().suggested_output(true)));
    assert!(Ruleset::empty().is_empty());
}

#[test]
fn less_urgent_rules_can_be_left_out() {
    let ruleset = typical().least_priority(Priority::Error).finish().ruleset;
    let names: Vec<_> = ruleset.rules().map(|(_, rule)| &*rule.name).collect();
    assert_eq!(names, ["Write below etc", "Run from a temporary directory"]);
}

fn said(output: &str, event: &str) -> (String, Vec<(String, OutputValue)>) {
    let rules = format!(
        "- rule: r\n  desc: d\n  condition: evt.type = execve\n  output: '{output}'\n  priority: INFO\n"
    );
    let loaded = Loader::new().add(SourceFile::new("r", rules)).finish();
    assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
    let event = FieldMap::from_json_text(event).unwrap();
    let mut scratch = Scratch::new();
    let mut fired = Vec::new();
    loaded.ruleset.judge(&event, &mut scratch, &mut fired);
    let rendered = loaded.ruleset.rule(fired[0]).render(&event, &mut scratch);
    (String::from_utf8(rendered.message).unwrap(), rendered.fields)
}

#[test]
fn outputs_print_values_and_keep_their_types() {
    let event = r#"{"evt.type": "execve", "evt.time": 1566230400010000000, "evt.rawtime": 1566230400010000000, "proc.name": "init", "fd.name": "/etc/x",
        "fd.num": 4, "fd.sip": "::1", "fd.sport": 443, "evt.is_open_read": true, "proc.aname": ["bash", "sshd"],
        "user.loginuid": -1, "evt.arg.flags": "O_RDONLY"}"#;
    for (output, message) in [
        ("%proc.name.", "init."),
        ("%proc.name%proc.name", "initinit"),
        ("a%fd.nums", "a4s"),
        ("%fd.name[1]", "/etc/x[1]"),
        ("%20fd.name|%3fd.name|", "/etc/x              |/et|"),
        ("%proc.aname|%proc.aname[2]|%proc.aname[9]|%proc.aname[2", "bash sshd|sshd|<NA>|bash sshd[2"),
        ("%fd.sip:%fd.sport %evt.is_open_read %user.loginuid", "::1:443 true -1"),
        ("%evt.time %evt.rawtime", "16:00:00.010000000 1566230400010000000"),
        ("%evt.arg.flags %proc.pname %container.name", "O_RDONLY <NA> <NA>"),
        ("no field at all", "no field at all"),
    ] {
        assert_eq!(said(output, event).0, message, "{output}");
    }
    let (_, fields) = said("%fd.sport %fd.sip %proc.pname %user.loginuid %evt.is_open_read %fd.sport", event);
    let expected = [
        ("evt.is_open_read", OutputValue::Bool(true)),
        ("evt.time", OutputValue::Uint(1_566_230_400_010_000_000)),
        ("fd.sip", OutputValue::Text("::1".into())),
        ("fd.sport", OutputValue::Uint(443)),
        ("proc.pname", OutputValue::Null),
        ("user.loginuid", OutputValue::Int(-1)),
    ];
    assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value)));
}

#[test]
fn suggested_fields_are_appended_when_asked_for() {
    let rules = "- rule: r\n  desc: d\n  condition: evt.type = execve\n  output: o\n  priority: INFO\n";
    let loaded = Loader::new().add(SourceFile::new("r", rules)).suggested_output(true).finish();
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    let event = FieldMap::from_json_text(r#"{"evt.type": "execve", "container.id": "host"}"#).unwrap();
    let (_, rule) = loaded.ruleset.rules().next().unwrap();
    let message = String::from_utf8(rule.render(&event, &mut Scratch::new()).message).unwrap();
    assert!(message.starts_with("o container_id=host container_name=<NA> "), "{message}");
    assert_eq!(rule.output, "o");
}

fn variables<'v>(names: impl Iterator<Item = &'v [u8]>) -> Vec<&'v str> {
    names.map(|name| std::str::from_utf8(name).unwrap()).collect()
}

#[test]
fn variables_are_asked_for_and_kept_by_the_rules_that_are_on() {
    let text = r#"
- rule: Bracket
  desc: d
  condition: evt.type = execve and proc.env[LD_PRELOAD] exists
  output: u %user.name
  priority: NOTICE
- rule: Whole
  desc: d
  condition: evt.type = execve and proc.env icontains "HTTP_PROXY=http"
  output: e %proc.env
  priority: NOTICE
- rule: List
  desc: d
  condition: evt.type = execve and proc.env icontains anyof (FIRST_OF_TWO, "=/tmp/")
  output: o %user.name
  priority: NOTICE
- rule: Other in the output
  desc: d
  condition: evt.type = execve and proc.aenv[LANG] exists
  output: e %proc.env[TZ] %proc.aenv[1]
  priority: NOTICE
- rule: Off
  desc: d
  condition: evt.type = execve and proc.env[PASSWORD] exists
  output: e %proc.env
  priority: NOTICE
  enabled: false
"#;
    let loaded = Loader::new().add(SourceFile::new("r.yaml", text)).finish();
    assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
    let asked = &loaded.ruleset.interest().variables;
    assert_eq!(variables(asked.iter()), ["FIRST_OF_TWO", "HTTP_PROXY", "LANG", "LD_PRELOAD", "TZ"]);
    assert_eq!(variables(loaded.ruleset.printed_variables().iter()), ["HTTP_PROXY", "LANG", "TZ"]);
}

/// The sensor takes so many and no more: an edit must not bring it to an end.
#[test]
fn variables_beyond_number_are_told_of_and_not_asked_for() {
    use std::fmt::Write as _;
    let mut text = String::new();
    for i in 0..Variables::MAX + 3 {
        // The last is one of the first in small letters.
        let name = if i == Variables::MAX + 2 { "v_0".to_owned() } else { format!("V_{i}") };
        write!(
            text,
            "- rule: R{i}\n  desc: d\n  condition: evt.type = execve and proc.env[{name}] exists\n  output: o %user.name\n  priority: NOTICE\n"
        )
        .unwrap();
    }
    let loaded = Loader::new().add(SourceFile::new("r.yaml", text)).finish();
    let told: Vec<_> = loaded.diagnostics.iter().filter(|d| d.code == Code::VariableNotSent).collect();
    let rules: Vec<_> = told.iter().filter_map(|d| d.item.as_ref()).map(|(_, name)| name.as_str()).collect();
    assert_eq!(rules, [format!("R{}", Variables::MAX), format!("R{}", Variables::MAX + 1)]);
    let asked = &loaded.ruleset.interest().variables;
    assert_eq!(asked.iter().count(), Variables::MAX + 1);
    assert!(asked.iter().any(|name| name == b"v_0"));
}

/// An output does not print what another rule asks for.
#[test]
fn an_environment_is_printed_as_far_as_the_rule_names_it() {
    let rule = |name: &str, condition: &str, output: &str| {
        format!(
            "- rule: {name}\n  desc: d\n  condition: evt.type = execve and {condition}\n  output: e={output}\n  priority: NOTICE\n"
        )
    };
    let proxy = "proc.env icontains HTTP_PROXY";
    let text = [
        rule("Proxy", proxy, "%proc.env"),
        rule("Both", "proc.env[B_SECOND] exists and proc.env[A_THIRD] exists", "%proc.env"),
        rule("Nothing", "proc.name = sh", "%proc.env"),
        rule("Own", proxy, "%proc.aenv"),
        rule("Parent", proxy, "%proc.aenv[1]"),
        rule("Number", proxy, "%proc.env[0]"),
        rule("Capitals", proxy, "%toupper(proc.env)"),
    ];
    let loaded = Loader::new().add(SourceFile::new("r.yaml", text.concat())).finish();
    let event = serde_json::json!({
        "evt.type": "execve",
        "proc.name": "sh",
        "proc.env": "http_proxy=x y API_KEY=secret B_SECOND=2 A_THIRD=3",
        "proc.aenv[1]": "API_KEY=secret HTTP_PROXY=z",
    });
    let (fields, mut scratch) = (FieldMap::from_json(&event).unwrap(), Scratch::new());
    for (name, printed) in [
        ("Proxy", "e=http_proxy=x y"),
        ("Both", "e=B_SECOND=2 A_THIRD=3"),
        ("Nothing", "e="),
        ("Own", "e=http_proxy=x y"),
        ("Parent", "e=HTTP_PROXY=z"),
        ("Number", "e=http_proxy=x y"),
        ("Capitals", "e=HTTP_PROXY=X Y"),
    ] {
        let id = loaded.ruleset.find(name).unwrap();
        assert!(loaded.ruleset.matches(id, &fields, &mut scratch), "{name}");
        let said = loaded.ruleset.rule(id).render(&fields, &mut scratch);
        assert_eq!(String::from_utf8_lossy(&said.message), printed);
        assert!(!format!("{:?}", said.fields).contains("secret"), "{name}: {:?}", said.fields);
    }
}
