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
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: the helper writes exactly size_of::<T> bytes, zeroes when the address is bad; T is a plain number or an
    // array of them.
    unsafe {
        bpf_probe_read_kernel(value.as_mut_ptr().cast(), size_of::<T>() as u32, address as *const c_void);
        value.assume_init()
    }
}

/// The first bytes of a kernel struct, read in one go: a helper call costs more than the bytes it copies.
pub struct Window<const WORDS: usize> {
    base: u64,
    words: MaybeUninit<[u64; WORDS]>,
}

impl<const WORDS: usize> Window<WORDS> {
    /// How many bytes it shows.
    pub const BYTES: u64 = WORDS as u64 * 8;

    /// A window onto nothing yet. It is filled in place, since to return it filled would be to copy it.
    #[inline(always)]
    pub fn new() -> Self {
        Self { base: 0, words: MaybeUninit::uninit() }
    }

    /// Reads the struct at `base`, from `offset` on.
    #[inline(always)]
    pub fn read(&mut self, base: u64, offset: u64) -> &Self {
        self.base = base.wrapping_add(offset);
        // SAFETY: the helper writes all the words, zeroes when the address is bad.
        unsafe {
            bpf_probe_read_kernel(
                self.words.as_mut_ptr().cast(),
                (WORDS * 8) as u32,
                self.base as *const c_void,
            );
        }
        self
    }

    /// The value so many bytes behind the window's begin; read by itself where it lies outside, as it may in another kernel.
    /// The verifier knows the number, so only one of the two ways is ever in the program.
    #[inline(always)]
    pub fn get<T: Copy>(&self, behind: u64) -> T {
        if behind as usize <= WORDS * 8 - size_of::<T>() {
            // SAFETY: within the words by the check, aligned as members of structs are, and filled by `read`.
            unsafe { self.words.as_ptr().cast::<u8>().add(behind as usize).cast::<T>().read() }
        } else {
            kernel(self.base.wrapping_add(behind))
        }
    }
}

/// A user-space value; `None` where it cannot be read.
#[inline(always)]
pub fn user<T: Copy>(address: u64) -> Option<T> {
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: as in `kernel`.
    unsafe {
        let failed =
            bpf_probe_read_user(value.as_mut_ptr().cast(), size_of::<T>() as u32, address as *const c_void);
        (failed == 0).then(|| value.assume_init())
    }
}
