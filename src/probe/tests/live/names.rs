//! What /proc says of a process: the truth that records are compared with.

use std::fs;

/// Fields of /proc/PID/stat behind the name, counted as the manual page does: the state is number 3.
pub(crate) struct Stat(Vec<String>);

impl Stat {
    pub(crate) fn of(pid: u32) -> Self {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let (_, rest) = text.rsplit_once(')').unwrap();
        Self(rest.split_whitespace().map(str::to_owned).collect())
    }

    pub(crate) fn number(&self, field: usize) -> u64 {
        self.0[field - 3].parse().unwrap()
    }

    /// Start time in clock ticks.
    pub(crate) fn start_ticks(&self) -> u64 {
        self.number(22)
    }
}

/// Boot-clock nanoseconds as /proc counts them: 100 ticks a second.
pub(crate) fn ticks(ns: u64) -> u64 {
    ns / 10_000_000
}

/// A number in a file of /proc/self.
pub(crate) fn own_number(file: &str) -> u32 {
    fs::read_to_string(format!("/proc/self/{file}")).unwrap().trim().parse().unwrap()
}

/// Inode number of a namespace of a process.
pub(crate) fn namespace(pid: u32, kind: &str) -> u32 {
    rustix::fs::stat(format!("/proc/{pid}/ns/{kind}")).unwrap().st_ino as u32
}

/// The v2 cgroup id of this process: the inode number of its directory, where the hierarchy is mounted.
pub(crate) fn own_cgroup() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap();
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?.to_owned();
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let mut mounts = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let mount = mounts.find(|mount| mount.get(2) == Some(&"cgroup2"))?[1].to_owned();
    Some(rustix::fs::stat(format!("{mount}{path}")).ok()?.st_ino)
}
