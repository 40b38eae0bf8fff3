//! What the tests share: a directory of their own, the binary started and stopped, its lines with the moment at which
//! they came, and the store read with plain SQL. Processes that a test starts end with it.

mod agent;
mod database;
mod place;
mod stage;

pub(crate) use agent::{Agent, Ended, Line};
pub(crate) use database::Database;
pub(crate) use place::{Place, loopback_server, name_of};
pub(crate) use stage::{Curtain, Stage};

use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// How long something may take that has no promise about time: the machine may be busy with other things.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// User and group `nobody` of the kernel.
pub(crate) const NOBODY: u32 = 65534;

/// Whether the sensor can run here; says so when it cannot.
pub(crate) fn has_sensor(test: &str) -> bool {
    if rustix::process::geteuid().is_root() {
        return true;
    }
    println!("skipped: needs root: {test}");
    false
}

/// Whether a program is there; says so when it is not.
pub(crate) fn has_program(name: &str, test: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|dir| dir.join(name).is_file()) {
        return true;
    }
    println!("skipped: needs {name}: {test}");
    false
}

/// Taken by tests that measure time or put a load on the machine, so that they do not measure each other.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The binary, in an environment in which nothing changes what it does.
pub(crate) fn eyas() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eyas"));
    for name in ["NO_COLOR", "FALCO_HOSTNAME", "RUST_BACKTRACE"] {
        command.env_remove(name);
    }
    command.env("TZ", "UTC").stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Ran {
    Ran(command.output().unwrap())
}

/// What a command left behind.
pub(crate) struct Ran(pub(crate) Output);

impl Ran {
    /// The exit code; a signal has none.
    pub(crate) fn code(&self) -> Option<i32> {
        self.0.status.code()
    }
    pub(crate) fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).expect("standard output is UTF-8")
    }
    pub(crate) fn err(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).expect("standard error is UTF-8")
    }
    /// Standard output, a JSON object a line.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        self.out().lines().map(parse).collect()
    }
    /// Asserts how it ended, with all it said in the message.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code(), Some(code), "it said:\n{}\nand beside it:\n{}", self.out(), self.err());
        self
    }
}

/// One JSON line.
#[track_caller]
pub(crate) fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|e| panic!("not JSON ({e}): {line}"))
}

/// A field of an alert's `output_fields` as text.
pub(crate) fn field(alert: &Value, name: &str) -> String {
    text_of(&alert["output_fields"][name])
}

/// A JSON value as text: a string without its quotes, anything else as it is written.
pub(crate) fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Nanoseconds since 1970.
pub(crate) fn wall_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64
}

/// Asks again and again until there is an answer; after `patience` the test fails.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, patience: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < patience, "waited {patience:?} for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
