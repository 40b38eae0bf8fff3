//! The search: plain text in the alerts that are loaded, or in the lines of the open details. Upper and lower case are told apart only when the pattern has
//! upper case in it.

use std::ops::Range;

use eyas_event::{Alert, AlertId};

use super::columns::Column;
use super::detail::Line;
use super::show;

/// A text to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Search {
    pattern: String,
    fold: bool,
}

/// Where a search stands: the `at`th of `of` matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) alert: AlertId,
    /// The line, in details.
    pub(super) line: Option<usize>,
    pub(super) at: usize,
    pub(super) of: usize,
}

impl Search {
    /// `None` for an empty pattern.
    pub(super) fn new(pattern: &str) -> Option<Self> {
        let fold = !pattern.chars().any(char::is_uppercase);
        (!pattern.is_empty()).then(|| Self { pattern: pattern.to_owned(), fold })
    }

    pub(super) fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Whether the alert has it anywhere that the list shows.
    pub(super) fn finds(&self, alert: &Alert) -> bool {
        Column::ALL.iter().any(|c| self.first(&c.text(alert)).is_some())
            || self.first(&show::clean_bytes(&alert.process.cmdline())).is_some()
    }

    /// Whether a line of the details has it.
    pub(super) fn finds_line(&self, line: &Line) -> bool {
        line.parts.iter().any(|(_, text)| self.first(text).is_some())
    }

    /// The first place in a text.
    pub(super) fn first(&self, text: &str) -> Option<Range<usize>> {
        if !self.fold {
            return text.find(&self.pattern).map(|at| at..at + self.pattern.len());
        }
        // Folding may change lengths, so compare character by character from each start.
        text.char_indices().find_map(|(at, _)| {
            let mut rest = text[at..].chars();
            let same = self.pattern.chars().all(|p| rest.next().is_some_and(|c| fold(c) == p));
            same.then(|| at..text.len() - rest.as_str().len())
        })
    }
}

fn fold(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(l), None) => l,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_counts_when_the_pattern_has_it() {
        let low = Search::new("curl").expect("pattern");
        assert_eq!(low.first("run CURL now"), Some(4..8));
        let high = Search::new("Curl").expect("pattern");
        assert_eq!((high.first("curl"), high.first("a Curl")), (None, Some(2..6)));
        assert_eq!(Search::new("é").expect("pattern").first("CAFÉ"), Some(3..5));
        assert!(Search::new("").is_none());
    }
}
