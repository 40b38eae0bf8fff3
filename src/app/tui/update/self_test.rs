//! Commands of the self-test: open it, play, stop, choose.

use super::super::commands::Action;
use super::super::door::TestOrder;
use super::super::msg::Effect;
use super::super::overlay::Layer;
use super::Turn;

impl Turn<'_> {
    /// Shows the actions. Nothing plays before somebody says so.
    pub(super) fn open_self_test(&mut self) {
        self.s.layers.push(Layer::SelfTest);
        if !self.s.self_test.asked {
            self.s.self_test.asked = true;
            self.s.self_test.failed = None;
            self.out.push(Effect::Test(TestOrder::List));
        }
    }

    /// Plays all, or the chosen one.
    pub(super) fn play(&mut self, all: bool) {
        let order = self.s.self_test.begin(all).map_or(TestOrder::PlayAll, TestOrder::Play);
        self.out.push(Effect::Test(order));
    }

    pub(super) fn stop_playing(&mut self) {
        self.s.self_test.stopping = true;
        self.out.push(Effect::Test(TestOrder::Stop));
    }

    /// Moves the choice, which then stays where a person put it.
    pub(super) fn choose_test(&mut self, action: Action) {
        let page = self.s.layout().sheet_lines().saturating_sub(8).max(1);
        let test = &mut self.s.self_test;
        test.along = false;
        let to = match action {
            Action::Up => test.chosen.saturating_sub(1),
            Action::Down => test.chosen + 1,
            Action::PageUp => test.chosen.saturating_sub(page),
            Action::PageDown => test.chosen + page,
            Action::HalfUp => test.chosen.saturating_sub(page / 2),
            Action::HalfDown => test.chosen + page / 2,
            Action::Top => 0,
            _ => usize::MAX,
        };
        test.chosen = to.min(test.rows.len().saturating_sub(1));
    }
}
