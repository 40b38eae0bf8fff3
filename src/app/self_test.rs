//! The console's way to the process that plays the actions of the self-test: it is started before privileges are given up and
//! waits, and it ends when the console does. It is eyas with the same arguments, told by its environment what it is.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use tokio::sync::mpsc;

use crate::tui::door::{TestDoor, TestNews, TestOrder};

/// Set for the process that plays.
const OTHER_HALF: &str = "EYAS_SELF_TEST";
/// How much may wait in either direction: more than all that a run of every action tells.
const LANE: usize = 256;

/// Whether this process is the one that plays.
pub(crate) fn is_other_half() -> bool {
    std::env::var_os(OTHER_HALF).is_some()
}

/// The process that plays.
pub(crate) struct Player {
    child: Child,
    orders: ChildStdin,
    news: ChildStdout,
}

impl Player {
    /// Starts it. Whatever this process gives up later, the other one keeps.
    pub(crate) fn start() -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(std::env::args_os().skip(1))
            .env(OTHER_HALF, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(orders), Some(news)) => Ok(Self { child, orders, news }),
            _ => Err(io::Error::other("no pipes")),
        }
    }

    /// The door for the console, and the two ends behind it. Starts a thread, so privileges have been given up by now.
    pub(crate) fn open(self) -> io::Result<(TestDoor, Orders)> {
        let Self { child, orders, news } = self;
        let (orders_in, wanted) = mpsc::channel(LANE);
        let (told, news_out) = mpsc::channel(LANE);
        std::thread::Builder::new().name("eyas-self-test".into()).spawn(move || {
            for line in BufReader::new(news).lines().map_while(Result::ok) {
                let news = serde_json::from_str(&line).unwrap_or_else(|error| {
                    TestNews::Failed(format!("its process says what it should not: {error}"))
                });
                if told.blocking_send(news).is_err() {
                    return;
                }
            }
            let gone = TestNews::Failed("the process that plays the actions has ended".to_owned());
            let _left = told.blocking_send(gone);
        })?;
        Ok((TestDoor { orders: orders_in, news: news_out }, Orders { child, pipe: orders, wanted }))
    }
}

/// Orders on their way to the process.
pub(crate) struct Orders {
    child: Child,
    pipe: ChildStdin,
    wanted: mpsc::Receiver<TestOrder>,
}

impl Orders {
    /// Hands them on until nobody gives any; a line is short, and the pipe takes thousands.
    pub(crate) async fn run(&mut self) {
        while let Some(order) = self.wanted.recv().await {
            let line = serde_json::to_string(&order).unwrap_or_default() + "\n";
            if self.pipe.write_all(line.as_bytes()).is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    }

    /// Ends the process: without input it undoes what is under way and goes.
    pub(crate) fn end(mut self) {
        drop(self.pipe);
        drop(self.wanted);
        let _status = self.child.wait();
    }
}
