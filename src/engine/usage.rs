//! Warnings about what conditions and outputs read, taken from their texts: fields that Falco is about to drop, fields of
//! JSON events compared with `<NA>`, constants in quotes that look like a field.

use eyas_event::FieldId;
use rustc_hash::FxHashSet;

use crate::collect::{RuleDef, SOURCES};
use crate::describe::facts::operands;
use crate::diag::{Code, Diagnostic, ItemKind};
use crate::lower::{Body, Vocabulary, negated};
use crate::source::Span;
use crate::syntax::ast::{Check, NodeKind, Op, Operand, OperandKind, Rhs, Value};

/// Fields that still load and will go, with what to do instead.
fn deprecated(name: &str) -> Option<&'static str> {
    match name {
        "evt.dir" => Some("events are seen when they end, so it is always `<`"),
        "evt.wait_latency" => Some("it never has a value any more"),
        _ if name == "evt.latency" || name.starts_with("evt.latency.") => {
            Some("it never has a value any more")
        }
        _ => None,
    }
}

/// Whether a comparison of the direction asks for the start of an event, which nothing gives.
fn asks_for_start(name: &str, check: &Check) -> bool {
    let end = |value: &Value| value.bytes == b"<";
    name == "evt.dir"
        && match check.op {
            Op::Eq | Op::In => !values(check).is_empty() && !values(check).iter().any(end),
            Op::Ne => values(check).iter().any(end),
            _ => false,
        }
}

/// Checks every rule, the macros that it reaches included.
pub(crate) fn check(vocabulary: &Vocabulary, bodies: &[Body], diagnostics: &mut Vec<Diagnostic>) {
    let exact = vocabulary.collection.dialect.is_exact();
    let known = |def: &RuleDef| SOURCES.contains(&&*def.source);
    let rules = vocabulary.collection.rules.iter().zip(bodies);
    for (def, body) in rules.filter(|(def, _)| known(def)) {
        let mut said: Vec<(Code, String, usize)> = Vec::new();
        for Comparison { body, check, negated, via } in reached(body, vocabulary) {
            let mut push = |code: Code, key: &str, message: String, span: Span, note: &str| {
                if let Some((_, _, at)) = said.iter().find(|(c, k, _)| *c == code && k == key) {
                    // Falco says it once; what changes the rule has to find every place.
                    if !exact {
                        mark_again(&mut diagnostics[*at], span);
                    }
                    return;
                }
                said.push((code, key.to_owned(), diagnostics.len()));
                let mut found = Diagnostic::new(code, message, span, "").of(ItemKind::Rule, &def.name.text);
                if let Some(via) = via {
                    found = found.note(format!("it stands in the macro `{via}`"));
                }
                diagnostics.push(found.note(note));
            };
            operands(check, &mut |operand| {
                let OperandKind::Field { name, .. } = &operand.kind else { return };
                if let Some(why) = deprecated(name) {
                    let message = format!("`{name}` will be dropped from the language");
                    let never = name != "evt.dir" || asks_for_start(name, check);
                    let effect = match (never, negated) {
                        (true, false) => {
                            "; this comparison is never true: leave it out of an `or`; where it is joined with `and`, the rule cannot fire"
                        }
                        (true, true) => {
                            "; this comparison is never true: where the `not` stands before it alone, leave both out"
                        }
                        _ => "; leave the comparison out",
                    };
                    let key = if exact { name.to_owned() } else { format!("{name}{effect}") };
                    let note = format!("{why}{effect}");
                    push(Code::Deprecated, &key, message, body.text.span(&operand.bytes), &note);
                }
            });
            if let Some(name) = unsafe_na(check) {
                let message = format!("`{name}` is compared with the text `<NA>`, which it never has");
                let note = format!("write `not {name} exists`");
                // Falco says it once for a rule, whatever the field.
                push(
                    Code::UnsafeNaCheck,
                    if exact { "" } else { name },
                    message,
                    body.text.span(&check.lhs.bytes),
                    &note,
                );
            }
            for value in values(check) {
                if quoted_field(value, exact) {
                    let written = String::from_utf8_lossy(&value.bytes);
                    let message = format!("`{written}` is compared as a text, not as a field");
                    let note = "to compare with the field, write it without quotes in `val(…)`";
                    push(Code::LooksLikeField, &written, message, body.text.span(&value.at), note);
                }
            }
        }
        if exact { words(def, diagnostics) } else { output(def, diagnostics) }
    }
}

/// Marks one more place of a finding, of many the first ones.
fn mark_again(found: &mut Diagnostic, span: Span) {
    const SHOWN: usize = 8;
    if found.labels.len() < SHOWN && found.labels.iter().all(|label| label.span != span) {
        *found = found.clone().see(span, "and here");
    }
}

/// A comparison that a rule reaches.
struct Comparison<'v> {
    body: &'v Body,
    check: &'v Check,
    /// Whether an odd number of `not`s stands before it in its body.
    negated: bool,
    /// The macro that it stands in.
    via: Option<&'v str>,
}

/// The comparisons of a body and of the macros behind it, each macro once, with the macro's name.
fn reached<'v>(body: &'v Body, vocabulary: &'v Vocabulary) -> Vec<Comparison<'v>> {
    let mut out = Vec::new();
    let mut seen = FxHashSet::default();
    let mut waiting: Vec<(&Body, Option<&str>)> = vec![(body, None)];
    while let Some((body, via)) = waiting.pop() {
        let negated = negated(&body.ast);
        out.extend(body.ast.nodes().filter_map(|(id, node)| match &node.kind {
            NodeKind::Check(check) => Some(Comparison { body, check, negated: negated[id.0 as usize], via }),
            _ => None,
        }));
        for (name, _) in body.ast.macros() {
            if let Some(i) = vocabulary.collection.find_macro(name, usize::MAX)
                && let Some(inner) = vocabulary.macros.get(i)
                && seen.insert(i)
            {
                waiting.push((inner, Some(&vocabulary.collection.macros[i].name.text)));
            }
        }
    }
    out
}

/// Falco looks for the names of the fields anywhere in the output, as text.
fn words(def: &RuleDef, diagnostics: &mut Vec<Diagnostic>) {
    let text = def.output.text();
    let names = [
        "evt.dir",
        "evt.latency",
        "evt.latency.s",
        "evt.latency.ns",
        "evt.latency.human",
        "evt.wait_latency",
    ];
    for name in names {
        let Some(at) = text.find(name) else { continue };
        let span = def.output.span(&(at as u32..(at + name.len()) as u32));
        let message = format!("`{name}` will be dropped from the language");
        let found = Diagnostic::new(Code::Deprecated, message, span, "");
        diagnostics.push(found.of(ItemKind::Rule, &def.name.text));
    }
}

fn output(def: &RuleDef, diagnostics: &mut Vec<Diagnostic>) {
    let text = def.output.text();
    for (at, _) in text.match_indices("%evt.") {
        let name = text[at + 1..]
            .split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_'))
            .next()
            .unwrap_or("")
            .trim_end_matches('.');
        if let Some(why) = deprecated(name) {
            let instead = if name == "evt.dir" {
                format!("{why}: print `<`, or leave it out of the output")
            } else {
                format!("{why}; leave it out of the output")
            };
            let span = def.output.span(&(at as u32..(at + 1 + name.len()) as u32));
            let message = format!("`{name}` will be dropped from the language");
            let found = Diagnostic::new(Code::Deprecated, message, span, "").note(instead);
            diagnostics.push(found.of(ItemKind::Rule, &def.name.text));
        }
    }
}

fn values(check: &Check) -> &[Value] {
    match &check.rhs {
        Rhs::Value(value) => std::slice::from_ref(value),
        Rhs::List(values) => values,
        _ => &[],
    }
}

/// A field of JSON events that is compared with `<NA>`.
fn unsafe_na(check: &Check) -> Option<&str> {
    let Operand { kind: OperandKind::Field { name, .. }, .. } = &check.lhs else { return None };
    let asks = matches!(check.op, Op::Eq | Op::Ne | Op::In | Op::Intersects | Op::Pmatch);
    let json = name.starts_with("ka.") || name.starts_with("jevt.");
    (asks && json && values(check).iter().any(|value| value.bytes == b"<NA>")).then_some(name)
}

/// Whether a constant in quotes looks like a field. Constants without quotes are looked at elsewhere, and what somebody put
/// in quotes to the letter is meant as a text; Falco does not know of quotes any more when it looks.
fn quoted_field(value: &Value, exact: bool) -> bool {
    let Some(text) = std::str::from_utf8(&value.bytes).ok().filter(|_| value.quoted) else { return false };
    let name = text.trim();
    name.contains('.') && FieldId::from_name(name).is_some() && (exact || name != text)
}
