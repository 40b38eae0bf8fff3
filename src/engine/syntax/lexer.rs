//! Words of the condition language. What a byte means depends on where it stands (a bare value may hold nearly
//! anything), so the parser asks for the token that may come next and the lexer cuts it or says why it cannot.

use super::ast::{Bytes, Op, Value};
use super::recover::Joiner;
use crate::dialect::Dialect;

/// Why a token could not be cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bad {
    pub(super) message: &'static str,
    pub(super) bytes: Bytes,
}

/// What is said of an escape that the language does not have.
pub(super) const UNKNOWN_ESCAPE: &str = "this escape is not known";

pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    dialect: Dialect,
}

pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_bare(byte: u8) -> bool {
    !is_blank(byte) && !matches!(byte, b'(' | b')' | b'"' | b'\'' | b'=' | b',')
}

/// Whether a constant must be written in quotes.
pub(crate) fn quoted_needed(bytes: &[u8]) -> bool {
    bytes.is_empty() || !bytes.iter().all(|b| is_bare(*b)) || std::str::from_utf8(bytes).is_err()
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str, dialect: Dialect) -> Self {
        Self { text, at: 0, dialect }
    }

    /// Whether the text is read as Falco 0.44 reads it.
    pub(super) fn is_exact(&self) -> bool {
        self.dialect.is_exact()
    }

    pub(super) fn at(&self) -> u32 {
        self.at as u32
    }

    pub(super) fn seek(&mut self, at: u32) {
        self.at = at as usize;
    }

    pub(super) fn end(&self) -> u32 {
        self.text.len() as u32
    }

    pub(super) fn rest(&self) -> &'t [u8] {
        &self.text.as_bytes()[self.at.min(self.text.len())..]
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    pub(super) fn blanks(&mut self) {
        while self.peek().is_some_and(is_blank) {
            self.at += 1;
        }
    }

    /// Takes one byte if it is next.
    pub(super) fn byte(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Whether `and`, `or` or `not` is next, with a blank or a parenthesis after it.
    pub(super) fn peek_keyword(&self, word: &str) -> bool {
        let after = self.rest().strip_prefix(word.as_bytes()).and_then(<[u8]>::first);
        after.is_some_and(|b| is_blank(*b) || *b == b'(')
    }

    /// Takes `and`, `or` or `not` if it is next.
    pub(super) fn keyword(&mut self, word: &str) -> bool {
        let found = self.peek_keyword(word);
        if found {
            self.at += word.len();
        }
        found
    }

    /// A part of the text; empty when the range does not lie on its character borders.
    pub(super) fn slice(&self, bytes: &Bytes) -> &'t str {
        self.text.get(bytes.start as usize..bytes.end as usize).unwrap_or("")
    }

    /// Where the text ends without the blanks behind it.
    pub(super) fn trimmed_end(&self) -> u32 {
        self.text.trim_ascii_end().len() as u32
    }

    /// The word that ends before `at`, blanks between them left out.
    pub(super) fn before(&self, at: u32) -> Bytes {
        let text = self.text.get(..at as usize).unwrap_or("").trim_ascii_end();
        let start = text.rfind(|c: char| !c.is_ascii() || !is_bare(c as u8)).map_or(0, |at| at + 1);
        let start = (start..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        start as u32..text.len() as u32
    }

    /// The dotted name that comes next, without taking it.
    pub(super) fn peek_name(&self) -> &'t str {
        let n = self.rest().iter().take_while(|b| is_word(**b) || **b == b'.').count();
        &self.text[self.at..self.at + n]
    }

    /// Whether a value can begin here.
    pub(super) fn starts_value(&self) -> bool {
        self.peek().is_some_and(|b| is_bare(b) || matches!(b, b'"' | b'\''))
    }

    /// Whether what comes next can begin a part: a name or a parenthesis.
    pub(super) fn starts_part(&self) -> bool {
        self.peek().is_some_and(|b| b.is_ascii_alphabetic() || b == b'(')
    }

    /// A word of another language that joins parts, and its width: `&&`, `||`, or one of ours in capitals.
    pub(super) fn foreign_joiner(&self) -> Option<(Joiner, u32)> {
        for (joiner, sign) in [(Joiner::And, "&&"), (Joiner::Or, "||")] {
            if self.rest().starts_with(sign.as_bytes()) {
                return Some((joiner, 2));
            }
            let word = self.peek_word();
            let more = self.rest().get(word.len()).is_some_and(|b| is_blank(*b) || *b == b'(');
            if more && word.eq_ignore_ascii_case(joiner.word()) && !self.at_end_after(word.len()) {
                return Some((joiner, word.len() as u32));
            }
        }
        None
    }

    /// A word of another language that negates a part, and its width: `!`, or ours in capitals.
    pub(super) fn foreign_not(&self) -> Option<u32> {
        let rest = self.rest();
        if rest.first() == Some(&b'!') && rest.get(1).is_some_and(|b| *b != b'=') {
            return Some(1);
        }
        let word = self.peek_word();
        if word == "not" || !word.eq_ignore_ascii_case("not") {
            return None;
        }
        let after = rest.get(word.len()..).unwrap_or(&[]);
        let next = after.trim_ascii_start();
        // A macro may be called so; then something joins or closes after it.
        let joins = [&b"and"[..], b"or", b")"].iter().any(|word| next.starts_with(word));
        (next.len() < after.len() || after.starts_with(b"("))
            .then_some(word.len() as u32)
            .filter(|_| !next.is_empty() && !joins)
    }

    fn at_end_after(&self, width: usize) -> bool {
        self.rest().get(width..).is_none_or(|rest| rest.trim_ascii().is_empty())
    }

    fn take_while(&mut self, keep: impl Fn(u8) -> bool) -> &'t str {
        let start = self.at;
        while self.peek().is_some_and(&keep) {
            self.at += 1;
        }
        // A kept run may end inside a character only if `keep` splits one; the classes here keep or stop at ASCII.
        self.text.get(start..self.at).unwrap_or("")
    }

    /// Takes a dotted name.
    pub(super) fn name(&mut self) -> Option<&'t str> {
        let start = self.at;
        if !self.peek()?.is_ascii_alphanumeric() {
            return None;
        }
        loop {
            self.take_while(is_word);
            let more = self.peek() == Some(b'.') && self.rest().get(1).copied().is_some_and(is_word);
            if !more {
                break;
            }
            self.at += 1;
        }
        self.text.get(start..self.at)
    }

    /// The letters, digits and underscores that come next, without taking them.
    pub(super) fn peek_word(&self) -> &'t str {
        let n = self.rest().iter().take_while(|b| is_word(**b)).count();
        &self.text[self.at..self.at + n]
    }

    /// The signs that come next and begin no name, value or list, without taking them.
    pub(super) fn peek_sign(&self) -> &'t str {
        let rest = self.text.get(self.at..).unwrap_or("");
        let ends = |c: char| c.is_whitespace() || c.is_alphanumeric() || "_\"'()".contains(c);
        &rest[..rest.find(ends).unwrap_or(rest.len())]
    }

    /// Takes an operator.
    pub(super) fn operator(&mut self) -> Option<(Op, Bytes)> {
        const SYMBOLS: [(&str, Op); 7] = [
            ("<=", Op::Le),
            ("<", Op::Lt),
            (">=", Op::Ge),
            (">", Op::Gt),
            ("==", Op::Eq),
            ("=", Op::Eq),
            ("!=", Op::Ne),
        ];
        let start = self.at();
        if self.rest().starts_with(b"exists") {
            self.at += "exists".len();
            return Some((Op::Exists, start..self.at()));
        }
        for (symbol, op) in SYMBOLS {
            if self.rest().starts_with(symbol.as_bytes()) {
                self.at += symbol.len();
                return Some((op, start..self.at()));
            }
        }
        let word = self.peek_word();
        let op = Op::from_word(word)?;
        let after = self.rest().get(word.len()).copied();
        // A word needs a blank after it; only one that takes a list may stand against its parenthesis.
        let ends = |b: u8| is_blank(b) || (op.takes_list() && matches!(b, b'(' | b'"' | b'\''));
        if after.is_some_and(|b| !ends(b)) {
            return None;
        }
        self.at += word.len();
        Some((op, start..self.at()))
    }

    /// Takes a number as the parser of `<` and its kin knows it: sign, digits, fraction, exponent, or hexadecimal.
    pub(super) fn number(&mut self) -> Option<Value> {
        let start = self.at;
        let rest = self.rest();
        let digits =
            |from: usize| rest[from.min(rest.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
        let mut n;
        if rest.len() > 2 && rest[0] == b'0' && matches!(rest[1], b'x' | b'X') && rest[2].is_ascii_hexdigit()
        {
            n = 2 + rest[2..].iter().take_while(|b| b.is_ascii_hexdigit()).count();
        } else {
            n = usize::from(matches!(rest.first(), Some(b'+' | b'-')));
            let whole = digits(n);
            if whole == 0 {
                return None;
            }
            n += whole;
            if rest.get(n) == Some(&b'.') {
                n += 1 + digits(n + 1);
            }
            if matches!(rest.get(n), Some(b'e' | b'E'))
                && matches!(rest.get(n + 1), Some(b'+' | b'-'))
                && digits(n + 2) > 0
            {
                n += 2 + digits(n + 2);
            }
        }
        self.at += n;
        Some(Value {
            bytes: self.text.as_bytes()[start..self.at].to_vec(),
            quoted: false,
            at: start as u32..self.at(),
        })
    }

    /// Takes a quoted or bare value; `None` when neither is next.
    pub(super) fn value(&mut self) -> Result<Option<Value>, Bad> {
        match self.peek() {
            Some(b'"' | b'\'') => self.quoted().map(Some),
            _ => Ok(self.bare(is_bare)),
        }
    }

    /// Takes what may stand in brackets.
    pub(super) fn argument(&mut self) -> Result<Option<Value>, Bad> {
        match self.peek() {
            Some(b'"' | b'\'') => self.quoted().map(Some),
            _ => Ok(self.bare(|b| !is_blank(b) && !matches!(b, b'[' | b']' | b'"' | b'\''))),
        }
    }

    fn bare(&mut self, keep: impl Fn(u8) -> bool) -> Option<Value> {
        let start = self.at();
        let text = self.take_while(keep);
        (!text.is_empty()).then(|| Value {
            bytes: text.as_bytes().to_vec(),
            quoted: false,
            at: start..self.at(),
        })
    }

    fn quoted(&mut self) -> Result<Value, Bad> {
        let start = self.at();
        let Some(quote) = self.peek() else {
            return Err(Bad { message: "a quoted text is missing", bytes: start..start });
        };
        self.at += 1;
        let mut bytes = Vec::new();
        let mut bad = None;
        loop {
            match self.peek() {
                None => {
                    return Err(Bad { message: "this quoted text is not closed", bytes: start..start + 1 });
                }
                // A quote with a backslash before it closes nothing, even where that backslash is itself escaped.
                Some(b) if b == quote && !self.after_backslash() => {
                    self.at += 1;
                    break;
                }
                Some(b'\\') => {
                    let from = self.at();
                    if let Err(message) = self.escape(quote, &mut bytes) {
                        bad.get_or_insert(Bad { message, bytes: from..self.at().min(self.end()) });
                    }
                }
                Some(b) => {
                    bytes.push(b);
                    self.at += 1;
                }
            }
        }
        if bytes.contains(&0) {
            let at = start..self.at();
            bad.get_or_insert(Bad { message: "a text constant cannot hold a NUL byte", bytes: at });
        }
        match bad {
            Some(bad) => Err(bad),
            None => Ok(Value { bytes, quoted: true, at: start..self.at() }),
        }
    }

    fn after_backslash(&self) -> bool {
        self.at.checked_sub(1).and_then(|at| self.text.as_bytes().get(at)) == Some(&b'\\')
    }

    /// Resolves one escape. The byte after the backslash is always taken, so an escaped quote never closes the text.
    fn escape(&mut self, quote: u8, bytes: &mut Vec<u8>) -> Result<(), &'static str> {
        self.at += 1;
        let Some(byte) = self.peek() else { return Ok(()) };
        let next = self.text.get(self.at..).and_then(|rest| rest.chars().next());
        let width = next.map_or(1, char::len_utf8);
        self.at += width;
        bytes.push(match byte {
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'\\' | b'/' => byte,
            b'"' | b'\'' if byte == quote => byte,
            b'"' | b'\'' => return Err("a backslash escapes only the kind of quote that the text stands in"),
            // Falco's oldest rules wrote a backslash so; stock rules still do.
            b' ' => b'\\',
            b'x' if !self.dialect.is_exact() => {
                let digits = self.rest().get(..2).and_then(|d| std::str::from_utf8(d).ok());
                let value = digits
                    .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))
                    .and_then(|d| u8::from_str_radix(d, 16).ok());
                let Some(value) = value else {
                    return Err("`\\x` needs two hexadecimal digits");
                };
                self.at += 2;
                value
            }
            _ => return Err(UNKNOWN_ESCAPE),
        });
        Ok(())
    }
}
