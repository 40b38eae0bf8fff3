//! Comparisons in which Falco 0.44 looks at fewer values than it says: [`Dialect::FalcoExact`](crate::Dialect) narrows
//! them the same way. Eyas' own dialect judges them as documented and says that Falco would not.

use eyas_event::{Arg, FieldId, FieldType, Shape};

use crate::ir::operand::{self, Twice};
use crate::ir::term::Term;
use crate::ir::{Operand, Predicate};
use crate::syntax::ast::{Modifier, Op, Transformer, Value};

/// Events that Falco has in older forms: `evt.type.is` knows their oldest form only, which no kernel sends any more.
const OLDER_FORMS: [&str; 20] = [
    "accept", "bpf", "brk", "clone", "dup", "execve", "fork", "ioctl", "link", "linkat", "mkdir", "openat",
    "procexit", "rmdir", "select", "switch", "umount", "unlink", "unlinkat", "vfork",
];

/// Narrows the predicate to what Falco 0.44 looks at; `written` is the operator as the condition has it.
pub(super) fn narrow(predicate: &mut Predicate, written: Op, values: &[Value]) {
    if let Term::Field(field) = &mut predicate.term {
        match (field.id, &field.arg) {
            // Of an ancestor's environment the index is not looked at: any ancestor's counts.
            (FieldId::PROC_AENV, Arg::Index(_)) => field.arg = Arg::None,
            // The index -1 is its mark for having none.
            (_, Arg::Index(u32::MAX)) if field.id.info().shape == Shape::Ancestors => field.arg = Arg::None,
            (FieldId::EVT_TYPE_IS, arg) if has_older_form(arg) => field.arg = Arg::Key("".into()),
            _ => {}
        }
    }
    let kind = predicate.term.term_type();
    let Some(field) = predicate.term.field() else {
        // The elements are looked for with the byte that ends them.
        if kind.list && keeps_its_end(&predicate.term) && predicate.op != Op::Exists {
            predicate.operand = Operand::Texts(Vec::new());
        }
        return;
    };
    let shape = field.id.info().shape;
    let texts = matches!(kind.ty, FieldType::Text | FieldType::Path);
    let sided = kind.ty == FieldType::Net && shape == Shape::One;
    let keep = match (predicate.op, predicate.modifier) {
        (Op::In, None) if field.id == FieldId::FD_IP => 0,
        (Op::In, None) if field.id == FieldId::PROC_APID && field.arg == Arg::None => 0,
        (Op::In, None) if field.id == FieldId::FD_NET => usize::from(written == Op::In),
        (Op::In, None) if field.id == FieldId::EVT_RAWARG && !texts => 0,
        // A network is not found in a set of networks, so it is in none and outside of all.
        (Op::Eq, Some(Modifier::Anyof)) if sided => 0,
        (Op::Ne, Some(Modifier::Allof)) if sided => {
            if !values.is_empty() {
                (predicate.op, predicate.modifier, predicate.operand) = (Op::Exists, None, Operand::None);
            }
            return;
        }
        (_, Some(_)) if looks_at_first(shape, &field.arg, field.id) => 1,
        _ => return,
    };
    let kept = &values[..values.len().min(keep)];
    // The constants read as values before, so they do again.
    let list = operand::list(kind, predicate.op, kept, Twice::Once);
    predicate.operand = list.unwrap_or(Operand::Texts(Vec::new()));
}

/// Whether an argument of `evt.type.is` names an event that never comes in the form that Falco looks for.
pub(super) fn has_older_form(arg: &Arg) -> bool {
    matches!(arg, Arg::Key(name) if OLDER_FORMS.contains(&&**name))
}

/// Whether a modifier on such a field looks at the first element only.
pub(super) fn looks_at_first(shape: Shape, arg: &Arg, id: FieldId) -> bool {
    match shape {
        Shape::AnySide => true,
        Shape::Ancestors => *arg == Arg::None,
        Shape::One | Shape::List => id == FieldId::EVT_RAWARG,
    }
}

/// Whether Falco 0.44 keeps the byte that ends a text in what a term gives, so that it is found in no list.
pub(super) fn keeps_its_end(term: &Term) -> bool {
    let Term::Call(call) = term else { return false };
    matches!(
        call.name,
        Transformer::Tolower | Transformer::Toupper | Transformer::B64 | Transformer::Basename
    )
}
