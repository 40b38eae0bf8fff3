//! Lines that are typed into: the filter bar with what is wrong in it, the search prompt.

use ratatui::layout::Rect;

use super::super::door::FilterProblem;
use super::super::input::Input;
use super::super::overlay::{FilterBar, Prompt, Verdict};
use super::super::show::{self, plural};
use super::super::state::Pane;
use super::super::theme::Role;
use super::super::update::completions;
use super::Pen;

pub(super) fn filter(bar: &FilterBar, area: Rect, pen: &mut Pen<'_>) {
    if area.height == 0 || area.width == 0 {
        return;
    }
    pen.clear(area, Role::Panel);
    pen.shade(Rect { height: 1, ..area }, Role::Input);
    let width = usize::from(area.width);
    let used = pen.put(area.x, area.y, width, " filter ", Role::Brand) + 1;
    let place = Rect {
        x: area.x + used as u16,
        width: area.width.saturating_sub(used as u16 + 1),
        height: 1,
        ..area
    };
    let problems: &[FilterProblem] = match &bar.verdict {
        Verdict::Wrong(problems) => problems,
        _ => &[],
    };
    let offset = typed(
        &bar.prompt.input,
        problems,
        place,
        "a condition, as in rules:  proc.name = curl and user.name != root",
        pen,
    );
    if area.height > 2 {
        carets(&bar.prompt.input, problems, offset, Rect { y: area.y + 1, ..place }, pen);
    }
    let (role, text) = match &bar.verdict {
        Verdict::Empty => (Role::Dim, "Nothing typed: Enter shows all alerts.".to_owned()),
        Verdict::Asked => {
            (Role::Dim, if bar.taken { "Reading it, then applying it…" } else { "Reading it…" }.to_owned())
        }
        Verdict::Good(hits) => (Role::Good, format!("✓ {} in the store. Enter shows them.", meets(*hits))),
        Verdict::Wrong(problems) => {
            let more = match problems.len() {
                _ if is_bare_word(bar.prompt.input.text()) => {
                    "; to search for a text, press Esc and /".to_owned()
                }
                0 | 1 => String::new(),
                n => format!("  (and {} more)", n - 1),
            };
            (
                Role::Bad,
                format!(
                    "✗ {}{more}",
                    problems.first().map_or("This is not a condition.", |p| p.message.as_str())
                ),
            )
        }
        Verdict::Failed(why) => (Role::Warn, format!("Nobody could say what this finds: {why}")),
    };
    let y = area.bottom() - 1;
    let mut x = area.x + 1;
    x += pen.put(x, y, width.saturating_sub(2), &text, role) as u16;
    let (names, at) = match &bar.cycle {
        Some(cycle) => (cycle.names.clone(), Some(cycle.at)),
        None => (completions(&bar.prompt.input).map_or_else(Vec::new, |(_, names)| names), None),
    };
    let mut room = usize::from(area.right().saturating_sub(x + 4));
    if names.is_empty() || room <= 12 {
        return;
    }
    x += 3;
    let used = pen.put(x, y, room, "Tab ", Role::Key);
    (x, room) = (x + used as u16, room - used);
    // The one in the line first, then those that follow.
    for (step, name) in names.iter().cycle().skip(at.unwrap_or(0)).take(names.len().min(6)).enumerate() {
        let role = if at.is_some() && step == 0 { Role::Accent } else { Role::Dim };
        let used = pen.put(x, y, room, &format!("{name}  "), role);
        (x, room) = (x + used as u16, room - used);
    }
}

/// Whether somebody seems to look for a text rather than for a condition. Field names have a dot.
fn is_bare_word(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

fn meets(hits: u64) -> String {
    if hits == 1 { "1 alert meets it".to_owned() } else { format!("{} meet it", plural(hits, "alert")) }
}

/// Paints a line being typed with its cursor; returns how many columns of it are scrolled off to the left.
pub(super) fn typed(
    input: &Input,
    problems: &[FilterProblem],
    area: Rect,
    hint: &str,
    pen: &mut Pen<'_>,
) -> usize {
    let room = usize::from(area.width);
    if room == 0 || area.height == 0 {
        return 0;
    }
    let (text, cursor) = (input.text(), input.cursor());
    if text.is_empty() {
        pen.put(area.x, area.y, room, hint, Role::Dim);
        pen.shade(Rect { width: 1, height: 1, ..area }, Role::Cursor);
        return 0;
    }
    let before = show::width(&show::clean(&text[..cursor]));
    let offset = (before + 1).saturating_sub(room);
    let mut column = 0;
    for (at, c) in text.char_indices() {
        let mut utf8 = [0; 4];
        let shown = show::clean(c.encode_utf8(&mut utf8)).into_owned();
        let width = show::width(&shown);
        if column >= offset && column + width <= offset + room {
            let x = area.x + (column - offset) as u16;
            let wrong = problems.iter().any(|p| p.start <= at && at < p.end);
            pen.put(x, area.y, width, &shown, if wrong { Role::Problem } else { Role::Input });
        }
        column += width;
    }
    let x = area.x + (before - offset.min(before)) as u16;
    pen.shade(Rect { x, y: area.y, width: 1, height: 1 }, Role::Cursor);
    offset
}

/// Marks what is wrong on the line below.
fn carets(input: &Input, problems: &[FilterProblem], offset: usize, area: Rect, pen: &mut Pen<'_>) {
    for problem in problems {
        let text = input.text();
        let boundary = |mut at: usize| {
            at = at.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let (start, end) = (boundary(problem.start), boundary(problem.end.max(problem.start)));
        let from = show::width(&show::clean(&text[..start]));
        let to = (from + show::width(&show::clean(&text[start..end]))).max(from + 1);
        let (from, to) = (from.max(offset) - offset, to.max(offset) - offset);
        let to = to.min(usize::from(area.width));
        if from < to {
            pen.put(area.x + from as u16, area.y, to - from, &"^".repeat(to - from), Role::Bad);
        }
    }
}

pub(super) fn search(prompt: &Prompt, pane: Pane, area: Rect, pen: &mut Pen<'_>) {
    if area.height == 0 || area.width == 0 {
        return;
    }
    pen.clear(area, Role::Input);
    let used = pen.put(area.x, area.y, usize::from(area.width), " search ", Role::Brand) as u16 + 1;
    let aside = match prompt.found {
        Some((n, all)) if pane == Pane::Detail => {
            format!("in {} of {} ", show::count(n), plural(all, "line"))
        }
        Some((n, all)) => format!("in {} of {} loaded ", show::count(n), plural(all, "alert")),
        None => String::new(),
    };
    let wide = show::width(&aside) as u16;
    let room = area.width.saturating_sub(used + wide + 1);
    if room > 10 && wide > 0 {
        let role = if prompt.found.is_some_and(|(n, _)| n == 0) { Role::Warn } else { Role::Dim };
        pen.right(area, &[(role, aside)]);
    }
    let place = Rect {
        x: area.x + used,
        width: if room > 10 { room } else { area.width.saturating_sub(used) },
        ..area
    };
    let hint = match pane {
        Pane::List => "text in rule, process, command line, container, user or message",
        Pane::Detail => "text in these details",
    };
    typed(&prompt.input, &[], place, hint, pen);
}
