//! The self-test: how it goes, the actions with the rule that should tell of each and whether it did, and everything about
//! the chosen one.

use std::fmt::Write as _;

use ratatui::layout::Rect;

use super::super::door::TestVerdict;
use super::super::layout::Layout;
use super::super::self_test::{Now, Row, SelfTest};
use super::super::show::{self, plural};
use super::super::theme::Role;
use super::sheet::panel;
use super::{Parts, Pen};

/// From this width on the rule stands beside the action.
const WIDE_MIN: u16 = 70;
/// How wide the outcome is.
const OUTCOME: u16 = 13;
/// From this height on there is room for blank lines and a line between.
const TALL_MIN: u16 = 14;

pub(super) fn draw(test: &SelfTest, layout: &Layout, pen: &mut Pen<'_>) {
    let aside = if test.playing.is_some() { "Esc stops" } else { "Esc closes" };
    let inner = panel(layout.sheet(), "SELF-TEST", aside, pen);
    if inner.height == 0 {
        return;
    }
    let tall = inner.height >= TALL_MIN;
    let width = usize::from(inner.width);
    let head = head(test, width, if tall { 3 } else { 2 });
    let mut y = inner.y;
    for (role, line) in head.iter().take(usize::from(inner.height)) {
        pen.put(inner.x, y, width, line, *role);
        y += 1;
    }
    y += u16::from(tall);
    let about = test.rows.get(test.chosen).map_or_else(Vec::new, |row| about(row, width, tall));
    let below = (about.len() as u16 + u16::from(tall)).min(inner.height / 2);
    let list = Rect { y, height: inner.bottom().saturating_sub(y).saturating_sub(below), ..inner };
    rows(test, list, pen);
    let mut y = list.bottom();
    if tall && !about.is_empty() {
        pen.put(inner.x, y, width, &"─".repeat(width), Role::Line);
        y += 1;
    }
    for parts in about.iter().take(usize::from(inner.bottom().saturating_sub(y))) {
        pen.parts(inner.x, y, width, parts);
        y += 1;
    }
}

/// How it goes, in a few lines.
fn head(test: &SelfTest, width: usize, lines_max: usize) -> Vec<(Role, String)> {
    let wrapped = |role: Role, text: &str| {
        show::wrap(text, width, lines_max).into_iter().map(|line| (role, line)).collect::<Vec<_>>()
    };
    if let Some(why) = &test.failed {
        return wrapped(Role::Bad, &format!("It cannot be done: {}", show::clean(why)));
    }
    if test.rows.is_empty() {
        return wrapped(Role::Dim, "Reading the rules…");
    }
    let seen = test.count(|v| v == TestVerdict::Seen);
    let skipped = test.count(|v| v == TestVerdict::Skipped);
    let unruled = test.count(|v| v == TestVerdict::NoRule);
    let ended = test.count(|_| true);
    let bad = ended - seen - skipped - unruled;
    let mut figures = format!("{seen} seen, {bad} not seen");
    for (n, what) in [(unruled, "without a rule"), (skipped, "skipped")] {
        if n > 0 {
            let _ = write!(figures, ", {n} {what}");
        }
    }
    let role = if bad > 0 { Role::Bad } else { Role::Good };
    match test.playing {
        Some(_) if test.stopping => wrapped(Role::Warn, &format!("Stopping. {figures}.")),
        Some(1) => wrapped(Role::Accent, "Playing one action."),
        Some(all) => wrapped(
            if bad > 0 { Role::Bad } else { Role::Accent },
            &format!("{ended} of {all} played: {figures}."),
        ),
        None if ended > 0 => wrapped(role, &format!("{} played: {figures}.", plural(ended as u64, "action"))),
        None => {
            let many = plural(test.rows.len() as u64, "harmless attack");
            let text = if usize::from(WIDE_MIN) <= width {
                "each does what an intruder does, in a process of its own, sends nothing off this machine and is undone. \
                 Enter plays the chosen one, a all."
            } else {
                "Enter plays the chosen one, a all."
            };
            wrapped(Role::Text, &format!("{many}: {text}"))
        }
    }
}

fn rows(test: &SelfTest, area: Rect, pen: &mut Pen<'_>) {
    let height = usize::from(area.height);
    if height == 0 {
        return;
    }
    // The chosen one in the middle, as far as the ends allow.
    let top = test.chosen.saturating_sub(height / 2).min(test.rows.len().saturating_sub(height));
    let outcome = OUTCOME.min(area.width / 3);
    let room = area.width.saturating_sub(outcome + 3);
    let name = if area.width >= WIDE_MIN { room / 2 } else { room };
    for (i, row) in test.rows.iter().enumerate().skip(top).take(height) {
        let y = area.y + (i - top) as u16;
        if i == test.chosen {
            pen.shade(Rect { x: area.x - 1, y, width: area.width + 2, height: 1 }, Role::Selection);
        }
        let (role, sign, word) = outcome_of(row);
        pen.put(area.x, y, 1, sign, role);
        let strong = if row.now == Now::Plays { Role::Strong } else { Role::Text };
        pen.put(area.x + 2, y, usize::from(name), &row.action.name, strong);
        if name < room {
            let rule = row.action.rule.as_deref().unwrap_or("no rule of it is loaded");
            let x = area.x + 2 + name + 1;
            pen.put(x, y, usize::from(room - name - 1), rule, Role::Dim);
        }
        pen.put(area.right() - outcome, y, usize::from(outcome), &word, role);
    }
}

/// How an action went: a colour, a sign and a word.
fn outcome_of(row: &Row) -> (Role, &'static str, String) {
    match &row.now {
        Now::Waits if row.action.obstacle.is_some() => (Role::Dim, "–", "cannot".to_owned()),
        Now::Waits => (Role::Dim, "·", String::new()),
        Now::Plays => (Role::Accent, "▶", "playing…".to_owned()),
        Now::Ended(outcome) => match outcome.verdict {
            TestVerdict::Seen => {
                let took = outcome.took_ms.map_or_else(String::new, |ms| format!(" {ms} ms"));
                (Role::Good, "●", format!("seen{took}"))
            }
            TestVerdict::Missing => (Role::Bad, "○", "MISSING".to_owned()),
            TestVerdict::Failed => (Role::Bad, "✗", "FAILED".to_owned()),
            TestVerdict::Blind => (Role::Bad, "○", "BLIND".to_owned()),
            TestVerdict::NoRule => (Role::Warn, "–", "no rule".to_owned()),
            TestVerdict::Skipped => (Role::Dim, "–", "skipped".to_owned()),
        },
    }
}

/// All about one action.
fn about(row: &Row, width: usize, tall: bool) -> Vec<Parts> {
    let label = |name: &str, role: Role, text: &str, out: &mut Vec<Parts>| {
        let lines = show::wrap(&show::clean(text), width.saturating_sub(6), 3);
        for (i, line) in lines.into_iter().enumerate() {
            let name = if i == 0 { name } else { "" };
            out.push(vec![(Role::Field, show::pad(name, 6)), (role, line)]);
        }
    };
    let mut out = Vec::new();
    if tall {
        out.push(vec![(Role::Strong, row.action.name.clone())]);
        label("does", Role::Text, &row.action.does, &mut out);
    }
    label(
        "rule",
        Role::Text,
        row.action.rule.as_deref().unwrap_or("none is loaded that should see it"),
        &mut out,
    );
    if let Some(why) = &row.action.obstacle {
        label("why", Role::Warn, why, &mut out);
    }
    if let Now::Ended(outcome) = &row.now {
        if let Some(why) = &outcome.why
            && Some(why) != row.action.obstacle.as_ref()
        {
            label("why", Role::Warn, why, &mut out);
        }
        if outcome.verdict == TestVerdict::Missing {
            label(
                "why",
                Role::Bad,
                "The action was done, and the rule did not fire within five seconds.",
                &mut out,
            );
        }
        if !outcome.also.is_empty() {
            label("also", Role::Dim, &outcome.also.join(", "), &mut out);
        }
    }
    out
}
