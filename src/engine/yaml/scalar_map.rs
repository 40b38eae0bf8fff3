//! The scalar map: from a byte of a decoded scalar back to the byte of the file that it came from.
//!
//! A condition usually sits in a folded block, so what the lexer reads is not what the file holds: indentation is gone
//! and line breaks became blanks. The map is found again by walking the decoded text and the raw bytes side by side, with
//! the rules of the scalar's style. Where the two cannot be matched (which no known input does), the rest maps to the
//! last place that matched: a label may then be coarse, never out of the file.

use granit_parser::ScalarStyle;

use super::{Kind, Node};
use crate::source::Span;

/// One run of decoded bytes and the file bytes it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// First decoded byte.
    decoded: u32,
    /// First file byte.
    file: u32,
    /// One past the last file byte.
    file_end: u32,
    /// Byte by byte the same, or one decoded character for a whole range.
    even: bool,
}

/// Decoded offset to file offset for one scalar.
#[derive(Clone, Debug)]
pub struct ScalarMap {
    span: Span,
    runs: Vec<Run>,
}

impl ScalarMap {
    /// The map of a scalar node in `file`, the whole text of its source. Of other nodes: everything maps to the node.
    pub fn new(node: &Node, file: &str) -> Self {
        let mut walk = Walk {
            runs: Vec::new(),
            raw: file.as_bytes(),
            at: node.span.start as usize,
            end: (node.span.end as usize).min(file.len()),
            decoded: 0,
        };
        if let Kind::Scalar(scalar) = &node.kind {
            let text = scalar.text.as_bytes();
            match scalar.style {
                ScalarStyle::Literal | ScalarStyle::Folded => walk.block(text, indent(file, walk.at)),
                ScalarStyle::DoubleQuoted => walk.double_quoted(&scalar.text),
                ScalarStyle::SingleQuoted => walk.flow(text, true),
                ScalarStyle::Plain => walk.flow(text, false),
            }
        }
        Self { span: node.span, runs: walk.runs }
    }

    /// The file bytes of one decoded byte.
    fn byte(&self, decoded: u32) -> (u32, u32) {
        let i = self.runs.partition_point(|run| run.decoded <= decoded);
        let Some(run) = i.checked_sub(1).and_then(|i| self.runs.get(i)) else {
            return (self.span.start, self.span.start);
        };
        if run.even {
            let at = (run.file + (decoded - run.decoded)).min(self.span.end);
            (at, (at + 1).min(self.span.end))
        } else {
            (run.file, run.file_end)
        }
    }

    /// The file span of a decoded range.
    pub fn span(&self, start: u32, end: u32) -> Span {
        let (from, _) = self.byte(start);
        let to = if end > start { self.byte(end - 1).1 } else { from };
        Span::new(self.span.source, from, to)
    }

    /// The runs as (decoded start, file start, file end, byte by byte).
    pub fn runs(&self) -> impl Iterator<Item = (u32, u32, u32, bool)> + '_ {
        self.runs.iter().map(|r| (r.decoded, r.file, r.file_end, r.even))
    }
}

/// How many bytes stand before `at` in its line: the indentation of a block scalar's content.
fn indent(file: &str, at: usize) -> usize {
    let at = at.min(file.len());
    at - file.as_bytes()[..at].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1)
}

struct Walk<'f> {
    runs: Vec<Run>,
    raw: &'f [u8],
    at: usize,
    end: usize,
    decoded: usize,
}

impl Walk<'_> {
    /// The next `n` decoded bytes are the next `n` raw bytes.
    fn even(&mut self, n: usize) {
        let open = self.runs.last().is_some_and(|run| {
            run.even
                && run.file as usize + (self.decoded - run.decoded as usize) == self.at
                && run.file_end as usize == self.at
        });
        match self.runs.last_mut() {
            Some(run) if open => run.file_end += n as u32,
            _ => self.runs.push(Run {
                decoded: self.decoded as u32,
                file: self.at as u32,
                file_end: (self.at + n) as u32,
                even: true,
            }),
        }
        self.at += n;
        self.decoded += n;
    }

    /// The next `n` decoded bytes stand for the next `width` raw bytes as a whole.
    fn uneven(&mut self, n: usize, width: usize) {
        self.runs.push(Run {
            decoded: self.decoded as u32,
            file: self.at as u32,
            file_end: (self.at + width).min(self.end.max(self.at)) as u32,
            even: false,
        });
        self.at += width;
        self.decoded += n;
    }

    fn raw(&self, ahead: usize) -> Option<u8> {
        let at = self.at + ahead;
        (at < self.end).then(|| self.raw[at])
    }

    /// Gives up: the rest maps to where the walk stands.
    fn give_up(&mut self, text: &[u8]) {
        if self.decoded < text.len() {
            self.at = self.at.min(self.end);
            self.uneven(text.len() - self.decoded, 0);
        }
    }

    fn skip_blanks(&mut self, most: usize) {
        let stop = self.at + most;
        while self.at < stop && matches!(self.raw(0), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// The length of a line break at the walk's place; 0 for none.
    fn line_break(&self) -> usize {
        match (self.raw(0), self.raw(1)) {
            (Some(b'\r'), Some(b'\n')) => 2,
            (Some(b'\n' | b'\r'), _) => 1,
            _ => 0,
        }
    }

    fn block(&mut self, text: &[u8], indent: usize) {
        // The event's span starts at the first line with content; blank lines before it belong to the value.
        let lead = text.iter().take_while(|b| **b == b'\n').count();
        if lead > 0 {
            self.uneven(lead, 0);
        }
        while self.decoded < text.len() {
            let width = self.line_break();
            if width > 0 {
                if matches!(text[self.decoded], b' ' | b'\n') {
                    self.uneven(1, width);
                } else {
                    self.at += width;
                }
                self.skip_blanks(indent);
            } else if self.raw(0) == Some(text[self.decoded]) {
                self.even(1);
            } else {
                break;
            }
        }
        self.give_up(text);
    }

    /// A plain or single-quoted scalar.
    fn flow(&mut self, text: &[u8], quoted: bool) {
        if quoted {
            self.at += 1;
        }
        while self.decoded < text.len() {
            if self.fold(text) {
                continue;
            }
            match self.raw(0) {
                Some(b'\'') if quoted && text[self.decoded] == b'\'' => self.uneven(1, 2),
                Some(byte) if byte == text[self.decoded] => self.even(1),
                _ => break,
            }
        }
        self.give_up(text);
    }

    /// Blanks with a line break among them: one blank, or as many breaks as there are empty lines.
    fn fold(&mut self, text: &[u8]) -> bool {
        let mut ahead = 0;
        let mut breaks = 0;
        while let Some(byte @ (b' ' | b'\t' | b'\r' | b'\n')) = self.raw(ahead) {
            breaks += usize::from(byte == b'\n');
            ahead += 1;
        }
        if breaks == 0 {
            return false;
        }
        let n = if breaks == 1 { 1 } else { breaks - 1 };
        let n = n.min(text.len() - self.decoded);
        self.uneven(n, ahead);
        true
    }

    fn double_quoted(&mut self, decoded: &str) {
        let text = decoded.as_bytes();
        self.at += 1;
        while self.decoded < text.len() {
            if self.raw(0) == Some(b'\\') {
                let width = match self.raw(1) {
                    Some(b'x') => 4,
                    Some(b'u') => 6,
                    Some(b'U') => 10,
                    Some(b'\n' | b'\r') => {
                        // An escaped break means nothing, and neither does the next line's indentation.
                        self.at += 1;
                        self.at += self.line_break();
                        self.skip_blanks(usize::MAX - self.at);
                        continue;
                    }
                    _ => 2,
                };
                let c = decoded.get(self.decoded..).and_then(|rest| rest.chars().next());
                let Some(c) = c else { break };
                // A character above U+FFFF may be written as two \u escapes.
                let width = if width == 6 && c.len_utf8() == 4 { 12 } else { width };
                self.uneven(c.len_utf8(), width);
                continue;
            }
            if self.fold(text) {
                continue;
            }
            if self.raw(0) == Some(text[self.decoded]) {
                self.even(1);
            } else {
                break;
            }
        }
        self.give_up(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceId;
    use crate::yaml::read;

    /// Every word of the decoded condition maps to the same word in the file.
    fn check(yaml: &str) {
        let mut diagnostics = Vec::new();
        let documents = read(SourceId(0), yaml, &mut diagnostics);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let Kind::Sequence(items) = &documents[0].kind else { panic!("a sequence") };
        let Kind::Mapping(pairs) = &items[0].kind else { panic!("a mapping") };
        let node = &pairs[0].1;
        let text = node.text().expect("a scalar");
        let map = ScalarMap::new(node, yaml);
        let mut words = 0;
        for word in text.split_whitespace() {
            let start = word.as_ptr() as usize - text.as_ptr() as usize;
            let span = map.span(start as u32, (start + word.len()) as u32);
            assert_eq!(&yaml[span.start as usize..span.end as usize], word, "in {yaml:?}");
            words += 1;
        }
        assert!(words > 0);
    }

    #[test]
    fn words_map_to_themselves_in_every_style() {
        check("- c: a and b or é c\n");
        check("- c: a and\n    b or\n\n    c\n  d: x\n");
        check("- c: >\n    a and\n    b\n      more\n    less\n\n\n    last\n");
        check("- c: >-\n\n    (a\n    or b)\n\n");
        check("- c: |\n    a and\n\n    b é\n      c\n");
        check("- c: |2\n      a\n    b\n");
        check("- c: 'a and b\n    c'\n");
        check("- c: \"a and b\n    c\n\n    d\"\n");
        check("- c: \"a \\\n    b c\"\n");
        check("- c: >\r\n    a and\r\n    b\r\n");
    }

    #[test]
    fn escapes_map_as_wholes() {
        let yaml = "- c: \"x\\x41\\u00e9 'y'\"\n";
        let documents = read(SourceId(0), yaml, &mut Vec::new());
        let Kind::Sequence(items) = &documents[0].kind else { panic!("a sequence") };
        let Kind::Mapping(pairs) = &items[0].kind else { panic!("a mapping") };
        let map = ScalarMap::new(&pairs[0].1, yaml);
        let span = map.span(1, 2);
        assert_eq!(&yaml[span.start as usize..span.end as usize], "\\x41");
        let span = map.span(2, 4);
        assert_eq!(&yaml[span.start as usize..span.end as usize], "\\u00e9");
    }
}
