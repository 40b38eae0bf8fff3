//! Whether the agent bears a long day: `stress-ng` makes processes, opens files and connects sockets for so many seconds, and a loop
//! of our own executes programs, which `stress-ng` refuses to do as root; memory is watched, and at the end the processes that the recording knows are held against `/proc`.
//!
//! Run as root: `cargo bench --bench soak [-- SECONDS]`. It needs `stress-ng`.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]

#[path = "agent/process.rs"]
#[expect(dead_code, reason = "the other benches ask for more")]
mod process;

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use eyas_ebpf::records;
use eyas_enrich::{Enrich, SilentHost};
use eyas_event::Loss;
use eyas_store::{BlockingReader, Store, StoredLoss};
use process::{Agent, rules};

/// Workers by kind, each at a pace that leaves the machine something: what a busy build host does in a day, in an hour.
const MIX: [&str; 6] = ["--fork", "1", "--open", "1", "--sock", "1"];

/// Looks at the memory for each line: a keyframe of the recording, which comes every three minutes, takes some for a moment.
const LOOKS: u32 = 40;

fn main() {
    let seconds = std::env::args().skip(1).find(|arg| arg != "--bench");
    if seconds.as_deref() == Some("execs") {
        loop {
            assert!(Command::new("/bin/true").status().unwrap().success());
        }
    }
    let time = Duration::from_secs(seconds.map_or(60, |seconds| seconds.parse().unwrap()));
    if !rustix::process::geteuid().is_root() {
        println!("skipped: needs root");
        return;
    }
    let (name, rules) = rules();
    let agent = Agent::start(&rules);
    let timeout = format!("{}s", time.as_secs());
    let files = tempfile::tempdir().unwrap();
    let stress = Command::new("nice")
        .args(["-n", "19", "stress-ng", "--quiet", "--metrics-brief", "--timeout", &timeout])
        .args(MIX)
        .arg("--temp-path")
        .arg(files.path())
        .current_dir(files.path())
        .stdin(Stdio::null())
        .spawn();
    let mut stress = stress.unwrap();
    let own = std::env::current_exe().unwrap();
    let mut execs = Command::new("nice").args(["-n", "19"]).arg(own).arg("execs").spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    if let Some(status) = stress.try_wait().unwrap() {
        println!("skipped: stress-ng ended at once ({status})");
        execs.kill().unwrap();
        execs.wait().unwrap();
        return;
    }
    println!(
        "rules: {name}; resident MiB without the ring (least, median, most), and seconds of processor time:"
    );
    let (begin, begin_wall) = (Instant::now(), SystemTime::now());
    let every = time / 20;
    while stress.try_wait().unwrap().is_none() {
        let mut resident: Vec<f64> = (0..LOOKS)
            .map(|_| {
                std::thread::sleep(every / LOOKS);
                let (all, ring) = agent.rss_kib();
                (all - ring) as f64 / 1024.0
            })
            .collect();
        resident.sort_by(f64::total_cmp);
        println!(
            "{:>6} s  {:>6.1} {:>6.1} {:>6.1}  {:>8.2}",
            begin.elapsed().as_secs(),
            resident[0],
            resident[resident.len() / 2],
            resident[resident.len() - 1],
            agent.cpu_ticks() as f64 / 100.0
        );
    }
    execs.kill().unwrap();
    execs.wait().unwrap();
    // What ended last is told, and the recording holds it.
    std::thread::sleep(Duration::from_secs(2));
    let own = agent.pid();
    let before = pids();
    let (store, said) = agent.stop_and_keep();
    let after = pids();
    println!("{said}");
    let reader = Store::open_read(store.path().join("eyas.db")).unwrap().blocking();
    tell_losses(&reader, begin_wall);
    let known = recorded(&reader);
    let still: BTreeSet<u32> = before.intersection(&after).copied().filter(|pid| *pid != own).collect();
    let missing: Vec<_> = still.difference(&known).collect();
    let ever: BTreeSet<u32> = before.union(&after).copied().collect();
    let extra: Vec<_> = known.difference(&ever).collect();
    println!(
        "{} processes of /proc, {} of the recording; unknown to it: {missing:?}; known to it alone: {extra:?}",
        still.len(),
        known.len()
    );
}

/// The processes of /proc.
fn pids() -> BTreeSet<u32> {
    let entries = std::fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok()).collect()
}

/// Prints what was lost: second of the run, length of the span, how much of what.
fn tell_losses(reader: &BlockingReader, begin: SystemTime) {
    let begin = begin.duration_since(UNIX_EPOCH).unwrap();
    let mut spans = BTreeMap::<_, Vec<_>>::new();
    for StoredLoss { loss, from_wall, to_wall, .. } in reader.losses().unwrap() {
        spans.entry((from_wall, to_wall)).or_default().push(loss);
    }
    for ((from, to), losses) in spans {
        let at = Duration::from_nanos(from.0).saturating_sub(begin).as_secs_f64();
        let took = Duration::from_nanos(to.0.saturating_sub(from.0));
        println!(
            "{at:>8.1} s, for {took:.0?}: {} records",
            losses.iter().map(|loss| loss.count).sum::<u64>()
        );
        for Loss { lost, cause, by, count, .. } in losses {
            let maker = by.process.map(|maker| String::from_utf8_lossy(maker.name()).into_owned());
            println!("          {count} of {lost:?} ({cause:?}), processor {:?}, by {maker:?}", by.cpu);
        }
    }
}

/// The processes that run at the end of the recording.
fn recorded(reader: &BlockingReader) -> BTreeSet<u32> {
    let mut enrich = Enrich::new(SilentHost);
    for segment in reader.segments() {
        let (_, raw) = segment.unwrap();
        for (_, record) in records(&raw) {
            enrich.fold(&record.unwrap(), &mut Vec::new(), &mut |_| {});
        }
    }
    enrich.table().running().iter().map(|process| process.key.pid).collect()
}
