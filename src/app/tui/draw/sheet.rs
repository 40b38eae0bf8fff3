//! Panels over the screen: help, palette, and sheets of text: the hooks with the store, what was lost, what the rules'
//! last load said.

use eyas_event::{HookState, WallTime};
use ratatui::layout::Rect;

use super::super::commands;
use super::super::door::{Gap, Missing, Pulse, StoreState};
use super::super::layout::Layout;
use super::super::overlay::{self, Chooser, Sheet};
use super::super::show::{self, plural};
use super::super::state::{Ctx, Losses, State};
use super::super::theme::Role;
use super::super::update::why_not;
use super::{Parts, Pen, prompt};

/// Paints the panel and its title; returns the room inside.
pub(super) fn panel(area: Rect, title: &str, aside: &str, pen: &mut Pen<'_>) -> Rect {
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

pub(super) fn sheet(state: &State, ctx: &Ctx, sheet: Sheet, top: usize, layout: &Layout, pen: &mut Pen<'_>) {
    let lines = sheet_lines(state, ctx, sheet);
    let title = match sheet {
        Sheet::Hooks => "SENSOR AND STORE",
        Sheet::Losses => "LOSSES",
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
pub(in super::super) fn sheet_lines(state: &State, ctx: &Ctx, sheet: Sheet) -> Vec<Parts> {
    match sheet {
        Sheet::Hooks => {
            let mut lines = hooks(state);
            lines.push(Vec::new());
            lines.extend(store(&state.pulse.store));
            lines
        }
        Sheet::Losses => {
            let mut lines = lost_since_start(&state.pulse);
            if lines.is_empty() || !matches!(&state.losses, Losses::Known(gaps) if gaps.is_empty()) {
                lines.extend(losses(&state.losses, ctx, state.pulse.now));
            } else {
                lines.push(vec![(Role::Warn, "It has not taken any of this down yet.".to_owned())]);
            }
            lines
        }
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

/// How the store is doing.
fn store(store: &StoreState) -> Vec<Parts> {
    let mut out = Vec::new();
    if store.alerts_not_stored > 0 {
        let lost = plural(store.alerts_not_stored, "alert");
        out.push(vec![(Role::Bad, "○ ".into()), (Role::Bad, format!("The store has lost {lost}."))]);
    } else if store.failing {
        out.push(vec![
            (Role::Bad, "○ ".into()),
            (Role::Bad, "The store takes nothing at the moment.".into()),
        ]);
    } else {
        out.push(vec![(Role::Good, "● ".into()), (Role::Text, "Every alert has been stored.".into())]);
    }
    if let Some(error) = &store.error {
        let said = if store.failing { "it says" } else { "it said, and has taken something since" };
        let text = format!("{said}: {}", show::clean(error));
        let role = if store.failing { Role::Bad } else { Role::Warn };
        out.extend(show::wrap(&text, 70, 6).into_iter().map(|line| vec![(role, format!("    {line}"))]));
    }
    let figures = [
        (store.alerts_waiting, "alerts wait in memory"),
        (store.alerts_spilled, "alerts went to the spill file"),
        (store.spill_bytes, "bytes wait in the spill file; they are stored as soon as the store takes them"),
        (store.processes_not_stored, "processes not stored for their own sake"),
        (store.segments_not_stored, "segments of the recording not stored: these times cannot be replayed"),
    ];
    for (n, what) in figures.into_iter().filter(|(n, _)| *n > 0) {
        out.push(vec![(Role::Strong, format!("{:>12}", show::count(n))), (Role::Dim, format!("  {what}"))]);
    }
    out
}

/// What this process has lost: a store that takes nothing does not know of it yet.
fn lost_since_start(pulse: &Pulse) -> Vec<Parts> {
    let figures = [(pulse.lost, Missing::Events), (pulse.store.alerts_not_stored, Missing::Alerts)];
    let mut out = Vec::new();
    for (n, what) in figures.into_iter().filter(|(n, _)| *n > 0) {
        let figure = format!("{:>12}", show::count(n));
        out.push(vec![(loss_role(what), figure), (Role::Text, format!("  {}", what.words()))]);
    }
    if !out.is_empty() {
        out.insert(0, vec![(Role::Strong, "Since the start".to_owned())]);
        out.push(Vec::new());
        out.push(vec![(Role::Strong, "As far as the store knows".to_owned())]);
    }
    out
}

/// How many losses are listed.
const LOSSES_MAX: usize = 2_000;

/// What was lost: sums first, one for each kind, then every loss.
fn losses(losses: &Losses, ctx: &Ctx, now: WallTime) -> Vec<Parts> {
    let one = |role, text: &str| vec![vec![(role, text.to_owned())]];
    let gaps = match losses {
        Losses::Unasked | Losses::Asked(_) => return one(Role::Dim, "Reading it from the store…"),
        Losses::Failed(why) => {
            return one(Role::Bad, &format!("The store could not say: {}", show::clean(why)));
        }
        Losses::Known(gaps) if gaps.is_empty() => {
            return one(Role::Good, "● Nothing was lost, as far as this store knows.");
        }
        Losses::Known(gaps) => gaps,
    };
    let mut out = Vec::new();
    for what in Missing::ALL {
        let of = || gaps.iter().filter(|g| g.what == what);
        if of().next().is_none() {
            continue;
        }
        let known: u64 = of().map(|g| g.count).sum();
        let unknown = of().filter(|g| g.count == 0).count() as u64;
        let figure = if known == 0 { "?".to_owned() } else { show::count(known) };
        let mut parts = vec![(loss_role(what), format!("{figure:>12}"))];
        parts.push((Role::Text, format!("  {}", what.words())));
        if unknown > 0 && known > 0 {
            let times = plural(unknown, "time");
            parts.push((Role::Dim, format!(", and {times} an unknown number")));
        }
        out.push(parts);
    }
    out.push(Vec::new());
    for gap in gaps.iter().take(LOSSES_MAX) {
        out.push(loss(gap, ctx, now));
        let more = gap.more.iter().flat_map(|line| show::wrap(line, 70, 4));
        out.extend(more.map(|line| vec![(Role::Dim, format!("    {line}"))]));
    }
    if gaps.len() > LOSSES_MAX {
        let more = plural((gaps.len() - LOSSES_MAX) as u64, "older loss").replace("losss", "losses");
        out.push(vec![(Role::Dim, format!("… and {more}"))]);
    }
    out
}

fn loss(gap: &Gap, ctx: &Ctx, now: WallTime) -> Parts {
    let mut begin = ctx.zone.time_of_day(gap.from);
    // The day is said when it is not today.
    if ctx.zone.date(gap.from) != ctx.zone.date(now) {
        begin = format!("{} {begin}", ctx.zone.date(gap.from));
    }
    let end = if ctx.zone.date(gap.from) == ctx.zone.date(gap.to) {
        ctx.zone.time_of_day(gap.to)
    } else {
        format!("{} {}", ctx.zone.date(gap.to), ctx.zone.time_of_day(gap.to))
    };
    let many = if gap.count == 0 { "?".to_owned() } else { show::count(gap.count) };
    vec![
        (Role::Dim, format!("{begin} – {end}  ")),
        (loss_role(gap.what), format!("{many} {}", gap.what.words())),
        (Role::Dim, format!("  {}", gap.why)),
    ]
}

fn loss_role(what: Missing) -> Role {
    if what == Missing::Recording { Role::Warn } else { Role::Bad }
}

fn reload(state: &State) -> Vec<Vec<(Role, String)>> {
    let Some(reload) = &state.pulse.reload else {
        return vec![vec![(Role::Dim, "No rules have been loaded yet.".to_owned())]];
    };
    let (role, outcome) = match (reload.applied, reload.errors) {
        (true, 0) => (Role::Good, "✓ The new rules are in force.".to_owned()),
        (true, n) => (Role::Warn, format!("! The rules are in force without those that have errors ({n}).")),
        (false, 0) => {
            let why = reload.unread.as_ref().map_or_else(
                || "None of the new rules is on".to_owned(),
                |unread| format!("The new rules that are on {unread}"),
            );
            (Role::Bad, format!("✗ {why}; the earlier ones stay in force."))
        }
        (false, n) => (
            Role::Bad,
            format!(
                "✗ The new rules have {}; the earlier ones stay in force.",
                plural(u64::from(n), "error")
            ),
        ),
    };
    let count = |n: u32, noun| plural(u64::from(n), noun);
    let counts = format!(
        "{} in force, {}, {}, {}.",
        count(state.pulse.rules, "rule"),
        count(reload.errors, "error"),
        count(reload.warnings, "warning"),
        count(reload.lints, "lint")
    );
    let mut out = vec![vec![(role, outcome)], vec![(Role::Dim, counts)]];
    // Otherwise the first line has it.
    let others = reload.unread.iter().filter(|_| reload.applied || reload.errors > 0);
    out.extend(others.map(|unread| vec![(Role::Warn, format!("Others {unread}."))]));
    out.push(Vec::new());
    for line in reload.text.lines() {
        let role = match line.trim_start() {
            l if l.starts_with("error") => Role::Bad,
            l if l.starts_with("warning") => Role::Warn,
            l if l.starts_with("lint") => Role::Accent,
            _ => Role::Text,
        };
        out.push(vec![(role, line.replace('\t', "    "))]);
    }
    out
}
