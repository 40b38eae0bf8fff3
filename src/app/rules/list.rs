//! `eyas rules list`: the rules, one a line.

use std::io::Write;

use crate::fail::Outcome;
use crate::rulebook;
use crate::settings::Settings;

/// Prints the rules of the settings.
pub(super) fn list(settings: &Settings) -> Outcome {
    let rules = rulebook::load(settings)?;
    let mut out = std::io::stdout().lock();
    for (_, rule) in rules.ruleset.rules() {
        let state = if rule.enabled { "on " } else { "off" };
        writeln!(out, "{state} {:<13} {}", rule.priority.name(), rule.name)?;
    }
    Ok(())
}
