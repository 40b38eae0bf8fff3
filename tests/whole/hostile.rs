//! Names that an attacker chose: escape sequences, line ends, bytes that are no UTF-8. None of them reaches a terminal or a
//! log as it is, whatever prints it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};

use crate::support::{PATIENCE, Place, Stage, has_sensor, parse, run, wait_for};

/// Clears the screen, forges a line, reorders text, and is not UTF-8.
const HOSTILE: &[u8] =
    b"marked-\x1b[2J\x1b]0;owned\x07\n12:00:00.0: Emergency forged\r\xff\xfe\xe2\x80\xae\xc2\x9b31m\x7f";

/// The scene: a file and an argument with that name.
pub(crate) fn use_hostile_names() -> String {
    let name = OsStr::from_bytes(HOSTILE);
    std::fs::write(name, "").unwrap();
    assert!(Command::new("/bin/true").arg(name).stdin(Stdio::null()).status().unwrap().success());
    String::new()
}

#[test]
fn hostile_names_are_escaped_wherever_they_are_printed() {
    if !has_sensor("hostile names are escaped") {
        return;
    }
    let place = Place::new();
    let rules = place.open_rule("Marked file opened", "marked")
        + &format!(
            "- rule: Marked argument\n  desc: d\n  condition: evt.type in (execve, execveat) and proc.cwd startswith {}\n  \
             output: ran %proc.cmdline from %proc.cwd, %evt.args\n  priority: NOTICE\n",
            place.dir()
        );
    let rules = place.write("rules.yaml", &rules);
    let args = ["-o".as_ref(), "json_output=false".as_ref(), "-r".as_ref(), rules.as_os_str()];
    let mut stage = Stage::new("hostile", &place);
    let agent = place.watch_stage(&stage, args);
    stage.begin();
    stage.end();
    wait_for("two lines", PATIENCE, || {
        let lines = agent.printed();
        let has = |what: &str| lines.iter().any(|l| l.text.contains(what) && l.text.contains("marked-"));
        (has("opened /tmp/") && has("ran true ")).then_some(())
    });
    let ended = agent.stop();
    assert_eq!(ended.code, Some(0));
    let live: Vec<&str> = ended.out.iter().map(|l| l.text.as_str()).collect();
    let live = live.join("\n");
    harmless("the live run", live.as_bytes());
    // One line an alert: nothing forged one.
    assert!(live.lines().all(|l| l.contains(": Notice opened ") || l.contains(": Notice ran ")), "{live}");
    assert!(live.contains(r"marked-\x1b[2J"), "{live}");

    let store = place.store();
    let own = format!(
        "evt.type in (openat, open, execve) and (fd.name startswith {0}/marked or proc.cwd startswith {0})",
        place.dir()
    );
    for (what, json, command) in [
        ("alerts", false, place.eyas().arg("alerts")),
        ("alerts --json", true, place.eyas().args(["alerts", "--json"])),
        ("replay", true, place.eyas().arg("-r").arg(&rules).arg("replay").arg(&store)),
        ("replay as text", false, place.eyas().args(args).arg("replay").arg(&store)),
        ("events", false, place.eyas().arg("events").arg(&store).args(["--where", &own])),
        ("events --json", true, place.eyas().arg("events").arg(&store).args(["--json", "--where", &own])),
    ] {
        let ran = run(command).ended(0);
        harmless(what, &ran.0.stdout);
        let out = ran.out();
        assert!(out.contains("marked-"), "{what} shows it: {out}");
        if json {
            // What is escaped is still the name that was given, for whoever parses it.
            let named = out
                .lines()
                .map(parse)
                .any(|a| a.to_string().contains("owned\\u0007") && a.to_string().contains('\u{202e}'));
            assert!(named, "{what}: {out}");
        }
    }
}

#[test]
fn hostile_names_of_rules_and_files_are_escaped() {
    let place = Place::new();
    let name = OsStr::from_bytes(b"marked-\x1b[2J\x1b]0;owned\x07\r.yaml");
    let rules = place.path("").join(name);
    let text = "- rule: \"a\\e[2J\"\n  desc: \"d\\e[31m\"\n  condition: evt.type = open\n  output: o\n  priority: NOTICE\n";
    std::fs::write(&rules, text).unwrap();
    let no_rules = place.path("").join(OsStr::from_bytes(b"none-\x1b[2J.yaml"));
    let case = "- name: n\n  rule: \"a\\e[2J\"\n  expect: fires\n  event: {evt.type: openat}\n";
    let cases = place.write("cases.yaml", case);
    let commands: [&[&OsStr]; 10] = [
        &["rules".as_ref(), "check".as_ref(), rules.as_ref()],
        &["rules".as_ref(), "list".as_ref(), "-r".as_ref(), rules.as_ref()],
        &["rules".as_ref(), "list".as_ref(), "--json".as_ref(), "-r".as_ref(), rules.as_ref()],
        &["rules".as_ref(), "describe".as_ref(), "-r".as_ref(), rules.as_ref()],
        &["rules".as_ref(), "test".as_ref(), "-r".as_ref(), rules.as_ref(), cases.as_ref()],
        &["rules".as_ref(), "list".as_ref(), "-r".as_ref(), no_rules.as_ref()],
        &["alerts".as_ref(), "--store".as_ref(), no_rules.as_ref()],
        &["replay".as_ref(), rules.as_ref()],
        &["simulate".as_ref(), name],
        &["-o".as_ref(), "a\x1b[2J=1".as_ref(), "rules".as_ref(), "list".as_ref()],
    ];
    for command in commands {
        let ran = run(place.eyas().args(command));
        assert!(!ran.out().is_empty() || !ran.err().is_empty(), "{command:?} says something");
        harmless(&format!("{command:?}, answer"), ran.out().as_bytes());
        harmless(&format!("{command:?}, beside it"), ran.err().as_bytes());
    }
}

/// No byte that a terminal would act on, but the ends of lines.
fn harmless(what: &str, bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).unwrap_or_else(|e| panic!("{what}: not UTF-8: {e}"));
    let bad = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
    let found = text.chars().find(bad);
    assert_eq!(found, None, "{what}: {}", text.escape_debug());
    assert!(!text.lines().any(|l| l.starts_with("12:00:00.0: Emergency")), "{what}: a line was forged");
}
