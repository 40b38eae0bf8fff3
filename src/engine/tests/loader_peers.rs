//! The rule texts of Falco's own tests of its engine and what the real engine answered, when the reference files lie
//! beside the checkout: verdict, codes, and the description as JSON.
//!
//! Falco gives some arrays in the order of its hash tables; those are compared sorted.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use eyas_engine::describe::describe;
use eyas_engine::load_result::load_results;
use eyas_engine::{Code, Dialect, Loader, SourceFile};
use serde_json::Value;

#[path = "support/shared.rs"]
mod shared;
use shared::shared;

/// Rows by number that cannot agree, and why.
const OTHERWISE: &[(usize, &str)] = &[
    (6, "that engine was told to append to outputs"),
    (7, "that engine was told to append to outputs"),
    (8, "that engine was told to append to outputs"),
    (10, "that engine was told to add fields to outputs"),
];

/// Arrays that come out of hash tables.
const UNORDERED: &[&str] = &[
    "condition_fields",
    "condition_operators",
    "events",
    "exception_fields",
    "exception_names",
    "exception_operators",
    "lists",
    "macros",
    "plugins",
];

fn sort(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                sort(value);
                if let (true, Value::Array(items)) = (UNORDERED.contains(&key.as_str()), value) {
                    items.sort_by_key(Value::to_string);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(sort),
        _ => {}
    }
}

fn codes(result: &Value, key: &str) -> Vec<String> {
    let issues = result[key].as_array().unwrap();
    let mut codes: Vec<_> = issues.iter().map(|issue| issue["code"].as_str().unwrap().to_owned()).collect();
    // That engine knew no source but that of system calls.
    codes.retain(|code| code != "LOAD_UNKNOWN_SOURCE");
    codes.sort();
    codes
}

#[test]
fn the_engines_own_tests_get_the_same_answers() {
    let Some(folder) = shared() else { return };
    let rows = std::fs::read_to_string(folder.join("falco/peer-tests/loader.jsonl")).unwrap();
    let (mut same, mut later, mut wrong) = (0, Vec::new(), Vec::new());
    for (number, row) in rows.lines().enumerate() {
        if OTHERWISE.iter().any(|(otherwise, _)| *otherwise == number) {
            continue;
        }
        let row: Value = serde_json::from_str(row).unwrap();
        let name = row["rules_filename"].as_str().unwrap_or("rules.yaml");
        let file = SourceFile::new(name, row["rules"].as_str().unwrap());
        let loaded = Loader::new().dialect(Dialect::FalcoExact).add(file).finish();
        let falco = &row["load_result"];
        let expected = codes(falco, "warnings");
        let waits = loaded.diagnostics.iter().any(|d| match d.code {
            Code::FieldNotProvided => d.is_error(),
            _ => false,
        });
        let results = load_results(&loaded.diagnostics, &loaded.by_file, &loaded.sources);
        let ours = &results[0];
        if waits {
            later.push(number);
            continue;
        }
        let mut differ = Vec::new();
        for key in ["successful", "schema_valid"] {
            if ours[key] != falco[key] {
                differ.push(format!("{key}: {} {}", falco[key], ours[key]));
            }
        }
        let first = |value: &Value| value["errors"][0]["context"]["locations"][1].clone();
        if falco["errors"][0].is_object() && first(falco) != first(ours) {
            differ.push(format!("place: {} {}", first(falco), first(ours)));
        }
        for (key, expected) in [("errors", codes(falco, "errors")), ("warnings", expected)] {
            if codes(ours, key) != expected {
                differ.push(format!("{key}: {expected:?} {:?}", codes(ours, key)));
            }
        }
        if row["describe"].is_object() {
            let (mut falcos, mut ours) = (row["describe"].clone(), describe(&loaded.ruleset));
            sort(&mut falcos);
            sort(&mut ours);
            if falcos != ours {
                let short = |v: &Value| v.to_string().chars().take(1400).collect::<String>();
                differ.push(format!("describe\n  {}\n  {}", short(&falcos), short(&ours)));
            }
        }
        if differ.is_empty() {
            same += 1;
        } else {
            wrong.push(format!("{number}: {}", differ.join("; ")));
        }
    }
    eprintln!("{same} the same, {} wait for what is not built or provided yet: {later:?}", later.len());
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
    assert!(same >= 80, "only {same} were compared");
}
