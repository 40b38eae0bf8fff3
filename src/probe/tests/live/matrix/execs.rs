//! Programs that start, and those that do not: by every way to name the file, through every entry.

use std::fs;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::facts::{Facts, word};
use super::own::{capabilities, seen_link};
use super::stage::{Arg, Hints, Stage, bytes};
use crate::watch::kernel_dev;

/// The ways; the error where there is one.
pub(crate) const COLUMNS: [(&str, i32); 14] = [
    ("relative", 0),
    ("absolute", 0),
    ("symlink", 0),
    ("4095", 0),
    ("dirfd", 0),
    ("deleted", 0),
    ("missing", libc::ENOENT),
    ("not-executable", libc::EACCES),
    ("empty", libc::ENOENT),
    ("too-long", libc::ENAMETOOLONG),
    ("bad-pointer", libc::EFAULT),
    ("deleted-dir", libc::ENOENT),
    ("bad-dirfd", libc::EBADF),
    ("file-dirfd", libc::ENOTDIR),
];

/// Whether execve has the column, which takes no descriptor.
pub(crate) fn is_of(name: &str, column: &str) -> bool {
    name == "execveat" || !matches!(column, "dirfd" | "deleted" | "bad-dirfd" | "file-dirfd")
}

pub(crate) fn play(stage: &mut Stage) {
    for name in ["execve", "execveat"] {
        for (column, error) in COLUMNS.iter().filter(|column| is_of(name, column.0)) {
            stage.each_entry(name, |stage| stage.in_child(|stage| cell(stage, column, *error)));
        }
    }
}

fn cell(stage: &mut Stage, column: &str, error: i32) {
    let dir = stage.root.join(format!("exec-{column}-{}", std::process::id()));
    let at = |name: &str| dir.join(name);
    fs::create_dir(&dir).unwrap();
    fs::create_dir(at("sub")).unwrap();
    fs::copy("/bin/true", at("t")).unwrap();
    fs::write(at("text"), "no program").unwrap();
    std::os::unix::fs::symlink(at("t"), at("link")).unwrap();
    std::env::set_current_dir(&dir).unwrap();
    let here = i64::from(libc::AT_FDCWD);
    let (mut fd, mut text, mut flags) = (here, b"t".to_vec(), 0);
    // Held open until the end of this program.
    let open =
        |path: &Path| i64::from(std::mem::ManuallyDrop::new(fs::File::open(path).unwrap()).as_raw_fd());
    match column {
        "absolute" => text = bytes(&at("t")),
        "symlink" => text = b"./link".to_vec(),
        "4095" => text = [b"./".repeat(2047), b"t".to_vec()].concat(),
        "too-long" => text = [b"./".repeat(2048), b"t".to_vec()].concat(),
        "missing" => text = b"missing/t".to_vec(),
        "not-executable" => text = b"text".to_vec(),
        "empty" => text.clear(),
        "dirfd" => {
            fd = open(&dir);
            std::env::set_current_dir(at("sub")).unwrap();
        }
        "deleted" => {
            (fd, flags) = (open(&at("t")), libc::AT_EMPTY_PATH as u64);
            text.clear();
        }
        "deleted-dir" => {
            std::env::set_current_dir(at("sub")).unwrap();
            fs::remove_dir(at("sub")).unwrap();
        }
        "bad-dirfd" => fd = 9999,
        "file-dirfd" => fd = open(&at("text")),
        _ => {}
    }
    let file = fs::metadata(at("t")).unwrap();
    if column == "deleted" {
        fs::remove_file(at("t")).unwrap();
    }
    let args = [&b"named so"[..], b"--flag", b""];
    let ats: Vec<u64> = args.iter().map(|arg| stage.put(&[arg, &b"\0"[..]].concat())).chain([0]).collect();
    let pointers: Vec<u8> = ats.into_iter().flat_map(|at| stage.long(at)).collect();
    let (argv, envp) = (stage.put(&pointers), stage.put(&stage.long(0)));
    let path = if column == "bad-pointer" { Arg::NowherePath(1) } else { Arg::Path(&text) };
    let by_fd = stage.row == "execveat";
    let call: Vec<Arg<'_>> = if by_fd {
        vec![Arg::Dir(fd), path, Arg::N(argv), Arg::N(envp), Arg::N(flags)]
    } else {
        vec![path, Arg::N(argv), Arg::N(envp)]
    };
    if error != 0 {
        let words = vec![("dirfd", fd.to_string()), ("exec.flags", flags.to_string())];
        stage.go(column, &call, &Hints { own_kind: true, words, ..Hints::default() });
        return;
    }
    let mut facts = Facts::new();
    let mut put = |name: &str, value: String| facts.insert(name.into(), value);
    put("ret", "0".into());
    // Told as execveat where the kernel's own name for the file shows it.
    let shows = fd != here;
    if by_fd && !shows {
        put("number", "59".into());
    }
    put(
        "exec.name",
        match (shows, text.is_empty()) {
            (true, true) => word(format!("/dev/fd/{fd}").as_bytes()),
            (true, false) => word(&[format!("/dev/fd/{fd}/").as_bytes(), &text].concat()),
            (false, _) => word(&text),
        },
    );
    put("exec.args", word(&args.map(|arg| [arg, &b"\0"[..]].concat()).concat()));
    put("exec.path", word(&bytes(&at("t"))));
    put("exec.cwd", seen_link("/proc/self/cwd").unwrap().0);
    put("exec.file", format!("{:o}/{}/{}", file.mode(), kernel_dev(file.dev()), file.ino()));
    // SAFETY: no arguments.
    let (pid, group, session) = unsafe { (libc::getpid(), libc::getpgid(0), libc::getsid(0)) };
    put("exec.pids", format!("{pid}/{group}/{session}"));
    let ids = stage.outer_ids();
    put("exec.ids", format!("{0}/{1}/{0}/{1}", ids.0, ids.1));
    let (permitted, effective, _) = capabilities();
    put("capabilities", format!("{permitted:x}/{effective:x}"));
    if column == "deleted" {
        put("fd.deleted", "yes".into());
    }
    stage.go_away(column, &call, facts);
}
