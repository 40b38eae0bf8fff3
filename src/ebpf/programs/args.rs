//! All six arguments of a call, as the kernel took them: out of the registers, or, of a call that the 32-bit `socketcall`
//! stood for, out of the caller's memory. Those are read when the call returns: another thread may have changed them.

use eyas_ebpf::{HeadFlags, has_short_ids, nr, of_socketcall};

use super::dispatch::Call;
use super::read::{member, user};

impl Call {
    /// The arguments; zero where the call takes none.
    #[inline(always)]
    pub fn six(&self) -> [u64; 6] {
        let [a, b, c, d] = self.args();
        if self.flags != HeadFlags::COMPAT {
            return [a, b, c, d, self.fifth(), self.sixth()];
        }
        let entry = member!(self.regs, regs_nr, u64);
        if entry == nr::IA32_SOCKETCALL {
            return by_socketcall(a, b);
        }
        if has_short_ids(entry) {
            return [widened(a), widened(b), widened(c), d, 0, 0];
        }
        [a, b, c, d, self.fifth(), self.sixth()]
    }
}

/// The arguments that lie in the array of a `socketcall`. Where they cannot be read the call took no descriptor: -1.
#[inline(always)]
fn by_socketcall(call: u64, array: u64) -> [u64; 6] {
    let count = of_socketcall(call).map_or(0, |(_, count)| count);
    let mut args = [0; 6];
    let mut at = 0;
    while at < 6 {
        if at < count {
            match user::<u32>(array + at * 4) {
                Some(arg) => args[at as usize] = arg.into(),
                None => return [u64::from(u32::MAX), 0, 0, 0, 0, 0],
            }
        }
        at += 1;
    }
    args
}

/// An id of 16 bits as the kernel widens it (Linux: include/linux/highuid.h, `low2highuid`).
#[inline(always)]
fn widened(id: u64) -> u64 {
    match id & 0xffff {
        0xffff => u64::from(u32::MAX),
        id => id,
    }
}
