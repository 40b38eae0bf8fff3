//! `eyas rules test`: judges the events of test cases and says which rules answered otherwise.

use std::io::Write;
use std::path::PathBuf;

use eyas_engine::cases::{self, CaseResult};
use eyas_engine::diag::Severity;
use eyas_engine::source::SourceFile;

use crate::fail::{Fail, Outcome};
use crate::lines::Lines;
use crate::rulebook;
use crate::settings::Settings;

/// The tests of the shipped rules.
static SHIPPED_TESTS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/rule_tests.rs"));

/// Runs test files against the rules of the settings.
pub(super) fn test(settings: &Settings, files: &[PathBuf]) -> Outcome {
    let rules = rulebook::load(settings)?;
    let texts = test_files(settings, files)?;
    let report = cases::run(&rules.ruleset, texts);
    let mut err = std::io::stderr().lock();
    write!(err, "{}", rulebook::plain(&report.diagnostics, &report.sources, Severity::Lint))?;
    let mut out = Lines(std::io::stdout().lock());
    let mut failed = report.diagnostics.iter().filter(|d| d.is_error()).count();
    for CaseResult { case, outcome } in &report.results {
        let what = match outcome {
            // A missing rule has been reported with the diagnostics.
            cases::Outcome::Passed | cases::Outcome::NoSuchRule => continue,
            cases::Outcome::Fired => "fired and should not have",
            cases::Outcome::StayedSilent => "should have fired and did not",
        };
        failed += 1;
        let place = report.sources.place(case.span);
        let file = report.sources.name(case.span.source);
        writeln!(out, "{file}:{}: rule `{}` {what}: {}", place.line, case.rule, case.name)?;
    }
    // Whoever names cases for the shipped rules has not set out to cover them all.
    let asked = files.is_empty() || !settings.rules.is_empty();
    for uncovered in report.uncovered.iter().filter(|_| asked) {
        failed += 1;
        let lacks = match (uncovered.no_positive, uncovered.no_negative) {
            (true, true) => "no case at all",
            (true, false) => "no case in which it fires",
            _ => "no case in which it stays silent",
        };
        writeln!(out, "rule `{}` has {lacks}", uncovered.rule)?;
    }
    let passed = report.results.iter().filter(|r| r.outcome == cases::Outcome::Passed).count();
    writeln!(out, "{passed} passed, {failed} failed")?;
    if failed == 0 { Ok(()) } else { Err(Fail::findings()) }
}

/// The named files, directories opened; without names the shipped tests, which go with the shipped rules only.
fn test_files(settings: &Settings, files: &[PathBuf]) -> Result<Vec<SourceFile>, Fail> {
    if files.is_empty() {
        if !settings.rules.is_empty() {
            return Err(Fail::environment(
                "name the test files: the shipped tests belong to the shipped rules, and -r names others",
            ));
        }
        return Ok(SHIPPED_TESTS.iter().map(|(name, text)| SourceFile::new(*name, *text)).collect());
    }
    let mut texts = Vec::new();
    for path in files {
        let error = |e: std::io::Error| Fail::environment(format!("{}: {e}", path.display()));
        let mut found = vec![path.clone()];
        if path.is_dir() {
            found = std::fs::read_dir(path)
                .map_err(error)?
                .filter_map(|e| Some(e.ok()?.path()))
                .filter(|p| p.extension().is_some_and(|e| e == "yaml" || e == "yml"))
                .collect();
            found.sort();
        }
        for file in found {
            let text = std::fs::read_to_string(&file)
                .map_err(|e| Fail::environment(format!("{}: {e}", file.display())))?;
            texts.push(SourceFile::new(file.display().to_string(), text));
        }
    }
    Ok(texts)
}
