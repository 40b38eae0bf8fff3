//! `eyas rules show`: the effective rule, after overrides and exceptions, each clause with the place where it was written.

use std::io::Write;

use eyas_engine::effective::{self, Effective};
use eyas_engine::parts::Part;
use eyas_engine::source::Sources;
use serde_json::{Map, Value, json};

use crate::cli;
use crate::fail::Outcome;
use crate::falco;
use crate::rulebook;
use crate::settings::Settings;

use super::explain::{find, place};

/// Shows a rule.
pub(crate) fn show(settings: &Settings, args: &cli::RulesShow) -> Outcome {
    let rules = rulebook::load(settings)?;
    let id = find(&rules, &args.rule)?;
    let effective = effective::effective(&rules.ruleset, id);
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", falco::harmless(object(&effective, &rules.sources).to_string()))?;
    } else {
        write!(out, "{}", effective::to_text(&effective, &rules.sources))?;
    }
    Ok(())
}

/// The rule for machines: the clauses in the order of the text, with their depths.
fn object(effective: &Effective<'_>, sources: &Sources) -> Value {
    let rule = effective.rule;
    let condition: Vec<Value> = effective.parts.iter().map(|part| clause(part, sources)).collect();
    let output: Vec<Value> = effective.output.iter().map(|span| place(*span, sources)).collect();
    let lists = effective.lists.iter().map(|list| {
        let items: Vec<Value> = list
            .items
            .iter()
            .map(|(item, span)| json!({ "value": item, "place": place(*span, sources) }))
            .collect();
        json!({ "name": list.name, "defined": place(list.defined, sources), "items": items })
    });
    json!({
        "name": &*rule.name,
        "defined": place(effective.defined, sources),
        "desc": rule.desc,
        "priority": rule.priority.name(),
        "tags": rule.tags.to_vec(),
        "source": &*rule.source,
        "enabled": rule.enabled,
        "output": rule.output,
        "output_places": output,
        "condition": condition,
        "lists": lists.collect::<Vec<_>>(),
    })
}

fn clause(part: &Part, sources: &Sources) -> Value {
    let mut map = Map::new();
    map.insert("depth".into(), part.depth.into());
    map.insert("kind".into(), part.kind.word().into());
    map.insert("text".into(), part.text().into());
    map.insert("place".into(), place(part.span, sources));
    if let Some(defined) = part.defined {
        map.insert("defined".into(), place(defined, sources));
    }
    map.into()
}
