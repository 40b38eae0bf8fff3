//! Counts what did not arrive: by kind, syscall, processor and process from the kernel's own tables, and by the holes in
//! the numbers of each processor's records, which must tell the same.
//!
//! What goes on is told ten times a second, so that a flood is not a flood of losses, too.

use std::collections::HashMap;
use std::time::Duration;

use eyas_ebpf::{Head, Kind, Made, Maker, Unit};
use eyas_event::{BootTime, Loss, LossCause, LossMaker, Lost, LostBy, ProcessKey};

use crate::ring::Watch;

/// How often a loss that goes on is told.
const EVERY: Duration = Duration::from_millis(100);
/// How many processes are told apart for what one processor lost of one kind in one span; the rest is told as a sum.
const TOLD_APART: usize = 8;

/// The account of a running sensor.
pub(crate) struct Account {
    /// The next number due, by processor.
    due: Vec<u64>,
    /// Records that holes say are missing.
    missing: u64,
    received: u64,
    malformed: u64,
    told: Told,
    /// `missing` and `malformed` when the counters were looked at last.
    looked: (u64, u64),
}

/// What [`Account::settle`] has already told.
#[derive(Default)]
struct Told {
    /// All that the kernel counted.
    sum: u64,
    lost: HashMap<(u16, Unit), u64>,
    makers: HashMap<[u64; 2], u64>,
    holes: u64,
    malformed: u64,
    at: BootTime,
    /// When there was something to tell last.
    news: Option<BootTime>,
}

/// The kernel's counters.
pub(crate) struct Sums {
    pub(crate) attempted: u64,
    /// Calls that nobody wants.
    pub(crate) filtered: u64,
    /// What was lost, by processor and kind.
    pub(crate) lost: Vec<[u64; Kind::KERNEL_SLOTS]>,
}

/// The kernel's tables of what was lost, read after the counters: there is at least as much in them.
#[derive(Default)]
pub(crate) struct Tables {
    /// CALL records, by processor and syscall.
    pub(crate) calls: Vec<[u64; Unit::CALL_SLOTS]>,
    pub(crate) makers: Vec<(Maker, Made)>,
}

/// How urgently losses are told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    /// Now and then, while they go on.
    NowAndThen,
    /// At once: nobody asks again.
    AtOnce,
}

impl Sums {
    pub(crate) fn lost(&self) -> u64 {
        self.lost.iter().flatten().sum()
    }
}

impl Account {
    pub(crate) fn new(now: BootTime) -> Self {
        let told = Told { at: now, ..Told::default() };
        Self { due: Vec::new(), missing: 0, received: 0, malformed: 0, told, looked: (0, 0) }
    }

    /// Whether the records that came since the last [`Account::settle`] say that something is missing.
    pub(crate) fn misses_more(&self) -> bool {
        self.looked != (self.missing, self.malformed)
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

    /// Appends what was lost since the last time that something was told, up to `now`. Asks for the tables only when the
    /// counters have grown. Gives the makers that may be taken out of their table, because it is filling and they have
    /// lost nothing since.
    pub(crate) fn settle(
        &mut self,
        sums: &Sums,
        tables: impl FnOnce() -> Option<Tables>,
        now: BootTime,
        telling: Telling,
        out: &mut Vec<Loss>,
    ) -> Vec<Maker> {
        self.looked = (self.missing, self.malformed);
        let lost = sums.lost();
        // A hole is seen only after the kernel has counted what made it, so what exceeds the counters is news.
        let holes = self.missing.saturating_sub(lost + self.malformed);
        let grown = lost != self.told.sum;
        if !grown && self.malformed == self.told.malformed && holes <= self.told.holes {
            self.told.at = now;
            return Vec::new();
        }
        let recent = self.told.news.is_some_and(|at| now.0.saturating_sub(at.0) < EVERY.as_nanos() as u64);
        if recent && telling == Telling::NowAndThen {
            return Vec::new();
        }
        let (from, to) = (self.told.at, now);
        let mut tell = |lost, cause, by, count| {
            if count > 0 {
                out.push(Loss { lost, cause, by, count, from, to });
            }
        };
        let mut idle = Vec::new();
        if grown && let Some(tables) = tables() {
            idle = self.told.records(sums, tables, &mut tell);
            self.told.sum = lost;
        }
        let nobody = LostBy::default();
        tell(Lost::AnyRecords, LossCause::Unreadable, nobody, self.malformed - self.told.malformed);
        self.told.malformed = self.malformed;
        tell(Lost::AnyRecords, LossCause::SequenceHole, nobody, holes.saturating_sub(self.told.holes));
        self.told.holes = self.told.holes.max(holes);
        self.told.at = now;
        self.told.news = Some(now);
        idle
    }
}

impl Told {
    /// Tells what the counters have grown by, each growth by its makers; what none of them accounts for has none.
    fn records(
        &mut self,
        sums: &Sums,
        tables: Tables,
        tell: &mut impl FnMut(Lost, LossCause, LostBy, u64),
    ) -> Vec<Maker> {
        let crowded = tables.makers.len() > Maker::SLOTS as usize / 2;
        let (mut news, mut idle) = (HashMap::<(u16, Unit), Vec<(Maker, Made)>>::new(), Vec::new());
        for (maker, mut made) in tables.makers {
            made.count = made.count.saturating_sub(self.makers.get(&maker.words()).copied().unwrap_or(0));
            if made.count > 0 {
                news.entry((maker.cpu, maker.unit)).or_default().push((maker, made));
            } else if crowded {
                self.makers.remove(&maker.words());
                idle.push(maker);
            }
        }
        for (place, total) in totals(sums, &tables.calls) {
            let told = self.lost.entry(place).or_default();
            let mut left = total.saturating_sub(*told);
            *told += left;
            let (cpu, unit) = place;
            let lost = unit.call().map_or(Lost::Records(unit.0), Lost::Calls);
            let mut makers = news.remove(&place).unwrap_or_default();
            makers.sort_by_key(|(maker, made)| (std::cmp::Reverse(made.count), maker.words()));
            let mut rest = 0;
            for (rank, (maker, made)) in makers.into_iter().enumerate() {
                // What came in while the tables were read is told the next time.
                let count = made.count.min(left);
                left -= count;
                *self.makers.entry(maker.words()).or_default() += count;
                if rank < TOLD_APART {
                    let by = LostBy { cpu: Some(cpu), process: Some(process(&maker, &made)) };
                    tell(lost, LossCause::RingFull, by, count);
                } else {
                    rest += count;
                }
            }
            let by = LostBy { cpu: Some(cpu), process: None };
            tell(lost, LossCause::RingFull, by, rest + left);
        }
        idle
    }
}

/// What was lost so far, by processor and unit.
fn totals<'s>(
    sums: &'s Sums,
    calls: &'s [[u64; Unit::CALL_SLOTS]],
) -> impl Iterator<Item = ((u16, Unit), u64)> + 's {
    let kinds = (0..).zip(&sums.lost).flat_map(|(cpu, lost)| {
        let units = (0..).zip(lost).filter(|(kind, _)| *kind != Kind::Call.number());
        units.map(move |(kind, count)| ((cpu, Unit::of_kind(kind)), *count))
    });
    let calls = (0..).zip(calls).flat_map(|(cpu, lost)| {
        (0..).zip(lost).map(move |(number, count)| ((cpu, Unit::of_call(number)), *count))
    });
    kinds.chain(calls).filter(|(_, count)| *count > 0)
}

fn process(maker: &Maker, made: &Made) -> LossMaker {
    let mut comm = [0; 16];
    for (into, word) in comm.chunks_exact_mut(8).zip(made.comm) {
        into.copy_from_slice(&word.to_le_bytes());
    }
    LossMaker { key: ProcessKey::at(maker.tgid, BootTime(maker.start)), comm }
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

    /// What a kernel holds that has lost something.
    #[derive(Default)]
    struct Kernel {
        lost: [[u64; Kind::KERNEL_SLOTS]; 2],
        calls: [[u64; 4]; 2],
        makers: Vec<(Maker, Made)>,
    }

    const OPEN: u16 = Kind::Open.number();

    impl Kernel {
        /// Loses `count` records of a unit on a processor, made by a process; by one that found no room for 0.
        fn lose(&mut self, cpu: u16, unit: Unit, tgid: u32, count: u64) {
            let kind = unit.call().map_or(unit.0, |call| {
                self.calls[usize::from(cpu)][usize::from(call)] += count;
                Kind::Call.number()
            });
            self.lost[usize::from(cpu)][usize::from(kind)] += count;
            let key = Maker { start: u64::from(tgid) * ProcessKey::TICK_NS, tgid, cpu, unit };
            match self.makers.iter_mut().find(|(maker, _)| *maker == key) {
                _ if tgid == 0 => {}
                Some((_, made)) => made.count += count,
                None => self.makers.push((key, Made { count, comm: [u64::from(b'x'), 0] })),
            }
        }

        fn settle(&self, account: &mut Account, ms: u64, telling: Telling) -> (Vec<Loss>, Vec<Maker>) {
            let mut out = Vec::new();
            let sums = Sums { attempted: 0, filtered: 0, lost: self.lost.to_vec() };
            let wide = |few: &[u64; 4]| {
                let mut calls = [0; Unit::CALL_SLOTS];
                calls[..4].copy_from_slice(few);
                calls
            };
            let tables = || {
                let calls = self.calls.iter().map(wide).collect();
                Some(Tables { calls, makers: self.makers.clone() })
            };
            let idle = account.settle(&sums, tables, BootTime(ms * 1_000_000), telling, &mut out);
            (out, idle)
        }
    }

    /// What, where, by which pid (0: not known), how many.
    fn short(losses: &[Loss]) -> Vec<(Lost, Option<u16>, u32, u64)> {
        let pid = |loss: &Loss| loss.by.process.map_or(0, |process| process.key.pid);
        losses.iter().map(|loss| (loss.lost, loss.by.cpu, pid(loss), loss.count)).collect()
    }

    fn head(cpu: u32, seq: u64) -> Head {
        Head { cpu, seq, ..Head::default() }
    }

    #[test]
    fn a_hole_is_news_until_the_counters_have_been_looked_at() {
        let mut account = Account::new(BootTime(0));
        let saw = |account: &mut Account, seq| account.saw(&Head { seq, ..Head::default() });
        saw(&mut account, 1);
        assert!(!account.misses_more());
        saw(&mut account, 3);
        assert!(account.misses_more());
        let sums = Sums { attempted: 3, filtered: 0, lost: vec![[0; Kind::KERNEL_SLOTS]] };
        account.settle(&sums, || None, BootTime(1), Telling::NowAndThen, &mut Vec::new());
        assert!(!account.misses_more());
        account.saw_malformed();
        assert!(account.misses_more());
    }

    #[test]
    fn a_loss_is_told_once_by_unit_processor_and_process() {
        let (mut account, mut kernel) = (Account::new(BootTime(0)), Kernel::default());
        for (cpu, seq) in [(0, 1), (1, 1), (0, 2), (0, 5)] {
            account.saw(&head(cpu, seq));
        }
        kernel.lose(0, Unit::of_kind(OPEN), 7, 2);
        kernel.lose(1, Unit::of_call(3), 7, 4);
        kernel.lose(1, Unit::of_call(3), 8, 5);
        kernel.lose(1, Unit::of_call(3), 0, 1);
        let (told, _) = kernel.settle(&mut account, 1, Telling::NowAndThen);
        let open = Lost::Records(OPEN);
        assert_eq!(
            short(&told),
            [
                (open, Some(0), 7, 2),
                (Lost::Calls(3), Some(1), 8, 5),
                (Lost::Calls(3), Some(1), 7, 4),
                (Lost::Calls(3), Some(1), 0, 1),
            ]
        );
        assert!(told.iter().all(|loss| loss.cause == LossCause::RingFull && loss.to == BootTime(1_000_000)));
        assert_eq!(told[0].by.process.map(|p| p.name().to_vec()), Some(b"x".to_vec()));
        assert_eq!(kernel.settle(&mut account, 300, Telling::NowAndThen).0, []);
        kernel.lose(0, Unit::of_kind(OPEN), 7, 3);
        let (told, _) = kernel.settle(&mut account, 301, Telling::NowAndThen);
        assert_eq!(short(&told), [(open, Some(0), 7, 3)]);
        assert_eq!(told[0].from, BootTime(300_000_000), "nothing had been lost until then");
    }

    #[test]
    fn what_goes_on_is_told_now_and_then_and_at_the_end() {
        let (mut account, mut kernel) = (Account::new(BootTime(0)), Kernel::default());
        let unit = Unit::of_kind(OPEN);
        let mut told = Vec::new();
        for ms in 0..250 {
            kernel.lose(0, unit, 7, 1);
            told.extend(kernel.settle(&mut account, 1000 + ms, Telling::NowAndThen).0);
        }
        assert_eq!(told.iter().map(|loss| loss.count).collect::<Vec<_>>(), [1, 100, 100]);
        assert!(told.windows(2).all(|pair| pair[0].to == pair[1].from));
        told.extend(kernel.settle(&mut account, 1250, Telling::AtOnce).0);
        assert_eq!(told.iter().map(|loss| loss.count).sum::<u64>(), 250);
    }

    #[test]
    fn the_rest_of_many_processes_is_a_sum_and_idle_ones_make_room() {
        let (mut account, mut kernel) = (Account::new(BootTime(0)), Kernel::default());
        for tgid in 1..=Maker::SLOTS {
            kernel.lose(0, Unit::of_kind(OPEN), tgid, 1);
        }
        let (told, idle) = kernel.settle(&mut account, 1, Telling::AtOnce);
        assert_eq!(told.len(), TOLD_APART + 1);
        assert_eq!(told.iter().map(|loss| loss.count).sum::<u64>(), u64::from(Maker::SLOTS));
        assert!(idle.is_empty());
        kernel.lose(0, Unit::of_kind(OPEN), 9, 1);
        let (told, idle) = kernel.settle(&mut account, 2, Telling::AtOnce);
        assert_eq!(short(&told), [(Lost::Records(OPEN), Some(0), 9, 1)]);
        assert_eq!(idle.len(), Maker::SLOTS as usize - 1);
        // One that is taken out and comes again begins anew.
        kernel.makers.retain(|(maker, _)| !idle.contains(maker));
        kernel.lose(0, Unit::of_kind(OPEN), 3, 2);
        let (told, _) = kernel.settle(&mut account, 3, Telling::AtOnce);
        assert_eq!(short(&told), [(Lost::Records(OPEN), Some(0), 3, 2)]);
    }

    #[test]
    fn a_hole_that_nothing_explains_is_told_as_such() {
        let (mut account, kernel) = (Account::new(BootTime(0)), Kernel::default());
        for seq in [2, 1, 4] {
            account.saw(&head(0, seq));
        }
        let (told, _) = kernel.settle(&mut account, 1, Telling::NowAndThen);
        assert_eq!(short(&told), [(Lost::AnyRecords, None, 0, 1)]);
        assert_eq!(told[0].cause, LossCause::SequenceHole);
        assert_eq!(kernel.settle(&mut account, 200, Telling::NowAndThen).0, []);
        account.saw_malformed();
        let (told, _) = kernel.settle(&mut account, 300, Telling::NowAndThen);
        assert_eq!((told.len(), told[0].cause, told[0].count), (1, LossCause::Unreadable, 1));
    }
}
