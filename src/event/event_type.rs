//! [`EventType`]: every name that `evt.type` accepts in Falco, as an index; and [`EventSet`], a set of them. Names die
//! when a rule is read; from then on types are compared as numbers. Which of them a hook of ours feeds is said here.

/// An index into the sorted table of event names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(u16);

/// Names sorted by their bytes.
static NAMES: &[&str] = &[
    "NA",
    "_newselect",
    "_sysctl",
    "accept",
    "accept4",
    "access",
    "acct",
    "add_key",
    "adjtimex",
    "alarm",
    "arch_prctl",
    "asyncevent",
    "bdflush",
    "bind",
    "bpf",
    "brk",
    "cachestat",
    "capget",
    "capset",
    "chdir",
    "chmod",
    "chown",
    "chroot",
    "clock_adjtime",
    "clock_getres",
    "clock_gettime",
    "clock_nanosleep",
    "clock_settime",
    "clone",
    "clone3",
    "close",
    "close_range",
    "connect",
    "container",
    "copy_file_range",
    "cpu_hotplug",
    "creat",
    "create_module",
    "delete_module",
    "drop",
    "dup",
    "dup2",
    "dup3",
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_ctl_old",
    "epoll_pwait",
    "epoll_pwait2",
    "epoll_wait",
    "epoll_wait_old",
    "eventfd",
    "eventfd2",
    "execve",
    "execveat",
    "exit",
    "exit_group",
    "faccessat",
    "faccessat2",
    "fadvise64",
    "fallocate",
    "fanotify_init",
    "fanotify_mark",
    "fchdir",
    "fchmod",
    "fchmodat",
    "fchmodat2",
    "fchown",
    "fchownat",
    "fcntl",
    "fdatasync",
    "fgetxattr",
    "file_getattr",
    "file_setattr",
    "finit_module",
    "flistxattr",
    "flock",
    "fork",
    "fremovexattr",
    "fsconfig",
    "fsetxattr",
    "fsmount",
    "fsopen",
    "fspick",
    "fstat",
    "fstat64",
    "fstatat64",
    "fstatfs",
    "fstatfs64",
    "fsync",
    "ftruncate",
    "futex",
    "futex_requeue",
    "futex_wait",
    "futex_waitv",
    "futex_wake",
    "futimesat",
    "get_kernel_syms",
    "get_mempolicy",
    "get_robust_list",
    "get_thread_area",
    "getcpu",
    "getcwd",
    "getdents",
    "getdents64",
    "getegid",
    "geteuid",
    "getgid",
    "getgroups",
    "getitimer",
    "getpeername",
    "getpgid",
    "getpgrp",
    "getpid",
    "getpmsg",
    "getppid",
    "getpriority",
    "getrandom",
    "getresgid",
    "getresuid",
    "getrlimit",
    "getrusage",
    "getsid",
    "getsockname",
    "getsockopt",
    "gettid",
    "gettimeofday",
    "getuid",
    "getxattr",
    "getxattrat",
    "groupadded",
    "groupdeleted",
    "idle",
    "infra",
    "init_module",
    "inotify_add_watch",
    "inotify_init",
    "inotify_init1",
    "inotify_rm_watch",
    "io_cancel",
    "io_destroy",
    "io_getevents",
    "io_pgetevents",
    "io_setup",
    "io_submit",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "ioctl",
    "ioperm",
    "iopl",
    "ioprio_get",
    "ioprio_set",
    "ipc",
    "k8s",
    "kcmp",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "kill",
    "landlock_add_rule",
    "landlock_create_ruleset",
    "landlock_restrict_self",
    "lchown",
    "lgetxattr",
    "link",
    "linkat",
    "listen",
    "listmount",
    "listns",
    "listxattr",
    "listxattrat",
    "llistxattr",
    "llseek",
    "lookup_dcookie",
    "lremovexattr",
    "lseek",
    "lsetxattr",
    "lsm_get_self_attr",
    "lsm_list_modules",
    "lsm_set_self_attr",
    "lstat",
    "lstat64",
    "madvise",
    "map_shadow_stack",
    "mbind",
    "membarrier",
    "memfd_create",
    "memfd_secret",
    "mesos",
    "migrate_pages",
    "mincore",
    "mkdir",
    "mkdirat",
    "mknod",
    "mknodat",
    "mlock",
    "mlock2",
    "mlockall",
    "mmap",
    "mmap2",
    "modify_ldt",
    "mount",
    "mount_setattr",
    "move_mount",
    "move_pages",
    "mprotect",
    "mq_getsetattr",
    "mq_notify",
    "mq_open",
    "mq_timedreceive",
    "mq_timedsend",
    "mq_unlink",
    "mremap",
    "mseal",
    "msgctl",
    "msgget",
    "msgrcv",
    "msgsnd",
    "msync",
    "multiplexer",
    "munlock",
    "munlockall",
    "munmap",
    "name_to_handle_at",
    "nanosleep",
    "newfstatat",
    "nfsservctl",
    "nice",
    "notification",
    "oldfstat",
    "oldlstat",
    "oldolduname",
    "oldstat",
    "olduname",
    "open",
    "open_by_handle_at",
    "open_tree",
    "open_tree_attr",
    "openat",
    "openat2",
    "page_fault",
    "pause",
    "pciconfig_iobase",
    "pciconfig_read",
    "pciconfig_write",
    "perf_event_open",
    "personality",
    "pidfd_getfd",
    "pidfd_open",
    "pidfd_send_signal",
    "pipe",
    "pipe2",
    "pivot_root",
    "pkey_alloc",
    "pkey_free",
    "pkey_mprotect",
    "pluginevent",
    "poll",
    "ppoll",
    "prctl",
    "pread",
    "preadv",
    "preadv2",
    "prlimit",
    "process_madvise",
    "process_mrelease",
    "process_vm_readv",
    "process_vm_writev",
    "procexit",
    "procinfo",
    "pselect6",
    "ptrace",
    "pwrite",
    "pwritev",
    "pwritev2",
    "query_module",
    "quotactl",
    "quotactl_fd",
    "read",
    "readahead",
    "readdir",
    "readlink",
    "readlinkat",
    "readv",
    "reboot",
    "recv",
    "recvfrom",
    "recvmmsg",
    "recvmsg",
    "remap_file_pages",
    "removexattr",
    "removexattrat",
    "rename",
    "renameat",
    "renameat2",
    "request_key",
    "restart_syscall",
    "riscv_flush_icache",
    "riscv_hwprobe",
    "rmdir",
    "rseq",
    "rseq_slice_yield",
    "rt_sigaction",
    "rt_sigpending",
    "rt_sigprocmask",
    "rt_sigqueueinfo",
    "rt_sigreturn",
    "rt_sigsuspend",
    "rt_sigtimedwait",
    "rt_tgsigqueueinfo",
    "rtas",
    "s390_guarded_storage",
    "s390_pci_mmio_read",
    "s390_pci_mmio_write",
    "s390_runtime_instr",
    "s390_sthyi",
    "scapevent",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "sched_getaffinity",
    "sched_getattr",
    "sched_getparam",
    "sched_getscheduler",
    "sched_rr_get_interval",
    "sched_setaffinity",
    "sched_setattr",
    "sched_setparam",
    "sched_setscheduler",
    "sched_yield",
    "seccomp",
    "select",
    "semctl",
    "semget",
    "semop",
    "semtimedop",
    "send",
    "sendfile",
    "sendmmsg",
    "sendmsg",
    "sendto",
    "set_mempolicy",
    "set_mempolicy_home_node",
    "set_robust_list",
    "set_thread_area",
    "set_tid_address",
    "setdomainname",
    "setfsgid",
    "setfsuid",
    "setgid",
    "setgroups",
    "sethostname",
    "setitimer",
    "setns",
    "setpgid",
    "setpriority",
    "setregid",
    "setresgid",
    "setresuid",
    "setreuid",
    "setrlimit",
    "setsid",
    "setsockopt",
    "settimeofday",
    "setuid",
    "setxattr",
    "setxattrat",
    "sgetmask",
    "shmat",
    "shmctl",
    "shmdt",
    "shmget",
    "shutdown",
    "sigaction",
    "sigaltstack",
    "signal",
    "signaldeliver",
    "signalfd",
    "signalfd4",
    "sigpending",
    "sigprocmask",
    "sigreturn",
    "sigsuspend",
    "socket",
    "socketcall",
    "socketpair",
    "splice",
    "spu_create",
    "spu_run",
    "ssetmask",
    "stat",
    "stat64",
    "statfs",
    "statfs64",
    "statmount",
    "statx",
    "stime",
    "subpage_prot",
    "swapcontext",
    "swapoff",
    "swapon",
    "switch",
    "switch_endian",
    "symlink",
    "symlinkat",
    "sync",
    "sync_file_range",
    "sync_file_range2",
    "syncfs",
    "sys_debug_setcontext",
    "syscall",
    "sysfs",
    "sysinfo",
    "syslog",
    "task",
    "task_file_anon_inode",
    "task_file_directory",
    "task_file_memfd",
    "task_file_pipe",
    "task_file_regular",
    "task_file_socket_inet",
    "task_file_socket_inet6",
    "task_file_socket_netlink",
    "task_file_socket_unix",
    "tee",
    "tgkill",
    "time",
    "timer_create",
    "timer_delete",
    "timer_getoverrun",
    "timer_gettime",
    "timer_settime",
    "timerfd",
    "timerfd_create",
    "timerfd_gettime",
    "timerfd_settime",
    "times",
    "tkill",
    "tracer",
    "truncate",
    "umask",
    "umount",
    "umount2",
    "uname",
    "unlink",
    "unlinkat",
    "unshare",
    "uprobe",
    "uretprobe",
    "uselib",
    "useradded",
    "userdeleted",
    "userfaultfd",
    "ustat",
    "utime",
    "utimensat",
    "utimes",
    "vfork",
    "vhangup",
    "vm86",
    "vmsplice",
    "wait4",
    "waitid",
    "waitpid",
    "write",
    "writev",
];

const WORDS: usize = NAMES.len().div_ceil(64);

const fn index_of(name: &str) -> u16 {
    let mut i = 0;
    while i < NAMES.len() {
        let (a, b) = (NAMES[i].as_bytes(), name.as_bytes());
        if a.len() == b.len() {
            let mut j = 0;
            while j < a.len() && a[j] == b[j] {
                j += 1;
            }
            if j == a.len() {
                return i as u16;
            }
        }
        i += 1;
    }
    panic!("no such event name")
}

macro_rules! provided {
    ($($konst:ident = $name:literal, $category:literal;)*) => {
        impl EventType {
            $(
                #[doc = concat!("`", $name, "`")]
                pub const $konst: Self = Self(index_of($name));
            )*

            /// The event types that the sensor of this version sends.
            pub const PROVIDED: &[Self] = &[$(Self::$konst),*];

            /// Falco's coarse family of the type: `file`, `net`, `process`; `other` for what is not provided.
            pub const fn category(self) -> &'static str {
                $(if self.0 == Self::$konst.0 { return $category; })*
                "other"
            }
        }
    };
}

provided! {
    CONNECT = "connect", "net";
    CREAT = "creat", "file";
    EXECVE = "execve", "process";
    EXECVEAT = "execveat", "process";
    OPEN = "open", "file";
    OPENAT = "openat", "file";
    OPENAT2 = "openat2", "file";
    PROCEXIT = "procexit", "process";
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
