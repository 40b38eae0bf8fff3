//! A disk that runs full under the writer: nothing panics, the error is shown, what was handed over is kept, and once there
//! is room again it is written. Needs root, for a file system of its own that is small.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use eyas_store::{Kept, Store, WriterOptions};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};

use crate::opening::skip;
use crate::sample::{alert, ask, open, segment};

/// A mounted tmpfs, unmounted at the end.
pub(crate) struct Tmpfs(PathBuf);

impl Tmpfs {
    /// Says why and gives nothing when this machine does not let us.
    pub(crate) fn mount(at: &Path, options: &str) -> Option<Self> {
        let options = std::ffi::CString::new(options).unwrap();
        match mount("tmpfs", at, "tmpfs", MountFlags::empty(), Some(&*options)) {
            Ok(()) => Some(Self(at.to_owned())),
            Err(e) => {
                skip(&format!("cannot mount a tmpfs: {e}"));
                None
            }
        }
    }

    pub(crate) fn make_read_only(&self) {
        mount_remount(&self.0, MountFlags::RDONLY, "").unwrap();
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // Readers close their files on their own thread, a moment later.
        let _best_effort = unmount(&self.0, UnmountFlags::DETACH);
    }
}

#[test]
fn a_full_disk_stops_nothing_and_loses_nothing() {
    if !rustix::process::geteuid().is_root() {
        skip("needs root to mount a small file system");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let Some(_mounted) = Tmpfs::mount(dir.path(), "size=2m") else { return };
    let path = dir.path().join("eyas.db");
    let store = open(&path);
    let options =
        WriterOptions { flush_items: 16, alert_lane: 64, alert_wait_ms: 5, ..WriterOptions::default() };
    let writer = store.writer(options).unwrap();
    let handle = writer.handle();
    handle.alert(Arc::new(alert(0)));
    handle.flush_and_wait().unwrap();

    let ballast = dir.path().join("ballast");
    while fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&ballast)
        .and_then(|mut f| std::io::Write::write_all(&mut f, &[1; 4096]))
        .is_ok()
    {}
    // Pages that the WAL has already can be written again, so it takes some alerts until SQLite needs a new one.
    let mut kept = [0; 3];
    for n in 1..=400 {
        kept[match handle.alert(Arc::new(alert(n))) {
            Kept::Queued => 0,
            Kept::Spilled => 1,
            Kept::Dropped => 2,
        }] += 1;
    }
    let refused = handle.flush_and_wait().unwrap_err();
    assert!(refused.to_string().contains("full"), "{refused}");
    let stats = handle.stats();
    assert!(
        stats.last_error.as_ref().is_some_and(|e| e.contains("full") || e.contains("No space")),
        "{stats:?}"
    );
    let (queued, spilled, dropped) = (kept[0], kept[1], kept[2]);
    assert!(queued >= 64 && spilled + dropped > 0, "{kept:?}");
    assert_eq!((stats.alerts_spilled, stats.alerts_dropped), (spilled, dropped));

    fs::remove_file(&ballast).unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while handle.stats().alerts_written + dropped < 401 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    handle.segment(segment(0, 1000, true));
    handle.flush_and_wait().unwrap();
    let stats = handle.stats();
    assert_eq!(stats.last_error, None);
    assert_eq!(stats.alerts_written + dropped, 401, "{stats:?}");
    writer.close().unwrap();
    drop(store);
    assert_eq!(ask(&path, "PRAGMA integrity_check"), "ok");
    let reader = Store::open_read(&path).unwrap().blocking();
    assert_eq!(reader.alert_count().unwrap() + dropped, 401);
    let lost: u64 = reader.losses().unwrap().iter().map(|l| l.loss.count).sum();
    assert_eq!(lost, dropped, "what was dropped is stored as a loss");
    assert_eq!(reader.segments_meta().unwrap().len(), 1);
}
