//! The maps: the ring, the scratch space where a record is put together, and the counters; and how a record is sent.
//!
//! Every record that is attempted takes a number on its processor, so what the ring had no room for leaves a hole, and
//! is counted as well: by kind, syscall, processor and process. Nothing is lost silently.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::{bpf_ringbuf_output, bpf_ringbuf_query};
use aya_ebpf::macros::map;
use aya_ebpf::maps::{HashMap, PerCpuArray, RingBuf};
use eyas_ebpf::{CallFixed, Counts, Head, Kind, Made, Maker, Unit};

use super::read::{constant, follow, load, member, off, opaque};
use super::task;
use super::walk::Walk;

/// Appends start below this and are at most 4 KiB long, so a record stays within [`Scratch::bytes`].
pub const CAP: u64 = 0x4000;
/// Longest single append, and longest path section.
pub const PIECE: u64 = 4096;

/// Where one record is put together. What an append leaves free behind CAP holds a window onto an environment meanwhile. A per-CPU
/// value may be 32 KiB at most (Linux 6.18, kernel/bpf/arraymap.c).
///
/// The state of loops lives here, behind the bytes, and not on the stack: a number that comes back from a map is unknown
/// to the verifier, so the iterations of a loop look alike to it and it stops after a few; with exact ranges from the stack it
/// walks every iteration and gives up.
#[repr(C)]
pub struct Scratch {
    pub bytes: [u8; (CAP + PIECE) as usize],
    pub walk: Walk,
    pub args: Args,
    pub env: Env,
    /// Where a record that is gathered ends so far, and where two texts in it begin and how long they are.
    pub gathered: [u64; 5],
    /// What is true of the record, a bit each.
    bits: u32,
    /// The number of the tables that the dispatcher asked of an opening, and its way.
    pub asked: [u64; 2],
}

/// The bits of the record in a scratch. They lie there and not in a register, because the verifier follows numbers that it
/// knows: before Linux 6.4 it walks what comes behind once for each combination of them, and gives up.
#[derive(Clone, Copy)]
pub struct Marks(*mut u32);

impl Marks {
    /// None of them, at the begin of a record.
    ///
    /// # Safety
    /// `scratch` is a checked map value.
    #[inline(always)]
    pub unsafe fn none(scratch: *mut Scratch) -> Self {
        // SAFETY: promised by the caller.
        let bits = unsafe { &raw mut (*scratch).bits };
        // SAFETY: as above.
        unsafe { bits.write_volatile(0) };
        Self(bits)
    }

    /// Adds some.
    #[inline(always)]
    pub fn add(self, bits: impl Into<u32>) {
        // SAFETY: part of a checked map value, which only this program writes meanwhile.
        unsafe { self.0.write_volatile(self.0.read_volatile() | bits.into()) };
    }

    /// All of them.
    #[inline(always)]
    pub fn get(self) -> u32 {
        // SAFETY: as above.
        unsafe { self.0.read_volatile() }
    }
}

/// The state of the loop over the environment.
#[repr(C)]
pub struct Env {
    /// Where the window begins that is read at once, and where the environment ends.
    pub pos: u64,
    pub end: u64,
    /// How many bytes the window holds, and where in it the next variable begins.
    pub filled: u64,
    pub next: u64,
    /// How long the variable is that is looked at.
    pub len: u64,
    /// Where in the record the next wanted one goes, and where the room ends.
    pub at: u64,
    pub limit: u64,
    /// Whether `next` is within a variable that was too long.
    pub inside: u64,
}

/// The state of the loop that sends a long command line.
#[repr(C)]
pub struct Args {
    pub start: u64,
    pub total: u64,
    pub sent: u64,
}

/// What a context hands to a loop's callback.
#[repr(C)]
pub struct Context {
    pub scratch: *mut Scratch,
}

/// One per-CPU scratch for each program, so that programs that interrupt one another do not share it. The programs of the open
/// family have one together: each jumps to the next, and none is entered meanwhile.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum Slot {
    Exec = 0,
    Fork = 1,
    Exit = 2,
    Open = 3,
    Connect = 4,
    ExecFailed = 5,
    Call = 6,
    UringBegin = 7,
    UringEnd = 8,
}

#[map]
static EVENTS: RingBuf = RingBuf::with_byte_size(16 << 20, 0);
#[map]
static SCRATCH: PerCpuArray<Scratch> = PerCpuArray::with_max_entries(9, 0);
#[map]
pub static COUNTS: PerCpuArray<Counts> = PerCpuArray::with_max_entries(1, 0);
/// Of the CALL records that were lost, how many of each syscall.
#[map]
static LOST_CALLS: PerCpuArray<[u64; Unit::CALL_SLOTS]> = PerCpuArray::with_max_entries(1, 0);
/// Who made what was lost.
#[map]
static LOST_BY: HashMap<Maker, Made> = HashMap::with_max_entries(Maker::SLOTS, 0);

/// More unread bytes than this in the ring wake the reader before its time.
#[unsafe(no_mangle)]
static WAKE_BYTES: u64 = 4 << 20;

/// The scratch of a program on this processor.
#[inline(always)]
pub fn scratch(slot: Slot) -> Option<*mut Scratch> {
    scratch_of(slot as u32)
}

/// The scratch of the program with this number.
#[inline(always)]
pub fn scratch_of(slot: u32) -> Option<*mut Scratch> {
    SCRATCH.get_ptr_mut(slot)
}

/// Sends the first `len` bytes, head filled but for its length, kind and number.
#[inline(always)]
pub fn send(scratch: *mut Scratch, kind: Kind, len: u64) {
    const NO_WAKEUP: u64 = 1;
    const FORCE_WAKEUP: u64 = 2;
    const AVAILABLE: u64 = 0;

    let Some(counts) = COUNTS.get_ptr_mut(0) else { return };
    if len > CAP + PIECE {
        return;
    }
    let ring = (&raw const EVENTS).cast_mut().cast::<c_void>();
    // SAFETY: both pointers are map values that the verifier has checked; the scratch is this program's own on this
    // processor, and a Head lies at its front. `len` is within the scratch.
    unsafe {
        (*counts).attempted += 1;
        let number = (*counts).attempted;
        let head = &mut *scratch.cast::<Head>();
        head.len = len as u32;
        head.kind = kind.number();
        head.seq = number;
        // The reader looks every few milliseconds by itself; a wakeup an event would cost more than the event. Asking
        // how full the ring is costs a call, so only every eighth record asks.
        let mut flags = NO_WAKEUP;
        if number & 7 == 0 && bpf_ringbuf_query(ring, AVAILABLE) > constant!(WAKE_BYTES) {
            flags = FORCE_WAKEUP;
        }
        // Checked once more where it is used: before Linux 6.9 the verifier forgets what it knew of a number that has been on the
        // stack in between.
        let len = opaque(len);
        if len > CAP + PIECE || bpf_ringbuf_output(ring, scratch.cast(), len, flags) != 0 {
            lost(scratch, kind.number());
        }
    }
}

/// Counts a record that the ring had no room for. A function of its own, so that the way of those that it takes stays short.
///
/// The process is counted first: whoever reads the sums and then the processes finds in these all that is in the sums.
#[inline(never)]
fn lost(scratch: *mut Scratch, kind: u16) {
    // SAFETY: the scratch is a checked map value; a Head lies at its front, and behind that of a CALL its fixed part.
    let (head, syscall) = unsafe {
        let call = &*scratch.cast::<u8>().add(Head::SIZE).cast::<CallFixed>();
        (&*scratch.cast::<Head>(), call.syscall as usize & (Unit::CALL_SLOTS - 1))
    };
    let is_call = kind == Kind::Call.number();
    let unit = if is_call { Unit::of_call(syscall as u16) } else { Unit::of_kind(kind) };
    let maker = Maker::of(head, unit);
    if let Some(made) = LOST_BY.get_ptr_mut(&maker) {
        // SAFETY: a checked map value. The key holds the processor, so nobody else counts here.
        unsafe { (*made).count += 1 };
    } else {
        let leader = follow!(task::current(), task_leader);
        let comm = [member!(leader, task_comm), load(leader, off!(task_comm) + 8)];
        // Where there is no room it is counted without its maker.
        let _full = LOST_BY.insert(&maker, &Made { count: 1, comm }, 0);
    }
    if is_call && let Some(calls) = LOST_CALLS.get_ptr_mut(0) {
        // SAFETY: a checked map value with more than so many words, this processor's own.
        unsafe { *calls.cast::<u64>().add(syscall) += 1 };
    }
    if let Some(counts) = COUNTS.get_ptr_mut(0) {
        // SAFETY: as above.
        unsafe { (*counts).lost[kind as usize & (Kind::KERNEL_SLOTS - 1)] += 1 };
    }
}
