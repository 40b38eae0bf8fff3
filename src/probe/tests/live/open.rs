//! open, openat, openat2, creat, and open through the 32-bit entry.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::process::{Command, Stdio};

use eyas_ebpf::{Body, HeadFlags, OpenBits};
use eyas_probe::{ProbeOptions, Reads};

use crate::actor::{play, play_in_pid_namespace};
use crate::watch::{Watch, bodies, is_root, kernel_dev, opens, path, real, watch, watch_with};

struct Row<'a> {
    syscall: u32,
    given: &'a str,
    /// What it resolves to, below the directory; `None` for a failure.
    to: Option<&'a str>,
    flags: i32,
    mode: u32,
    ret: i32,
    base: Option<&'a str>,
    bits: OpenBits,
}

const NONE: OpenBits = OpenBits(0);

fn watch_by(reads: Reads) -> Option<Watch> {
    watch_with(&ProbeOptions { reads, ..ProbeOptions::default() })
}

#[test]
fn every_open_is_told_as_given_and_as_resolved() {
    opens_are_told(Reads::Cheapest);
}

#[test]
fn every_open_is_told_by_helper_calls_too() {
    opens_are_told(Reads::Helper);
}

fn opens_are_told(reads: Reads) {
    let Some(mut watch) = watch_by(reads) else { return };
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("sub")).unwrap();
    fs::write(dir.path().join("file"), "x").unwrap();
    fs::write(dir.path().join("sub/inner"), "x").unwrap();
    symlink("sub/inner", dir.path().join("link")).unwrap();
    let mut child = play("opens", dir.path(), "");
    watch.until_exit(child.id());
    assert!(child.wait().unwrap().success());

    let create = libc::O_CREAT | libc::O_WRONLY;
    let base =
        Row { syscall: 257, given: "", to: None, flags: 0, mode: 0, ret: 0, base: Some(""), bits: NONE };
    let rows = [
        Row { syscall: 2, given: "/etc/hostname", to: Some("/etc/hostname"), base: None, ..base },
        // A mode that nobody looks at is not told.
        Row { given: "file", to: Some("file"), ..base },
        Row { given: "sub", to: Some("sub"), flags: libc::O_DIRECTORY, ..base },
        Row { given: "inner", to: Some("sub/inner"), base: Some("sub"), ..base },
        Row { given: "missing", ret: -libc::ENOENT, ..base },
        Row { given: "new", to: Some("new"), flags: create, mode: 0o640, bits: OpenBits::CREATED, ..base },
        Row { given: "new", to: Some("new"), flags: create, mode: 0o640, ..base },
        Row {
            syscall: 85,
            given: "made",
            to: Some("made"),
            flags: create | libc::O_TRUNC,
            mode: 0o600,
            bits: OpenBits::CREATED,
            ..base
        },
        Row { syscall: 437, given: "link", to: Some("sub/inner"), ..base },
        Row { given: "sub/../sub/./inner", to: Some("sub/inner"), ..base },
        Row { given: "", ret: -libc::EFAULT, base: None, bits: OpenBits::GIVEN_FAULT, ..base },
        Row { given: "inner", ret: -libc::EBADF, base: None, ..base },
        Row { syscall: 2, given: "file", to: Some("file"), ..base },
    ];
    let seen = opens(&watch.bytes, child.id());
    let seen = &seen[seen.len() - rows.len()..];
    let below = |at: &str| if at.is_empty() { real(dir.path()) } else { real(dir.path().join(at)) };
    for ((head, open), row) in seen.iter().zip(&rows) {
        let fixed = &open.fixed;
        assert_eq!(open.given, row.given.as_bytes());
        assert_eq!(
            (fixed.syscall, fixed.flags, fixed.mode),
            (row.syscall, row.flags as u64, row.mode),
            "{}",
            row.given
        );
        assert_eq!(fixed.bits, row.bits, "{}", row.given);
        assert_eq!(path(open.base), row.base.map(below).unwrap_or_default(), "{}", row.given);
        assert_eq!(fixed.resolve, if fixed.syscall == 437 { libc::RESOLVE_NO_MAGICLINKS } else { 0 });
        if let Some(to) = row.to {
            let truth = below(to);
            let file = fs::metadata(&truth).unwrap();
            assert!(fixed.ret >= 0);
            assert_eq!(path(open.resolved), truth);
            assert_eq!((fixed.ino, fixed.dev), (file.ino(), kernel_dev(file.dev())));
            assert_eq!(u32::from(fixed.file_mode), file.mode());
        } else {
            assert_eq!((fixed.ret, open.resolved, fixed.ino), (i64::from(row.ret), &b""[..], 0));
        }
        let is_last = std::ptr::eq(row, rows.last().unwrap());
        assert_eq!(head.flags, if is_last { HeadFlags::COMPAT } else { HeadFlags(0) });
    }
}

#[test]
fn any_descriptor_finds_its_file() {
    // More than a process's first table of descriptors holds (Linux: NR_OPEN_DEFAULT, 64).
    const MANY: usize = 200;
    for reads in [Reads::Cheapest, Reads::Helper] {
        let Some(mut watch) = watch_by(reads) else { return };
        let dir = tempfile::tempdir().unwrap();
        let mut child = play("hold-open", dir.path(), &MANY.to_string());
        watch.until_exit(child.id());
        assert!(child.wait().unwrap().success());

        let seen = opens(&watch.bytes, child.id());
        let of = |name: &str| -> Vec<_> {
            seen.iter().map(|(_, open)| open).filter(|open| open.given == name.as_bytes()).collect()
        };
        let held = of("held");
        assert_eq!(held.len(), MANY);
        assert!(held.iter().all(|open| path(open.resolved) == real(dir.path().join("held"))));
        assert!(held.last().unwrap().fixed.ret >= MANY as i64);
        // By way of /proc a file is opened that has no name any more, and one that never had one.
        let deleted = of("/proc/self/fd/3")[0];
        assert_eq!(path(deleted.resolved), real(dir.path()) + "/gone");
        assert_eq!(deleted.fixed.bits, OpenBits::DELETED);
        let memfd = of("/proc/self/fd/4")[0];
        assert_eq!(memfd.resolved, b"memfd:hidden\0");
        assert_eq!(memfd.fixed.bits, NONE);
    }
}

#[test]
fn a_path_is_followed_across_mounts() {
    for reads in [Reads::Cheapest, Reads::Helper] {
        is_followed_across_mounts(reads);
    }
}

fn is_followed_across_mounts(reads: Reads) {
    if !is_root() {
        return;
    }
    let Some(mut watch) = watch_by(reads) else { return };
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::create_dir_all(at("from/deep")).unwrap();
    fs::create_dir(at("onto")).unwrap();
    fs::write(at("from/deep/bound"), "x").unwrap();
    let script = "mount --bind from onto && mkdir onto/tmp && mount -t tmpfs none onto/tmp \
                  && : > onto/tmp/made && : < onto/deep/bound && : < onto/tmp/made && cd onto/tmp && : < ./made";
    let mut child = Command::new("unshare")
        .args(["--mount", "/bin/sh", "-ec", script])
        .current_dir(dir.path())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    watch.until_exit(child.id());
    assert!(child.wait().unwrap().success());

    let seen = opens(&watch.bytes, child.id());
    let resolved = |given: &str| {
        let open = seen.iter().rev().find(|(_, open)| open.given == given.as_bytes()).unwrap().1;
        (path(open.resolved), path(open.base))
    };
    let root = real(dir.path());
    assert_eq!(resolved("onto/deep/bound"), (format!("{root}/onto/deep/bound"), root.clone()));
    assert_eq!(resolved("onto/tmp/made"), (format!("{root}/onto/tmp/made"), root.clone()));
    assert_eq!(resolved("./made"), (format!("{root}/onto/tmp/made"), format!("{root}/onto/tmp")));
}

#[test]
fn the_sensor_does_not_report_itself() {
    let Some(watch) = watch() else { return };
    assert_blind_to_itself(watch);
}

#[test]
fn nor_does_it_from_within_a_pid_namespace() {
    if !is_root() || watch().is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    assert!(play_in_pid_namespace("blind", dir.path()).success());
}

/// Opens the sensor in this process and checks that it sees others and not itself, whatever this process is numbered.
pub(crate) fn assert_blind_to_itself(mut watch: Watch) {
    // Names of this test alone: others may run beside it, in this process and in others.
    let dir = tempfile::tempdir().unwrap();
    let name = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (own, other) = (name("of-the-sensor"), name("of-another"));
    for _ in 0..100 {
        assert!(fs::File::open(&own).is_err());
    }
    assert!(!Command::new("cat").arg(&other).stderr(Stdio::null()).status().unwrap().success());
    let is_of =
        |body: &Body<'_>, name: &str| matches!(body, Body::Open(open) if open.given == name.as_bytes());
    watch.until(|bytes| bodies(bytes).any(|(_, body)| is_of(&body, &other)));
    assert!(!bodies(&watch.bytes).any(|(_, body)| is_of(&body, &own)));
}
