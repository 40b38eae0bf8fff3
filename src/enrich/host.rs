//! [`LiveHost`]: the machine itself, asked through procfs, the cgroup file system and the user database files. It does
//! not read clocks or the environment: node name and clock offset are given to it.

use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use eyas_event::{Host, Lookup, Process, User, Whose};
use rustc_hash::FxHashMap;

use crate::accounts::{Accounts, Kind};
use crate::container::{ROOT_CGROUP, container_id, container_path, is_v1_cgroup, v1_cgroup_id};
use crate::procfs;
use crate::v1::V1;

/// How many cgroup paths are remembered. A busy node has some thousands; beyond that the memory starts anew.
const CGROUPS_MAX: usize = 65_536;

/// The machine that eyas runs on.
#[derive(Debug)]
pub struct LiveHost {
    node: String,
    wall_offset_ns: i64,
    proc_root: PathBuf,
    cgroup_mount: Option<PathBuf>,
    cgroups: FxHashMap<u64, Vec<u8>>,
    v1: V1,
    accounts: Accounts,
}

impl LiveHost {
    /// The machine, under the given name; `wall_offset_ns` is wall time minus boot time.
    pub fn new(node: String, wall_offset_ns: i64) -> Self {
        Self {
            node,
            wall_offset_ns,
            proc_root: "/proc".into(),
            cgroup_mount: fs::read_to_string("/proc/self/mountinfo")
                .ok()
                .and_then(|text| cgroup2_mount(&text)),
            cgroups: FxHashMap::default(),
            v1: V1::default(),
            accounts: Accounts::new(Path::new("/"), Path::new("/proc")),
        }
    }

    fn complete(&self, (mut process, paths): (Process, Vec<Vec<u8>>)) -> Process {
        // The first path is that of the v2 hierarchy, where there is one.
        let v2 = self.cgroup_of(&paths);
        let v1 = if v2.is_some() { paths.get(1..).unwrap_or_default() } else { &paths[..] };
        process.cgroup = match v2 {
            Some(id) if container_path(&paths[..1]).is_some() => id,
            _ => container_path(v1).map_or_else(|| v2.unwrap_or(ROOT_CGROUP), v1_cgroup_id),
        };
        let container = paths.iter().find_map(|p| container_id(std::str::from_utf8(p).ok()?));
        if let Some(id) = container {
            process.container = id.into();
        }
        process
    }

    /// The id of the v2 cgroup among a process's paths: the inode of its directory.
    fn cgroup_of(&self, paths: &[Vec<u8>]) -> Option<u64> {
        let mount = self.cgroup_mount.as_ref()?;
        let path = std::str::from_utf8(paths.first()?).ok()?;
        Some(fs::metadata(mount.join(path.trim_start_matches('/'))).ok()?.ino())
    }

    fn make_room(&mut self) {
        if self.cgroups.len() >= CGROUPS_MAX {
            self.cgroups.clear();
        }
    }

    /// Reads the whole cgroup tree: there are far fewer cgroups than processes, and one walk serves all of them.
    fn walk_cgroups(&mut self) {
        let Some(mount) = self.cgroup_mount.clone() else { return };
        self.make_room();
        let mut todo = vec![(mount, Vec::new())];
        while let Some((dir, path)) = todo.pop() {
            let Ok(meta) = fs::metadata(&dir) else { continue };
            let shown = if path.is_empty() { b"/".to_vec() } else { path.clone() };
            self.cgroups.insert(meta.ino(), shown);
            let Ok(entries) = fs::read_dir(&dir) else { continue };
            for entry in entries.flatten().filter(|e| e.file_type().is_ok_and(|t| t.is_dir())) {
                let mut below = path.clone();
                below.push(b'/');
                below.extend_from_slice(&entry.file_name().into_vec());
                todo.push((entry.path(), below));
            }
        }
    }
}

impl Host for LiveHost {
    fn node(&self) -> &str {
        &self.node
    }

    fn wall_offset_ns(&self) -> i64 {
        self.wall_offset_ns
    }

    fn processes(&mut self, out: &mut dyn FnMut(Process)) {
        for pid in procfs::pids(&self.proc_root) {
            if let Some(found) = procfs::read(&self.proc_root, pid) {
                out(self.complete(found));
            }
        }
    }

    fn process(&mut self, pid: u32) -> Option<Process> {
        Some(self.complete(procfs::read(&self.proc_root, pid)?))
    }

    fn user(&mut self, uid: u32, whose: Whose<'_>) -> Lookup<User> {
        self.accounts.ask(Kind::Passwd, uid, whose)
    }

    fn group(&mut self, gid: u32, whose: Whose<'_>) -> Lookup<Vec<u8>> {
        match self.accounts.ask(Kind::Group, gid, whose) {
            Lookup::Found(group) => Lookup::Found(group.name.into()),
            Lookup::Nobody => Lookup::Nobody,
            Lookup::Unknown => Lookup::Unknown,
        }
    }

    fn has_v1_hierarchies(&mut self) -> bool {
        self.v1.are_there(&self.proc_root)
    }

    fn v1_container_cgroup(&mut self, pid: u32, groups: u64) -> Option<u64> {
        let path = self.v1.container(&self.proc_root, pid, groups)?;
        let id = v1_cgroup_id(&path);
        self.make_room();
        self.cgroups.entry(id).or_insert(path);
        Some(id)
    }

    fn cgroup_path(&mut self, id: u64, pid: u32) -> Option<Vec<u8>> {
        // Without a v2 hierarchy every process is in the same cgroup of it, so the id says nothing of this one.
        if !is_v1_cgroup(id) && self.cgroup_mount.is_none() {
            return None;
        }
        if let Some(path) = self.cgroups.get(&id) {
            return Some(path.clone());
        }
        // Mostly the process is still there and still in it; that is quicker than a walk, and as sure.
        let paths = procfs::cgroup_paths(&procfs::cgroup_text(&self.proc_root, pid));
        if is_v1_cgroup(id) {
            return paths.into_iter().find(|path| v1_cgroup_id(path) == id);
        }
        if self.cgroup_of(&paths) == Some(id) {
            return paths.into_iter().next();
        }
        self.walk_cgroups();
        if let Some(path) = self.cgroups.get(&id) {
            return Some(path.clone());
        }
        // Not in the tree that we see: gone already, or above the part that is mounted here.
        container_path(&paths).map(<[u8]>::to_vec).or(paths.into_iter().next())
    }
}

/// The mount point of the v2 cgroup hierarchy: `/sys/fs/cgroup`, or `…/unified` on a machine that runs both. A mount of a
/// part of it only, as inside a container, does not count: paths below it are not those of `/proc`.
fn cgroup2_mount(mountinfo: &str) -> Option<PathBuf> {
    mountinfo.lines().find_map(|line| {
        let (fields, kind) = line.split_once(" - ")?;
        let mut fields = fields.split(' ').skip(3);
        let (root, at) = (fields.next()?, fields.next()?);
        (root == "/" && kind.starts_with("cgroup2 ")).then(|| at.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_v2_hierarchy_is_found_on_hybrid_machines_and_not_on_old_ones() {
        let v1 = "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n";
        let part = "40 31 0:38 /pod1 /run/c/cgroup rw shared:9 - cgroup2 cgroup2 rw\n";
        let hybrid = "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw\n";
        assert_eq!(cgroup2_mount(v1), None);
        assert_eq!(cgroup2_mount(&[v1, part].concat()), None);
        let found = cgroup2_mount(&[v1, part, hybrid].concat());
        assert_eq!(found.as_deref(), Some(Path::new("/sys/fs/cgroup/unified")));
    }

    #[test]
    fn the_live_host_knows_root_and_this_process() {
        let mut host = LiveHost::new("node".into(), 0);
        let root = host.user(0, Whose::Host);
        assert!(matches!(root, Lookup::Found(user) if &*user.name == b"root" && &*user.home == b"/root"));
        assert_eq!(host.group(0, Whose::Host), Lookup::Found(b"root".to_vec()));
        assert_eq!(host.user(4_000_000_000, Whose::Host), Lookup::Nobody);
        let me = host.process(std::process::id()).expect("this process");
        let mut seen = false;
        host.processes(&mut |p| seen |= p.key == me.key);
        assert!(seen);
        if me.cgroup != 0 {
            let path = host.cgroup_path(me.cgroup, me.key.pid);
            assert!(path.is_some());
            assert!(host.cgroups.is_empty(), "it was found without a walk");
            assert_eq!(host.cgroup_path(me.cgroup, u32::MAX), path, "and with one, when the process is gone");
        }
        host.cgroup_mount = None;
        assert_eq!(host.cgroup_path(1, me.key.pid), None, "ids say nothing where there is no v2 hierarchy");
    }
}
