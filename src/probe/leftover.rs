//! Records that lay in the ring when eyas was stopped: counted, by kind, processor and process, so that they are a loss that
//! somebody knows of.

use std::collections::HashMap;

use eyas_ebpf::{Body, Head, Maker, Record, Unit};
use eyas_event::{BootTime, Loss, LossCause, LossMaker, Lost, LostBy, ProcessKey};

/// How many makers are told apart; the rest is told as sums of a kind on a processor.
const TOLD_APART: usize = 64;

/// What was left.
#[derive(Default)]
pub(crate) struct Leftover(HashMap<[u64; 2], Span>);

/// So many records, from the first to the last.
#[derive(Clone, Copy)]
struct Span {
    count: u64,
    from: BootTime,
    to: BootTime,
}

impl Span {
    fn and(self, other: Self) -> Self {
        Self { count: self.count + other.count, from: self.from.min(other.from), to: self.to.max(other.to) }
    }
}

impl Leftover {
    /// One more.
    pub(crate) fn add(&mut self, head: &Head, record: &[u8]) {
        let unit = match Record::parse(record) {
            Ok((Record { body: Body::Call(call), .. }, _)) => Unit::of_call(call.fixed.syscall as u16),
            _ => Unit::of_kind(head.kind),
        };
        let at = BootTime(head.time);
        let one = Span { count: 1, from: at, to: at };
        self.0.entry(Maker::of(head, unit).words()).and_modify(|span| *span = span.and(one)).or_insert(one);
    }

    /// Appends it as losses.
    pub(crate) fn tell(self, out: &mut Vec<Loss>) {
        let mut makers: Vec<(Maker, Span)> =
            self.0.into_iter().map(|(words, span)| (Maker::from_words(words), span)).collect();
        makers.sort_by_key(|(maker, span)| (std::cmp::Reverse(span.count), maker.words()));
        let mut rest = HashMap::<(u16, Unit), Span>::new();
        let mut tell = |unit: Unit, by, Span { count, from, to }| {
            let (lost, cause) = (Lost::from_code(unit.0), LossCause::Stopped);
            out.push(Loss { lost, cause, by, count, from, to });
        };
        for (maker, span) in makers.split_off(makers.len().min(TOLD_APART)) {
            rest.entry((maker.cpu, maker.unit)).and_modify(|sum| *sum = sum.and(span)).or_insert(span);
        }
        for (maker, span) in makers {
            // The record does not have the name; who knows the process does.
            let key = ProcessKey::at(maker.tgid, BootTime(maker.start));
            let process = Some(LossMaker { key, ..LossMaker::default() });
            tell(maker.unit, LostBy { cpu: Some(maker.cpu), process }, span);
        }
        for ((cpu, unit), span) in rest {
            tell(unit, LostBy { cpu: Some(cpu), process: None }, span);
        }
    }
}

#[cfg(test)]
mod tests {
    use eyas_ebpf::Kind;

    use super::*;

    #[test]
    fn what_is_left_is_told_by_process_and_the_rest_as_a_sum() {
        let open = Kind::Open.number();
        let mut left = Leftover::default();
        let many = TOLD_APART as u32 + 3;
        for tgid in 1..=many {
            for time in [7, 9].into_iter().take(if tgid == 5 { 2 } else { 1 }) {
                left.add(&Head { kind: open, tgid, time, cpu: 1, ..Head::default() }, &[]);
            }
        }
        let mut told = Vec::new();
        left.tell(&mut told);
        assert_eq!(told.len(), TOLD_APART + 1);
        let (first, last) = (told[0], told[TOLD_APART]);
        assert_eq!((first.count, first.from, first.to), (2, BootTime(7), BootTime(9)));
        assert_eq!(first.by.process.map(|process| process.key.pid), Some(5));
        assert_eq!((last.count, last.by), (3, LostBy { cpu: Some(1), process: None }));
        assert!(told.iter().all(|loss| loss.lost == Lost::Records(open) && loss.cause == LossCause::Stopped));
    }
}
