//! The values that go into a store and come out of it, beside the vocabulary's own [`eyas_event::Alert`],
//! [`eyas_event::Process`] and [`eyas_event::Loss`]. Also the two bit-for-bit turns between unsigned numbers and `SQLite`'s.

use eyas_event::{BlindRules, BootTime, Loss, Priority, RulesetHash, WallTime};

/// Number of a run in its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub i64);

/// Number of a segment in its store; they are read in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(pub i64);

/// Where the records of a run come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    /// From this node's kernel, now. Time between two such runs is time nobody watched.
    Live,
    /// From a recording.
    Recorded,
}

impl RunKind {
    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Live => 1,
            Self::Recorded => 2,
        }
    }

    pub(crate) const fn from_code(code: i64) -> Option<Self> {
        match code {
            1 => Some(Self::Live),
            2 => Some(Self::Recorded),
            _ => None,
        }
    }
}

/// One time that eyas had the store open for writing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunInfo {
    /// Its number.
    pub id: RunId,
    /// Where its records come from.
    pub kind: RunKind,
    /// The node watched.
    pub node: String,
    /// The version of eyas.
    pub version: String,
    /// The writing process.
    pub pid: u32,
    /// Names the boot.
    pub boot_id: String,
    /// Wall time minus boot time, nanoseconds.
    pub wall_offset_ns: i64,
    /// When it began.
    pub started: WallTime,
    /// Its last commit.
    pub last_alive: WallTime,
    /// When it was closed; `None` while it runs, and for ever when it was killed.
    pub ended: Option<WallTime>,
}

/// The texts of one ruleset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesetText {
    /// Its hash, which alerts carry.
    pub hash: RulesetHash,
    /// When it was loaded first.
    pub loaded: WallTime,
    /// Name and text of each file, in the order of loading.
    pub files: Vec<(String, String)>,
}

/// A stretch of the recording on its way into the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Time of the first record.
    pub first: BootTime,
    /// Time of the last record.
    pub last: BootTime,
    /// How many records.
    pub records: u64,
    /// Whether it begins with every process that ran, so that a replay can begin here.
    pub keyframe: bool,
    /// The records as the kernel sent them.
    pub raw: Vec<u8>,
}

/// What is known of a stored segment without reading its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentMeta {
    /// Its number.
    pub id: SegmentId,
    /// The run that recorded it.
    pub run: RunId,
    /// Time of the first record.
    pub first: BootTime,
    /// Time of the last record.
    pub last: BootTime,
    /// The same on the wall.
    pub first_wall: WallTime,
    /// The same on the wall.
    pub last_wall: WallTime,
    /// How many records.
    pub records: u64,
    /// Bytes of the records.
    pub raw_bytes: u64,
    /// Bytes in the store.
    pub stored_bytes: u64,
    /// Whether a replay can begin here.
    pub keyframe: bool,
}

/// A loss with the run that noted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLoss {
    /// The run.
    pub run: RunId,
    /// The loss; its boot times are that run's, 0 when the span began before that boot.
    pub loss: Loss,
    /// The rules that could have fired for it.
    pub blind: BlindRules,
    /// Begin of the span on the wall.
    pub from_wall: WallTime,
    /// End of the span on the wall.
    pub to_wall: WallTime,
}

/// How much of a file was looked at and found sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// All of it.
    Whole,
    /// As much as there was time for.
    Partly,
}

/// Alerts by time and priority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    /// Begin of the first bucket.
    pub from: WallTime,
    /// Width of a bucket, nanoseconds.
    pub width_ns: u64,
    /// For each bucket the alerts of each priority, most urgent first.
    pub buckets: Vec<[u64; Priority::ALL.len()]>,
}

/// An unsigned number as `SQLite` keeps it, bit for bit.
pub(crate) const fn to_sql(n: u64) -> i64 {
    n.cast_signed()
}

/// And back.
pub(crate) const fn from_sql(n: i64) -> u64 {
    n.cast_unsigned()
}

/// An unsigned number as a bound in a comparison, where bits above `SQLite`'s range mean "beyond everything".
pub(crate) fn sql_bound(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
