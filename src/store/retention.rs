//! Segments on their way into the file, and the oldest on their way out when all together are too large. What goes is
//! stored as a loss. The recording begins again at a keyframe wherever one is left, because a replay cannot begin elsewhere.

use eyas_event::{BootTime, Loss, LossCause, Lost, LostBy, WallTime};
use sqlx::sqlite::SqliteConnection;

use crate::error::StoreError;
use crate::loss_row;
use crate::query::{SEGMENTS, decode_segment};
use crate::rows::{Segment, SegmentMeta, to_sql};
use crate::run::Run;

/// A segment, compressed.
#[derive(Debug)]
pub(crate) struct Packed {
    pub(crate) first: BootTime,
    pub(crate) last: BootTime,
    pub(crate) records: u64,
    pub(crate) keyframe: bool,
    pub(crate) raw_bytes: u64,
    pub(crate) data: Vec<u8>,
}

/// Compresses segments, one after another, with the same memory.
pub(crate) struct Packer(zstd::bulk::Compressor<'static>);

/// Level 3 is zstd's own default: at 1 MiB some ten milliseconds.
const LEVEL: i32 = 3;

impl Packer {
    pub(crate) fn new() -> std::io::Result<Self> {
        let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
        compressor.include_checksum(true)?;
        Ok(Self(compressor))
    }

    pub(crate) fn pack(&mut self, segment: Segment) -> std::io::Result<Packed> {
        let Segment { first, last, records, keyframe, raw } = segment;
        let data = self.0.compress(&raw)?;
        Ok(Packed { first, last, records, keyframe, raw_bytes: raw.len() as u64, data })
    }
}

/// Stores a segment.
pub(crate) async fn insert(conn: &mut SqliteConnection, run: &Run, s: &Packed) -> Result<(), StoreError> {
    let done = sqlx::query(
        "INSERT INTO segments (run, first_boot, last_boot, first_wall, last_wall, records, raw_bytes, stored_bytes, \
         keyframe) VALUES (?,?,?,?,?,?,?,?,?)",
    )
    .bind(run.origin.run.0)
    .bind(to_sql(s.first.0))
    .bind(to_sql(s.last.0))
    .bind(to_sql(s.first.to_wall(run.wall_offset_ns).0))
    .bind(to_sql(s.last.to_wall(run.wall_offset_ns).0))
    .bind(to_sql(s.records))
    .bind(to_sql(s.raw_bytes))
    .bind(to_sql(s.data.len() as u64))
    .bind(i64::from(s.keyframe))
    .execute(&mut *conn)
    .await?;
    sqlx::query("INSERT INTO segment_data (segment, data) VALUES (?, ?)")
        .bind(done.last_insert_rowid())
        .bind(&*s.data)
        .execute(conn)
        .await?;
    Ok(())
}

/// Deletes the oldest segments until the rest fits, and stores what that lost. Gives the number of losses stored.
pub(crate) async fn trim(conn: &mut SqliteConnection, limit_bytes: u64) -> Result<u64, StoreError> {
    let total: i64 = sqlx::query_scalar("SELECT coalesce(sum(stored_bytes), 0) FROM segments")
        .fetch_one(&mut *conn)
        .await?;
    if total.cast_unsigned() <= limit_bytes {
        return Ok(0);
    }
    let rows = sqlx::query(SEGMENTS).fetch_all(&mut *conn).await?;
    let segments = rows.iter().map(decode_segment).collect::<Result<Vec<_>, _>>()?;
    let gone = &segments[..cut(&segments, limit_bytes)];
    let Some(last) = gone.last() else { return Ok(0) };
    for delete in ["DELETE FROM segment_data WHERE segment <= ?", "DELETE FROM segments WHERE id <= ?"] {
        sqlx::query(delete).bind(last.id.0).execute(&mut *conn).await?;
    }
    let mut losses = 0;
    for of_run in gone.chunk_by(|a, b| a.run == b.run) {
        store_loss(conn, of_run).await?;
        losses += 1;
    }
    Ok(losses)
}

/// How many of the oldest go: up to the first keyframe after which the rest fits. Where no keyframe is left, as few as
/// make the rest fit. The newest always stays.
fn cut(segments: &[SegmentMeta], limit_bytes: u64) -> usize {
    let newest = segments.len().saturating_sub(1);
    let mut rest: u64 = segments.iter().map(|s| s.stored_bytes).sum();
    let mut enough = newest;
    for (i, segment) in segments.iter().enumerate() {
        if rest <= limit_bytes {
            enough = enough.min(i);
            if segment.keyframe {
                return i;
            }
        }
        rest -= segment.stored_bytes;
    }
    enough
}

async fn store_loss(conn: &mut SqliteConnection, gone: &[SegmentMeta]) -> Result<(), StoreError> {
    let (Some(oldest), Some(newest)) = (gone.first(), gone.last()) else { return Ok(()) };
    let loss = Loss {
        lost: Lost::Recording,
        cause: LossCause::SizeLimit,
        by: LostBy::default(),
        count: gone.iter().map(|s| s.records).sum(),
        from: oldest.first,
        to: newest.last,
    };
    let (from, to): (WallTime, WallTime) = (oldest.first_wall, newest.last_wall);
    loss_row::insert(conn, oldest.run, &loss, None, (from, to)).await.map(drop)
}
