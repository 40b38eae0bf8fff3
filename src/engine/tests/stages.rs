//! Goldens of the stages between text and program: `stages/*.cond` holds a condition a line, the file beside it what became
//! of each: the tree as parsed and printed, then the compiled program of all lines together. `fixtures/typical.yaml` is
//! printed as a program too, so that a change of the compiler shows as a difference that one can read.
//!
//! `EYAS_BLESS=1 cargo test -p eyas-engine --test stages` writes the outputs anew.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use eyas_engine::syntax::ast::{Ast, NodeId, NodeKind};
use eyas_engine::syntax::parse;
use eyas_engine::{Loader, SourceFile};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn golden(path: &Path, text: &str) {
    if std::env::var_os("EYAS_BLESS").is_some() {
        std::fs::write(path, text).unwrap();
    }
    let before = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(before, text, "{} differs", path.display());
}

/// A tree, one node a line, with the bytes that each covers.
fn outline(ast: &Ast, id: NodeId, depth: usize, out: &mut String) {
    let node = ast.node(id);
    let word = match &node.kind {
        NodeKind::And(_) => "and".to_owned(),
        NodeKind::Or(_) => "or".to_owned(),
        NodeKind::Not(_) => "not".to_owned(),
        NodeKind::Check(check) => check.to_string(),
        NodeKind::Macro(name) => format!("macro {name}"),
        NodeKind::Broken => "broken".to_owned(),
    };
    let _ = writeln!(out, "  {}{word}  {:?}", "  ".repeat(depth), node.bytes);
    match &node.kind {
        NodeKind::And(parts) | NodeKind::Or(parts) => {
            for part in parts {
                outline(ast, *part, depth + 1, out);
            }
        }
        NodeKind::Not(part) => outline(ast, *part, depth + 1, out),
        NodeKind::Check(_) | NodeKind::Macro(_) | NodeKind::Broken => {}
    }
}

#[test]
fn conditions_parse_as_before() {
    let conditions = std::fs::read_to_string(folder().join("stages/grammar.cond")).unwrap();
    let mut out = String::new();
    for line in conditions.lines().filter(|line| !line.is_empty()) {
        let parsed = parse(line);
        let _ = writeln!(out, "{line}");
        outline(&parsed.ast, parsed.ast.root().unwrap(), 0, &mut out);
        for error in &parsed.errors {
            let _ = writeln!(out, "  {} {:?} {}", error.code, error.bytes, error.message);
        }
        out.push('\n');
    }
    golden(&folder().join("stages/grammar.tree"), &out);
}

#[test]
fn typical_rules_compile_as_before() {
    let text = std::fs::read_to_string(folder().join("fixtures/typical.yaml")).unwrap();
    let loaded = Loader::new().add(SourceFile::new("typical.yaml", text)).finish();
    golden(&folder().join("stages/typical.program"), &loaded.ruleset.program().to_string());
}

#[test]
fn appends_overrides_and_exceptions_compile_as_before() {
    let text = std::fs::read_to_string(folder().join("stages/changes.yaml")).unwrap();
    let loaded = Loader::new().add(SourceFile::new("changes.yaml", text)).finish();
    let mut out = String::new();
    for (id, rule) in loaded.ruleset.rules() {
        let enabled = if rule.enabled { "on" } else { "off" };
        let _ = writeln!(out, "{}: {} {enabled} {:?}", rule.name, rule.priority.name(), rule.tags);
        let _ = writeln!(
            out,
            "  desc {}\n  condition {}\n  output {}",
            rule.desc,
            rule.condition.trim(),
            rule.output
        );
        let _ = writeln!(out, "  text {:?}", loaded.ruleset.rule_text(id).lines().next().unwrap());
        let events: Vec<_> = rule.events.iter().map(eyas_event::EventType::name).collect();
        let _ = writeln!(
            out,
            "  events {}",
            if events.len() > 20 { "many".to_owned() } else { events.join(" ") }
        );
    }
    let _ = writeln!(out, "{}", loaded.ruleset.program());
    for d in &loaded.diagnostics {
        let _ = writeln!(out, "{} {}", d.code, d.message);
    }
    golden(&folder().join("stages/changes.out"), &out);
}
