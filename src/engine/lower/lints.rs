//! Lints on single comparisons: legal, compiled as written, and probably not what was meant.

use eyas_event::{Arg, FieldId, FieldType, Shape};

use crate::diag::{Code, Diagnostic};
use crate::dialect::Dialect;
use crate::ir::Predicate;
use crate::lower::check::looks_like_field;
use crate::lower::exact::{self, looks_at_first};
use crate::lower::{Owner, through_list};
use crate::source::Span;
use crate::syntax::ast::{Check, Modifier, Op, Rhs, Transformer, Value};
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
            && let Some(simpler) = Simpler::of(&value.bytes)
        {
            let mut diagnostic = simpler.diagnostic(check, value, text);
            // Of the values of a list the first says what stands for all.
            if std::ptr::eq(value, &raw const values[0])
                && let Some(each) = each_simpler(check, &name, values)
            {
                diagnostic = diagnostic.note(each);
            }
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
    let absent = |field: &eyas_event::FieldRef| crate::fields::why_absent(field).is_some();
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
        && let Some((why, alike)) = falco_differs(check, predicate, values)
    {
        let found_so = Diagnostic::new(Code::FalcoDiffers, "Falco would judge this differently", span, why)
            .note("eyas judges it as documented, and with `--falco-exact` as Falco 0.44 does");
        found.push(match alike.note(check, &name, text) {
            Some(note) => found_so.note(note),
            None => found_so,
        });
    }
}

/// How a list of patterns is written, any of which may match, that are all no more than texts.
fn each_simpler(check: &Check, name: &str, values: &[Value]) -> Option<String> {
    /// More are not read on one line.
    const SHOWN: usize = 4;
    if check.modifier != Some(Modifier::Anyof) || values.len() > SHOWN {
        return None;
    }
    let one = |value: &Value| {
        let simpler = Simpler::of(&value.bytes)?;
        matches!(simpler.likeness, Likeness::Same | Likeness::WithinLines)
            .then(|| format!("{name} {}", simpler.instead(value)))
    };
    let each: Vec<_> = values.iter().map(one).collect::<Option<_>>()?;
    Some(match each.as_slice() {
        [alone] => format!("write `{alone}`"),
        each => format!("write `({})`", each.join(" or ")),
    })
}

/// How a comparison is written that Falco and eyas judge alike.
enum Alike {
    /// A comparison for each value, joined with `or`.
    EachOr(Op),
    /// The same, joined with `and`.
    EachAnd(Op),
    /// None says the same.
    Nothing,
    /// What says the same is not known.
    None,
}

impl Alike {
    /// Of a comparison with a modifier.
    fn of(op: Op, modifier: Modifier) -> Self {
        match modifier {
            Modifier::Anyof => Self::EachOr(op),
            Modifier::Allof => Self::EachAnd(op),
            Modifier::Oneof => Self::Nothing,
        }
    }

    fn note(&self, check: &Check, name: &str, text: &Spliced) -> Option<String> {
        let (op, joiner) = match self {
            Self::EachOr(op) => (op, "or"),
            Self::EachAnd(op) => (op, "and"),
            Self::Nothing => {
                return Some(
                    "nothing says the same in both; leave it where only eyas reads the file".to_owned(),
                );
            }
            Self::None => return None,
        };
        let Rhs::List(values) = &check.rhs else { return None };
        let written = |value: &Value| text.text().get(value.at.start as usize..value.at.end as usize);
        let mut each: Vec<_> = values
            .iter()
            .take(2)
            .filter_map(|value| Some(format!("{name} {} {}", op.word(), written(value)?)))
            .collect();
        if values.len() > 2 {
            each.push("…".to_owned());
        }
        let all = each.join(&format!(" {joiner} "));
        Some(if values.len() > 1 {
            format!("for both alike write a comparison for each value, joined with `{joiner}`: `({all})`")
        } else {
            format!("for both alike write `{all}`, several joined with `{joiner}`")
        })
    }
}

/// Fields that have no value for many events: what only containers have, and the ends of a connection before it is known which
/// one is the server's.
fn often_missing(name: &str) -> bool {
    let side = ["fd.cip", "fd.sip", "fd.cport", "fd.sport", "fd.cnet", "fd.snet"].contains(&name);
    let container = name.starts_with("container.") && !matches!(name, "container.id" | "container.type");
    side || container || name.starts_with("k8s.")
}

/// The comparisons in which Falco 0.44 looks at fewer values than it says, and what to write instead.
fn falco_differs(check: &Check, predicate: &Predicate, values: &[Value]) -> Option<(&'static str, Alike)> {
    let list = matches!(check.op, Op::In | Op::Intersects);
    if list && predicate.term.term_type().list && exact::keeps_its_end(&predicate.term) {
        return Some(("what this transformer makes of a list is found in no list there", Alike::None));
    }
    let field = predicate.term.field()?;
    if field.id == FieldId::EVT_TYPE_IS && exact::has_older_form(&field.arg) {
        let why = "`evt.type.is` knows only an older form of this event there and is always 0";
        return Some((why, Alike::None));
    }
    let info = field.id.info();
    if let Some(modifier) = check.modifier
        && values.len() > 1
        && looks_at_first(info.shape, &field.arg, field.id)
    {
        let why = "a modifier on this field looks at the first element only there";
        return Some((why, Alike::of(check.op, modifier)));
    }
    if let (FieldType::Net, Shape::One, Some(modifier)) = (info.ty, info.shape, check.modifier) {
        let why = match (check.op, modifier) {
            (Op::Eq, Modifier::Anyof) => Some("`= anyof` on this field never matches there"),
            (Op::Ne, Modifier::Allof) => Some("`!= allof` on this field always matches there"),
            _ => None,
        };
        if let Some(why) = why {
            return Some((why, Alike::of(check.op, modifier)));
        }
    }
    let each = Alike::EachOr(Op::Eq);
    if list && field.id == FieldId::EVT_RAWARG && !matches!(field.ty(), FieldType::Text | FieldType::Path) {
        return Some(("`evt.rawarg` is looked for in no list there, unless it is a text", each));
    }
    if list && field.id == FieldId::FD_IP {
        return Some(("`fd.ip in` never matches there", each));
    }
    if list && field.id == FieldId::FD_NET && values.len() > 1 {
        return Some(("`fd.net in` looks at the first network only there", each));
    }
    if list && field.id == FieldId::PROC_APID && field.arg == Arg::None {
        return Some(("`proc.apid in` without an index never matches there", each));
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

/// A pattern that is a literal with nothing but open ends: the operator that comes nearest, and in how far it says the same.
struct Simpler<'p> {
    op: Op,
    literal: &'p [u8],
    likeness: Likeness,
}

enum Likeness {
    /// There is no open end.
    Same,
    /// `.*` does not go past a line break, which the operator does not look for.
    WithinLines,
    /// `.+` asks for more than the operator.
    OneMore,
    /// `.?` allows less than it.
    AtMostOne,
}

impl<'p> Simpler<'p> {
    /// The operator with its text, in quotes as the pattern was.
    fn instead(&self, value: &Value) -> String {
        let literal = Value { bytes: self.literal.to_vec(), quoted: value.quoted, at: 0..0 };
        format!("{} {literal}", self.op.word())
    }

    fn diagnostic(&self, check: &Check, value: &Value, text: &Spliced) -> Diagnostic {
        let (message, label) = match self.likeness {
            Likeness::Same => ("a simpler and faster operator says the same as this pattern", "a plain text"),
            _ => (
                "a simpler and faster operator says nearly the same as this pattern",
                "no more than a text with its ends left open",
            ),
        };
        let found = Diagnostic::new(Code::SimplerOperator, message, text.span(&value.at), label);
        let instead = self.instead(value);
        let whole = text.span(&(check.op_bytes.start..value.at.end));
        let alone = check.modifier.is_none() && value.at.start > check.op_bytes.end;
        let pattern = String::from_utf8_lossy(&value.bytes);
        let nearly = |how: String| {
            format!("no one operator says the same: `{pattern}` {how}; keep the pattern if that is meant")
        };
        match self.likeness {
            Likeness::Same if alone => found.mend("write instead", whole, instead),
            Likeness::Same => found.note(format!("`{}` compares with the text itself", self.op.word())),
            Likeness::WithinLines => {
                let word = self.op.word();
                let found =
                    found.note(format!("unlike `.*`, `{word}` also matches a value that holds a line break"));
                if alone { found.guess(format!("did you mean `{instead}`?"), whole, instead) } else { found }
            }
            Likeness::OneMore => {
                found.note(nearly(format!("asks for at least one more character than `{instead}`")))
            }
            Likeness::AtMostOne => {
                found.note(nearly(format!("allows one more character at most, `{instead}` any number")))
            }
        }
    }

    fn of(pattern: &'p [u8]) -> Option<Self> {
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
            (None, None) => Op::Eq,
            (None, Some(_)) => Op::Startswith,
            (Some(_), None) => Op::Endswith,
            (Some(_), Some(_)) => Op::Contains,
        };
        let ends = [before, after];
        let likeness = if ends.contains(&Some(b'+')) {
            Likeness::OneMore
        } else if ends.contains(&Some(b'?')) {
            Likeness::AtMostOne
        } else if ends == [None, None] {
            Likeness::Same
        } else {
            Likeness::WithinLines
        };
        Some(Self { op, literal, likeness })
    }
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
