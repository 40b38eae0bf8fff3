//! Small rule files and what Falco's loader says of them, file by file: errors, warnings, compiled conditions. The cases are in
//! `loads/`; how they are written stands at the top of `loads/items.txt`.
//!
//! Under [`Dialect::FalcoExact`] every column is the same. By default a load fails for what fails there, with Falco's own
//! error among those that are reported; `D` says what eyas says where it differs.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use eyas_engine::describe::compiled_condition;
use eyas_engine::{Diagnostic, Dialect, Loaded, Loader, Severity, SourceFile};

const RULE: &str =
    "- rule: r\n  condition: evt.type=execve\n  desc: d\n  output: o %proc.name\n  priority: INFO\n";

struct Case {
    name: String,
    errors: String,
    warnings: String,
    conditions: Option<String>,
    by_default: Option<String>,
    files: Vec<String>,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/loads");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.replace("\n== next file\n", "\n=== next file\n");
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        cases.extend(text.split("\n== ").skip(1).map(|part| case(&file, part)));
    }
    cases
}

fn case(file: &str, part: &str) -> Case {
    let (head, body) = part.split_once("\n\n").unwrap_or((part, ""));
    let mut lines = head.lines();
    let name = format!("{file}: {}", lines.next().unwrap());
    let lines: Vec<_> = lines.collect();
    let get = |key: &str| lines.iter().find_map(|line| line.strip_prefix(key)).map(str::to_owned);
    let files = body.split("=== next file\n").map(expanded).collect();
    Case {
        errors: get("E: ").unwrap_or_else(|| panic!("{name} has no E")),
        warnings: get("W: ").unwrap_or_else(|| panic!("{name} has no W")),
        conditions: get("C: "),
        by_default: get("D: "),
        files,
        name,
    }
}

fn expanded(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        match line {
            "@rule" => out.push_str(RULE),
            "@exceptions" => {
                out.push_str(RULE);
                out.push_str("  exceptions:\n");
            }
            _ => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}

fn load(case: &Case, dialect: Dialect) -> Loaded {
    let files = case.files.iter().enumerate();
    let loader = Loader::new().dialect(dialect);
    files
        .fold(loader, |loader, (i, text)| loader.add(SourceFile::new(format!("{i}.yaml"), text.as_str())))
        .finish()
}

fn codes(found: &[Diagnostic], severity: Severity) -> String {
    let of = found.iter().filter(|d| d.severity == severity);
    let mut codes: Vec<_> = of.filter_map(Diagnostic::falco_class).collect();
    codes.sort_unstable();
    if codes.is_empty() { "-".to_owned() } else { codes.join(",") }
}

fn conditions(loaded: &Loaded) -> String {
    let rules = loaded.ruleset.rules().map(|(_, rule)| {
        format!("{} => {}", rule.name, compiled_condition(&loaded.ruleset, &rule.name).unwrap())
    });
    let text = rules.collect::<Vec<_>>().join(" ;; ");
    if text.is_empty() { "none".to_owned() } else { text }
}

#[test]
fn the_exact_dialect_says_what_falco_says() {
    let mut wrong = Vec::new();
    for case in cases() {
        let loaded = load(&case, Dialect::FalcoExact);
        let each = |severity| {
            let files = loaded.by_file.iter().map(|found| codes(found, severity));
            files.collect::<Vec<_>>().join(" | ")
        };
        let (errors, warnings) = (each(Severity::Error), each(Severity::Warning));
        if errors != case.errors || warnings != case.warnings {
            wrong.push(format!(
                "{}\n  Falco E {} W {}\n  eyas  E {errors} W {warnings}",
                case.name, case.errors, case.warnings
            ));
        }
        let conditions = conditions(&loaded);
        if case.conditions.as_ref().is_some_and(|wanted| *wanted != conditions) {
            wrong.push(format!("{}\n  Falco {:?}\n  eyas  {conditions:?}", case.name, case.conditions));
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn by_default_the_same_files_load() {
    let mut wrong = Vec::new();
    for case in cases() {
        let loaded = load(&case, Dialect::Eyas);
        let errors = codes(&loaded.diagnostics, Severity::Error);
        let same = if let Some(wanted) = &case.by_default {
            errors == *wanted
        } else {
            let wanted: Vec<_> = case.errors.split(['|', ',', ' ']).filter(|c| c.len() > 1).collect();
            loaded.has_errors() != wanted.is_empty()
                && wanted.iter().all(|code| errors.split(',').any(|ours| ours == *code))
        };
        if !same {
            wrong.push(format!(
                "{}\n  Falco {} by default {:?}\n  eyas  {errors}",
                case.name, case.errors, case.by_default
            ));
        }
        let conditions = conditions(&loaded);
        let wanted = case.conditions.as_ref().filter(|_| case.by_default.is_none());
        if wanted.is_some_and(|wanted| *wanted != conditions) {
            wrong.push(format!("{}\n  Falco {:?}\n  eyas  {conditions:?}", case.name, case.conditions));
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_cases_are_read() {
    let cases = cases();
    assert!(cases.len() > 200, "{}", cases.len());
    assert!(cases.iter().any(|case| case.files.len() == 2));
}
