//! Openings and connections that a process has `io_uring` make: no syscall of it is seen, only one that hands requests in, or
//! none at all. They become the same records as the calls, marked URING.
//!
//! A request is noted when the kernel takes it: by then its path has been copied, and lies where no thread of the
//! process can change it. It is told when the kernel completes it, with the result. What may complete unseen (the
//! process asked for no word of a success, or there is no room for the note) is told at once, as unfinished.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::{
    bpf_for_each_map_elem, bpf_get_smp_processor_id, bpf_ktime_get_boot_ns, bpf_probe_read_kernel,
    bpf_probe_read_kernel_str, bpf_probe_read_user,
};
use aya_ebpf::macros::{btf_tracepoint, map};
use aya_ebpf::maps::HashMap;
use aya_ebpf::programs::BtfTracePointContext;
use eyas_ebpf::{ConnectBits, ConnectFixed, Head, HeadFlags, Kind, OpenBits, OpenFixed, Role, nr};

use super::connect::{ADDRESS, S_IFMT, S_IFSOCK};
use super::dispatch::is_wanted;
use super::exec::{Layer, layer};
use super::open::{append_base, is_relative};
use super::read::{Typed, has, kernel, off, opaque};
use super::ring::{PIECE, Scratch, Slot, scratch, send};
use super::socket::{AF_UNIX, ends_of, peer_place, take_role};
use super::task;
use super::walk::{Place, append_by_call};

/// `IORING_OP_…` (Linux: include/uapi/linux/io_uring.h).
const OP_CONNECT: u8 = 16;
const OP_OPENAT: u8 = 18;
const OP_CLOSE: u8 = 19;
const OP_OPENAT2: u8 = 28;
/// `IOSQE_FIXED_FILE` and `IOSQE_CQE_SKIP_SUCCESS`, which are bits of a request's flags as well.
const FIXED_FILE: u64 = 1;
const SKIP_SUCCESS: u64 = 1 << 6;
/// `IORING_FILE_INDEX_ALLOC`: the kernel finds a slot, and gives it as the result.
const ANY_SLOT: u32 = u32::MAX;
/// What the kernel keeps in the lowest bits of a slot (Linux: io_uring/filetable.h).
const SLOT_BITS: u64 = 7;
/// The kernel sets it by itself in openings through `io_uring`; on 64-bit machines it says nothing.
const O_LARGEFILE: u64 = 0o100_000;
/// Without one of `O_CREAT` and `__O_TMPFILE` the mode is not looked at.
const MODE_COUNTS: u64 = 0o100 | 0o20_000_000;
/// `FMODE_CREATED` (Linux: include/linux/fs.h).
const FMODE_CREATED: u32 = 1 << 20;
/// The error of a connect that goes on in the background: what is told of one whose end is not awaited.
const EINPROGRESS: i64 = -115;
/// A walk may write so much more than a piece: its last name.
const BASE: usize = PIECE as usize + 256;
/// Nothing longer than a base is within it. The verifier of Linux 6.1 forgets a comparison and keeps a mask.
const BASE_MASK: u64 = 0x1fff;
/// A base is put behind everything else, which ends before this.
const BASE_BEFORE: u64 = 0x3000;

/// Requests that may be under way at once; what comes beyond is told at once. Memory is taken only for those that are.
const REQUESTS_MAX: u32 = 2048;
const NO_PREALLOC: u32 = 1;

/// An opening under way: the begin of its record, and what comes later in it.
#[repr(C)]
struct OpenRequest {
    head: Head,
    fixed: OpenFixed,
    given: [u8; PIECE as usize],
    base: [u8; BASE],
    /// The slot as the request has it: 0 for none, else one more than its number, or [`ANY_SLOT`].
    slot: u32,
    pad: u32,
    /// The request's flags when it was taken.
    flags: u64,
}

/// A connection under way.
#[repr(C)]
struct ConnectRequest {
    head: Head,
    fixed: ConnectFixed,
    address: [u8; ADDRESS as usize],
}

/// By the address of the `struct io_kiocb`.
#[map]
static URING_OPENS: HashMap<u64, OpenRequest> = HashMap::with_max_entries(REQUESTS_MAX, NO_PREALLOC);
#[map]
static URING_CONNECTS: HashMap<u64, ConnectRequest> = HashMap::with_max_entries(REQUESTS_MAX, NO_PREALLOC);

/// tp_btf/io_uring_submit_req: (request), before it is done.
#[btf_tracepoint(function = "io_uring_submit_req")]
pub fn on_uring_submit(ctx: BtfTracePointContext) -> i32 {
    let req = ctx.arg::<Typed>(0) as u64;
    match kernel::<u8>(req + off!(kiocb_opcode)) {
        OP_OPENAT | OP_OPENAT2 => begin_open(req),
        OP_CONNECT => begin_connect(req),
        OP_CLOSE => before_close(req),
        _ => 0,
    }
}

/// tp_btf/io_uring_complete: (ring, request, …); the request holds the result.
#[btf_tracepoint(function = "io_uring_complete")]
pub fn on_uring_complete(ctx: BtfTracePointContext) -> i32 {
    let req = ctx.arg::<Typed>(1) as u64;
    let opcode = kernel::<u8>(req + off!(kiocb_opcode));
    if req == 0 {
        return 0;
    }
    match opcode {
        OP_OPENAT | OP_OPENAT2 => end_open(req),
        OP_CONNECT => end_connect(req),
        _ => 0,
    }
}

/// tp_btf/io_uring_cqe_overflow: (ring, user data, result, …), in place of a completion that the ring has no room for. It
/// does not say which request it is of.
#[btf_tracepoint(function = "io_uring_cqe_overflow")]
pub fn on_uring_overflow(ctx: BtfTracePointContext) -> i32 {
    let (ring, data, res) = (ctx.arg::<Typed>(0) as u64, ctx.arg::<u64>(1), ctx.arg::<i32>(2));
    let mut search = Search { ring, data, res, pad: 0, found: 0 };
    each(&raw const URING_OPENS, completes, &mut search);
    if search.found != 0 {
        return end_open(search.found);
    }
    each(&raw const URING_CONNECTS, completes, &mut search);
    if search.found != 0 { end_connect(search.found) } else { 0 }
}

/// What is looked for among the requests under way.
#[repr(C)]
struct Search {
    ring: u64,
    data: u64,
    res: i32,
    pad: u32,
    found: u64,
}

/// Walks over a map of requests until `is_it` says 1.
#[inline(always)]
fn each<V>(
    map: *const HashMap<u64, V>,
    is_it: extern "C" fn(*mut c_void, *const u64, *const c_void, *mut Search) -> i64,
    search: &mut Search,
) {
    // SAFETY: the callback is a private function that takes this context.
    unsafe {
        bpf_for_each_map_elem(map.cast_mut().cast(), is_it as *mut c_void, (&raw mut *search).cast(), 0);
    }
}

/// Whether this request has that result and those data in that ring. Of two that agree in all of it either will do.
extern "C" fn completes(_: *mut c_void, key: *const u64, _: *const c_void, search: *mut Search) -> i64 {
    // SAFETY: the kernel hands in a key of the map, and the search outlives the walk.
    let (req, search) = unsafe { (*key, &mut *search) };
    let is_it = kernel::<u64>(req + off!(kiocb_ring)) == search.ring
        && kernel::<u64>(req + off!(kiocb_data)) == search.data
        && kernel::<i32>(req + off!(kiocb_res)) == search.res;
    if is_it {
        search.found = req;
    }
    is_it.into()
}

/// Whether this opening has been done in that ring with that descriptor or, where `data` is not 0, in the slot before that
/// number: then the kernel has let go of its path, and a flag that said so is gone.
extern "C" fn has_opened(_: *mut c_void, key: *const u64, value: *const c_void, search: *mut Search) -> i64 {
    // SAFETY: as above; the values of this map are openings.
    let (req, search, slot, flags) = unsafe {
        let request = value.cast::<OpenRequest>();
        (*key, &mut *search, (*request).slot, (*request).flags)
    };
    let res: i32 = kernel(req + off!(kiocb_res));
    let is_same = match slot {
        0 => search.data == 0 && res == search.res,
        ANY_SLOT => res >= 0 && search.data == res as u64 + 1,
        slot => search.data == u64::from(slot) && res >= 0,
    };
    let is_it =
        is_same && kernel::<u64>(req + off!(kiocb_ring)) == search.ring && flags & !flags_of(req) != 0;
    if is_it {
        search.found = req;
    }
    is_it.into()
}

/// Of requests handed in together the completions are told after all were done. An opening whose descriptor one of them is
/// about to close is told before, while its file can be found.
#[inline(always)]
fn before_close(req: u64) -> i32 {
    let ring: u64 = kernel(req + off!(kiocb_ring));
    let cmd = req + off!(kiocb_cmd);
    let fd: i32 = kernel(cmd + off!(uring_close_fd));
    let slot: u32 = kernel(cmd + off!(uring_close_slot));
    let mut search = Search { ring, data: slot.into(), res: fd, pad: 0, found: 0 };
    each(&raw const URING_OPENS, has_opened, &mut search);
    if search.found != 0 { end_open(search.found) } else { 0 }
}

/// The low half of a request's flags, which is all that is asked of them; before Linux 6.8 there is no more.
#[inline(always)]
fn flags_of(req: u64) -> u64 {
    kernel::<u32>(req + off!(kiocb_flags)).into()
}

/// Notes an opening, or tells it at once.
#[inline(always)]
fn begin_open(req: u64) -> i32 {
    let task = task::current();
    let number = if kernel::<u8>(req + off!(kiocb_opcode)) == OP_OPENAT { nr::OPENAT } else { nr::OPENAT2 };
    if !is_wanted(number) || !task::is_reported(task) {
        return 0;
    }
    let Some(scratch) = scratch(Slot::UringBegin) else { return 0 };
    task::fill_head(scratch, task, HeadFlags::URING);
    // SAFETY: the scratch is a checked map value, and longer than a request.
    let request = unsafe { &mut *scratch.cast::<OpenRequest>() };
    let cmd = req + off!(kiocb_cmd);
    request.slot = kernel(cmd + off!(uring_open_slot));
    request.pad = 0;
    request.flags = flags_of(req);
    let fixed = &mut request.fixed;
    fixed.flags = kernel::<u64>(cmd + off!(uring_open_flags)) & !O_LARGEFILE;
    fixed.resolve = kernel(cmd + off!(uring_open_resolve));
    fixed.dirfd = kernel(cmd + off!(uring_open_dirfd));
    fixed.syscall = number as u32;
    fixed.mode =
        if fixed.flags & MODE_COUNTS == 0 { 0 } else { kernel::<u64>(cmd + off!(uring_open_mode)) as u32 };
    (fixed.ret, fixed.ino, fixed.dev, fixed.file_mode) = (0, 0, 0, 0);
    (fixed.pad, fixed.pad2) = (0, 0);
    (fixed.resolved_len, fixed.base_len) = (0, 0);
    let mut bits = if request.slot == 0 { OpenBits(0) } else { OpenBits::DIRECT };
    let name: u64 = kernel(kernel::<u64>(cmd + off!(uring_open_name)) + off!(filename_name));
    // SAFETY: the helper is told how much room there is.
    let given = unsafe {
        bpf_probe_read_kernel_str((&raw mut request.given).cast(), PIECE as u32, name as *const c_void)
    };
    if given <= 0 {
        bits = bits.with(OpenBits::GIVEN_FAULT);
        request.given[0] = 0;
    }
    let given_len = if given > 0 { (given - 1) as u64 & (PIECE - 1) } else { 0 };
    let fixed = &mut request.fixed;
    fixed.given_len = given_len as u16;
    let dirfd = fixed.dirfd;
    if is_relative(scratch, GIVEN, given_len) {
        let base = append_base(Slot::UringBegin, GIVEN + PIECE, task, dirfd);
        if !base.whole {
            bits = bits.with(OpenBits::BASE_TRUNCATED);
        }
        fixed.base_len = base.len as u16;
    }
    fixed.bits = bits;
    if request.flags & SKIP_SUCCESS == 0 && URING_OPENS.insert(&req, &*request, 0).is_ok() {
        return 0;
    }
    request.fixed.bits = bits.with(OpenBits::UNFINISHED);
    let Some((scratch, end)) = begin_record(&raw const *request) else { return 0 };
    send_open(&raw const *request, scratch, end)
}

/// Where the given path of an opening lies, in its note and in its record.
const GIVEN: u64 = (Head::SIZE + OpenFixed::SIZE) as u64;

/// Begins a record in the other scratch with head, fixed part and given path; gives it, and where it goes on.
#[inline(always)]
fn begin_record(request: *const OpenRequest) -> Option<(*mut Scratch, u64)> {
    let scratch = scratch(Slot::UringEnd)?;
    // SAFETY: both are checked map values; a given path is shorter than a piece.
    unsafe {
        let len = opaque((*request).fixed.given_len.into()) & (PIECE - 1);
        bpf_probe_read_kernel(scratch.cast(), (GIVEN + len) as u32, request.cast());
        Some((scratch, GIVEN + len))
    }
}

/// Puts the base behind the rest and sends.
#[inline(always)]
fn send_open(request: *const OpenRequest, scratch: *mut Scratch, end: u64) -> i32 {
    // SAFETY: the room behind `end` is more than a base may take, and both are checked map values.
    unsafe {
        let len = u64::from((*request).fixed.base_len);
        if end >= BASE_BEFORE || len > BASE as u64 {
            return 0;
        }
        if len > 0 {
            let into = scratch.cast::<u8>().add(end as usize);
            let len = opaque(len) & BASE_MASK;
            bpf_probe_read_kernel(into.cast(), len as u32, (&raw const (*request).base).cast());
        }
        send(scratch, Kind::Open, end + len);
    }
    0
}

/// Tells an opening that was noted, with its result. Not inlined: three programs call it.
#[inline(never)]
fn end_open(req: u64) -> i32 {
    let Some(request) = URING_OPENS.get_ptr(&req) else { return 0 };
    let task = task::current();
    let ret = i64::from(kernel::<i32>(req + off!(kiocb_res)));
    tell_open(req, request, task, ret);
    let _ = URING_OPENS.remove(&req);
    0
}

#[inline(always)]
fn tell_open(req: u64, request: *const OpenRequest, task: Typed, ret: i64) -> i32 {
    // SAFETY: a checked map value.
    let (tgid, flags, slot) = unsafe { ((*request).head.tgid, (*request).fixed.flags, (*request).slot) };
    // A request of a process that ends is completed by a thread of the kernel's, which has other files and another name.
    let is_own = super::read::load::<u32>(task, off!(task_tgid)) == tgid;
    let file = match slot {
        _ if ret < 0 => 0,
        0 if is_own => task::file(task, ret),
        0 => 0,
        ANY_SLOT => slot_file(req, ret as u64),
        slot => slot_file(req, u64::from(slot) - 1),
    };
    let created =
        flags & MODE_COUNTS != 0 && file != 0 && kernel::<u32>(file + off!(file_mode)) & FMODE_CREATED != 0;
    let Some((scratch, mut end)) = begin_record(request) else { return 0 };
    end_head(scratch);
    // SAFETY: the scratch is a checked map value with room for both fixed parts.
    let fixed = unsafe { &mut *scratch.cast::<u8>().add(Head::SIZE).cast::<OpenFixed>() };
    // A slot that the request named is not its result.
    fixed.ret = if ret < 0 || slot == 0 || slot == ANY_SLOT { ret } else { i64::from(slot) - 1 };
    let mut bits = fixed.bits;
    if created {
        bits = bits.with(OpenBits::CREATED);
    }
    if file != 0 {
        let inode: u64 = kernel(file + off!(file_inode));
        fixed.file_mode = kernel(inode + off!(inode_mode));
        fixed.ino = kernel(inode + off!(inode_ino));
        let sb: u64 = kernel(inode + off!(inode_sb));
        fixed.dev = kernel(sb + off!(sb_dev));
        bits = match layer(inode, sb) {
            Layer::None => bits,
            Layer::Upper => bits.with(OpenBits::UPPER_LAYER),
            Layer::Lower => bits.with(OpenBits::LOWER_LAYER),
        };
        let resolved = append_by_call(Slot::UringEnd, end, Place::at(file + off!(file_path)));
        if !resolved.whole {
            bits = bits.with(OpenBits::RESOLVED_TRUNCATED);
        }
        if resolved.deleted {
            bits = bits.with(OpenBits::DELETED);
        }
        fixed.resolved_len = resolved.len as u16;
        end = resolved.end;
    } else if ret >= 0 {
        bits = bits.with(OpenBits::FILE_MISSING);
    }
    fixed.bits = bits;
    send_open(request, scratch, end)
}

/// The record is of now and of this processor, whoever handed the request in.
#[inline(always)]
fn end_head(scratch: *mut Scratch) {
    // SAFETY: a Head lies at the front of the scratch; the helpers have no requirements.
    unsafe {
        let head = &mut *scratch.cast::<Head>();
        head.cpu = bpf_get_smp_processor_id();
        head.time = bpf_ktime_get_boot_ns();
    }
}

/// The `struct file` in a slot of the request's ring; 0 when there is none, or the kernel keeps them otherwise.
#[inline(always)]
fn slot_file(req: u64, slot: u64) -> u64 {
    if !has!(uring_files) || !has!(uring_node_file) {
        return 0;
    }
    let ring: u64 = kernel(req + off!(kiocb_ring));
    if slot >= u64::from(kernel::<u32>(ring + off!(uring_files_count))) {
        return 0;
    }
    let node: u64 = kernel(kernel::<u64>(ring + off!(uring_files)) + slot * 8);
    if node == 0 { 0 } else { kernel::<u64>(node + off!(uring_node_file)) & !SLOT_BITS }
}

/// Notes a connection, or tells it at once.
#[inline(always)]
fn begin_connect(req: u64) -> i32 {
    let task = task::current();
    if !is_wanted(nr::CONNECT) || !task::is_reported(task) {
        return 0;
    }
    let Some(scratch) = scratch(Slot::UringBegin) else { return 0 };
    task::fill_head(scratch, task, HeadFlags::URING);
    // SAFETY: the scratch is a checked map value, and longer than a request.
    let request = unsafe { &mut *scratch.cast::<ConnectRequest>() };
    let (cmd, flags) = (req + off!(kiocb_cmd), flags_of(req));
    let given_len: u32 = kernel(cmd + off!(uring_connect_len));
    let len = if u64::from(given_len) > ADDRESS { ADDRESS } else { u64::from(given_len) };
    let mut bits = if flags & FIXED_FILE == 0 { ConnectBits(0) } else { ConnectBits::DIRECT };
    // The kernel has just copied it, but where to has changed within one version (6.18), and its types do not tell.
    // SAFETY: at most as much as there is room for.
    let failed = unsafe {
        let address: u64 = kernel(cmd + off!(uring_connect_address));
        let len = opaque(len) & 255;
        bpf_probe_read_user((&raw mut request.address).cast(), len as u32, address as *const c_void)
    };
    if failed != 0 {
        bits = bits.with(ConnectBits::ADDRESS_FAULT);
    }
    let fixed = &mut request.fixed;
    fixed.ret = 0;
    fixed.fd = kernel(req + off!(kiocb_fd));
    fixed.syscall = nr::CONNECT as u32;
    fixed.given_len = given_len;
    fixed.address_len = if failed == 0 { len as u16 } else { 0 };
    (fixed.path_len, fixed.pad, fixed.ino) = (0, 0, 0);
    ends_of!(fixed).clear();
    fixed.bits = bits;
    if flags & SKIP_SUCCESS == 0 && URING_CONNECTS.insert(&req, &*request, 0).is_ok() {
        return 0;
    }
    request.fixed.bits = bits.with(ConnectBits::UNFINISHED);
    let fd = request.fixed.fd;
    let file =
        if flags & FIXED_FILE == 0 { task::file(task, i64::from(fd)) } else { slot_file(req, fd as u64) };
    tell_connect(&raw const *request, file, EINPROGRESS);
    0
}

/// Tells a connection that was noted, with its result.
#[inline(never)]
fn end_connect(req: u64) -> i32 {
    let Some(request) = URING_CONNECTS.get_ptr(&req) else { return 0 };
    let ret = i64::from(kernel::<i32>(req + off!(kiocb_res)));
    // The request holds the very socket, whatever became of its descriptor.
    let file: u64 = kernel(req + off!(kiocb_file));
    tell_connect(request, file, ret);
    let _ = URING_CONNECTS.remove(&req);
    0
}

#[inline(always)]
fn tell_connect(request: *const ConnectRequest, file: u64, ret: i64) {
    const SECTIONS: u64 = (Head::SIZE + ConnectFixed::SIZE) as u64;
    let Some(scratch) = scratch(Slot::UringEnd) else { return };
    // SAFETY: both are checked map values, and an address takes at most 128 bytes.
    let fixed = unsafe {
        bpf_probe_read_kernel(scratch.cast(), (SECTIONS + ADDRESS) as u32, request.cast());
        &mut *scratch.cast::<u8>().add(Head::SIZE).cast::<ConnectFixed>()
    };
    end_head(scratch);
    fixed.ret = ret;
    let mut end = SECTIONS + u64::from(fixed.address_len & 0xff);
    let inode: u64 = kernel(file + off!(file_inode));
    if file != 0 && kernel::<u16>(inode + off!(inode_mode)) & S_IFMT == S_IFSOCK {
        fixed.ino = kernel(inode + off!(inode_ino));
        let sock = ends_of!(fixed).fill(kernel(file + off!(file_private)));
        if fixed.family == AF_UNIX {
            if let Some(place) = peer_place(sock) {
                let path = append_by_call(Slot::UringEnd, end, place);
                fixed.path_len = path.len as u16;
                end = path.end;
            }
        } else if ret == 0 || ret == EINPROGRESS {
            take_role(sock, fixed.ino, Role::Client, &fixed.remote, fixed.remote_port);
        }
    } else {
        fixed.bits = fixed.bits.with(ConnectBits::SOCKET_MISSING);
    }
    send(scratch, Kind::Connect, end);
}
