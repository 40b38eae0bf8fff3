//! [`WriterStats`]: what the writer did, what waits for it and what it could not do, for the screen's header and for
//! `eyas doctor`. The counters behind it are plain atomics that senders and the writer thread add to.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::commit::Tally;

/// A moment's view of the writer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriterStats {
    /// Transactions that wrote something.
    pub commits: u64,
    /// How long the last one took, microseconds.
    pub last_commit_us: u64,
    /// Alerts stored.
    pub alerts_written: u64,
    /// Alerts that were in the store already, under the same id, and are there once.
    pub alerts_repeated: u64,
    /// Alerts that went to the spill file.
    pub alerts_spilled: u64,
    /// Alerts that could neither be stored nor spilled.
    pub alerts_dropped: u64,
    /// Processes stored for their own sake.
    pub processes_written: u64,
    /// Processes that found their lane full.
    pub processes_dropped: u64,
    /// Segments stored.
    pub segments_written: u64,
    /// Segments that had to make room for newer ones.
    pub segments_dropped: u64,
    /// Rulesets handed over and stored, or there already.
    pub rulesets_written: u64,
    /// Losses stored.
    pub losses_written: u64,
    /// Alerts that wait in their lane.
    pub alerts_waiting: u64,
    /// Processes that wait in their lane.
    pub processes_waiting: u64,
    /// Segments that wait in their lane.
    pub segments_waiting: u64,
    /// Bytes that wait in the spill file.
    pub spill_bytes: u64,
    /// What the last failed write met; `None` when the last write went well.
    pub last_error: Option<String>,
}

/// The counters behind [`WriterStats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) commits: AtomicU64,
    pub(crate) last_commit_us: AtomicU64,
    pub(crate) alerts_written: AtomicU64,
    pub(crate) alerts_repeated: AtomicU64,
    pub(crate) alerts_spilled: AtomicU64,
    pub(crate) alerts_dropped: AtomicU64,
    pub(crate) processes_written: AtomicU64,
    pub(crate) processes_dropped: AtomicU64,
    pub(crate) segments_written: AtomicU64,
    pub(crate) segments_dropped: AtomicU64,
    pub(crate) rulesets_written: AtomicU64,
    pub(crate) losses_written: AtomicU64,
}

pub(crate) fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}

impl Counters {
    /// Adds what a commit wrote.
    pub(crate) fn add_commit(&self, tally: &Tally, took_us: u64) {
        add(&self.commits, u64::from(*tally != Tally::default()));
        self.last_commit_us.store(took_us, Ordering::Relaxed);
        add(&self.alerts_written, tally.alerts);
        add(&self.alerts_repeated, tally.alerts_before);
        add(&self.processes_written, tally.processes);
        add(&self.segments_written, tally.segments);
        add(&self.rulesets_written, tally.rulesets);
        add(&self.losses_written, tally.losses);
    }

    /// The counters as they stand; what waits is not known here.
    pub(crate) fn read(&self) -> WriterStats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        WriterStats {
            commits: get(&self.commits),
            last_commit_us: get(&self.last_commit_us),
            alerts_written: get(&self.alerts_written),
            alerts_repeated: get(&self.alerts_repeated),
            alerts_spilled: get(&self.alerts_spilled),
            alerts_dropped: get(&self.alerts_dropped),
            processes_written: get(&self.processes_written),
            processes_dropped: get(&self.processes_dropped),
            segments_written: get(&self.segments_written),
            segments_dropped: get(&self.segments_dropped),
            rulesets_written: get(&self.rulesets_written),
            losses_written: get(&self.losses_written),
            ..WriterStats::default()
        }
    }
}
