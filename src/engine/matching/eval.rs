//! Terms to values: transformers worked out in buffers that are lent and used again, so that nothing is allocated once
//! they have grown. A missing value anywhere makes the whole missing.

use std::ops::ControlFlow;

use eyas_event::{FieldType, Fields, Value};

use crate::ir::term::{Call, Term};
use crate::syntax::ast::Transformer;

/// The buffers of one side of a comparison.
#[derive(Debug, Default)]
pub struct Work {
    /// Lent to the event for text that it must render.
    lent: Vec<u8>,
    /// Where texts are put together.
    out: Vec<u8>,
    /// Where each element of a list ends in `out`.
    ends: Vec<usize>,
}

impl Work {
    /// The one value of a term that is no list.
    pub fn value<'s>(&'s mut self, term: &Term, fields: &'s impl Fields) -> Value<'s> {
        self.clear();
        match term {
            Term::Field(field) => match fields.get(field, &mut self.lent) {
                // A clock is compared as it is printed.
                Value::Time(time) if field.ty() == FieldType::Text => {
                    field.write_text(&Value::Time(time), &mut self.out);
                    Value::Bytes(&self.out)
                }
                value => value,
            },
            Term::Call(call) if call.name == Transformer::Len => {
                self.length(&call.args[0], fields).map_or(Value::Absent, Value::Uint)
            }
            term => {
                if self.text(term, fields) {
                    Value::Bytes(&self.out)
                } else {
                    Value::Absent
                }
            }
        }
    }

    /// The elements of a term that is a list; `false` when it is missing.
    pub fn list(&mut self, term: &Term, fields: &impl Fields) -> bool {
        self.clear();
        self.elements(term, fields)
    }

    /// The elements that [`Work::list`] found.
    pub fn found(&self) -> impl Iterator<Item = &[u8]> {
        self.ends.iter().scan(0, |start, end| {
            let element = self.out.get(*start..*end);
            *start = *end;
            element
        })
    }

    fn clear(&mut self) {
        self.lent.clear();
        self.out.clear();
        self.ends.clear();
    }

    fn length(&mut self, term: &Term, fields: &impl Fields) -> Option<u64> {
        if term.term_type().list {
            return self.elements(term, fields).then_some(self.ends.len() as u64);
        }
        self.text(term, fields).then_some(self.out.len() as u64)
    }

    /// Appends the text of a term.
    fn text(&mut self, term: &Term, fields: &impl Fields) -> bool {
        match term {
            Term::Text(bytes) => {
                self.out.extend_from_slice(bytes);
                true
            }
            Term::Field(field) => {
                self.lent.clear();
                match fields.get(field, &mut self.lent) {
                    Value::Absent => return false,
                    value => field.write_text(&value, &mut self.out),
                }
                true
            }
            Term::List(_) => false,
            Term::Call(call) => self.call(call, fields),
        }
    }

    fn call(&mut self, call: &Call, fields: &impl Fields) -> bool {
        let start = self.out.len();
        match (call.name, &*call.args) {
            (Transformer::Concat, parts) => parts.iter().all(|part| self.text(part, fields)),
            (Transformer::Join, [between, list]) => {
                let first = self.ends.len();
                if !self.elements(list, fields) {
                    return false;
                }
                // The joined text is put behind the elements, then moved to where they began.
                let joined = self.out.len();
                let mut from = start;
                for i in first..self.ends.len() {
                    if i > first && !self.text(between, fields) {
                        return false;
                    }
                    let end = self.ends[i];
                    self.out.extend_from_within(from..end);
                    from = end;
                }
                self.ends.truncate(first);
                self.out.drain(start..joined);
                true
            }
            (Transformer::Getopt, [list, spec]) => self.option(list, spec, call.pick, fields),
            (Transformer::Len, [arg]) => {
                let Some(length) = self.length(arg, fields) else { return false };
                self.out.truncate(start);
                Value::Uint(length).write_text(&mut self.out);
                true
            }
            (name, [arg]) => self.text(arg, fields) && self.transform(name, start),
            _ => false,
        }
    }

    /// Appends the elements of a list.
    fn elements(&mut self, term: &Term, fields: &impl Fields) -> bool {
        match term {
            Term::List(parts) => parts.iter().all(|part| {
                if part.term_type().list {
                    return self.elements(part, fields);
                }
                let there = self.text(part, fields);
                self.ends.push(self.out.len());
                there
            }),
            Term::Field(field) => {
                self.lent.clear();
                let before = self.ends.len();
                let Self { lent, out, ends } = self;
                let _ = fields.each(field, lent, &mut |value| {
                    value.write_text(out);
                    ends.push(out.len());
                    ControlFlow::Continue(())
                });
                self.ends.len() > before
            }
            Term::Call(call) => match (call.name, &*call.args) {
                (Transformer::Getopt, [list, spec]) => self.option(list, spec, None, fields),
                (name, [list]) => self.each_element(name, list, fields),
                _ => false,
            },
            Term::Text(_) => false,
        }
    }

    /// A text transformer on each element of a list; one that fails makes the whole missing.
    fn each_element(&mut self, name: Transformer, list: &Term, fields: &impl Fields) -> bool {
        let (start, first) = (self.out.len(), self.ends.len());
        if !self.elements(list, fields) {
            return false;
        }
        // The elements are transformed one by one behind the old ones, then moved to where those began.
        let old_end = self.out.len();
        let mut from = start;
        for i in first..self.ends.len() {
            let end = self.ends[i];
            let begin = self.out.len();
            self.out.extend_from_within(from..end);
            from = end;
            if !self.transform(name, begin) {
                return false;
            }
            self.ends[i] = self.out.len() - (old_end - start);
        }
        self.out.drain(start..old_end);
        true
    }

    /// Transforms the text that begins at `start` and ends the buffer.
    fn transform(&mut self, name: Transformer, start: usize) -> bool {
        match name {
            Transformer::Tolower => self.out[start..].make_ascii_lowercase(),
            Transformer::Toupper => self.out[start..].make_ascii_uppercase(),
            Transformer::B64 => match decode(&mut self.out[start..]) {
                Some(len) => self.out.truncate(start + len),
                None => return false,
            },
            _ => {
                if let Some(slash) = memchr::memrchr(b'/', &self.out[start..]) {
                    self.out.drain(start..=start + slash);
                }
            }
        }
        true
    }

    /// `getopt` reads words as that function of C reads them: `--` and the first word that is no option end the options.
    /// Long ones are passed over. With `pick` it gives the last value of that option as text: of a flag its letter, of
    /// one whose value is missing nothing. Without it, it gives letters and values as elements, `?` for an unknown letter.
    fn option(&mut self, list: &Term, spec: &Term, pick: Option<u8>, fields: &impl Fields) -> bool {
        let begin = self.out.len();
        if !self.text(spec, fields) {
            return false;
        }
        let (start, first) = (self.out.len(), self.ends.len());
        if !self.elements(list, fields) {
            return false;
        }
        let (words_end, last) = (self.out.len(), self.ends.len());
        let mut picked = None;
        let (mut word, mut from) = (first, start);
        while word < last {
            let (at, end) = (from, self.ends[word]);
            from = end;
            word += 1;
            match &self.out[at..end] {
                b"--" => break,
                [b'-', b'-', ..] => continue,
                [b'-', _, ..] => {}
                _ => break,
            }
            for letter in at + 1..end {
                let c = self.out[letter];
                let wanted = pick.is_none_or(|wanted| wanted == c);
                let value = match wants(&self.out[begin..start], c) {
                    Wants::Unknown => {
                        if pick.is_none() {
                            self.push(b'?');
                        }
                        continue;
                    }
                    Wants::Nothing if wanted && pick.is_some() => {
                        picked = Some(letter..letter + 1);
                        continue;
                    }
                    Wants::Nothing => {
                        if wanted {
                            self.push(c);
                        }
                        continue;
                    }
                    Wants::Value if letter + 1 < end => Some(letter + 1..end),
                    Wants::Value if word < last => {
                        let next = from..self.ends[word];
                        from = next.end;
                        word += 1;
                        Some(next)
                    }
                    Wants::Value => None,
                };
                match (pick, value) {
                    (Some(_), value) if wanted => picked = Some(value.unwrap_or(end..end)),
                    (Some(_), _) => {}
                    (None, Some(value)) => {
                        self.push(c);
                        self.out.extend_from_within(value);
                        self.ends.push(self.out.len());
                    }
                    (None, None) => self.ends.push(self.out.len()),
                }
                break;
            }
        }
        if pick.is_some() {
            self.ends.truncate(first);
            let Some(value) = picked else { return false };
            let len = value.len();
            self.out.copy_within(value, begin);
            self.out.truncate(begin + len);
            return true;
        }
        // What was found takes the place of the words.
        self.ends.drain(first..last);
        self.out.drain(begin..words_end);
        for end in &mut self.ends[first..] {
            *end -= words_end - begin;
        }
        true
    }

    /// Appends an element of one letter.
    fn push(&mut self, letter: u8) {
        self.out.push(letter);
        self.ends.push(self.out.len());
    }
}

/// What a letter means to `getopt`.
enum Wants {
    Unknown,
    Nothing,
    Value,
}

/// What the letters say of one of them: a colon behind it wants a value. Colons mean nothing else, and where a letter
/// stands twice, one colon is enough.
fn wants(letters: &[u8], letter: u8) -> Wants {
    let places = letters.iter().enumerate().filter(|(_, c)| **c == letter && letter != b':');
    let mut found = Wants::Unknown;
    for (at, _) in places {
        if letters.get(at + 1) == Some(&b':') {
            return Wants::Value;
        }
        found = Wants::Nothing;
    }
    found
}

/// Decodes base64 in place and says how long the result is; `None` when it is none. The padding may be left out or be too
/// much; bits left over at the end must be zero.
fn decode(text: &mut [u8]) -> Option<usize> {
    let mut len = text.len();
    for _ in 0..2 {
        if len > 0 && text[len - 1] == b'=' {
            len -= 1;
        }
    }
    if len % 4 == 1 || (len == 0 && !text.is_empty()) {
        return None;
    }
    let (mut bits, mut have, mut put) = (0_u32, 0, 0);
    for at in 0..len {
        let six = match text[at] {
            c @ b'A'..=b'Z' => c - b'A',
            c @ b'a'..=b'z' => c - b'a' + 26,
            c @ b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        have += 6;
        if have >= 8 {
            have -= 8;
            text[put] = (bits >> have) as u8;
            put += 1;
        }
    }
    (bits & ((1 << have) - 1) == 0).then_some(put)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn base64_is_decoded_in_place() {
        for (text, wanted) in [
            ("", Some("")),
            ("aGk=", Some("hi")),
            ("aGk", Some("hi")),
            ("aGk==", Some("hi")),
            ("aGV5", Some("hey")),
        ] {
            let mut bytes = text.as_bytes().to_vec();
            let len = decode(&mut bytes);
            assert_eq!(len.map(|n| String::from_utf8_lossy(&bytes[..n]).into_owned()).as_deref(), wanted);
        }
        for text in ["a", "shadow file", "aG k", "==", "aGl", "aG=k"] {
            assert_eq!(decode(&mut text.as_bytes().to_vec()), None, "{text}");
        }
    }
}
