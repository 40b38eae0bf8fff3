//! How a command ends when it does not end well: an exit code and a text for people.

use std::fmt;

/// The exit codes that eyas promises.
pub(crate) mod code {
    /// There was something to find: a rule file with errors, a test that failed.
    pub(crate) const FINDINGS: u8 = 1;
    /// Wrong usage, or an environment in which it cannot work.
    pub(crate) const ENVIRONMENT: u8 = 2;
    /// Our bug.
    pub(crate) const BUG: u8 = 3;
}

/// An end with an exit code.
#[derive(Debug)]
pub(crate) struct Fail {
    pub(crate) code: u8,
    pub(crate) text: String,
}

impl Fail {
    /// Wrong usage, or an environment in which it cannot work.
    pub(crate) fn environment(text: impl fmt::Display) -> Self {
        Self { code: code::ENVIRONMENT, text: text.to_string() }
    }

    /// Findings, which have been printed already.
    pub(crate) fn findings() -> Self {
        Self { code: code::FINDINGS, text: String::new() }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Fail {
    fn from(error: E) -> Self {
        // A closed pipe is how `eyas … | head` ends: nothing is wrong.
        let error: anyhow::Error = error.into();
        let closed = error
            .downcast_ref::<std::io::Error>()
            .is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe);
        if closed {
            return Self { code: 0, text: String::new() };
        }
        Self { code: code::ENVIRONMENT, text: format!("{error:#}") }
    }
}

/// What a command returns.
pub(crate) type Outcome = Result<(), Fail>;
