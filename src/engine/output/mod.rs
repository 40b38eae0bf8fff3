//! The output language: a rule's `output` text to a template, a template and an event to a message and its fields.

mod environment;
mod parse;
mod render;

use eyas_event::{FieldRef, OutputValue, Variables};

use crate::ir::term::Term;

pub use parse::parse;

/// A parsed output text.
#[derive(Clone, Debug, Default)]
pub struct Template {
    pieces: Vec<Piece>,
    /// The plain fields by the name under which JSON shows them, in order of name; `None` for one without a value yet.
    fields: Vec<(String, Option<FieldRef>)>,
    /// Of an environment that it prints as a whole, it prints these; all, where nothing is said.
    variables: Option<Variables>,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(Box<str>),
    Field {
        /// `None` prints as missing: Falco has the field, eyas not yet.
        field: Option<Term>,
        /// Pads with blanks or cuts to so many bytes.
        width: Option<u32>,
    },
}

impl Template {
    /// From now on it prints of an environment no other variables than these, in either case.
    pub(crate) fn limit_environment(&mut self, variables: Variables) {
        self.variables = Some(variables);
    }

    /// The first field that rules of an event source may not use, by the name under which the output has it.
    pub(crate) fn foreign(&self, source: &str) -> Option<(&str, &FieldRef)> {
        let fields = self.fields.iter().filter_map(|(name, field)| Some((name.as_str(), field.as_ref()?)));
        fields.into_iter().find(|(_, field)| !field.id.info().belongs_to(source))
    }
}

/// What a rule says about an event.
#[derive(Clone, Debug, PartialEq)]
pub struct RenderedOutput {
    /// The message, without time and priority. Bytes as they came: whoever prints them escapes them.
    pub message: Vec<u8>,
    /// The fields of the output and `evt.time`, in order of name.
    pub fields: Vec<(String, OutputValue)>,
}
