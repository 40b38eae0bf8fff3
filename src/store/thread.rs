//! The writer thread: collects from the lanes, commits (many entries in one transaction), tries again when the disk would
//! not, reads the spill file back, and ends the run. It alone writes. A current-thread runtime inside drives sqlx.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, Sender, select};
use eyas_event::{Alert, BootTime, Loss, LossCause, Lost, LostBy};
use tokio::runtime::Runtime;

use crate::commit::{Entry, Pen};
use crate::error::StoreError;
use crate::lane::{Outlets, Request, Shared};
use crate::options::WriterOptions;
use crate::retention::Packer;
use crate::rows::Segment;

/// Pause before a failed write is tried again.
const RETRY: Duration = Duration::from_millis(200);

/// How often a failing write is tried while closing, before what is left goes to the spill file.
const LAST_TRIES: u32 = 3;

/// A batch ends early when its segments are so large together, so that memory stays bounded.
const BATCH_SEGMENT_BYTES: u64 = 8 << 20;

/// All that the thread owns.
pub(crate) struct WriterThread {
    pub(crate) runtime: Runtime,
    pub(crate) pen: Pen,
    pub(crate) packer: Packer,
    pub(crate) outlets: Outlets,
    pub(crate) shared: Arc<Shared>,
    pub(crate) options: WriterOptions,
    pub(crate) state: State,
}

/// What the thread remembers between commits.
#[derive(Debug)]
pub(crate) struct State {
    last_commit: Instant,
    flushes: Vec<Sender<Result<(), StoreError>>>,
    closing: bool,
}

impl State {
    pub(crate) fn new() -> Self {
        Self { last_commit: Instant::now(), flushes: Vec::new(), closing: false }
    }
}

/// Entries that wait for one commit.
#[derive(Default)]
struct Batch {
    entries: Vec<Entry>,
    segment_bytes: u64,
}

/// Alerts of one batch of events come within so long of one another.
const TOGETHER: Duration = Duration::from_micros(500);

enum Wake {
    Alert(Arc<Alert>),
    Segment(Segment),
    Request(Request),
    Quiet,
}

/// Whether a batch is in the store now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Settled {
    Written,
    GivenUp,
}

impl WriterThread {
    /// Runs until it is asked to close.
    pub(crate) fn run(mut self) -> Result<(), StoreError> {
        while !self.state.closing {
            if self.outlets.alerts.is_empty() && self.shared.spill.is_waiting() {
                self.read_spill();
            }
            let batch = self.collect();
            self.settle(batch);
            if !self.state.flushes.is_empty() {
                let Outlets { alerts, processes, segments, .. } = &self.outlets;
                self.drain(alerts.len() + processes.len() + segments.len());
                self.answer_flushes();
            }
        }
        self.shared.closed.store(true, Ordering::Release);
        self.drain(usize::MAX);
        self.answer_flushes();
        self.runtime.block_on(self.pen.close())
    }

    /// Waits until the heartbeat is due, for a ruleset at most `flush_ms`, for an alert only until commits are `alert_flush_ms` apart.
    /// Processes wake it only when they are many: until then they lie in their lane until it commits.
    fn collect(&mut self) -> Batch {
        let mut batch = Batch::default();
        let heartbeat = Duration::from_millis(self.options.heartbeat_ms);
        let mut deadline = (self.state.last_commit + heartbeat).max(Instant::now());
        let flush = Duration::from_millis(self.options.flush_ms);
        let many = self.options.flush_items.max(1);
        while !self.is_full(&batch) && self.outlets.processes.len() < many {
            match self.next(deadline.saturating_duration_since(Instant::now())) {
                Wake::Alert(alert) => {
                    let soon = self.state.last_commit + Duration::from_millis(self.options.alert_flush_ms);
                    let now = Instant::now();
                    deadline = deadline.min(soon.max(now + TOGETHER)).min(now + flush);
                    batch.entries.push(Entry::Alert(self.shared.origin, alert));
                }
                Wake::Segment(segment) => self.pack(&mut batch, segment),
                Wake::Request(Request::Ruleset(text)) => {
                    deadline = deadline.min(Instant::now() + flush);
                    batch.entries.push(Entry::Ruleset(text));
                }
                Wake::Request(Request::Flush(answer)) => {
                    self.state.flushes.push(answer);
                    break;
                }
                Wake::Request(Request::Close) => {
                    self.state.closing = true;
                    break;
                }
                Wake::Request(Request::Hurry) | Wake::Quiet => break,
            }
        }
        self.shared.hurried.store(false, Ordering::Release);
        // Also when it is full of others, which would otherwise keep them waiting.
        let processes = self.outlets.processes.try_iter().take(many);
        batch.entries.extend(processes.map(Entry::Process));
        batch
    }

    fn is_full(&self, batch: &Batch) -> bool {
        batch.entries.len() >= self.options.flush_items.max(1) || batch.segment_bytes >= BATCH_SEGMENT_BYTES
    }

    fn next(&self, wait: Duration) -> Wake {
        let closed = |_| Wake::Request(Request::Close);
        select! {
            recv(self.outlets.requests) -> request => request.map_or_else(closed, Wake::Request),
            recv(self.outlets.alerts) -> alert => alert.map_or_else(closed, Wake::Alert),
            recv(self.outlets.segments) -> segment => segment.map_or_else(closed, Wake::Segment),
            default(wait) => Wake::Quiet,
        }
    }

    fn pack(&mut self, batch: &mut Batch, segment: Segment) {
        let Segment { first, last, records, .. } = segment;
        match self.packer.pack(segment) {
            Ok(packed) => {
                batch.segment_bytes += packed.raw_bytes;
                batch.entries.push(Entry::Segment(packed));
            }
            Err(e) => {
                self.shared.note_error(Some(format!("cannot compress a segment: {e}")));
                self.shared.drop_segment(records, first, last, LossCause::Unreadable);
            }
        }
    }

    /// Takes and commits what lies in the lanes, at most so many entries, then the spill file and the losses.
    fn drain(&mut self, at_most: usize) {
        let mut taken = 0;
        while taken < at_most {
            let mut batch = Batch::default();
            while taken < at_most && !self.is_full(&batch) {
                let origin = self.shared.origin;
                if let Ok(alert) = self.outlets.alerts.try_recv() {
                    batch.entries.push(Entry::Alert(origin, alert));
                } else if let Ok(process) = self.outlets.processes.try_recv() {
                    batch.entries.push(Entry::Process(process));
                } else if let Ok(segment) = self.outlets.segments.try_recv() {
                    self.pack(&mut batch, segment);
                } else {
                    break;
                }
                taken += 1;
            }
            if batch.entries.is_empty() {
                break;
            }
            self.settle(batch);
        }
        // Rulesets that were asked for just before a close.
        while self.state.closing
            && let Ok(request) = self.outlets.requests.try_recv()
        {
            match request {
                Request::Ruleset(text) => {
                    self.settle(Batch { entries: vec![Entry::Ruleset(text)], segment_bytes: 0 });
                }
                Request::Flush(answer) => self.state.flushes.push(answer),
                Request::Hurry | Request::Close => {}
            }
        }
        if self.shared.spill.is_waiting() {
            self.read_spill();
        }
        self.settle(Batch::default());
    }

    fn answer_flushes(&mut self) {
        for answer in self.state.flushes.drain(..) {
            // Whoever asked may have stopped waiting.
            let _gone = answer.send(Ok(()));
        }
    }

    /// Commits a batch, again and again while the cause of failure may pass. Data that `SQLite` refuses is left out alone.
    fn settle(&mut self, batch: Batch) -> Settled {
        let mut entries = batch.entries;
        let mut last_tries = 0;
        loop {
            let losses = self.shared.take_losses();
            let begun = Instant::now();
            let limit = self.options.segment_limit_bytes;
            let committed = self.runtime.block_on(self.pen.commit(&entries, &losses, limit));
            self.state.last_commit = Instant::now();
            let error = match committed {
                Ok(tally) => {
                    self.shared.counters.add_commit(&tally, begun.elapsed().as_micros() as u64);
                    self.shared.note_error(None);
                    return Settled::Written;
                }
                Err(error) => error,
            };
            for (loss, blind) in losses {
                self.shared.note_loss(loss, &blind);
            }
            let words = error.to_string();
            self.shared.note_error(Some(words.clone()));
            for answer in self.state.flushes.drain(..) {
                let _gone = answer.send(Err(StoreError::Write(words.clone())));
            }
            if entries.is_empty() {
                return Settled::GivenUp;
            }
            if !error.may_pass() {
                return self.leave_out(entries);
            }
            if self.state.closing {
                last_tries += 1;
                if last_tries >= LAST_TRIES {
                    self.put_aside(entries);
                    return Settled::GivenUp;
                }
            }
            self.pause(&mut entries, &words);
        }
    }

    /// Waits before the next try; requests are heard meanwhile.
    fn pause(&mut self, entries: &mut Vec<Entry>, words: &str) {
        let until = Instant::now() + RETRY;
        loop {
            match self.outlets.requests.recv_deadline(until) {
                Ok(Request::Flush(answer)) => {
                    let _gone = answer.send(Err(StoreError::Write(words.to_owned())));
                }
                Ok(Request::Ruleset(text)) => entries.push(Entry::Ruleset(text)),
                Ok(Request::Hurry) => {}
                Ok(Request::Close) => self.state.closing = true,
                Err(RecvTimeoutError::Timeout) => return,
                Err(RecvTimeoutError::Disconnected) => {
                    self.state.closing = true;
                    std::thread::sleep(until.saturating_duration_since(Instant::now()));
                    return;
                }
            }
        }
    }

    /// Commits entries one by one and counts as lost those that `SQLite` refuses.
    fn leave_out(&mut self, mut entries: Vec<Entry>) -> Settled {
        if entries.len() > 1 {
            for entry in entries {
                self.settle(Batch { entries: vec![entry], segment_bytes: 0 });
            }
            return Settled::Written;
        }
        match entries.pop() {
            Some(Entry::Alert(_, alert)) => self.shared.drop_alert(alert.boot_time, LossCause::Unreadable),
            Some(Entry::Process(process)) => self.shared.drop_process(&process, LossCause::Unreadable),
            Some(Entry::Segment(s)) => {
                self.shared.drop_segment(s.records, s.first, s.last, LossCause::Unreadable);
            }
            // The error stays in `last_error`; the text is still where it was loaded from.
            Some(Entry::Ruleset(_)) | None => {}
        }
        Settled::Written
    }

    /// Closing, and the disk still refuses: alerts go to the spill file, the rest is counted.
    fn put_aside(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            match entry {
                Entry::Alert(origin, alert) => {
                    self.shared.spill(origin, &alert);
                }
                Entry::Process(process) => self.shared.drop_process(&process, LossCause::LaneFull),
                Entry::Segment(s) => {
                    self.shared.drop_segment(s.records, s.first, s.last, LossCause::LaneFull);
                }
                Entry::Ruleset(_) => {}
            }
        }
    }

    /// Reads the spill file into the store.
    fn read_spill(&mut self) {
        if let Err(e) = self.try_read_spill() {
            self.shared.note_error(Some(e.to_string()));
        }
    }

    fn try_read_spill(&mut self) -> Result<(), StoreError> {
        let mut reader = self.shared.spill.begin_reading()?;
        let mut last_seen = BootTime::default();
        loop {
            let mut batch = Batch::default();
            while !self.is_full(&batch)
                && let Some((origin, alert)) = reader.next_alert()?
            {
                last_seen = alert.boot_time;
                batch.entries.push(Entry::Alert(origin, Arc::new(alert)));
            }
            if batch.entries.is_empty() {
                break;
            }
            if self.settle(batch) == Settled::GivenUp {
                // They stay in the file that is being read, for the next start.
                return Ok(());
            }
        }
        let unreadable = reader.finish()?;
        if unreadable > 0 {
            self.shared.counters.alerts_dropped.fetch_add(unreadable, Ordering::Relaxed);
            self.shared.note_own(Loss {
                lost: Lost::Alerts,
                by: LostBy::default(),
                cause: LossCause::Unreadable,
                count: unreadable,
                from: last_seen,
                to: last_seen,
            });
        }
        Ok(())
    }
}
