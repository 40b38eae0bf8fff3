//! [`FieldId`]: an index into the one table of fields. The table says each field's name, Falco type, argument, how many
//! values it has and whether this version provides it; rules, filters, documentation and completion all read it.

use crate::field_table::{BY_NAME, FIELDS, PROVIDED, SOURCES};
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

impl FieldType {
    /// The type as one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Text => "text",
            Self::Path => "path",
            Self::Ip => "address",
            Self::Net => "network",
            Self::Port => "port",
            Self::Time => "time",
            Self::Span => "span",
            Self::Bytes => "bytes",
            Self::Double => "double",
            Self::Priority => "priority",
        }
    }
}

/// What may stand behind a field's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArgKind {
    /// Nothing.
    None,
    /// `[n]`, or nothing.
    OptionalIndex,
    /// `[n]`, always.
    Index,
    /// `.name` or `[n]`: a parameter of the event.
    Param,
    /// `.name`: a parameter of the event.
    ParamName,
    /// `.name`: an event.
    Event,
    /// `.word`: any word.
    Word,
    /// `.src` or `.dst`, or nothing.
    OptionalSide,
    /// `[text]`, always.
    Key,
    /// `[text]`, or nothing.
    OptionalKey,
    /// `[n]` or `[text]`, always.
    IndexOrKey,
    /// `[n]` or `[text]`, or nothing.
    OptionalIndexOrKey,
    /// `[n]`: nanoseconds since the epoch.
    Instant,
}

impl ArgKind {
    /// The argument as one writes it behind the name; what may be left out stands in parentheses.
    pub fn form(self) -> &'static str {
        match self {
            Self::None => "",
            Self::OptionalIndex => "([n])",
            Self::Index => "[n]",
            Self::Param => ".name or [n]",
            Self::ParamName => ".name",
            Self::Event => ".event",
            Self::Word => ".word",
            Self::OptionalSide => "(.src or .dst)",
            Self::Key => "[key]",
            Self::OptionalKey => "([key])",
            Self::IndexOrKey => "[n] or [key]",
            Self::OptionalIndexOrKey => "([n] or [key])",
            Self::Instant => "[ns]",
        }
    }

    /// Whether the argument follows a point and stands in no brackets.
    pub fn is_dotted(self) -> bool {
        matches!(self, Self::Param | Self::ParamName | Self::Event | Self::Word | Self::OptionalSide)
    }
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

/// What sets a field apart in rules, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FieldFlags(u8);

impl FieldFlags {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// No transformer may be applied.
    pub const NO_TRANSFORMER: Self = Self(1);
    /// It cannot stand on the right side as `val(…)`.
    pub const NO_RHS: Self = Self(2);
    /// It can be compared and not printed.
    pub const FILTER_ONLY: Self = Self(4);
    /// It can be printed and not compared.
    pub const PRINT_ONLY: Self = Self(8);
    /// Falco does not list it.
    pub const HIDDEN: Self = Self(16);
    /// It is there for old rules alone.
    pub const DEPRECATED: Self = Self(32);
    /// Falco adds it to outputs by itself.
    pub const SUGGESTED: Self = Self(64);

    const NAMES: [(Self, &'static str); 7] = [
        (Self::NO_TRANSFORMER, "no-transformer"),
        (Self::NO_RHS, "no-rhs"),
        (Self::FILTER_ONLY, "filter-only"),
        (Self::PRINT_ONLY, "print-only"),
        (Self::HIDDEN, "hidden"),
        (Self::DEPRECATED, "deprecated"),
        (Self::SUGGESTED, "suggested-output"),
    ];

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether everything in `other` is in this set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The words for what is in the set.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, word)| word)
    }
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
#[derive(Clone, Copy, Debug)]
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
    /// The event source that has it; none when every source does.
    pub source: Option<&'static str>,
    /// What sets it apart in rules.
    pub flags: FieldFlags,
    /// How wide its numbers are, in bits: a constant is cut to it, and two fields compare only when they are as wide.
    pub bits: u8,
    /// What the value is taken from.
    pub(crate) origin: Origin,
    /// One sentence.
    pub doc: &'static str,
}

impl FieldInfo {
    /// Whether there is ever a value.
    pub const fn is_provided(&self) -> bool {
        matches!(self.provision, Provision::Provided)
    }

    /// Whether it has a flag.
    pub const fn has(&self, flag: FieldFlags) -> bool {
        self.flags.has(flag)
    }

    /// The type of its values as a word.
    pub fn type_word(&self) -> &'static str {
        // `evt.rawarg`: no other field leaves its type to its argument.
        if self.arg == ArgKind::ParamName { "of the parameter" } else { self.ty.word() }
    }

    /// Whether rules of that source may use it.
    pub fn belongs_to(&self, source: &str) -> bool {
        self.source.is_none_or(|own| own == source)
    }

    /// Whether it is one of ours, which Falco does not have.
    pub fn is_ours(&self) -> bool {
        self.name.starts_with("alert.") || matches!(self.name, "fd.realpath" | "evt.is_uring")
    }
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
    /// `[text]`: a key, such as the name of a variable or a JSON pointer. Or `.word`, where the field's argument follows
    /// a point.
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
        BY_NAME.get(name).copied()
    }

    /// The fields that ever have a value in an event, in the order of the table.
    pub fn provided() -> impl Iterator<Item = Self> {
        PROVIDED.iter().copied()
    }

    /// The names of the event sources that fields belong to.
    pub fn sources() -> &'static [&'static str] {
        &SOURCES
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
            // A negative number is never there, and written as it was.
            Arg::Index(n) => format!("{name}[{}]", *n as i32),
            Arg::Param(p) => format!("{name}.{}", p.name()),
            Arg::Key(key) if self.id.info().arg.is_dotted() => format!("{name}.{key}"),
            Arg::Key(key) => format!("{name}[{key}]"),
        }
    }

    /// The type of its values: the row's, but for `evt.rawarg`, which has that of the parameter.
    pub fn ty(&self) -> FieldType {
        match &self.arg {
            Arg::Param(param) if self.id == FieldId::EVT_RAWARG => param.ty(),
            _ => self.id.info().ty,
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
