//! What to say of the escapes of other pattern languages: `\\d` and its kin, and a sign that a backslash makes plain. No text
//! constant has them, so they are met where a constant is read, and what was meant hangs on the operator before it.

use super::ast::{Bytes, Op};
use super::lexer::{Bad, UNKNOWN_ESCAPE};
use super::parser::{MAX_ERRORS, Parser, SyntaxError};
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
    /// The escapes of a quoted value that are not known, seen with the operator whose value they stand in. All but the last
    /// are kept; that one is given back.
    pub(super) fn escape_of_a_pattern(&mut self, found: SyntaxError, op: Op) -> SyntaxError {
        // Only an unknown escape has a change to offer; the others say themselves what is wrong.
        if found.code != Code::BadString || found.mend.is_none() {
            return found;
        }
        // Falco stops at the first.
        let more = if self.lexer.is_exact() { Vec::new() } else { self.further_escapes(&found.bytes) };
        let mut last = self.one_escape(found, op);
        for bytes in more {
            let next = self.one_escape(SyntaxError::from(Bad { message: UNKNOWN_ESCAPE, bytes }), op);
            self.errors.push(std::mem::replace(&mut last, next));
        }
        last
    }

    /// The escapes behind one that are not known either, in the same value. The lexer stands behind its closing quote.
    fn further_escapes(&self, first: &Bytes) -> Vec<Bytes> {
        let rest = self.lexer.slice(&(first.end..self.lexer.at().max(first.end)));
        let mut out = Vec::new();
        let mut chars = rest.char_indices();
        while let Some((at, sign)) = chars.next() {
            if sign != '\\' {
                continue;
            }
            let Some((next, letter)) = chars.next() else { break };
            if !"bfnrt\\/\"' x".contains(letter) {
                let end = next + letter.len_utf8();
                out.push(first.end + at as u32..first.end + end as u32);
                // More than a condition's other faults are noise, too.
                if out.len() + 1 >= MAX_ERRORS {
                    break;
                }
            }
        }
        out
    }

    fn one_escape(&self, mut found: SyntaxError, op: Op) -> SyntaxError {
        let escape = self.lexer.slice(&found.bytes);
        let Some(letter) = escape.strip_prefix('\\').and_then(|rest| rest.chars().next()) else {
            return found;
        };
        let word = op.word();
        let bytes = found.bytes.clone();
        match (class(letter), op) {
            (Some((words, whole, part)), Op::Regex) => {
                found.mend = None;
                let note = format!("a class is written `{whole}` for {words}");
                let (bytes, meant) = match (self.class_around(bytes.start), part) {
                    (None, _) => (bytes, whole),
                    (Some(_), Some(part)) => (bytes, part),
                    (Some(open), None) => {
                        let before = self.lexer.slice(&(open + 1..bytes.start));
                        let alone = self.lexer.slice(&(bytes.end..bytes.end + 1)) == "]";
                        let other = class(letter.to_ascii_lowercase()).map(|(_, whole, _)| whole);
                        match (before, alone, other) {
                            ("", true, _) => (open..bytes.end + 1, whole),
                            ("^", true, Some(other)) => (open..bytes.end + 1, other),
                            _ if before.starts_with('^') => {
                                return found.note(format!("{note}; no bracket can hold it beside others"));
                            }
                            _ => {
                                return found.note(format!(
                                    "{note}; no bracket can hold it beside others: write `(…|{whole})`"
                                ));
                            }
                        }
                    }
                };
                found.note(note).guess(format!("did you mean `{meant}`?"), bytes, meant)
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
                let instead = match op {
                    Op::In | Op::Intersects | Op::Pmatch => format!("regex anyof (\"{pattern}\", …)"),
                    _ => format!("regex \"{pattern}\""),
                };
                found.note(format!(
                    "`{word}` compares text, not patterns: for {words} use `{instead}`; a backslash itself is written as two"
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

    /// Where the brackets of a class open that a place in a quoted value lies in.
    fn class_around(&self, at: u32) -> Option<u32> {
        let before = self.lexer.slice(&(0..at));
        let value = before.rfind(['"', '\'']).map_or(0, |quote| quote + 1);
        let open = before[value..].rfind('[')?;
        let closed = before[value..].rfind(']').is_some_and(|close| close > open);
        (!closed).then_some((value + open) as u32)
    }
}
