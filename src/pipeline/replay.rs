//! [`Replay`]: a recording as a source, as fast as it can be judged or at the pace at which it happened. The segments
//! come from an iterator, so that this room need not know where they are kept.

use std::time::{Duration, Instant};

use eyas_ebpf::{Kind, Record};
use eyas_event::{Fill, Interest, Loss, RawBatch, Source, SourceError, SourceInfo, SourceKind};

/// How fast a recording is given out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// As fast as somebody takes it.
    Unpaced,
    /// As it happened, this many times as fast.
    Times(f64),
}

/// A recording.
#[derive(Debug)]
pub struct Replay<I> {
    name: String,
    segments: I,
    current: Vec<u8>,
    at: usize,
    pace: Pace,
    /// The moment at which the record time `.1` was due.
    anchor: Option<(Instant, u64)>,
}

impl<I> Replay<I>
where
    I: Iterator<Item = Result<Vec<u8>, String>>,
{
    /// A recording, under a name for people, out of its raw segments in order.
    pub fn new(name: String, segments: I, pace: Pace) -> Self {
        Self { name, segments, current: Vec::new(), at: 0, pace, anchor: None }
    }

    /// How long to wait until a record of this time is due.
    fn due_in(&mut self, time: u64) -> Duration {
        /// A pause longer than this is cut short: nobody wants to watch a recording of nothing.
        const PAUSE_MAX: Duration = Duration::from_secs(3);
        let Pace::Times(speed) = self.pace else { return Duration::ZERO };
        let now = Instant::now();
        let (anchor, anchored) = *self.anchor.get_or_insert((now, time));
        let offset = Duration::from_nanos(time.saturating_sub(anchored)).div_f64(speed.max(0.001));
        let wait = (anchor + offset).saturating_duration_since(now);
        if wait > PAUSE_MAX {
            self.anchor = Some((now + PAUSE_MAX, time));
            return PAUSE_MAX;
        }
        wait
    }
}

impl<I> Source for Replay<I>
where
    I: Iterator<Item = Result<Vec<u8>, String>>,
{
    fn describe(&self) -> SourceInfo {
        SourceInfo { name: self.name.clone(), kind: SourceKind::Recording, hooks: Vec::new() }
    }

    fn fill(&mut self, batch: &mut RawBatch, wait: Duration) -> Result<Fill, SourceError> {
        loop {
            let Some(rest) = self.current.get(self.at..).filter(|rest| !rest.is_empty()) else {
                match self.segments.next() {
                    None if batch.is_empty() => return Ok(Fill::End),
                    None => return Ok(Fill::Records),
                    Some(Err(why)) => return Err(SourceError::Read(why)),
                    Some(Ok(raw)) => {
                        self.current = raw;
                        self.at = 0;
                        continue;
                    }
                }
            };
            let (record, len) = match Record::parse(rest) {
                Ok(parsed) => parsed,
                Err(error) => {
                    let why = format!("{}: at byte {} of a segment: {error}", self.name, self.at);
                    return Err(SourceError::Read(why));
                }
            };
            let is_fact = !record.body.kind().is_none_or(Kind::is_kernel);
            let time = record.head.time;
            if !batch.has_room(len) {
                return Ok(Fill::Records);
            }
            if !is_fact {
                let due = self.due_in(time);
                if !due.is_zero() {
                    if !batch.is_empty() {
                        return Ok(Fill::Records);
                    }
                    std::thread::sleep(due.min(wait));
                    if due > wait {
                        return Ok(Fill::Idle);
                    }
                }
            }
            let (begin, end) = (self.at, self.at + len);
            batch.push(&self.current[begin..end]);
            self.at = end;
        }
    }

    fn set_interest(&mut self, _interest: &Interest) -> Result<(), SourceError> {
        // What was recorded is what there is; rules that want more find nothing.
        Ok(())
    }

    fn losses(&mut self, _out: &mut Vec<Loss>) {
        // Those of the recorded run stand in the recording, at their places.
    }
}
