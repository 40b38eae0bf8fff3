//! The one program on the way out of every syscall: a bitmap says at once whether the number is of interest, then a
//! tail call goes to the family's program, which reads the arguments from the saved registers.
//!
//! The arguments are still there at exit, so nothing needs to be noted at entry. Calls through the 32-bit entry
//! have numbers of their own, which would be taken for others: the task's status word tells them apart. arm64 has numbers of its
//! own in any case; here they become those of x86-64.

use aya_ebpf::helpers::bpf_get_current_cgroup_id;
use aya_ebpf::macros::{btf_tracepoint, map};
use aya_ebpf::maps::{LruHashMap, ProgramArray};
use aya_ebpf::programs::BtfTracePointContext;
use eyas_ebpf::value::ARM64;
use eyas_ebpf::{Bitmap, Family, HeadFlags, NUMBERS, native, nr, of_generic, of_socketcall};

use super::filter::{self, ByPath};
use super::read::{Typed, member, opaque, value};
use super::task;

/// Which calls are wanted; the user half changes it while the program runs.
#[repr(C)]
struct Wanted {
    /// Numbers worth a second look, through whichever entry they came, in the machine's own tables.
    look: Bitmap,
    /// x86-64 numbers that are wanted.
    native: Bitmap,
    /// Those of them that are wanted of processes in containers only.
    contained: Bitmap,
    /// The address families for which a socket is wanted, a bit each; the last stands for all from its number on.
    domains: u64,
}

/// A map of its own by its section, so that a program has its address at hand and looks nothing up.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".bss.wanted")]
static mut WANTED: Wanted =
    Wanted { look: Bitmap::EMPTY, native: Bitmap::EMPTY, contained: Bitmap::EMPTY, domains: 0 };

/// Cgroups of which the user half has said that they are no container's. Calls from one that is not here are all sent.
#[map]
static HOST_CGROUPS: LruHashMap<u64, u8> = LruHashMap::with_max_entries(16_384, 0);

#[map]
static FAMILIES: ProgramArray = ProgramArray::with_max_entries(Family::ALL.len() as u32, 0);

/// `TS_COMPAT`: the task is in a 32-bit call (Linux: arch/x86/include/asm/thread_info.h).
const TS_COMPAT: u32 = 2;
/// The same of arm64 (Linux: arch/arm64/include/asm/thread_info.h).
const TIF_32BIT: u32 = 1 << 22;

/// Whether a number is in a set. A word at a time, since a copy of the whole set would be a loop.
#[inline(always)]
fn has(set: *const Bitmap, number: u64) -> bool {
    // SAFETY: the set is a whole static, and the word one of the eight that a number below 512 can be in.
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

/// Whether somebody wants this x86-64 number.
#[inline(always)]
pub fn is_wanted(number: u64) -> bool {
    // SAFETY: only its address is taken here.
    has(unsafe { &raw const WANTED.native }, number)
}

/// A syscall on its way out, its number that of x86-64 on every machine.
pub struct Call {
    pub number: u64,
    pub ret: i64,
    pub flags: HeadFlags,
    pub(super) regs: Typed,
}

/// A number as the place in a table of numbers. Masked behind the check, of which the verifier may not know any more where the
/// table is read.
#[inline(always)]
fn place(number: u64) -> Option<u64> {
    (number < NUMBERS as u64).then(|| opaque(number) & (NUMBERS as u64 - 1))
}

impl Call {
    /// What the tracepoint hands over.
    #[inline(always)]
    pub fn of(ctx: &BtfTracePointContext, task: Typed) -> Option<Self> {
        let regs: Typed = ctx.arg(0);
        let ret: i64 = ctx.arg(1);
        let number = u64::from(member!(regs, regs_nr, u32));
        // The loader has put a number there, so the verifier leaves out what is not for this machine.
        if value::<ARM64>() != 0 {
            // Programs of 32 bits have a third table there, which nobody has written down here.
            let is_short = member!(task, task_status, u32) & TIF_32BIT != 0;
            let number = of_generic(place(number)?).filter(|_| !is_short)?;
            return Some(Self { number, ret, flags: HeadFlags(0), regs });
        }
        if member!(task, task_status, u32) & TS_COMPAT == 0 {
            return Some(Self { number, ret, flags: HeadFlags(0), regs });
        }
        let number = if number == nr::IA32_SOCKETCALL {
            of_socketcall(member!(regs, regs_short0, u64) & 0xffff_ffff)?.0
        } else {
            native(place(number)?)?
        };
        // A 32-bit call returns 32 bits.
        let ret = i64::from(ret as i32);
        Some(Self { number, ret, flags: HeadFlags::COMPAT, regs })
    }

    /// The first four arguments.
    #[inline(always)]
    pub fn args(&self) -> [u64; 4] {
        let regs = self.regs;
        if self.flags == HeadFlags::COMPAT {
            let args: [u64; 4] = [
                member!(regs, regs_short0),
                member!(regs, regs_short1),
                member!(regs, regs_short2),
                member!(regs, regs_short3),
            ];
            args.map(|arg| arg & 0xffff_ffff)
        } else {
            [
                member!(regs, regs_arg0),
                member!(regs, regs_arg1),
                member!(regs, regs_arg2),
                member!(regs, regs_arg3),
            ]
        }
    }

    /// The fifth argument.
    #[inline(always)]
    pub fn fifth(&self) -> u64 {
        if self.flags == HeadFlags::COMPAT {
            member!(self.regs, regs_short4, u64) & 0xffff_ffff
        } else {
            member!(self.regs, regs_arg4)
        }
    }

    /// The sixth argument.
    #[inline(always)]
    pub fn sixth(&self) -> u64 {
        if self.flags == HeadFlags::COMPAT {
            member!(self.regs, regs_short5, u64) & 0xffff_ffff
        } else {
            member!(self.regs, regs_arg5)
        }
    }
}

/// tp_btf/sys_exit.
#[btf_tracepoint(function = "sys_exit")]
pub fn sys_exit(ctx: BtfTracePointContext) -> i32 {
    let regs: Typed = ctx.arg(0);
    // SAFETY: as elsewhere, only its address is taken here.
    let (look, native) = unsafe { (&raw const WANTED.look, &raw const WANTED.native) };
    if !has(look, member!(regs, regs_nr, u32).into()) {
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
    if matches!(family, Family::Open) {
        match filter::by_path(&call, task) {
            ByPath::Wanted => {}
            ByPath::Unwanted => return 0,
            // Where that program is missing, all of them are sent.
            ByPath::AskFile => {
                go::<{ Family::OpenedFile as u32 }>(&ctx);
            }
        }
    }
    if matches!(family, Family::Call) && is_unwanted(&call, number) {
        filter::count();
        return 0;
    }
    // A constant index lets the kernel patch a direct jump in, in place of an indirect one.
    match family {
        Family::Open | Family::OpenedFile => go::<{ Family::Open as u32 }>(&ctx),
        Family::Connect => go::<{ Family::Connect as u32 }>(&ctx),
        Family::ExecFailed => go::<{ Family::ExecFailed as u32 }>(&ctx),
        Family::Call => go::<{ Family::Call as u32 }>(&ctx),
    }
}

/// Whether nobody wants this call of the table for what it asks for or for where it happens.
#[inline(always)]
fn is_unwanted(call: &Call, number: u64) -> bool {
    // As `Interest` has it.
    const LAST: u64 = 63;
    // SAFETY: as elsewhere, only its address is taken here.
    let (contained, domains) = unsafe { (&raw const WANTED.contained, &raw const WANTED.domains) };
    // What comes by socketcall has its arguments elsewhere.
    if number == nr::SOCKET && call.flags == HeadFlags(0) {
        let domain = call.args()[0] & 0xffff_ffff;
        let bit = if domain > LAST { LAST } else { domain };
        // SAFETY: a whole static.
        if unsafe { domains.read_volatile() } >> bit & 1 == 0 {
            return true;
        }
    }
    if !has(contained, number) {
        return false;
    }
    // SAFETY: the helper has no requirements.
    let cgroup = unsafe { bpf_get_current_cgroup_id() };
    HOST_CGROUPS.get_ptr(&cgroup).is_some()
}

/// Hands over to a family's program; comes back only where its slot is empty.
#[inline(always)]
pub fn go<const FAMILY: u32>(ctx: &BtfTracePointContext) -> i32 {
    // SAFETY: the map holds programs of this very kind only. The number that is given back differs, which keeps the
    // compiler from making one call with a variable index of these.
    let _ = unsafe { FAMILIES.tail_call(ctx, FAMILY) };
    FAMILY as i32
}
