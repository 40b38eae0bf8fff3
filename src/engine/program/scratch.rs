//! What is remembered while one event is judged: answers of tests and blocks, the return stack, a text buffer.
//!
//! Answers carry the number of the event they belong to, so nothing is cleared between events. A scratch fits any program:
//! it grows to the largest it has met.

/// Memory of one judging thread.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Answer and event number of each test: `number << 1 | answer`.
    pub(super) tests: Vec<u32>,
    /// The same of each block.
    pub(super) blocks: Vec<u32>,
    /// Blocks that are open: where they were asked, and which.
    pub(super) returns: Vec<(u32, u32)>,
    /// Lent to events for text that they render.
    pub(crate) buf: Vec<u8>,
    pub(super) number: u32,
}

impl Scratch {
    /// An empty one.
    pub fn new() -> Self {
        Self { buf: Vec::with_capacity(1024), ..Self::default() }
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
