//! [`Outlet`]: where the pipeline puts what comes out of it. The store is one, standard output another, and a test's
//! vector a third; several can stand behind one another.

use std::sync::Arc;

use eyas_engine::ruleset::Ruleset;
use eyas_event::{Alert, BlindRules, Loss, Process};

use crate::Segment;

/// What became of a segment that was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is kept, or waits to be; an outlet that keeps no recording says so, too.
    Yes,
    /// It, or one that was handed over earlier, was dropped: the recording has a hole.
    No,
}

/// Takes what comes out. A call may wait for a bounded time, never for ever: each outlet says itself what it does when
/// it is full, and counts what it drops.
pub trait Outlet {
    /// A rule fired.
    fn alert(&mut self, alert: &Arc<Alert>);
    /// A process ran a program. Those of alerts are in the alerts.
    fn process(&mut self, process: &Arc<Process>);
    /// A part of the recording is complete.
    fn segment(&mut self, segment: Segment) -> Kept;
    /// Something was lost before it came here; these rules could have fired for it.
    fn loss(&mut self, loss: Loss, blind: &BlindRules);
    /// From now on this ruleset judges.
    fn ruleset(&mut self, ruleset: &Arc<Ruleset>);
}

impl<A: Outlet, B: Outlet> Outlet for (A, B) {
    fn alert(&mut self, alert: &Arc<Alert>) {
        self.0.alert(alert);
        self.1.alert(alert);
    }
    fn process(&mut self, process: &Arc<Process>) {
        self.0.process(process);
        self.1.process(process);
    }
    fn segment(&mut self, segment: Segment) -> Kept {
        let second = self.1.segment(segment.clone());
        match self.0.segment(segment) {
            Kept::Yes => second,
            Kept::No => Kept::No,
        }
    }
    fn loss(&mut self, loss: Loss, blind: &BlindRules) {
        self.0.loss(loss, blind);
        self.1.loss(loss, blind);
    }
    fn ruleset(&mut self, ruleset: &Arc<Ruleset>) {
        self.0.ruleset(ruleset);
        self.1.ruleset(ruleset);
    }
}

impl<O: Outlet + ?Sized> Outlet for Box<O> {
    fn alert(&mut self, alert: &Arc<Alert>) {
        (**self).alert(alert);
    }
    fn process(&mut self, process: &Arc<Process>) {
        (**self).process(process);
    }
    fn segment(&mut self, segment: Segment) -> Kept {
        (**self).segment(segment)
    }
    fn loss(&mut self, loss: Loss, blind: &BlindRules) {
        (**self).loss(loss, blind);
    }
    fn ruleset(&mut self, ruleset: &Arc<Ruleset>) {
        (**self).ruleset(ruleset);
    }
}
