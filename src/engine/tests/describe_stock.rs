//! What is said of each rule of the stock files, beside what the real engine says: the event types and the condition fields,
//! when the reference files lie beside the checkout.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use eyas_engine::describe::describe;
use eyas_engine::{Dialect, Loader, SourceFile};

#[path = "support/shared.rs"]
mod shared;
use shared::shared;

const FILES: [&str; 5] = [
    "falco_rules.yaml",
    "falco-incubating_rules.yaml",
    "falco-sandbox_rules.yaml",
    "aws_cloudtrail_rules.yaml",
    "k8s_audit_rules.yaml",
];

type Names = BTreeSet<String>;

/// The table of rules: name to event types and condition fields.
fn expected(folder: &std::path::Path) -> BTreeMap<String, (Names, Names)> {
    let text = std::fs::read_to_string(folder.join("reference/falco.md")).unwrap();
    let table = text.split("## Appendix C").nth(1).unwrap().split("## Appendix D").next().unwrap();
    let names = |cell: &str| -> Names { cell.split_whitespace().map(str::to_owned).collect() };
    // The archived rules stand in no stock file.
    let rows = table.lines().filter(|line| {
        line.starts_with("| ") && !line.starts_with("| rule |") && !line.contains("| deprecated |")
    });
    rows.map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        (cells[1].to_owned(), (names(cells[5]), names(cells[6])))
    })
    .collect()
}

#[test]
fn the_stock_rules_are_described_as_the_real_engine_does() {
    let Some(folder) = shared() else { return };
    let table = expected(&folder);
    let mut described: BTreeMap<String, (Names, Names)> = BTreeMap::new();
    let mut waiting = Names::new();
    for dialect in [Dialect::Eyas, Dialect::FalcoExact] {
        let mut loader = Loader::new().dialect(dialect);
        for name in FILES {
            let text = std::fs::read_to_string(folder.join("falco/rules").join(name)).unwrap();
            loader = loader.add(SourceFile::new(name, text));
        }
        let loaded = loader.finish();
        waiting.extend(loaded.left_out.iter().map(|rule| rule.name.clone()));
        let all = describe(&loaded.ruleset);
        for rule in all["rules"].as_array().unwrap() {
            if rule["info"]["source"] != "syscall" {
                continue;
            }
            let names = |key: &str| -> Names {
                let items = rule["details"][key].as_array().unwrap();
                items.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
            };
            let name = rule["info"]["name"].as_str().unwrap().to_owned();
            described.insert(name, (names("events"), names("condition_fields")));
        }
    }
    let mut wrong = Vec::new();
    for (name, (events, fields)) in &table {
        let mut events = events.clone();
        events.insert("asyncevent".to_owned());
        // Every condition but one of another source reads the event's type; the table leaves that out.
        let mut fields = fields.clone();
        fields.insert("evt.type".to_owned());
        match described.get(name) {
            Some((ours, reads)) if *ours == events && *reads == fields => {}
            Some((ours, reads)) => wrong.push(format!(
                "{name}: events {:?}, fields {:?}",
                ours.symmetric_difference(&events).collect::<Vec<_>>(),
                reads.symmetric_difference(&fields).collect::<Vec<_>>(),
            )),
            None => wrong.push(format!("{name}: not described")),
        }
    }
    let waits = table.keys().filter(|name| waiting.contains(*name)).count();
    eprintln!("{} rules described, {waits} of them wait to be judged", table.len());
    assert!(wrong.is_empty(), "{} of {} differ\n{}", wrong.len(), table.len(), wrong.join("\n"));
    assert_eq!(table.len(), 93);
}
