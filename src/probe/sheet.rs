//! What the capability sheet says of the programs: which hook carries which event, and what each program costs. The kernel
//! counts runs and their time only while somebody asks it to, since counting itself takes time.

use std::os::fd::OwnedFd;
use std::time::Duration;

use aya::sys::{Stats, enable_stats};
use eyas_event::EventType;

use crate::error::one_line;
use crate::hooks::{Entry, HOOKS};
use crate::probe::Probe;

/// While it lives the kernel counts the runs of all programs, ours and others.
#[derive(Debug)]
pub struct CountingRuns {
    _held: OwnedFd,
}

impl CountingRuns {
    /// Begins to count; the kernel wants `CAP_SYS_ADMIN` for it (Linux: `bpf_enable_stats` in `kernel/bpf/syscall.c`).
    pub fn begin() -> Result<Self, String> {
        enable_stats(Stats::RunTime).map(|held| Self { _held: held }).map_err(|error| one_line(&error))
    }
}

/// What one program has cost since the kernel counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramCost {
    /// Its function in the object.
    pub name: String,
    /// How often it ran. What a program runs that it jumps to counts as its own.
    pub runs: u64,
    /// For how long, all runs together.
    pub time: Duration,
}

impl Probe {
    /// What each loaded program has cost so far, by name; a program whose figures the kernel does not give is left out.
    pub fn costs(&self) -> Vec<ProgramCost> {
        let infos = self.programs().filter_map(|(name, program)| Some((name, program.info().ok()?)));
        let mut costs: Vec<_> = infos
            .map(|(name, info)| ProgramCost {
                name: name.to_owned(),
                runs: info.run_count(),
                time: info.run_time(),
            })
            .collect();
        costs.sort_by(|a, b| a.name.cmp(&b.name));
        costs
    }
}

/// Names and purposes of all hooks, also where the sensor does not start.
pub fn known_hooks() -> impl Iterator<Item = (&'static str, &'static str)> {
    HOOKS.iter().map(|hook| (hook.name, hook.purpose))
}

/// The hooks that tell of what `io_uring` does: all of them are on, or none.
pub fn uring_hooks() -> impl Iterator<Item = &'static str> {
    HOOKS.iter().filter(|hook| hook.entry == Entry::Uring).map(|hook| hook.name)
}

/// The hook that tells of events of this type; nothing where none does.
pub fn hook_of(event: EventType) -> Option<&'static str> {
    let program = match event {
        _ if !event.is_provided() => return None,
        EventType::EXECVE | EventType::EXECVEAT => "on_exec",
        EventType::CLONE | EventType::CLONE3 | EventType::FORK | EventType::VFORK => "on_fork",
        EventType::PROCEXIT => "on_exit",
        EventType::CONNECT => "on_connect",
        _ if event.is_open_family() => "on_open",
        _ => "on_call",
    };
    HOOKS.iter().find(|hook| hook.program == program).map(|hook| hook.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_that_is_sent_has_a_hook() {
        for event in EventType::all() {
            assert_eq!(hook_of(event).is_some(), event.is_provided(), "{}", event.name());
        }
    }
}
