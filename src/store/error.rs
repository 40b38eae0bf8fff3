//! [`StoreError`]: all that can go wrong with a store, in words that say what to do about it. `SQLite`'s own errors are
//! told apart here into those of the environment (disk full, I/O), which pass, and those of the data, which do not.

use std::io;
use std::path::PathBuf;

/// Why a store could not be opened, written or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no file of that name, and none was to be made.
    #[error("no store at {path}: run eyas once to make it, or name another file", path = path.display())]
    Missing {
        /// The file asked for.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("cannot {doing} {path}: {source}", path = path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is something else.
    #[error("{path} is not a SQLite file: eyas leaves it alone; name another file", path = path.display())]
    NotSqlite {
        /// The file asked for.
        path: PathBuf,
    },
    /// The file is `SQLite`, but another program's.
    #[error(
        "{path} belongs to another program (SQLite application id {application_id:#010x}): eyas leaves it alone; \
         name another file",
        path = path.display()
    )]
    Foreign {
        /// The file asked for.
        path: PathBuf,
        /// The `application_id` in it.
        application_id: u32,
    },
    /// The file was written by a later eyas.
    #[error(
        "{path} has schema {found}, this eyas knows schemas up to {known}: use the newer eyas that wrote it, or name \
         another file",
        path = path.display()
    )]
    Newer {
        /// The file asked for.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema known here.
        known: u32,
    },
    /// The file was written by an earlier eyas, and reading alone does not change it.
    #[error(
        "{path} has schema {found}, reading needs {known}: let this eyas open it for writing once (eyas run), which \
         brings it up to date",
        path = path.display()
    )]
    Older {
        /// The file asked for.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The schema that reading needs.
        known: u32,
    },
    /// Another process writes to it.
    #[error(
        "{path} is being written by {holder}: stop that eyas, or name another file",
        path = path.display(),
        holder = holder(*pid)
    )]
    Held {
        /// The file asked for.
        path: PathBuf,
        /// Who holds it; `None` when the lock file does not say.
        pid: Option<u32>,
    },
    /// [`crate::Store::writer`] was called before.
    #[error("the writer of this store was handed out already: there is one")]
    WriterTaken,
    /// The writer or reader has been closed.
    #[error("the store is closed")]
    Closed,
    /// A lane that waits waited too long.
    #[error("the store's writer has been busy for too long: {last_error}")]
    Busy {
        /// What its last attempt to write met.
        last_error: String,
    },
    /// A write failed; what was to be written is kept and tried again.
    #[error("cannot write to the store: {0}")]
    Write(String),
    /// What stands in the file cannot be.
    #[error("the store is damaged: {what}")]
    Damaged {
        /// Which row, and what is wrong with it.
        what: String,
    },
    /// `SQLite` refused.
    #[error("SQLite: {0}")]
    Sqlite(#[from] sqlx::Error),
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

impl StoreError {
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }

    /// Whether the cause lies outside the data, so that the same write may succeed later.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Sqlite(sqlx::Error::Database(e)) => {
                let code: i32 = e.code().and_then(|c| c.parse().ok()).unwrap_or(0);
                // SQLITE_BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL: sqlite3.h 3.51.
                // The low byte is the primary code.
                matches!(code & 0xff, 5..=10 | 13..=15)
            }
            Self::Sqlite(sqlx::Error::Io(_)) | Self::Io { .. } => true,
            _ => false,
        }
    }
}
