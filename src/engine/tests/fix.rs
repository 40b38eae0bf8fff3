//! What `fix` keeps on every broken file at hand: never more errors than before, nothing left to apply, and no line of
//! comment lost.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use eyas_engine::{Code, Dialect, Loader, SourceFile, fix};

fn errors(text: &str) -> usize {
    let loaded = Loader::new().add(SourceFile::new("f", text)).finish();
    loaded.diagnostics.iter().filter(|d| d.is_error()).count()
}

fn mended(text: &str) -> eyas_engine::Fixed {
    fix(vec![SourceFile::new("f", text)], 0, Dialect::Eyas).remove(0)
}

#[test]
fn no_file_gets_worse_and_twice_is_as_once() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let mut some = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "yaml") {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let once = mended(&text);
        assert!(errors(&once.file.text) <= errors(&text), "{}", path.display());
        assert_eq!(once.applied.is_empty(), once.file.text == text, "{}", path.display());
        let twice = mended(&once.file.text);
        assert_eq!(twice.file.text, once.file.text, "{}", path.display());
        some += usize::from(!once.applied.is_empty());
    }
    assert!(some > 5, "{some} files were mended");
}

#[test]
fn comments_and_layout_stay() {
    let text = "# top\n- rule: R   # name\n  desc: d\n  conditon: evt.type = execve and proc.nmae = x  # why\n  \
        output:   \"%proc.nmae\"\n  # between\n  priority: INFOO\n";
    let done = mended(text);
    let wanted = "# top\n- rule: R   # name\n  desc: d\n  condition: evt.type = execve and proc.name = x  # why\n  \
        output:   \"%proc.name\"\n  # between\n  priority: INFO\n";
    assert_eq!(done.file.text, wanted);
    assert!(done.applied.iter().any(|applied| applied.code == Code::UnknownKey));
}

#[test]
fn an_edit_that_adds_errors_is_not_kept() {
    // The near name of the macro is that of a macro which is broken itself; the other slip is mended all the same.
    let text = "- macro: opens\n  condition: evt.type = open\n- rule: R\n  desc: d\n  condition: open and proc.nmae = x\n  \
        output: o\n  priority: INFO\n";
    let done = mended(text);
    assert!(errors(&done.file.text) <= errors(text));
    assert!(done.file.text.contains("proc.name = x"));
}

#[test]
fn several_files_are_mended_and_their_bases_are_not() {
    let base = "- macro: m\n  condition: proc.nmae = x\n";
    let file = "- rule: R\n  desc: d\n  condition: m and fd.nmae = x\n  output: o\n  priority: INFO\n";
    let files =
        || vec![SourceFile::new("base", base), SourceFile::new("a", file), SourceFile::new("b", file)];
    let done = fix(files(), 1, Dialect::Eyas);
    let names: Vec<_> = done.iter().map(|fixed| fixed.file.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    // The second file defines the rule again, so its condition is the one that is read.
    assert!(done[1].file.text.contains("fd.name"));
    assert!(!done.iter().any(|fixed| fixed.file.text.contains("nmae") && fixed.file.name == "b"));
}
