//! One comparison: field, operator and constants checked against each other.

use eyas_event::{Arg, Comparable, FieldId, FieldRef, FieldType, ParamId, Shape};

use crate::diag::{Certainty, Code, Diagnostic, did_you_mean};
use crate::dialect::Dialect;
use crate::fields::{FieldFault, differs, find, resolve, why_absent};
use crate::ir::operand::{self, BadOperand, Twice};
use crate::ir::term::{Term, TermType};
use crate::ir::{Operand, Predicate};
use crate::lower::{exact, lints, terms, through_list};
use crate::matching::glob::Glob;
use crate::matching::regex::Pattern;
use crate::source::Span;
use crate::syntax::WHOLE_VALUE;
use crate::syntax::ast::{Bytes, Check, Op, Operand as Lhs, OperandKind, Rhs, Value};
use crate::syntax::text::Spliced;

/// Why a comparison did not lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
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
    dialect: Dialect,
    found: &mut Vec<Diagnostic>,
) -> Result<Predicate, Fault> {
    let place = |code: Code, message: String, bytes: &Bytes, label: String| {
        let diagnostic = Diagnostic::new(code, message, text.span(bytes), label);
        through_list(text, bytes, diagnostic)
    };
    let mut lower = |operand: &Lhs| {
        terms::term(operand, text).map_err(|(diagnostic, fault)| {
            found.push(*diagnostic);
            fault
        })
    };
    let term = match lower(&check.lhs) {
        Ok(term) => term,
        Err(fault) => {
            if let Some(bad) = found.last_mut() {
                meant_protocol(bad, check, text);
            }
            return Err(fault);
        }
    };
    let right = match &check.rhs {
        Rhs::Field(operand) | Rhs::Call(operand) => Some((lower(operand)?, &operand.bytes)),
        _ => None,
    };
    let values: &[Value] = match &check.rhs {
        Rhs::Value(value) => std::slice::from_ref(value),
        Rhs::List(values) => values,
        _ => &[],
    };
    if term.field().is_some_and(|field| field.id == FieldId::EVT_TYPE) {
        if let Some((_, bytes)) = right {
            let message = "`evt.type` is compared with names of events only".to_owned();
            found.push(place(Code::BadTransformer, message, bytes, String::new()));
            return Err(Fault::Wrong);
        }
        return match operand::events(check.op, check.modifier, values) {
            Ok(operand) => Ok(Predicate { term, op: check.op, modifier: None, operand }),
            Err(bad) => {
                found.push(unknown_event(check.op, &values[bad.index], text));
                Err(Fault::Unknown)
            }
        };
    }
    let kind = term.term_type();
    let TermType { ty, list, .. } = kind;
    let name = term.to_string();
    let listed = matches!(check.op, Op::In | Op::Intersects | Op::Exists);
    if let Some(label) = refused(&term, check.op, dialect) {
        let message = format!("`{name}` cannot be compared with `{}`", check.op.word());
        found.push(place(Code::OperatorType, message, &check.op_bytes, label.to_owned()));
        return Err(Fault::Wrong);
    }
    if !operand::allows(ty, check.op) || (list && !listed) {
        let message = format!("`{name}` cannot be compared with `{}`", check.op.word());
        let label = if list {
            "a list has in intersects exists".to_owned()
        } else {
            format!("this field has {}", operand::allowed(ty))
        };
        let mut bad = place(Code::OperatorType, message, &check.op_bytes, label);
        if matches!(ty, FieldType::Ip | FieldType::Net) {
            bad = bad.note("part of an address is asked for with a network: `fd.snet = 10.0.0.0/8`");
        }
        found.push(bad);
        return Err(Fault::Wrong);
    }
    if let Some((other, bytes)) = right {
        if let Some(why) = terms::not_comparable(&term, check.op, &other) {
            let message = format!("`{name}` cannot be compared with `{other}`");
            found.push(place(Code::BadTransformer, message, bytes, why));
            return Err(Fault::Wrong);
        }
        // Of single values, to be in what another field gives is to be equal to it.
        let op = if !list && listed { Op::Eq } else { check.op };
        let never = dialect.is_exact() && listed && exact::keeps_its_end(&other);
        let operand = if never { Operand::Texts(Vec::new()) } else { Operand::Term(other) };
        return Ok(Predicate { term, op, modifier: None, operand });
    }
    let op = if check.op == Op::Intersects && !list { Op::In } else { check.op };
    let operand = match &check.rhs {
        Rhs::Value(value) => operand::single_of(kind, op, value),
        Rhs::List(values) => {
            let twice = if check.modifier.is_some() { Twice::Each } else { Twice::Once };
            operand::list(kind, op, values, twice)
        }
        _ => Ok(Operand::None),
    };
    let operand = match operand {
        Ok(operand) => operand,
        Err(BadOperand { index, label, near }) => {
            let at = &values[index].at;
            let mut bad = if check.op == Op::Regex {
                place(
                    Code::BadRegex,
                    "this pattern does not read as a POSIX one of RE2".to_owned(),
                    at,
                    label,
                )
            } else {
                place(Code::BadValue, format!("this does not read as a value of `{name}`"), at, label)
            };
            match near {
                Some((near, Certainty::Sure)) => {
                    bad = bad.mend(format!("write `{near}`"), text.span(at), near);
                }
                Some((near, Certainty::Guess)) => bad = bad.near(text.span(at), &near),
                None if check.op == Op::Regex => bad = bad.note(regex_note(&values[index].bytes)),
                None => bad = meant_network(bad, check, &values[index], text),
            }
            found.push(bad);
            return Err(Fault::Wrong);
        }
    };
    let mut read = Vec::new();
    term.fields(&mut read);
    for message in read.iter().filter_map(|field| why_absent(field)) {
        let label = "every comparison with it is false".to_owned();
        found.push(place(Code::FieldNotProvided, message, &check.lhs.bytes, label));
    }
    let mut predicate = Predicate { term, op, modifier: check.modifier, operand };
    if dialect.is_exact() {
        exact::narrow(&mut predicate, check.op, values);
    }
    lints::check(check, &predicate, values, text, span, dialect, found);
    Ok(predicate)
}

/// Why a field is not compared with an operator although its type has it.
fn refused(term: &Term, op: Op, dialect: Dialect) -> Option<&'static str> {
    let field = term.field()?;
    match &field.arg {
        _ if op == Op::Exists => None,
        Arg::Param(param) if field.id == FieldId::EVT_RAWARG => match param.comparable() {
            Comparable::Yes => None,
            Comparable::HereOnly if !dialect.is_exact() => None,
            Comparable::HereOnly => Some("Falco compares no ids of users and groups so"),
            Comparable::No => Some("a parameter of this type is there or not, and nothing else"),
        },
        _ if field.id == FieldId::EVT_AROUND && op != Op::Eq => Some("this field has only ="),
        _ => None,
    }
}

/// `evt.around[T] = n` as what it means: the event's time lies at most n milliseconds from T, on either side.
pub(super) fn around(predicate: &Predicate) -> Option<[Predicate; 2]> {
    let (FieldId::EVT_AROUND, Op::Eq) = (predicate.term.field()?.id, predicate.op) else { return None };
    let (Arg::Key(instant), Operand::Number(within)) = (&predicate.term.field()?.arg, &predicate.operand)
    else {
        return None;
    };
    let instant: i128 = instant.parse().ok()?;
    let within = within.saturating_mul(1_000_000);
    let end = |op, operand| Predicate {
        term: Term::Field(FieldRef::plain(FieldId::EVT_RAWTIME)),
        op,
        modifier: None,
        operand: Operand::Number(operand),
    };
    Some([end(Op::Ge, instant.saturating_sub(within)), end(Op::Le, instant.saturating_add(within))])
}

pub(crate) type Found = (Box<Diagnostic>, Fault);

/// A field by name and argument; `bytes` is where both stand.
pub(super) fn field(
    name: &str,
    arg: Option<&Value>,
    bytes: &Bytes,
    text: &Spliced,
) -> Result<FieldRef, Found> {
    let fault = match resolve(name, arg) {
        Ok(field) => return Ok(field),
        Err(fault) => fault,
    };
    let name_bytes = bytes.start..bytes.start + name.len() as u32;
    let (found, kind) = match fault {
        FieldFault::Unknown(near) => {
            let span = text.span(&name_bytes);
            let mut found =
                Diagnostic::new(Code::UnknownField, format!("there is no field `{name}`"), span, "");
            found = match near {
                Some((near, certainty)) => found.meant(span, near, certainty),
                None => found.note("`eyas fields` lists all that there are"),
            };
            if let Some(how) = differs(name) {
                found = found.note(how);
            }
            (found, Fault::Unknown)
        }
        FieldFault::BadArgument(why) => {
            let at = arg.map_or(bytes, |value| &value.at);
            let message = format!("the argument of `{name}` does not fit");
            let found = Diagnostic::new(Code::BadArgument, message, text.span(at), why);
            (meant_argument(found, name, arg, bytes, text), Fault::Wrong)
        }
    };
    Err((Box::new(through_list(text, bytes, found)), kind))
}

/// Adds the form that was meant by an argument: brackets around the name of a parameter, a slip in it, or brackets that the
/// field does not take.
fn meant_argument(
    found: Diagnostic,
    name: &str,
    arg: Option<&Value>,
    bytes: &Bytes,
    text: &Spliced,
) -> Diagnostic {
    let whole = text.span(bytes);
    let Some(value) = arg else {
        if matches!(name, "evt.arg" | "evt.rawarg") {
            return found.note(format!("for example `{name}.flags`: the parameter `flags` of the event"));
        }
        let Some((field, word)) = name.rsplit_once('.') else { return found };
        return match did_you_mean(word, ParamId::names().iter().copied()) {
            Some(near) if resolve(&format!("{field}.{near}"), None).is_ok() => {
                let mut found = found.near(whole, &format!("{field}.{near}"));
                // The edit says it; the label needs not.
                for label in &mut found.labels {
                    if let Some(at) = label.text.find("; did you mean") {
                        label.text.truncate(at);
                    }
                }
                found
            }
            _ => found,
        };
    };
    let word = String::from_utf8_lossy(&value.bytes);
    let dotted = format!("{name}.{word}");
    if resolve(&dotted, None).is_ok() {
        return found.mend("write it behind a point", whole, dotted);
    }
    // With a number the field of an ancestor was meant.
    let ancestor = name.strip_prefix("proc.").map(|of| format!("proc.a{of}"));
    if let Some(ancestor) = ancestor
        && word.parse::<u32>().is_ok_and(|n| n > 0)
        && resolve(&ancestor, arg).is_ok_and(|field| field.id.info().shape == Shape::Ancestors)
    {
        let meant = format!("{ancestor}[{word}]");
        let title = format!("did you mean `{meant}` (1 is the parent)?");
        return found.guess(title, whole, meant);
    }
    if resolve(name, None).is_ok() {
        return found.guess("leave it out", whole, name);
    }
    found
}

fn unknown_event(op: Op, value: &Value, text: &Spliced) -> Diagnostic {
    let written = String::from_utf8_lossy(&value.bytes).into_owned();
    let span = text.span(&value.at);
    let mut found = Diagnostic::new(Code::UnknownEvent, format!("there is no event `{written}`"), span, "");
    let names = eyas_event::EventType::all().map(eyas_event::EventType::name);
    if !matches!(op, Op::Eq | Op::Ne | Op::In | Op::Intersects) {
        let full = format!("also after `{}` Falco accepts only the full name of an event here", op.word());
        found = if let Some(events) = events_with(op, &written) {
            found.note(format!("{full}; list them: `evt.type in ({events})`"))
        } else {
            let how = match op {
                Op::Startswith | Op::Bstartswith => "begins so",
                Op::Endswith => "ends so",
                Op::Contains | Op::Icontains | Op::Bcontains => "has this in it",
                _ => "matches this",
            };
            found = found.note(full).note(format!("no event's name {how}"));
            match did_you_mean(&written, names) {
                Some(near) => found.near(span, near),
                None => found,
            }
        };
        return through_list(text, &value.at, found);
    }
    found = match did_you_mean(&written, names) {
        Some(near) => found.near(span, near),
        None => found.note("events are called as their system calls are: `execve`, `openat`, `connect`, …"),
    };
    through_list(text, &value.at, found)
}

/// The events whose names an operator would find by a part or a pattern, the first ones of many; `None` for none.
fn events_with(op: Op, part: &str) -> Option<String> {
    const SHOWN: usize = 6;
    let glob = matches!(op, Op::Glob | Op::Iglob).then(|| Glob::new(part.as_bytes(), op == Op::Iglob));
    let pattern = (op == Op::Regex).then(|| Pattern::new(part.as_bytes()).ok()).flatten();
    let fits = |name: &&str| match op {
        Op::Startswith | Op::Bstartswith => name.starts_with(part),
        Op::Endswith => name.ends_with(part),
        Op::Contains | Op::Bcontains => name.contains(part),
        Op::Icontains => name.contains(&part.to_ascii_lowercase()),
        Op::Glob | Op::Iglob => glob.as_ref().is_some_and(|glob| glob.matches(name.as_bytes())),
        Op::Regex => pattern.as_ref().is_some_and(|pattern| pattern.matches(name.as_bytes())),
        _ => false,
    };
    let mut found: Vec<_> =
        eyas_event::EventType::all().map(eyas_event::EventType::name).filter(fits).take(SHOWN + 1).collect();
    if found.len() > SHOWN {
        found.truncate(SHOWN);
        found.push("…");
    }
    (!found.is_empty()).then(|| found.join(", "))
}

/// The number of a protocol compared with a field that no one has: the field beside it has words, so the whole comparison is
/// written anew, or nothing is where the words are not known.
fn meant_protocol(bad: &mut Diagnostic, check: &Check, text: &Spliced) {
    let OperandKind::Field { name, arg: None } = &check.lhs.kind else { return };
    if name != "net.protocol_num" || check.op == Op::Exists {
        return;
    }
    let word = |value: &Value| match &*value.bytes {
        b"1" => Some("icmp"),
        b"6" => Some("tcp"),
        b"17" => Some("udp"),
        _ => None,
    };
    bad.edit = None;
    if let (Op::Eq | Op::Ne, Rhs::Value(value)) = (check.op, &check.rhs)
        && let Some(word) = word(value)
        && text.via(check.lhs.bytes.start).is_none()
        && text.via(value.at.start).is_none()
    {
        let whole = text.span(&(check.lhs.bytes.start..value.at.end));
        let meant = format!("fd.l4proto {} {word}", check.op.word());
        *bad = bad.clone().near(whole, &meant);
    }
}

/// A network given to a field of addresses: there is one of networks beside it.
fn meant_network(bad: Diagnostic, check: &Check, value: &Value, text: &Spliced) -> Diagnostic {
    let OperandKind::Field { name, .. } = &check.lhs.kind else { return bad };
    let network = name.strip_suffix("ip").map(|side| format!("{side}net"));
    match network.filter(|network| value.bytes.contains(&b'/') && FieldId::from_name(network).is_some()) {
        Some(network) => bad.near(text.span(&check.lhs.bytes), &network),
        None => bad,
    }
}

/// What to write in place of a pattern that is refused.
fn regex_note(pattern: &[u8]) -> &'static str {
    let has = |part: &[u8]| pattern.windows(part.len()).any(|window| window == part);
    if has(b"[:") {
        "the classes are alnum, alpha, ascii, blank, cntrl, digit, graph, lower, print, punct, space, upper, word and xdigit: `[[:digit:]]`"
    } else if has(b"(?i)") {
        "to match both letters write a class: `[sS][hH]`; without a pattern `icontains` and `iglob` do not tell them apart"
    } else if has(b"(?") {
        "write plain parentheses"
    } else if has(b"}") {
        "repeat less: a value is seldom so long that a smaller number, `*` or `+` would not do"
    } else {
        WHOLE_VALUE
    }
}

/// Whether a constant is spelled like a field.
pub(super) fn looks_like_field(value: &Value) -> bool {
    if value.quoted {
        return false;
    }
    let Ok(text) = std::str::from_utf8(&value.bytes) else { return false };
    text.contains('.') && find(text, None).is_some_and(|found| found.is_ok())
}
