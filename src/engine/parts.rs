//! A condition as a list of parts with depths: what `explain` and `effective` show. A part knows the bytes that a person
//! wrote for it. A list in place of a tree, since a condition may be nested deeper than a stack is.

use std::fmt::Write as _;

use eyas_event::text::escape;

use crate::source::{Sources, Span};
use crate::syntax::ast::{Check, NodeKind, Rhs};

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// All parts one deeper hold.
    And,
    /// One of the parts one deeper holds.
    Or,
    /// The part one deeper does not hold.
    Not,
    /// A macro; its body stands one deeper where it is shown.
    Macro,
    /// A comparison.
    Check,
}

impl PartKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
            Self::Not => "not",
            Self::Macro => "macro",
            Self::Check => "check",
        }
    }
}

/// A part of a condition.
#[derive(Clone, Debug)]
pub struct Part {
    /// How deep it lies; the whole is at 0.
    pub depth: u32,
    /// What it is.
    pub kind: PartKind,
    /// A comparison up to its list, or the macro's name.
    pub head: String,
    /// The values of a comparison with a list.
    pub list: Option<Vec<String>>,
    /// Where it was written.
    pub span: Span,
    /// Of a macro: where it is defined.
    pub defined: Option<Span>,
}

impl Part {
    /// A part for a node of a tree.
    pub(crate) fn new(depth: u32, node: &NodeKind, span: Span) -> Self {
        let (kind, head, list) = match node {
            NodeKind::And(_) => (PartKind::And, String::new(), None),
            NodeKind::Or(_) => (PartKind::Or, String::new(), None),
            NodeKind::Not(_) => (PartKind::Not, String::new(), None),
            NodeKind::Macro(name) => (PartKind::Macro, name.clone(), None),
            NodeKind::Broken => (PartKind::Check, "<?>".to_owned(), None),
            NodeKind::Check(check) => {
                let (head, list) = halves(check);
                (PartKind::Check, head, list)
            }
        };
        Self { depth, kind, head, list, span, defined: None }
    }

    /// What it says, in full. Harmless on a terminal.
    pub fn text(&self) -> String {
        self.short(usize::MAX)
    }

    /// The same with its list cut, so that it fits into so many characters where a list is to blame.
    pub fn short(&self, width: usize) -> String {
        let mut out = match self.kind {
            PartKind::And | PartKind::Or | PartKind::Not => self.kind.word().to_owned(),
            PartKind::Macro => format!("macro {}", escape(self.head.as_bytes())),
            PartKind::Check => escape(self.head.as_bytes()).into_owned(),
        };
        let Some(list) = &self.list else { return out };
        out.push_str(" (");
        let mut used = out.chars().count();
        for (i, value) in list.iter().enumerate() {
            let value = escape(value.as_bytes());
            used = used.saturating_add(value.chars().count() + 2);
            let rest = list.len() - i;
            // The first value is shown whatever its length; a comparison without any says nothing.
            if i > 0 && used > width {
                let _ = write!(out, ", … {rest} more");
                break;
            }
            if i > 0 {
                out.push_str(", ");
            }
            out.push_str(&value);
        }
        out.push(')');
        out
    }
}

/// A comparison up to its list, and the list.
fn halves(check: &Check) -> (String, Option<Vec<String>>) {
    let Rhs::List(values) = &check.rhs else { return (check.to_string(), None) };
    let head = Check {
        lhs: check.lhs.clone(),
        op: check.op,
        op_bytes: check.op_bytes.clone(),
        modifier: check.modifier,
        rhs: Rhs::None,
    };
    (head.to_string(), Some(values.iter().map(ToString::to_string).collect()))
}

/// How far a part stands in; a depth that no screen holds is cut.
pub(crate) fn indent(depth: u32) -> String {
    "  ".repeat(depth.min(40) as usize)
}

/// `file:line`, harmless on a terminal.
pub(crate) fn place(span: Span, sources: &Sources) -> String {
    let name = escape(sources.name(span.source).as_bytes());
    format!("{name}:{}", sources.place(span).line)
}
