//! What [`Enrich`] asks the host: processes that it did not see start, names, paths of cgroups. Each answer is kept and
//! written down as a fact; "there is none" is an answer, too. In a replay the host knows nothing and the facts came first.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use eyas_ebpf::{Account, AccountFixed, Addresses, Exec, Head};
use eyas_event::{BootTime, Host, Lookup, Process, ProcessKey, User, Whose};
use rustc_hash::FxHashSet;

use crate::container::{ROOT_CGROUP, container_id, is_v1_cgroup};
use crate::facts;
use crate::fold::Enrich;

/// How many cgroups are remembered; a node has some thousands. When there are more, those that no known process is in are
/// forgotten. If that does not help, it is tried again after as many more as `CGROUPS_STEP` says.
const CGROUPS_MAX: usize = 65_536;
const CGROUPS_STEP: usize = 4_096;

/// How long what a user or a group is called is believed, in nanoseconds: a file that changes is noticed so late.
const NAMES_AGE: u64 = 5_000_000_000;

impl<H: Host> Enrich<H> {
    /// Puts a process that the host told of into the table, with the names it needs, and writes all that down.
    pub(crate) fn take_in(&mut self, mut p: Process, facts: &mut Vec<u8>) -> Arc<Process> {
        p.container = self.container(p.cgroup, p.key.pid, facts);
        for uid in [p.uid, p.euid, p.loginuid] {
            self.learn_user(&p.container, uid, p.key.pid, facts);
        }
        self.learn_group(&p.container, p.egid, p.key.pid, facts);
        facts::put_process(&p, false, facts);
        let process = Arc::new(p);
        self.table.insert(process.clone());
        process
    }

    pub(crate) fn learn_parent(&mut self, key: ProcessKey, facts: &mut Vec<u8>) {
        if key.pid != 0 && self.table.get(key).is_none() {
            self.learn(key, facts);
        }
    }

    /// Asks the host for a process, and takes it in if it is that very one.
    pub(crate) fn learn(&mut self, key: ProcessKey, facts: &mut Vec<u8>) -> Option<Arc<Process>> {
        let mut p = self.host.process(key.pid).filter(|p| p.key == key && self.wants(p))?;
        p.parent.start = self.table.by_pid(p.parent.pid).map_or(0, |q| q.key.start);
        Some(self.take_in(p, facts))
    }

    /// Asks for a user of the container, or of the host, that a process is in.
    pub(crate) fn learn_user(&mut self, container: &str, uid: u32, pid: u32, facts: &mut Vec<u8>) {
        if uid == u32::MAX || self.names.has_user(container, uid) {
            return;
        }
        let user = match self.host.user(uid, whose(container, pid)) {
            Lookup::Found(user) => Some(user),
            Lookup::Nobody => None,
            Lookup::Unknown => {
                self.names.keep_user(container, uid);
                return;
            }
        };
        if self.names.set_user(container, uid, user) {
            facts::put_user(container, uid, self.names.user(container, uid), facts);
        }
    }

    /// The same for a group.
    pub(crate) fn learn_group(&mut self, container: &str, gid: u32, pid: u32, facts: &mut Vec<u8>) {
        if gid == u32::MAX || self.names.has_group(container, gid) {
            return;
        }
        let name = match self.host.group(gid, whose(container, pid)) {
            Lookup::Found(name) => Some(name),
            Lookup::Nobody => None,
            Lookup::Unknown => {
                self.names.keep_group(container, gid);
                return;
            }
        };
        if self.names.set_group(container, gid, name.as_deref()) {
            facts::put_group(container, gid, name.as_deref().unwrap_or_default(), facts);
        }
    }

    /// Takes in what a fact says of a user or a group.
    pub(crate) fn set_account(&mut self, account: &Account<'_>) {
        let container = match account.container {
            [] => Process::HOST,
            // Only a recording that nobody made holds another.
            id => std::str::from_utf8(id).unwrap_or(Process::HOST),
        };
        let id = account.fixed.id;
        let there = !account.name.is_empty();
        if account.fixed.what == AccountFixed::GROUP {
            self.names.set_group(container, id, there.then_some(account.name));
        } else {
            let [name, home, shell] = [account.name, account.home, account.shell].map(Into::into);
            self.names.set_user(container, id, there.then_some(User { name, home, shell }));
        }
    }

    /// From here on a host name leads to these addresses.
    pub fn learn_addresses(&mut self, name: &[u8], addresses: &[IpAddr], facts: &mut Vec<u8>) {
        facts::put_addresses(name, addresses, facts);
        self.names.set_addresses(name, addresses.iter().copied());
    }

    /// The host names that lead to an address.
    pub fn hosts(&self) -> impl Iterator<Item = &[u8]> {
        self.names.hosts().map(|(name, _)| name)
    }

    /// Takes in what a fact says of a host name.
    pub(crate) fn set_addresses(&mut self, addresses: &Addresses<'_>) {
        let found = addresses.each().map(|bytes| Ipv6Addr::from(bytes).into());
        self.names.set_addresses(addresses.name, found);
    }

    /// What users and groups are called is believed for a while.
    pub(crate) fn ask_anew_after_a_while(&mut self, now: u64) {
        if now.saturating_sub(self.names_asked) >= NAMES_AGE {
            self.names_asked = now;
            self.names.begin_round();
        }
    }

    /// The names of a record's user and group, which the record has of its own.
    pub(crate) fn learn_names(&mut self, container: &str, head: &Head, facts: &mut Vec<u8>) {
        self.learn_user(container, head.uid, head.tgid, facts);
        self.learn_group(container, head.gid, head.tgid, facts);
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
        let container = self.cgroups.get(&cgroup).map_or(&self.host_container, |c| &c.1).clone();
        // A process in it may be in a container all the same, by a v1 hierarchy; without a path nobody knows.
        if *container == *Process::HOST
            && !path.is_empty()
            && cgroup != ROOT_CGROUP
            && !is_v1_cgroup(cgroup)
            && !self.host.has_v1_hierarchies()
        {
            self.of_the_host.push(cgroup);
        }
        container
    }

    /// The cgroup that a process is in as it runs a new program. Where that of the v2 hierarchy is no container's, it may still
    /// be in a container by a v1 hierarchy; the host is asked, and the answer stands before the record.
    pub(crate) fn cgroup_at_exec(&mut self, head: &Head, exec: &Exec<'_>, facts: &mut Vec<u8>) -> u64 {
        let told = self.told_cgroup.take().filter(|(pid, _)| *pid == head.tgid);
        if *self.container(head.cgroup, head.tgid, facts) != *Process::HOST {
            return head.cgroup;
        }
        if let Some(id) = self.host.v1_container_cgroup(head.tgid, exec.more().v1_groups) {
            let path = self.host.cgroup_path(id, head.tgid).unwrap_or_default();
            facts::put_cgroup_of(id, &path, head.tgid, facts);
            self.set_cgroup(id, &path);
            return id;
        }
        told.map_or_else(|| self.cgroup_now(head, facts), |(_, id)| id)
    }

    /// The cgroup that a record's process is in: what the kernel says, or the v1 one that it was found in.
    pub(crate) fn cgroup_now(&mut self, head: &Head, facts: &mut Vec<u8>) -> u64 {
        let key = ProcessKey::at(head.tgid, BootTime(head.start));
        let known = self.waiting.process(key).or_else(|| self.table.get(key).map(|p| &**p));
        known
            .map(|p| p.cgroup)
            .map_or(head.cgroup, |known| self.cgroup_beside(known, head.cgroup, head.tgid, facts))
    }

    /// The cgroup of who was in that one and is in this one of the v2 hierarchy: still the former, if it is of a v1 hierarchy and the
    /// latter no container's.
    pub(crate) fn cgroup_beside(&mut self, known: u64, v2: u64, pid: u32, facts: &mut Vec<u8>) -> u64 {
        let stays = is_v1_cgroup(known) && *self.container(v2, pid, facts) == *Process::HOST;
        if stays { known } else { v2 }
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

/// Whose files say what the users of a process are called.
fn whose(container: &str, pid: u32) -> Whose<'_> {
    if container == Process::HOST { Whose::Host } else { Whose::Container { id: container, pid } }
}
