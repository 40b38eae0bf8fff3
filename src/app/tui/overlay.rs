//! What lies over the main screen: help, palette, prompts and sheets, and what they list. Only the uppermost gets keys.

use fuzzy_matcher::FuzzyMatcher as _;
use fuzzy_matcher::skim::SkimMatcherV2;

use super::commands::{self, Action, COMMANDS, Command, Place};
use super::door::FilterProblem;
use super::input::Input;
use super::theme::Theme;

/// A layer over the main screen.
#[derive(Clone, Debug)]
pub(super) enum Layer {
    /// All commands, to be searched.
    Help(Chooser),
    /// Commands by name.
    Palette(Chooser),
    /// Text to be found.
    Search(Prompt),
    /// A condition being written.
    Filter(FilterBar),
    /// Text to be read.
    Sheet(Sheet, usize),
    /// The self-test.
    SelfTest,
}

/// A list to be searched and chosen from.
#[derive(Clone, Debug)]
pub(super) struct Chooser {
    pub(super) input: Input,
    /// The chosen row (of the palette), the first row shown (of the help).
    pub(super) row: usize,
}

/// A line with a history.
#[derive(Clone, Debug)]
pub(super) struct Prompt {
    pub(super) input: Input,
    /// How far back in the history it is; 0 is what is being typed.
    pub(super) back: usize,
    /// How many of how many loaded alerts, or lines of the details, the text was found in when it was typed.
    pub(super) found: Option<(u64, u64)>,
}

/// The filter bar.
#[derive(Clone, Debug)]
pub(super) struct FilterBar {
    pub(super) prompt: Prompt,
    pub(super) verdict: Verdict,
    /// Whether Enter was pressed and the answer is awaited.
    pub(super) taken: bool,
    /// What Tab has put there, until something is typed.
    pub(super) cycle: Option<Cycle>,
}

/// Names to complete with, gone through by Tab.
#[derive(Clone, Debug)]
pub(super) struct Cycle {
    /// Where the name begins.
    pub(super) start: usize,
    pub(super) names: Vec<&'static str>,
    /// Which of them is in the line.
    pub(super) at: usize,
}

/// What is known of the text in the filter bar.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    /// Nothing is typed: no filter.
    Empty,
    /// It is being compiled, or waits until an earlier text has been.
    Asked,
    /// It is a condition; so many stored alerts meet it.
    Good(u64),
    /// It is not.
    Wrong(Vec<FilterProblem>),
    /// Nobody could say.
    Failed(String),
}

/// Texts to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sheet {
    /// The sensor's hooks.
    Hooks,
    /// What was lost.
    Losses,
    /// What the last load of rules said.
    Reload,
}

impl Layer {
    /// Where keys go while it is uppermost.
    pub(super) fn place(&self) -> Place {
        match self {
            Self::Help(_) => Place::Help,
            Self::Palette(_) => Place::Palette,
            Self::Search(_) => Place::Search,
            Self::Filter(_) => Place::Filter,
            Self::Sheet(..) => Place::Sheet,
            Self::SelfTest => Place::SelfTest,
        }
    }
}

impl Chooser {
    pub(super) fn new(text: &str) -> Self {
        Self { input: Input::new(text), row: 0 }
    }
}

impl Prompt {
    pub(super) fn new(text: &str) -> Self {
        Self { input: Input::new(text), back: 0, found: None }
    }

    /// Shows an older (or newer) entry of the history. Returns whether the text changed.
    pub(super) fn recall(&mut self, history: &[String], older: bool) -> bool {
        let back = if older { self.back + 1 } else { self.back.saturating_sub(1) };
        if back == self.back || back > history.len() {
            return false;
        }
        self.back = back;
        let text = if back == 0 { "" } else { &history[history.len() - back] };
        self.input = Input::new(text);
        true
    }
}

/// A row of the palette.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) says: &'static str,
    pub(super) keys: String,
    pub(super) action: Action,
}

/// The palette's rows for what is typed, best first; in the order of the table when nothing is.
pub(super) fn palette(pattern: &str, place: Place, themes: &[Theme]) -> Vec<Row> {
    let row = |c: &Command| Row {
        name: c.name.to_owned(),
        says: c.says,
        keys: commands::key_names(c),
        action: c.action,
    };
    let all = COMMANDS
        .iter()
        .filter(|c| c.places.has(place) && (c.shown || c.name == pattern.trim()))
        .map(row)
        .chain(themes.iter().enumerate().map(|(i, theme)| Row {
            name: format!("theme {}", theme.name()),
            says: "Paint in these colours.",
            keys: String::new(),
            action: Action::Theme(i),
        }));
    let pattern = pattern.trim();
    if pattern.is_empty() {
        return all.collect();
    }
    let matcher = SkimMatcherV2::default();
    let mut rows: Vec<(i64, Row)> = all
        .filter_map(|row| {
            let by_name = matcher.fuzzy_match(&row.name, pattern).map(|s| s * 2);
            let by_text = (pattern.len() > 3 && row.says.contains(pattern)).then_some(1);
            let by_key = row.keys.split(' ').any(|k| k == pattern).then_some(i64::MAX);
            by_name.max(by_text).max(by_key).map(|score| (score, row))
        })
        .collect();
    rows.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    rows.into_iter().map(|(_, row)| row).collect()
}

/// The help's commands for what is typed.
pub(super) fn help(pattern: &str) -> Vec<&'static Command> {
    let words: Vec<_> = pattern.split_whitespace().map(str::to_lowercase).collect();
    COMMANDS
        .iter()
        .filter(|c| c.shown)
        .filter(|c| {
            let text = format!("{} {} {}", c.name, c.says, commands::key_names(c)).to_lowercase();
            words.iter().all(|w| text.contains(w))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_palette_finds_by_parts_of_names_and_hides_what_is_hidden() {
        let rows = palette("hks", Place::List, &[]);
        assert_eq!(rows[0].name, "hooks");
        assert!(palette("debug", Place::List, &[]).iter().all(|r| r.action != Action::Panic));
        assert_eq!(palette("debug panic", Place::List, &[])[0].action, Action::Panic);
        assert!(palette("", Place::List, &[]).len() > 20);
    }

    #[test]
    fn help_is_searched_by_words_in_any_order() {
        assert!(help("value filter").iter().any(|c| c.name == "include value"));
        assert!(help("no such thing").is_empty());
    }
}
