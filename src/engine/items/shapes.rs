//! Mends for values of the wrong kind: a single value as a sequence, a sequence as one text. They are made of the bytes that
//! the person wrote, so quotes stay as they are.

use crate::diag::Certainty;
use crate::items::{KINDS, Reader};
use crate::source::Span;
use crate::yaml::{Kind, Node, ScalarStyle};

impl Reader<'_> {
    /// A single value as a sequence, and whether that is surely what was meant.
    pub(super) fn as_sequence(&self, node: &Node) -> Option<(String, Certainty)> {
        let Kind::Scalar(scalar) = &node.kind else { return None };
        let raw = self.raw(node)?;
        match scalar.style {
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                // One text with commas in it was probably meant as several.
                let certainty = if scalar.text.contains(',') { Certainty::Guess } else { Certainty::Sure };
                Some((format!("[{raw}]"), certainty))
            }
            ScalarStyle::Plain if !raw.is_empty() && !raw.contains(['[', ']', '{', '}', '\n', '#']) => {
                let words = raw.split_whitespace().count();
                let parts = raw.split(',').filter(|part| !part.trim().is_empty()).count();
                if words <= parts {
                    return Some((format!("[{raw}]"), Certainty::Sure));
                }
                let list: Vec<_> = raw.split([',', ' ']).filter(|part| !part.is_empty()).collect();
                Some((format!("[{}]", list.join(", ")), Certainty::Guess))
            }
            _ => None,
        }
    }

    /// A sequence of texts as one.
    pub(super) fn joined(&self, node: &Node, between: &str) -> Option<String> {
        let Kind::Sequence(nodes) = &node.kind else { return None };
        let texts: Option<Vec<_>> = nodes
            .iter()
            .map(|node| {
                self.raw(node)
                    .filter(|_| matches!(&node.kind, Kind::Scalar(s) if s.style == ScalarStyle::Plain))
            })
            .collect();
        let text = texts.filter(|texts| !texts.is_empty())?.join(between);
        (!text.contains(['\n', '#']) && !text.contains(": ")).then_some(text)
    }

    /// A mapping that is the whole of a file and one item by its keys, as that item: which bytes, and what they become.
    pub(super) fn as_item(&self, node: &Node) -> Option<(Span, String)> {
        let Kind::Mapping(pairs) = &node.kind else { return None };
        let named = pairs.iter().filter(|(key, _)| key.text().is_some_and(|key| KINDS.contains(&key)));
        let start = pairs.first()?.0.span.start;
        let bytes = start as usize..node.end as usize;
        let text = self.file.get(bytes)?;
        let first = start == 0 || self.file.get(..start as usize)?.ends_with('\n');
        if named.count() != 1 || !first {
            return None;
        }
        let lines = text.split_inclusive('\n').enumerate().map(|(n, line)| match n {
            0 => format!("- {line}"),
            _ if line.trim().is_empty() => line.to_owned(),
            _ => format!("  {line}"),
        });
        Some((Span::new(self.source, start, node.end), lines.collect()))
    }

    /// The bytes of a node as they stand in the file.
    fn raw(&self, node: &Node) -> Option<&str> {
        self.file.get(node.span.start as usize..node.span.end as usize).map(str::trim_end)
    }
}
