//! What is wanted of the openings of files, as the tables that the kernel half asks (`eyas_ebpf::filter`).
//!
//! They admit all that [`Opens`] admits, and more where they must be coarse: more alternatives than a mask has bits are
//! taken together, names that find no slot stand for any, long literals are cut until an automaton fits, and a way for
//! which none fits is admitted whole.

mod automaton;
mod leaf_first;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use aya::maps::{Array, MapData};
use eyas_ebpf::filter::{
    ALL, ALL_WORDS, ANY_NAME, BY_FILE, FILE_WORDS, FILES, HOLDS, MASKS, NAME_BITS, NAME_PROBES, NAME_SLOTS,
    NAME_WORDS, NAMES, NOBODY, ON, ROWS, WAY_COUNT, WAY_WORDS, WAYS, WORDS, name_bit, name_slot, way,
};
use eyas_event::{Among, OpenWant, Opens, Outcome, PathTest, Ways};

use crate::error::one_line;
use automaton::{Automaton, Literals, Test};
use leaf_first::leaf_first;

/// The words of the tables.
pub(crate) type Tables = [u32; ALL_WORDS];

/// A mask has so many bits.
const ALTERNATIVES: usize = 32;
/// How long literals may be: the first with which an automaton fits is taken.
const CUTS: [usize; 5] = [usize::MAX, 32, 16, 8, 4];
/// The row that admits everything: its masks hold from the first byte on.
const EVERYTHING: u32 = (ROWS * 4) | HOLDS;

/// The filter's maps.
pub(crate) struct FilterMaps {
    tables: Array<MapData, Tables>,
    number: Array<MapData, u64>,
    /// Whose lowest bit says which tables are in force; below [`BY_FILE`], as nobody changes rules so often.
    in_force: u64,
    /// What they were made of; nothing yet, and then everything is sent.
    opens: Option<Opens>,
}

impl FilterMaps {
    pub(crate) fn new(tables: Array<MapData, Tables>, number: Array<MapData, u64>) -> Self {
        Self { tables, number, in_force: 0, opens: None }
    }

    /// Puts what is wanted in force: the tables that are not in use are written, then the number is raised. At each moment
    /// the kernel half goes by the old ones or by the new ones.
    pub(crate) fn set(&mut self, opens: &Opens) -> Result<(), String> {
        if self.opens.as_ref() == Some(opens) {
            return Ok(());
        }
        let next = self.in_force + 1;
        let tables = compile(opens);
        let number = ways_without(&tables, WAYS, WAY_WORDS) << NOBODY
            | (ways_without(&tables, FILES, FILE_WORDS) ^ ALL_WAYS) << BY_FILE
            | next;
        let written =
            self.tables.set((next & 1) as u32, tables, 0).and_then(|()| self.number.set(0, number, 0));
        written.map_err(|error| one_line(&error))?;
        (self.in_force, self.opens) = (next, Some(opens.clone()));
        Ok(())
    }
}

/// A bit for each way.
const ALL_WAYS: u64 = (1 << WAY_COUNT) - 1;

/// The ways whose rows from here on have no candidates, a bit each.
fn ways_without(tables: &Tables, rows: u32, words: u32) -> u64 {
    let is_empty = |way: &u32| tables[(rows + way * words) as usize] == 0;
    (0..WAY_COUNT).filter(is_empty).fold(0, |ways, way| ways | 1 << way)
}

/// Makes the tables.
pub(crate) fn compile(opens: &Opens) -> Box<Tables> {
    let mut tables: Box<Tables> = vec![0; ALL_WORDS]
        .into_boxed_slice()
        .try_into()
        .expect("it has so many words, because it was made so");
    let wants: Vec<_> = opens.wants().iter().map(bounded).collect();
    let wants = few(&wants);
    tables[ON as usize] = 1;
    tables[ALL as usize] = u32::MAX;
    tables[ANY_NAME as usize] = put_names(&wants, &mut tables);
    tables[ROWS as usize..][..2].fill(u32::MAX);
    let mut free = ROWS + MASKS;
    // By the mask: an alternative goes by the path or by the file, so that one mask is never of both.
    let mut known: HashMap<u32, [u32; 4]> = HashMap::new();
    for (number, ways) in ways() {
        let candidates = wants
            .iter()
            .enumerate()
            .filter(|(_, want)| want.ways.and(ways) != Ways::NONE)
            .map(|(bit, want)| (1 << bit, want));
        let mask = |of: &[(u32, &OpenWant)]| of.iter().fold(0, |mask, (bit, _)| mask | bit);
        let (by_path, by_file): (Vec<_>, Vec<_>) = candidates.partition(|(_, want)| want.real == Among::Any);
        if !by_path.is_empty() {
            let row = (WAYS + number * WAY_WORDS) as usize;
            if by_path.iter().any(|(_, want)| is_everything(want)) {
                // One of those that any name passes.
                (tables[row], tables[row + 1]) = (tables[ANY_NAME as usize], EVERYTHING);
                continue;
            }
            tables[row] = mask(&by_path);
            let places =
                known.entry(mask(&by_path)).or_insert_with(|| place(&by_path, &mut tables, &mut free));
            tables[row + 1..row + 5].copy_from_slice(places);
        }
        // A failure leads to no file.
        if !by_file.is_empty() && ways.and(Ways::MADE) != Ways::NONE {
            let row = (FILES + number * FILE_WORDS) as usize;
            tables[row] = mask(&by_file);
            let [start, _, rest, classes] =
                known.entry(mask(&by_file)).or_insert_with(|| place_files(&by_file, &mut tables, &mut free));
            tables[row + 1..row + 4].copy_from_slice(&[*start, *rest, *classes]);
        }
    }
    tables
}

/// Each number of a way, and the way it stands for.
fn ways() -> impl Iterator<Item = (u32, Ways)> {
    const OUTCOMES: [Outcome; 3] = [Outcome::Failed, Outcome::Made, Outcome::Created];
    const DIRECTIONS: [(bool, bool); 4] = [(false, false), (true, false), (false, true), (true, true)];
    let one = |outcome, (read, write)| Ways::one(outcome, read, write);
    let all = OUTCOMES.into_iter().zip(0..).flat_map(move |(outcome, number)| {
        let of = DIRECTIONS
            .into_iter()
            .map(move |direction| (way(number, Some(direction)), one(outcome, direction)));
        of.chain([(way(number, None), Ways::creat(outcome))])
    });
    debug_assert!(all.clone().all(|(number, _)| number < WAY_COUNT));
    all
}

/// The same, by the path alone where a test of the file admits every file: to ask for that would be in vain.
fn bounded(want: &OpenWant) -> OpenWant {
    let admits_all = |test: &PathTest| leaf_first(test) == Some(PathTest::Begins(Box::default()));
    let real = match &want.real {
        Among::These(tests) if tests.iter().any(admits_all) => Among::Any,
        real => real.clone(),
    };
    OpenWant { real, ..want.clone() }
}

/// At most as many as a mask has bits: where there are more, the last that goes by the path stands for itself and all others that
/// do, and so does the last that goes by the file.
fn few(wants: &[OpenWant]) -> Vec<OpenWant> {
    let (mut by_path, mut by_file): (Vec<_>, Vec<_>) =
        wants.iter().cloned().partition(|want| want.real == Among::Any);
    if wants.len() > ALTERNATIVES {
        join(&mut by_file, ALTERNATIVES / 2);
        join(&mut by_path, ALTERNATIVES - by_file.len());
    }
    by_path.append(&mut by_file);
    by_path
}

/// Joins what is beyond so many with the last before.
fn join(wants: &mut Vec<OpenWant>, most: usize) {
    let rest = wants.split_off(wants.len().min(most));
    if let Some(last) = wants.last_mut() {
        *last = rest.iter().fold(last.clone(), |all, want| all.or(want));
    }
}

/// Whether it wants every path, by whomever. All paths begin with a slash, those given otherwise pass any test.
fn is_everything(want: &OpenWant) -> bool {
    let begins = |test: &PathTest| matches!(test, PathTest::Begins(text) if matches!(&**text, b"" | b"/"));
    want.given == Among::Any
        && want.real == Among::Any
        && want.comm == Among::Any
        && match &want.path {
            Among::Any => true,
            Among::These(tests) => tests.iter().any(begins),
        }
}

/// Fills the slots for names, and gives the alternatives that any name passes.
fn put_names(wants: &[OpenWant], tables: &mut Tables) -> u32 {
    let mut any = 0;
    for (bit, want) in wants.iter().enumerate() {
        let all_found_room = match &want.comm {
            Among::Any => false,
            Among::These(names) => names.iter().all(|name| put_name(name, 1 << bit, tables)),
        };
        if !all_found_room {
            any |= 1 << bit;
        }
    }
    any
}

/// Puts a name into its slot, or into one of the next; whether there was room.
fn put_name(name: &[u8], mask: u32, tables: &mut Tables) -> bool {
    // No thread is called so: the kernel keeps fifteen bytes and a NUL.
    if name.len() > 15 || name.contains(&0) {
        return true;
    }
    // What lies behind the NUL of an empty name is not looked at, so it cannot be told from others.
    if name.is_empty() {
        return false;
    }
    let mut padded = [0; 16];
    padded[..name.len()].copy_from_slice(name);
    let words: [u32; 4] = std::array::from_fn(|at| {
        padded[at * 4..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
    });
    let whole = |at: usize| u64::from(words[at]) | u64::from(words[at + 1]) << 32;
    let bit = name_bit(whole(0));
    tables[NAME_BITS as usize] |= bit as u32;
    tables[NAME_BITS as usize + 1] |= (bit >> 32) as u32;
    let first = name_slot([whole(0), whole(2)]);
    for probe in 0..NAME_PROBES {
        let slot = (NAMES + (first + probe) % NAME_SLOTS * NAME_WORDS) as usize;
        let [own @ .., known] = &mut tables[slot..slot + 5] else { return false };
        if *known == 0 || *own == words {
            own.copy_from_slice(&words);
            *known |= mask;
            return true;
        }
    }
    false
}

/// Puts the automaton of these alternatives behind the last; gives its first row, the one behind a slash, the one its search
/// rests in, and where its classes are.
fn place(candidates: &[(u32, &OpenWant)], tables: &mut Tables, free: &mut u32) -> [u32; 4] {
    fit(tables, free, |cut| {
        let (mut literals, mut start) = (Literals::default(), [0, 0]);
        for (bit, want) in candidates {
            for (side, among) in [&want.path, &want.given].into_iter().enumerate() {
                let mut masks = [0; 2];
                masks[side] = *bit;
                match among {
                    Among::Any => start[side] |= bit,
                    Among::These(tests) => tests.iter().for_each(|test| literals.add(test, cut, masks)),
                }
            }
        }
        // A path that needs folding passes all tests of the path.
        for text in [&b"//"[..], b"/./", b"/../"] {
            literals.put(Test::Holds, text, [u32::MAX, 0]);
        }
        for text in [&b"/"[..], b"/.", b"/.."] {
            literals.put(Test::Ends, text, [u32::MAX, 0]);
        }
        (literals, start)
    })
}

/// The same of alternatives that go by the file that was opened. What else they ask for is not asked here.
fn place_files(candidates: &[(u32, &OpenWant)], tables: &mut Tables, free: &mut u32) -> [u32; 4] {
    fit(tables, free, |cut| {
        let mut literals = Literals::default();
        for (bit, want) in candidates {
            if let Among::These(tests) = &want.real {
                let tests = tests.iter().filter_map(leaf_first);
                tests.for_each(|test| literals.add(&test, cut, [*bit, 0]));
            }
        }
        (literals, [0, 0])
    })
}

/// Puts the automaton of literals of the greatest length that fits behind the last.
fn fit(tables: &mut Tables, free: &mut u32, literals: impl Fn(usize) -> (Literals, [u32; 2])) -> [u32; 4] {
    let room = &mut tables[*free as usize..WORDS];
    for cut in CUTS {
        let (literals, start) = literals(cut);
        let taken = literals.words();
        if let Some(room) = room.get_mut(..taken) {
            let places = Automaton::of(&literals, start).write(room, *free);
            *free += taken as u32;
            return places;
        }
    }
    [EVERYTHING, EVERYTHING, 0, 0]
}
