//! Conditions and outputs and the answers that the real engine of Falco gave on ten known events, when the reference files
//! lie beside the checkout. Every answer must be the same on the events as they ship, apart from the quirks that eyas mends
//! on purpose in its own dialect.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod recorded;

use std::path::Path;

use eyas_engine::Dialect;
use recorded::{BOTH, Judge, shared};
use serde_json::{Map, Value as Json};

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

#[test]
fn conditions_and_outputs_answer_as_the_real_engine_does() {
    let Some(folder) = shared() else { return };
    let vectors = std::fs::read_to_string(folder.join("falco/filter-vectors.tsv")).unwrap();
    for dialect in BOTH {
        let mut judge = Judge::new(dialect);
        let (mut same, mut wrong) = (0, Vec::new());
        for line in vectors.lines().skip(1) {
            let columns: Vec<_> = line.split('\t').collect();
            let (context, kind, text, expected) = (columns[0], columns[1], columns[2], columns[3]);
            if is_mended(dialect, context, text) {
                continue;
            }
            let (answer, mut fields) = match kind {
                "condition" => (judge.condition(context, text).to_owned(), Map::new()),
                _ => judge.output(context, text),
            };
            // Falco adds the time only to the alert.
            fields.remove("evt.time");
            let told: Json =
                serde_json::from_str(columns.get(4).copied().unwrap_or("")).unwrap_or(Json::Null);
            if answer == expected && fields.iter().all(|(name, value)| told[name] == *value) {
                same += 1;
            } else {
                wrong.push(format!(
                    "{context}: {text}: Falco says {expected} {told}, eyas {answer} {fields:?}"
                ));
            }
        }
        eprintln!("{dialect:?}: {same} the same");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(same > 400, "only {same} were compared");
    }
}

#[test]
fn what_is_mended_is_answered_otherwise() {
    let mut judge = Judge::new(Dialect::Eyas);
    let mut exact = Judge::new(Dialect::FalcoExact);
    for (context, text, why) in MENDED {
        if text.starts_with('*') {
            assert_ne!(judge.output(context, text), exact.output(context, text), "{text}: {why}");
        } else {
            assert_ne!(judge.condition(context, text), exact.condition(context, text), "{text}: {why}");
        }
    }
}

/// Rows of our own (`tests/falco/language.tsv`), each under the rule that it keeps to.
#[test]
fn every_rule_of_the_language_holds_on_the_known_events() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/falco/language.tsv");
    let text = std::fs::read_to_string(path).unwrap();
    let mut rule = "";
    let (mut asked, mut wrong) = (0, Vec::new());
    let mut judges = BOTH.map(Judge::new);
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("# ") {
            rule = heading;
            continue;
        }
        let columns: Vec<_> = line.split('\t').collect();
        let [dialects, kind, event, text, wanted] = columns[..] else { panic!("not five columns: {line}") };
        for judge in &mut judges {
            let asks = match dialects {
                "both" => true,
                "eyas" => judge.dialect == Dialect::Eyas,
                "exact" => judge.dialect == Dialect::FalcoExact,
                other => panic!("no dialect: {other}"),
            };
            if !asks {
                continue;
            }
            let answer = match kind {
                "condition" => judge.condition(event, text).to_owned(),
                "output" => judge.output(event, text).0,
                other => panic!("no kind: {other}"),
            };
            asked += 1;
            if answer != wanted {
                let dialect = judge.dialect;
                wrong.push(format!("{rule}\n    {dialect:?} {event}: {text}: {wanted} wanted, not {answer}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
    assert!(asked > 700, "only {asked} were asked");
}
