//! How processes come and go: sched_process_fork and sched_process_exit. Threads are left out.

use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use eyas_ebpf::{ExitFixed, ForkFixed, Head, HeadFlags, Kind};

use super::read::{Typed, follow, kernel, load, off};
use super::ring::{Slot, scratch, send};
use super::task;

const FIXED: usize = Head::SIZE;

/// `SIGNAL_GROUP_EXIT`: the whole process ends with the code kept for it (Linux: include/linux/sched/signal.h).
const SIGNAL_GROUP_EXIT: u32 = 4;

/// tp_btf/sched_process_fork: (parent, child), run by the parent.
#[btf_tracepoint(function = "sched_process_fork")]
pub fn on_fork(ctx: BtfTracePointContext) -> i32 {
    let child: Typed = ctx.arg(1);
    let tgid: u32 = load(child, off!(task_tgid));
    if load::<u32>(child, off!(task_pid)) != tgid {
        return 0;
    }
    let task = task::current();
    if !task::is_reported(task) {
        return 0;
    }
    let Some(scratch) = scratch(Slot::Fork) else { return 0 };
    task::fill_head(scratch, task, HeadFlags(0));
    // SAFETY: the scratch is a checked map value with room for both fixed parts.
    let fixed = unsafe { &mut *scratch.cast::<u8>().add(FIXED).cast::<ForkFixed>() };
    let child = child as u64;
    let ids = task::ids(child);
    let (ppid, parent_start) = task::parent(child);
    fixed.tgid = tgid;
    fixed.vpid = ids.vpid;
    fixed.pidns = ids.pidns;
    fixed.ppid = ppid;
    fixed.start = kernel(child + off!(task_start));
    fixed.parent_start = parent_start;
    fixed.cgroup = task::cgroup_id(child);
    (fixed.pgid, fixed.sid) = (ids.pgid, ids.sid);
    (fixed.vpgid, fixed.vsid) = (ids.vpgid, ids.vsid);
    fixed.comm = kernel(child + off!(task_comm));
    send(scratch, Kind::Fork, (Head::SIZE + ForkFixed::SIZE) as u64);
    0
}

/// tp_btf/sched_process_exit: (task), run by the task itself, once a thread.
#[btf_tracepoint(function = "sched_process_exit")]
pub fn on_exit(ctx: BtfTracePointContext) -> i32 {
    let task: Typed = ctx.arg(0);
    let signal = follow!(task, task_signal);
    // Already counted down for this thread: 0 says that it is the last one.
    if load::<u32>(signal, off!(signal_live)) != 0 || !task::is_reported(task) {
        return 0;
    }
    let Some(scratch) = scratch(Slot::Exit) else { return 0 };
    task::fill_head(scratch, task, HeadFlags(0));
    // SAFETY: the scratch is a checked map value with room for both fixed parts.
    let fixed = unsafe { &mut *scratch.cast::<u8>().add(FIXED).cast::<ExitFixed>() };
    fixed.status = if load::<u32>(signal, off!(signal_flags)) & SIGNAL_GROUP_EXIT != 0 {
        load(signal, off!(signal_exit_code))
    } else {
        load(follow!(task, task_leader), off!(task_exit_code))
    };
    fixed.pad = 0;
    send(scratch, Kind::Exit, (Head::SIZE + ExitFixed::SIZE) as u64);
    0
}
