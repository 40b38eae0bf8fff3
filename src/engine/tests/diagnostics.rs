//! One golden case a diagnostic code: `diagnostics/CODE-name.yaml` beside what is printed about it, `….out`. Files that
//! end in `.case.yaml` are test cases, run against `fixtures/typical.yaml`; `.notice.yaml` is loaded with that lowest priority,
//! `.first.yaml` where only the first match answers.
//!
//! `EYAS_BLESS=1 cargo test -p eyas-engine --test diagnostics` writes the outputs anew; read the difference before you
//! commit it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use eyas_engine::diag::{Code, Diagnostic, Paint, to_json, to_text};
use eyas_engine::{Loader, Matching, SourceFile, Sources, cases};
use eyas_event::Priority;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn diagnose(path: &Path) -> (Vec<Diagnostic>, Sources) {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let file = SourceFile::from_bytes(name.clone(), std::fs::read(path).unwrap());
    if name.ends_with(".case.yaml") {
        let rules = std::fs::read_to_string(folder().join("fixtures/typical.yaml")).unwrap();
        let loaded = Loader::new().add(SourceFile::new("typical.yaml", rules)).finish();
        let report = cases::run(&loaded.ruleset, vec![file]);
        return (report.diagnostics, report.sources);
    }
    let mut loader = Loader::new();
    if name.ends_with(".notice.yaml") {
        loader = loader.least_priority(Priority::Notice);
    }
    if name.ends_with(".first.yaml") {
        loader = loader.matching(Matching::First);
    }
    let loaded = loader.add(file).finish();
    (loaded.diagnostics, loaded.sources)
}

#[test]
fn every_code_has_a_case_and_every_case_prints_as_before() {
    let bless = std::env::var_os("EYAS_BLESS").is_some();
    let mut paths: Vec<_> =
        std::fs::read_dir(folder().join("diagnostics")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    paths.sort();
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for path in paths {
        let (found, sources) = diagnose(&path);
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let code = name.split('-').next().unwrap_or("").to_owned();
        assert!(found.iter().any(|d| d.code.as_str() == code), "{name} does not show {code}: {found:?}");
        seen.insert(code);
        for d in &found {
            // Every diagnostic points at bytes of a file the person wrote.
            let place = d.place().unwrap();
            assert!(place.end as usize <= sources.text(place.source).len(), "{name}");
        }
        let texts: Vec<_> = found.iter().map(|d| to_text(d, &sources, Paint::Plain)).collect();
        let text = texts.join("\n\n") + "\n";
        let out = path.with_extension("out");
        if bless {
            std::fs::write(&out, &text).unwrap();
        } else if std::fs::read_to_string(&out).unwrap_or_default() != text {
            wrong.push(format!("{name} prints now:\n{text}"));
        }
        let json = to_json(&found, &sources);
        let parsed: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(parsed.as_array().unwrap().len(), found.len());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let without: Vec<_> = Code::ALL.iter().filter(|code| !seen.contains(code.as_str())).collect();
    assert!(without.is_empty(), "no golden case for {without:?}");
}

#[test]
fn every_code_has_a_paragraph_in_the_docs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
    let text = std::fs::read_to_string(path).unwrap();
    for code in Code::ALL {
        assert!(text.contains(&format!("## {code}")), "docs/errors.md says nothing of {code}");
    }
    let codes: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(codes.len(), Code::ALL.len(), "a code is given twice");
}
