//! What makes a text no YAML, in a person's words and with a mend: the reader's own message tells where it gave up, and the
//! cause often stands a line above. Each usual cause is looked for in the item that broke; a mend is offered only when the
//! item reads with it, or reads further than before.

use std::ops::Range;

use crate::diag::{Certainty, Code, Diagnostic};
use crate::source::{SourceId, Span};

/// Keys of all items: a line that begins with one begins a new value.
const KEYS: [&str; 25] = [
    "rule",
    "macro",
    "list",
    "desc",
    "condition",
    "output",
    "priority",
    "source",
    "enabled",
    "tags",
    "exceptions",
    "warn_evttypes",
    "skip-if-unknown-filter",
    "capture",
    "capture_duration",
    "append",
    "override",
    "items",
    "name",
    "fields",
    "comps",
    "values",
    "version",
    "alternatives",
    "required_engine_version",
];

/// A cause: what is said, where, and the change that mends it. Places count from the item's first byte.
struct Fault {
    message: String,
    label: &'static str,
    place: Range<usize>,
    note: &'static str,
    edit: (&'static str, Range<usize>, String),
    certainty: Certainty,
}

/// The diagnostic for a text that is read from `base` on and stops being YAML at `at`; `reads` says where an item's text does.
pub(super) fn diagnostic(
    source: SourceId,
    text: &str,
    base: usize,
    at: usize,
    info: &str,
    reads: &dyn Fn(&str) -> Option<usize>,
) -> Diagnostic {
    let item = item_around(text, at);
    // A bracket or a quote that is left open may swallow the start of the next item.
    let before = item_around(text, item.start.saturating_sub(1));
    for item in [item, before].into_iter().filter(|item| item.start >= base) {
        let Some(fault) = find(&text[item.clone()], at.saturating_sub(item.start), reads) else { continue };
        let span = |range: &Range<usize>| {
            Span::new(source, (item.start + range.start) as u32, (item.start + range.end) as u32)
        };
        let (title, bytes, replacement) = &fault.edit;
        return Diagnostic::new(Code::YamlSyntax, fault.message, span(&fault.place), fault.label)
            .note(fault.note)
            .with_edit(*title, span(bytes), replacement, fault.certainty);
    }
    let line_end = text[at..].find('\n').map_or(text.len(), |n| at + n);
    let span = Span::new(source, at as u32, (at + 1).min(line_end).max(at) as u32);
    Diagnostic::new(Code::YamlSyntax, "this is not YAML", span, info).note(
        "look at this line and the one above for a quote or bracket left open, a tab, a colon or # in a value without \
         quotes, or a key that stands further in or out than the others",
    )
}

/// The bytes of the item that holds a place: from its dash in the first column to the next one.
pub(crate) fn item_around(text: &str, at: usize) -> Range<usize> {
    let at = super::floor(text, at);
    let line_end = text[at..].find('\n').map_or(text.len(), |n| at + n);
    let start = text[..line_end].rfind("\n- ").map_or(0, |n| n + 1);
    let end = text[start..].match_indices('\n').map(|(n, _)| start + n + 1).find(|next| {
        let rest = &text[*next..];
        rest.starts_with("- ") || rest.starts_with("---")
    });
    start..end.unwrap_or(text.len())
}

/// A line of an item.
struct Line<'t> {
    start: usize,
    text: &'t str,
}

impl<'t> Line<'t> {
    fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// How many bytes stand before the key: blanks, and the dash of a sequence.
    fn indent(&self) -> usize {
        let rest = self.text.trim_start();
        let rest = rest.strip_prefix("- ").map_or(rest, str::trim_start);
        self.text.len() - rest.len()
    }

    /// The known key that begins it, if one does, with or without its colon.
    fn key(&self) -> Option<&'static str> {
        let rest = &self.text[self.indent()..];
        KEYS.into_iter().find(|key| {
            rest.strip_prefix(key).is_some_and(|rest| {
                rest.is_empty() || rest.starts_with(|c: char| c == ':' || c.is_whitespace())
            })
        })
    }

    /// Where its value begins, and the value without blanks around it and a comment behind it.
    fn value(&self) -> Option<(usize, &'t str)> {
        let rest = &self.text[self.indent()..];
        let key = self.key()?;
        let value = rest[key.len()..].strip_prefix(':')?;
        let value = if value.trim_start().starts_with(['"', '\'']) {
            value
        } else {
            value.split_once(" #").map_or(value, |(value, _)| value)
        };
        let trimmed = value.trim();
        let lead = value.len() - value.trim_start().len();
        (!trimmed.is_empty()).then(|| (self.start + self.indent() + key.len() + 1 + lead, trimmed))
    }
}

fn lines(item: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    item.split_inclusive('\n')
        .map(|line| {
            let at = start;
            start += line.len();
            Line { start: at, text: line.trim_end_matches(['\n', '\r']) }
        })
        .collect()
}

/// The first usual cause whose mend lets the item be read, or be read further.
fn find(item: &str, at: usize, reads: &dyn Fn(&str) -> Option<usize>) -> Option<Fault> {
    let lines = lines(item);
    // The cause stands at most a line behind the place where the reader gave up.
    let last = lines.iter().position(|line| line.end() >= at).unwrap_or(lines.len()) + 2;
    let near = &lines[..last.min(lines.len())];
    let each = near.iter().enumerate().flat_map(|(i, line)| {
        let follows = lines[i + 1..].iter().find(|line| !line.text.trim().is_empty());
        let ends = follows.is_none_or(|line| line.key().is_some());
        [
            no_blank(line),
            no_colon(line),
            open_quote(line, ends),
            behind_quote(line),
            block_text(line),
            open_bracket(line, ends),
            first_sign(line),
            colon_within(line),
        ]
    });
    let first = reads(item)?;
    [tabs(&lines), stepped(&lines)].into_iter().chain(each).flatten().find(|fault| {
        let (_, bytes, replacement) = &fault.edit;
        let Some(before) = item.get(..bytes.start) else { return false };
        let mended = format!("{before}{replacement}{}", item.get(bytes.end..).unwrap_or(""));
        let grown = mended.len() as i64 - item.len() as i64;
        reads(&mended).is_none_or(|again| again as i64 > (first as i64 + grown.max(0)).max(bytes.end as i64))
    })
}

/// Lines that a tab indents.
fn tabs(lines: &[Line<'_>]) -> Option<Fault> {
    let indent = |line: &Line<'_>| line.text.len() - line.text.trim_start().len();
    let tabbed = |line: &&Line<'_>| line.text[..indent(line)].contains('\t');
    let (first, last) = (lines.iter().find(tabbed)?, lines.iter().rfind(tabbed)?);
    let within = lines.iter().filter(|line| (first.start..=last.start).contains(&line.start));
    let mended: Vec<_> = within
        .map(|line| {
            let (blanks, rest) = line.text.split_at(indent(line));
            format!("{}{rest}", blanks.replace('\t', "  "))
        })
        .collect();
    Some(Fault {
        message: "a tab indents this line".to_owned(),
        label: "YAML takes blanks only",
        place: first.start..first.start + indent(first),
        note: "the keys of an item stand two blanks to the right of its dash",
        edit: ("write blanks", first.start..last.end(), mended.join("\n")),
        certainty: Certainty::Sure,
    })
}

/// A key that stands further in or out than the first one of its item.
fn stepped(lines: &[Line<'_>]) -> Option<Fault> {
    let wanted = lines.first()?.indent();
    // Keys of exceptions and of what stands below other keys have an indentation of their own.
    let own = |line: &&Line<'_>| line.key().is_some_and(|key| KEYS[3..16].contains(&key));
    let off = |line: &&Line<'_>| own(line) && !matches!(line.indent(), 0) && line.indent() != wanted;
    let (first, last) = (lines.iter().skip(1).find(off)?, lines.iter().rfind(off)?);
    let within = lines.iter().filter(|line| (first.start..=last.start).contains(&line.start));
    let mended: Vec<_> = within
        .map(|line| {
            if off(&line) {
                format!("{}{}", " ".repeat(wanted), line.text.trim_start())
            } else {
                line.text.to_owned()
            }
        })
        .collect();
    let key = first.start + first.indent();
    Some(Fault {
        message: "this key does not stand where the others of its item do".to_owned(),
        label: "not below the first key",
        place: key..key + first.key().map_or(1, str::len),
        note: "the keys of an item stand below each other, two blanks to the right of its dash",
        edit: ("move it below the others", first.start..last.end(), mended.join("\n")),
        certainty: Certainty::Sure,
    })
}

/// `key:value` without a blank between.
fn no_blank(line: &Line<'_>) -> Option<Fault> {
    let colon = line.start + line.indent() + line.key()?.len();
    let rest = line.text.get(colon - line.start..)?.strip_prefix(':')?;
    let glued = rest.starts_with(|c: char| !c.is_whitespace());
    glued.then(|| Fault {
        message: "a blank is missing behind this colon".to_owned(),
        label: "",
        place: colon..colon + 1,
        note: "a colon ends a key only with a blank or the line's end behind it",
        edit: ("put one there", colon + 1..colon + 1, " ".to_owned()),
        certainty: Certainty::Sure,
    })
}

/// A key without its colon.
fn no_colon(line: &Line<'_>) -> Option<Fault> {
    let (start, key) = (line.start + line.indent(), line.key()?);
    let rest = line.text.get(line.indent() + key.len()..)?;
    rest.starts_with(' ').then(|| Fault {
        message: format!("`{key}` has no colon behind it"),
        label: "",
        place: start..start + key.len(),
        note: "a key is its name, a colon and a blank",
        edit: ("put one there", start + key.len()..start + key.len(), ":".to_owned()),
        certainty: Certainty::Guess,
    })
}

/// How much of a text its first byte, a quote, encloses, both quotes counted; `None` when it is not closed there.
fn quoted(value: &str) -> Option<usize> {
    let quote = value.chars().next()?;
    let mut escaped = false;
    for (at, c) in value.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// A quote that nothing closes before the next key.
fn open_quote(line: &Line<'_>, ends: bool) -> Option<Fault> {
    let (start, value) = line.value()?;
    if !ends || !value.starts_with(['"', '\'']) || quoted(value).is_some() {
        return None;
    }
    let end = start + value.len();
    Some(Fault {
        message: "this quote is not closed".to_owned(),
        label: "opened here",
        place: start..start + 1,
        note: "a value that begins with a quote ends with the same one",
        edit: ("close it at the end of its line", end..end, value[..1].to_owned()),
        certainty: if value.contains(" #") { Certainty::Guess } else { Certainty::Sure },
    })
}

/// More text behind the quote that closes a value.
fn behind_quote(line: &Line<'_>) -> Option<Fault> {
    let (start, value) = line.value()?;
    if !value.starts_with(['"', '\'']) {
        return None;
    }
    let end = quoted(value)?;
    let rest = value[end..].trim_start();
    let from = start + value.len() - rest.len();
    (!rest.is_empty() && !rest.starts_with('#')).then(|| Fault {
        message: "the value ended with its quote, and more follows".to_owned(),
        label: "this does not belong to it",
        place: from..start + value.len(),
        note: "a text with quotes in it stands as a whole in quotes of the other kind",
        edit: ("put the whole in quotes", start..start + value.len(), in_quotes(value)),
        certainty: Certainty::Guess,
    })
}

/// Text on the line of `>` or `|`.
fn block_text(line: &Line<'_>) -> Option<Fault> {
    let (start, value) = line.value()?;
    let rest = value.strip_prefix(['>', '|'])?.trim_start_matches(['-', '+']);
    let text = rest.trim_start();
    (text.len() < rest.len() && !text.is_empty()).then(|| Fault {
        message: "the text of a block begins on the next line".to_owned(),
        label: if value.starts_with('>') {
            "nothing may follow `>` on its line"
        } else {
            "nothing may follow `|` on its line"
        },
        place: start..start + value.len() - text.len(),
        note: "leave the sign out, or put the text four blanks in on the next line",
        edit: ("leave the sign out", start..start + value.len() - text.len(), String::new()),
        certainty: Certainty::Sure,
    })
}

/// A bracket that nothing closes before the next key.
fn open_bracket(line: &Line<'_>, ends: bool) -> Option<Fault> {
    let (start, value) = line.value()?;
    let open = value.chars().next().filter(|c| matches!(c, '[' | '{'))?;
    let close = if open == '[' { ']' } else { '}' };
    if !ends || value.contains(close) {
        return None;
    }
    let end = start + value.trim_end_matches([',', ' ']).len();
    Some(Fault {
        message: "this bracket is not closed".to_owned(),
        label: "opened here",
        place: start..start + 1,
        note: "a sequence is `[one, two]`, a mapping `{key: value}`",
        edit: ("close it at the end of its line", end..start + value.len(), close.to_string()),
        certainty: Certainty::Sure,
    })
}

/// A sign that begins no value without quotes.
fn first_sign(line: &Line<'_>) -> Option<Fault> {
    let (start, value) = line.value()?;
    let sign = value.chars().next().filter(|c| "%@`*!,]}".contains(*c))?;
    // An alias alone is one.
    if sign == '*' && !value.contains(' ') {
        return None;
    }
    Some(Fault {
        message: format!("`{sign}` begins no value without quotes"),
        label: "",
        place: start..start + 1,
        note: "YAML keeps % @ ` * & ! at the start of a value for itself",
        edit: ("put the value in quotes", start..start + value.len(), in_quotes(value)),
        certainty: Certainty::Sure,
    })
}

/// A colon within a value that stands in no quotes.
fn colon_within(line: &Line<'_>) -> Option<Fault> {
    let (start, value) = line.value()?;
    if value.starts_with(['"', '\'', '[', '{', '>', '|']) {
        return None;
    }
    let colon = value.find(": ").or_else(|| value.strip_suffix(':').map(str::len))?;
    Some(Fault {
        message: format!("a colon stands in the value of `{}`, which has no quotes", line.key()?),
        label: "YAML reads a key before this",
        place: start + colon..start + colon + 1,
        note: "a value with a colon and a blank in it stands in quotes, or in a block below `>`",
        edit: ("put the value in quotes", start..start + value.len(), in_quotes(value)),
        certainty: Certainty::Sure,
    })
}

/// A value in quotes in which nothing needs escaping but the quote itself.
fn in_quotes(value: &str) -> String {
    if value.contains(['"', '\\']) {
        format!("'{}'", value.replace('\'', "''"))
    } else {
        format!("\"{value}\"")
    }
}
