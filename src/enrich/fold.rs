//! [`Enrich`]: the fold over records. It keeps what an event needs beside its own record, asks the host for what it
//! missed, and writes each answer into the stream as a fact before the record that needed it.

use std::sync::Arc;

use eyas_ebpf::{Argv, Body as Raw, CgroupFixed, Exec, ExecFlags, ForkFixed, Head, HeadFlags, Kind, Record};
use eyas_event::event::Body;
use eyas_event::process::ProcessFlags;
use eyas_event::{BootTime, Event, EventType, Host, Names, Process, ProcessKey, ProcessTable, User};
use rustc_hash::FxHashMap;

use crate::call;
use crate::facts;
use crate::open_connect::{self, Scratch};
use crate::waiting::{Exec as WaitingExec, Waiting};

/// Counters of what the fold met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FoldStats {
    /// Events handed out.
    pub events: u64,
    /// Records of a kind that this version does not know.
    pub unknown_records: u64,
    /// Processes that were neither seen to start nor found on the host.
    pub unknown_processes: u64,
}

/// The fold.
#[derive(Debug)]
pub struct Enrich<H> {
    pub(crate) host: H,
    /// Facts about processes of other pid namespaces are not asked for.
    only_pid_ns: Option<u32>,
    node: Arc<str>,
    wall_offset_ns: i64,
    pub(crate) table: ProcessTable,
    pub(crate) names: Names,
    pub(crate) cgroups: FxHashMap<u64, (Box<[u8]>, Arc<str>)>,
    /// Cgroups that were found to be no container's and that nobody has been told of.
    pub(crate) of_the_host: Vec<u64>,
    /// When the names of users and groups were last taken for old, by the clock of records.
    pub(crate) names_asked: u64,
    /// The process that the last fact put into a cgroup of a v1 hierarchy.
    pub(crate) told_cgroup: Option<(u32, u64)>,
    pub(crate) host_container: Arc<str>,
    /// When the first event was.
    first: Option<BootTime>,
    /// When the last one was.
    previous: Option<BootTime>,
    pub(crate) waiting: Waiting,
    /// By x86-64 number.
    calls: Box<[Option<EventType>]>,
    scratch: Scratch,
    stats: FoldStats,
    /// The number of the newest event; a recording goes on counting where its keyframe says.
    number: u64,
}

/// What [`Enrich::fold`] hands each event to.
type Judge<'j> = &'j mut dyn FnMut(&Event<'_>);

impl<H: Host> Enrich<H> {
    /// A fold that knows nothing yet.
    pub fn new(host: H) -> Self {
        Self {
            node: host.node().into(),
            wall_offset_ns: host.wall_offset_ns(),
            host,
            only_pid_ns: None,
            table: ProcessTable::default(),
            names: Names::default(),
            cgroups: FxHashMap::default(),
            of_the_host: Vec::new(),
            names_asked: 0,
            told_cgroup: None,
            host_container: Process::HOST.into(),
            first: None,
            previous: None,
            waiting: Waiting::default(),
            calls: call::event_types(),
            scratch: Scratch::default(),
            stats: FoldStats::default(),
            number: 0,
        }
    }

    /// Asks the host only about processes of one pid namespace, so that a recording of it holds nothing of the rest
    /// of the machine.
    #[must_use]
    pub fn only_pid_namespace(mut self, inode: Option<u32>) -> Self {
        self.only_pid_ns = inode;
        self
    }

    /// Takes in the processes that run already. Call it once, after the hooks are on and before the first record;
    /// then [`Enrich::keyframe`] tells the recording.
    pub fn snapshot(&mut self) {
        let mut found = Vec::new();
        self.host.processes(&mut |p| found.push(p));
        let starts: FxHashMap<u32, u64> = found.iter().map(|p| (p.key.pid, p.key.start)).collect();
        // The first process of each pid namespace; those of namespaces below are not visible as such from here.
        let firsts: FxHashMap<u32, BootTime> =
            found.iter().filter(|p| p.vpid == 1 && p.pid_ns != 0).map(|p| (p.pid_ns, p.started)).collect();
        let mut unwritten = Vec::new();
        for mut p in found {
            if let Some(first) = firsts.get(&p.pid_ns) {
                p.namespace_started = *first;
            }
            if !self.wants(&p) {
                continue;
            }
            p.parent.start = starts.get(&p.parent.pid).copied().unwrap_or(0);
            self.take_in(p, &mut unwritten);
        }
    }

    /// Whether a keyframe tells everything: not while an exec waits for the rest of its arguments.
    pub fn can_keyframe(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The cgroups that were asked for and found to be no container's since the last call.
    pub fn host_cgroups(&mut self) -> impl Iterator<Item = u64> + '_ {
        self.of_the_host.drain(..)
    }

    /// Appends everything known as facts: a replay that begins here knows what the fold knows now, and one that comes
    /// by forgets everything else. What goes first when the tables are full is told first.
    pub fn keyframe(&self, out: &mut Vec<u8>) {
        facts::put_clock(
            self.node.as_bytes(),
            self.wall_offset_ns,
            self.number,
            [self.first, self.previous],
            out,
        );
        for ((container, uid), user) in sorted(self.names.users()) {
            facts::put_user(container, uid, user, out);
        }
        for ((container, gid), name) in sorted(self.names.groups()) {
            facts::put_group(container, gid, name.unwrap_or_default(), out);
        }
        for (name, addresses) in self.names.hosts() {
            facts::put_addresses(name, addresses, out);
        }
        for (id, (path, _)) in sorted(self.cgroups.iter().map(|(id, c)| (*id, c))) {
            facts::put_cgroup(id, path, out);
        }
        for p in self.table.running() {
            facts::put_process(p, false, out);
        }
        for p in self.table.ended() {
            facts::put_process(p, true, out);
        }
    }

    /// Takes in one record. Facts that had to be asked for are appended to `facts`: they belong before the record in
    /// the recording. Every event that the record completes goes to `judge`; mostly that is one.
    pub fn fold(&mut self, record: &Record<'_>, facts: &mut Vec<u8>, judge: Judge<'_>) {
        let head = &record.head;
        if record.body.kind().is_some_and(Kind::is_kernel) {
            self.ask_anew_after_a_while(head.time);
        }
        match record.body {
            Raw::Exec(exec) => self.exec(head, &exec, facts, judge),
            Raw::Argv(argv) => self.argv(head, &argv, judge),
            Raw::Fork(fork) => self.fork(head, &fork, facts, judge),
            Raw::Exit(exit) => {
                // Two last threads that end at once may both tell of it (docs/kernel.md).
                if self.table.has_ended(ProcessKey::at(head.tgid, BootTime(head.start))) {
                    return;
                }
                let known = self.settle(head, facts, judge);
                self.hand_out(head, &known, EventType::PROCEXIT, Body::Exit { status: exit.status }, judge);
                self.table.end(known.key);
            }
            Raw::Open(open) => {
                let known = self.settle(head, facts, judge);
                let kind = match open.fixed.syscall {
                    2 => EventType::OPEN,
                    85 => EventType::CREAT,
                    437 => EventType::OPENAT2,
                    _ => EventType::OPENAT,
                };
                let mut scratch = self.blank();
                let body = open_connect::open(&open, &mut scratch);
                self.hand_out(head, &known, kind, body, judge);
                self.scratch = scratch;
            }
            Raw::Connect(connect) => {
                let known = self.settle(head, facts, judge);
                let mut scratch = self.blank();
                let body = open_connect::connect(&connect, &mut scratch);
                self.hand_out(head, &known, EventType::CONNECT, body, judge);
                self.scratch = scratch;
            }
            Raw::ExecFailed(failed) => {
                let known = self.settle(head, facts, judge);
                let (ret, given) = (failed.fixed.ret, failed.given);
                let kind = exec_kind(failed.fixed.syscall);
                let mut scratch = self.blank();
                scratch.absolute(failed.base, given);
                let body = Body::ExecFailed { ret, given, name: &scratch.name };
                self.hand_out(head, &known, kind, body, judge);
                self.scratch = scratch;
            }
            Raw::Call(call) => {
                let Some(kind) = self.calls.get(call.fixed.syscall as usize).copied().flatten() else {
                    self.stats.unknown_records += 1;
                    return;
                };
                let known = self.settle(head, facts, judge);
                self.change(known.key, head.tid, &call, kind);
                let mut scratch = self.blank();
                let body = call::body(&call, kind, &mut scratch);
                self.hand_out(head, &known, kind, Body::Call(&body), judge);
                self.scratch = scratch;
            }
            Raw::Process(exec) => self.process_fact(head, &exec),
            Raw::Clock(clock) => {
                // A keyframe begins: from here on what it says is known, and nothing else. A recording may hold several
                // runs, even of several boots, and the later run knew nothing of the earlier.
                self.finish(judge);
                self.wall_offset_ns = clock.fixed.wall_offset_ns;
                self.node = String::from_utf8_lossy(clock.node).into();
                self.number = head.seq;
                self.first = Some(BootTime(head.time)).filter(|first| first.0 != 0);
                self.previous = Some(BootTime(head.start)).filter(|previous| previous.0 != 0);
                self.table = ProcessTable::default();
                self.names = Names::default();
                self.cgroups.clear();
            }
            Raw::Cgroup(cgroup) => {
                self.set_cgroup(cgroup.fixed.id, cgroup.path);
                let CgroupFixed { tgid, id, .. } = cgroup.fixed;
                // Others may stand between it and the exec.
                if tgid != 0 {
                    self.told_cgroup = Some((tgid, id));
                }
            }
            Raw::Account(account) => self.set_account(&account),
            // Recordings of earlier versions have these, of the host alone.
            Raw::User(user) => {
                let known = User { name: user.name.into(), ..User::default() };
                let user_known = (!user.name.is_empty()).then_some(known);
                self.names.set_user(Process::HOST, user.fixed.uid, user_known);
            }
            Raw::Group(group) => {
                let name = Some(group.name).filter(|n| !n.is_empty());
                self.names.set_group(Process::HOST, group.fixed.gid, name);
            }
            Raw::Addresses(addresses) => self.set_addresses(&addresses),
            Raw::Loss(_) => {}
            Raw::Unknown(..) => self.stats.unknown_records += 1,
        }
    }

    /// Hands out what still waits for more: nothing more will come.
    pub fn finish(&mut self, judge: Judge<'_>) {
        while let Some(exec) = self.waiting.take_oldest() {
            self.hand_out_exec(exec, judge);
        }
    }

    /// The processes known.
    pub fn table(&self) -> &ProcessTable {
        &self.table
    }

    /// Counters.
    pub fn stats(&self) -> FoldStats {
        self.stats
    }

    /// The node that the records come from.
    pub fn node(&self) -> &Arc<str> {
        &self.node
    }

    /// Wall time minus boot time, in nanoseconds.
    pub fn wall_offset_ns(&self) -> i64 {
        self.wall_offset_ns
    }

    pub(crate) fn wants(&self, p: &Process) -> bool {
        self.only_pid_ns.is_none_or(|ns| p.pid_ns == ns)
    }

    fn process_fact(&mut self, head: &Head, exec: &Exec<'_>) {
        let container = self.cgroups.get(&head.cgroup).map_or(&self.host_container, |c| &c.1).clone();
        let p = facts::process_of(head, exec, container);
        let key = p.key;
        self.table.insert(Arc::new(p));
        if exec.fixed.flags.has(ExecFlags::ENDED) {
            self.table.end(key);
        }
    }

    fn exec(&mut self, head: &Head, exec: &Exec<'_>, facts: &mut Vec<u8>, judge: Judge<'_>) {
        let cgroup = self.cgroup_at_exec(head, exec, facts);
        let container = self.container(cgroup, head.tgid, facts);
        self.learn_user(&container, head.uid, head.tgid, facts);
        self.learn_user(&container, exec.fixed.loginuid, head.tgid, facts);
        self.learn_group(&container, head.gid, head.tgid, facts);
        let mut process = facts::process_of(head, exec, container);
        process.cgroup = cgroup;
        // The parent at birth, as far as the birth was seen: by now the process may have been given to a reaper. That one
        // takes the place of a parent that ended so long ago that it is forgotten.
        if let Some(known) = self.table.get(process.key).map(|p| p.parent)
            && known.start != 0
            && self.table.get(known).is_some()
        {
            process.parent = known;
        }
        self.learn_parent(process.parent, facts);
        let (key, kind) = (process.key, exec_kind(exec.fixed.syscall));
        self.finish_waiting(key, head.time, judge);
        let exec_now = WaitingExec { head: *head, kind, process, total: exec.fixed.args_total };
        if exec.fixed.flags.has(ExecFlags::ARGV_MORE) {
            if let Some(oldest) = self.waiting.push(exec_now, exec.argv) {
                self.hand_out_exec(oldest, judge);
            }
            return;
        }
        self.hand_out_exec(exec_now, judge);
    }

    fn argv(&mut self, head: &Head, piece: &Argv<'_>, judge: Judge<'_>) {
        self.finish_overdue(head.time, judge);
        let key = ProcessKey::at(head.tgid, BootTime(head.start));
        if self.waiting.add(key, piece)
            && let Some(exec) = self.waiting.take(key)
        {
            self.hand_out_exec(exec, judge);
        }
    }

    /// Hands out the execs that a record ends the waiting of, each with the arguments that did arrive: that of its process, which
    /// does something else by now, and those that are overdue. A record calls this when everything was asked that it needs,
    /// because a replay has read all these facts before it comes to the record.
    fn finish_waiting(&mut self, key: ProcessKey, now: u64, judge: Judge<'_>) {
        self.finish_overdue(now, judge);
        if let Some(exec) = self.waiting.take(key) {
            self.hand_out_exec(exec, judge);
        }
    }

    fn finish_overdue(&mut self, now: u64, judge: Judge<'_>) {
        while let Some(late) = self.waiting.overdue(BootTime(now)) {
            self.hand_out_exec(late, judge);
        }
    }

    fn hand_out_exec(&mut self, mut exec: WaitingExec, judge: Judge<'_>) {
        if (exec.process.argv.len() as u64) < exec.total {
            exec.process.flags = exec.process.flags.with(ProcessFlags::ARGS_INCOMPLETE);
        }
        let process = Arc::new(exec.process);
        self.table.insert(process.clone());
        self.hand_out(&exec.head, &process, exec.kind, Body::Exec, judge);
    }

    /// A new process is its caller's image under a new id, until it runs something else.
    fn fork(&mut self, head: &Head, fork: &ForkFixed, facts: &mut Vec<u8>, judge: Judge<'_>) {
        let caller = self.caller(head, facts);
        let started = BootTime(fork.start);
        let key = ProcessKey::at(fork.tgid, started);
        let parent = ProcessKey::at(fork.ppid, BootTime(fork.parent_start));
        self.learn_parent(parent, facts);
        self.container(fork.cgroup, fork.tgid, facts);
        let caller = self.after_waiting(caller, head, facts, judge);
        let cgroup = self.cgroup_beside(caller.cgroup, fork.cgroup, fork.tgid, facts);
        let container = self.container(cgroup, fork.tgid, facts);
        let known = self.table.get(key).filter(|p| p.key == key && !p.flags.has(ProcessFlags::PARTIAL));
        let child = match known {
            // The host was asked after this was sent. What it said is the child's own and newer than the caller's image,
            // which may have changed or gone since; only the birth is told better here.
            Some(own) => Process { parent, started, ..Process::clone(own) },
            None => Process {
                key,
                parent,
                started,
                comm: facts::comm(&fork.comm).into(),
                vpid: fork.vpid,
                vpgid: fork.vpgid,
                pid_ns: fork.pidns,
                namespace_started: match fork.pidns == caller.pid_ns {
                    true => caller.namespace_started,
                    // A new namespace begins with its first process.
                    false if fork.vpid == 1 => started,
                    false => BootTime(0),
                },
                pgid: fork.pgid,
                sid: fork.sid,
                cgroup,
                container,
                flags: caller.flags.without(ProcessFlags::SNAPSHOT),
                ..Process::clone(&caller)
            },
        };
        self.table.insert(Arc::new(child));
    }

    /// Makes sure that the record's process is known as it is now, and gives it.
    fn settle(&mut self, head: &Head, facts: &mut Vec<u8>, judge: Judge<'_>) -> Arc<Process> {
        let known = self.caller(head, facts);
        self.learn_names(&known.container, head, facts);
        self.after_waiting(known, head, facts, judge)
    }

    /// The record's process once the execs are handed out that this record ends the waiting of; one may be its own.
    fn after_waiting(
        &mut self,
        known: Arc<Process>,
        head: &Head,
        facts: &mut Vec<u8>,
        judge: Judge<'_>,
    ) -> Arc<Process> {
        if self.waiting.is_empty() {
            return known;
        }
        // All that the new image is asked for must be asked for before.
        if let Some((cgroup, loginuid)) = self.waiting.process(known.key).map(|p| (p.cgroup, p.loginuid)) {
            let cgroup = self.cgroup_beside(cgroup, head.cgroup, head.tgid, facts);
            let container = self.container(cgroup, head.tgid, facts);
            self.learn_names(&container, head, facts);
            self.learn_user(&container, loginuid, head.tgid, facts);
        }
        self.finish_waiting(known.key, head.time, judge);
        let now = self.table.get(known.key).cloned().unwrap_or(known);
        self.in_its_cgroup(now, head, facts)
    }

    /// The process that a record is of.
    fn caller(&mut self, head: &Head, facts: &mut Vec<u8>) -> Arc<Process> {
        let key = ProcessKey::at(head.tgid, BootTime(head.start));
        if let Some(known) = self.table.get(key).cloned().or_else(|| self.learn(key, facts)) {
            return self.in_its_cgroup(known, head, facts);
        }
        self.stats.unknown_processes += 1;
        let partial = Arc::new(Process {
            key,
            started: BootTime(head.start),
            uid: head.uid,
            euid: head.uid,
            gid: head.gid,
            egid: head.gid,
            loginuid: u32::MAX,
            audit_session: u32::MAX,
            cgroup: head.cgroup,
            container: self.container(head.cgroup, head.tgid, facts),
            flags: ProcessFlags::PARTIAL,
            ..Process::default()
        });
        self.table.insert(partial.clone());
        partial
    }

    /// A process where the record says that it is: it may have been moved to another cgroup since it was last heard of.
    fn in_its_cgroup(&mut self, known: Arc<Process>, head: &Head, facts: &mut Vec<u8>) -> Arc<Process> {
        let cgroup = self.cgroup_beside(known.cgroup, head.cgroup, head.tgid, facts);
        if known.cgroup == cgroup {
            return known;
        }
        let container = self.container(cgroup, head.tgid, facts);
        self.learn_user(&container, known.loginuid, head.tgid, facts);
        let moved = Arc::new(Process { cgroup, container, ..Process::clone(&known) });
        self.table.insert(moved.clone());
        moved
    }

    /// The buffers for an event's texts, empty; they are put back when the event has been judged.
    fn blank(&mut self) -> Scratch {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        scratch
    }

    /// Hands an event to be judged, with the newest value of its process; or the one that was known just before, if the table has
    /// forgotten it since to make room.
    fn hand_out(
        &mut self,
        head: &Head,
        known: &Arc<Process>,
        kind: EventType,
        body: Body<'_>,
        judge: Judge<'_>,
    ) {
        let process = self.table.get(known.key).unwrap_or(known);
        self.stats.events += 1;
        // The number may come from a recording, and that may hold any number.
        self.number = self.number.saturating_add(1);
        let boot_time = BootTime(head.time);
        let first = *self.first.get_or_insert(boot_time);
        let previous = self.previous.replace(boot_time).unwrap_or(boot_time);
        judge(&Event {
            num: self.number,
            time: boot_time.to_wall(self.wall_offset_ns),
            boot_time,
            first,
            previous,
            cpu: head.cpu,
            kind,
            tid: head.tid,
            uid: head.uid,
            gid: head.gid,
            node: &self.node,
            process,
            table: &self.table,
            names: &self.names,
            uring: head.flags.has(HeadFlags::URING),
            body,
        });
    }
}

fn exec_kind(syscall: u32) -> EventType {
    const EXECVEAT: u32 = 322;
    if syscall == EXECVEAT { EventType::EXECVEAT } else { EventType::EXECVE }
}

/// Maps have no order; recordings are to be the same every time.
fn sorted<K: Ord + Copy, V>(pairs: impl Iterator<Item = (K, V)>) -> Vec<(K, V)> {
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort_by_key(|(key, _)| *key);
    pairs
}
