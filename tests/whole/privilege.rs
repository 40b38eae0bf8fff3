//! What eyas may do while it runs: every thread of it keeps the capabilities that it still needs and no way to others, and it
//! goes on doing all that it did. And that it starts without root, with the capabilities that SECURITY.md names.

use std::os::unix::fs::symlink;
use std::process::Command;

use crate::support::{Agent, NOBODY, PATIENCE, Place, eyas, field, has_program, has_sensor, parse, wait_for};

/// `CAP_SYS_PTRACE` alone, as in the masks of `/proc/PID/status` (Linux: `include/uapi/linux/capability.h`).
const SYS_PTRACE: u64 = 1 << 19;

/// A rule whose output says who opened a file.
fn who_opened(name: &str, place: &Place, prefix: &str) -> String {
    place.open_rule(name, prefix).replace(
        "opened %fd.name as number %evt.num by %proc.name",
        "opened %fd.name by %proc.name %proc.exepath %proc.cwd",
    )
}

/// The values of one line of the status of every thread.
fn every_thread(agent: &Agent, key: &str) -> Vec<(String, u64)> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", agent.pid())).unwrap();
    tasks
        .map(|task| {
            let status = std::fs::read_to_string(task.unwrap().path().join("status")).unwrap();
            let of = |key: &str| {
                let line = status.lines().find(|l| l.split(':').next() == Some(key)).unwrap();
                line.split_once(':').unwrap().1.trim().to_owned()
            };
            (of("Name"), u64::from_str_radix(&of(key), 16).unwrap())
        })
        .collect()
}

#[track_caller]
fn every_thread_has(agent: &Agent, key: &str, value: u64) {
    let threads = every_thread(agent, key);
    assert!(threads.len() > 4, "{threads:?}");
    assert!(threads.iter().all(|(_, has)| *has == value), "{key}: {threads:x?}");
}

/// Waits until eyas has said this since `from`.
#[track_caller]
fn said(agent: &Agent, from: usize, text: &str) {
    wait_for(text, PATIENCE, || agent.said()[from..].iter().any(|l| l.text.contains(text)).then_some(()));
}

#[test]
fn a_run_keeps_what_it_needs_and_still_does_all_it_did() {
    if !has_sensor("a run keeps what it needs") {
        return;
    }
    let place = Place::new();
    let mut text = who_opened("First", &place, "seen/");
    std::fs::create_dir(place.path("seen")).unwrap();
    std::fs::create_dir(place.path("rules")).unwrap();
    let file = place.write("rules/rules.yaml", &text);
    let agent = place.watch(["-r".as_ref(), file.as_os_str()]);
    every_thread_has(&agent, "CapEff", SYS_PTRACE);
    every_thread_has(&agent, "CapPrm", SYS_PTRACE);
    for (key, value) in [("CapBnd", 0), ("CapInh", 0), ("CapAmb", 0), ("NoNewPrivs", 1)] {
        every_thread_has(&agent, key, value);
    }

    // A process that starts now, of another user, is named.
    let seen = place.path("seen/1");
    std::fs::write(&seen, "").unwrap();
    let cat = || {
        let ran = Command::new("setpriv")
            .args([&format!("--reuid={NOBODY}"), "--clear-groups", "cat"])
            .arg(&seen)
            .current_dir("/")
            .status();
        assert!(ran.unwrap().success());
    };
    if has_program("setpriv", "a process of another user is named") {
        let (alert, _) = agent.alert_on("cat", cat, |a| field(a, "proc.name") == "cat");
        assert!(field(&alert, "proc.exepath").ends_with("/cat"), "{alert}");
        assert_eq!(field(&alert, "proc.cwd"), "/");
    }

    // A rule file that is renamed into place takes effect.
    text += &who_opened("Second", &place, "seen/");
    let aside = place.write("rules/new", &text);
    std::fs::rename(aside, &file).unwrap();
    let open = || drop(std::fs::File::open(&seen).unwrap());
    agent.alert_on("the new rule", open, |a| a["rule"] == "Second");

    // One that now lies where eyas was not given anything to read is refused, told, and the earlier rules stay.
    let tried: serde_json::Value = parse(&place_doctor(&place, &file));
    if tried["sandbox"]["landlock"]["enforced"] == "not" {
        println!("skipped: no Landlock: a file outside is refused");
    } else {
        let outside = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let other = outside.path().join("other.yaml");
        std::fs::write(&other, who_opened("Third", &place, "seen/")).unwrap();
        let from = agent.said().len();
        let link = place.path("rules/link");
        symlink(&other, &link).unwrap();
        std::fs::rename(link, &file).unwrap();
        said(&agent, from, "Permission denied");
        said(&agent, from, "the earlier ones stay in force");
        let from = agent.printed().len();
        open();
        wait_for("the earlier rule", PATIENCE, || {
            let lines = agent.printed();
            lines[from..].iter().any(|l| parse(&l.text)["rule"] == "Second").then_some(())
        });
    }
    let ended = agent.stop();
    assert_eq!(ended.code, Some(0));
    assert!(ended.last_words().contains(" 0 alerts not stored"), "{}", ended.last_words());
}

/// What the doctor says of a run with these rules, as JSON.
fn place_doctor(place: &Place, rules: &std::path::Path) -> String {
    let out = place.eyas().arg("-r").arg(rules).args(["doctor", "--json"]).output().unwrap();
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn without_the_sandbox_everything_is_kept() {
    if !has_sensor("without the sandbox everything is kept") {
        return;
    }
    let place = Place::new();
    let agent = place.watch(["-o", "eyas.sandbox=false"]);
    let threads = every_thread(&agent, "CapEff");
    assert!(threads.iter().all(|(_, has)| *has != SYS_PTRACE && *has & SYS_PTRACE != 0), "{threads:x?}");
    every_thread_has(&agent, "NoNewPrivs", 0);
    assert_eq!(agent.stop().code, Some(0));
}

#[test]
fn four_capabilities_are_enough_without_root() {
    let test = "four capabilities are enough without root";
    if !has_sensor(test) || !has_program("setpriv", test) {
        return;
    }
    let place = Place::new();
    let program = place.path("eyas");
    std::fs::copy(env!("CARGO_BIN_EXE_eyas"), &program).unwrap();
    let rules = place.write("rules.yaml", &who_opened("Seen", &place, "seen"));
    let home = place.path("home");
    std::fs::create_dir(&home).unwrap();
    std::os::unix::fs::chown(&home, Some(NOBODY), Some(NOBODY)).unwrap();
    let nobody = |args: &[&str]| {
        let caps = "-all,+bpf,+perfmon,+sys_ptrace,+dac_read_search";
        let mut command = Command::new("setpriv");
        command
            .args([&format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}"), "--clear-groups"])
            .args([&format!("--inh-caps={caps}"), &format!("--ambient-caps={caps}")])
            .arg(&program)
            .args(args)
            .args(["--store", home.join("eyas.db").to_str().unwrap(), "-r", rules.to_str().unwrap()])
            .current_dir("/");
        command
    };
    let doctor = nobody(&["doctor", "--json"]).output().unwrap();
    let said = String::from_utf8_lossy(&doctor.stderr);
    assert_eq!(doctor.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&doctor.stdout));
    let sheet = parse(&String::from_utf8(doctor.stdout).unwrap());
    assert_eq!(sheet["sensor"]["state"], "on", "{sheet}");
    assert!(sheet["cost"]["why_not"].as_str().unwrap().contains("CAP_SYS_ADMIN"), "{sheet}");

    let agent = Agent::start(&mut nobody(&["run", "--headless"]));
    let seen = place.path("seen");
    std::fs::write(&seen, "").unwrap();
    // This process is of another user and was there before: what is known of it was read from /proc.
    let own = std::env::current_exe().unwrap();
    let open = || drop(std::fs::File::open(&seen).unwrap());
    let (alert, _) = agent.alert_on("the test", open, |a| field(a, "proc.exepath") == own.to_str().unwrap());
    assert_eq!(alert["rule"], "Seen");
    let kept = every_thread(&agent, "CapEff");
    // The rules are root's, whose next file may be for his eyes alone: so one more stays.
    let dac_read_search = 1 << 2;
    assert!(kept.iter().all(|(_, has)| *has == SYS_PTRACE | dac_read_search), "{kept:x?}");
    every_thread_has(&agent, "NoNewPrivs", 1);
    assert_eq!(agent.stop().code, Some(0));
}

#[test]
fn the_sheet_has_the_keys_that_are_documented() {
    let ran = eyas().args(["doctor", "--json"]).output().unwrap();
    assert!(matches!(ran.status.code(), Some(0 | 1)));
    let sheet = parse(&String::from_utf8(ran.stdout).unwrap());
    let documented = include_str!("../../docs/doctor.md");
    let mut undocumented = Vec::new();
    let mut walk = vec![(String::new(), &sheet)];
    while let Some((at, value)) = walk.pop() {
        for (key, inner) in value.as_object().into_iter().flatten() {
            let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
            if !documented.contains(&format!("`{path}`")) {
                undocumented.push(path.clone());
            }
            match inner.as_array().and_then(|list| list.first()) {
                Some(first) => walk.push((path, first)),
                None => walk.push((path, inner)),
            }
        }
    }
    assert!(undocumented.is_empty(), "{undocumented:?}");
    assert_eq!(sheet["works"] == true, ran.status.code() == Some(0));
}
