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
mod head;
mod life;
mod lost;
mod numbers;
mod offsets;
mod open;
mod record;
mod walk;

pub use call::{Call, CallBits, CallFixed, Role};
pub use calls::{CALLS, DATA_MAX, Payload, Shape};
pub use connect::{Connect, ConnectBits, ConnectFixed};
pub use exec::{Argv, ArgvBits, ArgvFixed, Exec, ExecFixed, ExecFlags};
pub use fact::{Cgroup, CgroupFixed, Clock, ClockFixed, Group, GroupFixed, LossFixed, User, UserFixed};
pub use failed::{ExecFailed, ExecFailedFixed, FailedBits};
pub use head::{Head, HeadFlags, Kind};
pub use layout::Sink;
pub use life::{ExitFixed, ForkFixed};
pub use lost::{Counts, Made, Maker, Unit};
pub use numbers::{Bitmap, Family, native, nr, shape};
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

/// How many bytes of a command line ride inside EXEC, and how many each ARGV record carries at most.
pub const ARGV_CHUNK: usize = 4096;

/// How many bytes of a command line are sent at all: Linux's own limit is a quarter of the stack limit, at most 6 MiB;
/// beyond 4 MiB the rest is left out, and `args_total` still says how long it was.
pub const ARGV_MAX: usize = 4 << 20;
