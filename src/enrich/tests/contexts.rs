//! Events side by side with Falco's: the same nine situations, folded from records, against the value and the printed text
//! that Falco 0.44 gives for every field that it has. `contexts.json` holds those, recorded by running it; `null` is a field
//! without a value. Where we differ, [`DIFFERENT`] says why: because of the engine that was recorded (its own process, no
//! interfaces, no plugin), because its quirk is mended (falco.md §2.11), or because the sensor does not send the value yet.
//! A row that is not needed any more is an error, and so is a provided field that the file does not have.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use eyas_ebpf::records;
use eyas_enrich::{Enrich, SilentHost};
use eyas_event::{Arg, Event, FieldId, FieldRef, Fields, OutputValue, ParamId};
use serde_json::Value as Json;

use crate::situations::{SITUATIONS, situation};

/// Where we differ: situations, fields, reason. Every field of a row differs in every situation of it.
const DIFFERENT: &[(&str, &str, &str)] = &[
    // What hangs on the engine that was recorded.
    (TUPLES, "fd.lip fd.rip fd.lport fd.rport fd.lproto fd.rproto", NO_INTERFACES),
    (DESCRIPTORS, "fd.containername", NO_PLUGIN),
    ("open openfail openatfail", "fd.containerdirectory", NO_PLUGIN),
    (ALL, "util.cnt", "it counts how often that engine was asked"),
    (ALL, "proc.fdopencount proc.fdusage", "the engine's own table of descriptors"),
    // What is mended (falco.md §2.11).
    ("openfail", "fd.typechar", "a failed open is an open of a file, by whichever call it was made"),
    // What the sensor does not send yet.
    ("exec", "evt.arg.env evt.rawarg.env", ENVIRONMENT),
    (DESCRIPTORS, "proc.is_exe_writable", "of a process that ran before it is not asked"),
    (DESCRIPTORS, "fd.types fd.types[0]", NO_FD_TABLE),
    (ALL, "proc.stdin.type proc.stdin.name", NO_FD_TABLE),
    (ALL, "proc.nthreads proc.nchilds", "threads are not told of"),
];

const ALL: &str = "open openfail openatfail connect inprogress refused connect6 mapped exec";
const DESCRIPTORS: &str = "open openfail openatfail connect inprogress refused connect6 mapped";
const TUPLES: &str = "connect inprogress connect6 mapped";
const NO_INTERFACES: &str =
    "which end is the own one: Falco asks which addresses the machine has, and in its recordings it had none";
const NO_PLUGIN: &str = "without the plugin container the id before the colon is empty; ours is host";
const NO_CONTAINERS: &str = "of the plugin container, without which the engine was recorded";
const ENVIRONMENT: &str = "of an environment only the variables that rules name are sent";
const NO_FD_TABLE: &str = "which other descriptors a process has is not sent yet";

/// Provided fields that the recordings do not have.
const NOT_RECORDED: &[(&str, &str)] = &[
    ("fd.realpath", "ours alone"),
    ("evt.is_uring", "ours alone"),
    ("container.id", NO_CONTAINERS),
    ("container.start_ts", NO_CONTAINERS),
    ("container.duration", NO_CONTAINERS),
    ("evt.type.is", "it takes a name, and none was asked for"),
    ("evt.around", "it takes an instant, is compared and never printed"),
];

/// What one situation holds for one field: value and printed text.
struct Recorded {
    value: Json,
    text: String,
}

type Situation = BTreeMap<String, Recorded>;

/// What the file has, by situation and field.
fn recorded() -> BTreeMap<&'static str, Situation> {
    let file: BTreeMap<String, Vec<Json>> = serde_json::from_str(include_str!("contexts.json")).unwrap();
    let mut by_situation: BTreeMap<&str, Situation> = BTreeMap::new();
    for (field, groups) in &file {
        for group in groups {
            for name in SITUATIONS {
                if group["in"].as_str().is_some_and(|all| !all.split(' ').any(|one| one == name)) {
                    continue;
                }
                let value = group["value"].clone();
                let text = match (&group["text"], &value) {
                    (Json::String(text), _) | (Json::Null, Json::String(text)) => text.clone(),
                    (_, Json::Null) => "<NA>".to_owned(),
                    (_, value) => value.to_string(),
                };
                let known =
                    by_situation.entry(name).or_default().insert(field.clone(), Recorded { value, text });
                assert!(known.is_none(), "{name} has {field} twice");
            }
        }
    }
    by_situation
}

/// A field as Falco's recordings name it.
fn field(name: &str) -> FieldRef {
    for (prefix, id) in [("evt.arg.", FieldId::EVT_ARG), ("evt.rawarg.", FieldId::EVT_RAWARG)] {
        if let Some(param) = name.strip_prefix(prefix) {
            return FieldRef { id, arg: Arg::Param(ParamId::from_name(param).unwrap()) };
        }
    }
    let (name, arg) = match name.strip_suffix(']').and_then(|n| n.split_once('[')) {
        Some((name, arg)) => (name, arg.parse().map_or_else(|_| Arg::Key(arg.into()), Arg::Index)),
        None => (name, Arg::None),
    };
    FieldRef { id: FieldId::from_name(name).unwrap_or_else(|| panic!("{name}")), arg }
}

fn json(value: OutputValue) -> Json {
    match value {
        OutputValue::Null => Json::Null,
        OutputValue::Bool(b) => b.into(),
        OutputValue::Int(n) => n.into(),
        OutputValue::Uint(n) => n.into(),
        OutputValue::Text(s) => s.into(),
        OutputValue::List(items) => items.into_iter().map(json).collect(),
    }
}

/// The parameters of an exec that the sensor does not send; in the list of all parameters Falco has zeros for them.
const NOT_SENT: [&str; 2] = ["cgroups", "env"];

/// The list of all parameters without those that the sensor does not send.
fn without_unsent(args: &str) -> String {
    let sent = |part: &&str| !NOT_SENT.iter().any(|name| part.split('=').next() == Some(name));
    args.split(' ').filter(sent).collect::<Vec<_>>().join(" ")
}

/// Whether a field of an event has what was recorded; if not, what it has.
fn differs(event: &Event<'_>, name: &str, want: &Recorded) -> Option<String> {
    let field = field(name);
    let mut buf = Vec::new();
    let value = event.get(&field, &mut buf);
    let got = json(field.output(&value));
    let mut text = Vec::new();
    field.write_text(&value, &mut text);
    let text = String::from_utf8(text).unwrap();
    if got == want.value && text == want.text {
        return None;
    }
    let is_list = matches!(field.id, FieldId::EVT_ARGS | FieldId::EVT_INFO);
    if is_list && got == text && text == without_unsent(&want.text) {
        return None;
    }
    Some(format!("{got}, printed {text}"))
}

#[test]
fn fields_have_falcos_values_but_for_those_that_the_table_names() {
    let recorded = recorded();
    let mut used: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    for (situations, fields, _) in DIFFERENT {
        for situation in situations.split(' ') {
            for field in fields.split(' ') {
                assert!(
                    used.insert((situation, field), false).is_none(),
                    "{situation} {field} is there twice"
                );
            }
        }
    }
    let mut wrong = String::new();
    for name in SITUATIONS {
        let stream = situation(name);
        let mut enrich = Enrich::new(SilentHost);
        let mut judged = 0;
        for (_, record) in records(&stream) {
            enrich.fold(&record.unwrap(), &mut Vec::new(), &mut |event| {
                judged += 1;
                for (field, want) in &recorded[name] {
                    let Some(got) = differs(event, field, want) else { continue };
                    if let Some(used) = used.get_mut(&(name, field.as_str())) {
                        *used = true;
                        continue;
                    }
                    let Recorded { value, text } = want;
                    writeln!(wrong, "{name} {field}: Falco {value}, printed {text}; we {got}").unwrap();
                }
            });
        }
        assert_eq!(judged, 1);
    }
    for ((situation, field), used) in used {
        if !used {
            writeln!(wrong, "{situation} {field} is the same, its row is not needed any more").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_provided_field_is_recorded() {
    let recorded = recorded();
    let names = recorded.values().flat_map(BTreeMap::keys);
    let known: std::collections::BTreeSet<usize> = names.map(|name| field(name).id.index()).collect();
    let mut wrong = String::new();
    for id in FieldId::provided().filter(|id| id.info().belongs_to("syscall")) {
        let name = id.info().name;
        let excused = NOT_RECORDED.iter().any(|(field, _)| *field == name);
        if known.contains(&id.index()) == excused {
            writeln!(wrong, "{name}: recorded {}, excused {excused}", !excused).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
