//! `eyas run`: the sensor without a console. Alerts go to standard output and into the store; what is to be said beside
//! them goes to standard error.

use std::time::Duration;

use eyas_engine::diag::Severity;
use eyas_pipeline::{LoadOutcome, Stop};

use crate::agent::{self, Agent, Start};
use crate::fail::Outcome;
use crate::falco::Form;
use crate::outlets::{Patience, Printer};
use crate::rulebook;
use crate::settings::Settings;
use crate::{say, signals};

/// Runs until a signal comes or the sensor fails.
pub(crate) fn headless(settings: &Settings, start: &Start) -> Outcome {
    let rules = agent::rules_for_run(settings)?;
    complain(&rules);
    let stop = Stop::default();
    signals::stop_on(&stop)?;
    let form = Form::new(&settings.config, true);
    let printer = Printer::start(form, Patience::Bounded, stop.clone())?;
    let (count, tally) = (rules.enabled(), tally(&rules));
    let agent = Agent::start(settings, rules, start, stop.clone(), printer, |outcome| match outcome {
        Ok(outcome) => report(outcome),
        Err(why) => say(&format!("rules: {why}; the earlier ones stay in force")),
    })?;
    say(&format!("watching {} with {count} rules{tally}; store {}", settings.node, settings.store.display()));
    while !stop.asked() && !agent.has_ended() {
        std::thread::sleep(Duration::from_millis(50));
    }
    let pulse = agent.pulse.clone();
    let writer = agent.writer();
    let (_, printer) = agent.finish()?;
    let unprinted = printer.finish();
    let pulse = pulse.load();
    let stats = writer.stats();
    say(&format!(
        "{} events, {} alerts, {} records lost, {unprinted} alerts not printed, {} alerts not stored",
        pulse.events, pulse.alerts, pulse.lost, stats.alerts_dropped
    ));
    Ok(())
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
    let what = if outcome.applied { "in force" } else { "not taken: the earlier rules stay in force" };
    say(&format!("rules: {} {what}{}", outcome.enabled(), tally(outcome)));
}

/// ` (3 errors, 1 warning)`, or nothing.
fn tally(outcome: &LoadOutcome) -> String {
    let tally = rulebook::tally(outcome);
    if tally.is_empty() { tally } else { format!(" ({tally})") }
}
