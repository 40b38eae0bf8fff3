//! `eyas simulate`: harmless actions that do what an intruder does, each in a process of its own, and a look into the
//! store whether the rule that should see it did.
//!
//! The table of actions is in `table/`, what they do in `acts/`. `stage` is the directory that an action plays in and
//! the list of what has to be undone; `child` starts an action and ends it, `watch` is the sensor and the store,
//! `judge` holds the two against each other, `report` and `list` print; `serve` does the same for the console.

mod action;
mod acts;
mod child;
mod judge;
mod list;
mod raw;
mod report;
mod ring;
mod serve;
mod stage;
mod table;
mod watch;

use std::io::Write;

use eyas_engine::diag::did_you_mean;
use eyas_pipeline::Stop;

use crate::cli;
use crate::fail::{Fail, Outcome};
use crate::settings::Settings;
use crate::{say, signals};

use self::action::Action;
use self::report::Report;
use self::watch::Watch;

pub(crate) use self::child::play;
pub(crate) use self::serve::serve;

/// Runs actions, or lists them.
pub(crate) fn simulate(settings: &Settings, args: &cli::Simulate) -> Outcome {
    if args.list {
        return list::list(args.json);
    }
    let actions = chosen(args)?;
    let stop = Stop::default();
    signals::stop_on(&stop)?;
    let watch = Watch::start(settings, &actions, &stop)?;
    if let Some(note) = watch.note() {
        say(&note);
    }
    let mut report = Report::new(args.json, args.all);
    let mut out = std::io::stdout().lock();
    for action in actions {
        let result = judge::judge(action, &watch, &stop)?;
        if stop.asked() {
            break;
        }
        report.add(result, &mut out)?;
        out.flush()?;
    }
    let interrupted = stop.asked();
    let (records, alerts) = watch.lost();
    if records + alerts > 0 {
        say(&format!(
            "{records} records were lost and {alerts} alerts not stored; what was not seen may be among them"
        ));
    }
    watch.finish()?;
    let good = report.finish(&mut out)?;
    match (interrupted, good) {
        (true, _) => Err(Fail::environment("stopped before the last action")),
        (false, true) => Ok(()),
        (false, false) => Err(Fail::findings()),
    }
}

/// The actions that the command line names, in the table's order.
fn chosen(args: &cli::Simulate) -> Result<Vec<&'static Action>, Fail> {
    if args.all {
        return Ok(table::all().collect());
    }
    if args.names.is_empty() {
        return Err(Fail::environment(
            "name actions, or give --all; `eyas simulate --list` shows what there is",
        ));
    }
    for name in &args.names {
        if table::all().all(|action| !action.is_called(name)) {
            let names: Vec<&str> = table::all().map(|action| action.name).collect();
            let near = did_you_mean(name, names).map(|near| format!("; did you mean {near}?"));
            return Err(Fail::environment(format!(
                "no action is called {name}{}",
                near.unwrap_or_else(|| "; `eyas simulate --list` shows what there is".into())
            )));
        }
    }
    Ok(table::all().filter(|action| args.names.iter().any(|name| action.is_called(name))).collect())
}
