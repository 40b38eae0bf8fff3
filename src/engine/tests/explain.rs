//! Explanations: their verdict is the engine's, for random rules and events; and what they say is fit to print.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;

use eyas_engine::diag::Paint;
use eyas_engine::explain::{Explanation, Verdict, explain, to_text};
use eyas_engine::parts::PartKind;
use eyas_engine::{FieldMap, Loader, Ruleset, Scratch, SourceFile};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// Comparisons with a meaning for the fields of `event`.
const LEAVES: [&str; 20] = [
    "evt.type = open",
    "evt.type in (open, execve)",
    "evt.type != connect",
    "proc.name = a",
    "proc.name != a",
    "proc.name in (a, names)",
    "proc.name in ()",
    "proc.name exists",
    "proc.pname glob b*",
    "fd.num >= 2",
    "fd.num in (1, 2)",
    "fd.name pmatch (/x)",
    "proc.aname = a",
    "proc.aname != b",
    "fd.ip != 1.1.1.1",
    "fd.ip in (1.1.1.1, ::1)",
    "fd.snet in (10.0.0.0/8)",
    "inner",
    "outer",
    "far",
];

const BASE: &str = "
- list: names
  items: [b, 'c d']
- macro: inner
  condition: evt.type = open and proc.name in (names)
- macro: outer
  condition: inner or fd.num >= 2
- macro: far
  condition: not outer and (inner or proc.aname = a)
";

fn condition() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(LEAVES.to_vec()).prop_map(str::to_owned);
    leaf.prop_recursive(5, 24, 4, |inner| {
        let several = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            several.clone().prop_map(|parts| format!("({})", parts.join(" and "))),
            several.prop_map(|parts| format!("({})", parts.join(" or "))),
            inner.prop_map(|part| format!("not ({part})")),
        ]
    })
}

fn event() -> impl Strategy<Value = FieldMap> {
    let text = || prop::option::of(prop::sample::select(vec!["a", "b", "c d", "bx", "/x/y"]));
    let ip = || prop::option::of(prop::sample::select(vec!["1.1.1.1", "10.0.0.1", "::1"]));
    let kind = prop::sample::select(vec!["open", "execve", "connect"]);
    (kind, text(), text(), text(), prop::option::of(0..4_i64), ip(), ip()).prop_map(
        |(kind, name, parent, file, num, client, server)| {
            let map = json!({
                "evt.type": kind, "proc.name": name, "proc.pname": parent, "proc.aname[1]": parent,
                "proc.aname[2]": name, "fd.name": file, "fd.num": num, "fd.cip": client, "fd.sip": server,
            });
            FieldMap::from_json(&map).unwrap()
        },
    )
}

fn rule(condition: &str) -> String {
    format!(
        "{BASE}- rule: r\n  desc: d\n  condition: '{}'\n  output: o\n  priority: INFO\n",
        condition.replace('\'', "''")
    )
}

fn explained(ruleset: &Ruleset, event: &FieldMap) -> Explanation {
    explain(ruleset, ruleset.find("r").unwrap(), event)
}

fn load(rules: &str) -> std::sync::Arc<Ruleset> {
    let loaded = Loader::new().add(SourceFile::new("r.yaml", rules)).finish();
    assert_eq!(loaded.ruleset.len(), 1, "{:?}", loaded.diagnostics);
    loaded.ruleset
}

/// What the parts of a step say together must be what the step says, with only evaluated parts counted.
fn coherent(explanation: &Explanation) {
    let steps = &explanation.steps;
    for (i, step) in steps.iter().enumerate() {
        let below = steps[i + 1..].iter().take_while(|s| s.part.depth > step.part.depth);
        let parts: Vec<_> =
            below.filter(|s| s.part.depth == step.part.depth + 1).map(|s| s.verdict).collect();
        let holds = |v: &Verdict| *v == Verdict::True;
        let asked: Vec<_> = parts.iter().filter(|v| **v != Verdict::NotEvaluated).collect();
        let expected = match step.part.kind {
            _ if step.verdict == Verdict::NotEvaluated => {
                assert!(asked.is_empty() && step.seen.is_none());
                continue;
            }
            PartKind::And => asked.iter().all(|v| holds(v)),
            PartKind::Or => asked.iter().any(|v| holds(v)),
            PartKind::Not => !holds(asked[0]),
            PartKind::Macro if step.repeated => continue,
            PartKind::Macro => holds(asked[0]),
            PartKind::Check => {
                assert!(parts.is_empty());
                continue;
            }
        };
        assert_eq!(step.verdict == Verdict::True, expected, "{step:?} {parts:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_verdict_is_the_engines(text in condition(), events in prop::collection::vec(event(), 1..5)) {
        let ruleset = load(&rule(&text));
        let id = ruleset.find("r").unwrap();
        let mut scratch = Scratch::new();
        for event in &events {
            let mut fired = Vec::new();
            ruleset.judge(event, &mut scratch, &mut fired);
            let explanation = explained(&ruleset, event);
            prop_assert_eq!(explanation.holds, !fired.is_empty(), "{} {:?}", text, event);
            prop_assert_eq!(explanation.holds, ruleset.matches(id, event, &mut scratch));
            prop_assert_eq!(explanation.holds, explanation.steps[0].verdict == Verdict::True);
            coherent(&explanation);
            let text = to_text(&explanation, ruleset.sources(), 60, Paint::Plain);
            prop_assert!(text.lines().count() <= explanation.steps.len());
        }
    }
}

fn text_of(condition: &str, event: &Json, width: usize) -> String {
    let ruleset = load(&rule(condition));
    let explanation = explained(&ruleset, &FieldMap::from_json(event).unwrap());
    to_text(&explanation, ruleset.sources(), width, Paint::Plain)
}

#[test]
fn each_part_says_what_it_saw() {
    let event = json!({ "evt.type": "open", "proc.name": "c d", "fd.num": 1, "proc.aname[1]": "x", "proc.aname[2]": "y" });
    let text = text_of(
        "outer and proc.aname = a and (proc.pname = b or fd.name exists) or proc.pname != b",
        &event,
        80,
    );
    assert_eq!(
        text,
        "\
false    or
false      and
true         macro outer  r.yaml:6
true           or
true             macro inner  r.yaml:4
true               and
true                 evt.type = open  saw \"open\"
true                 proc.name in (b, \"c d\")  saw \"c d\"
-                fd.num >= 2
false        proc.aname = a  saw \"x\", \"y\"
-            or
-              proc.pname = b
-              fd.name exists
missing    proc.pname != b  no value
"
    );
}

#[test]
fn a_macro_is_opened_once_and_not_where_nothing_was_asked() {
    let event = json!({ "evt.type": "open", "proc.name": "b" });
    let text = text_of("inner and not inner and far", &event, 80);
    assert_eq!(
        text,
        "\
false    and
true       macro inner  r.yaml:4
true         and
true           evt.type = open  saw \"open\"
true           proc.name in (b, \"c d\")  saw \"b\"
false      not
true         macro inner  r.yaml:4, shown above
-          macro far  r.yaml:8
"
    );
}

#[test]
fn hostile_bytes_are_shown_and_long_things_are_cut() {
    let long = "x".repeat(5000);
    let event = json!({ "evt.type": "open", "proc.name": "\u{1b}[2J\n\u{202e}", "fd.name": long });
    let many: Vec<String> = (0..50).map(|n| format!("value-{n}")).collect();
    let text = text_of(&format!("proc.name in ({}) or fd.name = y", many.join(", ")), &event, 60);
    assert!(text.contains("saw \"\\x1b[2J\\n\\u{202e}\""), "{text}");
    assert!(text.contains(" more)"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() < 160), "{text}");
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn macros_that_double_each_other_are_explained_in_time() {
    let mut rules = String::from("- macro: m0\n  condition: proc.name = a or proc.pname = b\n");
    for i in 1..60 {
        let before = i - 1;
        let _ = writeln!(
            rules,
            "- macro: m{i}\n  condition: (m{before} and fd.num = {i}) or (m{before} and fd.num != {i})"
        );
    }
    rules.push_str(
        "- rule: r\n  desc: d\n  condition: evt.type = open and m59\n  output: o\n  priority: INFO\n",
    );
    let ruleset = load(&rules);
    let event = FieldMap::from_json(&json!({ "evt.type": "open", "proc.name": "a", "fd.num": 1 })).unwrap();
    let explanation = explained(&ruleset, &event);
    assert!(explanation.holds && explanation.steps.len() < 1000, "{}", explanation.steps.len());
    coherent(&explanation);
}

#[test]
fn no_depth_is_too_deep() {
    // As many levels as the parser takes: each parenthesis opens an `and` and a `not`.
    let deep = format!("{}evt.type = open{}", "not (evt.type = open and ".repeat(900), ")".repeat(900));
    let text = text_of(&deep, &json!({ "evt.type": "open" }), 80);
    assert!(text.lines().count() > 1800, "{}", text.lines().count());
}
