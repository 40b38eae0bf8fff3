//! The numbers of the syscalls that the kernel half looks at, in both of x86's tables, and which program handles each.
//!
//! Everywhere outside the dispatcher a syscall has its x86-64 number, also when it was made through the 32-bit entry, and
//! also when that entry's `socketcall` stood for it.

use crate::calls::{CALLS, NUMBERS, SHAPES, Shape};
use crate::generic::of_generic;

/// x86-64 syscall numbers (Linux: `arch/x86/entry/syscalls/syscall_64.tbl`).
pub mod nr {
    /// open
    pub const OPEN: u64 = 2;
    /// socket
    pub const SOCKET: u64 = 41;
    /// connect
    pub const CONNECT: u64 = 42;
    /// accept
    pub const ACCEPT: u64 = 43;
    /// sendto
    pub const SENDTO: u64 = 44;
    /// recvfrom
    pub const RECVFROM: u64 = 45;
    /// sendmsg
    pub const SENDMSG: u64 = 46;
    /// recvmsg
    pub const RECVMSG: u64 = 47;
    /// bind
    pub const BIND: u64 = 49;
    /// listen
    pub const LISTEN: u64 = 50;
    /// execve
    pub const EXECVE: u64 = 59;
    /// creat
    pub const CREAT: u64 = 85;
    /// prctl
    pub const PRCTL: u64 = 157;
    /// openat
    pub const OPENAT: u64 = 257;
    /// accept4
    pub const ACCEPT4: u64 = 288;
    /// execveat
    pub const EXECVEAT: u64 = 322;
    /// openat2
    pub const OPENAT2: u64 = 437;
    /// umount, which only the 32-bit table has: a number that x86-64 keeps free stands for it (Linux: "don't use numbers
    /// 387 through 423").
    pub const UMOUNT: u64 = 400;
    /// socketcall of the 32-bit table, which stands for the call that its first argument names.
    pub const IA32_SOCKETCALL: u64 = 102;
}

/// What `socketcall` may stand for: its first argument, the x86-64 number, how many arguments that one takes (Linux:
/// net/socket.c, `nargs`). send and recv are sendto and recvfrom without an address, as the kernel makes them.
const SOCKETCALLS: [(u64, u64, u64); 12] = [
    (1, nr::SOCKET, 3),
    (2, nr::BIND, 3),
    (3, nr::CONNECT, 3),
    (4, nr::LISTEN, 2),
    (5, nr::ACCEPT, 3),
    (9, nr::SENDTO, 4),
    (10, nr::RECVFROM, 4),
    (11, nr::SENDTO, 6),
    (12, nr::RECVFROM, 6),
    (16, nr::SENDMSG, 3),
    (17, nr::RECVMSG, 3),
    (18, nr::ACCEPT4, 4),
];

/// By the first argument: the x86-64 number and how many arguments it takes; zeroes where none is handled.
static BY_SOCKETCALL: [(u16, u16); 32] = {
    let mut by_call = [(0, 0); 32];
    let mut at = 0;
    while at < SOCKETCALLS.len() {
        let (call, number, count) = SOCKETCALLS[at];
        by_call[call as usize] = (number as u16, count as u16);
        at += 1;
    }
    by_call
};

/// What a `socketcall` with this first argument stands for: the x86-64 number, and how many arguments it takes.
#[inline]
pub fn of_socketcall(call: u64) -> Option<(u64, u64)> {
    if call >= BY_SOCKETCALL.len() as u64 {
        return None;
    }
    match BY_SOCKETCALL[call as usize & 31] {
        (0, _) => None,
        (number, count) => Some((number.into(), count.into())),
    }
}

/// Whether this number of the 32-bit table takes ids of 16 bits, which the kernel widens so that all ones stay all ones.
#[inline]
pub const fn has_short_ids(ia32: u64) -> bool {
    matches!(ia32, 23 | 46 | 70 | 71 | 164 | 170)
}

/// (ia32 number, x86-64 number) of the syscalls that have a record of their own kind (Linux:
/// `arch/x86/entry/syscalls/syscall_32.tbl`); those of the others stand with them in [`CALLS`].
const COMPAT: [(u64, u64); 7] = [
    (5, nr::OPEN),
    (8, nr::CREAT),
    (11, nr::EXECVE),
    (295, nr::OPENAT),
    (358, nr::EXECVEAT),
    (362, nr::CONNECT),
    (437, nr::OPENAT2),
];

/// The x86-64 number of each ia32 number that is handled; 0 (`read`, which is not) for the others.
static NATIVE: [u16; NUMBERS] = {
    let mut native = [0; NUMBERS];
    let mut at = 0;
    while at < COMPAT.len() {
        native[COMPAT[at].0 as usize] = COMPAT[at].1 as u16;
        at += 1;
    }
    at = 0;
    while at < CALLS.len() {
        let mut which = 0;
        while which < CALLS[at].ia32.len() {
            // 0 is `restart_syscall`, which no row has.
            if CALLS[at].ia32[which] != 0 {
                native[CALLS[at].ia32[which] as usize] = CALLS[at].number as u16;
            }
            which += 1;
        }
        at += 1;
    }
    native
};

/// The x86-64 number of an ia32 syscall; `None` for one that is not handled.
#[inline]
pub fn native(ia32: u64) -> Option<u64> {
    if ia32 >= NUMBERS as u64 {
        return None;
    }
    match NATIVE[ia32 as usize & (NUMBERS - 1)] {
        0 => None,
        number => Some(number.into()),
    }
}

/// The shapes by number. They lie in the kernel object once, for every program.
static BY_NUMBER: [Shape; NUMBERS] = SHAPES;

/// What the record of an x86-64 number carries; absent where the number is in no row.
#[inline]
pub fn shape(number: u64) -> Shape {
    if number >= NUMBERS as u64 { Shape::ABSENT } else { BY_NUMBER[number as usize & (NUMBERS - 1)] }
}

/// The program that handles a syscall: its slot in the table that the dispatcher jumps through.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// open, openat, openat2, creat.
    Open = 0,
    /// connect.
    Connect = 1,
    /// execve and execveat that failed.
    ExecFailed = 2,
    /// The syscalls of [`CALLS`].
    Call = 3,
    /// Openings that only the file they led to decides about; those that are wanted go on to [`Family::Open`].
    OpenedFile = 4,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Open, Self::Connect, Self::ExecFailed, Self::Call, Self::OpenedFile];

    /// The family of an x86-64 number.
    #[inline]
    pub fn of(number: u64) -> Option<Self> {
        match number {
            nr::OPEN | nr::CREAT | nr::OPENAT | nr::OPENAT2 => Some(Self::Open),
            nr::CONNECT => Some(Self::Connect),
            nr::EXECVE | nr::EXECVEAT => Some(Self::ExecFailed),
            number if shape(number).is_present() => Some(Self::Call),
            _ => None,
        }
    }
}

/// A set of syscall numbers below 512.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bitmap {
    /// Bit `n % 64` of word `n / 64` stands for number `n`.
    pub words: [u64; 8],
}

impl Bitmap {
    /// The empty set.
    pub const EMPTY: Self = Self { words: [0; 8] };

    /// This set and `number`; a number of 512 or more cannot be in it.
    #[must_use]
    pub const fn with(mut self, number: u64) -> Self {
        if number < 512 {
            self.words[(number >> 6) as usize] |= 1 << (number & 63);
        }
        self
    }

    /// Whether `number` is in it.
    pub const fn has(&self, number: u64) -> bool {
        number < 512 && self.words[(number >> 6) as usize] >> (number & 63) & 1 != 0
    }

    /// This set of x86-64 numbers, and the ia32 numbers that mean the same: what is worth a second look before it is
    /// known through which entry a call came.
    #[must_use]
    pub fn either_entry(self) -> Self {
        let meant = (0..NUMBERS as u64).filter(|ia32| native(*ia32).is_some_and(|number| self.has(number)));
        let by_socketcall = SOCKETCALLS.iter().any(|(_, number, _)| self.has(*number));
        meant.chain(by_socketcall.then_some(nr::IA32_SOCKETCALL)).fold(self, Self::with)
    }

    /// The numbers of the generic table that mean the same as these x86-64 numbers: what is worth a second look on arm64.
    #[must_use]
    pub fn generic(self) -> Self {
        let meant = (0..NUMBERS as u64).filter(|own| of_generic(*own).is_some_and(|number| self.has(number)));
        meant.fold(Self::EMPTY, Self::with)
    }
}
