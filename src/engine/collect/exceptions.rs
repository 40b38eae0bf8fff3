//! Exceptions of a rule: checked, merged, and turned into ` and not …` behind the condition.
//!
//! The text that comes out is Falco's, value for value: a value with a blank gets double quotes and nothing else is
//! escaped, a single value of a list operator gets parentheses. Lists named in values are put in later, with the rest.

use crate::collect::lists::unquoted;
use crate::diag::{Code, Diagnostic, ItemKind, did_you_mean};
use crate::items::{Comps, ExceptionItem, ExceptionValue, FieldExprs, Name, Text};
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

fn bad(rule: &Name, message: impl Into<String>, span: Span, label: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::BadException, message, span, label).of(ItemKind::Rule, &rule.text)
}

/// The exceptions of a full definition; `None` when one has the wrong shape, which is reported.
pub(super) fn define_exceptions(
    rule: &Name,
    items: Vec<ExceptionItem>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Vec<Exception>> {
    // Every exception is looked at before the first bad one decides.
    let exceptions: Vec<_> = items.into_iter().map(|item| define(rule, item, diagnostics)).collect();
    exceptions.into_iter().collect()
}

/// The exceptions that have the right shape; those that have not are reported.
pub(super) fn those_that_fit(
    rule: &Name,
    items: Vec<ExceptionItem>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Exception> {
    items.into_iter().filter_map(|item| define(rule, item, diagnostics)).collect()
}

fn define(rule: &Name, item: ExceptionItem, diagnostics: &mut Vec<Diagnostic>) -> Option<Exception> {
    let Some(fields) = item.fields else {
        let found = Diagnostic::new(Code::MissingKey, "this exception has no `fields`", item.name.span, "")
            .note("for one field `fields: proc.name` with `values: [bash, sh]`, for two `fields: [proc.name, fd.name]` with `values: [[bash, /etc/x]]`");
        diagnostics.push(found.of(ItemKind::Rule, &rule.text));
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
        Some(Comps::One(text)) if !tuple => vec![(text.as_str().trim().to_owned(), text.span)],
        Some(Comps::Many(texts, span)) if tuple => {
            if texts.len() != fields.len() {
                fine = false;
                let label =
                    format!("{}, and {}", count(texts.len(), "operator"), count(fields.len(), "field"));
                let message = "each field of an exception needs one operator";
                diagnostics.push(bad(rule, message, span, label).see(at, "the fields"));
            }
            texts.into_iter().map(|t| (t.as_str().trim().to_owned(), t.span)).collect()
        }
        Some(Comps::One(Text { span, .. }) | Comps::Many(_, span)) => {
            fine = false;
            let message = "`fields` and `comps` must both be single or both be sequences";
            diagnostics.push(bad(rule, message, span, "").see(at, "the fields"));
            Vec::new()
        }
    };
    for field in &fields {
        if let Err(error) = parse_field(field.as_str()) {
            fine = false;
            diagnostics.push(bad(rule, error.message, field.span, error.label));
        }
    }
    for field in &fields {
        diagnostics.extend(filled_in_late(field).map(|found| found.of(ItemKind::Rule, &rule.text)));
    }
    for (comp, span) in &comps {
        if !comp_fits(comp, tuple) {
            fine = false;
            let message = format!("`{comp}` is no operator for this form of exception");
            let words: Vec<_> =
                Op::ALL.iter().map(|op| op.word()).filter(|op| comp_fits(op, tuple)).collect();
            let found = bad(rule, message, *span, "");
            let near = often_meant(comp).or_else(|| did_you_mean(comp, words.iter().copied()));
            let found = match near.filter(|near| comp_fits(near, tuple)) {
                Some(near) => found.near(*span, near),
                None => found,
            };
            let form =
                if tuple { "where `fields` is a sequence" } else { "where `fields` is a single field" };
            diagnostics.push(found.note(format!("{form} it is one of {}", words.join(" "))));
        }
    }
    let exception =
        Exception { name: item.name, fields, comps, tuple, values: item.values.unwrap_or_default() };
    fine &= values_fit(rule, &exception, &exception.values, diagnostics);
    if fine {
        for value in &exception.values {
            shape(rule, value, diagnostics);
        }
    }
    fine.then_some(exception)
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

fn comp_fits(comp: &str, tuple: bool) -> bool {
    let mut words = comp.split_whitespace();
    let op = words.next().and_then(|w| if w == "==" { Some(Op::Eq) } else { Op::from_word(w) });
    let Some(op) = op else { return false };
    match (words.next(), words.next()) {
        (None, _) => op != Op::Exists && (tuple || op.takes_list()),
        (Some(word), None) => {
            Modifier::from_word(word).is_some() && !op.takes_list() && !op.takes_number() && op != Op::Exists
        }
        _ => false,
    }
}

fn takes_list(comp: &str) -> bool {
    comp.contains(' ') || Op::from_word(comp).is_some_and(Op::takes_list)
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
    rule: &Name,
    exceptions: &mut Vec<Exception>,
    items: Vec<ExceptionItem>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    for item in items {
        if item.values.as_ref().is_none_or(Vec::is_empty) {
            diagnostics.push(
                Diagnostic::new(
                    Code::AppendNoValues,
                    format!("the appended exception `{}` brings no values", item.name.text),
                    item.name.span,
                    "",
                )
                .note("add `values`, or take the exception out")
                .of(ItemKind::Rule, &rule.text),
            );
            continue;
        }
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
                let values = item.values.unwrap_or_default();
                if values_fit(rule, known, &values, diagnostics) {
                    for value in &values {
                        shape(rule, value, diagnostics);
                    }
                    known.values.extend(values);
                }
            }
            None => exceptions.extend(define(rule, item, diagnostics)),
        }
    }
}

/// The condition with the exceptions behind it.
pub fn with_exceptions(condition: &Spliced, exceptions: &[Exception]) -> Spliced {
    let active: Vec<_> = exceptions.iter().filter(|e| !e.is_empty()).collect();
    if active.is_empty() {
        return condition.clone();
    }
    let whole = condition.span(&(0..condition.text().len() as u32));
    let mut out = Spliced::empty();
    out.push_standing_for("(", whole);
    out.push(condition);
    out.push_standing_for(")", whole);
    for exception in active {
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
        for (j, value) in values.iter().enumerate() {
            let (comp, comp_at) = &exception.comps[j];
            if j > 0 {
                out.push_standing_for(" and ", *tuple_at);
            }
            out.push(&exception.fields[j].spliced);
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
            for (i, value) in values.iter().enumerate() {
                if i > 0 {
                    out.push_standing_for(", ", *span);
                }
                push_value(out, value, false);
            }
            out.push_standing_for(")", *span);
        }
        ExceptionValue::One(text) => {
            let written = text.as_str();
            let wrap = list && !written.starts_with('(');
            let quote = written.contains(' ') && !written.starts_with(['"', '\'', '(']);
            if wrap {
                out.push_standing_for("(", text.span);
            }
            if quote {
                out.push_standing_for("\"", text.span);
            }
            out.push(&text.spliced);
            if quote {
                out.push_standing_for("\"", text.span);
            }
            if wrap {
                out.push_standing_for(")", text.span);
            }
        }
    }
}
