//! [`Fields`]: whatever can be asked for field values. Two things can: an [`crate::Event`] made from a record, and a map
//! of field to value as it stands in a test case or in a stored alert. The engine judges both through this one door.

use std::ops::ControlFlow;

use crate::environment::Variables;
use crate::event_type::EventType;
use crate::field::FieldRef;
use crate::value::Value;

/// Something that has field values.
pub trait Fields {
    /// The event's type; `None` when it is not known.
    fn event_type(&self) -> Option<EventType>;

    /// The value of a field. Text that is not stored anywhere is rendered into `buf`, which the caller lends and uses
    /// again, so that nothing is allocated once the buffer has grown. For a field with several values (see
    /// [`crate::Shape`]) this is the form that an output prints.
    fn get<'s>(&'s self, field: &FieldRef, buf: &'s mut Vec<u8>) -> Value<'s>;

    /// The same of an environment as a whole, of which only these variables are wanted.
    fn environment<'s>(&'s self, field: &FieldRef, wanted: &Variables, buf: &'s mut Vec<u8>) -> Value<'s> {
        let mut own = Vec::new();
        let kept = match self.get(field, &mut own) {
            Value::Bytes(text) => wanted.of_text(text),
            _ => return Value::Absent,
        };
        buf.clear();
        buf.extend_from_slice(&kept);
        Value::Bytes(buf)
    }

    /// Hands each value of a field with several to `test`, until it breaks; a field with one value hands out that one.
    /// An absent value is not handed out.
    fn each(
        &self,
        field: &FieldRef,
        buf: &mut Vec<u8>,
        test: &mut dyn FnMut(Value<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()>;
}
