//! [`Agent`]: eyas running without a console. Its two streams are read by threads that note when each line came.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{PATIENCE, parse, wait_for, wall_ns};

/// A line and the moment at which the test had it.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) at: Instant,
    pub(crate) wall_ns: u64,
}

type Lines = Arc<Mutex<Vec<Line>>>;

/// eyas, running.
pub(crate) struct Agent {
    child: Child,
    out: Lines,
    err: Lines,
    readers: Vec<JoinHandle<()>>,
}

/// eyas, ended: all it printed and said.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<Line>,
    pub(crate) err: Vec<Line>,
}

impl Agent {
    /// Starts it and waits until it says that it watches.
    #[track_caller]
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut agent = Self::spawn(command);
        let begun = Instant::now();
        while !agent.said().iter().any(|l| l.text.contains("watching ")) {
            let ended = agent.child.try_wait().unwrap();
            let said: Vec<_> = agent.said().into_iter().map(|l| l.text).collect();
            assert!(ended.is_none() && begun.elapsed() < PATIENCE, "it does not watch: {ended:?} {said:#?}");
            std::thread::sleep(Duration::from_millis(5));
        }
        agent
    }

    /// Starts it.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, err) = (Lines::default(), Lines::default());
        let readers = vec![
            read(child.stdout.take().unwrap(), out.clone()),
            read(child.stderr.take().unwrap(), err.clone()),
        ];
        Self { child, out, err, readers }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it printed so far.
    pub(crate) fn printed(&self) -> Vec<Line> {
        self.out.lock().unwrap().clone()
    }

    /// What it said beside that so far.
    pub(crate) fn said(&self) -> Vec<Line> {
        self.err.lock().unwrap().clone()
    }

    /// The first alert for which a condition holds, and its line.
    #[track_caller]
    pub(crate) fn alert(&self, what: &str, holds: impl Fn(&Value) -> bool) -> (Value, Line) {
        self.alert_on(what, || (), holds)
    }

    /// The same; the act that should fire it is done now and then until it has.
    #[track_caller]
    pub(crate) fn alert_on(
        &self,
        what: &str,
        act: impl Fn(),
        holds: impl Fn(&Value) -> bool,
    ) -> (Value, Line) {
        let (mut from, mut asked) = (0, 0);
        wait_for(what, PATIENCE, || {
            if asked % 100 == 0 {
                act();
            }
            asked += 1;
            let lines = self.out.lock().unwrap();
            let new: Vec<Line> = lines[from..].to_vec();
            from = lines.len();
            drop(lines);
            new.into_iter().map(|l| (parse(&l.text), l)).find(|(alert, _)| holds(alert))
        })
    }

    /// Asks it to end as a service manager would.
    pub(crate) fn stop(mut self) -> Ended {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.end()
    }

    /// Kills it at once.
    pub(crate) fn kill(mut self) -> Ended {
        self.child.kill().unwrap();
        self.end()
    }

    fn end(&mut self) -> Ended {
        let status = wait_for("eyas to end", PATIENCE, || self.child.try_wait().unwrap());
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        Ended { code: status.code(), out: self.printed(), err: self.said() }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // A test that failed left it running; one that ended it finds nothing to do here.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

impl Ended {
    /// The last thing it said: its figures.
    pub(crate) fn last_words(&self) -> &str {
        self.err.last().map_or("", |l| &l.text)
    }
}

fn read(stream: impl Read + Send + 'static, lines: Lines) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for text in BufReader::new(stream).lines().map_while(Result::ok) {
            let line = Line { text, at: Instant::now(), wall_ns: wall_ns() };
            lines.lock().unwrap().push(line);
        }
    })
}
