//! Which variables of an environment leave the kernel half: those whose names somebody wants. Names are compared by a hash of
//! their capitals, which both halves make here, so `http_proxy` is sent where `HTTP_PROXY` is wanted.

/// Longest name that can be wanted, bytes.
pub const NAME_MAX: usize = 64;
/// How much of one variable is sent, its NUL among it; a power of two.
pub const VARIABLE_MAX: u64 = 1024;
/// How many names may be wanted.
pub const NAMES_MAX: u32 = 256;

/// The hash before the first byte (FNV-1a, 64 bits).
pub const SEED: u64 = 0xcbf2_9ce4_8422_2325;

/// The hash with one more byte of a name.
#[inline]
pub const fn with(hash: u64, byte: u8) -> u64 {
    let capital = if byte >= b'a' && byte <= b'z' { byte - 32 } else { byte };
    (hash ^ capital as u64).wrapping_mul(0x0100_0000_01b3)
}

/// The hash of a whole name.
pub const fn hash(name: &[u8]) -> u64 {
    let (mut hash, mut at) = (SEED, 0);
    while at < name.len() {
        hash = with(hash, name[at]);
        at += 1;
    }
    hash
}
