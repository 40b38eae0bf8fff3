//! Text to tree. The parser keeps its own stack of parentheses, so nesting costs memory and never the program's stack; it
//! goes on after an error at the next `and`, `or` or closing parenthesis, so that one look shows all that is wrong.

use super::ast::{Ast, Bytes, NodeId, NodeKind, Operand};
use super::lexer::{Bad, Lexer, UNKNOWN_ESCAPE, is_blank};
use super::recover::{Joiner, Joiners, Then};
use crate::diag::{Certainty, Code};
use crate::dialect::Dialect;

/// How deep parentheses may nest; Falco's limit.
pub const MAX_DEPTH: usize = 1000;
/// How deep transformer calls may nest: they are read by recursion, and nobody nests ten.
pub(super) const MAX_CALL_DEPTH: usize = 64;
/// After so many errors in one condition the rest is noise.
pub(super) const MAX_ERRORS: usize = 8;

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The kind of fault.
    pub code: Code,
    /// One sentence.
    pub message: String,
    /// Words for the place.
    pub label: String,
    /// Where.
    pub bytes: Bytes,
    /// What to do instead.
    pub note: Option<String>,
    /// A change that would mend it.
    pub mend: Option<Box<TextMend>>,
}

/// A change of a condition's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextMend {
    /// What it does, as a short imperative.
    pub title: String,
    /// The bytes to replace.
    pub bytes: Bytes,
    /// What to put there.
    pub replacement: String,
    /// Whether it is surely what was meant.
    pub certainty: Certainty,
}

impl SyntaxError {
    /// Adds a sentence.
    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// Adds a change that is surely what was meant.
    pub(super) fn mend(self, title: impl Into<String>, bytes: Bytes, replacement: impl Into<String>) -> Self {
        self.change(title, bytes, replacement, Certainty::Sure)
    }

    /// Adds a change that is only likely what was meant.
    pub(super) fn guess(
        self,
        title: impl Into<String>,
        bytes: Bytes,
        replacement: impl Into<String>,
    ) -> Self {
        self.change(title, bytes, replacement, Certainty::Guess)
    }

    fn change(
        mut self,
        title: impl Into<String>,
        bytes: Bytes,
        replacement: impl Into<String>,
        certainty: Certainty,
    ) -> Self {
        let (title, replacement) = (title.into(), replacement.into());
        self.mend = Some(Box::new(TextMend { title, bytes, replacement, certainty }));
        self
    }
}

/// A tree and what was wrong. With errors the tree has [`NodeKind::Broken`] nodes.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The tree.
    pub ast: Ast,
    /// The errors, in order of place.
    pub errors: Vec<SyntaxError>,
}

/// Parses a condition in the default dialect.
pub fn parse(text: &str) -> Parsed {
    parse_in(text, Dialect::default())
}

/// Parses a condition in a dialect.
pub fn parse_in(text: &str, dialect: Dialect) -> Parsed {
    let mut parser = Parser::new(text, dialect);
    parser.condition();
    Parsed { ast: parser.ast, errors: parser.errors }
}

/// Parses the transformer call at a place of a text, and says where it ends.
pub fn parse_call(text: &str, start: u32) -> Result<(Operand, usize), SyntaxError> {
    let mut parser = Parser::new(text, Dialect::default());
    parser.lexer.seek(start);
    let operand = parser.operand(0)?;
    let end = parser.lexer.at();
    Ok((operand, end as usize))
}

/// Parses a field or a transformer call alone, as exceptions and outputs name one.
pub fn parse_field(text: &str) -> Result<Operand, SyntaxError> {
    let mut parser = Parser::new(text, Dialect::default());
    parser.lexer.blanks();
    let operand = parser.operand(0)?;
    parser.lexer.blanks();
    let at = parser.lexer.at();
    if at < parser.lexer.end() {
        return Err(error(
            Code::Syntax,
            "a field was expected here",
            "this does not belong to it",
            at..parser.lexer.end(),
        ));
    }
    Ok(operand)
}

pub(super) fn error(
    code: Code,
    message: impl Into<String>,
    label: impl Into<String>,
    bytes: Bytes,
) -> SyntaxError {
    SyntaxError { code, message: message.into(), label: label.into(), bytes, note: None, mend: None }
}

/// A parenthesis that is open where its part ends.
pub(super) fn not_closed(open: u32, end: u32) -> SyntaxError {
    error(Code::Unclosed, "this parenthesis is not closed", "opened here", open..open + 1).guess(
        "close it where its part ends",
        end..end,
        ")",
    )
}

impl From<Bad> for SyntaxError {
    fn from(bad: Bad) -> Self {
        let label = if bad.message.ends_with("not closed") { "opened here" } else { "" };
        let mut out = error(Code::BadString, bad.message, label, bad.bytes.clone());
        if bad.message == UNKNOWN_ESCAPE {
            let start = bad.bytes.start;
            out = out.guess("for a backslash write two", start..start, "\\");
        }
        if bad.message.ends_with("not closed") {
            let note = "it ends at the next quote of the same kind that has no backslash before it";
            out.note = Some(note.to_owned());
        } else if bad.message.contains("escapes") {
            out.note = Some("inside the other kind of quotes a quote needs no backslash".to_owned());
        } else if bad.message.contains("escape") {
            out.note = Some(
                "the escapes are \\b \\f \\n \\r \\t \\\\ \\/ \\\" \\' and \\xHH; write a backslash as two"
                    .to_owned(),
            );
        }
        out
    }
}

/// A parenthesis that is open, or the whole condition.
struct Frame {
    open: Option<u32>,
    /// Finished alternatives of the `or`.
    ors: Vec<NodeId>,
    /// Parts of the current `and`.
    ands: Vec<NodeId>,
    /// Where each `not` before the next part stands.
    nots: Vec<u32>,
    /// Whether the last `or` stands against a parenthesis.
    tight_or: bool,
}

impl Frame {
    fn new(open: Option<u32>) -> Self {
        Self { open, ors: Vec::new(), ands: Vec::new(), nots: Vec::new(), tight_or: false }
    }
}

pub(super) struct Parser<'t> {
    pub(super) lexer: Lexer<'t>,
    pub(super) ast: Ast,
    pub(super) errors: Vec<SyntaxError>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, dialect: Dialect) -> Self {
        Self { lexer: Lexer::new(text, dialect), ast: Ast::default(), errors: Vec::new() }
    }

    fn condition(&mut self) {
        let mut stack = vec![Frame::new(None)];
        let mut too_deep = false;
        while self.errors.len() < MAX_ERRORS {
            self.lexer.blanks();
            let Some(frame) = stack.last_mut() else { break };
            let at = self.lexer.at();
            if self.lexer.keyword("not") {
                frame.nots.push(at);
                continue;
            }
            if let Some(width) = self.lexer.foreign_not() {
                frame.nots.push(at);
                self.foreign_not(at, width);
                continue;
            }
            let depth = stack.len();
            if self.lexer.byte(b'(') {
                if depth > MAX_DEPTH {
                    let label = format!("this is parenthesis number {depth} that is open");
                    self.errors.push(error(Code::TooDeep, "nested too deep", label, at..at + 1));
                    too_deep = true;
                    break;
                }
                stack.push(Frame::new(Some(at)));
                continue;
            }
            let part = self.part();
            if !self.after_part(&mut stack, part) {
                break;
            }
        }
        // What is still open closes at the end; each was reported, unless reading stopped early.
        let silent = too_deep || self.errors.len() >= MAX_ERRORS;
        while let Some(frame) = stack.pop() {
            if let (Some(open), false) = (frame.open, silent) {
                let end = self.lexer.trimmed_end();
                self.errors.push(not_closed(open, end));
            }
            let node = self.close(frame);
            if let Some(outer) = stack.last_mut() {
                outer.ands.push(node);
            }
        }
        self.errors.sort_by_key(|e| e.bytes.start);
    }

    /// Puts a part in place and reads what follows it. Says whether another part comes.
    fn after_part(&mut self, stack: &mut Vec<Frame>, mut part: NodeId) -> bool {
        loop {
            let Some(frame) = stack.last_mut() else { return false };
            // Two that stand side by side cancel each other, as in Falco; in parentheses each counts.
            let odd = frame.nots.len() % 2 == 1;
            if let (Some(at), true) = (frame.nots.first(), odd) {
                let end = self.ast.node(part).bytes.end;
                part = self.ast.push(NodeKind::Not(part), *at..end);
            }
            frame.nots.clear();
            frame.ands.push(part);
            self.lexer.blanks();
            // Behind `or(…)` Falco 0.44 reads on with `or` alone.
            let joiners =
                if frame.tight_or && self.lexer.is_exact() { Joiners::OrAlone } else { Joiners::Both };
            if let Some(joiner) = self.joiner(joiners) {
                self.join(stack, joiner);
                return true;
            }
            let at = self.lexer.at();
            if self.lexer.peek() == Some(b')') && stack.len() > 1 {
                self.lexer.byte(b')');
                let Some(frame) = stack.pop() else { return false };
                part = self.close(frame);
                continue;
            }
            if at >= self.lexer.end() {
                return false;
            }
            match self.unexpected(at, part) {
                Then::Part(joiner) => {
                    self.join(stack, joiner);
                    return self.errors.len() < MAX_ERRORS;
                }
                Then::Stop => return false,
                Then::Skip => {}
            }
            if self.errors.len() >= MAX_ERRORS {
                return false;
            }
            self.skip();
            if self.lexer.at() >= self.lexer.end() {
                return false;
            }
            // The next word is a keyword or a parenthesis: go on as if what was skipped belonged to the part.
            let Some(frame) = stack.last_mut() else { return false };
            let Some(last) = frame.ands.pop() else { return false };
            part = last;
            if self.lexer.peek() == Some(b')') && stack.len() == 1 {
                self.lexer.byte(b')');
            }
        }
    }

    fn join(&mut self, stack: &mut [Frame], joiner: Joiner) {
        if let (Joiner::Or, Some(frame)) = (joiner, stack.last_mut()) {
            let ands = std::mem::take(&mut frame.ands);
            let or = self.group(ands, NodeKind::And);
            if let Some(frame) = stack.last_mut() {
                frame.tight_or = self.lexer.peek() == Some(b'(');
                frame.ors.push(or);
            }
        }
    }

    /// The end of the word at `at`, for a label.
    pub(super) fn word_at(&self, at: u32) -> u32 {
        let n = self.lexer.rest().iter().take_while(|b| !is_blank(**b) && !matches!(b, b'(' | b')')).count();
        at + (n.max(1) as u32).min(self.lexer.end().saturating_sub(at))
    }

    /// Skips to the next `and`, `or` or `)` that is not in quotes or in parentheses opened on the way.
    pub(super) fn skip(&mut self) {
        let mut open = 0_u32;
        let mut before = b' ';
        let mut quote = None;
        while let Some(byte) = self.lexer.peek() {
            match (quote, byte) {
                (Some(q), b) if q == b => quote = None,
                (Some(_), _) => {}
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, b'(') => open += 1,
                (None, b')') if open == 0 => return,
                (None, b')') => open -= 1,
                _ => {
                    let starts = open == 0 && (is_blank(before) || before == b')');
                    if starts && (self.lexer.peek_keyword("and") || self.lexer.peek_keyword("or")) {
                        return;
                    }
                }
            }
            before = byte;
            self.lexer.seek(self.lexer.at() + 1);
        }
    }

    fn close(&mut self, frame: Frame) -> NodeId {
        let mut ors = frame.ors;
        if !frame.ands.is_empty() || ors.is_empty() {
            let last = self.group(frame.ands, NodeKind::And);
            ors.push(last);
        }
        self.group(ors, NodeKind::Or)
    }

    fn group(&mut self, parts: Vec<NodeId>, kind: impl Fn(Vec<NodeId>) -> NodeKind) -> NodeId {
        match parts.as_slice() {
            [] => {
                let at = self.lexer.at();
                self.ast.push(NodeKind::Broken, at..at)
            }
            [one] => *one,
            [first, .., last] => {
                let bytes = self.ast.node(*first).bytes.start..self.ast.node(*last).bytes.end;
                self.ast.push(kind(parts), bytes)
            }
        }
    }
}
