//! [`V1`]: which container a process is in by the v1 cgroup hierarchies, on a machine that has such. The kernel half tells
//! processes in different v1 cgroups apart by a number, so that `/proc/PID/cgroup` is read once for many.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use eyas_ebpf::v1_group;
use rustc_hash::FxHashMap;

use crate::container::container_path;
use crate::procfs::{self, Membership};

/// How long what was seen of the hierarchies is believed.
const AGE: Duration = Duration::from_secs(1);
/// How many numbers are remembered; beyond that the memory starts anew.
const KNOWN_MAX: usize = 16_384;

/// The v1 hierarchies.
#[derive(Debug, Default)]
pub(crate) struct V1 {
    /// Those that are mounted here, `None` on a machine that has none; and when that was seen.
    seen: Option<(Instant, Option<Vec<Mount>>)>,
    /// The container's path by the number of [`eyas_ebpf::ExecMore::v1_groups`].
    known: FxHashMap<u64, Option<Vec<u8>>>,
}

/// A hierarchy that is mounted whole.
#[derive(Debug)]
struct Mount {
    /// Among other words; a hierarchy without controllers has a name (`name=systemd`).
    controllers: Vec<String>,
    at: PathBuf,
}

impl V1 {
    /// The path of the cgroup by which a process is in a container. `groups` is 0 when it is not known.
    pub(crate) fn container(&mut self, proc_root: &Path, pid: u32, groups: u64) -> Option<Vec<u8>> {
        if let Some(known) = self.known.get(&groups) {
            return known.clone();
        }
        self.look(proc_root);
        let mounts = self.seen.as_ref()?.1.as_deref()?;
        // A program that starts is asked for here, and one that ends at once is gone by then.
        let text = procfs::cgroup_text(proc_root, pid);
        let paths: Vec<_> =
            procfs::memberships(&text).filter(|m| m.hierarchy != 0).map(|m| m.path.to_vec()).collect();
        let found = container_path(&paths).map(<[u8]>::to_vec);
        // It may have been moved meanwhile, or its number may be another's by now; then this says nothing of others.
        if groups != 0 && groups_of(&text, mounts) == Some(groups) {
            if self.known.len() >= KNOWN_MAX {
                self.known.clear();
            }
            self.known.insert(groups, found.clone());
        }
        found
    }

    /// Whether this machine has any.
    pub(crate) fn are_there(&mut self, proc_root: &Path) -> bool {
        self.look(proc_root);
        self.seen.as_ref().is_some_and(|(_, mounts)| mounts.is_some())
    }

    /// Looks for them. Every process, we too, has a line for each that there is.
    fn look(&mut self, proc_root: &Path) {
        if self.seen.as_ref().is_some_and(|(at, _)| at.elapsed() < AGE) {
            return;
        }
        let own = fs::read(proc_root.join("self/cgroup"));
        let has = own.map_or(true, |text| procfs::memberships(&text).any(|own| own.hierarchy != 0));
        let mounts =
            has.then(|| v1_mounts(&fs::read_to_string(proc_root.join("self/mountinfo")).unwrap_or_default()));
        self.seen = Some((Instant::now(), mounts));
    }
}

/// The number that the kernel half gives to who is in these cgroups; `None` where they cannot be found.
fn groups_of(text: &[u8], mounts: &[Mount]) -> Option<u64> {
    // That of a process that is gone.
    if text.is_empty() {
        return None;
    }
    let mut sum = 1_u64;
    for Membership { hierarchy, controllers, path } in
        procfs::memberships(text).filter(|m| m.hierarchy != 0 && m.path != b"/")
    {
        let first = std::str::from_utf8(controllers).ok()?.split(',').next()?;
        let mount = mounts.iter().find(|mount| mount.controllers.iter().any(|c| c == first))?;
        let path = std::str::from_utf8(path).ok()?;
        let ino = fs::metadata(mount.at.join(path.trim_start_matches('/'))).ok()?.ino();
        sum = sum.wrapping_add(v1_group(hierarchy, ino));
    }
    Some(sum)
}

/// Hierarchies that are mounted whole, out of `/proc/PID/mountinfo` (`proc_pid_mountinfo(5)`).
fn v1_mounts(mountinfo: &str) -> Vec<Mount> {
    let mount = |line: &str| {
        let (fields, rest) = line.split_once(" - ")?;
        let mut fields = fields.split(' ').skip(3);
        let (root, at) = (fields.next()?, fields.next()?);
        let mut rest = rest.split(' ');
        let (kind, _, options) = (rest.next()?, rest.next()?, rest.next()?);
        let controllers = options.split(',').map(str::to_owned).collect();
        (root == "/" && kind == "cgroup").then(|| Mount { controllers, at: at.into() })
    };
    mountinfo.lines().filter_map(mount).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e";

    /// A machine with two hierarchies, one of them with two controllers, and a cgroup of a container in each.
    struct Machine(tempfile::TempDir);

    impl Machine {
        fn new() -> Self {
            let dir = tempfile::tempdir().expect("a file of the test");
            let machine = Self(dir);
            for hierarchy in ["cpu", "pids"] {
                fs::create_dir_all(machine.at(hierarchy).join("docker").join(ID))
                    .expect("a file of the test");
            }
            machine.write("self/cgroup", "2:cpu,cpuacct:/\n1:pids:/\n0::/\n");
            let (cpu, pids) = (machine.at("cpu"), machine.at("pids"));
            machine.write(
                "self/mountinfo",
                &format!(
                    "30 1 0:1 / {} rw - cgroup cgroup rw,cpu,cpuacct\n31 1 0:2 / {} rw shared:1 - cgroup cgroup rw,pids\n\
                     32 1 0:2 /docker /elsewhere rw - cgroup cgroup rw,pids\n33 1 0:3 / /u rw - cgroup2 cgroup2 rw\n",
                    cpu.display(),
                    pids.display()
                ),
            );
            machine
        }

        fn at(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn write(&self, name: &str, text: &str) {
            let path = self.at(name);
            fs::create_dir_all(path.parent().expect("a file of the test")).expect("a file of the test");
            fs::write(path, text).expect("a file of the test");
        }

        /// What the kernel half says of who is in the container's cgroups.
        fn groups(&self) -> u64 {
            let id = |hierarchy| {
                fs::metadata(self.at(hierarchy).join("docker").join(ID)).expect("a file of the test").ino()
            };
            // Of all hierarchies; that of the v2 one does not count.
            [(1, id("pids")), (2, id("cpu")), (0, 4711)]
                .iter()
                .fold(1_u64, |sum, (hierarchy, id)| sum.wrapping_add(v1_group(*hierarchy, *id)))
        }
    }

    #[test]
    fn one_reading_serves_all_who_are_in_the_same_cgroups() {
        let (machine, mut v1) = (Machine::new(), V1::default());
        // The runtime's own cgroup of the v2 hierarchy, as where it manages only the others.
        let contained =
            format!("2:cpu,cpuacct:/docker/{ID}\n1:pids:/docker/{ID}\n0::/system.slice/containerd.service\n");
        machine.write("20/cgroup", &contained);
        let path = format!("/docker/{ID}").into_bytes();
        let groups = machine.groups();
        for pid in [20, 21, 22] {
            assert_eq!(v1.container(machine.0.path(), pid, groups), Some(path.clone()), "{pid} is long gone");
        }
        assert_eq!(v1.container(machine.0.path(), 21, 1), None, "that one was in none");
        assert_eq!(v1.container(machine.0.path(), 20, 0), Some(path), "without a number, it is read");
        assert_eq!(v1.container(machine.0.path(), 21, 0), None);
    }

    /// Who starts a container is still in the host's cgroups when it runs its program, and in the container's when we look.
    #[test]
    fn a_process_that_was_moved_meanwhile_says_nothing_of_others() {
        let (machine, mut v1) = (Machine::new(), V1::default());
        machine.write("20/cgroup", &format!("2:cpu,cpuacct:/docker/{ID}\n1:pids:/docker/{ID}\n0::/\n"));
        assert!(v1.container(machine.0.path(), 20, 1).is_some());
        machine.write("21/cgroup", "2:cpu,cpuacct:/\n1:pids:/\n0::/\n");
        assert_eq!(v1.container(machine.0.path(), 21, 1), None);
        assert_eq!(v1.known.get(&1), Some(&None));
    }

    /// Where only the place in a hierarchy with a name has changed since, that is no other container's number. The place in the
    /// v2 hierarchy is not looked at: who asks has looked there.
    #[test]
    fn every_v1_hierarchy_is_in_the_number() {
        let (machine, mut v1) = (Machine::new(), V1::default());
        machine
            .write("20/cgroup", &format!("3:name=systemd:/docker/{ID}\n2:cpu,cpuacct:/\n1:pids:/\n0::/\n"));
        assert!(v1.container(machine.0.path(), 20, 1).is_some());
        assert!(v1.known.is_empty());
        machine.write("20/cgroup", &format!("2:cpu,cpuacct:/\n1:pids:/\n0::/docker/{ID}\n"));
        assert_eq!(v1.container(machine.0.path(), 20, 1), None);
        assert_eq!(v1.known.get(&1), Some(&None));
        let mounts =
            v1_mounts(&fs::read_to_string(machine.at("self/mountinfo")).expect("a file of the test"));
        assert_eq!(mounts.len(), 2);
        let text = |line: &str| format!("{line}:/docker/{ID}\n0::/\n");
        let pids = fs::metadata(machine.at("pids/docker").join(ID)).expect("a file of the test").ino();
        let number = groups_of(text("1:pids,name=p").as_bytes(), &mounts);
        assert_eq!(number, Some(1_u64.wrapping_add(v1_group(1, pids))));
        assert_ne!(groups_of(text("4:pids").as_bytes(), &mounts), number);
        assert_eq!(groups_of(text("5:memory").as_bytes(), &mounts), None, "it is not mounted");
        assert_eq!(groups_of(b"", &mounts), None);
    }
}
