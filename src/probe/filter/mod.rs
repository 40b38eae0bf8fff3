//! What is wanted of the openings of files, as the tables that the kernel half asks (`eyas_ebpf::filter`).
//!
//! They admit all that [`Opens`] admits, and more where they must be coarse: more alternatives than a mask has bits are
//! taken together, names that find no slot stand for any, long literals are cut until an automaton fits, and a way for
//! which none fits is admitted whole.

mod automaton;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use aya::maps::{Array, MapData};
use eyas_ebpf::filter::{
    ALL, ALL_WORDS, ANY_NAME, HOLDS, MASKS, NAME_BITS, NAME_PROBES, NAME_SLOTS, NAME_WORDS, NAMES, NOBODY,
    ON, ROWS, WAY_COUNT, WAY_WORDS, WAYS, WORDS, name_bit, name_slot, way,
};
use eyas_event::{Among, OpenWant, Opens, Outcome, PathTest, Ways};

use crate::error::one_line;
use automaton::{Automaton, Literals, Test};

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
    /// Whose lowest bit says which tables are in force; below [`NOBODY`].
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
        let number = nobodys(&tables) << NOBODY | next;
        let written =
            self.tables.set((next & 1) as u32, tables, 0).and_then(|()| self.number.set(0, number, 0));
        written.map_err(|error| one_line(&error))?;
        (self.in_force, self.opens) = (next, Some(opens.clone()));
        Ok(())
    }
}

/// The ways that nobody wants, a bit each.
fn nobodys(tables: &Tables) -> u64 {
    let is_nobodys = |way: &u32| tables[(WAYS + way * WAY_WORDS) as usize] == 0;
    (0..WAY_COUNT).filter(is_nobodys).fold(0, |ways, way| ways | 1 << way)
}

/// Makes the tables.
pub(crate) fn compile(opens: &Opens) -> Box<Tables> {
    let mut tables: Box<Tables> = vec![0; ALL_WORDS]
        .into_boxed_slice()
        .try_into()
        .expect("it has so many words, because it was made so");
    let wants = few(opens.wants());
    tables[ON as usize] = 1;
    tables[ALL as usize] = u32::MAX;
    tables[ANY_NAME as usize] = put_names(&wants, &mut tables);
    tables[ROWS as usize..][..2].fill(u32::MAX);
    let mut free = ROWS + MASKS;
    let mut known: HashMap<u32, [u32; 4]> = HashMap::new();
    for (number, ways) in ways() {
        let candidates = wants.iter().enumerate().filter(|(_, want)| want.ways.and(ways) != Ways::NONE);
        let mask = candidates.clone().fold(0, |mask, (bit, _)| mask | 1 << bit);
        let row = (WAYS + number * WAY_WORDS) as usize;
        if mask == 0 {
            continue;
        }
        if candidates.clone().any(|(_, want)| is_everything(want)) {
            // One of those that any name passes.
            (tables[row], tables[row + 1]) = (tables[ANY_NAME as usize], EVERYTHING);
            continue;
        }
        let places = *known.entry(mask).or_insert_with(|| {
            let candidates: Vec<_> = candidates.map(|(bit, want)| (1 << bit, want)).collect();
            place(&candidates, &mut tables, &mut free)
        });
        tables[row] = mask;
        tables[row + 1..row + 5].copy_from_slice(&places);
    }
    tables
}

/// Each number of a way, and the ways it may stand for.
fn ways() -> impl Iterator<Item = (u32, Ways)> {
    const OUTCOMES: [Outcome; 3] = [Outcome::Failed, Outcome::Made, Outcome::Created];
    const DIRECTIONS: [(bool, bool); 4] = [(false, false), (true, false), (false, true), (true, true)];
    let one = |outcome, (read, write)| Ways::one(outcome, read, write);
    let all = OUTCOMES.into_iter().zip(0..).flat_map(move |(outcome, number)| {
        let of = DIRECTIONS
            .into_iter()
            .map(move |direction| (way(number, Some(direction)), one(outcome, direction)));
        let any = DIRECTIONS.into_iter().fold(Ways::NONE, |ways, direction| ways.or(one(outcome, direction)));
        of.chain([(way(number, None), any)])
    });
    debug_assert!(all.clone().all(|(number, _)| number < WAY_COUNT));
    all
}

/// At most as many as a mask has bits: the last stands for itself and all that follow.
fn few(wants: &[OpenWant]) -> Vec<OpenWant> {
    let mut few = wants[..wants.len().min(ALTERNATIVES)].to_vec();
    if let Some(last) = few.last_mut() {
        *last = wants[wants.len().min(ALTERNATIVES)..].iter().fold(last.clone(), |all, want| all.or(want));
    }
    few
}

/// Whether it wants every path, by whomever. All paths begin with a slash, those given otherwise pass any test.
fn is_everything(want: &OpenWant) -> bool {
    let begins = |test: &PathTest| matches!(test, PathTest::Begins(text) if matches!(&**text, b"" | b"/"));
    want.given == Among::Any
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
    let room = &mut tables[*free as usize..WORDS];
    for cut in CUTS {
        let mut literals = Literals::default();
        let mut start = [0, 0];
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
        let taken = literals.words();
        if let Some(room) = room.get_mut(..taken) {
            let places = Automaton::of(&literals, start).write(room, *free);
            *free += taken as u32;
            return places;
        }
    }
    [EVERYTHING, EVERYTHING, 0, 0]
}
