//! Findings that say one thing many times, brought together: once for a field and file that has no value yet, no missing
//! keys of an item that was cut off by broken YAML, and one finding for one fault. It loses no error that has a cause of its own.

use rustc_hash::FxHashMap;

use crate::diag::{Code, Diagnostic, Label, LabelKind};
use crate::source::SourceId;

/// So many further places are shown; the note counts all.
const SHOWN: usize = 3;

/// One finding for a field that is always missing, in place of one for each comparison or output with it. Expects findings in
/// order of place and keeps it.
pub(crate) fn always_absent(diagnostics: &mut Vec<Diagnostic>) {
    let mut firsts: FxHashMap<(Code, String, SourceId), (usize, usize)> = FxHashMap::default();
    let mut kept: Vec<Diagnostic> = Vec::with_capacity(diagnostics.len());
    for found in diagnostics.drain(..) {
        let absent = matches!(found.code, Code::FieldNotProvided | Code::OutputNotProvided);
        let place = found.place().filter(|_| absent);
        let Some(span) = place else {
            kept.push(found);
            continue;
        };
        let (first, count) =
            firsts.entry((found.code, found.message.clone(), span.source)).or_insert((kept.len(), 0));
        *count += 1;
        if *count == 1 {
            kept.push(found);
            continue;
        }
        let gathered = &mut kept[*first];
        if *count == 2 {
            // Who uses the first place says nothing of the others.
            gathered.labels.retain(|label| label.kind == LabelKind::Primary);
            gathered.notes.clear();
        }
        if *count <= SHOWN + 1 {
            gathered.labels.push(Label { span, text: "and here".into(), kind: LabelKind::Secondary });
        }
        if gathered.item != found.item {
            gathered.item = None;
        }
    }
    for (first, count) in firsts.into_values().filter(|(_, count)| *count > 1) {
        let asked = match kept[first].code {
            Code::OutputNotProvided => "outputs in this file print it",
            _ => "comparisons in this file ask for it",
        };
        kept[first].notes.push(format!("{count} {asked}"));
    }
    *diagnostics = kept;
}

/// Drops missing keys of items that broken YAML cut off: the keys are there, only not readable. `text` is the file's.
pub(crate) fn cut_off(text: &str, diagnostics: &mut Vec<Diagnostic>) {
    let broken = diagnostics.iter().filter(|d| d.code == Code::YamlSyntax).filter_map(Diagnostic::place);
    let cut: Vec<_> = broken
        .map(|span| {
            // Reading starts again at a line that begins so; the item reaches from there to where the reader gave up.
            let before = text.get(..(span.start as usize + 1).min(text.len())).unwrap_or(text);
            let item = before.rfind("\n- ").map_or(0, |at| at + 1);
            (span.source, item as u32..=span.start)
        })
        .collect();
    diagnostics.retain(|d| {
        let follows = |span: crate::source::Span| {
            cut.iter().any(|(source, bytes)| *source == span.source && bytes.contains(&span.start))
        };
        d.code != Code::MissingKey || !d.place().is_some_and(follows)
    });
}

/// Leaves one finding of those that tell of one fault: the one that says how to mend it.
pub(crate) fn said_better(diagnostics: &mut Vec<Diagnostic>) {
    items_that_break(diagnostics);
    let odd: Vec<_> = diagnostics.iter().filter(|d| d.code == Code::OddName).map(Diagnostic::place).collect();
    for unused in diagnostics.iter_mut().filter(|d| matches!(d.code, Code::UnusedMacro | Code::UnusedList)) {
        if odd.contains(&unused.place()) {
            // That it needs another name is said already.
            unused.notes.clear();
        }
    }
    let errors: Vec<Diagnostic> = diagnostics.iter().filter(|d| d.is_error()).cloned().collect();
    diagnostics.retain(|d| match d.code {
        // The key that is missing names the one that is misspelled.
        Code::UnknownKey => {
            let place = d.edit.as_ref().map(|edit| edit.span);
            place.is_none() || !errors.iter().any(|e| e.edit.as_ref().map(|edit| edit.span) == place)
        }
        // An `append` that should go, or that appends nothing, needs not hear that it is old.
        Code::Deprecated => {
            let goes = |e: &Diagnostic| {
                let edit =
                    e.edit.as_ref().zip(d.place()).is_some_and(|(edit, at)| edit.span.to(at) == edit.span);
                edit || (e.code == Code::EmptyAppend && e.place() == d.place())
            };
            !errors.iter().any(goes)
        }
        // A new exception without values is an error of its own.
        Code::AppendNoValues => {
            !errors.iter().any(|e| e.code == Code::BadException && e.place() == d.place())
        }
        _ => true,
    });
}

/// A list item or a value of an exception that breaks the conditions it is put into: one error at the value in place of what
/// each condition says.
fn items_that_break(diagnostics: &mut Vec<Diagnostic>) {
    let shapes = [Code::ListItemShape, Code::ExceptionValueShape];
    let shapes: Vec<Diagnostic> = diagnostics.iter().filter(|d| shapes.contains(&d.code)).cloned().collect();
    for shape in shapes {
        let Some(item) = shape.place() else { continue };
        let within = |d: &Diagnostic| {
            d.is_error()
                && d.place()
                    .is_some_and(|at| at.source == item.source && (item.start..item.end).contains(&at.start))
        };
        let Some(first) = diagnostics.iter().position(within) else { continue };
        let (code, mut labels) = (diagnostics[first].code, diagnostics[first].labels.clone());
        labels.retain(|label| label.kind == LabelKind::Secondary);
        let mut better = shape.clone();
        (better.code, better.severity) = (code, code.severity());
        better.labels.extend(labels);
        better.item.clone_from(&diagnostics[first].item);
        diagnostics[first] = better;
        let mut seen = false;
        diagnostics.retain(|d| {
            let again = within(d) && std::mem::replace(&mut seen, true);
            *d != shape && !again
        });
    }
}
