//! Calls that take paths: each of their paths in each of the ways in which a path can be given.

use std::fs;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

use super::DEEP;
use super::stage::{Arg, Hints, Stage, bytes};

/// The ways. Those before [`FAILS`] must succeed where nothing is forbidden; the others must fail, with this error.
pub(crate) const COLUMNS: [(&str, i32); 17] = [
    ("relative", 0),
    ("dots", 0),
    ("absolute", 0),
    ("symlink", 0),
    ("bind", 0),
    ("deep", 0),
    ("4095", 0),
    ("dirfd", 0),
    ("missing", libc::ENOENT),
    ("empty", libc::ENOENT),
    ("deleted", libc::ENOENT),
    ("too-long", libc::ENAMETOOLONG),
    ("null", libc::EFAULT),
    ("bad-pointer", libc::EFAULT),
    ("deleted-dirfd", libc::ENOENT),
    ("bad-dirfd", libc::EBADF),
    ("file-dirfd", libc::ENOTDIR),
];

/// Whether a column is about the descriptor of a directory.
pub(crate) fn needs_dir(column: &str) -> bool {
    column.ends_with("dirfd")
}

/// What lies at the path for the call to succeed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    File,
    Directory,
    Mount,
}
use Needs::{Directory, File, Mount, Nothing};

/// An argument of a row.
#[derive(Clone, Copy)]
enum Part {
    /// The path that is varied.
    Subject,
    /// The descriptor of the directory that it starts at.
    At,
    /// The same, and the event is about it.
    AtFd,
    /// Another path, at which nothing lies; at which a file lies.
    Free,
    There,
    /// In place of the directory of such a path.
    Here,
    Text(&'static str),
    /// A text that is neither of the two: the type of a file system.
    Type,
    N(u64),
    /// openat2's struct.
    How,
}
use Part::{At, AtFd, Free, Here, How, N, Subject, Text, There, Type};

/// A call and one of its paths.
pub(crate) struct Row {
    /// Its name.
    pub(crate) name: &'static str,
    /// Which of its paths is varied.
    pub(crate) slot: &'static str,
    parts: &'static [Part],
    needs: Needs,
}

const fn row(name: &'static str, slot: &'static str, parts: &'static [Part], needs: Needs) -> Row {
    Row { name, slot, parts, needs }
}

/// Open flags of the rows: to read, without following what was not asked for.
const READ: u64 = libc::O_NONBLOCK as u64;

pub(crate) const ROWS: &[Row] = &[
    row("rename", "first", &[Subject, Free], File),
    row("rename", "second", &[There, Subject], Nothing),
    row("renameat", "first", &[At, Subject, Here, Free], File),
    row("renameat", "second", &[Here, There, At, Subject], Nothing),
    row("renameat2", "first", &[At, Subject, Here, Free, N(1)], File),
    row("renameat2", "second", &[Here, There, At, Subject, N(0)], Nothing),
    row("link", "first", &[Subject, Free], File),
    row("link", "second", &[There, Subject], Nothing),
    row("linkat", "first", &[At, Subject, Here, Free, N(0x400)], File),
    row("linkat", "second", &[Here, There, At, Subject, N(0)], Nothing),
    row("symlink", "second", &[Text("to/where"), Subject], Nothing),
    row("symlinkat", "second", &[Text("to/where"), AtFd, Subject], Nothing),
    row("mkdir", "first", &[Subject, N(0o750)], Nothing),
    row("mkdirat", "first", &[AtFd, Subject, N(0o711)], Nothing),
    row("rmdir", "first", &[Subject], Directory),
    row("unlink", "first", &[Subject], File),
    row("unlinkat", "first", &[AtFd, Subject, N(0)], File),
    row("chmod", "first", &[Subject, N(0o4711)], File),
    row("fchmodat", "first", &[AtFd, Subject, N(0o600)], File),
    row("chroot", "first", &[Subject], Directory),
    row("chdir", "first", &[Subject], Directory),
    row("mount", "second", &[Text("none"), Subject, Type, N(libc::MS_NOSUID)], Directory),
    row("umount", "first", &[Subject], Mount),
    row("umount2", "first", &[Subject, N(libc::MNT_DETACH as u64)], Mount),
    row("open", "first", &[Subject, N(READ), N(0o7777)], File),
    row("creat", "first", &[Subject, N(0o640)], Nothing),
    row("openat", "first", &[At, Subject, N(READ), N(0)], File),
    row("openat2", "first", &[At, Subject, How, N(24)], File),
];

/// Makes every cell of the rows, through every entry.
pub(crate) fn play(stage: &mut Stage) {
    let deep = make_deep(&stage.root.clone());
    let mut cells = 0;
    for row in ROWS {
        let takes_dir = row.parts.iter().any(|part| matches!(part, At | AtFd));
        for (column, _) in COLUMNS.iter().filter(|column| takes_dir || !needs_dir(column.0)) {
            stage.each_entry(row.name, |stage| {
                cells += 1;
                let name = format!("{}/{column}", row.slot);
                let place = Place::make(stage, row, cells);
                if row.name == "chroot" {
                    stage.in_child(|stage| cell(stage, row, column, &name, &place, &deep));
                } else {
                    cell(stage, row, column, &name, &place, &deep);
                }
                place.clear(&stage.root);
            });
        }
    }
}

/// Forty directories, one in the other, whose path is longer than any path may be.
fn make_deep(root: &Path) -> fs::File {
    std::env::set_current_dir(root).unwrap();
    for _ in 0..40 {
        fs::create_dir(DEEP).unwrap();
        std::env::set_current_dir(DEEP).unwrap();
    }
    let deep = fs::File::open(".").unwrap();
    std::env::set_current_dir(root).unwrap();
    deep
}

/// The directory of one cell.
struct Place(PathBuf);

impl Place {
    fn make(stage: &Stage, row: &Row, cell: usize) -> Self {
        let dir = stage.root.join(format!("{}-{cell}", row.name));
        for name in ["", "sub", "gone", "bind", "cut"] {
            fs::create_dir(dir.join(name)).unwrap();
        }
        fs::write(dir.join("there"), "there").unwrap();
        std::os::unix::fs::symlink(&dir, dir.join("sub/back")).unwrap();
        Self(dir)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn clear(&self, root: &Path) {
        std::env::set_current_dir(root).unwrap();
        for name in ["t", "bind"] {
            detach(&self.at(name));
        }
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn detach(path: &Path) {
    let path = [bytes(path), vec![0]].concat();
    // SAFETY: a text with its NUL.
    while unsafe { libc::umount2(path.as_ptr().cast(), libc::MNT_DETACH) } == 0 {}
}

fn mount(from: &Path, to: &Path, kind: &[u8], flags: u64) {
    let [from, to] = [from, to].map(|path| [bytes(path), vec![0]].concat());
    // SAFETY: texts with their NULs.
    let failed = unsafe {
        libc::mount(from.as_ptr().cast(), to.as_ptr().cast(), kind.as_ptr().cast(), flags, std::ptr::null())
    };
    assert_eq!(failed, 0, "{}", std::io::Error::last_os_error());
}

fn make(needs: Needs, path: &Path) {
    match needs {
        Nothing => {}
        File => fs::write(path, "subject").unwrap(),
        Directory | Mount => fs::create_dir(path).unwrap(),
    }
    if needs == Mount {
        mount(Path::new("none"), path, b"tmpfs\0", 0);
    }
}

fn cell(stage: &mut Stage, row: &Row, column: &str, name: &str, place: &Place, deep: &fs::File) {
    use std::os::fd::IntoRawFd as _;
    let open = |path: &Path| i64::from(fs::File::open(path).unwrap().into_raw_fd());
    let here = i64::from(libc::AT_FDCWD);
    let (mut dir, mut text) = (here, b"t".to_vec());
    std::env::set_current_dir(&place.0).unwrap();
    match column {
        "dots" => text = b"sub/.././t".to_vec(),
        "absolute" => text = bytes(&place.at("t")),
        "symlink" => text = b"sub/back/t".to_vec(),
        "bind" => {
            mount(&place.0, &place.at("bind"), b"\0", libc::MS_BIND);
            std::env::set_current_dir(place.at("bind")).unwrap();
        }
        // SAFETY: an open directory.
        "deep" => assert_eq!(unsafe { libc::fchdir(deep.as_raw_fd()) }, 0),
        "4095" => text = [b"./".repeat(2047), b"t".to_vec()].concat(),
        "too-long" => text = [b"./".repeat(2048), b"t".to_vec()].concat(),
        "missing" => text = b"missing/t".to_vec(),
        "empty" => text.clear(),
        "deleted" => {
            std::env::set_current_dir(place.at("gone")).unwrap();
            fs::remove_dir(place.at("gone")).unwrap();
        }
        "dirfd" => {
            dir = open(&place.0);
            std::env::set_current_dir(place.at("sub")).unwrap();
        }
        "deleted-dirfd" => {
            dir = open(&place.at("gone"));
            fs::remove_dir(place.at("gone")).unwrap();
        }
        "bad-dirfd" => dir = 9999,
        "file-dirfd" => dir = open(&place.at("there")),
        _ => {}
    }
    match column {
        "relative" | "dots" | "absolute" | "symlink" | "4095" | "dirfd" => make(row.needs, &place.at("t")),
        "bind" | "deep" => make(row.needs, Path::new("t")),
        _ => {}
    }
    let subject = match column {
        "null" => Arg::NowherePath(0),
        "bad-pointer" => Arg::NowherePath(1),
        _ => Arg::Path(&text),
    };
    // Within one mount, or they could not be linked and renamed to.
    let others = if column == "bind" { place.at("bind") } else { place.0.clone() };
    let (free, there) = (bytes(&others.join("free")), bytes(&others.join("there")));
    let mut hints = Hints { tells_cwd: row.name == "chdir", ..Hints::default() };
    let mut open_flags = None;
    let args: Vec<Arg<'_>> = row
        .parts
        .iter()
        .map(|part| match part {
            Subject if row.name == "chdir" => match subject {
                Arg::Path(text) => Arg::Text(text),
                _ => Arg::Nowhere(u64::from(column == "bad-pointer")),
            },
            Subject => subject,
            At => Arg::Dir(dir),
            AtFd => Arg::DirFd(dir),
            Free => Arg::Path(&free),
            There => Arg::Path(&there),
            Here => Arg::Dir(here),
            Text(text) => Arg::Text(text.as_bytes()),
            Type => {
                hints.words.push(("data", super::facts::word(b"tmpfs")));
                Arg::N(stage.put(b"tmpfs\0"))
            }
            How => {
                open_flags = Some((READ, 0, libc::RESOLVE_NO_MAGICLINKS));
                let how = [READ, 0, libc::RESOLVE_NO_MAGICLINKS].map(u64::to_le_bytes).concat();
                Arg::N(stage.put(&how))
            }
            N(number) => Arg::N(*number),
        })
        .collect();
    let open_flags = match row.name {
        "open" | "openat" => Some((READ, 0, 0)),
        "creat" => Some((0o1101, 0o640, 0)),
        _ => open_flags,
    };
    if let Some((flags, mode, resolve)) = open_flags {
        (hints.own_kind, hints.makes) = (true, true);
        hints.words.push(("dirfd", dir.to_string()));
        hints.words.push(("open", format!("{flags:o}/{mode:o}/{resolve:x}")));
    }
    if row.name == "creat" {
        hints.created = true;
    }
    stage.go(name, &args, &hints);
    if column == "deep" {
        // SAFETY: an open directory.
        unsafe { libc::fchdir(deep.as_raw_fd()) };
        detach(Path::new("t"));
        let _ = fs::remove_file("t").or_else(|_| fs::remove_dir("t"));
    }
    if dir >= 0 && dir != 9999 {
        // SAFETY: opened here.
        unsafe { libc::close(dir as i32) };
    }
}
