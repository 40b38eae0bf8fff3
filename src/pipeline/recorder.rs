//! [`Recorder`]: keeps the records as they came, cut into segments. A segment is about 1 MiB of record bytes; now and
//! then one begins with a keyframe, so that a replay can begin there.

use std::time::{Duration, Instant};

use eyas_event::BootTime;

/// A stretch of the recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Time of its first record.
    pub first: BootTime,
    /// Time of its last record.
    pub last: BootTime,
    /// How many records, facts among them.
    pub records: u64,
    /// Whether it begins with a keyframe.
    pub keyframe: bool,
    /// The records, back to back.
    pub raw: Vec<u8>,
}

/// Bytes after which a segment is cut: large enough to compress well, small enough to find a moment in it quickly.
const SEGMENT_BYTES: usize = 1 << 20;
/// Time after which a segment is cut even when it is small, so that a crash loses little of the recording.
const SEGMENT_AGE: Duration = Duration::from_secs(5);
/// Time between keyframes.
const KEYFRAME_AGE: Duration = Duration::from_mins(3);

/// The open end of the recording.
#[derive(Debug)]
pub struct Recorder {
    open: Segment,
    opened_at: Instant,
    keyframe_at: Option<Instant>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self { open: blank(), opened_at: Instant::now(), keyframe_at: None }
    }
}

fn blank() -> Segment {
    Segment { first: BootTime(0), last: BootTime(0), records: 0, keyframe: false, raw: Vec::new() }
}

impl Recorder {
    /// Whether a keyframe should come before the next record.
    pub fn wants_keyframe(&self) -> bool {
        self.open.records == 0 && self.keyframe_at.is_none_or(|at| at.elapsed() >= KEYFRAME_AGE)
    }

    /// Begins the open segment, which must be empty, with a keyframe.
    pub fn keyframe(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.open.raw);
        self.open.keyframe = true;
        self.keyframe_at = Some(Instant::now());
    }

    /// Adds a record, and before it the facts that it needed.
    pub fn push(&mut self, facts: &[u8], record: &[u8], time: BootTime) {
        if self.open.records == 0 {
            self.open.first = time;
            self.opened_at = Instant::now();
        }
        self.open.raw.extend_from_slice(facts);
        self.open.raw.extend_from_slice(record);
        self.open.first = self.open.first.min(time);
        self.open.last = self.open.last.max(time);
        self.open.records += 1;
    }

    /// The open segment, when it is due to be cut.
    pub fn cut_if_due(&mut self) -> Option<Segment> {
        let due = self.open.raw.len() >= SEGMENT_BYTES || self.opened_at.elapsed() >= SEGMENT_AGE;
        if due { self.cut() } else { None }
    }

    /// The open segment, when there is anything in it.
    pub fn cut(&mut self) -> Option<Segment> {
        if self.open.records == 0 {
            return None;
        }
        Some(std::mem::replace(&mut self.open, blank()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_segment_begins_with_a_keyframe_and_the_next_does_not() {
        let mut recorder = Recorder::default();
        assert!(recorder.wants_keyframe());
        recorder.keyframe(|raw| raw.extend_from_slice(b"frame"));
        recorder.push(b"f", b"one", BootTime(7));
        recorder.push(b"", b"two", BootTime(5));
        assert!(!recorder.wants_keyframe());
        let first = recorder.cut().expect("there is something in it");
        assert_eq!(first.raw, b"framefonetwo");
        assert_eq!(
            (first.first, first.last, first.records, first.keyframe),
            (BootTime(5), BootTime(7), 2, true)
        );
        assert!(!recorder.wants_keyframe());
        assert!(recorder.cut().is_none());
        recorder.push(b"", &vec![0; SEGMENT_BYTES], BootTime(9));
        assert!(!recorder.cut_if_due().expect("due").keyframe);
    }
}
