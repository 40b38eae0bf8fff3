//! execve and execveat that returned an error.

use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use eyas_ebpf::{ExecFailedFixed, FailedBits, Head, Kind, nr};

use super::dispatch::Call;
use super::open::{AT_FDCWD, append_base, append_given, is_relative};
use super::ring::{Slot, scratch, send};
use super::task;

const FIXED: usize = Head::SIZE;
const SECTIONS: u64 = (Head::SIZE + ExecFailedFixed::SIZE) as u64;

/// tp_btf/sys_exit, reached through the dispatcher.
#[btf_tracepoint(function = "sys_exit")]
pub fn on_exec_failed(ctx: BtfTracePointContext) -> i32 {
    let task = task::current();
    let (Some(scratch), Some(call)) = (scratch(Slot::ExecFailed), Call::of(&ctx, task)) else { return 0 };
    let [first, second, ..] = call.args();
    let (dirfd, path, flags) = if call.number == nr::EXECVEAT {
        (first as i32, second, call.fifth() as u32)
    } else {
        (AT_FDCWD, first, 0)
    };
    task::fill_head(scratch, task, call.flags);
    // SAFETY: the scratch is a checked map value with room for both fixed parts.
    let fixed = unsafe { &mut *scratch.cast::<u8>().add(FIXED).cast::<ExecFailedFixed>() };
    fixed.ret = call.ret;
    fixed.dirfd = dirfd;
    fixed.syscall = call.number as u32;
    fixed.flags = flags;
    (fixed.pad, fixed.pad2) = (0, 0);
    let mut bits = FailedBits(0);

    let given = append_given(scratch, SECTIONS, path);
    if given.is_none() {
        bits = bits.with(FailedBits::GIVEN_FAULT);
    }
    let given_len = given.unwrap_or(0);
    fixed.given_len = given_len as u16;
    let mut end = SECTIONS + given_len;

    fixed.base_len = 0;
    if is_relative(scratch, SECTIONS, given_len) {
        let base = append_base(Slot::ExecFailed, end, task, dirfd);
        if !base.whole {
            bits = bits.with(FailedBits::BASE_TRUNCATED);
        }
        fixed.base_len = base.len as u16;
        end = base.end;
    }
    fixed.bits = bits;
    send(scratch, Kind::ExecFailed, end);
    0
}
