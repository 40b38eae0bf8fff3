//! [`Rows`]: the alerts that the list holds, oldest first, the chosen one (by id, never by row), and where on the screen
//! it stands. A window of bounded size over what the store has: older alerts come by paging.

use std::collections::VecDeque;
use std::sync::Arc;

use eyas_event::{Alert, AlertId};

/// How many alerts are kept. With all its fields an alert takes 4 to 6 kB, so this is about 25 MB at worst.
pub(super) const ROWS_MAX: usize = 5_000;

/// The alerts in the list.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    alerts: VecDeque<Arc<Alert>>,
    selected: Option<AlertId>,
    /// How many rows of the view are above the selected one.
    above: usize,
    /// Whether the newest stays selected.
    pub(super) follow: bool,
    /// Whether the store may have older ones.
    pub(super) older: bool,
    /// Whether newer ones had to be let go to make room for older ones.
    pub(super) detached: bool,
    /// How many came in below since the selection left the newest.
    pub(super) unseen: u64,
}

impl Rows {
    /// Nothing yet, following.
    pub(super) fn new() -> Self {
        Self { follow: true, older: true, ..Self::default() }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.alerts.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.alerts.is_empty()
    }

    pub(super) fn get(&self, row: usize) -> Option<&Arc<Alert>> {
        self.alerts.get(row)
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Alert>> {
        self.alerts.iter()
    }

    pub(super) fn oldest(&self) -> Option<AlertId> {
        self.alerts.front().map(|a| a.id)
    }

    pub(super) fn newest(&self) -> Option<AlertId> {
        self.alerts.back().map(|a| a.id)
    }

    pub(super) fn selected_id(&self) -> Option<AlertId> {
        self.selected
    }

    pub(super) fn selected(&self) -> Option<&Arc<Alert>> {
        self.selected_row().and_then(|row| self.alerts.get(row))
    }

    pub(super) fn selected_row(&self) -> Option<usize> {
        let id = self.selected?;
        self.alerts.binary_search_by_key(&id, |a| a.id).ok()
    }

    /// The first row in a view of `height` rows.
    pub(super) fn top(&self, height: usize) -> usize {
        let last_top = self.alerts.len().saturating_sub(height);
        let Some(row) = self.selected_row() else { return last_top };
        if self.follow {
            return last_top;
        }
        let above = self.above.min(height.saturating_sub(1));
        row.saturating_sub(above).min(last_top)
    }

    /// Adds alerts, in any order; those already there are left out. Returns how many were new.
    pub(super) fn add(&mut self, alerts: impl IntoIterator<Item = Arc<Alert>>) -> u64 {
        let mut new = 0;
        for alert in alerts {
            let at = self.alerts.partition_point(|a| a.id < alert.id);
            if self.alerts.get(at).is_some_and(|a| a.id == alert.id) {
                continue;
            }
            self.alerts.insert(at, alert);
            new += 1;
        }
        self.shrink_front();
        self.settle(new);
        new
    }

    /// Adds alerts older than all others.
    pub(super) fn add_older(&mut self, alerts: Vec<Arc<Alert>>) {
        let first = self.oldest();
        let mut alerts: Vec<_> =
            alerts.into_iter().filter(|a| first.is_none_or(|first| a.id < first)).collect();
        alerts.sort_by_key(|a| a.id);
        for alert in alerts.into_iter().rev() {
            self.alerts.push_front(alert);
        }
        if self.alerts.len() > ROWS_MAX {
            self.alerts.truncate(ROWS_MAX);
            self.detached = true;
            self.follow = false;
        }
        self.settle(0);
    }

    fn shrink_front(&mut self) {
        while self.alerts.len() > ROWS_MAX {
            self.alerts.pop_front();
            self.older = true;
        }
    }

    /// Keeps the selection on something that exists.
    fn settle(&mut self, new: u64) {
        if self.follow {
            self.selected = self.newest();
            self.unseen = 0;
            return;
        }
        self.unseen += new;
        if let Some(id) = self.selected
            && self.selected_row().is_none()
        {
            let at = self.alerts.partition_point(|a| a.id < id).min(self.alerts.len().saturating_sub(1));
            self.selected = self.alerts.get(at).map(|a| a.id);
        } else if self.selected.is_none() {
            self.selected = self.newest();
        }
    }

    /// Moves the selection by so many rows in a view of `height` rows.
    pub(super) fn step(&mut self, by: isize, height: usize) {
        let Some(row) = self.selected_row() else { return };
        self.select_row(row.saturating_add_signed(by).min(self.alerts.len().saturating_sub(1)), height);
    }

    /// Selects a row, moving the view as little as possible. On the last row, the newest is followed again.
    pub(super) fn select_row(&mut self, row: usize, height: usize) {
        let top = self.top(height);
        let Some(alert) = self.alerts.get(row) else { return };
        self.selected = Some(alert.id);
        self.above = row.saturating_sub(top).min(height.saturating_sub(1));
        self.follow = row + 1 == self.alerts.len() && !self.detached;
        if self.follow {
            self.unseen = 0;
        }
    }

    /// Selects an alert, or the next newer one if it is not there, and stays there.
    pub(super) fn select(&mut self, id: AlertId, height: usize) {
        let row = self.alerts.partition_point(|a| a.id < id);
        self.select_row(row.min(self.alerts.len().saturating_sub(1)), height);
        self.hold(height);
    }

    /// Leaves the newest without moving.
    pub(super) fn hold(&mut self, height: usize) {
        if let Some(row) = self.selected_row() {
            let top = self.top(height);
            self.above = row.saturating_sub(top);
            self.follow = false;
        }
    }

    /// Goes to the newest and stays there.
    pub(super) fn follow_newest(&mut self) {
        self.follow = true;
        self.settle(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::world::alert;

    fn rows(ids: std::ops::Range<u64>) -> Rows {
        let mut rows = Rows::new();
        rows.add(ids.map(|n| Arc::new(alert(n))));
        rows
    }

    #[test]
    fn the_selection_stays_on_its_alert_when_others_come() {
        let mut rows = rows(10..20);
        assert_eq!(rows.selected_row(), Some(9));
        rows.step(-3, 5);
        let (id, line) = (rows.selected_id(), rows.selected_row().expect("a selection") - rows.top(5));
        rows.add((20..25).map(|n| Arc::new(alert(n))));
        rows.add_older((0..10).map(|n| Arc::new(alert(n))).collect());
        assert_eq!(rows.selected_id(), id);
        assert_eq!(
            rows.selected_row().expect("a selection") - rows.top(5),
            line,
            "nor does it move on the screen"
        );
        assert_eq!(rows.unseen, 5);
    }

    #[test]
    fn following_means_the_newest_is_selected() {
        let mut rows = rows(0..3);
        rows.add([Arc::new(alert(7))]);
        assert_eq!(rows.selected_row(), Some(3));
        rows.step(-1, 5);
        rows.add([Arc::new(alert(8))]);
        assert_eq!(rows.selected_row(), Some(2));
        rows.follow_newest();
        assert_eq!((rows.selected_row(), rows.unseen), (Some(4), 0));
    }

    #[test]
    fn the_window_is_bounded_on_both_sides() {
        let mut rows = rows(0..ROWS_MAX as u64 + 10);
        assert_eq!((rows.len(), rows.older), (ROWS_MAX, true));
        rows.step(-(ROWS_MAX as isize), 10);
        rows.add_older((0..10).map(|n| Arc::new(alert(n))).collect());
        assert_eq!((rows.len(), rows.detached, rows.follow), (ROWS_MAX, true, false));
        assert_eq!(rows.oldest(), Some(alert(0).id));
    }

    #[test]
    fn the_same_alert_is_there_once() {
        let mut rows = rows(0..3);
        assert_eq!(rows.add((0..4).map(|n| Arc::new(alert(n)))), 1);
        assert_eq!(rows.len(), 4);
    }
}
