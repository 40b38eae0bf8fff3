//! Comparisons in which Falco 0.44 looks at fewer values than it says: [`Dialect::FalcoExact`](crate::Dialect) narrows
//! them the same way. Eyas' own dialect judges them as documented and says that Falco would not.

use eyas_event::{Arg, FieldId, FieldType, Shape};

use crate::ir::operand;
use crate::ir::term::Term;
use crate::ir::{Operand, Predicate};
use crate::syntax::ast::{Op, Value};

/// Narrows the operand to what Falco 0.44 looks at.
pub(super) fn narrow(predicate: &mut Predicate, values: &[Value]) {
    // Of an ancestor's environment the index is not looked at: any ancestor's counts.
    if let Term::Field(field) = &mut predicate.term
        && field.id == FieldId::PROC_AENV
        && matches!(field.arg, Arg::Index(_))
    {
        field.arg = Arg::None;
    }
    let Some(field) = predicate.term.field() else { return };
    let info = field.id.info();
    let keep = match predicate.op {
        Op::In if field.id == FieldId::FD_IP => 0,
        Op::In if field.id == FieldId::PROC_APID && field.arg == Arg::None => 0,
        Op::In if field.id == FieldId::FD_NET => 1,
        // A raw parameter is found in no list, unless it is a text.
        Op::In
            if field.id == FieldId::EVT_RAWARG
                && !matches!(field.ty(), FieldType::Text | FieldType::Path) =>
        {
            0
        }
        _ if predicate.modifier.is_some() && looks_at_first(info.shape, &field.arg, info.ty) => 1,
        _ => return,
    };
    let kept = &values[..values.len().min(keep)];
    // The constants read as values before, so they do again.
    predicate.operand = operand::list(field.ty(), predicate.op, kept).unwrap_or(Operand::Texts(Vec::new()));
}

/// Whether a modifier on such a field looks at the first element only.
pub(super) fn looks_at_first(shape: Shape, arg: &Arg, ty: FieldType) -> bool {
    match shape {
        Shape::AnySide => true,
        Shape::Ancestors => *arg == Arg::None,
        Shape::One | Shape::List => ty == FieldType::Net,
    }
}
