//! Panels over the screen: help, palette, the hooks, what the rules' last load said.

use eyas_event::HookState;
use ratatui::layout::Rect;

use super::super::commands;
use super::super::layout::Layout;
use super::super::overlay::{self, Chooser, Sheet};
use super::super::show::{self, plural};
use super::super::state::{Ctx, State};
use super::super::theme::Role;
use super::super::update::why_not;
use super::{Pen, prompt};

/// Paints the panel and its title; returns the room inside.
fn panel(area: Rect, title: &str, aside: &str, pen: &mut Pen<'_>) -> Rect {
    pen.clear(area, Role::Panel);
    if area.width < 4 || area.height < 3 {
        return Rect { height: 0, ..area };
    }
    let (right, bottom) = (area.right() - 1, area.bottom() - 1);
    let across = "─".repeat(usize::from(area.width) - 2);
    for (y, left_end, right_end) in [(area.y, "╭", "╮"), (bottom, "╰", "╯")] {
        pen.put(area.x, y, 1, left_end, Role::LineFocus);
        pen.put(area.x + 1, y, usize::from(area.width) - 2, &across, Role::LineFocus);
        pen.put(right, y, 1, right_end, Role::LineFocus);
    }
    for y in area.y + 1..bottom {
        pen.put(area.x, y, 1, "│", Role::LineFocus);
        pen.put(right, y, 1, "│", Role::LineFocus);
    }
    let room = usize::from(area.width).saturating_sub(4);
    let used = pen.put(area.x + 2, area.y, room, &format!(" {title} "), Role::TitleFocus);
    let aside_width = show::width(aside) + 2;
    if !aside.is_empty() && used + aside_width + 2 <= room {
        pen.put(right - 1 - aside_width as u16, area.y, aside_width, &format!(" {aside} "), Role::Dim);
    }
    Rect { x: area.x + 2, y: area.y + 1, width: area.width - 4, height: area.height - 2 }
}

pub(super) fn help(chooser: &Chooser, layout: &Layout, pen: &mut Pen<'_>) {
    let rows = overlay::help(chooser.input.text());
    let inner = panel(layout.sheet(), "HELP", "Esc closes", pen);
    let list = typed_line(chooser, inner, "type to search", pen);
    if rows.is_empty() && list.height > 0 {
        pen.put(list.x, list.y, usize::from(list.width), "No command is about that.", Role::Dim);
    }
    let top = chooser.row.min(rows.len().saturating_sub(usize::from(list.height)));
    for (i, command) in rows.iter().skip(top).take(usize::from(list.height)).enumerate() {
        let row =
            Row { keys: &commands::key_names(command), name: command.name, says: command.says, dim: false };
        row.paint(Rect { y: list.y + i as u16, height: 1, ..list }, pen);
    }
}

pub(super) fn palette(state: &State, ctx: &Ctx, chooser: &Chooser, layout: &Layout, pen: &mut Pen<'_>) {
    let rows = overlay::palette(chooser.input.text(), state.base(), &ctx.themes);
    let inner = panel(layout.sheet(), "COMMANDS", "Enter runs it, Esc closes", pen);
    let list = typed_line(chooser, inner, "type a part of the name", pen);
    if rows.is_empty() && list.height > 0 {
        pen.put(list.x, list.y, usize::from(list.width), "No command is called that.", Role::Dim);
    }
    let height = usize::from(list.height);
    let top = (chooser.row + 1).saturating_sub(height);
    for (i, row) in rows.iter().skip(top).take(height).enumerate() {
        let place = Rect { y: list.y + i as u16, height: 1, ..list };
        if top + i == chooser.row {
            pen.shade(Rect { x: place.x - 1, width: place.width + 2, ..place }, Role::Selection);
        }
        let why = why_not(state, row.action);
        Row { keys: &row.keys, name: &row.name, says: why.unwrap_or(row.says), dim: why.is_some() }
            .paint(place, pen);
    }
}

struct Row<'r> {
    keys: &'r str,
    name: &'r str,
    says: &'r str,
    dim: bool,
}

impl Row<'_> {
    fn paint(&self, area: Rect, pen: &mut Pen<'_>) {
        let width = usize::from(area.width);
        let keys = 18.min(width / 4);
        let name = 20.min(width / 3);
        pen.put(area.x, area.y, name, self.name, if self.dim { Role::Dim } else { Role::Strong });
        let mut x = name + 1;
        pen.put(area.x + x as u16, area.y, keys, self.keys, Role::Key);
        x += keys + 1;
        pen.put(area.x + x as u16, area.y, width.saturating_sub(x), self.says, Role::Dim);
    }
}

/// The line to type into; returns the room below it.
fn typed_line(chooser: &Chooser, inner: Rect, hint: &str, pen: &mut Pen<'_>) -> Rect {
    if inner.height == 0 {
        return inner;
    }
    let line = Rect { height: 1, ..inner };
    pen.shade(line, Role::Input);
    pen.put(line.x, line.y, 2, "› ", Role::Accent);
    let place = Rect { x: line.x + 2, width: line.width.saturating_sub(2), ..line };
    prompt::typed(&chooser.input, &[], place, hint, pen);
    let below = if inner.height > 4 { 2 } else { 1 };
    Rect { y: inner.y + below, height: inner.height - below, ..inner }
}

pub(super) fn sheet(state: &State, sheet: Sheet, top: usize, layout: &Layout, pen: &mut Pen<'_>) {
    let lines = sheet_lines(state, sheet);
    let title = match sheet {
        Sheet::Hooks => "SENSOR HOOKS",
        Sheet::Reload => "RULES",
    };
    let inner = panel(layout.sheet(), title, "Esc closes", pen);
    let height = usize::from(inner.height);
    let top = top.min(lines.len().saturating_sub(height));
    for (i, parts) in lines.iter().skip(top).take(height).enumerate() {
        pen.parts(inner.x, inner.y + i as u16, usize::from(inner.width), parts);
    }
}

/// The lines of a sheet.
pub(in super::super) fn sheet_lines(state: &State, sheet: Sheet) -> Vec<Vec<(Role, String)>> {
    match sheet {
        Sheet::Hooks => hooks(state),
        Sheet::Reload => reload(state),
    }
}

fn hooks(state: &State) -> Vec<Vec<(Role, String)>> {
    let hooks = &state.pulse.hooks;
    if hooks.is_empty() {
        let why = if state.replaying() {
            "A recording is being replayed: no hooks are needed, the kernel is not asked."
        } else {
            "The sensor has not said anything about its hooks: it is not running in this process."
        };
        return vec![vec![(Role::Dim, why.to_owned())]];
    }
    let on = hooks.iter().filter(|h| h.state == HookState::On).count();
    let name = hooks.iter().map(|h| show::width(h.name)).max().unwrap_or(0).min(40);
    let purpose = hooks.iter().map(|h| show::width(h.purpose)).max().unwrap_or(0).min(36);
    let mut out = vec![
        vec![(Role::Strong, format!("{on} of {} are on.", plural(hooks.len() as u64, "hook")))],
        Vec::new(),
    ];
    for hook in hooks {
        let (role, sign, state) = match &hook.state {
            HookState::On => (Role::Good, "●", "on"),
            HookState::Off(_) => (Role::Bad, "○", "OFF"),
        };
        out.push(vec![
            (role, format!("{sign} ")),
            (Role::Text, show::pad(hook.name, name)),
            (Role::Dim, format!("  {}  ", show::pad(hook.purpose, purpose))),
            (role, state.to_owned()),
        ]);
        if let HookState::Off(why) = &hook.state {
            let why = show::clean(why).into_owned();
            out.extend(
                show::wrap(&why, 70, 6).into_iter().map(|line| vec![(Role::Bad, format!("    {line}"))]),
            );
        }
    }
    out
}

fn reload(state: &State) -> Vec<Vec<(Role, String)>> {
    let Some(reload) = &state.pulse.reload else {
        return vec![vec![(Role::Dim, "No rules have been loaded yet.".to_owned())]];
    };
    let (role, outcome) = match (reload.applied, reload.errors) {
        (true, 0) => (Role::Good, "✓ The new rules are in force.".to_owned()),
        (true, n) => (Role::Warn, format!("! The rules are in force without those that have errors ({n}).")),
        (false, n) => (
            Role::Bad,
            format!(
                "✗ The new rules have {}; the earlier ones stay in force.",
                plural(u64::from(n), "error")
            ),
        ),
    };
    let counts = format!(
        "{} in force, {}, {}.",
        plural(u64::from(state.pulse.rules), "rule"),
        plural(u64::from(reload.errors), "error"),
        plural(u64::from(reload.warnings), "warning")
    );
    let mut out = vec![vec![(role, outcome)], vec![(Role::Dim, counts)], Vec::new()];
    for line in reload.text.lines() {
        let role = match line.trim_start() {
            l if l.starts_with("error") => Role::Bad,
            l if l.starts_with("warning") => Role::Warn,
            _ => Role::Text,
        };
        out.push(vec![(role, line.replace('\t', "    "))]);
    }
    out
}
