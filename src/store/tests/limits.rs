//! The recording's size limit: the oldest segments go, up to a keyframe, and what went is stored as a loss. Also stored bytes
//! that lie about their size.

use eyas_event::{LossCause, Lost};
use eyas_store::{Segment, SegmentId, StoreError, WriterOptions};
use sqlx::{Connection, raw_sql};

use crate::sample::{on, open, segment};

fn limited(limit: u64) -> WriterOptions {
    WriterOptions {
        segment_limit_bytes: limit,
        segment_lane: 64,
        heartbeat_ms: 1,
        ..WriterOptions::default()
    }
}

/// Writes segments of 10,000 bytes that do not compress, one commit each; gives the numbers of those that are left.
fn left(limit: u64, keyframes: &[u64], count: u64) -> (Vec<u64>, u64) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eyas.db");
    let store = open(&path);
    let writer = store.writer(limited(limit)).unwrap();
    let handle = writer.handle();
    for n in 0..count {
        handle.segment(segment(n, 10_000, keyframes.contains(&n)));
        handle.flush_and_wait().unwrap();
    }
    let reader = store.reader().unwrap().blocking();
    let left: Vec<u64> = reader
        .segments()
        .map(|s| {
            let (meta, raw) = s.unwrap();
            let n = (meta.first.0 - 1_000_000_000_000) / 1_000_000_000;
            assert_eq!(raw, segment(n, 10_000, false).raw);
            n
        })
        .collect();
    let losses = reader.losses().unwrap();
    assert!(losses.iter().all(|l| l.loss.lost == Lost::Recording && l.loss.cause == LossCause::SizeLimit));
    let lost = losses.iter().map(|l| l.loss.count).sum();
    if let (Some(first), Some(last)) = (losses.first(), losses.last()) {
        assert_eq!(first.loss.from, segment(0, 1, false).first);
        assert_eq!(last.loss.to, segment(left[0] - 1, 1, false).last);
    }
    (left, lost)
}

#[test]
fn the_oldest_go_up_to_a_keyframe() {
    assert_eq!(left(100_000, &[0, 3, 6], 8), ((0..8).collect(), 0));
    // 45 KB hold four. The fifth drops 0 to 2; the eighth, when 3 to 7 are five again, drops 3 to 5.
    assert_eq!(left(45_000, &[0, 3, 6], 5), (vec![3, 4], 300));
    assert_eq!(left(45_000, &[0, 3, 6], 8), (vec![6, 7], 600));
}

#[test]
fn without_a_later_keyframe_as_few_as_need_be_go_and_the_newest_stays() {
    assert_eq!(left(45_000, &[0], 6), ((2..6).collect(), 200));
    assert_eq!(left(5_000, &[0], 3), (vec![2], 200));
}

#[test]
fn a_segment_that_lies_about_its_size_is_an_error_and_no_bomb() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eyas.db");
    let store = open(&path);
    let writer = store.writer(limited(1 << 20)).unwrap();
    let zeros = Segment { raw: vec![0; 30 << 20], ..segment(0, 0, true) };
    writer.handle().segment(zeros);
    writer.handle().segment(segment(1, 5_000, false));
    writer.close().unwrap();
    let reader = store.reader().unwrap().blocking();
    assert_eq!(reader.segment(SegmentId(1)).unwrap().unwrap().len(), 30 << 20);
    let damage = |sql: &'static str| {
        on(&path, |mut conn| async move {
            raw_sql(sql).execute(&mut conn).await.unwrap();
            conn.close().await.unwrap();
        });
    };
    let said = |id| match reader.segment(SegmentId(id)) {
        Err(StoreError::Damaged { what }) => what,
        other => panic!("{other:?}"),
    };
    damage("UPDATE segments SET raw_bytes = 1000 WHERE id = 1");
    assert!(said(1).contains("segment 1: it has not the 1000 bytes"), "{}", said(1));
    damage("UPDATE segments SET raw_bytes = 1 << 40 WHERE id = 1");
    assert!(said(1).contains("more than 67108864 cannot be"), "{}", said(1));
    // One flipped byte in the middle: the frame's checksum finds it.
    damage(
        "UPDATE segment_data SET data = CAST(substr(data, 1, 2000) || \
         CASE substr(data, 2001, 1) WHEN x'00' THEN x'01' ELSE x'00' END || substr(data, 2002) AS BLOB) \
         WHERE segment = 2",
    );
    assert!(said(2).contains("segment 2"), "{}", said(2));
    assert_eq!(reader.segment(SegmentId(3)).unwrap(), None);
}
