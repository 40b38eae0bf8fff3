//! The result of a load in the JSON shape of Falco's `-V`: one object a file with errors and warnings by Falco's codes.
//!
//! What Falco has no code for is not among them: lints, and warnings of our own, stand in a key `lints` beside, which
//! tools that read Falco's shape pass over. Places count lines and columns from 0, as Falco's do.

use serde_json::{Value, json};

use crate::diag::{Diagnostic, Severity};
use crate::schema::{self, Verdict};
use crate::source::{SourceId, Sources, Span};
use crate::yaml::{self, Kind, Node};

/// One object a file, in the order of the files. `by_file` is what was found while each was loaded, where that is known
/// ([`Loaded::by_file`](crate::Loaded)); otherwise a finding belongs to the file that it points into.
pub fn load_results(
    diagnostics: &[Diagnostic],
    by_file: &[Vec<Diagnostic>],
    sources: &Sources,
) -> Vec<Value> {
    let files: Vec<_> = sources.ids().map(|id| documents(id, sources)).collect();
    let items: Vec<Vec<&Node>> = files.iter().map(|(documents, _)| items(documents)).collect();
    let file = |id: SourceId| {
        let (documents, parsed) = &files[id.0 as usize];
        let verdict = schema::check(documents, *parsed);
        let found: Vec<&Diagnostic> = if let Some(found) = by_file.get(id.0 as usize) {
            found.iter().collect()
        } else {
            let here = |d: &&Diagnostic| d.place().is_some_and(|span| span.source == id);
            diagnostics.iter().filter(here).collect()
        };
        one_file(id, &found, &verdict, &items, sources)
    };
    sources.ids().map(file).collect()
}

/// The items of a file's documents.
fn items(documents: &[Node]) -> Vec<&Node> {
    let items = documents.iter().filter_map(|document| match &document.kind {
        Kind::Sequence(items) => Some(items),
        _ => None,
    });
    let mut items: Vec<&Node> = items.flatten().collect();
    // An alias stands for what was written earlier.
    items.sort_by_key(|item| item.span.start);
    items
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

fn one_file(
    source: SourceId,
    diagnostics: &[&Diagnostic],
    verdict: &Verdict,
    items: &[Vec<&Node>],
    sources: &Sources,
) -> Value {
    let (mut errors, mut warnings, mut lints) = (Vec::new(), Vec::new(), Vec::new());
    for found in diagnostics {
        let Some(span) = found.place() else { continue };
        let items = items.get(span.source.0 as usize).map_or(&[][..], Vec::as_slice);
        match (found.severity, found.falco_class()) {
            (Severity::Error, class) => {
                errors.push(issue(found, class.unwrap_or("LOAD_ERR_EXTENSION"), span, items, sources));
            }
            (Severity::Warning, Some(class)) => warnings.push(issue(found, class, span, items, sources)),
            _ => lints.push(issue(found, found.code.as_str(), span, items, sources)),
        }
    }
    let mut result = json!({
        "name": sources.name(source),
        "successful": errors.is_empty(),
        "errors": errors,
        "warnings": warnings,
        "lints": lints,
    });
    // Of a file without a document to check nothing is said.
    let faults: Option<&[String]> = match verdict {
        Verdict::None => None,
        Verdict::Ok => Some(&[]),
        Verdict::Failed(faults) => Some(faults),
    };
    if let Some(faults) = faults {
        result["schema_valid"] = (*verdict == Verdict::Ok).into();
        result["schema_warnings"] = faults.into();
    }
    result
}

fn issue(found: &Diagnostic, code: &str, span: Span, items: &[&Node], sources: &Sources) -> Value {
    let file = sources.name(span.source);
    let start = Span::new(span.source, 0, 0);
    let mut locations = vec![location("rules content", "", start, sources)];
    let item = items[..items.partition_point(|item| item.span.start <= span.start)].last();
    if let Some(item) = item {
        let (kind, name) = item_name(item);
        locations.push(location(kind, name, item.span, sources));
    }
    if item.is_none_or(|item| !named_by(item, span)) {
        locations.push(location(part(code), "", span, sources));
    }
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
            "snippet": snippet(span, sources),
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

/// So many characters of a line are shown on either side of a place, as in Falco.
const AROUND: usize = 80;

/// The line of a place with a mark below it; of a long line what is near.
fn snippet(span: Span, sources: &Sources) -> String {
    let at = span.start as usize;
    let (_, bytes) = sources.whole_lines(span.source, at..at);
    let text = sources.text(span.source);
    let before = text.get(bytes.start..at).unwrap_or("");
    let line = text.get(at..bytes.end).unwrap_or("");
    let rest = line.split(['\n', '\r']).next().unwrap_or("");
    let cut = before.chars().count().saturating_sub(AROUND);
    let mut shown: String = if cut > 0 { "...".to_owned() } else { String::new() };
    shown.extend(before.chars().skip(if cut > 0 { cut + 3 } else { 0 }));
    let column = shown.chars().count();
    shown.extend(rest.chars().take(AROUND));
    if rest.chars().nth(AROUND).is_some() {
        shown.push_str("...");
    }
    format!("{shown}\n{}^\n", " ".repeat(column))
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
