//! What `fix` keeps on every broken file at hand: never more errors than before, nothing left to apply, and no line of
//! comment lost.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use eyas_engine::{Code, Dialect, Loader, SourceFile, Take, fix};

fn errors(text: &str) -> usize {
    let loaded = Loader::new().add(SourceFile::new("f", text)).finish();
    loaded.diagnostics.iter().filter(|d| d.is_error()).count()
}

fn mended(text: &str, take: Take) -> eyas_engine::Fixed {
    fix(vec![SourceFile::new("f", text)], 0, Dialect::Eyas, take).remove(0)
}

#[test]
fn no_file_gets_worse_and_twice_is_as_once() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let mut some = [0, 0];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "yaml") {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for (i, take) in [Take::Sure, Take::Guesses].into_iter().enumerate() {
            let once = mended(&text, take);
            assert!(errors(&once.file.text) <= errors(&text), "{}", path.display());
            assert_eq!(once.applied.is_empty(), once.file.text == text, "{}", path.display());
            let twice = mended(&once.file.text, take);
            assert_eq!(twice.file.text, once.file.text, "{}", path.display());
            some[i] += usize::from(!once.applied.is_empty());
        }
    }
    assert!(some[0] > 20 && some[1] > some[0] + 20, "{some:?} files were mended");
}

#[test]
fn comments_and_layout_stay() {
    let text = "# top\n- rule: R   # name\n  desc: d\n  conditon: evt.type = execve and proc.nmae = x  # why\n  \
        output:   \"%proc.nmae\"\n  # between\n  priority: INFOO\n";
    let done = mended(text, Take::Guesses);
    let wanted = "# top\n- rule: R   # name\n  desc: d\n  condition: evt.type = execve and proc.name = x  # why\n  \
        output:   \"%proc.name\"\n  # between\n  priority: INFO\n";
    assert_eq!(done.file.text, wanted);
    assert!(done.applied.iter().any(|applied| applied.code == Code::MissingKey));
}

#[test]
fn an_edit_that_adds_errors_is_not_kept() {
    // The near name of the macro is that of a macro which is broken itself; the other slip is mended all the same.
    let text = "- macro: opens\n  condition: evt.type = open\n- rule: R\n  desc: d\n  condition: open and proc.nmae = x\n  \
        output: o\n  priority: INFO\n";
    let done = mended(text, Take::Guesses);
    assert!(errors(&done.file.text) <= errors(text));
    assert!(done.file.text.contains("proc.name = x"));
}

#[test]
fn several_files_are_mended_and_their_bases_are_not() {
    let base = "- macro: m\n  condition: proc.nmae = x\n";
    let file = "- rule: R\n  desc: d\n  condition: m and fd.nmae = x\n  output: o\n  priority: INFO\n";
    let files =
        || vec![SourceFile::new("base", base), SourceFile::new("a", file), SourceFile::new("b", file)];
    let done = fix(files(), 1, Dialect::Eyas, Take::Guesses);
    let names: Vec<_> = done.iter().map(|fixed| fixed.file.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    // The second file defines the rule again, so its condition is the one that is read.
    assert!(done[1].file.text.contains("fd.name"));
    assert!(!done.iter().any(|fixed| fixed.file.text.contains("nmae") && fixed.file.name == "b"));
}

#[test]
fn guesses_are_left_and_told_unless_they_are_asked_for() {
    let text = "- rule: R\n  desc: d\n  condition: evt.type = connect AND net.port = 80 and proc.nmae = x\n  output: o\n  \
        priority: HIGH\n";
    let sure = mended(text, Take::Sure);
    assert_eq!(sure.file.text, text.replace("AND", "and").replace("net.port", "fd.port"));
    let left: Vec<_> =
        sure.left.iter().map(|mend| (mend.code, mend.place.line, mend.title.as_str())).collect();
    let name = (Code::UnknownField, 3, "did you mean `proc.name`?");
    assert_eq!(left, [name, (Code::BadPriority, 5, "did you mean `CRITICAL`?")]);
    let all = mended(text, Take::Guesses);
    assert_eq!(errors(&all.file.text), 0, "{}", all.file.text);
    assert!(all.left.is_empty());
}

#[test]
fn classes_of_other_languages_become_ones_that_are_read() {
    let rule = |pattern: &str| {
        format!(
            "- rule: R\n  desc: d\n  condition: evt.type = execve and proc.name regex \"{pattern}\"\n  output: o\n  priority: INFO\n"
        )
    };
    for (written, meant) in [
        (r"\d+", "[0-9]+"),
        (r"\D", "[^0-9]"),
        (r"\w*", "[A-Za-z0-9_]*"),
        (r"\W", "[^A-Za-z0-9_]"),
        (r"a\sb", "a[[:space:]]b"),
        (r"\S", "[^[:space:]]"),
        (r"[\d\s]x", "[0-9[:space:]]x"),
        (r"[\W]x", "[^A-Za-z0-9_]x"),
        (r"[^\S]x", "[[:space:]]x"),
        (r"a[b]\w", "a[b][A-Za-z0-9_]"),
        (r".*\.sh", r".*\\.sh"),
    ] {
        let (text, wanted) = (rule(written), rule(meant));
        // Each escape is reported.
        assert_eq!(errors(&text), written.matches('\\').count(), "{written}");
        assert_eq!(errors(&wanted), 0, "{meant}");
        assert_eq!(mended(&text, Take::Sure).file.text, text, "{written} is mended unasked");
        assert_eq!(mended(&text, Take::Guesses).file.text, wanted, "{written}");
    }
}

#[test]
fn a_change_whose_base_is_not_loaded_stays_one() {
    let rule = |condition: &str| {
        format!(
            "- rule: R\n  desc: d\n  condition: {condition}\n  output: o\n  priority: INFO\n  append: true\n"
        )
    };
    let overlay = rule("and proc.name = bash");
    assert_eq!(mended(&overlay, Take::Guesses).file.text, overlay);
    // Nothing that ends another condition begins with a field, so this can only be a rule of its own.
    let whole = rule("evt.type = execve and proc.name = bash");
    assert_eq!(mended(&whole, Take::Sure).file.text, whole.replace("  append: true\n", ""));
    // The operator of a pattern is its writer's choice as soon as the two differ at all.
    let pattern = whole.replace("proc.name = bash", "proc.name regex ba.*").replace("  append: true\n", "");
    assert_eq!(mended(&pattern, Take::Sure).file.text, pattern);
    assert_eq!(mended(&pattern, Take::Guesses).file.text, pattern.replace("regex ba.*", "startswith ba"));
}
