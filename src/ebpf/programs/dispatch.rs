//! The one program on the way out of every syscall: a bitmap says at once whether the number is of interest, then a
//! tail call goes to the family's program, which reads the arguments from the saved registers.
//!
//! The arguments are still there at exit, so nothing needs to be noted at entry. Calls through the 32-bit entry
//! have numbers of their own, which would be taken for others: the task's status word tells them apart.

use aya_ebpf::macros::{btf_tracepoint, map};
use aya_ebpf::maps::{Array, ProgramArray};
use aya_ebpf::programs::BtfTracePointContext;
use eyas_ebpf::{Bitmap, Family, HeadFlags, native};

use super::filter;
use super::read::{Typed, load, off, opaque};
use super::task;

/// Which calls are wanted; changes while the program runs.
#[repr(C)]
struct Wanted {
    /// Numbers worth a second look, through whichever entry they came.
    look: Bitmap,
    /// x86-64 numbers that are wanted.
    native: Bitmap,
}

#[map]
static WANTED: Array<Wanted> = Array::with_max_entries(1, 0);

#[map]
static FAMILIES: ProgramArray = ProgramArray::with_max_entries(Family::ALL.len() as u32, 0);

/// `TS_COMPAT`: the task is in a 32-bit call (Linux: arch/x86/include/asm/thread_info.h).
const TS_COMPAT: u32 = 2;

/// Whether a number is in a set. A word at a time, since a copy of the whole set would be a loop.
#[inline(always)]
fn has(set: *const Bitmap, number: u64) -> bool {
    // SAFETY: the set is part of a checked map value, and the word one of the eight that a number below 512 can be in.
    number < 512 && {
        let mut at = number >> 6;
        if cfg!(feature = "older") {
            // There the verifier forgets the check of a number that was on the stack meanwhile.
            at = opaque(at) & 7;
        }
        let word = unsafe { set.cast::<u64>().add(at as usize).read_volatile() };
        word >> (number & 63) & 1 != 0
    }
}

/// A syscall on its way out, its number that of x86-64.
pub struct Call {
    pub number: u64,
    pub ret: i64,
    pub flags: HeadFlags,
    regs: Typed,
}

impl Call {
    /// What the tracepoint hands over.
    #[inline(always)]
    pub fn of(ctx: &BtfTracePointContext, task: Typed) -> Option<Self> {
        let regs: Typed = ctx.arg(0);
        let ret: i64 = ctx.arg(1);
        let number: u64 = load(regs, off!(regs_nr));
        if load::<u32>(task, off!(task_status)) & TS_COMPAT == 0 {
            return Some(Self { number, ret, flags: HeadFlags(0), regs });
        }
        // A 32-bit call returns 32 bits.
        let (number, ret) = (native(number)?, i64::from(ret as i32));
        Some(Self { number, ret, flags: HeadFlags::COMPAT, regs })
    }

    /// The first four arguments.
    #[inline(always)]
    pub fn args(&self) -> [u64; 4] {
        let reg = |offset| load::<u64>(self.regs, offset);
        if self.flags == HeadFlags::COMPAT {
            let low = |offset| reg(offset) & 0xffff_ffff;
            [low(off!(regs_bx)), low(off!(regs_cx)), low(off!(regs_dx)), low(off!(regs_si))]
        } else {
            [reg(off!(regs_di)), reg(off!(regs_si)), reg(off!(regs_dx)), reg(off!(regs_r10))]
        }
    }

    /// The fifth argument.
    #[inline(always)]
    pub fn fifth(&self) -> u64 {
        if self.flags == HeadFlags::COMPAT {
            load::<u64>(self.regs, off!(regs_di)) & 0xffff_ffff
        } else {
            load(self.regs, off!(regs_r8))
        }
    }

    /// The sixth argument.
    #[inline(always)]
    pub fn sixth(&self) -> u64 {
        if self.flags == HeadFlags::COMPAT {
            load::<u64>(self.regs, off!(regs_bp)) & 0xffff_ffff
        } else {
            load(self.regs, off!(regs_r9))
        }
    }
}

/// tp_btf/sys_exit.
#[btf_tracepoint(function = "sys_exit")]
pub fn sys_exit(ctx: BtfTracePointContext) -> i32 {
    let regs: Typed = ctx.arg(0);
    let Some(wanted) = WANTED.get_ptr(0) else { return 0 };
    // SAFETY: a checked map value.
    let (look, native) = unsafe { (&raw const (*wanted).look, &raw const (*wanted).native) };
    if !has(look, load::<u64>(regs, off!(regs_nr))) {
        return 0;
    }
    let task = task::current();
    let Some(call) = Call::of(&ctx, task) else { return 0 };
    if !has(native, call.number) {
        return 0;
    }
    let number = if cfg!(feature = "older") { opaque(call.number) } else { call.number };
    let Some(family) = Family::of(number) else { return 0 };
    // An exec that went well is told by the scheduler's own tracepoint.
    if matches!(family, Family::ExecFailed) && call.ret >= 0 {
        return 0;
    }
    if !task::is_reported(task) {
        return 0;
    }
    if matches!(family, Family::Open) && filter::is_unwanted(&call, task) {
        return 0;
    }
    // A constant index lets the kernel patch a direct jump in, in place of an indirect one.
    match family {
        Family::Open => go::<{ Family::Open as u32 }>(&ctx),
        Family::Connect => go::<{ Family::Connect as u32 }>(&ctx),
        Family::ExecFailed => go::<{ Family::ExecFailed as u32 }>(&ctx),
        Family::Call => go::<{ Family::Call as u32 }>(&ctx),
    }
}

/// Hands over to a family's program; comes back only where its slot is empty.
#[inline(always)]
fn go<const FAMILY: u32>(ctx: &BtfTracePointContext) -> i32 {
    // SAFETY: the map holds programs of this very kind only. The number that is given back differs, which keeps the
    // compiler from making one call with a variable index of these.
    let _ = unsafe { FAMILIES.tail_call(ctx, FAMILY) };
    FAMILY as i32
}
