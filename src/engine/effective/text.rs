//! An effective rule as text for a terminal.

use std::fmt::Write as _;

use eyas_event::text::escape;

use crate::effective::{Effective, NamedList};
use crate::parts::{PartKind, indent, place};
use crate::source::Sources;

/// Where the places stand when the text before them leaves room.
const COLUMN: usize = 64;

/// An effective rule as lines.
pub fn to_text(effective: &Effective<'_>, sources: &Sources) -> String {
    let rule = effective.rule;
    let mut out = String::new();
    let mut head = |key: &str, value: &str| {
        let _ = writeln!(out, "{key:<10} {value}");
    };
    head("rule", &escape(rule.name.as_bytes()));
    head("defined", &place(effective.defined, sources));
    head("desc", &escape(rule.desc.trim().as_bytes()));
    head("priority", rule.priority.name());
    let tags: Vec<_> = rule.tags.iter().map(|tag| escape(tag.as_bytes())).collect();
    head("tags", &tags.join(", "));
    head("source", &escape(rule.source.as_bytes()));
    head("enabled", if rule.enabled { "yes" } else { "no" });
    head("output", &escape(rule.output.trim().as_bytes()));
    let places: Vec<_> = effective.output.iter().map(|span| place(*span, sources)).collect();
    head("", &places.join(", "));
    out.push_str("condition\n");
    for part in &effective.parts {
        let text = format!("  {}{}", indent(part.depth), part.text());
        let mut note = place(part.span, sources);
        if let Some(defined) = part.defined
            && part.kind == PartKind::Macro
        {
            let _ = write!(note, ", defined {}", place(defined, sources));
        }
        line(&mut out, &text, &note);
    }
    if !effective.lists.is_empty() {
        out.push_str("lists\n");
    }
    for list in &effective.lists {
        line(&mut out, &format!("  {}", escape(list.name.as_bytes())), &place(list.defined, sources));
        for (items, note) in rows(list, sources) {
            line(&mut out, &format!("    {items}"), &note);
        }
    }
    out
}

/// A list's items, those of one line of one file together.
fn rows(list: &NamedList<'_>, sources: &Sources) -> Vec<(String, String)> {
    let mut rows: Vec<(String, String)> = Vec::new();
    for (item, span) in &list.items {
        let (item, note) = (escape(item.as_bytes()), place(*span, sources));
        match rows.last_mut() {
            Some((items, last)) if *last == note => {
                let _ = write!(items, ", {item}");
            }
            _ => rows.push((item.into_owned(), note)),
        }
    }
    rows
}

fn line(out: &mut String, text: &str, note: &str) {
    let blanks = COLUMN.saturating_sub(text.chars().count()).max(2);
    let _ = writeln!(out, "{text}{:blanks$}{note}", "");
}
