//! Parts from the whole: one argument from all of them, one variable from an environment, one element of a list. In the
//! whole they are joined by blanks; given as an array or an object, each keeps the blanks that it has.

use eyas_event::{Arg, FieldId, FieldRef, Shape, Value};

use crate::fieldmap::{FieldMap, Given};

impl FieldMap {
    /// A part that was not given by itself.
    pub(super) fn of_whole(&self, field: &FieldRef) -> Value<'_> {
        let plain = FieldRef::plain(field.id);
        match (field.id, &field.arg) {
            (FieldId::PROC_ARGS, Arg::Index(n)) if i32::try_from(*n).is_err() => {
                self.values.get(&plain).map_or(Value::Absent, Given::value)
            }
            (FieldId::PROC_ARGS, Arg::Index(n)) => {
                let Some(Given::Bytes(all)) = self.values.get(&plain) else { return Value::Absent };
                // Beyond the last it is empty, not missing, as with Falco.
                let part =
                    if self.parted(field.id) { None } else { all.split(|b| *b == b' ').nth(*n as usize) };
                Value::Bytes(part.unwrap_or_default())
            }
            // A number is no name of a variable: it says nothing, and the whole is meant.
            (FieldId::PROC_ENV, Arg::Key(name)) if name.bytes().all(|b| b.is_ascii_digit()) => {
                self.values.get(&plain).map_or(Value::Absent, Given::value)
            }
            (FieldId::PROC_ENV, Arg::Key(name)) => {
                let Some(Given::Bytes(all)) = self.values.get(&plain) else { return Value::Absent };
                let part = if self.parted(field.id) { None } else { variable(all, name.as_bytes()) };
                Value::Bytes(part.unwrap_or_default())
            }
            (FieldId::PROC_AENV, Arg::Key(name)) => {
                // Without ancestors it is empty, not missing.
                let chain = self.lists.get(&plain).map_or(&[][..], Vec::as_slice);
                if chain.is_empty() && !self.values.contains_key(&FieldRef::plain(FieldId::PROC_ENV)) {
                    return Value::Absent;
                }
                let found = chain.iter().find_map(|given| match given {
                    Given::Bytes(all) => variable(all, name.as_bytes()),
                    _ => None,
                });
                Value::Bytes(found.unwrap_or_default())
            }
            (id, Arg::Index(0)) if id.info().shape == Shape::Ancestors || id == FieldId::PROC_AARGS => {
                let own = match id {
                    FieldId::PROC_ANAME => FieldId::PROC_NAME,
                    FieldId::PROC_AEXE => FieldId::PROC_EXE,
                    FieldId::PROC_AEXEPATH => FieldId::PROC_EXEPATH,
                    FieldId::PROC_ACMDLINE => FieldId::PROC_CMDLINE,
                    FieldId::PROC_AARGS => FieldId::PROC_ARGS,
                    FieldId::PROC_AENV => FieldId::PROC_ENV,
                    _ => FieldId::PROC_PID,
                };
                self.values.get(&FieldRef::plain(own)).map_or(Value::Absent, Given::value)
            }
            // The number of `fd.types` is that of a descriptor, not a place in the list.
            (id, Arg::Index(n)) if id.info().shape == Shape::List && id != FieldId::FD_TYPES => {
                let element = self.lists.get(&plain).and_then(|list| list.get(*n as usize));
                element.map_or(Value::Absent, Given::value)
            }
            _ => Value::Absent,
        }
    }

    /// Whether the parts of a whole were given one by one, so that the blanks in it say nothing.
    fn parted(&self, id: FieldId) -> bool {
        self.parted.contains(&id)
    }

    /// Takes the parts of arguments or an environment; the whole is what they make together.
    pub(super) fn put_parts(&mut self, id: FieldId, parts: Vec<Box<[u8]>>) {
        self.values.insert(FieldRef::plain(id), Given::Bytes(parts.join(&b' ').into()));
        for (n, part) in parts.into_iter().enumerate() {
            let named = part.iter().position(|b| *b == b'=').filter(|_| id == FieldId::PROC_ENV);
            let (arg, value) = match named {
                Some(at) => (Arg::Key(String::from_utf8_lossy(&part[..at]).into()), part[at + 1..].into()),
                None => (Arg::Index(n as u32), part),
            };
            self.values.entry(FieldRef { id, arg }).or_insert(Given::Bytes(value));
        }
        self.parted.push(id);
    }
}

/// The value of a variable in an environment whose variables are joined by blanks. A word without `=` belongs to the
/// variable before it.
fn variable<'e>(environment: &'e [u8], name: &[u8]) -> Option<&'e [u8]> {
    let mut at = 0;
    let mut begin = None;
    for word in environment.split(|b| *b == b' ') {
        let key = word.iter().position(|b| *b == b'=').map(|end| &word[..end]).filter(|key| is_name(key));
        if let (Some(begin), Some(_)) = (begin, key) {
            return environment.get(begin..at - 1);
        }
        if let Some(key) = key
            && key == name
        {
            begin = Some(at + key.len() + 1);
        }
        at += word.len() + 1;
    }
    begin.and_then(|begin| environment.get(begin..))
}

fn is_name(key: &[u8]) -> bool {
    key.first().is_some_and(|b| !b.is_ascii_digit())
        && key.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_reaches_to_the_next() {
        let all = b"A=1 PS1=$ > TERM=x=y EMPTY=";
        for (name, value) in [("A", "1"), ("PS1", "$ >"), ("TERM", "x=y"), ("EMPTY", "")] {
            assert_eq!(variable(all, name.as_bytes()), Some(value.as_bytes()), "{name}");
        }
        assert_eq!(variable(all, b"B"), None);
        assert_eq!(variable(b"", b"B"), None);
    }
}
