//! `eyas replay` and `eyas demo`: a recording through the same path as live events. Nothing is kept and nothing is asked
//! of this machine.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use eyas_enrich::{Enrich, SilentHost};
use eyas_pipeline::{LoadOutcome, Pace, PulseCell, Recording, Replay, RulesCell, Stop};
use eyas_store::Store;

use crate::agent::{self, Ended, bug};
use crate::cli;
use crate::fail::{Fail, Outcome, store_text};
use crate::falco::Form;
use crate::printer::{Patience, Printer};
use crate::settings::Settings;
use crate::{console, rulebook, signals};

/// The incident that ships with eyas: a store with its recording, compressed.
static DEMO: &[u8] = include_bytes!("demo/incident.db.zst");

/// A replay that runs.
pub(crate) struct Running<O> {
    pub(crate) thread: Ended<O>,
    pub(crate) pulse: PulseCell,
    pub(crate) rules: RulesCell,
    pub(crate) outcome: LoadOutcome,
    pub(crate) stop: Stop,
}

/// Judges a recording again.
pub(crate) fn replay(settings: &Settings, args: &cli::Replay, terminal: bool) -> Outcome {
    let pace = pace(args.speed);
    if args.console {
        if !terminal {
            return Err(Fail::environment(
                "the console needs a terminal; without --console the alerts are printed",
            ));
        }
        return console::replay(settings, &args.store, name(&args.store), pace);
    }
    print(settings, &args.store, pace, Form::new(&settings.config, true))
}

/// Shows the shipped incident.
pub(crate) fn demo(settings: &Settings, args: &cli::Demo, terminal: bool) -> Outcome {
    let dir = tempfile::Builder::new().prefix("eyas-").tempdir()?;
    let file = dir.path().join("incident.db");
    let packed = zstd::decode_all(DEMO)?;
    std::fs::write(&file, packed)?;
    let pace = pace(args.speed);
    if args.headless || !terminal {
        return print(settings, &file, pace, Form::new(&settings.config, false));
    }
    console::replay(settings, &file, "recorded incident".into(), pace)
}

fn pace(speed: f64) -> Pace {
    if speed > 0.0 { Pace::Times(speed) } else { Pace::Unpaced }
}

/// Starts judging a recording on a thread of its own.
pub(crate) fn start<O>(
    settings: &Settings,
    store: &Path,
    name: String,
    pace: Pace,
    outlet: O,
    stop: Stop,
) -> Result<Running<O>, Fail>
where
    O: eyas_pipeline::Outlet + Send + 'static,
{
    let outcome = agent::rules_for_run(settings)?;
    let reader = Store::open_read(store).map_err(|e| Fail::store(store, &e))?.blocking();
    let path = store.to_owned();
    let segments = reader.segments().map(move |s| s.map(|(_, raw)| raw).map_err(|e| store_text(&path, &e)));
    let source = Replay::new(name, segments, pace);
    let rules: RulesCell = Arc::new(ArcSwap::new(outcome.ruleset.clone()));
    let enrich = Enrich::new(SilentHost);
    let (thread, pulse) = agent::spawn(source, enrich, rules.clone(), outlet, Recording::Off, stop.clone())?;
    Ok(Running { thread, pulse, rules, outcome, stop })
}

/// Prints what the rules say of a recording.
fn print(settings: &Settings, store: &Path, pace: Pace, form: Form) -> Outcome {
    let stop = Stop::default();
    signals::stop_on(&stop)?;
    let printer = Printer::start(form, Patience::Endless, stop.clone())?;
    let running = start(settings, store, name(store), pace, printer, stop)?;
    let said = rulebook::plain(
        &running.outcome.diagnostics,
        &running.outcome.sources,
        eyas_engine::diag::Severity::Error,
    );
    if !said.is_empty() {
        crate::say(said.trim_end());
    }
    while !running.thread.is_finished() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let (printer, ended) = running.thread.join().map_err(|_| bug("the pipeline"))?;
    if let Some(error) = printer.finish().failed {
        return Err(Fail::environment(format!("cannot write to standard output: {error}")));
    }
    ended.map_err(Fail::environment)
}

fn name(store: &Path) -> String {
    store.file_name().map_or_else(|| store.display().to_string(), |n| n.to_string_lossy().into_owned())
}
