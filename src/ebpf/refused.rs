//! Openings that the filter has lately refused. Programs open the same paths again and again; one that is compared with the
//! last of its kind, eight bytes at a time, need not be asked of the tables, byte by byte.
//!
//! The kernel half keeps a table of them for each processor. An entry holds all that the answer depends on, so what is
//! found there is what the tables would say, and what they said before they were changed is never found. A path too long for
//! that takes an entry as well, with its begin alone, and is not looked for.
#![expect(clippy::inline_always, reason = "a call in the kernel half costs more than most of these")]

use crate::filter::{Glance, Tables, Whose, glance};

/// Longest path that is looked for, in words of eight bytes, its NUL included.
pub const WORDS: usize = 8;
/// Entries for each processor, a power of two.
pub const ENTRIES: usize = 128;

/// What one processor remembers.
#[repr(C)]
#[derive(Clone, Debug)]
pub struct Memory([Refused; ENTRIES]);

/// What was refused; all zero where nothing was yet.
#[repr(C, align(128))]
#[derive(Clone, Copy, Debug, Default)]
struct Refused {
    tables: u64,
    thread: [u64; 2],
    way_and_len: u64,
    path: [u64; WORDS],
    leader: [u64; 2],
}

/// An opening, but for the bytes of its path.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The number that the tables have while they are in force; never 0.
    pub tables: u64,
    /// The name of the thread, as the kernel keeps it.
    pub thread: [u64; 2],
    /// That of the thread that its process began with.
    pub leader: [u64; 2],
    /// The way of the opening.
    pub way: u32,
    /// Length of the path with its NUL.
    pub len: u32,
}

impl Default for Memory {
    fn default() -> Self {
        Self([Refused::default(); ENTRIES])
    }
}

/// Does a step for each word up to `words`, until one says no. Written out, because the verifier loses sight of an index that
/// the compiler counts in its own way.
#[inline(always)]
fn each_word(words: u32, mut step: impl FnMut(u32) -> bool) {
    let mut one = |at| at < words && step(at);
    let _ = one(0) && one(1) && one(2) && one(3) && one(4) && one(5) && one(6) && one(7);
}

impl Asked {
    #[inline(always)]
    fn words(&self) -> u32 {
        self.len.div_ceil(8)
    }

    #[inline(always)]
    fn way_and_len(&self) -> u64 {
        u64::from(self.way) << 32 | u64::from(self.len)
    }

    /// One word of the path, given as it was read: what lies behind the NUL is anything.
    #[inline(always)]
    fn word(&self, at: u32, read: u64) -> u64 {
        let behind = (at + 1) * 8;
        if behind <= self.len { read } else { read & (u64::MAX >> (((behind - self.len) * 8) & 63)) }
    }

    /// The entry that it would be in. Different programs that open the same paths have entries of their own.
    #[inline(always)]
    fn entry(&self, path: &impl Fn(u32) -> u64) -> usize {
        const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut mixed = self.thread[0] ^ u64::from(self.way);
        each_word(self.words(), |at| {
            mixed = mixed.rotate_left(11) ^ self.word(at, path(at));
            true
        });
        (mixed.wrapping_mul(MIX) >> 57) as usize & (ENTRIES - 1)
    }
}

impl Refused {
    #[inline(always)]
    fn is(&self, asked: &Asked, path: &impl Fn(u32) -> u64) -> bool {
        let mut same = self.tables == asked.tables
            && self.way_and_len == asked.way_and_len()
            && self.thread == asked.thread
            && self.leader == asked.leader;
        if same {
            each_word(asked.words(), |at| {
                same = self.path[at as usize] == asked.word(at, path(at));
                same
            });
        }
        same
    }

    /// Keeps it as not refused yet.
    #[inline(always)]
    fn keep(&mut self, asked: &Asked, path: &impl Fn(u32) -> u64) {
        self.tables = 0;
        self.way_and_len = asked.way_and_len();
        // One by one: the compiler of the kernel half stumbles over copies of arrays.
        (self.thread[0], self.thread[1]) = (asked.thread[0], asked.thread[1]);
        (self.leader[0], self.leader[1]) = (asked.leader[0], asked.leader[1]);
        each_word(asked.words(), |at| {
            self.path[at as usize] = asked.word(at, path(at));
            true
        });
    }
}

impl Memory {
    /// Whether nobody wants this opening, by what is remembered or else by the tables. `path` gives words of its path and `byte`
    /// the bytes, a NUL behind them.
    #[inline(always)]
    pub fn refuses(
        &mut self,
        asked: &Asked,
        tables: &impl Tables,
        path: impl Fn(u32) -> u64,
        byte: impl Fn(u32) -> u8,
    ) -> bool {
        // A longer path takes an entry, too, so that the verifier walks what follows once, and not once more without an entry. It must
        // never be looked for, since all paths with its begin and length are there the same; shorter ones have other lengths.
        let entry = &mut self.0[asked.entry(&path)];
        if asked.len <= WORDS as u32 * 8 && entry.is(asked, &path) {
            return true;
        }
        // Kept before the tables are asked, not after: the verifier would carry all that is kept through every step.
        entry.keep(asked, &path);
        let name = |whose| {
            Some(match whose {
                Whose::Thread => asked.thread,
                Whose::Leader => asked.leader,
            })
        };
        let refused = match glance(tables, asked.way, name) {
            Glance::Wanted => false,
            Glance::Unwanted => true,
            Glance::Ask(ask) => !ask.admits(tables, byte),
        };
        if refused {
            entry.tables = asked.tables;
        }
        refused
    }
}
