//! The formatter of rule files. It touches the conditions of rules and macros and nothing else: comments, keys, quotes and the
//! order of all things stay as they were written.
//!
//! `layout` turns a condition into lines; this file finds the scalars, puts the lines in their place and proves that the
//! file still means the same: each condition must parse to the same tree and the whole file compile to the same program
//! with the same findings. What cannot be shown to stay the same is left alone, and the answer says so.

mod layout;
mod scalar;

use crate::diag::{Code, Diagnostic, ItemKind};
use crate::dialect::Dialect;
use crate::loader::Loader;
use crate::source::{Place, SourceFile, SourceId, Sources, Span};
use crate::syntax::parse_in;
use crate::yaml::{self, Kind, Node};

/// The width that lines keep to, unless one part alone is longer.
pub const WIDTH: usize = 120;

/// A formatted file.
#[derive(Clone, Debug)]
pub struct Formatted {
    /// The whole text.
    pub text: String,
    /// The conditions that changed.
    pub changed: Vec<Condition>,
    /// The conditions that would have changed and were left alone, with the reason.
    pub left: Vec<(Condition, &'static str)>,
}

/// A condition of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Of a rule or of a macro.
    pub kind: ItemKind,
    /// Whose.
    pub name: String,
    /// Where it stands in the text that was given.
    pub place: Place,
}

/// Bytes of the file and what to put there.
struct Change {
    condition: Condition,
    span: Span,
    text: String,
}

/// Formats the conditions of a file. A file that is not YAML comes back as the finding.
pub fn format(file: &str, dialect: Dialect) -> Result<Formatted, Box<Diagnostic>> {
    let mut sources = Sources::default();
    let id = sources.add(SourceFile::new("", file));
    let mut found = Vec::new();
    let documents = yaml::read(id, file, &mut found);
    if let Some(broken) = found.into_iter().find(|d| d.code == Code::YamlSyntax) {
        return Err(Box::new(broken));
    }
    let mut changes: Vec<Change> = Vec::new();
    let mut left = Vec::new();
    for (kind, name, key, node) in conditions(&documents) {
        // One that an alias repeats is formatted where it was written.
        if node.span.start < key.end || changes.iter().any(|c| c.span.start == node.span.start) {
            continue;
        }
        let condition = Condition { kind, name: name.to_owned(), place: sources.place(key) };
        match one(file, key, node, dialect) {
            Ok(None) => {}
            Ok(Some((start, end, text))) => {
                changes.push(Change { condition, span: Span::new(id, start as u32, end as u32), text });
            }
            Err(why) => left.push((condition, why)),
        }
    }
    changes.sort_by_key(|change| change.span.start);
    let kept = same_meaning(file, changes, dialect, &mut left);
    let text = applied(file, kept.iter());
    Ok(Formatted { text, changed: kept.into_iter().map(|c| c.condition).collect(), left })
}

/// Every condition: its item's kind and name, its key and its scalar.
fn conditions(documents: &[Node]) -> Vec<(ItemKind, &str, Span, &Node)> {
    let mut found = Vec::new();
    for document in documents {
        let Kind::Sequence(items) = &document.kind else { continue };
        for item in items {
            let Kind::Mapping(pairs) = &item.kind else { continue };
            let get = |key: &str| pairs.iter().find(|(k, _)| k.text() == Some(key));
            let (kind, name) = match (get("rule"), get("macro")) {
                (Some((_, name)), _) => (ItemKind::Rule, name),
                (None, Some((_, name))) => (ItemKind::Macro, name),
                (None, None) => continue,
            };
            if let (Some(name), Some((key, node))) = (name.text(), get("condition")) {
                found.push((kind, name, key.span, node));
            }
        }
    }
    found
}

/// What to put in place of one condition: the bytes and the text, or nothing when it is as it should be.
fn one(
    file: &str,
    key: Span,
    node: &Node,
    dialect: Dialect,
) -> Result<Option<(usize, usize, String)>, &'static str> {
    let Some(text) = node.text() else { return Ok(None) };
    let (lead, body) = split_lead(text);
    let parsed = parse_in(body, dialect);
    if !parsed.errors.is_empty() {
        // What is wrong with it is the business of `check`; lists may also make it right.
        return Ok(None);
    }
    let Some(tokens) = layout::read(body, &parsed.ast) else {
        return Err("it is nested too deep or holds line breaks in quotes");
    };
    let Some((start, end, new)) = scalar::place(file, key, node, lead, &tokens)? else { return Ok(None) };
    if file.get(start..end) == Some(&*new) {
        return Ok(None);
    }
    Ok(Some((start, end, new)))
}

/// An appended condition may begin with the word that joins it.
fn split_lead(text: &str) -> (&'static str, &str) {
    let trimmed = text.trim();
    for word in ["and", "or"] {
        if let Some(rest) = trimmed.strip_prefix(word)
            && rest.starts_with(|c: char| c.is_ascii_whitespace() || c == '(')
        {
            return (word, rest.trim_start());
        }
    }
    ("", trimmed)
}

/// Leaves out the changes that do not keep the meaning, and names them in `left`.
fn same_meaning(
    file: &str,
    changes: Vec<Change>,
    dialect: Dialect,
    left: &mut Vec<(Condition, &'static str)>,
) -> Vec<Change> {
    const WHY: &str = "the file would mean something else";
    if changes.is_empty() {
        return changes;
    }
    let before = Meaning::of(file, dialect);
    if before == Meaning::of(&applied(file, changes.iter()), dialect) {
        return changes;
    }
    let (kept, lost): (Vec<_>, Vec<_>) = changes
        .into_iter()
        .partition(|change| before == Meaning::of(&applied(file, std::iter::once(change)), dialect));
    left.extend(lost.into_iter().map(|change| (change.condition, WHY)));
    if before == Meaning::of(&applied(file, kept.iter()), dialect) {
        return kept;
    }
    left.extend(kept.into_iter().map(|change| (change.condition, WHY)));
    Vec::new()
}

fn applied<'c>(file: &str, changes: impl Iterator<Item = &'c Change>) -> String {
    let mut out = String::with_capacity(file.len() + 64);
    let mut at = 0;
    for change in changes {
        let (start, end) = (change.span.start as usize, change.span.end as usize);
        out.push_str(file.get(at..start).unwrap_or(""));
        out.push_str(&change.text);
        at = end;
    }
    out.push_str(file.get(at..).unwrap_or(""));
    out
}

/// What a file means, in a form that two of them can be compared by.
#[derive(PartialEq, Eq)]
struct Meaning {
    program: String,
    rules: Vec<String>,
    findings: Vec<String>,
    trees: Vec<String>,
}

impl Meaning {
    fn of(file: &str, dialect: Dialect) -> Self {
        let loaded = Loader::new().dialect(dialect).add(SourceFile::new("", file)).finish();
        let documents = yaml::read(SourceId(0), file, &mut Vec::new());
        let trees = conditions(&documents)
            .into_iter()
            .map(|(_, name, _, node)| {
                let (lead, body) = split_lead(node.text().unwrap_or(""));
                let parsed = parse_in(body, dialect);
                format!("{name}: {lead} {} {}", parsed.ast, parsed.errors.len())
            })
            .collect();
        let mut findings: Vec<_> =
            loaded.diagnostics.iter().map(|d| format!("{} {:?} {}", d.code, d.item, d.message)).collect();
        findings.sort_unstable();
        Self {
            program: loaded.ruleset.program().to_string(),
            rules: loaded.ruleset.rules().map(|(_, rule)| format!("{} {}", rule.name, rule.output)).collect(),
            findings,
            trees,
        }
    }
}
