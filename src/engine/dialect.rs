//! Whose meaning rules have: eyas mends what Falco gets wrong by its own documentation and follows its newest release;
//! [`Dialect::FalcoExact`] answers as Falco 0.44.1 does, to the letter, for differential tests.

/// How texts are read and judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Falco's language as documented, of its newest release (engine 0.63.0), its known faults mended.
    #[default]
    Eyas,
    /// Falco 0.44.1 (engine 0.62.0) with its faults.
    FalcoExact,
}

impl Dialect {
    /// Whether it is Falco's to the letter.
    pub fn is_exact(self) -> bool {
        self == Self::FalcoExact
    }

    /// The engine version that rule files may require: major, minor, patch.
    pub fn engine_version(self) -> (u64, u64, u64) {
        match self {
            Self::Eyas => (0, 63, 0),
            Self::FalcoExact => (0, 62, 0),
        }
    }
}
