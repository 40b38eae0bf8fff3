//! What the one who opens a store decides: [`OpenOptions`] for the file and the run, [`WriterOptions`] for the lanes.
//! Plain values; where they take effect is said at each.

use eyas_event::WallTime;

use crate::rows::RunKind;

/// Whether a missing file is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Create {
    /// Makes the file (mode 0600) and its missing directories (0700).
    IfMissing,
    /// A missing file is an error.
    Never,
}

/// How a store is opened for writing, and what its new run is.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// The node that is watched.
    pub node: String,
    /// The wall time of this moment; the store itself reads no wall clock.
    pub wall_now: WallTime,
    /// Wall time minus boot time of the records to come, nanoseconds.
    pub wall_offset_ns: i64,
    /// Names this boot of the node: `/proc/sys/kernel/random/boot_id`, or a recording's.
    pub boot_id: String,
    /// Where the records come from. A live run that follows another one notes the gap between them.
    pub kind: RunKind,
    /// Whether a missing file is made.
    pub create: Create,
}

/// How the writer collects, and how much it may hold.
#[derive(Clone, Debug)]
pub struct WriterOptions {
    /// A commit comes at the latest so long after the first alert or ruleset that waits for it.
    pub flush_ms: u64,
    /// How often an idle writer notes that it is alive; so exact is the begin of a gap after a kill. Segments, and processes that no
    /// alert has named, wait for that: nobody asks for them at once, and few commits are cheap.
    pub heartbeat_ms: u64,
    /// An alert is committed sooner: so long after the commit before it, or at once when that is long past.
    pub alert_flush_ms: u64,
    /// A commit comes at the latest when so many alerts or so many processes wait for it; it takes at most so many processes along,
    /// and is followed at once by another when as many are left.
    pub flush_items: usize,
    /// All compressed segments together; beyond it the oldest go.
    pub segment_limit_bytes: u64,
    /// Alerts that may wait for the writer.
    pub alert_lane: usize,
    /// Processes that may wait for the writer.
    pub process_lane: usize,
    /// Segments that may wait for the writer; about 1 MiB each.
    pub segment_lane: usize,
    /// How long the sender of an alert waits at a full lane before it spills.
    pub alert_wait_ms: u64,
    /// How large the spill file may grow. While one is read back, a second of this size may stand beside it.
    pub spill_limit_bytes: u64,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            flush_ms: 50,
            heartbeat_ms: 1_000,
            alert_flush_ms: 5,
            flush_items: 1_024,
            segment_limit_bytes: 1 << 30,
            alert_lane: 4096,
            process_lane: 4096,
            segment_lane: 32,
            alert_wait_ms: 20,
            spill_limit_bytes: 64 << 20,
        }
    }
}
