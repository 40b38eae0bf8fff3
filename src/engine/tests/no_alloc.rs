//! Judging an event that fires nothing allocates nothing (invariant 5): an allocator that counts says so.
#![expect(unsafe_code, clippy::unwrap_used, reason = "an allocator of our own, in a test")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

#[path = "support/live.rs"]
mod live;

use eyas_engine::{FieldMap, Filter, Loader, Scratch, SourceFile};

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

const RULES: &str = include_str!("fixtures/typical.yaml");

const QUIET: [&str; 4] = [
    r#"{"evt.type":"execve","evt.rawres":0,"proc.name":"ls","proc.exepath":"/usr/bin/ls","proc.cmdline":"ls -l",
        "proc.args":"-l","proc.pname":"bash","proc.aname[1]":"bash","proc.aname[2]":"sshd","proc.aname[3]":"systemd",
        "container.id":"host","user.uid":1000,"proc.tty":34816}"#,
    r#"{"evt.type":"openat","evt.is_open_read":true,"evt.is_open_write":true,"fd.num":3,"fd.typechar":"f",
        "fd.name":"/home/u/notes.txt","fd.directory":"/home/u","fd.filename":"notes.txt","proc.name":"vim",
        "container.id":"host"}"#,
    r#"{"evt.type":"connect","fd.typechar":"4","fd.cip":"10.0.0.5","fd.sip":"10.0.0.9","fd.cport":50000,"fd.sport":443,
        "proc.name":"curl","container.id":"host"}"#,
    r#"{"evt.type":"procexit","proc.name":"ls"}"#,
];

/// Conditions whose values are worked out in buffers.
const WORKED_OUT: [&str; 12] = [
    "proc.name regex \"[a-z]+(ssh|url)\"",
    "tolower(fd.name) startswith /HOME",
    "toupper(basename(fd.name)) in (NOTES.TXT, X)",
    "b64(proc.name) = x or len(fd.name) > 300",
    "join(\"-\", (proc.name, proc.pname)) contains sh and concat(proc.name, \"/\", fd.name) = x",
    "getopt((proc.args, proc.name), \"al:\")[l] = x or getopt((proc.args), \"a:\") intersects (a)",
    "proc.name = val(proc.pname) or fd.name endswith val(fd.filename)",
    "proc.aname = anyof (x, y) or fd.name contains oneof (home, notes)",
    "fd.sip = val(fd.cip) or fd.sport = val(fd.cport)",
    "fd.name glob val(fd.directory) or fd.name iglob concat(\"[a-z]*\", fd.filename, \"?\")",
    "join(\",\", (proc.name, fd.num)) = x or toupper((proc.name, fd.filename)) intersects (X)",
    "getopt((\"-a\", proc.args, \"-l\", \"-x5\"), \"alx:\") in (a, x)",
];

#[test]
fn judging_a_quiet_event_allocates_nothing() {
    let loaded = Loader::new().add(SourceFile::new("typical.yaml", RULES)).finish();
    assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
    assert!(loaded.ruleset.len() >= 8);
    let events: Vec<_> = QUIET.iter().map(|json| FieldMap::from_json_text(json).unwrap()).collect();
    let filter =
        Filter::compile("spawned_process and proc.name glob c?rl and fd.net = 10.0.0.0/8", &loaded.ruleset);
    let filter = filter.unwrap();
    let worked_out: Vec<_> = WORKED_OUT
        .iter()
        .map(|condition| {
            Filter::compile(condition, &loaded.ruleset).unwrap_or_else(|r| panic!("{:?}", r.diagnostics))
        })
        .collect();
    let mut scratch = Scratch::new();
    let mut fired = Vec::new();
    let mut round = || {
        for event in &events {
            loaded.ruleset.judge(event, &mut scratch, &mut fired);
            filter.matches(event, &mut scratch);
            for filter in &worked_out {
                filter.matches(event, &mut scratch);
            }
        }
    };
    // The first round grows the scratch.
    round();
    let allocations = counted(|| {
        for _ in 0..100 {
            round();
        }
    });
    assert!(fired.is_empty(), "{fired:?}");
    assert_eq!(allocations, 0);
}

#[test]
fn the_counter_counts() {
    assert!(counted(|| drop(std::hint::black_box(vec![1_u8; 100]))) > 0);
}

#[test]
fn judging_quiet_live_events_by_the_shipped_rules_allocates_nothing() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules/eyas.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let ruleset = Loader::new().add(SourceFile::new("eyas.yaml", text)).finish().ruleset;
    for container in ["host", "0123456789ab"] {
        let live = live::Live::new(container);
        let events = live.events();
        let mut scratch = Scratch::new();
        let mut fired = Vec::new();
        let mut round = || {
            for (_, event) in &events {
                ruleset.judge(event, &mut scratch, &mut fired);
            }
        };
        round();
        let allocations = counted(|| {
            for _ in 0..100 {
                round();
            }
        });
        let names: Vec<_> = fired.iter().map(|id| &ruleset.rule(*id).name).collect();
        assert!(names.is_empty(), "{names:?}");
        assert_eq!(allocations, 0);
    }
}
