//! The numbers of the syscalls that the kernel half looks at, in both of x86's tables, and which program handles each.
//!
//! Everywhere outside the dispatcher a syscall has its x86-64 number, also when it was made through the 32-bit entry.
//! `socketcall` (ia32 102), through which old 32-bit programs connect, is not translated: such connects are not seen.

/// x86-64 syscall numbers (Linux: `arch/x86/entry/syscalls/syscall_64.tbl`).
pub mod nr {
    /// open
    pub const OPEN: u64 = 2;
    /// connect
    pub const CONNECT: u64 = 42;
    /// execve
    pub const EXECVE: u64 = 59;
    /// creat
    pub const CREAT: u64 = 85;
    /// openat
    pub const OPENAT: u64 = 257;
    /// execveat
    pub const EXECVEAT: u64 = 322;
    /// openat2
    pub const OPENAT2: u64 = 437;
}

/// (ia32 number, x86-64 number) of every syscall that is handled (Linux: `arch/x86/entry/syscalls/syscall_32.tbl`).
const COMPAT: [(u64, u64); 7] = [
    (5, nr::OPEN),
    (8, nr::CREAT),
    (11, nr::EXECVE),
    (295, nr::OPENAT),
    (358, nr::EXECVEAT),
    (362, nr::CONNECT),
    (437, nr::OPENAT2),
];

/// The x86-64 number of an ia32 syscall; `None` for one that is not handled.
pub const fn native(ia32: u64) -> Option<u64> {
    let mut at = 0;
    while at < COMPAT.len() {
        if COMPAT[at].0 == ia32 {
            return Some(COMPAT[at].1);
        }
        at += 1;
    }
    None
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
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Connect, Self::ExecFailed];

    /// The x86-64 numbers it handles.
    pub const fn numbers(self) -> &'static [u64] {
        match self {
            Self::Open => &[nr::OPEN, nr::CREAT, nr::OPENAT, nr::OPENAT2],
            Self::Connect => &[nr::CONNECT],
            Self::ExecFailed => &[nr::EXECVE, nr::EXECVEAT],
        }
    }

    /// The family of an x86-64 number.
    #[inline]
    pub const fn of(number: u64) -> Option<Self> {
        match number {
            nr::OPEN | nr::CREAT | nr::OPENAT | nr::OPENAT2 => Some(Self::Open),
            nr::CONNECT => Some(Self::Connect),
            nr::EXECVE | nr::EXECVEAT => Some(Self::ExecFailed),
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

    /// The x86-64 numbers of these families.
    pub fn of(families: &[Family]) -> Self {
        let numbers = families.iter().flat_map(|family| family.numbers());
        numbers.fold(Self::EMPTY, |set, number| set.with(*number))
    }

    /// This set of x86-64 numbers, and the ia32 numbers that mean the same: what is worth a second look before it is
    /// known through which entry a call came.
    #[must_use]
    pub fn either_entry(self) -> Self {
        let meant = COMPAT.iter().filter(|(_, native)| self.has(*native));
        meant.fold(self, |set, (ia32, _)| set.with(*ia32))
    }
}
