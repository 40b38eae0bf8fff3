//! Lints on single comparisons: legal, compiled as written, and probably not what was meant.

use eyas_event::{Arg, FieldId};

use crate::diag::{Code, Diagnostic};
use crate::ir::Predicate;
use crate::lower::check::looks_like_field;
use crate::lower::{Owner, through_list};
use crate::source::Span;
use crate::syntax::ast::{Check, Op, Value};
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
    found: &mut Vec<Diagnostic>,
) {
    let name = predicate.field.id.info().name;
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
            .mend("to compare two fields write", at, format!("val({written})"));
            found.push(through_list(text, &value.at, diagnostic));
        }
        if value.bytes == b"<NA>" && !SAYS_NA.contains(&predicate.field.id) {
            // Rules for the audit log once asked so for a missing value; Falco warns of those alone.
            let audit = ["ka.", "jevt."].iter().any(|start| name.starts_with(start));
            let asks = matches!(check.op, Op::Eq | Op::Ne | Op::In | Op::Intersects | Op::Pmatch);
            let diagnostic = Diagnostic::new(
                if audit && asks { Code::UnsafeNaCheck } else { Code::ComparedWithNa },
                format!("`{name}` never has the text <NA>: a missing value has no text"),
                at,
                "",
            )
            .note(format!("write `{name} exists` or `not {name} exists`"));
            found.push(through_list(text, &value.at, diagnostic));
        }
    }
    if let Some(why) = falco_differs(check, predicate, values) {
        found.push(
            Diagnostic::new(Code::FalcoDiffers, "Falco would judge this differently", span, why)
                .note("eyas judges it as documented: one value that matches is enough"),
        );
    }
}

/// The comparisons in which Falco 0.44 looks at fewer values than it says.
fn falco_differs(check: &Check, predicate: &Predicate, values: &[Value]) -> Option<&'static str> {
    let list = matches!(check.op, Op::In | Op::Intersects);
    let field = &predicate.field;
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
