//! The lanes into the writer: what each holds, and [`Shared`], which senders and the writer thread have in common: counters,
//! losses that wait to be stored, the spill file, the last error. Losses cannot overflow: those of one kind, cause and maker that
//! wait are added into one.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};
use eyas_event::{Alert, BlindRules, BootTime, Loss, LossCause, Lost, LostBy, Process};

use crate::error::StoreError;
use crate::options::WriterOptions;
use crate::rows::{RulesetText, Segment};
use crate::run::Origin;
use crate::spill::{Spill, SpillError};
use crate::stats::{Counters, add};
use crate::writer::Kept;

/// What is asked of the writer thread itself.
#[derive(Debug)]
pub(crate) enum Request {
    /// Store a ruleset.
    Ruleset(RulesetText),
    /// Commit everything that was sent before, then answer.
    Flush(Sender<Result<(), StoreError>>),
    /// Commit now: many processes wait, which wake nobody.
    Hurry,
    /// Commit everything, end the run and stop.
    Close,
}

/// Requests are rare and their senders wait, so the lane is short.
const REQUESTS: usize = 16;

/// The writer thread's ends.
#[derive(Debug)]
pub(crate) struct Outlets {
    pub(crate) alerts: Receiver<Arc<Alert>>,
    pub(crate) processes: Receiver<Arc<Process>>,
    pub(crate) segments: Receiver<Segment>,
    pub(crate) requests: Receiver<Request>,
}

/// The senders' ends.
#[derive(Clone, Debug)]
pub(crate) struct Inlets {
    pub(crate) alerts: Sender<Arc<Alert>>,
    pub(crate) processes: Sender<Arc<Process>>,
    pub(crate) segments: Sender<Segment>,
    /// To take the oldest segment out again.
    pub(crate) oldest_segments: Receiver<Segment>,
    pub(crate) requests: Sender<Request>,
}

/// Makes the lanes.
pub(crate) fn lanes(options: &WriterOptions) -> (Inlets, Outlets) {
    let (alerts, alerts_out) = bounded(options.alert_lane.max(1));
    let (processes, processes_out) = bounded(options.process_lane.max(1));
    let (segments, segments_out) = bounded(options.segment_lane.max(1));
    let (requests, requests_out) = bounded(REQUESTS);
    (
        Inlets { alerts, processes, segments, oldest_segments: segments_out.clone(), requests },
        Outlets {
            alerts: alerts_out,
            processes: processes_out,
            segments: segments_out,
            requests: requests_out,
        },
    )
}

/// What senders and the writer thread have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) origin: Origin,
    pub(crate) counters: Counters,
    pub(crate) spill: Spill,
    /// Set once the writer thread takes nothing more.
    pub(crate) closed: AtomicBool,
    /// Set while the thread knows that many processes wait.
    pub(crate) hurried: AtomicBool,
    losses: Mutex<Vec<(Loss, BlindRules)>>,
    last_error: Mutex<Option<String>>,
}

impl Shared {
    pub(crate) fn new(origin: Origin, spill: Spill) -> Self {
        Self {
            origin,
            counters: Counters::default(),
            spill,
            closed: AtomicBool::new(false),
            hurried: AtomicBool::new(false),
            losses: Mutex::default(),
            last_error: Mutex::default(),
        }
    }

    /// Puts an alert that the writer cannot take now into the spill file, or counts it as lost.
    pub(crate) fn spill(&self, origin: Origin, alert: &Alert) -> Kept {
        match self.spill.push(origin, alert) {
            Ok(()) => {
                add(&self.counters.alerts_spilled, 1);
                Kept::Spilled
            }
            Err(why) => {
                if let SpillError::Io(e) = why {
                    self.note_error(Some(format!("cannot write the spill file: {e}")));
                }
                self.drop_alert(alert.boot_time, LossCause::LaneFull);
                Kept::Dropped
            }
        }
    }

    /// Counts an alert as lost.
    pub(crate) fn drop_alert(&self, at: BootTime, cause: LossCause) {
        add(&self.counters.alerts_dropped, 1);
        self.note_own(Loss { lost: Lost::Alerts, cause, by: LostBy::default(), count: 1, from: at, to: at });
    }

    /// Counts a process as lost. It is context, as the recording is, and can be found again in a replay.
    pub(crate) fn drop_process(&self, process: &Process, cause: LossCause) {
        add(&self.counters.processes_dropped, 1);
        let at = process.exec_time.max(process.started);
        self.note_own(Loss {
            lost: Lost::Recording,
            cause,
            by: LostBy::default(),
            count: 1,
            from: at,
            to: at,
        });
    }

    /// Counts a segment's records as lost.
    pub(crate) fn drop_segment(&self, records: u64, first: BootTime, last: BootTime, cause: LossCause) {
        add(&self.counters.segments_dropped, 1);
        let (lost, by) = (Lost::Recording, LostBy::default());
        self.note_own(Loss { lost, cause, by, count: records, from: first, to: last });
    }

    /// Keeps a loss of what had been judged: no rule was blind.
    pub(crate) fn note_own(&self, loss: Loss) {
        self.note_loss(loss, &Some([].into()));
    }

    /// Keeps a loss for the next commit.
    pub(crate) fn note_loss(&self, loss: Loss, blind: &BlindRules) {
        let mut losses = self.losses.lock().unwrap_or_else(PoisonError::into_inner);
        let sort = |loss: &Loss| (loss.lost, loss.cause, loss.by);
        let same = losses.iter_mut().find(|(known, rules)| sort(known) == sort(&loss) && rules == blind);
        match same {
            Some((known, _)) => {
                // 0 says that nobody can know how many, and then the sum cannot be known either.
                let unknown = known.count == 0 || loss.count == 0;
                known.count = if unknown { 0 } else { known.count.saturating_add(loss.count) };
                known.from = known.from.min(loss.from);
                known.to = known.to.max(loss.to);
            }
            None => losses.push((loss, blind.clone())),
        }
    }

    /// Takes all losses that wait.
    pub(crate) fn take_losses(&self) -> Vec<(Loss, BlindRules)> {
        std::mem::take(&mut *self.losses.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Remembers why the last write failed, or that it did not.
    pub(crate) fn note_error(&self, error: Option<String>) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }

    pub(crate) fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
