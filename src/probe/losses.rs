//! Counts what did not arrive: by kind from the kernel's own counters, and by the holes in the numbers of each
//! processor's records, which must tell the same.

use aya::maps::{MapData, MapError, PerCpuArray};
use eyas_ebpf::{Head, Kind};
use eyas_event::{BootTime, Loss, LossCause, Lost};

use crate::load::Counts;
use crate::ring::Watch;

/// The account of a running sensor.
pub(crate) struct Account {
    /// The next number due, by processor.
    due: Vec<u64>,
    /// Records that holes say are missing.
    missing: u64,
    received: u64,
    malformed: u64,
    told: Told,
}

/// What [`Account::settle`] has already told.
#[derive(Default)]
struct Told {
    lost: [u64; Kind::KERNEL_SLOTS],
    holes: u64,
    malformed: u64,
    at: BootTime,
}

/// The kernel's counters, summed over the processors.
pub(crate) struct Sums {
    pub(crate) attempted: u64,
    /// Openings that the filter passed over.
    pub(crate) filtered: u64,
    pub(crate) lost: [u64; Kind::KERNEL_SLOTS],
}

impl Sums {
    pub(crate) fn read(counts: &PerCpuArray<MapData, Counts>) -> Result<Self, MapError> {
        let mut sums = Self { attempted: 0, filtered: 0, lost: [0; Kind::KERNEL_SLOTS] };
        for [attempted, filtered, lost @ ..] in counts.get(&0, 0)?.iter() {
            sums.attempted += attempted;
            sums.filtered += filtered;
            for (sum, one) in sums.lost.iter_mut().zip(lost) {
                *sum += one;
            }
        }
        Ok(sums)
    }
}

impl Account {
    pub(crate) fn new(now: BootTime) -> Self {
        let told = Told { at: now, ..Told::default() };
        Self { due: Vec::new(), missing: 0, received: 0, malformed: 0, told }
    }

    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    pub(crate) fn missing(&self) -> u64 {
        self.missing
    }

    pub(crate) fn malformed(&self) -> u64 {
        self.malformed
    }

    /// Appends what was lost since the last call, which ends `now`.
    pub(crate) fn settle(&mut self, sums: &Sums, now: BootTime, out: &mut Vec<Loss>) {
        let (from, to) = (self.told.at, now);
        let mut tell = |lost, cause, count| {
            if count > 0 {
                out.push(Loss { lost, cause, count, from, to });
            }
        };
        for (kind, (lost, told)) in (0..).zip(sums.lost.iter().zip(&mut self.told.lost)) {
            tell(Lost::Records(kind), LossCause::RingFull, lost.saturating_sub(*told));
            *told = *lost;
        }
        tell(Lost::AnyRecords, LossCause::Unreadable, self.malformed - self.told.malformed);
        self.told.malformed = self.malformed;
        // A hole is seen only after the kernel has counted what made it, so what exceeds the counters is news.
        let explained = sums.lost.iter().sum::<u64>() + self.malformed;
        let holes = self.missing.saturating_sub(explained);
        tell(Lost::AnyRecords, LossCause::SequenceHole, holes.saturating_sub(self.told.holes));
        self.told.holes = self.told.holes.max(holes);
        self.told.at = now;
    }
}

impl Watch for Account {
    fn saw(&mut self, head: &Head) {
        self.received += 1;
        let cpu = head.cpu as usize;
        // No machine has that many processors: the number would be nonsense, and the table must not grow by it.
        if cpu >= 1 << 16 {
            return;
        }
        if cpu >= self.due.len() {
            self.due.resize(cpu + 1, 1);
        }
        let due = &mut self.due[cpu];
        if head.seq >= *due {
            self.missing += head.seq - *due;
            *due = head.seq + 1;
        } else {
            // A record that was overtaken by a later one fills its own hole.
            self.missing = self.missing.saturating_sub(1);
        }
    }

    fn saw_malformed(&mut self) {
        self.malformed += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(cpu: u32, seq: u64) -> Head {
        Head { cpu, seq, ..Head::default() }
    }

    fn settle(
        account: &mut Account,
        lost: [u64; Kind::KERNEL_SLOTS],
        now: u64,
    ) -> Vec<(Lost, LossCause, u64)> {
        let mut out = Vec::new();
        account.settle(&Sums { attempted: 0, filtered: 0, lost }, BootTime(now), &mut out);
        out.iter().map(|loss| (loss.lost, loss.cause, loss.count)).collect()
    }

    #[test]
    fn a_hole_that_the_counters_explain_is_told_once_and_by_kind() {
        let mut account = Account::new(BootTime(0));
        for (cpu, seq) in [(0, 1), (1, 1), (0, 2), (0, 5)] {
            account.saw(&head(cpu, seq));
        }
        let mut lost = [0; Kind::KERNEL_SLOTS];
        lost[usize::from(Kind::Open.number())] = 2;
        let open = Lost::Records(Kind::Open.number());
        assert_eq!(settle(&mut account, lost, 1), [(open, LossCause::RingFull, 2)]);
        assert_eq!(settle(&mut account, lost, 2), []);
        lost[usize::from(Kind::Open.number())] = 3;
        assert_eq!(settle(&mut account, lost, 3), [(open, LossCause::RingFull, 1)]);
    }

    #[test]
    fn a_hole_that_nothing_explains_is_told_as_such() {
        let mut account = Account::new(BootTime(0));
        for seq in [2, 1, 4] {
            account.saw(&head(0, seq));
        }
        let none = [0; Kind::KERNEL_SLOTS];
        assert_eq!(settle(&mut account, none, 1), [(Lost::AnyRecords, LossCause::SequenceHole, 1)]);
        assert_eq!(settle(&mut account, none, 2), []);
        account.saw_malformed();
        assert_eq!(settle(&mut account, none, 3), [(Lost::AnyRecords, LossCause::Unreadable, 1)]);
    }
}
