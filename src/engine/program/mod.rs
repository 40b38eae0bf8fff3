//! The flat program: conditions as jumps between tests, each test made once and asked at most once an event.
//!
//! `build` turns the typed form into operations, `run` judges an event with them, `scratch` holds what is remembered
//! during one event. Nothing here allocates while judging.

mod build;
mod run;
mod scratch;

use std::fmt;

pub use scratch::Scratch;

use crate::ir::{Arena, IrId};
use crate::matching::Matcher;

/// A place in the program, or the end of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Target(u32);

impl Target {
    const YES: Self = Self(u32::MAX);
    const NO: Self = Self(u32::MAX - 1);
}

/// What an operation asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ask {
    /// A matcher.
    Test(u32),
    /// A block: a part that several conditions share.
    Block(u32),
}

#[derive(Clone, Copy, Debug)]
struct Op {
    ask: Ask,
    yes: Target,
    no: Target,
}

/// A compiled set of conditions.
#[derive(Debug)]
pub struct Program {
    ops: Vec<Op>,
    /// Where each shared block starts.
    blocks: Vec<Target>,
    /// Where each condition starts.
    entries: Vec<Target>,
    matchers: Vec<Matcher>,
    /// How many blocks can be open inside each other.
    depth: usize,
    listing: Box<[String]>,
}

impl Program {
    /// Compiles conditions; the i-th entry judges the i-th root.
    pub fn new(arena: &Arena, roots: &[IrId]) -> Self {
        build::build(arena, roots)
    }

    /// How many distinct tests there are.
    pub fn tests(&self) -> usize {
        self.matchers.len()
    }

    /// How many operations there are.
    pub fn ops(&self) -> usize {
        self.ops.len()
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = |t: Target| match t {
            Target::YES => "yes".to_owned(),
            Target::NO => "no".to_owned(),
            Target(at) => at.to_string(),
        };
        for (i, entry) in self.entries.iter().enumerate() {
            writeln!(f, "condition {i}: {}", target(*entry))?;
        }
        for (i, block) in self.blocks.iter().enumerate() {
            writeln!(f, "block {i}: {}", target(*block))?;
        }
        for (at, op) in self.ops.iter().enumerate() {
            let ask = match op.ask {
                Ask::Test(t) => self.listing[t as usize].clone(),
                Ask::Block(b) => format!("block {b}"),
            };
            writeln!(f, "{at:4}  {ask}  yes {}  no {}", target(op.yes), target(op.no))?;
        }
        Ok(())
    }
}
