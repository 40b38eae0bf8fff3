//! Diagnostics as JSON: one array, places as byte offsets and as line and column.
//!
//! The text is built by hand because the shape is small and the engine needs no serializer otherwise.

use std::fmt::Write as _;

use super::{Diagnostic, Label, LabelKind};
use crate::source::{Sources, Span};

/// All diagnostics as one JSON array.
pub fn to_json(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let mut out = String::from("[");
    for (i, d) in diagnostics.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        one(&mut out, d, sources);
    }
    out.push(']');
    out
}

fn one(out: &mut String, d: &Diagnostic, sources: &Sources) {
    out.push_str("{\"severity\":");
    string(out, d.severity.word());
    out.push_str(",\"code\":");
    string(out, d.code.as_str());
    if let Some(class) = d.falco_class() {
        out.push_str(",\"falco_code\":");
        string(out, class);
    }
    out.push_str(",\"message\":");
    string(out, &d.message);
    if let Some((kind, name)) = &d.item {
        out.push_str(",\"item\":{\"kind\":");
        string(out, kind.word());
        out.push_str(",\"name\":");
        string(out, name);
        out.push('}');
    }
    out.push_str(",\"labels\":[");
    for (i, label) in d.labels.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        one_label(out, label, sources);
    }
    out.push_str("],\"notes\":[");
    for (i, note) in d.notes.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        string(out, note);
    }
    out.push(']');
    if let Some(edit) = &d.edit {
        out.push_str(",\"edit\":{\"title\":");
        string(out, &edit.title);
        out.push(',');
        place(out, edit.span, sources);
        out.push_str(",\"replacement\":");
        string(out, &edit.replacement);
        out.push_str(",\"certainty\":");
        string(out, edit.certainty.word());
        out.push('}');
    }
    out.push('}');
}

fn one_label(out: &mut String, label: &Label, sources: &Sources) {
    out.push('{');
    place(out, label.span, sources);
    out.push_str(",\"text\":");
    string(out, &label.text);
    let primary = label.kind == LabelKind::Primary;
    let _ = write!(out, ",\"primary\":{primary}}}");
}

fn place(out: &mut String, span: Span, sources: &Sources) {
    out.push_str("\"file\":");
    string(out, sources.name(span.source));
    let at = sources.place(span);
    let _ = write!(
        out,
        ",\"start\":{},\"end\":{},\"line\":{},\"column\":{}",
        span.start, span.end, at.line, at.column
    );
}

/// Appends `text` as a JSON string.
pub(crate) fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if (c as u32) < 0x20 || c == '\u{7f}' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
