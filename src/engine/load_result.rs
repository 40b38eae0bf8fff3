//! The result of a load in the JSON shape of Falco's `-V`: one object a file with errors and warnings by Falco's codes.
//!
//! What Falco has no code for is not among them: lints, and warnings of our own, stand in a key `lints` beside, which
//! tools that read Falco's shape pass over. Places count lines and columns from 0, as Falco's do.

use serde_json::{Value, json};

use crate::diag::{Diagnostic, Severity};
use crate::schema::{self, Verdict};
use crate::source::{SourceId, Sources, Span};
use crate::yaml::{self, Kind, Node};

/// One object a file, in the order of the files.
pub fn load_results(diagnostics: &[Diagnostic], sources: &Sources) -> Vec<Value> {
    (0..sources.len() as u32).map(|i| one_file(SourceId(i), diagnostics, sources)).collect()
}

/// What the shape check says of one file of a load.
pub fn schema_of(source: SourceId, sources: &Sources) -> Verdict {
    let (documents, parsed) = documents(source, sources);
    schema::check(&documents, parsed)
}

fn documents(source: SourceId, sources: &Sources) -> (Vec<Node>, bool) {
    let mut found = Vec::new();
    let documents = yaml::read(source, sources.text(source), &mut found);
    (documents, found.is_empty())
}

fn one_file(source: SourceId, diagnostics: &[Diagnostic], sources: &Sources) -> Value {
    let (documents, parsed) = documents(source, sources);
    let verdict = schema::check(&documents, parsed);
    let items: Vec<&Node> = documents
        .iter()
        .filter_map(|document| match &document.kind {
            Kind::Sequence(items) => Some(items),
            _ => None,
        })
        .flatten()
        .collect();
    let (mut errors, mut warnings, mut lints) = (Vec::new(), Vec::new(), Vec::new());
    for found in diagnostics {
        let Some(span) = found.place().filter(|span| span.source == source) else { continue };
        match (found.severity, found.falco_class()) {
            (Severity::Error, class) => {
                errors.push(issue(found, class.unwrap_or("LOAD_ERR_EXTENSION"), span, &items, sources));
            }
            (Severity::Warning, Some(class)) => warnings.push(issue(found, class, span, &items, sources)),
            _ => lints.push(issue(found, found.code.as_str(), span, &items, sources)),
        }
    }
    let schema_warnings = match &verdict {
        Verdict::Failed(faults) => faults.clone(),
        _ => Vec::new(),
    };
    json!({
        "name": sources.name(source),
        "successful": errors.is_empty(),
        "schema_valid": verdict == Verdict::Ok,
        "schema_warnings": schema_warnings,
        "errors": errors,
        "warnings": warnings,
        "lints": lints,
    })
}

fn issue(found: &Diagnostic, code: &str, span: Span, items: &[&Node], sources: &Sources) -> Value {
    let file = sources.name(span.source);
    let start = Span::new(span.source, 0, 0);
    let mut locations = vec![location("rules content", "", start, sources)];
    let item = items.iter().rfind(|item| item.span.start <= span.start);
    if let Some(item) = item {
        let (kind, name) = item_name(item);
        locations.push(location(kind, name, item.span, sources));
    }
    if item.is_none_or(|item| !named_by(item, span)) {
        locations.push(location(part(code), "", span, sources));
    }
    let place = sources.place(span);
    let line = sources.text(span.source).lines().nth(place.line as usize - 1).unwrap_or("");
    let mut message = found.message.clone();
    if let Some(label) = found.labels.iter().find(|label| label.span == span && !label.text.is_empty()) {
        message = format!("{message}: {}", label.text);
    }
    let mut issue = json!({
        "code": code,
        "codedesc": found.code.summary(),
        "message": message,
        "context": {
            "locations": locations,
            "snippet": format!("{line}\n{}^\n", " ".repeat(place.column as usize - 1)),
        },
        "eyas_code": found.code.as_str(),
        "notes": found.notes,
    });
    if let Some(edit) = &found.edit {
        let at = sources.place(edit.span);
        issue["edit"] = json!({
            "title": edit.title,
            "name": if edit.span.source == span.source { file } else { sources.name(edit.span.source) },
            "line": at.line - 1,
            "column": at.column - 1,
            "offset": edit.span.start,
            "end_offset": edit.span.end,
            "replacement": edit.replacement,
            "certainty": edit.certainty.word(),
        });
    }
    issue
}

/// Kind and name of an item, by the key that decides.
fn item_name(item: &Node) -> (&'static str, &str) {
    let Kind::Mapping(pairs) = &item.kind else { return ("item", "") };
    let kinds = ["required_engine_version", "required_plugin_versions", "list", "macro", "rule"];
    let found = kinds.iter().find_map(|kind| {
        let (_, value) = pairs.iter().find(|(key, _)| key.text() == Some(*kind))?;
        // A requirement has no name.
        let name = value.text().filter(|_| !kind.starts_with("required"));
        Some((*kind, name.unwrap_or("")))
    });
    found.unwrap_or(("item", ""))
}

/// Whether a place is the item's own head: its first key or the name behind it.
fn named_by(item: &Node, span: Span) -> bool {
    let Kind::Mapping(pairs) = &item.kind else { return true };
    pairs.first().is_some_and(|(key, value)| span == key.span || span == value.span)
}

fn part(code: &str) -> &'static str {
    match code {
        "LOAD_ERR_COMPILE_CONDITION" | "LOAD_COMPILE_CONDITION" | "LOAD_UNSAFE_NA_CHECK" => "rule condition",
        "LOAD_ERR_COMPILE_OUTPUT" => "rule output",
        _ => "value for",
    }
}

fn location(kind: &str, name: &str, span: Span, sources: &Sources) -> Value {
    let place = sources.place(span);
    json!({
        "item_type": kind,
        "item_name": name,
        "position": {
            "name": sources.name(span.source),
            "line": place.line - 1,
            "column": place.column - 1,
            "offset": span.start,
        },
    })
}
