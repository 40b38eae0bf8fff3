//! The filter of openings: which of them the kernel half sends, asked of tables that the user half makes from the rules.
//!
//! One array of words holds it all: for each way in which a file can be opened, the alternatives that want it and an
//! automaton over the bytes of the path as given; and a small table of program names. [`Ask::admits`] is the same code
//! in both halves, so what the tests say of it holds in the kernel. It never leaves out what is wanted: what it cannot
//! tell, it admits.
//!
//! An opening that nobody wants by the path as given may be wanted by the file that it led to: [`admits_file`] asks a second row
//! of each way, with the names of that file's path from the leaf up, as a record has them.
//!
//! A row of an automaton is four masks and then the row that each class of bytes leads to. A mask has a bit for each
//! alternative: the path passes its test from here on, the given path does; and both once more for a path that ends here.
#![expect(clippy::inline_always, reason = "a call in the kernel half costs more than most of these")]

/// How many words the tables have: a power of two, so that an index is made safe by a mask. The stock rules of Falco take
/// a tenth.
pub const WORDS: usize = 1 << 17;
/// Bytes in the tables.
pub const BYTES: u32 = WORDS as u32 * 4;
/// Behind them is room, so that a table of classes may begin anywhere.
pub const ALL_WORDS: usize = WORDS + 128;

/// Where it says whether to filter at all: 0 admits everything, as untouched tables do.
pub const ON: u32 = 0;
/// Which alternatives any program's name passes.
pub const ANY_NAME: u32 = 1;
/// A set of 64 bits, [`name_bit`] of each name in it: most programs are in no rule, and this says so at once.
pub const NAME_BITS: u32 = 2;
/// Two masks, of no alternative and of all. A program reads them here rather than knowing them, because the verifier walks the
/// automaton's steps once for each number that it knows a mask to be.
pub const NOTHING: u32 = 4;
/// The mask of all.
pub const ALL: u32 = 5;
/// A row a way: the candidates, the first row of its automaton, the one behind a slash, the one that its search rests in,
/// and where its table of classes begins.
pub const WAYS: u32 = 8;
/// Words such a row takes.
pub const WAY_WORDS: u32 = 5;
/// Ways: three outcomes, each with four directions, then the outcomes once more for creat.
pub const WAY_COUNT: u32 = 15;
/// A row a way for the file that was opened: the candidates, the first row of its automaton, the one that its search rests in,
/// and where its table of classes begins.
pub const FILES: u32 = WAYS + WAY_WORDS * WAY_COUNT;
/// Words such a row takes.
pub const FILE_WORDS: u32 = 4;
/// The table of names: sixteen bytes, then a mask of the alternatives that name it, 0 in an empty slot.
pub const NAMES: u32 = 192;
/// Words a name's slot takes.
pub const NAME_WORDS: u32 = 8;
/// Slots for names.
pub const NAME_SLOTS: u32 = 256;
/// How many slots a name may lie behind its own.
pub const NAME_PROBES: u32 = 4;
/// What is left for automata begins here.
pub const ROWS: u32 = NAMES + NAME_SLOTS * NAME_WORDS;
const _: () = assert!(FILES + FILE_WORDS * WAY_COUNT <= NAMES);

/// Columns of a row: the four masks.
pub const PATH: u32 = 0;
/// The given path passes from here on.
pub const GIVEN: u32 = 1;
/// The path passes if it ends here.
pub const PATH_END: u32 = 2;
/// The given path passes if it ends here.
pub const GIVEN_END: u32 = 3;
/// Columns before those of the classes.
pub const MASKS: u32 = 4;

/// A row goes by the byte that it begins at, a class by the byte of its column, so that their sum is a place. They are
/// multiples of four; in their lowest bits:
/// in a class, that a search that rests goes on resting;
pub const REST: u16 = 1;
/// and in the number of a row, that it has masks which hold from here on.
pub const HOLDS: u32 = 2;

/// Longer paths are admitted unasked. The verifier walks every step of the loop, and hardly any path is longer.
pub const LONGEST: u32 = 256;
/// The same of the path of a file. The loop is walked while eyas starts, so it is no longer than most paths need.
pub const LONGEST_FILE: u32 = 128;

/// The number of a way. `outcome` is 0 for a failure, 1 for a descriptor, 2 for a new file; no direction where a call has
/// none of its own.
#[inline(always)]
pub const fn way(outcome: u32, direction: Option<(bool, bool)>) -> u32 {
    match direction {
        Some((read, write)) => outcome << 2 | (write as u32) << 1 | read as u32,
        None => 12 + outcome,
    }
}

/// A name as the kernel keeps it, without what an earlier, longer one left behind its NUL (Linux before 5.17).
#[inline(always)]
pub const fn comparable(name: [u64; 2]) -> [u64; 2] {
    let [first, second] = [before_nul(name[0]), before_nul(name[1])];
    [first.0, if first.1 { 0 } else { second.0 }]
}

/// The bytes before the first NUL, and whether there is one.
#[inline(always)]
const fn before_nul(word: u64) -> (u64, bool) {
    // The lowest of these bits is that of the first byte that is zero.
    let zeroes = word.wrapping_sub(0x0101_0101_0101_0101) & !word & 0x8080_8080_8080_8080;
    if zeroes == 0 {
        return (word, false);
    }
    (word & (((zeroes & zeroes.wrapping_neg()) >> 7) - 1), true)
}

/// The slot that a name would like to have.
#[inline(always)]
pub const fn name_slot(name: [u64; 2]) -> u32 {
    ((name[0] ^ name[1].rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u32
}

/// The bit of a name in [`NAME_BITS`]. It looks at two bytes: what lies behind an early NUL may be anything.
#[inline(always)]
pub const fn name_bit(first: u64) -> u64 {
    1 << ((first & 0xffff).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58)
}

/// The tables, as each half holds them. A place may be any number: it is brought into bounds.
pub trait Tables {
    /// The word at this byte, which is a multiple of four but for its lowest bits, and they do not count.
    fn word(&self, at: u64) -> u64;
    /// The class of a byte in the table that begins at this byte.
    fn class(&self, table: u64, byte: u8) -> u64;
}

impl Tables for &[u32; ALL_WORDS] {
    fn word(&self, at: u64) -> u64 {
        self[(at as usize / 4) & (WORDS - 1)].into()
    }

    fn class(&self, table: u64, byte: u8) -> u64 {
        let at = ((table as usize / 4) & (WORDS - 1)) * 2 + usize::from(byte);
        u64::from(self[at / 2]) >> (16 * (at & 1)) & 0xffff
    }
}

/// The place of a word.
const fn place(word: u32) -> u64 {
    word as u64 * 4
}

/// Whose name it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The thread's that opens.
    Thread,
    /// The one's that its process began with, which the process is called by.
    Leader,
}

/// What can be said before the path has been read.
pub enum Glance {
    /// It is wanted, whatever its path.
    Wanted,
    /// Nobody wants it, whatever its path.
    Unwanted,
    /// Its path decides.
    Ask(Ask),
}

/// The question that a path answers.
#[derive(Clone, Copy)]
pub struct Ask {
    candidates: u64,
    start: u64,
    rooted: u64,
    rest: u64,
    classes: u64,
}

/// Bits of the number of the tables below those of the ways that somebody wants by the file that was opened: a bit a way.
pub const BY_FILE: u32 = 32;
/// The same below those of the ways that nobody wants by the path as given.
pub const NOBODY: u32 = 48;

/// Whether nobody wants openings of this way, whatever their path as given and program, by the number of the tables in force.
#[inline(always)]
pub const fn is_nobodys(number: u64, way: u32) -> bool {
    number >> (NOBODY + way) & 1 != 0
}

/// Whether somebody may want openings of this way for the file that was opened, by the number of the tables in force.
#[inline(always)]
pub const fn may_go_by_file(number: u64, way: u32) -> bool {
    number >> (BY_FILE + way) & 1 != 0
}

/// What the way and the program's names say of an opening: the thread's, and that of the thread that its process began with
/// if it is another. Names are asked for only where they matter.
#[inline(always)]
pub fn glance(tables: &impl Tables, way: u32, name: impl Fn(Whose) -> Option<[u64; 2]>) -> Glance {
    if tables.word(place(ON)) == 0 {
        return Glance::Wanted;
    }
    let row = place(WAYS) + u64::from(way) * place(WAY_WORDS);
    let candidates = candidates(tables, row, name);
    if candidates == 0 {
        return Glance::Unwanted;
    }
    let [start, rooted] = [tables.word(row + 4), tables.word(row + 8)];
    if start & u64::from(HOLDS) != 0
        && tables.word(start + place(PATH)) & tables.word(start + place(GIVEN)) & candidates != 0
    {
        return Glance::Wanted;
    }
    let [rest, classes] = [tables.word(row + 12), tables.word(row + 16)];
    Glance::Ask(Ask { candidates, start, rooted, rest, classes })
}

/// The candidates of a row that the program's names pass.
#[inline(always)]
fn candidates(tables: &impl Tables, row: u64, name: impl Fn(Whose) -> Option<[u64; 2]>) -> u64 {
    let candidates = tables.word(row);
    let any = tables.word(place(ANY_NAME));
    if candidates & !any == 0 {
        return candidates;
    }
    let bits = tables.word(place(NAME_BITS)) | tables.word(place(NAME_BITS + 1)) << 32;
    let passed = |whose| match name(whose) {
        Some(name) if bits & name_bit(name[0]) != 0 => named(tables, comparable(name)),
        _ => 0,
    };
    candidates & (any | passed(Whose::Thread) | passed(Whose::Leader))
}

/// Whether an opening could be wanted for the file that it led to. `byte` gives the `len` bytes of its path as a record has it:
/// names from the leaf up, a NUL behind each, the last one empty. A path that does not end so, or is longer than
/// [`LONGEST_FILE`], is admitted.
#[inline(always)]
pub fn admits_file(
    tables: &impl Tables,
    way: u32,
    name: impl Fn(Whose) -> Option<[u64; 2]>,
    len: u32,
    byte: impl Fn(u32) -> u8,
) -> bool {
    if tables.word(place(ON)) == 0 {
        return true;
    }
    let at = place(FILES) + u64::from(way) * place(FILE_WORDS);
    let candidates = candidates(tables, at, name);
    if candidates == 0 {
        return false;
    }
    // What never had a place in a tree does not end at its root.
    if len == 0 || len > LONGEST_FILE || len > 1 && byte(len - 2) != 0 {
        return true;
    }
    let [mut row, rest, classes] = [tables.word(at + 4), tables.word(at + 8), tables.word(at + 12)];
    let mut passed = tables.word(place(NOTHING));
    if row & u64::from(HOLDS) != 0 {
        passed |= tables.word(row + place(PATH));
        if passed & candidates != 0 {
            return true;
        }
    }
    let mut at = 0;
    while at < len {
        let class = tables.class(classes, byte(at));
        if row != rest || class & u64::from(REST) == 0 {
            row = tables.word(row + class);
            if row & u64::from(HOLDS) != 0 {
                passed |= tables.word(row + place(PATH));
                if passed & candidates != 0 {
                    return true;
                }
            }
        }
        at += 1;
    }
    passed |= tables.word(row + place(PATH_END));
    passed & candidates != 0
}

/// The alternatives that name a program.
#[inline(always)]
fn named(tables: &impl Tables, name: [u64; 2]) -> u64 {
    let first = name_slot(name);
    let mut probe = 0;
    while probe < NAME_PROBES {
        let slot = place(NAMES) + u64::from((first + probe) & (NAME_SLOTS - 1)) * place(NAME_WORDS);
        let mask = tables.word(slot + 16);
        if mask == 0 {
            return 0;
        }
        let whole = |at| tables.word(at) | tables.word(at + 4) << 32;
        if whole(slot) == name[0] && whole(slot + 8) == name[1] {
            return mask;
        }
        probe += 1;
    }
    0
}

impl Ask {
    /// Whether an opening of this path, as given, could be wanted. `byte` gives its bytes, a NUL behind them.
    ///
    /// Tests of the path are about its absolute, folded form. A path that begins with a slash and needs no folding is that
    /// form; any other passes them all: the automaton itself knows doubled slashes and the like.
    #[inline(always)]
    pub fn admits(self, tables: &impl Tables, byte: impl Fn(u32) -> u8) -> bool {
        let mut row = self.start;
        let (mut path, mut given) = (tables.word(place(NOTHING)), tables.word(place(NOTHING)));
        let take = |row: u64, path: &mut u64, given: &mut u64| {
            if row & u64::from(HOLDS) != 0 {
                *path |= tables.word(row + place(PATH));
                *given |= tables.word(row + place(GIVEN));
            }
        };
        take(row, &mut path, &mut given);
        let mut at = 0;
        if byte(0) == b'/' {
            // Where that leads to is known.
            (row, at) = (self.rooted, 1);
            take(row, &mut path, &mut given);
        } else {
            path = tables.word(place(ALL));
        }
        if path & given & self.candidates != 0 {
            return true;
        }
        while at < LONGEST {
            let next = byte(at);
            if next == 0 {
                path |= tables.word(row + place(PATH_END));
                given |= tables.word(row + place(GIVEN_END));
                return path & given & self.candidates != 0;
            }
            let class = tables.class(self.classes, next);
            // While the search rests, the next row does not depend on the last look-up, and the processor runs ahead.
            if row != self.rest || class & u64::from(REST) == 0 {
                row = tables.word(row + class);
                if row & u64::from(HOLDS) != 0 {
                    take(row, &mut path, &mut given);
                    if path & given & self.candidates != 0 {
                        return true;
                    }
                }
            }
            at += 1;
        }
        true
    }
}
