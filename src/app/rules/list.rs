//! `eyas rules list`: the rules, one a line, or one JSON object.

use std::io::Write;

use serde_json::json;

use crate::fail::Outcome;
use crate::settings::Settings;
use crate::{falco, rulebook};

/// Prints the rules of the settings.
pub(super) fn list(settings: &Settings, json: bool) -> Outcome {
    let rules = rulebook::load(settings)?;
    let mut out = std::io::stdout().lock();
    if json {
        let all = rules.ruleset.rules().map(|(_, rule)| {
            json!({
                "name": &*rule.name,
                "priority": rule.priority.name(),
                "enabled": rule.enabled,
                "source": &*rule.source,
                "tags": rule.tags.to_vec(),
                "desc": rule.desc.trim(),
            })
        });
        let object = json!({ "rules": all.collect::<Vec<_>>() });
        writeln!(out, "{}", falco::harmless(object.to_string()))?;
        return Ok(());
    }
    for (_, rule) in rules.ruleset.rules() {
        let state = if rule.enabled { "on " } else { "off" };
        writeln!(out, "{state} {:<13} {}", rule.priority.name(), rule.name)?;
    }
    Ok(())
}
