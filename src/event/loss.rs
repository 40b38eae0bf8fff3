//! [`Loss`]: something that eyas should have seen, or kept, and did not. A loss is data: it is stored with its span of
//! time, shown as a gap on the timeline, and counted wherever alerts are counted.

use std::sync::Arc;

use crate::process::ProcessKey;
use crate::time::BootTime;

/// What was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lost {
    /// Records of one kind (the kind number of the record layout).
    Records(u16),
    /// Records of one syscall (its x86-64 number) that has no kind of its own.
    Calls(u16),
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
    /// Eyas was stopped before it came to them.
    Stopped,
}

/// Where and by whom that was made which was lost, as far as that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LostBy {
    /// The processor.
    pub cpu: Option<u16>,
    /// The process; `None` also for the rest, when more processes lost something than are told apart.
    pub process: Option<LossMaker>,
}

/// A process that made what was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LossMaker {
    /// Its identity.
    pub key: ProcessKey,
    /// The kernel's short name of it, up to the first NUL.
    pub comm: [u8; 16],
}

impl LossMaker {
    /// Its name.
    pub fn name(&self) -> &[u8] {
        let end = self.comm.iter().position(|byte| *byte == 0).unwrap_or(self.comm.len());
        &self.comm[..end]
    }
}

/// The names of the rules that could have fired for what was lost; `None` when nobody has looked.
pub type BlindRules = Option<Arc<[Arc<str>]>>;

/// One loss, with the span in which it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// What was lost.
    pub lost: Lost,
    /// Why.
    pub cause: LossCause,
    /// Where and by whom.
    pub by: LostBy,
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
            Self::Stopped => 7,
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
            7 => Self::Stopped,
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
            Self::Stopped => "eyas was stopped before it came to them",
        }
    }
}

impl Lost {
    /// Numbers of syscalls at rest are above this.
    const CALLS: u16 = 0x1000;

    /// Number at rest: record kinds as they are, syscalls from 0x1000 on, the others above 0xff00.
    pub const fn code(self) -> u16 {
        match self {
            Self::Records(kind) => kind,
            Self::Calls(number) => Self::CALLS | number & 0x0fff,
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
            call if call & 0xf000 == Self::CALLS => Self::Calls(call & 0x0fff),
            kind => Self::Records(kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_at_rest_mean_what_they_were_made_of() {
        let all = [
            Lost::Records(5),
            Lost::Records(0x105),
            Lost::Calls(0),
            Lost::Calls(438),
            Lost::AnyRecords,
            Lost::Alerts,
            Lost::Recording,
        ];
        for lost in all {
            assert_eq!(Lost::from_code(lost.code()), lost);
        }
    }

    #[test]
    fn a_name_ends_at_its_nul() {
        let comm = *b"flood\0\0\0\0\0\0\0\0\0\0\0";
        assert_eq!(LossMaker { comm, ..LossMaker::default() }.name(), b"flood");
        assert_eq!(LossMaker { comm: [b'x'; 16], ..LossMaker::default() }.name(), [b'x'; 16]);
    }
}
