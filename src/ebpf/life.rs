//! FORK and EXIT: how processes come and go. Threads are not reported.

layout! {
    /// FORK. The head describes the one who called; these are the new process's own.
    pub struct ForkFixed [72] {
        /// The new process, in the first pid namespace (its first thread has the same number).
        tgid: u32 = 0,
        /// The new process, as its own pid namespace numbers it.
        vpid: u32 = 4,
        /// Inode number of its own pid namespace.
        pidns: u32 = 8,
        /// Its parent: the caller, or with `CLONE_PARENT` the caller's parent.
        ppid: u32 = 12,
        /// When it started.
        start: u64 = 16,
        /// When its parent process started.
        parent_start: u64 = 24,
        /// Its v2 cgroup, which clone3 may set apart from the caller's.
        cgroup: u64 = 32,
        /// Its process group, in the first pid namespace.
        pgid: u32 = 40,
        /// Its session, in the first pid namespace.
        sid: u32 = 44,
        /// Its process group in its own pid namespace; 0 when not visible there.
        vpgid: u32 = 48,
        /// Its session in its own pid namespace; 0 when not visible there.
        vsid: u32 = 52,
        /// Its name, which is still the caller's.
        comm: [u8; 16] = 56,
    }
}

layout! {
    /// EXIT of a whole process.
    pub struct ExitFixed [8] {
        /// The status word that `wait()` gives: exit code << 8, or the signal that ended it.
        status: u32 = 0,
        /// Zero.
        pad: u32 = 4,
    }
}

impl ForkFixed {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        Self::split(bytes).filter(|(_, rest)| rest.is_empty()).map(|(fixed, _)| fixed)
    }
}

impl ExitFixed {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        Self::split(bytes).filter(|(_, rest)| rest.is_empty()).map(|(fixed, _)| fixed)
    }
}
