//! `eyas rules list`: the rules, one a line, or one JSON object.

use std::io::Write;

use eyas_engine::diag::Severity;
use serde_json::json;

use crate::fail::{Fail, Outcome};
use crate::lines::Lines;
use crate::settings::Settings;
use crate::{falco, rulebook};

/// Prints the rules of the settings; what does not compile is said beside them.
pub(super) fn list(settings: &Settings, json: bool) -> Outcome {
    let rules = rulebook::load(settings)?;
    let broken = rules.count(Severity::Error) > 0;
    let errors = rulebook::plain(&rules.diagnostics, &rules.sources, Severity::Error);
    write!(Lines(std::io::stderr().lock()), "{errors}")?;
    let mut out = Lines(std::io::stdout().lock());
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
        return if broken { Err(Fail::findings()) } else { Ok(()) };
    }
    for (_, rule) in rules.ruleset.rules() {
        let state = if rule.enabled { "on " } else { "off" };
        writeln!(out, "{state} {:<13} {}", rule.priority.name(), rule.name)?;
    }
    if broken { Err(Fail::findings()) } else { Ok(()) }
}
