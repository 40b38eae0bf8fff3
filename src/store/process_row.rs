//! Processes as rows. [`ProcessRows`] finds or makes the row of a process for the writer: a value that is stored already
//! is not stored again, and a value that differs in anything gets a row of its own, so reading gives back exactly what was
//! written.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use eyas_event::process::ProcessFlags;
use eyas_event::{BootTime, Process, ProcessKey};
use rustc_hash::FxHashMap;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::cells::Cells;
use crate::error::StoreError;
use crate::rows::to_sql;

/// Processes whose rows the writer remembers. Beyond it forgets all and asks the file again; 8,192 at about 600
/// bytes each are 5 MB.
const REMEMBERED: usize = 8_192;

macro_rules! columns {
    () => {
        "pid, start, exec_time, started, parent_pid, parent_start, comm, exe_path, filename, argv, cwd, uid, gid, euid, egid, \
         loginuid, audit_session, tty, sid, pgid, vpid, vpgid, pid_ns, cgroup, container, cap_effective, exe_dev, \
         exe_ino, flags, cap_permitted, cap_inheritable, exe_ctime, exe_mtime"
    };
}

const INSERT: &str = concat!(
    "INSERT INTO processes (boot, ",
    columns!(),
    ") VALUES (?, ?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
);
const SAME_KEY: &str = concat!(
    "SELECT id, ",
    columns!(),
    " FROM processes WHERE boot = ? AND pid = ? AND start = ? AND exec_time = ?"
);
/// Rows by a JSON array of their ids.
pub(crate) const BY_IDS: &str =
    concat!("SELECT id, ", columns!(), " FROM processes WHERE id IN (SELECT value FROM json_each(?))");

/// A process in a boot; a few values of it at most.
type Slot = (i64, ProcessKey, BootTime);

/// Which rows the stored processes have.
#[derive(Debug, Default)]
pub(crate) struct ProcessRows {
    known: FxHashMap<Slot, Vec<(Arc<Process>, i64)>>,
}

impl ProcessRows {
    /// Forgets what it knows: after a rollback its newest rows are not there.
    pub(crate) fn forget(&mut self) {
        self.known.clear();
    }

    /// The row of a process, made if it is not there yet.
    pub(crate) async fn row(
        &mut self,
        conn: &mut SqliteConnection,
        boot: i64,
        process: &Arc<Process>,
    ) -> Result<i64, StoreError> {
        let slot = (boot, process.key, process.exec_time);
        if self.known.len() > REMEMBERED {
            self.known.clear();
        }
        let values = match self.known.entry(slot) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(stored(conn, boot, process).await?),
        };
        let same = values.iter().find(|(value, _)| Arc::ptr_eq(value, process) || value == process);
        if let Some((_, id)) = same {
            return Ok(*id);
        }
        let id = insert(conn, boot, process).await?;
        values.push((Arc::clone(process), id));
        Ok(id)
    }
}

async fn stored(
    conn: &mut SqliteConnection,
    boot: i64,
    like: &Process,
) -> Result<Vec<(Arc<Process>, i64)>, StoreError> {
    let rows = sqlx::query(SAME_KEY)
        .bind(boot)
        .bind(i64::from(like.key.pid))
        .bind(to_sql(like.key.start))
        .bind(to_sql(like.exec_time.0))
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| decode(row).map(|(id, process)| (process, id))).collect()
}

async fn insert(conn: &mut SqliteConnection, boot: i64, p: &Process) -> Result<i64, StoreError> {
    let done = sqlx::query(INSERT)
        .bind(boot)
        .bind(i64::from(p.key.pid))
        .bind(to_sql(p.key.start))
        .bind(to_sql(p.exec_time.0))
        .bind(to_sql(p.started.0))
        .bind(i64::from(p.parent.pid))
        .bind(to_sql(p.parent.start))
        .bind(&*p.comm)
        .bind(&*p.exe_path)
        .bind(&*p.filename)
        .bind(&*p.argv)
        .bind(&*p.cwd)
        .bind(i64::from(p.uid))
        .bind(i64::from(p.gid))
        .bind(i64::from(p.euid))
        .bind(i64::from(p.egid))
        .bind(i64::from(p.loginuid))
        .bind(i64::from(p.audit_session))
        .bind(i64::from(p.tty))
        .bind(i64::from(p.sid))
        .bind(i64::from(p.pgid))
        .bind(i64::from(p.vpid))
        .bind(i64::from(p.vpgid))
        .bind(i64::from(p.pid_ns))
        .bind(to_sql(p.cgroup))
        .bind(&*p.container)
        .bind(to_sql(p.cap_effective))
        .bind(i64::from(p.exe_dev))
        .bind(to_sql(p.exe_ino))
        .bind(i64::from(p.flags.0))
        .bind(to_sql(p.cap_permitted))
        .bind(to_sql(p.cap_inheritable))
        .bind(p.exe_ctime)
        .bind(p.exe_mtime)
        .execute(conn)
        .await?;
    Ok(done.last_insert_rowid())
}

/// Reads a row that begins with its id.
pub(crate) fn decode(row: &SqliteRow) -> Result<(i64, Arc<Process>), StoreError> {
    let id: i64 = row.try_get(0)?;
    let damaged = |e| match e {
        StoreError::Damaged { what } => StoreError::damaged(format!("process row {id}: {what}")),
        e => StoreError::damaged(format!("process row {id}: {e}")),
    };
    decode_cells(&mut Cells::of(row)).map(|p| (id, Arc::new(p))).map_err(damaged)
}

fn decode_cells(cells: &mut Cells<'_>) -> Result<Process, StoreError> {
    let _id: i64 = cells.take()?;
    let key = ProcessKey { pid: cells.narrow()?, start: cells.bits()? };
    let exec_time = BootTime(cells.bits()?);
    // Rust evaluates the expressions as they are written: in the order of the columns.
    Ok(Process {
        key,
        exec_time,
        started: BootTime(cells.bits()?),
        parent: ProcessKey { pid: cells.narrow()?, start: cells.bits()? },
        comm: cells.bytes()?,
        exe_path: cells.bytes()?,
        filename: cells.bytes()?,
        argv: cells.bytes()?,
        cwd: cells.bytes()?,
        uid: cells.narrow()?,
        gid: cells.narrow()?,
        euid: cells.narrow()?,
        egid: cells.narrow()?,
        loginuid: cells.narrow()?,
        audit_session: cells.narrow()?,
        tty: cells.narrow()?,
        sid: cells.narrow()?,
        pgid: cells.narrow()?,
        vpid: cells.narrow()?,
        vpgid: cells.narrow()?,
        pid_ns: cells.narrow()?,
        cgroup: cells.bits()?,
        container: cells.take::<&str>()?.into(),
        cap_effective: cells.bits()?,
        exe_dev: cells.narrow()?,
        exe_ino: cells.bits()?,
        flags: ProcessFlags(cells.narrow()?),
        cap_permitted: cells.bits()?,
        cap_inheritable: cells.bits()?,
        exe_ctime: cells.take()?,
        exe_mtime: cells.take()?,
        env: Box::default(),
        namespace_started: BootTime(0),
        usage: None,
    })
}
