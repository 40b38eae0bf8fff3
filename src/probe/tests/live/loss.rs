//! Nothing is lost at a pace that programs start at; and what must be lost is counted.

use std::collections::HashSet;
use std::process::{Command, Stdio};
use std::time::Duration;

use eyas_ebpf::{Body, Kind};
use eyas_event::{EventSet, EventType, Interest, LossCause, Lost, Source};
use eyas_probe::ProbeOptions;

use crate::actor::play;
use crate::watch::{bodies, execs, opens, watch, watch_with};

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
    watch.probe.losses(&mut losses);
    let told: u64 = losses.iter().map(|loss| loss.count).sum();
    assert!(told >= totals.lost);
    let opens = losses.iter().find(|loss| loss.lost == Lost::Records(Kind::Open.number())).unwrap();
    assert_eq!(opens.cause, LossCause::RingFull);
    assert!(opens.count > 4000 && opens.from < opens.to);
    for loss in &losses {
        assert_eq!(loss.cause, LossCause::RingFull, "{loss:?}");
    }
    losses.clear();
    watch.probe.losses(&mut losses);
    assert!(losses.iter().map(|loss| loss.count).sum::<u64>() < 100, "told twice: {losses:?}");
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
