//! What the tests share: a made-up machine, records made by hand, and a fold that records as the pipeline does.

use std::fmt::Write as _;

use eyas_ebpf::{Body, Exec, ExecFixed, ExecFlags, ForkFixed, Head, Record, records};
use eyas_enrich::Enrich;
use eyas_event::{Event, FieldId, FieldRef, Fields, Host, Lookup, Process, ProcessKey, User, Whose};

/// A machine with one process, some names and one container.
pub(crate) struct Machine;

pub(crate) const ID: &str = "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e";

impl Host for Machine {
    fn node(&self) -> &'static str {
        "node-1"
    }
    fn wall_offset_ns(&self) -> i64 {
        1_000_000_000_000_000_000
    }
    fn processes(&mut self, out: &mut dyn FnMut(Process)) {
        out(self.process(10).unwrap());
    }
    fn process(&mut self, pid: u32) -> Option<Process> {
        (pid == 10).then(|| Process {
            key: ProcessKey { pid: 10, start: 100 },
            started: eyas_event::BootTime(100 * ProcessKey::TICK_NS),
            comm: (*b"sshd").into(),
            exe_path: (*b"/usr/sbin/sshd").into(),
            argv: (*b"sshd: root\0").into(),
            container: Process::HOST.into(),
            loginuid: u32::MAX,
            audit_session: u32::MAX,
            ..Process::default()
        })
    }
    fn user(&mut self, uid: u32, whose: Whose<'_>) -> Lookup<User> {
        let user =
            |name: &[u8], home: &[u8]| User { name: name.into(), home: home.into(), ..User::default() };
        match (uid, whose) {
            (33, Whose::Host) => Lookup::Found(user(b"www-data", b"/var/www")),
            (33, Whose::Container { id: "3ad7b26ded6d", .. }) => Lookup::Found(user(b"nginx", b"/srv")),
            _ => Lookup::Nobody,
        }
    }
    fn group(&mut self, _: u32, _: Whose<'_>) -> Lookup<Vec<u8>> {
        Lookup::Nobody
    }
    fn cgroup_path(&mut self, id: u64, _: u32) -> Option<Vec<u8>> {
        (id == 7).then(|| format!("/docker/{ID}").into_bytes())
    }
}

/// 1 s plus `n` ns after boot: within the tick 100.
pub(crate) const T0: u64 = 1_000_000_000;

pub(crate) fn head(pid: u32, started: u64, uid: u32, cgroup: u64) -> Head {
    Head { tid: pid, tgid: pid, start: started, time: started + 5, uid, cgroup, ..Head::default() }
}

pub(crate) fn fork(child: u32, started: u64) -> Body<'static> {
    Body::Fork(ForkFixed {
        tgid: child,
        vpid: child,
        ppid: 10,
        start: started,
        parent_start: T0 + 1,
        comm: *b"sshd\0\0\0\0\0\0\0\0\0\0\0\0",
        ..ForkFixed::default()
    })
}

pub(crate) fn exec(ppid: u32, parent_start: u64, argv: &[u8], total: u64) -> Exec<'_> {
    let more = if total > argv.len() as u64 { ExecFlags::ARGV_MORE } else { ExecFlags::default() };
    Exec {
        fixed: ExecFixed {
            ppid,
            parent_start,
            comm: *b"bash\0\0\0\0\0\0\0\0\0\0\0\0",
            args_total: total,
            flags: more,
            loginuid: 33,
            syscall: 59,
            ..ExecFixed::default()
        },
        exe: b"bash\0bin\0usr\0\0",
        cwd: b"www\0var\0\0",
        filename: b"./run.sh",
        interp: b"/usr/bin/bash",
        more: b"",
        argv,
        env: b"",
    }
}

#[expect(clippy::large_types_passed_by_value, reason = "records are made where they are put")]
pub(crate) fn put(out: &mut Vec<u8>, head: Head, body: Body<'_>) {
    Record { head, body }.write(out).unwrap();
}

/// Folds a stream; gives each event as text and the recording: facts before the records that needed them.
pub(crate) fn run(host: impl Host, stream: &[u8], snapshot: bool) -> (Vec<String>, Vec<u8>) {
    let mut enrich = Enrich::new(host);
    let (mut events, mut recording, mut facts) = (Vec::new(), Vec::new(), Vec::new());
    if snapshot {
        enrich.snapshot();
        enrich.keyframe(&mut recording);
    }
    for (at, record) in records(stream) {
        let record = record.unwrap();
        facts.clear();
        enrich.fold(&record, &mut facts, &mut |e| events.push(show(e)));
        recording.extend_from_slice(&facts);
        recording.extend_from_slice(&stream[at..at + record.head.len as usize]);
    }
    (events, recording)
}

pub(crate) fn show(e: &Event<'_>) -> String {
    let mut text = String::new();
    for name in [
        "evt.num",
        "evt.type",
        "evt.res",
        "evt.hostname",
        "evt.rawtime",
        "evt.reltime",
        "proc.name",
        "proc.cmdline",
        "proc.pname",
        "proc.aname",
        "proc.cwd",
        "user.name",
        "user.loginname",
        "container.id",
        "fd.name",
        "fd.realpath",
        "fd.nameraw",
        "evt.args",
    ] {
        let field = FieldRef::plain(FieldId::from_name(name).unwrap());
        let mut buf = Vec::new();
        let mut out = Vec::new();
        field.write_text(&e.get(&field, &mut buf), &mut out);
        write!(text, "{name}={} ", String::from_utf8_lossy(&out)).unwrap();
    }
    text
}

/// A machine with this process and one container.
pub(crate) struct OneProcess(pub(crate) Process);

impl Host for OneProcess {
    fn node(&self) -> &'static str {
        "n"
    }
    fn wall_offset_ns(&self) -> i64 {
        0
    }
    fn processes(&mut self, out: &mut dyn FnMut(Process)) {
        out(self.0.clone());
    }
    fn process(&mut self, _: u32) -> Option<Process> {
        None
    }
    fn user(&mut self, _: u32, _: Whose<'_>) -> Lookup<User> {
        Lookup::Nobody
    }
    fn group(&mut self, _: u32, _: Whose<'_>) -> Lookup<Vec<u8>> {
        Lookup::Nobody
    }
    fn cgroup_path(&mut self, _: u64, _: u32) -> Option<Vec<u8>> {
        Some(format!("/docker/{ID}").into_bytes())
    }
}
