//! [`Source`]: the door through which records come in, be it the kernel, a recording or a made-up stream. A source is
//! blocking and belongs to one thread.

use std::time::Duration;

use crate::{Interest, Loss, RawBatch};

/// Where records come from.
pub trait Source {
    /// What this source is, and the state of its hooks.
    fn describe(&self) -> SourceInfo;

    /// Adds records to `batch`, waiting at most `wait` for the first of them.
    fn fill(&mut self, batch: &mut RawBatch, wait: Duration) -> Result<Fill, SourceError>;

    /// Sends from now on at least what `interest` names.
    fn set_interest(&mut self, interest: &Interest) -> Result<(), SourceError>;

    /// A cgroup that is no container's: what is wanted of containers only need not be sent of its processes. For one who asks the
    /// kernel; others have nothing to leave out.
    fn not_a_container(&mut self, _cgroup: u64) {}

    /// Appends what was lost since the last call, as far as it is known. What goes on may be held back for a moment, so that it is
    /// one loss, and what no hole in the records tells of may be known a moment later.
    fn losses(&mut self, out: &mut Vec<Loss>);

    /// Appends everything that was lost and has not been told: there will be no later call.
    fn last_losses(&mut self, out: &mut Vec<Loss>) {
        self.losses(out);
    }
}

/// How a call of [`Source::fill`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// There are records in the batch.
    Records,
    /// Nothing came in time; ask again.
    Idle,
    /// There will never be more.
    End,
}

/// What a source says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceInfo {
    /// A name for people: `kernel probe`, a file name.
    pub name: String,
    /// Its kind.
    pub kind: SourceKind,
    /// Its hooks; empty for anything but a live sensor.
    pub hooks: Vec<HookStatus>,
}

/// Kinds of sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// The kernel, now.
    Live,
    /// A recording.
    Recording,
    /// Made up, by a test or a demonstration.
    Synthetic,
}

/// One kernel hook and whether it works here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookStatus {
    /// Its name, e.g. `tp_btf/sched_process_exec`.
    pub name: &'static str,
    /// What it is for, in a few words.
    pub purpose: &'static str,
    /// On, or off and why.
    pub state: HookState,
}

/// Whether a hook is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookState {
    /// Attached.
    On,
    /// Not attached, and the reason.
    Off(String),
}

/// What can go wrong at a source.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The source cannot be read any more.
    #[error("cannot read records: {0}")]
    Read(String),
    /// The interest could not be applied; the earlier one is still in force.
    #[error("cannot change what the sensor sends: {0}")]
    Interest(String),
}
