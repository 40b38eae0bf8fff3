//! Terms to values: transformers worked out in buffers that are lent and used again, so that nothing is allocated once
//! they have grown. A missing value anywhere makes the whole missing.

use std::ops::ControlFlow;

use eyas_event::{Fields, Value};

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
            Term::Field(field) => fields.get(field, &mut self.lent),
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
                    value => value.write_text(&mut self.out),
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
            (Transformer::Join, [between, Term::List(parts)]) => parts
                .iter()
                .enumerate()
                .all(|(i, part)| (i == 0 || self.text(between, fields)) && self.text(part, fields)),
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
            (name, [arg]) => {
                if !self.text(arg, fields) {
                    return false;
                }
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
            _ => false,
        }
    }

    /// Appends the elements of a list.
    fn elements(&mut self, term: &Term, fields: &impl Fields) -> bool {
        match term {
            Term::List(parts) => parts.iter().all(|part| {
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
                // The text transformers work on each element.
                (name @ (Transformer::Tolower | Transformer::Toupper), [list]) => {
                    let start = self.out.len();
                    let there = self.elements(list, fields);
                    if name == Transformer::Tolower {
                        self.out[start..].make_ascii_lowercase();
                    } else {
                        self.out[start..].make_ascii_uppercase();
                    }
                    there
                }
                _ => false,
            },
            Term::Text(_) => false,
        }
    }

    /// `getopt`: with `pick` the option's last value (empty for a flag) as text, without it the options found, as elements.
    /// Words are read as POSIX getopt reads them: `--` ends the options, a word that is none is passed over.
    fn option(&mut self, list: &Term, spec: &Term, pick: Option<u8>, fields: &impl Fields) -> bool {
        let Term::Text(spec) = spec else { return false };
        let (start, first) = (self.out.len(), self.ends.len());
        if !self.elements(list, fields) {
            return false;
        }
        let last = self.ends.len();
        let mut value = None;
        let mut i = first;
        let mut from = start;
        let words_end = self.out.len();
        while i < last {
            let (at, end) = (from, self.ends[i]);
            from = end;
            i += 1;
            if self.out.get(at..end) == Some(b"--") {
                break;
            }
            if end - at < 2 || self.out[at] != b'-' {
                continue;
            }
            let mut letter = at + 1;
            while letter < end {
                let c = self.out[letter];
                letter += 1;
                let known = spec.iter().position(|s| *s == c && c != b':');
                let Some(known) = known else { continue };
                let given = if spec.get(known + 1) == Some(&b':') {
                    let optional = spec.get(known + 2) == Some(&b':');
                    let rest = letter..end;
                    letter = end;
                    if !rest.is_empty() || optional {
                        rest
                    } else if i < last {
                        let next = from..self.ends[i];
                        from = next.end;
                        i += 1;
                        next
                    } else {
                        continue;
                    }
                } else {
                    end..end
                };
                match pick {
                    Some(wanted) if wanted == c => value = Some(given),
                    Some(_) => {}
                    None => {
                        self.out.push(c);
                        self.ends.push(self.out.len());
                    }
                }
            }
        }
        if pick.is_some() {
            self.ends.truncate(first);
            let Some(value) = value else { return false };
            let len = value.len();
            self.out.copy_within(value, start);
            self.out.truncate(start + len);
            return true;
        }
        // What was found takes the place of the words.
        self.ends.drain(first..last);
        self.out.drain(start..words_end);
        for end in &mut self.ends[first..] {
            *end -= words_end - start;
        }
        self.ends.len() > first
    }
}

/// Decodes base64 in place and says how long the result is; `None` when it is none. The padding may be left out.
fn decode(text: &mut [u8]) -> Option<usize> {
    let mut len = text.len();
    for _ in 0..2 {
        if len > 0 && text[len - 1] == b'=' {
            len -= 1;
        }
    }
    let padded = len < text.len();
    if len % 4 == 1 || (padded && !text.len().is_multiple_of(4)) {
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
    Some(put)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn base64_is_decoded_in_place() {
        for (text, wanted) in
            [("", Some("")), ("aGk=", Some("hi")), ("aGk", Some("hi")), ("aGV5", Some("hey"))]
        {
            let mut bytes = text.as_bytes().to_vec();
            let len = decode(&mut bytes);
            assert_eq!(len.map(|n| String::from_utf8_lossy(&bytes[..n]).into_owned()).as_deref(), wanted);
        }
        for text in ["a", "shadow file", "aG k", "=="] {
            assert_eq!(decode(&mut text.as_bytes().to_vec()), None, "{text}");
        }
    }
}
