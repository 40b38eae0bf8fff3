//! What the real engine of Falco accepts, warns about and answers in its own tests of the language, when the reference
//! files lie beside the checkout. Every row is compared, in both dialects, here or in `language.rs` (those about the
//! parser), but for those that [`NOT_COMPARED`] names.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::collections::HashMap;
use std::path::PathBuf;

use eyas_engine::diag::{Code, Severity};
use eyas_engine::syntax::ast::{CallArg, NodeKind, Operand, OperandKind, Rhs};
use eyas_engine::syntax::parse;
use eyas_engine::{Dialect, FieldMap, Filter, Loader, Ruleset, Scratch};
use serde_json::{Map, Value as Json};

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
    rows_of("language.jsonl")
}

fn rows_of(file: &str) -> Option<Vec<Json>> {
    let folder = std::env::var_os("EYAS_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = folder.join("falco/peer-tests").join(file);
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
        ("getopt((proc.name), \"al\") in (a, l)", true),
        ("getopt((proc.name, proc.args, proc.exe), \"alo:\") intersects (o, z)", true),
        ("getopt((proc.name, proc.args, proc.exe), \"alo:\") in (o, a)", false),
        ("getopt((proc.name, proc.args, proc.exe), \"alo:\")[o] = file", true),
        ("getopt((proc.name, proc.args), \"alo:\")[o] = \"\"", true),
        ("getopt((\"--\", proc.name), \"al\") intersects (a)", false),
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

/// What the captures hold that no row tells; it follows from their names and answers.
const HELD: &[(&str, &[(&str, &str)])] = &[
    ("FILTERCHECK_MOD_", &[("proc.name", "myexe")]),
    ("filter_str_op_modifier_compilation", &[("proc.name", "init")]),
    ("basename_transformer", &[("fd.name", "/tmp/bin/file_to_run")]),
    ("len_transformer.scap", &[("fd.name", "/tmp/file_to_run")]),
    ("multivalue_transformer_", &[("fd.name", "/tmp/file_to_run"), ("fd.directory", "/tmp")]),
    ("contains_icontains", &[("fd.name", "/opt/dir/SUBDIR/file.txt")]),
    ("pmatch", &[("fd.name", "/opt/dir/subdir/file.txt")]),
    ("bcontains_bstartswith", &[("evt.buffer", "hello")]),
    ("net_ipv4_compare", &[("fd.cip", "172.40.111.222"), ("fd.sip", "142.251.111.147")]),
    ("net_modifier_ip_compare", &[("fd.cip", "172.40.111.222"), ("fd.sip", "142.251.111.147")]),
    ("net_ipv6_compare", &[("fd.cip", "::1"), ("fd.sip", "2001:4860:4860::8888")]),
];

/// What the real engine's own tests of filters answer, on events of which the rows beside them tell the fields.
#[test]
fn what_filters_answer_there_they_answer_here() {
    let Some(rows) = rows_of("events.jsonl") else { return };
    let mut told: HashMap<(&str, u64), Map<String, Json>> = HashMap::new();
    let place = |row: &Json| -> (String, u64) {
        (row["scap"].as_str().unwrap().to_owned(), row["n"].as_u64().unwrap())
    };
    for row in &rows {
        let event = told.entry((row["scap"].as_str().unwrap(), row["n"].as_u64().unwrap())).or_default();
        if let Some(name) = row["evt"].as_str() {
            event.insert("evt.type".into(), name.into());
            event.insert("evt.source".into(), "syscall".into());
        }
        let scap = row["scap"].as_str().unwrap().trim_start_matches("sinsp_with_test_input.");
        for (_, fields) in HELD.iter().filter(|(held, _)| scap.starts_with(held)) {
            for (field, value) in *fields {
                event.entry(*field).or_insert((*value).into());
            }
            // The networks are those of the addresses.
            for (field, net) in [("fd.sip", "fd.net"), ("fd.sip", "fd.ip")] {
                if let Some(address) = event.get(field).cloned() {
                    event.entry(net).or_insert(address);
                }
            }
        }
        match (row["field"].as_str(), &row["value"], &row["has_value"]) {
            (Some(field), Json::Null, Json::Bool(false)) => drop(event.insert(field.into(), Json::Null)),
            (Some(field), value @ Json::String(_), _) => drop(event.insert(field.into(), value.clone())),
            _ => {}
        }
    }
    let mut ask = Ask::new();
    let (mut same, mut untold, mut wrong) = (0, 0, Vec::new());
    for row in &rows {
        let Some(filter) = row["filter"].as_str() else { continue };
        let (scap, n) = place(row);
        let event = &told[&(scap.as_str(), n)];
        match ask.ask(filter, event) {
            None => untold += 1,
            Some(answer) if Json::Bool(answer) == row["result"] => same += 1,
            Some(answer) => {
                wrong.push(format!("{scap} {n}: {filter}: Falco {}, eyas {answer}", row["result"]));
            }
        }
    }
    eprintln!("{same} the same, {untold} ask for fields that no row tells");
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
    assert!(same > 600, "only {same} were compared");
}

/// Asks filters of events whose values are told as texts.
struct Ask {
    ruleset: std::sync::Arc<Ruleset>,
    scratch: Scratch,
}

impl Ask {
    fn new() -> Self {
        let ruleset = Loader::new().dialect(Dialect::FalcoExact).finish().ruleset;
        Self { ruleset, scratch: Scratch::new() }
    }

    /// The answer; `None` when the filter reads what is not told, or does not compile.
    fn ask(&mut self, filter: &str, told: &Map<String, Json>) -> Option<bool> {
        let text = filter;
        let filter = Filter::compile(text, &self.ruleset).ok()?;
        let mut event = Map::new();
        for field in fields_of(text) {
            let value = match (told.get(&field), told.get("evt.type")) {
                (Some(value), _) => value,
                (None, Some(name)) if field == "syscall.type" => name,
                _ => return None,
            };
            let text = value.as_str().unwrap_or("");
            let forms = [
                value.clone(),
                text.parse::<i64>().map_or(Json::Null, Json::from),
                text.parse::<bool>().map_or(Json::Null, Json::from),
                text.trim_matches(['(', ')']).split(',').map(Json::from).collect(),
            ];
            let fits = |form: &&Json| {
                if form.is_null() && !value.is_null() {
                    return false;
                }
                FieldMap::from_json(&Json::Object([(field.clone(), (*form).clone())].into_iter().collect()))
                    .is_ok()
            };
            let form = forms.iter().find(fits)?;
            event.insert(field, form.clone());
        }
        event.insert("evt.type".into(), told["evt.type"].clone());
        let event = FieldMap::from_json(&Json::Object(event)).ok()?;
        Some(filter.matches(&event, &mut self.scratch))
    }
}

/// The fields that a condition names, as it writes them.
fn fields_of(condition: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (_, node) in parse(condition).ast.nodes() {
        let NodeKind::Check(check) = &node.kind else { continue };
        fields_in(condition, &check.lhs, &mut names);
        if let Rhs::Field(operand) | Rhs::Call(operand) = &check.rhs {
            fields_in(condition, operand, &mut names);
        }
    }
    names
}

fn fields_in(condition: &str, operand: &Operand, names: &mut Vec<String>) {
    match &operand.kind {
        OperandKind::Field { .. } => {
            names.push(condition[operand.bytes.start as usize..operand.bytes.end as usize].to_owned());
        }
        OperandKind::Call { args, .. } => args.iter().for_each(|arg| of_argument(condition, arg, names)),
    }
}

fn of_argument(condition: &str, arg: &CallArg, names: &mut Vec<String>) {
    match arg {
        CallArg::Constant(_) => {}
        CallArg::List(args) => args.iter().for_each(|arg| of_argument(condition, arg, names)),
        CallArg::Operand(operand) => fields_in(condition, operand, names),
    }
}
