//! `eyas rules explain`: how a rule judges one event, part by part. Also what the commands that name one rule share:
//! finding it, and saying what is there in its place.

use std::io::{IsTerminal, Write};

use eyas_engine::RuleId;
use eyas_engine::diag::{ItemKind, Severity, did_you_mean};
use eyas_engine::explain::{self, Explanation, Step};
use eyas_engine::ruleset::Ruleset;
use eyas_engine::source::{Sources, Span};
use eyas_event::text;
use eyas_pipeline::LoadOutcome;
use serde_json::{Map, Value, json};

use crate::cli;
use crate::fail::{Fail, Outcome};
use crate::falco;
use crate::rulebook;
use crate::settings::Settings;

use super::eval::{event, say};

/// Characters a line where nobody says how wide the terminal is.
const WIDTH: usize = 100;

/// Explains a rule's verdict.
pub(crate) fn explain(settings: &Settings, args: &cli::RulesExplain) -> Outcome {
    let event = event(&args.event)?;
    let rules = rulebook::load(settings)?;
    let id = find(&rules, &args.rule)?;
    let explanation = explain::explain(&rules.ruleset, id, &event);
    let sources = &rules.sources;
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", falco::harmless(object(&rules.ruleset, id, &explanation, sources).to_string()))?;
        return Ok(());
    }
    let rule = rules.ruleset.rule(id);
    let fires = match (explanation.holds, rule.enabled) {
        (true, true) => "fires",
        (true, false) => "would fire, but it is off",
        (false, _) => "does not fire",
    };
    writeln!(out, "{}: {fires}", text::escape(rule.name.as_bytes()))?;
    let terminal = out.is_terminal();
    let width = crossterm::terminal::size().ok().filter(|_| terminal);
    let width = width.map_or(WIDTH, |(columns, _)| usize::from(columns).max(40));
    let paint = rulebook::paint(terminal);
    write!(out, "{}", explain::to_text(&explanation, sources, width, paint))?;
    Ok(())
}

/// The rule with a name, or what is wrong with it, or what is like it.
pub(crate) fn find(rules: &LoadOutcome, name: &str) -> Result<RuleId, Fail> {
    if let Some(id) = rules.ruleset.find(name) {
        return Ok(id);
    }
    let shown = text::escape(name.as_bytes());
    let of_it = rules.diagnostics.iter().filter(|d| {
        d.is_error() && d.item.as_ref().is_some_and(|(kind, item)| *kind == ItemKind::Rule && item == name)
    });
    let of_it: Vec<_> = of_it.cloned().collect();
    if !of_it.is_empty() {
        say(&of_it, &rules.sources, Severity::Error)?;
        return Err(Fail::environment(format!("the rule `{shown}` is there and does not compile")));
    }
    // What else is broken may be why it is not there.
    say(&rules.diagnostics, &rules.sources, Severity::Error)?;
    let names = || rules.ruleset.rules().map(|(_, rule)| &*rule.name);
    let near = names().find(|rule| rule.eq_ignore_ascii_case(name)).or_else(|| did_you_mean(name, names()));
    let hint = near.map_or_else(
        || "; `eyas rules list` names those that are there".to_owned(),
        |near| format!("; did you mean `{}`?", text::escape(near.as_bytes())),
    );
    Err(Fail::environment(format!("there is no rule `{shown}`{hint}")))
}

/// An explanation for machines: the steps in the order of the text, with their depths.
fn object(ruleset: &Ruleset, id: RuleId, explanation: &Explanation, sources: &Sources) -> Value {
    let rule = ruleset.rule(id);
    let steps: Vec<Value> = explanation.steps.iter().map(|step| one(step, sources)).collect();
    json!({
        "rule": &*rule.name,
        "holds": explanation.holds,
        "enabled": rule.enabled,
        "steps": steps,
    })
}

fn one(step: &Step, sources: &Sources) -> Value {
    let mut map = Map::new();
    let part = &step.part;
    map.insert("depth".into(), part.depth.into());
    map.insert("kind".into(), part.kind.word().into());
    map.insert("text".into(), part.text().into());
    map.insert("verdict".into(), step.verdict.words().into());
    if let Some(seen) = &step.seen {
        let values: Vec<Value> = seen.iter().map(|seen| falco::json(&seen.value)).collect();
        map.insert("values".into(), values.into());
    }
    map.insert("place".into(), place(part.span, sources));
    if let Some(defined) = part.defined {
        map.insert("defined".into(), place(defined, sources));
    }
    if step.repeated {
        map.insert("shown_above".into(), true.into());
    }
    map.into()
}

/// A place for machines.
pub(crate) fn place(span: Span, sources: &Sources) -> Value {
    let at = sources.place(span);
    json!({ "file": sources.name(span.source), "line": at.line, "column": at.column })
}
