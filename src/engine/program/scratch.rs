//! What is remembered while one event is judged: answers of tests and blocks, the return stack, text buffers.
//!
//! Answers carry the number of the event they belong to, so nothing is cleared between events. A scratch fits any program:
//! it grows to the largest it has met.

use crate::matching::{Buffers, Row};
use crate::program::{Code, Program};

/// Memory of one judging thread.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Answer and event number of each test: `number << 1 | answer`.
    pub(super) tests: Vec<u32>,
    /// What was found in each column.
    pub(super) columns: Vec<Seen>,
    /// The same of each block, as of each test.
    pub(super) blocks: Vec<u32>,
    /// Blocks that are open: where they were asked, and which.
    pub(super) returns: Vec<(u32, u32)>,
    /// For text that is rendered or worked out.
    pub(crate) buffers: Buffers,
    pub(super) number: u32,
}

/// A row of a column.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The event's number.
    pub(super) number: u32,
    pub(super) row: Row,
    /// Room for a row that is made for the event.
    pub(super) own: Vec<u64>,
}

impl Seen {
    fn new() -> Self {
        Self { number: 0, row: Row::Own, own: Vec::new() }
    }
}

impl Scratch {
    /// An empty one.
    pub fn new() -> Self {
        let mut scratch = Self::default();
        scratch.buffers.buf.reserve(1024);
        scratch
    }

    /// Starts an event.
    pub(super) fn begin(&mut self, program: &Program, code: &Code) {
        // 31 bits of event numbers; after two thousand million events everything is forgotten once.
        if self.number >= u32::MAX >> 1 {
            self.tests.fill(0);
            self.columns.iter_mut().for_each(|seen| seen.number = 0);
            self.blocks.fill(0);
            self.buffers.forget();
            self.number = 0;
        }
        self.number += 1;
        self.buffers.begin(self.number, program.kept);
        grow(&mut self.tests, program.matchers.len(), 0);
        grow(&mut self.columns, program.columns.len(), Seen::new());
        grow(&mut self.blocks, code.blocks.len(), 0);
        self.returns.clear();
        self.returns.reserve(code.depth);
    }
}

fn grow<T: Clone>(slots: &mut Vec<T>, wanted: usize, empty: T) {
    if slots.len() < wanted {
        slots.resize(wanted, empty);
    }
}
