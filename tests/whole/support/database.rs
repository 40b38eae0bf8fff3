//! [`Database`]: a store's file opened with plain SQL, past eyas's own code, so that a mistake there cannot hide itself.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions, Row, SqliteConnection};
use tokio::runtime::Runtime;

/// A connection that only reads.
pub(crate) struct Database {
    runtime: Runtime,
    connection: SqliteConnection,
}

impl Database {
    pub(crate) fn open(path: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        let connection = runtime.block_on(options.connect()).unwrap();
        Self { runtime, connection }
    }

    /// All rows of a query.
    pub(crate) fn rows(&mut self, sql: &'static str) -> Vec<SqliteRow> {
        self.runtime.block_on(sqlx::query(sql).fetch_all(&mut self.connection)).unwrap()
    }

    /// The first column of all rows.
    pub(crate) fn column<T>(&mut self, sql: &'static str) -> Vec<T>
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        self.rows(sql).iter().map(|row| row.get(0)).collect()
    }
}
