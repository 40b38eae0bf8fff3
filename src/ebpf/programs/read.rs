//! How the programs read kernel and user memory, and the constants that the loader sets.
//!
//! Two ways: *typed* loads through pointers whose type the verifier knows (cheap: one instruction), and probe reads of
//! any address (a helper call each). Both give zero where there is no memory.

use core::ffi::c_void;
use core::mem::MaybeUninit;

use aya_ebpf::helpers::generated::{bpf_probe_read_kernel, bpf_probe_read_user};
use eyas_ebpf::Offsets;

/// Kernel struct offsets of the running kernel.
#[unsafe(no_mangle)]
pub static OFFSETS: Offsets = Offsets::ZERO;

/// Reads one constant that the loader set. The map behind it is frozen, so the verifier sees the number itself.
macro_rules! constant {
    ($place:expr) => {
        $crate::programs::read::get(&raw const $place)
    };
}
pub(crate) use constant;

/// What [`constant`] stands for.
#[inline(always)]
pub fn get<T: Copy>(place: *const T) -> T {
    // SAFETY: only called with the address of a static; volatile, since its value in the object is not the one at run
    // time.
    unsafe { place.read_volatile() }
}

/// One offset.
macro_rules! off {
    ($field:ident) => {
        u64::from($crate::programs::read::constant!($crate::programs::read::OFFSETS.$field))
    };
}
pub(crate) use off;

/// A pointer to a kernel struct whose type the verifier knows.
pub type Typed = *const u8;

/// A typed load of the member at `offset`.
#[inline(always)]
pub fn load<T: Copy>(base: Typed, offset: u64) -> T {
    // SAFETY: the verifier accepts the load only when `base` is a typed pointer whose struct has such a member there,
    // and the kernel makes a faulting load give zero.
    unsafe { base.add(offset as usize).cast::<T>().read() }
}

/// A kernel value at any address; zero where it cannot be read.
#[inline(always)]
pub fn kernel<T: Copy>(address: u64) -> T {
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: the helper writes exactly size_of::<T> bytes, zeroes when the address is bad; T is a plain number or an
    // array of them.
    unsafe {
        bpf_probe_read_kernel(value.as_mut_ptr().cast(), size_of::<T>() as u32, address as *const c_void);
        value.assume_init()
    }
}

/// A user-space value; `None` where it cannot be read.
#[inline(always)]
pub fn user<T: Copy>(address: u64) -> Option<T> {
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: as in `kernel`.
    unsafe {
        let failed =
            bpf_probe_read_user(value.as_mut_ptr().cast(), size_of::<T>() as u32, address as *const c_void);
        (failed == 0).then(|| value.assume_init())
    }
}
