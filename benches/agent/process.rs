//! The agent that benches run: `eyas run --headless` with a store of its own, and the rules that it goes by.
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal};

/// Falco's three stock files, or where they are not at hand the shipped rules.
pub(crate) fn rules() -> (&'static str, Vec<PathBuf>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = std::env::var_os("EYAS_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let stock = ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"];
    if shared.is_dir() {
        ("stock", stock.map(|name| shared.join("falco/rules").join(name)).to_vec())
    } else {
        ("shipped", vec![root.join("rules/eyas.yaml")])
    }
}

/// A running `eyas run --headless` with a store of its own.
pub(crate) struct Agent {
    child: Own,
    said: BufReader<std::process::ChildStderr>,
    dir: tempfile::TempDir,
}

/// The process; a bench that ends early takes it along.
struct Own(Child);

impl Drop for Own {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Agent {
    /// One that watches.
    pub(crate) fn start(rules: &[PathBuf]) -> Self {
        let mut agent = Self::spawn(rules);
        agent.wait_until_it_watches();
        agent
    }

    /// One that has been started and may not watch yet.
    pub(crate) fn spawn(rules: &[PathBuf]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_eyas"))
            .args(["run", "--headless", "--node", "bench", "--store"])
            .arg(dir.path().join("eyas.db"))
            .args(rules.iter().flat_map(|file| [Path::new("-r"), file]))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        Self { child: Own(child), said, dir }
    }

    fn wait_until_it_watches(&mut self) {
        let mut line = String::new();
        while !line.contains("watching") {
            line.clear();
            assert!(self.said.read_line(&mut line).unwrap() > 0, "eyas ended before it watched");
        }
    }

    /// Its store.
    pub(crate) fn store(&self) -> PathBuf {
        self.dir.path().join("eyas.db")
    }

    /// Clock ticks of 10 ms of processor time that it has taken.
    pub(crate) fn cpu_ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.0.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    /// KiB that are resident, and how many of them are the mapping of the ring. It maps twice what the ring holds.
    pub(crate) fn rss_kib(&self) -> (u64, u64) {
        let maps = std::fs::read_to_string(format!("/proc/{}/smaps", self.child.0.id())).unwrap();
        let (mut all, mut ring, mut is_ring) = (0, 0, false);
        for line in maps.lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("Rss:") => {
                    let kib: u64 = words.next().unwrap().parse().unwrap();
                    all += kib;
                    ring += if is_ring { kib } else { 0 };
                }
                Some(range) if range.contains('-') => is_ring = line.contains("bpf-map"),
                _ => {}
            }
        }
        (all, ring)
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// Ends it, and gives its last line.
    pub(crate) fn stop(self) -> String {
        self.stop_and_keep().1
    }

    /// Ends it, and gives the directory of its store and its last line.
    pub(crate) fn stop_and_keep(mut self) -> (tempfile::TempDir, String) {
        rustix::process::kill_process(Pid::from_child(&self.child.0), Signal::TERM).unwrap();
        let last = self.said.lines().map_while(Result::ok).last().unwrap_or_default();
        assert!(self.child.0.wait().unwrap().success());
        (self.dir, last)
    }
}
