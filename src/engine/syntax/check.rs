//! The parts that `and`, `or` and `not` join: a comparison with its operand, operator and right side, or a macro's name.

use super::ast::{
    CallArg, Check, Modifier, NodeId, NodeKind, Op, Operand, OperandKind, Rhs, Transformer, Value,
};
use super::lexer::is_blank;
use super::parser::{MAX_CALL_DEPTH, Parser, SyntaxError, error};
use crate::diag::{Code, did_you_mean};
use eyas_event::{FieldId, FieldType};

impl Parser<'_> {
    /// A check or a macro.
    pub(super) fn part(&mut self) -> NodeId {
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
        if let OperandKind::Field { name, arg: None } = &lhs.kind
            && is_macro_name(name)
            && self.lexer.operator().is_some()
        {
            let near = crate::fields::near(name);
            let message = format!("there is no field `{name}`");
            let label = "a word without a point names a macro";
            let mut found = error(Code::Syntax, message, label, start..after);
            found.near = near;
            return Err(found);
        }
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
        let (modifier, rhs) = self.rhs(&lhs, op)?;
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
        let written = self.lexer.peek_word();
        let mut found = error(Code::Syntax, "an operator was expected after the field", label, bytes);
        if at < self.lexer.end() {
            found.near =
                often_meant(written).or_else(|| did_you_mean(written, Op::ALL.iter().map(|op| op.word())));
        }
        if written == "not" {
            found.note = Some("`not` stands before the field: `not proc.name in (…)`".to_owned());
            return found;
        }
        let words: Vec<_> = Op::ALL.iter().map(|op| op.word()).collect();
        found.note = Some(format!("the operators are {}", words.join(" ")));
        found
    }

    /// A field or a transformer call.
    pub(super) fn operand(&mut self, depth: usize) -> Result<Operand, SyntaxError> {
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
        let args = self.call_args(open, depth, InList::No)?;
        if !name.takes_list() && args.len() != 1 {
            let message = format!("`{}` takes one argument", name.word());
            return Err(error(Code::Syntax, message, "", start..self.lexer.at()));
        }
        let pick = self.bracket()?;
        Ok(Operand { kind: OperandKind::Call { name, args, pick }, bytes: start..self.lexer.at() })
    }

    /// The arguments up to and with the closing parenthesis; the opening one is taken.
    fn call_args(&mut self, open: u32, depth: usize, in_list: InList) -> Result<Vec<CallArg>, SyntaxError> {
        if depth >= MAX_CALL_DEPTH {
            return Err(error(Code::TooDeep, "transformer calls are nested too deep", "", open..open + 1));
        }
        let mut args = Vec::new();
        loop {
            self.lexer.blanks();
            let at = self.lexer.at();
            if in_list == InList::Yes && args.is_empty() && self.lexer.byte(b')') {
                return Ok(args);
            }
            args.push(self.call_arg(at, depth, in_list)?);
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

    /// A list, a quoted text, a number, a field or another call.
    fn call_arg(&mut self, at: u32, depth: usize, in_list: InList) -> Result<CallArg, SyntaxError> {
        match self.lexer.peek() {
            Some(b'(') if in_list == InList::No => {
                self.lexer.byte(b'(');
                return Ok(CallArg::List(self.call_args(at, depth + 1, InList::Yes)?));
            }
            Some(b'"' | b'\'') => {
                return match self.lexer.value()? {
                    Some(value) => Ok(CallArg::Constant(value)),
                    None => Err(error(Code::Syntax, "an argument was expected here", "", at..at)),
                };
            }
            Some(byte) if byte.is_ascii_digit() || matches!(byte, b'+' | b'-') => {
                // A field's name may begin with a digit, too: a number ends at a blank, a comma or a parenthesis.
                let number = self.lexer.number();
                let ends = self.lexer.peek().is_none_or(|b| is_blank(b) || matches!(b, b',' | b')'));
                if let (Some(value), true) = (number, ends) {
                    return Ok(CallArg::Constant(value));
                }
                self.lexer.seek(at);
            }
            _ => {}
        }
        let operand = self.operand(depth + 1)?;
        if let OperandKind::Field { name, .. } = &operand.kind
            && is_macro_name(name)
        {
            let mut found =
                error(Code::Syntax, "a field was expected here", "this is no field", operand.bytes);
            found.note = Some("a text stands in quotes".to_owned());
            return Err(found);
        }
        Ok(CallArg::Operand(operand))
    }

    fn rhs(&mut self, lhs: &Operand, op: Op) -> Result<(Option<Modifier>, Rhs), SyntaxError> {
        if op == Op::Exists {
            return Ok((None, Rhs::None));
        }
        let before = self.lexer.at();
        self.lexer.blanks();
        if let Some(rhs) = self.rhs_field()? {
            return Ok((None, rhs));
        }
        let at = self.lexer.at();
        if op.takes_number() && !is_ordered_by_name(lhs) {
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
        if at > before
            && let Some(found) = self.modified()?
        {
            return Ok(found);
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

    /// A modifier and its list. Without blanks around it, or without a list behind it, the word is a value.
    fn modified(&mut self) -> Result<Option<(Option<Modifier>, Rhs)>, SyntaxError> {
        let at = self.lexer.at();
        let Some(modifier) = Modifier::from_word(self.lexer.peek_word()) else { return Ok(None) };
        self.lexer.seek(at + modifier.word().len() as u32);
        if self.lexer.peek().is_some_and(is_blank) {
            self.lexer.blanks();
            if self.lexer.peek() == Some(b'(') {
                return Ok(Some((Some(modifier), Rhs::List(self.list()?))));
            }
            if !["and", "or", "not"].contains(&self.lexer.peek_word())
                && let Some(name) = self.list_name()
            {
                return Ok(Some((Some(modifier), Rhs::List(vec![name]))));
            }
        }
        self.lexer.seek(at);
        Ok(None)
    }

    /// The name of a list in place of one: what is put in its place stands in parentheses of its own.
    fn list_name(&mut self) -> Option<Value> {
        let at = self.lexer.at();
        let word = self.lexer.peek_word();
        let after = self.lexer.rest().get(word.len()).copied();
        if !is_macro_name(word) || after.is_some_and(|b| !is_blank(b) && b != b')') {
            return None;
        }
        let end = at + word.len() as u32;
        self.lexer.seek(end);
        Some(Value { bytes: word.as_bytes().to_vec(), quoted: false, at: at..end })
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
        if !matches!(&field.kind, OperandKind::Field { name, .. } if !is_macro_name(name)) {
            return Err(error(
                Code::Syntax,
                "a field was expected inside `val(…)`",
                "this is none",
                field.bytes,
            ));
        }
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
        if let Some(name) = self.list_name() {
            return Ok(Rhs::List(vec![name]));
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

/// Whether a call's argument stands in a list; lists do not nest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum InList {
    No,
    Yes,
}

/// Whether the values of a field have an order and are written as names: priorities.
fn is_ordered_by_name(operand: &Operand) -> bool {
    let OperandKind::Field { name, arg: None } = &operand.kind else { return false };
    FieldId::from_name(name).is_some_and(|id| id.info().ty == FieldType::Priority)
}

/// Operators of other languages, with ours.
fn often_meant(written: &str) -> Option<&'static str> {
    match written {
        "is" | "eq" | "equals" => Some("="),
        "ne" | "neq" => Some("!="),
        "like" => Some("glob"),
        "ilike" => Some("iglob"),
        "has" | "includes" => Some("contains"),
        _ => None,
    }
}

/// Whether a word may name a macro: a letter, then letters, digits and underscores.
fn is_macro_name(word: &str) -> bool {
    word.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
