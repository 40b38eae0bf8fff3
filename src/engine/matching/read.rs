//! The left side of a comparison: where its values come from.

use std::ops::ControlFlow;

use eyas_event::{FieldId, FieldRef, FieldType, Fields, Shape, Value};

use crate::ir::Term;
use crate::matching::eval::Work;

/// Where values come from.
#[derive(Debug)]
pub(crate) enum Read {
    /// Straight from the event.
    Field(FieldRef),
    /// From the event, and then from the place where the text was kept.
    Kept(u32, FieldRef),
    /// Worked out.
    Term(Term),
}

/// The buffers of one judging thread.
#[derive(Debug, Default)]
pub struct Buffers {
    /// Lent to events for text that they render.
    pub buf: Vec<u8>,
    pub(super) left: Work,
    pub(super) right: Work,
    kept: Vec<Kept>,
    number: u32,
}

/// The text of a field in one event.
#[derive(Debug, Default)]
struct Kept {
    /// The event's number.
    number: u32,
    is: Is,
    text: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Is {
    #[default]
    Absent,
    Text,
    /// Not a text; read anew each time.
    Other,
}

impl Buffers {
    /// Starts an event, with room for so many texts.
    pub(crate) fn begin(&mut self, number: u32, kept: usize) {
        self.number = number;
        if self.kept.len() < kept {
            self.kept.resize_with(kept, || Kept { text: Vec::with_capacity(256), ..Kept::default() });
        }
    }

    /// Forgets all events.
    pub(crate) fn forget(&mut self) {
        self.kept.iter_mut().for_each(|kept| kept.number = 0);
    }
}

impl Read {
    pub(crate) fn new(term: &Term, kept: Option<u32>) -> Self {
        match (term, kept) {
            (Term::Field(field), Some(place)) => Self::Kept(place, field.clone()),
            (Term::Field(field), None) => Self::Field(field.clone()),
            (term, _) => Self::Term(term.clone()),
        }
    }

    /// Shows the one value.
    #[inline]
    pub(crate) fn with<R>(
        &self,
        fields: &impl Fields,
        buffers: &mut Buffers,
        show: impl FnOnce(&Value<'_>) -> R,
    ) -> R {
        match self {
            Self::Field(field) => of_field(field, fields, &mut buffers.buf, show),
            Self::Kept(place, field) => {
                let Buffers { buf, kept, number, .. } = buffers;
                let Some(kept) = kept.get_mut(*place as usize) else {
                    return of_field(field, fields, buf, show);
                };
                if kept.number != *number {
                    kept.number = *number;
                    let Kept { is, text, .. } = kept;
                    *is = of_field(field, fields, buf, |value| match value {
                        Value::Absent => Is::Absent,
                        Value::Bytes(bytes) => {
                            text.clear();
                            text.extend_from_slice(bytes);
                            Is::Text
                        }
                        _ => Is::Other,
                    });
                }
                match kept.is {
                    Is::Absent => show(&Value::Absent),
                    Is::Text => show(&Value::Bytes(&kept.text)),
                    Is::Other => of_field(field, fields, buf, show),
                }
            }
            Self::Term(term) => show(&buffers.left.value(term, fields)),
        }
    }

    /// Shows each value of a list until told to stop.
    pub(crate) fn each(
        &self,
        fields: &impl Fields,
        buffers: &mut Buffers,
        show: &mut dyn FnMut(Value<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match self {
            Self::Field(field) | Self::Kept(_, field) => {
                buffers.buf.clear();
                fields.each(field, &mut buffers.buf, show)
            }
            Self::Term(term) => {
                if buffers.left.list(term, fields) {
                    buffers.left.found().try_for_each(|element| show(Value::Bytes(element)))?;
                }
                ControlFlow::Continue(())
            }
        }
    }
}

/// Shows a field's value. A time that is text is shown as it is printed.
#[inline]
fn of_field<R>(
    field: &FieldRef,
    fields: &impl Fields,
    buf: &mut Vec<u8>,
    show: impl FnOnce(&Value<'_>) -> R,
) -> R {
    buf.clear();
    let time = match fields.get(field, buf) {
        Value::Time(time) if field.ty() == FieldType::Text => time,
        // A raw parameter without bytes is none.
        Value::Bytes([]) if field.id == FieldId::EVT_RAWARG => return show(&Value::Absent),
        value => return show(&value),
    };
    buf.clear();
    field.write_text(&Value::Time(time), buf);
    show(&Value::Bytes(buf))
}

/// Whether a field's value lies ready in an event; others are put together or looked for.
pub(crate) fn is_ready(field: &FieldRef) -> bool {
    field.id.info().shape != Shape::Ancestors
        && !matches!(
            field.id,
            FieldId::PROC_CMDLINE
                | FieldId::PROC_PCMDLINE
                | FieldId::PROC_ARGS
                | FieldId::PROC_EXELINE
                | FieldId::PROC_CWD
                | FieldId::PROC_PNAME
                | FieldId::PROC_PEXE
                | FieldId::PROC_PEXEPATH
                | FieldId::PROC_SNAME
                | FieldId::PROC_SID_EXE
                | FieldId::PROC_SID_EXEPATH
                | FieldId::PROC_PGID_NAME
                | FieldId::PROC_PGID_EXE
                | FieldId::PROC_PGID_EXEPATH
                | FieldId::EVT_ARG
                | FieldId::EVT_ARGS
                | FieldId::EVT_INFO
                | FieldId::THREAD_CAP_EFFECTIVE
        )
}
