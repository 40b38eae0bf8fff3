//! The watcher: edits of every kind take effect within a second, bad ones leave what is in force.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use eyas_event::Priority;
use eyas_pipeline::{LoadOutcome, RuleWatch, RulesCell, load_files};

use crate::support::cell;

type Told = Receiver<Result<LoadOutcome, (PathBuf, std::io::Error)>>;

fn rule(name: &str) -> String {
    format!("- rule: {name}\n  desc: d\n  condition: evt.type = openat\n  output: o\n  priority: WARNING\n")
}

/// Starts to watch what is there already.
fn watch(paths: &[&Path]) -> (RuleWatch, RulesCell, Told) {
    let paths: Vec<PathBuf> = paths.iter().map(Into::into).collect();
    let first = load_files(&paths, Priority::Debug).unwrap();
    let cell = cell(&first.ruleset);
    let (tell, told) = mpsc::channel();
    let watch = RuleWatch::start(paths, Priority::Debug, cell.clone(), move |outcome| {
        let _ = tell.send(outcome);
    });
    (watch.unwrap(), cell, told)
}

fn names(cell: &RulesCell) -> Vec<String> {
    cell.load().rules().map(|(_, rule)| rule.name.to_string()).collect()
}

/// Waits until the rules in force have these names, and fails after a second.
fn within_a_second(cell: &RulesCell, want: &[&str]) {
    let begin = Instant::now();
    while names(cell) != want {
        assert!(begin.elapsed() < Duration::from_secs(1), "{:?} after a second", names(cell));
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_edit_in_place_and_a_replaced_file_take_effect() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("r.yaml");
    fs::write(&file, rule("One")).unwrap();
    let (_watch, cell, told) = watch(&[&file]);
    fs::write(&file, rule("Two")).unwrap();
    within_a_second(&cell, &["Two"]);
    assert!(told.recv_timeout(Duration::from_secs(1)).unwrap().unwrap().applied);
    let other = dir.path().join("r.yaml.new~");
    fs::write(&other, rule("Three")).unwrap();
    fs::rename(&other, &file).unwrap();
    within_a_second(&cell, &["Three"]);
}

#[test]
fn bad_rules_bad_bytes_and_a_missing_file_keep_the_old_rules() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("rules"); // Its name is given, so it need not end in .yaml.
    fs::write(&file, rule("One")).unwrap();
    let (_watch, cell, told) = watch(&[&file]);
    let told = || told.recv_timeout(Duration::from_secs(1)).unwrap();
    fs::write(&file, rule("Two").replace("evt.type", "evt.tpye")).unwrap();
    let outcome = told().unwrap();
    assert!(!outcome.applied && !outcome.diagnostics.is_empty());
    fs::write(&file, b"- rule: \xff\n").unwrap();
    let outcome = told().unwrap();
    assert!(!outcome.applied);
    assert!(outcome.diagnostics.iter().any(|d| d.code == eyas_engine::Code::NotUtf8));
    fs::remove_file(&file).unwrap();
    assert_eq!(told().unwrap_err().1.kind(), std::io::ErrorKind::NotFound);
    assert_eq!(names(&cell), ["One"]);
    fs::write(&file, rule("Back")).unwrap();
    within_a_second(&cell, &["Back"]);
}

#[test]
fn a_file_added_to_a_directory_or_taken_away_counts() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.yaml"), rule("A")).unwrap();
    let (_watch, cell, _told) = watch(&[dir.path()]);
    fs::write(dir.path().join("b.yml"), rule("B")).unwrap();
    within_a_second(&cell, &["A", "B"]);
    fs::write(dir.path().join("notes.txt"), "no rules").unwrap();
    fs::remove_file(dir.path().join("a.yaml")).unwrap();
    within_a_second(&cell, &["B"]);
}

#[test]
fn a_file_behind_a_link_counts_where_it_is_and_where_the_link_is() {
    // As Kubernetes mounts a ConfigMap: rules.yaml -> ..data/rules.yaml, and ..data is replaced by renaming.
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    for (version, name) in [("v1", "One"), ("v2", "Two")] {
        fs::create_dir(at(version)).unwrap();
        fs::write(at(version).join("rules.yaml"), rule(name)).unwrap();
    }
    std::os::unix::fs::symlink("v1", at("..data")).unwrap();
    std::os::unix::fs::symlink("..data/rules.yaml", at("rules.yaml")).unwrap();
    let (_watch, cell, _told) = watch(&[&at("rules.yaml")]);
    fs::write(at("v1").join("rules.yaml"), rule("Edited")).unwrap();
    within_a_second(&cell, &["Edited"]);
    std::os::unix::fs::symlink("v2", at("..data_tmp")).unwrap();
    fs::rename(at("..data_tmp"), at("..data")).unwrap();
    within_a_second(&cell, &["Two"]);
}

#[test]
fn files_that_never_rest_are_read_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.yaml"), rule("A")).unwrap();
    let (_watch, cell, _told) = watch(&[dir.path()]);
    fs::write(dir.path().join("a.yaml"), rule("B")).unwrap();
    let begin = Instant::now();
    while names(&cell) != ["B"] {
        assert!(begin.elapsed() < Duration::from_secs(1), "not within a second");
        fs::write(dir.path().join("noise.yaml"), "[]\n").unwrap();
        std::thread::sleep(Duration::from_millis(30));
    }
}
