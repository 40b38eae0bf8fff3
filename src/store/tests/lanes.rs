//! What each lane does when it is full, and that all of it is counted. The writer is held up as a backup or a prompt would
//! do it: another connection has the file's write lock.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use eyas_event::{BootTime, LossCause, Lost};
use eyas_store::{Kept, Store, WriterHandle, WriterOptions};
use sqlx::{Connection, raw_sql};

use crate::sample::{alert, on, open, process, segment};

/// Holds the write lock until it is told to let go.
struct Holder {
    release: Sender<()>,
    thread: JoinHandle<()>,
}

impl Holder {
    fn hold(path: &Path) -> Self {
        let (release, released) = channel();
        let (held, holds) = channel();
        let path = path.to_owned();
        let thread = std::thread::spawn(move || {
            on(&path, |mut conn| async move {
                raw_sql("BEGIN IMMEDIATE").execute(&mut conn).await.unwrap();
                held.send(()).unwrap();
                released.recv().unwrap();
                raw_sql("ROLLBACK").execute(&mut conn).await.unwrap();
                conn.close().await.unwrap();
            });
        });
        holds.recv().unwrap();
        Self { release, thread }
    }

    fn release(self) {
        self.release.send(()).unwrap();
        self.thread.join().unwrap();
    }
}

/// Waits until the writer has taken what it takes before it is stuck in its commit.
fn until_stuck(handle: &WriterHandle) {
    while handle.stats().alerts_waiting > 0 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

fn small() -> WriterOptions {
    WriterOptions {
        flush_items: 1,
        alert_lane: 4,
        process_lane: 4,
        segment_lane: 2,
        alert_wait_ms: 30,
        ..WriterOptions::default()
    }
}

#[test]
fn alerts_wait_then_spill_and_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eyas.db");
    let store = open(&path);
    let writer = store.writer(small()).unwrap();
    let handle = writer.handle();
    let holder = Holder::hold(&path);
    handle.alert(Arc::new(alert(0)));
    until_stuck(&handle);
    let begun = std::time::Instant::now();
    let kept: Vec<_> = (1..=40).map(|n| handle.alert(Arc::new(alert(n)))).collect();
    let took = begun.elapsed();
    assert_eq!(kept[..4], [Kept::Queued; 4]);
    assert_eq!(kept[4..], [Kept::Spilled; 36]);
    // One of them waited in vain, the others knew better.
    assert!(took.as_millis() >= 30 && took.as_millis() < 500, "{took:?}");
    let stats = handle.stats();
    assert_eq!((stats.alerts_spilled, stats.alerts_dropped, stats.alerts_waiting), (36, 0, 4));
    assert!(stats.spill_bytes > 0);
    holder.release();
    handle.flush_and_wait().unwrap();
    let stats = handle.stats();
    assert_eq!((stats.alerts_written, stats.spill_bytes), (41, 0));
    assert!(!dir.path().join("eyas.db.spill").exists() && !dir.path().join("eyas.db.spill.reading").exists());
    writer.close().unwrap();
    let read = store.reader().unwrap().blocking().alerts_after(eyas_event::AlertId(0), 100).unwrap();
    let written: Vec<_> = (0..=40).map(alert).collect();
    assert_eq!(format!("{read:?}"), format!("{written:?}"));
}

#[test]
fn a_full_spill_file_loses_alerts_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eyas.db");
    let store = open(&path);
    let writer = store.writer(WriterOptions { spill_limit_bytes: 4000, ..small() }).unwrap();
    let handle = writer.handle();
    let holder = Holder::hold(&path);
    handle.alert(Arc::new(alert(0)));
    until_stuck(&handle);
    let kept: Vec<_> = (1..=20).map(|n| handle.alert(Arc::new(alert(n)))).collect();
    let dropped = kept.iter().filter(|k| **k == Kept::Dropped).count() as u64;
    let first = kept.iter().position(|k| *k == Kept::Dropped).unwrap() as u64 + 1;
    assert!(dropped > 0 && kept.contains(&Kept::Spilled), "{kept:?}");
    holder.release();
    handle.flush_and_wait().unwrap();
    assert_eq!((handle.stats().alerts_dropped, handle.stats().alerts_written), (dropped, 21 - dropped));
    let losses = store.reader().unwrap().blocking().losses().unwrap();
    assert_eq!(losses.len(), 1);
    let loss = losses[0].loss;
    assert_eq!((loss.lost, loss.cause, loss.count), (Lost::Alerts, LossCause::LaneFull, dropped));
    assert_eq!((loss.from, loss.to), (alert(first).boot_time, alert(20).boot_time));
}

#[test]
fn processes_are_counted_and_the_oldest_segments_make_room() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eyas.db");
    let store = open(&path);
    let writer = store.writer(small()).unwrap();
    let handle = writer.handle();
    let holder = Holder::hold(&path);
    handle.alert(Arc::new(alert(0)));
    until_stuck(&handle);
    let kept: Vec<_> = (0..7).map(|n| handle.process(process(200 + n, 1, "cron"))).collect();
    assert_eq!(kept[..4], [Kept::Queued; 4]);
    assert_eq!(kept[4..], [Kept::Dropped; 3]);
    for n in 0..6 {
        assert_eq!(handle.segment(segment(n, 500, n == 0)), Kept::Queued);
    }
    assert_eq!((handle.stats().segments_dropped, handle.stats().segments_waiting), (4, 2));
    holder.release();
    handle.flush_and_wait().unwrap();
    let reader = store.reader().unwrap().blocking();
    let first: Vec<BootTime> = reader.segments_meta().unwrap().iter().map(|s| s.first).collect();
    assert_eq!(first, [segment(4, 1, false).first, segment(5, 1, false).first]);
    let losses = reader.losses().unwrap();
    assert_eq!(losses.len(), 1, "{losses:?}");
    let loss = losses[0].loss;
    assert_eq!((loss.lost, loss.cause, loss.count), (Lost::Recording, LossCause::LaneFull, 4 * 100 + 3));
    assert!(loss.to == segment(3, 1, false).last);
}

#[test]
fn what_was_spilled_before_a_kill_is_read_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eyas.db");
    let spill = dir.path().join("eyas.db.spill");
    let store = open(&path);
    let writer = store.writer(small()).unwrap();
    let handle = writer.handle();
    let holder = Holder::hold(&path);
    handle.alert(Arc::new(alert(0)));
    until_stuck(&handle);
    for n in 1..=10 {
        handle.alert(Arc::new(alert(n)));
    }
    // As a kill leaves it: whole frames, then half a one.
    let mut left = fs::read(&spill).unwrap();
    holder.release();
    writer.close().unwrap();
    drop(store);
    let frame = u32::from_le_bytes(left[..4].try_into().unwrap()) as usize + 4;
    let half = left[..frame / 2].to_vec();
    left.extend_from_slice(&half);
    fs::write(&spill, &left).unwrap();
    on(&path, |mut conn| async move {
        raw_sql("DELETE FROM alerts WHERE event_num >= 8").execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
    });

    let store = open(&path);
    let writer = store.writer(WriterOptions::default()).unwrap();
    writer.handle().flush_and_wait().unwrap();
    let stats = writer.handle().stats();
    // 5 to 10 had been spilled; 8, 9 and 10 were missing.
    assert_eq!((stats.alerts_written, stats.alerts_repeated, stats.alerts_dropped), (3, 3, 1));
    let reader = Store::open_read(&path).unwrap().blocking();
    assert_eq!(reader.alert_count().unwrap(), 11);
    let torn = reader.losses().unwrap().into_iter().find(|l| l.loss.lost == Lost::Alerts).unwrap();
    assert_eq!((torn.loss.cause, torn.loss.count), (LossCause::Unreadable, 1));
    assert!(!spill.exists());
    writer.close().unwrap();
    let run = crate::sample::ask(&path, "SELECT count(*) FROM alerts WHERE run = 1");
    assert_eq!(run, "11", "an alert belongs to the run in which it fired");
}
