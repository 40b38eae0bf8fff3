//! The ten known events (`tests/falco/contexts`) and what the real engine answered about them, when the reference files
//! lie beside the checkout: shared by the tests that compare the two.

use std::path::Path;

use eyas_engine::output::parse;
use eyas_engine::syntax::text::Spliced;
use eyas_engine::{Dialect, FieldMap, Filter, Loader, Ruleset, Scratch, SourceId};
use eyas_event::OutputValue;
use serde_json::{Map, Value as Json};

pub(crate) const BOTH: [Dialect; 2] = [Dialect::Eyas, Dialect::FalcoExact];

pub(crate) const NAMES: [&str; 10] = [
    "open",
    "openfail",
    "openatfail",
    "socket",
    "connect",
    "inprogress",
    "refused",
    "connect6",
    "mapped",
    "exec",
];

#[path = "../support/shared.rs"]
mod shared;
pub(crate) use shared::shared;

/// What the file of an event holds.
pub(crate) fn file(name: &str) -> Map<String, Json> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/falco/contexts");
    let text = std::fs::read_to_string(folder.join(name).with_extension("json")).unwrap();
    let Json::Object(map) = serde_json::from_str(&text).unwrap() else { panic!("{name} is no object") };
    map
}

/// The event of a file; every key must read.
pub(crate) fn event(name: &str) -> FieldMap {
    FieldMap::from_json(&Json::Object(file(name))).unwrap_or_else(|bad| panic!("{name}: {bad:?}"))
}

/// Answers about the ten events in one dialect.
pub(crate) struct Judge {
    pub(crate) dialect: Dialect,
    ruleset: std::sync::Arc<Ruleset>,
    events: Vec<FieldMap>,
    scratch: Scratch,
}

impl Judge {
    pub(crate) fn new(dialect: Dialect) -> Self {
        let ruleset = Loader::new().dialect(dialect).finish().ruleset;
        Self { dialect, ruleset, events: NAMES.map(event).into(), scratch: Scratch::new() }
    }

    fn event(&self, name: &str) -> &FieldMap {
        &self.events[NAMES.iter().position(|n| *n == name).unwrap()]
    }

    /// `TRUE`, `FALSE` or `LOAD_ERROR`.
    pub(crate) fn condition(&mut self, event: &str, text: &str) -> &'static str {
        let Ok(filter) = Filter::compile(text, &self.ruleset) else { return "LOAD_ERROR" };
        let at = NAMES.iter().position(|n| *n == event).unwrap();
        if filter.matches(&self.events[at], &mut self.scratch) { "TRUE" } else { "FALSE" }
    }

    /// The text and the fields, or `LOAD_ERROR` and none.
    pub(crate) fn output(&mut self, event: &str, text: &str) -> (String, Map<String, Json>) {
        // The star says "print what is missing as <NA>", which ours always does.
        let text = text.strip_prefix('*').unwrap_or(text);
        let Some(template) = parse(&Spliced::whole(SourceId(0), text), self.dialect, &mut Vec::new()) else {
            return ("LOAD_ERROR".into(), Map::new());
        };
        let mut scratch = Scratch::new();
        let rendered = template.render(self.event(event), &mut scratch);
        let fields = rendered.fields.iter().map(|(name, value)| (name.clone(), json_of(value)));
        (String::from_utf8(rendered.message).unwrap(), fields.collect())
    }
}

fn json_of(value: &OutputValue) -> Json {
    match value {
        OutputValue::Null => Json::Null,
        OutputValue::Bool(b) => (*b).into(),
        OutputValue::Int(n) => (*n).into(),
        OutputValue::Uint(n) => (*n).into(),
        OutputValue::Text(t) => t.as_str().into(),
        OutputValue::List(items) => items.iter().map(json_of).collect(),
    }
}
