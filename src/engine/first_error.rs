//! Loading as Falco 0.44.1 does it: the first error ends everything, and nothing after it is heard of.
//!
//! Only [`crate::Dialect::FalcoExact`] asks for it; eyas itself goes on and reports all faults at once.

use crate::collect::Collection;
use crate::diag::{Code, Diagnostic, ItemKind};
use crate::items;
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
    for document in documents {
        let (span, end) = (document.span, document.end);
        let parts: Vec<Node> = match &document.kind {
            Kind::Sequence(nodes) => nodes
                .iter()
                .map(|node| Node { span, end, kind: Kind::Sequence(vec![node.clone()]) })
                .collect(),
            _ => vec![document.clone()],
        };
        for part in parts {
            items::each(&[part], source, text, found, &mut |item, found| {
                collection.add(vec![item], found);
                true
            });
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

/// Keeps of what compiling found, from `before` on, the first error in Falco's order: macros, then rules, each in order of
/// definition. With an error there are no warnings of later items and none of what is unused.
pub(crate) fn compiled(collection: &Collection, before: usize, diagnostics: &mut Vec<Diagnostic>) {
    let order = |found: &Diagnostic| match &found.item {
        Some((ItemKind::Macro, name)) => {
            (0, collection.macros.iter().position(|def| def.name.text == *name).unwrap_or(usize::MAX))
        }
        Some((_, name)) => {
            (1, collection.rules.iter().position(|def| def.name.text == *name).unwrap_or(usize::MAX))
        }
        None => (2, 0),
    };
    let compiling = diagnostics.split_off(before);
    let errors = compiling.iter().filter(|found| found.is_error());
    // Within one item the first place counts.
    let first = errors.min_by_key(|found| (order(found), found.place().map(|span| span.start)));
    let Some(first) = first.cloned() else {
        diagnostics.extend(compiling);
        return;
    };
    let limit = order(&first);
    let unused = [Code::UnusedMacro, Code::UnusedList];
    diagnostics.extend(
        compiling
            .into_iter()
            .filter(|found| !found.is_error() && !unused.contains(&found.code) && order(found) < limit),
    );
    diagnostics.push(first);
}
