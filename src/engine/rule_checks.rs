//! What is said of rules once their conditions are lowered: fields that their source does not have, event types that limit
//! them or exclude each other, and macros and lists that nothing uses.

use eyas_event::{EventSet, EventType};

use crate::collect::Collection;
use crate::diag::{Code, Diagnostic, ItemKind};
use crate::items::Name;
use crate::lower::{Lowered, Lowerer, Vocabulary};
use crate::output;
use crate::ruleset::Rule;
use crate::source::Span;
use crate::syntax::text::Spliced;

/// More event types than this and a rule is as good as unlimited; Falco's number.
const MANY_EVENTS: usize = 100;

/// Whether what is wrong with an output is that it names something unknown, and not that it ends within a field.
pub(crate) fn names_nothing_known(output: &str) -> bool {
    let end = output.trim_end_matches(|c: char| c.is_ascii_digit());
    !end.ends_with('%') && !output.replace("%container.info", "").is_empty()
}

/// A field that a rule's condition reads and its event source does not have.
pub(crate) fn foreign_field(
    rule: &Name,
    whole: Option<Span>,
    source: &str,
    lowered: &Lowered,
) -> Option<Diagnostic> {
    let used = lowered.sources.iter().find(|used| !used.field.info().belongs_to(source))?;
    let info = used.field.info();
    let other = info.source.unwrap_or_default();
    let found = Diagnostic::new(
        Code::WrongSource,
        format!("events of the source `{source}` have no field `{}`", info.name),
        used.span,
        format!("this field belongs to `{other}`"),
    );
    let found = found
        .note(format!("set `source: {other}` if the rule is for those events, or take the comparison out"));
    // A field in a macro is shown with the rule that it does not fit.
    let elsewhere =
        whole.is_some_and(|whole| whole.to(used.span) != whole || whole.source != used.span.source);
    let found = if elsewhere { found.see(rule.span, "used by this rule") } else { found };
    Some(found.of(ItemKind::Rule, &rule.text))
}

/// The same in its output.
pub(crate) fn foreign_in_output(
    output: &Spliced,
    source: &str,
    template: &output::Template,
) -> Option<Diagnostic> {
    let (name, field) = template.foreign(source)?;
    let info = field.id.info();
    let text = output.text();
    let place = text.match_indices(name).find(|(at, _)| text[..*at].ends_with(['%', '(']));
    let bytes = place.map_or(0..text.len(), |(at, _)| at..at + name.len());
    let found = Diagnostic::new(
        Code::OutputWrongSource,
        format!("events of the source `{source}` have no field `{}`", info.name),
        output.span(&(bytes.start as u32..bytes.end as u32)),
        format!("this field belongs to `{}`", info.source.unwrap_or_default()),
    );
    Some(found.note("take it out of the output"))
}

/// Says what limits a rule's events, where that is worth saying.
pub(crate) fn limits(
    rule: &Rule,
    lowered: &Lowered,
    vocabulary: &Vocabulary,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let Some(def) = vocabulary.collection.rules.iter().find(|def| def.name.text == *rule.name) else {
        return;
    };
    let name = def.name.span;
    let push = |found: Diagnostic, diagnostics: &mut Vec<Diagnostic>| {
        diagnostics.push(found.of(ItemKind::Rule, &*rule.name));
    };
    let fed = rule.events.and(EventSet::provided());
    if rule.events.is_empty() {
        if vocabulary.collection.dialect.is_exact() && def.warn_evttypes {
            let message = "no `evt.type` limits this rule, since none can satisfy it";
            push(Diagnostic::new(Code::NoEventType, message, name, ""), diagnostics);
        }
        let found = Diagnostic::new(Code::NeverTrue, "no event can satisfy this rule", name, "");
        push(
            found.note("its checks of `evt.type` exclude each other, or a list in it is empty; an event has one type, so several are joined with `or`, or in `evt.type in (…)`"),
            diagnostics,
        );
    } else if rule.events.len() > MANY_EVENTS {
        if def.warn_evttypes {
            let found = Diagnostic::new(
                Code::NoEventType,
                "no `evt.type` limits this rule",
                name,
                "judged for every event",
            );
            push(
                found.note("add `evt.type = …` or `evt.type in (…)`, or set `warn_evttypes: false`"),
                diagnostics,
            );
        }
    } else if fed.len() < rule.events.len() {
        let missing: EventSet = rule.events.iter().filter(|t| !t.is_provided()).collect();
        let names = listed(missing.iter());
        let (which, them) = if missing.len() == 1 { ("this event", "it") } else { ("these events", "them") };
        let place = lowered.events.iter().find(|check| !check.events.and(missing).is_empty());
        let span = place.map_or(name, |check| check.span);
        let found = if fed.is_empty() {
            let message = format!("eyas does not see {which} yet, so the rule cannot fire");
            Diagnostic::new(Code::NoHook, message, span, format!("not seen: {names}"))
        } else {
            let message = format!("eyas does not see {which} yet: {names}");
            Diagnostic::new(Code::SomeHooks, message, span, format!("the rule does not fire for {them}"))
        };
        let found = found.note("nothing is wrong with the rule");
        push(if span == name { found } else { found.see(name, "this rule") }, diagnostics);
    }
}

fn listed(events: impl Iterator<Item = EventType>) -> String {
    let names: Vec<_> = events.map(EventType::name).collect();
    names.join(", ")
}

/// Warns of macros and lists that nothing uses.
pub(crate) fn unused(
    vocabulary: &Vocabulary,
    lists_used: &[bool],
    lowerer: &Lowerer<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let collection = &vocabulary.collection;
    let mut used = vec![false; collection.macros.len()];
    lowerer.used_macros().for_each(|i| used[i] = true);
    for body in &vocabulary.macros {
        for (name, _) in body.ast.macros() {
            if let Some(i) = collection.find_macro(name, usize::MAX) {
                used[i] = true;
            }
        }
    }
    for ((def, used), body) in collection.macros.iter().zip(used).zip(&vocabulary.macros) {
        // One that does not parse has heard enough.
        if !used && body.parsed {
            let found = Diagnostic::new(Code::UnusedMacro, "nothing uses this macro", def.name.span, "")
                .note(name_or_remove(
                    collection,
                    ItemKind::Macro,
                    &def.name.text,
                    def.sees_below > def.position,
                ));
            diagnostics.push(found.of(ItemKind::Macro, &def.name.text));
        }
    }
    for (def, used) in collection.lists.iter().zip(lists_used) {
        if !used {
            let found = Diagnostic::new(Code::UnusedList, "nothing uses this list", def.name.span, "").note(
                name_or_remove(collection, ItemKind::List, &def.name.text, def.sees_below > def.position),
            );
            diagnostics.push(found.of(ItemKind::List, &def.name.text));
        }
    }
}

/// What to do with what nothing uses. What changes it later would have nothing to change.
fn name_or_remove(collection: &Collection, kind: ItemKind, name: &str, changed: bool) -> &'static str {
    if changed || collection.is_broken(kind, name) {
        "name it in a condition, or remove it and what changes it"
    } else {
        "name it in a condition, or remove it"
    }
}
