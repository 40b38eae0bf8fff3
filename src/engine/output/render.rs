//! A template and an event to a message and its fields.

use std::ops::ControlFlow;

use eyas_event::{FieldId, FieldRef, Fields, OutputValue, Shape};

use crate::ir::term::Term;
use crate::output::environment::OfRule;
use crate::output::{Piece, RenderedOutput, Template};
use crate::program::Scratch;

impl Template {
    /// The plain fields that it prints and that have values, in order of name.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &FieldRef> {
        self.fields.iter().filter_map(|(_, field)| field.as_ref())
    }

    /// The names of the plain fields that it prints, in order of name.
    pub fn field_names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| name.as_str())
    }

    /// Renders the message and its fields. A missing value prints as `<NA>` and is null among the fields.
    pub fn render(&self, fields: &impl Fields, scratch: &mut Scratch) -> RenderedOutput {
        let fields = &OfRule { fields, variables: self.variables.as_ref() };
        let mut message = Vec::with_capacity(256);
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => message.extend_from_slice(text.as_bytes()),
                Piece::Field { field, width } => {
                    let start = message.len();
                    scratch.buffers.buf.clear();
                    match field {
                        None => message.extend_from_slice(b"<NA>"),
                        Some(Term::Field(field)) => {
                            let value = fields.get(field, &mut scratch.buffers.buf);
                            field.write_text(&value, &mut message);
                        }
                        Some(term) => scratch.buffers.write(term, fields, &mut message),
                    }
                    if let Some(width) = width {
                        message.resize(start + *width as usize, b' ');
                    }
                }
            }
        }
        RenderedOutput { message, fields: self.values(fields, scratch) }
    }

    fn values(&self, fields: &impl Fields, scratch: &mut Scratch) -> Vec<(String, OutputValue)> {
        let mut values = Vec::with_capacity(self.fields.len() + 1);
        let mut value_of = |field: &FieldRef| {
            let buf = &mut scratch.buffers.buf;
            buf.clear();
            if field.id.info().shape != Shape::List || fields.get(field, buf).is_absent() {
                return field.output(&fields.get(field, buf));
            }
            buf.clear();
            let mut items = Vec::new();
            let _ = fields.each(field, buf, &mut |value| {
                items.push(field.output(&value));
                ControlFlow::Continue(())
            });
            if items.is_empty() { OutputValue::Null } else { OutputValue::List(items) }
        };
        for (name, field) in &self.fields {
            let value = field.as_ref().map_or(OutputValue::Null, &mut value_of);
            values.push((name.clone(), value));
        }
        let time = FieldId::EVT_TIME.info().name;
        if let Err(at) = values.binary_search_by(|(name, _)| name.as_str().cmp(time)) {
            let value = value_of(&FieldRef::plain(FieldId::EVT_TIME));
            values.insert(at, (time.to_owned(), value));
        }
        values
    }
}
