//! [`Probe`]: the live source of records.

use std::time::{Duration, Instant};

use eyas_event::{
    BootTime, Fill, HookStatus, Interest, Loss, RawBatch, Source, SourceError, SourceInfo, SourceKind,
};

use crate::calls;
use crate::error::{ProbeError, one_line};
use crate::leftover::Leftover;
use crate::load::{Calls, Loaded, load};
use crate::losses::{Account, Sums, Telling};
use crate::ring::Reader;

/// How the sensor runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeOptions {
    /// Size of the ring between kernel and eyas: a power of two. It bounds how long eyas may be busy elsewhere; an
    /// open takes about 200 bytes.
    pub ring_bytes: u32,
    /// Report only from the pid namespace with this inode number, and those below it.
    pub only_pidns: Option<u32>,
    /// Whom never to report.
    pub skip: Skip,
    /// How the programs read the kernel's memory.
    pub reads: Reads,
}

/// Whom the sensor never reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// The process that opened it: otherwise each look at what happened would make something happen.
    Own,
    /// Nobody; for recordings that are limited otherwise.
    Nobody,
}

/// How the programs read the kernel's memory where a type does not lead them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// By plain loads where the kernel accepts that of all programs, else by helper calls.
    Cheapest,
    /// By helper calls, as before Linux 6.17; for tests.
    Helper,
}

/// How the programs do their work on this kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Means {
    /// They read the kernel's memory by plain loads, which the kernel accepts since Linux 6.17, and not by calls.
    pub plain_loads: bool,
    /// The kernel runs loops for programs (`bpf_loop`, Linux 5.17).
    pub loops: bool,
    /// It hands out the running task as a pointer with a type (`bpf_get_current_task_btf`, Linux 5.11).
    pub typed_task: bool,
}

impl Means {
    /// Whether nothing is missing without which only the programs for older kernels work.
    pub fn is_recent(self) -> bool {
        self.loops && self.typed_task
    }
}

impl Default for ProbeOptions {
    fn default() -> Self {
        Self { ring_bytes: 16 << 20, only_pidns: None, skip: Skip::Own, reads: Reads::Cheapest }
    }
}

/// Counts since the sensor was opened. `attempted` = `received` + `lost` + what still lies in the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Records that the kernel half made.
    pub attempted: u64,
    /// Of them, those that the ring had no room for.
    pub lost: u64,
    /// Calls that nobody wants by the interest for what they ask for or where they happen, so that no record of them was made.
    pub filtered: u64,
    /// Records handed on.
    pub received: u64,
    /// Records that the holes in the numbers say are missing.
    pub missing: u64,
    /// Records left out because they made no sense.
    pub malformed: u64,
}

/// The running sensor. Dropping it, or the end of the process, takes its programs out of the kernel.
pub struct Probe {
    reader: Reader,
    account: Account,
    /// When the kernel's counters were looked at last.
    looked: Instant,
    loaded: Loaded,
}

/// How long the kernel's counters may go unread while the records that come say that none is missing and the ring is emptied: to
/// read them costs as much as to judge several events.
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl Probe {
    /// Loads and attaches the programs.
    pub fn open(options: &ProbeOptions) -> Result<Self, ProbeError> {
        let (ring, loaded) = load(options)?;
        let reader = Reader::new(ring).map_err(|error| ProbeError::Wait(error.into()))?;
        Ok(Self { reader, account: Account::new(boot_now()), looked: Instant::now(), loaded })
    }

    /// The hooks, and whether each is on.
    pub fn hooks(&self) -> &[HookStatus] {
        &self.loaded.hooks
    }

    /// How the programs do their work here.
    pub fn means(&self) -> Means {
        self.loaded.means
    }

    /// Counts since the start.
    pub fn totals(&self) -> Result<Totals, SourceError> {
        let sums = self.sums()?;
        Ok(Totals {
            attempted: sums.attempted,
            lost: sums.lost(),
            filtered: sums.filtered,
            received: self.account.received(),
            missing: self.account.missing(),
            malformed: self.account.malformed(),
        })
    }

    /// The loaded programs by the names of their functions.
    pub(crate) fn programs(&self) -> impl Iterator<Item = (&str, &aya::programs::Program)> {
        self.loaded.ebpf.programs()
    }

    /// The counters of a map that this process holds can always be read; should that fail once, the next call tells.
    fn settle(&mut self, telling: Telling, out: &mut Vec<Loss>) {
        let Ok(sums) = self.sums() else { return };
        self.looked = Instant::now();
        let counters = &mut self.loaded.counters;
        let idle = self.account.settle(&sums, || counters.tables().ok(), boot_now(), telling, out);
        counters.forget(&idle);
    }

    fn sums(&self) -> Result<Sums, SourceError> {
        self.loaded.counters.sums().map_err(|error| SourceError::Read(one_line(&error)))
    }
}

impl Source for Probe {
    fn describe(&self) -> SourceInfo {
        SourceInfo { name: "kernel probe".into(), kind: SourceKind::Live, hooks: self.loaded.hooks.clone() }
    }

    fn fill(&mut self, batch: &mut RawBatch, wait: Duration) -> Result<Fill, SourceError> {
        let deadline = Instant::now() + wait;
        loop {
            let more = self
                .reader
                .wait(deadline)
                .map_err(|error| SourceError::Read(format!("epoll_wait: {error}")))?;
            if self.reader.drain(batch, &mut self.account) {
                return Ok(Fill::Records);
            }
            if !more {
                return Ok(Fill::Idle);
            }
        }
    }

    /// Processes are always told, since every event rests on them, and what changes them; other calls go by the interest,
    /// sockets by their family, calls of the host by whether they are wanted there, openings by the filter.
    fn set_interest(&mut self, interest: &Interest) -> Result<(), SourceError> {
        self.loaded.filter(&interest.opens).map_err(SourceError::Interest)?;
        self.loaded.want_variables(&interest.variables).map_err(SourceError::Interest)?;
        let (numbers, contained) = calls::of(interest);
        let calls = Calls { numbers, contained, domains: interest.domains };
        self.loaded.want(calls).map_err(SourceError::Interest)
    }

    fn not_a_container(&mut self, cgroup: u64) {
        self.loaded.not_a_container(cgroup);
    }

    fn losses(&mut self, out: &mut Vec<Loss>) {
        let suspicious = self.account.misses_more() || self.reader.is_behind();
        if suspicious || self.looked.elapsed() >= LOOK_EVERY {
            self.settle(Telling::NowAndThen, out);
        }
    }

    /// Also what lies in the ring, which nobody will read.
    fn last_losses(&mut self, out: &mut Vec<Loss>) {
        let mut left = Leftover::default();
        self.reader.give_up(boot_now().0, &mut self.account, |head, record| left.add(head, record));
        left.tell(out);
        self.settle(Telling::AtOnce, out);
    }
}

fn boot_now() -> BootTime {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    BootTime(now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It is opened before the first thread starts, and then moved to the one that reads.
    #[test]
    fn the_sensor_can_be_moved_to_another_thread() {
        fn is_send<T: Send>() {}
        is_send::<Probe>();
    }

    #[test]
    fn a_ring_of_an_impossible_size_is_refused() {
        for bytes in [0, 1 << 12, 100_000, 1 << 31] {
            let options = ProbeOptions { ring_bytes: bytes, ..ProbeOptions::default() };
            assert!(matches!(Probe::open(&options), Err(ProbeError::RingSize(size)) if size == bytes));
        }
    }
}
