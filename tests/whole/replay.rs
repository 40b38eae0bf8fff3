//! A recording judged again says what the live run said, byte for byte, as often as one asks.

use std::process::Command;

use crate::support::{Place, Stage, alone, eyas, has_sensor, run};

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

#[test]
fn a_replay_prints_what_the_live_run_printed_byte_for_byte() {
    if !has_sensor("a replay prints what the live run printed") {
        return;
    }
    let _alone = alone();
    let place = Place::new();
    let own = format!(
        "{}{}",
        place.open_rule("Marked file opened", "marked"),
        "- rule: Any program started\n  desc: Every exec, to compare many fields.\n  condition: evt.type in (execve, execveat)\n  \
         output: >\n    %proc.cmdline %proc.exepath %proc.cwd %proc.pid %proc.ppid %proc.pcmdline %proc.aname[2] %proc.tty %proc.sid \
         %user.name %group.name %user.loginuid %container.id %evt.num %evt.time %evt.args %thread.tid %proc.duration\n  \
         priority: INFO\n"
    );
    let own = place.write("own.yaml", &own);
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/eyas.yaml");
    let rules = ["-r".as_ref(), own.as_os_str(), "-r".as_ref(), shipped.as_ref()];
    std::fs::copy("/bin/cat", place.path("kitten")).unwrap();
    let mut stage = Stage::new("mixture", &place);
    let agent = place.watch_stage(&stage, rules);
    stage.begin();
    stage.end();
    let ended = agent.stop();
    assert_eq!(ended.code, Some(0));
    let ended_with = ended.last_words().to_owned();
    let live: Vec<String> = ended.out.into_iter().map(|l| l.text).collect();
    let count = |what: &str| live.iter().filter(|l| l.contains(what)).count();
    for rule in
        ["Marked file opened", "Sensitive file read by an unexpected program", "Program run from a temporary"]
    {
        assert_eq!(count(&format!("\"rule\":\"{rule}")), TIMES, "{rule}; {ended_with}");
    }

    for time in 1..=2 {
        let store = place.store();
        // Not this place's node or store: the recording brings its own answers.
        let replayed = run(eyas().arg("replay").arg(store).args(rules)).ended(0);
        let out = replayed.out();
        let again: Vec<&str> = out.lines().collect();
        println!("replay {time}: {} lines, live {}", again.len(), live.len());
        for (n, (a, b)) in live.iter().zip(&again).enumerate() {
            assert_eq!(a, b, "line {n} of replay {time}");
        }
        assert_eq!(live.len(), again.len(), "replay {time}");
    }
}
