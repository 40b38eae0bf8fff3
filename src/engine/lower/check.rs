//! One comparison: field, operator and constants checked against each other.

use eyas_event::{Arg, FieldFlags, FieldId, FieldRef, Shape};

use crate::diag::{Code, Diagnostic, did_you_mean};
use crate::fields::{FieldFault, deprecated, resolve, why_absent};
use crate::ir::operand::{self, BadOperand};
use crate::ir::{Operand, Predicate};
use crate::lower::{lints, through_list};
use crate::source::Span;
use crate::syntax::ast::{Bytes, Check, Op, Operand as Lhs, OperandKind, Rhs, Value};
use crate::syntax::text::Spliced;

/// Why a comparison did not lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A field or an event is not there; a rule may ask to be skipped for that.
    Unknown,
    /// Anything else.
    Wrong,
}

/// Checks a comparison. Findings that break nothing are pushed as well.
pub(super) fn check(
    check: &Check,
    text: &Spliced,
    span: Span,
    found: &mut Vec<Diagnostic>,
) -> Result<Predicate, Fault> {
    let mut place = |code: Code, message: String, bytes: &Bytes, label: String| {
        let diagnostic = Diagnostic::new(code, message, text.span(bytes), label);
        through_list(text, bytes, diagnostic)
    };
    if let Some(diagnostic) = not_built(check, &mut place) {
        found.push(diagnostic);
        return Err(Fault::Wrong);
    }
    let field = match field(&check.lhs, text) {
        Ok(field) => field,
        Err((diagnostic, fault)) => {
            found.push(*diagnostic);
            return Err(fault);
        }
    };
    let info = field.id.info();
    let ty = field.ty();
    let values: &[Value] = match &check.rhs {
        Rhs::Value(value) => std::slice::from_ref(value),
        Rhs::List(values) => values,
        _ => &[],
    };
    if field.id == FieldId::EVT_TYPE {
        return match operand::events(check.op, values) {
            Ok(operand) => Ok(Predicate { field, op: check.op, operand }),
            Err(bad) => {
                found.push(unknown_event(&values[bad.index], text));
                Err(Fault::Unknown)
            }
        };
    }
    if !operand::allows(ty, check.op) {
        let message = format!("`{}` cannot be compared with `{}`", info.name, check.op.word());
        let label = format!("this field has {}", operand::allowed(ty));
        found.push(place(Code::OperatorType, message, &check.op_bytes, label));
        return Err(Fault::Wrong);
    }
    let single = info.shape != Shape::List;
    let op = if check.op == Op::Intersects && single { Op::In } else { check.op };
    let operand = match &check.rhs {
        Rhs::Value(value) => operand::single(ty, value),
        Rhs::List(values) => operand::list(ty, op, values),
        _ => Ok(Operand::None),
    };
    let operand = match operand {
        Ok(operand) => operand,
        Err(BadOperand { index, label, near }) => {
            let message = format!("this does not read as a value of `{}`", info.name);
            let at = &values[index].at;
            let mut bad = place(Code::BadValue, message, at, label);
            if let Some(near) = near {
                bad = bad.mend(format!("did you mean `{near}`?"), text.span(at), near);
            }
            found.push(bad);
            return Err(Fault::Wrong);
        }
    };
    if let Some(message) = why_absent(field.id) {
        let label = "every comparison with it is false".to_owned();
        found.push(place(Code::FieldNotProvided, message, &check.lhs.bytes, label));
    }
    if info.flags.has(FieldFlags::DEPRECATED) {
        found.push(place(Code::Deprecated, deprecated(info.name), &check.lhs.bytes, String::new()));
    }
    let predicate = Predicate { field, op, operand };
    lints::check(check, &predicate, values, text, span, found);
    Ok(predicate)
}

/// `evt.around[T] = n` as what it means: the event's time lies at most n milliseconds from T, on either side.
pub(super) fn around(predicate: &Predicate) -> Option<[Predicate; 2]> {
    let (FieldId::EVT_AROUND, Op::Eq) = (predicate.field.id, predicate.op) else { return None };
    let (Arg::Key(instant), Operand::Number(within)) = (&predicate.field.arg, &predicate.operand) else {
        return None;
    };
    let instant: i128 = instant.parse().ok()?;
    let within = within.saturating_mul(1_000_000);
    let end = |op, operand| Predicate {
        field: FieldRef::plain(FieldId::EVT_RAWTIME),
        op,
        operand: Operand::Number(operand),
    };
    Some([end(Op::Ge, instant.saturating_sub(within)), end(Op::Le, instant.saturating_add(within))])
}

type Found = (Box<Diagnostic>, Fault);

/// The field of an operand that is no call.
fn field(lhs: &Lhs, text: &Spliced) -> Result<FieldRef, Found> {
    let OperandKind::Field { name, arg } = &lhs.kind else {
        let found =
            Diagnostic::new(Code::NotBuilt, "transformers are not built yet", text.span(&lhs.bytes), "");
        return Err((Box::new(found), Fault::Wrong));
    };
    let fault = match resolve(name, arg.as_ref()) {
        Ok(field) => return Ok(field),
        Err(fault) => fault,
    };
    let name_bytes = lhs.bytes.start..lhs.bytes.start + name.len() as u32;
    let (found, kind) = match fault {
        FieldFault::Unknown(near) => {
            let span = text.span(&name_bytes);
            let mut found =
                Diagnostic::new(Code::UnknownField, format!("there is no field `{name}`"), span, "");
            if let Some(near) = near {
                found = found.mend(format!("did you mean `{near}`?"), span, near);
            }
            (found, Fault::Unknown)
        }
        FieldFault::BadArgument(why) => {
            let at = arg.as_ref().map_or(&lhs.bytes, |value| &value.at);
            let message = format!("the argument of `{name}` does not fit");
            (Diagnostic::new(Code::BadArgument, message, text.span(at), why), Fault::Wrong)
        }
    };
    Err((Box::new(through_list(text, &lhs.bytes, found)), kind))
}

fn unknown_event(value: &Value, text: &Spliced) -> Diagnostic {
    let written = String::from_utf8_lossy(&value.bytes).into_owned();
    let span = text.span(&value.at);
    let mut found = Diagnostic::new(Code::UnknownEvent, format!("there is no event `{written}`"), span, "");
    let names = eyas_event::EventType::all().map(eyas_event::EventType::name);
    if let Some(near) = did_you_mean(&written, names) {
        found = found.mend(format!("did you mean `{near}`?"), span, near);
    }
    through_list(text, &value.at, found)
}

/// The parts of the language that parse and are not compiled yet.
fn not_built(
    check: &Check,
    place: &mut dyn FnMut(Code, String, &Bytes, String) -> Diagnostic,
) -> Option<Diagnostic> {
    let mut refuse = |what: &str, bytes: &Bytes| {
        let message = format!("{what} is known and not built yet");
        Some(place(Code::NotBuilt, message, bytes, "the condition cannot be judged without it".to_owned()))
    };
    if let OperandKind::Call { name, .. } = &check.lhs.kind {
        return refuse(&format!("the transformer `{}`", name.word()), &check.lhs.bytes);
    }
    if !check.op.is_built() {
        return refuse(&format!("the operator `{}`", check.op.word()), &check.op_bytes);
    }
    if let Some(modifier) = check.modifier {
        return refuse(&format!("the modifier `{}`", modifier.word()), &check.op_bytes);
    }
    match &check.rhs {
        Rhs::Field(field) => refuse("comparing two fields with `val(…)`", &field.bytes),
        Rhs::Call(call) => refuse("a transformer on the right side", &call.bytes),
        _ => None,
    }
}

/// Whether a constant is spelled like a field.
pub(super) fn looks_like_field(value: &Value) -> bool {
    if value.quoted {
        return false;
    }
    let Ok(text) = std::str::from_utf8(&value.bytes) else { return false };
    text.contains('.') && resolve(text, None).is_ok()
}
