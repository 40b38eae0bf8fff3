//! kill -9 of a process that writes: what was handed over 200 ms before the kill is in the store, the file is whole, the lock
//! is free, and the next start knows since when nobody watched.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use eyas_event::{AlertId, LossCause, WallTime};
use eyas_store::{OpenOptions, Store, WriterOptions};

use crate::sample::{NOW, alert, ask, open, options, segment};

/// Names the store to the child below.
const CHILD: &str = "EYAS_STORE_TEST_CHILD";

/// Not a test of its own: the process that gets killed. It says each number after it has handed that alert over.
#[test]
#[ignore = "run by the test below, in a process of its own"]
fn child_that_writes_until_it_is_killed() {
    let path = std::env::var_os(CHILD).expect("the test that runs this names the store");
    let store = open(Path::new(&path));
    let writer = store.writer(WriterOptions::default()).unwrap();
    let handle = writer.handle();
    let begun = Instant::now();
    for n in 0.. {
        handle.alert(Arc::new(alert(n)));
        if n % 100 == 0 {
            handle.segment(segment(n / 100, 50_000, n == 0));
        }
        // One write, so that a kill cuts no line in the middle.
        std::io::stdout().write_all(format!("alert {n}\n").as_bytes()).unwrap();
        let due = begun + Duration::from_millis(n);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}

#[test]
fn kill_9_loses_nothing_that_is_200_ms_old() {
    for round in 0..3 {
        let dir = tempfile::tempdir().unwrap();
        kill_after(Duration::from_millis(1_200 + 170 * round), &dir.path().join("eyas.db"));
    }
}

fn kill_after(time: Duration, path: &Path) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["crash::child_that_writes_until_it_is_killed", "--exact", "--ignored", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let listener = std::thread::spawn(move || {
        let mut heard = Vec::new();
        for line in out.lines().map_while(Result::ok) {
            if let Some(n) = line.strip_prefix("alert ").and_then(|n| n.parse::<u64>().ok()) {
                heard.push((n, Instant::now()));
            }
        }
        heard
    });
    std::thread::sleep(time);
    let killed = Instant::now();
    child.kill().unwrap();
    child.wait().unwrap();
    let heard = listener.join().unwrap();
    let old: Vec<u64> = heard
        .iter()
        .filter(|(_, at)| killed.saturating_duration_since(*at) >= Duration::from_millis(200))
        .map(|(n, _)| *n)
        .collect();
    assert!(old.len() > 300, "only {} alerts were 200 ms old at the kill", old.len());

    let later = OpenOptions { wall_now: WallTime(NOW.0 + 60_000_000_000), ..options() };
    let store = Store::open(path, &later).expect("a kill leaves no lock behind");
    let reader = store.reader().unwrap().blocking();
    let mut stored = HashSet::new();
    let mut after = AlertId(0);
    loop {
        let page = reader.alerts_after(after, 500).unwrap();
        let Some(last) = page.last() else { break };
        after = last.id;
        stored.extend(page.iter().map(|a| a.event_num));
    }
    let missing: Vec<&u64> = old.iter().filter(|n| !stored.contains(n)).collect();
    assert!(missing.is_empty(), "{} of {} are missing: {missing:?}", missing.len(), old.len());
    assert!(reader.segments().all(|s| s.is_ok()));
    assert!(!reader.segments_meta().unwrap().is_empty());

    let runs = reader.runs().unwrap();
    assert_eq!((runs.len(), runs[0].ended, runs[0].pid), (2, None, child.id()));
    let losses = reader.losses().unwrap();
    assert_eq!(losses.len(), 1, "{losses:?}");
    assert_eq!(losses[0].loss.cause, LossCause::NotRunning);
    assert_eq!((losses[0].from_wall, losses[0].to_wall), (runs[0].last_alive, later.wall_now));
    // The child wrote for most of that time, so it was alive for most of that time.
    let alive = Duration::from_nanos(runs[0].last_alive.0 - NOW.0);
    assert!(alive + Duration::from_millis(700) > time && alive < time, "alive for {alive:?} of {time:?}");
    drop((reader, store));
    assert_eq!(ask(path, "PRAGMA integrity_check"), "ok");
}
