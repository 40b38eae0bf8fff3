//! [`RuleWatch`]: compiles rules aside and swaps them in. A good edit of a rule file takes effect at the next batch; a bad
//! one leaves the ruleset in force as it is, and what is wrong with it is told.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use eyas_engine::diag::{Diagnostic, Severity};
use eyas_engine::loader::Loader;
use eyas_engine::ruleset::Ruleset;
use eyas_engine::source::{SourceFile, Sources};
use eyas_engine::{Dialect, Matching, Selection};
use eyas_event::Priority;
use notify::{RecursiveMode, Watcher};

/// Where the ruleset in force is.
pub type RulesCell = Arc<ArcSwap<Ruleset>>;

/// How long the files must be quiet before they are read: editors write a file in several steps.
const QUIET: Duration = Duration::from_millis(120);
/// How long a reload may be put off by files that are never quiet, so that an edit takes effect within a second.
const RESTLESS_MAX: Duration = Duration::from_millis(500);

/// What came of loading rules.
#[derive(Debug)]
pub struct LoadOutcome {
    /// The ruleset that the files make; broken rules are left out of it.
    pub ruleset: Arc<Ruleset>,
    /// Everything there is to say about the files.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that the diagnostics point into.
    pub sources: Sources,
    /// What was found when each file was loaded, where Falco's way of loading was asked for; empty otherwise.
    pub by_file: Vec<Vec<Diagnostic>>,
    /// Whether it has been put into force.
    pub applied: bool,
}

/// How rules are compiled.
#[derive(Clone, Debug)]
pub struct RuleOptions {
    /// Less urgent rules are left out.
    pub least: Priority,
    /// Whose meaning they have.
    pub dialect: Dialect,
    /// Whether the first that matches ends the judging of an event.
    pub matching: Matching,
    /// Which are switched on and off, in this order.
    pub selection: Vec<Selection>,
}

/// All rules at least as urgent, with eyas's own meaning.
impl From<Priority> for RuleOptions {
    fn from(least: Priority) -> Self {
        Self { least, dialect: Dialect::Eyas, matching: Matching::All, selection: Vec::new() }
    }
}

impl LoadOutcome {
    /// How many of its rules are on and judged for what the sensor sends.
    pub fn in_force(&self) -> usize {
        self.ruleset.in_force().count()
    }

    /// The sources of the other rules that are on: their events are not read. In load order, each once.
    pub fn unread_sources(&self) -> Vec<Arc<str>> {
        let mut sources = Vec::new();
        for (_, rule) in self.ruleset.rules().filter(|(_, rule)| rule.enabled && !rule.is_in_force()) {
            if !sources.contains(&rule.source) {
                sources.push(rule.source.clone());
            }
        }
        sources
    }

    /// How many diagnostics have this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|d| d.severity == severity).count()
    }
}

/// Reads files and compiles them together. A directory stands for its `.yaml` and `.yml` files in order of name.
///
/// The error is the first file that cannot be read, and why.
pub fn load_files(
    paths: &[PathBuf],
    options: impl Into<RuleOptions>,
) -> Result<LoadOutcome, (PathBuf, std::io::Error)> {
    let mut files = Vec::new();
    for path in paths {
        for file in expand(path)? {
            let text = std::fs::read(&file).map_err(|e| (file.clone(), e))?;
            files.push(SourceFile::from_bytes(file.display().to_string(), text));
        }
    }
    Ok(load_texts(files, options))
}

/// Compiles texts together.
pub fn load_texts(files: Vec<SourceFile>, options: impl Into<RuleOptions>) -> LoadOutcome {
    let options = options.into();
    let mut loader = Loader::new()
        .least_priority(options.least)
        .dialect(options.dialect)
        .matching(options.matching)
        .select(options.selection);
    for file in files {
        loader = loader.add(file);
    }
    let loaded = loader.finish();
    LoadOutcome {
        ruleset: loaded.ruleset,
        diagnostics: loaded.diagnostics,
        sources: loaded.sources,
        by_file: loaded.by_file,
        applied: true,
    }
}

fn expand(path: &Path) -> Result<Vec<PathBuf>, (PathBuf, std::io::Error)> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let error = |e| (path.to_owned(), e);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(error)? {
        let file = entry.map_err(error)?.path();
        if is_rule_file(&file) {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a directory stands for this file, too.
fn is_rule_file(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "yaml" || e == "yml")
}

/// A thread that watches rule files. It ends when this is dropped.
pub struct RuleWatch {
    changes: Sender<Change>,
}

/// What the thread hears.
enum Change {
    Files,
    End,
}

impl RuleWatch {
    /// Watches the files, and directories of files; each time they have changed, `told` hears what came of it.
    pub fn start(
        paths: Vec<PathBuf>,
        options: impl Into<RuleOptions>,
        cell: RulesCell,
        mut told: impl FnMut(Result<LoadOutcome, (PathBuf, std::io::Error)>) + Send + 'static,
    ) -> Result<Self, notify::Error> {
        let options = options.into();
        let (changes, heard) = mpsc::channel();
        let changed = changes.clone();
        let names: Vec<OsString> =
            paths.iter().filter(|p| !p.is_dir()).filter_map(|p| p.file_name().map(Into::into)).collect();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if !event.kind.is_access() && event.paths.iter().any(|p| is_ours(p, &names)) {
                // The receiver lives as long as the thread; afterwards nobody is interested.
                let _ = changed.send(Change::Files);
            }
        })?;
        for dir in directories(&paths) {
            watcher.watch(&dir, RecursiveMode::NonRecursive)?;
        }
        std::thread::Builder::new()
            .name("eyas-rules".into())
            .spawn(move || {
                while let Ok(Change::Files) = heard.recv() {
                    if !settle(&heard) {
                        return;
                    }
                    // A link may point elsewhere now, or a directory be another under the same name. Where one cannot be
                    // watched its files cannot be read either, and that is told.
                    for dir in directories(&paths) {
                        let _ = watcher.watch(&dir, RecursiveMode::NonRecursive);
                    }
                    told(load_files(&paths, options.clone()).map(|outcome| put_into_force(outcome, &cell)));
                }
            })
            .map_err(notify::Error::io)?;
        Ok(Self { changes })
    }
}

impl Drop for RuleWatch {
    fn drop(&mut self) {
        // When the thread is gone already, there is nobody to tell.
        let _ = self.changes.send(Change::End);
    }
}

/// Waits until the files are quiet, or have been restless for too long; `false` when the watch is to end.
fn settle(heard: &Receiver<Change>) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < RESTLESS_MAX {
        match heard.recv_timeout(QUIET) {
            Ok(Change::Files) => {}
            Ok(Change::End) | Err(RecvTimeoutError::Disconnected) => return false,
            Err(RecvTimeoutError::Timeout) => break,
        }
    }
    true
}

/// Whether a change of this path may be one of the rules: of a file with a name that was given, of any file that a
/// directory could stand for, or of the link through which Kubernetes replaces mounted files.
fn is_ours(path: &Path, names: &[OsString]) -> bool {
    let Some(name) = path.file_name() else { return false };
    is_rule_file(path) || name == "..data" || names.iter().any(|ours| ours == name)
}

/// Editors replace a file by renaming another over it, so directories are watched and not files: that of the path, and,
/// when it is a link, that of what it points at.
pub fn directories(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut dirs = Vec::new();
    for path in paths {
        let real = path.canonicalize().ok().filter(|real| real != path);
        for p in std::iter::once(path).chain(&real) {
            dirs.push(if p.is_dir() { p.clone() } else { parent(p).to_owned() });
        }
    }
    dirs.sort_unstable();
    dirs.dedup();
    dirs
}

/// Swaps a ruleset in when nothing is wrong with it and it would judge at all: an emptied file is a mistake, too.
fn put_into_force(mut outcome: LoadOutcome, cell: &RulesCell) -> LoadOutcome {
    outcome.applied = outcome.count(Severity::Error) == 0 && outcome.in_force() > 0;
    if outcome.applied && outcome.ruleset.hash() != cell.load().hash() {
        cell.store(outcome.ruleset.clone());
    }
    outcome
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
