//! Findings that say one thing many times, brought together: once for a field and file that has no value yet, and no
//! missing keys of an item that was cut off by broken YAML. It loses no error that has a cause of its own.

use rustc_hash::FxHashMap;

use crate::diag::{Code, Diagnostic, Label, LabelKind};
use crate::source::SourceId;

/// So many further places are shown; the note counts all.
const SHOWN: usize = 3;

/// One finding for a field that is always missing, in place of one for each comparison with it. Expects findings in order of
/// place and keeps it.
pub(crate) fn always_absent(diagnostics: &mut Vec<Diagnostic>) {
    let mut firsts: FxHashMap<(String, SourceId), (usize, usize)> = FxHashMap::default();
    let mut kept: Vec<Diagnostic> = Vec::with_capacity(diagnostics.len());
    for found in diagnostics.drain(..) {
        let place = found.place().filter(|_| found.code == Code::FieldNotProvided);
        let Some(span) = place else {
            kept.push(found);
            continue;
        };
        let (first, count) = firsts.entry((found.message.clone(), span.source)).or_insert((kept.len(), 0));
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
        kept[first].notes.push(format!("{count} comparisons in this file ask for it"));
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
