//! The bars of alerts over time: severities stacked, times in which eyas was blind hatched, the chosen alert marked.

use eyas_event::Priority;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::super::columns;
use super::super::door::{Gap, Histogram, Missing};
use super::super::histogram::{self, Cell};
use super::super::show::{self, count};
use super::super::state::{Ctx, State};
use super::super::theme::{ColorDepth, Role};
use super::Pen;

const BLOCKS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

pub(super) fn draw(state: &State, ctx: &Ctx, area: Rect, pen: &mut Pen<'_>) {
    if area.height < 3 || area.width < 4 {
        return;
    }
    let window = show::span(state.bars.window_s());
    // The bars are counted by the store: of what it has not taken they know nothing.
    let stored = if state.pulse.store.is_bad() { ", STORED ONLY" } else { "" };
    let title = if state.bars.is_fitted() {
        format!("RECORDING, {}{stored}", window.to_uppercase())
    } else {
        format!("LAST {}{stored}", window.to_uppercase())
    };
    let Some(data) = &state.bars.data else {
        pen.title(area, false, &title, &[]);
        pen.put(area.x + 2, area.y + 1, usize::from(area.width) - 2, "Counting alerts…", Role::Dim);
        return;
    };
    let totals = data.buckets.iter().fold([0_u64; 8], |mut sum, bucket| {
        for (s, n) in sum.iter_mut().zip(bucket) {
            *s += u64::from(*n);
        }
        sum
    });
    pen.title(
        area,
        false,
        &title,
        &[
            legend(totals, data, Words::Long),
            legend(totals, data, Words::Mixed),
            legend(totals, data, Words::Short),
            legend([0; 8], data, Words::Short),
        ],
    );
    let inner = Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 };
    let axis = area.bottom() - 1;
    let wide = histogram::column_width(data.buckets.len(), inner.width);
    gaps(data, inner, wide, pen);
    let max = data.buckets.iter().map(|b| b.iter().sum::<u32>()).max().unwrap_or(0);
    for (i, bucket) in data.buckets.iter().enumerate() {
        let x = inner.x + i as u16 * wide;
        if x + wide > inner.right() {
            break;
        }
        for (row, cell) in histogram::stack(*bucket, max, inner.height).into_iter().enumerate() {
            paint(cell, x, inner.bottom() - 1 - row as u16, wide, pen);
        }
    }
    if totals.iter().all(|n| *n == 0) && data.gaps.is_empty() {
        let text = if state.bars.is_fitted() {
            format!("No alerts in the {window} so far.")
        } else {
            format!("No alerts in the last {window}.  - looks further back.")
        };
        pen.put(inner.x + 1, inner.y + inner.height / 2, usize::from(inner.width) - 1, &text, Role::Dim);
    } else if max > 0 {
        let top = count(u64::from(max));
        let first = data.buckets.first().is_some_and(|b| b.iter().sum::<u32>() * 2 < max);
        if first {
            pen.put(inner.x, inner.y, 8, &format!("{top}┐"), Role::Dim);
        }
    }
    labels(state, ctx, data, Rect { y: axis, height: 1, ..inner }, wide, pen);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Words {
    /// All written out.
    Long,
    /// What was missed written out, severities by letter.
    Mixed,
    Short,
}

/// How many of what, and what was missed.
fn legend(totals: [u64; 8], data: &Histogram, words: Words) -> Vec<(Role, String)> {
    let mut out = Vec::new();
    for what in Missing::ALL {
        let gaps: Vec<&Gap> = data.gaps.iter().filter(|g| g.what == what).collect();
        if gaps.is_empty() {
            continue;
        }
        let gap = if out.is_empty() { "" } else { "  " };
        let text = format!("{gap}╱ {}", missing(what, &gaps, words));
        out.push((if what == Missing::Recording { Role::Warn } else { Role::Bad }, text));
    }
    for (priority, n) in Priority::ALL.into_iter().zip(totals).filter(|(_, n)| *n > 0) {
        let gap = if out.is_empty() { "" } else { "  " };
        let (sign, n) = (columns::sign(priority), count(n));
        let text = match words {
            Words::Long => format!("{gap}{sign} {n} {}", priority.name().to_lowercase()),
            Words::Mixed | Words::Short => format!("{gap}{sign} {n} {}", priority.letter()),
        };
        out.push((columns::role(priority), text));
    }
    out
}

/// What was lost of one kind within the bars' span, and why: each kind has its own sum and its own causes.
fn missing(what: Missing, gaps: &[&Gap], words: Words) -> String {
    let sum: u64 = gaps.iter().map(|g| g.count).sum();
    if words == Words::Short {
        let word = match what {
            Missing::Events => "missed",
            Missing::Alerts => "unstored",
            Missing::Recording => "unkept",
        };
        return if sum > 0 { format!("{} {word}", count(sum)) } else { word.to_owned() };
    }
    let mut causes: Vec<&str> = Vec::new();
    for gap in gaps {
        if !causes.contains(&gap.why.as_str()) {
            causes.push(&gap.why);
        }
    }
    let causes = match causes.as_slice() {
        [one] => (*one).to_owned(),
        [one, rest @ ..] if words == Words::Mixed => format!("{one} and {} more", rest.len()),
        all => all.join(", "),
    };
    match sum {
        // Nobody knows how much: the cause says what there is to say.
        0 => causes,
        n => format!("{} {}: {causes}", count(n), what.words()),
    }
}

/// Hatches the times in which something was lost.
fn gaps(data: &Histogram, inner: Rect, wide: u16, pen: &mut Pen<'_>) {
    let span = data.to.0.saturating_sub(data.from.0).max(1);
    let n = data.buckets.len() as u128;
    // The gravest last, so that it is what is seen.
    let mut all: Vec<&Gap> = data.gaps.iter().collect();
    all.sort_by_key(|g| std::cmp::Reverse(g.what));
    for gap in all {
        let role = if gap.what == Missing::Recording { Role::Warn } else { Role::Bad };
        if gap.to < data.from || gap.from >= data.to {
            continue;
        }
        let place = |at: u64| (u128::from(at.saturating_sub(data.from.0)) * n / u128::from(span)) as u16;
        let (first, last) = (place(gap.from.0), place(gap.to.0.min(data.to.0 - 1)));
        for x in inner.x + first * wide..(inner.x + (last + 1) * wide).min(inner.right()) {
            for y in inner.top()..inner.bottom() {
                pen.put(x, y, 1, "╱", role);
            }
        }
    }
}

fn paint(cell: Cell, x: u16, y: u16, wide: u16, pen: &mut Pen<'_>) {
    let color = |p: Priority| pen.style(columns::role(p)).fg;
    let (text, style) = if pen.theme.depth() == ColorDepth::None {
        // Without colours severities differ by texture.
        let texture = match cell.lower {
            Priority::Emergency | Priority::Alert | Priority::Critical => "█",
            Priority::Error => "▓",
            Priority::Warning => "▒",
            _ => "░",
        };
        (
            if cell.eighths == 8 || cell.upper.is_some() {
                texture
            } else {
                BLOCKS[usize::from(cell.eighths)]
            },
            Style::new(),
        )
    } else {
        let mut style = Style::new();
        style.fg = color(cell.lower);
        if let Some(upper) = cell.upper {
            style.bg = color(upper);
        }
        (BLOCKS[usize::from(cell.eighths.min(8))], style)
    };
    for x in x..x + wide {
        // A bar covers the hatching; its own ground is kept.
        pen.put_styled(x, y, 1, text, style);
    }
}

/// The axis: begin, middle and end as times of day, and the chosen alert's place.
fn labels(state: &State, ctx: &Ctx, data: &Histogram, area: Rect, wide: u16, pen: &mut Pen<'_>) {
    let drawn = (data.buckets.len() as u16).saturating_mul(wide).min(area.width);
    let seconds = state.bars.window_s() <= 900;
    let name = |at: u64| {
        let at = eyas_event::WallTime(at);
        if seconds { ctx.zone.time_of_day(at) } else { ctx.zone.hour_minute(at) }
    };
    let line = "╌".repeat(usize::from(drawn));
    pen.put(area.x, area.y, usize::from(drawn), &line, Role::Line);
    let mark = state.rows.selected().and_then(|alert| match histogram::bucket_of(data, alert.time) {
        Some(bucket) => Some(((bucket as u16).saturating_mul(wide) + wide / 2, "▴")),
        None if alert.time < data.from => Some((0, "◂")),
        None => None,
    });
    let mut labelled = false;
    let (mark, sign) = mark.filter(|(x, _)| *x < area.width).unzip();
    let steps: u64 = if drawn >= 90 { 4 } else { 2 };
    for step in 0..=steps {
        let at = data.from.0 + data.to.0.saturating_sub(data.from.0) / steps * step;
        let text = name(at);
        let width = show::width(&text) as u16;
        if drawn < width * 3 + 4 && step != steps {
            continue;
        }
        let middle = (u64::from(drawn) * step / steps) as u16;
        let x = middle.saturating_sub(width / 2).min(drawn.saturating_sub(width));
        labelled |= mark.is_some_and(|mark| (x..x + width).contains(&mark));
        pen.put(area.x + x, area.y, usize::from(width), &text, Role::Dim);
    }
    if let (Some(mark), Some(sign)) = (mark, sign) {
        // On a label the mark would make the time unreadable: there the figure itself is marked.
        if labelled {
            pen.shade(Rect { x: area.x + mark, width: 1, ..area }, Role::Cell);
        } else {
            pen.put(area.x + mark, area.y, 1, sign, Role::Accent);
        }
    }
}
