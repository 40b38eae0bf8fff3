//! Fields and transformer calls as written to typed terms: which arguments a transformer takes, which fields stand where.

use eyas_event::{FieldId, FieldType, Shape};

use crate::diag::{Code, Diagnostic};
use crate::ir::term::{Call, Term};
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
    let wrong = |message: String| {
        let found =
            Diagnostic::new(Code::BadTransformer, message, text.span(&operand.bytes), "").note(takes(name));
        Err((Box::new(through_list(text, &operand.bytes, found)), Fault::Wrong))
    };
    let args: Vec<Term> = args.iter().map(|a| argument(a, text)).collect::<Result<_, _>>()?;
    if let Err(message) = fits(name, &args) {
        return wrong(message);
    }
    let pick = match (name, pick) {
        (_, None) => None,
        (Transformer::Getopt, Some(Value { bytes, .. })) if bytes.len() == 1 => Some(bytes[0]),
        (Transformer::Getopt, Some(_)) => {
            return wrong("the brackets after `getopt` hold one option's letter".to_owned());
        }
        (name, Some(_)) => return wrong(format!("`{}` takes nothing in brackets", name.word())),
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
            "it takes a list of words and the letters of options, a colon behind one with a value: \"ab:\""
        }
        Transformer::B64 => "it takes one text or bytes: `b64(evt.buffer) contains x`",
        _ => "it takes one field of text, such as `proc.name`, that stands for one value",
    }
}

/// Whether a transformer takes such arguments; the error is a sentence.
fn fits(name: Transformer, args: &[Term]) -> Result<(), String> {
    for arg in args {
        if let Term::Field(field) = arg {
            not_transformed(field.id, name)?;
        }
        if let Term::List(parts) = arg {
            for part in parts {
                if let Term::Field(field) = part {
                    not_transformed(field.id, name)?;
                }
                if !is_text(part) {
                    return Err(format!("a list in parentheses holds texts, and `{part}` is none"));
                }
            }
        }
    }
    let word = name.word();
    match (name, args) {
        (Transformer::Join, [between, list]) => {
            if !is_text(between) {
                return Err("the first argument of `join` is the text that stands between".to_owned());
            }
            if !list.term_type().list {
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
            if !list.term_type().list {
                return Err("the first argument of `getopt` is a list of words".to_owned());
            }
            if !matches!(spec, Term::Text(_)) {
                return Err(
                    "the second argument of `getopt` is a text of letters, such as \"ab:\"".to_owned()
                );
            }
        }
        (Transformer::Getopt, _) => return Err("`getopt` takes a list and a text of letters".to_owned()),
        (_, [Term::Text(_) | Term::List(_)]) => {
            return Err(format!("`{word}` takes a field or another transformer"));
        }
        (_, [arg]) => {
            let found = arg.term_type();
            let texts = matches!(found.ty, FieldType::Text | FieldType::Path);
            let fine = match name {
                Transformer::Len => texts || found.ty == FieldType::Bytes || found.list,
                Transformer::B64 => !found.list && (texts || found.ty == FieldType::Bytes),
                Transformer::Basename => !found.list && texts,
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

fn is_text(term: &Term) -> bool {
    let found = term.term_type();
    !found.list && matches!(found.ty, FieldType::Text | FieldType::Path)
}

/// Fields whose several values, or whose own ways of being compared, leave nothing to transform.
fn stands_alone(id: FieldId) -> bool {
    let info = id.info();
    matches!(info.shape, Shape::AnySide | Shape::Ancestors)
        || info.ty == FieldType::Net
        || id == FieldId::EVT_TYPE
        || matches!(info.name, "evt.around" | "evt.rawarg" | "fd.proto" | "proc.aenv")
        || (info.name.starts_with("fd.") && info.name.ends_with("ip.name"))
}

fn not_transformed(id: FieldId, name: Transformer) -> Result<(), String> {
    if stands_alone(id) {
        return Err(format!("`{}` cannot be given to `{}`", id.info().name, name.word()));
    }
    Ok(())
}

/// Why two terms cannot be compared; `None` when they can.
pub(super) fn not_comparable(left: &Term, op: Op, right: &Term) -> Option<String> {
    if matches!(op, Op::Pmatch | Op::Regex) {
        return Some(format!("`{}` takes constants only", op.word()));
    }
    for term in [left, right] {
        if let Some(field) = term.field()
            && (stands_alone(field.id) || field.id.info().name == "fd.types")
        {
            return Some(format!("`{}` is compared with constants only", field.id.info().name));
        }
    }
    let kind = |term: &Term| {
        let found = term.term_type();
        (if found.ty == FieldType::Path { FieldType::Text } else { found.ty }, found.list)
    };
    (kind(left) != kind(right)).then(|| "both sides must have the same type".to_owned())
}
