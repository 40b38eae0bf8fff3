//! [`Process`]: what is known of one program running under one pid; an exec makes a new value, so alerts and panes can
//! keep theirs. Who runs now and who ran lately is for [`crate::ProcessTable`] to know.

use std::sync::Arc;

use crate::time::BootTime;

/// A process for ever: its id, which the kernel reuses, and the boot time at which it started, which it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessKey {
    /// Id in the host's pid namespace.
    pub pid: u32,
    /// Start of the thread-group leader in clock ticks of 10 ms since boot, as field 22 of `/proc/PID/stat` has it. The
    /// kernel knows nanoseconds and procfs only ticks; ticks are fine enough, because no pid comes round within one.
    pub start: u64,
}

impl ProcessKey {
    /// Nanoseconds in a tick of `/proc/PID/stat`.
    pub const TICK_NS: u64 = 10_000_000;

    /// The identity of a process that started at this boot time.
    pub const fn at(pid: u32, started: BootTime) -> Self {
        Self { pid, start: started.0 / Self::TICK_NS }
    }
}

/// One program under one pid. Texts are bytes as the kernel gave them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Its identity.
    pub key: ProcessKey,
    /// The parent's identity when this value was made; start 0 when only the pid is known.
    pub parent: ProcessKey,
    /// When it started; to the nanosecond when the kernel told, to the tick when procfs did.
    pub started: BootTime,
    /// The kernel's short name (at most 15 bytes).
    pub comm: Box<[u8]>,
    /// The executed file as the kernel resolved it.
    pub exe_path: Box<[u8]>,
    /// The file name as it was given to the exec call: for a script the script.
    pub filename: Box<[u8]>,
    /// The arguments, `argv[0]` first, each ended by a NUL as they lie in memory.
    pub argv: Box<[u8]>,
    /// The variables of its environment that rules ask for, `NAME=value`, each ended by a NUL.
    pub env: Box<[u8]>,
    /// The working directory at the exec, without a trailing slash unless it is the root.
    pub cwd: Box<[u8]>,
    /// Real user and group.
    pub uid: u32,
    /// Real group.
    pub gid: u32,
    /// Effective user.
    pub euid: u32,
    /// Effective group.
    pub egid: u32,
    /// Audit login user; `u32::MAX` when unset.
    pub loginuid: u32,
    /// Audit session; `u32::MAX` when unset.
    pub audit_session: u32,
    /// Device number of the controlling terminal, 0 without one.
    pub tty: u32,
    /// Session, in the host's pid namespace.
    pub sid: u32,
    /// Process group, in the host's pid namespace.
    pub pgid: u32,
    /// Id in its own pid namespace.
    pub vpid: u32,
    /// Process group in its own pid namespace.
    pub vpgid: u32,
    /// Inode number of its pid namespace; 0 when unknown.
    pub pid_ns: u32,
    /// Its cgroup in the v2 hierarchy.
    pub cgroup: u64,
    /// First 12 digits of the container's id, or `host`.
    pub container: Arc<str>,
    /// Effective capabilities, a bit each.
    pub cap_effective: u64,
    /// Permitted capabilities.
    pub cap_permitted: u64,
    /// Inheritable capabilities.
    pub cap_inheritable: u64,
    /// When it last executed a program; 0 when that was before eyas looked.
    pub exec_time: BootTime,
    /// Device of the executed file.
    pub exe_dev: u32,
    /// Inode of the executed file; 0 when unknown.
    pub exe_ino: u64,
    /// When that inode changed last, seconds since the epoch; 0 when unknown.
    pub exe_ctime: i64,
    /// When the file's content changed last, seconds since the epoch; 0 when unknown.
    pub exe_mtime: i64,
    /// When the first process of its pid namespace started; 0 when unknown.
    pub namespace_started: BootTime,
    /// What it used when it was told of: at its exec, or when procfs was read.
    pub usage: Option<Usage>,
    /// What else is known of the executed file and of this value.
    pub flags: ProcessFlags,
}

/// Limits, page faults and memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The soft limit on open descriptors.
    pub fd_limit: u64,
    /// Page faults that had to wait for a disk.
    pub faults_major: u64,
    /// Page faults that were answered from memory.
    pub faults_minor: u64,
    /// Size of the address space, KiB.
    pub vm_size_kib: u32,
    /// Memory in RAM, KiB.
    pub vm_rss_kib: u32,
    /// Memory in swap, KiB.
    pub vm_swap_kib: u32,
}

/// Facts about a process that are yes or no.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessFlags(pub u32);

impl ProcessFlags {
    /// The executed file is a memfd.
    pub const MEMFD: Self = Self(1);
    /// The executed file had been deleted when it was executed.
    pub const DELETED: Self = Self(1 << 1);
    /// A path was too deep to be read whole.
    pub const TRUNCATED: Self = Self(1 << 2);
    /// It ran before eyas looked; it was read from procfs.
    pub const SNAPSHOT: Self = Self(1 << 3);
    /// Not all arguments arrived.
    pub const ARGS_INCOMPLETE: Self = Self(1 << 4);
    /// Only its existence is known: a fork or exec of it was missed.
    pub const PARTIAL: Self = Self(1 << 5);
    /// The user who runs the program may write its file.
    pub const EXE_WRITABLE: Self = Self(1 << 6);
    /// The executed file lies in the upper layer of an overlay: it is not, or no longer, the image's.
    pub const EXE_UPPER_LAYER: Self = Self(1 << 7);
    /// Its environment was looked at when it started.
    pub const ENV_READ: Self = Self(1 << 9);
    /// The executed file lies in a lower layer of an overlay.
    pub const EXE_LOWER_LAYER: Self = Self(1 << 8);

    /// Whether all bits of `other` are set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These bits without those of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl Process {
    /// The text `host`, which stands where no container is.
    pub const HOST: &str = "host";

    /// `argv[n]`; `None` beyond the last.
    pub fn arg(&self, n: usize) -> Option<&[u8]> {
        self.args().nth(n)
    }

    /// All arguments, `argv[0]` first.
    pub fn args(&self) -> impl Iterator<Item = &[u8]> {
        let argv = self.argv.strip_suffix(&[0]).unwrap_or(&self.argv);
        let some = (!self.argv.is_empty()).then(|| argv.split(|b| *b == 0));
        some.into_iter().flatten()
    }

    /// Appends `argv[1..]` joined by single spaces, cut at Falco's 4,096 bytes.
    pub fn write_args(&self, out: &mut Vec<u8>) {
        const LIMIT: usize = 4096;
        let begin = out.len();
        for (i, arg) in self.args().skip(1).enumerate() {
            if i > 0 {
                out.push(b' ');
            }
            let room = LIMIT.saturating_sub(out.len() - begin);
            out.extend_from_slice(&arg[..arg.len().min(room)]);
            if room == 0 {
                break;
            }
        }
    }

    /// Appends name and arguments as `proc.cmdline` shows them: no trailing space when there are none.
    pub fn write_cmdline(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.comm);
        let mark = out.len();
        out.push(b' ');
        self.write_args(out);
        if out.len() == mark + 1 {
            out.truncate(mark);
        }
    }

    /// The first argument; where there is none, the executed file.
    pub fn exe(&self) -> &[u8] {
        self.arg(0).unwrap_or(&self.exe_path)
    }

    /// The command line as text for people; not escaped.
    pub fn cmdline(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_cmdline(&mut out);
        out
    }

    /// Whether it runs in a container.
    pub fn in_container(&self) -> bool {
        &*self.container != Self::HOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_joined_as_falco_joins_them() {
        let p =
            Process { comm: (*b"ls").into(), argv: (*b"/bin/ls\0-l\0\0x y\0").into(), ..Process::default() };
        assert_eq!(p.args().collect::<Vec<_>>(), [&b"/bin/ls"[..], b"-l", b"", b"x y"]);
        assert_eq!(p.cmdline(), b"ls -l  x y");
        let bare = Process { comm: (*b"ls").into(), argv: (*b"ls\0").into(), ..Process::default() };
        assert_eq!(bare.cmdline(), b"ls");
        assert_eq!(Process::default().args().count(), 0);
    }
}
