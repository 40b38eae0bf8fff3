//! [`Pulse`]: a picture of the running pipeline, swapped in a few times a second. Latest wins: a screen needs now.

use std::sync::Arc;

use arc_swap::ArcSwap;
use eyas_event::{RulesetHash, SourceInfo, WallTime};

/// Where the newest pulse is.
pub type PulseCell = Arc<ArcSwap<Pulse>>;

/// What the pipeline is doing.
#[derive(Clone, Debug, Default)]
pub struct Pulse {
    /// The node that the records come from.
    pub node: Arc<str>,
    /// The source and its hooks; `None` before the first batch.
    pub source: Option<SourceInfo>,
    /// Events in the last second.
    pub events_per_s: u64,
    /// Events since the start.
    pub events: u64,
    /// Alerts since the start.
    pub alerts: u64,
    /// Records known to be lost since the start.
    pub lost: u64,
    /// Time of the newest record.
    pub last_record: WallTime,
    /// The ruleset in force.
    pub ruleset: Option<RulesetHash>,
    /// How many of its rules are enabled.
    pub rules: u32,
    /// The source has come to its end.
    pub ended: bool,
    /// Why the pipeline stopped before its time.
    pub failed: Option<String>,
}
