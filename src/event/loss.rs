//! [`Loss`]: something that eyas should have seen, or kept, and did not. A loss is data: it is stored with its span of
//! time, shown as a gap on the timeline, and counted wherever alerts are counted.

use crate::time::BootTime;

/// What was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lost {
    /// Records of one kind (the kind number of the record layout).
    Records(u16),
    /// Records whose kind is not known: holes in the sequence, or time without a sensor.
    AnyRecords,
    /// Alerts that fired and could not be kept.
    Alerts,
    /// Recorded bytes that were judged and could not be kept for replay; the count is in records.
    Recording,
}

/// Why it was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LossCause {
    /// The ring between kernel and eyas was full.
    RingFull,
    /// A queue inside eyas was full.
    LaneFull,
    /// Nobody was watching: eyas was stopped or killed, and has been started again. The count is 0: unknown.
    NotRunning,
    /// A record could not be read.
    Unreadable,
    /// The recording's size limit was reached and the oldest part was dropped.
    SizeLimit,
    /// The numbers of a processor's records have a hole that nothing else explains.
    SequenceHole,
}

/// One loss, with the span in which it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// What was lost.
    pub lost: Lost,
    /// Why.
    pub cause: LossCause,
    /// How many; 0 when nobody can know.
    pub count: u64,
    /// Begin of the span.
    pub from: BootTime,
    /// End of the span.
    pub to: BootTime,
}

impl LossCause {
    /// Number at rest (store, fact records).
    pub const fn code(self) -> u16 {
        match self {
            Self::RingFull => 1,
            Self::LaneFull => 2,
            Self::NotRunning => 3,
            Self::Unreadable => 4,
            Self::SizeLimit => 5,
            Self::SequenceHole => 6,
        }
    }

    /// The cause with that number.
    pub const fn from_code(code: u16) -> Option<Self> {
        Some(match code {
            1 => Self::RingFull,
            2 => Self::LaneFull,
            3 => Self::NotRunning,
            4 => Self::Unreadable,
            5 => Self::SizeLimit,
            6 => Self::SequenceHole,
            _ => return None,
        })
    }

    /// A few words for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::RingFull => "kernel ring full",
            Self::LaneFull => "queue full",
            Self::NotRunning => "eyas was not running",
            Self::Unreadable => "record could not be read",
            Self::SizeLimit => "recording size limit",
            Self::SequenceHole => "hole in the record numbers",
        }
    }
}

impl Lost {
    /// Number at rest: record kinds as they are, the others above 0xff00.
    pub const fn code(self) -> u16 {
        match self {
            Self::Records(kind) => kind,
            Self::AnyRecords => 0xff01,
            Self::Alerts => 0xff02,
            Self::Recording => 0xff03,
        }
    }

    /// What that number means.
    pub const fn from_code(code: u16) -> Self {
        match code {
            0xff01 => Self::AnyRecords,
            0xff02 => Self::Alerts,
            0xff03 => Self::Recording,
            kind => Self::Records(kind),
        }
    }
}
