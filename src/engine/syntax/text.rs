//! A condition's text with the way back to the file.
//!
//! Between the file and the lexer lie YAML decoding, appended parts, and lists replaced by their items. [`Spliced`] is the
//! text after all that, cut in pieces that each know the span they came from and, for a list's items, where the list was
//! named.

use std::ops::Range;

use crate::source::{SourceId, Span};
use crate::yaml::{Kind, Node, ScalarMap, ScalarStyle};

/// Text from several places.
#[derive(Clone, Debug)]
pub struct Spliced {
    text: String,
    pieces: Vec<Piece>,
    uses: Vec<ListUse>,
}

/// A place where a list was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListUse {
    /// The list.
    pub name: String,
    /// Where it was named.
    pub span: Span,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    /// First byte in the text; the piece ends where the next begins.
    at: u32,
    /// The bytes it came from.
    from: Span,
    /// Whether it is those bytes one by one.
    even: bool,
    /// Through which list.
    via: Option<u32>,
    /// The YAML quotes that the bytes stand in.
    quotes: Quotes,
}

/// The YAML quotes around a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quotes {
    None,
    Single,
    Double,
}

impl Spliced {
    /// No text; it stands for `span`.
    pub fn empty() -> Self {
        Self { text: String::new(), pieces: Vec::new(), uses: Vec::new() }
    }

    /// A whole text as it stands in its source.
    pub fn whole(source: SourceId, text: &str) -> Self {
        let mut spliced = Self::empty();
        spliced.push_piece(text, Span::new(source, 0, text.len() as u32), true, None);
        spliced
    }

    /// The decoded text of a scalar node; `file` is the text of its source.
    pub fn scalar(node: &Node, file: &str) -> Self {
        let mut spliced = Self::empty();
        let Some(text) = node.text() else { return spliced };
        let map = ScalarMap::new(node, file);
        spliced.text.push_str(text);
        let quotes = match &node.kind {
            Kind::Scalar(scalar) if scalar.style == ScalarStyle::DoubleQuoted => Quotes::Double,
            Kind::Scalar(scalar) if scalar.style == ScalarStyle::SingleQuoted => Quotes::Single,
            _ => Quotes::None,
        };
        for (at, start, end, even) in map.runs() {
            let from = Span::new(node.span.source, start, end);
            spliced.pieces.push(Piece { at, from, even, via: None, quotes });
        }
        if spliced.pieces.is_empty() && !text.is_empty() {
            spliced.pieces.push(Piece { at: 0, from: node.span, even: false, via: None, quotes });
        }
        spliced
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Appends text that stands for `span` as a whole.
    pub fn push_standing_for(&mut self, text: &str, span: Span) {
        self.push_piece(text, span, false, None);
    }

    /// Appends another text.
    pub fn push(&mut self, other: &Self) {
        self.push_range(other, 0..other.text.len(), None);
    }

    /// The text without one of these words at its start.
    #[must_use]
    pub fn without_leading(&self, words: &[&str]) -> Self {
        let trimmed = self.trimmed();
        for word in words {
            let rest = trimmed.text.strip_prefix(word);
            if rest.is_some_and(|rest| rest.starts_with([' ', '\t', '\n', '('])) {
                let mut out = Self::empty();
                out.push_range(&trimmed, word.len()..trimmed.text.len(), None);
                return out;
            }
        }
        trimmed
    }

    /// Moves every place that it knows.
    pub(crate) fn relocate(&mut self, to: &dyn Fn(Span) -> Span) {
        for piece in &mut self.pieces {
            let moved = to(piece.from);
            // Bytes that changed on the way are no longer those of the text one by one.
            piece.even &= moved.end - moved.start == piece.from.end - piece.from.start;
            piece.from = moved;
        }
        for used in &mut self.uses {
            used.span = to(used.span);
        }
    }

    /// Cuts blanks off both ends.
    #[must_use]
    pub fn trimmed(&self) -> Self {
        let start = self.text.len() - self.text.trim_start().len();
        let end = start + self.text.trim().len();
        let mut out = Self::empty();
        out.push_range(self, start..end, None);
        out
    }

    /// No text yet, and the lists that were put into this one so far.
    pub(crate) fn start_like(&self) -> Self {
        Self { text: String::with_capacity(self.text.len()), pieces: Vec::new(), uses: self.uses.clone() }
    }

    /// Cuts blanks off the end.
    pub(crate) fn trim_end(&mut self) {
        let end = self.text.trim_end_matches([' ', '\t', '\n', '\r']).len();
        self.cut_to(end);
    }

    /// Cuts the last byte off, which is an ASCII one.
    pub(crate) fn pop(&mut self) {
        self.cut_to(self.text.len().saturating_sub(1));
    }

    fn cut_to(&mut self, end: usize) {
        self.text.truncate(end);
        while self.pieces.last().is_some_and(|piece| piece.at as usize >= end) {
            self.pieces.pop();
        }
    }

    /// Appends the items of a list that `other` names at `named`, a blank on both sides.
    pub(crate) fn push_list(&mut self, other: &Self, named: Range<usize>, list: &str, items: &[Self]) {
        let span = other.span(&(named.start as u32..named.end as u32));
        let via = self.uses.len() as u32;
        self.uses.push(ListUse { name: list.to_owned(), span });
        if !self.text.is_empty() {
            self.push_piece(" ", span, false, Some(via));
        }
        let start = self.text.len();
        for item in items {
            // Items without text before the first with one get no comma.
            if self.text.len() > start {
                // The comma is nobody's text; it stands for the item that it announces.
                let whole = item.span(&(0..item.text.len() as u32));
                self.push_piece(", ", whole, false, Some(via));
            }
            for (text, piece) in item.cut(0..item.text.len()) {
                self.keep(text, Piece { via: Some(via), ..piece });
            }
        }
        self.push_piece(" ", span, false, Some(via));
    }

    /// The span of a range: of the file where it was written.
    pub fn span(&self, range: &Range<u32>) -> Span {
        let Some((start, via)) = self.place(range.start) else {
            return self
                .pieces
                .last()
                .map_or(Span::new(SourceId(0), 0, 0), |p| Span::new(p.from.source, p.from.end, p.from.end));
        };
        if range.end <= range.start {
            return Span::new(start.source, start.start, start.start);
        }
        match self.place(range.end - 1) {
            // What reaches from one item of a list into the next is marked in the first alone.
            Some((end, end_via))
                if end.source == start.source
                    && end.end >= start.start
                    && via == end_via
                    && (via.is_none() || self.same_piece(range)) =>
            {
                Span::new(start.source, start.start, end.end)
            }
            _ if via.is_some() => self.piece_end(range.start, start),
            _ => start,
        }
    }

    /// The list through which a byte came in, if one did.
    pub fn via(&self, at: u32) -> Option<&ListUse> {
        let (_, via) = self.place(at)?;
        self.uses.get(via? as usize)
    }

    /// A text as it is written where the byte at `at` stands: in YAML's quotes some signs are escaped.
    pub(crate) fn as_written(&self, at: u32, text: &str) -> String {
        let at = at.min((self.text.len() as u32).saturating_sub(1));
        let i = self.pieces.partition_point(|p| p.at <= at).saturating_sub(1);
        match self.pieces.get(i).map_or(Quotes::None, |piece| piece.quotes) {
            Quotes::None => text.to_owned(),
            Quotes::Single => text.replace('\'', "''"),
            Quotes::Double => text.replace('\\', "\\\\").replace('"', "\\\""),
        }
    }

    /// A note about a quoted text, with what it says to write as it is typed where the byte at `at` stands.
    pub(crate) fn note_as_written(&self, at: u32, note: &str) -> String {
        if self.as_written(at, "\\") == "\\" {
            return note.to_owned();
        }
        // What stands between backticks is every second part.
        let parts: Vec<_> = note
            .split('`')
            .enumerate()
            .map(|(i, part)| if i % 2 == 1 { self.as_written(at, part) } else { part.to_owned() })
            .collect();
        parts.join("`").replace("as two", "as four, since YAML's double quotes halve them")
    }

    /// The lists that were replaced, in order.
    pub fn uses(&self) -> &[ListUse] {
        &self.uses
    }

    fn same_piece(&self, range: &Range<u32>) -> bool {
        let piece = |at: u32| self.pieces.partition_point(|p| p.at <= at);
        piece(range.start) == piece(range.end - 1)
    }

    /// From a place to the end of its piece.
    fn piece_end(&self, at: u32, start: Span) -> Span {
        let i = self.pieces.partition_point(|p| p.at <= at);
        let end = i.checked_sub(1).and_then(|i| self.pieces.get(i)).map_or(start.end, |p| p.from.end);
        Span::new(start.source, start.start, end)
    }

    fn place(&self, at: u32) -> Option<(Span, Option<u32>)> {
        if at as usize >= self.text.len() {
            return None;
        }
        let i = self.pieces.partition_point(|p| p.at <= at).checked_sub(1)?;
        let piece = self.pieces.get(i)?;
        let span = if piece.even {
            let from = (piece.from.start + (at - piece.at)).min(piece.from.end);
            Span::new(piece.from.source, from, (from + 1).min(piece.from.end))
        } else {
            piece.from
        };
        Some((span, piece.via))
    }

    fn push_piece(&mut self, text: &str, from: Span, even: bool, via: Option<u32>) {
        self.keep(text, Piece { at: 0, from, even, via, quotes: Quotes::None });
    }

    /// Appends a text that came from a piece.
    fn keep(&mut self, text: &str, piece: Piece) {
        if !text.is_empty() {
            let at = self.text.len() as u32;
            self.pieces.push(Piece { at, ..piece });
            self.text.push_str(text);
        }
    }

    fn push_range(&mut self, other: &Self, range: Range<usize>, via: Option<u32>) {
        let shift = self.uses.len() as u32;
        self.uses.extend_from_slice(&other.uses);
        for (text, piece) in other.cut(range) {
            self.keep(text, Piece { via: piece.via.map(|v| v + shift).or(via), ..piece });
        }
    }

    /// Appends a part of a text whose lists this one knows already.
    pub(crate) fn push_same(&mut self, other: &Self, range: Range<usize>) {
        for (text, piece) in other.cut(range) {
            self.keep(text, piece);
        }
    }

    /// The pieces of a range, with their texts.
    fn cut(&self, range: Range<usize>) -> impl Iterator<Item = (&str, Piece)> {
        let first = self.pieces.partition_point(|p| p.at as usize <= range.start).saturating_sub(1);
        let last = self.pieces.partition_point(|p| (p.at as usize) < range.end);
        self.pieces.get(first..last).unwrap_or(&[]).iter().enumerate().filter_map(move |(i, piece)| {
            let next = self.pieces.get(first + i + 1).map_or(self.text.len(), |p| p.at as usize);
            let start = (piece.at as usize).max(range.start);
            let end = next.min(range.end);
            if start >= end {
                return None;
            }
            let mut piece = *piece;
            if piece.even {
                let from = piece.from.start + (start as u32 - piece.at);
                piece.from = Span::new(piece.from.source, from, from + (end - start) as u32);
            }
            Some((self.text.get(start..end)?, piece))
        })
    }
}
