//! The tests of a program, each made once: a matcher, or a bit in a column where so many tests compare the same field with
//! texts that one search for all pays.

use rustc_hash::FxHashMap;

use crate::ir::{Arena, Ir, IrId, Predicate, Quantifier, Term};
use crate::matching::{Column, Kind, Matcher, Read, is_ready};
use crate::program::{Ask, Code, Listing, Mask, Program};
use crate::syntax::ast::Op;

/// Bits of a column.
#[derive(Clone, Debug)]
pub(super) struct Bits {
    pub(super) column: u16,
    /// In order, each once.
    pub(super) bits: Vec<u16>,
}

impl Bits {
    /// Whether these are all among them.
    pub(super) fn holds_all(&self, other: Option<Self>) -> bool {
        other.is_some_and(|other| {
            other.column == self.column && other.bits.iter().all(|bit| self.bits.binary_search(bit).is_ok())
        })
    }
}

/// Gathers tests.
pub(super) struct Questions {
    /// The matcher of a predicate.
    matcher_of: Vec<Option<u32>>,
    /// Its column, and its bit there.
    column_of: Vec<Option<(u16, u16)>>,
    /// Where the text of its field is kept.
    kept_of: Vec<Option<u32>>,
    kept: usize,
    matchers: Vec<Matcher>,
    columns: Vec<Column>,
    masks: Vec<Mask>,
    listing: Listing,
}

/// More tests than this are not put in one column, so that a bit's number fits; the rest are matchers.
const LARGEST: usize = 1 << 14;

impl Questions {
    /// Matchers alone.
    pub(super) fn new(arena: &Arena) -> Self {
        let none = arena.predicates().len();
        Self {
            matcher_of: vec![None; none],
            column_of: vec![None; none],
            kept_of: vec![None; none],
            kept: 0,
            matchers: Vec::new(),
            columns: Vec::new(),
            masks: Vec::new(),
            listing: Listing::default(),
        }
    }

    /// Matchers, and columns where they pay.
    pub(super) fn with_columns(arena: &Arena) -> Self {
        let mut mine = Self::new(arena);
        let predicates = arena.predicates();
        let slow = |predicate: &Predicate| match &predicate.term {
            Term::Field(field) if predicate.quantifier() == Quantifier::One => !is_ready(field),
            _ => false,
        };
        // What is put together for an event is kept when two tests want it.
        for same in alike(predicates, |predicate| slow(predicate).then_some(&predicate.term)) {
            if same.len() > 1 {
                for i in &same {
                    mine.kept_of[*i] = Some(mine.kept as u32);
                }
                mine.kept += 1;
            }
        }
        for same in alike(predicates, |predicate| Some((&predicate.term, Kind::of(predicate)?))) {
            let Some(kind) = Kind::of(&predicates[same[0]]) else { continue };
            for same in same.chunks(LARGEST).filter(|same| same.len() >= kind.pays_from()) {
                let Ok(number) = u16::try_from(mine.columns.len()) else { break };
                let asked: Vec<&Predicate> = same.iter().map(|i| &predicates[*i]).collect();
                let read = Read::new(&asked[0].term, mine.kept_of[same[0]]);
                let Some(column) = Column::new(read, kind, &asked) else { continue };
                mine.columns.push(column);
                mine.listing.columns.push(asked.iter().map(ToString::to_string).collect());
                for (bit, i) in same.iter().enumerate() {
                    mine.column_of[*i] = Some((number, bit as u16));
                }
            }
        }
        mine
    }

    /// How a predicate is best asked.
    pub(super) fn ask(&mut self, arena: &Arena, predicate: usize) -> Ask {
        match self.column_of[predicate] {
            Some((column, bit)) => Ask::Column(column, bit),
            None => Ask::Test(self.matcher(arena, predicate)),
        }
    }

    /// The bits of a column of which one must be there for a node to hold; `None` when it is no such node. `!=` is none: it
    /// holds for nearly every value.
    pub(super) fn bits(&self, arena: &Arena, node: IrId) -> Option<Bits> {
        match arena.node(node) {
            Ir::Test(test) if arena.predicates()[test.0 as usize].op != Op::Ne => {
                let (column, bit) = self.column_of[test.0 as usize]?;
                Some(Bits { column, bits: vec![bit] })
            }
            Ir::Or(parts) => {
                let mut all: Option<Bits> = None;
                for part in parts {
                    let Ir::Test(_) = arena.node(*part) else { return None };
                    let bits = self.bits(arena, *part)?;
                    match &mut all {
                        None => all = Some(bits),
                        Some(all) if all.column == bits.column => all.bits.extend(bits.bits),
                        Some(_) => return None,
                    }
                }
                all
            }
            _ => None,
        }
    }

    /// The question whether one of these bits is there.
    pub(super) fn any(&mut self, wanted: &Bits) -> Ask {
        self.masks.push(Mask::new(wanted));
        Ask::Any(self.masks.len() as u32 - 1)
    }

    /// The matcher of a predicate.
    pub(super) fn matcher(&mut self, arena: &Arena, predicate: usize) -> u32 {
        *self.matcher_of[predicate].get_or_insert_with(|| {
            let kept = self.kept_of[predicate];
            let predicate = &arena.predicates()[predicate];
            self.matchers.push(Matcher::new(predicate, kept));
            self.listing.matchers.push(predicate.to_string());
            self.matchers.len() as u32 - 1
        })
    }

    /// How many matchers there are.
    pub(super) fn matchers(&self) -> usize {
        self.matchers.len()
    }

    /// The program that has these tests.
    pub(super) fn program(self, whole: Code, judging: Vec<Code>, by_event: Box<[Option<u32>]>) -> Program {
        Program {
            whole,
            judging,
            by_event,
            matchers: self.matchers.into(),
            columns: self.columns.into(),
            masks: self.masks.into(),
            kept: self.kept,
            listing: self.listing,
        }
    }
}

/// Predicates with equal keys, in the order of the first of each.
fn alike<'p, K: std::hash::Hash + Eq>(
    predicates: &'p [Predicate],
    key: impl Fn(&'p Predicate) -> Option<K>,
) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut index: FxHashMap<K, usize> = FxHashMap::default();
    for (i, predicate) in predicates.iter().enumerate() {
        let Some(key) = key(predicate) else { continue };
        let group = *index.entry(key).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(i);
    }
    groups
}
