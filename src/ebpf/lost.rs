//! How records that did not fit into the ring are told apart: by what they were, processor and process. Both halves read
//! these layouts; the kernel half counts, the user half tells.
#![expect(
    clippy::inline_always,
    reason = "a call in the kernel half would take room on a stack that is nearly full"
)]

use crate::{Head, Kind};

/// What a lost record was: its kind, or for a CALL its syscall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Unit(pub u16);

impl Unit {
    /// Above the numbers of kinds.
    const CALLS: u16 = 0x1000;
    /// More syscalls are not told apart.
    pub const CALL_SLOTS: usize = 512;

    /// A record of this kind that is no CALL.
    pub const fn of_kind(kind: u16) -> Self {
        Self(kind)
    }

    /// A CALL of this syscall.
    pub const fn of_call(syscall: u16) -> Self {
        Self(Self::CALLS | syscall)
    }

    /// The syscall of a CALL.
    pub const fn call(self) -> Option<u16> {
        if self.0 & 0xf000 == Self::CALLS { Some(self.0 & 0x0fff) } else { None }
    }
}

/// Whose records were lost: the key of the table of makers.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maker {
    /// When the process started, as in [`Head`].
    pub start: u64,
    /// The process.
    pub tgid: u32,
    /// The processor.
    pub cpu: u16,
    /// What.
    pub unit: Unit,
}

impl Maker {
    /// How many keys the table has room for. What more processes lose while nobody reads it is counted without a name.
    pub const SLOTS: u32 = 2048;

    /// The maker of the record with this head.
    #[inline(always)]
    pub fn of(head: &Head, unit: Unit) -> Self {
        Self { start: head.start, tgid: head.tgid, cpu: head.cpu as u16, unit }
    }

    /// The key as two words.
    pub fn from_words([start, rest]: [u64; 2]) -> Self {
        Self { start, tgid: rest as u32, cpu: (rest >> 32) as u16, unit: Unit((rest >> 48) as u16) }
    }

    /// The two words that it is.
    pub fn words(self) -> [u64; 2] {
        [self.start, u64::from(self.tgid) | u64::from(self.cpu) << 32 | u64::from(self.unit.0) << 48]
    }
}

/// What the table holds of a maker.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// How many records.
    pub count: u64,
    /// The kernel's short name of the process when the first was lost.
    pub comm: [u64; 2],
}

/// A processor's counters.
#[repr(C)]
pub struct Counts {
    /// Records that were attempted.
    pub attempted: u64,
    /// Calls that nobody wants.
    pub filtered: u64,
    /// Records that there was no room for, by kind.
    pub lost: [u64; Kind::KERNEL_SLOTS],
}

const _: () = assert!(size_of::<Maker>() == 16 && size_of::<Made>() == 24);
