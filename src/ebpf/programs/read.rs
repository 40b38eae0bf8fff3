//! How the programs read kernel and user memory, and the constants that the loader sets.
//!
//! Three ways: *typed* loads through pointers whose type the verifier knows (cheap: one instruction); of any address,
//! *plain* loads where the kernel lets a program have them (as cheap), and probe reads elsewhere (a helper call each).
//! All give zero where there is no memory.

use core::arch::asm;
use core::ffi::c_void;
use core::mem::MaybeUninit;

use aya_ebpf::helpers::generated::{bpf_probe_read_kernel, bpf_probe_read_user};
use eyas_ebpf::{CAST_SLOT, MEMBER_SLOT, VALUE_SLOT, value::PLAIN_LOADS};

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

/// A number that the loader has put into the program, by its index: its lowest 32 bits count.
#[inline(always)]
pub fn value<const INDEX: usize>() -> u64 {
    let number: u64;
    // SAFETY: sets a register and nothing else.
    unsafe {
        asm!(
            "{number} = {slot}",
            number = out(reg) number,
            slot = const (VALUE_SLOT + INDEX as u32) as i32,
            options(pure, nomem, nostack),
        );
    }
    number
}

/// One offset.
macro_rules! off {
    ($field:ident) => {
        $crate::programs::read::value::<{ core::mem::offset_of!(eyas_ebpf::Offsets, $field) / 4 }>()
    };
}
pub(crate) use off;

/// The member of a struct that has such a pointer: like [`load`] of its offset, in one instruction.
macro_rules! member {
    ($base:expr, $field:ident) => {
        $crate::programs::read::member!($base, $field, _)
    };
    ($base:expr, $field:ident, $type:ty) => {
        $crate::programs::read::load_member::<{ core::mem::offset_of!(eyas_ebpf::Offsets, $field) / 4 }, $type>($base)
    };
}
pub(crate) use member;

/// What the pointer in a member of such a struct points to, to load through in turn; with more members, one behind the other.
macro_rules! follow {
    ($base:expr, $first:ident $(, $next:ident)*) => {{
        let at = $crate::programs::read::follow_typed::<{ core::mem::offset_of!(eyas_ebpf::Offsets, $first) / 4 }>($base);
        $(let at = $crate::programs::read::follow_on::<{ core::mem::offset_of!(eyas_ebpf::Offsets, $next) / 4 }>(at);)*
        at
    }};
}
pub(crate) use follow;

/// Whether this kernel has the member that an offset is for.
macro_rules! has {
    ($field:ident) => {
        $crate::programs::read::off!($field) as u32 != eyas_ebpf::Offsets::ABSENT
    };
}
pub(crate) use has;

/// A pointer to a kernel struct whose type the verifier knows.
pub type Typed = *const u8;

/// A typed load of the member at `offset`, or a plain one.
#[inline(always)]
pub fn load<T: Copy>(base: Typed, offset: u64) -> T {
    if cfg!(feature = "older") {
        // There the running task is a number like any other.
        return kernel((base as u64).wrapping_add(offset));
    }
    // SAFETY: the verifier accepts the load only when `base` is a typed pointer whose struct has such a member there, or
    // comes from `plain`, and the kernel makes a faulting load give zero.
    unsafe { base.add(offset as usize).cast::<T>().read() }
}

/// What [`member!`] stands for: the loader puts the offset into the instruction.
#[inline(always)]
pub fn load_member<const INDEX: usize, T: Copy>(base: Typed) -> T {
    if cfg!(feature = "older") {
        return kernel((base as u64).wrapping_add(value::<INDEX>()));
    }
    let word: u64;
    macro_rules! load {
        ($read:literal) => {
            asm!(
                $read,
                word = out(reg) word,
                base = in(reg) base,
                slot = const (MEMBER_SLOT + INDEX as u16) as i16,
                options(pure, readonly, nostack),
            )
        };
    }
    // SAFETY: as in `load`. The
    // word holds the value in its lowest bytes, where a little-endian machine looks for it.
    unsafe {
        match size_of::<T>() {
            8 => load!("{word} = *(u64 *)({base} + {slot})"),
            4 => load!("{word} = *(u32 *)({base} + {slot})"),
            2 => load!("{word} = *(u16 *)({base} + {slot})"),
            _ => {
                const { assert!(matches!(size_of::<T>(), 1 | 2 | 4 | 8)) }
                load!("{word} = *(u8 *)({base} + {slot})")
            }
        }
        core::mem::transmute_copy(&word)
    }
}

/// Whether [`plain`] may be used: whether the loader has put the call into its place.
#[inline(always)]
pub fn has_plain_loads() -> bool {
    !cfg!(feature = "older") && value::<PLAIN_LOADS>() != 0
}

/// A pointer to this address that the verifier lets one load through, whatever is there.
///
/// It comes from the kernel's `bpf_rdonly_cast` with no type given (Linux 6.17, kernel/bpf/verifier.c), which the
/// verifier replaces by a move. No toolchain makes calls of such functions from Rust, so the object has an
/// instruction of the same size in its place, and the loader puts the call there; elsewhere the verifier never gets here.
#[inline(always)]
fn plain(address: u64) -> Typed {
    let pointer: u64;
    // SAFETY: the call takes r1 and r2, gives r0, may spoil r1 to r5, and touches no memory.
    unsafe {
        asm!(
            "r0 = {slot}",
            slot = const CAST_SLOT as i32,
            out("r0") pointer,
            inout("r1") address => _,
            inout("r2") 0_u64 => _,
            out("r3") _,
            out("r4") _,
            out("r5") _,
            options(pure, nomem, nostack),
        );
    }
    pointer as Typed
}

/// The first step of [`follow!`]. With plain loads the pointer has no type on the way: of one that it has loaded from a struct,
/// the verifier asks how far it is to be trusted by looking a name up among all the types of the kernel, one after another, and does so
/// three times each time that it comes by (Linux 6.18, `btf_nested_type_is_trusted`).
#[inline(always)]
pub fn follow_typed<const INDEX: usize>(base: Typed) -> Typed {
    follow_on::<INDEX>(if has_plain_loads() { plain(base as u64) } else { base })
}

/// A further step, from where one has led.
#[inline(always)]
pub fn follow_on<const INDEX: usize>(base: Typed) -> Typed {
    if has_plain_loads() {
        return plain(load_member::<INDEX, u64>(base));
    }
    load_member::<INDEX, Typed>(base)
}

/// A kernel value at any address; zero where it cannot be read.
#[inline(always)]
pub fn kernel<T: Copy>(address: u64) -> T {
    // What is larger would be loaded byte by byte.
    if has_plain_loads() && size_of::<T>() <= 8 {
        return load(plain(address), 0);
    }
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: the helper writes exactly size_of::<T> bytes, zeroes when the address is bad; T is a plain number or an
    // array of them.
    unsafe {
        bpf_probe_read_kernel(value.as_mut_ptr().cast(), size_of::<T>() as u32, address as *const c_void);
        value.assume_init()
    }
}

/// The first bytes of a kernel struct. Where a read takes a helper call they are read in one go, since the call costs more
/// than the bytes it copies; with plain loads each is loaded when it is asked for.
pub struct Window<const WORDS: usize> {
    /// The address that it begins at; with plain loads, a pointer that may be loaded through.
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
        if has_plain_loads() {
            self.base = plain(self.base) as u64;
            return self;
        }
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
    /// The verifier knows the number, so only one of the ways is ever in the program.
    #[inline(always)]
    pub fn get<T: Copy>(&self, behind: u64) -> T {
        if has_plain_loads() {
            load(self.base as Typed, behind)
        } else if behind as usize <= WORDS * 8 - size_of::<T>() {
            // SAFETY: within the words by the check, aligned as members of structs are, and filled by `read`.
            unsafe { self.words.as_ptr().cast::<u8>().add(behind as usize).cast::<T>().read() }
        } else {
            kernel(self.base.wrapping_add(behind))
        }
    }
}

/// The same number, of which the compiler knows nothing: it would leave out a mask that it can tell is needless, and the verifier
/// may see a need for it. Before Linux 6.10 that forgets all about what it combines by `|` or `^`.
#[inline(always)]
pub fn opaque(mut number: u64) -> u64 {
    // SAFETY: a register is moved into itself. Without an instruction, two lines of the source would begin at one place, which
    // the kernel refuses.
    unsafe { asm!("{0} = {0}", inout(reg) number, options(pure, nomem, nostack)) };
    number
}

/// The same number, of which the verifier knows nothing: it does not see that the second noise takes the first away. It walks
/// what follows once for all that a number may be, where it would walk it once for each that it knows it to be.
#[inline(always)]
pub fn unknown(mut number: u64, noise: u64) -> u64 {
    // SAFETY: changes a register and nothing else.
    unsafe {
        asm!(
            "{number} ^= {noise}",
            "{number} ^= {noise}",
            number = inout(reg) number,
            noise = in(reg) noise,
            options(pure, nomem, nostack),
        );
    }
    number
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
