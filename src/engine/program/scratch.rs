//! What is remembered while one event is judged: answers of tests and blocks, the return stack, text buffers.
//!
//! Answers carry the number of the event they belong to, so nothing is cleared between events. A scratch fits any program:
//! it grows to the largest it has met.

use crate::matching::Buffers;

/// Memory of one judging thread.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Answer and event number of each test: `number << 1 | answer`.
    pub(super) tests: Vec<u32>,
    /// The same of each block.
    pub(super) blocks: Vec<u32>,
    /// Blocks that are open: where they were asked, and which.
    pub(super) returns: Vec<(u32, u32)>,
    /// For text that is rendered or worked out.
    pub(crate) buffers: Buffers,
    pub(super) number: u32,
}

impl Scratch {
    /// An empty one.
    pub fn new() -> Self {
        let mut scratch = Self::default();
        scratch.buffers.buf.reserve(1024);
        scratch
    }

    /// Starts an event.
    pub(super) fn begin(&mut self, tests: usize, blocks: usize, depth: usize) {
        // 31 bits of event numbers; after two thousand million events everything is forgotten once.
        if self.number >= u32::MAX >> 1 {
            self.tests.fill(0);
            self.blocks.fill(0);
            self.number = 0;
        }
        self.number += 1;
        if self.tests.len() < tests {
            self.tests.resize(tests, 0);
        }
        if self.blocks.len() < blocks {
            self.blocks.resize(blocks, 0);
        }
        self.returns.clear();
        self.returns.reserve(depth);
    }
}
