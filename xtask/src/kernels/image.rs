//! The guest's files, as an archive that the kernel unpacks at its start: the two programs, the steps, and what a Debian
//! system has where eyas and its simulator look.

use std::fs::{self, File};
use std::io::{BufWriter, Cursor, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use cpio::newc::{Builder, ModeFileType};

use super::Programs;

/// Directories, those above first.
const DIRS: &[&str] = &[
    "dev",
    "etc",
    "home",
    "opt",
    "proc",
    "root",
    "run",
    "sys",
    "tmp",
    "usr",
    "usr/bin",
    "usr/lib",
    "usr/sbin",
    "var",
    "var/lib",
    "var/lib/eyas",
    "var/log",
    "var/spool",
    "stock",
];
/// As Debian has them since bookworm.
const LINKS: &[(&str, &str)] = &[("bin", "usr/bin"), ("lib", "usr/lib"), ("sbin", "usr/sbin")];
/// Small files.
const FILES: &[(&str, u32, &str)] = &[
    ("etc/hostname", 0o644, "guest\n"),
    (
        "etc/passwd",
        0o644,
        "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n\
         nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    ),
    ("etc/group", 0o644, "root:x:0:\ndaemon:x:1:\nnogroup:x:65534:\n"),
    ("etc/shadow", 0o640, "root:*:20000:0:99999:7:::\ndaemon:*:20000:0:99999:7:::\n"),
];

/// The steps of `xtask/guest/main.rs`. The live tests come last, since they are the longest. eyas lies where no package puts
/// programs: one of the shipped rules passes over what is known to load programs into the kernel by its path.
fn steps(stock: bool, live: bool) -> String {
    let mut steps = String::from(
        "run doctor /opt/eyas doctor --json\n\
         run hooks /opt/eyas doctor\n\
         ready start watching /opt/eyas run --headless --store /tmp/start.db\n\
         run shipped /opt/eyas simulate --all --json\n",
    );
    if stock {
        steps.push_str("run stock /opt/eyas simulate --all --json -r /stock\n");
    }
    if live {
        steps.push_str("run live /usr/bin/live --test-threads=1\n");
    }
    steps
}

/// Writes the archive.
pub(super) fn write(image: &Path, programs: &Programs, stock: &[PathBuf]) -> Result<()> {
    let read = |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let mut tree = tree(&steps(!stock.is_empty(), programs.tests.is_some()));
    tree.push(Entry::file("init", 0o755, read(&programs.init)?));
    tree.push(Entry::file("opt/eyas", 0o755, read(&programs.eyas)?));
    if let Some(tests) = &programs.tests {
        tree.push(Entry::file("usr/bin/live", 0o755, read(tests)?));
    }
    for (at, file) in stock.iter().enumerate() {
        // They build on one another in this order, and a directory is read by name.
        tree.push(Entry::file(&format!("stock/{at}.yaml"), 0o644, read(file)?));
    }
    let file = File::create(image).with_context(|| format!("cannot write {}", image.display()))?;
    pack(tree, BufWriter::new(file))?.flush().context("the image could not be written")
}

/// One file, directory or link.
struct Entry {
    name: String,
    kind: ModeFileType,
    mode: u32,
    content: Vec<u8>,
}

impl Entry {
    fn file(name: &str, mode: u32, content: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), kind: ModeFileType::Regular, mode, content: content.into() }
    }
}

/// What does not depend on what was built.
fn tree(steps: &str) -> Vec<Entry> {
    let dir = |name: &&str| Entry {
        name: (*name).into(),
        kind: ModeFileType::Directory,
        mode: if *name == "tmp" { 0o1777 } else { 0o755 },
        content: Vec::new(),
    };
    let link = |(name, to): &(&str, &str)| Entry {
        name: (*name).into(),
        kind: ModeFileType::Symlink,
        mode: 0o777,
        content: (*to).into(),
    };
    let mut tree: Vec<Entry> = DIRS.iter().map(dir).chain(LINKS.iter().map(link)).collect();
    tree.extend(FILES.iter().map(|(name, mode, text)| Entry::file(name, *mode, *text)));
    tree.push(Entry::file("steps", 0o644, steps));
    tree
}

fn pack<W: Write>(tree: Vec<Entry>, out: W) -> Result<W> {
    let entries = tree.into_iter().map(|entry| {
        let builder = Builder::new(&entry.name).mode(entry.mode).nlink(1).set_mode_file_type(entry.kind);
        (builder, Cursor::new(entry.content))
    });
    cpio::write_cpio(entries, out).context("the image cannot be packed")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_directory_comes_before_what_is_in_it() {
        let tree = tree("");
        let mut there = HashSet::from([String::new()]);
        for entry in &tree {
            let parent = entry.name.rsplit_once('/').map_or("", |(parent, _)| parent);
            assert!(there.contains(parent), "{}", entry.name);
            assert!(there.insert(entry.name.clone()), "{} twice", entry.name);
        }
    }

    #[test]
    fn what_is_packed_is_read_back() {
        let archive = pack(tree(&steps(false, true)), Vec::new()).expect("a vector takes everything");
        let mut rest = Cursor::new(archive);
        let mut read = Vec::new();
        loop {
            let reader = cpio::newc::Reader::new(rest).expect("an entry");
            if reader.entry().is_trailer() {
                break;
            }
            let (name, mode) = (reader.entry().name().to_owned(), reader.entry().mode());
            let mut content = Vec::new();
            rest = reader.to_writer(&mut content).expect("its content");
            read.push((name, mode, content));
        }
        let of = |name: &str| read.iter().find(|(n, ..)| n == name).expect("it is there");
        assert_eq!(of("bin").1, 0o120_777);
        assert_eq!(of("bin").2, b"usr/bin");
        assert_eq!(of("tmp").1, 0o041_777);
        assert_eq!(of("etc/shadow").1, 0o100_640);
        assert_eq!(of("steps").2, steps(false, true).as_bytes());
    }

    #[test]
    fn stock_rules_and_tests_are_tried_only_where_they_are() {
        assert!(steps(true, false).contains("/stock") && !steps(false, true).contains("/stock"));
        assert!(steps(false, true).contains("/live") && !steps(true, false).contains("/live"));
    }
}
