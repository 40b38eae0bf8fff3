//! Reads the ring: record by record into a batch, with a timed wait in between.
//!
//! The kernel half wakes nobody until the ring is a quarter full, since a wakeup an event costs more than the event. So
//! whoever waits looks every few milliseconds, and not before: to look again as soon as the last records are judged would
//! find the one or two that came meanwhile, and never rest beside a busy machine.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use aya::maps::{MapData, RingBuf};
use eyas_ebpf::Head;
use eyas_event::RawBatch;
use rustix::event::{Timespec, epoll};
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
    /// Hears of the kernel half's wakeups alone (`EPOLLET`): the ring itself is readable as soon as anything is in it.
    wakeups: OwnedFd,
    /// A record that was taken from the ring and did not fit into the last batch.
    left_over: Vec<u8>,
    last_record: Instant,
    /// When everything had been taken out; `None` while there may be more.
    emptied: Option<Instant>,
}

/// What the reader saw of each record, besides handing it on.
pub(crate) trait Watch {
    /// A record with this head was handed on.
    fn saw(&mut self, head: &Head);
    /// Bytes that are no record were left out.
    fn saw_malformed(&mut self);
}

impl Reader {
    pub(crate) fn new(ring: RingBuf<MapData>) -> Result<Self, Errno> {
        let wakeups = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let flags = epoll::EventFlags::IN | epoll::EventFlags::ET;
        epoll::add(&wakeups, &ring, epoll::EventData::new_u64(0), flags)?;
        Ok(Self { ring, wakeups, left_over: Vec::new(), last_record: Instant::now(), emptied: None })
    }

    /// Moves records into the batch until it is full or the ring is empty; whether there were any.
    pub(crate) fn drain(&mut self, batch: &mut RawBatch, watch: &mut impl Watch) -> bool {
        let mut any = false;
        self.emptied = None;
        if !self.left_over.is_empty() {
            if !batch.push(&self.left_over) {
                return false;
            }
            self.left_over.clear();
            any = true;
        }
        let mut more = false;
        while let Some(item) = self.ring.next() {
            let Some(head) = head_of(&item) else {
                watch.saw_malformed();
                continue;
            };
            watch.saw(&head);
            if !batch.push(&item) {
                self.left_over.extend_from_slice(&item);
                more = true;
                break;
            }
            any = true;
        }
        let now = Instant::now();
        if any {
            self.last_record = now;
        }
        self.emptied = (!more).then_some(now);
        any
    }

    /// Whether the last look left something in the ring.
    pub(crate) fn is_behind(&self) -> bool {
        self.emptied.is_none()
    }

    /// Takes out what happened up to `now` and is still there. Nothing is when everything had been taken out the last time: what
    /// has come since is no longer asked for.
    pub(crate) fn give_up(&mut self, now: u64, watch: &mut impl Watch, mut left: impl FnMut(&Head, &[u8])) {
        if !self.is_behind() {
            return;
        }
        let kept = std::mem::take(&mut self.left_over);
        if let Some(head) = head_of(&kept) {
            left(&head, &kept);
        }
        while let Some(item) = self.ring.next() {
            let Some(head) = head_of(&item) else {
                watch.saw_malformed();
                continue;
            };
            if head.time > now {
                break;
            }
            left(&head, &item);
        }
    }

    /// Waits until it is time to look, at most until `deadline`. False at the deadline.
    pub(crate) fn wait(&self, deadline: Instant) -> Result<bool, Errno> {
        let now = Instant::now();
        let quiet = now.duration_since(self.last_record) > QUIET_AFTER;
        let step = if quiet { QUIET_STEP } else { BUSY_STEP };
        let due = self.emptied.map_or(now, |at| at + step).min(deadline);
        let left = due.saturating_duration_since(now);
        if !left.is_zero() {
            let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(left.subsec_nanos()) };
            let mut woken =
                [epoll::Event { flags: epoll::EventFlags::empty(), data: epoll::EventData::new_u64(0) }];
            match epoll::wait(&self.wakeups, &mut woken, Some(&timeout)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Instant::now() < deadline)
    }
}

/// The head of a record, where it says how long the record is.
fn head_of(item: &[u8]) -> Option<Head> {
    Head::split(item).map(|(head, _)| head).filter(|head| head.len as usize == item.len())
}
