//! Which rules can fire here. A rule can when a hook that is on tells of its events and its condition reads fields that have
//! values here; where only a part holds it says which part does not.

use std::collections::BTreeMap;

use eyas_engine::describe::describe;
use eyas_engine::diag::Severity;
use eyas_event::{EventSet, EventType, FieldId, HookState, Provision};
use eyas_pipeline::LoadOutcome;
use eyas_probe::hook_of;
use serde_json::{Value, json};

use super::sensor::Sensed;
use super::{Finding, Part, State};
use crate::fail::Fail;
use crate::rulebook;

/// A rule for more event types than this one names none: what is not seen of all of them says nothing about it.
const NAMED: usize = 64;

/// Whether a rule can fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Can {
    /// For every event that it names, with every field that it reads.
    Fully,
    /// Some of its events or fields are missing.
    Partly,
    /// No event for which it could fire is seen.
    Never,
    /// It is switched off.
    Off,
}

impl Can {
    fn word(self) -> &'static str {
        match self {
            Self::Fully => "fully",
            Self::Partly => "partly",
            Self::Never => "never",
            Self::Off => "off",
        }
    }
}

/// Looks at every rule of the ruleset.
pub(super) fn look(loaded: &Result<LoadOutcome, Fail>, sensed: &Sensed, each: bool) -> Part {
    let (heading, key) = ("Rules", "rules");
    let outcome = match loaded {
        Ok(outcome) => outcome,
        Err(fail) => {
            let findings = vec![Finding::new("rules", State::Bad, fail.text.clone())];
            return Part { heading, key, findings, object: json!({"why_not": fail.text}) };
        }
    };
    let blind: Vec<&str> = match &sensed.hooks {
        Ok(hooks) => hooks.iter().filter(|h| h.state != HookState::On).map(|h| h.name).collect(),
        Err(_) => Vec::new(),
    };
    let described = describe(&outcome.ruleset);
    let fields: BTreeMap<&str, &Value> = described["rules"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|rule| Some((rule["info"]["name"].as_str()?, &rule["details"]["condition_fields"])))
        .collect();
    let mut count: BTreeMap<Can, usize> = BTreeMap::new();
    let (mut list, mut details) = (Vec::new(), Vec::new());
    for (_, rule) in outcome.ruleset.rules() {
        let read = fields.get(&*rule.name).and_then(|names| names.as_array()).into_iter().flatten();
        let read = read.filter_map(Value::as_str);
        let (can, why) = match (&sensed.hooks, rule.enabled, &*rule.source) {
            (_, false, _) => (Can::Off, vec!["it is switched off".to_owned()]),
            (Err(_), ..) => (Can::Never, vec!["there is no sensor".to_owned()]),
            (Ok(_), true, "syscall") => judge(rule.events, &blind, read),
            (Ok(_), true, other) => (Can::Never, vec![format!("nothing here gives events of `{other}`")]),
        };
        *count.entry(can).or_default() += 1;
        if each {
            let state = if matches!(can, Can::Fully | Can::Off) { State::Good } else { State::Note };
            let because = if why.is_empty() { String::new() } else { format!(": {}", why.join("; ")) };
            details.push(Finding::new(&*rule.name, state, format!("{}{because}", can.word())));
        }
        list.push(json!({"name": &*rule.name, "can_fire": can.word(), "why_not": why}));
    }
    let of = |can: Can| count.get(&can).copied().unwrap_or(0);
    let says = format!(
        "{}: {} fully, {} partly, {} never; {} are off{}",
        outcome.ruleset.len(),
        of(Can::Fully),
        of(Can::Partly),
        of(Can::Never),
        of(Can::Off),
        if each { "" } else { "; --each-rule lists them" }
    );
    let whole = of(Can::Partly) + of(Can::Never) == 0;
    let mut findings =
        vec![Finding::new("can fire here", if whole { State::Good } else { State::Note }, says)];
    let tally = rulebook::tally(outcome);
    let errors = outcome.count(Severity::Error);
    if errors > 0 {
        findings.push(Finding::new("files", State::Bad, format!("{tally}; `eyas rules check` says more")));
    }
    findings.append(&mut details);
    let object = json!({
        "total": outcome.ruleset.len(),
        "fully": of(Can::Fully),
        "partly": of(Can::Partly),
        "never": of(Can::Never),
        "off": of(Can::Off),
        "errors": errors,
        "warnings": outcome.count(Severity::Warning),
        "list": list,
    });
    Part { heading, key, findings, object }
}

/// Whether a rule on these events that reads these fields can fire while these hooks are off, and what is missing.
fn judge<'r>(events: EventSet, off: &[&str], read: impl Iterator<Item = &'r str>) -> (Can, Vec<String>) {
    let seen = |event: &EventType| hook_of(*event).is_some_and(|hook| !off.contains(&hook));
    let (seen, missing): (Vec<_>, Vec<_>) = events.iter().partition(seen);
    let mut why = Vec::new();
    if events.len() <= NAMED && !missing.is_empty() {
        let names: Vec<_> = missing.iter().map(|event| event.name()).collect();
        why.push(format!("not seen: {}", names.join(", ")));
    }
    if seen.is_empty() {
        if why.is_empty() {
            why.push("no event can satisfy it".to_owned());
        }
        return (Can::Never, why);
    }
    for name in read {
        let bare = name.split('[').next().unwrap_or(name);
        if let Some(Provision::AlwaysAbsent(reason)) = FieldId::from_name(bare).map(|id| id.info().provision)
        {
            why.push(format!("{name} has no value here because {reason}"));
        }
    }
    (if why.is_empty() { Can::Fully } else { Can::Partly }, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_judged_by_its_events_and_fields() {
        let opens: EventSet = [EventType::OPENAT].into_iter().collect();
        let both: EventSet = [EventType::OPENAT, EventType::EXECVE].into_iter().collect();
        let none = std::iter::empty;
        assert_eq!(judge(opens, &[], ["fd.name", "proc.aname[2]"].into_iter()), (Can::Fully, vec![]));
        let hook = hook_of(EventType::OPENAT).into_iter().collect::<Vec<_>>();
        assert_eq!(judge(opens, &hook, none()), (Can::Never, vec!["not seen: openat".to_owned()]));
        assert_eq!(judge(both, &hook, none()), (Can::Partly, vec!["not seen: openat".to_owned()]));
        assert_eq!(judge(EventSet::empty(), &[], none()).0, Can::Never);
        let absent = FieldId::all().map(FieldId::info).find(|row| !row.is_provided());
        if let Some(absent) = absent {
            let (can, why) = judge(opens, &[], [absent.name].into_iter());
            assert!(can == Can::Partly && why[0].contains(absent.name), "{why:?}");
        }
        // Without `evt.type` the events that are seen are enough.
        assert_eq!(judge(EventSet::all(), &[], none()).0, Can::Fully);
    }
}
