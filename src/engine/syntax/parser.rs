//! Text to tree. The parser keeps its own stack of parentheses, so nesting costs memory and never the program's stack; it
//! goes on after an error at the next `and`, `or` or closing parenthesis, so that one look shows all that is wrong.

use super::ast::{
    Ast, Bytes, CallArg, Check, Modifier, NodeId, NodeKind, Op, Operand, OperandKind, Rhs, Transformer, Value,
};
use super::lexer::{Bad, Lexer, is_blank};
use crate::diag::Code;

/// How deep parentheses may nest; Falco's limit.
pub const MAX_DEPTH: usize = 1000;
/// How deep transformer calls may nest: they are read by recursion, and nobody nests ten.
const MAX_CALL_DEPTH: usize = 64;
/// After so many errors in one condition the rest is noise.
const MAX_ERRORS: usize = 8;

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
}

/// A tree and what was wrong. With errors the tree has [`NodeKind::Broken`] nodes.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The tree.
    pub ast: Ast,
    /// The errors, in order of place.
    pub errors: Vec<SyntaxError>,
}

/// Parses a condition.
pub fn parse(text: &str) -> Parsed {
    let mut parser = Parser::new(text);
    parser.condition();
    Parsed { ast: parser.ast, errors: parser.errors }
}

/// Parses a field or a transformer call alone, as exceptions and outputs name one.
pub fn parse_field(text: &str) -> Result<Operand, SyntaxError> {
    let mut parser = Parser::new(text);
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

fn error(code: Code, message: impl Into<String>, label: impl Into<String>, bytes: Bytes) -> SyntaxError {
    SyntaxError { code, message: message.into(), label: label.into(), bytes, note: None }
}

impl From<Bad> for SyntaxError {
    fn from(bad: Bad) -> Self {
        let mut out = error(Code::BadString, bad.message, "", bad.bytes);
        if bad.message.contains("escape") {
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
}

impl Frame {
    fn new(open: Option<u32>) -> Self {
        Self { open, ors: Vec::new(), ands: Vec::new(), nots: Vec::new() }
    }
}

pub(super) struct Parser<'t> {
    lexer: Lexer<'t>,
    ast: Ast,
    errors: Vec<SyntaxError>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Self {
        Self { lexer: Lexer::new(text), ast: Ast::default(), errors: Vec::new() }
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
                self.errors.push(error(
                    Code::Unclosed,
                    "this parenthesis is not closed",
                    "opened here",
                    open..open + 1,
                ));
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
            while let Some(at) = frame.nots.pop() {
                let end = self.ast.node(part).bytes.end;
                part = self.ast.push(NodeKind::Not(part), at..end);
            }
            frame.ands.push(part);
            self.lexer.blanks();
            if self.lexer.keyword("and") {
                return true;
            }
            if self.lexer.keyword("or") {
                let ands = std::mem::take(&mut frame.ands);
                let or = self.group(ands, NodeKind::And);
                frame.ors.push(or);
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
            self.unexpected(at);
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

    fn unexpected(&mut self, at: u32) {
        let mut found = if self.lexer.peek() == Some(b')') {
            error(
                Code::Unclosed,
                "this parenthesis closes nothing",
                "no parenthesis is open here",
                at..at + 1,
            )
        } else {
            let word = self.word_at(at);
            error(Code::Syntax, "`and`, `or` or the end was expected here", "this does not fit", at..word)
        };
        let text = self.lexer.rest();
        let lead = |word: &[u8]| text.len() >= word.len() && text[..word.len()].eq_ignore_ascii_case(word);
        if text.starts_with(b"&&") || text.starts_with(b"||") {
            found.note = Some("write `and` and `or` as words".to_owned());
        } else if lead(b"and") || lead(b"or") {
            found.note =
                Some("`and` and `or` are written small, with a blank or a parenthesis after them".to_owned());
        } else if !text.starts_with(b")") {
            found.note = Some(
                "a value with blanks, commas, parentheses, quotes or = needs quotes around it".to_owned(),
            );
        }
        self.errors.push(found);
    }

    /// The end of the word at `at`, for a label.
    fn word_at(&self, at: u32) -> u32 {
        let n = self.lexer.rest().iter().take_while(|b| !is_blank(**b) && !matches!(b, b'(' | b')')).count();
        at + (n.max(1) as u32).min(self.lexer.end().saturating_sub(at))
    }

    /// Skips to the next `and`, `or` or `)` that is not in quotes or in parentheses opened on the way.
    fn skip(&mut self) {
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

    /// A check or a macro.
    fn part(&mut self) -> NodeId {
        let start = self.lexer.at();
        match self.check_or_macro() {
            Ok(kind) => {
                let mut end = self.lexer.at();
                if let NodeKind::Macro(name) = &kind {
                    end = start + name.len() as u32;
                }
                self.ast.push(kind, start..end)
            }
            Err(found) => {
                self.errors.push(found);
                self.skip();
                self.ast.push(NodeKind::Broken, start..self.lexer.at())
            }
        }
    }

    fn check_or_macro(&mut self) -> Result<NodeKind, SyntaxError> {
        let start = self.lexer.at();
        let lhs = self.operand(0)?;
        let after = self.lexer.at();
        self.lexer.blanks();
        let Some((op, op_bytes)) = self.lexer.operator() else {
            if let OperandKind::Field { name, arg: None } = &lhs.kind
                && is_macro_name(name)
                && self.lexer.peek() != Some(b'(')
            {
                let name = name.clone();
                self.lexer.seek(after);
                return Ok(NodeKind::Macro(name));
            }
            return Err(self.no_operator(start, after));
        };
        let (modifier, rhs) = self.rhs(op)?;
        Ok(NodeKind::Check(Box::new(Check { lhs, op, op_bytes, modifier, rhs })))
    }

    fn no_operator(&mut self, start: u32, after: u32) -> SyntaxError {
        let at = self.lexer.at();
        if self.lexer.peek() == Some(b'(') {
            let mut found = error(Code::Syntax, "there is no such transformer", "", start..after);
            let words: Vec<_> = Transformer::ALL.iter().map(|t| t.word()).collect();
            found.note = Some(format!("the transformers are {}", words.join(", ")));
            return found;
        }
        let (bytes, label) = if at >= self.lexer.end() {
            (start..after, "the condition ends after it")
        } else {
            (at..self.word_at(at), "this is not one")
        };
        let mut found = error(Code::Syntax, "an operator was expected after the field", label, bytes);
        let words: Vec<_> = Op::ALL.iter().map(|op| op.word()).collect();
        found.note = Some(format!("the operators are {}", words.join(" ")));
        found
    }

    /// A field or a transformer call.
    fn operand(&mut self, depth: usize) -> Result<Operand, SyntaxError> {
        let start = self.lexer.at();
        let Some(name) = self.lexer.name() else {
            let end = self.word_at(start).min(self.lexer.end());
            let label = match self.lexer.peek() {
                None => "the condition ends here",
                Some(b')') => "nothing stands before this",
                Some(_) => "this is neither",
            };
            return Err(error(
                Code::Syntax,
                "a field, a macro or a parenthesis was expected here",
                label,
                start..end,
            ));
        };
        let name = name.to_owned();
        if let (Some(transformer), Some(b'(')) = (Transformer::from_word(&name), self.lexer.peek()) {
            return self.call(transformer, start, depth);
        }
        let arg = self.bracket()?;
        Ok(Operand { kind: OperandKind::Field { name, arg }, bytes: start..self.lexer.at() })
    }

    fn bracket(&mut self) -> Result<Option<Value>, SyntaxError> {
        let open = self.lexer.at();
        if !self.lexer.byte(b'[') {
            return Ok(None);
        }
        let Some(value) = self.lexer.argument()? else {
            return Err(error(Code::BadArgument, "the brackets hold no argument", "", open..open + 1));
        };
        if !self.lexer.byte(b']') {
            let mut found =
                error(Code::Unclosed, "this bracket is not closed", "opened here", open..open + 1);
            found.note = Some("an argument with blanks or brackets needs quotes".to_owned());
            return Err(found);
        }
        Ok(Some(value))
    }

    fn call(&mut self, name: Transformer, start: u32, depth: usize) -> Result<Operand, SyntaxError> {
        if depth >= MAX_CALL_DEPTH {
            return Err(error(
                Code::TooDeep,
                "transformer calls are nested too deep",
                "",
                start..self.lexer.at(),
            ));
        }
        let open = self.lexer.at();
        self.lexer.byte(b'(');
        let args = self.call_args(open, depth)?;
        if !name.takes_list() && args.len() != 1 {
            let message = format!("`{}` takes one argument", name.word());
            return Err(error(Code::Syntax, message, "", start..self.lexer.at()));
        }
        let pick = self.bracket()?;
        Ok(Operand { kind: OperandKind::Call { name, args, pick }, bytes: start..self.lexer.at() })
    }

    /// The arguments up to and with the closing parenthesis; the opening one is taken.
    fn call_args(&mut self, open: u32, depth: usize) -> Result<Vec<CallArg>, SyntaxError> {
        if depth >= MAX_CALL_DEPTH {
            return Err(error(Code::TooDeep, "transformer calls are nested too deep", "", open..open + 1));
        }
        let mut args = Vec::new();
        loop {
            self.lexer.blanks();
            let at = self.lexer.at();
            let arg = match self.lexer.peek() {
                Some(b'(') => {
                    self.lexer.byte(b'(');
                    CallArg::List(self.call_args(at, depth + 1)?)
                }
                Some(b'"' | b'\'') => match self.lexer.value()? {
                    Some(value) => CallArg::Constant(value),
                    None => return Err(error(Code::Syntax, "an argument was expected here", "", at..at)),
                },
                _ => CallArg::Operand(self.operand(depth + 1)?),
            };
            args.push(arg);
            self.lexer.blanks();
            if self.lexer.byte(b',') {
                continue;
            }
            if self.lexer.byte(b')') {
                return Ok(args);
            }
            return Err(error(
                Code::Unclosed,
                "this parenthesis is not closed",
                "opened here",
                open..open + 1,
            ));
        }
    }

    fn rhs(&mut self, op: Op) -> Result<(Option<Modifier>, Rhs), SyntaxError> {
        if op == Op::Exists {
            return Ok((None, Rhs::None));
        }
        self.lexer.blanks();
        if let Some(rhs) = self.rhs_field()? {
            return Ok((None, rhs));
        }
        let at = self.lexer.at();
        if op.takes_number() {
            let Some(value) = self.lexer.number() else {
                let end = self.word_at(at).min(self.lexer.end());
                let message = format!("a number was expected after `{}`", op.word());
                return Err(error(Code::Syntax, message, "this does not start with one", at..end));
            };
            return Ok((None, Rhs::Value(value)));
        }
        if op.takes_list() {
            return Ok((None, self.list_or_word(op)?));
        }
        if let Some(modifier) = Modifier::from_word(self.lexer.peek_word()) {
            self.lexer.seek(at + modifier.word().len() as u32);
            self.lexer.blanks();
            if self.lexer.peek() == Some(b'(') {
                return Ok((Some(modifier), Rhs::List(self.list()?)));
            }
            self.lexer.seek(at);
        }
        if let Some(value) = self.lexer.value()? {
            Ok((None, Rhs::Value(value)))
        } else {
            let end = self.word_at(at).min(self.lexer.end());
            let message = format!("a value was expected after `{}`", op.word());
            let mut found = error(Code::Syntax, message, "this is none", at..end);
            if self.lexer.peek() == Some(b'(') {
                found.note = Some(format!("use `in (…)`, or `{} anyof (…)`", op.word()));
            }
            Err(found)
        }
    }

    /// `val(field)` or a transformer call.
    fn rhs_field(&mut self) -> Result<Option<Rhs>, SyntaxError> {
        let at = self.lexer.at();
        let word = self.lexer.peek_word();
        if self.lexer.rest().get(word.len()) != Some(&b'(') {
            return Ok(None);
        }
        if Transformer::from_word(word).is_some() {
            return Ok(Some(Rhs::Call(self.operand(0)?)));
        }
        if word != "val" {
            return Ok(None);
        }
        self.lexer.seek(at + 4);
        self.lexer.blanks();
        let field = self.operand(0)?;
        self.lexer.blanks();
        if !self.lexer.byte(b')') {
            return Err(error(
                Code::Unclosed,
                "this parenthesis is not closed",
                "opened here",
                at + 3..at + 4,
            ));
        }
        Ok(Some(Rhs::Field(field)))
    }

    fn list_or_word(&mut self, op: Op) -> Result<Rhs, SyntaxError> {
        let at = self.lexer.at();
        if self.lexer.peek() == Some(b'(') {
            return Ok(Rhs::List(self.list()?));
        }
        let word = self.lexer.peek_word();
        let after = self.lexer.rest().get(word.len()).copied();
        if is_macro_name(word) && after.is_none_or(|b| is_blank(b) || b == b')') {
            let end = at + word.len() as u32;
            self.lexer.seek(end);
            let value = Value { bytes: word.as_bytes().to_vec(), quoted: false, at: at..end };
            return Ok(Rhs::List(vec![value]));
        }
        let end = self.word_at(at).min(self.lexer.end());
        let message = format!("a list in parentheses was expected after `{}`", op.word());
        Err(error(Code::Syntax, message, "this is none", at..end))
    }

    fn list(&mut self) -> Result<Vec<Value>, SyntaxError> {
        let values = self.list_values();
        if values.is_err() {
            // The list's own closing parenthesis belongs to what is skipped.
            self.skip();
            self.lexer.byte(b')');
        }
        values
    }

    fn list_values(&mut self) -> Result<Vec<Value>, SyntaxError> {
        let open = self.lexer.at();
        self.lexer.byte(b'(');
        self.lexer.blanks();
        let mut values = Vec::new();
        if self.lexer.byte(b')') {
            return Ok(values);
        }
        loop {
            self.lexer.blanks();
            let at = self.lexer.at();
            match self.lexer.value()? {
                Some(value) => values.push(value),
                None if at >= self.lexer.end() => {
                    return Err(error(
                        Code::Unclosed,
                        "this parenthesis is not closed",
                        "opened here",
                        open..open + 1,
                    ));
                }
                None => {
                    let end = (at + 1).min(self.lexer.end());
                    return Err(error(Code::Syntax, "a value was expected here", "this is none", at..end));
                }
            }
            self.lexer.blanks();
            let at = self.lexer.at();
            if self.lexer.byte(b')') {
                return Ok(values);
            }
            if !self.lexer.byte(b',') {
                if at >= self.lexer.end() {
                    return Err(error(
                        Code::Unclosed,
                        "this parenthesis is not closed",
                        "opened here",
                        open..open + 1,
                    ));
                }
                let end = self.word_at(at);
                return Err(error(
                    Code::Syntax,
                    "a comma or a closing parenthesis was expected here",
                    "",
                    at..end,
                ));
            }
        }
    }
}

/// Whether a word may name a macro: a letter, then letters, digits and underscores.
fn is_macro_name(word: &str) -> bool {
    word.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
