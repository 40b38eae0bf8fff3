//! The file: how a connection to it is made, how a file of ours is told from any other before `SQLite` touches it, and the
//! migrations, which bring an older file up to date and are only ever added. `user_version` counts them.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, raw_sql};

use crate::error::StoreError;
use crate::options::Create;

/// `application_id` of our files: the letters `eyas`.
const APPLICATION_ID: u32 = 0x6579_6173;
const SET_APPLICATION_ID: &str = "PRAGMA application_id = 0x65796173";

/// Every migration there ever was, oldest first; each sets `user_version` to its place, counted from 1.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_process.sql"),
    include_str!("migrations/0003_losses.sql"),
];

/// The schema that this program writes and reads.
pub(crate) const SCHEMA: u32 = MIGRATIONS.len() as u32;

/// How long a write waits for another process that holds the file (a backup, a `sqlite3` prompt) before it fails
/// and is tried again later.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// `<store><suffix>`.
pub(crate) fn beside(store: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(store);
    name.push(suffix);
    PathBuf::from(name)
}

/// What the first bytes of a file say about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// Nothing in it yet.
    Empty,
    /// One of ours.
    Ours,
}

/// Reads the file's header without `SQLite`, which might change a file that is not ours. The layout is section 1.3 of
/// `SQLite`'s file format; the id is written before the file goes over to WAL, so it always stands in the file itself.
pub(crate) fn header(path: &Path) -> Result<Header, StoreError> {
    let failed = |source| StoreError::Io { doing: "read", path: path.to_owned(), source };
    let mut head = Vec::with_capacity(100);
    File::open(path).map_err(failed)?.take(100).read_to_end(&mut head).map_err(failed)?;
    if head.is_empty() {
        return Ok(Header::Empty);
    }
    let id = head.get(68..72).and_then(|b| <[u8; 4]>::try_from(b).ok()).map(u32::from_be_bytes);
    match id {
        Some(_) if !head.starts_with(b"SQLite format 3\0") => {
            Err(StoreError::NotSqlite { path: path.to_owned() })
        }
        Some(APPLICATION_ID) => Ok(Header::Ours),
        Some(application_id) => Err(StoreError::Foreign { path: path.to_owned(), application_id }),
        None => Err(StoreError::NotSqlite { path: path.to_owned() }),
    }
}

/// The file's real name, so that two names of one file meet at one lock. Makes file and directories when asked to.
pub(crate) fn resolve(path: &Path, create: Create) -> Result<PathBuf, StoreError> {
    let failed = |doing, path: &Path| {
        let path = path.to_owned();
        move |source| StoreError::Io { doing, path, source }
    };
    if !path.exists() {
        if create == Create::Never {
            return Err(StoreError::Missing { path: path.to_owned() });
        }
        if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            let mut dirs = DirBuilder::new();
            dirs.recursive(true).mode(0o700).create(parent).map_err(failed("create directory", parent))?;
        }
        let mut file = File::options();
        file.create(true).append(true).mode(0o600).open(path).map_err(failed("create", path))?;
    }
    fs::canonicalize(path).map_err(failed("find", path))
}

/// Opens the file for writing and brings it up to date.
pub(crate) async fn open_writing(path: &Path) -> Result<SqliteConnection, StoreError> {
    let fresh = header(path)? == Header::Empty;
    let plain = SqliteConnectOptions::new().filename(path).busy_timeout(BUSY_TIMEOUT);
    // The first look changes nothing but a fresh file: a file of a newer schema stays as it is.
    let mut conn = SqliteConnection::connect_with(&plain).await?;
    if fresh {
        raw_sql(SET_APPLICATION_ID).execute(&mut conn).await?;
    }
    let found = user_version(&mut conn).await?;
    conn.close().await?;
    if found > SCHEMA {
        return Err(StoreError::Newer { path: path.to_owned(), found, known: SCHEMA });
    }
    let options = plain
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        // A long reader lets the WAL grow; afterwards it shrinks to this again.
        .pragma("journal_size_limit", "67108864");
    let mut conn = SqliteConnection::connect_with(&options).await?;
    for sql in MIGRATIONS.iter().skip(found as usize) {
        raw_sql("BEGIN EXCLUSIVE").execute(&mut conn).await?;
        raw_sql(*sql).execute(&mut conn).await?;
        raw_sql("COMMIT").execute(&mut conn).await?;
    }
    if found < SCHEMA {
        // So that a copy of the file without its WAL is a store too. A reader may be in the way; then it comes later.
        let _best_effort = raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut conn).await;
    }
    Ok(conn)
}

/// How readers open the file. `immutable` is for a file that nobody can be writing: `SQLite` then needs no files beside it.
pub(crate) fn reading(path: &Path, immutable: bool) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .immutable(immutable)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("query_only", "ON")
}

/// Refuses a schema that reading does not know.
pub(crate) fn check_readable(path: &Path, found: u32) -> Result<(), StoreError> {
    let path = || path.to_owned();
    match found.cmp(&SCHEMA) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(StoreError::Newer { path: path(), found, known: SCHEMA }),
        std::cmp::Ordering::Less => Err(StoreError::Older { path: path(), found, known: SCHEMA }),
    }
}

/// The number of the last migration that the file has seen.
pub(crate) async fn user_version(conn: &mut SqliteConnection) -> Result<u32, StoreError> {
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(conn).await?;
    u32::try_from(version).map_err(|_| StoreError::damaged(format!("user_version is {version}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FNV-1a, 64 bits: enough to notice a change, and no dependency.
    fn fingerprint(text: &str) -> u64 {
        text.bytes()
            .fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3))
    }

    #[test]
    fn migrations_are_only_added() {
        // A store in the field has seen these texts. Who wants another schema adds a file and a line here.
        let seen: &[u64] = &[0x63d8_3533_5e6f_7e89, 0x259f_127e_753c_668e, 0xe5b9_5e9f_aaf2_2e7b];
        let now: Vec<u64> = MIGRATIONS.iter().map(|sql| fingerprint(sql)).collect();
        assert_eq!(now, seen, "{now:#x?}");
        for (i, sql) in MIGRATIONS.iter().enumerate() {
            assert!(sql.contains(&format!("PRAGMA user_version = {};", i + 1)));
        }
    }
}
