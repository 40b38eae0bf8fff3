//! Where alerts go in a run: into the store, onto standard output, to the console. Each says what it does when the
//! other side is slow.

use std::io::{ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use eyas_engine::ruleset::Ruleset;
use eyas_event::{Alert, Loss, Process};
use eyas_pipeline::{Kept, Outlet, Segment, Stop};
use eyas_store::{RulesetText, WriterHandle};
use tokio::sync::mpsc;

use crate::falco::Form;
use crate::machine;

/// The store's writer as an outlet; its lanes have their own policies.
pub(crate) struct ToStore {
    writer: WriterHandle,
    /// How many segments the writer is known to have dropped.
    dropped: u64,
}

impl ToStore {
    pub(crate) fn new(writer: WriterHandle) -> Self {
        Self { writer, dropped: 0 }
    }
}

impl Outlet for ToStore {
    fn alert(&mut self, alert: &Arc<Alert>) {
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
    fn loss(&mut self, loss: Loss) {
        self.writer.loss(loss);
    }
    fn ruleset(&mut self, ruleset: &Arc<Ruleset>) {
        let files = ruleset.sources().iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        let text = RulesetText { hash: ruleset.hash(), loaded: machine::now(), files };
        // A store that cannot take it says so in its figures; alerts still name the hash.
        let _stored = self.writer.ruleset(text);
    }
}

/// Alerts as lines on standard output, written by a thread of its own, so that a reader who is slow does not stop the
/// sensor: after a wait of 100 ms an alert is left out and counted, and so are the next ones, without a wait, until there is
/// room again.
pub(crate) struct Printer {
    lane: crossbeam_channel::Sender<Arc<Alert>>,
    thread: JoinHandle<()>,
    printed: Arc<AtomicU64>,
    sent: u64,
    dropped: u64,
    patience: Patience,
    stuck: bool,
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
    /// How long a reader may take nothing at all before what still waits at the end is given up.
    const GIVE_UP: Duration = Duration::from_secs(1);

    /// Starts the thread. When standard output is closed it asks for a stop.
    pub(crate) fn start(form: Form, patience: Patience, stop: Stop) -> std::io::Result<Self> {
        let (lane, alerts) = crossbeam_channel::bounded::<Arc<Alert>>(4096);
        let printed = Arc::<AtomicU64>::default();
        let count = printed.clone();
        let thread = std::thread::Builder::new().name("eyas-print".into()).spawn(move || {
            let mut out = std::io::stdout().lock();
            while let Ok(alert) = alerts.recv() {
                let written = writeln!(out, "{}", form.line(&alert))
                    .and_then(|()| if alerts.is_empty() { out.flush() } else { Ok(()) });
                if let Err(error) = written {
                    // A reader who left is how `eyas … | head` ends.
                    if error.kind() != ErrorKind::BrokenPipe {
                        crate::say(&format!("cannot write to standard output: {error}"));
                    }
                    stop.ask();
                    break;
                }
                count.fetch_add(1, Ordering::Relaxed);
            }
        })?;
        Ok(Self { lane, thread, printed, sent: 0, dropped: 0, patience, stuck: false })
    }

    /// Prints what waits, and gives the number of alerts that were left out.
    pub(crate) fn finish(self) -> u64 {
        let Self { lane, thread, printed, sent, dropped, patience, .. } = self;
        drop(lane);
        let mut seen = (printed.load(Ordering::Relaxed), Instant::now());
        while patience == Patience::Bounded && !thread.is_finished() {
            let now = printed.load(Ordering::Relaxed);
            if now != seen.0 {
                seen = (now, Instant::now());
            } else if seen.1.elapsed() >= Self::GIVE_UP {
                // The thread stays where it is, in a write that nobody takes; it ends with the process.
                return dropped + sent.saturating_sub(now);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        // A panic of the thread has been reported by the panic hook.
        let _ended = thread.join();
        dropped + sent.saturating_sub(printed.load(Ordering::Relaxed))
    }
}

impl Outlet for Printer {
    fn alert(&mut self, alert: &Arc<Alert>) {
        let wait = if self.stuck { Duration::ZERO } else { Duration::from_millis(100) };
        let taken = match self.patience {
            Patience::Bounded => self.lane.send_timeout(alert.clone(), wait).is_ok(),
            Patience::Endless => self.lane.send(alert.clone()).is_ok(),
        };
        self.stuck = !taken;
        if taken {
            self.sent += 1;
        } else {
            self.dropped += 1;
        }
    }
    fn process(&mut self, _: &Arc<Process>) {}
    fn segment(&mut self, _: Segment) -> Kept {
        Kept::Yes
    }
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
    fn segment(&mut self, _: Segment) -> Kept {
        Kept::Yes
    }
    fn loss(&mut self, _: Loss) {}
    fn ruleset(&mut self, _: &Arc<Ruleset>) {}
}
