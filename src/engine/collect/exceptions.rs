//! Exceptions of a rule: checked, merged, and turned into ` and not …` behind the condition.
//!
//! The text that comes out is Falco's, value for value: a value with a blank gets double quotes and nothing else is
//! escaped, a single value of a list operator gets parentheses and no quotes. Lists named in values are put in later, with the rest.

use crate::collect::SOURCES;
use crate::diag::{Code, Diagnostic, ItemKind};
use crate::dialect::Dialect;
use crate::items::{Comps, ExceptionItem, ExceptionValue, FieldExprs, Name, Text};
use crate::lower::terms;
use crate::source::Span;
use crate::syntax::ast::{Modifier, Op};
use crate::syntax::parse_field;
use crate::syntax::text::Spliced;

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

/// Where the fields of an exception must be known: of an event source that is not there nothing is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Of<'r> {
    /// The rule.
    pub rule: &'r Name,
    /// Its event source.
    pub source: &'r str,
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

fn define(of: Of<'_>, item: ExceptionItem, diagnostics: &mut Vec<Diagnostic>) -> Option<Exception> {
    let rule = of.rule;
    let Some(fields) = item.fields else {
        if !item.lacks_fields {
            diagnostics.push(bad(rule, "this exception has no `fields`", item.name.span, ""));
        }
        return None;
    };
    let (fields, tuple) = match fields {
        FieldExprs::One(text) => (vec![text], false),
        FieldExprs::Many(texts, _) => (texts, true),
    };
    let comps = match item.comps {
        None => vec![(if tuple { "=" } else { "in" }.to_owned(), item.name.span); fields.len()],
        Some(Comps::One(text)) if !tuple => vec![(trimmed(&text), text.span)],
        Some(Comps::Many(texts, span)) if tuple => {
            if texts.len() != fields.len() {
                let label = format!("{} operators for {} fields", texts.len(), fields.len());
                diagnostics.push(bad(rule, "each field of an exception needs one operator", span, label));
                return None;
            }
            texts.into_iter().map(|t| (trimmed(&t), t.span)).collect()
        }
        Some(Comps::One(Text { span, .. }) | Comps::Many(_, span)) => {
            diagnostics.push(bad(
                rule,
                "`fields` and `comps` must both be single or both be sequences",
                span,
                "",
            ));
            return None;
        }
    };
    let mut fine = true;
    for field in fields.iter().filter(|_| SOURCES.contains(&of.source)) {
        if let Err((message, label)) = known_field(field, of.source) {
            fine = false;
            diagnostics.push(bad(rule, message, field.span, label));
        }
    }
    for (comp, span) in &comps {
        if !comp_fits(comp, tuple) {
            fine = false;
            let message = format!("`{comp}` is no operator for this form of exception");
            diagnostics.push(bad(rule, message, *span, ""));
        }
    }
    let exception = Exception { name: item.name, fields, comps, tuple, values: item.values };
    fine &= of.dialect.is_exact() || values_fit(rule, &exception, &exception.values, diagnostics);
    fine.then_some(exception)
}

/// Blanks around an operator do not count.
fn trimmed(comp: &Text) -> String {
    comp.as_str().trim_matches([' ', '\t', '\r', '\n']).to_owned()
}

/// Whether a left side is a field, or a transformer call, that events of the source have; the error is a sentence and a label.
fn known_field(field: &Text, source: &str) -> Result<(), (String, String)> {
    let operand = parse_field(field.as_str()).map_err(|error| (error.message, error.label))?;
    let term = match terms::term(&operand, &field.spliced) {
        Ok(term) => term,
        Err((found, _)) if found.is_error() => return Err((found.message, String::new())),
        Err(_) => return Ok(()),
    };
    let mut read = Vec::new();
    term.fields(&mut read);
    match read.iter().find(|field| !field.id.info().belongs_to(source)) {
        Some(field) => {
            let name = field.id.info().name;
            Err((format!("events of the source `{source}` have no field `{name}`"), String::new()))
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
                Some(format!("this tuple has {} values for {width} fields", items.len()))
            }
            ExceptionValue::Many(..) if !exception.tuple => Some("a single value was expected".to_owned()),
            _ => None,
        };
        if let Some(label) = problem {
            fine = false;
            let message = format!("a value of the exception `{}` has the wrong shape", exception.name.text);
            diagnostics.push(bad(rule, message, value.span(), label));
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
                        .see(known.name.span, "its fields are given here"),
                    );
                    continue;
                }
                if of.dialect.is_exact() || values_fit(rule, known, &item.values, diagnostics) {
                    known.values.extend(item.values);
                }
            }
            None if item.values.is_empty() && item.fields.is_some() => {
                let message = format!("the new exception `{}` has no values", item.name.text);
                let label = "no exception of this rule has that name";
                diagnostics.push(bad(rule, message, item.name.span, label));
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
