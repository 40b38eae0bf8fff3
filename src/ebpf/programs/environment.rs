//! The environment of a program that starts: those of its variables that are wanted. It is read from the new program's memory
//! by windows, since a call of a helper for each variable took longer than everything else about an exec.

use core::arch::asm;
use core::ffi::c_void;

use aya_ebpf::helpers::generated::{bpf_loop, bpf_probe_read_kernel, bpf_probe_read_user};
use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, HashMap};
use eyas_ebpf::environment::{self as names, Begins, VARIABLE_MAX};

use super::read::{kernel, off, opaque};
use super::ring::{CAP, Context, Env, PIECE, Scratch};

/// Names of variables that are wanted, by their hash.
#[map]
static ENV_NAMES: HashMap<u64, u8> = HashMap::with_max_entries(names::NAMES_MAX, 0);
/// How they begin.
#[map]
static ENV_BEGINS: Array<Begins> = Array::with_max_entries(1, 0);

/// Most steps through one environment: a variable each, a piece of a long one, or another window. An exec may hand over 6 MiB
/// (Linux: fs/exec.c), of which each variable takes nine bytes at least, with the pointer to it.
const STEPS: u32 = 1 << 20;
/// How much of an environment is read at once, a power of two, and where it is kept meanwhile: behind all that a variable which is
/// appended below CAP can fill.
const WINDOW: u64 = 2 * VARIABLE_MAX;
const WINDOW_AT: u64 = CAP + VARIABLE_MAX;
/// The least that is there or not as a whole.
const PAGE: u64 = 4096;
const _: () = assert!(WINDOW.is_power_of_two() && WINDOW_AT + WINDOW + 8 <= CAP + PIECE);

/// Appends the variables that are wanted; `None` when none is, or there is no room for them.
#[inline(always)]
pub fn append(scratch: *mut Scratch, at: u64, mm: u64) -> Option<u64> {
    if cfg!(feature = "older") || ENV_BEGINS.get(0).is_none_or(|begins| begins[names::ANY] == 0) || at >= CAP
    {
        return None;
    }
    let mut context = Context { scratch };
    // SAFETY: the scratch is a checked map value; the callback is a private function that takes this context.
    unsafe {
        let env = &mut (*scratch).env;
        env.pos = kernel(mm + off!(mm_env_start));
        env.end = kernel(mm + off!(mm_env_end));
        (env.filled, env.next) = (0, 0);
        env.at = at;
        env.limit = CAP;
        env.inside = 0;
        bpf_loop(STEPS, variable as *mut c_void, (&raw mut context).cast(), 0);
        let end = (&raw const (*scratch).env.at).read_volatile();
        let len = end.wrapping_sub(at);
        // The last one begins below CAP and may end behind it.
        (len < CAP + VARIABLE_MAX).then_some(len)
    }
}

/// One variable, or another window. Gives 1 after the last.
extern "C" fn variable(_: u64, context: *mut c_void) -> i64 {
    // SAFETY: `context` is the Context of `append`, and its scratch a checked map value that outlives the loop.
    unsafe {
        let scratch = (*context.cast::<Context>()).scratch;
        let window = scratch.cast::<u8>().add(WINDOW_AT as usize);
        let env = &mut (*scratch).env;
        let (next, filled, at) = (env.next, env.filled, env.at);
        if at >= env.limit || at >= CAP {
            return 1;
        }
        // By way of the map, so that the verifier does not know it: it would walk what follows once for each length.
        (&raw mut env.len).write_volatile(length(window, next));
        let len = (&raw const env.len).read_volatile();
        let is_long = len >= VARIABLE_MAX;
        if next + len + u64::from(!is_long) > filled {
            return another_window(env, window);
        }
        let inside = env.inside;
        // Of a long one the begin is sent. What follows in it has no begin, and what looks like one is none.
        env.inside = u64::from(is_long);
        // 1,023 of a long one. Not by a second comparison: Linux 6.1 walks both of its ways after either of the first, and on one the
        // length has no bound.
        let len = len - u64::from(is_long);
        env.next = next + len + u64::from(!is_long);
        if inside != 0 {
            return 0;
        }
        let byte = |index: u64| *window.add((next.wrapping_add(index) & (WINDOW - 1)) as usize);
        let (row, bit) = names::begin(byte(0), byte(1));
        if ENV_BEGINS.get(0).is_none_or(|begins| begins[row] & bit == 0) {
            return 0;
        }
        let (mut hash, mut named, mut index) = (names::SEED, false, 0);
        while index <= names::NAME_MAX {
            let byte = byte(index as u64);
            if byte == b'=' {
                named = true;
                break;
            }
            if byte == 0 {
                break;
            }
            hash = names::with(hash, byte);
            index += 1;
        }
        if named && ENV_NAMES.get_ptr(&hash).is_some() {
            let len = opaque(len) & (VARIABLE_MAX - 1);
            let into = scratch.cast::<u8>().add(at as usize);
            let from = window.add((next & (WINDOW - 1)) as usize);
            bpf_probe_read_kernel(into.cast(), len as u32, from.cast());
            *into.add(len as usize) = 0;
            (&raw mut env.at).write_volatile(at + len + 1);
        }
        0
    }
}

/// How many bytes of a window come before the first NUL from `next` on; [`VARIABLE_MAX`] when there is none among so many. What it
/// finds behind the window's end is of no variable: there it begins anew.
///
/// # Safety
/// `window` is the one in a checked map value.
#[inline(always)]
unsafe fn length(window: *const u8, next: u64) -> u64 {
    const LOWEST: u64 = 0x0101_0101_0101_0101;
    const HIGHEST: u64 = LOWEST << 7;
    let mut before = 0;
    while before < VARIABLE_MAX {
        let word: u64;
        // One load: the compiler makes eight of `read_unaligned`, but neither x86 nor arm64 needs alignment, nor does the verifier.
        // SAFETY: there is a word behind the window.
        unsafe {
            let at = window.add((next.wrapping_add(before) & (WINDOW - 1)) as usize);
            asm!("{word} = *(u64 *)({at} + 0)", word = out(reg) word, at = in(reg) at, options(readonly, nostack));
        }
        // The lowest bit of these is that of the first byte that is zero.
        let mut zeros = word.wrapping_sub(LOWEST) & !word & HIGHEST;
        if zeros != 0 {
            for (bytes, mask) in [(4, 0xffff_ffff), (2, 0xffff), (1, 0xff)] {
                if zeros & mask == 0 {
                    before += bytes;
                    zeros >>= bytes * 8;
                }
            }
            return before;
        }
        before += 8;
    }
    VARIABLE_MAX
}

/// Reads on from where the next variable begins. Gives 1 where there is nothing more.
///
/// # Safety
/// `window` is the one in a checked map value, and this its state.
#[inline(always)]
unsafe fn another_window(env: &mut Env, window: *mut u8) -> i64 {
    // What ends with the window already would end there once more.
    if env.next == 0 && env.filled != 0 {
        return 1;
    }
    let pos = env.pos.wrapping_add(env.next);
    let left = env.end.wrapping_sub(pos);
    if pos >= env.end {
        return 1;
    }
    let read = |len: u64| {
        // SAFETY: there is room for a whole window.
        unsafe { bpf_probe_read_user(window.cast(), len as u32, pos as *const c_void) == 0 }
    };
    let mut filled = if left > WINDOW { WINDOW } else { left };
    if !read(filled) {
        // The next page is not there, as may be when memory is short.
        let border = PAGE - (pos & (PAGE - 1));
        // The second bound follows from the first for whoever compares two numbers, as the compiler does and Linux 6.1 does not.
        let known = opaque(border);
        if border >= filled || known > WINDOW || !read(known) {
            return 1;
        }
        filled = border;
    }
    (env.pos, env.filled, env.next) = (pos, filled, 0);
    0
}
