//! The details of one alert, beside the list or below it.

use ratatui::layout::Rect;

use super::super::layout::Layout;
use super::super::show;
use super::super::state::{Ctx, Pane, State};
use super::super::theme::Role;
use super::Pen;

pub(super) fn draw(state: &State, ctx: &Ctx, layout: &Layout, pen: &mut Pen<'_>) {
    let area = layout.detail;
    let Some(view) = &state.detail else { return };
    if area.height == 0 || area.width == 0 {
        return;
    }
    let focus = state.focus == Pane::Detail && state.layers.is_empty();
    let lines = view.lines(layout.detail_width(), &ctx.zone, state.extent());
    let height = layout.detail_lines();
    let top = view.top.min(lines.len().saturating_sub(height.min(lines.len())));
    let shown = (top + height).min(lines.len());
    let mut aside = vec![(Role::Dim, format!("{}–{} of {}", top + 1, shown, lines.len()))];
    if let Some(found) = &state.found
        && (found.alert, found.line) == (view.id(), Some(view.line))
    {
        aside.insert(0, (Role::Accent, format!("match {}/{}  ", found.at, found.of)));
    }
    pen.title(area, focus, "DETAILS", &[aside]);
    let mut text = area;
    if layout.beside {
        for y in area.y..area.bottom() {
            let joint = if y == area.y { "┬" } else { "│" };
            pen.put(area.x, y, 1, joint, if focus { Role::LineFocus } else { Role::Line });
        }
        text.x += 1;
        text.width = text.width.saturating_sub(1);
    }
    for (i, line) in lines[top..shown].iter().enumerate() {
        let y = area.y + 1 + i as u16;
        if y >= area.bottom() {
            break;
        }
        let chosen = top + i == view.line;
        if chosen && focus {
            pen.shade(Rect { y, height: 1, ..text }, Role::Selection);
            pen.put(text.x, y, 1, "▌", Role::Accent);
        }
        let x = text.x + 1;
        let room = usize::from(text.width.saturating_sub(1));
        let mut used = 0;
        for (role, part) in &line.parts {
            if used >= room {
                break;
            }
            let role = if line.section && *role == Role::Title { Role::TitleFocus } else { *role };
            let at = x + used as u16;
            used += pen.put(at, y, room - used, part, role);
            if let Some(found) = state.search.as_ref().and_then(|s| s.first(part)) {
                let before = show::width(&part[..found.start]);
                let width = show::width(&part[found.clone()]);
                if before + width <= room {
                    pen.put(at + before as u16, y, width, &part[found], Role::Match);
                }
            }
        }
    }
}
