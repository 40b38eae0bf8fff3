//! Which rules can fire here. A rule can when a hook that is on tells of its events and its condition reads fields that have
//! values here; where only a part holds it says which part does not.

use std::collections::BTreeMap;

use eyas_engine::describe::describe;
use eyas_engine::diag::{Code, Diagnostic, ItemKind, Severity};
use eyas_event::{EventSet, EventType, FieldId, HookState, Provision};
use eyas_pipeline::LoadOutcome;
use eyas_probe::{hook_of, uring_hooks};
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
    let off: Vec<&str> = match &sensed.hooks {
        Ok(hooks) => hooks.iter().filter(|h| h.state != HookState::On).map(|h| h.name).collect(),
        Err(_) => Vec::new(),
    };
    let here = Here { off, environments: sensed.means.is_none_or(|means| means.loops) };
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
        let not_sent = outcome.diagnostics.iter().filter(|d| is_not_sent(d, &rule.name));
        let not_sent = not_sent.map(|d| d.message.clone()).collect();
        let (can, why) = match (&sensed.hooks, rule.enabled, &*rule.source) {
            (_, false, _) => (Can::Off, vec!["it is switched off".to_owned()]),
            (Err(_), ..) => (Can::Never, vec!["there is no sensor".to_owned()]),
            (Ok(_), true, "syscall") => judge(rule.events, &here, read, not_sent),
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

/// What this machine's sensor can do.
struct Here<'h> {
    /// The hooks that are not on.
    off: Vec<&'h str>,
    /// Whether it sends variables of environments.
    environments: bool,
}

/// Whether this says of the rule that what it asks of an environment is never sent.
fn is_not_sent(found: &Diagnostic, rule: &str) -> bool {
    let is_it = |(kind, name): &(ItemKind, String)| *kind == ItemKind::Rule && name == rule;
    found.code == Code::VariableNotSent && found.item.as_ref().is_some_and(is_it)
}

/// Whether a rule on these events that reads these fields can fire here, and what is missing; `why` is what is known of that.
fn judge<'r>(
    events: EventSet,
    here: &Here<'_>,
    read: impl Iterator<Item = &'r str>,
    mut why: Vec<String>,
) -> (Can, Vec<String>) {
    let seen = |event: &EventType| hook_of(*event).is_some_and(|hook| !here.off.contains(&hook));
    let (seen, missing): (Vec<_>, Vec<_>) = events.iter().partition(seen);
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
        if matches!(bare, "proc.env" | "proc.aenv") && !here.environments {
            why.push(format!("{name} has no value here because this kernel has no bpf_loop (Linux 5.17)"));
        }
        if bare == "evt.is_uring"
            && let Some(hook) = uring_hooks().find(|hook| here.off.contains(hook))
        {
            why.push(format!("{name} is never true here: {hook} is off"));
        }
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
        let all = Here { off: Vec::new(), environments: true };
        let judged = |events, here: &Here<'_>, read: &[&'static str]| {
            judge(events, here, read.iter().copied(), Vec::new())
        };
        assert_eq!(judged(opens, &all, &["fd.name", "proc.aname[2]", "proc.env[X]"]), (Can::Fully, vec![]));
        let blind = Here { off: hook_of(EventType::OPENAT).into_iter().collect(), environments: true };
        assert_eq!(judged(opens, &blind, &[]), (Can::Never, vec!["not seen: openat".to_owned()]));
        assert_eq!(judged(both, &blind, &[]), (Can::Partly, vec!["not seen: openat".to_owned()]));
        assert_eq!(judged(EventSet::empty(), &all, &[]).0, Can::Never);
        let older = Here { off: uring_hooks().collect(), environments: false };
        for (field, word) in
            [("proc.env[X]", "bpf_loop"), ("proc.aenv", "bpf_loop"), ("evt.is_uring", "io_uring")]
        {
            let (can, why) = judged(opens, &older, &[field]);
            assert!(can == Can::Partly && why[0].starts_with(field) && why[0].contains(word), "{why:?}");
        }
        assert_eq!(judge(opens, &all, std::iter::empty(), vec!["x".to_owned()]).0, Can::Partly);
        let absent = FieldId::all().map(FieldId::info).find(|row| !row.is_provided());
        if let Some(absent) = absent {
            let (can, why) = judged(opens, &all, &[absent.name]);
            assert!(can == Can::Partly && why[0].contains(absent.name), "{why:?}");
        }
        // Without `evt.type` the events that are seen are enough.
        assert_eq!(judged(EventSet::all(), &all, &[]).0, Can::Fully);
    }
}
