//! The console put together: a running sensor or replay behind it, its doors opened, its questions answered.

use std::cmp::Reverse;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use eyas_engine::diag::Severity;
use eyas_event::{HookState, SourceKind, WallTime};
use eyas_pipeline::{Pace, PulseCell, Stop};
use eyas_store::{Create, OpenOptions, RunKind, Store, WriterHandle, WriterOptions, WriterStats};
use tokio::sync::mpsc;

use crate::agent::{self, Agent, Loaded, Outcomes, Start, bug};
use crate::answers::Answers;
use crate::fail::{Fail, Outcome, code};
use crate::outlets::{ToConsole, ToStore};
use crate::self_test::{Orders, Player};
use crate::settings::Settings;
use crate::tui::door::{Doors, Pulse, Reload, Sensor, StoreState};
use crate::tui::theme::{ColorDepth, Theme};
use crate::tui::{self, Console, Exit, Zone};
use crate::{machine, replay, rulebook, say};

/// How many batches of alerts may wait for the console; it reads what it missed from the store.
const ALERT_LANE: usize = 1024;
/// How often the pulse is made anew.
const PULSE: Duration = Duration::from_millis(100);

/// The sensor with the console on top.
pub(crate) fn live(settings: &Settings, start: &Start) -> Outcome {
    let console = look(settings)?;
    let rules = agent::rules_for_run(settings)?;
    // Before privileges are given up: the actions need them.
    let player = match start.only_pid_ns {
        Some(_) => Err("Only one pid namespace is watched, and the actions would play outside of it."),
        None if !settings.config.eyas.self_test => Err("eyas.self_test is off."),
        None => Player::start().map_err(|_| "The process that plays the actions could not be started."),
    };
    let opened = agent::open(settings, rules, start)?;
    let stop = Stop::default();
    let (alerts_in, alerts) = mpsc::channel(ALERT_LANE);
    let agent = Agent::start(settings, opened, start, stop, ToConsole(alerts_in), |_| ())?;
    let (pulse, writer) = (agent.pulse.clone(), agent.writer());
    let behind = Behind {
        pulse: pulse.clone(),
        outcomes: agent.outcomes.clone(),
        writer: writer.clone(),
        told: None,
        live: true,
        store_error: None,
    };
    let answers = Answers::new(agent.store.reader().map_err(Fail::environment)?, agent.rules.clone());
    let shown = show(console, behind, answers, alerts, player);
    let finished = agent.finish();
    say(&closing(&pulse.load(), &writer.stats(), shown.as_ref().ok().and_then(Option::as_deref)));
    shown?;
    finished.map(|_| ())
}

/// A recording with the console on top. What fires goes into a store of its own, which is gone afterwards, so that the
/// console asks and is answered as ever.
pub(crate) fn replay(settings: &Settings, recording: &Path, name: String, pace: Pace) -> Outcome {
    let console = look(settings)?;
    let dir = tempfile::Builder::new().prefix("eyas-").tempdir()?;
    let options = OpenOptions {
        node: settings.node.clone(),
        wall_now: machine::now(),
        wall_offset_ns: recorded_offset(recording)?,
        boot_id: String::new(),
        kind: RunKind::Recorded,
        create: Create::IfMissing,
    };
    let store = Store::open(dir.path().join("replay.db"), &options).map_err(Fail::environment)?;
    let writer = store.writer(WriterOptions::default()).map_err(Fail::environment)?;
    let (alerts_in, alerts) = mpsc::channel(ALERT_LANE);
    let outlet = (ToStore::new(writer.handle()), ToConsole(alerts_in));
    let running = replay::start(settings, recording, name, pace, outlet, Stop::default())?;
    let pulse = running.pulse.clone();
    let behind = Behind {
        pulse: running.pulse,
        outcomes: Arc::new(arc_swap::ArcSwapOption::from_pointee(Ok(running.outcome))),
        writer: writer.handle(),
        told: None,
        live: false,
        store_error: None,
    };
    let answers = Answers::new(store.reader().map_err(Fail::environment)?, running.rules);
    let no_test = Err("A recording is shown: nothing watches, so nothing could be seen.");
    let shown = show(console, behind, answers, alerts, no_test);
    running.stop.ask();
    let (outlet, ended) = running.thread.join().map_err(|_| bug("the pipeline"))?;
    drop(outlet);
    let figures = writer.handle();
    writer.close().map_err(Fail::environment)?;
    say(&closing(&pulse.load(), &figures.stats(), shown.as_ref().ok().and_then(Option::as_deref)));
    shown?;
    ended.map_err(Fail::environment)
}

/// Wall time minus boot time on the machine that recorded.
fn recorded_offset(recording: &Path) -> Result<i64, Fail> {
    let damaged = |e| Fail::store(recording, &e);
    let reader = Store::open_read(recording).map_err(damaged)?.blocking();
    let runs = reader.runs().map_err(damaged)?;
    Ok(runs.last().map_or(0, |run| run.wall_offset_ns))
}

/// What is behind a console.
struct Behind {
    pulse: PulseCell,
    outcomes: Outcomes,
    writer: WriterHandle,
    /// The newest outcome, and what was said of it.
    told: Option<(Arc<Loaded>, Arc<Reload>)>,
    live: bool,
    /// What a write met that failed, kept after later ones have gone well: a full disk takes a small one now and then.
    store_error: Option<String>,
}

/// Runs the console until somebody leaves it; gives what the store said, if a write failed.
fn show(
    console: Console,
    mut behind: Behind,
    answers: Answers,
    alerts: mpsc::Receiver<Vec<Arc<eyas_event::Alert>>>,
    player: Result<Player, &'static str>,
) -> Result<Option<String>, Fail> {
    let (test, mut orders) = match player {
        Ok(player) => {
            let (door, orders) = player.open()?;
            (Ok(door), Some(orders))
        }
        Err(why) => (Err(why), None),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let cell = Arc::new(ArcSwap::from_pointee(behind.now()));
    let last = cell.clone();
    let exit = runtime.block_on(async {
        let (asks, asked) = mpsc::channel(64);
        let (replies_in, replies) = mpsc::channel(64);
        let pulse = cell.clone();
        let beat = async move {
            let mut tick = tokio::time::interval(PULSE);
            loop {
                tick.tick().await;
                pulse.store(Arc::new(behind.now()));
            }
        };
        tokio::select! {
            exit = tui::run(Doors { pulse: cell, alerts, asks, replies, test }, console) => exit,
            () = hand_on(orders.as_mut()) => Ok(Exit::Stopped),
            () = answers.run(asked, replies_in) => Ok(Exit::Stopped),
            () = beat => Ok(Exit::Stopped),
        }
    });
    if let Some(orders) = orders {
        orders.end();
    }
    let exit = exit?;
    match exit {
        Exit::Quit | Exit::Stopped => Ok(last.load().store.error.clone()),
        Exit::Crashed(text) => Err(Fail { code: code::BUG, text }),
    }
}

/// Hands orders on, if there is anybody to take them.
async fn hand_on(orders: Option<&mut Orders>) {
    match orders {
        Some(orders) => orders.run().await,
        None => std::future::pending().await,
    }
}

impl Behind {
    /// The console's pulse out of the pipeline's, the writer's figures and this machine's.
    fn now(&mut self) -> Pulse {
        let reload = self.reload();
        let pulse = self.pulse.load();
        let stats = self.writer.stats();
        if stats.last_error.is_some() {
            self.store_error.clone_from(&stats.last_error);
        }
        let now = if self.live { machine::now() } else { pulse.last_record };
        let waiting = stats.alerts_waiting > 0;
        Pulse {
            sensor: sensor(&pulse, now),
            hooks: pulse.source.as_ref().map(|s| s.hooks.clone()).unwrap_or_default(),
            events_per_s: pulse.events_per_s,
            events: pulse.events,
            alerts: pulse.alerts,
            lost: pulse.lost,
            store: store(&stats, self.store_error.clone()),
            rss_bytes: machine::rss_bytes(),
            store_lag: if waiting { Duration::from_micros(stats.last_commit_us) } else { Duration::ZERO },
            ruleset: pulse.ruleset,
            rules: pulse.rules,
            reload,
            now,
            ended: pulse.ended,
            ..Pulse::starting(pulse.node.clone())
        }
    }

    /// What the newest load of rules came to; its text is made once.
    fn reload(&mut self) -> Option<Arc<Reload>> {
        let outcome = self.outcomes.load_full()?;
        match &self.told {
            Some((known, reload)) if Arc::ptr_eq(known, &outcome) => Some(reload.clone()),
            _ => {
                let reload = Arc::new(reload(&outcome, machine::now()));
                self.told = Some((outcome, reload.clone()));
                Some(reload)
            }
        }
    }
}

fn reload(outcome: &Loaded, at: WallTime) -> Reload {
    match outcome {
        Ok(outcome) => {
            let count = |severity| outcome.count(severity) as u32;
            // What is worst stands first.
            let mut diagnostics = outcome.diagnostics.clone();
            diagnostics.sort_by_key(|d| Reverse(d.severity));
            Reload {
                at,
                text: rulebook::plain(&diagnostics, &outcome.sources, Severity::Lint),
                errors: count(Severity::Error),
                warnings: count(Severity::Warning),
                lints: count(Severity::Lint),
                rules: outcome.in_force() as u32,
                unread: rulebook::unread(outcome),
                applied: outcome.applied,
            }
        }
        Err(why) => Reload {
            at,
            text: why.clone(),
            errors: 1,
            warnings: 0,
            lints: 0,
            rules: 0,
            unread: None,
            applied: false,
        },
    }
}

/// What people are told of the store.
fn store(stats: &WriterStats, error: Option<String>) -> StoreState {
    StoreState {
        error,
        failing: stats.last_error.is_some(),
        alerts_not_stored: stats.alerts_dropped,
        alerts_spilled: stats.alerts_spilled,
        spill_bytes: stats.spill_bytes,
        alerts_waiting: stats.alerts_waiting,
        processes_not_stored: stats.processes_dropped,
        segments_not_stored: stats.segments_dropped,
    }
}

/// What is said below the console when it has gone.
fn closing(pulse: &eyas_pipeline::Pulse, stats: &WriterStats, store_said: Option<&str>) -> String {
    let mut text = format!(
        "{} events, {} alerts, {} records lost, {} alerts not stored",
        pulse.events, pulse.alerts, pulse.lost, stats.alerts_dropped
    );
    if let Some(error) = store_said {
        text.push_str(": ");
        text.push_str(error);
    }
    if stats.spill_bytes > 0 {
        text.push_str("; some alerts wait in the spill file and are stored at the next start");
    }
    text
}

fn sensor(pulse: &eyas_pipeline::Pulse, now: WallTime) -> Sensor {
    if let Some(why) = &pulse.failed {
        return Sensor::Off(why.clone());
    }
    let Some(source) = &pulse.source else { return Sensor::Starting };
    if source.kind != SourceKind::Live {
        return Sensor::Replay { name: source.name.clone(), position: now };
    }
    let off: Vec<&str> = source.hooks.iter().filter(|h| h.state != HookState::On).map(|h| h.name).collect();
    if off.is_empty() { Sensor::On } else { Sensor::Degraded(format!("off: {}", off.join(", "))) }
}

/// How the console looks: the chosen theme first, the others behind it.
fn look(settings: &Settings) -> Result<Console, Fail> {
    let env = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    let (no_color, colorterm, term) = (env("NO_COLOR"), env("COLORTERM"), env("TERM"));
    let depth = ColorDepth::from_env(no_color.as_deref(), colorterm.as_deref(), term.as_deref());
    let first = match settings.theme.as_deref() {
        None => Theme::default_for(depth),
        Some(name) if Theme::names().any(|n| n == name) => Theme::built_in(name, depth),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| {
                let names = Theme::names().collect::<Vec<_>>().join(", ");
                Fail::environment(format!("theme {path}: {e}; there are {names}, or name a TOML file"))
            })?;
            Theme::parse(path, &text, depth)
        }
    }
    .map_err(Fail::environment)?;
    let mut themes = vec![first];
    for name in Theme::names() {
        if themes[0].name() != name {
            themes.push(Theme::built_in(name, depth).map_err(Fail::environment)?);
        }
    }
    Ok(Console { themes, zone: Zone::local() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_stored_is_said_at_the_end_and_in_the_pulse() {
        let pulse = eyas_pipeline::Pulse { events: 90, alerts: 30, ..eyas_pipeline::Pulse::default() };
        let stats = WriterStats {
            alerts_dropped: 7,
            spill_bytes: 1,
            last_error: Some("disk full".into()),
            ..WriterStats::default()
        };
        assert_eq!(
            closing(&pulse, &stats, stats.last_error.as_deref()),
            "90 events, 30 alerts, 0 records lost, 7 alerts not stored: disk full; some alerts wait in the spill \
             file and are stored at the next start"
        );
        let told = store(&stats, stats.last_error.clone());
        assert!(told.is_bad() && told.failing && told.alerts_not_stored == 7);
        // The error goes, the loss stays.
        let later = store(&WriterStats { last_error: None, ..stats }, told.error);
        assert!(later.is_bad() && !later.failing && later.error.is_some());
        assert!(!store(&WriterStats::default(), None).is_bad());
    }
}
