//! `eyas fields`: every field that rules may name, with its type, its argument, what it says, and whether it ever has a value
//! here. It reads the table and nothing else, so it works without a store, rules or privileges.

use std::io::{self, Write};

use eyas_event::field::FieldInfo;
use eyas_event::{FieldFlags, FieldId, Provision, Shape};
use serde_json::{Value, json};

use crate::cli;
use crate::fail::Outcome;

/// A line of text is at most so wide: the narrowest common terminal.
const COLUMNS: usize = 80;

/// Prints the table, or the part of it that rules of one source may read.
pub(crate) fn fields(args: &cli::Fields) -> Outcome {
    let rows: Vec<_> = FieldId::all()
        .map(FieldId::info)
        .filter(|row| args.source.as_deref().is_none_or(|source| row.belongs_to(source)))
        .collect();
    let mut out = io::BufWriter::new(io::stdout().lock());
    if args.json {
        let rows: Vec<_> = rows.into_iter().map(object).collect();
        writeln!(out, "{}", Value::Array(rows))?;
    } else {
        text(&rows, &mut out)?;
    }
    out.flush()?;
    Ok(())
}

fn object(row: &FieldInfo) -> Value {
    let why = match row.provision {
        Provision::Provided => None,
        Provision::AlwaysAbsent(why) => Some(why),
    };
    let sources: Vec<_> = FieldId::sources().iter().filter(|source| row.belongs_to(source)).collect();
    json!({
        "name": row.name,
        "type": row.type_word(),
        "list": row.shape == Shape::List,
        "argument": row.arg.form(),
        "sources": sources,
        "flags": row.flags.words().collect::<Vec<_>>(),
        "description": row.doc,
        "provided": row.is_provided(),
        "why_not": why,
    })
}

/// The word before the first point, by which fields are grouped.
fn family(row: &FieldInfo) -> &'static str {
    row.name.split('.').next().unwrap_or(row.name)
}

/// For people: grouped, what is hidden in Falco left out. A reason that holds for a whole group is said once.
fn text(rows: &[&FieldInfo], out: &mut impl Write) -> io::Result<()> {
    let mut shown: Vec<_> = rows.iter().filter(|row| !row.flags.has(FieldFlags::HIDDEN)).copied().collect();
    // Families in the order of their first fields, each in one piece.
    let mut families = Vec::new();
    for row in &shown {
        if !families.contains(&family(row)) {
            families.push(family(row));
        }
    }
    shown.sort_by_key(|row| families.iter().position(|name| *name == family(row)));
    for (n, group) in shown.chunk_by(|a, b| family(a) == family(b)).enumerate() {
        if n > 0 {
            writeln!(out)?;
        }
        let Some(first) = group.first() else { continue };
        let source = |row: &FieldInfo| row.source.unwrap_or("every source");
        let one_source = group.iter().all(|row| row.source == first.source);
        let one_reason = group.iter().all(|row| row.provision == first.provision);
        let heading = if one_source { source(first) } else { "by field" };
        writeln!(out, "{}  (source: {heading})", family(first))?;
        if let (true, Provision::AlwaysAbsent(why)) = (one_reason, first.provision) {
            wrapped(&format!("Not provided here because {why}."), 2, out)?;
        }
        for row in group {
            let list = if row.shape == Shape::List { "list of " } else { "" };
            let source = if one_source { String::new() } else { format!(", {}", source(row)) };
            let old = if row.flags.has(FieldFlags::DEPRECATED) { ", for old rules alone" } else { "" };
            let name = format!("{}{}", row.name, row.arg.form());
            let kind = format!("{list}{}{source}{old}", row.type_word());
            // A long name stands in a line of its own.
            if 2 + name.len() + 2 + kind.len() > COLUMNS {
                writeln!(out, "  {name}\n      {kind}")?;
            } else {
                writeln!(out, "  {name:<30}  {kind}")?;
            }
            wrapped(row.doc, 6, out)?;
            if let (false, Provision::AlwaysAbsent(why)) = (one_reason, row.provision) {
                wrapped(&format!("Not provided here because {why}."), 6, out)?;
            }
        }
    }
    Ok(())
}

/// Words in lines that fit, each behind so many blanks.
fn wrapped(text: &str, indent: usize, out: &mut impl Write) -> io::Result<()> {
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && indent + line.len() + 1 + word.len() > COLUMNS {
            writeln!(out, "{:indent$}{line}", "")?;
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(out, "{:indent$}{line}", "")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_text_fits_and_names_every_field_that_is_not_hidden() {
        let rows: Vec<_> = FieldId::all().map(FieldId::info).collect();
        let mut out = Vec::new();
        text(&rows, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
        for row in rows.iter().filter(|row| !row.flags.has(FieldFlags::HIDDEN)) {
            assert!(text.contains(&format!("\n  {}{}", row.name, row.arg.form())), "{}", row.name);
        }
    }

    #[test]
    fn an_object_says_why_there_is_no_value() {
        let row = |name| object(FieldId::from_name(name).unwrap().info());
        let absent = row("ka.verb");
        assert_eq!(absent["provided"], false);
        assert_eq!(absent["sources"], json!(["k8s_audit"]));
        assert!(absent["why_not"].as_str().unwrap().contains("k8s_audit"));
        let here = row("evt.num");
        assert_eq!(here["provided"], true);
        assert!(here["why_not"].is_null());
        assert!(here["sources"].as_array().unwrap().len() > 5);
        assert_eq!(row("evt.rawarg")["type"], "of the parameter");
    }
}
