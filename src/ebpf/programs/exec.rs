//! sched_process_exec: the new program is in place, its credentials and name too; everything about it is read from the
//! task, and the command line from its memory, where the kernel has just put it.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::{bpf_loop, bpf_probe_read_kernel_str, bpf_probe_read_user};
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use eyas_ebpf::{
    ARGV_CHUNK, ARGV_MAX, ArgvBits, ArgvFixed, ExecFixed, ExecFlags, ExecMore, Head, HeadFlags, Kind, nr,
};

use super::environment;
use super::read::{Typed, has, kernel, off};
use super::ring::{CAP, Context, Marks, PIECE, Scratch, Slot, scratch, send};
use super::task;
use super::walk::{Place, append};

const FIXED: usize = Head::SIZE;
const MORE: usize = Head::SIZE + ExecFixed::SIZE;
const SECTIONS: u64 = (MORE + ExecMore::SIZE) as u64;
const ARGV_SECTION: u64 = (Head::SIZE + ArgvFixed::SIZE) as u64;
const CHUNK: u64 = ARGV_CHUNK as u64;
const MAX: u64 = ARGV_MAX as u64;
/// How many more pieces of a command line are sent without loops of the kernel's.
const OLDER_CHUNKS: u32 = 7;

/// tp_btf/sched_process_exec: (task, old pid, bprm), run by the task itself.
#[btf_tracepoint(function = "sched_process_exec")]
pub fn on_exec(ctx: BtfTracePointContext) -> i32 {
    let task: Typed = ctx.arg(0);
    let bprm: u64 = ctx.arg(2);
    if !task::is_reported(task) {
        return 0;
    }
    let Some(scratch) = scratch(Slot::Exec) else { return 0 };
    task::fill_head(scratch, task, HeadFlags(0));
    // SAFETY: the scratch is a checked map value with room for both fixed parts.
    let fixed = unsafe { &mut *scratch.cast::<u8>().add(FIXED).cast::<ExecFixed>() };
    let task = task as u64;
    fill_identity(fixed, task);

    // execveat is certain only where the kernel had to make up a name for a descriptor; otherwise the entry code of
    // Linux has already put execve's number in place of execveat's (arch/x86/kernel/process_64.c).
    let by_fd = has!(bprm_fdpath) && kernel::<u64>(bprm + off!(bprm_fdpath)) != 0;
    fixed.syscall = if by_fd { nr::EXECVEAT } else { nr::EXECVE } as u32;

    let mm: u64 = kernel(task + off!(task_mm));
    let file: u64 = kernel(mm + off!(mm_exe_file));
    let inode: u64 = kernel(file + off!(file_inode));
    fixed.exe_ino = kernel(inode + off!(inode_ino));
    fixed.exe_ctime = kernel(inode + off!(inode_ctime));
    fixed.exe_mtime = kernel(inode + off!(inode_mtime));
    fixed.exe_mode = kernel(inode + off!(inode_mode));
    fixed.exe_uid = kernel(inode + off!(inode_uid));
    let sb: u64 = kernel(inode + off!(inode_sb));
    fixed.exe_dev = kernel(sb + off!(sb_dev));

    // SAFETY: the scratch is a checked map value with room for it behind the fixed part.
    let more = unsafe { &mut *scratch.cast::<u8>().add(MORE).cast::<ExecMore>() };
    fill_more(more, task, mm);
    more.v1_groups = task::v1_groups(task);

    let place = Place::at(file + off!(file_path));
    // SAFETY: the scratch is a checked map value.
    let flags = unsafe { Marks::none(scratch) };
    flags.add(ExecFlags::MORE.0);
    match layer(inode, sb) {
        Layer::None => {}
        Layer::Upper => flags.add(ExecFlags::EXE_UPPER_LAYER.0),
        Layer::Lower => flags.add(ExecFlags::EXE_LOWER_LAYER.0),
    }
    if is_writable(task, inode, sb) {
        flags.add(ExecFlags::EXE_WRITABLE.0);
    }
    if place.is_memfd() {
        flags.add(ExecFlags::MEMFD.0);
    }
    let exe = append(scratch, SECTIONS, place);
    if exe.deleted {
        flags.add(ExecFlags::DELETED.0);
    }
    if !exe.whole {
        flags.add(ExecFlags::EXE_TRUNCATED.0);
    }
    fixed.exe_len = exe.len as u16;
    let cwd = append(scratch, exe.end, Place::at(kernel::<u64>(task + off!(task_fs)) + off!(fs_pwd)));
    if !cwd.whole {
        flags.add(ExecFlags::CWD_TRUNCATED.0);
    }
    fixed.cwd_len = cwd.len as u16;

    let filename = append_name(scratch, cwd.end, kernel(bprm + off!(bprm_filename)));
    let interp = append_name(scratch, cwd.end + filename, kernel(bprm + off!(bprm_interp)));
    fixed.filename_len = filename as u16;
    fixed.interp_len = interp as u16;
    if filename == PIECE - 1 || interp == PIECE - 1 {
        flags.add(ExecFlags::NAME_TRUNCATED.0);
    }

    let start: u64 = kernel(mm + off!(mm_arg_start));
    let total = kernel::<u64>(mm + off!(mm_arg_end)).wrapping_sub(start);
    fixed.args_total = total;
    let inline = if total > CHUNK { CHUNK } else { total };
    let at = (cwd.end + filename + interp) & (CAP - 1);
    // SAFETY: `at` is below CAP and the read at most 4 KiB, which the scratch has behind CAP.
    let failed = unsafe {
        let into = scratch.cast::<u8>().add(at as usize).cast();
        bpf_probe_read_user(into, inline as u32, start as *const c_void) != 0
    };
    let inline = if failed { 0 } else { inline };
    if failed {
        flags.add(ExecFlags::ARGV_FAULT.0);
    } else if total > CHUNK {
        flags.add(ExecFlags::ARGV_MORE.0);
    }
    fixed.argv_len = inline as u32;
    let env = environment::append(scratch, at + inline, mm);
    if env.is_some() {
        flags.add(ExecFlags::ENV_READ.0);
    }
    let env = env.unwrap_or(0);
    fixed.env_len = env as u16;
    fixed.flags = ExecFlags(flags.get());
    send(scratch, Kind::Exec, at + inline + env);
    if total > CHUNK && !failed {
        send_rest(scratch, start, total);
    }
    0
}

/// Where in an overlay a file lies.
pub enum Layer {
    /// It lies in none.
    None,
    Upper,
    Lower,
}

/// Asks an inode and its file system.
#[inline(always)]
pub fn layer(inode: u64, sb: u64) -> Layer {
    /// `OVERLAYFS_SUPER_MAGIC` (Linux: include/uapi/linux/magic.h).
    const OVERLAY: u64 = 0x794c_7630;
    if kernel::<u64>(sb + off!(sb_magic)) != OVERLAY {
        return Layer::None;
    }
    // The dentry of the upper layer follows the inode in `struct ovl_inode` (Linux 5.8 to 6.18: fs/overlayfs/ovl_entry.h).
    match kernel::<u64>(inode + off!(inode_size)) {
        0 => Layer::Lower,
        _ => Layer::Upper,
    }
}

/// Limits, faults and memory, and when its pid namespace began.
#[inline(always)]
fn fill_more(more: &mut ExecMore, task: u64, mm: u64) {
    /// `RLIMIT_NOFILE` (Linux: include/uapi/asm-generic/resource.h); the soft limit is the first of two numbers.
    const NOFILE: u64 = 7 * 16;
    /// `MM_FILEPAGES`, `MM_ANONPAGES`, `MM_SWAPENTS`, `MM_SHMEMPAGES` (Linux: include/linux/mm_types_task.h).
    const FILE: u64 = 0;
    const ANON: u64 = 1;
    const SWAP: u64 = 2;
    const SHARED: u64 = 3;
    *more = ExecMore { len: ExecMore::SIZE as u32, ..ExecMore::default() };
    more.pidns_start = task::namespace_start(task);
    more.fd_limit = kernel(kernel::<u64>(task + off!(task_signal)) + off!(signal_limits) + NOFILE);
    more.faults_major = kernel(task + off!(task_faults_major));
    more.faults_minor = kernel(task + off!(task_faults_minor));
    more.vm_size_kib = kib(kernel(mm + off!(mm_total)));
    more.vm_rss_kib = kib(pages(mm, FILE) + pages(mm, ANON) + pages(mm, SHARED));
    more.vm_swap_kib = kib(pages(mm, SWAP));
}

/// Pages of 4 KiB as KiB.
#[inline(always)]
fn kib(pages: u64) -> u32 {
    (pages << 2) as u32
}

/// One of the counters of a process's pages: a number each before Linux 6.2, and one a processor since, of which the common
/// part is read, as Falco does.
#[inline(always)]
fn pages(mm: u64, which: u64) -> u64 {
    let counters = mm + off!(mm_rss);
    let count = if !has!(rss_size) && has!(counter_size) {
        kernel::<i64>(counters + which * off!(counter_size) + off!(counter_count))
    } else {
        kernel::<i64>(counters + which * 8)
    };
    if count > 0 { count as u64 } else { 0 }
}

/// Whether the process may write the file, by what Falco's `EXE_WRITABLE` goes: file system, owner, mode, capabilities; no
/// access lists.
#[inline(always)]
fn is_writable(task: u64, inode: u64, sb: u64) -> bool {
    /// `SB_RDONLY` (Linux: include/linux/fs.h).
    const READ_ONLY: u64 = 1;
    /// `S_IMMUTABLE`, alike.
    const IMMUTABLE: u32 = 8;
    /// `CAP_DAC_OVERRIDE` and `CAP_FOWNER` (Linux: include/uapi/linux/capability.h).
    const OVERRIDES: u64 = 1 << 1 | 1 << 3;
    if kernel::<u64>(sb + off!(sb_flags)) & READ_ONLY != 0
        || kernel::<u32>(inode + off!(inode_flags)) & IMMUTABLE != 0
    {
        return false;
    }
    let cred: u64 = kernel(task + off!(task_cred));
    let (uid, gid) = (kernel::<u32>(inode + off!(inode_uid)), kernel::<u32>(inode + off!(inode_gid)));
    let mode = kernel::<u16>(inode + off!(inode_mode));
    kernel::<u32>(cred + off!(cred_fsuid)) == uid
        || kernel::<u32>(cred + off!(cred_fsgid)) == gid && mode & 0o020 != 0
        || mode & 0o002 != 0
        || kernel::<u64>(cred + off!(cred_effective)) & OVERRIDES != 0
}

/// Who it is and whose child.
#[inline(always)]
fn fill_identity(fixed: &mut ExecFixed, task: u64) {
    (fixed.ppid, fixed.parent_start) = task::parent(task);
    let ids = task::ids(task);
    (fixed.sid, fixed.pgid) = (ids.sid, ids.pgid);
    (fixed.vpid, fixed.vpgid, fixed.vsid) = (ids.vpid, ids.vpgid, ids.vsid);
    fixed.pidns = ids.pidns;
    let cred: u64 = kernel(task + off!(task_cred));
    fixed.uid = kernel(cred + off!(cred_uid));
    fixed.gid = kernel(cred + off!(cred_gid));
    fixed.euid = kernel(cred + off!(cred_euid));
    fixed.egid = kernel(cred + off!(cred_egid));
    fixed.cap_inheritable = kernel(cred + off!(cred_inheritable));
    fixed.cap_permitted = kernel(cred + off!(cred_permitted));
    fixed.cap_effective = kernel(cred + off!(cred_effective));
    fixed.loginuid = u32::MAX;
    if has!(task_loginuid) {
        fixed.loginuid = kernel(task + off!(task_loginuid));
    }
    fixed.session = u32::MAX;
    if has!(task_session) {
        fixed.session = kernel(task + off!(task_session));
    }
    fixed.tty = tty(kernel::<u64>(task + off!(task_signal)));
    fixed.comm = kernel(task + off!(task_comm));
}

/// The controlling terminal's device number as /proc/PID/stat writes it (Linux: `new_encode_dev`).
#[inline(always)]
fn tty(signal: u64) -> u32 {
    let tty: u64 = kernel(signal + off!(signal_tty));
    if tty == 0 {
        return 0;
    }
    let driver: u64 = kernel(tty + off!(tty_driver));
    let major: u32 = kernel(driver + off!(driver_major));
    let minor = kernel::<u32>(driver + off!(driver_minor)).wrapping_add(kernel(tty + off!(tty_index)));
    (minor & 0xff) | (major << 8) | ((minor & !0xff) << 12)
}

/// Appends a kernel string and gives its length without the NUL.
#[inline(always)]
fn append_name(scratch: *mut Scratch, at: u64, name: u64) -> u64 {
    let at = at & (CAP - 1);
    // SAFETY: `at` is below CAP and the read at most 4 KiB.
    let len = unsafe {
        let into = scratch.cast::<u8>().add(at as usize).cast();
        bpf_probe_read_kernel_str(into, PIECE as u32, name as *const c_void)
    };
    if len > 0 { (len - 1) as u64 & (PIECE - 1) } else { 0 }
}

/// Sends what of the command line did not fit into the record, under the same head.
#[inline(always)]
fn send_rest(scratch: *mut Scratch, start: u64, total: u64) {
    let mut context = Context { scratch };
    // SAFETY: the scratch is a checked map value; the callback is a private function that takes this context.
    unsafe {
        let args = &mut (*scratch).args;
        args.start = start;
        args.total = if total > MAX { MAX } else { total };
        args.sent = CHUNK;
        if cfg!(feature = "older") {
            let mut chunks = 0;
            while chunks < OLDER_CHUNKS && chunk(0, (&raw mut context).cast()) == 0 {
                chunks += 1;
            }
        } else {
            bpf_loop((MAX / CHUNK) as u32, chunk as *mut c_void, (&raw mut context).cast(), 0);
        }
    }
}

/// One ARGV record. Gives 1 after the last.
extern "C" fn chunk(_: u64, context: *mut c_void) -> i64 {
    // SAFETY: `context` is the Context of `send_rest`, and its scratch a checked map value that outlives the loop.
    unsafe {
        let scratch = (*context.cast::<Context>()).scratch;
        let args = &mut (*scratch).args;
        let (start, total, sent) = (args.start, args.total, args.sent);
        if sent >= total {
            return 1;
        }
        let rest = total - sent;
        let len = if rest > CHUNK { CHUNK } else { rest };
        let into = scratch.cast::<u8>().add(ARGV_SECTION as usize).cast();
        let failed = bpf_probe_read_user(into, len as u32, (start + sent) as *const c_void) != 0;
        let fixed = &mut *scratch.cast::<u8>().add(FIXED).cast::<ArgvFixed>();
        fixed.offset = sent;
        let mut bits = ArgvBits(0);
        if failed {
            bits = bits.with(ArgvBits::FAULT);
        }
        if len == rest {
            bits = bits.with(ArgvBits::LAST);
        }
        fixed.bits = bits;
        let len = if failed { 0 } else { len };
        fixed.bytes_len = len as u32;
        send(scratch, Kind::Argv, ARGV_SECTION + len);
        (&raw mut (*scratch).args.sent).write_volatile(sent + CHUNK);
        0
    }
}
