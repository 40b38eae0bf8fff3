//! Reads the ring: record by record into a batch, with a timed wait in between.
//!
//! The kernel half wakes nobody until the ring is a quarter full, since a wakeup an event costs more than the event. So
//! whoever waits looks again every few milliseconds.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use aya::maps::{MapData, RingBuf};
use eyas_ebpf::Head;
use eyas_event::RawBatch;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// How long a record may lie unseen while things happen.
const BUSY_STEP: Duration = Duration::from_millis(7);
/// The same after a quiet time, so that an idle machine stays idle.
const QUIET_STEP: Duration = Duration::from_millis(12);
/// How long nothing must come for a time to be quiet.
const QUIET_AFTER: Duration = Duration::from_millis(500);

/// The reading end.
pub(crate) struct Reader {
    ring: RingBuf<MapData>,
    /// A record that was taken from the ring and did not fit into the last batch.
    left_over: Vec<u8>,
    last_record: Instant,
}

/// What the reader saw of each record, besides handing it on.
pub(crate) trait Watch {
    /// A record with this head was handed on.
    fn saw(&mut self, head: &Head);
    /// Bytes that are no record were left out.
    fn saw_malformed(&mut self);
}

impl Reader {
    pub(crate) fn new(ring: RingBuf<MapData>) -> Self {
        Self { ring, left_over: Vec::new(), last_record: Instant::now() }
    }

    /// Moves records into the batch until it is full or the ring is empty; whether there were any.
    pub(crate) fn drain(&mut self, batch: &mut RawBatch, watch: &mut impl Watch) -> bool {
        let mut any = false;
        if !self.left_over.is_empty() {
            if !batch.push(&self.left_over) {
                return false;
            }
            self.left_over.clear();
            any = true;
        }
        while let Some(item) = self.ring.next() {
            let Some(head) = head_of(&item) else {
                watch.saw_malformed();
                continue;
            };
            watch.saw(&head);
            if !batch.push(&item) {
                self.left_over.extend_from_slice(&item);
                break;
            }
            any = true;
        }
        if any {
            self.last_record = Instant::now();
        }
        any
    }

    /// Takes out what happened up to `now` and is still there; what goes on happening meanwhile must not keep it.
    pub(crate) fn give_up(&mut self, now: u64, watch: &mut impl Watch, mut left: impl FnMut(&Head, &[u8])) {
        let kept = std::mem::take(&mut self.left_over);
        if let Some(head) = head_of(&kept) {
            left(&head, &kept);
        }
        while let Some(item) = self.ring.next() {
            let Some(head) = head_of(&item) else {
                watch.saw_malformed();
                continue;
            };
            left(&head, &item);
            if head.time > now {
                break;
            }
        }
    }

    /// Waits until there may be something to drain, at most until `deadline`. False at the deadline.
    pub(crate) fn wait(&self, deadline: Instant) -> Result<bool, Errno> {
        let now = Instant::now();
        let left = deadline.saturating_duration_since(now);
        if left.is_zero() {
            return Ok(false);
        }
        let quiet = now.duration_since(self.last_record) > QUIET_AFTER;
        let step = left.min(if quiet { QUIET_STEP } else { BUSY_STEP });
        let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(step.subsec_nanos()) };
        let ring = self.ring.as_fd();
        match poll(&mut [PollFd::new(&ring, PollFlags::IN)], Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => Ok(true),
            Err(error) => Err(error),
        }
    }
}

/// The head of a record, where it says how long the record is.
fn head_of(item: &[u8]) -> Option<Head> {
    Head::split(item).map(|(head, _)| head).filter(|head| head.len as usize == item.len())
}
