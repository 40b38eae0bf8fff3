//! [`Run`]: one time that eyas has the store open for writing: who, where, since when, and until when it was surely alive.
//! A live run that begins notes the time that nobody watched since the one before. The clock it reads is the boot clock.

use eyas_event::{BootTime, Loss, LossCause, Lost, LostBy, WallTime};
use rustix::time::{ClockId, clock_gettime};
use sqlx::raw_sql;
use sqlx::sqlite::SqliteConnection;

use crate::error::StoreError;
use crate::loss_row;
use crate::options::OpenOptions;
use crate::rows::{RunId, RunKind, from_sql, to_sql};

/// Which run and which boot a thing belongs to: two row ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) run: RunId,
    pub(crate) boot: i64,
}

/// The run of this process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) origin: Origin,
    pub(crate) wall_offset_ns: i64,
    opened_wall: WallTime,
    opened_boot: BootTime,
}

/// This moment by the boot clock.
pub(crate) fn boot_now() -> BootTime {
    let now = clock_gettime(ClockId::Boottime);
    let seconds = now.tv_sec.cast_unsigned().saturating_mul(1_000_000_000);
    BootTime(seconds.saturating_add(now.tv_nsec.cast_unsigned()))
}

impl Run {
    /// Writes the new run, and the gap before it.
    pub(crate) async fn begin(
        conn: &mut SqliteConnection,
        options: &OpenOptions,
    ) -> Result<Self, StoreError> {
        raw_sql("BEGIN IMMEDIATE").execute(&mut *conn).await?;
        let before = last_alive(conn, options).await?;
        sqlx::query("INSERT INTO boots (boot_id) VALUES (?) ON CONFLICT DO NOTHING")
            .bind(&*options.boot_id)
            .execute(&mut *conn)
            .await?;
        let boot: i64 = sqlx::query_scalar("SELECT id FROM boots WHERE boot_id = ?")
            .bind(&*options.boot_id)
            .fetch_one(&mut *conn)
            .await?;
        let now = to_sql(options.wall_now.0);
        let inserted = sqlx::query(
            "INSERT INTO runs (kind, node, version, pid, boot, wall_offset, started_wall, last_alive_wall) \
             VALUES (?,?,?,?,?,?,?,?)",
        )
        .bind(options.kind.code())
        .bind(&*options.node)
        .bind(env!("CARGO_PKG_VERSION"))
        .bind(i64::from(std::process::id()))
        .bind(boot)
        .bind(options.wall_offset_ns)
        .bind(now)
        .bind(now)
        .execute(&mut *conn)
        .await?;
        let run = Self {
            origin: Origin { run: RunId(inserted.last_insert_rowid()), boot },
            wall_offset_ns: options.wall_offset_ns,
            opened_wall: options.wall_now,
            opened_boot: boot_now(),
        };
        if let Some(before) = before {
            run.note_gap(conn, before, options.wall_now).await?;
        }
        raw_sql("COMMIT").execute(conn).await?;
        Ok(run)
    }

    async fn note_gap(
        &self,
        conn: &mut SqliteConnection,
        before: WallTime,
        now: WallTime,
    ) -> Result<(), StoreError> {
        // A wall clock that was set back must not turn the span around.
        let from_wall = before.min(now);
        let boot_of =
            |wall: WallTime| BootTime(wall.0.saturating_add_signed(self.wall_offset_ns.saturating_neg()));
        let loss = Loss {
            lost: Lost::AnyRecords,
            cause: LossCause::NotRunning,
            by: LostBy::default(),
            count: 0,
            from: boot_of(from_wall),
            to: boot_of(now),
        };
        loss_row::insert(conn, self.origin.run, &loss, None, (from_wall, now)).await.map(drop)
    }

    /// When it began, by the boot clock.
    pub(crate) fn boot_begun(&self) -> BootTime {
        self.opened_boot
    }

    /// The wall time of this moment, by the boot clock since the store was opened.
    pub(crate) fn wall_now(&self) -> WallTime {
        WallTime(self.opened_wall.0.saturating_add(boot_now().0.saturating_sub(self.opened_boot.0)))
    }

    /// Notes that eyas is alive. Part of every commit.
    pub(crate) async fn note_alive(&self, conn: &mut SqliteConnection) -> Result<(), StoreError> {
        sqlx::query("UPDATE runs SET last_alive_wall = ? WHERE id = ?")
            .bind(to_sql(self.wall_now().0))
            .bind(self.origin.run.0)
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Notes the run's orderly end.
    pub(crate) async fn note_end(&self, conn: &mut SqliteConnection) -> Result<(), StoreError> {
        let now = to_sql(self.wall_now().0);
        sqlx::query("UPDATE runs SET last_alive_wall = ?1, ended_wall = ?1 WHERE id = ?2")
            .bind(now)
            .bind(self.origin.run.0)
            .execute(conn)
            .await?;
        Ok(())
    }

    /// The same moment on the wall, by this run.
    pub(crate) fn wall(&self, boot: BootTime) -> WallTime {
        boot.to_wall(self.wall_offset_ns)
    }
}

/// When the last live run of this node was alive last; `None` when there was none, or when the new one is not live.
async fn last_alive(
    conn: &mut SqliteConnection,
    options: &OpenOptions,
) -> Result<Option<WallTime>, StoreError> {
    if options.kind != RunKind::Live {
        return Ok(None);
    }
    let last: Option<i64> = sqlx::query_scalar(
        "SELECT coalesce(ended_wall, last_alive_wall) FROM runs WHERE kind = ? AND node = ? ORDER BY id DESC LIMIT 1",
    )
    .bind(RunKind::Live.code())
    .bind(&*options.node)
    .fetch_optional(conn)
    .await?;
    Ok(last.map(|ns| WallTime(from_sql(ns))))
}
