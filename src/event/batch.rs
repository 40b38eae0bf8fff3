//! [`RawBatch`]: an arena of record bytes, filled by a [`crate::Source`], emptied and used again. It has a fixed
//! capacity, so that no burst can make it grow; a source that meets a full batch leaves the record for the next one.

/// Record bytes in the order in which the source gave them.
#[derive(Debug)]
pub struct RawBatch {
    bytes: Vec<u8>,
    cap: usize,
}

impl RawBatch {
    /// A batch that holds at most `cap` bytes.
    pub fn with_capacity(cap: usize) -> Self {
        Self { bytes: Vec::with_capacity(cap), cap }
    }

    /// Adds one record; `false` when it does not fit any more (nothing is added then). A record larger than the whole
    /// capacity is taken when the batch is empty, so that it cannot block a source for ever.
    pub fn push(&mut self, record: &[u8]) -> bool {
        if !self.bytes.is_empty() && self.bytes.len() + record.len() > self.cap {
            return false;
        }
        self.bytes.extend_from_slice(record);
        true
    }

    /// Whether a record of `len` bytes would be taken.
    pub fn has_room(&self, len: usize) -> bool {
        self.bytes.is_empty() || self.bytes.len() + len <= self.cap
    }

    /// All record bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same, to be changed in place by one who keeps each record's length.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}
