//! What to say of a word that does not fit behind a part, and how to go on: words and operators of other languages, a value or a
//! joining word that is missing. Reading goes on as if the right word stood there, so that one look shows all that is wrong.

use eyas_event::FieldId;

use super::ast::{NodeId, NodeKind, Rhs};
use super::lexer::is_blank;
use super::parser::{Parser, error};
use crate::diag::Code;

/// A word that joins parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joiner {
    And,
    Or,
}

impl Joiner {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
        }
    }
}

/// Which of them may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joiners {
    Both,
    OrAlone,
}

/// How to go on after something unexpected.
pub(super) enum Then {
    /// With the next part, as if this word had joined it.
    Part(Joiner),
    /// Past what does not fit.
    Skip,
    /// There is nothing more.
    Stop,
}

/// Where a comment may stand.
pub(super) const NO_COMMENTS: &str =
    "a condition holds no comments; put it above `condition:` or above the rule";

/// What is easily overlooked of `regex`.
pub(crate) const WHOLE_VALUE: &str =
    "a pattern matches the whole value: `.*` before and behind lets it stand anywhere";

/// Operators of other languages that begin with one of ours, with what says the same here.
const FOREIGN: [(&str, &str); 3] = [("=~", "regex"), ("=>", ">="), ("=<", "<=")];

impl Parser<'_> {
    /// Takes the word that joins the next part; one of another language is reported and counts as well.
    pub(super) fn joiner(&mut self, joiners: Joiners) -> Option<Joiner> {
        let all = [Joiner::And, Joiner::Or];
        for joiner in all.into_iter().filter(|joiner| joiners == Joiners::Both || *joiner == Joiner::Or) {
            if self.lexer.keyword(joiner.word()) {
                return Some(joiner);
            }
        }
        let at = self.lexer.at();
        let (joiner, width) = self.lexer.foreign_joiner()?;
        let word = joiner.word();
        let bytes = at..at + width;
        let written = self.lexer.slice(&bytes).to_owned();
        self.lexer.seek(bytes.end);
        let spaced = self.lexer.peek().is_none_or(|b| is_blank(b) || b == b'(');
        let replacement = format!("{word}{}", if spaced { "" } else { " " });
        self.errors.push(
            error(Code::Syntax, format!("`{written}` is written `{word}`"), "", bytes.clone())
                .note("`and`, `or` and `not` are words of small letters")
                .mend(format!("write `{word}`"), bytes, replacement),
        );
        Some(joiner)
    }

    pub(super) fn foreign_not(&mut self, at: u32, width: u32) {
        let bytes = at..at + width;
        let written = self.lexer.slice(&bytes).to_owned();
        self.lexer.seek(bytes.end);
        let spaced = self.lexer.peek().is_none_or(|b| is_blank(b) || b == b'(');
        let replacement = if spaced { "not" } else { "not " };
        self.errors.push(
            error(Code::Syntax, format!("`{written}` is written `not`"), "", bytes.clone())
                .note("`and`, `or` and `not` are words of small letters")
                .mend("write `not`", bytes, replacement),
        );
    }

    /// Something after a part that neither joins nor closes.
    pub(super) fn unexpected(&mut self, at: u32, part: NodeId) -> Then {
        if self.lexer.peek() == Some(b')') {
            self.errors.push(
                error(Code::Unclosed, "this parenthesis closes nothing", "none is open here", at..at + 1)
                    .note("remove it, or open one where its part begins")
                    .guess("remove it", at..at + 1, ""),
            );
            return Then::Skip;
        }
        let part = match self.ast.node(part).kind {
            NodeKind::Not(inner) => inner,
            _ => part,
        };
        let before = self.lexer.before(at);
        let word = before.start..self.word_at(at);
        for joiner in [Joiner::And, Joiner::Or] {
            let name = joiner.word();
            if self.lexer.slice(&before) == name {
                let message = format!("a value is missing before this `{name}`");
                let found = error(Code::Syntax, message, "this is read as the value", before);
                self.ast.spoil(part);
                self.errors
                    .push(found.note(format!("the word itself as a value stands in quotes: \"{name}\"")));
                return Then::Part(joiner);
            }
            let rest = self.lexer.rest();
            if rest.trim_ascii_end().eq_ignore_ascii_case(name.as_bytes()) {
                let message = format!("the condition ends after this `{name}`");
                let word = at..at + name.len() as u32;
                self.errors.push(
                    error(
                        Code::Syntax,
                        message,
                        "a comparison or a macro was expected after it",
                        word.clone(),
                    )
                    .guess("remove it", before.end..word.end, ""),
                );
                return Then::Stop;
            }
        }
        if self.lexer.rest().starts_with(b"#") {
            let found =
                error(Code::Syntax, "this is no comment", "it is part of the condition", at..word.end);
            self.errors.push(found.note(NO_COMMENTS));
            return Then::Skip;
        }
        let field = self.lexer.peek_name();
        let value = match &self.ast.node(part).kind {
            NodeKind::Check(check) => match &check.rhs {
                Rhs::Value(value) if !value.quoted && value.at.end == before.end => Some(value.at.clone()),
                _ => None,
            },
            _ => None,
        };
        let spaced = before.end < at;
        if FieldId::from_name(field).is_some() || (value.is_none() && spaced && self.lexer.starts_part()) {
            let message = "`and` or `or` is missing before this";
            let found = error(Code::Syntax, message, "another part begins here", at..word.end);
            self.errors.push(found.guess("did you mean `and`?", at..at, "and "));
            // A word that names no field may be anything; whether there is a macro of that name is no question then.
            let part = FieldId::from_name(field).is_some() || self.lexer.peek() == Some(b'(');
            return if part { Then::Part(Joiner::And) } else { Then::Skip };
        }
        let mut found = error(
            Code::Syntax,
            "`and`, `or` or the end was expected here",
            "this does not fit",
            at..word.end,
        )
        .note("a value with blanks, commas, parentheses, quotes or = needs quotes around it");
        if let Some(value) = value {
            if let Some((written, meant)) =
                FOREIGN.iter().find(|(w, _)| self.ends_with_operator(value.end, w))
            {
                let bytes = value.end - written.len() as u32..value.end;
                self.ast.spoil(part);
                let message = format!("there is no operator `{written}`");
                found = error(Code::Syntax, message, "", bytes.clone()).guess(
                    format!("did you mean `{meant}`?"),
                    bytes,
                    *meant,
                );
                if *meant == "regex" {
                    found = found.note(WHOLE_VALUE);
                }
            } else {
                let from = self.lexer.at();
                self.skip();
                let end = self.lexer.before(self.lexer.at()).end.max(word.end);
                self.lexer.seek(from);
                let whole = value.start..end;
                let text = self.lexer.slice(&whole);
                let quote = if text.contains('"') { '\'' } else { '"' };
                if !text.contains(['\n', '\\', quote]) {
                    let quoted = format!("{quote}{text}{quote}");
                    found = found.guess("put the value in quotes", whole, quoted);
                }
            }
        }
        self.errors.push(found);
        Then::Skip
    }

    /// Whether an operator of another language ends at a place.
    fn ends_with_operator(&self, end: u32, operator: &str) -> bool {
        let start = end.saturating_sub(operator.len() as u32);
        self.lexer.slice(&(start..end)) == operator
    }
}
