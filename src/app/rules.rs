//! `eyas rules`: check rule files, run rule tests, list rules. Standard output holds the answer, standard error what is to
//! be said beside it.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use eyas_engine::cases::{self, CaseResult};
use eyas_engine::diag::{self, Severity};
use eyas_engine::source::SourceFile;

use crate::cli;
use crate::fail::{Fail, Outcome};
use crate::rulebook;
use crate::settings::Settings;
use crate::{rules_fix, rules_fmt};

/// The tests of the shipped rules.
static SHIPPED_TESTS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/rule_tests.rs"));

/// Runs one of the commands.
pub(crate) fn rules(settings: &Settings, command: &cli::Rules) -> Outcome {
    match command {
        cli::Rules::Check { files, json } => {
            check(&settings.of_rules(&[&*settings.base_rules, files].concat()), *json)
        }
        cli::Rules::Test { files } => test(settings, files),
        cli::Rules::List => list(settings),
        cli::Rules::Fmt { files, check } => rules_fmt::format(files, *check),
        cli::Rules::Fix { files, dry_run } => rules_fix::fix(settings, files, *dry_run),
    }
}

fn check(settings: &Settings, json: bool) -> Outcome {
    let outcome = rulebook::load(settings)?;
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", diag::to_json(&outcome.diagnostics, &outcome.sources))?;
    } else {
        let colours =
            std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        let paint = if colours { diag::Paint::Colour } else { diag::Paint::Plain };
        let mut err = std::io::stderr().lock();
        write!(err, "{}", rulebook::text(&outcome.diagnostics, &outcome.sources, Severity::Lint, paint))?;
        writeln!(out, "{}", verdict(outcome.ruleset.len(), &rulebook::tally(&outcome)))?;
    }
    if outcome.count(Severity::Error) > 0 { Err(Fail::findings()) } else { Ok(()) }
}

/// What came of a check, in a line.
fn verdict(rules: usize, tally: &str) -> String {
    match (rules, tally) {
        (0, "") => "no rules found".to_owned(),
        (0, tally) => format!("no rule compiles; {tally}"),
        (1, "") => "1 rule compiles; nothing to say about it".to_owned(),
        (1, tally) => format!("1 rule compiles; {tally}"),
        (n, "") => format!("{n} rules compile; nothing to say about them"),
        (n, tally) => format!("{n} rules compile; {tally}"),
    }
}

fn test(settings: &Settings, files: &[PathBuf]) -> Outcome {
    let rules = rulebook::load(settings)?;
    let texts = test_files(settings, files)?;
    let report = cases::run(&rules.ruleset, texts);
    let mut err = std::io::stderr().lock();
    write!(err, "{}", rulebook::plain(&report.diagnostics, &report.sources, Severity::Lint))?;
    let mut out = std::io::stdout().lock();
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
    for uncovered in &report.uncovered {
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
    if report.is_clean() { Ok(()) } else { Err(Fail::findings()) }
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

fn list(settings: &Settings) -> Outcome {
    let rules = rulebook::load(settings)?;
    let mut out = std::io::stdout().lock();
    for (_, rule) in rules.ruleset.rules() {
        let state = if rule.enabled { "on " } else { "off" };
        writeln!(out, "{state} {:<13} {}", rule.priority.name(), rule.name)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_counts_in_good_english() {
        assert_eq!(verdict(0, ""), "no rules found");
        assert_eq!(verdict(0, "1 error"), "no rule compiles; 1 error");
        assert_eq!(verdict(1, ""), "1 rule compiles; nothing to say about it");
        assert_eq!(verdict(2, "1 warning"), "2 rules compile; 1 warning");
    }
}
