//! Processes that come and go, pid namespaces, and the sensor's own life.

use std::collections::HashSet;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use eyas_ebpf::Body;
use eyas_event::{HookState, Source};
use eyas_probe::ProbeOptions;

use crate::actor::play;
use crate::names::{Stat, namespace, ticks};
use crate::watch::{bodies, execs, forks, is_root, watch, watch_with};

#[test]
fn every_hook_is_on() {
    let Some(watch) = watch() else { return };
    let info = watch.probe.describe();
    assert_eq!(info.hooks.len(), 12);
    for hook in info.hooks {
        assert_eq!(hook.state, HookState::On, "{}", hook.name);
    }
}

#[test]
fn a_fork_names_the_child_and_an_exit_how_it_ended() {
    let Some(mut watch) = watch() else { return };
    // The shell forks a subshell, which ends with 7; then it is killed by its own signal.
    let mut shell = Command::new("/bin/sh").args(["-c", "(exit 7); kill -TERM $$"]).spawn().unwrap();
    let pid = shell.id();
    watch.until_exit(pid);
    let stat = Stat::of(pid);
    shell.wait().unwrap();

    let made = forks(&watch.bytes, pid);
    let [(head, fork)] = &made[..] else { panic!("one fork expected: {made:?}") };
    assert_eq!((fork.ppid, fork.parent_start, fork.vpid), (pid, head.start, fork.tgid));
    assert_eq!((fork.pidns, fork.cgroup), (namespace(std::process::id(), "pid"), head.cgroup));
    assert_eq!(u64::from(fork.pgid), stat.number(5));
    assert_eq!(u64::from(fork.sid), stat.number(6));
    assert_eq!(ticks(head.start), stat.start_ticks());
    assert_eq!(&fork.comm[..3], b"sh\0");

    let exits: Vec<_> = bodies(&watch.bytes)
        .filter_map(|(head, body)| match body {
            Body::Exit(exit) => Some((head.tgid, head.start, exit.status)),
            _ => None,
        })
        .collect();
    assert!(exits.contains(&(fork.tgid, fork.start, 7 << 8)), "{exits:?}");
    assert!(exits.contains(&(pid, head.start, 15)), "{exits:?}");
}

#[test]
fn a_process_with_threads_ends_once() {
    let Some(mut watch) = watch() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut child = play("chain", dir.path(), "1");
    watch.until_exit(child.id());
    child.wait().unwrap();
    watch.take(Duration::from_millis(100));
    let exits =
        bodies(&watch.bytes).filter(|(head, body)| head.tgid == child.id() && matches!(body, Body::Exit(_)));
    assert_eq!(exits.count(), 1);
    // The test harness starts a thread: that is no fork.
    assert_eq!(forks(&watch.bytes, child.id()).len(), 1);
}

#[test]
fn a_pid_namespace_numbers_its_own_and_a_watch_can_be_limited_to_it() {
    if !is_root() || watch().is_none() {
        return;
    }
    let mut outer = Command::new("unshare")
        .args(["--pid", "--fork", "/bin/sh", "-c", "read line; /bin/true inside"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let children = format!("/proc/{0}/task/{0}/children", outer.id());
    let init = loop {
        if let Some(init) = fs::read_to_string(&children).unwrap_or_default().split_whitespace().next() {
            break init.parse::<u32>().unwrap();
        }
        assert!(outer.try_wait().unwrap().is_none(), "unshare did not start its program");
        std::thread::sleep(Duration::from_millis(5));
    };
    let pidns = namespace(init, "pid");
    assert_ne!(pidns, namespace(std::process::id(), "pid"));
    let mut watch = watch_with(&ProbeOptions { only_pidns: Some(pidns), ..ProbeOptions::default() })
        .expect("the sensor could be opened a moment ago");
    assert!(Command::new("/bin/true").arg("outside").status().unwrap().success());
    outer.stdin.take().unwrap().write_all(b"\n").unwrap();
    watch.until_exit(init);
    outer.wait().unwrap();

    let made = forks(&watch.bytes, init);
    let [(_, fork)] = &made[..] else { panic!("one fork expected: {made:?}") };
    assert_eq!((fork.vpid, fork.pidns), (2, pidns));
    let execs = execs(&watch.bytes, fork.tgid);
    let [(_, exec)] = &execs[..] else { panic!("one exec expected: {execs:?}") };
    assert_eq!(exec.argv, b"/bin/true\0inside\0");
    assert_eq!((exec.fixed.vpid, exec.fixed.pidns, exec.fixed.ppid), (2, pidns, init));
    // Its session lies outside, where no number of this namespace reaches.
    assert_eq!(exec.fixed.vsid, 0);
    for (head, _) in bodies(&watch.bytes) {
        assert!([init, fork.tgid].contains(&head.tgid), "{head:?}");
    }
}

#[test]
fn programs_vanish_with_the_process_that_loaded_them() {
    // To list the programs of others takes more than to load one's own.
    if !is_root() || watch().is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let ready = dir.path().join("ready");
    let mut child = play("probe", dir.path(), ready.to_str().unwrap());
    let end = Instant::now() + Duration::from_mins(1);
    while fs::read(&ready).unwrap_or_default() != b"ready" {
        assert!(Instant::now() < end, "the sensor did not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    let ids = program_ids(child.id());
    assert_eq!(ids.len(), 12, "{ids:?}");
    assert!(ids.is_subset(&loaded()));
    child.kill().unwrap();
    child.wait().unwrap();
    // The kernel frees them shortly after the last descriptor is gone.
    while !ids.is_disjoint(&loaded()) {
        assert!(Instant::now() < end, "programs are still loaded");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The programs that a process holds open.
fn program_ids(pid: u32) -> HashSet<u32> {
    let files = fs::read_dir(format!("/proc/{pid}/fdinfo")).unwrap();
    let texts = files.filter_map(|file| fs::read_to_string(file.unwrap().path()).ok());
    texts
        .filter_map(|text| text.lines().find_map(|line| line.strip_prefix("prog_id:")?.trim().parse().ok()))
        .collect()
}

fn loaded() -> HashSet<u32> {
    aya::programs::loaded_programs().filter_map(|program| Some(program.ok()?.id())).collect()
}
