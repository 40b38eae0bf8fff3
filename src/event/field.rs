//! [`FieldId`]: an index into the one table of fields. The table says each field's name, Falco type, argument, how many
//! values it has and whether this version provides it; rules, filters, documentation and completion all read it.

use crate::field_table::FIELDS;
use crate::params::ParamId;

/// An index into the table of fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldId(pub(crate) u16);

/// Falco's types, as far as provided fields have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// Truth value.
    Bool,
    /// Signed number.
    Int,
    /// Unsigned number.
    Uint,
    /// Text (bytes).
    Text,
    /// Path (bytes).
    Path,
    /// Address.
    Ip,
    /// Address, asked for membership of a network.
    Net,
    /// Port.
    Port,
    /// Instant, nanoseconds since the epoch.
    Time,
    /// Span, nanoseconds.
    Span,
    /// Raw bytes, such as a buffer.
    Bytes,
    /// Number with a fraction; constants are whole all the same.
    Double,
    /// Priority of a rule, compared by urgency; eyas only.
    Priority,
}

/// What may stand behind a field's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArgKind {
    /// Nothing.
    None,
    /// `[n]`, or nothing.
    OptionalIndex,
    /// `.name` or `[n]`: a parameter of the event.
    Param,
    /// `[text]`, always.
    Key,
    /// `[text]`, or nothing.
    OptionalKey,
}

/// How many values a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// One.
    One,
    /// Either endpoint of a connection: `=` and the like hold when one side does, `!=` when both do.
    AnySide,
    /// Without an index, every ancestor (self excluded); with an index, one.
    Ancestors,
    /// A list: `in` holds when every element is in the operand, `intersects` when one is.
    List,
}

/// Whether this version gives a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provision {
    /// It does.
    Provided,
    /// It is known and may be used, but has no value yet; the text says why.
    AlwaysAbsent(&'static str),
}

/// What a field's value is taken from; it follows from the first letters of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The event: `evt.`, `syscall.`.
    Event,
    /// The descriptor or path: `fd.`, `fs.`.
    Descriptor,
    /// The process, its user and its container: everything else.
    Process,
}

impl Origin {
    pub(crate) const fn of(name: &str) -> Self {
        match name.as_bytes() {
            [b'e', b'v', b't', b'.', ..] | [b's', b'y', b's', b'c', ..] => Self::Event,
            [b'f', b'd' | b's', b'.', ..] => Self::Descriptor,
            _ => Self::Process,
        }
    }
}

/// One row of the table.
#[derive(Debug)]
pub struct FieldInfo {
    /// Name as rules write it.
    pub name: &'static str,
    /// Falco type.
    pub ty: FieldType,
    /// What may stand behind the name.
    pub arg: ArgKind,
    /// How many values.
    pub shape: Shape,
    /// Whether there is ever a value.
    pub provision: Provision,
    /// What the value is taken from.
    pub(crate) origin: Origin,
    /// One sentence.
    pub doc: &'static str,
}

/// A field's argument, resolved when the rule was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Arg {
    /// None was given.
    #[default]
    None,
    /// `[n]`.
    Index(u32),
    /// `.name` of an event parameter.
    Param(ParamId),
    /// `[text]`: a key, such as the name of a variable or a JSON pointer.
    Key(Box<str>),
}

/// A field with its argument.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldRef {
    /// Which field.
    pub id: FieldId,
    /// Its argument.
    pub arg: Arg,
}

impl FieldId {
    /// The field with that name.
    pub fn from_name(name: &str) -> Option<Self> {
        FIELDS.iter().position(|f| f.name == name).map(|i| Self(i as u16))
    }

    /// Its row.
    pub fn info(self) -> &'static FieldInfo {
        &FIELDS[usize::from(self.0)]
    }

    /// All fields in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..FIELDS.len() as u16).map(Self)
    }

    /// The index, below the number of fields.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl FieldRef {
    /// A field without an argument.
    pub fn plain(id: FieldId) -> Self {
        Self { id, arg: Arg::None }
    }

    /// The name with the argument, as rules and alerts write it.
    pub fn name(&self) -> String {
        let name = self.id.info().name;
        match &self.arg {
            Arg::None => name.to_owned(),
            Arg::Index(n) => format!("{name}[{n}]"),
            Arg::Param(p) => format!("{name}.{}", p.name()),
            Arg::Key(key) => format!("{name}[{key}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_once_and_says_what_it_is() {
        let mut names: Vec<_> = FIELDS.iter().map(|f| f.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        for id in FieldId::all() {
            assert_eq!(FieldId::from_name(id.info().name), Some(id));
            assert!(id.info().doc.ends_with('.'), "{}", id.info().name);
        }
    }
}
