//! Conditions and the answers that the real engine of Falco gave on ten known events, when the reference files lie beside
//! the checkout. What is not built yet is counted and passed over; every other answer must be the same,
//! apart from the quirks that eyas mends on purpose.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use eyas_engine::diag::Code;
use eyas_engine::output::parse;
use eyas_engine::syntax::text::Spliced;
use eyas_engine::{Dialect, FieldMap, Filter, Loader, Scratch, SourceId};
use eyas_event::OutputValue;
use serde_json::Value as Json;

/// Rows in which eyas' own dialect differs from Falco 0.44 on purpose, and why.
const MENDED: &[(&str, &str, &str)] = &[
    ("connect", "fd.ip in (1.1.1.1, 142.251.111.147)", "an address is looked for in the whole list"),
    ("exec", "proc.apid in (30, 20)", "the list is looked at"),
    ("exec", "proc.apid intersects (20)", "the list is looked at"),
    ("open", "fd.name = \"\\x41\"", "newer Falco knows this escape"),
    ("exec", "proc.aname = anyof (x, sshd)", "a modifier looks at every element"),
    ("exec", "proc.aname startswith anyof (x, ssh)", "a modifier looks at every element"),
    ("exec", "proc.aname startswith allof (ss, zz)", "a modifier looks at every element"),
    ("exec", "proc.aname startswith oneof (zz, ss)", "a modifier looks at every element"),
    ("connect", "fd.ip = anyof (1.1.1.1, 142.251.111.147)", "a modifier looks at every element"),
    ("connect", "fd.net = anyof (10.0.0.0/8, 142.251.0.0/16)", "a modifier looks at every element"),
    ("connect", "fd.snet = anyof (10.0.0.0/8, 142.251.0.0/16)", "a modifier looks at every element"),
    ("exec", "proc.aenv[9] exists", "the index of an ancestor counts"),
    ("open", "evt.rawarg.flags in (1)", "a raw parameter is looked for in the list"),
    ("open", "*%len(fd.name)|", "the length of a text is printed"),
];

fn is_mended(dialect: Dialect, context: &str, text: &str) -> bool {
    !dialect.is_exact() && MENDED.iter().any(|(c, t, _)| (*c, *t) == (context, text))
}

const BOTH: [Dialect; 2] = [Dialect::Eyas, Dialect::FalcoExact];

/// Vectors whose event has a value that the contexts do not tell: a name from a name server, arguments of an ancestor.
const UNTOLD: [&str; 3] = [
    "fd.sip.name exists",
    "fd.sip.name != x",
    "%proc.aname[1]|%proc.aexe[1]|%proc.aexepath[1]|%proc.apid[1]|%proc.acmdline[1]|%proc.aargs[1]|%proc.aenv[1]",
];

fn shared() -> Option<PathBuf> {
    let path = std::env::var_os("EYAS_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("skipped: no reference files at {}", path.display());
    None
}

/// The event of a context, as far as its fields are provided.
fn event(fields: &serde_json::Map<String, Json>) -> FieldMap {
    let mut kept = serde_json::Map::new();
    for (key, value) in fields {
        let number = value.as_str().and_then(|s| s.parse::<i64>().ok());
        let chain = matches!(
            key.as_str(),
            "proc.aname" | "proc.aexe" | "proc.aexepath" | "proc.acmdline" | "proc.apid"
        );
        let one = |value: Json| Json::Object([(key.clone(), value)].into_iter().collect());
        if chain || value.is_null() || value == "<IPNET>" {
            continue;
        }
        if FieldMap::from_json(&one(value.clone())).is_ok() {
            kept.insert(key.clone(), value.clone());
        } else if let Some(number) = number
            && FieldMap::from_json(&one(number.into())).is_ok()
        {
            kept.insert(key.clone(), number.into());
        }
    }
    // A socket without ends: Falco has both ends at address zero, and gives the map no field that says so.
    if kept.get("fd.type").is_some_and(|t| t == "ipv4") && !kept.contains_key("fd.sip") {
        kept.insert("fd.ip".into(), "0.0.0.0".into());
        kept.insert("fd.net".into(), "0.0.0.0".into());
    }
    FieldMap::from_json(&Json::Object(kept)).unwrap()
}

fn contexts(folder: &Path) -> BTreeMap<String, FieldMap> {
    let text = std::fs::read_to_string(folder.join("falco/contexts.json")).unwrap();
    let contexts: Json = serde_json::from_str(&text).unwrap();
    let events = contexts["events"].as_object().unwrap();
    events.iter().map(|(name, fields)| (name.clone(), event(fields.as_object().unwrap()))).collect()
}

#[test]
fn conditions_answer_as_the_real_engine_does() {
    BOTH.into_iter().for_each(conditions);
}

fn conditions(dialect: Dialect) {
    let Some(folder) = shared() else { return };
    let events = contexts(&folder);
    let vectors = std::fs::read_to_string(folder.join("falco/filter-vectors.tsv")).unwrap();
    let ruleset = Loader::new().dialect(dialect).finish().ruleset;
    let mut scratch = Scratch::new();
    let (mut same, mut later, mut wrong) = (0, 0, Vec::new());
    for line in vectors.lines().skip(1) {
        let columns: Vec<_> = line.split('\t').collect();
        let (context, kind, condition, expected) = (columns[0], columns[1], columns[2], columns[3]);
        if kind != "condition" || is_mended(dialect, context, condition) || UNTOLD.contains(&condition) {
            continue;
        }
        let answer = match Filter::compile(condition, &ruleset) {
            Ok(filter) if filter.matches(&events[context], &mut scratch) => "TRUE",
            Ok(_) => "FALSE",
            Err(rejected) => {
                let waits = |code| code == Code::FieldNotProvided;
                if rejected.diagnostics.iter().any(|d| waits(d.code)) && expected != "LOAD_ERROR" {
                    later += 1;
                    continue;
                }
                "LOAD_ERROR"
            }
        };
        if answer == expected {
            same += 1;
        } else {
            wrong.push(format!("{context}: {condition}: Falco says {expected}, eyas {answer}"));
        }
    }
    eprintln!("{dialect:?}: {same} the same, {later} wait for what is not built or provided yet");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(same > 200, "only {same} were compared");
}

#[test]
fn outputs_print_as_the_real_engine_does() {
    BOTH.into_iter().for_each(outputs);
}

fn outputs(dialect: Dialect) {
    let Some(folder) = shared() else { return };
    let events = contexts(&folder);
    let vectors = std::fs::read_to_string(folder.join("falco/filter-vectors.tsv")).unwrap();
    let mut scratch = Scratch::new();
    let (mut same, mut wrong) = (0, Vec::new());
    for line in vectors.lines().skip(1) {
        let columns: Vec<_> = line.split('\t').collect();
        let (context, kind, text, expected) = (columns[0], columns[1], columns[2], columns[3]);
        if kind != "output" || is_mended(dialect, context, text) {
            continue;
        }
        // The star says "print what is missing as <NA>", which ours always does.
        let text = text.strip_prefix('*').unwrap_or(text);
        if UNTOLD.contains(&text) {
            continue;
        }
        let mut found = Vec::new();
        let template = parse(&Spliced::whole(SourceId(0), text), dialect, &mut found);
        let Some(template) = template else {
            if expected == "LOAD_ERROR" {
                same += 1;
            } else {
                wrong.push(format!("{context}: {text}: does not load"));
            }
            continue;
        };
        let rendered = template.render(&events[context], &mut scratch);
        let message = String::from_utf8(rendered.message).unwrap();
        let fields: Json =
            serde_json::from_str(columns.get(4).copied().unwrap_or("null")).unwrap_or(Json::Null);
        let json = rendered.fields.iter().filter(|(name, _)| name != "evt.time");
        let differs = json.filter(|(name, value)| {
            let ours = json_of(value);
            fields[name.as_str()] != ours
        });
        let differs: Vec<_> = differs.collect();
        if message == expected && differs.is_empty() {
            same += 1;
        } else {
            wrong.push(format!("{context}: {text}: Falco {expected}, eyas {message}; {differs:?}"));
        }
    }
    eprintln!("{dialect:?}: {same} the same");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(same > 10, "only {same} were compared");
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
