//! The formatter: `fmt/*.yaml` with what each becomes beside it, and the laws that it keeps on every file at hand: twice is
//! as once, and the program stays the same.
//!
//! `EYAS_BLESS=1 cargo test -p eyas-engine --test fmt` writes the outputs anew.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use eyas_engine::{Dialect, Loader, SourceFile, format};

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    files.sort();
    files
}

#[test]
fn conditions_are_laid_out_as_before() {
    let files = yaml_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fmt"));
    assert!(!files.is_empty());
    for file in files {
        let done = format(&std::fs::read_to_string(&file).unwrap(), Dialect::Eyas).unwrap();
        let mut out = done.text;
        for (condition, why) in &done.left {
            let _ = writeln!(out, "# left: line {} {}: {why}", condition.place.line, condition.name);
        }
        let golden = file.with_extension("out");
        if std::env::var_os("EYAS_BLESS").is_some() {
            std::fs::write(&golden, &out).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&golden).unwrap_or_default(), out, "{}", file.display());
    }
}

fn program(text: &str) -> String {
    Loader::new().add(SourceFile::new("f", text)).finish().ruleset.program().to_string()
}

/// All lines that hold no part of a condition, cut roughly: comments and keys at least.
fn rest(text: &str) -> Vec<&str> {
    let keeps = |line: &&str| {
        let line = line.trim_start();
        line.starts_with('#')
            || ["- ", "desc:", "output:", "priority:", "tags:", "items:"].iter().any(|k| line.starts_with(k))
    };
    text.lines().filter(keeps).collect()
}

#[test]
fn twice_is_as_once_and_the_program_stays() {
    let room = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = std::env::var_os("EYAS_SHARED").map_or_else(|| room.join("../../../shared"), PathBuf::from);
    let mut files = yaml_files(&shared.join("falco/rules"));
    if files.is_empty() {
        eprintln!("skipped: no stock files in {}", shared.display());
    }
    files.extend(yaml_files(&room.join("../../rules")));
    files.extend(yaml_files(&room.join("tests/diagnostics")));
    assert!(files.len() > 5);
    for file in files {
        // One of the cases is no UTF-8.
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        let Ok(once) = format(&text, Dialect::Eyas) else { continue };
        assert!(program(&text) == program(&once.text), "{}: another program", file.display());
        assert_eq!(rest(&text), rest(&once.text), "{}", file.display());
        let twice = format(&once.text, Dialect::Eyas).unwrap();
        assert_eq!(twice.text, once.text, "{}: twice is not as once", file.display());
        assert!(twice.changed.is_empty());
        let wide = once.left.iter().filter(|(_, why)| *why == "the file would mean something else").count();
        assert_eq!(wide, 0, "{}: {:?}", file.display(), once.left);
    }
}
