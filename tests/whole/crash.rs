//! eyas killed in the middle of its work: what it printed is kept, the store is whole, and the time in which nobody watched
//! is written down.

use std::collections::BTreeSet;
use std::fs::File;
use std::time::{Duration, Instant};

use sqlx::Row;

use crate::support::{Curtain, Database, Place, Stage, alone, has_sensor, parse, wall_ns};

/// How often a second the file is opened.
const RATE: u64 = 1000;
/// A loss's cause in the store: eyas was not running.
const NOT_RUNNING: i64 = 3;

/// The scene: a file opened again and again at a steady pace.
pub(crate) fn open_steadily(curtain: &Curtain) -> String {
    let begun = Instant::now();
    let mut opened = 0;
    while !curtain.has_fallen() {
        while opened < begun.elapsed().as_millis() as u64 * RATE / 1000 {
            File::open("marked").unwrap();
            opened += 1;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    format!("{opened} opens in {:?}", begun.elapsed())
}

#[test]
fn killed_while_alerts_stream_it_keeps_what_it_printed_and_tells_the_gap() {
    if !has_sensor("killed while alerts stream") {
        return;
    }
    let _alone = alone();
    let place = Place::new();
    let rules = place.write("rules.yaml", &place.open_rule("Marked file opened", "marked"));
    let args = ["-r".as_ref(), rules.as_os_str()];
    place.write("marked", "");
    let mut stage = Stage::new("opens", &place);
    let agent = place.watch_stage(&stage, args);
    stage.begin();
    std::thread::sleep(Duration::from_millis(2500));
    let (killed, killed_wall) = (Instant::now(), wall_ns());
    let ended = agent.kill();
    assert_eq!(ended.code, None, "it ended by a signal");
    std::thread::sleep(Duration::from_millis(300));

    // The next start opens the store and works.
    let agent = place.watch_stage(&stage, args);
    let watching_wall = wall_ns();
    agent.alert("an alert of the second run", |a| a["rule"] == "Marked file opened");
    let opened = stage.end();
    assert_eq!(agent.stop().code, Some(0));

    let mut database = Database::open(&place.store());
    assert_eq!(database.column::<String>("PRAGMA integrity_check"), ["ok"]);
    assert_eq!(database.rows("PRAGMA foreign_key_check").len(), 0);
    let kept: BTreeSet<i64> = database
        .column("SELECT event_num FROM alerts WHERE run = (SELECT min(id) FROM runs)")
        .into_iter()
        .collect();
    // The last line may have been cut by the kill; those that count are complete.
    // A debug build on a busy machine commits later than the one that people run, which has 200 ms.
    let settled = Duration::from_millis(if cfg!(debug_assertions) { 1000 } else { 200 });
    let due: BTreeSet<i64> = ended
        .out
        .iter()
        .filter(|l| l.at + settled <= killed)
        .map(|l| parse(&l.text)["output_fields"]["evt.num"].as_i64().unwrap())
        .collect();
    println!(
        "{opened}; printed {}, of these {} at least {settled:?} before the kill; {} kept",
        ended.out.len(),
        due.len(),
        kept.len()
    );
    assert!(due.len() as u64 >= RATE, "too few alerts to show anything: {}", due.len());
    let missing: Vec<_> = due.difference(&kept).collect();
    assert!(missing.is_empty(), "{} of {} are not in the store: {missing:?}", missing.len(), due.len());

    let runs: Vec<Option<i64>> = database.column("SELECT ended_wall FROM runs ORDER BY id");
    assert_eq!(runs.len(), 2);
    assert!(runs[0].is_none() && runs[1].is_some(), "the first was killed, the second ended: {runs:?}");
    let losses = database.rows("SELECT cause, from_wall, to_wall FROM losses ORDER BY id");
    let gaps: Vec<(u64, u64)> = losses
        .iter()
        .filter(|row| row.get::<i64, _>(0) == NOT_RUNNING)
        .map(|row| (row.get::<i64, _>(1) as u64, row.get::<i64, _>(2) as u64))
        .collect();
    let [(from, to)] = gaps[..] else { panic!("one gap was expected: {gaps:?}") };
    println!(
        "the gap begins {} ms before the kill and is {} ms long",
        killed_wall.saturating_sub(from) / 1_000_000,
        (to - from) / 1_000_000
    );
    assert!(from <= killed_wall && killed_wall - from < 1_000_000_000, "it begins at the last sign of life");
    assert!(to >= killed_wall + 300_000_000 && to <= watching_wall, "it ends when somebody watches again");
}
