//! The questions that readers ask, as SQL and the turning of rows into values. Pages go by key and never by offset. Who
//! runs these on which thread is the business of `reader`.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eyas_event::{Alert, AlertId, BootTime, Process, RulesetHash, WallTime};
use rustc_hash::FxHashMap;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;

use crate::alert_row::{self, HalfAlert};
use crate::cells::Cells;
use crate::error::StoreError;
use crate::loss_row;
use crate::process_row;
use crate::rows::{
    Checked, Histogram, RulesetText, RunId, RunInfo, RunKind, SegmentId, SegmentMeta, StoredLoss, sql_bound,
    to_sql,
};

type Answer<T> = Result<T, StoreError>;

/// Segments are about 1 MiB. A stored one that says it is larger than this, or turns out to be, is not ours.
const SEGMENT_RAW_MAX: u64 = 64 << 20;

/// All segments, in order.
pub(crate) const SEGMENTS: &str = "SELECT id, run, first_boot, last_boot, first_wall, last_wall, records, raw_bytes, \
    stored_bytes, keyframe FROM segments ORDER BY id";
const NEXT_SEGMENT: &str = "SELECT id, run, first_boot, last_boot, first_wall, last_wall, records, raw_bytes, \
    stored_bytes, keyframe FROM segments WHERE id > ? ORDER BY id LIMIT 1";
const SEGMENT: &str = "SELECT raw_bytes, data FROM segments JOIN segment_data ON segment = id WHERE id = ?";

pub(crate) async fn alert(pool: SqlitePool, id: AlertId) -> Answer<Option<Alert>> {
    let rows = sqlx::query(alert_row::BY_ID).bind(to_sql(id.0)).fetch_all(&pool).await?;
    Ok(complete(&pool, &rows).await?.pop())
}

pub(crate) async fn alerts_before(
    pool: SqlitePool,
    before: Option<AlertId>,
    limit: u32,
) -> Answer<Vec<Alert>> {
    // The last possible id is not an alert's: it lies in the year 2262.
    let before = before.map_or(i64::MAX, |id| sql_bound(id.0));
    let rows = sqlx::query(alert_row::BEFORE).bind(before).bind(i64::from(limit)).fetch_all(&pool).await?;
    complete(&pool, &rows).await
}

pub(crate) async fn alerts_after(pool: SqlitePool, after: AlertId, limit: u32) -> Answer<Vec<Alert>> {
    let query = sqlx::query(alert_row::AFTER).bind(sql_bound(after.0)).bind(i64::from(limit));
    let rows = query.fetch_all(&pool).await?;
    complete(&pool, &rows).await
}

/// Fetches the processes of a page in one query. Processes are never deleted, so a later snapshot has them all.
async fn complete(pool: &SqlitePool, rows: &[SqliteRow]) -> Answer<Vec<Alert>> {
    let halves = rows.iter().map(HalfAlert::decode).collect::<Answer<Vec<_>>>()?;
    let ids: BTreeSet<i64> = halves.iter().flat_map(HalfAlert::process_ids).collect();
    let ids = format!("{:?}", Vec::from_iter(ids));
    let rows = sqlx::query(process_row::BY_IDS).bind(ids).fetch_all(pool).await?;
    let processes = rows.iter().map(process_row::decode).collect::<Answer<FxHashMap<i64, Arc<Process>>>>()?;
    halves.into_iter().map(|half| half.complete(&processes)).collect()
}

pub(crate) async fn alert_count(pool: SqlitePool) -> Answer<u64> {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM alerts").fetch_one(&pool).await?;
    Ok(count.cast_unsigned())
}

/// Walks all pages, as long as it may. The rows themselves are not decoded.
pub(crate) async fn check(pool: SqlitePool, at_most: Duration) -> Answer<Checked> {
    /// How often the clock is looked at: pages of trees while these are walked, and steps of the virtual machine after that. The
    /// pages of a long row behind its first are not counted.
    const EVERY: i32 = 16;
    /// What a question that was ended answers.
    const SQLITE_INTERRUPT: &str = "9";
    let mut connection = pool.acquire().await?;
    let begin = Instant::now();
    connection.lock_handle().await?.set_progress_handler(EVERY, move || begin.elapsed() < at_most);
    let found: Result<String, _> =
        sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut *connection).await;
    connection.lock_handle().await?.remove_progress_handler();
    match found {
        Ok(found) if found == "ok" => Ok(Checked::Whole),
        Ok(found) => {
            // The first line names the database.
            let line = found.lines().last().unwrap_or_default();
            let unread = line.contains("failed to get page")
                || line.contains("unable to get the page") && !line.ends_with("error code=11");
            let what = if unread { "a page cannot be read" } else { "a page or row is malformed" };
            Err(StoreError::damaged(format!("{what}: {line}")))
        }
        Err(sqlx::Error::Database(e)) if e.code().is_some_and(|code| code == SQLITE_INTERRUPT) => {
            Ok(Checked::Partly)
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn histogram(
    pool: SqlitePool,
    from: WallTime,
    to: WallTime,
    buckets: u16,
) -> Answer<Histogram> {
    let span = to.0.saturating_sub(from.0);
    let width_ns = span.div_ceil(u64::from(buckets.max(1))).max(1);
    let mut counts = Histogram { from, width_ns, buckets: vec![[0; 8]; usize::from(buckets)] };
    let rows = sqlx::query(
        "SELECT (time - ?1) / ?2, priority, count(*) FROM alerts WHERE time >= ?1 AND time < ?3 GROUP BY 1, 2",
    )
    .bind(sql_bound(from.0))
    .bind(sql_bound(width_ns))
    .bind(sql_bound(to.0))
    .fetch_all(&pool)
    .await?;
    for row in &rows {
        let mut cells = Cells::of(row);
        let (bucket, priority): (usize, usize) = (cells.narrow()?, cells.narrow()?);
        if let Some(count) = counts.buckets.get_mut(bucket).and_then(|b| b.get_mut(priority)) {
            *count = cells.bits()?;
        }
    }
    Ok(counts)
}

pub(crate) async fn losses(pool: SqlitePool) -> Answer<Vec<StoredLoss>> {
    let rows = sqlx::query(loss_row::ALL).fetch_all(&pool).await?;
    rows.iter().map(loss_row::decode).collect()
}

pub(crate) async fn runs(pool: SqlitePool) -> Answer<Vec<RunInfo>> {
    let sql = "SELECT runs.id, kind, node, version, pid, boot_id, wall_offset, started_wall, last_alive_wall, ended_wall \
        FROM runs JOIN boots ON boots.id = runs.boot ORDER BY runs.id";
    let rows = sqlx::query(sql).fetch_all(&pool).await?;
    rows.iter().map(decode_run).collect()
}

fn decode_run(row: &SqliteRow) -> Answer<RunInfo> {
    let mut cells = Cells::of(row);
    let id = RunId(cells.take()?);
    let code: i64 = cells.take()?;
    let kind = RunKind::from_code(code).ok_or_else(|| {
        StoreError::damaged(format!("run {} has kind {code}, which this eyas does not know", id.0))
    })?;
    Ok(RunInfo {
        id,
        kind,
        node: cells.take()?,
        version: cells.take()?,
        pid: cells.narrow()?,
        boot_id: cells.take()?,
        wall_offset_ns: cells.take()?,
        started: WallTime(cells.bits()?),
        last_alive: WallTime(cells.bits()?),
        ended: cells.take::<Option<i64>>()?.map(|ns| WallTime(ns.cast_unsigned())),
    })
}

pub(crate) async fn ruleset(pool: SqlitePool, hash: RulesetHash) -> Answer<Option<RulesetText>> {
    let key = &hash.0[..];
    let sql = "SELECT loaded_wall FROM rulesets WHERE hash = ?";
    let loaded: Option<i64> = sqlx::query_scalar(sql).bind(key).fetch_optional(&pool).await?;
    let Some(loaded) = loaded else { return Ok(None) };
    let sql = "SELECT name, text FROM ruleset_files WHERE ruleset = ? ORDER BY position";
    let files = sqlx::query_as(sql).bind(key).fetch_all(&pool).await?;
    Ok(Some(RulesetText { hash, loaded: WallTime(loaded.cast_unsigned()), files }))
}

pub(crate) async fn segments_meta(pool: SqlitePool) -> Answer<Vec<SegmentMeta>> {
    let rows = sqlx::query(SEGMENTS).fetch_all(&pool).await?;
    rows.iter().map(decode_segment).collect()
}

/// The first segment after that one.
pub(crate) async fn next_segment(pool: SqlitePool, after: SegmentId) -> Answer<Option<SegmentMeta>> {
    let row = sqlx::query(NEXT_SEGMENT).bind(after.0).fetch_optional(&pool).await?;
    row.as_ref().map(decode_segment).transpose()
}

pub(crate) fn decode_segment(row: &SqliteRow) -> Answer<SegmentMeta> {
    let mut cells = Cells::of(row);
    Ok(SegmentMeta {
        id: SegmentId(cells.take()?),
        run: RunId(cells.take()?),
        first: BootTime(cells.bits()?),
        last: BootTime(cells.bits()?),
        first_wall: WallTime(cells.bits()?),
        last_wall: WallTime(cells.bits()?),
        records: cells.bits()?,
        raw_bytes: cells.bits()?,
        stored_bytes: cells.bits()?,
        keyframe: cells.take::<i64>()? != 0,
    })
}

/// The bytes of a segment; `None` when it is not there (any more).
pub(crate) async fn segment(pool: SqlitePool, id: SegmentId) -> Answer<Option<Vec<u8>>> {
    let row = sqlx::query(SEGMENT).bind(id.0).fetch_optional(&pool).await?;
    let Some(row) = row else { return Ok(None) };
    let mut cells = Cells::of(&row);
    let raw_bytes = cells.bits()?;
    unpack(raw_bytes, cells.take()?)
        .map(Some)
        .map_err(|what| StoreError::damaged(format!("segment {}: {what}", id.0)))
}

/// Decompresses, and never to more than what was said and is allowed.
fn unpack(raw_bytes: u64, data: &[u8]) -> Result<Vec<u8>, String> {
    if raw_bytes > SEGMENT_RAW_MAX {
        return Err(format!("it says that it has {raw_bytes} bytes; more than {SEGMENT_RAW_MAX} cannot be"));
    }
    let mut raw = Vec::new();
    let unpacked = zstd::stream::read::Decoder::with_buffer(data)
        .and_then(|decoder| decoder.take(raw_bytes + 1).read_to_end(&mut raw));
    match unpacked {
        Ok(_) if raw.len() as u64 == raw_bytes => Ok(raw),
        Ok(_) => Err(format!("it has not the {raw_bytes} bytes that it says")),
        Err(e) => Err(e.to_string()),
    }
}
