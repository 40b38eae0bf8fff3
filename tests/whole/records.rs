//! Nothing is missed and nothing is half told: two thousand short lives in a row are all in the recording, each with its
//! own arguments and its parent.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Place, Stage, alone, has_sensor, name_of, run, text_of};

const RUNS: usize = 2000;

/// The scene: `/bin/true` with a number of its own, again and again.
pub(crate) fn start_programs() -> String {
    let begun = Instant::now();
    for number in 1..=RUNS {
        let status = Command::new("/bin/true").arg(number.to_string()).stdin(Stdio::null()).status().unwrap();
        assert!(status.success());
    }
    format!("{RUNS} programs in {:?}", begun.elapsed())
}

#[test]
fn two_thousand_programs_in_a_row_are_all_recorded_with_their_own_arguments() {
    if !has_sensor("two thousand programs in a row") {
        return;
    }
    let _alone = alone();
    let place = Place::new();
    let mut stage = Stage::new("programs", &place);
    let (me, name) = (stage.pid, name_of(stage.pid));
    let agent = place.watch_stage::<&str>(&stage, []);
    stage.begin();
    let result = stage.end();
    let ended = agent.stop();
    assert_eq!(ended.code, Some(0));
    println!("{result}; {}", ended.last_words());
    assert!(ended.last_words().contains(" 0 records lost"), "{}", ended.last_words());

    let events = recorded(&place, "proc.name = true and evt.type in (execve, execveat)");
    let mut seen: BTreeMap<usize, u32> = BTreeMap::new();
    let cwd = format!("{}/", place.dir());
    let exe = std::fs::canonicalize("/bin/true").unwrap().display().to_string();
    for event in &events {
        let args = text_of(&event["proc.args"]);
        *seen.entry(args.parse().unwrap()).or_default() += 1;
        assert_eq!(text_of(&event["proc.cmdline"]), format!("true {args}"));
        assert_eq!(text_of(&event["proc.exe"]), "/bin/true");
        assert_eq!(text_of(&event["proc.exepath"]), exe);
        assert_eq!(text_of(&event["proc.cwd"]), cwd);
        assert_eq!(text_of(&event["proc.ppid"]), me.to_string());
        assert_eq!(text_of(&event["proc.pname"]), name);
        assert_eq!(text_of(&event["user.uid"]), "0");
        assert_eq!(text_of(&event["evt.res"]), "SUCCESS");
    }
    let wrong: Vec<usize> = (1..=RUNS).filter(|n| seen.remove(n) != Some(1)).collect();
    assert!(wrong.is_empty() && seen.is_empty(), "not exactly once: {wrong:?}; never run: {seen:?}");

    // The exits close the lives: how long the shortest one was.
    let exits = recorded(&place, "proc.name = true and evt.type = procexit");
    assert_eq!(exits.len(), RUNS);
    let shortest = exits.iter().filter_map(|e| e["proc.duration"].as_u64()).min().unwrap();
    println!("{} execs, {} exits; the shortest life was {} µs", events.len(), exits.len(), shortest / 1000);
    assert!(
        Duration::from_nanos(shortest) < Duration::from_millis(2),
        "no life was short enough to show anything"
    );
}

fn recorded(place: &Place, condition: &str) -> Vec<Value> {
    let store = place.store();
    let mut command = place.eyas();
    command.arg("events").arg(store).args(["--json", "--where", condition]);
    run(&mut command).ended(0).json_lines()
}
