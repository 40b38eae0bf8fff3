//! `eyas rules describe`: what rules hold, as a table for people or in the JSON shape of Falco's `-L`.

use std::io::Write;

use eyas_engine::describe::describe;
use serde_json::Value;

use crate::fail::Outcome;
use crate::lines::Lines;
use crate::rulebook;
use crate::settings::Settings;

/// So many event types are named; more of them say nothing to a person.
const NAMED: usize = 8;

/// Describes the rules of the settings.
pub(super) fn run(settings: &Settings, json: bool) -> Outcome {
    let rules = rulebook::load(settings)?;
    super::say(&rules)?;
    let all = describe(&rules.ruleset);
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{all}")?;
        return Ok(());
    }
    let mut out = Lines(out);
    for rule in all["rules"].as_array().into_iter().flatten() {
        let (info, details) = (&rule["info"], &rule["details"]);
        let text = |value: &Value| value.as_str().unwrap_or("").trim().to_owned();
        let state = if info["enabled"] == true { "" } else { ", off" };
        writeln!(out, "{} ({}{state})", text(&info["name"]), text(&info["priority"]))?;
        writeln!(out, "  {}", text(&info["description"]).split_whitespace().collect::<Vec<_>>().join(" "))?;
        let events = names(&details["events"]);
        let shown = if events.len() > NAMED { format!("{} types", events.len()) } else { events.join(", ") };
        writeln!(out, "  events  {shown}")?;
        for (word, key) in [("fields", "condition_fields"), ("macros", "macros"), ("lists", "lists")] {
            let names = names(&details[key]);
            if !names.is_empty() {
                writeln!(out, "  {word:<7} {}", names.join(", "))?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

fn names(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}
