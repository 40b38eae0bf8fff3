//! One store, one writer, and a run that ends in order; what is not a store is refused and left alone.

use std::time::{Duration, Instant};

use sqlx::Row;

use crate::support::{Agent, Database, Place, alone, eyas, field, has_sensor, run, wall_ns};

/// A loss's cause in the store: eyas was not running.
const NOT_RUNNING: i64 = 3;
/// How long opening a store takes at most, with the machine busy.
const OPENING_NS: u64 = 300_000_000;

#[test]
fn a_second_writer_is_refused_with_the_pid_of_the_first() {
    if !has_sensor("a second writer is refused") {
        return;
    }
    let place = Place::new();
    let first = place.watch::<&str>([]);
    let second = run(place.eyas().args(["run", "--headless"])).ended(2);
    let holder = format!("process {}", first.pid());
    assert!(second.err().contains(&holder), "{holder} is not in: {}", second.err());
    assert!(second.err().contains("eyas alerts"), "what to type instead: {}", second.err());
    assert_eq!(second.out(), "");

    // Reading goes on beside the writer.
    run(place.eyas().args(["alerts", "--json"])).ended(0);
    assert_eq!(first.stop().code, Some(0));

    // The lock goes with its holder.
    assert_eq!(place.watch::<&str>([]).stop().code, Some(0));
}

#[test]
fn sigterm_ends_a_run_in_order_and_only_the_pause_is_a_gap() {
    if !has_sensor("SIGTERM ends a run in order") {
        return;
    }
    let _alone = alone();
    let place = Place::new();
    let first = place.watch::<&str>([]);
    std::thread::sleep(Duration::from_millis(700));
    let asked = wall_ns();
    let begun = Instant::now();
    let ended = first.stop();
    assert_eq!(ended.code, Some(0));
    println!("SIGTERM to the end: {:?}; {}", begun.elapsed(), ended.last_words());
    assert!(begun.elapsed() < Duration::from_secs(20), "it took {:?}", begun.elapsed());
    let gone = wall_ns();
    std::thread::sleep(Duration::from_millis(600));
    let started = wall_ns();
    let second = place.watch::<&str>([]);
    let watching = wall_ns();
    assert_eq!(second.stop().code, Some(0));

    let mut database = Database::open(&place.store());
    let runs: Vec<(u64, u64)> = database
        .rows("SELECT started_wall, ended_wall FROM runs ORDER BY id")
        .iter()
        .map(|row| (row.get::<i64, _>(0) as u64, row.get::<Option<i64>, _>(1).expect("it has ended") as u64))
        .collect();
    assert_eq!(runs.len(), 2);
    let (end, late) = (runs[0].1, runs[0].1 as i64 - asked as i64);
    // The store's clock goes by the moment before it was opened, so it may be behind by as long as that took.
    let asked = asked - OPENING_NS;
    assert!(
        (asked..=gone).contains(&end),
        "the end is noted {late} ns after SIGTERM, which took {} ns",
        gone - asked
    );
    let gaps: Vec<(u64, u64)> = database
        .rows("SELECT cause, from_wall, to_wall FROM losses ORDER BY id")
        .iter()
        .filter(|row| row.get::<i64, _>(0) == NOT_RUNNING)
        .map(|row| (row.get::<i64, _>(1) as u64, row.get::<i64, _>(2) as u64))
        .collect();
    let [(from, to)] = gaps[..] else { panic!("one gap was expected: {gaps:?}") };
    println!("the gap: {} ms, without eyas: {} ms", (to - from) / 1_000_000, (started - gone) / 1_000_000);
    assert!(from >= asked && from <= gone && to >= started && to <= watching, "the gap is the pause");
}

#[test]
fn alerts_are_followed_while_they_come() {
    if !has_sensor("alerts are followed") {
        return;
    }
    let place = Place::new();
    let rules = place.write("rules.yaml", &place.open_rule("Marked file opened", "marked"));
    let agent = place.watch(["-r".as_ref(), rules.as_os_str()]);
    // A sensor of the whole machine may lose a record when others are loud, so each act is done until it is seen.
    let opened = |name: &str| {
        agent.alert_on(name, || drop(place.write(name, "")), |a| field(a, "fd.name").ends_with(name))
    };
    opened("marked-1");
    let follower = Agent::spawn(place.eyas().args([
        "alerts",
        "--json",
        "--follow",
        "--where",
        "fd.name contains marked-",
    ]));
    follower.alert("what was there before", |a| field(a, "fd.name").ends_with("marked-1"));
    let (_, live) = opened("marked-2");
    let (_, followed) = follower.alert("the second, followed", |a| field(a, "fd.name").ends_with("marked-2"));
    assert_eq!(live.text, followed.text, "the same line from the store");
    let took = followed.at.saturating_duration_since(live.at);
    println!("followed {took:?} after it was printed live");
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(agent.stop().code, Some(0));
    follower.kill();
}

#[test]
fn what_is_no_store_is_refused_and_left_as_it_is() {
    let place = Place::new();
    let text = place.write("text.db", "this is no store, it is a letter to a friend\n".repeat(100).as_str());
    let empty = place.path("missing.db");
    for command in ["alerts", "events", "replay"] {
        for (store, why) in [(&text, "SQLite"), (&empty, "missing.db")] {
            let mut eyas = eyas();
            if command == "alerts" {
                eyas.arg("--store").arg(store).arg(command);
            } else {
                eyas.arg(command).arg(store);
            }
            let ran = run(&mut eyas).ended(2);
            let said = ran.err();
            assert!(said.contains(store.to_str().unwrap()) && said.contains(why), "{command}: {said}");
            assert!(!said.contains("panicked"), "{said}");
            assert_eq!(ran.out(), "");
        }
    }
    assert!(!empty.exists(), "asking makes no file");
    assert!(std::fs::read_to_string(&text).unwrap().starts_with("this is no store"));
    // A database of another program is not ours either.
    let sqlite = eyas_recording(&place);
    let mut bytes = std::fs::read(&sqlite).unwrap();
    bytes[68..72].copy_from_slice(b"othr");
    let other = place.path("other.db");
    std::fs::write(&other, &bytes).unwrap();
    let said = run(eyas().arg("replay").arg(&other)).ended(2).err();
    assert!(said.contains("other.db"), "{said}");
}

#[test]
fn a_damaged_store_gives_an_error_and_no_panic() {
    let place = Place::new();
    let whole = std::fs::read(eyas_recording(&place)).unwrap();
    let path = place.path("damaged.db");
    let mut refused = 0;
    let damages = (0..24).map(|n| n * whole.len() / 24);
    for at in damages {
        for cut in [true, false] {
            let mut bytes = whole.clone();
            if cut {
                bytes.truncate(at);
            } else {
                let end = (at + 512).min(bytes.len());
                bytes[at..end].fill(0xa5);
            }
            std::fs::write(&path, &bytes).unwrap();
            for command in ["replay", "events"] {
                let ran = run(eyas().arg(command).arg(&path));
                let said = ran.err();
                // Damage in a page that nobody asks for goes unnoticed; what is noticed names the file.
                assert!(matches!(ran.code(), Some(0 | 2)), "{command} at {at}: {:?} {said}", ran.code());
                assert!(!said.contains("panicked"), "{command} at {at}: {said}");
                if ran.code() == Some(2) {
                    refused += 1;
                    assert!(said.contains("damaged.db"), "{command} at {at}: {said}");
                }
            }
        }
    }
    println!("{refused} of 96 reads of damaged files were refused");
    assert!(refused >= 24, "{refused}");
}

/// The recording that ships, as a file.
fn eyas_recording(place: &Place) -> std::path::PathBuf {
    let path = place.path("incident.db");
    std::fs::write(&path, crate::demo::recording()).unwrap();
    path
}
