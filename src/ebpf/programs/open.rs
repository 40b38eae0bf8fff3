//! open, openat, openat2 and creat.
//!
//! Most openings interest nobody: the dispatcher asks the filter before it comes to [`on_open`], and [`on_opened_file`] once more.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::bpf_probe_read_user_str;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use eyas_ebpf::filter::way;
use eyas_ebpf::{Family, Head, Kind, OpenBits, OpenFixed, nr};

use super::dispatch::{Call, go};
use super::exec::{Layer, layer};
use super::filter::is_unwanted_file;
use super::read::{Typed, Window, follow, has_plain_loads, kernel, off, user};
use super::ring::{PIECE, Scratch, Slot, scratch, send};
use super::task;
use super::walk::{Appended, Place, append, append_by_call};

/// `AT_FDCWD`: a relative path starts at the working directory.
pub const AT_FDCWD: i32 = -100;
/// `O_CREAT | O_WRONLY | O_TRUNC`, which creat stands for.
const CREAT_FLAGS: u64 = 0o1101;
/// Without one of `O_CREAT` and `__O_TMPFILE` the mode is not looked at, and may be anything.
const MODE_COUNTS: u64 = 0o100 | 0o20_000_000;
/// `FMODE_CREATED` (Linux: include/linux/fs.h).
const FMODE_CREATED: u32 = 1 << 20;

const FIXED: usize = Head::SIZE;
const SECTIONS: u64 = (Head::SIZE + OpenFixed::SIZE) as u64;

/// What the four calls have in common.
pub struct Asked {
    dirfd: i32,
    pub path: u64,
    flags: u64,
    mode: u32,
    resolve: u64,
}

impl Asked {
    #[inline(always)]
    pub fn of(call: &Call) -> Self {
        let [a, b, c, d] = call.args();
        let none = Self { dirfd: AT_FDCWD, path: a, flags: 0, mode: 0, resolve: 0 };
        let mut asked = match call.number {
            nr::OPEN => Self { flags: b & 0xffff_ffff, mode: c as u32, ..none },
            nr::CREAT => Self { flags: CREAT_FLAGS, mode: b as u32, ..none },
            nr::OPENAT2 => {
                // struct open_how: three numbers of 64 bits, on both entries.
                let [flags, mode, resolve] = user::<[u64; 3]>(c).unwrap_or([0; 3]);
                Self { dirfd: a as i32, path: b, flags, mode: mode as u32, resolve }
            }
            _ => Self { dirfd: a as i32, path: b, flags: c & 0xffff_ffff, mode: d as u32, resolve: 0 },
        };
        if asked.flags & MODE_COUNTS == 0 {
            asked.mode = 0;
        }
        asked
    }

    /// Whether the call made the file that it opened. Without one of the flags that make files, it did not.
    #[inline(always)]
    fn created(&self, call: &Call, task: Typed) -> bool {
        if call.ret < 0 || self.flags & MODE_COUNTS == 0 {
            return false;
        }
        let file = task::file(task, call.ret);
        file != 0 && kernel::<u32>(file + off!(file_mode)) & FMODE_CREATED != 0
    }

    /// The way that the filter knows it by. What creat asks for has no direction in the fields.
    #[inline(always)]
    pub fn way(&self, call: &Call, task: Typed) -> u32 {
        let outcome = if call.ret < 0 { 0 } else { 1 + u32::from(self.created(call, task)) };
        let direction = (self.flags as u32 & 3) + 1;
        way(
            outcome,
            if call.number == nr::CREAT { None } else { Some((direction & 1 != 0, direction & 2 != 0)) },
        )
    }
}

/// tp_btf/sys_exit, reached through the dispatcher: an opening that nobody wants for its path as given.
#[btf_tracepoint(function = "sys_exit")]
pub fn on_opened_file(ctx: BtfTracePointContext) -> i32 {
    let task = task::current();
    let (Some(scratch), Some(call)) = (scratch(Slot::Open), Call::of(&ctx, task)) else { return 0 };
    if is_unwanted_file(scratch, &call, task) {
        return 0;
    }
    go::<{ Family::Open as u32 }>(&ctx)
}

/// tp_btf/sys_exit, reached through the dispatcher.
#[btf_tracepoint(function = "sys_exit")]
pub fn on_open(ctx: BtfTracePointContext) -> i32 {
    let task = task::current();
    let (Some(scratch), Some(call)) = (scratch(Slot::Open), Call::of(&ctx, task)) else { return 0 };
    let asked = Asked::of(&call);
    task::fill_head(scratch, task, call.flags);
    // SAFETY: the scratch is a checked map value with room for both fixed parts.
    let fixed = unsafe { &mut *scratch.cast::<u8>().add(FIXED).cast::<OpenFixed>() };
    fixed.ret = call.ret;
    fixed.flags = asked.flags;
    fixed.resolve = asked.resolve;
    fixed.dirfd = asked.dirfd;
    fixed.syscall = call.number as u32;
    fixed.mode = asked.mode;
    (fixed.ino, fixed.dev, fixed.file_mode) = (0, 0, 0);
    (fixed.pad, fixed.pad2) = (0, 0);
    let mut bits = OpenBits(0);
    if asked.created(&call, task) {
        bits = bits.with(OpenBits::CREATED);
    }
    let given = append_given(scratch, SECTIONS, asked.path);
    if given.is_none() {
        bits = bits.with(OpenBits::GIVEN_FAULT);
    }
    let given_len = given.unwrap_or(0);
    fixed.given_len = given_len as u16;
    let mut end = SECTIONS + given_len;

    fixed.resolved_len = 0;
    if call.ret >= 0 {
        let file = task::file(task, call.ret);
        if file == 0 {
            bits = bits.with(OpenBits::FILE_MISSING);
        } else {
            let first = off!(file_inode);
            let mut window = Window::<6>::new();
            window.read(file, first);
            let place = Place::within(&window, off!(file_path).wrapping_sub(first));
            let mut inode = Window::<9>::new();
            inode.read(window.get(0), 0);
            fixed.file_mode = inode.get(off!(inode_mode));
            fixed.ino = inode.get(off!(inode_ino));
            let sb = inode.get::<u64>(off!(inode_sb));
            fixed.dev = kernel(sb + off!(sb_dev));
            bits = match layer(window.get(0), sb) {
                Layer::None => bits,
                Layer::Upper => bits.with(OpenBits::UPPER_LAYER),
                Layer::Lower => bits.with(OpenBits::LOWER_LAYER),
            };
            // Where reads are helper calls, the walk in line would take more room on the stack than Linux 6.12 and older have.
            let resolved = if has_plain_loads() {
                append(scratch, end, place)
            } else {
                append_by_call(Slot::Open, end, place)
            };
            if !resolved.whole {
                bits = bits.with(OpenBits::RESOLVED_TRUNCATED);
            }
            if resolved.deleted {
                bits = bits.with(OpenBits::DELETED);
            }
            fixed.resolved_len = resolved.len as u16;
            end = resolved.end;
        }
    }

    fixed.base_len = 0;
    if is_relative(scratch, SECTIONS, given_len) {
        let base = append_base(Slot::Open, end, task, asked.dirfd);
        if !base.whole {
            bits = bits.with(OpenBits::BASE_TRUNCATED);
        }
        fixed.base_len = base.len as u16;
        end = base.end;
    }
    fixed.bits = bits;
    send(scratch, Kind::Open, end);
    0
}

/// Appends a path as the caller gave it, and gives its length without the NUL.
#[inline(always)]
pub fn append_given(scratch: *mut Scratch, at: u64, path: u64) -> Option<u64> {
    // SAFETY: `at` is a small constant, so 4 KiB from there are within the scratch.
    let len = unsafe {
        let into = scratch.cast::<u8>().add(at as usize).cast();
        bpf_probe_read_user_str(into, PIECE as u32, path as *const c_void)
    };
    (len > 0).then(|| (len - 1) as u64 & (PIECE - 1))
}

/// Whether the path at `at` starts somewhere else than at the root.
#[inline(always)]
pub fn is_relative(scratch: *mut Scratch, at: u64, len: u64) -> bool {
    // SAFETY: `at` is a small constant.
    len != 0 && unsafe { *scratch.cast::<u8>().add(at as usize) } != b'/'
}

/// Appends the directory that a relative path starts at; nothing when the descriptor is none.
#[inline(always)]
pub fn append_base(slot: Slot, at: u64, task: Typed, dirfd: i32) -> Appended {
    match base(task, dirfd) {
        None => Appended { len: 0, end: at, whole: true, deleted: false },
        Some(place) => append_by_call(slot, at, place),
    }
}

/// Where a relative path starts; nothing where the descriptor is none.
#[inline(always)]
pub fn base(task: Typed, dirfd: i32) -> Option<Place> {
    if dirfd == AT_FDCWD {
        return Some(Place::at(follow!(task, task_fs) as u64 + off!(fs_pwd)));
    }
    match task::file(task, i64::from(dirfd)) {
        0 => None,
        file => Some(Place::at(file + off!(file_path))),
    }
}
