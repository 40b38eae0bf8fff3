//! The head that every record starts with, and the kinds of records.
//!
//! Kinds below 0x100 come from the kernel half. From 0x100 on they are *facts*: made in user space, put into the same
//! stream, recorded there, and read from there again at replay.

/// What a record tells.
#[repr(u16)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A process runs a new program.
    Exec = 1,
    /// More bytes of the command line of an exec that came before.
    Argv = 2,
    /// A new process (not a thread) was made.
    Fork = 3,
    /// A process ended: its last thread did.
    Exit = 4,
    /// open, openat, openat2 or creat returned.
    Open = 5,
    /// connect returned.
    Connect = 6,
    /// execve or execveat returned an error.
    ExecFailed = 7,
    /// A syscall of the table `CALLS` returned.
    Call = 8,
    /// Fact: how boot time maps to wall time, and which node this is.
    Clock = 0x100,
    /// Fact: a process that existed before the sensor started. Laid out as [`Kind::Exec`].
    Process = 0x101,
    /// Fact: the path behind a cgroup id.
    Cgroup = 0x102,
    /// Fact: the name behind a user id.
    User = 0x103,
    /// Fact: the name behind a group id.
    Group = 0x104,
    /// Fact: something could not be delivered.
    Loss = 0x105,
    /// Fact: what a passwd or group file says of a user or a group, on the host or in a container.
    Account = 0x106,
    /// Fact: the addresses behind a host name that rules mention.
    Addresses = 0x107,
}

impl Kind {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 16] = [
        Self::Exec,
        Self::Argv,
        Self::Fork,
        Self::Exit,
        Self::Open,
        Self::Connect,
        Self::ExecFailed,
        Self::Call,
        Self::Clock,
        Self::Process,
        Self::Cgroup,
        Self::User,
        Self::Group,
        Self::Loss,
        Self::Account,
        Self::Addresses,
    ];

    /// The length of a table with one slot a kernel kind: a power of two above the highest.
    pub const KERNEL_SLOTS: usize = 16;

    /// The kind with this number, when it is known.
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// Its number in the head.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// Whether the kernel half makes it; otherwise it is a fact.
    pub const fn is_kernel(self) -> bool {
        self.number() < 0x100
    }

    /// A short name for messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exec => "exec",
            Self::Argv => "argv",
            Self::Fork => "fork",
            Self::Exit => "exit",
            Self::Open => "open",
            Self::Connect => "connect",
            Self::ExecFailed => "exec-failed",
            Self::Call => "call",
            Self::Clock => "clock",
            Self::Process => "process",
            Self::Cgroup => "cgroup",
            Self::User => "user",
            Self::Group => "group",
            Self::Loss => "loss",
            Self::Account => "account",
            Self::Addresses => "addresses",
        }
    }
}

bits! {
    /// What is special about the call behind a record.
    pub struct HeadFlags: u16 {
        /// The call was made through the 32-bit (ia32) entry. Its number is given as the x86-64 one.
        COMPAT = 1,
        /// It was no call: the process had `io_uring` do it. Its number is that of the call that does the same, and thread
        /// and identity are those of whoever handed it in.
        URING = 1 << 1,
    }
}

layout! {
    /// What every record starts with: which record, when, and who.
    pub struct Head [64] {
        /// Bytes of the whole record, this head included.
        len: u32 = 0,
        /// The [`Kind`], as a number.
        kind: u16 = 4,
        /// See [`HeadFlags`].
        flags: HeadFlags = 6,
        /// The processor it was made on.
        cpu: u32 = 8,
        /// Thread, as the first pid namespace numbers it.
        tid: u32 = 12,
        /// Process, as the first pid namespace numbers it.
        tgid: u32 = 16,
        /// Effective user id, in the first user namespace.
        uid: u32 = 20,
        /// Effective group id, in the first user namespace.
        gid: u32 = 24,
        /// Zero.
        pad: u32 = 28,
        /// How many records this processor had attempted when it made this one, this one included: a hole says that
        /// as many were lost. Zero in facts.
        seq: u64 = 32,
        /// `CLOCK_BOOTTIME` in nanoseconds.
        time: u64 = 40,
        /// When the process (its first thread) started, `CLOCK_BOOTTIME` in nanoseconds. With `tgid` it names the process.
        start: u64 = 48,
        /// Id of its cgroup in the v2 hierarchy: the inode number of the cgroup's directory.
        cgroup: u64 = 56,
    }
}
