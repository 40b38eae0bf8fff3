//! Where alerts go in a run: into the store and to the console; onto standard output they go by way of `printer`. Each
//! says what it does when the other side is slow.

use std::sync::Arc;

use eyas_engine::ruleset::Ruleset;
use eyas_event::{Alert, BlindRules, Loss, Process};
use eyas_pipeline::{Kept, Outlet, Segment};
use eyas_store::{RulesetText, WriterHandle};
use tokio::sync::mpsc;

use crate::machine;

/// The store's writer as an outlet; its lanes have their own policies.
pub(crate) struct ToStore {
    writer: WriterHandle,
    /// How many segments the writer is known to have dropped.
    dropped: u64,
    /// Whose descendants' alerts are stored; `None` for everybody's.
    only_below: Option<u32>,
}

impl ToStore {
    pub(crate) fn new(writer: WriterHandle) -> Self {
        Self { writer, dropped: 0, only_below: None }
    }

    /// The same, which stores only alerts on what descends from that process.
    pub(crate) fn only_below(self, pid: Option<u32>) -> Self {
        Self { only_below: pid, ..self }
    }
}

impl Outlet for ToStore {
    fn alert(&mut self, alert: &Arc<Alert>) {
        if self.only_below.is_some_and(|pid| alert.ancestors.iter().all(|p| p.key.pid != pid)) {
            return;
        }
        // What becomes of it is counted by the writer and shown by whoever looks at its figures.
        let _kept = self.writer.alert(alert.clone());
    }
    fn process(&mut self, process: &Arc<Process>) {
        let _kept = self.writer.process(process.clone());
    }
    fn segment(&mut self, segment: Segment) -> Kept {
        let Segment { first, last, records, keyframe, raw } = segment;
        let _this_one = self.writer.segment(eyas_store::Segment { first, last, records, keyframe, raw });
        // A full lane drops the oldest that waits, so it is the count that tells of a hole.
        let dropped = self.writer.stats().segments_dropped;
        if std::mem::replace(&mut self.dropped, dropped) == dropped { Kept::Yes } else { Kept::No }
    }
    fn loss(&mut self, loss: Loss, blind: &BlindRules) {
        self.writer.loss(loss, blind);
    }
    fn ruleset(&mut self, ruleset: &Arc<Ruleset>) {
        let files = ruleset.sources().iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        let text = RulesetText { hash: ruleset.hash(), loaded: machine::now(), files };
        // A store that cannot take it says so in its figures; alerts still name the hash.
        let _stored = self.writer.ruleset(text);
    }
}

/// Alerts to the console as they fire. When its lane is full an alert is left out: the console sees from the counts
/// that it missed some and reads them from the store.
pub(crate) struct ToConsole(pub(crate) mpsc::Sender<Vec<Arc<Alert>>>);

impl Outlet for ToConsole {
    fn alert(&mut self, alert: &Arc<Alert>) {
        let _sent = self.0.try_send(vec![alert.clone()]);
    }
    fn process(&mut self, _: &Arc<Process>) {}
    fn segment(&mut self, _: Segment) -> Kept {
        Kept::Yes
    }
    fn loss(&mut self, _: Loss, _: &BlindRules) {}
    fn ruleset(&mut self, _: &Arc<Ruleset>) {}
}
