//! [`OfRule`]: an event of whose environments a rule's output prints no more than the rule has a use for.

use std::ops::ControlFlow;

use eyas_event::{Arg, EventType, FieldId, FieldRef, Fields, Value, Variables};

/// Field values, of environments as a whole only these variables; all, where nothing is said.
pub(super) struct OfRule<'f, F> {
    pub(super) fields: &'f F,
    pub(super) variables: Option<&'f Variables>,
}

impl<F: Fields> OfRule<'_, F> {
    /// The variables to which a field is limited: where it is an environment as a whole. A number in the place of a name means that.
    fn limit(&self, field: &FieldRef) -> Option<&Variables> {
        let whole = match &field.arg {
            _ if !matches!(field.id, FieldId::PROC_ENV | FieldId::PROC_AENV) => false,
            Arg::Key(name) => name.bytes().all(|byte| byte.is_ascii_digit()),
            _ => true,
        };
        self.variables.filter(|_| whole)
    }
}

impl<F: Fields> Fields for OfRule<'_, F> {
    fn event_type(&self) -> Option<EventType> {
        self.fields.event_type()
    }

    fn get<'s>(&'s self, field: &FieldRef, buf: &'s mut Vec<u8>) -> Value<'s> {
        let Some(variables) = self.limit(field) else { return self.fields.get(field, buf) };
        self.fields.environment(field, variables, buf)
    }

    fn each(
        &self,
        field: &FieldRef,
        buf: &mut Vec<u8>,
        test: &mut dyn FnMut(Value<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(variables) = self.limit(field) else { return self.fields.each(field, buf, test) };
        self.fields.each(field, buf, &mut |value| match value {
            Value::Bytes(text) => test(Value::Bytes(&variables.of_text(text))),
            _ => ControlFlow::Continue(()),
        })
    }
}
