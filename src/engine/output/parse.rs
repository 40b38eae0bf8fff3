//! Output texts. `%field`, `%field[arg]` and `%12field` are fields, everything else is literal; of several readings the
//! longest field counts.

use eyas_event::{FieldFlags, FieldId, FieldRef, FieldType, Shape};

use crate::diag::{Certainty, Code, Diagnostic};
use crate::dialect::Dialect;
use crate::fields::{FieldFault, prints, resolve, why_absent};
use crate::ir::term::Term;
use crate::lower::terms;
use crate::output::{Piece, Template};
use crate::source::Span;
use crate::syntax::ast::{Operand, OperandKind, Transformer, Value};
use crate::syntax::text::Spliced;
use crate::syntax::{SyntaxError, parse_call};

/// The widest padding: more than a screen, too little to exhaust memory.
const WIDEST: u64 = 4096;

/// What stands behind a `%`, and how many bytes of the text it takes.
struct Token {
    field: Option<Term>,
    /// The fields that JSON shows for it, by name.
    shown: Vec<(String, Option<FieldRef>)>,
    taken: usize,
}

impl Token {
    fn plain(name: &str, field: Option<FieldRef>) -> Self {
        Self {
            field: field.clone().map(Term::Field),
            taken: name.len(),
            shown: vec![(name.to_owned(), field)],
        }
    }
}

/// Parses an output text. `None` when it is wrong; what is wrong, or only without a value yet, is pushed.
pub fn parse(text: &Spliced, dialect: Dialect, diagnostics: &mut Vec<Diagnostic>) -> Option<Template> {
    let whole = text.text();
    let mut template = Template::default();
    let mut literal = String::new();
    let mut fine = true;
    let mut at = 0;
    while let Some(percent) = whole[at..].find('%').map(|n| at + n) {
        literal.push_str(&whole[at..percent]);
        let digits = whole[percent + 1..].bytes().take_while(u8::is_ascii_digit).count();
        let start = percent + 1 + digits;
        let width = whole[percent + 1..start].parse::<u64>().ok();
        if digits > 0 && width.is_none_or(|width| width > WIDEST) {
            let place = text.span(&(percent as u32 + 1..start as u32));
            let message = format!("a width is at most {WIDEST}");
            diagnostics.push(Diagnostic::new(Code::BadOutput, message, place, ""));
            fine = false;
        }
        // A width of nothing is none.
        let width = width.map(|width| width.min(WIDEST) as u32).filter(|width| *width > 0);
        match token(text, start, percent, dialect, diagnostics) {
            Ok(None) => at = start,
            Ok(Some(token)) => {
                if !literal.is_empty() {
                    template.pieces.push(Piece::Text(std::mem::take(&mut literal).into()));
                }
                let end = start + token.taken;
                template.fields.extend(token.shown);
                template.pieces.push(Piece::Field { field: token.field, width });
                at = end;
            }
            Err(taken) => {
                fine = false;
                at = start + taken;
            }
        }
        // A removed token takes its text along.
        if whole[at..].starts_with("container.info") && at == start {
            at += "container.info".len();
        }
    }
    literal.push_str(&whole[at..]);
    if !literal.is_empty() {
        template.pieces.push(Piece::Text(literal.into()));
    }
    template.fields.sort_by(|(a, _), (b, _)| a.cmp(b));
    template.fields.dedup_by(|(a, _), (b, _)| a == b);
    fine.then_some(template)
}

/// Reads the token at `start`. `Ok(None)`: a token that is dropped. `Err`: wrong, and how much to skip.
fn token(
    text: &Spliced,
    start: usize,
    percent: usize,
    dialect: Dialect,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Option<Token>, usize> {
    let rest = &text.text()[start..];
    let span = |len: usize| text.span(&(percent as u32..(start + len) as u32));
    let name_len = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.')).count();
    let name = &rest[..name_len];
    if name.is_empty() {
        let (message, note) = if rest.starts_with('-') {
            ("a width is not negative", "a width pads or cuts to so many bytes: `%5fd.name`")
        } else {
            (
                "a field must follow `%`",
                "a percent sign by itself cannot be written in an output: write `percent`, or leave it out",
            )
        };
        diagnostics.push(Diagnostic::new(Code::BadOutput, message, span(0), "").note(note));
        return Err(0);
    }
    if name.starts_with("container.info") {
        let note = "the suggested output fields took its place";
        let found =
            Diagnostic::new(Code::Deprecated, "`%container.info` prints nothing any more", span(14), "");
        // The blank before it goes along.
        let blank = usize::from(text.text()[..percent].ends_with(' '));
        let whole = text.span(&((percent - blank) as u32..(start + 14) as u32));
        diagnostics.push(found.note(note).mend("remove it", whole, ""));
        return Ok(None);
    }
    if rest[name_len..].starts_with('(') && Transformer::from_word(name).is_some() {
        return call(text, start, dialect, diagnostics);
    }
    for len in (1..=name_len).rev() {
        let candidate = &name[..len];
        if candidate.ends_with('.') {
            continue;
        }
        if let Some((field, taken)) = provided(rest, len) {
            let info = field.id.info();
            if info.has(FieldFlags::FILTER_ONLY) {
                // A network of one end is known, though not how it is written.
                let sided = info.ty == FieldType::Net && info.shape == Shape::One;
                let label = if sided { "prints <IPNET>" } else { "prints <NA>" };
                let message = format!("`{candidate}` can be compared and not printed");
                diagnostics.push(Diagnostic::new(Code::OutputNotProvided, message, span(taken), label));
                return Ok(Some(Token::plain(&rest[..taken], sided.then_some(field))));
            }
            // Falco 0.44 has no form in which to print this number.
            if dialect.is_exact() && field.id == FieldId::EVT_TYPE_IS {
                return Ok(Some(Token::plain(&rest[..taken], None)));
            }
            if let Some(message) = why_absent(&field) {
                diagnostics.push(Diagnostic::new(
                    Code::OutputNotProvided,
                    message,
                    span(taken),
                    "prints <NA>",
                ));
            }
            return Ok(Some(Token::plain(&rest[..taken], Some(field))));
        }
    }
    let bare = text.span(&(start as u32..(start + name_len) as u32));
    diagnostics.push(unknown(name, rest, span(name_len), bare));
    Err(name_len)
}

/// A transformer call at `start`.
fn call(
    text: &Spliced,
    start: usize,
    dialect: Dialect,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Option<Token>, usize> {
    let (operand, taken) = match longest_call(text, start) {
        Ok((operand, end)) => (operand, end - start),
        Err(error) => {
            let at = text.span(&error.bytes);
            diagnostics.push(Diagnostic::new(Code::BadOutput, error.message, at, error.label));
            return Err(1);
        }
    };
    let span = text.span(&(start as u32 - 1..(start + taken) as u32));
    match terms::term(&operand, text) {
        Ok(term) => {
            let mut read = Vec::new();
            term.fields(&mut read);
            let shown = read.into_iter().map(|field| (field.name(), Some(field.clone()))).collect();
            let blind = dialect.is_exact()
                && matches!(&term, Term::Call(c) if c.name == Transformer::Len && !shows_length(&c.args[0]));
            Ok(Some(Token { field: (!blind).then_some(term), shown, taken }))
        }
        Err((found, _)) if found.code == Code::FieldNotProvided => {
            diagnostics.push(Diagnostic::new(Code::OutputNotProvided, found.message, span, "prints <NA>"));
            Ok(Some(Token { field: None, shown: Vec::new(), taken }))
        }
        Err((found, _)) => {
            let code =
                if found.code == Code::UnknownField { Code::OutputUnknownField } else { Code::BadOutput };
            diagnostics.push(Diagnostic { code, ..*found });
            Err(taken)
        }
    }
}

/// The longest call that begins at a place: what cannot belong to it is the text behind it.
fn longest_call(text: &Spliced, start: usize) -> Result<(Operand, usize), SyntaxError> {
    let whole = text.text();
    let first = parse_call(whole, start as u32);
    if let Ok((Operand { kind: OperandKind::Call { pick: None, .. }, .. }, _)) = first {
        return first;
    }
    let fits = |read: &Result<(Operand, usize), SyntaxError>| {
        read.as_ref().is_ok_and(|(operand, _)| terms::term(operand, text).is_ok())
    };
    if fits(&first) {
        return first;
    }
    let ends = whole.rmatch_indices(')').map(|(at, _)| at + 1).take_while(|end| *end > start);
    ends.map(|end| parse_call(&whole[..end], start as u32)).find(fits).unwrap_or(first)
}

/// Whether Falco 0.44 prints the length of this: it prints it as it prints the field, and that of most texts as no number.
fn shows_length(term: &Term) -> bool {
    match term {
        Term::Field(field) => SHOW_LENGTH.contains(&field.id),
        Term::Call(call) if !call.name.takes_list() => shows_length(&call.args[0]),
        _ => false,
    }
}

const SHOW_LENGTH: [FieldId; 4] =
    [FieldId::EVT_RES, FieldId::FD_TYPE, FieldId::FD_TYPECHAR, FieldId::FD_TYPES];

/// The provided field that the first `len` bytes name, with its brackets if it takes what stands in them.
fn provided(rest: &str, len: usize) -> Option<(FieldRef, usize)> {
    let name = &rest[..len];
    if let Some(arg) = bracket(&rest[len..]) {
        let trimmed = arg.trim_matches(['"', '\'']);
        let value = Value { bytes: trimmed.as_bytes().to_vec(), quoted: trimmed.len() < arg.len(), at: 0..0 };
        if let Ok(field) = resolve(name, Some(&value)) {
            return Some((field, len + arg.len() + 2));
        }
    }
    resolve(name, None).ok().map(|field| (field, len))
}

/// What stands in brackets at the start of `rest`.
fn bracket(rest: &str) -> Option<&str> {
    let inner = rest.strip_prefix('[')?;
    let end = inner.find(']')?;
    let arg = &inner[..end];
    (!arg.is_empty() && !arg.contains(char::is_whitespace) && !arg.contains('[')).then_some(arg)
}

/// The fault of a token that names no field: it stands at `span`, its name alone at `bare`.
fn unknown(name: &str, rest: &str, span: Span, bare: Span) -> Diagnostic {
    if let Err(FieldFault::BadArgument(why)) = resolve(name, None) {
        let message = format!("the argument of `{name}` does not fit");
        return Diagnostic::new(Code::OutputUnknownField, message, span, why);
    }
    if name == "evt.arg" || rest.starts_with("evt.arg") {
        let message = "this parameter does not exist";
        return Diagnostic::new(Code::OutputUnknownField, message, span, "");
    }
    let found = Diagnostic::new(Code::OutputUnknownField, format!("there is no field `{name}`"), span, "");
    if let Some(meant) = prints(name) {
        return found.meant(bare, meant, Certainty::Sure);
    }
    match resolve(name, None) {
        Err(FieldFault::Unknown(Some((near, certainty)))) => found.meant(bare, near, certainty),
        _ => found.note("`eyas fields` lists all that there are"),
    }
}
