//! The law of the store: what is read is what was written, byte for byte, by way of the database and by way of the spill file.

use std::path::Path;
use std::sync::Arc;

use eyas_event::{
    Alert, BlindRules, BootTime, Loss, LossCause, LossMaker, Lost, LostBy, Process, ProcessKey, RulesetHash,
};
use eyas_store::{Kept, RulesetText, Store, WriterOptions};
use proptest::prelude::*;

use crate::sample::{self, NOW, alert, any_alerts, ask, open, process};

/// Alerts have no `==`; their debug form says everything that is in them.
fn assert_same(read: &[Alert], written: &[Alert]) {
    assert_eq!(read.len(), written.len());
    for (read, written) in read.iter().zip(written) {
        assert_eq!(format!("{read:?}"), format!("{written:?}"));
    }
}

fn write(path: &Path, alerts: &[Alert], options: WriterOptions) {
    let store = open(path);
    let writer = store.writer(options).unwrap();
    let handle = writer.handle();
    for alert in alerts {
        assert_eq!(handle.alert(Arc::new(alert.clone())), Kept::Queued);
    }
    handle.flush_and_wait().unwrap();
    assert_eq!(handle.stats().alerts_written, alerts.len() as u64);
    writer.close().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn read_after_write_is_the_identity(alerts in any_alerts()) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("eyas.db");
        write(&path, &alerts, WriterOptions::default());
        let reader = Store::open_read(&path).unwrap().blocking();
        assert_same(&reader.alerts_after(eyas_event::AlertId(0), 10).unwrap(), &alerts);
        for alert in &alerts {
            let one = reader.alert(alert.id).unwrap().unwrap();
            assert_same(&[one], std::slice::from_ref(alert));
        }
    }
}

#[test]
fn the_same_process_is_stored_once_and_a_changed_one_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eyas.db");
    let mut changed = alert(2);
    let mut sh = (*changed.process).clone();
    sh.euid = 33;
    changed.process = Arc::new(sh);
    let alerts = [alert(0), alert(1), changed];
    // Equal values behind different pointers, and over a restart, which forgets what the writer knew.
    write(&path, &alerts[..2], WriterOptions::default());
    write(&path, &alerts[2..], WriterOptions::default());
    let reader = Store::open_read(&path).unwrap().blocking();
    assert_same(&reader.alerts_after(eyas_event::AlertId(0), 10).unwrap(), &alerts);
    assert_eq!(ask(&path, "SELECT count(*) FROM processes"), "4");
}

fn now() -> BootTime {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    BootTime(now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64)
}

/// An alert may overtake its process on the way to the writer.
#[test]
fn a_process_that_comes_after_its_alert_is_stored_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eyas.db");
    let store = open(&path);
    let writer = store.writer(WriterOptions { flush_items: 1, ..WriterOptions::default() }).unwrap();
    let handle = writer.handle();
    for n in 0..20 {
        let pid = 1000 + n as u32;
        let started = Arc::new(Process { exec_time: now(), ..(*process(pid, 1, "true")).clone() });
        let own = Alert { process: started.clone(), ancestors: Vec::new(), ..alert(n) };
        handle.alert(Arc::new(own));
        if n % 2 == 0 {
            handle.flush_and_wait().unwrap();
        }
        assert_eq!(handle.process(started), Kept::Queued);
    }
    writer.close().unwrap();
    assert_eq!(ask(&path, "SELECT count(*) FROM processes"), "20");
}

/// Those that start while the store is open go in many at a time.
#[test]
fn processes_that_start_meanwhile_are_stored_once_each() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eyas.db");
    let mut started = Vec::new();
    for round in 0..3 {
        let store = open(&path);
        let writer = store.writer(WriterOptions::default()).unwrap();
        let handle = writer.handle();
        for n in 0..53 {
            let pid = 1000 + round * 100 + n;
            started.push(Arc::new(Process { exec_time: now(), ..(*process(pid, 1, "true")).clone() }));
        }
        // Those of the rounds before, too, and one that has moved to another directory since.
        for process in &started {
            assert_eq!(handle.process(Arc::new((**process).clone())), Kept::Queued);
        }
        let last = started.last().unwrap();
        let moved = Arc::new(Process { cwd: b"/elsewhere".as_slice().into(), ..(**last).clone() });
        assert_eq!(handle.process(moved.clone()), Kept::Queued);
        handle.flush_and_wait().unwrap();
        // An alert finds the row that was made for its process.
        handle.alert(Arc::new(Alert {
            process: started[0].clone(),
            ancestors: Vec::new(),
            ..alert(round.into())
        }));
        handle.flush_and_wait().unwrap();
        writer.close().unwrap();
    }
    assert_eq!(ask(&path, "SELECT count(*) FROM processes"), "162");
    assert_eq!(ask(&path, "SELECT count(DISTINCT pid) FROM processes"), "159");
    assert_eq!(ask(&path, "SELECT count(*) FROM processes WHERE cwd = CAST('/elsewhere' AS BLOB)"), "3");
    let reader = Store::open_read(&path).unwrap().blocking();
    for alert in reader.alerts_after(eyas_event::AlertId(0), 10).unwrap() {
        assert_eq!(alert.process, started[0]);
    }
}

#[test]
fn the_same_alert_again_is_not_stored_again_and_another_of_its_id_is_not_lost() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eyas.db");
    let store = open(&path);
    let writer = store.writer(WriterOptions::default()).unwrap();
    let handle = writer.handle();
    let mut other = alert(0);
    other.rule = "Another rule".into();
    for alert in [alert(0), alert(0), other.clone()] {
        handle.alert(Arc::new(alert));
    }
    handle.flush_and_wait().unwrap();
    let stats = handle.stats();
    assert_eq!((stats.alerts_written, stats.alerts_repeated), (2, 1));
    let read = store.reader().unwrap().blocking().alerts_page(None, 10).unwrap();
    other.id.0 += 1;
    assert_same(&read, &[other, alert(0)]);
}

#[test]
fn rulesets_processes_and_losses_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eyas.db");
    let store = open(&path);
    let writer = store.writer(WriterOptions::default()).unwrap();
    let handle = writer.handle();
    let ruleset = RulesetText {
        hash: RulesetHash([3; 32]),
        loaded: NOW,
        files: vec![
            ("b.yaml".to_owned(), "- rule: b\n".to_owned()),
            ("a.yaml".to_owned(), "- rule: ä\n".to_owned()),
        ],
    };
    handle.ruleset(ruleset.clone()).unwrap();
    handle.ruleset(ruleset.clone()).unwrap();
    assert_eq!(handle.process(process(9, 1, "cron")), Kept::Queued);
    let comm = *b"flood\0\0\0\0\0\0\0\0\0\0\0";
    let process = LossMaker { key: ProcessKey { pid: 77, start: 1234 }, comm };
    let loss = |count, from, to| Loss {
        lost: Lost::Calls(264),
        cause: LossCause::RingFull,
        by: LostBy { cpu: Some(1), process: Some(process) },
        count,
        from: BootTime(from),
        to: BootTime(to),
    };
    let blind: BlindRules = Some(["a \"rule\"".into(), "another".into()].into());
    handle.loss(loss(5, 200, 300), &blind);
    handle.flush_and_wait().unwrap();
    assert_eq!(handle.stats().losses_written, 1);
    // What follows without a gap is the same row, until that spans ten seconds; the rest and other makers are their own.
    handle.loss(loss(6, 300, 400), &blind);
    handle.flush_and_wait().unwrap();
    handle.loss(loss(7, 500, 600), &blind);
    handle.loss(Loss { by: LostBy { cpu: Some(1), process: None }, ..loss(8, 500, 600) }, &None);
    handle.flush_and_wait().unwrap();
    handle.loss(loss(9, 600, 10_000_000_501), &blind);
    handle.flush_and_wait().unwrap();
    let reader = store.reader().unwrap().blocking();
    assert_eq!(reader.ruleset(ruleset.hash).unwrap(), Some(ruleset));
    assert_eq!(reader.ruleset(RulesetHash([4; 32])).unwrap(), None);
    let losses = reader.losses().unwrap();
    let spans: Vec<_> = losses.iter().map(|l| (l.loss.count, l.loss.from.0, l.loss.to.0)).collect();
    assert_eq!(spans, [(11, 200, 400), (7, 500, 600), (8, 500, 600), (9, 600, 10_000_000_501)]);
    assert_eq!(losses[0].loss, loss(11, 200, 400));
    assert_eq!((&losses[0].blind, &losses[2].blind), (&blind, &None));
    assert_eq!(losses[2].loss.by, LostBy { cpu: Some(1), process: None });
    assert_eq!(ask(&path, "SELECT count(*) || '' FROM blind_rules"), "1");
    assert_eq!(losses[0].run, store.run());
    assert_eq!(losses[0].from_wall, BootTime(200).to_wall(sample::WALL_OFFSET_NS));
    assert_eq!(ask(&path, "SELECT pid || '|' || CAST(comm AS TEXT) FROM processes"), "9|cron");
}

/// More than the writer remembers, with what has no column: it finds the rows that it has just made, and later those in the file.
#[test]
fn of_many_processes_each_is_stored_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eyas.db");
    let store = open(&path);
    let writer = store.writer(WriterOptions::default()).unwrap();
    let handle = writer.handle();
    let started: Vec<_> = (0..9 * 1024)
        .map(|n| {
            Arc::new(Process {
                exec_time: now(),
                namespace_started: BootTime(1),
                env: b"LD_PRELOAD=x\0".as_slice().into(),
                usage: Some(eyas_event::process::Usage { fd_limit: 1024, ..Default::default() }),
                ..(*process(1000 + n, 1, "true")).clone()
            })
        })
        .collect();
    for some in started.chunks(1024) {
        for process in some {
            assert_eq!(handle.process(process.clone()), Kept::Queued);
        }
        handle.flush_and_wait().unwrap();
    }
    assert_eq!(handle.process(started[0].clone()), Kept::Queued);
    writer.close().unwrap();
    assert_eq!(ask(&path, "SELECT count(*) FROM processes"), "9216");
}

/// Processes wait for one another, but not when they are many.
#[test]
fn many_processes_do_not_wait_for_the_timer() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eyas.db");
    let store = open(&path);
    let an_hour = 3_600_000;
    let options = WriterOptions { flush_items: 8, heartbeat_ms: an_hour, ..WriterOptions::default() };
    let writer = store.writer(options).unwrap();
    let handle = writer.handle();
    for n in 0..20 {
        let started = Process { exec_time: now(), ..(*process(1000 + n, 1, "true")).clone() };
        assert_eq!(handle.process(Arc::new(started)), Kept::Queued);
    }
    // At least two eights of them; the last few may wait for their hour.
    let begun = std::time::Instant::now();
    while ask(&path, "SELECT count(*) FROM processes").parse::<u32>().unwrap() < 16 {
        assert!(begun.elapsed().as_secs() < 60, "they wait for the timer");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    writer.close().unwrap();
    assert_eq!(ask(&path, "SELECT count(*) FROM processes"), "20");
}
