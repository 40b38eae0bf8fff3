//! What the sensor is asked for is never less than what could match, on recorded events: whatever of the shipped recording fires a
//! random ruleset is what the ruleset's interest admits. The rules are made of the words of the recording.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use eyas_ebpf::records;
use eyas_engine::{Loader, Ruleset, Scratch, SourceFile};
use eyas_enrich::{Enrich, SilentHost};
use eyas_event::{Event, EventType, FieldId, FieldRef, Fields, Interest, Opening, Outcome, Value, Ways};
use eyas_store::Store;
use proptest::prelude::*;

/// The recording's segments, and the words that its events have for paths, programs and kinds.
struct Recording {
    segments: Vec<Vec<u8>>,
    paths: Vec<String>,
    programs: Vec<String>,
    kinds: Vec<String>,
}

static RECORDING: LazyLock<Recording> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("incident.db");
    let packed = &include_bytes!("../demo/incident.db.zst")[..];
    std::fs::write(&file, zstd::decode_all(packed).unwrap()).unwrap();
    let store = Store::open_read(&file).unwrap().blocking();
    let segments: Vec<Vec<u8>> = store.segments().map(|segment| segment.unwrap().1).collect();
    let (mut paths, mut programs, mut kinds) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    fold(&segments, &mut |event| {
        kinds.insert(event.event_type().unwrap().name().to_owned());
        programs.insert(text(event, FieldId::PROC_NAME));
        for field in [FieldId::FD_NAME, FieldId::FD_NAMERAW, FieldId::FD_REALPATH] {
            let path = text(event, field);
            // Words that a condition can quote, and where a path can be cut.
            if path.is_ascii() && !path.contains(['"', '\\', '\n']) {
                paths.insert(path);
            }
        }
    });
    paths.remove("");
    let list = |set: BTreeSet<String>| set.into_iter().collect::<Vec<_>>();
    Recording { segments, paths: list(paths), programs: list(programs), kinds: list(kinds) }
});

fn fold(segments: &[Vec<u8>], judge: &mut dyn FnMut(&Event<'_>)) {
    let mut enrich = Enrich::new(SilentHost);
    for (_, record) in segments.iter().flat_map(|segment| records(segment)) {
        enrich.fold(&record.unwrap(), &mut Vec::new(), &mut |event| judge(event));
    }
}

/// What a field prints; nothing where it is missing.
fn text(event: &Event<'_>, field: FieldId) -> String {
    let mut buf = Vec::new();
    let mut text = Vec::new();
    match event.get(&FieldRef::plain(field), &mut buf) {
        Value::Absent => {}
        value => value.write_text(&mut text),
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn is(event: &Event<'_>, field: FieldId) -> bool {
    event.get(&FieldRef::plain(field), &mut Vec::new()) == Value::Bool(true)
}

/// Whether the sensor sends this event, asked for that.
fn admits(interest: &Interest, event: &Event<'_>) -> bool {
    let kind = event.event_type().unwrap();
    let of_the_host = text(event, FieldId::CONTAINER_ID) == "host";
    if !interest.events.contains(kind) || of_the_host && interest.contained.contains(kind) {
        return false;
    }
    if !kind.is_open_family() {
        return true;
    }
    let outcome = match (is(event, FieldId::EVT_FAILED), is(event, FieldId::EVT_IS_OPEN_CREATE)) {
        (true, _) => Outcome::Failed,
        (false, true) => Outcome::Created,
        (false, false) => Outcome::Made,
    };
    let [read, write] = [FieldId::EVT_IS_OPEN_READ, FieldId::EVT_IS_OPEN_WRITE].map(|field| is(event, field));
    let way = if kind == EventType::CREAT { Ways::creat(outcome) } else { Ways::one(outcome, read, write) };
    let [path, given, real, comm] =
        [FieldId::FD_NAME, FieldId::FD_NAMERAW, FieldId::FD_REALPATH, FieldId::PROC_NAME]
            .map(|field| text(event, field));
    interest.opens.admits(Opening {
        way,
        path: path.as_bytes(),
        given: given.as_bytes(),
        real: real.as_bytes(),
        comm: comm.as_bytes(),
    })
}

/// A piece of a path of the recording: its begin, its end, something in it, all of it.
fn piece() -> impl Strategy<Value = String> {
    let index = any::<prop::sample::Index>;
    (prop::sample::select(&RECORDING.paths[..]), index(), index(), 0..4).prop_map(
        |(path, one, other, which)| {
            let (one, other) = (one.index(path.len()), other.index(path.len()));
            let piece = match which {
                0 => &path[..=one],
                1 => &path[one..],
                2 => &path[one.min(other)..=one.max(other)],
                _ => &path,
            };
            if piece.trim().is_empty() { path } else { piece.to_owned() }
        },
    )
}

/// A comparison.
fn leaf() -> impl Strategy<Value = String> {
    let field =
        prop::sample::select(vec!["fd.name", "fd.directory", "fd.filename", "fd.nameraw", "fd.realpath"]);
    let op = prop::sample::select(vec!["=", "!=", "startswith", "endswith", "contains", "icontains"]);
    let program = || prop::sample::select(&RECORDING.programs[..]);
    let kind = prop::sample::select(&RECORDING.kinds[..]);
    prop_oneof![
        3 => (field.clone(), op, piece()).prop_map(|(field, op, text)| format!("{field} {op} \"{text}\"")),
        1 => (field.clone(), prop::collection::vec(piece(), 1..4)).prop_map(|(field, texts)| {
            let texts: Vec<_> = texts.iter().map(|text| format!("\"{text}\"")).collect();
            format!("{field} in ({})", texts.join(", "))
        }),
        1 => (field, piece(), piece()).prop_map(|(field, a, b)| {
            let quoted = format!("{a}*{b}").replace(['[', ']', '?'], "*");
            format!("{field} glob \"{quoted}\"")
        }),
        1 => (prop::sample::select(vec!["=", "!="]), program())
            .prop_map(|(op, name)| format!("proc.name {op} \"{name}\"")),
        1 => prop::collection::vec(program(), 0..3).prop_map(|names| {
            let names: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
            format!("proc.name in ({})", names.join(", "))
        }),
        1 => kind.prop_map(|kind| format!("evt.type = {kind}")),
        1 => prop::sample::select(vec![
            "evt.is_open_read = true", "evt.is_open_write = true", "evt.is_open_create != true",
            "evt.failed = true", "fd.num >= 0", "container.id != host", "user.uid = 0",
        ]).prop_map(str::to_owned),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    leaf().prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" and "))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" or "))),
            inner.prop_map(|part| format!("not ({part})")),
        ]
    })
}

fn load(conditions: &[String]) -> Arc<Ruleset> {
    let rule = |(n, condition): (usize, &String)| {
        let condition = serde_json::to_string(condition).unwrap();
        format!("- rule: r{n}\n  desc: d\n  condition: {condition}\n  output: o\n  priority: INFO\n")
    };
    let text: String = conditions.iter().enumerate().map(rule).collect();
    let loaded = Loader::new().add(SourceFile::new("random.yaml", text)).finish();
    assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
    loaded.ruleset
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn nothing_recorded_that_fires_is_left_out(conditions in prop::collection::vec(condition(), 1..5)) {
        let ruleset = load(&conditions);
        let (mut scratch, mut fired, mut left_out) = (Scratch::new(), Vec::new(), Vec::new());
        fold(&RECORDING.segments, &mut |event| {
            fired.clear();
            ruleset.judge(event, &mut scratch, &mut fired);
            if !fired.is_empty() && !admits(ruleset.interest(), event) {
                left_out.push((text(event, FieldId::EVT_TYPE), text(event, FieldId::FD_NAME), fired.clone()));
            }
        });
        prop_assert!(left_out.is_empty(), "{left_out:?}");
    }
}

/// What the test above rests on: there is something to match, and interests are bounds.
#[test]
fn the_recording_has_openings_that_rules_tell_apart() {
    let ruleset = load(&[format!("evt.type = openat and fd.name = \"{}\"", RECORDING.paths[0])]);
    let (mut openings, mut sent, mut fired) = (0, 0, Vec::new());
    fold(&RECORDING.segments, &mut |event| {
        if event.event_type() == Some(EventType::OPENAT) {
            openings += 1;
            sent += usize::from(admits(ruleset.interest(), event));
        }
        ruleset.judge(event, &mut Scratch::new(), &mut fired);
    });
    assert!(openings > 20 && sent < openings, "{sent} of {openings}");
    assert!(RECORDING.programs.len() > 5 && RECORDING.kinds.len() > 3, "{:?}", RECORDING.kinds);
}
