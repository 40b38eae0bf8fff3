//! Lints on single comparisons: legal, compiled as written, and probably not what was meant.

use eyas_event::{Arg, FieldId, FieldType, Shape};

use crate::diag::{Code, Diagnostic};
use crate::dialect::Dialect;
use crate::ir::Predicate;
use crate::lower::check::looks_like_field;
use crate::lower::exact::{self, looks_at_first};
use crate::lower::{Owner, through_list};
use crate::source::Span;
use crate::syntax::ast::{Check, Modifier, Op, Transformer, Value};
use crate::syntax::text::Spliced;

/// Fields that give the text `<NA>` as a value.
const SAYS_NA: [FieldId; 4] =
    [FieldId::USER_NAME, FieldId::USER_LOGINNAME, FieldId::GROUP_NAME, FieldId::FD_L4PROTO];

pub(super) fn check(
    check: &Check,
    predicate: &Predicate,
    values: &[Value],
    text: &Spliced,
    span: Span,
    dialect: Dialect,
    found: &mut Vec<Diagnostic>,
) {
    let name = predicate.term.to_string();
    let says_na = predicate.term.field().is_none_or(|field| SAYS_NA.contains(&field.id));
    for value in values {
        let at = text.span(&value.at);
        if looks_like_field(value) {
            let written = String::from_utf8_lossy(&value.bytes);
            let diagnostic = Diagnostic::new(
                Code::LooksLikeField,
                format!("`{written}` is compared as a text, not as a field"),
                at,
                "a constant that looks like a field",
            )
            .guess("to compare two fields write", at, format!("val({written})"));
            found.push(through_list(text, &value.at, diagnostic));
        }
        if looks_like_transformer(&value.bytes) {
            let diagnostic = Diagnostic::new(
                Code::LooksLikeTransformer,
                "this is compared as a text, and the transformer in it is not worked out",
                at,
                "a constant that looks like a transformer",
            );
            let written = String::from_utf8_lossy(&value.bytes);
            let diagnostic = diagnostic.guess("to work it out write it without quotes", at, written);
            found.push(through_list(text, &value.at, diagnostic));
        }
        if check.op == Op::Regex
            && let Some((op, literal)) = simpler(&value.bytes)
        {
            let diagnostic = Diagnostic::new(
                Code::SimplerOperator,
                "a simpler and faster operator says the same as this pattern",
                at,
                "no more than a text with its ends left open",
            );
            let diagnostic = match (op, check.modifier) {
                (Some(op), None) if value.at.start > check.op_bytes.end => {
                    let whole = text.span(&(check.op_bytes.start..value.at.end));
                    let literal = Value { bytes: literal.to_vec(), quoted: value.quoted, at: 0..0 };
                    diagnostic.mend("write instead", whole, format!("{} {literal}", op.word()))
                }
                _ => diagnostic.note("see `=`, `startswith`, `endswith` and `contains`"),
            };
            found.push(through_list(text, &value.at, diagnostic));
        }
        if value.bytes == b"<NA>" && !says_na {
            let diagnostic = Diagnostic::new(
                Code::ComparedWithNa,
                format!("`{name}` never has the text <NA>: a missing value has no text"),
                at,
                "",
            )
            .note(format!("write `{name} exists` or `not {name} exists`"));
            found.push(through_list(text, &value.at, diagnostic));
        }
    }
    let absent = |field: &eyas_event::FieldRef| crate::fields::why_absent(field.id).is_some();
    if check.op == Op::Ne
        && let Some(field) = predicate.term.field()
        && often_missing(field.id.info().name)
        && !absent(field)
    {
        let whole = text.span(&(check.lhs.bytes.start..check.op_bytes.end));
        found.push(
            Diagnostic::new(
                Code::OftenMissing,
                format!("`{name}` is often missing, and `!=` is false then"),
                span,
                "",
            )
            .guess("to let it hold for a missing value write", whole, format!("not {name} =")),
        );
    }
    if !dialect.is_exact()
        && let Some(why) = falco_differs(check, predicate, values)
    {
        found.push(
            Diagnostic::new(Code::FalcoDiffers, "Falco would judge this differently", span, why)
                .note("eyas judges it as documented, and with `--falco-exact` as Falco 0.44 does"),
        );
    }
}

/// Fields that have no value for many events: what only containers have, and the ends of a connection before it is known which
/// one is the server's.
fn often_missing(name: &str) -> bool {
    let side = ["fd.cip", "fd.sip", "fd.cport", "fd.sport", "fd.cnet", "fd.snet"].contains(&name);
    let container = name.starts_with("container.") && !matches!(name, "container.id" | "container.type");
    side || container || name.starts_with("k8s.")
}

/// The comparisons in which Falco 0.44 looks at fewer values than it says.
fn falco_differs(check: &Check, predicate: &Predicate, values: &[Value]) -> Option<&'static str> {
    let list = matches!(check.op, Op::In | Op::Intersects);
    if list && predicate.term.term_type().list && exact::keeps_its_end(&predicate.term) {
        return Some("what this transformer makes of a list is found in no list there");
    }
    let field = predicate.term.field()?;
    if field.id == FieldId::EVT_TYPE_IS && exact::has_older_form(&field.arg) {
        return Some("`evt.type.is` knows only an older form of this event there and is always 0");
    }
    let info = field.id.info();
    if check.modifier.is_some() && values.len() > 1 && looks_at_first(info.shape, &field.arg, field.id) {
        return Some("a modifier on this field looks at the first element only there");
    }
    if let (FieldType::Net, Shape::One, Some(modifier)) = (info.ty, info.shape, check.modifier) {
        match (check.op, modifier) {
            (Op::Eq, Modifier::Anyof) => return Some("`= anyof` on this field never matches there"),
            (Op::Ne, Modifier::Allof) => return Some("`!= allof` on this field always matches there"),
            _ => {}
        }
    }
    if list && field.id == FieldId::EVT_RAWARG && !matches!(field.ty(), FieldType::Text | FieldType::Path) {
        return Some("`evt.rawarg` is looked for in no list there, unless it is a text");
    }
    if list && field.id == FieldId::FD_IP {
        return Some("`fd.ip in` never matches there");
    }
    if list && field.id == FieldId::FD_NET && values.len() > 1 {
        return Some("`fd.net in` looks at the first network only there");
    }
    if list && field.id == FieldId::PROC_APID && field.arg == Arg::None {
        return Some("`proc.apid in` without an index never matches there");
    }
    None
}

/// Whether a constant is spelled like a call of a transformer.
fn looks_like_transformer(bytes: &[u8]) -> bool {
    let Some(inner) = std::str::from_utf8(bytes).ok().and_then(|text| text.strip_suffix(')')) else {
        return false;
    };
    inner.split_once('(').is_some_and(|(word, _)| Transformer::from_word(word).is_some())
}

/// The literal of a pattern that has nothing but open ends, and the operator that says the same when one does.
fn simpler(pattern: &[u8]) -> Option<(Option<Op>, &[u8])> {
    let open = |text: &[u8]| matches!(text, [b'.', b'*' | b'+' | b'?']);
    let rest = pattern.strip_prefix(b"^").unwrap_or(pattern);
    let rest = rest.strip_suffix(b"$").unwrap_or(rest);
    let (before, rest) = match rest.split_at_checked(2) {
        Some((head, tail)) if open(head) => (Some(head[1]), tail),
        _ => (None, rest),
    };
    let (after, literal) = match rest.len().checked_sub(2).map(|at| rest.split_at(at)) {
        Some((head, tail)) if open(tail) => (Some(tail[1]), head),
        _ => (None, rest),
    };
    let special = |b: &u8| b"\\.[](){}*+?|^$".contains(b);
    if literal.is_empty() || literal.iter().any(special) {
        return None;
    }
    let op = match (before, after) {
        (None, None) => Some(Op::Eq),
        (None, Some(b'*')) => Some(Op::Startswith),
        (Some(b'*'), None) => Some(Op::Endswith),
        (Some(b'*'), Some(b'*')) => Some(Op::Contains),
        _ => None,
    };
    Some((op, literal))
}

/// A list name between quotes is replaced like any other.
pub(super) fn lists_in_quotes(text: &Spliced, owner: Owner<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if text.uses().is_empty() {
        return;
    }
    let bytes = text.text().as_bytes();
    let mut quote: Option<u8> = None;
    let mut escaped = false;
    let mut last = None;
    for (at, byte) in bytes.iter().enumerate() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if *byte == b'\\' => escaped = true,
            Some(q) if q == *byte => quote = None,
            // An item's own quotes came in with the list; quotes that stood around its name did not.
            Some(_) => {
                if let Some(named) = text.via(at as u32)
                    && last != Some(named.span)
                    && opened_outside(text, bytes, at)
                {
                    last = Some(named.span);
                    diagnostics.push(owner.mark(
                        Diagnostic::new(
                            Code::ListInQuotes,
                            format!("the list `{}` is put in here although the text is quoted", named.name),
                            named.span,
                            "replaced by the list's items",
                        )
                        .note("rename the list, or write the text so that no list's name stands alone in it"),
                    ));
                }
            }
            None if matches!(byte, b'"' | b'\'') => quote = Some(*byte),
            None => {}
        }
    }
}

/// Whether the quote before `at` came from the condition and not from a list.
fn opened_outside(text: &Spliced, bytes: &[u8], at: usize) -> bool {
    bytes[..at]
        .iter()
        .rposition(|b| matches!(b, b'"' | b'\''))
        .is_some_and(|open| text.via(open as u32).is_none())
}
