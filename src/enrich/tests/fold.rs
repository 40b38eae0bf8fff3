//! The fold from the outside: records in, events out; and a replay of what was recorded gives the same events.

use std::sync::Arc;

use eyas_ebpf::{
    Argv, ArgvBits, ArgvFixed, Body, Connect, ConnectFixed, ExitFixed, Head, Open, OpenFixed, records,
};
use eyas_enrich::{Enrich, SilentHost};
use eyas_event::{Process, ProcessKey};
use proptest::prelude::*;

use crate::support::{ID, Machine, OneProcess, T0, exec, fork, head, put, run, show};

fn stream() -> Vec<u8> {
    let mut out = Vec::new();
    let child = T0 + 20_000_000;
    put(&mut out, head(10, T0 + 1, 0, 0), fork(20, child));
    put(&mut out, head(20, child, 33, 7), Body::Exec(exec(10, T0 + 1, b"bash\0-c\0id\0", 11)));
    // A second program under the same pid, whose arguments come in two pieces.
    put(&mut out, head(20, child, 33, 7), Body::Exec(exec(10, T0 + 1, b"bash\0lo", 12)));
    let fixed = ArgvFixed { offset: 7, bits: ArgvBits::LAST, ..ArgvFixed::default() };
    put(&mut out, head(20, child, 33, 7), Body::Argv(Argv { fixed, bytes: b"ng x\0" }));
    let open = Open {
        fixed: OpenFixed {
            ret: 3,
            syscall: 257,
            dirfd: -100,
            flags: 0o1101,
            mode: 0o644,
            ..OpenFixed::default()
        },
        given: b"../x",
        resolved: b"x\0var\0\0",
        base: b"www\0var\0\0",
    };
    put(&mut out, head(20, child, 33, 7), Body::Open(open));
    let connect = Connect {
        fixed: ConnectFixed {
            ret: -111,
            fd: 4,
            family: 10,
            protocol: 6,
            syscall: 42,
            ..ConnectFixed::default()
        },
        address: &[
            10, 0, 0x1f, 0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1, 0, 0, 0, 0,
        ],
        path: b"",
    };
    put(&mut out, head(20, child, 33, 7), Body::Connect(connect));
    put(&mut out, head(20, child, 33, 7), Body::Exit(ExitFixed { status: 256, pad: 0 }));
    // The pid comes round: another process, whose fork was missed.
    put(&mut out, head(20, child + 50_000_000, 0, 0), Body::Open(open));
    out
}

#[test]
fn a_stream_becomes_complete_events() {
    let (events, _) = run(Machine, &stream(), true);
    assert_eq!(events.len(), 6);
    for (event, wants) in events.iter().zip([
        vec!["evt.type=execve", "proc.cmdline=bash -c id", "proc.pname=sshd", "user.name=nginx", "loginuid=33(nginx)"],
        vec!["evt.type=execve", "proc.cmdline=bash long x ", "evt.num=2", "container.id=3ad7b26ded6d"],
        vec![
            "evt.type=openat",
            "fd.name=/var/x ",
            "fd.nameraw=../x",
            "fd.realpath=/var/x",
            "fd=3(<f>/var/x) dirfd=-100(AT_FDCWD) name=../x(/var/x) flags=262(O_TRUNC|O_CREAT|O_WRONLY) mode=0644",
        ],
        vec!["evt.type=connect", "evt.res=ECONNREFUSED", "res=-111(ECONNREFUSED)", "addr=::ffff:127.0.0.1:8080"],
        vec!["evt.type=procexit", "status=256 ret=1 sig=0"],
        vec!["evt.type=openat", "proc.name= ", "proc.pname=<NA>", "container.id=host"],
    ]) {
        for want in wants {
            assert!(event.contains(want), "{want}\n{event}");
        }
        assert!(event.contains("evt.hostname=node-1"));
    }
}

#[test]
fn a_replay_asks_nobody_and_gives_the_same_events() {
    let (live, recording) = run(Machine, &stream(), true);
    let (replayed, again) = run(SilentHost, &recording, false);
    assert_eq!(live, replayed);
    assert_eq!(recording, again, "a replay learns nothing that it would have to write down");
}

#[test]
fn a_process_that_was_not_in_the_snapshot_is_asked_for_once() {
    let (_, recording) = run(Machine, &stream(), false);
    let kinds: Vec<u16> = records(&recording).map(|(_, r)| r.unwrap().body.kind_number()).collect();
    let asked = kinds.iter().filter(|k| **k == eyas_ebpf::Kind::Process.number()).count();
    assert_eq!(asked, 1, "{kinds:?}");
}

#[test]
fn a_keyframe_in_the_middle_carries_on() {
    let whole = stream();
    let cut = records(&whole).nth(4).unwrap().0;
    let mut enrich = Enrich::new(Machine);
    let (mut facts, mut tail, mut live) = (Vec::new(), Vec::new(), Vec::new());
    enrich.snapshot();
    for (at, record) in records(&whole) {
        if at == cut {
            enrich.keyframe(&mut tail);
            tail.extend_from_slice(&whole[cut..]);
        }
        enrich.fold(&record.unwrap(), &mut facts, &mut |e| live.push(show(e)));
    }
    let (replayed, _) = run(SilentHost, &tail, false);
    assert_eq!(live[2..], replayed);
}

#[test]
fn a_keyframe_tells_when_the_first_event_was() {
    let open_at = |time: u64| {
        let fixed = OpenFixed { ret: 3, syscall: 2, ..OpenFixed::default() };
        let open = Open { fixed, given: b"/x", resolved: b"", base: b"" };
        let mut stream = Vec::new();
        put(&mut stream, Head { time, ..head(10, T0, 0, 0) }, Body::Open(open));
        stream
    };
    let (first, second) = (open_at(T0 + 1_000_000_000), open_at(T0 + 8_500_000_000));
    let mut enrich = Enrich::new(Machine);
    let (mut live, mut frame) = (Vec::new(), Vec::new());
    for (stream, at_end) in [(&first, false), (&second, true)] {
        if at_end {
            enrich.keyframe(&mut frame);
        }
        for (_, record) in records(stream) {
            enrich.fold(&record.unwrap(), &mut Vec::new(), &mut |e| live.push(show(e)));
        }
    }
    let (replayed, _) = run(SilentHost, &[frame, second].concat(), false);
    assert!(live[1].contains("evt.reltime=7500000000 "), "{}", live[1]);
    assert_eq!(live[1..], replayed);
}

#[test]
fn a_keyframe_tells_users_of_containers_and_addresses_of_host_names() {
    let mut enrich = Enrich::new(Machine);
    for (_, record) in records(&stream()) {
        enrich.fold(&record.unwrap(), &mut Vec::new(), &mut |_| ());
    }
    let mut fact = Vec::new();
    let addresses = ["192.0.2.1", "2001:db8::1"].map(|ip| ip.parse().unwrap());
    enrich.learn_addresses(b"a.test", &addresses, &mut fact);
    let mut frame = Vec::new();
    enrich.keyframe(&mut frame);
    let mut replay = Enrich::new(SilentHost);
    let fold = |replay: &mut Enrich<SilentHost>, bytes: &[u8]| {
        for (_, record) in records(bytes) {
            replay.fold(&record.unwrap(), &mut Vec::new(), &mut |_| ());
        }
    };
    fold(&mut replay, &frame);
    let mut again = Vec::new();
    replay.keyframe(&mut again);
    assert_eq!(frame, again);
    assert_eq!(replay.hosts().collect::<Vec<_>>(), [b"a.test"]);
    // A fact by itself says the same, and one without addresses takes it back.
    let mut late = Enrich::new(SilentHost);
    fold(&mut late, &fact);
    assert_eq!(late.hosts().count(), 1);
    let mut gone = Vec::new();
    enrich.learn_addresses(b"a.test", &[], &mut gone);
    fold(&mut late, &gone);
    assert_eq!((late.hosts().count(), enrich.hosts().count()), (0, 0));
}

fn text(max: usize) -> impl Strategy<Value = Box<[u8]>> {
    prop::collection::vec(any::<u8>(), 0..max).prop_map(Into::into)
}

proptest! {
    #[test]
    fn a_keyframe_gives_back_every_process(
        (pid, start, ppid, pstart) in (1u32.., 1u64..1 << 40, any::<u32>(), 0u64..1 << 40),
        comm in "[ -~]{0,15}",
        (exe_path, filename, argv, cwd) in (text(300), text(300), text(9000), text(300)),
        ids in any::<[u32; 12]>(),
        (cap_effective, exec_time, exe_ino) in any::<(u64, u64, u64)>(),
        (cap_permitted, cap_inheritable, exe_ctime, exe_mtime) in any::<(u64, u64, i64, i64)>(),
        bits in 0u32..64,
    ) {
        let p = Process {
            env: Box::default(),
            namespace_started: eyas_event::BootTime(if bits & 1 == 1 { exec_time } else { 0 }),
            usage: (bits & 1 == 1).then_some(eyas_event::process::Usage {
                fd_limit: cap_effective, faults_major: cap_permitted, faults_minor: exe_ino,
                vm_size_kib: ids[3], vm_rss_kib: ids[4], vm_swap_kib: ids[5],
            }),
            key: ProcessKey { pid, start },
            parent: ProcessKey { pid: ppid, start: pstart },
            started: eyas_event::BootTime(start * ProcessKey::TICK_NS + 7),
            comm: comm.into_bytes().into(),
            exe_path, filename, argv, cwd,
            uid: ids[0], gid: ids[1], euid: ids[2], egid: ids[3], loginuid: ids[4], audit_session: ids[5],
            tty: ids[6], sid: ids[7], pgid: ids[8], vpid: ids[9], vpgid: ids[10], pid_ns: ids[11],
            cgroup: 7,
            container: ID[..12].into(),
            cap_effective, cap_permitted, cap_inheritable,
            exec_time: eyas_event::BootTime(exec_time),
            exe_dev: 9,
            exe_ino, exe_ctime, exe_mtime,
            flags: eyas_event::process::ProcessFlags(bits),
        };
        let mut enrich = Enrich::new(OneProcess(p.clone()));
        enrich.snapshot();
        let mut frame = Vec::new();
        enrich.keyframe(&mut frame);
        let mut replay = Enrich::new(SilentHost);
        for (_, record) in records(&frame) {
            replay.fold(&record.unwrap(), &mut Vec::new(), &mut |_| ());
        }
        let back: &Arc<Process> = replay.table().get(p.key).unwrap();
        // The parent is not in the snapshot, so only its pid is known.
        let want = Process { parent: ProcessKey { pid: ppid, start: if ppid == pid { start } else { 0 } }, ..p };
        prop_assert_eq!(&want, &**back);
    }
}
