//! What was lost, in words: how much of which kind, by which processes, and which rules were blind meanwhile. The console,
//! the headless run and the doctor say the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use eyas_ebpf::{CALLS, Kind};
use eyas_event::text::escape;
use eyas_event::{BlindRules, Loss, Lost};

/// How many kinds, processes and rules are named; the others are a number.
const NAMED: usize = 5;
/// In place of a kind that nobody knows.
const UNKNOWN: &str = "not known";

/// Losses, added up.
#[derive(Clone, Debug, Default)]
pub(crate) struct LossSum {
    /// How many records, as far as that is known.
    pub(crate) count: u64,
    kinds: BTreeMap<&'static str, u64>,
    cpus: BTreeSet<u16>,
    /// By name and pid; `None` for what is not known.
    makers: BTreeMap<Option<(Vec<u8>, u32)>, u64>,
    blind: BTreeSet<Arc<str>>,
}

impl LossSum {
    /// Adds one that lost records.
    pub(crate) fn add(&mut self, loss: &Loss, blind: &BlindRules) {
        self.count = self.count.saturating_add(loss.count);
        *self.kinds.entry(kind(loss.lost)).or_default() += loss.count;
        self.cpus.extend(loss.by.cpu);
        let maker = loss.by.process.map(|maker| (maker.name().to_vec(), maker.key.pid));
        *self.makers.entry(maker).or_default() += loss.count;
        self.blind.extend(blind.iter().flat_map(|rules| rules.iter().cloned()));
    }

    /// What more there is to say of it: kinds, makers, blind rules. Names of processes and rules are escaped.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut out = Vec::new();
        let known = self.kinds.keys().any(|kind| *kind != UNKNOWN);
        if known {
            let cpus: Vec<String> = self.cpus.iter().map(u16::to_string).collect();
            let on =
                if cpus.is_empty() { String::new() } else { format!("; on processor {}", cpus.join(", ")) };
            let kinds = self.kinds.iter().map(|(kind, n)| ((*kind).to_owned(), *n));
            out.push(format!("of these: {}{on}", largest(kinds)));
        }
        if self.makers.keys().any(Option::is_some) {
            let makers = self.makers.iter().map(|(maker, n)| match maker {
                Some((name, pid)) => (format!("{} ({pid})", escape(name)), *n),
                None => ("others".to_owned(), *n),
            });
            out.push(format!("made by: {}", largest(makers)));
        }
        if !self.blind.is_empty() {
            let mut names: Vec<_> =
                self.blind.iter().take(NAMED).map(|name| escape(name.as_bytes()).into_owned()).collect();
            match self.blind.len().saturating_sub(NAMED) {
                0 => {}
                more => names.push(format!("{more} more")),
            }
            out.push(format!("rules that were blind: {}", names.join(", ")));
        }
        out
    }
}

/// `name count` of the largest, and the others as a sum.
fn largest(all: impl Iterator<Item = (String, u64)>) -> String {
    let mut all: Vec<_> = all.filter(|(_, n)| *n > 0).collect();
    all.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let rest = all.split_off(all.len().min(NAMED));
    let mut words: Vec<_> = all.into_iter().map(|(name, n)| format!("{name} {n}")).collect();
    if !rest.is_empty() {
        words.push(format!("{} more {}", rest.len(), rest.iter().map(|(_, n)| n).sum::<u64>()));
    }
    words.join(", ")
}

/// A name for what was lost.
fn kind(lost: Lost) -> &'static str {
    match lost {
        Lost::Records(kind) => Kind::from_number(kind).map_or("of a newer kind", Kind::name),
        Lost::Calls(number) => {
            CALLS.iter().find(|call| call.number == u64::from(number)).map_or("call", |call| call.name)
        }
        Lost::AnyRecords => UNKNOWN,
        Lost::Alerts => "alert",
        Lost::Recording => "recording",
    }
}

#[cfg(test)]
mod tests {
    use eyas_event::{BootTime, LossCause, LossMaker, LostBy, ProcessKey};

    use super::*;

    #[test]
    fn what_was_lost_is_said_by_kind_maker_and_rule() {
        let mut sum = LossSum::default();
        let mut comm = [0; 16];
        comm[..4].copy_from_slice(b"a\x1b[m");
        let maker = LossMaker { key: ProcessKey { pid: 7, start: 1 }, comm };
        let blind: BlindRules = Some(["A".into(), "B".into()].into());
        for (lost, process, count) in [
            (Lost::Records(Kind::Open.number()), Some(maker), 5),
            (Lost::Calls(264), None, 2),
            (Lost::Calls(264), Some(maker), 1),
        ] {
            let by = LostBy { cpu: Some(1), process };
            let (from, to) = (BootTime(1), BootTime(2));
            sum.add(&Loss { lost, cause: LossCause::RingFull, by, count, from, to }, &blind);
        }
        assert_eq!(sum.count, 8);
        let lines = sum.lines();
        assert_eq!(lines[0], "of these: open 5, renameat 3; on processor 1");
        assert!(lines[1].starts_with("made by: a") && lines[1].ends_with("[m (7) 6, others 2"), "{lines:?}");
        assert!(!lines[1].contains('\x1b'));
        assert_eq!(lines[2], "rules that were blind: A, B");
        assert!(LossSum::default().lines().is_empty());
    }
}
