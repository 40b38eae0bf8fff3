//! All tests of a program that compare one field with texts, answered by one look at its value.
//!
//! Rules compare the same few fields with thousands of names: `proc.name` with every package manager, `fd.name` with
//! every directory below /etc. A column holds these texts in one table; what is found there is a row of bits, one for each
//! test. So the first test of an event pays for one search, and each further one for a bit.

use std::collections::BTreeMap;

use eyas_event::{FieldType, Fields, Value};
use rustc_hash::FxHashMap;

use crate::ir::{Operand, Predicate, Quantifier};
use crate::matching::{Buffers, Read};
use crate::syntax::ast::Op;

/// How a column compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// With whole texts: `=`, `!=`, `in`.
    Whole,
    /// With beginnings: `startswith`.
    Beginning,
}

impl Kind {
    /// How a column would answer a predicate; `None` when none can.
    pub fn of(predicate: &Predicate) -> Option<Self> {
        let field = predicate.term.field()?;
        let plain = matches!(field.ty(), FieldType::Text | FieldType::Path)
            && predicate.quantifier() == Quantifier::One
            && predicate.modifier.is_none();
        match (&predicate.operand, predicate.op) {
            (Operand::Bytes(_), Op::Eq | Op::Ne | Op::In | Op::Intersects) if plain => Some(Self::Whole),
            (Operand::Texts(_), Op::In | Op::Intersects) if plain => Some(Self::Whole),
            (Operand::Bytes(_), Op::Startswith) if plain => Some(Self::Beginning),
            _ => None,
        }
    }

    /// From how many tests on a column is worth its search.
    pub fn pays_from(self) -> usize {
        match self {
            Self::Whole => 3,
            Self::Beginning => 4,
        }
    }
}

/// The answers to all tests of one kind on one field.
#[derive(Debug)]
pub struct Column {
    read: Read,
    find: Find,
    /// How many words a row has.
    words: usize,
    /// Row after row. The first is that of a missing value, for which no test holds.
    rows: Vec<u64>,
    /// The row of a value that the table does not hold.
    other: u32,
}

#[derive(Debug)]
enum Find {
    Whole(FxHashMap<Box<[u8]>, u32>),
    Beginning(Beginnings),
}

const MISSING: u32 = 0;

impl Column {
    /// The column of these predicates, which all have the field and the kind; the i-th has the i-th bit.
    pub(crate) fn new(read: Read, kind: Kind, predicates: &[&Predicate]) -> Self {
        let words = predicates.len().div_ceil(64);
        let mut other = vec![0; words];
        let mut tests: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
        for (bit, predicate) in predicates.iter().enumerate() {
            if predicate.op == Op::Ne {
                flip(&mut other, bit);
            }
            let texts = match &predicate.operand {
                Operand::Bytes(text) => std::slice::from_ref(text),
                Operand::Texts(texts) => texts,
                _ => &[],
            };
            texts.iter().for_each(|text| tests.entry(text).or_default().push(bit));
        }
        let mut rows = Rows::new(words);
        rows.add(vec![0; words]);
        let other_row = rows.add(other.clone());
        // A text turns the bits of the tests that name it: on for those that want it, off for `!=`.
        let find = match kind {
            Kind::Whole => {
                let found = tests.iter().map(|(text, bits)| {
                    let mut row = other.clone();
                    bits.iter().for_each(|bit| flip(&mut row, *bit));
                    ((*text).into(), rows.add(row))
                });
                Find::Whole(found.collect())
            }
            Kind::Beginning => {
                // Sorted, a text follows those that it begins with, and takes over their bits.
                let mut sorted: Vec<(Box<[u8]>, Option<u32>, u32)> = Vec::with_capacity(tests.len());
                let mut full: Vec<Vec<u64>> = Vec::with_capacity(tests.len());
                for (text, bits) in tests {
                    let mut shorter = sorted.len().checked_sub(1).map(|last| last as u32);
                    while let Some(at) = shorter.filter(|at| !text.starts_with(&sorted[*at as usize].0)) {
                        shorter = sorted[at as usize].1;
                    }
                    let mut row = shorter.map_or_else(|| other.clone(), |at| full[at as usize].clone());
                    bits.iter().for_each(|bit| row[bit / 64] |= 1 << (bit % 64));
                    sorted.push((text.into(), shorter, rows.add(row.clone())));
                    full.push(row);
                }
                Find::Beginning(Beginnings { sorted })
            }
        };
        Self { read, find, words, rows: rows.all, other: other_row }
    }

    /// The row of an event.
    pub fn row(&self, fields: &impl Fields, buffers: &mut Buffers) -> u32 {
        self.read.with(fields, buffers, |value| match value {
            Value::Bytes(text) => match &self.find {
                Find::Whole(table) => table.get(*text).copied().unwrap_or(self.other),
                Find::Beginning(beginnings) => beginnings.longest(text).unwrap_or(self.other),
            },
            _ => MISSING,
        })
    }

    /// Whether a test holds in a row.
    pub fn holds(&self, row: u32, bit: u16) -> bool {
        let word = row as usize * self.words + usize::from(bit / 64);
        self.rows.get(word).is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }
}

fn flip(row: &mut [u64], bit: usize) {
    row[bit / 64] ^= 1 << (bit % 64);
}

/// Rows while they are gathered: equal ones are kept once.
struct Rows {
    words: usize,
    all: Vec<u64>,
    index: FxHashMap<Vec<u64>, u32>,
}

impl Rows {
    fn new(words: usize) -> Self {
        Self { words, all: Vec::new(), index: FxHashMap::default() }
    }

    fn add(&mut self, row: Vec<u64>) -> u32 {
        let next = (self.all.len() / self.words) as u32;
        *self.index.entry(row).or_insert_with_key(|row| {
            self.all.extend_from_slice(row);
            next
        })
    }
}

/// Texts of which the longest that a value begins with is looked for.
#[derive(Debug)]
struct Beginnings {
    /// In order of bytes: the text, the next shorter one that it begins with, its row.
    sorted: Vec<(Box<[u8]>, Option<u32>, u32)>,
}

impl Beginnings {
    /// The row of the longest text that the value begins with. It is the last text that is not behind the value in the
    /// order, or one that this begins with.
    fn longest(&self, value: &[u8]) -> Option<u32> {
        let mut at = self.sorted.partition_point(|(text, ..)| **text <= *value).checked_sub(1)?;
        loop {
            let (text, shorter, row) = self.sorted.get(at)?;
            if value.starts_with(text) {
                return Some(*row);
            }
            at = (*shorter)? as usize;
        }
    }
}
