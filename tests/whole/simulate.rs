//! `eyas simulate`: every action whose event types the sensor sends fires its rule, and no other rule but those of a
//! reviewed list; what it made is gone afterwards; and it counts the alerts of an eyas that is running.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use eyas_event::{EventType, FieldId};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{PATIENCE, Place, alone, has_sensor, parse, run, wait_for};

/// Falco's stock files, where they are beside the checkout.
fn stock_rules(test: &str) -> Option<Vec<PathBuf>> {
    let shared = std::env::var_os("EYAS_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let files = ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"];
    let files = files.map(|name| shared.join("falco/rules").join(name));
    if files.iter().all(|file| file.exists()) {
        return Some(files.to_vec());
    }
    println!("skipped: needs Falco's rule files in ../shared: {test}");
    None
}

/// Whether the sensor sends what a rule needs: one of its event types, and each of the fields it cannot do without.
fn can_fire(action: &Value) -> bool {
    let names = |key: &str| action[key].as_array().into_iter().flatten().filter_map(Value::as_str);
    names("events").any(|name| EventType::from_name(name).unwrap().is_provided())
        && names("fields").all(|name| FieldId::from_name(name).unwrap().info().is_provided())
}

/// Everything with the simulator's mark in the directories that actions write to.
fn left_behind() -> BTreeSet<PathBuf> {
    let places = [
        "/tmp",
        "/dev",
        "/bin",
        "/etc",
        "/lib",
        "/root",
        "/home",
        "/var/log",
        "/var/lib/rpm",
        "/dev/shm",
        "/var/spool/cron",
        "/etc/apt/sources.list.d",
    ];
    let entries = places.into_iter().filter_map(|place| std::fs::read_dir(place).ok()).flatten().flatten();
    entries.map(|e| e.path()).filter(|p| p.to_string_lossy().contains("eyas-simulate-")).collect()
}

/// What it prints with `--json`, which has to be one object.
fn report(out: &str) -> Vec<Value> {
    let all = parse(out);
    all["actions"].as_array().unwrap().clone()
}

/// A list of companions: actions of the report, and a rule beside each.
fn reviewed<'a>(list: &'a str, actions: &[Value]) -> BTreeSet<(&'a str, &'a str)> {
    let cells = |line: &'a str| {
        let cells: Vec<_> = line.split('\t').collect();
        assert!(cells.len() == 3 && !cells[2].is_empty(), "an action, a rule and a reason: {line}");
        assert!(actions.iter().any(|a| a["action"] == cells[0]), "no such action: {line}");
        (cells[0], cells[1])
    };
    list.lines().filter(|line| !line.starts_with('#')).map(cells).collect()
}

/// The rules that fired for an action beside its own and stand in no list.
fn unreviewed(action: &Value, reviewed: &BTreeSet<(&str, &str)>) -> Vec<String> {
    let name = action["action"].as_str().unwrap();
    let companions = action["companions"].as_array().unwrap().iter().filter_map(Value::as_str);
    let new = companions.filter(|rule| !reviewed.contains(&(name, *rule)));
    new.map(|rule| format!("{name}: fired as well: {rule}")).collect()
}

#[test]
fn with_the_stock_rules_each_action_fires_its_rule_and_no_other_but_those_reviewed() {
    let test = "each action fires its rule";
    let Some(files) = stock_rules(test) else { return };
    if !has_sensor(test) {
        return;
    }
    let _alone = alone();
    let place = Place::new();
    let before = left_behind();
    let mut command = place.eyas();
    command.args(["simulate", "--all", "--json"]);
    for file in files {
        command.arg("-r").arg(file);
    }
    let ran = run(&mut command);
    let actions = report(&ran.out());
    let unseen = |a: &&Value| !matches!(a["verdict"].as_str(), Some("seen" | "skipped" | "no_rule"));
    assert_eq!(ran.code(), Some(i32::from(actions.iter().any(|a| unseen(&a)))), "{}", ran.err());

    let reviewed = reviewed(include_str!("../simulate/companions-stock.tsv"), &actions);
    for (action, rule) in &reviewed {
        assert!(actions.iter().any(|a| a["rule"] == *rule), "no such rule: {action} {rule}");
    }
    let mut wrong = Vec::new();
    let mut judged = 0;
    for action in &actions {
        assert!(action["trouble"].is_null(), "{action}");
        let name = action["action"].as_str().unwrap();
        let verdict = action["verdict"].as_str().unwrap();
        if action["place"] != "host" {
            assert_eq!(verdict, "skipped", "{action}");
            continue;
        }
        // Every rule of the stock files is there; those that Falco has dropped are not.
        let expected = match verdict {
            "no_rule" => &["no_rule"][..],
            _ if can_fire(action) => &["seen"],
            _ => &["blind"],
        };
        judged += usize::from(expected == ["seen"]);
        if !expected.contains(&verdict) {
            // Late, or nobody's child? The store that was named keeps what came.
            let rule = format!("alert.rule = \"{}\"", action["rule"].as_str().unwrap_or_default());
            let stored = run(place.eyas().args(["alerts", "--json", "--where", &rule])).out();
            let (why, count) = (&action["why"], stored.lines().count());
            wrong.push(format!(
                "{name}: {verdict}, should be {expected:?}: {why}; {count} in the store: {stored}"
            ));
        }
        wrong.extend(unreviewed(action, &reviewed));
    }
    assert!(wrong.is_empty(), "{wrong:#?}\n{}", ran.err());
    let without: Vec<_> =
        actions.iter().filter(|a| a["verdict"] == "no_rule").filter_map(|a| a["action"].as_str()).collect();
    assert_eq!(without, ["DisallowedSSHConnection"], "Falco dropped its rule");
    println!("{judged} actions fired their rules");
    // Another simulator may be playing at this moment; what it makes goes as well.
    wait_for("everything that was made to be gone", PATIENCE, || {
        left_behind().is_subset(&before).then_some(())
    });
}

#[test]
fn with_the_shipped_rules_each_action_fires_ours_and_no_other_but_those_reviewed() {
    if !has_sensor("the shipped rules fire") {
        return;
    }
    let eyas = Path::new(env!("CARGO_BIN_EXE_eyas"));
    if ["/tmp", "/var/tmp", "/dev/shm"].iter().any(|dir| eyas.starts_with(dir)) {
        println!("skipped: eyas lies in a temporary directory, and several rules tell of programs that do");
        return;
    }
    let _alone = alone();
    let place = Place::new();
    let ran = run(place.eyas().args(["simulate", "--all", "--json"]));
    let actions = report(&ran.out());
    let reviewed = reviewed(include_str!("../simulate/companions-shipped.tsv"), &actions);
    let rules = include_str!("../../rules/eyas.yaml");
    for (action, rule) in &reviewed {
        assert!(rules.contains(&format!("- rule: {rule}\n")), "no such rule: {action} {rule}");
    }
    let mut wrong = Vec::new();
    // What a machine lacks for an action is told, and is no fault of the rules.
    for action in actions.iter().filter(|a| a["place"] == "host" && a["verdict"] != "skipped") {
        if action["verdict"] != "seen" || action["ruleset"] != "shipped" || !action["trouble"].is_null() {
            wrong.push(action.to_string());
        }
        wrong.extend(unreviewed(action, &reviewed));
    }
    assert!(wrong.is_empty(), "{wrong:#?}\n{}", ran.err());
}

#[test]
fn an_eyas_that_runs_with_the_store_is_the_one_that_counts() {
    if !has_sensor("an agent's store is used") {
        return;
    }
    let place = Place::new();
    let agent = place.watch::<&str>([]);
    // Written as nobody writes it.
    let ran = run(place.eyas().args(["simulate", "knowncryptominerprocessexecuted"])).ended(0);
    assert!(ran.err().contains("an eyas is running"), "{}", ran.err());
    assert!(ran.out().contains("seen    KnownCryptominerProcessExecuted"), "{}", ran.out());
    let (alert, _) = agent.alert("the miner", |alert| alert["rule"] == "Coin miner started");
    assert_eq!(alert["output_fields"]["proc.name"], "xmrig");
    // A running eyas keeps its rules: one that it has not switched on is not tried.
    let rules = place.write(
        "off.yaml",
        "- rule: Known Cryptominer Process Executed\n  desc: d\n  condition: evt.type = execve\n  output: o\n  \
         priority: NOTICE\n  enabled: false\n- rule: Another\n  desc: d\n  condition: evt.type = execve\n  output: o\n  \
         priority: NOTICE\n",
    );
    let mut command = place.eyas();
    let ran = run(command.args(["simulate", "KnownCryptominerProcessExecuted", "-r"]).arg(&rules)).ended(0);
    assert!(ran.out().contains("its rule is off"), "{} {}", ran.out(), ran.err());
    agent.stop();
}

#[test]
fn a_rule_that_is_off_is_switched_on_and_a_named_store_keeps_the_alerts() {
    if !has_sensor("a rule that is off is switched on") {
        return;
    }
    let place = Place::new();
    let rules = place.write(
        "off.yaml",
        "- rule: Known Cryptominer Process Executed\n  desc: d\n  condition: evt.type = execve and proc.name = xmrig\n  output: \
         o\n  priority: NOTICE\n  enabled: false\n- rule: Never asked for\n  desc: d\n  condition: evt.type = execve\n  \
         output: o\n  priority: NOTICE\n  enabled: false\n",
    );
    let ran = run(place.eyas().arg("simulate").arg("KnownCryptominerProcessExecuted").arg("-r").arg(rules))
        .ended(0);
    assert!(ran.out().contains("1 seen, 0 not seen"), "{}", ran.out());
    let kept = run(place.eyas().args(["alerts", "--json"])).ended(0).json_lines();
    assert!(!kept.is_empty());
    assert!(kept.iter().all(|alert| alert["rule"] == "Known Cryptominer Process Executed"), "{kept:#?}");
}

#[test]
fn a_missing_alert_is_told_and_ends_with_1() {
    if !has_sensor("a missing alert is told") {
        return;
    }
    let place = Place::new();
    let rules = place.write(
        "deaf.yaml",
        "- rule: Known Cryptominer Process Executed\n  desc: d\n  condition: evt.type = execve and proc.name = nobody\n  output: \
         o\n  priority: NOTICE\n",
    );
    let ran = run(place.eyas().arg("simulate").arg("KnownCryptominerProcessExecuted").arg("-r").arg(rules))
        .ended(1);
    assert!(ran.out().contains("MISSING KnownCryptominerProcessExecuted"), "{}", ran.out());
}

#[test]
fn an_interrupted_action_leaves_nothing_behind() {
    if !has_sensor("an interrupted action leaves nothing") {
        return;
    }
    let place = Place::new();
    let mut command = place.eyas();
    command.args(["simulate", "ReadSensitiveFileTrustedAfterStartup"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = Pid::from_child(&child);
    let own = |process: &Path| {
        let stat = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
        stat.rsplit_once(')').is_some_and(|(_, rest)| {
            rest.split_ascii_whitespace().nth(1) == Some(&pid.as_raw_nonzero().to_string())
        })
    };
    let player = wait_for("the action to play", PATIENCE, || {
        let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|e| e.path());
        processes.into_iter().find(|p| own(p))
    });
    kill_process(pid, Signal::INT).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    assert!(String::from_utf8_lossy(&ended.stderr).contains("stopped before the last action"), "{ended:?}");
    assert!(!player.exists(), "{} still runs", player.display());
}

#[test]
fn what_cannot_be_meant_is_said() {
    let place = Place::new();
    let ran = run(place.eyas().args(["simulate", "WriteBelowEct"])).ended(2);
    assert!(ran.err().contains("did you mean WriteBelowEtc?"), "{}", ran.err());
    run(place.eyas().arg("simulate")).ended(2);
    run(place.eyas().args(["simulate", "--all", "WriteBelowEtc"])).ended(2);
    let listed = parse(&run(place.eyas().args(["simulate", "--list", "--json"])).ended(0).out());
    assert!(
        listed.as_array().unwrap().iter().any(|a| a["action"] == "WriteBelowEtc" && a["needs"][0] == "root")
    );
}
