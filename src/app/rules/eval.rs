//! `eyas rules eval`: one event and one condition, or one output text. Line 1 of standard output is the answer; what is to
//! be said about the text goes to standard error. Also how the commands that judge one event read it.

use std::io::{Read, Write};
use std::path::Path;

use eyas_engine::diag::{Diagnostic, Severity};
use eyas_engine::output;
use eyas_engine::source::{SourceFile, Sources};
use eyas_engine::syntax::text::Spliced;
use eyas_engine::{Dialect, FieldMap, Filter, Ruleset, Scratch};
use eyas_event::text;

use crate::cli;
use crate::fail::{Fail, Outcome};
use crate::rulebook;
use crate::settings::Settings;

/// The first line when a text does not compile.
const LOAD_ERROR: &str = "LOAD_ERROR";

/// Evaluates a condition or an output text.
pub(crate) fn eval(settings: &Settings, args: &cli::RulesEval) -> Outcome {
    let event = event(&args.event)?;
    let rules = rulebook::load(settings)?;
    say(&rules.diagnostics, &rules.sources, Severity::Error)?;
    let answer = match (&args.condition, &args.output) {
        (Some(condition), _) => self::condition(condition, &rules.ruleset, &event)?,
        (None, format) => render(format.as_deref().unwrap_or_default(), rules.ruleset.dialect(), &event)?,
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", answer.as_deref().unwrap_or(LOAD_ERROR))?;
    if answer.is_some() { Ok(()) } else { Err(Fail::findings()) }
}

fn condition(text: &str, ruleset: &Ruleset, event: &FieldMap) -> Result<Option<String>, Fail> {
    let (filter, found) = Filter::examine(text, ruleset);
    say(&found.diagnostics, &found.sources, Severity::Lint)?;
    Ok(filter.map(|filter| {
        let holds = filter.matches(event, &mut Scratch::new());
        if holds { "TRUE" } else { "FALSE" }.to_owned()
    }))
}

fn render(format: &str, dialect: Dialect, event: &FieldMap) -> Result<Option<String>, Fail> {
    if format.is_empty() {
        return Ok(None);
    }
    // Falco's mark for "print what is missing as <NA>", which ours always does.
    let format = format.strip_prefix('*').unwrap_or(format);
    let mut sources = Sources::default();
    let id = sources.add(SourceFile::new("output", format));
    let mut found = Vec::new();
    let template = output::parse(&Spliced::whole(id, format), dialect, &mut found);
    say(&found, &sources, Severity::Lint)?;
    Ok(template.map(|template| {
        let message = template.render(event, &mut Scratch::new()).message;
        text::escape(&message).into_owned()
    }))
}

/// An event from a file in the documented form; `-` is standard input. Every bad key is named.
pub(crate) fn event(path: &Path) -> Result<FieldMap, Fail> {
    let from_stdin = path.as_os_str() == "-";
    let name = if from_stdin { "standard input".to_owned() } else { path.display().to_string() };
    let mut bytes = Vec::new();
    let read = if from_stdin {
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| ())
    } else {
        std::fs::read(path).map(|read| bytes = read)
    };
    read.map_err(|e| Fail::environment(format!("{name}: {e}")))?;
    let json = String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Fail::environment(format!("{name}: not UTF-8 from byte {at} on"))
    })?;
    FieldMap::from_json_text(&json).map_err(|bad| {
        let lines: Vec<String> = bad.iter().map(|bad| format!("{name}: {bad}")).collect();
        Fail::environment(text_lines(&lines))
    })
}

/// Lines that hold bytes of an event, each made harmless by itself.
fn text_lines(lines: &[String]) -> String {
    lines.iter().map(|line| text::escape(line.as_bytes())).collect::<Vec<_>>().join("\n")
}

/// Diagnostics on standard error, in colours where somebody sees them.
pub(crate) fn say(diagnostics: &[Diagnostic], sources: &Sources, least: Severity) -> Outcome {
    let paint = rulebook::paint(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    write!(std::io::stderr().lock(), "{}", rulebook::text(diagnostics, sources, least, paint, None))?;
    Ok(())
}
