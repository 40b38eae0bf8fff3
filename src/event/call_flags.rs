//! Flags and enumerations of syscalls under the names that Falco gives them, in its order and numbering: rules compare with
//! these texts. (Falco 0.44: its tables of flags, in the driver.)

/// One flag: its name, Falco's bits, Linux's bits.
pub(crate) struct Flag(pub(crate) &'static str, pub(crate) u32, pub(crate) u32);

/// A set of flags whose bits are Linux's own.
macro_rules! same {
    ($($name:literal = $bits:expr),* $(,)?) => { &[$(Flag($name, $bits, $bits)),*] };
}
/// A set of flags that Falco numbers anew.
macro_rules! renumbered {
    ($($name:literal = $falco:expr, $linux:expr;)*) => { &[$(Flag($name, $falco, $linux)),*] };
}

/// `CLONE_…`, of clone, unshare and setns.
pub(crate) static CLONE: &[Flag] = renumbered! {
    "CLONE_FILES" = 1, 0x400;
    "CLONE_FS" = 1 << 1, 0x200;
    "CLONE_IO" = 1 << 2, 0x8000_0000;
    "CLONE_NEWIPC" = 1 << 3, 0x0800_0000;
    "CLONE_NEWNET" = 1 << 4, 0x4000_0000;
    "CLONE_NEWNS" = 1 << 5, 0x2_0000;
    "CLONE_NEWPID" = 1 << 6, 0x2000_0000;
    "CLONE_NEWUTS" = 1 << 7, 0x0400_0000;
    "CLONE_PARENT" = 1 << 8, 0x8000;
    "CLONE_PARENT_SETTID" = 1 << 9, 0x10_0000;
    "CLONE_PTRACE" = 1 << 10, 0x2000;
    "CLONE_SIGHAND" = 1 << 11, 0x800;
    "CLONE_SYSVSEM" = 1 << 12, 0x4_0000;
    "CLONE_THREAD" = 1 << 13, 0x1_0000;
    "CLONE_UNTRACED" = 1 << 14, 0x80_0000;
    "CLONE_VM" = 1 << 15, 0x100;
    "CLONE_NEWUSER" = 1 << 20, 0x1000_0000;
    "CLONE_CHILD_CLEARTID" = 1 << 23, 0x20_0000;
    "CLONE_CHILD_SETTID" = 1 << 24, 0x100_0000;
    "CLONE_SETTLS" = 1 << 25, 0x8_0000;
    "CLONE_VFORK" = 1 << 27, 0x4000;
    "CLONE_NEWCGROUP" = 1 << 28, 0x0200_0000;
};

/// `MS_…`, of mount.
pub(crate) static MOUNT: &[Flag] = same! {
    "RDONLY" = 1, "NOSUID" = 1 << 1, "NODEV" = 1 << 2, "NOEXEC" = 1 << 3, "SYNCHRONOUS" = 1 << 4,
    "REMOUNT" = 1 << 5, "MANDLOCK" = 1 << 6, "DIRSYNC" = 1 << 7, "NOATIME" = 1 << 10, "NODIRATIME" = 1 << 11,
    "BIND" = 1 << 12, "MOVE" = 1 << 13, "REC" = 1 << 14, "SILENT" = 1 << 15, "POSIXACL" = 1 << 16,
    "UNBINDABLE" = 1 << 17, "PRIVATE" = 1 << 18, "SLAVE" = 1 << 19, "SHARED" = 1 << 20, "RELATIME" = 1 << 21,
    "KERNMOUNT" = 1 << 22, "I_VERSION" = 1 << 23, "STRICTATIME" = 1 << 24, "LAZYTIME" = 1 << 25,
    "NOSEC" = 1 << 28, "BORN" = 1 << 29, "ACTIVE" = 1 << 30, "NOUSER" = 1 << 31,
};

/// `MNT_…`, of umount2.
pub(crate) static UMOUNT: &[Flag] = same! { "FORCE" = 1, "DETACH" = 2, "EXPIRE" = 4, "NOFOLLOW" = 8 };

/// Of unlinkat.
pub(crate) static UNLINK: &[Flag] = same! { "AT_REMOVEDIR" = 0x200 };

/// Of linkat.
pub(crate) static LINK: &[Flag] = same! { "AT_SYMLINK_FOLLOW" = 0x400, "AT_EMPTY_PATH" = 0x1000 };

/// Of renameat2.
pub(crate) static RENAME: &[Flag] =
    same! { "RENAME_NOREPLACE" = 1, "RENAME_EXCHANGE" = 2, "RENAME_WHITEOUT" = 4 };

/// Of `memfd_create`.
pub(crate) static MEMFD: &[Flag] = same! { "MFD_CLOEXEC" = 1, "MFD_ALLOW_SEALING" = 2, "MFD_HUGETLB" = 4 };

/// Of `pidfd_open`.
pub(crate) static PIDFD: &[Flag] = renumbered! { "PIDFD_NONBLOCK" = 1, 0o4000; };

/// Of `finit_module`.
pub(crate) static INIT_MODULE: &[Flag] = same! {
    "MODULE_INIT_IGNORE_MODVERSIONS" = 1,
    "MODULE_INIT_IGNORE_VERMAGIC" = 2,
    "MODULE_INIT_COMPRESSED_FILE" = 4,
};

/// Of `delete_module`.
pub(crate) static DELETE_MODULE: &[Flag] = renumbered! { "O_NONBLOCK" = 2, 0o4000; "O_TRUNC" = 1, 0o1000; };

/// Of `io_uring_setup`.
pub(crate) static RING_SETUP: &[Flag] = same! {
    "IORING_SETUP_IOPOLL" = 1, "IORING_SETUP_SQPOLL" = 2, "IORING_SETUP_SQ_AFF" = 8,
    "IORING_SETUP_CQSIZE" = 16, "IORING_SETUP_CLAMP" = 32, "IORING_SETUP_ATTACH_RW" = 64,
    "IORING_SETUP_R_DISABLED" = 128,
};

/// What a ring can do.
pub(crate) static RING_FEATURES: &[Flag] = same! {
    "IORING_FEAT_SINGLE_MMAP" = 1, "IORING_FEAT_NODROP" = 2, "IORING_FEAT_SUBMIT_STABLE" = 4,
    "IORING_FEAT_RW_CUR_POS" = 8, "IORING_FEAT_CUR_PERSONALITY" = 16, "IORING_FEAT_FAST_POLL" = 32,
    "IORING_FEAT_POLL_32BITS" = 64, "IORING_FEAT_SQPOLL_NONFIXED" = 128, "IORING_FEAT_ENTER_EXT_ARG" = 256,
    "IORING_FEAT_NATIVE_WORKERS" = 512, "IORING_FEAT_RSRC_TAGS" = 1024,
};

/// Flags that make a descriptor: socket, dup3, userfaultfd.
pub(crate) static DESCRIPTOR: &[Flag] =
    renumbered! { "O_NONBLOCK" = 1 << 6, 0o4000; "O_CLOEXEC" = 1 << 12, 0o2_000_000; };

/// Permission bits, of the chmod family.
pub(crate) static MODE: &[Flag] = same! {
    "S_IXOTH" = 1, "S_IWOTH" = 2, "S_IROTH" = 4, "S_IXGRP" = 8, "S_IWGRP" = 16, "S_IRGRP" = 32,
    "S_IXUSR" = 64, "S_IWUSR" = 128, "S_IRUSR" = 256, "S_ISVTX" = 512, "S_ISGID" = 1024, "S_ISUID" = 2048,
};

/// Names of numbers.
pub(crate) type Names = &'static [(&'static str, u64)];

/// Requests of ptrace: name, Falco's number, Linux's number.
pub(crate) static PTRACE: &[Flag] = renumbered! {
    "PTRACE_TRACEME" = 1, 0; "PTRACE_PEEKTEXT" = 2, 1; "PTRACE_PEEKDATA" = 3, 2; "PTRACE_PEEKUSR" = 4, 3;
    "PTRACE_POKETEXT" = 5, 4; "PTRACE_POKEDATA" = 6, 5; "PTRACE_POKEUSR" = 7, 6; "PTRACE_CONT" = 8, 7;
    "PTRACE_KILL" = 9, 8; "PTRACE_SINGLESTEP" = 10, 9; "PTRACE_ATTACH" = 11, 16; "PTRACE_DETACH" = 12, 17;
    "PTRACE_SYSCALL" = 13, 24; "PTRACE_SETOPTIONS" = 14, 0x4200; "PTRACE_GETEVENTMSG" = 15, 0x4201;
    "PTRACE_GETSIGINFO" = 16, 0x4202; "PTRACE_SETSIGINFO" = 17, 0x4203; "PTRACE_GETREGSET" = 18, 0x4204;
    "PTRACE_SETREGSET" = 19, 0x4205; "PTRACE_SEIZE" = 20, 0x4206; "PTRACE_INTERRUPT" = 21, 0x4207;
    "PTRACE_LISTEN" = 22, 0x4208; "PTRACE_PEEKSIGINFO" = 23, 0x4209; "PTRACE_GETSIGMASK" = 24, 0x420a;
    "PTRACE_SETSIGMASK" = 25, 0x420b; "PTRACE_GETREGS" = 26, 12; "PTRACE_SETREGS" = 27, 13;
    "PTRACE_GETFPREGS" = 28, 14; "PTRACE_SETFPREGS" = 29, 15; "PTRACE_GETFPXREGS" = 30, 18;
    "PTRACE_SETFPXREGS" = 31, 19; "PTRACE_OLDSETOPTIONS" = 32, 21; "PTRACE_GET_THREAD_AREA" = 33, 25;
    "PTRACE_SET_THREAD_AREA" = 34, 26; "PTRACE_ARCH_PRCTL" = 35, 30; "PTRACE_SYSEMU" = 36, 31;
    "PTRACE_SYSEMU_SINGLESTEP" = 37, 32; "PTRACE_SINGLEBLOCK" = 38, 33;
};
/// A request that is none of them.
pub(crate) const PTRACE_UNKNOWN: (&str, u32) = ("PTRACE_UNKNOWN", 0);

/// Commands of bpf, by number.
pub(crate) static BPF: Names = &[
    ("BPF_MAP_CREATE", 0),
    ("BPF_MAP_LOOKUP_ELEM", 1),
    ("BPF_MAP_UPDATE_ELEM", 2),
    ("BPF_MAP_DELETE_ELEM", 3),
    ("BPF_MAP_GET_NEXT_KEY", 4),
    ("BPF_PROG_LOAD", 5),
    ("BPF_OBJ_PIN", 6),
    ("BPF_OBJ_GET", 7),
    ("BPF_PROG_ATTACH", 8),
    ("BPF_PROG_DETACH", 9),
    ("BPF_PROG_TEST_RUN", 10),
    ("BPF_PROG_GET_NEXT_ID", 11),
    ("BPF_MAP_GET_NEXT_ID", 12),
    ("BPF_PROG_GET_FD_BY_ID", 13),
    ("BPF_MAP_GET_FD_BY_ID", 14),
    ("BPF_OBJ_GET_INFO_BY_FD", 15),
    ("BPF_PROG_QUERY", 16),
    ("BPF_RAW_TRACEPOINT_OPEN", 17),
    ("BPF_BTF_LOAD", 18),
    ("BPF_BTF_GET_FD_BY_ID", 19),
    ("BPF_TASK_FD_QUERY", 20),
    ("BPF_MAP_LOOKUP_AND_DELETE_ELEM", 21),
    ("BPF_MAP_FREEZE", 22),
    ("BPF_BTF_GET_NEXT_ID", 23),
    ("BPF_MAP_LOOKUP_BATCH", 24),
    ("BPF_MAP_LOOKUP_AND_DELETE_BATCH", 25),
    ("BPF_MAP_UPDATE_BATCH", 26),
    ("BPF_MAP_DELETE_BATCH", 27),
    ("BPF_LINK_CREATE", 28),
    ("BPF_LINK_UPDATE", 29),
    ("BPF_LINK_GET_FD_BY_ID", 30),
    ("BPF_LINK_GET_NEXT_ID", 31),
    ("BPF_ENABLE_STATS", 32),
    ("BPF_ITER_CREATE", 33),
    ("BPF_LINK_DETACH", 34),
    ("BPF_PROG_BIND_MAP", 35),
];

/// Address families, by number.
pub(crate) static FAMILIES: Names = &[
    ("AF_UNSPEC", 0),
    ("AF_UNIX", 1),
    ("AF_INET", 2),
    ("AF_AX25", 3),
    ("AF_IPX", 4),
    ("AF_APPLETALK", 5),
    ("AF_NETROM", 6),
    ("AF_BRIDGE", 7),
    ("AF_ATMPVC", 8),
    ("AF_X25", 9),
    ("AF_INET6", 10),
    ("AF_ROSE", 11),
    ("AF_DECnet", 12),
    ("AF_NETBEUI", 13),
    ("AF_SECURITY", 14),
    ("AF_KEY", 15),
    ("AF_NETLINK", 16),
    ("AF_PACKET", 17),
    ("AF_ASH", 18),
    ("AF_ECONET", 19),
    ("AF_ATMSVC", 20),
    ("AF_RDS", 21),
    ("AF_SNA", 22),
    ("AF_IRDA", 23),
    ("AF_PPPOX", 24),
    ("AF_WANPIPE", 25),
    ("AF_LLC", 26),
    ("AF_CAN", 29),
    ("AF_TIPC", 30),
    ("AF_BLUETOOTH", 31),
    ("AF_IUCV", 32),
    ("AF_RXRPC", 33),
    ("AF_ISDN", 34),
    ("AF_PHONET", 35),
    ("AF_IEEE802154", 36),
    ("AF_CAIF", 37),
    ("AF_ALG", 38),
    ("AF_NFC", 39),
];

/// Options of prctl, by number.
pub(crate) static PRCTL: Names = &[
    ("PR_GET_DUMPABLE", 3),
    ("PR_SET_DUMPABLE", 4),
    ("PR_GET_KEEPCAPS", 7),
    ("PR_SET_KEEPCAPS", 8),
    ("PR_SET_NAME", 15),
    ("PR_GET_NAME", 16),
    ("PR_GET_SECCOMP", 21),
    ("PR_SET_SECCOMP", 22),
    ("PR_CAPBSET_READ", 23),
    ("PR_CAPBSET_DROP", 24),
    ("PR_GET_SECUREBITS", 27),
    ("PR_SET_SECUREBITS", 28),
    ("PR_MCE_KILL", 33),
    ("PR_SET_MM", 35),
    ("PR_SET_CHILD_SUBREAPER", 36),
    ("PR_GET_CHILD_SUBREAPER", 37),
    ("PR_SET_NO_NEW_PRIVS", 38),
    ("PR_GET_NO_NEW_PRIVS", 39),
    ("PR_GET_TID_ADDRESS", 40),
    ("PR_SET_THP_DISABLE", 41),
    ("PR_GET_THP_DISABLE", 42),
    ("PR_CAP_AMBIENT", 47),
];

/// Signals, by number.
pub(crate) static SIGNALS: Names = &[
    ("SIGHUP", 1),
    ("SIGINT", 2),
    ("SIGQUIT", 3),
    ("SIGILL", 4),
    ("SIGTRAP", 5),
    ("SIGABRT", 6),
    ("SIGBUS", 7),
    ("SIGFPE", 8),
    ("SIGKILL", 9),
    ("SIGUSR1", 10),
    ("SIGSEGV", 11),
    ("SIGUSR2", 12),
    ("SIGPIPE", 13),
    ("SIGALRM", 14),
    ("SIGTERM", 15),
    ("SIGSTKFLT", 16),
    ("SIGCHLD", 17),
    ("SIGCONT", 18),
    ("SIGSTOP", 19),
    ("SIGTSTP", 20),
    ("SIGTTIN", 21),
    ("SIGTTOU", 22),
    ("SIGURG", 23),
    ("SIGXCPU", 24),
    ("SIGXFSZ", 25),
    ("SIGVTALRM", 26),
    ("SIGPROF", 27),
    ("SIGWINCH", 28),
    ("SIGIO", 29),
    ("SIGPWR", 30),
    ("SIGSYS", 31),
];

/// A word in Falco's numbering.
pub(crate) fn number(flags: &[Flag], word: u32) -> u32 {
    flags.iter().filter(|flag| word & flag.2 == flag.2).fold(0, |bits, flag| bits | flag.1)
}

/// Appends the names of the flags in a word, joined by bars.
pub(crate) fn write_names(flags: &[Flag], word: u32, out: &mut Vec<u8>) {
    for (at, flag) in flags.iter().filter(|flag| word & flag.2 == flag.2).enumerate() {
        if at > 0 {
            out.push(b'|');
        }
        out.extend_from_slice(flag.0.as_bytes());
    }
}

/// The name of a number.
pub(crate) fn name(names: Names, number: u64) -> Option<&'static str> {
    names.iter().find(|(_, known)| *known == number).map(|(name, _)| *name)
}
