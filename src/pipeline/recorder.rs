//! [`Recorder`]: keeps the records as they came, cut into segments. A segment is about 1 MiB of record bytes; now and
//! then one begins with a keyframe, so that a replay can begin there.

use std::time::{Duration, Instant};

use eyas_enrich::Enrich;
use eyas_event::{BootTime, Host};

/// A stretch of the recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Time of its first record.
    pub first: BootTime,
    /// Time of its last record.
    pub last: BootTime,
    /// How many records it was given; the facts that were asked for on the way, and the keyframe, are not counted.
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
    /// Comes before each record: begins a segment with a keyframe when one is due and everything can be told.
    pub fn begin<H: Host>(&mut self, enrich: &Enrich<H>) {
        let due = self.open.records == 0 && self.keyframe_at.is_none_or(|at| at.elapsed() >= KEYFRAME_AGE);
        if due && enrich.can_keyframe() {
            enrich.keyframe(&mut self.open.raw);
            self.open.keyframe = true;
            self.keyframe_at = Some(Instant::now());
        }
    }

    /// A segment could not be kept: a replay that comes to the hole must find its feet again soon after it.
    pub fn segment_was_dropped(&mut self) {
        self.keyframe_at = None;
    }

    /// Adds a record, and before it the facts that it needed.
    pub fn push(&mut self, facts: &[u8], record: &[u8], time: BootTime) {
        if self.open.records == 0 {
            self.opened_at = Instant::now();
        }
        self.open.raw.extend_from_slice(facts);
        self.open.raw.extend_from_slice(record);
        // A fact need not have a time.
        if time != BootTime(0) {
            let begun = self.open.first != BootTime(0);
            self.open.first = if begun { self.open.first.min(time) } else { time };
            self.open.last = self.open.last.max(time);
        }
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
    use eyas_enrich::SilentHost;

    use super::*;

    #[test]
    fn keyframes_come_first_and_after_a_hole_and_not_else() {
        let enrich = Enrich::new(SilentHost);
        let mut frame = Vec::new();
        enrich.keyframe(&mut frame);
        let mut recorder = Recorder::default();
        for record in [b"one", b"two"] {
            recorder.begin(&enrich);
            recorder.push(b"f", record, BootTime(if record == b"one" { 7 } else { 5 }));
        }
        recorder.push(b"", b"timeless", BootTime(0));
        let first = recorder.cut().expect("there is something in it");
        assert_eq!(first.raw, [&frame[..], b"foneftwotimeless"].concat());
        assert_eq!(
            (first.first, first.last, first.records, first.keyframe),
            (BootTime(5), BootTime(7), 3, true)
        );
        assert!(recorder.cut().is_none());
        for dropped in [false, true] {
            if dropped {
                recorder.segment_was_dropped();
            }
            recorder.begin(&enrich);
            recorder.push(b"", &vec![0; SEGMENT_BYTES], BootTime(9));
            assert_eq!(recorder.cut_if_due().expect("due").keyframe, dropped);
        }
    }
}
