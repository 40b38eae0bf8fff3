//! The ten events that ship as files (`tests/falco/contexts`): each reads as the documented form, holds what the real
//! engine recorded, and prints and compares every recorded field as the real engine does.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod recorded;

use std::collections::BTreeSet;

use eyas_engine::Dialect;
use eyas_engine::fields::resolve;
use eyas_engine::syntax::ast::OperandKind;
use eyas_engine::syntax::parse_field;
use eyas_event::{Arg, FieldId, FieldRef, FieldType, Shape};
use recorded::{BOTH, Judge, NAMES, event, file, shared};
use serde_json::Value as Json;

#[test]
fn every_key_reads() {
    for name in NAMES {
        event(name);
    }
}

/// What the real engine recorded of the events: values as JSON has them, and texts where they differ.
struct Recorded(Json);

impl Recorded {
    fn read() -> Option<Self> {
        let text = std::fs::read_to_string(shared()?.join("falco/contexts.json")).unwrap();
        Some(Self(serde_json::from_str(&text).unwrap()))
    }

    /// Each event, field, value and text; no text for what is missing.
    fn all(&self) -> impl Iterator<Item = (&str, &str, &Json, Option<String>)> {
        NAMES.into_iter().flat_map(move |event| {
            let fields = self.0["events"][event].as_object().unwrap();
            fields.iter().map(move |(field, value)| {
                let told = self.0["text_where_it_differs"][event][field].as_str().map(str::to_owned);
                let text = match value {
                    Json::Null => None,
                    Json::String(text) => Some(text.clone()),
                    value => Some(value.to_string()),
                };
                (event, field.as_str(), value, told.or(text))
            })
        })
    }
}

fn field(name: &str) -> FieldRef {
    let operand = parse_field(name).unwrap();
    let OperandKind::Field { name, arg } = &operand.kind else { panic!("{name} is no field") };
    resolve(name, arg.as_ref()).unwrap()
}

#[test]
fn the_files_hold_what_the_real_engine_recorded() {
    let Some(recorded) = Recorded::read() else { return };
    assert_eq!(recorded.0["events"].as_object().unwrap().len(), NAMES.len());
    let files = NAMES.map(|name| (name, file(name)));
    for (event, key, value, _) in recorded.all() {
        // A network follows from the address beside it and was not recorded. The chains of ids and environments print
        // what is the process's own, and the counter counts each time it is asked.
        if value.is_null() || value == "<IPNET>" || ["proc.apid", "proc.aenv", "util.cnt"].contains(&key) {
            continue;
        }
        let ours = &files.iter().find(|(name, _)| *name == event).unwrap().1;
        let same = match (&ours.get(key), value) {
            (Some(Json::Array(parts)), Json::String(printed)) => {
                let parts: Vec<_> = parts.iter().filter_map(Json::as_str).collect();
                parts.iter().filter(|p| !p.is_empty()).copied().collect::<Vec<_>>().join(" ") == *printed
            }
            (Some(Json::Number(n)), Json::String(printed)) => n.to_string() == *printed,
            (given, value) => *given == Some(value),
        };
        assert!(same, "{event}: {key}: {:?} for {value}", ours.get(key));
    }
}

#[test]
fn every_field_prints_as_the_real_engine_prints_it() {
    let Some(recorded) = Recorded::read() else { return };
    for dialect in BOTH {
        let mut judge = Judge::new(dialect);
        let mut wrong = Vec::new();
        for (event, key, value, text) in recorded.all() {
            // Of an environment as a whole ours print what the rule names.
            if dialect == Dialect::Eyas && ["proc.env", "proc.aenv"].contains(&key) {
                continue;
            }
            let (printed, fields) = judge.output(event, &format!("*%{key}"));
            let wanted = text.unwrap_or_else(|| "<NA>".to_owned());
            if printed != wanted {
                wrong.push(format!("{event}: {key}: Falco prints {wanted}, eyas {printed}"));
            }
            // The counter counts on between text and JSON, and alerts have no fractions yet.
            if fields[key] != *value && !value.is_f64() && key != "util.cnt" {
                wrong.push(format!("{event}: {key}: Falco's JSON has {value}, eyas' {}", fields[key]));
            }
        }
        assert!(wrong.is_empty(), "{dialect:?}: {}", wrong.join("\n"));
    }
}

/// Whether `exists` holds: for a value, and for what stands for several where there is one to ask.
fn is_there(field: &FieldRef, files: &serde_json::Map<String, Json>, text: Option<&str>) -> bool {
    let info = field.id.info();
    match (info.shape, &field.arg) {
        (Shape::AnySide, _) => files.contains_key("fd.is_server"),
        (Shape::Ancestors, Arg::None) => files.contains_key("proc.ppid"),
        // A raw parameter without bytes is none.
        _ if field.id == FieldId::EVT_RAWARG => text.is_some_and(|text| !text.is_empty()),
        _ => text.is_some(),
    }
}

#[test]
fn every_field_compares_as_the_rules_say() {
    let Some(recorded) = Recorded::read() else { return };
    let files = NAMES.map(file);
    for dialect in BOTH {
        let mut judge = Judge::new(dialect);
        let (mut asked, mut compared, mut wrong) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        for (event, key, value, text) in recorded.all() {
            let at = NAMES.iter().position(|name| *name == event).unwrap();
            let read = field(key);
            let info = read.id.info();
            // The same value in another event says nothing new.
            if !asked.insert((key, text.clone())) && info.shape == Shape::One {
                continue;
            }
            let mut expect = |condition: String, wanted: bool| {
                let wanted = if wanted { "TRUE" } else { "FALSE" };
                let answer = judge.condition(event, &condition);
                if answer != wanted {
                    wrong.push(format!("{event}: {condition}: {wanted} wanted, eyas {answer}"));
                }
            };
            // The index of an environment is not looked at there.
            if read.id == FieldId::PROC_AENV && read.arg != Arg::None && dialect == Dialect::FalcoExact {
                continue;
            }
            let there = is_there(&read, &files[at], text.as_deref());
            expect(format!("{key} exists"), there);
            expect(format!("not {key} exists"), !there);
            if info.shape == Shape::List {
                let items: Vec<_> = value.as_array().into_iter().flatten().filter_map(Json::as_str).collect();
                expect(format!("{key} in ({})", items.join(", ")), there);
                expect(format!("{key} in (x, {})", [&items[..], &["y"]].concat().join(", ")), there);
                expect(format!("{key} intersects (x, {})", items.last().unwrap_or(&"y")), there);
                expect(format!("{key} in (x)"), false);
                continue;
            }
            let several =
                info.shape == Shape::AnySide || (info.shape == Shape::Ancestors && read.arg == Arg::None);
            let uncomparable = matches!(read.arg, Arg::Param(p) if read.id == FieldId::EVT_RAWARG && p.comparable() != eyas_event::Comparable::Yes);
            if several || info.ty == FieldType::Net || read.ty() == FieldType::Double || uncomparable {
                continue;
            }
            let mut constant = text.clone().unwrap_or_else(|| match read.ty() {
                FieldType::Bool => "true".to_owned(),
                FieldType::Ip => "1.1.1.1".to_owned(),
                FieldType::Text if read.id == FieldId::EVT_TYPE => "open".to_owned(),
                FieldType::Text | FieldType::Path | FieldType::Bytes => "x".to_owned(),
                _ => "0".to_owned(),
            });
            if let (Arg::Param(param), FieldType::Uint, FieldId::EVT_RAWARG) = (&read.arg, read.ty(), read.id)
            {
                constant = u64::from_str_radix(&constant, param.radix().base()).unwrap().to_string();
            }
            let quoted = format!("\"{}\"", constant.replace('\\', "\\\\").replace('"', "\\\""));
            expect(format!("{key} = {quoted}"), there);
            expect(format!("{key} == {quoted}"), there);
            expect(format!("{key} != {quoted}"), false);
            expect(format!("not {key} != {quoted}"), true);
            let texts = matches!(read.ty(), FieldType::Text | FieldType::Path);
            let listed = there && !(dialect.is_exact() && read.id == FieldId::EVT_RAWARG && !texts);
            expect(format!("{key} in ({quoted})"), listed);
            expect(format!("{key} intersects ({quoted})"), listed);
            if texts && read.id != FieldId::EVT_TYPE {
                for op in ["contains", "icontains", "startswith", "endswith"] {
                    expect(format!("{key} {op} {quoted}"), there);
                    expect(format!("{key} {op} \"\""), there);
                }
                expect(format!("{key} glob *"), there);
                expect(format!("{key} iglob *"), there);
                // Compiling a pattern takes its time.
                if ["open", "exec"].contains(&event) {
                    expect(format!("{key} regex \".*\""), there);
                }
                expect(format!("{key} pmatch (/)"), there);
                expect(format!("{key} = \"no such text\""), false);
                expect(format!("{key} != \"no such text\""), there);
                expect(format!("{key} != anyof (\"no such text\", other)"), there);
            } else if !texts && !matches!(read.ty(), FieldType::Bool | FieldType::Ip | FieldType::Bytes) {
                expect(format!("{key} <= {constant}"), there);
                expect(format!("{key} >= {constant}"), there);
                expect(format!("{key} < {constant}"), false);
                expect(format!("{key} > {constant}"), false);
                expect(format!("{key} = anyof ({constant}, {constant})"), there);
                expect(format!("{key} = allof ({constant})"), there);
                // A constant that stands twice is met twice; of a raw parameter Falco looks at the first alone.
                let first = dialect.is_exact() && read.id == FieldId::EVT_RAWARG;
                expect(format!("{key} = oneof ({constant}, {constant})"), there && first);
            }
            if read.id != FieldId::EVT_TYPE && read.id != FieldId::EVT_RAWARG && info.shape == Shape::One {
                expect(format!("{key} = val({key})"), there);
                expect(format!("{key} != val({key})"), false);
            }
            compared.insert(key);
        }
        eprintln!("{dialect:?}: {} fields were compared", compared.len());
        assert!(wrong.is_empty(), "{dialect:?}: {} differ\n{}", wrong.len(), wrong.join("\n"));
        assert!(compared.len() > 250, "only {}", compared.len());
    }
}
