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
    /// Of an environment whose variables each end with a NUL those among these, separated by blanks. Capitals and small letters make no
    /// difference, as in the sensor.
    pub(crate) fn write_of(&self, environment: &[u8], out: &mut Vec<u8>) {
        let begin = out.len();
        for variable in environment.split(|byte| *byte == 0) {
            let Some(end) = variable.iter().position(|byte| *byte == b'=') else { continue };
            if self.has(&variable[..end]) {
                if out.len() > begin {
                    out.push(b' ');
                }
                out.extend_from_slice(variable);
            }
        }
    }

    /// The same of a text in which blanks separate variables, and may be in their values. A variable reaches to the next `NAME=`.
    pub fn of_text(&self, text: &[u8]) -> Vec<u8> {
        let mut kept: Vec<&[u8]> = Vec::new();
        let mut keeps = false;
        for word in text.split(|byte| *byte == b' ') {
            let letter = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            let name = word.iter().position(|byte| *byte == b'=').map(|end| &word[..end]);
            if let Some(name) = name.filter(|name| !name.is_empty() && name.iter().all(letter)) {
                keeps = self.has(name);
            }
            if keeps {
                kept.push(word);
            }
        }
        kept.join(&b' ')
    }

    fn has(&self, name: &[u8]) -> bool {
        self.0.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
    }

    /// An environment of which these keep their values, and others, where they are set, their names alone. As in the sensor, capitals
    /// and small letters make no difference. Variables are `NAME=value`, each with a NUL behind it.
    pub fn keep(&self, environment: &[u8]) -> Vec<u8> {
        let mut kept = Vec::with_capacity(environment.len());
        for variable in environment.split_inclusive(|byte| *byte == 0) {
            let name = variable.split(|byte| matches!(*byte, b'=' | 0)).next().unwrap_or_default();
            if self.has(name) {
                kept.extend_from_slice(variable);
            } else if !name.is_empty() {
                kept.extend_from_slice(name);
                kept.push(0);
            }
        }
        kept
    }
}

/// What an environment says of a variable.
pub(crate) enum Looked<'e> {
    /// It has this value.
    Set(&'e [u8]),
    /// It is not set.
    Unset,
    /// It was set, and to what is not known any more: a recording keeps the names alone of what no output prints.
    Forgotten,
}

/// Looks for a variable in an environment whose variables each end with a NUL.
pub(crate) fn look<'e>(environment: &'e [u8], name: &str) -> Looked<'e> {
    for variable in environment.split(|byte| *byte == 0) {
        match variable.strip_prefix(name.as_bytes()) {
            Some([]) if !name.is_empty() => return Looked::Forgotten,
            Some([b'=', value @ ..]) => return Looked::Set(value),
            _ => {}
        }
    }
    Looked::Unset
}
