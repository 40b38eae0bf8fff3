//! Containers that only the v1 hierarchies know: the kernel says that their processes are in the root of the v2 one, or in the
//! cgroup of the service that started them.

use eyas_ebpf::{Body, Exec, ExecFixed, ForkFixed, Head, Open, OpenFixed, Record, records};
use eyas_enrich::{Enrich, SilentHost};
use eyas_event::{FieldId, FieldRef, Fields, Host, Lookup, Process, User, Whose};

const ID: &str = "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e";
const OTHER: &str = "77777777777777777777777777777777573036c27ae5a74837233de441c3601e";
/// Any id with the mark of those that are made in user space.
const V1: u64 = 1 << 63 | 7;

/// Knows the root, a service's cgroup, a container's, and one by v1, in which process 20 is.
struct Machine {
    v1: bool,
}

impl Host for Machine {
    fn node(&self) -> &'static str {
        "n"
    }
    fn wall_offset_ns(&self) -> i64 {
        0
    }
    fn processes(&mut self, _: &mut dyn FnMut(Process)) {}
    fn process(&mut self, _: u32) -> Option<Process> {
        None
    }
    fn user(&mut self, _: u32, _: Whose<'_>) -> Lookup<User> {
        Lookup::Nobody
    }
    fn group(&mut self, _: u32, _: Whose<'_>) -> Lookup<Vec<u8>> {
        Lookup::Nobody
    }
    fn cgroup_path(&mut self, id: u64, pid: u32) -> Option<Vec<u8>> {
        match (id, pid) {
            (V1, 20) => Some(format!("/docker/{ID}").into_bytes()),
            (6, _) => Some(format!("/docker/{OTHER}").into_bytes()),
            (1, _) => Some(b"/".to_vec()),
            (5, _) => Some(b"/system.slice/cron.service".to_vec()),
            _ => None,
        }
    }
    fn has_v1_hierarchies(&mut self) -> bool {
        self.v1
    }
    fn v1_container_cgroup(&mut self, pid: u32, _: u64) -> Option<u64> {
        (self.v1 && pid == 20).then_some(V1)
    }
}

/// The host's cgroups are told of once, those of containers and those that decide nothing never; and none where a v1 hierarchy
/// may put a process in it into a container.
#[test]
fn the_cgroups_of_the_host_are_told_of() {
    let mut enrich = Enrich::new(Machine { v1: false });
    for (pid, cgroup) in [(21, 1), (22, 5), (23, 6), (24, 7), (25, V1), (26, 5)] {
        let start = 1_000_000_000 + u64::from(pid) * 20_000_000;
        let head = Head { tid: pid, tgid: pid, start, time: start + 5, cgroup, ..Head::default() };
        enrich.fold(&Record { head, body: exec() }, &mut Vec::new(), &mut |_| {});
    }
    assert_eq!(enrich.host_cgroups().collect::<Vec<_>>(), [5]);
    assert_eq!(enrich.host_cgroups().count(), 0);

    let mut enrich = Enrich::new(Machine { v1: true });
    let head = Head { tid: 22, tgid: 22, start: 5, time: 6, cgroup: 5, ..Head::default() };
    enrich.fold(&Record { head, body: exec() }, &mut Vec::new(), &mut |_| {});
    assert_eq!(enrich.host_cgroups().count(), 0);
}

#[expect(clippy::large_types_passed_by_value, reason = "records are made where they are put")]
fn put(out: &mut Vec<u8>, pid: u32, cgroup: u64, body: Body<'_>) {
    let start = 1_000_000_000 + u64::from(pid) * 20_000_000;
    let head = Head { tid: pid, tgid: pid, start, time: start + 5, cgroup, ..Head::default() };
    Record { head, body }.write(out).unwrap();
}

fn exec() -> Body<'static> {
    Body::Exec(Exec {
        fixed: ExecFixed::default(),
        exe: b"",
        cwd: b"",
        filename: b"",
        interp: b"",
        more: b"",
        argv: b"",
        env: b"",
    })
}

fn open() -> Body<'static> {
    Body::Open(Open {
        fixed: OpenFixed { ret: 3, ..OpenFixed::default() },
        given: b"/x",
        resolved: b"",
        base: b"",
    })
}

/// What the kernel half tells, all of it in this cgroup of the v2 hierarchy.
fn stream(cgroup: u64) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, 20, cgroup, exec());
    put(&mut out, 20, cgroup, open());
    let child =
        ForkFixed { tgid: 21, start: 1_000_000_000 + 21 * 20_000_000, cgroup, ..ForkFixed::default() };
    put(&mut out, 20, cgroup, Body::Fork(child));
    put(&mut out, 21, cgroup, open());
    put(&mut out, 30, cgroup, exec());
    put(&mut out, 30, cgroup, open());
    // Moved into a container of the v2 hierarchy.
    put(&mut out, 20, 6, open());
    out
}

/// The containers of the events, and the recording.
fn run(host: impl Host, stream: &[u8], begin: bool) -> (Vec<String>, Vec<u8>) {
    let (mut enrich, mut seen, mut recording, mut facts) =
        (Enrich::new(host), Vec::new(), Vec::new(), Vec::new());
    if begin {
        enrich.keyframe(&mut recording);
    }
    for (at, record) in records(stream) {
        let record = record.unwrap();
        facts.clear();
        enrich.fold(&record, &mut facts, &mut |event| {
            let mut buf = Vec::new();
            let mut text = Vec::new();
            event.get(&FieldRef::plain(FieldId::CONTAINER_ID), &mut buf).write_text(&mut text);
            seen.push(String::from_utf8(text).unwrap());
        });
        recording.extend_from_slice(&facts);
        recording.extend_from_slice(&stream[at..at + record.head.len as usize]);
    }
    (seen, recording)
}

#[test]
fn a_container_of_a_v1_hierarchy_is_known_at_exec_and_inherited() {
    let short = &ID[..12];
    for cgroup in [1, 5] {
        let (live, recording) = run(Machine { v1: true }, &stream(cgroup), true);
        assert_eq!(live, [short, short, short, "host", "host", &OTHER[..12]]);
        let (replayed, again) = run(SilentHost, &recording, false);
        assert_eq!(replayed, live);
        assert_eq!(again, recording);
    }
}
