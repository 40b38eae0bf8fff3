//! Fields and transformer calls as written to typed terms: which arguments a transformer takes, which fields stand where.

use eyas_event::{FieldFlags, FieldId, FieldType, Shape};

use crate::diag::{Code, Diagnostic};
use crate::ir::term::{Call, Term, TermType};
use crate::lower::check::{Fault, Found, field};
use crate::lower::through_list;
use crate::syntax::ast::{CallArg, Op, Operand, OperandKind, Transformer, Value};
use crate::syntax::text::Spliced;

/// A field or a call. Recursion is bounded: the parser nests calls so deep and no deeper.
pub(crate) fn term(operand: &Operand, text: &Spliced) -> Result<Term, Found> {
    let (name, args, pick) = match &operand.kind {
        OperandKind::Field { name, arg } => {
            return field(name, arg.as_ref(), &operand.bytes, text).map(Term::Field);
        }
        OperandKind::Call { name, args, pick } => (*name, args, pick.as_ref()),
    };
    let wrong = |message: String, note: String| {
        let found = Diagnostic::new(Code::BadTransformer, message, text.span(&operand.bytes), "").note(note);
        Err((Box::new(through_list(text, &operand.bytes, found)), Fault::Wrong))
    };
    let args: Vec<Term> = args.iter().map(|a| argument(a, text)).collect::<Result<_, _>>()?;
    if let Err(message) = fits(name, &args) {
        let ancestors = args.iter().find_map(|arg| of_ancestors(arg, name));
        return wrong(message, ancestors.unwrap_or_else(|| takes(name).to_owned()));
    }
    let pick = match (name, pick) {
        (_, None) => None,
        (Transformer::Getopt, Some(Value { bytes, .. })) if bytes.len() == 1 => Some(bytes[0]),
        (Transformer::Getopt, Some(_)) => {
            return wrong(
                "the brackets after `getopt` hold one option's letter".to_owned(),
                takes(name).to_owned(),
            );
        }
        (name, Some(_)) => {
            return wrong(format!("`{}` takes nothing in brackets", name.word()), takes(name).to_owned());
        }
    };
    Ok(Term::Call(Box::new(Call { name, args: args.into(), pick })))
}

fn argument(arg: &CallArg, text: &Spliced) -> Result<Term, Found> {
    match arg {
        CallArg::Constant(value) => Ok(Term::Text(value.bytes.clone().into())),
        CallArg::List(args) => args
            .iter()
            .map(|a| argument(a, text))
            .collect::<Result<Vec<_>, _>>()
            .map(|a| Term::List(a.into())),
        // A bare number is a constant.
        CallArg::Operand(Operand { kind: OperandKind::Field { name, arg: None }, .. })
            if name.bytes().all(|b| b.is_ascii_digit()) =>
        {
            Ok(Term::Text(name.as_bytes().into()))
        }
        CallArg::Operand(operand) => term(operand, text),
    }
}

/// What a transformer takes, with an example.
fn takes(name: Transformer) -> &'static str {
    match name {
        Transformer::Len => "it takes a text, bytes or a list: `len(proc.cmdline) > 100`",
        Transformer::Join => "it takes a text and a list: `join(\" \", (proc.name, proc.pname)) contains x`",
        Transformer::Concat => "it takes two texts or more: `concat(proc.name, \"/\", user.name) = x`",
        Transformer::Getopt => {
            "it takes a list of words and the letters of options, a colon behind one with a value: `getopt((proc.args[0], proc.args[1], proc.args[2]), \"ab:\")[b] = x`"
        }
        Transformer::B64 => "it takes one text or bytes: `b64(evt.buffer) contains x`",
        _ => "it takes one field of text, such as `proc.name`, that stands for one value",
    }
}

/// What to do instead of giving a field of ancestors to a transformer, where one of the arguments is that.
fn of_ancestors(arg: &Term, name: Transformer) -> Option<String> {
    if let Term::List(parts) = arg {
        return parts.iter().find_map(|part| of_ancestors(part, name));
    }
    let info = arg.field()?.id.info();
    if info.shape != Shape::Ancestors || !info.has(FieldFlags::NO_TRANSFORMER) {
        return None;
    }
    let note = "fields of ancestors are not taken, with an index neither";
    let parent = info.name.strip_prefix("proc.a").map(|of| format!("proc.p{of}"));
    Some(match parent.filter(|parent| FieldId::from_name(parent).is_some()) {
        Some(parent) if name.takes_list() => format!("{note}; for the parent write `{parent}`"),
        Some(parent) => format!("{note}; for the parent `{}({parent})`", name.word()),
        None => note.to_owned(),
    })
}

/// Whether a transformer takes such arguments; the error is a sentence.
fn fits(name: Transformer, args: &[Term]) -> Result<(), String> {
    for arg in args {
        transformed(arg, name)?;
        let Term::List(parts) = arg else { continue };
        for part in parts {
            transformed(part, name)?;
            let found = part.term_type();
            let fine = is_text_type(found.ty) || (part.field().is_some() && is_number(found.ty));
            if !fine {
                return Err(format!("a list in parentheses holds texts, and `{part}` is none"));
            }
        }
    }
    let word = name.word();
    match (name, args) {
        (Transformer::Join, [between, list]) => {
            if !is_text(between) {
                return Err("the first argument of `join` is the text that stands between".to_owned());
            }
            if !is_list(list) {
                return Err("the second argument of `join` is a list".to_owned());
            }
        }
        (Transformer::Join, _) => return Err("`join` takes a text and a list".to_owned()),
        (Transformer::Concat, [_, _, ..]) => {
            if let Some(other) = args.iter().find(|arg| !is_text(arg)) {
                return Err(format!("`concat` puts texts together, and `{other}` is none"));
            }
        }
        (Transformer::Concat, _) => return Err("`concat` takes two texts or more".to_owned()),
        (Transformer::Getopt, [list, spec]) => {
            if !is_list(list) {
                return Err("the first argument of `getopt` is a list of words".to_owned());
            }
            if !is_text(spec) {
                return Err(
                    "the second argument of `getopt` is a text of letters, such as \"ab:\"".to_owned()
                );
            }
        }
        (Transformer::Getopt, _) => return Err("`getopt` takes a list and a text of letters".to_owned()),
        (_, [arg]) => {
            let found = arg.term_type();
            let texts = is_text_type(found.ty);
            let fine = match name {
                Transformer::Len => texts || found.ty == FieldType::Bytes || found.list,
                Transformer::B64 => texts || found.ty == FieldType::Bytes,
                _ => texts,
            };
            if !fine {
                return Err(format!("`{word}` does not take the type of `{arg}`"));
            }
        }
        _ => return Err(format!("`{word}` takes one argument")),
    }
    Ok(())
}

fn is_text_type(ty: FieldType) -> bool {
    matches!(ty, FieldType::Text | FieldType::Path)
}

fn is_number(ty: FieldType) -> bool {
    matches!(
        ty,
        FieldType::Int
            | FieldType::Uint
            | FieldType::Port
            | FieldType::Time
            | FieldType::Span
            | FieldType::Double
    )
}

fn is_text(term: &Term) -> bool {
    let found = term.term_type();
    !found.list && is_text_type(found.ty)
}

/// Whether a term may stand where `join` and `getopt` want their list. What `getopt` finds may not, as in Falco.
fn is_list(term: &Term) -> bool {
    match term {
        Term::Call(call) => call.name != Transformer::Getopt && term.term_type().list,
        term => term.term_type().list,
    }
}

/// `evt.type` is compared with names of events and with nothing else, so that it is known which events a rule wants.
fn is_event_type(id: FieldId) -> bool {
    id == FieldId::EVT_TYPE
}

fn transformed(term: &Term, name: Transformer) -> Result<(), String> {
    match term.field() {
        Some(field) if field.id.info().has(FieldFlags::NO_TRANSFORMER) || is_event_type(field.id) => {
            Err(format!("`{}` cannot be given to `{}`", field.id.info().name, name.word()))
        }
        _ => Ok(()),
    }
}

/// Why two terms cannot be compared; `None` when they can.
pub(super) fn not_comparable(left: &Term, op: Op, right: &Term) -> Option<String> {
    if matches!(op, Op::Pmatch | Op::Regex) {
        return Some(format!("`{}` takes constants only", op.word()));
    }
    for term in [left, right] {
        if let Some(field) = term.field()
            && (field.id.info().has(FieldFlags::NO_RHS) || is_event_type(field.id))
        {
            return Some(format!("`{}` is compared with constants only", field.id.info().name));
        }
    }
    let kind = |term: &Term| {
        let found = term.term_type();
        TermType { ty: if found.ty == FieldType::Path { FieldType::Text } else { found.ty }, ..found }
    };
    let (left, right) = (kind(left), kind(right));
    if left == right {
        return None;
    }
    Some(if (left.ty, left.list) == (right.ty, right.list) {
        format!("one is a number of {} bits, the other of {}: both must be as wide", left.bits, right.bits)
    } else {
        "both sides must have the same type".to_owned()
    })
}
