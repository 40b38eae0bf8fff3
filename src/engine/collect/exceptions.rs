//! Exceptions of a rule: checked, merged, and turned into ` and not …` behind the condition.
//!
//! The text that comes out is Falco's, value for value: a value with a blank gets double quotes and nothing else is
//! escaped, a single value of a list operator gets parentheses and no quotes. Lists named in values are put in later, with the rest.

use crate::collect::SOURCES;
use crate::collect::lists::unquoted;
use crate::diag::{Code, Diagnostic, ItemKind, did_you_mean};
use crate::dialect::Dialect;
use crate::items::{Comps, ExceptionItem, ExceptionValue, FieldExprs, Name, Text};
use crate::lower::terms;
use crate::source::Span;
use crate::syntax::ast::{Modifier, Op};
use crate::syntax::text::Spliced;
use crate::syntax::{often_meant, parse_field};

/// An exception with all its parts.
#[derive(Clone, Debug)]
pub struct Exception {
    /// Its name.
    pub name: Name,
    fields: Vec<Text>,
    comps: Vec<(String, Span)>,
    tuple: bool,
    values: Vec<ExceptionValue>,
}

impl Exception {
    /// How many values (or tuples of values) it has.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Where its left sides stand.
    fn fields_span(&self) -> Option<Span> {
        let (first, last) = (self.fields.first()?, self.fields.last()?);
        Some(first.span.to(last.span))
    }

    /// Its left sides as written.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(Text::as_str)
    }

    /// Its operators, those that stand for what was not written included.
    pub fn operators(&self) -> impl Iterator<Item = &str> {
        self.comps.iter().map(|(comp, _)| comp.as_str())
    }

    /// Whether it has no values, and so no effect.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

/// How the left sides of an exception are written.
pub(crate) const FIELDS_EXAMPLE: &str = "for one field `fields: proc.name` with `values: [bash, sh]`, for two `fields: [proc.name, fd.name]` with `values: [[bash, /etc/x]]`";

fn bad(rule: &Name, message: impl Into<String>, span: Span, label: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::BadException, message, span, label).of(ItemKind::Rule, &rule.text)
}

/// Where the fields of an exception must be known: of an event source that is not there nothing is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Of<'r> {
    /// The rule.
    pub rule: &'r Name,
    /// Its event source; nothing where it is not known, and fields of any source fit.
    pub source: Option<&'r str>,
    /// Whether tuples of the wrong length wait until the rule is compiled, as Falco lets them.
    pub dialect: Dialect,
}

/// The exceptions of a full definition; `None` when one has the wrong shape, which is reported.
pub(super) fn define_exceptions(
    of: Of<'_>,
    items: Vec<ExceptionItem>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Vec<Exception>> {
    // Every exception is looked at before the first bad one decides.
    let exceptions: Vec<_> = items.into_iter().map(|item| define(of, item, diagnostics)).collect();
    exceptions.into_iter().collect()
}

/// The exceptions that have the right shape; those that have not are reported.
pub(super) fn those_that_fit(
    of: Of<'_>,
    items: Vec<ExceptionItem>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Exception> {
    items.into_iter().filter_map(|item| define(of, item, diagnostics)).collect()
}

fn define(of: Of<'_>, item: ExceptionItem, diagnostics: &mut Vec<Diagnostic>) -> Option<Exception> {
    let rule = of.rule;
    let Some(fields) = item.fields else {
        if !item.lacks_fields {
            let found = bad(rule, "this exception has no `fields`", item.name.span, "");
            diagnostics.push(found.note(FIELDS_EXAMPLE));
        }
        return None;
    };
    let (fields, tuple, at) = match fields {
        FieldExprs::One(text) => {
            let at = text.span;
            (vec![text], false, at)
        }
        FieldExprs::Many(texts, at) => (texts, true, at),
    };
    let mut fine = true;
    let comps = match item.comps {
        None => vec![(if tuple { "=" } else { "in" }.to_owned(), item.name.span); fields.len()],
        Some(Comps::One(text)) if !tuple => vec![(trimmed(&text), text.span)],
        Some(Comps::Many(texts, span)) if tuple => {
            if texts.len() != fields.len() {
                fine = false;
                let label =
                    format!("{}, and {}", count(texts.len(), "operator"), count(fields.len(), "field"));
                let message = "each field of an exception needs one operator";
                diagnostics.push(bad(rule, message, span, label).see(at, "the fields"));
            }
            texts.into_iter().map(|t| (trimmed(&t), t.span)).collect()
        }
        Some(Comps::One(Text { span, .. }) | Comps::Many(_, span)) => {
            fine = false;
            let message = "`fields` and `comps` must both be single or both be sequences";
            diagnostics.push(bad(rule, message, span, "").see(at, "the fields"));
            Vec::new()
        }
    };
    for field in fields.iter().filter(|_| of.source.is_none_or(|source| SOURCES.contains(&source))) {
        if let Err(found) = known_field(rule, field, of.source) {
            fine = false;
            diagnostics.push(*found);
        }
    }
    for field in &fields {
        diagnostics.extend(filled_in_late(field).map(|found| found.of(ItemKind::Rule, &rule.text)));
    }
    for (comp, span) in &comps {
        if !comp_fits(comp, tuple) {
            fine = false;
            let message = format!("`{comp}` is no operator for this form of exception");
            let words: Vec<_> = Op::ALL
                .iter()
                .filter(|op| **op != Op::Exists)
                .map(|op| op.word())
                .filter(|op| comp_fits(op, tuple))
                .collect();
            let found = bad(rule, message, *span, "");
            let near = often_meant(comp).or_else(|| did_you_mean(comp, words.iter().copied()));
            let found = match near.filter(|near| comp_fits(near, tuple)) {
                Some(near) => found.near(*span, near),
                None => found,
            };
            let form =
                if tuple { "where `fields` is a sequence" } else { "where `fields` is a single field" };
            let found = found.note(format!("{form} it is one of {}", words.join(" ")));
            diagnostics.push(match fields.first() {
                Some(field) if !tuple => single_form(found, comp, *span, field, &item.values),
                _ => found,
            });
        }
    }
    let exception = Exception { name: item.name, fields, comps, tuple, values: item.values };
    fine &= of.dialect.is_exact() || values_fit(rule, &exception, &exception.values, diagnostics);
    if fine {
        for value in &exception.values {
            shape(rule, value, diagnostics);
        }
    }
    fine.then_some(exception)
}

/// How an operator is written where `fields` is a single field: with a modifier, or in the form of sequences.
fn single_form(
    found: Diagnostic,
    comp: &str,
    span: Span,
    field: &Text,
    values: &[ExceptionValue],
) -> Diagnostic {
    if !comp_fits(comp, true) {
        return found;
    }
    let value = if values.is_empty() { "[…]".to_owned() } else { singles(values) };
    let (field, operator) = (within_brackets(field.as_str()), within_brackets(comp));
    let found = found.note(format!(
        "or write sequences: `fields: [{field}]`, `comps: [{operator}]` and `values: [{value}]`"
    ));
    let any = format!("{comp} anyof");
    if matches!(comp, "=" | "==") {
        found.near(span, "in")
    } else if comp_fits(&any, false) {
        found.near(span, &any)
    } else {
        found
    }
}

/// Single values as sequences of one each, of many the first.
fn singles(values: &[ExceptionValue]) -> String {
    const SHOWN: usize = 3;
    let one = |value: &ExceptionValue| match value {
        ExceptionValue::One(value) => format!("[{}]", within_brackets(value.as_str())),
        ExceptionValue::Many(..) => "[…]".to_owned(),
    };
    match values {
        [first, ..] if values.len() > SHOWN => format!("{}, …", one(first)),
        _ => values.iter().map(one).collect::<Vec<_>>().join(", "),
    }
}

/// A text as it is written in a sequence in brackets.
fn within_brackets(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "._-/<=".contains(c);
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}

/// Says of a value that does not stay one value. In parentheses it is a list that was written so.
fn shape(rule: &Name, value: &ExceptionValue, diagnostics: &mut Vec<Diagnostic>) {
    match value {
        ExceptionValue::Many(values, _) => values.iter().for_each(|value| shape(rule, value, diagnostics)),
        ExceptionValue::One(text) if text.as_str().starts_with('(') => {}
        ExceptionValue::One(text) => {
            let found = unquoted(text, Code::ExceptionValueShape, "a value of an exception");
            diagnostics.extend(found.map(|found| found.of(ItemKind::Rule, &rule.text)));
        }
    }
}

/// Names of containers, images and pods come from the runtime, after the first events of a container.
fn filled_in_late(field: &Text) -> Option<Diagnostic> {
    let name = field.as_str().trim();
    let late = name.starts_with("container.") || name.starts_with("k8s.");
    (late && name != "container.id").then(|| {
        Diagnostic::new(
            Code::LateException,
            format!("an exception by `{name}` may not hold for the first events of a container"),
            field.span,
            "filled in after the container has started",
        )
        .note("`container.id` is there from the start, and so are `proc.name`, `proc.exepath` and `proc.cmdline`")
    })
}

/// A number with its noun.
fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// Blanks around an operator do not count.
fn trimmed(comp: &Text) -> String {
    comp.as_str().trim_matches([' ', '\t', '\r', '\n']).to_owned()
}

/// Whether a left side is a field, or a transformer call, that events of the source have; the error is of the exception,
/// whatever is wrong with the field.
fn known_field(rule: &Name, field: &Text, source: Option<&str>) -> Result<(), Box<Diagnostic>> {
    let fault = |mut found: Diagnostic| {
        (found.code, found.severity) = (Code::BadException, Code::BadException.severity());
        Box::new(found.of(ItemKind::Rule, &rule.text))
    };
    let operand = parse_field(field.as_str())
        .map_err(|error| fault(bad(rule, error.message, field.span, error.label)))?;
    let term = match terms::term(&operand, &field.spliced) {
        Ok(term) => term,
        Err((found, _)) if found.is_error() => return Err(fault(*found)),
        Err(_) => return Ok(()),
    };
    let Some(source) = source else { return Ok(()) };
    let mut read = Vec::new();
    term.fields(&mut read);
    match read.iter().find(|field| !field.id.info().belongs_to(source)) {
        Some(foreign) => {
            let info = foreign.id.info();
            let message = format!("events of the source `{source}` have no field `{}`", info.name);
            let other = info.source.unwrap_or_default();
            let label = format!("this field belongs to `{other}`");
            let note =
                format!("set `source: {other}` if the rule is for those events, or take the field out");
            Err(Box::new(bad(rule, message, field.span, label).note(note)))
        }
        None => Ok(()),
    }
}

fn comp_fits(comp: &str, tuple: bool) -> bool {
    let op = |word: &str| if word == "==" { Some(Op::Eq) } else { Op::from_word(word) };
    match comp.split_once(' ') {
        None => op(comp).is_some_and(|op| tuple || op.takes_list()),
        Some((word, modifier)) => {
            Modifier::from_word(modifier).is_some()
                && op(word).is_some_and(|op| !op.takes_list() && !op.takes_number() && op != Op::Exists)
        }
    }
}

fn takes_list(comp: &str) -> bool {
    comp.contains(' ') || Op::from_word(comp).is_some_and(Op::takes_list)
}

/// Reports values of a rule's exceptions that have the wrong shape. Says whether there is none.
pub(crate) fn all_values_fit(
    rule: &Name,
    exceptions: &[Exception],
    diagnostics: &mut Vec<Diagnostic>,
) -> bool {
    exceptions.iter().all(|exception| values_fit(rule, exception, &exception.values, diagnostics))
}

fn values_fit(
    rule: &Name,
    exception: &Exception,
    values: &[ExceptionValue],
    diagnostics: &mut Vec<Diagnostic>,
) -> bool {
    let mut fine = true;
    for value in values {
        let width = exception.fields.len();
        let problem = match value {
            ExceptionValue::One(_) if exception.tuple => {
                Some(format!("a tuple of {width} values was expected"))
            }
            ExceptionValue::Many(items, _) if exception.tuple && items.len() != width => {
                let (values, fields) = (count(items.len(), "value"), count(width, "field"));
                Some(format!("this tuple has {values}, and the exception {fields}"))
            }
            ExceptionValue::Many(..) if !exception.tuple => {
                Some("a single value was expected, since `fields` is a single field".to_owned())
            }
            _ => None,
        };
        if let Some(label) = problem {
            fine = false;
            let message = format!("a value of the exception `{}` has the wrong shape", exception.name.text);
            let found = bad(rule, message, value.span(), label);
            diagnostics.push(match exception.fields_span() {
                Some(fields) => found.see(fields, "the fields"),
                None => found,
            });
        }
    }
    fine
}

/// Merges appended exceptions: a new name brings fields and values, a known one brings values only.
pub(super) fn append_exceptions(
    of: Of<'_>,
    exceptions: &mut Vec<Exception>,
    items: Vec<ExceptionItem>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let rule = of.rule;
    for item in items {
        match exceptions.iter_mut().find(|known| known.name.text == item.name.text) {
            Some(known) => {
                if item.fields.is_some() || item.comps.is_some() {
                    diagnostics.push(
                        bad(
                            rule,
                            "a known exception takes only `values`",
                            item.name.span,
                            "has `fields` or `comps`",
                        )
                        .see(known.name.span, "its fields are given here")
                        .note("take `fields` and `comps` out, or give this exception another name"),
                    );
                    continue;
                }
                if of.dialect.is_exact() || values_fit(rule, known, &item.values, diagnostics) {
                    for value in &item.values {
                        shape(rule, value, diagnostics);
                    }
                    known.values.extend(item.values);
                }
            }
            None if item.values.is_empty() && item.fields.is_some() => {
                let message = format!("the new exception `{}` has no values", item.name.text);
                let label = "no exception of this rule has that name";
                let found = bad(rule, message, item.name.span, label);
                diagnostics.push(found.note("add `values`, or take the exception out"));
            }
            None => exceptions.extend(define(of, item, diagnostics)),
        }
    }
}

/// The condition with the exceptions behind it.
pub fn with_exceptions(condition: &Spliced, exceptions: &[Exception]) -> Spliced {
    if exceptions.is_empty() {
        return condition.clone();
    }
    let whole = condition.span(&(0..condition.text().len() as u32));
    let mut out = Spliced::empty();
    out.push_standing_for("(", whole);
    out.push(condition);
    out.push_standing_for(")", whole);
    for exception in exceptions.iter().filter(|exception| !exception.is_empty()) {
        let at = exception.name.span;
        out.push_standing_for(" and not ", at);
        if exception.tuple {
            push_tuples(&mut out, exception, at);
        } else {
            let (comp, comp_at) = &exception.comps[0];
            out.push(&exception.fields[0].spliced);
            out.push_standing_for(&format!(" {comp} ("), *comp_at);
            for (i, value) in exception.values.iter().enumerate() {
                if i > 0 {
                    out.push_standing_for(", ", at);
                }
                push_value(&mut out, value, false);
            }
            out.push_standing_for(")", at);
        }
    }
    out
}

fn push_tuples(out: &mut Spliced, exception: &Exception, at: Span) {
    out.push_standing_for("(", at);
    for (i, tuple) in exception.values.iter().enumerate() {
        let ExceptionValue::Many(values, tuple_at) = tuple else { continue };
        out.push_standing_for(if i > 0 { " or (" } else { "(" }, *tuple_at);
        // A tuple of another length is reported where its rule is compiled.
        let parts = values.iter().zip(exception.fields.iter().zip(&exception.comps));
        for (j, (value, (field, (comp, comp_at)))) in parts.enumerate() {
            if j > 0 {
                out.push_standing_for(" and ", *tuple_at);
            }
            out.push(&field.spliced);
            out.push_standing_for(&format!(" {comp} "), *comp_at);
            push_value(out, value, takes_list(comp));
        }
        out.push_standing_for(")", *tuple_at);
    }
    out.push_standing_for(")", at);
}

fn push_value(out: &mut Spliced, value: &ExceptionValue, list: bool) {
    match value {
        ExceptionValue::Many(values, span) => {
            out.push_standing_for("(", *span);
            let mut first = true;
            for value in values {
                if !first {
                    out.push_standing_for(", ", *span);
                }
                let before = out.text().len();
                // What is nested deeper than that is put in as nothing.
                if let ExceptionValue::One(text) = value {
                    push_quoted(out, text);
                }
                first &= out.text().len() == before;
            }
            out.push_standing_for(")", *span);
        }
        ExceptionValue::One(text) if list => {
            let wrap = !text.as_str().starts_with('(');
            if wrap {
                out.push_standing_for("(", text.span);
            }
            out.push(&text.spliced);
            if wrap {
                out.push_standing_for(")", text.span);
            }
        }
        ExceptionValue::One(text) => push_quoted(out, text),
    }
}

/// A value; one with a blank gets quotes unless it begins with one.
fn push_quoted(out: &mut Spliced, text: &Text) {
    let quote = text.as_str().contains(' ') && !text.as_str().starts_with(['"', '\'']);
    if quote {
        out.push_standing_for("\"", text.span);
    }
    out.push(&text.spliced);
    if quote {
        out.push_standing_for("\"", text.span);
    }
}
