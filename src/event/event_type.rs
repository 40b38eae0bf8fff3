//! [`EventType`]: every name that `evt.type` accepts in Falco, as an index; and [`EventSet`], a set of them. Names die
//! when a rule is read; from then on types are compared as numbers. Which of them a hook of ours feeds is said here.

use crate::event_names::{NAMES, index_in};

/// An index into the sorted table of event names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(u16);

const WORDS: usize = NAMES.len().div_ceil(64);

macro_rules! provided {
    ($($konst:ident = $name:literal, $category:literal;)*) => {
        impl EventType {
            $(
                #[doc = concat!("`", $name, "`")]
                pub const $konst: Self = Self(index_in(NAMES, $name));
            )*

            /// The event types that the sensor of this version sends.
            pub const PROVIDED: &[Self] = &[$(Self::$konst),*];

            /// Falco's coarse family of the type: `file`, `net`, `process`, …; `other` for what is not provided.
            pub const fn category(self) -> &'static str {
                $(if self.0 == Self::$konst.0 { return $category; })*
                "other"
            }
        }
    };
}

provided! {
    ACCEPT = "accept", "net";
    ACCEPT4 = "accept4", "net";
    BIND = "bind", "net";
    BPF = "bpf", "other";
    CAPSET = "capset", "process";
    CHDIR = "chdir", "file";
    CHMOD = "chmod", "file";
    CHROOT = "chroot", "process";
    CLONE = "clone", "process";
    CLONE3 = "clone3", "process";
    CONNECT = "connect", "net";
    CREAT = "creat", "file";
    DELETE_MODULE = "delete_module", "other";
    DUP = "dup", "IO other";
    DUP2 = "dup2", "IO other";
    DUP3 = "dup3", "IO other";
    EXECVE = "execve", "process";
    EXECVEAT = "execveat", "process";
    FCHDIR = "fchdir", "file";
    FCHMOD = "fchmod", "file";
    FCHMODAT = "fchmodat", "file";
    FINIT_MODULE = "finit_module", "other";
    FORK = "fork", "process";
    INIT_MODULE = "init_module", "other";
    IO_URING_SETUP = "io_uring_setup", "IO other";
    KILL = "kill", "signal";
    LINK = "link", "file";
    LINKAT = "linkat", "file";
    LISTEN = "listen", "net";
    MEMFD_CREATE = "memfd_create", "memory";
    MKDIR = "mkdir", "file";
    MKDIRAT = "mkdirat", "file";
    MOUNT = "mount", "file";
    OPEN = "open", "file";
    OPENAT = "openat", "file";
    OPENAT2 = "openat2", "file";
    PIDFD_GETFD = "pidfd_getfd", "process";
    PIDFD_OPEN = "pidfd_open", "process";
    PRCTL = "prctl", "process";
    PROCESS_VM_READV = "process_vm_readv", "IPC";
    PROCESS_VM_WRITEV = "process_vm_writev", "IPC";
    PROCEXIT = "procexit", "process";
    PTRACE = "ptrace", "process";
    RECVFROM = "recvfrom", "IO read";
    RECVMSG = "recvmsg", "IO read";
    RENAME = "rename", "file";
    RENAMEAT = "renameat", "file";
    RENAMEAT2 = "renameat2", "file";
    RMDIR = "rmdir", "file";
    SENDMSG = "sendmsg", "IO write";
    SENDTO = "sendto", "IO write";
    SETGID = "setgid", "user";
    SETNS = "setns", "process";
    SETPGID = "setpgid", "process";
    SETREGID = "setregid", "user";
    SETRESGID = "setresgid", "user";
    SETRESUID = "setresuid", "user";
    SETREUID = "setreuid", "user";
    SETSID = "setsid", "process";
    SETUID = "setuid", "user";
    SOCKET = "socket", "net";
    SYMLINK = "symlink", "file";
    SYMLINKAT = "symlinkat", "file";
    TGKILL = "tgkill", "signal";
    TKILL = "tkill", "signal";
    UMOUNT = "umount", "file";
    UMOUNT2 = "umount2", "file";
    UNLINK = "unlink", "file";
    UNLINKAT = "unlinkat", "file";
    UNSHARE = "unshare", "process";
    USERFAULTFD = "userfaultfd", "file";
    VFORK = "vfork", "process";
}

impl EventType {
    /// The type with that name.
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES.binary_search(&name).ok().map(|i| Self(i as u16))
    }

    /// The name.
    pub fn name(self) -> &'static str {
        NAMES[usize::from(self.0)]
    }

    /// The index, below [`EventType::count`].
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// How many types there are.
    pub const fn count() -> usize {
        NAMES.len()
    }

    /// All of them, in order of name.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..NAMES.len() as u16).map(Self)
    }

    /// Whether a hook of this version sends it.
    pub fn is_provided(self) -> bool {
        Self::PROVIDED.contains(&self)
    }

    /// Whether it receives or sends bytes, and which: `read` or `write`.
    pub(crate) fn io_direction(self) -> Option<&'static str> {
        match self {
            Self::RECVFROM | Self::RECVMSG => Some("read"),
            Self::SENDTO | Self::SENDMSG => Some("write"),
            _ => None,
        }
    }

    /// Whether it opens a file: `open`, `openat`, `openat2`, `creat`.
    pub fn is_open_family(self) -> bool {
        matches!(self, Self::OPEN | Self::OPENAT | Self::OPENAT2 | Self::CREAT)
    }
}

/// A set of event types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventSet([u64; WORDS]);

impl EventSet {
    /// No type.
    pub const fn empty() -> Self {
        Self([0; WORDS])
    }

    /// Every type.
    pub fn all() -> Self {
        EventType::all().collect()
    }

    /// The types that the sensor sends.
    pub fn provided() -> Self {
        EventType::PROVIDED.iter().copied().collect()
    }

    /// Adds one.
    pub fn insert(&mut self, t: EventType) {
        self.0[t.index() / 64] |= 1 << (t.index() % 64);
    }

    /// Whether it is in.
    pub fn contains(&self, t: EventType) -> bool {
        self.0[t.index() / 64] >> (t.index() % 64) & 1 == 1
    }

    /// Those in both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a &= b);
        self
    }

    /// Those in either.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a |= b);
        self
    }

    /// Those not in it.
    #[must_use]
    pub fn complement(self) -> Self {
        let mut all = Self::all();
        all.0.iter_mut().zip(self.0).for_each(|(a, b)| *a &= !b);
        all
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|w| *w == 0)
    }

    /// Its members in order of name.
    pub fn iter(&self) -> impl Iterator<Item = EventType> + '_ {
        EventType::all().filter(|t| self.contains(*t))
    }
}

impl FromIterator<EventType> for EventSet {
    fn from_iter<I: IntoIterator<Item = EventType>>(types: I) -> Self {
        let mut set = Self::empty();
        types.into_iter().for_each(|t| set.insert(t));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_found_again() {
        assert!(NAMES.is_sorted());
        for t in EventType::all() {
            assert_eq!(EventType::from_name(t.name()), Some(t));
        }
        assert_eq!(EventType::EXECVE.name(), "execve");
        assert_eq!(EventType::from_name("no_such_call"), None);
    }

    #[test]
    fn complement_and_intersection_behave_like_sets() {
        let set: EventSet = [EventType::OPEN, EventType::CONNECT].into_iter().collect();
        assert_eq!(set.len(), 2);
        assert_eq!(set.complement().len(), EventType::count() - 2);
        assert!(set.and(set.complement()).is_empty());
        assert_eq!(set.or(set.complement()), EventSet::all());
    }
}
