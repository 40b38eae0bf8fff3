//! What the whole agent costs (`eyas run --headless`, shipped rules, recording on): idle processor time and memory, and
//! the slow-down of tight loops of other programs, in interleaved rounds with and without it.
//!
//! Run as root on a quiet machine: `cargo bench --bench agent [-- ROUNDS IDLE_SECONDS]`. Times are processor time of
//! the looping thread, so other load disturbs them little.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use rustix::time::{ClockId, clock_gettime};

/// A loop that is timed: its name, how often a round turns it, and one turn.
struct Loop {
    name: &'static str,
    turns: u32,
    turn: fn(),
}

const LOOPS: &[Loop] = &[
    Loop { name: "open+close /etc/hostname", turns: 100_000, turn: open_close },
    Loop { name: "getppid (not watched)", turns: 1_000_000, turn: getppid },
    Loop { name: "connect+close on loopback", turns: 5_000, turn: connect_close },
    Loop { name: "fork+exec /bin/true, wait", turns: 500, turn: spawn },
];

fn main() {
    let mut args = std::env::args().skip(1).filter(|a| a != "--bench").peekable();
    if args.peek().map(String::as_str) == Some("loop") {
        let name = args.nth(1).unwrap();
        return run_loop(LOOPS.iter().find(|l| l.name == name).unwrap());
    }
    let rounds: usize = args.next().map_or(5, |n| n.parse().unwrap());
    let idle = Duration::from_secs(args.next().map_or(20, |n| n.parse().unwrap()));
    if !rustix::process::geteuid().is_root() {
        println!("skipped: needs root");
        return;
    }
    idle_cost(idle);
    println!("\nns a turn, medians of {rounds} interleaved rounds:");
    println!("{:<30} {:>10} {:>10} {:>7}", "loop", "bare", "with eyas", "ratio");
    for one in LOOPS {
        let (mut bare, mut watched) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            bare.push(in_child(one));
            let agent = Agent::start();
            watched.push(in_child(one));
            agent.stop();
        }
        let (bare, watched) = (median(bare), median(watched));
        println!("{:<30} {bare:>10.0} {watched:>10.0} {:>6.2}x", one.name, watched / bare);
    }
}

/// Processor time and memory of an agent that has nothing to do but this machine's background.
fn idle_cost(time: Duration) {
    let agent = Agent::start();
    std::thread::sleep(Duration::from_secs(2));
    let before = cpu_ticks(agent.child.id());
    std::thread::sleep(time);
    let ticks = cpu_ticks(agent.child.id()) - before;
    let rss = rss_kib(agent.child.id());
    let last = agent.stop();
    println!(
        "idle for {} s: {:.2} % of one processor, {} MiB resident",
        time.as_secs(),
        ticks as f64 / time.as_secs_f64(),
        rss / 1024
    );
    println!("  ({last})");
}

/// Clock ticks of 10 ms of processor time that a process has taken.
fn cpu_ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

fn rss_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A running `eyas run --headless` with a store of its own.
struct Agent {
    child: Child,
    said: BufReader<std::process::ChildStderr>,
    dir: tempfile::TempDir,
}

impl Agent {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_eyas"))
            .args(["run", "--headless", "--node", "bench", "--store"])
            .arg(dir.path().join("eyas.db"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("watching") {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "eyas ended before it watched");
        }
        Self { child, said, dir }
    }

    /// Ends it, and gives its last line.
    fn stop(mut self) -> String {
        rustix::process::kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let last = self.said.lines().map_while(Result::ok).last().unwrap_or_default();
        assert!(self.child.wait().unwrap().success());
        assert!(Path::new(self.dir.path()).exists());
        last
    }
}

/// Runs a loop in a process of its own, and gives the nanoseconds of a turn.
fn in_child(one: &Loop) -> f64 {
    let out = Command::new(std::env::current_exe().unwrap()).args(["loop", one.name]).output().unwrap();
    String::from_utf8(out.stdout).unwrap().trim().parse().unwrap()
}

fn run_loop(one: &Loop) {
    let clock = || {
        let mine = clock_gettime(ClockId::ProcessCPUTime);
        let children = std::fs::read_to_string("/proc/self/stat").unwrap();
        let fields: Vec<&str> = children.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let waited_for: i64 = fields[13].parse::<i64>().unwrap() + fields[14].parse::<i64>().unwrap();
        (mine.tv_sec * 1_000_000_000 + mine.tv_nsec, waited_for * 10_000_000)
    };
    let begin = clock();
    for _ in 0..one.turns {
        (one.turn)();
    }
    let end = clock();
    println!("{}", (end.0 - begin.0 + end.1 - begin.1) as f64 / f64::from(one.turns));
}

fn open_close() {
    drop(std::fs::File::open("/etc/hostname").unwrap());
}

fn getppid() {
    std::hint::black_box(rustix::process::getppid());
}

fn connect_close() {
    static LISTENER: std::sync::LazyLock<TcpListener> =
        std::sync::LazyLock::new(|| TcpListener::bind("127.0.0.1:0").unwrap());
    let client = TcpStream::connect(LISTENER.local_addr().unwrap()).unwrap();
    drop(LISTENER.accept().unwrap());
    drop(client);
}

fn spawn() {
    assert!(Command::new("/bin/true").status().unwrap().success());
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
