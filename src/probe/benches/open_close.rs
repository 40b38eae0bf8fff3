//! What the sensor costs: tight loops of open and close and of getppid, bare and with the sensor attached, in interleaved
//! rounds; by the interest of Falco's three stock files with what is recorded anyway, with every open sent, and with none.
//!
//! The loop runs in a process of its own, since the sensor never reports the process that opened it. Times are
//! processor time of the looping thread, so other load on the machine disturbs them little. Run as root:
//! `cargo bench -p eyas-probe --bench open_close [-- ROUNDS [PATH…]]`. Without the stock files it goes by the shipped rules.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use eyas_engine::{Loader, SourceFile};
use eyas_event::{EventSet, Fill, Interest, RawBatch, Source};
use eyas_probe::{Probe, ProbeOptions};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::time::{ClockId, clock_gettime};

const LOOPS: u32 = 200_000;
/// So many are timed at once: a few milliseconds, of which some will be undisturbed.
const SLICE: u32 = 4_000;
const DEFAULT_ROUNDS: usize = 7;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.first().map(String::as_str) {
        Some("loop") => run_loops(),
        Some(rounds) => compare(rounds.parse().unwrap(), &args[1..]),
        None => compare(DEFAULT_ROUNDS, &[]),
    }
}

/// Stands for the loop that opens nothing.
const GETPPID: &str = "getppid";

/// Reads a path a line, opens and closes it many times, and prints the nanoseconds that a pair took, for each slice.
fn run_loops() {
    for path in std::io::stdin().lock().lines() {
        let path = path.unwrap();
        let slices: Vec<_> = (0..LOOPS / SLICE).map(|_| time_slice(&path).to_string()).collect();
        println!("{}", slices.join(" "));
    }
}

fn time_slice(path: &str) -> f64 {
    let begin = clock_gettime(ClockId::ThreadCPUTime);
    for _ in 0..SLICE {
        if path == GETPPID {
            std::hint::black_box(rustix::process::getppid());
            continue;
        }
        drop(rustix::fs::openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).unwrap());
    }
    let end = clock_gettime(ClockId::ThreadCPUTime);
    let ns = (end.tv_sec - begin.tv_sec) * 1_000_000_000 + end.tv_nsec - begin.tv_nsec;
    ns as f64 / f64::from(SLICE)
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

    fn answer(&mut self) -> Vec<f64> {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.split_whitespace().map(|ns| ns.parse().unwrap()).collect()
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
fn with_probe(looper: &mut Looper, path: &str, interest: &Interest) -> (Vec<f64>, u64) {
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

/// The median of all slices, and the fastest.
fn figures(mut slices: Vec<f64>) -> [f64; 2] {
    slices.sort_by(f64::total_cmp);
    [slices[slices.len() / 2], slices[0]]
}

/// What the stock rules want, or where they are not at hand the shipped ones, and what is recorded anyway.
fn rules_interest() -> (&'static str, Interest) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = std::env::var_os("EYAS_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let stock = ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"];
    let (name, files) = if folder.is_dir() {
        ("stock rules", stock.map(|name| folder.join("falco/rules").join(name)).to_vec())
    } else {
        ("shipped rules", vec![root.join("rules/eyas.yaml")])
    };
    let load = |loader: Loader, path: &PathBuf| {
        loader.add(SourceFile::new(path.to_str().unwrap(), std::fs::read_to_string(path).unwrap()))
    };
    let ruleset = files.iter().fold(Loader::new(), load).finish().ruleset;
    (name, ruleset.interest().union(&Interest::recorded()))
}

fn compare(rounds: usize, paths: &[String]) {
    if let Err(error) = Probe::open(&ProbeOptions::default()) {
        println!("skipped: {error}");
        return;
    }
    let mut looper = Looper::start();
    let (rules, interest) = rules_interest();
    let nothing = Interest::of(EventSet::empty());
    let made = tempfile::Builder::new().prefix("eyas-bench-").tempfile_in("/tmp").unwrap();
    let made = made.path().to_str().unwrap();
    println!(
        "ns of thread time an open+close: medians, and in brackets the fastest, of {rounds} interleaved rounds of"
    );
    println!("{LOOPS}, timed in slices of {SLICE}:");
    println!("{:<24} {:>11} {rules:>25} {:>25} {:>25}", "path", "bare", "every open sent", "opens unwanted");
    let known = ["/etc/hostname", made, "/usr/lib/os-release", "/proc/self/stat", "/dev/null", GETPPID];
    let paths = if paths.is_empty() { known.to_vec() } else { paths.iter().map(String::as_str).collect() };
    for path in paths {
        let (mut bare, mut filtered, mut sent, mut unwanted) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            looper.ask(path);
            bare.extend(looper.answer());
            filtered.extend(with_probe(&mut looper, path, &interest).0);
            let (ns, records) = with_probe(&mut looper, path, &Interest::everything());
            assert!(path == GETPPID || records >= u64::from(LOOPS));
            sent.extend(ns);
            unwanted.extend(with_probe(&mut looper, path, &nothing).0);
        }
        let [bare, filtered, sent, unwanted] = [bare, filtered, sent, unwanted].map(figures);
        let ratio = |with: [f64; 2]| {
            let [median, fastest] = [0, 1].map(|at| format!("{:.0} {:.2}x", with[at], with[at] / bare[at]));
            format!("{median} ({fastest})")
        };
        let [filtered, sent, unwanted] = [filtered, sent, unwanted].map(ratio);
        let bare = format!("{:.0} ({:.0})", bare[0], bare[1]);
        println!("{path:<24} {bare:>11} {filtered:>25} {sent:>25} {unwanted:>25}");
    }
    looper.child.kill().unwrap();
    looper.child.wait().unwrap();
}
