//! YAML text to a small tree whose every node knows its bytes.
//!
//! The tree is all the loader needs of YAML: scalars, sequences, mappings, aliases already followed. Syntax errors become
//! diagnostics; the items before and after a broken one survive, because reading starts again at the next `- ` in the
//! first column.

pub(crate) mod faults;
mod scalar_map;

pub use granit_parser::ScalarStyle;
use granit_parser::{Event, Parser, ScanError};
use rustc_hash::FxHashMap;

pub use scalar_map::ScalarMap;

use crate::diag::{Code, Diagnostic};
use crate::source::{SourceId, Span};

/// A node of the tree.
#[derive(Clone, Debug)]
pub struct Node {
    /// The node's bytes; of a mapping, those of its first key.
    pub span: Span,
    /// One past the last byte of everything in it.
    pub end: u32,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A scalar, decoded.
    Scalar(Scalar),
    /// A sequence.
    Sequence(Vec<Node>),
    /// A mapping, in the order written.
    Mapping(Vec<(Node, Node)>),
}

/// A decoded scalar.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// The text that YAML says it means.
    pub text: String,
    /// How it was written.
    pub style: ScalarStyle,
    /// Whether a tag stands before it: what is tagged is a text, whatever it looks like.
    pub tagged: bool,
}

impl Node {
    /// The decoded text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// Whether it is a null: nothing, `~` or `null` without quotes and tag.
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(s)
            if s.style == ScalarStyle::Plain && !s.tagged && matches!(s.text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// What it is, for a message.
    pub fn kind_word(&self) -> &'static str {
        match &self.kind {
            _ if self.is_null() => "nothing",
            Kind::Scalar(_) => "a single value",
            Kind::Sequence(_) => "a sequence",
            Kind::Mapping(_) => "a mapping",
        }
    }
}

/// One document: its root, unless the document was empty.
pub type Documents = Vec<Node>;

/// How much the aliases of one file may copy, in nodes: enough for any real file, too few for an alias bomb.
const ALIAS_NODES: usize = 100_000;

/// Reads every document of a text.
pub fn read(source: SourceId, text: &str, diagnostics: &mut Vec<Diagnostic>) -> Documents {
    let mut documents = Vec::new();
    let mut base = 0;
    // Each round reads from `base`; a syntax error ends the round, and the next starts at the next item.
    while base <= text.len() {
        let mut builder = Builder::new(source, base as u32, text);
        let failed = builder.run(&text[base..]);
        documents.append(&mut builder.documents);
        if let Some(span) = builder.too_much.take() {
            let label = format!("more than {ALIAS_NODES} nodes up to here");
            let message = "the aliases of this file stand for too much";
            diagnostics.push(Diagnostic::new(Code::YamlSyntax, message, span, label));
        }
        let Some(error) = failed else { break };
        let at = floor(text, base + error.marker().byte_offset().unwrap_or(0).min(text.len() - base));
        let found = faults::diagnostic(source, text, base, at, &error.info(), &stops);
        // Reading goes on behind the item with the fault, which may have swallowed the start of the next one.
        let fault = found.place().map_or(at, |span| span.start as usize);
        let from = faults::item_around(text, fault.min(at)).start.max(base);
        diagnostics.push(found.note("the item was left out"));
        match next_item(text, from + 1) {
            Some(next) => base = next,
            None => break,
        }
    }
    documents
}

/// Where a text stops being YAML, if it does.
fn stops(text: &str) -> Option<usize> {
    let mut builder = Builder::new(SourceId(0), 0, text);
    builder.run(text).map(|error| error.marker().byte_offset().unwrap_or(0))
}

fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The start of the next line from `from` on that begins an item or a document.
fn next_item(text: &str, from: usize) -> Option<usize> {
    let mut at = floor(text, from);
    loop {
        at += text[at..].find('\n')? + 1;
        let rest = &text[at..];
        if rest.starts_with("- ") || rest.starts_with("---") {
            return Some(at);
        }
    }
}

/// A collection that is being filled.
enum Open {
    Sequence(Vec<Node>),
    Mapping(Vec<(Node, Node)>, Option<Node>),
}

struct Frame {
    open: Open,
    span: Span,
    anchor: usize,
}

struct Builder {
    source: SourceId,
    base: u32,
    stack: Vec<Frame>,
    documents: Documents,
    anchors: FxHashMap<usize, Node>,
    copied: usize,
    /// The first alias that was not followed any more.
    too_much: Option<Span>,
    /// How long the file is, and whether its last line has no line break.
    length: usize,
    cut_off: bool,
}

impl Builder {
    fn new(source: SourceId, base: u32, text: &str) -> Self {
        Self {
            source,
            base,
            stack: Vec::new(),
            documents: Vec::new(),
            anchors: FxHashMap::default(),
            copied: 0,
            too_much: None,
            length: text.len(),
            cut_off: !text.ends_with('\n'),
        }
    }

    /// Reads to the end or to the first error. After an error the finished items of the open top-level sequence are kept.
    fn run(&mut self, text: &str) -> Option<ScanError> {
        let options = granit_parser::options! { emit_comments: false };
        let mut parser = Parser::new_from_str_with_options(text, options);
        while let Some(next) = parser.next_event() {
            match next {
                Ok((event, span)) => {
                    let range = span.byte_range().unwrap_or(0..0);
                    let span =
                        Span::new(self.source, self.base + range.start as u32, self.base + range.end as u32);
                    self.event(event, span);
                }
                Err(error) => {
                    self.keep_finished();
                    return Some(error);
                }
            }
        }
        None
    }

    fn event(&mut self, event: Event<'_>, span: Span) {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let mut text = text.into_owned();
                // A block that the end of the file cuts off has no line break at its end.
                let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                if block && self.cut_off && span.end as usize >= self.length && text.ends_with('\n') {
                    text.pop();
                }
                let scalar = Scalar { text, style, tagged: tag.is_some() };
                let node = Node { span, end: span.end, kind: Kind::Scalar(scalar) };
                self.finish(node, anchor);
            }
            Event::SequenceStart(_, anchor, _) => {
                self.stack.push(Frame { open: Open::Sequence(Vec::new()), span, anchor });
            }
            Event::MappingStart(_, anchor, _) => {
                self.stack.push(Frame { open: Open::Mapping(Vec::new(), None), span, anchor });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(frame) = self.stack.pop() {
                    // A flow collection ends with a bracket of its own, a block one with its last part.
                    let closed = if span.end > span.start { span.end } else { frame.span.end };
                    let (kind, span, end) = match frame.open {
                        Open::Sequence(items) => {
                            let end = items.last().map_or(closed, |n| n.end.max(closed));
                            let span = Span::new(frame.span.source, frame.span.start, end);
                            (Kind::Sequence(items), span, end)
                        }
                        Open::Mapping(pairs, _) => {
                            let first = pairs.first().map_or(frame.span, |(key, _)| key.span);
                            let end = pairs.last().map_or(closed, |(_, n)| n.end.max(closed));
                            // One in braces is shown whole, one in lines by its first key.
                            let flow = span.end > span.start;
                            let shown = if flow {
                                Span::new(frame.span.source, frame.span.start, end)
                            } else {
                                first
                            };
                            (Kind::Mapping(pairs), shown, end)
                        }
                    };
                    self.finish(Node { span, end, kind }, frame.anchor);
                }
            }
            Event::Alias(id) => {
                // Looked at before it is copied: what is too much never comes to be.
                let node = self.anchors.get(&id).filter(|node| {
                    self.copied += size(node);
                    self.copied <= ALIAS_NODES
                });
                let node = node.cloned();
                if node.is_none() && self.copied > ALIAS_NODES {
                    self.too_much.get_or_insert(span);
                }
                let node = node.unwrap_or(Node {
                    span,
                    end: span.end,
                    kind: Kind::Scalar(Scalar {
                        text: String::new(),
                        style: ScalarStyle::Plain,
                        tagged: false,
                    }),
                });
                self.finish(node, 0);
            }
            _ => {}
        }
    }

    fn finish(&mut self, node: Node, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.stack.last_mut().map(|frame| &mut frame.open) {
            None => self.documents.push(node),
            Some(Open::Sequence(items)) => items.push(node),
            Some(Open::Mapping(pairs, key)) => match key.take() {
                None => *key = Some(node),
                Some(key) => pairs.push((key, node)),
            },
        }
    }

    fn keep_finished(&mut self) {
        if self.stack.is_empty() {
            return;
        }
        let frame = self.stack.swap_remove(0);
        if let Open::Sequence(items) = frame.open
            && !items.is_empty()
        {
            self.documents.push(Node { span: frame.span, end: frame.span.end, kind: Kind::Sequence(items) });
        }
    }
}

/// How many nodes there are below and including this one. The parser limits nesting to 255, so recursion is shallow.
fn size(node: &Node) -> usize {
    match &node.kind {
        Kind::Scalar(_) => 1,
        Kind::Sequence(items) => 1 + items.iter().map(size).sum::<usize>(),
        Kind::Mapping(pairs) => 1 + pairs.iter().map(|(k, v)| size(k) + size(v)).sum::<usize>(),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn names(text: &str) -> (Vec<String>, usize) {
        let mut diagnostics = Vec::new();
        let documents = read(SourceId(0), text, &mut diagnostics);
        let mut found = Vec::new();
        for document in &documents {
            if let Kind::Sequence(items) = &document.kind {
                for item in items {
                    if let Kind::Mapping(pairs) = &item.kind {
                        found.push(pairs[0].1.text().unwrap_or("?").to_owned());
                    }
                }
            }
        }
        (found, diagnostics.len())
    }

    #[test]
    fn a_broken_item_leaves_its_neighbours() {
        let text = "- rule: a\n  desc: x\n- rule: b\n desc: [\n- rule: c\n  desc: y\n";
        let (found, errors) = names(text);
        assert!(found.contains(&"a".to_owned()), "{found:?}");
        assert!(found.contains(&"c".to_owned()), "{found:?}");
        assert!(errors >= 1);
    }

    #[test]
    fn several_documents_and_aliases_are_read() {
        let (found, errors) = names("- list: &n one\n---\n- list: two\n- x: 1\n");
        assert_eq!(found, ["one", "two", "1"]);
        assert_eq!(errors, 0);
        let mut diagnostics = Vec::new();
        let documents = read(SourceId(0), "- a: &x [p, q]\n  b: *x\n", &mut diagnostics);
        let Kind::Sequence(items) = &documents[0].kind else { panic!("a sequence") };
        let Kind::Mapping(pairs) = &items[0].kind else { panic!("a mapping") };
        assert!(matches!(&pairs[1].1.kind, Kind::Sequence(v) if v.len() == 2));
    }

    #[test]
    fn an_alias_bomb_stays_small() {
        let mut text = String::from("- a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for i in 1..12 {
            let before = format!("*a{}", i - 1);
            let _ = writeln!(text, "- a{i}: &a{i} [{}]", vec![before; 10].join(","));
        }
        let mut found = Vec::new();
        let documents = read(SourceId(0), &text, &mut found);
        assert!(documents.iter().map(size).sum::<usize>() < 3 * ALIAS_NODES);
        assert_eq!(found.len(), 1, "{found:?}");
    }
}
