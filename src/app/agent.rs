//! [`Agent`]: a running sensor with its pipeline, its rules and its store, put together in the order that matters: what
//! can fail is opened first, privileges are given up next, threads start last.

use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use arc_swap::{ArcSwap, ArcSwapOption};
use eyas_enrich::{Enrich, LiveHost, Redacted, Redaction};
use eyas_event::Host;
use eyas_pipeline::{
    LoadOutcome, Outlet, Pipeline, PipelineError, PulseCell, Recording, RuleWatch, RulesCell, Stop,
};
use eyas_probe::{Probe, ProbeError, ProbeOptions};
use eyas_store::{Create, OpenOptions, RunKind, Store, StoreError, Writer, WriterHandle, WriterOptions};

use crate::fail::{Fail, Outcome, store_text};
use crate::outlets::ToStore;
use crate::resolver;
use crate::rulebook;
use crate::sandbox::{self, Confined, Places};
use crate::settings::Settings;
use crate::{machine, memory};
use crate::{privilege, say};

/// What came of loading rules: the files that could be read, or why they could not.
pub(crate) type Loaded = Result<LoadOutcome, String>;

/// The outcome of the newest load of rules, for whoever shows it.
pub(crate) type Outcomes = Arc<ArcSwapOption<Loaded>>;

/// A running sensor.
pub(crate) struct Agent<O> {
    pub(crate) store: Store,
    pub(crate) pulse: PulseCell,
    pub(crate) rules: RulesCell,
    pub(crate) outcomes: Outcomes,
    pub(crate) stop: Stop,
    writer: Writer,
    thread: JoinHandle<()>,
    ended: mpsc::Receiver<(O, Result<(), PipelineError>)>,
    _watch: Option<RuleWatch>,
}

/// What is particular to one start.
pub(crate) struct Start {
    pub(crate) record: bool,
    pub(crate) only_pid_ns: Option<u32>,
    /// Store only alerts on what descends from this process.
    pub(crate) only_below: Option<u32>,
}

/// The sensor, open, with all that takes privileges done and what is not needed any more given up.
pub(crate) struct Opened {
    sensor: Redacted<Probe>,
    enrich: Enrich<Redacted<LiveHost>>,
    rules: LoadOutcome,
    wall_offset_ns: i64,
    /// The pipeline's thread, which waits for its work outside the sandbox.
    thread: JoinHandle<()>,
    work: mpsc::SyncSender<Box<dyn FnOnce() + Send>>,
}

/// Opens the sensor and then gives up every privilege that is not needed any more. Threads inherit what the one that starts
/// them has, so nothing may have started one before.
pub(crate) fn open(settings: &Settings, rules: LoadOutcome, start: &Start) -> Result<Opened, Fail> {
    let wall_offset_ns = machine::wall_offset_ns();
    let options = ProbeOptions {
        ring_bytes: settings.config.eyas.ring_mib.saturating_mul(1 << 20),
        only_pidns: start.only_pid_ns,
        ..ProbeOptions::default()
    };
    let own = &settings.config.eyas;
    let redaction = Redaction::new(own.redact_builtin, &own.redact)
        .map_err(|error| Fail::environment(format!("eyas.redact: {error}")))?;
    let redaction = Arc::new(redaction);
    // The sensor first: without it there is no reason to touch the store.
    let mut probe = Probe::open(&options).map_err(|e| cannot_watch(&e))?;
    if let Some(number) = start.only_pid_ns.filter(|n| !machine::pid_namespace_lives(*n)) {
        return Err(Fail::environment(format!(
            "no process is in the pid namespace {number}\n  `readlink /proc/PID/ns/pid` prints the number of a process's namespace"
        )));
    }
    let host = LiveHost::new(settings.node.clone(), wall_offset_ns);
    let mut enrich =
        Enrich::new(Redacted::new(host, redaction.clone())).only_pid_namespace(start.only_pid_ns);
    enrich.snapshot();
    // Made while everything is allowed; the rest of the store is opened by who may write there.
    Store::prepare(&settings.store).map_err(|e| Fail::store(&settings.store, &e))?;
    if own.sandbox {
        let files = privilege::for_files(&settings.rules, &settings.store);
        match privilege::still_needed(&mut probe, rules.ruleset.interest(), files) {
            Ok(keep) => privilege::keep_only(keep),
            Err(error) => Err(error.to_string()),
        }
        .unwrap_or_else(|why| say(&format!("not all privileges are given up: {why}; see `eyas doctor`")));
    }
    let (work, waits) = mpsc::sync_channel::<Box<dyn FnOnce() + Send>>(1);
    let thread = std::thread::Builder::new()
        .name("eyas-pipeline".into())
        .spawn(move || {
            // No work comes when something else fails at the start.
            if let Ok(work) = waits.recv() {
                work();
            }
        })
        .map_err(Fail::environment)?;
    if own.sandbox
        && let Confined::Not(why) = sandbox::confine(&Places::of(settings))
    {
        say(&format!("no sandbox for files: Landlock: {why}; watching goes on without"));
    }
    Ok(Opened { sensor: Redacted::new(probe, redaction), enrich, rules, wall_offset_ns, thread, work })
}

impl<O: Outlet + Send + 'static> Agent<O> {
    /// Opens the store and starts everything; `told` hears of each reload of the rules.
    pub(crate) fn start(
        settings: &Settings,
        opened: Opened,
        start: &Start,
        stop: Stop,
        outlet: O,
        mut told: impl FnMut(&Loaded) + Send + 'static,
    ) -> Result<Agent<(ToStore, O)>, Fail> {
        let Opened { sensor, enrich, rules: first_rules, wall_offset_ns, thread, work } = opened;
        let store = open_store(settings, wall_offset_ns)?;
        let writer = store
            .writer(WriterOptions {
                segment_limit_bytes: settings.config.eyas.record_limit_mib << 20,
                ..WriterOptions::default()
            })
            .map_err(|e| Fail::store(&settings.store, &e))?;
        let rules: RulesCell = Arc::new(ArcSwap::new(first_rules.ruleset.clone()));
        let outcomes: Outcomes = Arc::new(ArcSwapOption::from_pointee(Ok(first_rules)));
        let watch = watch(settings, &rules, &outcomes, move |outcome| told(outcome))?;
        let recording =
            if start.record && settings.config.eyas.record { Recording::On } else { Recording::Off };
        let pulse = PulseCell::default();
        let outlet = (ToStore::new(writer.handle()).only_below(start.only_below), outlet);
        let mut pipeline =
            Pipeline::new(sensor, enrich, rules.clone(), outlet, recording, pulse.clone(), stop.clone());
        if settings.config.eyas.resolve_names {
            pipeline = pipeline.resolving(resolver::start().map_err(Fail::environment)?);
        }
        let (end, ended) = mpsc::sync_channel(1);
        let run = Box::new(move || {
            // Whoever started it waits for this, or has gone.
            let _unheard = end.send(pipeline.run());
        });
        work.send(run).map_err(|_| bug("the pipeline"))?;
        if let Err(error) = memory::give_back_now_and_then() {
            say(&format!("freed memory is kept: {error}"));
        }
        Ok(Agent { store, pulse, rules, outcomes, stop, writer, thread, ended, _watch: watch })
    }
}

impl<O> Agent<O> {
    /// A handle of the store's writer, for its figures.
    pub(crate) fn writer(&self) -> WriterHandle {
        self.writer.handle()
    }

    /// Whether the pipeline has ended by itself.
    pub(crate) fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Stops everything in order, so that nothing that was seen is lost, and gives the outlet back.
    pub(crate) fn finish(self) -> Result<O, Fail> {
        let (outlet, ended) = self.finish_all()?;
        ended.map(|()| outlet)
    }

    /// The same; the outlet comes back also when the sensor or the store did not end well.
    pub(crate) fn finish_all(self) -> Result<(O, Outcome), Fail> {
        self.stop.ask();
        self.thread.join().map_err(|_| bug("the pipeline"))?;
        let (outlet, ended) = self.ended.recv().map_err(|_| bug("the pipeline"))?;
        let closed = self.writer.close().map_err(|e| Fail::store(self.store.path(), &e));
        Ok((outlet, ended.map_err(Fail::environment).and(closed)))
    }
}

/// Starts a pipeline on a thread of its own.
pub(crate) fn spawn<S, H, O>(
    source: S,
    enrich: Enrich<H>,
    rules: RulesCell,
    outlet: O,
    recording: Recording,
    stop: Stop,
) -> Result<(Ended<O>, PulseCell), Fail>
where
    S: eyas_event::Source + Send + 'static,
    H: Host + Send + 'static,
    O: Outlet + Send + 'static,
{
    let pulse = PulseCell::default();
    let pipeline = Pipeline::new(source, enrich, rules, outlet, recording, pulse.clone(), stop);
    let thread = std::thread::Builder::new()
        .name("eyas-pipeline".into())
        .spawn(move || pipeline.run())
        .map_err(Fail::environment)?;
    Ok((thread, pulse))
}

/// A pipeline's thread.
pub(crate) type Ended<O> = JoinHandle<(O, Result<(), PipelineError>)>;

/// A thread of ours panicked: the panic hook has said where.
pub(crate) fn bug(what: &str) -> Fail {
    Fail { code: crate::fail::code::BUG, text: format!("{what} stopped because of a bug in eyas; see above") }
}

/// Watches the rule files, if there are any and the configuration wants it.
fn watch(
    settings: &Settings,
    rules: &RulesCell,
    outcomes: &Outcomes,
    mut told: impl FnMut(&Loaded) + Send + 'static,
) -> Result<Option<RuleWatch>, Fail> {
    if settings.rules.is_empty() || !settings.config.watch_config_files {
        return Ok(None);
    }
    let outcomes = outcomes.clone();
    let told = move |outcome: Result<LoadOutcome, (PathBuf, std::io::Error)>| {
        let outcome = outcome.map_err(|(path, error)| format!("{}: {error}", path.display()));
        told(&outcome);
        outcomes.store(Some(Arc::new(outcome)));
    };
    RuleWatch::start(settings.rules.clone(), settings.rule_options(), rules.clone(), told)
        .map(Some)
        .map_err(|e| Fail::environment(format!("cannot watch the rule files: {e}")))
}

fn open_store(settings: &Settings, wall_offset_ns: i64) -> Result<Store, Fail> {
    let options = OpenOptions {
        node: settings.node.clone(),
        wall_now: machine::now(),
        wall_offset_ns,
        boot_id: machine::boot_id(),
        kind: RunKind::Live,
        create: Create::IfMissing,
    };
    Store::open(&settings.store, &options).map_err(|error| {
        let hint = match error {
            StoreError::Held { .. } => {
                "\n  its alerts can be read all the same: eyas alerts --follow; or give this run a store of its own with --store"
            }
            _ => "",
        };
        Fail::environment(format!("{}{hint}", store_text(&settings.store, &error)))
    })
}

/// Why the sensor does not start, and what to type instead.
fn cannot_watch(error: &ProbeError) -> Fail {
    let instead = match error {
        ProbeError::Privilege { .. } => {
            "type `sudo eyas`; without privileges there is `eyas demo`, a recorded incident"
        }
        _ => "`eyas doctor` says more; without a sensor there is `eyas demo`, a recorded incident",
    };
    Fail::environment(format!("{error}\n  {instead}"))
}

/// The shipped or the named rules for a run that watches: broken rules are said and left out; none at all is an error.
pub(crate) fn rules_for_run(settings: &Settings) -> Result<LoadOutcome, Fail> {
    let outcome = rulebook::load(settings)?;
    if outcome.in_force() == 0 {
        let said =
            rulebook::plain(&outcome.diagnostics, &outcome.sources, eyas_engine::diag::Severity::Error);
        let why = match (outcome.ruleset.len(), rulebook::unread(&outcome)) {
            (_, Some(unread)) => &format!("those that are on {unread}"),
            (0, None) if said.is_empty() => "the rule files hold no rule",
            (0, None) => "none of them compiles",
            _ => {
                "all of them are off; `enabled: true` switches a rule on, and so does `rules:` in the configuration"
            }
        };
        return Err(Fail::environment(format!("{said}there is no rule to judge by: {why}")));
    }
    Ok(outcome)
}
