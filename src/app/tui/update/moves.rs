//! Commands that move: in the list, in the details, between the two, from match to match.

use eyas_event::{Alert, Priority};

use super::super::columns::{self, Column};
use super::super::commands::Action;
use super::super::compose::{self, Keep};
use super::super::detail::{DetailView, Line, Pick};
use super::super::door::{Query, Question};
use super::super::overlay::{Chooser, Layer};
use super::super::search::{Found, Search};
use super::super::state::{Mode, PageKind, Pane, State};
use super::super::theme::Role;
use super::Turn;

impl Turn<'_> {
    pub(super) fn go(&mut self, action: Action) {
        match action {
            Action::Open => self.open_detail(),
            Action::Back => self.back(),
            Action::NextPane => {
                self.s.focus = if self.s.focus == Pane::List { Pane::Detail } else { Pane::List };
            }
            Action::Zoom => {
                self.on_same_item(|s| {
                    s.zoomed = !s.zoomed;
                    s.focus = Pane::Detail;
                });
            }
            Action::Follow => self.follow(),
            Action::NextUrgent => {
                self.find("alert of severity error or worse", true, |a| a.priority <= Priority::Error);
            }
            Action::PrevUrgent => {
                self.find("alert of severity error or worse", false, |a| a.priority <= Priority::Error);
            }
            Action::SearchNext | Action::SearchPrev => {
                let forward = action == Action::SearchNext;
                match self.s.search.clone() {
                    Some(search) if self.s.focus == Pane::Detail => self.find_line(&search, forward),
                    Some(search) => {
                        self.find("match", forward, |a| search.finds(a));
                        self.count_matches(&search);
                    }
                    None => {}
                }
            }
            Action::NextSection | Action::PrevSection => self.section(action == Action::NextSection),
            _ if self.s.focus == Pane::Detail => self.go_detail(action),
            _ => self.go_list(action),
        }
    }

    fn go_list(&mut self, action: Action) {
        let height = self.s.list_rows();
        let (page, half) = (height.saturating_sub(1).max(1) as isize, (height / 2).max(1) as isize);
        let by = match action {
            Action::Left | Action::Right => return self.column(action == Action::Right),
            Action::Top => isize::MIN,
            Action::Bottom => return self.follow_or_last(),
            Action::Up => -1,
            Action::Down => 1,
            Action::PageUp => -page,
            Action::PageDown => page,
            Action::HalfUp => -half,
            _ => half,
        };
        self.s.rows.step(by, height);
        let row = self.s.rows.selected_row().unwrap_or(0);
        // Ask a page ahead, so that scrolling does not stop.
        if by < 0 && row < height && self.s.rows.older && self.s.pending.page.is_none() {
            self.ask_page(PageKind::Older);
        }
        if by > 0 && self.s.rows.detached && row + height > self.s.rows.len() && self.s.pending.page.is_none()
        {
            self.ask_page(PageKind::After);
        }
    }

    fn follow_or_last(&mut self) {
        if matches!(self.s.mode, Mode::Paused { .. }) && !self.s.rows.detached {
            let height = self.s.list_rows();
            self.s.rows.select_row(self.s.rows.len().saturating_sub(1), height);
            self.s.rows.hold(height);
        } else {
            self.follow();
        }
    }

    fn follow(&mut self) {
        if matches!(self.s.mode, Mode::Paused { .. }) {
            self.pause();
        }
        if self.s.rows.detached {
            self.reload_rows();
        } else {
            self.s.rows.follow_newest();
        }
    }

    fn column(&mut self, right: bool) {
        let layout = self.s.layout();
        let shown = columns::fit(usize::from(layout.list.width.saturating_sub(2)));
        let shown: Vec<Column> = shown.into_iter().map(|(c, _)| c).collect();
        let at = shown.iter().position(|c| *c == self.s.column).unwrap_or(0);
        let to = if right { (at + 1).min(shown.len() - 1) } else { at.saturating_sub(1) };
        self.s.column = shown[to];
    }

    fn find(&mut self, what: &str, forward: bool, wanted: impl Fn(&Alert) -> bool) {
        let rows = &self.s.rows;
        let len = rows.len();
        let at = rows.selected_row().unwrap_or(0);
        let place = |step: usize| if forward { (at + step) % len } else { (at + len - step) % len };
        let found = (1..=len).map(place).find(|row| rows.get(*row).is_some_and(|a| wanted(a)));
        let Some(row) = found else {
            let more = if rows.older || rows.detached { "; f filters the whole store." } else { "." };
            let loaded = super::super::show::count(len as u64);
            self.say(format!("No {what} among the {loaded} loaded{more}"));
            return;
        };
        let wrapped = if forward { row <= at } else { row >= at };
        let height = self.s.list_rows();
        self.s.rows.select_row(row, height);
        if wrapped && row != at {
            self.say(if forward { "Went on from the top." } else { "Went on from the bottom." });
        } else if row == at {
            self.say(format!("This is the only {what} among those loaded."));
        }
    }

    /// Counts what the search finds in the list, and which of it is chosen.
    fn count_matches(&mut self, search: &Search) {
        let matches: Vec<_> = self.s.rows.iter().filter(|a| search.finds(a)).map(|a| a.id).collect();
        self.s.found = self.s.rows.selected_id().and_then(|alert| {
            let at = matches.iter().position(|id| *id == alert)? + 1;
            Some(Found { alert, line: None, at, of: matches.len() })
        });
    }

    fn open_detail(&mut self) {
        if let Some(alert) = self.s.rows.selected().cloned() {
            if self.s.detail.is_none() {
                let ticket = self.ask(Question::Store(Query::Detail(alert.id)));
                self.s.detail = Some(DetailView::new(alert, ticket));
            }
            self.s.focus = Pane::Detail;
            // What is being read must not move on by itself.
            let height = self.s.list_rows();
            self.s.rows.hold(height);
        }
    }

    fn back(&mut self) {
        if self.s.detail.is_some() {
            self.s.detail = None;
            self.s.zoomed = false;
            self.s.focus = Pane::List;
        } else if self.s.search.take().is_some() || self.s.filter.is_none() {
        } else {
            self.apply_filter(None);
        }
    }

    fn go_detail(&mut self, action: Action) {
        let layout = self.s.layout();
        let (width, height) = (layout.detail_width(), layout.detail_lines());
        let extent = self.s.extent();
        let Some(view) = &mut self.s.detail else { return };
        let lines = view.lines(width, &self.ctx.zone, extent).len();
        let page = height.saturating_sub(1).max(1);
        let line = match action {
            Action::Up => view.line.saturating_sub(1),
            Action::Down => view.line + 1,
            Action::PageUp => view.line.saturating_sub(page),
            Action::PageDown => view.line + page,
            Action::HalfUp => view.line.saturating_sub(page / 2),
            Action::HalfDown => view.line + page / 2,
            Action::Top => 0,
            Action::Bottom => usize::MAX,
            _ => return,
        };
        view.go(line, lines, height);
    }

    fn section(&mut self, next: bool) {
        let layout = self.s.layout();
        let (width, height) = (layout.detail_width(), layout.detail_lines());
        let extent = self.s.extent();
        let Some(view) = &mut self.s.detail else { return };
        let lines = view.lines(width, &self.ctx.zone, extent);
        let mut begins = lines.iter().enumerate().filter(|(_, l)| l.section).map(|(i, _)| i);
        let to = if next { begins.find(|i| *i > view.line) } else { begins.rfind(|i| *i < view.line) };
        if let Some(to) = to {
            // The section's title goes to the top, so that as much as possible of it is seen.
            view.top = to;
            view.go(to, lines.len(), height);
        }
    }

    /// The lines of the open details as they are laid out now.
    pub(super) fn detail_lines(&self) -> Vec<Line> {
        let width = self.s.layout().detail_width();
        let extent = self.s.extent();
        self.s.detail.as_ref().map_or_else(Vec::new, |view| view.lines(width, &self.ctx.zone, extent))
    }

    /// Changes something by which the details are laid out anew, with the cursor on the same item before and after.
    pub(super) fn on_same_item(&mut self, change: impl FnOnce(&mut State)) {
        let item = self.s.detail.as_ref().and_then(|v| Some(self.detail_lines().get(v.line)?.item));
        change(self.s);
        let lines = self.detail_lines();
        let height = self.s.layout().detail_lines();
        if let Some(view) = &mut self.s.detail {
            let line = item.and_then(|item| DetailView::find_item(&lines, item)).unwrap_or(view.line);
            let same_place = view.line - view.top.min(view.line);
            view.top = line.saturating_sub(same_place);
            view.go(line, lines.len(), height);
        }
    }

    /// Goes to the next line of the details that the search finds.
    fn find_line(&mut self, search: &Search, forward: bool) {
        let lines = self.detail_lines();
        let matches: Vec<usize> =
            lines.iter().enumerate().filter(|(_, l)| search.finds_line(l)).map(|(i, _)| i).collect();
        let Some(view) = &mut self.s.detail else { return };
        let next = if forward {
            matches.iter().position(|line| *line > view.line)
        } else {
            matches.iter().rposition(|line| *line < view.line)
        };
        let (first, last) = (0, matches.len().saturating_sub(1));
        let at = next.unwrap_or(if forward { first } else { last });
        let Some(line) = matches.get(at).copied() else {
            self.s.found = None;
            self.say("No match in these details; Tab goes to the list, where n looks on.");
            return;
        };
        let height = self.s.layout().detail_lines();
        if let Some(view) = &mut self.s.detail {
            view.go(line, lines.len(), height);
            let alert = view.id();
            self.s.found = Some(Found { alert, line: Some(line), at: at + 1, of: matches.len() });
        }
        if next.is_none() && matches.len() > 1 {
            self.say(if forward { "Went on from the top." } else { "Went on from the bottom." });
        }
    }

    /// Lets open details show the alert that is chosen.
    pub(super) fn sync_detail(&mut self) {
        let Some(view) = &self.s.detail else { return };
        let Some(alert) = self.s.rows.selected().cloned() else { return };
        if alert.id != view.id() {
            let ticket = self.ask(Question::Store(Query::Detail(alert.id)));
            self.s.detail = Some(DetailView::new(alert, ticket));
        }
    }

    /// Adds the value under the cursor to the filter.
    pub(super) fn narrow(&mut self, keep: Keep) {
        let picked = match (&self.s.detail, self.s.focus) {
            (Some(view), Pane::Detail) => {
                let lines = view.lines(self.s.layout().detail_width(), &self.ctx.zone, self.s.extent());
                lines
                    .into_iter()
                    .nth(view.line)
                    .and_then(|l| l.pick)
                    .ok_or("This line is no field: move the cursor to a process or below FIELDS.")
            }
            _ => match self.s.rows.selected() {
                Some(alert) => self.s.column.pick(alert).map(|(field, value)| Pick::Value(field, value)),
                None => Err("There is no alert to choose yet."),
            },
        };
        match picked {
            Ok(pick) => {
                let current = self.s.filter.as_ref().map(|f| &*f.text);
                let text: std::sync::Arc<str> = match pick {
                    Pick::Value(field, value) => compose::narrow(current, &field, keep, &value).into(),
                    Pick::Tree(pid) => compose::narrow_to_tree(current, keep, pid).into(),
                };
                let ticket = self.ask(Question::CompileFilter(text));
                self.s.pending.apply = Some(ticket);
            }
            Err(why) => self.notify(Role::Warn, why.to_owned()),
        }
    }

    /// Moves in help, palette and sheets.
    pub(super) fn go_layer(&mut self, action: Action) {
        let page = self.s.layout().sheet_lines().saturating_sub(2).max(1);
        let place = self.s.base();
        let rows = match self.s.layers.last() {
            Some(Layer::Palette(c)) => {
                super::super::overlay::palette(c.input.text(), place, &self.ctx.themes).len()
            }
            Some(Layer::Help(c)) => super::super::overlay::help(c.input.text()).len(),
            Some(Layer::Sheet(sheet, _)) => super::super::draw::sheet_lines(self.s, self.ctx, *sheet).len(),
            _ => 0,
        };
        let Some(
            Layer::Palette(Chooser { row, .. }) | Layer::Help(Chooser { row, .. }) | Layer::Sheet(_, row),
        ) = self.s.layers.last_mut()
        else {
            return;
        };
        let to = match action {
            Action::Up => row.saturating_sub(1),
            Action::Down => *row + 1,
            Action::PageUp => row.saturating_sub(page),
            Action::PageDown => *row + page,
            Action::HalfUp => row.saturating_sub(page / 2),
            Action::HalfDown => *row + page / 2,
            Action::Top => 0,
            _ => usize::MAX,
        };
        *row = to.min(rows.saturating_sub(1));
    }
}
