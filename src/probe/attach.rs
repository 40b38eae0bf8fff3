//! Has the kernel verify the programs, and hangs up what it accepts.
//!
//! A hook that is refused is off, with the kernel's reason, and the others go on.

use std::collections::HashMap;

use aya::Ebpf;
use aya::maps::{MapData, ProgramArray};
use aya::programs::tp_btf::BtfTracePointLink;
use aya::programs::{BtfTracePoint, Program, ProgramError};
use eyas_ebpf::{Bitmap, Family, Offsets, nr};
use eyas_event::{HookState, HookStatus};

use crate::error::{ProbeError, one_line};
use crate::hooks::{Entry, HOOKS, Hook, URING_STRUCTS};

/// The programs on `io_uring`, and whether they hang in the kernel now.
pub(crate) enum Uring {
    /// This kernel does not have or does not take them.
    Off,
    /// They hang as long as these live; none while nobody asks for what they tell.
    On(Vec<BtfTracePointLink>),
}

impl Uring {
    /// What the programs tell.
    const CALLS: [u64; 3] = [nr::OPENAT, nr::OPENAT2, nr::CONNECT];

    /// Hangs them up or takes them down, as these calls are wanted or not.
    pub(crate) fn want(&mut self, ebpf: &mut Ebpf, calls: Bitmap) -> Result<(), String> {
        let Self::On(links) = self else { return Ok(()) };
        let wanted = Self::CALLS.into_iter().any(|number| calls.has(number));
        if !wanted {
            links.clear();
        } else if links.is_empty() {
            *links = hang_uring(ebpf)?;
        }
        Ok(())
    }
}

/// Attaches the programs on `io_uring`, which are loaded.
fn hang_uring(ebpf: &mut Ebpf) -> Result<Vec<BtfTracePointLink>, String> {
    let words = |error: ProgramError| one_line(&error);
    let uring = HOOKS.iter().filter(|hook| hook.entry == Entry::Uring);
    uring
        .map(|hook| {
            let program = tracepoint(ebpf, hook)?;
            let link = program.attach().map_err(words)?;
            program.take_link(link).map_err(words)
        })
        .collect()
}

/// Why this kernel can have no hooks on `io_uring`.
pub(crate) fn lacks_uring(offsets: &Offsets) -> Option<String> {
    offsets.absent(URING_STRUCTS).map(|member| format!("the kernel has no {member}"))
}

/// Attaches every hook that the kernel accepts; with `strict` the first that it refuses is an error.
pub(crate) fn attach_all(
    ebpf: &mut Ebpf,
    types: &aya::Btf,
    families: &mut ProgramArray<MapData>,
    lacks_uring: Option<&str>,
    strict: bool,
) -> Result<(Vec<HookStatus>, Uring), ProbeError> {
    let asked: Vec<_> =
        HOOKS.iter().filter(|hook| hook.entry != Entry::Uring || lacks_uring.is_none()).collect();
    let mut verified = verify_all(ebpf, types, &asked, strict)?;
    let mut hooks = Vec::with_capacity(HOOKS.len());
    for hook in HOOKS {
        let state = match (hook.entry, lacks_uring) {
            (Entry::Uring, Some(reason)) => HookState::Off(reason.to_owned()),
            _ => match verified
                .remove(hook.program)
                .unwrap_or(Ok(()))
                .and_then(|()| attach(ebpf, families, hook))
            {
                Ok(()) => HookState::On,
                Err(reason) if strict => return Err(ProbeError::NoHook { name: hook.name, reason }),
                Err(reason) => HookState::Off(reason),
            },
        };
        hooks.push(HookStatus { name: hook.name, purpose: hook.purpose, state });
    }
    let dispatcher = HOOKS.iter().position(|hook| hook.entry == Entry::Dispatcher);
    if let Some(dispatcher) = dispatcher
        && matches!(hooks[dispatcher].state, HookState::Off(_))
    {
        for (status, hook) in hooks.iter_mut().zip(HOOKS) {
            if matches!((hook.entry, &status.state), (Entry::Family(_), HookState::On)) {
                status.state = HookState::Off(format!("{} is off", HOOKS[dispatcher].name));
            }
        }
    }
    let uring = attach_uring(ebpf, &mut hooks);
    if let Some(HookStatus { name, state: HookState::Off(reason), .. }) = hooks.first()
        && hooks.iter().all(|hook| matches!(hook.state, HookState::Off(_)))
    {
        return Err(ProbeError::NoHook { name, reason: reason.clone() });
    }
    Ok((hooks, uring))
}

/// Attaches the programs on `io_uring`, if all of them are loaded: each needs the others.
fn attach_uring(ebpf: &mut Ebpf, hooks: &mut [HookStatus]) -> Uring {
    let is_off = |status: &HookStatus| matches!(status.state, HookState::Off(_));
    let lacking = hooks.iter().zip(HOOKS).find(|(status, hook)| hook.entry == Entry::Uring && is_off(status));
    let why = match lacking {
        Some((status, _)) => format!("{} is off", status.name),
        None => match hang_uring(ebpf) {
            Ok(links) => return Uring::On(links),
            Err(why) => why,
        },
    };
    for (status, _) in hooks.iter_mut().zip(HOOKS).filter(|(_, hook)| hook.entry == Entry::Uring) {
        if status.state == HookState::On {
            status.state = HookState::Off(why.clone());
        }
    }
    Uring::Off
}

/// Has the kernel verify the programs of these hooks, side by side, since that is most of what a start takes; what it says, by
/// program. Where one refusal settles it, the shortest is asked about first.
fn verify_all<'h>(
    ebpf: &mut Ebpf,
    types: &aya::Btf,
    hooks: &[&'h Hook],
    strict: bool,
) -> Result<Verdicts<'h>, ProbeError> {
    const SHORTEST: &str = "on_exit";
    let verify = |program: &mut Program, hook: &Hook| {
        let program: &mut BtfTracePoint =
            program.try_into().map_err(|error: ProgramError| one_line(&error))?;
        let loaded = program.load(hook.tracepoint, types);
        let renamed = RENAMED.iter().find(|(now, _)| loaded.is_err() && *now == hook.tracepoint);
        let loaded = renamed.map_or(loaded, |(_, before)| program.load(before, types));
        loaded.map_err(|error| one_line(&error))
    };
    let mut verdicts = Verdicts::new();
    if strict
        && let Some(hook) = hooks.iter().find(|hook| hook.program == SHORTEST)
        && let Some(program) = ebpf.program_mut(SHORTEST)
    {
        let verdict = verify(program, hook);
        if let Err(reason) = verdict {
            return Err(ProbeError::NoHook { name: hook.name, reason });
        }
        verdicts.insert(SHORTEST, verdict);
    }
    std::thread::scope(|scope| {
        let mut under_way = Vec::new();
        for (name, program) in ebpf.programs_mut() {
            let hook = hooks.iter().find(|hook| hook.program == name && !verdicts.contains_key(name));
            if let Some(hook) = hook {
                under_way.push((hook.program, scope.spawn(|| verify(program, hook))));
            }
        }
        for (name, thread) in under_way {
            let ended = thread.join().unwrap_or_else(|_| Err("the thread that loaded it ended".to_owned()));
            verdicts.insert(name, ended);
        }
    });
    Ok(verdicts)
}

/// Tracepoints that have another name in an older kernel, with the same first arguments: this one's is of Linux 6.0 to 6.2.
const RENAMED: &[(&str, &str)] = &[("io_uring_submit_req", "io_uring_submit_sqe")];

/// What the kernel said of each program.
type Verdicts<'h> = HashMap<&'h str, Result<(), String>>;

/// Hangs a program that is loaded into its place.
fn attach(ebpf: &mut Ebpf, families: &mut ProgramArray<MapData>, hook: &Hook) -> Result<(), String> {
    let program = tracepoint(ebpf, hook)?;
    let words = |error: ProgramError| one_line(&error);
    match hook.entry {
        Entry::Tracepoint | Entry::Dispatcher => program.attach().map(drop).map_err(words),
        Entry::Family(family) => set_family(ebpf, families, family, hook),
        // All of them are, or none.
        Entry::Uring => Ok(()),
    }
}

/// Puts a family's program into its slot, so that the dispatcher reaches it.
fn set_family(
    ebpf: &mut Ebpf,
    families: &mut ProgramArray<MapData>,
    family: Family,
    hook: &Hook,
) -> Result<(), String> {
    let program = tracepoint(ebpf, hook)?;
    let fd = program.fd().map_err(|error| one_line(&error))?;
    families.set(family as u32, fd, 0).map_err(|error| one_line(&error))
}

fn tracepoint<'e>(ebpf: &'e mut Ebpf, hook: &Hook) -> Result<&'e mut BtfTracePoint, String> {
    let missing = || format!("the object has no program {}", hook.program);
    let program = ebpf.program_mut(hook.program).ok_or_else(missing)?;
    program.try_into().map_err(|error: ProgramError| one_line(&error))
}
