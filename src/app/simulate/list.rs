//! `eyas simulate --list`: the table of actions, as text, as JSON, and as it stands in `docs/simulate.md`.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::action::{Action, Need, Origin, Place};
use super::table;
use crate::fail::Outcome;

/// Prints the table.
pub(super) fn list(as_json: bool) -> Outcome {
    let mut out = io::stdout().lock();
    if as_json {
        let all: Vec<Value> = table::all().map(object).collect();
        writeln!(out, "{}", Value::from(all))?;
        return Ok(());
    }
    for action in table::all() {
        text(action, &mut out)?;
    }
    Ok(())
}

fn object(action: &Action) -> Value {
    json!({
        "action": action.name,
        "origin": origin(action.origin),
        "place": action.place.word(),
        "needs": needs(action),
        "stock_rule": action.stock,
        "shipped_rule": action.shipped,
        "does": action.does,
        "why_not": if let Place::Nowhere(why) = action.place { Some(why) } else { None },
    })
}

fn text(action: &Action, out: &mut impl Write) -> io::Result<()> {
    let mut place = vec![action.place.word()];
    place.extend(needs(action));
    writeln!(out, "{}  ({})", action.name, place.join(", "))?;
    writeln!(out, "   {}", action.does)?;
    if let Place::Nowhere(why) = action.place {
        writeln!(out, "   not possible: {why}")?;
    }
    writeln!(out, "   rule {}", action.stock)?;
    if let Some(rule) = action.shipped {
        writeln!(out, "   ours {rule}")?;
    }
    Ok(())
}

fn needs(action: &Action) -> Vec<&'static str> {
    action.needs.iter().map(|need| Need::word(*need)).collect()
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::EventGenerator => "event-generator",
        Origin::Eyas => "eyas",
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::fmt::Write as _;

    use super::*;

    const BEGIN: &str = "<!-- actions: written by the tests of eyas-app with EYAS_BLESS=1 -->\n";
    const END: &str = "<!-- end of actions -->\n";

    /// The tables of the document: what can run on a host, then what is listed only.
    fn tables() -> String {
        let mut out = String::from(BEGIN);
        out.push_str(
            "| action | needs | what it does | stock rule | shipped rule |\n|---|---|---|---|---|\n",
        );
        for a in table::all().filter(|a| a.place == Place::Host) {
            let mark = if a.origin == Origin::Eyas { " *" } else { "" };
            let ours = a.shipped.unwrap_or("–");
            writeln!(
                out,
                "| {}{mark} | {} | {} | {} | {ours} |",
                a.name,
                needs(a).join(", "),
                a.does,
                a.stock
            )
            .unwrap();
        }
        out.push_str("\n| listed only | why | stock rule |\n|---|---|---|\n");
        for a in table::all().filter(|a| a.place != Place::Host) {
            let mark = if a.origin == Origin::Eyas { " *" } else { "" };
            let why = if let Place::Nowhere(why) = a.place { why } else { "needs a container" };
            writeln!(out, "| {}{mark} | {why} | {} |", a.name, a.stock).unwrap();
        }
        out + END
    }

    #[test]
    fn the_document_has_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/simulate.md");
        let found = std::fs::read_to_string(path).unwrap();
        let (before, rest) = found.split_once(BEGIN).expect("the document has a place for the table");
        let (_, after) = rest.split_once(END).expect("the table in the document ends");
        let wanted = format!("{before}{}{after}", tables());
        if std::env::var_os("EYAS_BLESS").is_some() {
            std::fs::write(path, &wanted).unwrap();
        }
        let now = std::fs::read_to_string(path).unwrap();
        assert!(now == wanted, "docs/simulate.md is stale: run the tests of eyas-app with EYAS_BLESS=1");
    }

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        let mut out = Vec::new();
        for action in table::all() {
            text(action, &mut out).unwrap();
        }
        for line in String::from_utf8(out).unwrap().lines() {
            assert!(line.len() <= 80, "{line}");
        }
    }
}
