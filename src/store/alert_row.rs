//! Alerts as rows: one row an alert, with the rows of its process and ancestors by their ids. Decoding goes in two steps,
//! because a page of alerts fetches all its processes at once.

use std::sync::Arc;

use eyas_event::{
    Alert, AlertId, BootTime, EventType, OutputValue, Priority, Process, RulesetHash, WallTime, text,
};
use rustc_hash::FxHashMap;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::cells::Cells;
use crate::error::StoreError;
use crate::json::{Numbers, read_fields, write_fields};
use crate::process_row::ProcessRows;
use crate::rows::to_sql;
use crate::run::Origin;

macro_rules! columns {
    () => {
        "id, time, boot_time, priority, rule, tags, ruleset, source, node, message, user, event_num, event_type, \
         lost_before, process, ancestors, output_fields, fields, signed"
    };
}

const INSERT: &str = concat!(
    "INSERT INTO alerts (",
    columns!(),
    ", run, pid, start, proc_name, container) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?, ?,?,?,?,?) \
     ON CONFLICT (id) DO NOTHING"
);
/// The alert of an id.
pub(crate) const BY_ID: &str = concat!("SELECT ", columns!(), " FROM alerts WHERE id = ?");
/// A page before an id, newest first.
pub(crate) const BEFORE: &str =
    concat!("SELECT ", columns!(), " FROM alerts WHERE id < ? ORDER BY id DESC LIMIT ?");
/// A page after an id, oldest first.
pub(crate) const AFTER: &str =
    concat!("SELECT ", columns!(), " FROM alerts WHERE id > ? ORDER BY id LIMIT ?");

/// What became of an alert that was to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    /// It is there now.
    New,
    /// It was there already: it had been spilled, or the same recording was replayed.
    Before,
}

/// Stores an alert with its process and lineage. When another alert has its id, it takes the next free one.
pub(crate) async fn insert(
    conn: &mut SqliteConnection,
    processes: &mut ProcessRows,
    origin: Origin,
    alert: &Alert,
) -> Result<Stored, StoreError> {
    let process = processes.row(conn, origin.boot, &alert.process).await?;
    let mut ancestors = Vec::with_capacity(alert.ancestors.len());
    for ancestor in &alert.ancestors {
        ancestors.push(processes.row(conn, origin.boot, ancestor).await?);
    }
    let ancestors = format!("{ancestors:?}").replace(' ', "");
    let mut numbers = Numbers::default();
    let output_fields = write_fields(&alert.output_fields, &mut numbers);
    let fields = write_fields(&alert.fields, &mut numbers);
    let signed = numbers.to_text();
    let tags = tags_text(&alert.tags);
    let proc_name = text::to_utf8(&alert.process.comm);
    let mut id = to_sql(alert.id.0);
    loop {
        let done = sqlx::query(INSERT)
            .bind(id)
            .bind(to_sql(alert.time.0))
            .bind(to_sql(alert.boot_time.0))
            .bind(i64::from(alert.priority as u8))
            .bind(&*alert.rule)
            .bind(&*tags)
            .bind(&alert.ruleset.0[..])
            .bind(&*alert.source)
            .bind(&*alert.node)
            .bind(&*alert.message)
            .bind(&*alert.user)
            .bind(to_sql(alert.event_num))
            .bind(alert.event_type)
            .bind(to_sql(alert.lost_before))
            .bind(process)
            .bind(&*ancestors)
            .bind(&*output_fields)
            .bind(&*fields)
            .bind(signed.as_deref())
            .bind(origin.run.0)
            .bind(i64::from(alert.process.key.pid))
            .bind(to_sql(alert.process.key.start))
            .bind(&*proc_name)
            .bind(&*alert.process.container)
            .execute(&mut *conn)
            .await?;
        if done.rows_affected() > 0 {
            return Ok(Stored::New);
        }
        if is_same(conn, id, alert).await? {
            return Ok(Stored::Before);
        }
        id = id.wrapping_add(1);
    }
}

/// Whether the alert under this id says the same of the same event.
async fn is_same(conn: &mut SqliteConnection, id: i64, alert: &Alert) -> Result<bool, StoreError> {
    let same: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM alerts WHERE id = ? AND boot_time = ? AND event_num = ? AND ruleset = ? AND rule = ? \
         AND node = ? AND pid = ? AND start = ? AND message = ?",
    )
    .bind(id)
    .bind(to_sql(alert.boot_time.0))
    .bind(to_sql(alert.event_num))
    .bind(&alert.ruleset.0[..])
    .bind(&*alert.rule)
    .bind(&*alert.node)
    .bind(i64::from(alert.process.key.pid))
    .bind(to_sql(alert.process.key.start))
    .bind(&*alert.message)
    .fetch_one(conn)
    .await?;
    Ok(same > 0)
}

pub(crate) fn tags_text(tags: &[Box<str>]) -> String {
    serde_json::to_string(&tags.iter().map(|t| &**t).collect::<Vec<_>>())
        .expect("a list of texts has a JSON form because every string does")
}

pub(crate) fn tags_of(text: &str) -> Result<Arc<[Box<str>]>, serde_json::Error> {
    serde_json::from_str::<Vec<Box<str>>>(text).map(Into::into)
}

/// The name of an event type as the vocabulary holds it.
pub(crate) fn event_type_of(name: &str) -> &'static str {
    // A name that this eyas does not know comes from a later one; the fields still have it as text.
    EventType::from_name(name).map_or("unknown", EventType::name)
}

/// An alert whose processes are still row ids.
pub(crate) struct HalfAlert {
    alert: Alert,
    process: i64,
    ancestors: Vec<i64>,
}

impl HalfAlert {
    /// Reads a row.
    pub(crate) fn decode(row: &SqliteRow) -> Result<Self, StoreError> {
        let id: i64 = row.try_get(0)?;
        decode_cells(&mut Cells::of(row)).map_err(|e| match e {
            StoreError::Damaged { what } => StoreError::damaged(format!("alert {id}: {what}")),
            e => StoreError::damaged(format!("alert {id}: {e}")),
        })
    }

    /// The process rows it needs.
    pub(crate) fn process_ids(&self) -> impl Iterator<Item = i64> {
        std::iter::once(self.process).chain(self.ancestors.iter().copied())
    }

    /// Puts the processes in.
    pub(crate) fn complete(mut self, processes: &FxHashMap<i64, Arc<Process>>) -> Result<Alert, StoreError> {
        let find = |id: i64| {
            processes.get(&id).cloned().ok_or_else(|| {
                StoreError::damaged(format!(
                    "alert {} names process row {id}, which is missing",
                    self.alert.id.0
                ))
            })
        };
        let process = find(self.process)?;
        let ancestors = self.ancestors.iter().map(|id| find(*id)).collect::<Result<Vec<_>, _>>()?;
        self.alert.process = process;
        self.alert.ancestors = ancestors;
        Ok(self.alert)
    }
}

fn decode_cells(cells: &mut Cells<'_>) -> Result<HalfAlert, StoreError> {
    let json = |e: serde_json::Error| StoreError::damaged(e.to_string());
    let id = AlertId(cells.bits()?);
    let time = WallTime(cells.bits()?);
    let boot_time = BootTime(cells.bits()?);
    let priority = Priority::from_number(cells.narrow()?)
        .ok_or_else(|| StoreError::damaged("its priority is not a number from 0 to 7"))?;
    let rule = cells.take::<&str>()?.into();
    let tags = tags_of(cells.take()?).map_err(json)?;
    let ruleset = hash_of(cells.take()?)?;
    let source = cells.take::<&str>()?.into();
    let node = cells.take::<&str>()?.into();
    let message = cells.take()?;
    let user = cells.take()?;
    let event_num = cells.bits()?;
    let event_type = event_type_of(cells.take()?);
    let lost_before = cells.bits()?;
    let process = cells.take()?;
    let ancestors = serde_json::from_str(cells.take()?).map_err(json)?;
    let output_text: &str = cells.take()?;
    let fields_text: &str = cells.take()?;
    let (output_fields, fields) =
        read_both(output_text, fields_text, cells.take::<Option<&str>>()?).map_err(json)?;
    let alert = Alert {
        id,
        time,
        boot_time,
        rule,
        priority,
        tags,
        ruleset,
        source,
        node,
        message,
        output_fields,
        fields,
        event_num,
        event_type,
        process: Arc::default(),
        ancestors: Vec::new(),
        user,
        lost_before,
    };
    Ok(HalfAlert { alert, process, ancestors })
}

/// Both lists of fields, in the order in which they are written.
type BothFields = (Vec<(String, OutputValue)>, Vec<(String, OutputValue)>);

pub(crate) fn read_both(
    output_fields: &str,
    fields: &str,
    signed: Option<&str>,
) -> Result<BothFields, serde_json::Error> {
    let mut numbers = Numbers::from_text(signed)?;
    Ok((read_fields(output_fields, &mut numbers)?, read_fields(fields, &mut numbers)?))
}

pub(crate) fn hash_of(bytes: &[u8]) -> Result<RulesetHash, StoreError> {
    bytes
        .try_into()
        .map(RulesetHash)
        .map_err(|_| StoreError::damaged("its ruleset hash is not 32 bytes long"))
}
