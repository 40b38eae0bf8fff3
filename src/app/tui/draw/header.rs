//! The lines at the top, which say how things stand, and the line at the bottom, which says what keys do here.

use ratatui::layout::Rect;

use super::super::commands::{self, COMMANDS, Place};
use super::super::door::{Sensor, StoreState};
use super::super::show::{bytes, clean, count, fit, plural, width};
use super::super::state::{Ctx, Mode, State};
use super::super::theme::Role;
use super::super::update::why_not;
use super::Pen;

type Parts = Vec<(Role, String)>;

/// On fewer columns than this, figures come before names.
const NARROW_BELOW: u16 = 60;
/// A node's name may be long; what follows it on the line matters more.
const NODE_MAX: usize = 28;
/// What a store says may be long, with a path in it.
const STORE_ERROR_MAX: usize = 48;
/// From this width on, what the store says is on the first line.
const STORE_ERROR_FROM: u16 = 110;

pub(super) fn draw(state: &State, ctx: &Ctx, area: Rect, pen: &mut Pen<'_>) {
    if area.height == 0 || area.width == 0 {
        return;
    }
    pen.shade(area, Role::Panel);
    let first = Rect { height: 1, ..area };
    let badge = mode(state);
    let badge_width: usize = badge.iter().map(|(_, t)| width(t)).sum();
    pen.right(first, &badge);
    let room = usize::from(area.width).saturating_sub(badge_width + 1);
    let mut used = pen.put(area.x, area.y, room, " eyas ", Role::Brand);
    for part in fitting(segments(state, area), room.saturating_sub(used)) {
        used += pen.put(area.x + used as u16, area.y, room - used, "  ", Role::Text);
        used += pen.parts(area.x + used as u16, area.y, room - used, &part);
    }
    if area.height > 1 {
        let line = second(state, ctx);
        pen.parts(area.x + 1, area.y + 1, usize::from(area.width).saturating_sub(2), &line);
    }
}

/// Segments in order, each with how soon it may go: the highest number goes first.
fn segments(state: &State, area: Rect) -> Vec<(u8, Parts)> {
    let pulse = &state.pulse;
    let narrow = area.width < NARROW_BELOW;
    // Where there is room for two figures only, they are the number of alerts and whether some are hidden.
    let (node, sensor_on) = if narrow { (4, 3) } else { (2, 1) };
    let well = matches!(pulse.sensor, Sensor::On | Sensor::Replay { .. });
    let mut out = vec![
        (node, vec![(Role::Strong, fit(&clean(&pulse.node), NODE_MAX))]),
        (if well { sensor_on } else { 1 }, sensor(&pulse.sensor, pulse.ended)),
    ];
    if let Some(words) = store_words(&pulse.store, area.width) {
        out.push((0, vec![(Role::BadLoud, format!(" {words} "))]));
    }
    if pulse.lost > 0 {
        out.push((0, vec![(Role::BadLoud, format!(" ! MISSED {} ", count(pulse.lost)))]));
    }
    let pair = |value: String, name: &str| vec![(Role::Strong, value), (Role::Dim, format!(" {name}"))];
    let rate = if pulse.ended { "—".to_owned() } else { count(pulse.events_per_s) };
    out.push((if narrow { 5 } else { 3 }, pair(rate, "ev/s")));
    let name = match pulse.alerts {
        // The list has what earlier runs have stored, too.
        n if n < state.rows.len() as u64 && !state.replaying() => "since start",
        1 => "alert",
        _ => "alerts",
    };
    out.push((if narrow { 2 } else { 4 }, pair(count(pulse.alerts), name)));
    // The second line shows the filter, where there is one.
    if state.filter.is_some() && area.height < 2 {
        out.push((1, vec![(Role::Accent, "filter".into())]));
    }
    if pulse.lost == 0 {
        out.push((6, vec![(Role::Good, "0".into()), (Role::Dim, " missed".into())]));
    }
    out.push((7, pair(bytes(pulse.rss_bytes), "rss")));
    let lag = pulse.store_lag.as_millis();
    if lag >= 1_000 {
        out.push((3, vec![(Role::Warn, format!("store {:.1} s behind", pulse.store_lag.as_secs_f64()))]));
    }
    out
}

/// Those that fit, after the least important have gone.
fn fitting(mut all: Vec<(u8, Parts)>, room: usize) -> Vec<Parts> {
    let size = |all: &[(u8, Parts)]| -> usize {
        all.iter().map(|(_, p)| 2 + p.iter().map(|(_, t)| width(t)).sum::<usize>()).sum()
    };
    while size(&all) > room && all.len() > 1 {
        let Some(last) = all.iter().map(|(rank, _)| *rank).max() else { break };
        if let Some(at) = all.iter().rposition(|(rank, _)| *rank == last) {
            all.remove(at);
        }
    }
    all.into_iter().map(|(_, parts)| parts).collect()
}

/// What the store said without what its library puts before it; the sheet shows all of it.
fn cause(said: &str) -> String {
    let after = said.rsplit_once("(code: ").and_then(|(_, rest)| rest.split_once(") "));
    clean(after.map_or(said, |(_, words)| words)).into_owned()
}

/// What is wrong with the store, as long as the line allows; `None` when nothing is.
fn store_words(store: &StoreState, width: u16) -> Option<String> {
    if !store.is_bad() {
        return None;
    }
    let lost = store.alerts_not_stored;
    if width < NARROW_BELOW {
        return Some(if lost > 0 {
            format!("! {} UNSTORED", count(lost))
        } else {
            "! STORE FAILS".to_owned()
        });
    }
    let what = match (lost, store.alerts_waiting) {
        (0, 0) => "takes nothing".to_owned(),
        (0, waiting) => format!("takes nothing, {} wait", plural(waiting, "alert")),
        (lost, _) => format!("{} not stored", plural(lost, "alert")),
    };
    let why = store.error.as_deref().filter(|_| width >= STORE_ERROR_FROM);
    let why = why.map_or(String::new(), |w| format!(": {}", fit(&cause(w), usize::from(width) - 72)));
    Some(format!("STORE: {what}{why}"))
}

fn sensor(sensor: &Sensor, ended: bool) -> Parts {
    match sensor {
        Sensor::Starting => vec![(Role::Warn, "◌ sensor starting".into())],
        Sensor::On => vec![(Role::Good, "● sensor on".into())],
        Sensor::Degraded(_) => vec![(Role::Warn, "◐ sensor degraded".into())],
        Sensor::Replay { .. } if ended => vec![(Role::Accent, "↻ replay ended".into())],
        Sensor::Replay { .. } => vec![(Role::Accent, "↻ replay".into())],
        Sensor::Off(_) => vec![(Role::Bad, "○ SENSOR OFF".into())],
    }
}

fn mode(state: &State) -> Parts {
    let mut out = Vec::new();
    if let Mode::Paused { count: held, .. } = state.mode
        && held > 0
    {
        out.push((Role::Warn, format!("{} new held ", count(held))));
    }
    out.push(match &state.mode {
        Mode::Paused { .. } => (Role::Paused, " ‖ PAUSED ".into()),
        Mode::Live if state.replaying() => (Role::Replay, " ↻ REPLAY ".into()),
        Mode::Live if matches!(state.pulse.sensor, Sensor::Off(_)) => (Role::Paused, " ○ STORED ".into()),
        Mode::Live => (Role::Live, " ▸ LIVE ".into()),
    });
    out
}

/// The second line: filter and search when there are any, else what the sensor and the rules have to say.
fn second(state: &State, ctx: &Ctx) -> Parts {
    let mut out: Parts = Vec::new();
    let store = &state.pulse.store;
    // The first line says it, where it is wide enough.
    if store.is_bad()
        && state.size.width < STORE_ERROR_FROM
        && let Some(error) = &store.error
    {
        // Before all else: what is not stored is gone.
        out.push((Role::Bad, format!("store: {}; S says more", fit(&cause(error), STORE_ERROR_MAX))));
        if state.filter.is_some() || state.search.is_some() {
            out.push((Role::Dim, "  ·  ".into()));
        }
    }
    if let Some(filter) = &state.filter {
        out.push((Role::Dim, "filter ".into()));
        out.push((Role::Accent, filter.text.to_string()));
        if let Some(hits) = filter.hits {
            out.push((Role::Dim, format!("  {} stored", plural(hits, "match").replace("matchs", "matches"))));
        }
    }
    if let Some(search) = &state.search {
        out.push((Role::Dim, if out.is_empty() { "search " } else { "  ·  search " }.into()));
        out.push((Role::Accent, search.pattern().to_owned()));
    }
    match &state.pulse.sensor {
        Sensor::Degraded(why) => {
            out.push((Role::Warn, format!("{}sensor: {why}; S shows the hooks", gap(&out))));
        }
        Sensor::Off(why) => out.push((Role::Bad, format!("{}no events: {why}", gap(&out)))),
        Sensor::Replay { name, position } if out.is_empty() => {
            out.push((Role::Dim, "recording ".into()));
            out.push((Role::Text, name.clone()));
            out.push((Role::Dim, format!(" at {}", ctx.zone.time_of_day(*position))));
        }
        _ => {}
    }
    if state.filter.is_none() {
        let rules = plural(u64::from(state.pulse.rules), "rule");
        let text = match state.pulse.ruleset {
            Some(hash) => format!("{}{rules} in force ({:.8})", gap(&out), hash.to_string()),
            None => format!("{}no rules loaded yet", gap(&out)),
        };
        out.push((Role::Dim, text));
        if let Some(reload) = &state.pulse.reload
            && (reload.errors > 0 || !reload.applied)
        {
            let text = match reload.errors {
                0 => "  ·  the new ones are not in force, R shows why".to_owned(),
                n => format!("  ·  {} in the rules, R shows them", plural(u64::from(n), "error")),
            };
            out.push((Role::Bad, text));
        }
        out.push((Role::Dim, "  ·  no filter".into()));
    }
    out
}

fn gap(out: &Parts) -> &'static str {
    if out.is_empty() { "" } else { "  ·  " }
}

/// The last line: a notice while there is one, else the keys that work here.
pub(super) fn key_bar(state: &State, area: Rect, pen: &mut Pen<'_>) {
    if area.height == 0 {
        return;
    }
    pen.shade(area, Role::Panel);
    let room = usize::from(area.width).saturating_sub(1);
    if let Some(notice) = &state.notice {
        pen.put(area.x + 1, area.y, room, &notice.text, notice.role);
        return;
    }
    let place = state.place();
    let mut used = 0;
    for command in COMMANDS.iter().filter(|c| !c.bar.is_empty() && c.places.has(place)) {
        let Some(key) = command.keys.first() else { continue };
        if why_not(state, command.action).is_some() {
            continue;
        }
        let key = key.name();
        let label = match (command.action, &state.mode) {
            (commands::Action::Pause, Mode::Paused { .. }) => "go on",
            (commands::Action::Cancel, _)
                if place == Place::SelfTest && state.self_test.playing.is_some() =>
            {
                "stop"
            }
            _ => command.bar,
        };
        let wide = width(&key) + 1 + width(label) + 2;
        if used + wide > room + 2 {
            break;
        }
        let x = area.x + 1 + used as u16;
        let after = pen.put(x, area.y, room - used, &key, Role::Key);
        pen.put(x + after as u16 + 1, area.y, room.saturating_sub(used + after + 1), label, Role::KeyBar);
        used += wide;
    }
}
