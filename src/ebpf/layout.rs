//! How a fixed part of a record is declared: one list gives the `repr(C)` struct that the kernel half fills, the
//! checks on its size and offsets at compile time, and a reader and writer that go field by field.
//!
//! Everything is little-endian; there is no hidden padding, so a struct and its bytes hold the same.

/// Where encoded bytes go. A `Vec<u8>` is one; so is anything that can be extended by bytes.
pub trait Sink {
    /// Appends `bytes`.
    fn put(&mut self, bytes: &[u8]);
}

impl<E: for<'a> Extend<&'a u8>> Sink for E {
    fn put(&mut self, bytes: &[u8]) {
        self.extend(bytes);
    }
}

/// A value with one fixed little-endian form.
pub(crate) trait Plain: Copy {
    /// Reads it at `at`; `None` when the bytes end before it does.
    fn get(bytes: &[u8], at: usize) -> Option<Self>;
    /// Writes it.
    fn put(self, sink: &mut impl Sink);
}

macro_rules! plain_numbers { ($($t:ty),*) => { $(
    impl Plain for $t {
        fn get(bytes: &[u8], at: usize) -> Option<Self> {
            bytes.get(at..)?.first_chunk().map(|chunk| <$t>::from_le_bytes(*chunk))
        }
        fn put(self, sink: &mut impl Sink) {
            sink.put(&self.to_le_bytes());
        }
    }
)* } }
plain_numbers!(u16, u32, u64, i32, i64);

impl Plain for [u8; 16] {
    fn get(bytes: &[u8], at: usize) -> Option<Self> {
        bytes.get(at..)?.first_chunk().copied()
    }
    fn put(self, sink: &mut impl Sink) {
        sink.put(&self);
    }
}

/// A set of named bits in a number.
macro_rules! bits {
    ($(#[$meta:meta])* pub struct $name:ident: $t:ty { $($(#[$bm:meta])* $bit:ident = $value:expr,)* }) => {
        $(#[$meta])*
        #[repr(transparent)]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $name(pub $t);

        impl $name {
            $($(#[$bm])* pub const $bit: Self = Self($value);)*

            /// Whether every bit of `other` is set.
            pub const fn has(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// These bits and those of `other`.
            #[must_use]
            pub const fn with(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }

        impl $crate::layout::Plain for $name {
            fn get(bytes: &[u8], at: usize) -> Option<Self> {
                $crate::layout::Plain::get(bytes, at).map(Self)
            }
            fn put(self, sink: &mut impl $crate::Sink) {
                $crate::layout::Plain::put(self.0, sink);
            }
        }
    };
}

/// A fixed part: `pub struct Name [SIZE] { field: type = OFFSET, … }`.
macro_rules! layout {
    ($(#[$meta:meta])* pub struct $name:ident [$size:literal] {
        $($(#[$fm:meta])* $field:ident: $t:ty = $at:literal,)*
    }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name { $($(#[$fm])* pub $field: $t,)* }

        // The sum of the fields equals the whole: the compiler added no padding of its own.
        const _: () = {
            assert!(size_of::<$name>() == $size);
            assert!(0 $(+ size_of::<$t>())* == $size);
            $(assert!(core::mem::offset_of!($name, $field) == $at);)*
        };

        impl $name {
            /// Bytes it takes.
            pub const SIZE: usize = $size;

            /// Reads it off the front of `bytes` and gives the rest.
            pub fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
                let (own, rest) = bytes.split_at_checked(Self::SIZE)?;
                Some((Self { $($field: $crate::layout::Plain::get(own, $at)?),* }, rest))
            }

            /// Writes it.
            pub(crate) fn put(&self, sink: &mut impl $crate::Sink) {
                $($crate::layout::Plain::put(self.$field, sink);)*
            }
        }
    };
}
