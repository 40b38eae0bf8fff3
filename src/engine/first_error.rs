//! Loading as Falco 0.44.1 does it: the first error ends everything, and nothing after it is heard of.
//!
//! Only [`crate::Dialect::FalcoExact`] asks for it; eyas itself goes on and reports all faults at once.

use crate::collect::Collection;
use crate::diag::{Code, Diagnostic, ItemKind};
use crate::items;
use crate::lower::Vocabulary;
use crate::source::SourceId;
use crate::yaml::{Kind, Node};

/// Reads the items of a file up to the first error. Says whether there was none.
pub(crate) fn read(
    documents: &[Node],
    source: SourceId,
    text: &str,
    collection: &mut Collection,
    found: &mut Vec<Diagnostic>,
) -> bool {
    if cut(found) {
        return false;
    }
    // An item that cannot be read ends it as well, so items are handed over one at a time.
    // It reads no further than to a document that is nothing.
    for document in documents.iter().take_while(|document| !document.is_null()) {
        let (span, end) = (document.span, document.end);
        let parts: Vec<Node> = match &document.kind {
            Kind::Sequence(nodes) => nodes
                .iter()
                .map(|node| Node { span, end, kind: Kind::Sequence(vec![node.clone()]) })
                .collect(),
            _ => vec![document.clone()],
        };
        for part in parts {
            let before = found.len();
            items::each(&[part], source, text, found, &mut |item, found| {
                collection.add(vec![item], found);
                true
            });
            if found[before..].iter().any(Diagnostic::is_error) {
                // It looks for keys that it does not know when it is done with an item.
                let of_item = found.split_off(before);
                found.extend(of_item.into_iter().filter(|d| d.code != Code::UnknownKey));
            }
            if cut(found) {
                return false;
            }
        }
    }
    true
}

/// Drops what comes after the first error. Says whether there is one.
fn cut(found: &mut Vec<Diagnostic>) -> bool {
    // Falco says nothing of keys that exceptions do not have.
    found.retain(|d| d.code != Code::UnknownKey || !matches!(d.item, Some((ItemKind::Exception, _))));
    let Some(first) = found.iter().position(Diagnostic::is_error) else { return false };
    found.truncate(first + 1);
    true
}

/// Keeps of what compiling found, from `before` on, the first error in Falco's order, and with one only the warnings that
/// came before it and none of what is unused.
pub(crate) fn compiled(vocabulary: &Vocabulary, before: usize, diagnostics: &mut Vec<Diagnostic>) {
    let order = |found: &Diagnostic| order(vocabulary, found);
    let compiling = diagnostics.split_off(before);
    let errors = compiling.iter().filter(|found| found.is_error());
    // Within one step of one item the first place counts.
    let first = errors.min_by_key(|found| (order(found), found.place().map(|span| span.start)));
    let Some(first) = first.cloned() else {
        diagnostics.extend(compiling);
        return;
    };
    let limit = order(&first);
    diagnostics.extend(compiling.into_iter().filter(|found| !found.is_error() && order(found) < limit));
    diagnostics.push(first);
}

/// When Falco finds something: it parses all macros, resolves what they name, and then takes rule by rule; of a rule the
/// exceptions, the output, the condition's syntax, its macros, its checks.
fn order(vocabulary: &Vocabulary, found: &Diagnostic) -> (u8, usize, u8) {
    const MACROS_PARSED: u8 = 0;
    const MACROS_RESOLVED: u8 = 1;
    const RULES: u8 = 2;
    const LAST: u8 = 3;
    let collection = &vocabulary.collection;
    let step = step(vocabulary, found);
    let Some((kind, name)) = &found.item else { return (LAST, 0, step) };
    let place = collection.place_of(*kind, name).unwrap_or(usize::MAX);
    match (kind, step) {
        _ if matches!(found.code, Code::UnusedMacro | Code::UnusedList) => (LAST, place, step),
        (ItemKind::Macro, SYNTAX) => (MACROS_PARSED, place, step),
        (ItemKind::Macro, NAMES) => (MACROS_RESOLVED, place, step),
        // A macro's checks are looked at where a rule uses it.
        (ItemKind::Macro, _) => {
            let user = vocabulary.first_users.get(&place);
            let rule = user.and_then(|name| collection.place_of(ItemKind::Rule, name));
            (RULES, rule.unwrap_or(usize::MAX), step)
        }
        (ItemKind::Rule, _) => (RULES, place, step),
        _ => (LAST, place, step),
    }
}

const EXCEPTIONS: u8 = 0;
const OUTPUT: u8 = 1;
const OUTPUT_WORDS: u8 = 2;
const SYNTAX: u8 = 3;
const NAMES: u8 = 4;
const WARNINGS: u8 = 5;
const CHECKS: u8 = 6;
const AFTER: u8 = 7;

/// The step of a rule's compiling at which something is found.
fn step(vocabulary: &Vocabulary, found: &Diagnostic) -> u8 {
    match found.code {
        Code::BadException => EXCEPTIONS,
        Code::BadOutput | Code::OutputUnknownField | Code::OutputWrongSource => OUTPUT,
        Code::Deprecated if in_output(vocabulary, found) => {
            if found.message.contains("container.info") {
                EXCEPTIONS
            } else {
                OUTPUT_WORDS
            }
        }
        Code::Syntax | Code::Unclosed | Code::BadString | Code::TooDeep | Code::TooLong => SYNTAX,
        Code::UndefinedMacro | Code::MacroLoop => NAMES,
        Code::Deprecated | Code::UnsafeNaCheck => WARNINGS,
        _ if found.is_error() => CHECKS,
        _ => AFTER,
    }
}

/// Whether a place lies in the output of its rule.
fn in_output(vocabulary: &Vocabulary, found: &Diagnostic) -> bool {
    let Some((ItemKind::Rule, name)) = &found.item else { return false };
    let rule = vocabulary.collection.place_of(ItemKind::Rule, name);
    let Some(def) = rule.map(|place| &vocabulary.collection.rules[place]) else { return false };
    let output = def.output.span(&(0..def.output.text().len() as u32));
    found.place().is_some_and(|span| {
        span.source == output.source && span.start >= output.start && span.end <= output.end
    })
}
