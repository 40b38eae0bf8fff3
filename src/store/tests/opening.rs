//! Opening: what is made, what is refused and in which words, who may write, and what a new run notes about the one before.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::Arc;

use eyas_event::{LossCause, Lost, WallTime};
use eyas_store::{Create, OpenOptions, RunKind, Store, StoreError, WriterOptions};
use sqlx::{Connection, raw_sql};

use crate::sample::{NOW, alert, ask, on, open, options};

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_missing_file_is_made_with_its_directories_for_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b/eyas.db");
    let never = OpenOptions { create: Create::Never, ..options() };
    let refused = Store::open(&path, &never).unwrap_err();
    assert!(matches!(refused, StoreError::Missing { .. }), "{refused}");
    assert!(!path.parent().unwrap().exists());
    let store = open(&path);
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&dir.path().join("a")), 0o700);
    assert_eq!(mode(&dir.path().join("a/b")), 0o700);
    drop(store);
    assert_eq!(ask(&path, "PRAGMA application_id"), "1702453619");
    assert_eq!(ask(&path, "PRAGMA user_version"), "3");
    assert_eq!(ask(&path, "PRAGMA journal_mode"), "wal");
    assert_eq!(ask(&path, "PRAGMA integrity_check"), "ok");
}

#[test]
fn files_of_others_are_refused_and_left_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let text = dir.path().join("notes.txt");
    fs::write(&text, "shopping list\n".repeat(20)).unwrap();
    let other = dir.path().join("other.db");
    fs::write(&other, "").unwrap();
    on(&other, |mut conn| async move {
        let sql = "PRAGMA application_id = 0x0f055112; CREATE TABLE t (x)";
        raw_sql(sql).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
    });
    for (path, words) in [
        (&text, "is not a SQLite file: eyas leaves it alone; name another file"),
        (&other, "belongs to another program (SQLite application id 0x0f055112)"),
    ] {
        let before = fs::read(path).unwrap();
        for refused in [Store::open(path, &options()).unwrap_err(), Store::open_read(path).unwrap_err()] {
            let said = refused.to_string();
            assert!(said.contains(words) && said.contains(path.to_str().unwrap()), "{said}");
        }
        assert_eq!(fs::read(path).unwrap(), before);
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing was made beside them");
}

#[test]
fn a_newer_schema_is_refused_and_an_unfinished_file_is_finished() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eyas.db");
    drop(open(&path));
    on(&path, |mut conn| async move {
        raw_sql("PRAGMA user_version = 7").execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
    });
    for refused in [Store::open(&path, &options()).unwrap_err(), Store::open_read(&path).unwrap_err()] {
        let said = refused.to_string();
        assert!(said.contains("has schema 7, this eyas knows schemas up to 3"), "{said}");
        assert!(said.contains("use the newer eyas"), "{said}");
    }
    // What a kill leaves between the making of a file and its first table.
    let unfinished = dir.path().join("unfinished.db");
    fs::write(&unfinished, "").unwrap();
    on(&unfinished, |mut conn| async move {
        raw_sql("PRAGMA application_id = 0x65796173").execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
    });
    let refused = Store::open_read(&unfinished).unwrap_err();
    assert!(matches!(refused, StoreError::Older { found: 0, known: 3, .. }), "{refused}");
    drop(open(&unfinished));
    assert_eq!(ask(&unfinished, "PRAGMA user_version"), "3");
}

#[test]
fn a_file_of_the_first_schema_keeps_its_processes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eyas.db");
    fs::write(&path, "").unwrap();
    on(&path, |mut conn| async move {
        raw_sql("PRAGMA application_id = 0x65796173").execute(&mut conn).await.unwrap();
        raw_sql(include_str!("../migrations/0001_first.sql")).execute(&mut conn).await.unwrap();
        let rows = "INSERT INTO boots (id, boot_id) VALUES (1, 'b');
            INSERT INTO processes VALUES (7, 1, 42, 3, 0, 0, 1, 1, x'7368', x'', x'', x'', x'', 0, 0, 0, 0, 0, 0, 0, 0, 0, 42,
                42, 0, 0, 'host', 5, 0, 0, 0)";
        raw_sql(rows).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
    });
    drop(open(&path));
    assert_eq!(ask(&path, "PRAGMA user_version"), "3");
    let kept = "SELECT pid || ' ' || comm || ' ' || cap_effective || ' ' || cap_permitted || ' ' || exe_ctime FROM processes";
    assert_eq!(ask(&path, kept), "42 sh 5 0 0");
}

#[test]
fn a_second_writer_is_refused_with_the_pid_of_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eyas.db");
    assert!(!Store::is_held(&path).unwrap());
    assert!(!path.exists(), "asking makes nothing");
    let store = open(&path);
    let link = dir.path().join("by-another-name.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for name in [&path, &link] {
        assert!(Store::is_held(name).unwrap());
        match Store::open(name, &options()) {
            Err(StoreError::Held { pid, .. }) => assert_eq!(pid, Some(std::process::id())),
            other => panic!("{other:?}"),
        }
    }
    let writer = store.writer(WriterOptions::default()).unwrap();
    assert!(matches!(store.writer(WriterOptions::default()), Err(StoreError::WriterTaken)));
    drop(store);
    assert!(
        matches!(Store::open(&path, &options()), Err(StoreError::Held { .. })),
        "the writer holds it too"
    );
    writer.close().unwrap();
    assert!(!Store::is_held(&path).unwrap());
    drop(open(&path));
}

#[test]
fn the_lock_outlives_neither_its_process_nor_needs_a_clean_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eyas.db");
    drop(open(&path));
    // Another program of the system holds the same lock, so this also shows what kind of lock it is.
    let lock = dir.path().join("eyas.db.lock");
    let held = "echo $$ > \"$0\"; echo held; exec sleep 60";
    let child = Command::new("flock")
        .arg(&lock)
        .args(["sh", "-c", held])
        .arg(&lock)
        .stdout(std::process::Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        skip("the program flock (util-linux) is not there");
        return;
    };
    let mut line = String::new();
    let out = child.stdout.as_mut().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
    let Err(StoreError::Held { pid: Some(pid), .. }) = Store::open(&path, &options()) else {
        panic!("the store was not held");
    };
    assert_ne!(pid, std::process::id());
    // The shell that wrote its pid became sleep; both it and flock hold the lock's file.
    for pid in [pid, child.id()] {
        let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    }
    child.wait().unwrap();
    let freed = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        Store::open(&path, &options()).is_ok()
    });
    assert!(freed);
}

#[test]
fn a_live_run_notes_the_gap_since_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eyas.db");
    let hour = 3_600_000_000_000;
    drop(open(&path));
    let later = OpenOptions { wall_now: WallTime(NOW.0 + hour), ..options() };
    let store = Store::open(&path, &later).unwrap();
    let reader = store.reader().unwrap().blocking();
    let runs = reader.runs().unwrap();
    assert_eq!(runs.len(), 2);
    let ended = runs[0].ended.unwrap();
    assert!(ended >= NOW && ended.0 < NOW.0 + hour / 60, "{ended}");
    assert_eq!(runs[1].ended, None);
    assert_eq!((runs[1].started, runs[1].pid), (later.wall_now, std::process::id()));
    let losses = reader.losses().unwrap();
    assert_eq!(losses.len(), 1);
    let gap = &losses[0];
    assert_eq!((gap.loss.lost, gap.loss.cause, gap.loss.count), (Lost::AnyRecords, LossCause::NotRunning, 0));
    assert_eq!((gap.from_wall, gap.to_wall), (ended, later.wall_now));
    assert_eq!(gap.loss.to.to_wall(later.wall_offset_ns), later.wall_now);
    drop((reader, store));
    // A replay watches nobody, and another node's silence is its own.
    drop(Store::open(&path, &OpenOptions { kind: RunKind::Recorded, ..later.clone() }).unwrap());
    drop(Store::open(&path, &OpenOptions { node: "node-2".to_owned(), ..later.clone() }).unwrap());
    // A clock that was set back gives an empty span, not a turned one.
    drop(open(&path));
    let losses = Store::open_read(&path).unwrap().blocking().losses().unwrap();
    assert_eq!(losses.len(), 2);
    assert_eq!((losses[1].from_wall, losses[1].to_wall), (NOW, NOW));
}

#[test]
fn a_copy_can_be_read_where_nothing_can_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eyas.db");
    let store = open(&path);
    let writer = store.writer(WriterOptions::default()).unwrap();
    writer.handle().alert(Arc::new(alert(0)));
    let reader = store.reader().unwrap();
    writer.close().unwrap();
    // A reader is still there, so nothing but the writer's own checkpoint has emptied the WAL.
    let copy = dir.path().join("copy.db");
    fs::copy(&path, &copy).unwrap();
    assert_eq!(Store::open_read(&copy).unwrap().blocking().alert_count().unwrap(), 1);
    drop(reader);
    if !rustix::process::geteuid().is_root() {
        skip("needs root to mount a read-only file system");
        return;
    }
    let mount = dir.path().join("mount");
    fs::create_dir(&mount).unwrap();
    let Some(mounted) = crate::disk_full::Tmpfs::mount(&mount, "size=4m") else { return };
    fs::copy(&path, mount.join("case.db")).unwrap();
    mounted.make_read_only();
    let read = Store::open_read(mount.join("case.db")).unwrap().blocking();
    assert_eq!(read.alerts_page(None, 5).unwrap().len(), 1);
    drop(read);
}

/// Names the store to the child below.
const CHILD: &str = "EYAS_STORE_TEST_READER";

/// Not a test of its own: it reads as a user who may write nothing here.
#[test]
#[ignore = "run by the test below, in a process of its own"]
fn child_that_reads() {
    let path = std::env::var_os(CHILD).expect("the test that runs this names the store");
    let reader = Store::open_read(std::path::Path::new(&path)).unwrap().blocking();
    assert_eq!(reader.alerts_page(None, 5).unwrap().len(), 1);
}

#[test]
fn anybody_who_may_read_the_file_can_read_it() {
    if !rustix::process::geteuid().is_root() {
        skip("needs root to become somebody else");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eyas.db");
    let store = open(&path);
    let writer = store.writer(WriterOptions::default()).unwrap();
    writer.handle().alert(Arc::new(alert(0)));
    writer.close().unwrap();
    drop(store);
    // The test program may lie where only its owner can go.
    let program = dir.path().join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    for (path, mode) in [(dir.path(), 0o755), (&path, 0o644), (&program, 0o755)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let out = std::os::unix::process::CommandExt::uid(&mut Command::new(&program), 65534)
        .args(["opening::child_that_reads", "--exact", "--ignored"])
        .env(CHILD, &path)
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
    assert!(String::from_utf8_lossy(&out.stdout).contains("1 passed"));
}

#[expect(clippy::print_stderr, reason = "a test that cannot run says why")]
pub(crate) fn skip(why: &str) {
    eprintln!("skipped: {why}");
}
