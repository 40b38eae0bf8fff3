//! The command line: exit codes, messages, and output that somebody else reads.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{
    Database, NOBODY, PATIENCE, Place, Ran, Stage, alone, eyas, has_sensor, parse, run, wait_for,
};

const GOOD: &str = "- rule: Good\n  desc: d\n  condition: evt.type = openat and fd.name = /nowhere\n  output: o %fd.name\n  priority: INFO\n";
const BAD: &str = "- rule: Bad\n  desc: d\n  condition: proc.nmae = x\n  output: o\n  priority: INFO\n";

fn ran(args: &[&str]) -> Ran {
    run(eyas().args(args))
}

#[test]
fn without_privileges_two_lines_say_what_is_missing_and_what_to_type() {
    let place = Place::new();
    let program = place.path("eyas");
    std::fs::copy(env!("CARGO_BIN_EXE_eyas"), &program).unwrap();
    for args in [&[][..], &["run", "--headless"]] {
        let mut command = Command::new(&program);
        command.args(args).env_clear().current_dir("/").stdin(Stdio::null());
        if rustix::process::geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        let ran = run(&mut command).ended(2);
        let said = ran.err();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 2, "{said}");
        assert!(lines[0].contains("CAP_BPF"), "what it lacks: {said}");
        assert!(lines[1].contains("sudo eyas") && lines[1].contains("eyas demo"), "what to type: {said}");
        assert_eq!(ran.out(), "");
    }
}

#[test]
fn files_that_are_not_there_are_named() {
    let place = Place::new();
    let missing = place.path("nowhere.yaml").display().to_string();
    for args in [
        &["rules", "check", &missing][..],
        &["-r", &missing, "run", "--headless"],
        &["-r", &missing, "replay", "x.db"],
        &["--config", &missing, "doctor"],
        &["--config", &missing],
        &["rules", "test", &missing],
    ] {
        let said = ran(args).ended(2).err();
        assert!(said.contains(&missing), "{args:?}: {said}");
    }
}

#[test]
fn a_run_without_a_rule_to_judge_by_says_why() {
    let place = Place::new();
    let audit = "- rule: Audit\n  desc: d\n  condition: ka.verb = create\n  output: o\n  priority: INFO\n  source: k8s_audit\n";
    for (text, why) in [
        ("", "the rule files hold no rule"),
        (BAD, "none of them compiles"),
        (&format!("{GOOD}  enabled: false\n"), "all of them are off"),
        (audit, "those that are on are for events of `k8s_audit`, which nothing here gives"),
    ] {
        let file = place.write("rules.yaml", text);
        let said = ran(&["-r", &file.display().to_string(), "run", "--headless"]).ended(2).err();
        assert!(said.contains(&format!("there is no rule to judge by: {why}")), "{said}");
    }
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for args in
        [&["--no-such-option"][..], &["no-such-command"], &["events"], &["-o", "json_output", "doctor"]]
    {
        let ran = ran(args).ended(2);
        assert_ne!(ran.err(), "", "{args:?}");
    }
    ran(&["--help"]).ended(0);
    assert!(ran(&["--version"]).ended(0).out().starts_with("eyas "));
}

#[test]
fn rules_check_finds_and_places_what_is_wrong() {
    let place = Place::new();
    let (good, bad) = (place.write("good.yaml", GOOD), place.write("bad.yaml", BAD));
    let (good, bad) = (good.to_str().unwrap(), bad.to_str().unwrap());
    let fine = ran(&["rules", "check", good]).ended(0);
    assert!(fine.out().contains("1 rule compiles") && fine.err().is_empty(), "{}{}", fine.out(), fine.err());
    let wrong = ran(&["rules", "check", good, bad]).ended(1);
    assert!(wrong.err().contains(&format!("{bad}:3:14")), "{}", wrong.err());
    assert!(wrong.err().contains("proc.nmae") && wrong.err().contains("proc.name"), "{}", wrong.err());
    assert!(!wrong.err().contains('\u{1b}'), "no colours where nobody sees them");
    let json = ran(&["rules", "check", "--json", bad]).ended(1).json_lines();
    assert!(json[0].to_string().contains("proc.nmae"), "{json:?}");
}

#[test]
fn rules_are_mended_and_laid_out_in_place() {
    let place = Place::new();
    let file = place.write("bad.yaml", BAD);
    let name = file.to_str().unwrap();
    let left = ran(&["rules", "fix", name]).ended(1);
    assert!(
        left.out().is_empty() && left.err().contains("1 guess is left; --guesses takes it"),
        "{}",
        left.err()
    );
    let diff = ran(&["rules", "fix", "--guesses", "--dry-run", name]).ended(0).out();
    assert!(diff.contains("proc.nmae") && diff.contains("+++ b/"), "{diff}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), BAD);
    let done = ran(&["rules", "fix", "--guesses", name]).ended(0).out();
    assert!(done.contains(&format!("{name}:3:")), "{done}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), BAD.replace("nmae", "name"));
    assert_eq!(ran(&["rules", "fix", name]).ended(0).out(), "");

    let loose = BAD.replace("proc.nmae", "proc.name   ");
    std::fs::write(&file, &loose).unwrap();
    assert!(ran(&["rules", "fmt", "--check", name]).ended(1).out().contains("@@"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), loose);
    assert!(ran(&["rules", "fmt", name]).ended(0).out().contains("formatted the condition of rule"));
    assert_eq!(ran(&["rules", "fmt", "--check", name]).ended(0).out(), "");
}

#[test]
fn the_shipped_rules_pass_their_tests() {
    let out = ran(&["rules", "test"]).ended(0).out();
    println!("{out}");
    assert!(out.contains(" passed, 0 failed"), "{out}");
    let listed = ran(&["rules", "list"]).ended(0).out().lines().count();
    assert!(listed >= 15, "{listed}");
}

#[test]
fn rules_test_tells_what_did_not_go_as_expected() {
    let place = Place::new();
    let rules = place.write("rules.yaml", GOOD);
    let case = |name: &str, expect: &str, path: &str| {
        format!(
            "- name: {name}\n  rule: Good\n  expect: {expect}\n  event:\n    evt.type: openat\n    fd.name: {path}\n"
        )
    };
    let rules = rules.to_str().unwrap();
    let right = place.write("right.yaml", &(case("a", "fires", "/nowhere") + &case("b", "silent", "/etc/x")));
    let fine = ran(&["-r", rules, "rules", "test", right.to_str().unwrap()]).ended(0);
    assert!(fine.out().contains("2 passed, 0 failed"), "{}", fine.out());
    let wrong =
        place.write("wrong.yaml", &(case("a", "fires", "/nowhere") + &case("b", "silent", "/nowhere")));
    let wrong = ran(&["-r", rules, "rules", "test", wrong.to_str().unwrap()]).ended(1);
    assert!(wrong.out().contains("wrong.yaml:7"), "{}", wrong.out());
}

#[test]
fn where_says_what_is_wrong_with_a_condition() {
    let place = Place::new();
    let store = place.path("incident.db");
    std::fs::write(&store, crate::demo::recording()).unwrap();
    let store = store.to_str().unwrap();
    for condition in ["proc.nmae = x", "proc.name =", "(proc.name = x", "fd.sport > x"] {
        for args in [
            &["events", store, "--where", condition][..],
            &["--store", store, "alerts", "--where", condition],
        ] {
            let ran = ran(args).ended(2);
            assert!(ran.err().contains("error[") && ran.err().contains(":1:"), "{args:?}: {}", ran.err());
            assert_eq!(ran.out(), "");
        }
    }
    let some = ran(&["events", store, "--where", "proc.name = wget and spawned_process"]).ended(0).out();
    let all = ran(&["events", store]).ended(0).out();
    assert!(!some.is_empty() && some.lines().count() < all.lines().count());
}

#[test]
fn alerts_are_json_or_text_as_configured() {
    let text = ran(&["demo", "--headless", "--speed", "100000"]).ended(0).out();
    assert!(text.lines().all(|l| !l.starts_with('{') && l.as_bytes()[2] == b':'), "{text}");
    let json =
        ran(&["demo", "--headless", "--speed", "100000", "-o", "json_output=true"]).ended(0).json_lines();
    assert_eq!(json.len(), text.lines().count());
    for alert in &json {
        let keys: Vec<&String> = alert.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            ["hostname", "output", "output_fields", "priority", "rule", "source", "tags", "time"],
            "Falco's keys in Falco's order"
        );
    }
    let place = Place::new();
    let store = place.path("incident.db");
    std::fs::write(&store, crate::demo::recording()).unwrap();
    let replayed = ran(&["replay", store.to_str().unwrap()]).ended(0);
    assert_eq!(replayed.json_lines(), json, "a replay prints JSON by default, and the same alerts");
    let config = place.write("eyas.yaml", "json_output: false\n");
    let replayed = ran(&["-c", config.to_str().unwrap(), "replay", store.to_str().unwrap()]).ended(0);
    assert_eq!(replayed.out(), text);
}

#[test]
fn a_reader_that_leaves_is_no_panic() {
    let place = Place::new();
    let store = place.path("incident.db");
    std::fs::write(&store, crate::demo::recording()).unwrap();
    let store = store.to_str().unwrap();
    for args in [
        &["events", store, "--json"][..],
        &["replay", store],
        &["demo", "--headless", "--speed", "100000"],
        &["rules", "list"],
        &["--help"],
    ] {
        let mut child = eyas().args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::with_capacity(16, child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        assert_ne!(line, "");
        drop(out);
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(!said.contains("panicked"), "{args:?}: {said}");
        assert_eq!(ended.status.code(), Some(0), "{args:?}: {said}");
    }
}

#[test]
fn a_live_run_ends_when_its_reader_leaves() {
    if !has_sensor("a live run ends when its reader leaves") {
        return;
    }
    let place = Place::new();
    let rules = place.write("rules.yaml", &place.open_rule("Marked file opened", "marked"));
    place.write("marked", "");
    let mut stage = Stage::new("opens", &place);
    let mut command = place.eyas();
    command.args(["run", "--headless", "-o", "json_output=false", "--pid-namespace", &stage.namespace, "-r"]);
    let mut child = command.arg(&rules).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    said.by_ref().map_while(Result::ok).find(|l| l.contains("watching ")).expect("it watches");
    let mut out = BufReader::with_capacity(16, child.stdout.take().unwrap());
    stage.begin();
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert!(line.contains(": Notice opened /tmp/"), "a line of text: {line}");
    drop(out);
    // It notices with the next alerts that nobody reads any more.
    let status = wait_for("it to end", PATIENCE, || child.try_wait().unwrap());
    let said: Vec<String> = said.map_while(Result::ok).collect();
    assert_eq!(status.code(), Some(0), "{said:?}");
    assert!(!said.iter().any(|l| l.contains("panicked")), "{said:?}");
}

#[test]
fn a_reader_that_stands_still_stops_neither_the_sensor_nor_its_end() {
    if !has_sensor("a reader that stands still") {
        return;
    }
    let _alone = alone();
    let place = Place::new();
    let rules = place.write("rules.yaml", &place.open_rule("Marked file opened", "marked"));
    place.write("marked", "");
    let mut stage = Stage::new("opens", &place);
    let mut command = place.eyas();
    command.args(["run", "--headless", "--pid-namespace", &stage.namespace, "-r"]).arg(&rules);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    said.by_ref().map_while(Result::ok).find(|l| l.contains("watching ")).expect("it watches");
    // More than a pipe and the lane hold; nobody reads.
    let nobody_reads = child.stdout.take();
    stage.begin();
    std::thread::sleep(Duration::from_secs(6));
    let opened: u64 = stage.end().split(' ').next().unwrap().parse().unwrap();
    let begun = Instant::now();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let status = wait_for("it to end", PATIENCE, || child.try_wait().unwrap());
    let took = begun.elapsed();
    let last = said.map_while(Result::ok).last().unwrap();
    println!("{opened} opens; ended after {took:?}: {last}");
    assert_eq!(status.code(), Some(0));
    // It used to be never; how long the store takes to close is a matter of the disk.
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert!(last.contains(&format!(" {opened} alerts, 0 records lost")), "{last}");
    assert!(!last.contains(" 0 alerts not printed") && last.ends_with(" 0 alerts not stored"), "{last}");
    drop(nobody_reads);
    let stored: Vec<i64> = Database::open(&place.store()).column("SELECT count(*) FROM alerts");
    assert_eq!(stored, [opened as i64], "the store has them all");
}

#[test]
fn the_doctor_answers() {
    let text = ran(&["doctor"]);
    assert!(matches!(text.code(), Some(0..=2)), "{}{}", text.out(), text.err());
    assert!(!text.out().is_empty() && !text.err().contains("panicked"));
    let json = ran(&["doctor", "--json"]);
    parse(&json.out());
}
