#![no_std]
//! The layout of the records that the kernel half of eyas sends, and the checked reader from bytes to a borrowed
//! [`Record`].
//!
//! Both halves compile these files, so they agree by construction. There is no allocation, no I/O and no cast from
//! bytes here: [`Record::parse`] checks every length before it looks at anything. What a record *means* is for
//! `enrich` to say. The programs themselves are in `main.rs` and are built by `cargo xtask bpf` only.

#[macro_use]
mod layout;
mod call;
mod calls;
mod connect;
pub mod environment;
mod exec;
mod fact;
mod failed;
pub mod filter;
mod generic;
mod head;
mod life;
mod lost;
mod names;
mod numbers;
mod offsets;
mod open;
mod record;
pub mod refused;
mod walk;

pub use call::{Call, CallBits, CallFixed, Role};
pub use calls::{CALLS, DATA_MAX, NUMBERS, Payload, Shape};
pub use connect::{Connect, ConnectBits, ConnectFixed};
pub use exec::{Argv, ArgvBits, ArgvFixed, Exec, ExecFixed, ExecFlags, ExecMore, v1_group};
pub use fact::{Cgroup, CgroupFixed, Clock, ClockFixed, Group, GroupFixed, LossFixed, User, UserFixed};
pub use failed::{ExecFailed, ExecFailedFixed, FailedBits};
pub use generic::of_generic;
pub use head::{Head, HeadFlags, Kind};
pub use layout::Sink;
pub use life::{ExitFixed, ForkFixed};
pub use lost::{Counts, Made, Maker, Unit};
pub use names::{Account, AccountFixed, Addresses, AddressesFixed};
pub use numbers::{Bitmap, Family, has_short_ids, native, nr, of_socketcall, shape};
pub use offsets::Offsets;
pub use open::{Open, OpenBits, OpenFixed};
pub use record::{Body, Record, RecordError, Records, TooLong, records};
pub use walk::{Components, components, is_rooted, write_path};

/// The largest record the reader accepts. The kernel half stays below 32 KiB; a process fact written in user space
/// may carry a whole command line, which Linux limits to a few MiB.
pub const MAX_RECORD: usize = 8 << 20;

/// The number that the programs put into a register where the user half may put a call in its place; why stands with the
/// one use of it, in `programs/read.rs`.
pub const CAST_SLOT: u32 = 0x6579_6173;

/// The number that the programs put into a register where the user half puts one that it knows: this plus the index of an
/// offset in [`Offsets::NAMES`], or of a [`value`]. A program has it at hand then, and need not load it from a map.
pub const VALUE_SLOT: u32 = 0x6579_0000;

/// The offset that the programs load from where the user half puts one that it knows: this plus its index. No program reaches
/// so far by itself.
pub const MEMBER_SLOT: u16 = 0x7000;

/// Numbers that the user half puts into the programs behind the offsets.
pub mod value {
    use super::Offsets;

    /// Whether the casts are there: 1 or 0.
    pub const PLAIN_LOADS: usize = Offsets::NAMES.len();
    /// The process of the sensor itself, which is never reported; 0 reports everybody.
    pub const SELF_TGID: usize = PLAIN_LOADS + 1;
    /// Inode number of the pid namespace that it is counted in; 0 means the first one.
    pub const SELF_NS_INO: usize = PLAIN_LOADS + 2;
    /// Inode number of the only pid namespace to report from, those below it included; 0 reports from all.
    pub const ONLY_PIDNS: usize = PLAIN_LOADS + 3;
    /// Whether the machine is an arm64: 1 or 0, which means x86-64.
    pub const ARM64: usize = PLAIN_LOADS + 4;
    /// How many numbers there are, the offsets included.
    pub const COUNT: usize = PLAIN_LOADS + 5;
}

/// How many bytes of a command line ride inside EXEC, and how many each ARGV record carries at most.
pub const ARGV_CHUNK: usize = 4096;

/// How many bytes of a command line are sent at all: Linux's own limit is a quarter of the stack limit, at most 6 MiB;
/// beyond 4 MiB the rest is left out, and `args_total` still says how long it was.
pub const ARGV_MAX: usize = 4 << 20;
