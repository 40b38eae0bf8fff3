//! How long after a syscall its alert is in the store, as another process sees it: idle, under a storm of forks and execs, under a
//! storm of openings on every processor; and how long after its start eyas has its first alert.
//!
//! Run as root: `cargo bench --bench latency [-- PLANTS]`. An attack is a reading of /etc/shadow; the next one comes when the one
//! before was found, or after two seconds. The reader looks five thousand times a second, which is part of the figures.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]

#[path = "agent/process.rs"]
#[expect(dead_code, reason = "the other bench asks for more")]
mod process;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use process::{Agent, rules};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

/// What an attack opens.
const ATTACKED: &str = "/etc/shadow";
/// An attack that is not found for so long is missed.
const MISSED: Duration = Duration::from_secs(2);
/// How often the reader looks.
const LOOK: Duration = Duration::from_micros(200);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    match args.next().as_deref() {
        Some("open-storm") => open_storm(),
        Some("exec-storm") => exec_storm(),
        plants => compare(plants.map_or(100, |plants| plants.parse().unwrap())).await,
    }
}

async fn compare(plants: usize) {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: needs root");
        return;
    }
    let (name, rules) = rules();
    println!("rules: {name}; {plants} attacks each, milliseconds from syscall to committed row:");
    println!("{:<34} {:>9} {:>7} {:>7} {:>7} {:>7}", "meanwhile", "found", "p50", "p90", "p99", "worst");
    let processors = std::thread::available_parallelism().unwrap().get();
    for (name, storm, how_many) in [
        ("nothing", "", 0),
        ("forks and execs", "exec-storm", 1),
        ("openings on every processor", "open-storm", processors),
    ] {
        let agent = Agent::start(&rules);
        let mut store = connect(&agent.store()).await;
        let storms: Vec<Storm> = (0..how_many).map(|_| Storm::start(storm)).collect();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut found = Vec::new();
        for n in 0..plants {
            // Not in step with anything that ticks.
            tokio::time::sleep(Duration::from_micros(20_000 + n as u64 * 7_919 % 10_000)).await;
            let before = own_alerts(&mut store).await;
            let begin = Instant::now();
            drop(std::fs::File::open(ATTACKED).unwrap());
            while begin.elapsed() < MISSED {
                if own_alerts(&mut store).await > before {
                    found.push(begin.elapsed().as_secs_f64() * 1e3);
                    break;
                }
                tokio::time::sleep(LOOK).await;
            }
        }
        drop(storms);
        store.close().await.unwrap();
        let last = agent.stop();
        found.sort_by(f64::total_cmp);
        let at = |share: f64| {
            found.get(((found.len() as f64 - 1.0) * share).round() as usize).unwrap_or(&f64::NAN)
        };
        println!(
            "{name:<34} {:>4} of {plants} {:>6.1} {:>7.1} {:>7.1} {:>7.1}   ({last})",
            found.len(),
            at(0.5),
            at(0.9),
            at(0.99),
            at(1.0)
        );
    }
    let mut first = Vec::new();
    for _ in 0..5 {
        first.push(first_alert(&rules).await);
    }
    first.sort_by(f64::total_cmp);
    println!("from start to first alert, five starts: {first:.0?} ms");
}

/// Milliseconds from the start of eyas to the first committed alert, while this process attacks every two milliseconds.
async fn first_alert(rules: &[std::path::PathBuf]) -> f64 {
    let begin = Instant::now();
    let agent = Agent::spawn(rules);
    let path = agent.store();
    let mut store = None;
    let took = loop {
        assert!(begin.elapsed() < Duration::from_secs(20), "no alert");
        drop(std::fs::File::open(ATTACKED).unwrap());
        if store.is_none() && path.exists() {
            // It may not have its tables yet.
            store = SqliteConnectOptions::new().filename(&path).read_only(true).connect().await.ok();
        }
        if let Some(store) = &mut store
            && count(store).await.is_ok_and(|alerts| alerts > 0)
        {
            break begin.elapsed();
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    drop(store);
    agent.stop();
    took.as_secs_f64() * 1e3
}

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).read_only(true).connect().await.unwrap()
}

/// Alerts of this process so far.
async fn own_alerts(store: &mut SqliteConnection) -> i64 {
    count(store).await.unwrap()
}

async fn count(store: &mut SqliteConnection) -> sqlx::Result<i64> {
    let pid = i64::from(std::process::id());
    sqlx::query_scalar("SELECT count(*) FROM alerts WHERE pid = ? AND message LIKE '%/etc/shadow%'")
        .bind(pid)
        .fetch_one(store)
        .await
}

/// A process that keeps the machine busy until it is dropped.
struct Storm(Child);

impl Storm {
    fn start(what: &str) -> Self {
        Self(Command::new(std::env::current_exe().unwrap()).arg(what).stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn open_storm() {
    loop {
        drop(std::fs::File::open("/etc/hostname").unwrap());
    }
}

fn exec_storm() {
    loop {
        assert!(Command::new("/bin/true").status().unwrap().success());
    }
}
