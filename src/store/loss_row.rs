//! Losses as rows. What goes on is one row that grows, for some seconds: a flood must not become thousands of rows.

use std::sync::Arc;

use eyas_event::{BlindRules, BootTime, Loss, LossCause, LossMaker, Lost, LostBy, ProcessKey, WallTime};
use rustc_hash::FxHashMap;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::cells::Cells;
use crate::error::StoreError;
use crate::rows::{RunId, StoredLoss, to_sql};

/// All losses, in the order in which they were noted.
pub(crate) const ALL: &str = "SELECT run, lost, cause, count, from_boot, to_boot, from_wall, to_wall, cpu, pid, start, comm, \
    rules FROM losses LEFT JOIN blind_rules ON blind_rules.id = blind ORDER BY losses.id";

/// A row grows no longer than this.
const LONGEST_NS: u64 = 10_000_000_000;

/// Losses with the same in all of this may be one row.
type Sort = (Lost, LossCause, LostBy, Option<i64>);

/// The rows that may still grow.
#[derive(Debug, Default)]
pub(crate) struct LossRows {
    growing: FxHashMap<Sort, Growing>,
}

#[derive(Clone, Copy, Debug)]
struct Growing {
    row: i64,
    from: BootTime,
    to: BootTime,
}

impl LossRows {
    /// Forgets all rows: a transaction was rolled back.
    pub(crate) fn forget(&mut self) {
        self.growing.clear();
    }

    /// Stores a loss: as a row, or in the row of the one that it follows without a gap.
    pub(crate) async fn write(
        &mut self,
        conn: &mut SqliteConnection,
        run: RunId,
        (loss, blind): (&Loss, &BlindRules),
        (from_wall, to_wall): (WallTime, WallTime),
    ) -> Result<(), StoreError> {
        let blind = match blind {
            Some(rules) => Some(blind_id(conn, rules).await?),
            None => None,
        };
        self.growing.retain(|_, growing| loss.from.0.saturating_sub(growing.to.0) < LONGEST_NS);
        let sort = (loss.lost, loss.cause, loss.by, blind);
        if let Some(growing) = self.growing.get_mut(&sort)
            && growing.to == loss.from
            && loss.to.0.saturating_sub(growing.from.0) <= LONGEST_NS
            && loss.count > 0
        {
            sqlx::query("UPDATE losses SET count = count + ?, to_boot = ?, to_wall = ? WHERE id = ?")
                .bind(to_sql(loss.count))
                .bind(to_sql(loss.to.0))
                .bind(to_sql(to_wall.0))
                .bind(growing.row)
                .execute(conn)
                .await?;
            growing.to = loss.to;
            return Ok(());
        }
        let row = insert(conn, run, loss, blind, (from_wall, to_wall)).await?;
        if loss.count > 0 {
            self.growing.insert(sort, Growing { row, from: loss.from, to: loss.to });
        }
        Ok(())
    }
}

/// The number of a list of rules, which is stored when it is new.
async fn blind_id(conn: &mut SqliteConnection, rules: &[Arc<str>]) -> Result<i64, StoreError> {
    let names: Vec<&str> = rules.iter().map(|name| &**name).collect();
    let text = serde_json::to_string(&names).map_err(|e| StoreError::Write(e.to_string()))?;
    sqlx::query("INSERT INTO blind_rules (rules) VALUES (?) ON CONFLICT DO NOTHING")
        .bind(&*text)
        .execute(&mut *conn)
        .await?;
    let id = sqlx::query_scalar("SELECT id FROM blind_rules WHERE rules = ?").bind(&*text).fetch_one(conn);
    Ok(id.await?)
}

/// Stores a loss of any run as a row of its own; gives the row's number.
pub(crate) async fn insert(
    conn: &mut SqliteConnection,
    run: RunId,
    loss: &Loss,
    blind: Option<i64>,
    (from_wall, to_wall): (WallTime, WallTime),
) -> Result<i64, StoreError> {
    let process = loss.by.process;
    let done = sqlx::query(
        "INSERT INTO losses (run, lost, cause, count, from_boot, to_boot, from_wall, to_wall, cpu, pid, start, comm, blind) \
         VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
    )
    .bind(run.0)
    .bind(i64::from(loss.lost.code()))
    .bind(i64::from(loss.cause.code()))
    .bind(to_sql(loss.count))
    .bind(to_sql(loss.from.0))
    .bind(to_sql(loss.to.0))
    .bind(to_sql(from_wall.0))
    .bind(to_sql(to_wall.0))
    .bind(loss.by.cpu.map(i64::from))
    .bind(process.map(|process| i64::from(process.key.pid)))
    .bind(process.map(|process| to_sql(process.key.start)))
    .bind(process.map(|process| process.name().to_vec()))
    .bind(blind)
    .execute(conn)
    .await?;
    Ok(done.last_insert_rowid())
}

/// A row of [`ALL`].
pub(crate) fn decode(row: &SqliteRow) -> Result<StoredLoss, StoreError> {
    let mut cells = Cells::of(row);
    let run = RunId(cells.take()?);
    let lost = Lost::from_code(cells.narrow()?);
    let code: u16 = cells.narrow()?;
    let cause = LossCause::from_code(code).ok_or_else(|| {
        StoreError::damaged(format!("a loss has cause {code}, which this eyas does not know"))
    })?;
    let count = cells.bits()?;
    let (from, to) = (BootTime(cells.bits()?), BootTime(cells.bits()?));
    let (from_wall, to_wall) = (WallTime(cells.bits()?), WallTime(cells.bits()?));
    let narrow = |n: i64| StoreError::damaged(format!("a loss was made on processor or by process {n}"));
    let cpu = cells.take::<Option<i64>>()?.map(|n| u16::try_from(n).map_err(|_| narrow(n))).transpose()?;
    let pid = cells.take::<Option<i64>>()?.map(|n| u32::try_from(n).map_err(|_| narrow(n))).transpose()?;
    let (start, name) = (cells.take::<Option<i64>>()?, cells.take::<Option<&[u8]>>()?);
    let process = pid.map(|pid| {
        let mut comm = [0; 16];
        for (into, byte) in comm.iter_mut().zip(name.unwrap_or_default()) {
            *into = *byte;
        }
        LossMaker { key: ProcessKey { pid, start: start.unwrap_or_default().cast_unsigned() }, comm }
    });
    let blind = cells.take::<Option<&str>>()?.map(serde_json::from_str::<Vec<Box<str>>>).transpose();
    let blind = blind.map_err(|e| StoreError::damaged(format!("the rules of a loss: {e}")))?;
    let blind = blind.map(|names| names.into_iter().map(Arc::from).collect());
    let loss = Loss { lost, cause, by: LostBy { cpu, process }, count, from, to };
    Ok(StoredLoss { run, loss, blind, from_wall, to_wall })
}
