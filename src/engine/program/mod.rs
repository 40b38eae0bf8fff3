//! The flat program: conditions as jumps between tests, each test made once and asked at most once an event.
//!
//! A program holds two sorts of code. The whole conditions, one by one and in the order written, serve filters and questions
//! about one rule. For judging there is a code for each group of event types that satisfy the same checks of `evt.type`:
//! there these checks are folded away, the rules are put in groups by what they share (`group`), and what is cheap and fails
//! often is asked first. `build` lays down code, `run` runs it, `scratch` holds what is remembered during one event.
//! Nothing here allocates while judging.

mod build;
mod group;
mod questions;
mod run;
mod scratch;

use std::fmt;

use eyas_event::EventType;

pub use scratch::Scratch;

use crate::ir::weigh::weights;
use crate::ir::{Arena, IrId};
use crate::matching::{Column, Matcher};
use crate::ruleset::RuleId;
use build::Builder;
use questions::{Bits, Questions};

/// A place in a code, or the end of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Target(u32);

impl Target {
    const YES: Self = Self(u32::MAX);
    const NO: Self = Self(u32::MAX - 1);
}

/// What an operation does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ask {
    /// Asks a matcher, once an event.
    Test(u32),
    /// Asks a matcher that no other operation of this code asks.
    Once(u32),
    /// Asks for a bit in a column's row.
    Column(u16, u16),
    /// Asks whether one of a mask's bits is in a column's row.
    Any(u32),
    /// Asks a block: a part that several conditions share.
    Block(u32),
    /// A rule's condition holds; both ways lead on.
    Fire(u32),
}

#[derive(Clone, Copy, Debug)]
struct Op {
    ask: Ask,
    yes: Target,
    no: Target,
}

/// Operations, and where to begin.
#[derive(Debug)]
struct Code {
    ops: Box<[Op]>,
    /// Where each shared block starts.
    blocks: Box<[Target]>,
    /// Where each condition starts; of a code that judges there is one.
    entries: Box<[Target]>,
    /// How many blocks can be open inside each other.
    depth: usize,
}

/// A compiled set of conditions.
#[derive(Debug)]
pub struct Program {
    whole: Code,
    /// The codes that judge.
    judging: Vec<Code>,
    /// By event type: its code; none when no rule can fire for it.
    by_event: Box<[Option<u32>]>,
    matchers: Box<[Matcher]>,
    columns: Box<[Column]>,
    masks: Box<[Mask]>,
    /// How many fields' texts are kept during an event.
    kept: usize,
    listing: Listing,
}

/// Bits of a column.
#[derive(Debug)]
struct Mask {
    column: u16,
    /// The word in which they begin.
    first: usize,
    words: Box<[u64]>,
}

impl Mask {
    fn new(wanted: &Bits) -> Self {
        let word = |bit: &u16| usize::from(bit / 64);
        let first = wanted.bits.first().map_or(0, word);
        let mut words = vec![0; wanted.bits.last().map_or(0, |last| word(last) + 1 - first)];
        wanted.bits.iter().for_each(|bit| words[word(bit) - first] |= 1 << (bit % 64));
        Self { column: wanted.column, first, words: words.into() }
    }
}

/// The tests as text: of matchers, and of the bits of columns.
#[derive(Debug, Default)]
struct Listing {
    matchers: Vec<String>,
    columns: Vec<Vec<String>>,
}

impl Program {
    /// Compiles conditions that are asked one by one; the i-th entry is the i-th root.
    pub fn new(arena: &Arena, roots: &[IrId]) -> Self {
        let mut questions = Questions::new(arena);
        let whole = Builder::new(arena, None, &mut questions, roots).conditions(roots);
        questions.program(whole, Vec::new(), Box::default())
    }

    /// Compiles conditions that also judge; `buckets` says by event type which of them can fire for it.
    pub fn judging(arena: &mut Arena, roots: &[IrId], buckets: &[Box<[RuleId]>]) -> Self {
        let root = |rule: &RuleId| roots[rule.0 as usize];
        let mut judged: Vec<IrId> = buckets.iter().flatten().map(root).collect();
        judged.sort_unstable();
        judged.dedup();
        let mut by_event = vec![None; buckets.len()];
        let mut plans: Vec<Vec<(u32, IrId)>> = Vec::new();
        for group in arena.alike(&judged) {
            // The types of a group have the same candidates, and each candidate means the same for them.
            let bucket = &buckets[group[0].index()];
            if bucket.is_empty() {
                continue;
            }
            let under = arena.under(group[0], &bucket.iter().map(root).collect::<Vec<_>>());
            for event in &group {
                by_event[event.index()] = Some(plans.len() as u32);
            }
            plans.push(bucket.iter().map(|rule| rule.0).zip(under).collect());
        }
        let weights = weights(arena);
        let mut questions = Questions::with_columns(arena);
        let judging = plans.iter().map(|rules| {
            let items = group::group(arena, &weights, &questions, rules);
            Builder::new(arena, Some(&weights), &mut questions, &group::asked(&items)).rules(&items)
        });
        let judging = judging.collect();
        let whole = Builder::new(arena, None, &mut questions, roots).conditions(roots);
        questions.program(whole, judging, by_event.into())
    }

    /// How many distinct tests there are.
    pub fn tests(&self) -> usize {
        self.matchers.len()
    }

    /// How many operations its conditions take, each for itself.
    pub fn ops(&self) -> usize {
        self.whole.ops.len()
    }
}

/// Prints the whole conditions.
impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, entry) in self.whole.entries.iter().enumerate() {
            writeln!(f, "condition {i}: {entry}")?;
        }
        self.code(&self.whole, f)
    }
}

/// The code that judges events of a type, to print.
pub struct Judging<'p>(&'p Program, EventType);

impl fmt::Display for Judging<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(code) = self.0.code_for(self.1) else { return writeln!(f, "no rule") };
        writeln!(f, "{}: {}", self.1.name(), code.entries[0])?;
        self.0.code(code, f)
    }
}

impl Program {
    /// The code that judges events of a type, to print.
    pub fn for_event(&self, event: EventType) -> Judging<'_> {
        Judging(self, event)
    }

    fn code(&self, code: &Code, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, block) in code.blocks.iter().enumerate() {
            writeln!(f, "block {i}: {block}")?;
        }
        for (at, op) in code.ops.iter().enumerate() {
            match op.ask {
                Ask::Test(t) | Ask::Once(t) => write!(f, "{at:4}  {}", self.listing.matchers[t as usize])?,
                Ask::Column(c, bit) => {
                    write!(f, "{at:4}  {}", self.listing.columns[usize::from(c)][usize::from(bit)])?;
                }
                Ask::Any(mask) => {
                    let mask = &self.masks[mask as usize];
                    let tests = &self.listing.columns[usize::from(mask.column)];
                    let bits = mask.words.iter().map(|word| word.count_ones()).sum::<u32>();
                    write!(
                        f,
                        "{at:4}  one of {bits} such as {}",
                        tests[mask.first * 64 + mask.words[0].trailing_zeros() as usize]
                    )?;
                }
                Ask::Block(b) => write!(f, "{at:4}  block {b}")?,
                Ask::Fire(rule) => {
                    writeln!(f, "{at:4}  rule {rule} fires  then {}", op.yes)?;
                    continue;
                }
            }
            writeln!(f, "  yes {}  no {}", op.yes, op.no)?;
        }
        Ok(())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::YES => f.write_str("yes"),
            Self::NO => f.write_str("no"),
            Self(at) => write!(f, "{at}"),
        }
    }
}
