//! What the other tests write: one plain alert, and strategies that make any alert there can be. Also the options with which
//! they open stores.

use std::path::Path;
use std::sync::Arc;

use eyas_event::process::ProcessFlags;
use eyas_event::{
    Alert, AlertId, BootTime, EventType, OutputValue, Priority, Process, ProcessKey, RulesetHash, WallTime,
};
use eyas_store::{Create, OpenOptions, RunKind, Segment, Store};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection, Row};

/// 2026-01-01T00:00:00Z.
pub(crate) const NOW: WallTime = WallTime(1_767_225_600_000_000_000);
/// The sample machine booted 1,000 s before that.
pub(crate) const WALL_OFFSET_NS: i64 = (NOW.0 - 1_000_000_000_000).cast_signed();

pub(crate) fn options() -> OpenOptions {
    OpenOptions {
        node: "node-1".to_owned(),
        wall_now: NOW,
        wall_offset_ns: WALL_OFFSET_NS,
        boot_id: "5f7c7e0e-2f5e-4f0e-9c9e-0d6f3c9b8a10".to_owned(),
        kind: RunKind::Live,
        create: Create::IfMissing,
    }
}

pub(crate) fn open(path: &Path) -> Store {
    Store::open(path, &options()).unwrap()
}

pub(crate) fn process(pid: u32, parent: u32, comm: &str) -> Arc<Process> {
    Arc::new(Process {
        key: ProcessKey { pid, start: u64::from(pid) * 3 },
        parent: ProcessKey { pid: parent, start: u64::from(parent) * 3 },
        comm: comm.as_bytes().into(),
        exe_path: format!("/usr/bin/{comm}").into_bytes().into(),
        argv: format!("{comm}\0-c\0id\0").into_bytes().into(),
        container: Process::HOST.into(),
        exec_time: BootTime(u64::from(pid) * 30_000_000),
        ..Process::default()
    })
}

/// The `n`-th alert of the sample run: one a millisecond.
pub(crate) fn alert(n: u64) -> Alert {
    let boot_time = BootTime(1_000_000_000_000 + n * 1_000_000);
    let time = boot_time.to_wall(WALL_OFFSET_NS);
    Alert {
        id: AlertId::new(time, n),
        time,
        boot_time,
        rule: "Shell in a container".into(),
        priority: Priority::ALL[(n % 8) as usize],
        tags: ["container".into(), "mitre_execution".into()].into(),
        ruleset: RulesetHash([7; 32]),
        source: "syscall".into(),
        node: "node-1".into(),
        message: format!("A shell was started (n={n})"),
        output_fields: vec![("proc.name".to_owned(), OutputValue::Text("sh".to_owned()))],
        fields: vec![
            ("evt.num".to_owned(), OutputValue::Uint(n)),
            ("evt.rawres".to_owned(), OutputValue::Int(0)),
            ("proc.name".to_owned(), OutputValue::Text("sh".to_owned())),
        ],
        event_num: n,
        event_type: "execve",
        process: process(100, 50, "sh"),
        ancestors: vec![process(50, 1, "nginx"), process(1, 0, "init")],
        user: "www-data".to_owned(),
        lost_before: 0,
    }
}

/// Bytes that compress badly, so that stored sizes can be foretold.
pub(crate) fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(|| {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        (x >> 32) as u8
    })
    .take(len)
    .collect()
}

/// The `n`-th segment: 100 records in a second.
pub(crate) fn segment(n: u64, len: usize, keyframe: bool) -> Segment {
    let at = |s: u64| BootTime(1_000_000_000_000 + s * 1_000_000_000);
    Segment { first: at(n), last: at(n + 1), records: 100, keyframe, raw: noise(len, n + 1) }
}

/// Asks the file without the store's own code: one value, as text.
pub(crate) fn ask(path: &Path, sql: &'static str) -> String {
    on(path, |mut conn| async move {
        let row = sqlx::raw_sql(sql).fetch_one(&mut conn).await.unwrap();
        let value = row.try_get_unchecked::<String, _>(0);
        conn.close().await.unwrap();
        value.unwrap()
    })
}

/// Does something with a bare connection to the file.
pub(crate) fn on<T, F: Future<Output = T>>(path: &Path, work: impl FnOnce(SqliteConnection) -> F) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let options = SqliteConnectOptions::new().filename(path);
    runtime.block_on(async { work(SqliteConnection::connect_with(&options).await.unwrap()).await })
}

fn bytes() -> impl Strategy<Value = Box<[u8]>> {
    vec(any::<u8>(), 0..40).prop_map(Into::into)
}

fn key() -> impl Strategy<Value = ProcessKey> {
    // Few keys, so that different values meet under one.
    (0_u32..5, prop_oneof![0_u64..3, any::<u64>()]).prop_map(|(pid, start)| ProcessKey { pid, start })
}

pub(crate) fn any_process() -> impl Strategy<Value = Arc<Process>> {
    let texts = (bytes(), bytes(), bytes(), bytes(), bytes(), ".{0,12}");
    let narrow = proptest::array::uniform14(any::<u32>());
    let wide = proptest::array::uniform8(any::<u64>());
    (key(), key(), 0_u64..3, texts, narrow, wide).prop_map(|(key, parent, exec_time, texts, narrow, wide)| {
        let (comm, exe_path, filename, argv, cwd, container) = texts;
        let [
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
            exe_dev,
            flags,
        ] = narrow;
        let [cgroup, cap_effective, exe_ino, started, cap_permitted, cap_inheritable, ctime, mtime] = wide;
        Arc::new(Process {
            key,
            parent,
            started: BootTime(started),
            comm,
            exe_path,
            filename,
            argv,
            env: Box::default(),
            namespace_started: BootTime(0),
            usage: None,
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
            container: container.into(),
            cap_effective,
            cap_permitted,
            cap_inheritable,
            exec_time: BootTime(exec_time),
            exe_dev,
            exe_ino,
            exe_ctime: ctime.cast_signed(),
            exe_mtime: mtime.cast_signed(),
            flags: ProcessFlags(flags),
        })
    })
}

fn any_value() -> impl Strategy<Value = OutputValue> {
    let leaf = prop_oneof![
        Just(OutputValue::Null),
        any::<bool>().prop_map(OutputValue::Bool),
        any::<i64>().prop_map(OutputValue::Int),
        any::<u64>().prop_map(OutputValue::Uint),
        any::<String>().prop_map(OutputValue::Text),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| vec(inner, 0..4).prop_map(OutputValue::List))
}

fn any_fields() -> impl Strategy<Value = Vec<(String, OutputValue)>> {
    vec((any::<String>(), any_value()), 0..6)
}

/// Any alert with this id.
pub(crate) fn any_alert(id: u64) -> impl Strategy<Value = Alert> {
    let texts = (any::<String>(), any::<String>(), any::<String>(), any::<String>(), any::<String>());
    let numbers = proptest::array::uniform4(any::<u64>());
    let kinds = (0_usize..8, 0..EventType::count(), any::<[u8; 32]>());
    let lineage = (any_process(), vec(any_process(), 0..5));
    let more = (vec(any::<String>(), 0..4), any_fields(), any_fields());
    (texts, numbers, kinds, lineage, more).prop_map(move |(texts, numbers, kinds, lineage, more)| {
        let (rule, source, node, message, user) = texts;
        let [time, boot_time, event_num, lost_before] = numbers;
        let (priority, event_type, hash) = kinds;
        let (tags, output_fields, fields) = more;
        Alert {
            id: AlertId(id),
            time: WallTime(time),
            boot_time: BootTime(boot_time),
            rule: rule.into(),
            priority: Priority::ALL[priority],
            tags: tags.into_iter().map(String::into_boxed_str).collect(),
            ruleset: RulesetHash(hash),
            source: source.into(),
            node: node.into(),
            message,
            output_fields,
            fields,
            event_num,
            event_type: EventType::all().nth(event_type).unwrap().name(),
            process: lineage.0,
            ancestors: lineage.1,
            user,
            lost_before,
        }
    })
}

/// Some alerts with ids of their own.
pub(crate) fn any_alerts() -> impl Strategy<Value = Vec<Alert>> {
    (any_alert(1), of(any_alert(2)), of(any_alert(i64::MAX as u64 - 1)))
        .prop_map(|(a, b, c)| [Some(a), b, c].into_iter().flatten().collect())
}
