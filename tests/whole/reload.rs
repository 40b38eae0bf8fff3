//! Rules changed while events stream: a good edit works within a second, a bad one changes nothing and is explained, and
//! no event falls between the two.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Agent, Curtain, PATIENCE, Place, Stage, alone, field, has_sensor, parse, wait_for};

/// The scene: files opened one after the other, each with its number for a name.
pub(crate) fn open_a_series(curtain: &Curtain) -> String {
    let mut number = 0_u32;
    while !curtain.has_fallen() {
        std::fs::File::create(format!("series/{number}")).unwrap();
        number += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
    number.to_string()
}

#[test]
fn rules_are_changed_while_events_stream_and_no_event_is_missed() {
    if !has_sensor("rules are changed while events stream") {
        return;
    }
    let _alone = alone();
    let place = Place::new();
    std::fs::create_dir(place.path("series")).unwrap();
    let mut text = place.open_rule("Series", "series/");
    let file = place.write("rules.yaml", &text);
    let mut stage = Stage::new("series", &place);
    let agent = place.watch_stage(&stage, ["-r".as_ref(), file.as_os_str()]);
    stage.begin();
    fires(&agent, "Series");

    text += &place.open_rule("Added in place", "series/");
    std::fs::write(&file, &text).unwrap();
    in_force(&agent, "Added in place");

    text += &place.open_rule("Added by rename", "series/");
    let aside = place.write("rules.yaml.new", &text);
    std::fs::rename(aside, &file).unwrap();
    in_force(&agent, "Added by rename");

    // A condition that does not parse, on a line that is known.
    let broken = format!(
        "{text}- rule: Broken\n  desc: d\n  condition: evt.type = and\n  output: o\n  priority: INFO\n"
    );
    let line = broken.lines().count() - 2;
    std::fs::write(&file, &broken).unwrap();
    let place_of_it = format!("{}:{line}:", file.display());
    wait_for("the diagnostic", PATIENCE, || {
        agent.said().iter().any(|l| l.text.contains(&place_of_it)).then_some(())
    });
    wait_for("what becomes of it", PATIENCE, || {
        agent
            .said()
            .iter()
            .any(|l| l.text.contains("not taken; the earlier ones stay in force"))
            .then_some(())
    });
    for rule in ["Series", "Added in place", "Added by rename"] {
        fires(&agent, rule);
    }

    // Mended, and one more: it is not stuck.
    text += &place.open_rule("Added after the mistake", "series/");
    std::fs::write(&file, &text).unwrap();
    in_force(&agent, "Added after the mistake");

    let opened: u32 = stage.end().parse().unwrap();
    let ended = agent.stop();
    println!("{opened} opens; {}", ended.last_words());
    assert_eq!(ended.code, Some(0));
    assert!(ended.last_words().contains(" 0 records lost"), "{}", ended.last_words());
    let alerts: Vec<Value> = ended.out.iter().map(|l| parse(&l.text)).collect();
    every_open_once(&alerts, "Series", 0, opened);
    // From its first alert on, a rule that came later sees every one, too.
    for rule in ["Added in place", "Added by rename", "Added after the mistake"] {
        let first = alerts.iter().filter(|a| a["rule"] == rule).map(number).min().unwrap();
        every_open_once(&alerts, rule, first, opened);
    }
}

/// Waits until a rule fires that did not before, and asserts that it took less than a second.
#[track_caller]
fn in_force(agent: &Agent, rule: &str) {
    let edited = Instant::now();
    let (_, line) = agent.alert(rule, |a| a["rule"] == rule);
    let took = line.at.saturating_duration_since(edited);
    println!("{rule}: fired {took:?} after the edit");
    assert!(took < Duration::from_secs(1), "{rule} fired {took:?} after the edit");
}

/// Waits until a rule fires anew.
#[track_caller]
fn fires(agent: &Agent, rule: &str) {
    let from = agent.printed().len();
    wait_for(rule, PATIENCE, || {
        agent.printed()[from..].iter().any(|l| parse(&l.text)["rule"] == rule).then_some(())
    });
}

fn number(alert: &Value) -> u32 {
    field(alert, "fd.name").rsplit('/').next().unwrap().parse().unwrap()
}

/// Each of the numbered opens from `first` on fired the rule once, in order.
#[track_caller]
fn every_open_once(alerts: &[Value], rule: &str, first: u32, opened: u32) {
    let mut times: BTreeMap<u32, u32> = BTreeMap::new();
    let mut before = 0;
    for alert in alerts.iter().filter(|a| a["rule"] == rule) {
        *times.entry(number(alert)).or_default() += 1;
        let event = alert["output_fields"]["evt.num"].as_u64().unwrap();
        assert!(event > before, "event {event} after {before}");
        before = event;
    }
    let wrong: Vec<u32> = (first..opened).filter(|n| times.remove(n) != Some(1)).collect();
    assert!(
        wrong.is_empty() && times.is_empty(),
        "{rule}: not exactly once: {wrong:?}; not opened: {times:?}"
    );
}
