//! Diagnostics as SARIF 2.1.0, for the places that show findings beside code: every code a rule of the tool, every finding a
//! result with its region, its further places, and its edit as a fix.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::diag::{Code, Diagnostic, LabelKind, Severity};
use crate::source::{Sources, Span};

/// All diagnostics as one log with one run.
pub fn to_sarif(diagnostics: &[Diagnostic], sources: &Sources, version: &str) -> Value {
    let codes: BTreeSet<Code> = diagnostics.iter().map(|d| d.code).collect();
    let rules: Vec<_> = codes
        .iter()
        .map(|code| {
            json!({
                "id": code.as_str(),
                "shortDescription": {"text": code.summary()},
                "defaultConfiguration": {"level": level(code.severity())},
            })
        })
        .collect();
    let results: Vec<_> = diagnostics.iter().map(|d| result(d, sources)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "eyas", "version": version, "rules": rules}},
            // Columns count characters, whatever their size.
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Lint => "note",
    }
}

fn result(found: &Diagnostic, sources: &Sources) -> Value {
    let label = |kind: LabelKind| found.labels.iter().filter(move |label| label.kind == kind);
    let mut text = found.message.clone();
    for part in label(LabelKind::Primary).map(|l| &l.text).chain(&found.notes).filter(|t| !t.is_empty()) {
        text.push_str("; ");
        text.push_str(part);
    }
    let mut result = json!({
        "ruleId": found.code.as_str(),
        "level": level(found.severity),
        "message": {"text": text},
        "locations": label(LabelKind::Primary).map(|l| location(l.span, sources)).collect::<Vec<_>>(),
    });
    let related: Vec<_> = label(LabelKind::Secondary)
        .map(|l| {
            let mut place = location(l.span, sources);
            place["message"] = json!({"text": l.text});
            place
        })
        .collect();
    if !related.is_empty() {
        result["relatedLocations"] = related.into();
    }
    if let Some(edit) = &found.edit {
        result["fixes"] = json!([{
            "description": {"text": edit.title},
            "artifactChanges": [{
                "artifactLocation": {"uri": sources.name(edit.span.source)},
                "replacements": [{
                    "deletedRegion": region(edit.span, sources),
                    "insertedContent": {"text": edit.replacement},
                }],
            }],
            // SARIF has no word of its own for it.
            "properties": {"certainty": edit.certainty.word()},
        }]);
    }
    result
}

fn location(span: Span, sources: &Sources) -> Value {
    json!({
        "physicalLocation": {
            "artifactLocation": {"uri": sources.name(span.source)},
            "region": region(span, sources),
        },
    })
}

fn region(span: Span, sources: &Sources) -> Value {
    let start = sources.place(span);
    let end = sources.place(Span::new(span.source, span.end, span.end));
    json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
        "byteOffset": span.start,
        "byteLength": span.end - span.start,
    })
}

#[cfg(test)]
mod tests {
    use crate::{Loader, SourceFile};

    #[test]
    fn a_finding_has_its_code_place_and_fix() {
        let text = "- rule: r\n  desc: d\n  condition: evt.type = execve and proc.nmae = x\n  output: o\n  priority: INFO\n";
        let loaded = Loader::new().add(SourceFile::new("r.yaml", text)).finish();
        let log = super::to_sarif(&loaded.diagnostics, &loaded.sources, "1");
        let result = &log["runs"][0]["results"][0];
        assert_eq!(result["ruleId"], "E0401");
        assert_eq!(result["level"], "error");
        let region = &result["locations"][0]["physicalLocation"]["region"];
        assert_eq!((region["startLine"].as_u64(), region["startColumn"].as_u64()), (Some(3), Some(36)));
        let fix = &result["fixes"][0]["artifactChanges"][0]["replacements"][0];
        assert_eq!(fix["insertedContent"]["text"], "proc.name");
        assert_eq!(result["fixes"][0]["properties"]["certainty"], "guess");
    }
}
