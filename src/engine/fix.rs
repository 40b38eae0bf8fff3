//! The mends of diagnostics, applied: text in, text out. Whoever holds the files reads and writes them.
//!
//! An edit may uncover further findings, so the files are loaded again after each round, until nothing applicable is left.
//! Where that ends with more errors than there were, all is taken back and done again edit by edit, each kept only if it adds
//! none; so the outcome never has more of them. Guesses are applied only when they are asked for, and told otherwise.

use crate::diag::{Certainty, Code, Diagnostic, Edit};
use crate::dialect::Dialect;
use crate::loader::Loader;
use crate::source::{Place, SourceFile, SourceId, Sources};

/// More rounds than any real file needs; each one strictly follows from the one before.
const ROUNDS: usize = 16;

/// Which edits are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// Those that are surely what was meant.
    Sure,
    /// The guesses as well.
    Guesses,
}

/// A file after its mends.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// The file with its text as it is now.
    pub file: SourceFile,
    /// What was done, in order.
    pub applied: Vec<Mend>,
    /// The guesses that were not taken, at their places in the text as it is now.
    pub left: Vec<Mend>,
}

/// An edit, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mend {
    /// The code of the diagnostic.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// What the edit does.
    pub title: String,
    /// Where, in the text of its round.
    pub place: Place,
}

impl Mend {
    fn new(found: &Diagnostic, edit: &Edit, sources: &Sources) -> Self {
        let (message, title) = (found.message.clone(), edit.title.clone());
        Self { code: found.code, message, title, place: sources.place(edit.span) }
    }
}

/// Mends every file from the first `bases` on; the files before are loaded and left alone. Gives the mended ones.
pub fn fix(files: Vec<SourceFile>, bases: usize, dialect: Dialect, take: Take) -> Vec<Fixed> {
    let new = |file| Fixed { file, applied: Vec::new(), left: Vec::new() };
    let state: Vec<_> = files.into_iter().map(new).collect();
    let before = load(&state, dialect).errors;
    let work = Work { bases, dialect, take };
    // A mend may bring to light what the fault hid, and the next round mends that; so only the outcome is counted first.
    let mut done = work.rounds(&state, Care::Outcome);
    if load(&done, dialect).errors > before {
        done = work.rounds(&state, Care::EachEdit);
    }
    if take == Take::Sure {
        let found = load(&done, dialect);
        for (diagnostic, edit) in &applicable(&found, bases, done.len(), Take::Guesses) {
            if let (Certainty::Guess, Some(fixed)) =
                (edit.certainty, done.get_mut(edit.span.source.0 as usize))
            {
                fixed.left.push(Mend::new(diagnostic, edit, &found.sources));
            }
        }
    }
    done.split_off(bases.min(done.len()))
}

/// Where errors are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Care {
    Outcome,
    EachEdit,
}

/// What is the same in every round.
#[derive(Clone, Copy)]
struct Work {
    bases: usize,
    dialect: Dialect,
    take: Take,
}

impl Work {
    fn rounds(self, state: &[Fixed], care: Care) -> Vec<Fixed> {
        let mut state = state.to_vec();
        let mut seen = vec![texts(&state)];
        for _ in 0..ROUNDS {
            let found = load(&state, self.dialect);
            let edits = applicable(&found, self.bases, state.len(), self.take);
            if edits.is_empty() {
                break;
            }
            let next = match care {
                Care::Outcome => {
                    let mut next = state.clone();
                    apply(&mut next, &edits, &found.sources);
                    next
                }
                Care::EachEdit => one_by_one(&state, &edits, &found, self.dialect),
            };
            // Two mends that undo each other would go on for ever.
            if seen.contains(&texts(&next)) {
                break;
            }
            seen.push(texts(&next));
            state = next;
        }
        state
    }
}

struct Found {
    diagnostics: Vec<Diagnostic>,
    sources: Sources,
    errors: usize,
}

fn load(state: &[Fixed], dialect: Dialect) -> Found {
    let loader = Loader::new().dialect(dialect);
    let loaded = state.iter().fold(loader, |loader, fixed| loader.add(fixed.file.clone())).finish();
    let errors = loaded.diagnostics.iter().filter(|d| d.is_error()).count();
    Found { diagnostics: loaded.diagnostics, sources: loaded.sources, errors }
}

fn texts(state: &[Fixed]) -> Vec<String> {
    state.iter().map(|fixed| fixed.file.text.clone()).collect()
}

/// The edits of the files that may be changed, the first ones of those that overlap, in order of place.
fn applicable(found: &Found, bases: usize, files: usize, take: Take) -> Vec<(Diagnostic, Edit)> {
    let mut edits: Vec<_> = found
        .diagnostics
        .iter()
        .filter_map(|d| d.edit.clone().map(|edit| (d.clone(), edit)))
        .filter(|(_, edit)| edit.certainty == Certainty::Sure || take == Take::Guesses)
        .filter(|(_, edit)| (bases..files).contains(&(edit.span.source.0 as usize)))
        .filter(|(_, edit)| found.sources.slice(edit.span) != edit.replacement)
        .collect();
    edits.sort_by_key(|(_, edit)| (edit.span.source, edit.span.start, edit.span.end));
    let mut end = (SourceId(0), 0);
    edits.retain(|(_, edit)| {
        let free = (edit.span.source, edit.span.start) >= end;
        if free {
            end = (edit.span.source, edit.span.end.max(edit.span.start + 1));
        }
        free
    });
    edits
}

/// Puts edits in; they are in order and do not overlap.
fn apply(state: &mut [Fixed], edits: &[(Diagnostic, Edit)], sources: &Sources) {
    for (found, edit) in edits.iter().rev() {
        let Some(fixed) = state.get_mut(edit.span.source.0 as usize) else { continue };
        let bytes = edit.span.start as usize..edit.span.end as usize;
        if fixed.file.text.get(bytes.clone()).is_some() {
            fixed.file.text.replace_range(bytes, &edit.replacement);
        }
        fixed.applied.push(Mend::new(found, edit, sources));
    }
    for fixed in state {
        fixed.applied.sort_by_key(|applied| (applied.place.line, applied.place.column));
    }
}

/// As many of the edits as can be applied without a further error. They are tried from the last to the first, so that the
/// places of those still to come stay as they are.
fn one_by_one(state: &[Fixed], edits: &[(Diagnostic, Edit)], found: &Found, dialect: Dialect) -> Vec<Fixed> {
    let mut kept = state.to_vec();
    let mut errors = found.errors;
    for edit in edits.iter().rev() {
        let mut next = kept.clone();
        apply(&mut next, std::slice::from_ref(edit), &found.sources);
        let now = load(&next, dialect).errors;
        if now <= errors {
            errors = now;
            kept = next;
        }
    }
    kept
}
