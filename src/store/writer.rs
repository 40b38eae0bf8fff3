//! [`Writer`] owns the writer thread; [`WriterHandle`] is how everybody else hands things to it. What a sender meets when a
//! lane is full differs by lane: an alert waits, then spills, then is lost and counted; a segment pushes out the oldest; a
//! process is counted; a ruleset waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{SendTimeoutError, TrySendError, bounded};
use eyas_event::{Alert, BlindRules, Loss, LossCause, Process};

use crate::commit::Pen;
use crate::error::StoreError;
use crate::lane::{Inlets, Request, Shared, lanes};
use crate::lock::WriterLock;
use crate::options::WriterOptions;
use crate::retention::Packer;
use crate::rows::{RulesetText, Segment};
use crate::spill::Spill;
use crate::stats::WriterStats;
use crate::store::new_runtime;
use crate::thread::{State, WriterThread};

/// How long a ruleset waits for its place in the lane.
const RULESET_WAIT: Duration = Duration::from_secs(5);

/// What became of a thing handed to the writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It waits for the next commit.
    Queued,
    /// It is in the spill file.
    Spilled,
    /// It is lost, and counted.
    Dropped,
}

/// The writer thread. Dropping it closes it too, but then nobody hears of an error.
#[derive(Debug)]
pub struct Writer {
    handle: WriterHandle,
    thread: Option<JoinHandle<Result<(), StoreError>>>,
    _lock: Arc<WriterLock>,
}

impl Writer {
    pub(crate) fn start(
        pen: Pen,
        path: &std::path::Path,
        lock: Arc<WriterLock>,
        options: WriterOptions,
    ) -> Result<Self, StoreError> {
        let failed = |doing| {
            let path = path.to_owned();
            move |source| StoreError::Io { doing, path, source }
        };
        let (inlets, outlets) = lanes(&options);
        let spill = Spill::beside(path, options.spill_limit_bytes);
        let shared = Arc::new(Shared::new(pen.run.origin, spill));
        let handle = WriterHandle {
            inlets,
            shared: Arc::clone(&shared),
            alert_wait: Duration::from_millis(options.alert_wait_ms),
            many_processes: options.flush_items.min(options.process_lane).max(1),
            waited_in_vain: Arc::default(),
        };
        let runtime = new_runtime().map_err(failed("start a runtime for"))?;
        let packer = Packer::new().map_err(failed("start a compressor for"))?;
        let state = State::new();
        let thread = WriterThread { runtime, pen, packer, outlets, shared, options, state };
        let thread = std::thread::Builder::new()
            .name("eyas-store".to_owned())
            .spawn(move || thread.run())
            .map_err(failed("start a writer for"))?;
        Ok(Self { handle, thread: Some(thread), _lock: lock })
    }

    /// A way in, for as many as need one.
    pub fn handle(&self) -> WriterHandle {
        self.handle.clone()
    }

    /// Writes all that waits, marks the run as ended and stops. Nobody may hand things in at the same time.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.stop()
    }

    fn stop(&mut self) -> Result<(), StoreError> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        // When the thread is gone already, joining says why.
        let _gone = self.handle.inlets.requests.send(Request::Close);
        thread.join().unwrap_or_else(|_| Err(StoreError::Write("the writer thread panicked".to_owned())))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Err(e) = self.stop() {
            self.handle.shared.note_error(Some(e.to_string()));
        }
    }
}

/// Hands things to the writer thread.
#[derive(Clone, Debug)]
pub struct WriterHandle {
    inlets: Inlets,
    shared: Arc<Shared>,
    alert_wait: Duration,
    /// When so many processes wait, the writer is told.
    many_processes: usize,
    /// After one wait in vain nobody waits again until the lane has taken something.
    waited_in_vain: Arc<AtomicBool>,
}

impl WriterHandle {
    /// Hands over an alert. At a full lane it waits a bounded time, then the alert goes to the spill file.
    pub fn alert(&self, alert: Arc<Alert>) -> Kept {
        let alert = match self.inlets.alerts.try_send(alert) {
            Ok(()) => {
                self.waited_in_vain.store(false, Ordering::Relaxed);
                return Kept::Queued;
            }
            Err(TrySendError::Disconnected(alert)) => return self.shared.spill(self.shared.origin, &alert),
            Err(TrySendError::Full(alert)) => alert,
        };
        if self.waited_in_vain.load(Ordering::Relaxed) {
            return self.shared.spill(self.shared.origin, &alert);
        }
        match self.inlets.alerts.send_timeout(alert, self.alert_wait) {
            Ok(()) => Kept::Queued,
            Err(SendTimeoutError::Timeout(alert) | SendTimeoutError::Disconnected(alert)) => {
                self.waited_in_vain.store(true, Ordering::Relaxed);
                self.shared.spill(self.shared.origin, &alert)
            }
        }
    }

    /// Hands over a process for its own sake; those of alerts come with the alerts. Never waits.
    pub fn process(&self, process: Arc<Process>) -> Kept {
        match self.inlets.processes.try_send(process) {
            Ok(()) => {
                if self.inlets.processes.len() >= self.many_processes
                    && !self.shared.hurried.swap(true, Ordering::AcqRel)
                {
                    // With that many requests waiting it is awake.
                    let _full = self.inlets.requests.try_send(Request::Hurry);
                }
                Kept::Queued
            }
            Err(TrySendError::Full(process) | TrySendError::Disconnected(process)) => {
                self.shared.drop_process(&process, LossCause::LaneFull);
                Kept::Dropped
            }
        }
    }

    /// Hands over a segment of the recording. Never waits: at a full lane the oldest that waits is dropped for it.
    pub fn segment(&self, segment: Segment) -> Kept {
        let mut segment = segment;
        loop {
            if self.shared.closed.load(Ordering::Acquire) {
                self.lose(&segment);
                return Kept::Dropped;
            }
            segment = match self.inlets.segments.try_send(segment) {
                Ok(()) => return Kept::Queued,
                Err(TrySendError::Full(segment) | TrySendError::Disconnected(segment)) => segment,
            };
            if let Ok(oldest) = self.inlets.oldest_segments.try_recv() {
                self.lose(&oldest);
            }
        }
    }

    fn lose(&self, s: &Segment) {
        self.shared.drop_segment(s.records, s.first, s.last, LossCause::LaneFull);
    }

    /// Hands over a loss. Never waits and is never dropped: losses of one kind, cause and maker that wait are added up.
    /// `blind` are the rules that could have fired for it.
    pub fn loss(&self, loss: Loss, blind: &BlindRules) {
        self.shared.note_loss(loss, blind);
    }

    /// Hands over a ruleset; waits for its place.
    pub fn ruleset(&self, ruleset: RulesetText) -> Result<(), StoreError> {
        self.inlets.requests.send_timeout(Request::Ruleset(ruleset), RULESET_WAIT).map_err(|e| match e {
            SendTimeoutError::Timeout(_) => {
                StoreError::Busy { last_error: self.shared.last_error().unwrap_or_default() }
            }
            SendTimeoutError::Disconnected(_) => StoreError::Closed,
        })
    }

    /// Waits until everything that was handed over before is in the store. When a write fails, it says so at once; what
    /// was handed over is still kept and tried again.
    pub fn flush_and_wait(&self) -> Result<(), StoreError> {
        let (answer, wait) = bounded(1);
        self.inlets.requests.send(Request::Flush(answer)).map_err(|_| StoreError::Closed)?;
        wait.recv().map_err(|_| StoreError::Closed)?
    }

    /// What was written, what waits, what could not be written.
    pub fn stats(&self) -> WriterStats {
        WriterStats {
            alerts_waiting: self.inlets.alerts.len() as u64,
            processes_waiting: self.inlets.processes.len() as u64,
            segments_waiting: self.inlets.segments.len() as u64,
            spill_bytes: self.shared.spill.bytes(),
            last_error: self.shared.last_error(),
            ..self.shared.counters.read()
        }
    }
}
