//! Rule files as text: ids, spans, and the line and column of a byte.
//!
//! A [`Span`] is a byte range of a file exactly as the person wrote it; every diagnostic points with one. This file reads
//! nothing from disk: the caller hands over names and texts, and keeps [`Sources`] to print diagnostics later.

use std::ops::Range;
use std::sync::Arc;

/// Which source text of one load a span belongs to: an index into [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);

/// A byte range in one source text, end exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The text.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span from its parts; an end before the start is an empty span at the start.
    pub fn new(source: SourceId, start: u32, end: u32) -> Self {
        Self { source, start, end: end.max(start) }
    }

    /// The smallest span that covers both; `self` when they lie in different texts.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        if self.source != other.source {
            return self;
        }
        Self::new(self.source, self.start.min(other.start), self.end.max(other.end))
    }
}

/// A rule file as handed to the loader.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// How the file is called in messages, normally its path.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// Where in it U+FFFD stands first for bytes that were no UTF-8.
    pub replaced: Option<u32>,
}

impl SourceFile {
    /// A source from its name and text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into(), replaced: None }
    }

    /// A source from its name and bytes; what is no UTF-8 becomes U+FFFD.
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::new(name, text),
            Err(error) => Self {
                name: name.into(),
                replaced: Some(error.utf8_error().valid_up_to() as u32),
                text: String::from_utf8_lossy(error.as_bytes()).into_owned(),
            },
        }
    }
}

/// A line and a column, both from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

#[derive(Clone, Debug)]
struct Source {
    name: Arc<str>,
    text: Arc<str>,
    lines: Arc<[u32]>,
}

/// The texts of one load, by [`SourceId`]. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    texts: Vec<Source>,
}

impl Sources {
    /// Adds a text and says which id it got.
    pub fn add(&mut self, file: SourceFile) -> SourceId {
        let mut lines = vec![0];
        lines.extend(
            file.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at as u32 + 1),
        );
        self.texts.push(Source { name: file.name.into(), text: file.text.into(), lines: lines.into() });
        SourceId(self.texts.len() as u32 - 1)
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// The ids, in the order the texts were added.
    pub fn ids(&self) -> impl Iterator<Item = SourceId> + use<> {
        (0..self.texts.len() as u32).map(SourceId)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Name and text of every source, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|t| (&*t.name, &*t.text))
    }

    /// The name of a source; empty for an id of another load.
    pub fn name(&self, id: SourceId) -> &str {
        self.texts.get(id.0 as usize).map_or("", |t| &t.name)
    }

    /// The text of a source; empty for an id of another load.
    pub fn text(&self, id: SourceId) -> &str {
        self.texts.get(id.0 as usize).map_or("", |t| &t.text)
    }

    /// The bytes under a span; empty when the span does not lie on character borders of its text.
    pub fn slice(&self, span: Span) -> &str {
        self.text(span.source).get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// The whole lines that a range of bytes touches: the number of the first, from 1, and their bytes.
    pub fn whole_lines(&self, id: SourceId, bytes: Range<usize>) -> (usize, Range<usize>) {
        let Some(source) = self.texts.get(id.0 as usize) else { return (1, 0..0) };
        let first = source.lines.partition_point(|start| *start as usize <= bytes.start).max(1);
        let after = source.lines.partition_point(|start| *start as usize <= bytes.end.max(bytes.start));
        let end = source.lines.get(after).map_or(source.text.len(), |start| *start as usize);
        (first, source.lines[first - 1] as usize..end)
    }

    /// The line and column of a span's first byte.
    pub fn place(&self, span: Span) -> Place {
        let Some(text) = self.texts.get(span.source.0 as usize) else {
            return Place { line: 1, column: 1 };
        };
        let line = text.lines.partition_point(|start| *start <= span.start).max(1);
        let start = text.lines[line - 1] as usize;
        let before = text.text.get(start..span.start as usize).unwrap_or("");
        Place { line: line as u32, column: before.chars().count() as u32 + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters() {
        let mut sources = Sources::default();
        let id = sources.add(SourceFile::new("a", "é x\n\nlast"));
        let at = |start| sources.place(Span::new(id, start, start));
        assert_eq!(at(0), Place { line: 1, column: 1 });
        assert_eq!(at(3), Place { line: 1, column: 3 });
        assert_eq!(at(5), Place { line: 2, column: 1 });
        assert_eq!(at(8), Place { line: 3, column: 3 });
        assert_eq!(at(900), Place { line: 3, column: 1 });
        assert_eq!(sources.whole_lines(id, 1..2), (1, 0..5));
        assert_eq!(sources.whole_lines(id, 5..6), (2, 5..10));
        assert_eq!(sources.whole_lines(id, 8..900), (3, 6..10));
    }
}
