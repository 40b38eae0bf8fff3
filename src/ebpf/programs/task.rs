//! What a task tells of itself: the head of a record, its pids, its parent, its descriptors; and whether it is to be
//! reported at all.

use aya_ebpf::bindings::bpf_pidns_info;
use aya_ebpf::helpers::generated::{
    bpf_get_current_cgroup_id, bpf_get_current_task, bpf_get_current_task_btf, bpf_get_ns_current_pid_tgid,
    bpf_get_smp_processor_id, bpf_ktime_get_boot_ns,
};
use eyas_ebpf::value::{ONLY_PIDNS, SELF_NS_INO, SELF_TGID};
use eyas_ebpf::{Head, HeadFlags};

use super::read::{Typed, constant, follow, has, kernel, member, off, value};
use super::ring::Scratch;

/// Device of the pid namespace that the sensor's own process is counted in.
#[unsafe(no_mangle)]
static SELF_NS_DEV: u64 = 0;

/// Namespaces are nested at most this deep (Linux: `MAX_PID_NS_LEVEL`).
const LEVELS: u64 = 32;

/// The running task.
#[inline(always)]
pub fn current() -> Typed {
    // SAFETY: the helper has no requirements; there is always a current task.
    unsafe {
        if cfg!(feature = "older") {
            bpf_get_current_task() as Typed
        } else {
            bpf_get_current_task_btf() as Typed
        }
    }
}

/// Whether what the running task does is to be reported.
#[inline(always)]
pub fn is_reported(task: Typed) -> bool {
    let own = value::<SELF_TGID>() as u32;
    if own != 0 && own == own_tgid(task) {
        return false;
    }
    let only = value::<ONLY_PIDNS>() as u32;
    only == 0 || is_within(follow!(task, task_thread_pid) as u64, only)
}

/// The running process's pid, as the sensor's own pid namespace counts it; 0 in another.
#[inline(always)]
fn own_tgid(task: Typed) -> u32 {
    let ino = value::<SELF_NS_INO>() & 0xffff_ffff;
    // SAFETY: the helpers fill `ids` or say that they did not.
    unsafe {
        if ino == 0 {
            return member!(task, task_tgid);
        }
        let mut ids = bpf_pidns_info { pid: 0, tgid: 0 };
        let size = size_of::<bpf_pidns_info>() as u32;
        if bpf_get_ns_current_pid_tgid(constant!(SELF_NS_DEV), ino, &raw mut ids, size) != 0 {
            return 0;
        }
        ids.tgid
    }
}

/// Whether a `struct pid` lives in the namespace with this inode number or below it.
#[inline(always)]
fn is_within(pid: u64, inum: u32) -> bool {
    let level = u64::from(kernel::<u32>(pid + off!(pid_level)));
    let mut at = 0;
    while at < LEVELS {
        if at > level {
            return false;
        }
        if kernel::<u32>(namespace(pid, at) + off!(pidns_inum)) == inum {
            return true;
        }
        at += 1;
    }
    false
}

#[inline(always)]
fn upid(pid: u64, level: u64) -> u64 {
    pid + off!(pid_numbers) + level * off!(upid_size)
}

#[inline(always)]
fn namespace(pid: u64, level: u64) -> u64 {
    kernel(upid(pid, level) + off!(upid_ns))
}

/// Fills the head for the running task; length, kind and number come when it is sent.
#[inline(always)]
pub fn fill_head(scratch: *mut Scratch, task: Typed, flags: HeadFlags) {
    let cred = follow!(task, task_cred);
    let leader = follow!(task, task_leader);
    // SAFETY: the scratch is a checked map value with room for a Head at its front; the helpers have no requirements.
    unsafe {
        let head = &mut *scratch.cast::<Head>();
        head.flags = flags;
        head.cpu = bpf_get_smp_processor_id();
        head.tid = member!(task, task_pid);
        head.tgid = member!(task, task_tgid);
        head.uid = member!(cred, cred_euid);
        head.gid = member!(cred, cred_egid);
        head.pad = 0;
        head.time = bpf_ktime_get_boot_ns();
        head.start = member!(leader, task_start);
        head.cgroup = bpf_get_current_cgroup_id();
    }
}

/// The pids of a process beside its tgid.
pub struct Ids {
    pub pgid: u32,
    pub sid: u32,
    pub vpid: u32,
    pub vpgid: u32,
    pub vsid: u32,
    pub pidns: u32,
}

/// Reads them. `task` is any address of a `task_struct`.
#[inline(always)]
pub fn ids(task: u64) -> Ids {
    const PGID: u64 = 2;
    const SID: u64 = 3;
    let pid: u64 = kernel(task + off!(task_thread_pid));
    let level = u64::from(kernel::<u32>(pid + off!(pid_level))) & (LEVELS - 1);
    let ns = namespace(pid, level);
    let pids = kernel::<u64>(task + off!(task_signal)) + off!(signal_pids);
    let (group, session) = (kernel::<u64>(pids + PGID * 8), kernel::<u64>(pids + SID * 8));
    Ids {
        pgid: kernel(upid(group, 0) + off!(upid_nr)),
        sid: kernel(upid(session, 0) + off!(upid_nr)),
        vpid: kernel(upid(pid, level) + off!(upid_nr)),
        vpgid: number_in(group, level, ns),
        vsid: number_in(session, level, ns),
        pidns: kernel(ns + off!(pidns_inum)),
    }
}

/// When the first process of a task's own pid namespace started.
#[inline(always)]
pub fn namespace_start(task: u64) -> u64 {
    let pid: u64 = kernel(task + off!(task_thread_pid));
    let level = u64::from(kernel::<u32>(pid + off!(pid_level))) & (LEVELS - 1);
    kernel(kernel::<u64>(namespace(pid, level) + off!(pidns_reaper)) + off!(task_start))
}

/// The number of a `struct pid` in a namespace at `level`; 0 when it is not visible there.
#[inline(always)]
fn number_in(pid: u64, level: u64, ns: u64) -> u32 {
    if u64::from(kernel::<u32>(pid + off!(pid_level))) < level || namespace(pid, level) != ns {
        return 0;
    }
    kernel(upid(pid, level) + off!(upid_nr))
}

/// The parent process of a task: its pid and when it started.
#[inline(always)]
pub fn parent(task: u64) -> (u32, u64) {
    let parent: u64 = kernel(task + off!(task_parent));
    (kernel(parent + off!(task_tgid)), leader_start(parent))
}

/// When a task's process started.
#[inline(always)]
pub fn leader_start(task: u64) -> u64 {
    kernel(kernel::<u64>(task + off!(task_leader)) + off!(task_start))
}

/// The v2 cgroup id of any task.
#[inline(always)]
pub fn cgroup_id(task: u64) -> u64 {
    let set: u64 = kernel(task + off!(task_cgroups));
    let group: u64 = kernel(set + off!(css_set_default));
    kernel(kernel::<u64>(group + off!(cgroup_node)) + off!(node_id))
}

/// The sum for [`eyas_ebpf::ExecMore::v1_groups`].
#[inline(always)]
pub fn v1_groups(task: u64) -> u64 {
    /// Linux has some fourteen controllers, and named hierarchies beside them.
    const HIERARCHIES: u32 = 24;
    if !(has!(css_set_links)
        && has!(link_node)
        && has!(link_group)
        && has!(cgroup_root)
        && has!(hierarchy_id))
    {
        return 0;
    }
    // A list of the set's cgroups, one in each hierarchy, whose last leads back to the set.
    let first: u64 = kernel::<u64>(task + off!(task_cgroups)) + off!(css_set_links);
    let mut at: u64 = kernel(first);
    let mut sum = 1_u64;
    for _ in 0..HIERARCHIES {
        if at == first {
            return sum;
        }
        let cgroup: u64 = kernel(at.wrapping_sub(off!(link_node)) + off!(link_group));
        let hierarchy = kernel(kernel::<u64>(cgroup + off!(cgroup_root)) + off!(hierarchy_id));
        let id = kernel(kernel::<u64>(cgroup + off!(cgroup_node)) + off!(node_id));
        sum = sum.wrapping_add(eyas_ebpf::v1_group(hierarchy, id));
        at = kernel(at);
    }
    0
}

/// The `struct file` behind a descriptor of the running task; 0 when there is none.
#[inline(always)]
pub fn file(task: Typed, fd: i64) -> u64 {
    let table = follow!(task, task_files, files_fdt);
    let max: u32 = member!(table, fdt_max);
    if fd < 0 || fd >= i64::from(max) {
        return 0;
    }
    kernel(member!(table, fdt_fd, u64) + fd as u64 * 8)
}
