//! What the real engine of Falco accepts, warns about and answers in its own tests of the language, when the reference
//! files lie beside the checkout. Rows whose fields are not provided here, or are made by plugins of its tests, are counted
//! and passed over.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::path::PathBuf;

use eyas_engine::diag::Code;
use eyas_engine::{Dialect, FieldMap, Filter, Loader, Scratch};
use serde_json::Value as Json;

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

#[test]
fn what_compiles_there_compiles_here() {
    let Some(rows) = rows() else { return };
    let ruleset = Loader::new().dialect(Dialect::FalcoExact).finish().ruleset;
    let (mut same, mut later, mut wrong) = (0, 0, Vec::new());
    for row in &rows {
        let Some(condition) = row["compile"].as_str() else { continue };
        let wanted = row["ok"] == true;
        let found = match Filter::compile(condition, &ruleset) {
            Ok(_) => Ok(()),
            Err(rejected) => {
                let waits = |code| matches!(code, Code::FieldNotProvided | Code::UnknownField);
                // Fields of plugins that only its tests have are unknown here.
                if rejected.diagnostics.iter().any(|d| waits(d.code)) {
                    later += 1;
                    continue;
                }
                Err(rejected.diagnostics[0].message.clone())
            }
        };
        if found.is_ok() == wanted {
            same += 1;
        } else {
            wrong.push(format!("{condition}: Falco {wanted} {}, eyas {found:?}", row["msg"]));
        }
    }
    eprintln!("{same} the same, {later} have fields that are not there");
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
    assert!(same > 100, "only {same} were compared");
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
    let mut same = 0;
    for dialect in [Dialect::Eyas, Dialect::FalcoExact] {
        let ruleset = Loader::new().dialect(dialect).finish().ruleset;
        for row in &rows {
            let Some(condition) = row["mock_filter"].as_str() else { continue };
            // Eyas' own dialect lets a quote behind two backslashes close the text, so that one may end in a backslash.
            if !dialect.is_exact() && (condition.contains(r"\\'") || condition.contains(r#"\\""#)) {
                continue;
            }
            let ours = condition.replace("c.true=1", "fd.num=1").replace("c.false=1", "fd.num=0");
            let ours = ours.replace("c.singlequote", "proc.name").replace("c.doublequote", "proc.pname");
            let filter = Filter::compile(&ours, &ruleset);
            let filter = filter.unwrap_or_else(|r| panic!("{condition}: {:?}", r.diagnostics));
            assert_eq!(Json::Bool(filter.matches(&event, &mut scratch)), row["result"], "{condition}");
            same += 1;
        }
    }
    eprintln!("{same} the same");
    assert!(same > 20, "only {same} were compared");
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
