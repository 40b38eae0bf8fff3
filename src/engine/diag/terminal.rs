//! Diagnostics as terminal text in the look of rustc, drawn by annotate-snippets.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};

use eyas_event::text::escape;

use super::{Certainty, Diagnostic, Edit, LabelKind, Severity};
use crate::source::{SourceId, Sources, Span};

/// Whether to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// ANSI colours.
    Colour,
    /// Plain text.
    Plain,
}

/// How wide a text is that no terminal shows.
const WIDTH: usize = 140;
/// Narrower than this nothing can be read, so it may as well be cut.
const NARROWEST: usize = 40;

/// One diagnostic as text, without a line break at its end.
pub fn to_text(diagnostic: &Diagnostic, sources: &Sources, paint: Paint) -> String {
    to_text_within(diagnostic, sources, paint, WIDTH)
}

/// The same for a terminal of so many columns: long lines of the file are cut around the marked places, and notes are broken.
pub fn to_text_within(diagnostic: &Diagnostic, sources: &Sources, paint: Paint, width: usize) -> String {
    let width = width.max(NARROWEST);
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Lint => Level::WARNING.with_name("lint"),
    };
    let mut group =
        Group::with_title(level.primary_title(safe(&diagnostic.message)).id(diagnostic.code.as_str()));
    for source in sources_of(diagnostic) {
        let labels = || diagnostic.labels.iter().filter(|label| label.span.source == source);
        let (line, lines) = lines(labels().map(|label| label.span), source, sources);
        let annotations = labels().map(|label| {
            let kind = match label.kind {
                LabelKind::Primary => AnnotationKind::Primary,
                LabelKind::Secondary => AnnotationKind::Context,
            };
            let annotation = kind.span(within(label.span, lines.start, sources));
            if label.text.is_empty() { annotation } else { annotation.label(safe(&label.text)) }
        });
        group = group.element(
            Snippet::source(&sources.text(source)[lines.clone()])
                .line_start(line)
                .path(safe(sources.name(source)))
                .annotations(annotations),
        );
    }
    for note in &diagnostic.notes {
        // What stands before a note takes about as much.
        group = group.element(Level::NOTE.message(broken(&safe(note), width - 12)));
    }
    let mut groups = vec![group];
    if let Some(edit) = &diagnostic.edit {
        let (line, lines) = lines([edit.span].into_iter(), edit.span.source, sources);
        let lines = near(lines, edit.span, sources);
        groups.push(
            Group::with_title(Level::HELP.secondary_title(safe(&asked(edit)).into_owned())).element(
                Snippet::source(&sources.text(edit.span.source)[lines.clone()])
                    .line_start(line)
                    .path(safe(sources.name(edit.span.source)))
                    .patch(Patch::new(within(edit.span, lines.start, sources), &edit.replacement)),
            ),
        );
    }
    let renderer = match paint {
        Paint::Colour => Renderer::styled(),
        Paint::Plain => Renderer::plain(),
    };
    renderer.term_width(width).render(&groups)
}

/// What an edit does; one that is a guess is told from one that is sure by how it begins.
fn asked(edit: &Edit) -> Cow<'_, str> {
    if edit.certainty == Certainty::Sure || edit.title.starts_with("did you mean") {
        Cow::Borrowed(&edit.title)
    } else {
        Cow::Owned(format!("perhaps: {}", edit.title))
    }
}

/// A text in lines of so many characters, where blanks allow it.
fn broken(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let long = word.chars().count();
        if used > 0 && used + 1 + long > width {
            out.push('\n');
            used = 0;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += long;
    }
    out
}

/// Words of a diagnostic may quote a name that a file chose; nothing in them may act on the terminal.
fn safe(text: &str) -> Cow<'_, str> {
    escape(text.as_bytes())
}

/// The sources that the labels lie in, the first primary one first.
fn sources_of(diagnostic: &Diagnostic) -> Vec<SourceId> {
    let mut ids: Vec<SourceId> = diagnostic.place().map(|span| span.source).into_iter().collect();
    for label in &diagnostic.labels {
        if !ids.contains(&label.span.source) {
            ids.push(label.span.source);
        }
    }
    ids
}

/// The whole lines that spans of one text touch and the number of the first: the renderer looks at all that it is given, and
/// a file may be long.
fn lines(
    spans: impl Iterator<Item = Span> + Clone,
    source: SourceId,
    sources: &Sources,
) -> (usize, Range<usize>) {
    let start = spans.clone().map(|span| span.start).min().unwrap_or(0);
    let end = spans.map(|span| span.end).max().unwrap_or(0);
    sources.whole_lines(source, start as usize..end as usize)
}

/// Of lines too long to be read, what is around a span: the renderer cuts the lines of places and not those of edits.
fn near(lines: Range<usize>, span: Span, sources: &Sources) -> Range<usize> {
    const LONG: usize = 1000;
    const AROUND: usize = 100;
    if lines.len() <= LONG {
        return lines;
    }
    let text = sources.text(span.source);
    let floor = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor((span.start as usize).saturating_sub(AROUND)).max(lines.start);
    start..floor((span.end as usize + AROUND).min(lines.end)).max(start)
}

/// The span as a range that surely lies in its text, on character borders, counted from byte `base` on.
fn within(span: Span, base: usize, sources: &Sources) -> Range<usize> {
    let text = sources.text(span.source);
    let floor = |at: u32| {
        let mut at = (at as usize).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(span.start);
    start - base..floor(span.end).max(start) - base
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Loader, SourceFile};

    #[test]
    fn a_narrow_terminal_has_the_place_the_reason_and_the_mend() {
        let rules = "- rule: shell started\n  desc: d\n  condition: evt.type = execve and user.name = root and proc.nmae = bash and \
            proc.pname = sshd\n  output: o\n  priority: HIGH\n";
        let loaded = Loader::new().add(SourceFile::new("a.yaml", rules)).finish();
        for diagnostic in &loaded.diagnostics {
            // A line with its mend is shown whole, so that it can be copied.
            let text = to_text_within(diagnostic, &loaded.sources, Paint::Plain, 40);
            let text = text.split("help:").next().unwrap_or("");
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
            assert!(widest <= 48, "{widest}: {text}");
        }
        let first = to_text_within(&loaded.diagnostics[0], &loaded.sources, Paint::Plain, 40);
        assert!(
            first.contains("proc.nmae") && first.contains("^^^^^^^^^") && first.contains("`proc.name`?"),
            "{first}"
        );
    }

    #[test]
    fn no_name_acts_on_the_terminal() {
        let rules = "- macro: m\n  condition: proc.nmae = x\n- rule: \"a\\x1b[31m\\u202eb\"\n  desc: d\n  \
            condition: m\n  output: o\n  priority: INFO\n";
        let loaded = Loader::new().add(SourceFile::new("a\u{1b}[2J.yaml", rules)).finish();
        assert!(loaded.has_errors());
        for diagnostic in &loaded.diagnostics {
            let text = to_text(diagnostic, &loaded.sources, Paint::Plain);
            assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
            assert!(to_text(diagnostic, &loaded.sources, Paint::Colour).contains('\u{1b}'));
        }
    }
}
