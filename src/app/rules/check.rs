//! `eyas rules check`: reads rule files and says what is wrong with them, as text, as Falco's load results, or as SARIF.

use std::io::{IsTerminal, Write};

use eyas_engine::diag::Severity;
use eyas_engine::load_result::{load_results, schema_of};
use eyas_engine::sarif::to_sarif;
use eyas_engine::{SourceId, describe};
use eyas_pipeline::LoadOutcome;
use serde_json::json;

use crate::fail::{Fail, Outcome};
use crate::lines::Lines;
use crate::rulebook;
use crate::settings::Settings;

/// What the answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Json,
    /// Load results and descriptions in one object, as Falco gives them to `-V` with `-L`.
    JsonWithRules,
    Sarif,
}

/// Checks the rule files of the settings.
pub(super) fn check(settings: &Settings, form: Form) -> Outcome {
    let outcome = rulebook::load(settings)?;
    say(&outcome)?;
    let mut out = std::io::stdout().lock();
    match form {
        Form::Text => {
            writeln!(out, "{}", verdict(outcome.ruleset.len(), &rulebook::tally(&outcome)))?;
            let mut err = Lines(std::io::stderr().lock());
            for i in 0..outcome.sources.len() as u32 {
                let word = schema_of(SourceId(i), &outcome.sources).word();
                if word == "failed" {
                    let name = outcome.sources.name(SourceId(i));
                    writeln!(err, "{name}: the shape that Falco's schema wants: {word}")?;
                }
            }
        }
        Form::Json | Form::JsonWithRules => {
            let results = load_results(&outcome.diagnostics, &outcome.by_file, &outcome.sources);
            let mut answer = json!({ "falco_load_results": results });
            // Like Falco: what does not load is not described.
            if form == Form::JsonWithRules && outcome.count(Severity::Error) == 0 {
                answer["falco_describe_results"] = describe::describe(&outcome.ruleset);
            }
            writeln!(out, "{answer}")?;
        }
        Form::Sarif => {
            writeln!(out, "{}", to_sarif(&outcome.diagnostics, &outcome.sources, env!("CARGO_PKG_VERSION")))?;
        }
    }
    if outcome.count(Severity::Error) > 0 { Err(Fail::findings()) } else { Ok(()) }
}

/// Prints what was found for people, beside the answer.
pub(super) fn say(outcome: &LoadOutcome) -> Outcome {
    let terminal = std::io::stderr().is_terminal();
    let width =
        crossterm::terminal::size().ok().filter(|_| terminal).map(|(columns, _)| usize::from(columns));
    let paint = rulebook::paint(terminal);
    let text = rulebook::text(&outcome.diagnostics, &outcome.sources, Severity::Lint, paint, width);
    write!(std::io::stderr().lock(), "{text}")?;
    Ok(())
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
