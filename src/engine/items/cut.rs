//! What can be read of the items that broken YAML cut off: with the mend that is known, else the lines before the fault. They
//! have no effect and are checked all the same, so that one look shows all that is wrong.

use crate::diag::{Code, Diagnostic, ItemKind};
use crate::items::{BrokenItem, ExceptionItem, ExceptionValue, FieldExprs, Item, Text, each};
use crate::source::{SourceId, Span};
use crate::yaml::{self, faults::item_around};

/// The cut-off items of a file, whose YAML errors were found; what else is wrong with them is added.
pub(super) fn items(source: SourceId, file: &str, diagnostics: &mut Vec<Diagnostic>) -> Vec<Item> {
    let mut out = Vec::new();
    let mut more = Vec::new();
    let mut done = Vec::new();
    for found in diagnostics.iter_mut().filter(|d| d.code == Code::YamlSyntax) {
        let Some(place) = found.place() else { continue };
        let at = found.edit.as_ref().map_or(place.start, |edit| edit.span.start.min(place.start)) as usize;
        let item = item_around(file, at);
        if done.contains(&item) || !file[item.clone()].starts_with("- ") {
            continue;
        }
        done.push(item.clone());
        let mended = found.edit.as_ref().and_then(|edit| {
            let before = file.get(item.start..edit.span.start as usize)?;
            let after = file.get(edit.span.end as usize..item.end.max(edit.span.end as usize))?;
            Some(format!("{before}{}{after}", edit.replacement))
        });
        let whole = mended.and_then(|text| read(source, file, item.start, &text));
        let before = || {
            let line = file[..place.start as usize].rfind('\n').map_or(0, |n| n + 1);
            let text = file.get(item.start..line)?;
            let (broken, mut found) = read(source, file, item.start, text)?;
            // The keys that it seems to lack may stand behind the fault.
            found.retain(|d| d.code != Code::MissingKey);
            Some((broken, found))
        };
        let Some((broken, mut others)) = whole.or_else(before) else { continue };
        if let (None, Some(first)) = (&found.item, broken.first()) {
            found.item = Some((first.kind, first.name.text.clone()));
        }
        out.extend(broken.into_iter().map(|broken| Item::Broken(Box::new(broken))));
        more.append(&mut others);
    }
    diagnostics.append(&mut more);
    out
}

/// Reads a text that stands for the file's from `start` on. `None` when it is no YAML either.
fn read(
    source: SourceId,
    file: &str,
    start: usize,
    text: &str,
) -> Option<(Vec<BrokenItem>, Vec<Diagnostic>)> {
    let mut found = Vec::new();
    let documents = yaml::read(source, text, &mut found);
    if !found.is_empty() {
        return None;
    }
    let mut items = Vec::new();
    each(&documents, source, text, &mut found, &mut |item, _| {
        items.push(item);
        true
    });
    let lines = Lines::new(file.get(start..)?, start, text);
    let to = |span: Span| lines.span(span);
    let mut broken: Vec<_> = items.into_iter().filter_map(broken).collect();
    for item in &mut broken {
        item.relocate(&to);
    }
    for diagnostic in &mut found {
        diagnostic.labels.iter_mut().for_each(|label| label.span = to(label.span));
        if let Some(edit) = &mut diagnostic.edit {
            edit.span = to(edit.span);
        }
    }
    Some((broken, found))
}

fn broken(item: Item) -> Option<BrokenItem> {
    match item {
        Item::Rule(rule) => {
            let change = rule.append.is_some() || !rule.overrides.is_empty();
            Some(BrokenItem::of(*rule, (!change).then_some("syscall")))
        }
        Item::Macro(item) => {
            let span = item.name.span;
            let broken = BrokenItem::new(ItemKind::Macro, Some(item.name), span);
            Some(BrokenItem { condition: Some(item.condition), ..broken })
        }
        Item::List(item) => {
            let span = item.name.span;
            Some(BrokenItem::new(ItemKind::List, Some(item.name), span))
        }
        Item::Broken(broken) => Some(*broken),
        Item::Engine(_) | Item::Plugins(_) => None,
    }
}

/// The way from a text back to the file that it was made of: a mend changes what stands within lines, and no line's place.
struct Lines<'t> {
    /// Of each line: where it begins in the text, its text, where it begins in the file, its text there.
    lines: Vec<(usize, &'t str, usize, &'t str)>,
}

impl<'t> Lines<'t> {
    fn new(file: &'t str, start: usize, text: &'t str) -> Self {
        let (mut here, mut there) = (0, start);
        let lines = text.split_inclusive('\n').zip(file.split_inclusive('\n')).map(|(new, old)| {
            let line = (here, new, there, old);
            here += new.len();
            there += old.len();
            line
        });
        Self { lines: lines.collect() }
    }

    fn span(&self, span: Span) -> Span {
        let start = self.byte(span.start as usize);
        let end = if span.end > span.start { self.byte(span.end as usize) } else { start };
        Span::new(span.source, start as u32, end as u32)
    }

    fn byte(&self, at: usize) -> usize {
        let i = self.lines.partition_point(|(here, ..)| *here <= at).saturating_sub(1);
        let Some((here, new, there, old)) = self.lines.get(i) else { return 0 };
        let column = at - here;
        let same = new.bytes().zip(old.bytes()).take_while(|(a, b)| a == b).count();
        let tail = new.bytes().rev().zip(old.bytes().rev()).take_while(|(a, b)| a == b).count();
        let tail = tail.min(old.len() - same).min(new.len() - same);
        let from_end = new.len().saturating_sub(column);
        let column = if column <= same {
            column
        } else if from_end <= tail {
            old.len() - from_end
        } else {
            // Within what the mend changed: what it put quotes around is still there.
            let (old_part, new_part) = (old.get(same..old.len() - tail), new.get(same..new.len() - tail));
            let lead = old_part.zip(new_part).and_then(|(old, new)| new.find(old)).unwrap_or(0);
            column.saturating_sub(lead).max(same)
        };
        let mut at = there + column.min(old.len());
        while !old.is_char_boundary(at - there) {
            at -= 1;
        }
        at
    }
}

impl BrokenItem {
    /// Moves every place that it knows.
    fn relocate(&mut self, to: &dyn Fn(Span) -> Span) {
        self.name.span = to(self.name.span);
        self.condition.iter_mut().chain(&mut self.output).for_each(|text| text.relocate(to));
        for exception in &mut self.exceptions {
            exception.relocate(to);
        }
    }
}

impl Text {
    fn relocate(&mut self, to: &dyn Fn(Span) -> Span) {
        self.span = to(self.span);
        self.spliced.relocate(to);
    }
}

impl ExceptionItem {
    fn relocate(&mut self, to: &dyn Fn(Span) -> Span) {
        use crate::items::Comps;
        self.name.span = to(self.name.span);
        match &mut self.fields {
            Some(FieldExprs::One(text)) => text.relocate(to),
            Some(FieldExprs::Many(texts, span)) => {
                *span = to(*span);
                for text in texts {
                    text.relocate(to);
                }
            }
            None => {}
        }
        match &mut self.comps {
            Some(Comps::One(text)) => text.relocate(to),
            Some(Comps::Many(texts, span)) => {
                *span = to(*span);
                for text in texts {
                    text.relocate(to);
                }
            }
            None => {}
        }
        self.values.iter_mut().for_each(|value| value.relocate(to));
    }
}

impl ExceptionValue {
    fn relocate(&mut self, to: &dyn Fn(Span) -> Span) {
        match self {
            Self::One(text) => text.relocate(to),
            Self::Many(values, span) => {
                *span = to(*span);
                for value in values {
                    value.relocate(to);
                }
            }
        }
    }
}
