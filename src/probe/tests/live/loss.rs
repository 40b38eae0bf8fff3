//! Nothing is lost at a pace that programs start at; and what must be lost is counted.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use eyas_ebpf::{Body, Kind};
use eyas_event::{EventSet, EventType, Interest, Loss, LossCause, Lost, Source};
use eyas_probe::{ProbeOptions, Totals};

use crate::actor::play;
use crate::watch::{Watch, bodies, calls, execs, opens, watch, watch_with};

#[test]
fn two_thousand_programs_in_a_row_are_all_there() {
    const COUNT: u32 = 2000;
    let Some(mut watch) = watch() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut child = play("chain", dir.path(), &COUNT.to_string());
    watch.until_exit(child.id());
    assert!(child.wait().unwrap().success());

    let mut numbers = HashSet::new();
    for (_, body) in bodies(&watch.bytes) {
        if let Body::Exec(exec) = body
            && exec.fixed.ppid == child.id()
        {
            let argv = exec.argv.strip_prefix(b"/bin/true\0").unwrap().strip_suffix(b"\0").unwrap();
            let number: u32 = std::str::from_utf8(argv).unwrap().parse().unwrap();
            assert!(numbers.insert(number), "{number} came twice");
        }
    }
    assert_eq!(numbers, (0..COUNT).collect());
    let totals = watch.probe.totals().unwrap();
    assert_eq!((totals.lost, totals.missing, totals.malformed), (0, 0, 0));
}

#[test]
fn what_a_stopped_reader_misses_is_counted_by_kind() {
    let options = ProbeOptions { ring_bytes: 1 << 16, ..ProbeOptions::default() };
    let Some(mut watch) = watch_with(&options) else { return };
    let dir = tempfile::tempdir().unwrap();
    // Nobody reads until all of it has happened: the ring holds a few hundred opens.
    assert!(play("open-often", dir.path(), "5000").wait().unwrap().success());
    let mut last = watch.probe.totals().unwrap();
    loop {
        watch.take(Duration::from_millis(50));
        let totals = watch.probe.totals().unwrap();
        // Until the rest of the machine is quiet too for a moment.
        if totals.attempted == last.attempted && totals.attempted == totals.received + totals.lost {
            break;
        }
        last = totals;
    }
    let totals = watch.probe.totals().unwrap();
    assert!(totals.lost > 4000, "{totals:?}");
    // The numbers have holes for all that was lost, but for what came after the last record of a processor.
    assert!(totals.missing <= totals.lost, "{totals:?}");
    assert_eq!(totals.received, bodies(&watch.bytes).count() as u64);

    let mut losses = Vec::new();
    // No record came after those that were lost, so no number tells of them: the counters do, within 50 ms.
    std::thread::sleep(Duration::from_millis(60));
    watch.probe.losses(&mut losses);
    let told: u64 = losses.iter().map(|loss| loss.count).sum();
    assert!(told >= totals.lost, "{told} of {totals:?}");
    let open = Lost::Records(Kind::Open.number());
    let opens: Vec<_> = losses.iter().filter(|loss| loss.lost == open).collect();
    assert!(opens.iter().map(|loss| loss.count).sum::<u64>() > 4000);
    assert!(opens.iter().all(|loss| loss.from < loss.to));
    for loss in &losses {
        assert_eq!(loss.cause, LossCause::RingFull, "{loss:?}");
    }
    losses.clear();
    // What goes on is told ten times a second. The ring is still full, so more is lost meanwhile; but nothing is told twice.
    std::thread::sleep(Duration::from_millis(110));
    watch.probe.losses(&mut losses);
    let again: u64 = losses.iter().map(|loss| loss.count).sum();
    let lost = watch.probe.totals().unwrap().lost;
    assert!(told + again <= lost, "{told} and {again} told of {lost}");
}

#[test]
fn what_nobody_came_to_is_a_loss_at_the_end() {
    const OFTEN: u64 = 300;
    let Some(mut watch) = watch() else { return };
    let dir = tempfile::tempdir().unwrap();
    let child = {
        let mut child = play("open-often", dir.path(), &OFTEN.to_string());
        assert!(child.wait().unwrap().success());
        child.id()
    };
    let (before, mut losses) = (watch.probe.totals().unwrap(), Vec::new());
    watch.probe.last_losses(&mut losses);
    assert_eq!(before.lost, 0);
    assert!(losses.iter().all(|loss| loss.cause == LossCause::Stopped && loss.from <= loss.to));
    let told: u64 = losses.iter().map(|loss| loss.count).sum();
    assert!(told >= before.attempted - before.received, "{told} of {before:?}");
    let is_ours = |loss: &&Loss| {
        loss.lost == Lost::Records(Kind::Open.number())
            && loss.by.process.is_some_and(|process| process.key.pid == child)
    };
    assert!(losses.iter().filter(is_ours).map(|loss| loss.count).sum::<u64>() >= OFTEN, "{losses:?}");
    losses.clear();
    watch.probe.last_losses(&mut losses);
    assert!(!losses.iter().any(|loss| is_ours(&loss)), "told twice: {losses:?}");
}

/// What three processes make, what comes and what the losses say is the same number: by kind, by processor and by process.
#[test]
fn what_was_made_is_what_came_and_what_was_lost() {
    const OFTEN: u64 = 5000;
    const CHDIR: u16 = 80;
    let options = ProbeOptions { ring_bytes: 1 << 16, ..ProbeOptions::default() };
    let Some(mut watch) = watch_with(&options) else { return };
    let dir = tempfile::tempdir().unwrap();
    let scenes = ["chdir-often", "chdir-often", "open-often"];
    let mut children = scenes.map(|scene| play(scene, dir.path(), &OFTEN.to_string()));
    let mut losses = Vec::new();
    // A part is lost while somebody reads, but too slowly.
    for child in &mut children {
        while child.try_wait().unwrap().is_none() {
            watch.take(Duration::from_millis(1));
            watch.probe.losses(&mut losses);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    let totals = until_each_processor_is_heard(&mut watch, dir.path(), &mut losses);
    let lost = |of: &dyn Fn(&Loss) -> bool| -> u64 {
        losses.iter().filter(|loss| of(loss)).map(|loss| loss.count).sum()
    };
    assert!(totals.lost > 5000, "{totals:?}");
    assert_eq!(lost(&|_| true), totals.lost, "{losses:?}");
    assert!(losses.iter().all(|loss| loss.cause == LossCause::RingFull && loss.from < loss.to));

    let made_by = |loss: &Loss, pid: u32| loss.by.process.is_some_and(|process| process.key.pid == pid);
    for child in &children[..2] {
        let came = calls(&watch.bytes, child.id());
        let came = came.iter().filter(|(_, call)| call.fixed.syscall == u32::from(CHDIR)).count() as u64;
        let lost = lost(&|loss| made_by(loss, child.id()) && loss.lost == Lost::Calls(CHDIR));
        // And the one that goes into the test's directory before the program is run.
        assert_eq!(came + lost, OFTEN + 1);
        assert!(lost > 0);
    }
    let open = Lost::Records(Kind::Open.number());
    let opener = children[2].id();
    let came = opens(&watch.bytes, opener).len() as u64;
    let lost_opens = lost(&|loss| made_by(loss, opener) && loss.lost == open);
    assert!((OFTEN..OFTEN + 500).contains(&(came + lost_opens)), "{came} came, {lost_opens} were lost");
    let name = |loss: &Loss| loss.by.process.map(|process| process.name().to_vec());
    // Before it ran the program it had the name of the test's thread.
    let own = losses.iter().find(|loss| made_by(loss, opener) && loss.lost == open).and_then(name).unwrap();
    assert!(std::env::current_exe().unwrap().file_name().unwrap().as_encoded_bytes().starts_with(&own));

    // The last record of a processor has the number of all that were made on it.
    let (mut made, mut came) = (BTreeMap::<u16, u64>::new(), BTreeMap::<u16, u64>::new());
    for (head, _) in bodies(&watch.bytes) {
        let cpu = head.cpu as u16;
        made.entry(cpu).and_modify(|made| *made = head.seq.max(*made)).or_insert(head.seq);
        *came.entry(cpu).or_default() += 1;
    }
    for (cpu, made) in made {
        assert_eq!(made, came[&cpu] + lost(&|loss| loss.by.cpu == Some(cpu)), "on processor {cpu}");
    }
}

/// Takes what comes until the last thing that each processor made has come, and gives the totals of that moment, for which all
/// losses are told. The rest of the machine, other tests among it, may fill the small ring again and again, so it goes on until a
/// quiet moment comes.
fn until_each_processor_is_heard(watch: &mut Watch, place: &Path, losses: &mut Vec<Loss>) -> Totals {
    for _ in 0..1000 {
        // So long losses that go on are held back.
        let held_back = Instant::now() + Duration::from_millis(110);
        while Instant::now() < held_back {
            watch.take(Duration::from_millis(5));
        }
        let from = watch.bytes.len();
        let mut last = play("on-each-cpu", place, "");
        let status = loop {
            match last.try_wait().unwrap() {
                Some(status) => break status,
                None => watch.take(Duration::from_millis(1)),
            }
        };
        assert!(status.success());
        watch.take(Duration::from_millis(5));
        let before = watch.probe.totals().unwrap();
        watch.probe.losses(losses);
        let totals = watch.probe.totals().unwrap();
        // Each processor's last number is that of all that it made.
        let mut made = BTreeMap::new();
        for (head, _) in bodies(&watch.bytes[from..]) {
            made.insert(head.cpu, head.seq);
        }
        let all = totals.attempted == totals.received + totals.lost && before.lost == totals.lost;
        if all && made.values().sum::<u64>() == totals.attempted {
            return totals;
        }
    }
    panic!("no quiet moment came, or the counts never met: {:?}", watch.probe.totals());
}

#[test]
fn opens_that_nobody_is_interested_in_are_not_sent() {
    let Some(mut watch) = watch() else { return };
    let mut cat = |interest: &Interest| {
        watch.probe.set_interest(interest).unwrap();
        let mut child = Command::new("/bin/cat").arg("/etc/hostname").stdout(Stdio::null()).spawn().unwrap();
        watch.until_exit(child.id());
        child.wait().unwrap();
        (execs(&watch.bytes, child.id()).len(), opens(&watch.bytes, child.id()).len())
    };
    let (all, none) = (Interest::everything(), Interest::of(EventSet::empty()));
    assert!(matches!(cat(&all), (1, 1..)));
    assert_eq!(cat(&none), (1, 0));
    let files = Interest::of([EventType::OPENAT].into_iter().collect());
    assert!(matches!(cat(&files), (1, 1..)));
}
