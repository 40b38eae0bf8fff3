//! How a command ends when it does not end well: an exit code and a text for people.

use std::fmt;
use std::path::Path;

use eyas_store::StoreError;

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

    /// A store that cannot be read: its file is named, also where the error does not.
    pub(crate) fn store(path: &Path, error: &StoreError) -> Self {
        Self::environment(store_text(path, error))
    }

    /// Findings, which have been printed already.
    pub(crate) fn findings() -> Self {
        Self { code: code::FINDINGS, text: String::new() }
    }
}

/// What is wrong with a store, with its file's name.
pub(crate) fn store_text(path: &Path, error: &StoreError) -> String {
    match error {
        StoreError::Sqlite(_) | StoreError::Damaged { .. } => {
            let text = error.to_string();
            let hint = if text.contains("malformed") {
                "\n  move the file away and eyas makes a new one; `sqlite3 FILE .recover` saves what can still be read"
            } else {
                ""
            };
            format!("{}: {text}{hint}", path.display())
        }
        named => named.to_string(),
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
