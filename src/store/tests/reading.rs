//! Questions: pages by key, the histogram, several readers beside the writer, and that readers cannot write.

use std::sync::Arc;
use std::time::Duration;

use eyas_event::{AlertId, Priority, WallTime};
use eyas_store::{Checked, Store, WriterOptions};

use crate::sample::{alert, open, segment};

#[test]
fn pages_go_by_key_in_both_directions() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("eyas.db"));
    let writer = store.writer(WriterOptions::default()).unwrap();
    // Not in order of time: a spilled alert comes late.
    for n in (0..25).rev() {
        writer.handle().alert(Arc::new(alert(n)));
    }
    writer.handle().flush_and_wait().unwrap();
    let reader = store.reader().unwrap().blocking();
    assert_eq!(reader.alert_count().unwrap(), 25);
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = reader.alerts_page(before, 10).unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        seen.extend(page.iter().map(|a| a.event_num));
    }
    assert_eq!(seen, (0..25).rev().collect::<Vec<_>>());
    let after: Vec<u64> = reader.alerts_after(alert(20).id, 3).unwrap().iter().map(|a| a.event_num).collect();
    assert_eq!(after, [21, 22, 23]);
    assert!(reader.alerts_after(alert(24).id, 3).unwrap().is_empty());
    assert!(reader.alert(AlertId(1)).unwrap().is_none());
}

#[test]
fn the_histogram_counts_each_alert_once_in_its_bucket() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("eyas.db"));
    let writer = store.writer(WriterOptions::default()).unwrap();
    for n in 0..100 {
        writer.handle().alert(Arc::new(alert(n)));
    }
    writer.handle().flush_and_wait().unwrap();
    let reader = store.reader().unwrap().blocking();
    // One alert a millisecond, priorities in turn; ten buckets of 8 ms from the 10th on.
    let from = alert(10).time;
    let histogram = reader.histogram(from, WallTime(from.0 + 80_000_000), 10).unwrap();
    assert_eq!((histogram.width_ns, histogram.buckets.len()), (8_000_000, 10));
    assert!(histogram.buckets.iter().all(|bucket| *bucket == [1; 8]), "{histogram:?}");
    let all = reader.histogram(WallTime(0), WallTime(u64::MAX), 3).unwrap();
    assert_eq!(all.buckets.iter().flatten().sum::<u64>(), 100);
    let emergencies: u64 = all.buckets.iter().map(|b| b[Priority::Emergency as usize]).sum();
    assert_eq!(emergencies, 13);
    let none = reader.histogram(from, from, 4).unwrap();
    assert_eq!(none.buckets, [[0; 8]; 4]);
}

#[test]
fn readers_see_what_is_committed_while_another_one_writes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eyas.db");
    let store = open(&path);
    let writer = store.writer(WriterOptions::default()).unwrap();
    let handle = writer.handle();
    let reader = Store::open_read(&path).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    // From async code in a runtime without timers, from plain code, and from plain code inside a runtime.
    runtime.block_on(async {
        assert_eq!(reader.alert_count().await.unwrap(), 0);
        handle.alert(Arc::new(alert(0)));
        handle.flush_and_wait().unwrap();
        let (count, page) = (reader.alert_count().await.unwrap(), reader.alerts_page(None, 9).await.unwrap());
        assert_eq!((count, page.len()), (1, 1));
        assert_eq!(reader.blocking().alert_count().unwrap(), 1);
        // A store opens and closes inside a runtime too.
        drop(open(&dir.path().join("second.db")));
    });
    let blocking = reader.blocking();
    drop(reader);
    let mut walk = blocking.segments();
    assert!(walk.next().is_none());
    handle.segment(segment(0, 100, true));
    handle.flush_and_wait().unwrap();
    let (meta, raw) = walk.next().unwrap().unwrap();
    assert_eq!((meta.records, meta.raw_bytes, meta.keyframe), (100, 100, true));
    assert_eq!(raw, segment(0, 100, true).raw);
    assert!(walk.next().is_none());
}

#[test]
fn a_damaged_page_is_found_wherever_it_lies() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eyas.db");
    let store = open(&path);
    let writer = store.writer(WriterOptions::default()).unwrap();
    for n in 0..2_000 {
        writer.handle().alert(Arc::new(alert(n)));
    }
    writer.close().unwrap();
    drop(store);
    let check = || Store::open_read(&path).unwrap().blocking().check(Duration::from_mins(1));
    assert_eq!(check().unwrap(), Checked::Whole);
    let whole = Store::open_read(&path).unwrap().blocking();
    assert_eq!(whole.check(Duration::ZERO).unwrap(), Checked::Partly);
    assert_eq!(whole.alert_count().unwrap(), 2_000, "the connection is as before");
    drop(whole);

    let mut bytes = std::fs::read(&path).unwrap();
    let (pages, middle) = (bytes.len() / 4096, bytes.len() / 2 / 4096 * 4096);
    assert!(pages > 100, "{pages}");
    bytes[middle..middle + 4096].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let said = check().unwrap_err().to_string();
    assert!(said.contains("malformed") && said.lines().count() == 1, "{said}");
}
