//! Alerts as lines on standard output. A thread of its own writes them, so that neither a reader who is slow nor a disk that
//! is full stops the sensor. Each line is one write, unbuffered: what was not printed is known exactly.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use eyas_engine::ruleset::Ruleset;
use eyas_event::{Alert, BlindRules, Loss, Process};
use eyas_pipeline::{Kept, Outlet, Segment, Stop};

use crate::falco::Form;
use crate::losses::LossSum;

/// Alerts as lines on standard output. After a wait of 100 ms for a slow reader an alert is left out and counted, and so
/// are the next ones, without a wait, until there is room again.
pub(crate) struct Printer {
    lane: crossbeam_channel::Sender<Arc<Alert>>,
    thread: JoinHandle<Option<io::Error>>,
    handled: Arc<Handled>,
    sent: u64,
    dropped: u64,
    patience: Patience,
    stuck: bool,
    lost: Lost,
}

/// What was lost and has not been said yet.
pub(crate) type Lost = Arc<Mutex<LossSum>>;

/// What the thread did with the alerts it took.
#[derive(Debug, Default)]
struct Handled {
    printed: AtomicU64,
    refused: AtomicU64,
}

/// What to do when what is printed is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Leave it out after a while, also when writing fails: the sensor goes on.
    Bounded,
    /// Wait, and stop when writing fails: a replay loses nothing.
    Endless,
}

/// What became of the alerts.
#[derive(Debug)]
pub(crate) struct Printed {
    /// How many were left out.
    pub(crate) left_out: u64,
    /// What ended the printing early; a reader who left is no error.
    pub(crate) failed: Option<io::Error>,
}

/// Whole lines into something that may refuse them for a while.
struct Lines<W> {
    out: W,
    /// The last line was cut off: the next one begins with an end of line, so that it stands alone.
    cut: bool,
    /// Writing does not work at the moment, and that has been said.
    failing: bool,
}

impl<W: Write> Lines<W> {
    fn new(out: W) -> Self {
        Self { out, cut: false, failing: false }
    }

    /// Writes one line, and an end of line before it where the last one was cut off.
    fn put(&mut self, line: &str) -> io::Result<()> {
        let text = format!("{}{line}\n", if self.cut { "\n" } else { "" });
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            match self.out.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => {
                    rest = &rest[n..];
                    self.cut = !rest.is_empty();
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                // Standard output was made non-blocking by someone who shares it: it is slow, not broken.
                Err(e) if e.kind() == ErrorKind::WouldBlock => std::thread::sleep(Duration::from_millis(10)),
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// The same, and what a person is told when writing begins to fail and when it works again.
    fn put_or_tell(&mut self, line: &str, tell: impl FnOnce(&str)) -> io::Result<()> {
        let written = self.put(line);
        match &written {
            Err(e) if e.kind() != ErrorKind::BrokenPipe && !self.failing => {
                self.failing = true;
                tell(&format!(
                    "cannot write to standard output: {e}; watching and storing go on, what is not printed is counted"
                ));
            }
            Ok(()) if self.failing => {
                self.failing = false;
                tell("standard output takes alerts again");
            }
            _ => {}
        }
        written
    }
}

impl Printer {
    /// How long a reader may take nothing at all before what still waits at the end is given up.
    const GIVE_UP: Duration = Duration::from_secs(1);

    /// Starts the thread. When whoever read standard output has left, it asks for a stop.
    pub(crate) fn start(form: Form, patience: Patience, stop: Stop) -> io::Result<Self> {
        let (lane, alerts) = crossbeam_channel::bounded::<Arc<Alert>>(4096);
        let handled = Arc::<Handled>::default();
        let count = handled.clone();
        let mut lines = Lines::new(File::from(io::stdout().as_fd().try_clone_to_owned()?));
        let thread = std::thread::Builder::new().name("eyas-print".into()).spawn(move || {
            while let Ok(alert) = alerts.recv() {
                let line = form.line(&alert);
                let written = match patience {
                    Patience::Bounded => lines.put_or_tell(&line, crate::say),
                    Patience::Endless => lines.put(&line),
                };
                match written {
                    Ok(()) => count.printed.fetch_add(1, Ordering::Relaxed),
                    // A reader who left is how `eyas … | head` ends.
                    Err(e) if e.kind() == ErrorKind::BrokenPipe => {
                        stop.ask();
                        return None;
                    }
                    Err(e) if patience == Patience::Endless => {
                        stop.ask();
                        return Some(e);
                    }
                    Err(_) => count.refused.fetch_add(1, Ordering::Relaxed),
                };
            }
            None
        })?;
        let lost = Lost::default();
        Ok(Self { lane, thread, handled, sent: 0, dropped: 0, patience, stuck: false, lost })
    }

    /// What was lost and has not been said: whoever says it takes it.
    pub(crate) fn lost(&self) -> Lost {
        self.lost.clone()
    }

    /// Prints what waits, and tells what became of the alerts.
    pub(crate) fn finish(self) -> Printed {
        let Self { lane, thread, handled, sent, dropped, patience, .. } = self;
        drop(lane);
        let printed = || handled.printed.load(Ordering::Relaxed);
        let done = || printed() + handled.refused.load(Ordering::Relaxed);
        let mut seen = (done(), Instant::now());
        while patience == Patience::Bounded && !thread.is_finished() {
            let now = done();
            if now != seen.0 {
                seen = (now, Instant::now());
            } else if seen.1.elapsed() >= Self::GIVE_UP {
                // The thread stays where it is, in a write that nobody takes; it ends with the process.
                return Printed { left_out: dropped + sent.saturating_sub(printed()), failed: None };
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        // A panic of the thread has been reported by the panic hook.
        let failed = thread.join().ok().flatten();
        Printed { left_out: dropped + sent.saturating_sub(printed()), failed }
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
    fn loss(&mut self, loss: Loss, blind: &BlindRules) {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).add(&loss, blind);
    }
    fn ruleset(&mut self, _: &Arc<Ruleset>) {}
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::io;

    use super::*;

    /// Takes so many bytes, then fails until more room is given.
    struct Disk {
        room: usize,
        holds: Vec<u8>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let n = bytes.len().min(self.room);
            if n == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
            self.room -= n;
            self.holds.extend_from_slice(&bytes[..n]);
            Ok(n)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_said_once_and_so_is_its_end() {
        let mut lines = Lines::new(Disk { room: 9, holds: Vec::new() });
        let mut said = Vec::new();
        for line in ["first", "second", "third"] {
            let _written = lines.put_or_tell(line, |text| said.push(text.to_owned()));
        }
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("cannot write to standard output"), "{said:?}");
        lines.out.room = 100;
        for line in ["fourth", "fifth"] {
            lines.put_or_tell(line, |text| said.push(text.to_owned())).unwrap();
        }
        assert_eq!(said[1..], ["standard output takes alerts again"]);
        // The line that was cut off spoils no other.
        assert_eq!(lines.out.holds, b"first\nsec\nfourth\nfifth\n");
    }
}
