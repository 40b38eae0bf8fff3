//! What comes in another order than one would like, twice, or not at all: the ring against the snapshot, ends that
//! nobody saw, command lines with a piece missing, several runs in one recording.

use std::sync::Arc;

use eyas_ebpf::{
    Argv, ArgvBits, ArgvFixed, Body, ExecFlags, ExitFixed, Head, Open, OpenFixed, User, UserFixed, records,
};
use eyas_enrich::{Enrich, SilentHost};
use eyas_event::process::ProcessFlags;
use eyas_event::{BootTime, EventType, Process, ProcessKey};

use crate::support::{Machine, OneProcess, T0, exec, fork, head, put, run};

fn opened() -> Body<'static> {
    let fixed = OpenFixed { ret: 3, syscall: 257, dirfd: -100, ..OpenFixed::default() };
    Body::Open(Open { fixed, given: b"/etc/x", resolved: b"x\0etc\0\0", base: b"" })
}

fn at(head: Head, time: u64) -> Head {
    Head { time, ..head }
}

/// A machine whose snapshot was made after a shell had forked a daemon and had gone.
fn late() -> OneProcess {
    OneProcess(Process {
        key: ProcessKey::at(20, BootTime(T0 + 20_000_000)),
        parent: ProcessKey { pid: 1, start: 0 },
        started: BootTime(T0 + 20_000_000),
        comm: (*b"daemon").into(),
        exe_path: (*b"/usr/sbin/daemon").into(),
        flags: ProcessFlags::SNAPSHOT,
        ..Process::default()
    })
}

#[test]
fn a_fork_older_than_the_snapshot_does_not_overwrite_what_the_snapshot_knows() {
    let mut stream = Vec::new();
    let born = T0 + 20_000_000;
    put(&mut stream, head(10, T0 + 1, 0, 0), fork(20, born));
    put(&mut stream, head(10, T0 + 1, 0, 0), Body::Exit(ExitFixed { status: 0, pad: 0 }));
    put(&mut stream, head(20, born, 0, 0), opened());
    let (events, recording) = run(late(), &stream, true);
    assert!(events[1].contains("proc.name=daemon "), "{}", events[1]);
    assert_eq!(events, run(SilentHost, &recording, false).0);
}

#[test]
fn a_process_that_was_only_known_to_exist_is_completed_by_its_exec() {
    let mut enrich = Enrich::new(SilentHost);
    let mut stream = Vec::new();
    let born = T0 + 20_000_000;
    put(&mut stream, head(20, born, 0, 0), opened());
    put(&mut stream, head(20, born, 33, 0), Body::Exec(exec(10, T0 + 1, b"bash\0-i\0", 8)));
    let mut flags = Vec::new();
    for (_, record) in records(&stream) {
        enrich.fold(&record.unwrap(), &mut Vec::new(), &mut |e| {
            flags.push((e.process.flags, e.process.cmdline()));
        });
    }
    assert!(flags[0].0.has(ProcessFlags::PARTIAL) && flags[0].1.is_empty());
    assert_eq!(flags[1], (ProcessFlags::default(), b"bash -i".to_vec()));
    assert_eq!(enrich.table().len(), 1);
}

#[test]
fn a_child_of_a_process_from_the_snapshot_is_not_from_the_snapshot() {
    let mut stream = Vec::new();
    put(&mut stream, head(20, T0 + 20_000_000, 0, 0), fork(30, T0 + 30_000_000));
    let mut enrich = Enrich::new(late());
    enrich.snapshot();
    enrich.fold(&records(&stream).next().unwrap().1.unwrap(), &mut Vec::new(), &mut |_| ());
    assert!(!enrich.table().by_pid(30).unwrap().flags.has(ProcessFlags::SNAPSHOT));
}

#[test]
fn a_parent_that_is_long_forgotten_is_replaced_by_the_reaper() {
    let born = T0 + 20_000_000;
    let mut stream = Vec::new();
    put(&mut stream, head(10, T0 + 1, 0, 0), fork(20, born));
    put(&mut stream, head(10, T0 + 1, 0, 0), Body::Exit(ExitFixed { status: 0, pad: 0 }));
    let run_it =
        |stream: &mut Vec<u8>| put(stream, head(20, born, 0, 0), Body::Exec(exec(1, 1, b"bash\0", 5)));
    run_it(&mut stream);
    for pid in 100..20_000 {
        put(&mut stream, head(pid, T0 + 50_000_000, 0, 0), Body::Exit(ExitFixed { status: 0, pad: 0 }));
    }
    run_it(&mut stream);
    let mut enrich = Enrich::new(Machine);
    enrich.snapshot();
    let mut parents = Vec::new();
    for (_, record) in records(&stream) {
        enrich.fold(&record.unwrap(), &mut Vec::new(), &mut |e| {
            if e.process.key.pid == 20 {
                parents.push(e.process.parent.pid);
            }
        });
    }
    assert_eq!(parents, [10, 1]);
}

#[test]
fn an_end_that_is_told_twice_is_one_event() {
    let mut stream = Vec::new();
    for _ in 0..2 {
        put(&mut stream, head(10, T0 + 1, 0, 0), Body::Exit(ExitFixed { status: 0, pad: 0 }));
    }
    assert_eq!(run(Machine, &stream, true).0.len(), 1);
}

#[test]
fn a_thread_acts_for_its_process() {
    let mut stream = Vec::new();
    put(&mut stream, Head { tid: 11, ..head(10, T0 + 1, 0, 0) }, opened());
    let mut seen = Vec::new();
    let mut enrich = Enrich::new(Machine);
    enrich.snapshot();
    for (_, record) in records(&stream) {
        enrich.fold(&record.unwrap(), &mut Vec::new(), &mut |e| seen.push((e.tid, Arc::clone(e.process))));
    }
    assert_eq!((seen[0].0, seen[0].1.key.pid, &*seen[0].1.comm), (11, 10, &b"sshd"[..]));
}

/// An exec with more to come.
fn begun(stream: &mut Vec<u8>, pid: u32, time: u64) {
    put(stream, at(head(pid, T0 + 20_000_000, 0, 0), time), Body::Exec(exec(10, T0 + 1, b"bash\0lo", 12)));
}

fn piece(stream: &mut Vec<u8>, pid: u32, time: u64, offset: u64) {
    let fixed = ArgvFixed { offset, bits: ArgvBits::LAST, ..ArgvFixed::default() };
    put(stream, at(head(pid, T0 + 20_000_000, 0, 0), time), Body::Argv(Argv { fixed, bytes: b"ng x\0" }));
}

#[test]
fn an_exec_whose_rest_was_lost_is_judged_with_what_came() {
    // Another process a second later says that nothing more is coming.
    let mut stream = Vec::new();
    begun(&mut stream, 20, T0);
    put(&mut stream, at(head(10, T0 + 1, 0, 0), T0 + 2_000_000_000), opened());
    let (events, _) = run(Machine, &stream, true);
    assert!(events[0].contains("proc.cmdline=bash lo "), "{}", events[0]);
    assert!(events[1].contains("evt.type=openat"));

    // Nothing at all comes after it.
    let mut stream = Vec::new();
    begun(&mut stream, 20, T0);
    let mut enrich = Enrich::new(Machine);
    enrich.fold(&records(&stream).next().unwrap().1.unwrap(), &mut Vec::new(), &mut |_| panic!("too early"));
    assert!(!enrich.can_keyframe());
    let mut ended = Vec::new();
    enrich.finish(&mut |e| ended.push(e.process.flags));
    assert_eq!(ended, [ProcessFlags::ARGS_INCOMPLETE]);
    assert!(enrich.can_keyframe());

    // A piece between was lost.
    let mut stream = Vec::new();
    begun(&mut stream, 20, T0);
    piece(&mut stream, 20, T0, 8);
    let (events, _) = run(Machine, &stream, true);
    assert!(events[0].contains("proc.cmdline=bash lo "), "{}", events[0]);
}

#[test]
fn an_overdue_exec_is_judged_with_the_names_that_a_replay_has_read() {
    let mut stream = Vec::new();
    let user = User { fixed: UserFixed { uid: 33, ..UserFixed::default() }, name: b"www" };
    put(&mut stream, Head::default(), Body::User(user));
    begun(&mut stream, 20, T0);
    // Another process is the first to need a name that the host tells otherwise by now.
    put(&mut stream, at(head(10, T0 + 1, 33, 0), T0 + 60_000_000_000), opened());
    let (events, recording) = run(Machine, &stream, true);
    assert!(events[0].contains("user.loginname=www-data "), "{}", events[0]);
    assert_eq!(events, run(SilentHost, &recording, false).0);
}

#[test]
fn a_child_of_a_process_whose_exec_is_unfinished_has_the_new_image() {
    let mut stream = Vec::new();
    put(&mut stream, head(10, T0 + 1, 0, 0), fork(20, T0 + 20_000_000));
    begun(&mut stream, 20, T0 + 20_000_000);
    put(&mut stream, head(20, T0 + 20_000_000, 0, 0), fork(30, T0 + 30_000_000));
    put(&mut stream, head(30, T0 + 30_000_000, 0, 0), opened());
    let (events, recording) = run(Machine, &stream, true);
    assert!(events[0].contains("evt.type=execve "), "{}", events[0]);
    assert!(events[1].contains("proc.cmdline=sshd lo "), "{}", events[1]);
    assert_eq!(events, run(SilentHost, &recording, false).0);
}

#[test]
fn an_overdue_exec_that_fills_the_table_does_not_cost_another_its_event() {
    // What is known of sshd is the oldest value of a table that is full.
    let mut stream = Vec::new();
    begun(&mut stream, 20, T0);
    for pid in 1_000..1_000 + 262_143 {
        put(&mut stream, at(head(10, T0 + 1, 0, 0), T0), fork(pid, T0));
    }
    put(&mut stream, at(head(10, T0 + 1, 0, 0), T0 + 2_000_000_000), opened());
    let mut enrich = Enrich::new(Machine);
    enrich.snapshot();
    let mut events = Vec::new();
    for (_, record) in records(&stream) {
        enrich.fold(&record.unwrap(), &mut Vec::new(), &mut |e| {
            events.push((e.process.key.pid, e.kind, e.process.comm.to_vec()));
        });
    }
    let expected = [(20, EventType::EXECVE, b"bash".to_vec()), (10, EventType::OPENAT, b"sshd".to_vec())];
    assert_eq!(events, expected);
    assert!(enrich.table().by_pid(10).is_none(), "it was forgotten");
}

#[test]
fn an_event_is_in_the_cgroup_of_its_record() {
    // The host says of a process that nobody knew where it is by now; an exec that waited, where it was then.
    let mut unknown = Vec::new();
    put(&mut unknown, head(10, T0 + 1, 33, 7), opened());
    let (events, recording) = run(Machine, &unknown, false);
    let (replayed, _) = run(SilentHost, &recording, false);
    for event in [&events[0], &replayed[0]] {
        assert!(
            event.contains("user.name=nginx ") && event.contains("container.id=3ad7b26ded6d "),
            "{event}"
        );
    }

    let mut waited = Vec::new();
    begun(&mut waited, 20, T0 + 20_000_000);
    put(&mut waited, head(20, T0 + 20_000_000, 33, 7), opened());
    let (events, recording) = run(Machine, &waited, true);
    assert!(events[0].contains("container.id=host "), "{}", events[0]);
    assert!(
        events[1].contains("user.name=nginx ") && events[1].contains("user.loginname=nginx "),
        "{}",
        events[1]
    );
    assert!(events[1].contains("container.id=3ad7b26ded6d "), "{}", events[1]);
    assert!(events[1].contains("proc.cmdline=bash lo "), "{}", events[1]);
    assert_eq!(events, run(SilentHost, &recording, false).0);
}

#[test]
fn more_unfinished_execs_than_can_wait_are_all_judged() {
    let mut stream = Vec::new();
    for pid in 0..1_000 {
        begun(&mut stream, 1_000 + pid, T0 + u64::from(pid));
    }
    let mut enrich = Enrich::new(Machine);
    let mut incomplete = 0;
    for (_, record) in records(&stream) {
        enrich.fold(&record.unwrap(), &mut Vec::new(), &mut |e| {
            assert!(e.process.flags.has(ProcessFlags::ARGS_INCOMPLETE));
            incomplete += 1;
        });
    }
    assert!(incomplete > 900);
    enrich.finish(&mut |_| incomplete += 1);
    assert_eq!(incomplete, 1_000);
}

#[test]
fn a_second_run_in_a_recording_knows_nothing_of_the_first() {
    // After the next start of eyas, or of the machine, the same pid and start may be somebody else.
    let mut first = Vec::new();
    put(&mut first, head(20, T0 + 20_000_000, 33, 7), Body::Exec(exec(10, T0 + 1, b"bash\0-i\0", 8)));
    let mut second = Vec::new();
    put(&mut second, head(20, T0 + 20_000_000, 0, 0), opened());
    let (live_first, mut recording) = run(Machine, &first, true);
    let (live_second, rest) = run(Machine, &second, true);
    recording.extend_from_slice(&rest);
    let (replayed, _) = run(SilentHost, &recording, false);
    assert_eq!(replayed, [live_first, live_second].concat());
}

#[test]
fn flags_of_an_exec_reach_its_process() {
    let mut raw = exec(10, T0 + 1, b"x\0", 2);
    raw.fixed.flags = ExecFlags::MEMFD.with(ExecFlags::DELETED);
    let mut stream = Vec::new();
    put(&mut stream, head(20, T0 + 20_000_000, 0, 0), Body::Exec(raw));
    let mut enrich = Enrich::new(SilentHost);
    enrich.fold(&records(&stream).next().unwrap().1.unwrap(), &mut Vec::new(), &mut |_| ());
    let p = enrich.table().by_pid(20).unwrap();
    assert!(p.flags.has(ProcessFlags::MEMFD) && p.flags.has(ProcessFlags::DELETED));
}
