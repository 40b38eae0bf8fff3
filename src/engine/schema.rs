//! The shape check that Falco runs beside its loader: closed objects, simple types, priorities in capitals. Its verdict is
//! shown and stops nothing. The shapes are a table; one function walks a document by it.

use crate::yaml::{Kind, Node};

/// What the check said of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There was no document to check: the text is no YAML, or holds nothing.
    None,
    /// Every document has the shape.
    Ok,
    /// Some have not: where, and why.
    Failed(Vec<String>),
}

impl Verdict {
    /// The word that is printed beside the file's name.
    pub fn word(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Ok => "ok",
            Self::Failed(_) => "failed",
        }
    }
}

/// What may stand at a place.
#[derive(Clone, Copy)]
enum Shape {
    /// Any single value that is not null.
    Text,
    /// The same, or nothing.
    TextOrNothing,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Number,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A sequence.
    Many(&'static Shape),
    /// A mapping with these keys and no others, and these at least.
    Object(&'static [(&'static str, Shape)], &'static [&'static str]),
    /// Anything.
    Any,
}

const PRIORITIES: &[&str] =
    &["EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "INFORMATIONAL", "DEBUG"];

const CHANGE: Shape = Shape::Word(&["append", "replace"]);

const PLUGIN: &[(&str, Shape)] = &[
    ("name", Shape::Text),
    ("version", Shape::Text),
    (
        "alternatives",
        Shape::Many(&Shape::Object(&[("name", Shape::Text), ("version", Shape::Text)], PLUGIN_NEEDS)),
    ),
];

const PLUGIN_NEEDS: &[&str] = &["name", "version"];

const EXCEPTION: &[(&str, Shape)] =
    &[("name", Shape::Text), ("fields", Shape::Any), ("comps", Shape::Any), ("values", Shape::Any)];

const OVERRIDE: &[(&str, Shape)] = &[
    ("items", CHANGE),
    ("condition", CHANGE),
    ("output", CHANGE),
    ("desc", CHANGE),
    ("priority", CHANGE),
    ("tags", CHANGE),
    ("exceptions", CHANGE),
    ("enabled", CHANGE),
    ("warn_evttypes", CHANGE),
    ("skip-if-unknown-filter", CHANGE),
    ("capture", CHANGE),
    ("capture_duration", CHANGE),
];

/// Every kind of item in one: the check does not tell rules from lists.
const ITEM: Shape = Shape::Object(
    &[
        ("required_engine_version", Shape::Text),
        ("required_plugin_versions", Shape::Many(&Shape::Object(PLUGIN, PLUGIN_NEEDS))),
        ("list", Shape::Text),
        ("items", Shape::Many(&Shape::Text)),
        ("macro", Shape::Text),
        ("rule", Shape::TextOrNothing),
        ("desc", Shape::Text),
        ("condition", Shape::Text),
        ("output", Shape::Text),
        ("priority", Shape::Word(PRIORITIES)),
        ("source", Shape::Text),
        ("enabled", Shape::Bool),
        ("tags", Shape::Many(&Shape::Text)),
        ("exceptions", Shape::Many(&Shape::Object(EXCEPTION, &["name"]))),
        ("warn_evttypes", Shape::Bool),
        ("skip-if-unknown-filter", Shape::Bool),
        ("capture", Shape::Bool),
        ("capture_duration", Shape::Number),
        ("append", Shape::Bool),
        ("override", Shape::Object(OVERRIDE, &[])),
    ],
    &[],
);

/// Checks the documents of a file; `parsed` is whether its text is YAML at all.
pub fn check(documents: &[Node], parsed: bool) -> Verdict {
    // A document that is nothing is none.
    let mut written = documents.iter().filter(|document| !document.is_null()).peekable();
    if !parsed || written.peek().is_none() {
        return Verdict::None;
    }
    let mut faults = Vec::new();
    for document in written {
        walk(document, Shape::Many(&ITEM), "<root>", &mut faults);
    }
    if faults.is_empty() { Verdict::Ok } else { Verdict::Failed(faults) }
}

/// The shapes are nested a few deep, and so is the walk.
fn walk(node: &Node, shape: Shape, path: &str, faults: &mut Vec<String>) {
    let single = |node: &Node| matches!(node.kind, Kind::Scalar(_));
    let text = node.text().unwrap_or("");
    let fits = match shape {
        Shape::Any => true,
        Shape::Text => single(node) && !node.is_null(),
        Shape::TextOrNothing => single(node),
        Shape::Bool => single(node) && matches!(text, "true" | "false"),
        Shape::Number => single(node) && text.parse::<i64>().is_ok(),
        Shape::Word(words) => words.contains(&text),
        Shape::Many(inner) => {
            if let Kind::Sequence(nodes) = &node.kind {
                for (i, node) in nodes.iter().enumerate() {
                    walk(node, *inner, &format!("{path}[{i}]"), faults);
                }
                true
            } else {
                false
            }
        }
        Shape::Object(keys, needed) => {
            if let Kind::Mapping(pairs) = &node.kind {
                for (key, value) in pairs {
                    let name = key.text().unwrap_or("");
                    match keys.iter().find(|(known, _)| *known == name) {
                        Some((_, shape)) => walk(value, *shape, &format!("{path}[{name}]"), faults),
                        None => faults.push(format!("failed for {path}: no key '{name}' is known here")),
                    }
                }
                for name in
                    needed.iter().filter(|name| !pairs.iter().any(|(key, _)| key.text() == Some(name)))
                {
                    faults.push(format!("failed for {path}: the key '{name}' is missing"));
                }
                // Where nothing is needed by name, as in `override`, something must be there all the same.
                !pairs.is_empty() || path.matches('[').count() < 2
            } else {
                false
            }
        }
    };
    if !fits {
        faults.push(format!("failed for {path}: not {}", wanted(shape)));
    }
}

fn wanted(shape: Shape) -> String {
    match shape {
        Shape::Text | Shape::TextOrNothing | Shape::Any => "a text".to_owned(),
        Shape::Bool => "true or false".to_owned(),
        Shape::Number => "a whole number".to_owned(),
        Shape::Word(words) => format!("one of {}", words.join(", ")),
        Shape::Many(_) => "a sequence".to_owned(),
        Shape::Object(..) => "a mapping with keys".to_owned(),
    }
}
