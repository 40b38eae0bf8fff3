//! Small rule files and what the real loader of Falco said about them, column by column, when the reference files lie
//! beside the checkout: whether they load, the shape check, codes of errors and warnings, the compiled conditions.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::collections::BTreeSet;

use eyas_engine::describe::compiled_condition;
use eyas_engine::load_result::schema_of;
use eyas_engine::{Code, Diagnostic, Dialect, Loaded, Loader, Severity, SourceFile, SourceId};

#[path = "support/shared.rs"]
mod shared;
use shared::shared;

/// Rows that eyas answers otherwise by default, and why. Under `FalcoExact` there is none.
const OTHERWISE: &[(&str, &str)] = &[
    (
        "never_evttype",
        "newer Falco no longer says that no event type limits a condition that nothing satisfies",
    ),
    ("na_check", "eyas reports what is wrong with the output and with the condition in one go"),
    (
        "append_output",
        "eyas says of an append that appends nothing only that, not also that it is the old form",
    ),
    ("yaml_bad", "eyas says what else is wrong with an item that is no YAML"),
    ("engver_patch", "eyas answers to the newer engine version 0.63.0"),
];

/// Whether a row waits for fields, sources or operators that are not there yet.
fn waits(loaded: &Loaded, warnings: &str) -> bool {
    loaded.diagnostics.iter().any(|d| match d.code {
        Code::FieldNotProvided => d.is_error(),
        Code::UnknownSource => !warnings.contains("LOAD_UNKNOWN_SOURCE"),
        _ => false,
    })
}

fn codes(loaded: &Loaded, severity: Severity) -> Vec<String> {
    let of = loaded.diagnostics.iter().filter(|d| d.severity == severity);
    let mut codes: Vec<_> = of.filter_map(Diagnostic::falco_class).map(str::to_owned).collect();
    codes.sort();
    codes
}

fn split(column: &str) -> Vec<String> {
    let mut codes: Vec<_> =
        column.split(',').filter(|c| *c != "-" && !c.is_empty()).map(str::to_owned).collect();
    codes.sort();
    codes
}

fn conditions(loaded: &Loaded) -> String {
    let rules = loaded.ruleset.rules().map(|(_, rule)| {
        format!("{} => {}", rule.name, compiled_condition(&loaded.ruleset, &rule.name).unwrap())
    });
    let text = rules.collect::<Vec<_>>().join(" ;; ");
    if text.is_empty() || loaded.has_errors() { "-".to_owned() } else { text }
}

fn compare(dialect: Dialect, least: usize) {
    let Some(folder) = shared() else { return };
    let vectors = std::fs::read_to_string(folder.join("falco/loader-vectors.tsv")).unwrap();
    let (mut same, mut later, mut wrong) = (0, Vec::new(), Vec::new());
    for line in vectors.lines().skip(1) {
        let columns: Vec<_> = line.split('\t').collect();
        let name = columns[0];
        if dialect == Dialect::Eyas && OTHERWISE.iter().any(|(otherwise, _)| *otherwise == name) {
            continue;
        }
        let text = columns[6].replace("\\n", "\n");
        let loaded = Loader::new().dialect(dialect).add(SourceFile::new(name, text)).finish();
        if waits(&loaded, columns[4]) {
            later.push(name);
            continue;
        }
        let loads = if loaded.has_errors() { "no" } else { "yes" };
        let schema = schema_of(SourceId(0), &loaded.sources);
        let (mut errors, mut warnings) = (codes(&loaded, Severity::Error), codes(&loaded, Severity::Warning));
        let (mut expected_errors, mut expected_warnings) = (split(columns[3]), split(columns[4]));
        if dialect == Dialect::Eyas {
            // All faults at once, where Falco stops at the first: the kinds are the same, not how many.
            for list in [&mut errors, &mut warnings, &mut expected_errors, &mut expected_warnings] {
                *list = std::mem::take(list).into_iter().collect::<BTreeSet<_>>().into_iter().collect();
            }
        }
        let ours = (loads, schema.word(), errors, warnings, conditions(&loaded));
        let falcos = (columns[1], columns[2], expected_errors, expected_warnings, columns[5].to_owned());
        if ours == falcos {
            same += 1;
        } else {
            wrong.push(format!("{name}:\n  Falco {falcos:?}\n  eyas  {ours:?}"));
        }
    }
    eprintln!("{same} the same, {} wait for what is not built or provided yet: {later:?}", later.len());
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
    assert!(same >= least, "only {same} were compared");
}

#[test]
fn the_exact_dialect_answers_every_column_as_falco_does() {
    compare(Dialect::FalcoExact, 85);
}

#[test]
fn eyas_answers_as_falco_does_but_for_what_it_mends() {
    compare(Dialect::Eyas, 83);
}
