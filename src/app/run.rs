//! `eyas run`: the sensor without a console. Alerts go to standard output and into the store; what is to be said beside
//! them goes to standard error.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use eyas_engine::diag::Severity;
use eyas_pipeline::{LoadOutcome, Stop};
use eyas_store::WriterStats;

use crate::agent::{self, Agent, Start};
use crate::fail::{Fail, Outcome};
use crate::falco::Form;
use crate::printer::{Lost, Patience, Printer};
use crate::rulebook;
use crate::settings::Settings;
use crate::tui::{ColorDepth, Theme};
use crate::{say, signals};

/// How often losses, the store and the sensor's own end are looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Runs until a signal comes or the sensor fails.
pub(crate) fn headless(settings: &Settings, start: &Start) -> Outcome {
    check_theme(settings)?;
    let rules = agent::rules_for_run(settings)?;
    complain(&rules);
    let (count, more) = (rules.in_force(), format!("{}{}", tally(&rules), unread(&rules)));
    let plural = if count == 1 { "" } else { "s" };
    let opened = agent::open(settings, rules, start)?;
    let stop = Stop::default();
    signals::stop_on(&stop)?;
    let form = Form::new(&settings.config, true);
    let printer = Printer::start(form, Patience::Bounded, stop.clone())?;
    let mut lost = LossTold { waits: printer.lost(), said: None };
    let agent = Agent::start(settings, opened, start, stop.clone(), printer, |outcome| match outcome {
        Ok(outcome) => report(outcome),
        Err(why) => say(&format!("rules: {why}; the earlier ones stay in force")),
    })?;
    say(&format!(
        "watching {} with {count} rule{plural}{more}; store {}",
        settings.node,
        settings.store.display()
    ));
    let writer = agent.writer();
    let mut trouble = StoreTrouble::default();
    while !stop.asked_within(LOOK) && !agent.has_ended() {
        if let Some(text) = trouble.look(&writer.stats(), Instant::now()) {
            say(&text);
        }
        if let Some(text) = lost.look(Instant::now()) {
            say(&text);
        }
    }
    let pulse = agent.pulse.clone();
    let ((_, printer), ended) = agent.finish_all()?;
    if let Some(text) = lost.rest() {
        say(&text);
    }
    let unprinted = printer.finish().left_out;
    let pulse = pulse.load();
    let stats = writer.stats();
    say(&format!(
        "{} events, {} alerts, {} records lost, {unprinted} alerts not printed, {} alerts not stored{}",
        pulse.events,
        pulse.alerts,
        pulse.lost,
        stats.alerts_dropped,
        if stats.spill_bytes > 0 {
            ", some wait in the spill file and are stored at the next start"
        } else {
            ""
        }
    ));
    ended?;
    all_kept(&stats)
}

/// A run that has lost alerts has not done what it was there for.
fn all_kept(stats: &WriterStats) -> Outcome {
    match stats.alerts_dropped {
        0 => Ok(()),
        lost => {
            Err(Fail::environment(format!("{lost} alerts are neither in the store nor in its spill file")))
        }
    }
}

/// What a person is told of losses: at once, and while they go on now and then.
struct LossTold {
    waits: Lost,
    said: Option<Instant>,
}

impl LossTold {
    /// How often losses that go on are said.
    const EVERY: Duration = Duration::from_secs(10);

    fn look(&mut self, now: Instant) -> Option<String> {
        if self.said.is_some_and(|said| now.duration_since(said) < Self::EVERY) {
            return None;
        }
        let text = self.rest()?;
        self.said = Some(now);
        Some(text)
    }

    /// All that has not been said.
    fn rest(&mut self) -> Option<String> {
        let sum = std::mem::take(&mut *self.waits.lock().unwrap_or_else(PoisonError::into_inner));
        let lines: Vec<String> = sum.lines().into_iter().map(|line| format!("\n  {line}")).collect();
        (sum.count > 0).then(|| format!("{} records lost{}", sum.count, lines.concat()))
    }
}

/// What a person is told of a store that does not take what it is given: when that begins and when it ends.
#[derive(Debug, Default)]
struct StoreTrouble {
    /// Trouble was told of; how many alerts had been dropped and spilled then.
    told: Option<(u64, u64)>,
    /// Since when all is well again; said only when it stays so, because a full disk takes a small write now and then.
    well: Option<Instant>,
}

impl StoreTrouble {
    /// How long writes must go well before that is said.
    const CALM: Duration = Duration::from_secs(2);

    fn look(&mut self, stats: &WriterStats, now: Instant) -> Option<String> {
        match (&stats.last_error, self.told) {
            (Some(error), told) => {
                self.well = None;
                if told.is_some() {
                    return None;
                }
                self.told = Some((stats.alerts_dropped, stats.alerts_spilled));
                Some(format!(
                    "the store takes nothing at the moment: {error}; {} alerts wait, watching goes on",
                    stats.alerts_waiting
                ))
            }
            (None, Some((dropped, spilled))) => {
                if now.duration_since(*self.well.get_or_insert(now)) < Self::CALM {
                    return None;
                }
                *self = Self::default();
                Some(format!(
                    "the store takes alerts again; meanwhile {} went by way of the spill file, {} were not stored",
                    stats.alerts_spilled - spilled,
                    stats.alerts_dropped - dropped
                ))
            }
            (None, None) => None,
        }
    }
}

/// A theme that is not there is wrong usage here too, although nothing is drawn.
fn check_theme(settings: &Settings) -> Outcome {
    let Some(theme) = settings.theme.as_deref().filter(|t| Theme::names().all(|n| n != *t)) else {
        return Ok(());
    };
    let text = std::fs::read_to_string(theme).map_err(|e| {
        let names = Theme::names().collect::<Vec<_>>().join(", ");
        Fail::environment(format!("theme {theme}: {e}; there are {names}, or name a TOML file"))
    })?;
    Theme::parse(theme, &text, ColorDepth::None).map(drop).map_err(Fail::environment)
}

/// Says what is wrong with rules, if anything is.
fn complain(outcome: &LoadOutcome) {
    let text = rulebook::plain(&outcome.diagnostics, &outcome.sources, Severity::Error);
    if !text.is_empty() {
        say(&text);
    }
}

/// Says what came of rules that changed.
fn report(outcome: &LoadOutcome) {
    complain(outcome);
    if outcome.applied {
        say(&format!("rules: {} in force{}{}", outcome.in_force(), tally(outcome), unread(outcome)));
    } else if outcome.count(Severity::Error) == 0 {
        let why = rulebook::unread(outcome).map_or_else(
            || "none of the new ones is on".to_owned(),
            |unread| format!("the new ones that are on {unread}"),
        );
        say(&format!("rules: {why}; the earlier ones stay in force{}", tally(outcome)));
    } else {
        let (tally, unread) = (tally(outcome), unread(outcome));
        say(&format!("rules: not taken; the earlier ones stay in force{tally}{unread}"));
    }
}

/// `; others are for events of ...`, or nothing.
fn unread(outcome: &LoadOutcome) -> String {
    rulebook::unread(outcome).map_or_else(String::new, |unread| format!("; others {unread}"))
}

/// ` (3 errors, 1 warning)`, or nothing.
fn tally(outcome: &LoadOutcome) -> String {
    let tally = rulebook::tally(outcome);
    if tally.is_empty() { tally } else { format!(" ({tally})") }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn trouble_with_the_store_is_told_once_and_so_is_its_end() {
        let mut trouble = StoreTrouble::default();
        let begin = Instant::now();
        let mut stats = WriterStats::default();
        assert_eq!(trouble.look(&stats, begin), None);
        stats.last_error = Some("disk full".into());
        assert!(trouble.look(&stats, begin).unwrap().contains("disk full"));
        assert_eq!(trouble.look(&stats, begin), None);
        (stats.alerts_spilled, stats.alerts_dropped) = (5, 2);
        stats.last_error = None;
        assert_eq!(trouble.look(&stats, begin), None);
        let end = trouble.look(&stats, begin + StoreTrouble::CALM).unwrap();
        assert!(end.contains("5 went by way of the spill file, 2 were not stored"), "{end}");
        assert_eq!(trouble.look(&stats, begin + StoreTrouble::CALM * 2), None);
    }

    #[test]
    fn a_run_that_lost_alerts_does_not_end_well() {
        let stats = |alerts_spilled, alerts_dropped| WriterStats {
            alerts_spilled,
            alerts_dropped,
            ..WriterStats::default()
        };
        assert!(all_kept(&stats(5, 0)).is_ok());
        let fail = all_kept(&stats(5, 2)).unwrap_err();
        assert_eq!(fail.code, crate::fail::code::ENVIRONMENT);
        assert!(fail.text.starts_with("2 alerts "), "{}", fail.text);
    }
}
