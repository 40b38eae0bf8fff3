//! The stock rule files and the rules of the founding texts, when they lie beside the checkout (`../shared`, or the folder
//! that `EYAS_SHARED` names): they parse, most compile, and for each other rule a diagnostic says what is missing and where.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::path::Path;

use eyas_engine::diag::{Code, Paint, Severity, to_text};
use eyas_engine::loader::{Loaded, Loader};
use eyas_engine::source::SourceFile;
use eyas_event::EventType;

#[path = "support/shared.rs"]
mod shared;
use shared::shared;

fn load(folder: &Path, names: &[&str]) -> Loaded {
    let mut loader = Loader::new();
    for name in names {
        let text = std::fs::read_to_string(folder.join("falco/rules").join(name)).unwrap();
        loader = loader.add(SourceFile::new(*name, text));
    }
    loader.finish()
}

#[test]
fn the_ninety_three_stock_rules_compile_without_an_error_or_a_warning() {
    let Some(folder) = shared() else { return };
    let names = ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"];
    let loaded = load(&folder, &names);
    let heavy: Vec<_> = loaded.diagnostics.iter().filter(|d| d.severity != Severity::Lint).collect();
    let texts: Vec<_> = heavy.iter().map(|d| to_text(d, &loaded.sources, Paint::Plain)).collect();
    assert!(heavy.is_empty(), "{}", texts.join("\n\n"));
    assert_eq!((loaded.ruleset.len(), loaded.left_out.len()), (93, 0));
    // Each file also loads alone.
    for name in names {
        let alone = load(&folder, &[name]);
        assert!(alone.ruleset.len() >= 25 && !alone.has_errors(), "{name}");
    }
}

#[test]
fn the_plugin_rule_files_compile_and_wait_for_events_of_their_sources() {
    let Some(folder) = shared() else { return };
    for (name, rules) in [("aws_cloudtrail_rules.yaml", 22), ("k8s_audit_rules.yaml", 48)] {
        let loaded = load(&folder, &[name]);
        let heavy: Vec<_> = loaded.diagnostics.iter().filter(|d| d.severity != Severity::Lint).collect();
        assert!(heavy.is_empty(), "{name}: {heavy:?}");
        assert_eq!(loaded.ruleset.len(), rules, "{name}");
        assert_eq!(loaded.left_out.len(), 0, "{name}");
        assert!(loaded.ruleset.rules().all(|(_, rule)| &*rule.source != "syscall"), "{name}");
        // Events of calls are not judged by them.
        assert!(EventType::all().all(|event| loaded.ruleset.rules_for(event).is_empty()), "{name}");
    }
}

/// The YAML of the rules in a founding text: from an item's first line to the first line that cannot belong to it. Some of
/// the texts lost their indentation on the way; it is put back.
fn rules_in(text: &str) -> Vec<String> {
    const KEYS: [&str; 8] =
        ["desc:", "condition:", "output:", "priority:", "tags:", "append:", "enabled:", "source:"];
    let mut items: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let words = line.trim_start();
        if words.starts_with("- rule: ") || words.starts_with("- macro: ") || words.starts_with("- list: ") {
            items.push(format!("{words}\n"));
            open = true;
            continue;
        }
        let Some(item) = items.last_mut().filter(|_| open) else { continue };
        let key = KEYS.iter().any(|key| words.starts_with(key));
        let body = item
            .lines()
            .last()
            .is_some_and(|l| l.starts_with("    ") || l.ends_with('>') || l.ends_with('|'));
        if key {
            item.extend(["  ", words, "\n"]);
        } else if body && !words.is_empty() && !words.starts_with("```") && !item.contains("\n  tags:") {
            item.extend(["    ", words, "\n"]);
        } else if !words.is_empty() {
            open = false;
        }
    }
    items
}

#[test]
fn the_rules_of_the_founding_texts_are_read_and_every_fault_is_named() {
    let Some(folder) = shared() else { return };
    let (mut total, mut wrong, mut errors) = (0, 0, Vec::new());
    let mut entries: Vec<_> =
        std::fs::read_dir(folder.join("founding")).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    // What a reader needs beside them: the macros that the texts take for granted.
    let macros = "- macro: spawned_process\n  condition: evt.type in (execve, execveat)\n\
        - macro: container\n  condition: container.id != host\n";
    for path in entries.iter().filter(|path| path.extension().is_some_and(|e| e == "txt")) {
        let text = std::fs::read_to_string(path).unwrap();
        let items = rules_in(&text);
        total += items.len();
        let rules = items.iter().filter(|item| item.starts_with("- rule")).count();
        let mut loader = Loader::new().add(SourceFile::new("macros", macros));
        loader = loader.add(SourceFile::new("items", items.concat()));
        let loaded = loader.finish();
        for d in loaded.diagnostics.iter().filter(|d| d.is_error()) {
            assert!(!matches!(d.code, Code::YamlSyntax | Code::Syntax | Code::Unclosed), "{d:?}");
        }
        wrong += rules - loaded.ruleset.len();
        errors.extend(loaded.diagnostics.iter().filter(|d| d.is_error()).map(|d| d.message.clone()));
        // The whole text, prose and all, must not make the loader panic either.
        Loader::new().add(SourceFile::new("prose", text)).finish();
    }
    assert!(total >= 5, "only {total} items were found");
    eprintln!("{total} items, {wrong} rules left out:\n{}", errors.join("\n"));
    // One rule of the texts appends to nothing and reads fields that nobody has; each of its faults is named.
    assert_eq!(wrong, 1);
    for field in ["net.port", "net.protocol"] {
        assert!(errors.iter().any(|e| e.contains(field)), "{field} is not named: {errors:?}");
    }
}
