//! Effective rules: what overrides and exceptions left, with the places of each part.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use eyas_engine::effective::{Effective, effective, to_text};
use eyas_engine::parts::Part;
use eyas_engine::{Loader, Ruleset, SourceFile};

const BASE: &str = "\
- list: inner
  items: [sh, 'c d']
- list: shells
  items: [bash, inner]
- macro: deep
  condition: proc.pname in (shells)
- macro: by_shell
  condition: deep or proc.name = bash
- rule: r
  desc: d
  condition: >
    evt.type = open and by_shell
    and fd.num in (1, 2)
  output: o %fd.name
  priority: INFO
  exceptions:
    - name: keeper
      fields: [proc.name]
      values: [[keeper]]
";

const MORE: &str = "\
- rule: r
  condition: or proc.name = x
  override: {condition: append}
";

fn load(files: &[(&str, &str)]) -> Arc<Ruleset> {
    let loader =
        files.iter().fold(Loader::new(), |loader, (name, text)| loader.add(SourceFile::new(*name, *text)));
    let loaded = loader.finish();
    assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
    loaded.ruleset
}

fn of(ruleset: &Ruleset) -> Effective<'_> {
    effective(ruleset, ruleset.find("r").unwrap())
}

fn sketch(ruleset: &Ruleset, part: &Part) -> String {
    let sources = ruleset.sources();
    let at = |span: eyas_engine::Span| format!("{}:{}", sources.name(span.source), sources.place(span).line);
    let defined = part.defined.map(|span| format!(" defined {}", at(span))).unwrap_or_default();
    format!("{}{} @{}{defined}", "  ".repeat(part.depth as usize), part.text(), at(part.span))
}

#[test]
fn clauses_keep_their_places_through_overrides_and_exceptions() {
    let ruleset = load(&[("base", BASE), ("more", MORE)]);
    let lines: Vec<_> = of(&ruleset).parts.iter().map(|part| sketch(&ruleset, part)).collect();
    assert_eq!(
        lines,
        [
            "and @base:12",
            "  or @base:12",
            "    and @base:12",
            "      evt.type = open @base:12",
            "      macro by_shell @base:12 defined base:7",
            "        or @base:8",
            "          macro deep @base:8 defined base:5",
            "          proc.name = bash @base:8",
            "      fd.num in (1, 2) @base:13",
            "    proc.name = x @more:2",
            "  not @base:17",
            "    proc.name = keeper @base:18",
        ]
    );
}

#[test]
fn lists_are_those_of_the_macros_behind_and_those_inside_lists() {
    let ruleset = load(&[("base", BASE)]);
    let rule = of(&ruleset);
    let lists: Vec<_> = rule
        .lists
        .iter()
        .map(|l| (l.name, l.items.iter().map(|(item, _)| *item).collect::<Vec<_>>()))
        .collect();
    assert_eq!(lists, [("inner", vec!["sh", "c d"]), ("shells", vec!["bash", "inner"])]);
}

#[test]
fn every_shipped_rule_can_be_shown() {
    let shipped = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules/eyas.yaml");
    let text = std::fs::read_to_string(shipped).unwrap();
    let ruleset = load(&[("eyas.yaml", &text)]);
    for (id, rule) in ruleset.rules() {
        let shown = effective(&ruleset, id);
        let text = to_text(&shown, ruleset.sources());
        assert!(!shown.parts.is_empty() && text.contains(&*rule.name), "{text}");
        assert!(!text.contains("<?>"), "{text}");
    }
}

#[test]
fn nothing_in_a_rule_acts_on_a_terminal() {
    let rules = "- rule: r\n  desc: \"\\e[2J\"\n  condition: \"evt.type = open and fd.name = 'a\\e\\u202eb'\"\n  output: o\n  priority: INFO\n";
    let ruleset = load(&[("ba\u{1b}se", rules)]);
    let text = to_text(&of(&ruleset), ruleset.sources());
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
}
