//! What the whole agent costs (`eyas run --headless`, recording on, a store of its own): memory and processor time when idle
//! and for a million events, and the slow-down of other programs' loops, in interleaved rounds with and without it.
//!
//! Run as root on a quiet machine: `cargo bench --bench agent [-- ROUNDS IDLE_SECONDS [LOOP…]]`. It goes by Falco's three stock
//! files where they are at hand, else by the shipped rules. Times are processor time of the looping process and of its children, in
//! slices of some milliseconds, so other load disturbs them little. A round compares the median of its slices with those of the
//! bare loop just before and after, since a machine's pace drifts; the ratio is the median of the rounds, with the standard error of
//! their mean. Beside it stands what one program at the end of every syscall costs that does nothing.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]
#![expect(unsafe_code, reason = "fork, rusage and bpf have no safe form")]

mod floor;
#[expect(dead_code, reason = "the other benches ask for more")]
mod process;

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use process::{Agent, rules};

/// A loop that is timed: its name, how often a slice turns it, how many slices a round has, and one turn.
struct Loop {
    name: &'static str,
    turns: u32,
    slices: u32,
    turn: fn(),
}

const LOOPS: &[Loop] = &[
    Loop { name: "open+close /etc/hostname", turns: 4_000, slices: 50, turn: open_hostname },
    Loop { name: "open+close below /tmp", turns: 4_000, slices: 50, turn: open_below_tmp },
    Loop { name: "getppid", turns: 20_000, slices: 50, turn: getppid },
    Loop { name: "fork+exit", turns: 50, slices: 60, turn: fork_exit },
    Loop { name: "exec /bin/true", turns: 20, slices: 60, turn: exec },
    Loop { name: "posix_spawn /bin/true", turns: 20, slices: 60, turn: spawn },
    Loop { name: "connect+close on loopback", turns: 300, slices: 40, turn: connect_close },
    Loop { name: "cargo build of a crate", turns: 1, slices: 1, turn: cargo_build },
];

fn main() {
    let mut args = std::env::args().skip(1).filter(|a| a != "--bench").peekable();
    if args.peek().map(String::as_str) == Some("loop") {
        return run_loops();
    }
    let rounds: usize = args.next().map_or(5, |n| n.parse().unwrap());
    let idle = Duration::from_secs(args.next().map_or(20, |n| n.parse().unwrap()));
    let asked: Vec<String> = args.collect();
    if !rustix::process::geteuid().is_root() {
        println!("skipped: needs root");
        return;
    }
    let (name, rules) = rules();
    println!("rules: {name}");
    if !idle.is_zero() {
        idle_cost(&rules, idle);
        cost_of_a_million(&rules);
    }
    println!(
        "\nus of processor time a turn, medians of all slices (and the fastest) of {rounds} interleaved rounds:"
    );
    println!(
        "{:<26} {:>20} {:>20} {:>20} {:>14} {:>9}",
        "loop", "bare", "an empty program", "with eyas", "ratio", "(fastest)"
    );
    for one in
        LOOPS.iter().filter(|one| asked.is_empty() || asked.iter().any(|asked| one.name.contains(&**asked)))
    {
        let mut looper = Looper::start();
        // What an agent has to do at its start is not what it costs while it watches; and what a processor has done just before
        // counts, so that the bare loop begins after the same rest.
        let mut time_rested = || {
            std::thread::sleep(Duration::from_secs(2));
            looper.time(one)
        };
        time_rested();
        let (mut bare, mut floor, mut watched) = (Vec::new(), Vec::new(), Vec::new());
        let mut ratios = Vec::new();
        for _ in 0..rounds {
            let empty = floor::hang();
            floor.extend(time_rested());
            drop(empty);
            let before = time_rested();
            let agent = Agent::start(&rules);
            let with = time_rested();
            agent.stop();
            let after = time_rested();
            let [[before_median, _], [with_median, _], [after_median, _]] =
                [&before, &with, &after].map(|slices| figures(slices.clone()));
            ratios.push(2.0 * with_median / (before_median + after_median));
            watched.extend(with);
            bare.extend(before.into_iter().chain(after));
        }
        let [bare, floor, watched] = [bare, floor, watched].map(figures);
        let text = |[median, fastest]: [f64; 2]| format!("{:.3} ({:.3})", median / 1e3, fastest / 1e3);
        let error = standard_error(&ratios);
        let [ratio, _] = figures(ratios);
        println!(
            "{:<26} {:>20} {:>20} {:>20} {:>14} {:>9}",
            one.name,
            text(bare),
            text(floor),
            text(watched),
            format!("{ratio:.3}x ±{error:.3}"),
            format!("({:.2}x)", watched[1] / bare[1])
        );
    }
}

/// Processor time and memory of an agent that has nothing to do but this machine's background.
fn idle_cost(rules: &[PathBuf], time: Duration) {
    let agent = Agent::start(rules);
    std::thread::sleep(Duration::from_secs(2));
    let before = agent.cpu_ticks();
    std::thread::sleep(time);
    let ticks = agent.cpu_ticks() - before;
    let (all, ring) = agent.rss_kib();
    println!(
        "idle for {} s: {:.2} % of one processor, {:.1} MiB resident, {:.1} MiB without the mapping of the ring",
        time.as_secs(),
        ticks as f64 / time.as_secs_f64(),
        all as f64 / 1024.0,
        (all - ring) as f64 / 1024.0,
    );
    println!("  ({})", agent.stop());
}

/// Processor time for a million openings that are sent, judged and recorded: of a file for writing, at what pace the loop has.
fn cost_of_a_million(rules: &[PathBuf]) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("written");
    let agent = Agent::start(rules);
    let before = agent.cpu_ticks();
    // In a process of its own, since the sensor's children are watched as others are.
    let loops = "for n in range(1000000): os.close(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT))";
    let status =
        Command::new("python3").arg("-c").arg(format!("import os, sys\n{loops}")).arg(&file).status();
    match status {
        Ok(status) => assert!(status.success()),
        Err(error) => return println!("a million openings: skipped, python3: {error}"),
    }
    std::thread::sleep(Duration::from_secs(1));
    let ticks = agent.cpu_ticks() - before;
    let (all, ring) = agent.rss_kib();
    println!(
        "a million openings for writing: {:.2} s of processor time, then {:.1} MiB resident without the ring",
        ticks as f64 / 100.0,
        (all - ring) as f64 / 1024.0
    );
    println!("  ({})", agent.stop());
}

/// The process that loops, the same one with and without the agent.
struct Looper {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Looper {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("loop")
            // cargo sets it, and every program that is executed would look for its libraries there first.
            .env_remove("LD_LIBRARY_PATH")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, answers }
    }

    /// The nanoseconds of a turn, slice by slice.
    fn time(&mut self, one: &Loop) -> Vec<f64> {
        writeln!(self.child.stdin.as_mut().unwrap(), "{}", one.name).unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.split_whitespace().map(|ns| ns.parse().unwrap()).collect()
    }
}

impl Drop for Looper {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

/// Reads the name of a loop a line, and prints the nanoseconds of a turn for each slice.
fn run_loops() {
    for name in std::io::stdin().lines() {
        let name = name.unwrap();
        let one = LOOPS.iter().find(|one| one.name == name).unwrap();
        let slice = || {
            let begin = cpu_time();
            for _ in 0..one.turns {
                (one.turn)();
            }
            (cpu_time() - begin) * 1e3 / f64::from(one.turns)
        };
        let slices: Vec<_> = (0..one.slices).map(|_| slice().to_string()).collect();
        println!("{}", slices.join(" "));
    }
}

/// Microseconds of processor time of this process and of its children that have ended.
fn cpu_time() -> f64 {
    let used = |who| {
        let mut usage = std::mem::MaybeUninit::<libc::rusage>::uninit();
        // SAFETY: the call fills the struct.
        let usage = unsafe {
            assert_eq!(libc::getrusage(who, usage.as_mut_ptr()), 0);
            usage.assume_init()
        };
        let time = |time: libc::timeval| time.tv_sec as f64 * 1e6 + time.tv_usec as f64;
        time(usage.ru_utime) + time(usage.ru_stime)
    };
    used(libc::RUSAGE_SELF) + used(libc::RUSAGE_CHILDREN)
}

fn open_hostname() {
    drop(std::fs::File::open("/etc/hostname").unwrap());
}

fn open_below_tmp() {
    static FILE: std::sync::LazyLock<tempfile::NamedTempFile> = std::sync::LazyLock::new(|| {
        tempfile::Builder::new().prefix("eyas-bench-").tempfile_in("/tmp").unwrap()
    });
    drop(std::fs::File::open(FILE.path()).unwrap());
}

fn getppid() {
    std::hint::black_box(rustix::process::getppid());
}

fn fork_exit() {
    // SAFETY: this process has one thread, and the child does nothing but end.
    unsafe {
        match libc::fork() {
            0 => libc::_exit(0),
            child => assert_eq!(libc::waitpid(child, std::ptr::null_mut(), 0), child),
        }
    }
}

/// As a shell does it: a child that has the parent's memory until it executes.
fn exec() {
    extern "C" fn child(_: *mut libc::c_void) -> libc::c_int {
        let argv = [c"true".as_ptr(), std::ptr::null()];
        // SAFETY: the texts end with a NUL and the arrays with a null; nobody else has the environment meanwhile.
        unsafe { libc::execve(c"/bin/true".as_ptr(), argv.as_ptr(), environ.cast()) };
        127
    }
    unsafe extern "C" {
        static environ: *const *const libc::c_char;
    }
    const STACK: usize = 16 << 10;
    let mut stack = Vec::<u128>::with_capacity(STACK / 16);
    let mut status = -1;
    // SAFETY: the child has the stack to itself, and this process waits until it has executed or ended.
    unsafe {
        let top = stack.as_mut_ptr().add(STACK / 16).cast();
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        let pid = libc::clone(child, top, flags, std::ptr::null_mut());
        assert_eq!(libc::waitpid(pid, &raw mut status, 0), pid);
    }
    assert_eq!(status, 0);
}

/// As the C library does it, with some 120 system calls more in the child, which look at what signals do.
fn spawn() {
    assert!(Command::new("/bin/true").status().unwrap().success());
}

fn connect_close() {
    static LISTENER: std::sync::LazyLock<TcpListener> =
        std::sync::LazyLock::new(|| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    let client = TcpStream::connect(LISTENER.local_addr().unwrap()).unwrap();
    drop(LISTENER.accept().unwrap());
    drop(client);
}

/// The crate of record layouts, which depends on no other, into a folder of its own.
fn cargo_build() {
    let dir = tempfile::tempdir().unwrap();
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--offline", "--release", "-p", "eyas-ebpf", "--target-dir"])
        .arg(dir.path())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(status.unwrap().success());
}

/// How sure their mean is.
fn standard_error(some: &[f64]) -> f64 {
    let number = some.len() as f64;
    let mean = some.iter().sum::<f64>() / number;
    let squares = some.iter().map(|one| (one - mean).powi(2)).sum::<f64>();
    (squares / (number - 1.0).max(1.0) / number).sqrt()
}

/// The median of all slices, and the fastest.
fn figures(mut slices: Vec<f64>) -> [f64; 2] {
    slices.sort_by(f64::total_cmp);
    [slices[slices.len() / 2], slices[0]]
}
