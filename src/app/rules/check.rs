//! `eyas rules check`: reads rule files and says what is wrong with them.

use std::io::{IsTerminal, Write};

use eyas_engine::diag::{self, Severity};

use crate::fail::{Fail, Outcome};
use crate::rulebook;
use crate::settings::Settings;

/// Checks the rule files of the settings.
pub(super) fn check(settings: &Settings, json: bool) -> Outcome {
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
