//! Folding a record of a known process, and asking for every field of its event, allocates nothing once the buffers have
//! grown: an allocator that counts says so. With the engine's test of judging this covers the way of a quiet event.
#![expect(unsafe_code, clippy::unwrap_used, reason = "an allocator of our own, in a test")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ops::ControlFlow;

use eyas_ebpf::{
    Body, Call, CallBits, CallFixed, Connect, ConnectFixed, Exec, ExecFailed, ExecFailedFixed, ExecFixed,
    Head, Open, OpenFixed, Record, records,
};
use eyas_enrich::{Enrich, SilentHost};
use eyas_event::{Arg, ArgKind, Event, FieldId, FieldRef, Fields, ParamId};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is handed on to the system allocator unchanged; counting touches only a thread-local cell, which has
// a constant initializer and no destructor, so it allocates nothing itself.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|n| n.set(n.get() + 1));
        // SAFETY: the caller's promises are handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are handed on.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.with(|n| n.set(n.get() + 1));
        // SAFETY: the caller's promises are handed on.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn counted(run: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    run();
    ALLOCATIONS.with(Cell::get) - before
}

fn head(pid: u32) -> Head {
    let start = u64::from(pid) * 1_000_000_000;
    Head { tid: pid, tgid: pid, start, time: start + 5, uid: 33, cgroup: 7, ..Head::default() }
}

fn put(out: &mut Vec<u8>, pid: u32, body: &Body<'_>) {
    Record { head: head(pid), body: *body }.write(out).unwrap();
}

/// Three generations of programs, which the fold gets to know.
fn family() -> Vec<u8> {
    let mut out = Vec::new();
    for pid in 1..=3 {
        let (ppid, parent_start) = (pid - 1, head(pid - 1).start);
        let fixed = ExecFixed {
            ppid,
            parent_start,
            sid: 1,
            pgid: 2,
            syscall: 59,
            cap_effective: 1023,
            ..ExecFixed::default()
        };
        let (exe, argv) = (&b"bash\0bin\0usr\0\0"[..], &b"bash\0-c\0id; w\0"[..]);
        put(
            &mut out,
            pid,
            &Body::Exec(Exec {
                fixed,
                exe,
                cwd: b"tmp\0\0",
                filename: b"bash",
                interp: b"",
                more: b"",
                argv,
                env: b"X=1\0",
            }),
        );
    }
    out
}

/// What a quiet process does all day.
fn day() -> Vec<u8> {
    let mut out = Vec::new();
    for (given, ret) in [(&b"../etc/hosts"[..], 3), (b"/etc/nothing", -2)] {
        let fixed =
            OpenFixed { ret, syscall: 257, dirfd: -100, flags: 0o1101, mode: 0o644, ..OpenFixed::default() };
        let resolved: &[u8] = if ret > 0 { b"hosts\0etc\0\0" } else { b"" };
        put(&mut out, 3, &Body::Open(Open { fixed, given, resolved, base: b"tmp\0\0" }));
    }
    for (family, address) in [(2, &b"\x02\0\x01\xbb\x0a\0\0\x09"[..]), (1, b"\x01\0/run/x.sock\0")] {
        let (local, remote) = ([10; 16], [11; 16]);
        let (local_port, remote_port) = if family == 2 { (50_000, 443) } else { (0, 0) };
        let fixed = ConnectFixed {
            fd: 4,
            family,
            protocol: 6,
            local,
            remote,
            local_port,
            remote_port,
            ..ConnectFixed::default()
        };
        put(&mut out, 3, &Body::Connect(Connect { fixed, address, path: b"" }));
    }
    let fixed = ExecFailedFixed { ret: -2, dirfd: -100, syscall: 59, ..ExecFailedFixed::default() };
    put(&mut out, 3, &Body::ExecFailed(ExecFailed { fixed, given: b"./nothing", base: b"tmp\0\0" }));
    for syscall in [33, 44, 82, 264] {
        let fixed = CallFixed {
            ret: 1,
            arg0: 4,
            arg1: 1,
            syscall,
            bits: CallBits::DESCRIPTOR.with(CallBits::CAPABILITIES),
            mode: if syscall == 44 { 0o140_777 } else { 0o100_644 },
            family: 2,
            protocol: 17,
            local: [10; 16],
            remote: [11; 16],
            local_port: 50_000,
            remote_port: 53,
            ..CallFixed::default()
        };
        let call = Call {
            fixed,
            first: b"a",
            second: b"../b",
            address: b"\x02\0\0\x35\x0a\0\0\x09",
            data: b"hello",
            first_base: b"tmp\0\0",
            second_base: b"tmp\0\0",
            path: b"x\0tmp\0\0",
        };
        put(&mut out, 3, &Body::Call(call));
    }
    out
}

/// Every field in every form.
fn every_field() -> Vec<FieldRef> {
    let mut all = Vec::new();
    for id in FieldId::all() {
        all.push(FieldRef::plain(id));
        match id.info().arg {
            ArgKind::None => {}
            ArgKind::Key
            | ArgKind::OptionalKey
            | ArgKind::Event
            | ArgKind::Word
            | ArgKind::OptionalSide
            | ArgKind::Instant => {
                all.push(FieldRef { id, arg: Arg::Key("open".into()) });
            }
            ArgKind::OptionalIndex | ArgKind::Index | ArgKind::IndexOrKey | ArgKind::OptionalIndexOrKey => {
                all.extend((0..4).map(|n| FieldRef { id, arg: Arg::Index(n) }));
            }
            ArgKind::Param | ArgKind::ParamName => {
                let params = ParamId::names().iter().filter_map(|name| ParamId::from_name(name));
                all.extend(params.map(|p| FieldRef { id, arg: Arg::Param(p) }));
                all.extend((0..8).map(|n| FieldRef { id, arg: Arg::Index(n) }));
            }
        }
    }
    all
}

fn ask(event: &Event<'_>, fields: &[FieldRef], buf: &mut Vec<u8>) -> usize {
    let mut present = 0;
    for field in fields {
        buf.clear();
        present += usize::from(!event.get(field, buf).is_absent());
        let _ = event.each(field, buf, &mut |_| ControlFlow::Continue(()));
    }
    present
}

#[test]
fn folding_and_asking_for_everything_allocates_nothing() {
    let mut enrich = Enrich::new(SilentHost);
    let (mut facts, mut buf) = (Vec::new(), Vec::new());
    let fields = every_field();
    for (_, record) in records(&family()) {
        enrich.fold(&record.unwrap(), &mut facts, &mut |_| ());
    }
    let day = day();
    let mut round = |enrich: &mut Enrich<SilentHost>| {
        let (mut events, mut present) = (0, 0);
        for (_, record) in records(&day) {
            facts.clear();
            enrich.fold(&record.unwrap(), &mut facts, &mut |event| {
                events += 1;
                present += ask(event, &fields, &mut buf);
            });
            assert!(facts.is_empty());
        }
        (events, present)
    };
    let (events, present) = round(&mut enrich);
    assert!(events == 9 && present > 1000, "{events} events, {present} values");
    for _ in 0..3 {
        assert_eq!(counted(|| assert_eq!(round(&mut enrich), (events, present))), 0);
    }
    assert!(counted(|| drop(Vec::<u8>::with_capacity(9))) > 0, "the allocator counts");
}
