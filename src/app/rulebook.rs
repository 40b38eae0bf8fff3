//! The rules of a run: the shipped ones, which are part of the binary, or the files that the user names.

use crate::settings::Settings;
use eyas_engine::diag::{self, Diagnostic, Paint, Severity};
use eyas_engine::source::{SourceFile, Sources};
use eyas_pipeline::{LoadOutcome, load_files, load_texts};

use crate::fail::Fail;

/// The shipped rules.
const SHIPPED: &str = include_str!("../../rules/eyas.yaml");
/// What they are called in messages.
const SHIPPED_NAME: &str = "rules/eyas.yaml (shipped)";

/// Loads rule files, or the shipped rules when there are none.
pub(crate) fn load(settings: &Settings) -> Result<LoadOutcome, Fail> {
    let options = settings.rule_options();
    if settings.rules.is_empty() {
        return Ok(load_texts(vec![SourceFile::new(SHIPPED_NAME, SHIPPED)], options));
    }
    load_files(&settings.rules, options).map_err(|(path, error)| {
        Fail::environment(format!(
            "{}: {error}\n  rules are files or directories of them, named by `-r` or by `rules_files` of the configuration; \
             without either the shipped rules are in force",
            path.display()
        ))
    })
}

/// Diagnostics as text without colours, those below `least` left out.
pub(crate) fn plain(diagnostics: &[Diagnostic], sources: &Sources, least: Severity) -> String {
    text(diagnostics, sources, least, Paint::Plain, None)
}

/// Colours for a stream that is a terminal, unless `NO_COLOR` asks for none.
pub(crate) fn paint(terminal: bool) -> Paint {
    let wanted = terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    if wanted { Paint::Colour } else { Paint::Plain }
}

/// Diagnostics as text, for a terminal of so many columns where one shows them.
pub(crate) fn text(
    diagnostics: &[Diagnostic],
    sources: &Sources,
    least: Severity,
    paint: Paint,
    width: Option<usize>,
) -> String {
    let shown = diagnostics.iter().filter(|d| d.severity >= least);
    let texts: Vec<_> = shown
        .map(|diagnostic| match width {
            Some(width) => diag::to_text_within(diagnostic, sources, paint, width) + "\n",
            None => diag::to_text(diagnostic, sources, paint) + "\n",
        })
        .collect();
    texts.join("\n")
}

/// What rules that are on are in vain for, if any.
pub(crate) fn unread(outcome: &LoadOutcome) -> Option<String> {
    let sources = outcome.unread_sources();
    let names = sources.iter().map(|s| format!("`{s}`")).collect::<Vec<_>>().join(", ");
    (!sources.is_empty()).then(|| format!("are for events of {names}, which nothing here gives"))
}

/// `3 errors, 1 warning`.
pub(crate) fn tally(outcome: &LoadOutcome) -> String {
    [Severity::Error, Severity::Warning, Severity::Lint]
        .map(|s| (outcome.count(s), s))
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, s)| format!("{n} {}{}", s.word(), if *n == 1 { "" } else { "s" }))
        .collect::<Vec<_>>()
        .join(", ")
}
