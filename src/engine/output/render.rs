//! A template and an event to a message and its fields.

use std::ops::ControlFlow;

use eyas_event::{Arg, FieldId, FieldRef, Fields, OutputValue, Shape, Value, Variables};
use memchr::memmem;

use crate::ir::term::Term;
use crate::output::{Piece, RenderedOutput, Template};
use crate::program::Scratch;

impl Template {
    /// The names of the plain fields that it prints, in order of name.
    pub fn field_names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| name.as_str())
    }

    /// Renders the message and its fields. A missing value prints as `<NA>` and is null among the fields.
    pub fn render(&self, fields: &impl Fields, scratch: &mut Scratch) -> RenderedOutput {
        let mut message = Vec::with_capacity(256);
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => message.extend_from_slice(text.as_bytes()),
                Piece::Field { field, width } => {
                    let start = message.len();
                    scratch.buffers.buf.clear();
                    match field {
                        None => message.extend_from_slice(b"<NA>"),
                        Some(Term::Field(field)) if self.limits(field) => {
                            match self.environment(fields, &mut scratch.buffers.buf) {
                                Some(text) => message.extend_from_slice(&text),
                                None => message.extend_from_slice(b"<NA>"),
                            }
                        }
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

    /// Whether this is an environment as a whole, of which the rule prints only a part. `proc.aenv` without an argument is the
    /// process's own, too.
    fn limits(&self, field: &FieldRef) -> bool {
        let is_whole = matches!(field.id, FieldId::PROC_ENV | FieldId::PROC_AENV) && field.arg == Arg::None;
        is_whole && self.variables.is_some()
    }

    /// The variables of the process's environment that the rule has a use for, as `NAME=value`, separated by blanks. `None` where
    /// it was not looked at.
    fn environment(&self, fields: &impl Fields, buf: &mut Vec<u8>) -> Option<Vec<u8>> {
        let whole = fields.get(&FieldRef::plain(FieldId::PROC_ENV), buf);
        if whole.is_absent() {
            return None;
        }
        let mut order = Vec::new();
        whole.write_text(&mut order);
        // The sensor sends them in capitals and small letters alike.
        let names =
            self.variables.iter().flat_map(Variables::iter).filter_map(|name| str::from_utf8(name).ok());
        let mut forms: Vec<String> = names
            .flat_map(|name| [name.to_owned(), name.to_ascii_uppercase(), name.to_ascii_lowercase()])
            .collect();
        forms.sort_unstable();
        forms.dedup();
        let mut found = Vec::new();
        for name in forms {
            buf.clear();
            let variable = FieldRef { id: FieldId::PROC_ENV, arg: Arg::Key(name.as_str().into()) };
            if let Value::Bytes(value) = fields.get(&variable, buf)
                && !value.is_empty()
            {
                let text = [name.as_bytes(), b"=", value].concat();
                found.push((memmem::find(&order, &text), text));
            }
        }
        found.sort();
        Some(found.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(&b' '))
    }

    fn values(&self, fields: &impl Fields, scratch: &mut Scratch) -> Vec<(String, OutputValue)> {
        let mut values = Vec::with_capacity(self.fields.len() + 1);
        let mut value_of = |field: &FieldRef| {
            let buf = &mut scratch.buffers.buf;
            buf.clear();
            if self.limits(field) {
                let text = self.environment(fields, buf);
                return text.map_or(OutputValue::Null, |text| field.output(&Value::Bytes(&text)));
            }
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
