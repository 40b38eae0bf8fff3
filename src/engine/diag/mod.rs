//! A diagnostic: what is wrong, where in the file the person wrote, and what would mend it.
//!
//! It stays data until the last moment: the terminal, the JSON form and the rule pane render the same value. The stages
//! push diagnostics and go on; nothing here decides whether a rule is kept.

pub mod codes;
pub(crate) mod gather;
mod json;
mod terminal;

pub use codes::Code;
pub use json::to_json;
pub use terminal::{Paint, to_text, to_text_within};

use crate::source::Span;

/// How much a diagnostic weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Legal, but probably not what was meant.
    Lint,
    /// Something was ignored or cannot take effect here.
    Warning,
    /// The item was left out.
    Error,
}

impl Severity {
    /// The word that is printed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Lint => "lint",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Whether a label marks the fault itself or something that explains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelKind {
    /// The fault.
    Primary,
    /// Context: where it was defined, who uses it.
    Secondary,
}

/// A marked place with a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The bytes.
    pub span: Span,
    /// What to say about them; may be empty.
    pub text: String,
    /// Fault or context.
    pub kind: LabelKind,
}

/// How surely an edit makes what the writer meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// The text can mean nothing else, so a program may apply it.
    Sure,
    /// The likeliest of several meanings; a person decides.
    Guess,
}

impl Certainty {
    /// The word that JSON and SARIF carry.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sure => "sure",
            Self::Guess => "guess",
        }
    }
}

/// A change of the text that would mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What the edit does, as a short imperative.
    pub title: String,
    /// The bytes to replace.
    pub span: Span,
    /// What to put there.
    pub replacement: String,
    /// Whether a program may apply it unasked.
    pub certainty: Certainty,
}

/// The kinds of item that a rule file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ItemKind {
    /// A rule.
    Rule,
    /// A macro.
    Macro,
    /// A list.
    List,
    /// An exception of a rule.
    Exception,
    /// A version requirement.
    Requirement,
    /// A condition typed by itself: a filter.
    Filter,
}

impl ItemKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Macro => "macro",
            Self::List => "list",
            Self::Exception => "exception",
            Self::Requirement => "requirement",
            Self::Filter => "filter",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much it weighs.
    pub severity: Severity,
    /// Its stable code.
    pub code: Code,
    /// One sentence.
    pub message: String,
    /// Marked places; the first primary one is where the finding is.
    pub labels: Vec<Label>,
    /// Further sentences.
    pub notes: Vec<String>,
    /// A change that would mend it.
    pub edit: Option<Edit>,
    /// The item it was found in, when there is one.
    pub item: Option<(ItemKind, String)>,
}

impl Diagnostic {
    /// A finding with the code's own severity and one primary place.
    pub fn new(code: Code, message: impl Into<String>, span: Span, label: impl Into<String>) -> Self {
        Self {
            severity: code.severity(),
            code,
            message: message.into(),
            labels: vec![Label { span, text: label.into(), kind: LabelKind::Primary }],
            notes: Vec::new(),
            edit: None,
            item: None,
        }
    }

    /// Adds a secondary place.
    #[must_use]
    pub fn see(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into(), kind: LabelKind::Secondary });
        self
    }

    /// Adds a sentence.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Adds an edit that is surely what was meant.
    #[must_use]
    pub fn mend(self, title: impl Into<String>, span: Span, replacement: impl Into<String>) -> Self {
        self.with_edit(title, span, replacement, Certainty::Sure)
    }

    /// Adds an edit that is only likely what was meant.
    #[must_use]
    pub fn guess(self, title: impl Into<String>, span: Span, replacement: impl Into<String>) -> Self {
        self.with_edit(title, span, replacement, Certainty::Guess)
    }

    /// Adds an edit that replaces a name by one that is spelled like it.
    #[must_use]
    pub fn near(self, span: Span, near: &str) -> Self {
        self.guess(format!("did you mean `{near}`?"), span, near)
    }

    /// Adds an edit that puts the name that was meant.
    #[must_use]
    pub fn meant(self, span: Span, name: &str, certainty: Certainty) -> Self {
        match certainty {
            Certainty::Sure => self.mend(format!("it is called `{name}`"), span, name),
            Certainty::Guess => self.near(span, name),
        }
    }

    /// Adds an edit.
    #[must_use]
    pub fn with_edit(
        mut self,
        title: impl Into<String>,
        span: Span,
        replacement: impl Into<String>,
        certainty: Certainty,
    ) -> Self {
        self.edit = Some(Edit { title: title.into(), span, replacement: replacement.into(), certainty });
        self
    }

    /// Names the item it was found in.
    #[must_use]
    pub fn of(mut self, kind: ItemKind, name: impl Into<String>) -> Self {
        self.item = Some((kind, name.into()));
        self
    }

    /// Where the finding is.
    pub fn place(&self) -> Option<Span> {
        self.labels.iter().find(|l| l.kind == LabelKind::Primary).or(self.labels.first()).map(|l| l.span)
    }

    /// The result class under which Falco's loader reports it, where it has one.
    pub fn falco_class(&self) -> Option<&'static str> {
        match (self.code, &self.item) {
            (Code::OddName, Some((ItemKind::List, _))) => Some("LOAD_INVALID_LIST_NAME"),
            _ => self.code.falco_class(),
        }
    }

    /// Whether it left something out.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// The nearest of `names` to what was written, if it is near enough to be a slip of the hand.
pub fn did_you_mean<'n>(written: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let limit = (written.len() / 3).clamp(1, 3);
    names
        .into_iter()
        .map(|name| (distance(written, name, limit), name))
        .filter(|(d, _)| *d <= limit)
        // What goes on where the writing stopped is likelier than a slip within it.
        .min_by_key(|(d, name)| (*d, !name.starts_with(written), name.len().abs_diff(written.len())))
        .map(|(_, name)| name)
}

/// Edit distance with swaps of neighbours counted as one; anything above `limit` may be returned as `limit + 1`.
fn distance(a: &str, b: &str, limit: usize) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len().abs_diff(b.len()) > limit {
        return limit + 1;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j - 1] + cost).min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        // Distances only grow from row to row.
        if row.iter().all(|d| *d > limit) {
            return limit + 1;
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_are_near() {
        let names = ["proc.name", "proc.pname", "fd.name", "evt.type"];
        assert_eq!(did_you_mean("proc.nmae", names), Some("proc.name"));
        assert_eq!(did_you_mean("evt.typo", names), Some("evt.type"));
        assert_eq!(did_you_mean("fd.nam", ["fd.num", "fd.name"]), Some("fd.name"));
        assert_eq!(did_you_mean("net.protocol", names), None);
    }
}
