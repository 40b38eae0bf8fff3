//! What to say of the escapes of other pattern languages: `\\d` and its kin, and a sign that a backslash makes plain. No text
//! constant has them, so they are met where a constant is read, and what was meant hangs on the operator before it.

use super::ast::Op;
use super::parser::{Parser, SyntaxError};
use crate::diag::Code;

/// What a letter behind a backslash stands for elsewhere: in words, as a class, and as a part of a class.
fn class(letter: char) -> Option<(&'static str, &'static str, Option<&'static str>)> {
    Some(match letter {
        'd' => ("digits", "[0-9]", Some("0-9")),
        'D' => ("anything but digits", "[^0-9]", None),
        'w' => ("letters, digits and _", "[A-Za-z0-9_]", Some("A-Za-z0-9_")),
        'W' => ("anything but letters, digits and _", "[^A-Za-z0-9_]", None),
        's' => ("blanks", "[[:space:]]", Some("[:space:]")),
        'S' => ("anything but blanks", "[^[:space:]]", None),
        _ => return None,
    })
}

impl Parser<'_> {
    /// An escape that is not known, seen with the operator whose value it stands in.
    pub(super) fn escape_of_a_pattern(&self, mut found: SyntaxError, op: Op) -> SyntaxError {
        let escape = self.lexer.slice(&found.bytes);
        let Some(letter) = escape.strip_prefix('\\').and_then(|rest| rest.chars().next()) else {
            return found;
        };
        let word = op.word();
        // Only an unknown escape has a change to offer; the others say themselves what is wrong.
        if found.code != Code::BadString || found.mend.is_none() {
            return found;
        }
        let bytes = found.bytes.clone();
        match (class(letter), op) {
            (Some((words, whole, part)), Op::Regex) => {
                found.mend = None;
                let found = found.note(format!("a class is written `{whole}` for {words}"));
                let meant = if self.within_class(bytes.start) { part } else { Some(whole) };
                match meant {
                    Some(meant) => found.guess(format!("did you mean `{meant}`?"), bytes, meant),
                    None => found,
                }
            }
            (Some((words, class, _)), Op::Glob | Op::Iglob) => {
                found.mend = None;
                let note = format!("`{word}` is no regular expression: for {words} it has `{class}`");
                found.note(note).guess(format!("did you mean `{class}`?"), bytes, class)
            }
            (Some((words, class, _)), _) => {
                found.mend = None;
                let pattern = match op {
                    Op::Contains | Op::Icontains | Op::Bcontains => format!(".*{class}.*"),
                    Op::Startswith | Op::Bstartswith => format!("{class}.*"),
                    Op::Endswith => format!(".*{class}"),
                    _ => class.to_owned(),
                };
                found.note(format!(
                    "`{word}` compares text, not patterns: for {words} use `regex \"{pattern}\"`; a backslash itself is written as two"
                ))
            }
            // In a pattern a sign is made plain by a backslash, and that one is written as two.
            (None, Op::Regex | Op::Glob | Op::Iglob) => found,
            (None, _) if letter.is_ascii_punctuation() => {
                let plain = letter.to_string();
                found
                    .note(format!(
                        "`{word}` compares text, not patterns: `{plain}` stands for itself; a backslash itself is written as two"
                    ))
                    .guess("leave the backslash out", bytes, plain)
            }
            (None, _) => found,
        }
    }

    /// Whether a place in a quoted value lies in the brackets of a class.
    fn within_class(&self, at: u32) -> bool {
        let before = self.lexer.slice(&(0..at));
        let value = &before[before.rfind(['"', '\'']).map_or(0, |quote| quote + 1)..];
        match (value.rfind('['), value.rfind(']')) {
            (Some(open), Some(close)) => open > close,
            (open, _) => open.is_some(),
        }
    }
}
