//! What the sensor costs: a tight loop of open and close, bare and with the sensor attached, in interleaved rounds.
//!
//! The loop runs in a process of its own, since the sensor never reports the process that opened it. Times are
//! processor time of the looping thread, so other load on the machine disturbs them little. Run as root:
//! `cargo bench -p eyas-probe --bench open_close [-- ROUNDS]`.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use eyas_event::{EventSet, Fill, Interest, RawBatch, Source};
use eyas_probe::{Probe, ProbeOptions};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::time::{ClockId, clock_gettime};

const LOOPS: u32 = 200_000;
const DEFAULT_ROUNDS: usize = 7;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.first().map(String::as_str) {
        Some("loop") => run_loops(),
        Some(rounds) => compare(rounds.parse().unwrap()),
        None => compare(DEFAULT_ROUNDS),
    }
}

/// Reads a path a line, opens and closes it many times, and prints the nanoseconds that each pair took.
fn run_loops() {
    for path in std::io::stdin().lock().lines() {
        let path = path.unwrap();
        let begin = clock_gettime(ClockId::ThreadCPUTime);
        for _ in 0..LOOPS {
            drop(
                rustix::fs::openat(CWD, path.as_str(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
                    .unwrap(),
            );
        }
        let end = clock_gettime(ClockId::ThreadCPUTime);
        let ns = (end.tv_sec - begin.tv_sec) * 1_000_000_000 + end.tv_nsec - begin.tv_nsec;
        println!("{}", ns as f64 / f64::from(LOOPS));
    }
}

struct Looper {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Looper {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("loop")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, answers }
    }

    fn ask(&mut self, path: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{path}").unwrap();
    }

    fn answer(&mut self) -> f64 {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim().parse().unwrap()
    }

    /// Whether the answer has come, without waiting.
    fn has_answered(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let fd = self.answers.get_ref();
        poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&now)).unwrap() > 0
    }
}

/// One round with the sensor attached; also how many records came.
fn with_probe(looper: &mut Looper, path: &str, interest: &Interest) -> (f64, u64) {
    let mut probe = Probe::open(&ProbeOptions { ring_bytes: 32 << 20, ..ProbeOptions::default() }).unwrap();
    probe.set_interest(interest).unwrap();
    let mut batch = RawBatch::with_capacity(1 << 20);
    looper.ask(path);
    while !looper.has_answered() {
        batch.clear();
        probe.fill(&mut batch, Duration::from_millis(50)).unwrap();
    }
    let ns = looper.answer();
    batch.clear();
    while probe.fill(&mut batch, Duration::ZERO).unwrap() == Fill::Records {
        batch.clear();
    }
    let totals = probe.totals().unwrap();
    // Other programs go on opening files, so some may still lie in the ring.
    assert!(totals.attempted >= totals.received + totals.lost);
    if totals.lost > 0 {
        println!("{} records found the ring full: this round's figure is too good", totals.lost);
    }
    (ns, totals.received)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn compare(rounds: usize) {
    if let Err(error) = Probe::open(&ProbeOptions::default()) {
        println!("skipped: {error}");
        return;
    }
    let mut looper = Looper::start();
    let nothing = Interest::of(EventSet::empty());
    println!("open+close, ns of thread time a pair, medians of {rounds} interleaved rounds of {LOOPS}:");
    println!("{:<40} {:>8} {:>16} {:>16}", "path", "bare", "every open sent", "opens unwanted");
    for path in ["/etc/hostname", "/usr/lib/os-release", "/proc/self/stat", "/dev/null"] {
        let (mut bare, mut sent, mut unwanted) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            looper.ask(path);
            bare.push(looper.answer());
            let (ns, records) = with_probe(&mut looper, path, &Interest::everything());
            assert!(records >= u64::from(LOOPS));
            sent.push(ns);
            unwanted.push(with_probe(&mut looper, path, &nothing).0);
        }
        let (bare, sent, unwanted) = (median(bare), median(sent), median(unwanted));
        let ratio = |with: f64| format!("{with:.0} ({:.2}x)", with / bare);
        println!("{path:<40} {bare:>8.0} {:>16} {:>16}", ratio(sent), ratio(unwanted));
    }
    looper.child.kill().unwrap();
    looper.child.wait().unwrap();
}
