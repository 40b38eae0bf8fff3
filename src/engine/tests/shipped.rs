//! The shipped rules and their cases: they compile without a warning that counts, every case goes as it says, and every
//! rule has a case that fires and one that stays silent.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use eyas_engine::diag::{Paint, to_text};
use eyas_engine::{Loader, SourceFile, cases};

fn read(path: &Path) -> SourceFile {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    SourceFile::new(name, std::fs::read_to_string(path).unwrap())
}

#[test]
fn the_shipped_rules_compile_and_their_cases_pass() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let loaded = Loader::new().add(read(&rules.join("eyas.yaml"))).finish();
    let errors: Vec<_> = loaded.diagnostics.iter().filter(|d| d.is_error()).collect();
    let text: Vec<_> = errors.iter().map(|d| to_text(d, &loaded.sources, Paint::Plain)).collect();
    assert!(text.is_empty(), "{}", text.join("\n\n"));
    assert!(loaded.ruleset.len() >= 15);

    let mut files: Vec<_> =
        std::fs::read_dir(rules.join("tests")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let report = cases::run(&loaded.ruleset, files.iter().map(|path| read(path)).collect());
    let found: Vec<_> =
        report.diagnostics.iter().map(|d| to_text(d, &report.sources, Paint::Plain)).collect();
    assert!(found.is_empty(), "{}", found.join("\n\n"));
    let failed: Vec<_> = report
        .results
        .iter()
        .filter(|r| r.outcome != cases::Outcome::Passed)
        .map(|r| format!("{}: {}: {:?}", r.case.rule, r.case.name, r.outcome))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert_eq!(report.uncovered, []);
    assert!(report.is_clean());
}
