//! Where alerts go in a run: into the store, onto standard output, to the console. Each says what it does when the
//! other side is slow.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use eyas_engine::ruleset::Ruleset;
use eyas_event::{Alert, Loss, Process};
use eyas_pipeline::{Outlet, Segment, Stop};
use eyas_store::{RulesetText, WriterHandle};
use tokio::sync::mpsc;

use crate::falco::Form;
use crate::machine;

/// The store's writer as an outlet; its lanes have their own policies.
pub(crate) struct ToStore(pub(crate) WriterHandle);

impl Outlet for ToStore {
    fn alert(&mut self, alert: &Arc<Alert>) {
        // What becomes of it is counted by the writer and shown by whoever looks at its figures.
        let _kept = self.0.alert(alert.clone());
    }
    fn process(&mut self, process: &Arc<Process>) {
        let _kept = self.0.process(process.clone());
    }
    fn segment(&mut self, segment: Segment) {
        let Segment { first, last, records, keyframe, raw } = segment;
        let _kept = self.0.segment(eyas_store::Segment { first, last, records, keyframe, raw });
    }
    fn loss(&mut self, loss: Loss) {
        self.0.loss(loss);
    }
    fn ruleset(&mut self, ruleset: &Arc<Ruleset>) {
        let files = ruleset.sources().iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        let text = RulesetText { hash: ruleset.hash(), loaded: machine::now(), files };
        // A store that cannot take it says so in its figures; alerts still name the hash.
        let _stored = self.0.ruleset(text);
    }
}

/// Alerts as lines on standard output, written by a thread of its own, so that a reader who is slow does not stop the
/// sensor: after a wait of 100 ms an alert is left out and counted.
pub(crate) struct Printer {
    lane: crossbeam_channel::Sender<Arc<Alert>>,
    thread: Option<JoinHandle<()>>,
    dropped: Arc<AtomicU64>,
    patience: Patience,
}

/// What to do when nobody takes what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Leave it out after a while: the sensor goes on.
    Bounded,
    /// Wait: a replay loses nothing.
    Endless,
}

impl Printer {
    /// Starts the thread. When standard output is closed it asks for a stop.
    pub(crate) fn start(form: Form, patience: Patience, stop: Stop) -> std::io::Result<Self> {
        let (lane, alerts) = crossbeam_channel::bounded::<Arc<Alert>>(4096);
        let thread = std::thread::Builder::new().name("eyas-print".into()).spawn(move || {
            let mut out = std::io::stdout().lock();
            while let Ok(alert) = alerts.recv() {
                let printed = writeln!(out, "{}", form.line(&alert))
                    .and_then(|()| if alerts.is_empty() { out.flush() } else { Ok(()) });
                if printed.is_err() {
                    stop.ask();
                    break;
                }
            }
        })?;
        Ok(Self { lane, thread: Some(thread), dropped: Arc::default(), patience })
    }

    /// Prints what waits, and gives the number of alerts that were left out.
    pub(crate) fn finish(self) -> u64 {
        let Self { lane, thread, dropped, .. } = self;
        drop(lane);
        if let Some(thread) = thread {
            // A panic of the thread has been reported by the panic hook.
            let _ended = thread.join();
        }
        dropped.load(Ordering::Relaxed)
    }
}

impl Outlet for Printer {
    fn alert(&mut self, alert: &Arc<Alert>) {
        let sent = match self.patience {
            Patience::Bounded => self.lane.send_timeout(alert.clone(), Duration::from_millis(100)).is_ok(),
            Patience::Endless => self.lane.send(alert.clone()).is_ok(),
        };
        if !sent {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
    fn process(&mut self, _: &Arc<Process>) {}
    fn segment(&mut self, _: Segment) {}
    fn loss(&mut self, _: Loss) {}
    fn ruleset(&mut self, _: &Arc<Ruleset>) {}
}

/// Alerts to the console as they fire. When its lane is full an alert is left out: the console sees from the counts
/// that it missed some and reads them from the store.
pub(crate) struct ToConsole(pub(crate) mpsc::Sender<Vec<Arc<Alert>>>);

impl Outlet for ToConsole {
    fn alert(&mut self, alert: &Arc<Alert>) {
        let _sent = self.0.try_send(vec![alert.clone()]);
    }
    fn process(&mut self, _: &Arc<Process>) {}
    fn segment(&mut self, _: Segment) {}
    fn loss(&mut self, _: Loss) {}
    fn ruleset(&mut self, _: &Arc<Ruleset>) {}
}
