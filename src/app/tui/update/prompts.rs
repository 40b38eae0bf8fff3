//! What keys do in layers: typing, taking, cancelling; the search prompt, the filter bar, the palette.

use std::sync::Arc;

use crossterm::event::KeyEvent;
use eyas_event::FieldId;

use super::super::commands::{Action, Place};
use super::super::door::Question;
use super::super::overlay::{self, Cycle, FilterBar, Layer, Prompt, Verdict};
use super::super::search::Search;
use super::super::state::{Filter, Pane};
use super::Turn;

impl Turn<'_> {
    /// A command while a layer has the keys. Returns false for commands that mean the same everywhere.
    pub(super) fn in_layer(&mut self, place: Place, action: Action) -> bool {
        match action {
            // What plays is ended first; the sheet shows what came of it.
            Action::Cancel if place == Place::SelfTest && self.s.self_test.playing.is_some() => {
                self.stop_playing();
            }
            Action::Cancel => {
                self.s.layers.pop();
            }
            Action::Accept => self.accept(),
            Action::Older | Action::Newer => self.recall(action == Action::Older),
            Action::Complete | Action::CompleteBack => self.complete(action == Action::Complete),
            Action::Up
            | Action::Down
            | Action::PageUp
            | Action::PageDown
            | Action::HalfUp
            | Action::HalfDown
            | Action::Top
            | Action::Bottom
                if matches!(place, Place::Help | Place::Palette | Place::Sheet | Place::SelfTest) =>
            {
                if place == Place::SelfTest { self.choose_test(action) } else { self.go_layer(action) }
            }
            _ => return false,
        }
        true
    }

    /// A key that is no command: text, where text is wanted.
    pub(super) fn type_key(&mut self, key: KeyEvent) {
        let changed = match self.s.layers.last_mut() {
            Some(Layer::Help(c) | Layer::Palette(c)) => {
                let changed = c.input.key(key);
                if changed {
                    c.row = 0;
                }
                changed
            }
            Some(Layer::Search(p)) => p.input.key(key),
            Some(Layer::Filter(f)) => {
                // A key that only moves the cursor ends the completion, too.
                f.cycle = None;
                f.prompt.input.key(key)
            }
            Some(Layer::Sheet(..) | Layer::SelfTest) | None => false,
        };
        if changed {
            self.typed();
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        match self.s.layers.last_mut() {
            Some(Layer::Help(c) | Layer::Palette(c)) => {
                c.input.paste(text);
                c.row = 0;
            }
            Some(Layer::Search(p)) => p.input.paste(text),
            Some(Layer::Filter(f)) => f.prompt.input.paste(text),
            Some(Layer::Sheet(..) | Layer::SelfTest) | None => {
                return self
                    .say("Nothing takes text here: press f for the filter or / to search, then paste.");
            }
        }
        self.typed();
    }

    /// What was typed has changed.
    fn typed(&mut self) {
        match self.s.layers.last() {
            Some(Layer::Search(prompt)) => {
                self.s.search = Search::new(prompt.input.text());
                // Counted here and not while drawing: with thousands of alerts it takes milliseconds.
                let (rows, search) = (&self.s.rows, &self.s.search);
                let found = search.as_ref().map(|s| {
                    if self.s.focus == Pane::Detail {
                        let lines = self.detail_lines();
                        (lines.iter().filter(|l| s.finds_line(l)).count() as u64, lines.len() as u64)
                    } else {
                        (rows.iter().filter(|a| s.finds(a)).count() as u64, rows.len() as u64)
                    }
                });
                if let Some(Layer::Search(prompt)) = self.s.layers.last_mut() {
                    prompt.found = found;
                }
            }
            Some(Layer::Filter(_)) => {
                if let Some(Layer::Filter(bar)) = self.s.layers.last_mut() {
                    bar.cycle = None;
                }
                self.compile();
            }
            _ => {}
        }
    }

    pub(super) fn compile(&mut self) {
        let Some(Layer::Filter(bar)) = self.s.layers.last() else { return };
        let text: Arc<str> = bar.prompt.input.text().into();
        let verdict = if text.trim().is_empty() { Verdict::Empty } else { Verdict::Asked };
        if matches!(verdict, Verdict::Asked) && self.s.pending.compile.is_none() {
            let ticket = self.ask(Question::CompileFilter(text.clone()));
            self.s.pending.compile = Some((ticket, text));
        }
        if let Some(Layer::Filter(bar)) = self.s.layers.last_mut() {
            bar.taken = false;
            bar.verdict = verdict;
        }
    }

    pub(super) fn open_search(&mut self) {
        // Empty, as everywhere else: what was searched for before is in the history.
        self.s.layers.push(Layer::Search(Prompt::new("")));
    }

    pub(super) fn open_filter(&mut self) {
        let text = self.s.filter.as_ref().map_or(String::new(), |f| f.text.to_string());
        let bar =
            FilterBar { prompt: Prompt::new(&text), verdict: Verdict::Empty, taken: false, cycle: None };
        self.s.layers.push(Layer::Filter(bar));
        self.compile();
    }

    fn recall(&mut self, older: bool) {
        let changed = match self.s.layers.last_mut() {
            Some(Layer::Search(p)) => p.recall(&self.s.searches, older),
            Some(Layer::Filter(f)) => f.prompt.recall(&self.s.filters, older),
            _ => false,
        };
        if changed {
            self.typed();
        }
    }

    /// Completes the name before the cursor; pressed again, goes to the next (or previous) name that begins so.
    fn complete(&mut self, forward: bool) {
        let Some(Layer::Filter(bar)) = self.s.layers.last_mut() else { return };
        let cycle = match bar.cycle.take() {
            Some(Cycle { start, names, at }) => {
                let at = if forward { at + 1 } else { at + names.len() - 1 } % names.len();
                Cycle { start, names, at }
            }
            None => match completions(&bar.prompt.input) {
                Some((start, names)) => {
                    let at = if forward { 0 } else { names.len() - 1 };
                    Cycle { start, names, at }
                }
                None => return,
            },
        };
        bar.prompt.input.complete(cycle.start, cycle.names[cycle.at]);
        bar.cycle = Some(cycle);
        self.compile();
    }

    fn accept(&mut self) {
        match self.s.layers.last_mut() {
            Some(Layer::Search(prompt)) => {
                let text = prompt.input.text().to_owned();
                self.s.layers.pop();
                if text.is_empty() {
                    self.s.search = None;
                    return;
                }
                if self.s.searches.last() != Some(&text) {
                    self.s.searches.push(text.clone());
                    if self.s.searches.len() > 100 {
                        self.s.searches.remove(0);
                    }
                }
                self.s.search = Search::new(&text);
                self.run(Action::SearchNext);
            }
            Some(Layer::Filter(bar)) => {
                let text = bar.prompt.input.text().to_owned();
                match &bar.verdict {
                    Verdict::Empty => self.take_filter(None),
                    Verdict::Good(hits) => {
                        let filter = Filter { text: text.as_str().into(), hits: Some(*hits) };
                        self.take_filter(Some(filter));
                    }
                    Verdict::Asked => bar.taken = true,
                    Verdict::Wrong(_) | Verdict::Failed(_) => {}
                }
            }
            Some(Layer::Palette(chooser)) => {
                let (text, row) = (chooser.input.text().to_owned(), chooser.row);
                let base = self.s.base();
                let rows = overlay::palette(&text, base, &self.ctx.themes);
                if let Some(row) = rows.get(row) {
                    let action = row.action;
                    self.s.layers.clear();
                    self.run(action);
                }
            }
            _ => {}
        }
    }

    /// Closes the filter bar with this filter.
    pub(super) fn take_filter(&mut self, filter: Option<Filter>) {
        self.s.layers.pop();
        let same = match (&filter, &self.s.filter) {
            (None, None) => true,
            (Some(a), Some(b)) => a.text == b.text,
            _ => false,
        };
        if !same {
            self.apply_filter(filter);
        }
    }
}

/// Where the field name before the cursor begins, and the names that begin so.
pub(in super::super) fn completions(
    input: &super::super::input::Input,
) -> Option<(usize, Vec<&'static str>)> {
    let before = &input.text()[..input.cursor()];
    let start = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
        .last()
        .map(|(at, _)| at)?;
    let word = &before[start..];
    // After an operator comes a value, not a field.
    let value = before[..start].trim_end().ends_with(['=', '<', '>', ',', '"', '\'', '/', '-']);
    if value || word.is_empty() {
        return None;
    }
    let names: Vec<_> =
        FieldId::all().map(|id| id.info().name).filter(|n| n.starts_with(word) && *n != word).collect();
    (!names.is_empty()).then_some((start, names))
}
