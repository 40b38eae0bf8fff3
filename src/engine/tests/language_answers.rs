//! What the real engine of Falco accepts, warns about and answers in its own tests of the language, when the reference
//! files lie beside the checkout. Every row is compared, in both dialects, here or in `language.rs` (those about the
//! parser), but for those that [`NOT_COMPARED`] names.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::path::PathBuf;

use eyas_engine::diag::{Code, Severity};
use eyas_engine::{Dialect, FieldMap, Filter, Loader, Ruleset, Scratch};
use serde_json::Value as Json;

/// Rows about events that the reference does not describe: test, fields, numbers of the events, reason.
const NOT_COMPARED: &[(&str, &[&str], &[u64], &str)] = &[
    (
        "sinsp_with_test_input.plugin_syscall_source",
        &["fd.name", "fd.directory", "fd.filename"],
        &[1],
        "the opening that a plugin of its tests makes up is not told",
    ),
    (
        "sinsp_with_test_input.plugin_syscall_source",
        &["sample.is_open", "sample.open_count", "sample.evt_count", "sample.tick"],
        &[1],
        PLUGIN_FIELDS,
    ),
    (
        "sinsp_with_test_input.plugin_custom_source",
        &["fd.name", "evt.pluginname"],
        &[1],
        "an event of a source that a plugin of its tests makes up",
    ),
    ("sinsp_with_test_input.plugin_custom_source", &["sample.hello"], &[1], PLUGIN_FIELDS),
    (
        "sinsp_with_test_input.plugin_syscall_async",
        &["evt.pluginname", "evt.plugininfo", "evt.is_async", "evt.asynctype", "evt.type"],
        &TICKS,
        "events that a plugin of its tests puts into the stream",
    ),
    ("sinsp_with_test_input.plugin_syscall_async", &["sample.tick"], &TICKS, PLUGIN_FIELDS),
];

const PLUGIN_FIELDS: &str = "a field that a plugin of its tests has";
const TICKS: [u64; 10] = [1, 2, 3, 13, 24, 35, 46, 57, 68, 79];

/// Fields that only those tests have, and fields of the same kind that are here, too.
const MADE_UP: [(&str, &str); 6] = [
    ("c.true", "proc.name"),
    ("c.buffer", "evt.buffer"),
    ("c.singlequote", "proc.name"),
    ("c.doublequote", "proc.pname"),
    ("c.false", "proc.name"),
    ("sample.is_open", "evt.count"),
];

fn with_own_fields(condition: &str) -> String {
    MADE_UP.iter().fold(condition.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
}

fn rows() -> Option<Vec<Json>> {
    let folder = std::env::var_os("EYAS_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = folder.join("falco/peer-tests/language.jsonl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: no reference file at {}", path.display());
        return None;
    };
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// The warnings that both know, each as where it begins and what it is about.
type Warnings = Vec<(u64, Code)>;

fn examine(condition: &str, ruleset: &Ruleset) -> Result<Warnings, String> {
    let (filter, found) = Filter::examine(condition, ruleset);
    if filter.is_none() {
        return Err(found.diagnostics[0].message.clone());
    }
    let known = |code: Code| code.falco_class() == Some("LOAD_COMPILE_CONDITION");
    let warnings = found.diagnostics.iter().filter(|d| d.severity == Severity::Warning && known(d.code));
    let mut warnings: Warnings = warnings.map(|d| (d.place().unwrap().start.into(), d.code)).collect();
    warnings.sort_by_key(|(at, _)| *at);
    Ok(warnings)
}

/// A warning of the reference: `index 13, line 1, column 14 -> 'evt.plugininfo' may be a valid field misused …`.
fn warning(text: &str) -> (u64, Code) {
    let (place, about) = text.split_once(" -> ").unwrap();
    let at = place.strip_prefix("index ").unwrap().split(',').next().unwrap();
    let code = if about.contains("valid field transformer misused") {
        Code::LooksLikeTransformer
    } else if about.contains("valid field misused") {
        Code::LooksLikeField
    } else if about.contains("may be optimized with simpler operators") {
        Code::SimplerOperator
    } else {
        panic!("{text}: a warning of a kind that is not known here")
    };
    (at.parse().unwrap(), code)
}

#[test]
fn what_compiles_there_compiles_here_with_the_same_warnings() {
    let Some(rows) = rows() else { return };
    for dialect in [Dialect::FalcoExact, Dialect::Eyas] {
        let ruleset = Loader::new().dialect(dialect).finish().ruleset;
        let (mut same, mut warned, mut wrong) = (0, 0, Vec::new());
        for row in &rows {
            // What did not compile in a test about events has its condition under another name.
            let condition =
                row["compile"].as_str().or(row["compile_error"].as_str().and(row["filter"].as_str()));
            let Some(condition) = condition else { continue };
            let wanted = (row["ok"] == true).then(|| {
                let texts = row["warnings"].as_array().unwrap();
                texts.iter().map(|text| warning(text.as_str().unwrap())).collect::<Warnings>()
            });
            let found = examine(&with_own_fields(condition), &ruleset);
            if found.as_ref().ok() == wanted.as_ref() {
                same += 1;
                warned += wanted.map_or(0, |warnings| warnings.len());
            } else {
                let why = if row["msg"].is_null() { &row["compile_error"] } else { &row["msg"] };
                wrong.push(format!("{condition}: Falco {wanted:?} {why}, eyas {found:?}"));
            }
        }
        eprintln!("{dialect:?}: {same} the same, {warned} warnings among them");
        assert!(wrong.is_empty(), "{dialect:?}: {} differ\n{}", wrong.len(), wrong.join("\n"));
        assert_eq!((same, warned), (396, 15));
    }
}

#[test]
fn what_holds_there_holds_here() {
    let Some(rows) = rows() else { return };
    // The made-up fields of those tests, as fields that are there.
    let event = FieldMap::from_json_text(
        r#"{"fd.num": 1, "proc.name": "hello 'quoted'", "proc.pname": "hello \"quoted\""}"#,
    )
    .unwrap();
    let mut scratch = Scratch::new();
    for dialect in [Dialect::Eyas, Dialect::FalcoExact] {
        let ruleset = Loader::new().dialect(dialect).finish().ruleset;
        let mut same = 0;
        for row in &rows {
            let Some(condition) = row["mock_filter"].as_str() else { continue };
            let ours = condition.replace("c.true=1", "fd.num=1").replace("c.false=1", "fd.num=0");
            let filter = Filter::compile(&with_own_fields(&ours), &ruleset);
            let filter = filter.unwrap_or_else(|r| panic!("{condition}: {:?}", r.diagnostics));
            assert_eq!(Json::Bool(filter.matches(&event, &mut scratch)), row["result"], "{condition}");
            same += 1;
        }
        eprintln!("{dialect:?}: {same} the same");
        assert_eq!(same, 40);
    }
}

#[test]
fn every_row_is_compared_or_listed() {
    let Some(rows) = rows() else { return };
    let mut listed: Vec<_> = NOT_COMPARED
        .iter()
        .flat_map(|(test, fields, events, _)| {
            fields.iter().flat_map(move |field| events.iter().map(move |n| (*test, *field, *n)))
        })
        .collect();
    let mut parsed = 0;
    for row in &rows {
        let is = |key: &str| row[key].is_string();
        if is("parse") {
            parsed += 1;
        } else if let (Some(field), Some(n)) = (row["field"].as_str(), row["evtnum"].as_u64()) {
            let known = (row["test"].as_str().unwrap(), field, n);
            let at = listed.iter().position(|row| *row == known);
            listed.remove(at.unwrap_or_else(|| panic!("{row} is neither compared nor listed")));
        } else {
            assert!(is("compile") || is("compile_error") || is("mock_filter"), "{row} is not compared");
        }
    }
    assert!(listed.is_empty(), "not in the reference: {listed:?}");
    assert_eq!((rows.len(), parsed), (2005, 1499));
}

#[test]
fn transformers_work_values_out() {
    let event = FieldMap::from_json_text(
        r#"{"proc.name": "-al", "proc.args": "-o", "proc.exe": "file", "proc.pname": "aGk=", "fd.name": "/Etc/x", "fd.num": 3}"#,
    )
    .unwrap();
    let ruleset = Loader::new().finish().ruleset;
    let mut scratch = Scratch::new();
    for (condition, answer) in [
        ("b64(proc.pname) = hi", true),
        ("b64(concat(fd.name, \" \")) exists", false),
        ("tolower(basename(concat(fd.name, \"/Y\"))) = y", true),
        ("join(\", \", (proc.name, \"b\", proc.args)) = \"-al, b, -o\"", true),
        ("join(\",\", getopt((proc.name), \"al\")) = \"a,l\"", true),
        ("getopt((proc.name, proc.args, proc.exe), \"alo:\") intersects (o, z)", true),
        ("getopt((proc.name, proc.args, proc.exe), \"alo:\") in (o, a)", false),
        ("getopt((proc.name, proc.args, proc.exe), \"alo:\")[o] = file", true),
        ("getopt((proc.name, proc.args), \"alo:\")[o] exists", false),
        ("getopt((\"--\", proc.name), \"al\") exists", false),
        ("concat(fd.name, proc.cmdline) exists", false),
        ("fd.name startswith val(proc.name)", false),
        ("toupper(fd.name) = toupper(fd.name)", true),
        ("fd.num >= val(fd.num)", true),
    ] {
        let filter = Filter::compile(condition, &ruleset);
        let filter = filter.unwrap_or_else(|r| panic!("{condition}: {:?}", r.diagnostics));
        assert_eq!(filter.matches(&event, &mut scratch), answer, "{condition}");
    }
}
