//! The list of alerts: title, headings, rows, and what is said when there are none.

use eyas_event::Alert;
use ratatui::layout::Rect;

use super::super::columns::{self, Column};
use super::super::door::Sensor;
use super::super::layout::Layout;
use super::super::overlay::Layer;
use super::super::show::{self, count, plural};
use super::super::state::{Ctx, Mode, Pane, State};
use super::super::theme::Role;
use super::Pen;

pub(super) fn draw(state: &State, ctx: &Ctx, layout: &Layout, pen: &mut Pen<'_>) {
    let area = layout.list;
    if area.height == 0 || area.width == 0 {
        return;
    }
    let focus = state.focus == Pane::List && state.layers.is_empty();
    let shown = state.rows.len();
    let mut aside = Vec::new();
    if let Some(found) = &state.found
        && state.search.is_some()
        && found.line.is_none()
    {
        let at = if Some(found.alert) == state.rows.selected_id() {
            format!("match {}/{}  ", count(found.at as u64), count(found.of as u64))
        } else {
            format!("{}  ", plural(found.of as u64, "match").replace("matchs", "matches"))
        };
        aside.push((Role::Accent, at));
    }
    if let Some(row) = state.rows.selected_row() {
        let more = if state.rows.older { "+" } else { "" };
        aside.push((Role::Dim, format!("{} of {}{more}", count(row as u64 + 1), count(shown as u64))));
    }
    if state.rows.follow && matches!(state.mode, Mode::Live) && shown > 0 {
        aside.push((Role::Good, " following".into()));
    } else if state.rows.unseen > 0 {
        aside.push((Role::Warn, format!("  {} new, G goes there", count(state.rows.unseen))));
    }
    // Rows show times of day only; which day is said when it is not today.
    let day =
        state.rows.selected().map(|a| ctx.zone.date(a.time)).filter(|d| *d != ctx.zone.date(state.pulse.now));
    let name = day.map_or("ALERTS".to_owned(), |day| format!("ALERTS OF {day}"));
    pen.title(area, focus, &name, &[aside]);
    if state.rows.is_empty() {
        empty(state, Rect { y: area.y + 1, height: area.height - 1, ..area }, pen);
        return;
    }
    let columns = columns::fit(usize::from(area.width.saturating_sub(2)));
    headings(state, focus, &columns, area, pen);
    let each = state.lines_each(layout);
    let height = layout.list_rows(each);
    let top = state.rows.top(height);
    for line in 0..height {
        let Some(alert) = state.rows.get(top + line) else { break };
        let y = area.y + 2 + line as u16 * each;
        if y >= area.bottom() {
            break;
        }
        let place = Rect { y, height: each.min(area.bottom() - y), ..area };
        row(state, ctx, alert, &columns, place, pen);
    }
}

fn headings(state: &State, focus: bool, columns: &[(Column, usize)], area: Rect, pen: &mut Pen<'_>) {
    if area.height < 2 {
        return;
    }
    let mut x = area.x + 1;
    for (column, width) in columns {
        let role = if focus && *column == state.column { Role::Accent } else { Role::Dim };
        pen.put(x, area.y + 1, *width, column.title(), role);
        x += *width as u16 + 2;
    }
}

fn row(state: &State, ctx: &Ctx, alert: &Alert, columns: &[(Column, usize)], area: Rect, pen: &mut Pen<'_>) {
    let chosen = state.rows.selected_id() == Some(alert.id);
    let focus = state.focus == Pane::List && !matches!(state.layers.last(), Some(Layer::Filter(_)));
    if chosen {
        pen.shade(area, if focus { Role::Selection } else { Role::SelectionIdle });
        pen.put(area.x, area.y, 1, "▌", Role::Accent);
        if area.height > 1 {
            pen.put(area.x, area.y + 1, 1, "▌", Role::Accent);
        }
    }
    let mut x = area.x + 1;
    let mut indent = 1;
    for (column, width) in columns {
        if *column == Column::Rule {
            indent = usize::from(x - area.x);
        }
        let role = match column {
            Column::Time => Role::Dim,
            Column::Severity => columns::role(alert.priority),
            Column::Rule if alert.priority <= eyas_event::Priority::Critical => Role::Strong,
            Column::Container if !alert.process.in_container() => Role::Dim,
            Column::User if alert.user == "root" => Role::Text,
            _ => Role::Text,
        };
        let text = match column {
            Column::Time => ctx.zone.time_of_day(alert.time),
            Column::Severity => format!("{} {}", columns::sign(alert.priority), alert.priority.letter()),
            _ => column.text(alert).into_owned(),
        };
        if chosen && focus && *column == state.column {
            pen.put(x, area.y, *width, if text.is_empty() { " " } else { &text }, Role::Cell);
        } else {
            put_matched(state, x, area.y, *width, &text, role, pen);
        }
        x += *width as u16 + 2;
    }
    if area.height > 1 {
        let room = usize::from(area.width).saturating_sub(indent + 1);
        let mut text = show::clean_bytes(&alert.process.cmdline()).into_owned();
        let chain: Vec<_> = alert.ancestors.iter().take(3).map(|p| show::clean_bytes(&p.comm)).collect();
        let chain = if chain.is_empty() { String::new() } else { format!("   ← {}", chain.join(" ← ")) };
        let chain_width = show::width(&chain);
        // The command line comes first; its makers are shown when there is room for all of both.
        if show::width(&text) + chain_width > room {
            text = show::fit(&text, room);
        } else {
            let x = area.x + (indent + show::width(&text)) as u16;
            pen.put(x, area.y + 1, chain_width, &chain, Role::Dim);
        }
        put_matched(state, area.x + indent as u16, area.y + 1, room, &text, Role::Dim, pen);
    }
}

/// Text with what the search found in it marked.
fn put_matched(state: &State, x: u16, y: u16, columns: usize, text: &str, role: Role, pen: &mut Pen<'_>) {
    let clean = show::clean(text);
    let text = show::fit(&clean, columns);
    pen.put(x, y, columns, &text, role);
    if let Some(found) = state.search.as_ref().and_then(|s| s.first(&text)) {
        let before = show::width(&text[..found.start]);
        let width = show::width(&text[found.clone()]);
        pen.put(x + before as u16, y, width, &text[found], Role::Match);
    }
}

/// Why there is nothing, and what to do.
fn empty(state: &State, area: Rect, pen: &mut Pen<'_>) {
    let pulse = &state.pulse;
    let rules = plural(u64::from(pulse.rules), "rule");
    let rate = count(pulse.events_per_s);
    let mut lines: Vec<(Role, String)> = Vec::new();
    if state.pending.page.is_some_and(|(_, kind)| kind == super::super::state::PageKind::Newest) {
        lines.push((Role::Strong, "Reading alerts from the store…".into()));
    } else if let Some(filter) = &state.filter {
        lines.push((Role::Strong, "No alert meets the filter.".into()));
        lines.push((Role::Accent, filter.text.to_string()));
        lines.push((
            Role::Dim,
            "f changes it, Esc lifts it. New alerts that meet it will appear here.".into(),
        ));
    } else {
        lines.push((Role::Strong, "No alerts yet.".into()));
        let (role, text) = match &pulse.sensor {
            Sensor::Starting => {
                (Role::Warn, "The sensor is starting: its programs are being loaded.".to_owned())
            }
            Sensor::On if pulse.rules == 0 => {
                (Role::Bad, "The sensor is on, but no rules are in force: R shows why.".into())
            }
            Sensor::On => (Role::Good, format!("The sensor is on, {rules} in force, {rate} events/s.")),
            Sensor::Degraded(why) => (
                Role::Warn,
                format!(
                    "The sensor is on in part ({why}), {rules} in force, {rate} events/s. S shows the hooks."
                ),
            ),
            Sensor::Replay { name, .. } if pulse.ended => (
                Role::Text,
                format!(
                    "The recording {name} has ended; none of its {} fired one of the {rules}.",
                    plural(pulse.events, "event")
                ),
            ),
            Sensor::Replay { name, .. } => (
                Role::Accent,
                format!("Replaying {name} against {rules}: {} so far.", plural(pulse.events, "event")),
            ),
            Sensor::Off(why) => {
                (Role::Bad, format!("No events come in: {why}. The store has no alerts either."))
            }
        };
        lines.push((role, text));
        if matches!(pulse.sensor, Sensor::On | Sensor::Degraded(_)) && pulse.rules > 0 {
            lines.push((
                Role::Dim,
                "What fires appears here at once. To see one, type in another terminal:".into(),
            ));
            lines.push((Role::Text, "cp /bin/cat /tmp/c && /tmp/c /etc/shadow".into()));
        }
        if matches!(pulse.sensor, Sensor::Off(_)) {
            let text =
                "eyas doctor says what is missing; eyas demo replays a recorded incident without privileges.";
            lines.push((Role::Dim, text.into()));
        }
        lines.push((Role::Dim, "? shows all commands.".into()));
    }
    let width = usize::from(area.width).saturating_sub(4).min(90);
    let mut wrapped: Vec<(Role, String)> = Vec::new();
    for (role, text) in lines {
        wrapped.extend(show::wrap(&show::clean(&text), width, 4).into_iter().map(|l| (role, l)));
    }
    let first = area.y + area.height.saturating_sub(wrapped.len() as u16) / 3;
    for (y, (role, text)) in (first..area.bottom()).zip(wrapped) {
        pen.put(area.x + 2, y, width, &text, role);
    }
}
