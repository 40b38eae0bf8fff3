//! Small rule files and what the real loader of Falco said about them, when the reference files lie beside the checkout:
//! which load, and with which classes of errors. What this version knows and has not built is passed over.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use eyas_engine::{Code, Loader, SourceFile};

fn shared() -> Option<PathBuf> {
    let path = std::env::var_os("EYAS_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("skipped: no reference files at {}", path.display());
    None
}

/// Files that eyas judges otherwise, and why.
const OTHERWISE: &[(&str, &str)] = &[
    ("na_check", "eyas names every fault at once; the real loader stops at the output"),
    (
        "never_evttype",
        "newer Falco no longer says that no event type limits a condition that nothing satisfies",
    ),
    ("engver_patch", "eyas answers to a newer engine version than the loader that made the vectors"),
];

#[test]
fn files_load_as_in_the_real_loader() {
    let Some(folder) = shared() else { return };
    let vectors = std::fs::read_to_string(folder.join("falco/loader-vectors.tsv")).unwrap();
    let (mut same, mut later, mut wrong) = (0, 0, Vec::new());
    for line in vectors.lines().skip(1) {
        let columns: Vec<_> = line.split('\t').collect();
        let (name, loads, errors, warnings) = (columns[0], columns[1], columns[3], columns[4]);
        if OTHERWISE.iter().any(|(otherwise, _)| *otherwise == name) {
            continue;
        }
        let text = columns[6].replace("\\n", "\n");
        let loaded = Loader::new().add(SourceFile::new(name, text)).finish();
        if loaded.diagnostics.iter().any(|d| d.code == Code::NotBuilt) {
            later += 1;
            continue;
        }
        let classes = |error: bool| -> BTreeSet<&str> {
            let of = loaded.diagnostics.iter().filter(|d| d.is_error() == error);
            of.filter_map(eyas_engine::Diagnostic::falco_class).collect()
        };
        let split = |text: &str| -> BTreeSet<String> {
            text.split(',').filter(|c| *c != "-" && !c.is_empty()).map(str::to_owned).collect()
        };
        let (ours_e, ours_w) = (classes(true), classes(false));
        let errors_fit = ours_e.iter().map(|c| (*c).to_owned()).collect::<BTreeSet<_>>() == split(errors);
        let warnings_fit = ours_w.iter().map(|c| (*c).to_owned()).collect::<BTreeSet<_>>() == split(warnings);
        if errors_fit && warnings_fit && (loads == "yes") == ours_e.is_empty() {
            same += 1;
        } else {
            wrong.push(format!("{name}: Falco {loads} {errors} {warnings}; eyas {ours_e:?} {ours_w:?}"));
        }
    }
    eprintln!("{same} the same, {later} wait for what is not built yet");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(same >= 80, "only {same} were compared");
}
