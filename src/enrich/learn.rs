//! What [`Enrich`] asks the host: processes that it did not see start, names, paths of cgroups. Each answer is kept and
//! written down as a fact; "there is none" is an answer, too. In a replay the host knows nothing and the facts came first.

use std::sync::Arc;

use eyas_ebpf::Head;
use eyas_event::{BootTime, Host, Process, ProcessKey};
use rustc_hash::FxHashSet;

use crate::container::{ROOT_CGROUP, container_id, is_v1_cgroup};
use crate::facts;
use crate::fold::Enrich;

/// How many cgroups are remembered; a node has some thousands. When there are more, those that no known process is in are
/// forgotten. If that does not help, it is tried again after as many more as `CGROUPS_STEP` says.
const CGROUPS_MAX: usize = 65_536;
const CGROUPS_STEP: usize = 4_096;

impl<H: Host> Enrich<H> {
    /// Puts a process that the host told of into the table, with the names it needs, and writes all that down.
    pub(crate) fn take_in(&mut self, mut p: Process, facts: &mut Vec<u8>) {
        for uid in [p.uid, p.euid, p.loginuid] {
            self.learn_user(uid, facts);
        }
        self.learn_group(p.egid, facts);
        p.container = self.container(p.cgroup, p.key.pid, facts);
        facts::put_process(&p, false, facts);
        self.table.insert(Arc::new(p));
    }

    pub(crate) fn learn_parent(&mut self, key: ProcessKey, facts: &mut Vec<u8>) {
        if key.pid != 0 && self.table.get(key).is_none() {
            self.learn(key, facts);
        }
    }

    /// Asks the host for a process; whether it was that very one and could be taken in.
    pub(crate) fn learn(&mut self, key: ProcessKey, facts: &mut Vec<u8>) -> bool {
        let Some(mut p) = self.host.process(key.pid).filter(|p| p.key == key) else { return false };
        if !self.wants(&p) {
            return false;
        }
        p.parent.start = self.table.by_pid(p.parent.pid).map_or(0, |q| q.key.start);
        self.take_in(p, facts);
        true
    }

    pub(crate) fn learn_user(&mut self, uid: u32, facts: &mut Vec<u8>) {
        if uid != u32::MAX && !self.names.has_user(uid) {
            let name = self.host.user(uid);
            facts::put_user(uid, name.as_deref().unwrap_or_default(), facts);
            self.names.set_user(uid, name.as_deref());
        }
    }

    pub(crate) fn learn_group(&mut self, gid: u32, facts: &mut Vec<u8>) {
        if gid != u32::MAX && !self.names.has_group(gid) {
            let name = self.host.group(gid);
            facts::put_group(gid, name.as_deref().unwrap_or_default(), facts);
            self.names.set_group(gid, name.as_deref());
        }
    }

    /// The container behind a cgroup.
    pub(crate) fn container(&mut self, cgroup: u64, pid: u32, facts: &mut Vec<u8>) -> Arc<str> {
        if cgroup == 0 {
            return self.host_container.clone();
        }
        if let Some((_, id)) = self.cgroups.get(&cgroup) {
            return id.clone();
        }
        let path = self.host.cgroup_path(cgroup, pid).unwrap_or_default();
        facts::put_cgroup(cgroup, &path, facts);
        self.set_cgroup(cgroup, &path);
        self.cgroups.get(&cgroup).map_or(&self.host_container, |c| &c.1).clone()
    }

    /// The cgroup that a process is in as it runs a new program. In the root of the v2 hierarchy it may still be in a
    /// container, by a v1 hierarchy; the host is asked, and the answer stands before the record.
    pub(crate) fn cgroup_at_exec(&mut self, head: &Head, facts: &mut Vec<u8>) -> u64 {
        let told = self.told_cgroup.take().filter(|(pid, _)| *pid == head.tgid);
        if head.cgroup != ROOT_CGROUP {
            return head.cgroup;
        }
        if let Some(id) = self.host.v1_container_cgroup(head.tgid) {
            let path = self.host.cgroup_path(id, head.tgid).unwrap_or_default();
            facts::put_cgroup_of(id, &path, head.tgid, facts);
            self.set_cgroup(id, &path);
            return id;
        }
        told.map_or_else(|| self.cgroup_now(head), |(_, id)| id)
    }

    /// The cgroup that a record's process is in: what the kernel says, or the v1 one that it was found in.
    pub(crate) fn cgroup_now(&self, head: &Head) -> u64 {
        let known = self.table.get(ProcessKey::at(head.tgid, BootTime(head.start))).map(|p| p.cgroup);
        known.filter(|id| head.cgroup == ROOT_CGROUP && is_v1_cgroup(*id)).unwrap_or(head.cgroup)
    }

    pub(crate) fn set_cgroup(&mut self, id: u64, path: &[u8]) {
        // Those of a process that is kept must stay, because a keyframe tells its container by them.
        let len = self.cgroups.len();
        if len >= CGROUPS_MAX && len.is_multiple_of(CGROUPS_STEP) && !self.cgroups.contains_key(&id) {
            let used: FxHashSet<u64> =
                self.table.running().into_iter().chain(self.table.ended()).map(|p| p.cgroup).collect();
            self.cgroups.retain(|id, _| used.contains(id));
        }
        let container = std::str::from_utf8(path).ok().and_then(container_id);
        let container = container.map_or_else(|| self.host_container.clone(), Arc::from);
        self.cgroups.insert(id, (path.into(), container));
    }
}
