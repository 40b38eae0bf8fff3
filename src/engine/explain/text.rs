//! An explanation as text for a terminal: what came of a part stands before it, what it saw behind it.

use std::fmt::Write as _;

use crate::diag::Paint;
use crate::explain::{Explanation, Seen, Step, Verdict};
use crate::parts::{PartKind, indent, place};
use crate::source::Sources;

/// So wide is the column of verdicts.
const VERDICT: usize = 9;
/// However deep a part lies, so much of a value is shown.
const NARROWEST: usize = 24;

/// An explanation as lines. Lists are cut to `width` characters a line. The body of a macro that was not evaluated is left
/// out: nothing in it was asked.
pub fn to_text(explanation: &Explanation, sources: &Sources, width: usize, paint: Paint) -> String {
    let mut out = String::new();
    let mut idle_above = None;
    for step in &explanation.steps {
        let part = &step.part;
        if idle_above.is_some_and(|depth| part.depth > depth) {
            continue;
        }
        idle_above = None;
        let (word, colour) = match step.verdict {
            Verdict::True => ("true", "32"),
            Verdict::False => ("false", "31"),
            Verdict::Missing => ("missing", "33"),
            Verdict::NotEvaluated => ("-", "2"),
        };
        painted(&mut out, &format!("{word:<VERDICT$}"), colour, paint);
        let room = width.saturating_sub(VERDICT + 2 * part.depth.min(40) as usize);
        let _ = write!(out, "{}{}", indent(part.depth), part.short(room));
        if let Some(seen) = &step.seen {
            let said =
                if seen.is_empty() { "no value".to_owned() } else { format!("saw {}", values(seen, room)) };
            painted(&mut out, &format!("  {said}"), "2", paint);
        }
        if part.kind == PartKind::Macro {
            painted(&mut out, &macro_note(step, sources), "2", paint);
            if step.verdict == Verdict::NotEvaluated {
                idle_above = Some(part.depth);
            }
        }
        out.push('\n');
    }
    out
}

/// Where a macro is defined, and why its body does not follow.
fn macro_note(step: &Step, sources: &Sources) -> String {
    let mut note = step.part.defined.map(|span| format!("  {}", place(span, sources))).unwrap_or_default();
    if step.repeated && step.verdict != Verdict::NotEvaluated {
        note.push_str(", shown above");
    }
    note
}

/// Values with commas between, cut to a width.
fn values(seen: &[Seen], width: usize) -> String {
    let mut out = String::new();
    for (i, value) in seen.iter().enumerate() {
        let room = width.saturating_sub(out.chars().count());
        if i > 0 && value.text.chars().count() > room {
            let _ = write!(out, ", … {} more", seen.len() - i);
            break;
        }
        let between = if i > 0 { ", " } else { "" };
        let _ = write!(out, "{between}{}", cut(&value.text, width));
    }
    out
}

/// A long value's begin.
fn cut(text: &str, width: usize) -> String {
    let width = width.max(NARROWEST);
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

fn painted(out: &mut String, text: &str, colour: &str, paint: Paint) {
    let _ = match paint {
        Paint::Colour => write!(out, "\u{1b}[{colour}m{text}\u{1b}[0m"),
        Paint::Plain => write!(out, "{text}"),
    };
}
