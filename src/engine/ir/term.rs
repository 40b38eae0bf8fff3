//! A term: what a comparison reads. A field, a constant, or a transformer over terms, typed when the condition was read.
//!
//! [`Term::Field`] is what nearly every comparison has, and is judged without the detour through buffers that the
//! others take (`crate::matching::eval`).

use std::fmt;

use eyas_event::{FieldRef, FieldType, Shape};

use crate::syntax::ast::{Transformer, Value};

/// What is read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Term {
    /// A field.
    Field(FieldRef),
    /// A constant text, an argument of a transformer.
    Text(Box<[u8]>),
    /// Terms in parentheses, an argument of a transformer.
    List(Box<[Term]>),
    /// A transformer over terms.
    Call(Box<Call>),
}

/// A transformer with its arguments, which fit it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Call {
    /// Which one.
    pub name: Transformer,
    /// Its arguments.
    pub args: Box<[Term]>,
    /// The option that `getopt(…)[c]` picks.
    pub pick: Option<u8>,
}

/// The type of a term, and whether it is a list of such values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TermType {
    /// The type of one value.
    pub ty: FieldType,
    /// Whether there are several.
    pub list: bool,
    /// How wide its numbers are, in bits.
    pub bits: u8,
}

impl TermType {
    /// One value of a type, as wide as numbers get.
    pub fn one(ty: FieldType) -> Self {
        Self { ty, list: false, bits: 64 }
    }
}

impl Term {
    /// The field, when the term is nothing else.
    pub fn field(&self) -> Option<&FieldRef> {
        match self {
            Self::Field(field) => Some(field),
            _ => None,
        }
    }

    /// Its type.
    pub fn term_type(&self) -> TermType {
        let text = |list| TermType { list, ..TermType::one(FieldType::Text) };
        match self {
            Self::Field(field) => {
                let info = field.id.info();
                TermType { ty: field.ty(), list: info.shape == Shape::List, bits: info.bits }
            }
            Self::Text(_) => text(false),
            Self::List(_) => text(true),
            Self::Call(call) => match call.name {
                Transformer::Len => TermType::one(FieldType::Uint),
                Transformer::Getopt => text(call.pick.is_none()),
                Transformer::Join => text(false),
                _ => text(call.args.iter().any(|a| a.term_type().list)),
            },
        }
    }

    /// Every field in it, in the order written.
    pub fn fields<'t>(&'t self, out: &mut Vec<&'t FieldRef>) {
        match self {
            Self::Field(field) => out.push(field),
            Self::Text(_) => {}
            Self::List(terms) => terms.iter().for_each(|term| term.fields(out)),
            Self::Call(call) => call.args.iter().for_each(|term| term.fields(out)),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = |terms: &[Term]| terms.iter().map(Term::to_string).collect::<Vec<_>>().join(", ");
        match self {
            Self::Field(field) => f.write_str(&field.name()),
            Self::Text(bytes) => Value { bytes: bytes.to_vec(), quoted: true, at: 0..0 }.fmt(f),
            Self::List(terms) => write!(f, "({})", all(terms)),
            Self::Call(call) => {
                write!(f, "{}({})", call.name.word(), all(&call.args))?;
                call.pick.map_or(Ok(()), |c| write!(f, "[{}]", char::from(c)))
            }
        }
    }
}
