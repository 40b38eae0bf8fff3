//! What becomes of one event: the ruleset judges it, each rule that fires makes an alert, and a process that runs a program
//! is told of. It holds no state of its own beside what it was lent for a batch.

use std::sync::Arc;

use eyas_engine::program::Scratch;
use eyas_engine::ruleset::{RuleId, Ruleset};
use eyas_event::Event;
use eyas_event::event::Body;

use crate::alert::alert;
use crate::outlet::Outlet;

/// What was counted since the start.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) alerts: u64,
    pub(crate) lost: u64,
}

/// The judge of one batch: exactly one ruleset, and where its verdicts go.
pub(crate) struct Judge<'p, O> {
    pub(crate) rules: &'p Ruleset,
    pub(crate) scratch: &'p mut Scratch,
    pub(crate) fired: &'p mut Vec<RuleId>,
    pub(crate) counts: &'p mut Counts,
    pub(crate) outlet: &'p mut O,
}

impl<O: Outlet> Judge<'_, O> {
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        self.fired.clear();
        self.rules.judge(event, self.scratch, self.fired);
        if matches!(event.body, Body::Exec) {
            self.outlet.process(event.process);
        }
        for id in &*self.fired {
            self.counts.alerts += 1;
            let rule = self.rules.rule(*id);
            let (number, lost) = (self.counts.alerts, self.counts.lost);
            let alert = Arc::new(alert(event, self.rules, rule, self.scratch, number, lost));
            self.outlet.alert(&alert);
        }
    }
}
