//! [`Waiting`]: execs whose arguments have not all arrived. The command line of an exec comes in pieces of 4 KiB; the event
//! is handed out when the last one is there, or when it is clear that it will not come. What "clear" means depends on
//! record times and numbers only, so that a replay decides alike.

use std::collections::VecDeque;

use eyas_ebpf::{ARGV_MAX, Argv, ArgvBits, Head};
use eyas_event::{BootTime, EventType, Process, ProcessKey};

/// How many execs may wait at once. Each is a process inside its exec call, so there are hardly more than there are
/// processors; a larger number means that pieces were lost.
const WAITING_MAX: usize = 64;

/// How long one waits, by the times of the records: the pieces follow the exec within microseconds, on one processor.
const WAIT_NS: u64 = 1_000_000_000;

/// An exec that can be handed out: its process has the arguments that arrived.
#[derive(Debug)]
pub(crate) struct Exec {
    pub(crate) head: Head,
    pub(crate) kind: EventType,
    pub(crate) process: Process,
    /// Bytes of the whole command line.
    pub(crate) total: u64,
}

/// Execs in the order in which they came, each with the arguments so far.
#[derive(Debug, Default)]
pub(crate) struct Waiting(VecDeque<(Exec, Vec<u8>)>);

impl Waiting {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lets an exec wait. When there are too many, the oldest has waited in vain and is given back.
    pub(crate) fn push(&mut self, exec: Exec, argv: &[u8]) -> Option<Exec> {
        self.0.push_back((exec, argv.to_vec()));
        if self.0.len() > WAITING_MAX { self.take_oldest() } else { None }
    }

    /// Adds a piece; whether it was the last one of an exec that waits.
    pub(crate) fn add(&mut self, key: ProcessKey, piece: &Argv<'_>) -> bool {
        let Some((_, argv)) = self.0.iter_mut().find(|(exec, _)| exec.process.key == key) else {
            return false;
        };
        // A piece that does not follow the last one means that one was lost: what comes after it is of no use.
        let follows = piece.fixed.offset == argv.len() as u64 && !piece.fixed.bits.has(ArgvBits::FAULT);
        if follows && argv.len() + piece.bytes.len() <= ARGV_MAX {
            argv.extend_from_slice(piece.bytes);
        }
        piece.fixed.bits.has(ArgvBits::LAST)
    }

    /// This process as it will be, if its exec waits; without its arguments.
    pub(crate) fn process(&self, key: ProcessKey) -> Option<&Process> {
        self.0.iter().map(|(exec, _)| &exec.process).find(|p| p.key == key)
    }

    /// Takes out the exec of this process.
    pub(crate) fn take(&mut self, key: ProcessKey) -> Option<Exec> {
        let at = self.0.iter().position(|(exec, _)| exec.process.key == key)?;
        self.0.remove(at).map(whole)
    }

    /// Takes out the one that came first.
    pub(crate) fn take_oldest(&mut self) -> Option<Exec> {
        self.0.pop_front().map(whole)
    }

    /// Takes out the one that came first, if it has waited too long by now.
    pub(crate) fn overdue(&mut self, now: BootTime) -> Option<Exec> {
        let (exec, _) = self.0.front()?;
        if now.0 <= exec.head.time.saturating_add(WAIT_NS) { None } else { self.take_oldest() }
    }
}

fn whole((mut exec, argv): (Exec, Vec<u8>)) -> Exec {
    exec.process.argv = argv.into();
    exec
}
