//! Lists the tests of the shipped rules, so that the binary carries them.

use std::fmt::Write as _;
use std::path::Path;

fn main() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules/tests");
    println!("cargo::rerun-if-changed={}", dir.display());
    let mut files: Vec<_> = std::fs::read_dir(&dir)
        .expect("rules/tests is part of the repository")
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.extension().is_some_and(|e| e == "yaml"))
        .collect();
    files.sort();
    let mut list = String::from("&[\n");
    for file in files {
        let name = file.file_name().and_then(|n| n.to_str()).expect("test files have plain names");
        let path = file.canonicalize().expect("it was just listed");
        writeln!(list, "    (\"rules/tests/{name}\", include_str!(r\"{}\")),", path.display())
            .expect("a String takes everything");
    }
    list.push(']');
    let out = std::env::var("OUT_DIR").expect("cargo sets it");
    std::fs::write(Path::new(&out).join("rule_tests.rs"), list).expect("OUT_DIR can be written");
}
