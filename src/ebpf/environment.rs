//! Which variables of an environment leave the kernel half: those whose names somebody wants. Names are compared by a hash of
//! their capitals, which both halves make here, so `http_proxy` is sent where `HTTP_PROXY` is wanted.

/// Longest name that can be wanted, bytes.
pub const NAME_MAX: usize = 64;
/// How much of one variable is sent, its NUL among it; a power of two.
pub const VARIABLE_MAX: u64 = 1024;
/// How many names may be wanted.
pub const NAMES_MAX: u32 = 256;

/// How the wanted names begin: a row for each first byte and in it a bit for each second, by their lowest five bits, which capitals
/// and small letters share. Most variables are told by it to be nobody's. The last word says whether any is wanted.
pub type Begins = [u32; 33];
/// Place of the last word of [`Begins`].
pub const ANY: usize = 32;

/// Row and bit of two first bytes.
#[inline]
pub const fn begin(first: u8, second: u8) -> (usize, u32) {
    (first as usize & 31, 1 << (second & 31))
}

/// The table for these names.
pub fn begins<'n>(names: impl IntoIterator<Item = &'n [u8]>) -> Begins {
    let mut table = [0; 33];
    for name in names {
        // Behind its name a variable has `=`.
        match *name {
            [] => table[begin(b'=', 0).0] = u32::MAX,
            [only] => table[begin(only, b'=').0] |= begin(only, b'=').1,
            [first, second, ..] => table[begin(first, second).0] |= begin(first, second).1,
        }
        table[ANY] = 1;
    }
    table
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wanted_name_is_found_by_its_begin() {
        let table = begins([&b"HTTP_PROXY"[..], b"X"]);
        let may_be = |variable: &[u8]| {
            let (row, bit) = begin(variable[0], variable[1]);
            table[row] & bit != 0
        };
        for wanted in [&b"HTTP_PROXY=1"[..], b"http_proxy=", b"hT", b"X=", b"x="] {
            assert!(may_be(wanted));
        }
        for other in [&b"HOME=/"[..], b"PATH=", b"XDG_ID=1", b"TTP=", b"=X"] {
            assert!(!may_be(other), "{other:?}");
        }
        assert_eq!((table[ANY], begins([])[ANY]), (1, 0));
        assert_eq!(begins([&b""[..]])[begin(b'=', b'a').0], u32::MAX);
    }
}
