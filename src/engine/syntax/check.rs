//! The parts that `and`, `or` and `not` join: a comparison with its operand, operator and right side, or a macro's name.

use super::ast::{
    Bytes, CallArg, Check, Modifier, NodeId, NodeKind, Op, Operand, OperandKind, Rhs, Transformer, Value,
};
use super::lexer::is_blank;
use super::parser::{MAX_CALL_DEPTH, Parser, SyntaxError, error, not_closed};
use super::recover::NO_COMMENTS;
use crate::diag::{Certainty, Code, did_you_mean};
use crate::fields;
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
            return Err(no_field(name, start..after, "a word without a point names a macro"));
        }
        if let OperandKind::Field { name, .. } = &lhs.kind
            && name.contains('.')
            && self.lexer.keyword("not")
        {
            self.not_before_operator(start, after);
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
        let (op, op_bytes) = self.not_equal(op, op_bytes);
        let (modifier, rhs) =
            self.rhs(&lhs, op, &op_bytes).map_err(|found| self.escape_of_a_pattern(found, op))?;
        Ok(NodeKind::Check(Box::new(Check { lhs, op, op_bytes, modifier, rhs })))
    }

    /// `field not op`: reported, and read as if the `not` stood before the field.
    fn not_before_operator(&mut self, start: u32, after: u32) {
        let end = self.lexer.at();
        self.lexer.blanks();
        let rest = self.lexer.at();
        let comes = self.lexer.operator().is_some();
        self.lexer.seek(rest);
        if !comes {
            // What comes instead of an operator is reported as that.
            self.lexer.seek(end - 3);
            return;
        }
        let field = self.lexer.slice(&(start..after)).to_owned();
        let bytes = end - 3..end;
        self.errors.push(
            error(Code::Syntax, "`not` stands before the field", "not before the operator", bytes).mend(
                "move it",
                start..end,
                format!("not {field}"),
            ),
        );
    }

    /// `<>` of other languages: reported, and read as `!=`.
    fn not_equal(&mut self, op: Op, bytes: Bytes) -> (Op, Bytes) {
        if op != Op::Lt || self.lexer.peek() != Some(b'>') {
            return (op, bytes);
        }
        let both = bytes.start..bytes.end + 1;
        self.lexer.seek(both.end);
        self.errors.push(error(Code::Syntax, "there is no operator `<>`", "", both.clone()).mend(
            "write `!=`",
            both.clone(),
            "!=",
        ));
        (Op::Ne, both)
    }

    fn no_operator(&mut self, start: u32, after: u32) -> SyntaxError {
        let at = self.lexer.at();
        if self.lexer.peek() == Some(b'(') {
            let words: Vec<_> = Transformer::ALL.iter().map(|t| t.word()).collect();
            let bytes = start..after;
            let found = error(Code::Syntax, "there is no such transformer", "", bytes.clone())
                .note(format!("the transformers are {}", words.join(", ")));
            return match did_you_mean(self.lexer.slice(&bytes), words) {
                Some(near) => did_mean(found, bytes, near),
                None => found,
            };
        }
        let name = self.lexer.slice(&(start..after)).to_owned();
        let written = self.lexer.peek_word();
        let ends = at >= self.lexer.end() || self.lexer.peek() == Some(b')');
        if ends || (self.lexer.peek_keyword("and") || self.lexer.peek_keyword("or")) {
            let found = error(
                Code::Syntax,
                "a field alone says nothing",
                "an operator is missing after it",
                start..after,
            );
            let truth = FieldId::from_name(&name).is_some_and(|id| id.info().ty == FieldType::Bool);
            return if truth {
                found.mend("compare it", after..after, " = true")
            } else {
                found.note(format!("for example `{name} = …`, or `{name} exists`"))
            };
        }
        let bytes = at..self.word_at(at);
        let found = error(Code::Syntax, "an operator was expected after the field", "this is not one", bytes);
        // Of a sign that is no operator there is no word; what stands up to the value is meant instead.
        let written = if written.is_empty() { self.lexer.peek_sign() } else { written };
        let words: Vec<_> = Op::ALL.iter().map(|op| op.word()).collect();
        let near = often_meant(written).or_else(|| did_you_mean(written, words.iter().copied()));
        let found = match near {
            Some(near) => did_mean(found, at..at + written.len() as u32, near),
            None => found,
        };
        if written == "notin" {
            let bytes = start..at + 5;
            return found.mend("write instead", bytes, format!("not {name} in"));
        }
        found.note(format!("the operators are {}", words.join(" ")))
    }

    /// A field or a transformer call.
    pub(super) fn operand(&mut self, depth: usize) -> Result<Operand, SyntaxError> {
        let start = self.lexer.at();
        let Some(name) = self.lexer.name() else {
            return Err(self.no_operand(start));
        };
        let name = name.to_owned();
        if let (Some(transformer), Some(b'(')) = (Transformer::from_word(&name), self.lexer.peek()) {
            return self.call(transformer, start, depth);
        }
        let arg = self.bracket()?;
        Ok(Operand { kind: OperandKind::Field { name, arg }, bytes: start..self.lexer.at() })
    }

    /// Why no field, macro or parenthesis begins here.
    fn no_operand(&self, start: u32) -> SyntaxError {
        let end = self.word_at(start).min(self.lexer.end());
        let before = self.lexer.before(start);
        let word = self.lexer.slice(&before);
        let next = self.lexer.peek();
        if matches!(next, None | Some(b')')) && ["and", "or", "not"].contains(&word) {
            let message = format!("nothing follows this `{word}`");
            let cut = self.lexer.before(before.start).end..before.end;
            return error(Code::Syntax, message, "a comparison or a macro was expected after it", before)
                .guess("remove it", cut, "");
        }
        if next.is_none() {
            let last = if before.is_empty() { start..end } else { before };
            return error(
                Code::Syntax,
                "the condition ends too early",
                "a field or a macro was expected after this",
                last,
            );
        }
        let found = |label| {
            error(Code::Syntax, "a field, a macro or a parenthesis was expected here", label, start..end)
        };
        match next {
            Some(b')') => found("nothing stands before this"),
            Some(sign @ (b'%' | b'$')) => {
                let name = self.lexer.slice(&(start + 1..end));
                let found = found("this is none");
                if FieldId::from_name(name).is_none() {
                    return found.note("in a condition a field is written with its name alone");
                }
                let title = format!("remove the `{}`", char::from(sign));
                found.note("in a condition a field is written with its name alone").mend(
                    title,
                    start..start + 1,
                    "",
                )
            }
            Some(b'"' | b'\'') => found("this is a text")
                .note("the field stands to the left of the operator, and without quotes"),
            Some(b'#') => {
                error(Code::Syntax, "this is no comment", "it is part of the condition", start..end)
                    .note(NO_COMMENTS)
            }
            _ => found("this is none of them"),
        }
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
            let end = value.at.end;
            return Err(error(Code::Unclosed, "this bracket is not closed", "opened here", open..open + 1)
                .note("an argument with blanks or brackets needs quotes")
                .guess("close it", end..end, "]"));
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
            let end = self.lexer.before(self.lexer.at()).end;
            return Err(not_closed(open, end));
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
            let quoted = format!("\"{name}\"");
            let bytes = operand.bytes;
            return Err(error(Code::Syntax, "a field was expected here", "this is no field", bytes.clone())
                .note("a text stands in quotes")
                .guess("put it in quotes", bytes, quoted));
        }
        Ok(CallArg::Operand(operand))
    }

    fn rhs(
        &mut self,
        lhs: &Operand,
        op: Op,
        op_bytes: &Bytes,
    ) -> Result<(Option<Modifier>, Rhs), SyntaxError> {
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
                // Of a field that nobody has, that is what is wrong: who is meant may be ordered by name.
                if let OperandKind::Field { name, arg: None } = &lhs.kind
                    && fields::find(name, None).is_none()
                {
                    return Err(no_field(name, lhs.bytes.clone(), ""));
                }
                let message = format!("a number was expected after `{}`", op.word());
                return Err(self.not_there(at, op_bytes, message, "this does not start with one"));
            };
            return Ok((None, Rhs::Value(value)));
        }
        if op.takes_list() {
            return Ok((None, self.list_or_word(op, op_bytes)?));
        }
        if at > before
            && let Some(found) = self.modified()?
        {
            return Ok(found);
        }
        if let Some(value) = self.lexer.value()? {
            Ok((None, Rhs::Value(value)))
        } else {
            let message = format!("a value was expected after `{}`", op.word());
            if self.lexer.peek() != Some(b'(') {
                return Err(self.not_there(at, op_bytes, message, "this is none"));
            }
            let found = error(Code::Syntax, message, "this is a list", at..at + 1);
            // The list is read, so that what follows it is, too.
            let (open, read) = (at, self.list());
            let end = self.lexer.at();
            Err(match (op, read) {
                (Op::Eq, Ok(_)) => found.guess("did you mean `in`?", op_bytes.clone(), "in"),
                (Op::Ne, Ok(_)) => {
                    let field = self.lexer.slice(&lhs.bytes);
                    let list = self.lexer.slice(&(open..end));
                    let instead = format!("not {field} in {list}");
                    found.guess("did you mean `not … in`?", lhs.bytes.start..end, instead)
                }
                _ => found.note(format!("to ask for one of several write `{} anyof (…)`", op.word())),
            })
        }
    }

    /// What an operator needs is not there: either the condition ends, or something else stands in its place.
    fn not_there(&self, at: u32, op: &Bytes, message: String, label: &str) -> SyntaxError {
        if at >= self.lexer.end() {
            return error(Code::Syntax, message, "the condition ends after this", op.clone());
        }
        error(Code::Syntax, message, label, at..self.word_at(at).min(self.lexer.end()))
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
            return Err(not_closed(at + 3, field.bytes.end));
        }
        Ok(Some(Rhs::Field(field)))
    }

    fn list_or_word(&mut self, op: Op, op_bytes: &Bytes) -> Result<Rhs, SyntaxError> {
        let at = self.lexer.at();
        if self.lexer.peek() == Some(b'(') {
            return Ok(Rhs::List(self.list()?));
        }
        if let Some(name) = self.list_name() {
            return Ok(Rhs::List(vec![name]));
        }
        let message = format!("a list in parentheses was expected after `{}`", op.word());
        let Some(end) = self.bare_list() else {
            self.lexer.seek(at);
            return Err(self.not_there(at, op_bytes, message, "this is none"));
        };
        let whole = at..end;
        let list = format!("({})", self.lexer.slice(&whole));
        let found = error(Code::Syntax, message, "this has none around it", whole.clone());
        Err(found.mend("put it in parentheses", whole, list))
    }

    /// The end of a list without its parentheses, if one comes.
    fn bare_list(&mut self) -> Option<u32> {
        loop {
            let value = self.lexer.value().ok().flatten()?;
            let end = value.at.end;
            self.lexer.blanks();
            if !self.lexer.byte(b',') {
                self.lexer.seek(end);
                return Some(end);
            }
            self.lexer.blanks();
        }
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
                    let end = self.lexer.before(at).end;
                    return Err(not_closed(open, end));
                }
                None => {
                    let end = (at + 1).min(self.lexer.end());
                    let found = error(Code::Syntax, "a value was expected here", "this is none", at..end);
                    let before = self.lexer.before(at).end;
                    return Err(match self.lexer.peek() {
                        Some(b',') => found.mend("remove this comma", at..end, ""),
                        Some(b')') if !values.is_empty() => {
                            let comma = self.lexer.slice(&(0..at)).rfind(',').map_or(before, |at| at as u32);
                            found.mend("remove the comma before it", comma..comma + 1, "")
                        }
                        Some(b'(') => found.note("lists do not nest; remove the inner parentheses"),
                        _ => found,
                    });
                }
            }
            let last = self.lexer.at();
            self.lexer.blanks();
            let at = self.lexer.at();
            if self.lexer.byte(b')') {
                return Ok(values);
            }
            if self.lexer.byte(b',') {
                continue;
            }
            // A list that ends without its parenthesis ends where the condition goes on.
            if at >= self.lexer.end() {
                return Err(not_closed(open, last));
            }
            if self.lexer.peek_keyword("and") || self.lexer.peek_keyword("or") {
                let found = not_closed(open, last);
                self.errors.push(found);
                return Ok(values);
            }
            let end = self.word_at(at);
            let found = error(
                Code::Syntax,
                "a comma or a closing parenthesis was expected here",
                "this follows without a comma",
                at..end,
            )
            .note("a value with blanks, commas, parentheses, quotes or = needs quotes around it");
            if !self.lexer.starts_value() {
                return Err(found);
            }
            self.errors.push(found.guess("put a comma between", last..last, ","));
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

/// A name that no field has, with the one that is meant.
fn no_field(name: &str, bytes: Bytes, label: &str) -> SyntaxError {
    let found = error(Code::Syntax, format!("there is no field `{name}`"), label, bytes.clone());
    match fields::near(name) {
        Some((near, Certainty::Sure)) => found.mend(format!("it is called `{near}`"), bytes, near),
        Some((near, Certainty::Guess)) => did_mean(found, bytes, near),
        None => found.note("`eyas fields` lists all fields"),
    }
}

/// Offers a word that is spelled like what was written.
fn did_mean(found: SyntaxError, bytes: Bytes, near: &str) -> SyntaxError {
    found.guess(format!("did you mean `{near}`?"), bytes, near)
}

/// Operators of other languages, with ours.
pub(crate) fn often_meant(written: &str) -> Option<&'static str> {
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
