//! Whether the whole agent (`eyas run --headless`, Falco's three stock files, recording on, its own store) loses anything, and
//! whether what it loses is counted: (a) two full-speed loops on a file that no rule can match; (b) a loop on a watched file at
//! 200,000 a second; (c) two at full speed, with the agent stopped for five seconds in between.
//!
//! Run as root on a quiet machine: `cargo bench --bench flood [-- SECONDS [a|b|c]…]`. The loops count the pairs of open and close
//! that they made; what came is counted in the recording, what was lost in the store. It ends with 1 when the three do not
//! agree. Without the stock files beside the repository (or in `EYAS_SHARED`) it goes by one rule of its own. The shipped rules
//! will not do: they have some on `fd.realpath`, so that the sensor has to send every opening for reading.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::process::{Pid, Signal};
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

/// A program that the stock rules let read `/etc/shadow`. They exclude names, which the kernel half does not, so each
/// opening is sent and judged.
const TRUSTED: &str = "vipw";
const WATCHED: &str = "/etc/shadow";
/// Reads of the watched file but by the trusted program, as the stock rules have it.
const OWN_RULE: &str = "\
- rule: Accounts read
  desc: Somebody read the passwords of accounts.
  condition: >
    evt.type in (open, openat, openat2) and evt.is_open_read = true and fd.name = /etc/shadow
    and not proc.name in (vipw, su)
  output: Accounts read (process=%proc.name)
  priority: WARNING
";
const PACE: u32 = 200_000;
/// The paced loop makes its pairs in slices of a millisecond.
const SLICES: u32 = 1_000;
const STOPPED: Duration = Duration::from_secs(5);
/// Other programs may lose at most so much beside.
const OTHERS: u64 = 20_000;
/// Number of an opening's record, as kind in a recording and as what was lost in the store.
const OPEN: u16 = 5;

fn main() {
    let mut args = std::env::args().skip(1).filter(|a| a != "--bench").peekable();
    if args.peek().map(String::as_str) == Some("loop") {
        let args: Vec<String> = args.collect();
        return run_loop(&args[1], &args[2], &args[3]);
    }
    let seconds: u64 = args.next().map_or(30, |n| n.parse().unwrap());
    let which: Vec<String> = args.collect();
    if !rustix::process::geteuid().is_root() {
        println!("skipped: needs root");
        return;
    }
    let scene = Scene::set(Duration::from_secs(seconds));
    let wanted = |name: &str| which.is_empty() || which.iter().any(|w| w == name);
    let mut holds = true;
    if wanted("a") {
        let seen = scene.play(
            "a: two full-speed loops on a file that no rule can match",
            &scene.unwatched,
            0,
            2,
            None,
        );
        holds &= seen.received == 0 && seen.lost == 0;
    }
    if wanted("b") {
        let seen = scene.play("b: one loop on /etc/shadow, 200,000 a second", WATCHED, PACE, 1, None);
        holds &= seen.lost == 0 && seen.received == seen.made && seen.all_lost == 0;
    }
    if wanted("c") {
        let stop = Some(scene.time.div_f64(3.0));
        let seen = scene.play("c: two full-speed loops, eyas stopped for 5 s", WATCHED, 0, 2, stop);
        // What was judged and then found no room in the recording is counted, and not by process; some of it, and of what the ring
        // lost, is of other programs.
        let gap = seen.made - seen.received - seen.lost;
        let more = seen.all_lost - seen.lost;
        holds &= gap <= more && more - gap <= OTHERS && (seen.rows > 0 || seen.lost == 0);
    }
    println!("\n{}", if holds { "all of it holds" } else { "NOT all of it holds" });
    if !holds {
        std::process::exit(1);
    }
}

/// What all three need.
struct Scene {
    time: Duration,
    rules: Vec<PathBuf>,
    /// This program under a trusted name.
    looper: PathBuf,
    unwatched: String,
    _dir: tempfile::TempDir,
}

/// What was counted.
#[derive(Default)]
struct Seen {
    /// Pairs that the loops made.
    made: u64,
    /// Their records in the recording.
    received: u64,
    /// Their records that the store says were lost, and in how many rows.
    lost: u64,
    rows: u64,
    /// All that the store says was lost.
    all_lost: u64,
}

impl Scene {
    fn set(time: Duration) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = std::env::var_os("EYAS_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
        let dir = tempfile::tempdir().unwrap();
        let stock = ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"]
            .map(|name| folder.join("falco/rules").join(name));
        let rules = if stock.iter().all(|file| file.is_file()) {
            println!("rules: Falco's three stock files");
            stock.to_vec()
        } else {
            println!("rules: one of its own, since Falco's stock files are not at hand");
            let own = dir.path().join("rules.yaml");
            std::fs::write(&own, OWN_RULE).unwrap();
            vec![own]
        };
        let looper = dir.path().join(TRUSTED);
        std::fs::copy(std::env::current_exe().unwrap(), &looper).unwrap();
        let unwatched = dir.path().join("unwatched");
        std::fs::write(&unwatched, "nothing").unwrap();
        Self { time, rules, looper, unwatched: unwatched.to_str().unwrap().to_owned(), _dir: dir }
    }

    fn play(&self, name: &str, path: &str, pace: u32, loops: u32, stop_after: Option<Duration>) -> Seen {
        let agent = Agent::start(&self.rules);
        let cpu = cpu_seconds(agent.child.id());
        let begun = Instant::now();
        let seconds = self.time.as_secs().to_string();
        let children: Vec<Child> = (0..loops)
            .map(|_| {
                let mut command = Command::new(&self.looper);
                command.args(["loop", path, &pace.to_string(), &seconds]).stdout(Stdio::piped());
                command.spawn().unwrap()
            })
            .collect();
        let pids: Vec<u32> = children.iter().map(Child::id).collect();
        if let Some(after) = stop_after {
            let pid = Pid::from_child(&agent.child);
            sleep(after);
            rustix::process::kill_process(pid, Signal::STOP).unwrap();
            sleep(STOPPED);
            rustix::process::kill_process(pid, Signal::CONT).unwrap();
        }
        let mut seen = Seen::default();
        for child in children {
            let out = child.wait_with_output().unwrap();
            seen.made += String::from_utf8(out.stdout).unwrap().trim().parse::<u64>().unwrap();
        }
        let elapsed = begun.elapsed().as_secs_f64();
        // What lies in the ring is judged before the end.
        let cpu = cpu_seconds(agent.child.id()) - cpu;
        let (said, dir) = agent.stop();
        count(&dir.path().join("eyas.db"), &pids, path, &mut seen);
        let Seen { made, received, lost, rows, all_lost } = seen;
        println!("\n{name}, {:.0} s", self.time.as_secs_f64());
        println!(
            "  made {made} ({:.0}/s), received {received}, lost {lost} in {rows} rows of the store",
            made as f64 / elapsed
        );
        println!("  made - received - lost = {}", made.cast_signed() - (received + lost).cast_signed());
        println!("  lost of any process and kind, or judged and not recorded: {all_lost}");
        println!("  eyas: {cpu:.2} s of processor time");
        for line in &said {
            println!("  | {line}");
        }
        seen
    }
}

/// Counts in the store what came of these processes' openings of a path, and what was lost.
fn count(store: &Path, pids: &[u32], path: &str, seen: &mut Seen) {
    let file = Path::new(path).file_name().unwrap().as_encoded_bytes().to_vec();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(store).read_only(true);
        let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
        let losses: Vec<(i64, Option<i64>, i64)> =
            sqlx::query_as("SELECT lost, pid, count FROM losses").fetch_all(&mut conn).await.unwrap();
        for (lost, pid, count) in losses {
            seen.all_lost += count.cast_unsigned();
            if lost == i64::from(OPEN) && pid.is_some_and(|pid| pids.iter().any(|own| i64::from(*own) == pid))
            {
                seen.lost += count.cast_unsigned();
                seen.rows += 1;
            }
        }
        let ids: Vec<(i64,)> = sqlx::query_as("SELECT segment FROM segment_data ORDER BY segment")
            .fetch_all(&mut conn)
            .await
            .unwrap();
        for (id,) in ids {
            let (data,): (Vec<u8>,) = sqlx::query_as("SELECT data FROM segment_data WHERE segment = ?")
                .bind(id)
                .fetch_one(&mut conn)
                .await
                .unwrap();
            let raw = zstd::decode_all(&*data).unwrap();
            let mut rest = &*raw;
            while let Some((record, after)) = record(rest) {
                rest = after;
                let kind = u16::from_le_bytes(record[4..6].try_into().unwrap());
                let tgid = u32::from_le_bytes(record[16..20].try_into().unwrap());
                let of_file = || record.windows(file.len()).any(|bytes| bytes == file);
                if kind == OPEN && pids.contains(&tgid) && of_file() {
                    seen.received += 1;
                }
            }
        }
    });
}

/// One record off the front: its length stands at its begin.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = u32::from_le_bytes(bytes.get(..4)?.try_into().unwrap()) as usize;
    Some(bytes.split_at(len))
}

/// A running `eyas run --headless` with a store of its own.
struct Agent {
    child: Child,
    said: BufReader<ChildStderr>,
    dir: tempfile::TempDir,
}

impl Agent {
    fn start(rules: &[PathBuf]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_eyas"));
        command.args(["run", "--headless", "--node", "bench", "--store"]).arg(dir.path().join("eyas.db"));
        for file in rules {
            command.arg("-r").arg(file);
        }
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("watching") {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "eyas ended before it watched");
        }
        Self { child, said, dir }
    }

    /// Ends it, and gives what it said.
    fn stop(mut self) -> (Vec<String>, tempfile::TempDir) {
        rustix::process::kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let said = self.said.lines().map_while(Result::ok).collect();
        assert!(self.child.wait().unwrap().success());
        (said, self.dir)
    }
}

fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()) as f64 / 100.0
}

/// Opens and closes a path for some seconds, at full speed where the pace is 0, and prints how often.
fn run_loop(path: &str, pace: &str, seconds: &str) {
    let (pace, seconds): (u32, u64) = (pace.parse().unwrap(), seconds.parse().unwrap());
    let (begun, mut made) = (Instant::now(), 0_u64);
    let time = Duration::from_secs(seconds);
    let pair =
        || drop(rustix::fs::openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).unwrap());
    while begun.elapsed() < time {
        let slice = if pace == 0 { 1_000 } else { pace / SLICES };
        for _ in 0..slice {
            pair();
        }
        made += u64::from(slice);
        if pace > 0 {
            let due = Duration::from_secs_f64(made as f64 / f64::from(pace));
            sleep(due.saturating_sub(begun.elapsed()));
        }
    }
    println!("{made}");
}
