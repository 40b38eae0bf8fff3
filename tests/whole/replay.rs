//! A recording judged again says what the live run said, byte for byte, as often as one asks.

use std::ffi::OsString;
use std::process::Command;

use eyas_store::Store;

use crate::support::{Agent, Ended, PATIENCE, Place, Stage, alone, eyas, has_sensor, run, wait_for};

const TIMES: usize = 100;

/// The scene: programs, one that is missing, files written, a secret read.
pub(crate) fn do_a_mixture() -> String {
    for number in 0..TIMES {
        std::fs::write(format!("marked-{number}"), "").unwrap();
        let script = format!("/bin/true {number}; ./kitten /etc/shadow; (exec ./nothing-here)");
        Command::new("sh").args(["-c", &script]).output().unwrap();
    }
    format!("{TIMES} times")
}

/// A file of rules that look at many fields, in a place that has what the scene needs.
fn prepare(place: &Place) -> [OsString; 4] {
    let own = place.open_rule("Marked file opened", "marked")
        + "- rule: Any program started\n  desc: Every exec, to compare many fields.\n  condition: evt.type in (execve, execveat)\n  \
           output: >\n    %proc.cmdline %proc.exepath %proc.cwd %proc.pid %proc.ppid %proc.pcmdline %proc.aname[2] %proc.tty \
           %proc.sid %user.name %group.name %user.loginuid %container.id %evt.num %evt.time %evt.args %thread.tid \
           %proc.duration\n  priority: INFO\n";
    let own = place.write("own.yaml", &own);
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/eyas.yaml");
    std::fs::copy("/bin/cat", place.path("kitten")).unwrap();
    ["-r".into(), own.into(), "-r".into(), shipped.into()]
}

/// The scene, watched from its beginning to its end.
fn watch_a_mixture(place: &Place, rules: &[OsString]) -> Agent {
    let mut stage = Stage::new("mixture", place);
    let agent = place.watch_stage(&stage, rules);
    stage.begin();
    stage.end();
    agent
}

fn texts(ended: Ended) -> Vec<String> {
    ended.out.into_iter().map(|l| l.text).collect()
}

/// What a replay prints. It is given neither the node's name nor anything else of the live run: the recording has it all.
fn replay(place: &Place, rules: &[OsString]) -> Vec<String> {
    let replayed = run(eyas().arg("replay").arg(place.store()).args(rules)).ended(0);
    replayed.out().lines().map(str::to_owned).collect()
}

#[track_caller]
fn same(what: &str, live: &[String], again: &[String]) {
    println!("{what}: {} lines, live {}", again.len(), live.len());
    for (n, (a, b)) in live.iter().zip(again).enumerate() {
        assert_eq!(a, b, "{what}: line {n}");
    }
    assert_eq!(live.len(), again.len(), "{what}");
}

#[test]
fn a_replay_prints_what_the_live_run_printed_byte_for_byte() {
    if !has_sensor("a replay prints what the live run printed") {
        return;
    }
    let _alone = alone();
    let place = Place::new();
    let rules = prepare(&place);
    let ended = watch_a_mixture(&place, &rules).stop();
    assert_eq!(ended.code, Some(0));
    let figures = ended.last_words().to_owned();
    let live = texts(ended);
    let count = |what: &str| live.iter().filter(|l| l.contains(what)).count();
    for rule in [
        "Marked file opened",
        "Sensitive file read by an unexpected program",
        "Program run from a temporary directory",
    ] {
        assert_eq!(count(&format!("\"rule\":\"{rule}\"")), TIMES, "{rule}; {figures}");
    }
    same("first replay", &live, &replay(&place, &rules));
    same("second replay", &live, &replay(&place, &rules));
}

#[test]
fn a_replay_of_a_run_that_was_killed_and_one_after_it_is_right_as_far_as_it_was_recorded() {
    if !has_sensor("a replay of a run that was killed") {
        return;
    }
    let _alone = alone();
    let place = Place::new();
    let rules = prepare(&place);
    let first = watch_a_mixture(&place, &rules);
    wait_for("the first run's alerts", PATIENCE, || (first.printed().len() > TIMES * 12).then_some(()));
    wait_for("a segment of them", PATIENCE, || {
        Store::open_read(place.store()).ok()?.blocking().segments().next()?.ok()
    });
    // What happens now is in no segment yet.
    let mut more = Stage::new("mixture", &place);
    more.begin();
    more.end();
    let killed = texts(first.kill());
    let second = texts(watch_a_mixture(&place, &rules).stop());
    let again = replay(&place, &rules);
    // The kill took what was not yet in a segment.
    let kept = again.len().checked_sub(second.len()).expect("the second run is there in full");
    println!("killed: {} lines, {kept} of them recorded", killed.len());
    assert!(kept > 0 && kept <= killed.len());
    same("the run that was killed", &killed[..kept], &again[..kept]);
    same("the run after it", &second, &again[kept..]);
}
