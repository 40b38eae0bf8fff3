//! [`Variables`]: the names of environment variables that rules ask for. No other variable leaves the kernel half.

use std::sync::Arc;

/// Names of variables, sorted, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(Arc<[Box<[u8]>]>);

impl Variables {
    /// How many the sensor can look for. Names that differ in capitals and small letters are one.
    pub const MAX: usize = 256;
    /// The longest name that it can look for, bytes.
    pub const NAME_MAX: usize = 64;

    /// The names.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|name| &**name)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those in either.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        self.0.iter().chain(other.0.iter()).cloned().collect()
    }
}

impl FromIterator<Box<[u8]>> for Variables {
    fn from_iter<I: IntoIterator<Item = Box<[u8]>>>(names: I) -> Self {
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort_unstable();
        names.dedup();
        Self(names.into())
    }
}

impl Variables {
    /// Those of an environment that are among these: `NAME=value`, each with a NUL behind it. As in the sensor, capitals and small
    /// letters make no difference.
    pub fn of<'e>(&self, environment: &'e [u8]) -> impl Iterator<Item = &'e [u8]> {
        environment.split_inclusive(|byte| *byte == 0).filter(|variable| {
            let name = variable.split(|byte| *byte == b'=').next().unwrap_or_default();
            self.0.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
        })
    }
}

/// The value of a variable in an environment whose variables each end with a NUL.
pub(crate) fn value<'e>(environment: &'e [u8], name: &str) -> Option<&'e [u8]> {
    let mut variables = environment.split(|byte| *byte == 0);
    variables.find_map(|variable| variable.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}
