//! [`Segments`]: the recording, one segment after another, with one of them in memory at a time. It asks for the next
//! when the next is wanted, so it also follows a recording that still grows.

use crate::error::StoreError;
use crate::reader::BlockingReader;
use crate::rows::{SegmentId, SegmentMeta};

/// Walks through the recorded segments in order.
#[derive(Clone, Debug)]
pub struct Segments {
    reader: BlockingReader,
    after: SegmentId,
}

impl Segments {
    pub(crate) fn new(reader: BlockingReader, after: SegmentId) -> Self {
        Self { reader, after }
    }
}

impl Iterator for Segments {
    type Item = Result<(SegmentMeta, Vec<u8>), StoreError>;

    /// `None` when there is nothing more yet. A segment that goes away between two questions, because of the size limit,
    /// is passed over.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let meta = match self.reader.next_segment(self.after) {
                Ok(meta) => meta?,
                Err(e) => return Some(Err(e)),
            };
            self.after = meta.id;
            match self.reader.segment(meta.id) {
                Ok(Some(raw)) => return Some(Ok((meta, raw))),
                Ok(None) => {}
                Err(e) => return Some(Err(e)),
            }
        }
    }
}
