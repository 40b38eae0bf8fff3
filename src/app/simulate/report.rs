//! What came of the actions, as text while they run or as one JSON object at the end.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::action::Place;
use super::judge::{Judged, Verdict};
use crate::falco;

/// Takes results and prints them.
pub(super) struct Report {
    json: bool,
    /// Actions for containers are counted only: they were not asked for by name.
    brief: bool,
    results: Vec<Judged>,
}

impl Report {
    pub(super) fn new(json: bool, brief: bool) -> Self {
        Self { json, brief, results: Vec::new() }
    }

    /// Adds a result; as text it is printed at once.
    pub(super) fn add(&mut self, result: Judged, out: &mut impl Write) -> io::Result<()> {
        let counted_only = self.brief && result.action.place == Place::Container;
        if !(self.json || counted_only) {
            text(&result, out)?;
        }
        self.results.push(result);
        Ok(())
    }

    /// Prints the end, and says whether every alert that was expected came.
    pub(super) fn finish(self, out: &mut impl Write) -> io::Result<bool> {
        let count = |holds: fn(&Verdict) -> bool| self.results.iter().filter(|r| holds(&r.verdict)).count();
        let seen = count(|v| *v == Verdict::Seen);
        let skipped = count(|v| matches!(v, Verdict::Skipped(_)));
        let contained = self.results.iter().filter(|r| r.action.place == Place::Container).count();
        let unruled = count(|v| *v == Verdict::NoRule);
        let unseen = self.results.len() - seen - skipped - unruled;
        if self.json {
            let actions: Vec<Value> = self.results.iter().map(object).collect();
            let all = json!({
                "actions": actions,
                "seen": seen,
                "unseen": unseen,
                "no_rule": unruled,
                "skipped": skipped,
            });
            writeln!(out, "{}", falco::harmless(all.to_string()))?;
        } else {
            let more = match contained {
                0 => String::new(),
                n => format!(" ({n} for want of a container)"),
            };
            writeln!(
                out,
                "{seen} seen, {unseen} not seen, {unruled} without a rule, {skipped} skipped{more}"
            )?;
        }
        Ok(unseen == 0)
    }
}

/// A few lines, none of which is longer than 80 columns with the rules that there are.
fn text(result: &Judged, out: &mut impl Write) -> io::Result<()> {
    let (word, why) = words(&result.verdict);
    let took = result.took.map(|took| format!("  {} ms", took.as_millis())).unwrap_or_default();
    writeln!(out, "{word:<8}{}{took}", result.action.name)?;
    if let Verdict::Skipped(why) = &result.verdict {
        return writeln!(out, "   {why}");
    }
    if let Some(rule) = &result.rule {
        writeln!(out, "   rule {}", rule.name)?;
    }
    if let Some(why) = why {
        writeln!(out, "   why  {why}")?;
    }
    if let Some(trouble) = &result.trouble {
        writeln!(out, "   but  {trouble}")?;
    }
    for companion in &result.companions {
        writeln!(out, "   also {companion}")?;
    }
    Ok(())
}

fn words(verdict: &Verdict) -> (&'static str, Option<&str>) {
    match verdict {
        Verdict::Seen => ("seen", None),
        Verdict::Missing => ("MISSING", None),
        Verdict::Failed(why) => ("FAILED", Some(why)),
        Verdict::Blind(why) => ("BLIND", Some(why)),
        Verdict::NoRule => ("no rule", None),
        Verdict::Skipped(why) => ("skipped", Some(why)),
    }
}

fn object(result: &Judged) -> Value {
    let (word, why) = words(&result.verdict);
    let rule = result.rule.as_ref();
    json!({
        "action": result.action.name,
        "place": result.action.place.word(),
        "rule": rule.map(|r| &r.name),
        "ruleset": rule.map(|r| if r.stock { "stock" } else { "shipped" }),
        "events": rule.map(|r| &r.events),
        "fields": rule.filter(|r| r.stock).map(|_| result.action.reads),
        "verdict": word.to_lowercase().replace(' ', "_"),
        "why": why,
        "took_ms": result.took.map(|took| took.as_millis() as u64),
        "companions": result.companions,
        "trouble": result.trouble,
    })
}
