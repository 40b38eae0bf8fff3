//! Processes as rows. [`ProcessRows`] finds or makes the row of a process for the writer: a value that is stored already
//! is not stored again, and a value that differs in any cell gets a row of its own, so reading gives back exactly what was
//! written of it. An environment, the begin of a pid namespace and what a process used have no cells.

use std::collections::hash_map::Entry;
use std::sync::{Arc, LazyLock};

use eyas_event::process::ProcessFlags;
use eyas_event::{BootTime, Process, ProcessKey};
use rustc_hash::{FxHashMap, FxHashSet};
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Arguments, Row};

use crate::cells::Cells;
use crate::error::StoreError;
use crate::rows::to_sql;
use crate::run::boot_now;

/// Processes whose rows the writer remembers, beside those of one transaction. Beyond it forgets all and asks the file again;
/// 8,192 at about 600 bytes each are 5 MB.
const REMEMBERED: usize = 8_192;

macro_rules! columns {
    () => {
        "pid, start, exec_time, started, parent_pid, parent_start, comm, exe_path, filename, argv, cwd, uid, gid, euid, egid, \
         loginuid, audit_session, tty, sid, pgid, vpid, vpgid, pid_ns, cgroup, container, cap_effective, exe_dev, \
         exe_ino, flags, cap_permitted, cap_inheritable, exe_ctime, exe_mtime"
    };
}

const INSERT: &str = concat!("INSERT INTO processes (id, boot, ", columns!(), ") VALUES ");
const SAME_KEY: &str = concat!(
    "SELECT id, ",
    columns!(),
    " FROM processes WHERE boot = ? AND pid = ? AND start = ? AND exec_time = ?"
);
/// Rows by a JSON array of their ids.
pub(crate) const BY_IDS: &str =
    concat!("SELECT id, ", columns!(), " FROM processes WHERE id IN (SELECT value FROM json_each(?))");

/// How many rows one statement inserts, the most first: few numbers, so that each statement is prepared once.
const AT_ONCE: [usize; 4] = [128, 32, 8, 1];
/// Values of a row.
const CELLS: usize = 35;
/// The statements, each with its number of rows, in the same order.
static INSERTS: LazyLock<[(usize, String); AT_ONCE.len()]> = LazyLock::new(|| {
    let row = format!("({})", ["?"; CELLS].join(","));
    AT_ONCE.map(|rows| (rows, format!("{INSERT}{}", vec![&*row; rows].join(","))))
});

/// A process in a boot; a few values of it at most.
type Slot = (i64, ProcessKey, BootTime);

/// Which rows the stored processes have.
#[derive(Debug)]
pub(crate) struct ProcessRows {
    known: FxHashMap<Slot, Vec<(Arc<Process>, i64)>>,
    /// The present boot, and a time: nothing of it is stored that started its program later.
    boot: i64,
    newest: BootTime,
}

impl ProcessRows {
    /// For a run in that boot that began at that time.
    pub(crate) fn new(boot: i64, begun: BootTime) -> Self {
        Self { known: FxHashMap::default(), boot, newest: begun }
    }

    /// Makes the rows of those of the present boot that cannot be stored yet, many with one statement. The others wait until
    /// somebody asks for them.
    pub(crate) async fn make(
        &mut self,
        conn: &mut SqliteConnection,
        some: impl Iterator<Item = &Arc<Process>>,
    ) -> Result<(), StoreError> {
        let (boot, now) = (self.boot, boot_now());
        let (mut new, mut all) = (FxHashSet::default(), Vec::new());
        for process in some.filter(|process| process.exec_time > self.newest && process.exec_time <= now) {
            // A later value of the same one is for `row`.
            if new.insert((process.key, process.exec_time)) {
                all.push(process);
            }
        }
        self.make_room(all.len());
        self.newest = all.iter().fold(self.newest, |newest, process| newest.max(process.exec_time));
        if all.is_empty() {
            return Ok(());
        }
        // Nobody else writes.
        let mut next: i64 = sqlx::query_scalar("SELECT coalesce(max(id), 0) + 1 FROM processes")
            .fetch_one(&mut *conn)
            .await?;
        let mut left = &all[..];
        for (at_once, sql) in &*INSERTS {
            while let Some((some, rest)) = left.split_at_checked(*at_once) {
                insert(conn, sql, boot, Some(next), some).await?;
                for process in some {
                    let slot = (boot, process.key, process.exec_time);
                    self.known.entry(slot).or_default().push((Arc::clone(process), next));
                    next += 1;
                }
                left = rest;
            }
        }
        Ok(())
    }

    /// At the begin of a transaction and never within it: the rows that have just been made are asked for next.
    fn make_room(&mut self, number: usize) {
        if self.known.len() + number > REMEMBERED {
            self.known.clear();
        }
    }

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
        let values = match self.known.entry(slot) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(stored(conn, boot, process).await?),
        };
        let same =
            values.iter().find(|(value, _)| Arc::ptr_eq(value, process) || have_same_cells(value, process));
        if let Some((_, id)) = same {
            return Ok(*id);
        }
        let [.., (_, one)] = &*INSERTS;
        let id = insert(conn, one, boot, None, &[process]).await?;
        // A time to come is none that the clock gave.
        if boot == self.boot && process.exec_time <= boot_now() {
            self.newest = self.newest.max(process.exec_time);
        }
        values.push((Arc::clone(process), id));
        Ok(id)
    }
}

/// Whether the rows of two would be equal.
fn have_same_cells(a: &Process, b: &Process) -> bool {
    // All of them by name, so that nobody adds one and forgets it here.
    let Process {
        key,
        parent,
        started,
        comm,
        exe_path,
        filename,
        argv,
        cwd,
        uid,
        gid,
        euid,
        egid,
        loginuid,
        audit_session,
        tty,
        sid,
        pgid,
        vpid,
        vpgid,
        pid_ns,
        cgroup,
        container,
        cap_effective,
        cap_permitted,
        cap_inheritable,
        exec_time,
        exe_dev,
        exe_ino,
        exe_ctime,
        exe_mtime,
        flags,
        env: _,
        namespace_started: _,
        usage: _,
    } = a;
    *key == b.key
        && *parent == b.parent
        && *started == b.started
        && *comm == b.comm
        && *exe_path == b.exe_path
        && *filename == b.filename
        && *argv == b.argv
        && *cwd == b.cwd
        && *uid == b.uid
        && *gid == b.gid
        && *euid == b.euid
        && *egid == b.egid
        && *loginuid == b.loginuid
        && *audit_session == b.audit_session
        && *tty == b.tty
        && *sid == b.sid
        && *pgid == b.pgid
        && *vpid == b.vpid
        && *vpgid == b.vpgid
        && *pid_ns == b.pid_ns
        && *cgroup == b.cgroup
        && *container == b.container
        && *cap_effective == b.cap_effective
        && *cap_permitted == b.cap_permitted
        && *cap_inheritable == b.cap_inheritable
        && *exec_time == b.exec_time
        && *exe_dev == b.exe_dev
        && *exe_ino == b.exe_ino
        && *exe_ctime == b.exe_ctime
        && *exe_mtime == b.exe_mtime
        && *flags == b.flags
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

/// Inserts some in one statement, their rows from the first on, or the next ones; gives the last row.
async fn insert(
    conn: &mut SqliteConnection,
    sql: &'static str,
    boot: i64,
    first: Option<i64>,
    some: &[&Arc<Process>],
) -> Result<i64, StoreError> {
    let mut values = SqliteArguments::default();
    values.reserve(some.len() * CELLS, 0);
    for (n, p) in (0..).zip(some) {
        put(&mut values, first.map(|first| first + n), boot, p).map_err(sqlx::Error::Encode)?;
    }
    Ok(sqlx::query_with(sql, values).execute(conn).await?.last_insert_rowid())
}

fn put(
    values: &mut SqliteArguments,
    id: Option<i64>,
    boot: i64,
    p: &Process,
) -> Result<(), sqlx::error::BoxDynError> {
    values.add(id)?;
    values.add(boot)?;
    values.add(i64::from(p.key.pid))?;
    values.add(to_sql(p.key.start))?;
    values.add(to_sql(p.exec_time.0))?;
    values.add(to_sql(p.started.0))?;
    values.add(i64::from(p.parent.pid))?;
    values.add(to_sql(p.parent.start))?;
    values.add(&*p.comm)?;
    values.add(&*p.exe_path)?;
    values.add(&*p.filename)?;
    values.add(&*p.argv)?;
    values.add(&*p.cwd)?;
    values.add(i64::from(p.uid))?;
    values.add(i64::from(p.gid))?;
    values.add(i64::from(p.euid))?;
    values.add(i64::from(p.egid))?;
    values.add(i64::from(p.loginuid))?;
    values.add(i64::from(p.audit_session))?;
    values.add(i64::from(p.tty))?;
    values.add(i64::from(p.sid))?;
    values.add(i64::from(p.pgid))?;
    values.add(i64::from(p.vpid))?;
    values.add(i64::from(p.vpgid))?;
    values.add(i64::from(p.pid_ns))?;
    values.add(to_sql(p.cgroup))?;
    values.add(&*p.container)?;
    values.add(to_sql(p.cap_effective))?;
    values.add(i64::from(p.exe_dev))?;
    values.add(to_sql(p.exe_ino))?;
    values.add(i64::from(p.flags.0))?;
    values.add(to_sql(p.cap_permitted))?;
    values.add(to_sql(p.cap_inheritable))?;
    values.add(p.exe_ctime)?;
    values.add(p.exe_mtime)?;
    Ok(())
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
