//! [`Pen`]: the one write connection, and how a batch of entries becomes one transaction. It either writes all of a batch
//! or nothing; what to do then is the writer thread's business.

use std::sync::Arc;

use eyas_event::{Alert, BlindRules, Loss, Process};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, raw_sql};

use crate::alert_row::{self, Stored};
use crate::error::StoreError;
use crate::loss_row::LossRows;
use crate::process_row::ProcessRows;
use crate::retention::{self, Packed};
use crate::rows::{RulesetText, to_sql};
use crate::run::{Origin, Run};

/// One thing to be written.
#[derive(Debug)]
pub(crate) enum Entry {
    /// An alert, and the run that it belongs to: not always the present one when it was spilled.
    Alert(Origin, Arc<Alert>),
    Process(Arc<Process>),
    Ruleset(RulesetText),
    Segment(Packed),
}

/// What a commit wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) alerts: u64,
    pub(crate) alerts_before: u64,
    pub(crate) processes: u64,
    pub(crate) rulesets: u64,
    pub(crate) segments: u64,
    pub(crate) losses: u64,
}

/// The write connection of the present run.
#[derive(Debug)]
pub(crate) struct Pen {
    conn: SqliteConnection,
    pub(crate) run: Run,
    processes: ProcessRows,
    losses: LossRows,
}

impl Pen {
    pub(crate) fn new(conn: SqliteConnection, run: Run) -> Self {
        Self {
            conn,
            run,
            processes: ProcessRows::new(run.origin.boot, run.boot_begun()),
            losses: LossRows::default(),
        }
    }

    /// Writes entries and losses in one transaction, or nothing.
    pub(crate) async fn commit(
        &mut self,
        entries: &[Entry],
        losses: &[(Loss, BlindRules)],
        segment_limit_bytes: u64,
    ) -> Result<Tally, StoreError> {
        let written = self.write(entries, losses, segment_limit_bytes).await;
        if written.is_err() {
            // SQLite has rolled back by itself after some errors; then this one says "no transaction", which is well.
            let _rolled_back = raw_sql("ROLLBACK").execute(&mut self.conn).await;
            self.processes.forget();
            self.losses.forget();
        }
        written
    }

    async fn write(
        &mut self,
        entries: &[Entry],
        losses: &[(Loss, BlindRules)],
        segment_limit_bytes: u64,
    ) -> Result<Tally, StoreError> {
        let mut tally = Tally::default();
        let conn = &mut self.conn;
        raw_sql("BEGIN IMMEDIATE").execute(&mut *conn).await?;
        let processes = entries.iter().filter_map(|entry| match entry {
            Entry::Process(process) => Some(process),
            _ => None,
        });
        self.processes.make(conn, processes).await?;
        for entry in entries {
            match entry {
                Entry::Alert(origin, alert) => {
                    match alert_row::insert(conn, &mut self.processes, *origin, alert).await? {
                        Stored::New => tally.alerts += 1,
                        Stored::Before => tally.alerts_before += 1,
                    }
                }
                Entry::Process(process) => {
                    self.processes.row(conn, self.run.origin.boot, process).await?;
                    tally.processes += 1;
                }
                Entry::Ruleset(ruleset) => {
                    write_ruleset(conn, ruleset).await?;
                    tally.rulesets += 1;
                }
                Entry::Segment(segment) => {
                    retention::insert(conn, &self.run, segment).await?;
                    tally.segments += 1;
                }
            }
        }
        if tally.segments > 0 {
            tally.losses += retention::trim(conn, segment_limit_bytes).await?;
        }
        for loss in losses {
            let (loss, blind) = loss;
            let span = (self.run.wall(loss.from), self.run.wall(loss.to));
            self.losses.write(conn, self.run.origin.run, (loss, blind), span).await?;
            tally.losses += 1;
        }
        self.run.note_alive(conn).await?;
        raw_sql("COMMIT").execute(&mut *conn).await?;
        Ok(tally)
    }

    /// Marks the run ended and closes the file.
    pub(crate) async fn close(mut self) -> Result<(), StoreError> {
        self.run.note_end(&mut self.conn).await?;
        // So that the file alone, without its WAL, holds everything and can be copied. A reader that is in the middle of
        // something makes this do less; that costs nothing but a larger WAL.
        let _best_effort = raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut self.conn).await;
        self.conn.close().await?;
        Ok(())
    }
}

async fn write_ruleset(conn: &mut SqliteConnection, ruleset: &RulesetText) -> Result<(), StoreError> {
    let hash = &ruleset.hash.0[..];
    let done = sqlx::query("INSERT INTO rulesets (hash, loaded_wall) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(hash)
        .bind(to_sql(ruleset.loaded.0))
        .execute(&mut *conn)
        .await?;
    if done.rows_affected() == 0 {
        return Ok(());
    }
    for (position, (name, text)) in ruleset.files.iter().enumerate() {
        sqlx::query("INSERT INTO ruleset_files (ruleset, position, name, text) VALUES (?,?,?,?)")
            .bind(hash)
            .bind(to_sql(position as u64))
            .bind(&**name)
            .bind(&**text)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}
