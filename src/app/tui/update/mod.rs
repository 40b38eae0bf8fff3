//! `update`: the only place where the state changes. It is pure: what time it is comes in messages, and what is to be done
//! goes out as effects. This file takes messages apart; the other files of the folder give commands their meaning.

mod answers;
mod moves;
mod prompts;
mod self_test;

use std::sync::Arc;

use crossterm::event::{KeyEvent, KeyEventKind};
use eyas_event::{Alert, AlertId};

use super::commands::{self, Action, Key};
use super::door::{Ask, Pulse, Query, Question, Ticket};
use super::msg::{Effect, Msg};
use super::overlay::{Chooser, Layer, Sheet};
use super::rows::ROWS_MAX;
use super::state::{Ctx, Density, Filter, Losses, Mode, Notice, PageKind, State};
use super::theme::Role;

pub(super) use prompts::completions;

/// How many alerts are asked for at once.
pub(super) const PAGE: usize = 500;
/// How often the bars are asked for at most, while they span minutes.
const BARS_EVERY_MS: u64 = 500;
/// The same under a filter, which the store answers alert by alert.
const FILTERED_BARS_EVERY_MS: u64 = 2_000;
/// The same while they span more: there is more to count, and a column changes less.
const WIDE_BARS_EVERY_MS: u64 = 5_000;
/// How long after an alert the store is asked for newer ones that meet the filter; it commits every 50 ms.
const CATCH_UP_MS: u64 = 1_500;
/// How long a notice stays.
const NOTICE_MS: u64 = 6_000;
/// Ids sort by the event's time, and events of several processors may come a little out of order: newer ones are asked
/// for from two seconds back.
const SLACK: u64 = 2_000_000 << 12;

/// Takes in one message.
pub(super) fn update(state: &mut State, msg: Msg, ctx: &Ctx) -> Vec<Effect> {
    let mut turn = Turn { s: state, ctx, out: Vec::new() };
    match msg {
        Msg::Key(key) => turn.key(key),
        Msg::Paste(text) => turn.paste(&text),
        Msg::Resize(size) => {
            turn.on_same_item(|s| s.size = size);
            turn.s.bars.dirty = true;
        }
        Msg::Tick(now_ms) => turn.tick(now_ms),
        Msg::Pulse(pulse) => turn.pulse(pulse),
        Msg::Alerts(alerts) => turn.alerts(alerts),
        Msg::Reply(ticket, reply) => turn.reply(ticket, reply),
        Msg::Test(news) => turn.s.self_test.hear(news),
        Msg::Signal => turn.out.push(Effect::Stop),
    }
    turn.sync_detail();
    turn.out
}

/// The questions with which a console opens.
pub(super) fn open(state: &mut State, ctx: &Ctx) -> Vec<Effect> {
    let mut turn = Turn { s: state, ctx, out: Vec::new() };
    turn.ask_page(PageKind::Newest);
    turn.ask_bars();
    turn.out
}

struct Turn<'t> {
    s: &'t mut State,
    ctx: &'t Ctx,
    out: Vec<Effect>,
}

impl Turn<'_> {
    fn key(&mut self, key: KeyEvent) {
        if key.kind == KeyEventKind::Release {
            return;
        }
        // A person who types on has read it; what went wrong stays for its time.
        self.s.notice.take_if(|n| n.role != Role::Bad);
        let place = self.s.place();
        let action = commands::lookup(place, Key::of(key));
        // Any other key than a second `q` means to stay.
        if std::mem::take(&mut self.s.leaving) && action != Some(Action::QuitNow) {
            self.s.notice = None;
            if action == Some(Action::Quit) {
                self.out.push(Effect::Quit);
            }
            if matches!(action, Some(Action::Quit | Action::Back)) {
                return;
            }
        }
        match action {
            Some(action) => self.run(action),
            None => self.type_key(key),
        }
    }

    /// Carries out a command.
    fn run(&mut self, action: Action) {
        if let Some(layer) = self.s.layers.last()
            && self.in_layer(layer.place(), action)
        {
            return;
        }
        if let Some(why) = why_not(self.s, action) {
            self.say(why);
            return;
        }
        match action {
            Action::Up
            | Action::Down
            | Action::PageUp
            | Action::PageDown
            | Action::HalfUp
            | Action::HalfDown
            | Action::Top
            | Action::Bottom
            | Action::Left
            | Action::Right
            | Action::Open
            | Action::Back
            | Action::NextPane
            | Action::Zoom
            | Action::NextSection
            | Action::PrevSection
            | Action::Follow
            | Action::NextUrgent
            | Action::PrevUrgent
            | Action::SearchNext
            | Action::SearchPrev => self.go(action),
            Action::Pause => self.pause(),
            Action::Search => self.open_search(),
            Action::Filter => self.open_filter(),
            Action::ClearFilter => self.apply_filter(None),
            Action::Include => self.narrow(super::compose::Keep::With),
            Action::Exclude => self.narrow(super::compose::Keep::Without),
            Action::Bars => {
                self.s.bars.wanted = !self.s.bars.wanted;
                self.s.bars.dirty = true;
            }
            Action::Widen | Action::Narrow => {
                let wider = action == Action::Widen;
                if self.s.bars.zoom(wider) {
                    self.ask_bars();
                } else {
                    self.say(if wider {
                        "The bars span all they can: 7 days."
                    } else {
                        "The bars span a minute or less; still less makes no sense."
                    });
                }
            }
            Action::Density => {
                let layout = self.s.layout();
                let two = self.s.lines_each(&layout) == 2;
                self.s.density = if two { Density::One } else { Density::Two };
            }
            Action::Help => self.s.layers.push(Layer::Help(Chooser::new(""))),
            Action::Palette => self.s.layers.push(Layer::Palette(Chooser::new(""))),
            Action::Themes => self.s.layers.push(Layer::Palette(Chooser::new("theme "))),
            Action::Theme(theme) => self.s.theme = theme.min(self.ctx.themes.len().saturating_sub(1)),
            Action::Hooks => self.s.layers.push(Layer::Sheet(Sheet::Hooks, 0)),
            Action::Losses => {
                let ticket = self.ask(Question::Store(Query::Losses));
                self.s.losses = Losses::Asked(ticket);
                self.s.layers.push(Layer::Sheet(Sheet::Losses, 0));
            }
            Action::Reload => self.s.layers.push(Layer::Sheet(Sheet::Reload, 0)),
            Action::SelfTest => self.open_self_test(),
            Action::TestAll => self.play(true),
            Action::TestOne => self.play(false),
            Action::TestStop => self.stop_playing(),
            Action::TestClose => drop(self.s.layers.pop()),
            Action::Repaint => self.out.push(Effect::Repaint),
            Action::Quit if self.s.watching() => {
                self.notify(Role::Warn, "Watching stops. q again to leave, Esc to stay.".to_owned());
                self.s.leaving = true;
            }
            Action::Quit | Action::QuitNow => self.out.push(Effect::Quit),
            Action::Panic => self.out.push(Effect::Panic),
            Action::Accept
            | Action::Cancel
            | Action::Older
            | Action::Newer
            | Action::Complete
            | Action::CompleteBack => {}
        }
    }

    fn tick(&mut self, now_ms: u64) {
        self.s.now_ms = now_ms;
        // A question without an answer means to stay.
        if self.s.notice.take_if(|n| n.until_ms <= now_ms).is_some() {
            self.s.leaving = false;
        }
        let live = matches!(self.s.mode, Mode::Live);
        let bars = &self.s.bars;
        let every = match bars.window_s() {
            901.. => WIDE_BARS_EVERY_MS,
            _ if self.s.filter.is_some() => FILTERED_BARS_EVERY_MS,
            _ => BARS_EVERY_MS,
        };
        let stale = bars.data.as_ref().is_none_or(|d| self.s.pulse.now >= d.to);
        if live && (bars.dirty || stale) && bars.ticket.is_none() && now_ms >= bars.asked_ms + every {
            self.ask_bars();
        }
        if now_ms < self.s.catch_up_ms && self.s.filter.is_some() && self.s.pending.page.is_none() {
            self.ask_page(PageKind::After);
        }
    }

    fn pulse(&mut self, pulse: Arc<Pulse>) {
        if let Some(reload) = &pulse.reload
            && self.s.pulse.reload.as_ref() != Some(reload)
        {
            let (role, text) = if reload.errors > 0 || !reload.applied {
                let kept =
                    if reload.applied { "the rest is in force" } else { "the earlier ones stay in force" };
                let why = match (reload.errors, &reload.unread) {
                    (0, Some(_)) => "nothing here feeds the new ones".to_owned(),
                    (0, None) => "none of the new ones is on".to_owned(),
                    (n, _) => super::show::plural(u64::from(n), "error"),
                };
                (Role::Bad, format!("Rules: {why}; {kept}. R shows what is wrong."))
            } else {
                (
                    Role::Good,
                    format!("Rules loaded: {} in force.", super::show::count(u64::from(reload.rules))),
                )
            };
            self.notify(role, text);
        }
        // Alerts of which the pulse before told and that have not come were left out on a full lane.
        let missing = self.s.received < self.s.pulse.alerts;
        if missing && self.s.pending.page.is_none() {
            self.s.received = self.s.pulse.alerts;
            self.s.bars.dirty = true;
            self.s.catch_up_ms = self.s.now_ms + CATCH_UP_MS;
            self.ask_page(PageKind::After);
        }
        if pulse.now.0 > 0 {
            self.s.first_seen.get_or_insert(pulse.now);
        }
        self.s.pulse = pulse;
    }

    fn alerts(&mut self, alerts: Vec<Arc<Alert>>) {
        self.s.received += alerts.len() as u64;
        if self.s.filter.is_some() {
            // Only the engine can say which of them meet the filter; the store is asked a moment later.
            self.s.catch_up_ms = self.s.now_ms + CATCH_UP_MS;
            self.s.bars.dirty = true;
            return;
        }
        if matches!(self.s.mode, Mode::Live) {
            for alert in &alerts {
                self.s.bars.count(alert.time, alert.priority);
            }
        }
        self.take_in(alerts);
    }

    /// Shows new alerts, or holds them back.
    fn take_in(&mut self, alerts: Vec<Arc<Alert>>) {
        match &mut self.s.mode {
            Mode::Live if self.s.rows.detached => {
                let newest = self.s.rows.newest();
                self.s.rows.unseen += alerts.iter().filter(|a| Some(a.id) > newest).count() as u64;
            }
            Mode::Live => {
                self.s.rows.add(alerts);
            }
            Mode::Paused { held, count } => {
                let (first, newest) = (self.s.rows.oldest(), self.s.rows.newest());
                for alert in alerts {
                    let known = Some(alert.id) <= newest && Some(alert.id) >= first
                        || held.iter().rev().take(PAGE).any(|h| h.id == alert.id);
                    if !known {
                        *count += 1;
                        if held.len() < ROWS_MAX {
                            held.push(alert);
                        }
                    }
                }
            }
        }
    }

    fn pause(&mut self) {
        let height = self.s.list_rows();
        match std::mem::replace(&mut self.s.mode, Mode::Live) {
            Mode::Live => {
                self.s.rows.hold(height);
                self.s.mode = Mode::Paused { held: Vec::new(), count: 0 };
            }
            Mode::Paused { held, count } => {
                if count > held.len() as u64 || self.s.rows.detached {
                    self.reload_rows();
                } else {
                    self.s.rows.add(held);
                    self.s.rows.follow_newest();
                }
                self.s.bars.dirty = true;
            }
        }
    }

    /// Starts the list anew with the newest alerts.
    fn reload_rows(&mut self) {
        self.s.rows = super::rows::Rows::new();
        self.s.pending.page = None;
        self.ask_page(PageKind::Newest);
    }

    fn apply_filter(&mut self, filter: Option<Filter>) {
        if let Some(filter) = &filter
            && self.s.filters.last().map(String::as_str) != Some(&*filter.text)
        {
            self.s.filters.push(filter.text.to_string());
            if self.s.filters.len() > 100 {
                self.s.filters.remove(0);
            }
        }
        self.s.filter = filter;
        self.s.pending.apply = None;
        // What is being read stays open, and its alert stays chosen if it meets the new filter.
        self.s.again = self.s.rows.selected_id().filter(|_| !self.s.rows.follow || self.s.detail.is_some());
        if let Mode::Paused { held, count } = &mut self.s.mode {
            held.clear();
            *count = 0;
        }
        self.s.bars.data = None;
        self.reload_rows();
        self.ask_bars();
    }

    fn say(&mut self, text: impl Into<String>) {
        self.notify(Role::Accent, text.into());
    }

    fn notify(&mut self, role: Role, text: String) {
        // Whoever reads something else now is no longer being asked.
        self.s.leaving = false;
        self.s.notice = Some(Notice { text, role, until_ms: self.s.now_ms + NOTICE_MS });
    }

    fn ticket(&mut self) -> Ticket {
        self.s.tickets += 1;
        Ticket(self.s.tickets)
    }

    fn ask(&mut self, question: Question) -> Ticket {
        let ticket = self.ticket();
        self.out.push(Effect::Ask(Ask { ticket, question }));
        ticket
    }

    fn ask_page(&mut self, kind: PageKind) {
        let filter = self.s.filter.as_ref().map(|f| f.text.clone());
        let query = match kind {
            PageKind::Newest => Query::Page { before: None, limit: PAGE, filter },
            PageKind::Older => Query::Page { before: self.s.rows.oldest(), limit: PAGE, filter },
            PageKind::After => {
                let held = match &self.s.mode {
                    Mode::Paused { held, .. } => held.last().map(|a| a.id),
                    Mode::Live => None,
                };
                let newest = self.s.rows.newest().max(held).map_or(0, |id| id.0);
                // Detached rows are complete up to the newest; the live end may still fill up behind it.
                let slack = if self.s.rows.detached { 0 } else { SLACK };
                Query::After { id: AlertId(newest.saturating_sub(slack)), limit: PAGE, filter }
            }
        };
        let ticket = self.ask(Question::Store(query));
        self.s.pending.page = Some((ticket, kind));
    }

    /// The page after a full one.
    fn ask_after(&mut self, id: AlertId) {
        let filter = self.s.filter.as_ref().map(|f| f.text.clone());
        let ticket = self.ask(Question::Store(Query::After { id, limit: PAGE, filter }));
        self.s.pending.page = Some((ticket, PageKind::After));
    }

    fn ask_bars(&mut self) {
        // A replay has no present before its first record.
        if self.s.pulse.now.0 == 0 {
            self.s.bars.dirty = true;
            return;
        }
        if let Some(begin) = self.s.recording_begin() {
            self.s.bars.fit(begin, self.s.pulse.now);
        }
        let columns = self.s.size.width.saturating_sub(2);
        let (from, to, buckets) = self.s.bars.span(self.s.pulse.now, columns);
        let filter = self.s.filter.as_ref().map(|f| f.text.clone());
        let ticket =
            self.ask(Question::Store(Query::Histogram { from, to, buckets, filter: filter.clone() }));
        self.s.bars.ticket = Some(ticket);
        self.s.bars.asked_ms = self.s.now_ms;
        self.s.bars.dirty = false;
        if let Some(filter) = filter {
            let ticket = self.ask(Question::Store(Query::CountFilter { filter }));
            self.s.pending.count = Some(ticket);
        }
    }
}

/// Why a command does nothing now; `None` when it does something.
pub(super) fn why_not(state: &State, action: Action) -> Option<&'static str> {
    let none = state.rows.selected().is_none();
    match action {
        Action::Open | Action::Include | Action::Exclude if none => Some("There is no alert to choose yet."),
        Action::Zoom | Action::NextPane if state.detail.is_none() => {
            Some("No details are open: press Enter on an alert.")
        }
        Action::SearchNext | Action::SearchPrev if state.search.is_none() => {
            Some("Nothing is searched for: press / and type.")
        }
        Action::ClearFilter if state.filter.is_none() => Some("There is no filter."),
        Action::Reload if state.pulse.reload.is_none() => Some("No rules have been loaded yet."),
        Action::SelfTest => state.self_test.why_not,
        Action::TestAll | Action::TestOne if state.self_test.playing.is_some() => {
            Some("One plays already: s stops it.")
        }
        Action::TestAll | Action::TestOne if state.self_test.rows.is_empty() => {
            Some("The actions are not known yet.")
        }
        Action::TestStop if state.self_test.playing.is_none() => Some("Nothing plays."),
        _ => None,
    }
}
