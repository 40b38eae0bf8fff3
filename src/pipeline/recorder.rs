//! [`Recorder`]: keeps the records as they came, cut into segments. A segment is about 1 MiB of record bytes; now and
//! then one begins with a keyframe, so that a replay can begin there, and what is older can go.

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
/// Time between keyframes, at most.
const KEYFRAME_AGE: Duration = Duration::from_mins(3);
/// Record bytes between keyframes, at most. What is between two goes from a full store in one piece, and alerts wait meanwhile.
const KEYFRAME_BYTES: u64 = 512 << 20;
/// Time between keyframes that follow a hole, at least. One tells of every process, so a keyframe for each hole would make a store
/// that is behind fall further behind, and more holes.
const HOLE_AGE: Duration = Duration::from_secs(5);

/// The open end of the recording.
#[derive(Debug)]
pub struct Recorder {
    open: Segment,
    opened_at: Instant,
    keyframe_at: Option<Instant>,
    /// Bytes since that keyframe.
    since: u64,
    /// Whether a segment has been dropped since.
    hole: bool,
    /// The last keyframe that followed a hole.
    mended_at: Option<Instant>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self {
            open: blank(),
            opened_at: Instant::now(),
            keyframe_at: None,
            since: 0,
            hole: false,
            mended_at: None,
        }
    }
}

fn blank() -> Segment {
    Segment { first: BootTime(0), last: BootTime(0), records: 0, keyframe: false, raw: Vec::new() }
}

impl Recorder {
    /// Comes before each record: begins a segment with a keyframe when one is due and everything can be told.
    pub fn begin<H: Host>(&mut self, enrich: &Enrich<H>) {
        if self.open.records == 0 && self.is_keyframe_due() && enrich.can_keyframe() {
            enrich.keyframe(&mut self.open.raw);
            self.open.keyframe = true;
            let now = Some(Instant::now());
            self.keyframe_at = now;
            if self.hole {
                self.mended_at = now;
            }
            (self.since, self.hole) = (0, false);
        }
    }

    fn is_keyframe_due(&self) -> bool {
        let is_past = |at: Option<Instant>, age| at.is_none_or(|at| at.elapsed() >= age);
        is_past(self.keyframe_at, KEYFRAME_AGE)
            || self.since >= KEYFRAME_BYTES
            || self.hole && is_past(self.mended_at, HOLE_AGE)
    }

    /// A segment could not be kept: a replay that comes to the hole must find its feet again soon after it.
    pub fn segment_was_dropped(&mut self) {
        self.hole = true;
    }

    /// Adds a record, and before it the facts that it needed.
    pub fn push(&mut self, facts: &[u8], record: &[u8], time: BootTime) {
        if self.open.records == 0 {
            self.opened_at = Instant::now();
        }
        self.open.raw.extend_from_slice(facts);
        self.open.raw.extend_from_slice(record);
        self.since += (facts.len() + record.len()) as u64;
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
        let mut keyframe_after = |age| {
            recorder.segment_was_dropped();
            recorder.mended_at = Instant::now().checked_sub(age);
            assert!(recorder.mended_at.is_some(), "the machine has run for so long");
            recorder.begin(&enrich);
            recorder.push(b"", &vec![0; SEGMENT_BYTES], BootTime(9));
            recorder.cut_if_due().expect("due").keyframe
        };
        assert!(!keyframe_after(HOLE_AGE / 2), "one hole behind the other");
        assert!(keyframe_after(HOLE_AGE));
    }

    #[test]
    fn a_keyframe_comes_after_so_many_bytes() {
        let enrich = Enrich::new(SilentHost);
        let mut recorder = Recorder::default();
        let record = vec![0; SEGMENT_BYTES];
        let mut keyframes = Vec::new();
        for segment in 0..2 * KEYFRAME_BYTES / SEGMENT_BYTES as u64 {
            recorder.begin(&enrich);
            recorder.push(b"", &record, BootTime(9));
            if recorder.cut_if_due().expect("due").keyframe {
                keyframes.push(segment);
            }
        }
        assert_eq!(keyframes, [0, KEYFRAME_BYTES / SEGMENT_BYTES as u64]);
    }
}
