//! [`Watch`]: where the alerts come from. Usually a sensor that is started for the purpose, with the rules switched on that
//! the actions should fire; when an eyas writes to the store already, what that one sees.

use std::sync::Arc;

use eyas_engine::ruleset::{Rule, Ruleset};
use eyas_engine::{Selected, Selection};
use eyas_event::{Alert, AlertId, BlindRules, Loss, Process, ProcessKey, WallTime};
use eyas_pipeline::{Kept, Outlet, Segment, Stop};
use eyas_store::{BlockingReader, Store};
use tempfile::TempDir;

use crate::agent::{self, Agent, Start};
use crate::fail::{Fail, Outcome};
use crate::outlets::ToStore;
use crate::rulebook;
use crate::settings::Settings;

use super::action::Action;

/// How many alerts are asked for at once.
const PAGE: u32 = 500;

/// Whoever watches the actions.
pub(super) struct Watch {
    reader: BlockingReader,
    rules: Arc<Ruleset>,
    store: std::path::PathBuf,
    own: Option<Own>,
}

/// A sensor of our own.
struct Own {
    agent: Agent<(ToStore, Nowhere)>,
    /// Gone with it.
    _dir: Option<TempDir>,
}

/// Alerts are read from the store; nobody else wants them.
struct Nowhere;

impl Outlet for Nowhere {
    fn alert(&mut self, _: &Arc<Alert>) {}
    fn process(&mut self, _: &Arc<Process>) {}
    fn segment(&mut self, _: Segment) -> Kept {
        Kept::Yes
    }
    fn loss(&mut self, _: Loss, _: &BlindRules) {}
    fn ruleset(&mut self, _: &Arc<Ruleset>) {}
}

/// The rule that an action should fire.
pub(super) struct Expected<'a> {
    pub(super) rule: &'a Rule,
    /// Whether it is the stock rule of that name.
    pub(super) stock: bool,
}

impl Watch {
    /// Starts a sensor, unless one has the store.
    pub(super) fn start(settings: &Settings, actions: &[&Action], stop: &Stop) -> Result<Self, Fail> {
        let store = settings.store.clone();
        let failed = |e| Fail::store(&store, &e);
        let mut settings = settings.clone();
        if Store::is_held(&store).map_err(failed)? {
            return Self::running(&settings);
        }
        let dir = if settings.store_was_named {
            None
        } else {
            let dir = tempfile::Builder::new().prefix("eyas-simulate-store-").tempdir()?;
            settings.store = dir.path().join("eyas.db");
            Some(dir)
        };
        let first = rulebook::load(&settings)?;
        settings.switched_on = actions
            .iter()
            .filter_map(|action| expected(&first.ruleset, action))
            .filter(|expected| !expected.rule.enabled)
            .map(|expected| Selection { which: Selected::Rule(expected.rule.name.to_string()), on: true })
            .collect();
        // What the actions do has to be judged by one ruleset.
        settings.config.watch_config_files = false;
        // The actions are children of this process and need what it has.
        settings.config.eyas.sandbox = false;
        let loaded = agent::rules_for_run(&settings)?;
        let rules = loaded.ruleset.clone();
        // The machine may be busy with other things, which would fill the store's lane.
        let start = Start { record: false, only_pid_ns: None, only_below: Some(std::process::id()) };
        let opened = agent::open(&settings, loaded, &start)?;
        let agent = Agent::start(&settings, opened, &start, stop.clone(), Nowhere, |_| {})?;
        let reader = agent.store.reader().map_err(|e| Fail::store(&settings.store, &e))?.blocking();
        Ok(Self { reader, rules, store: settings.store.clone(), own: Some(Own { agent, _dir: dir }) })
    }

    /// The eyas that is running with the store.
    pub(super) fn running(settings: &Settings) -> Result<Self, Fail> {
        let store = settings.store.clone();
        let failed = |e| Fail::store(&store, &e);
        if !Store::is_held(&store).map_err(failed)? {
            return Err(Fail::environment(format!("no eyas is running with {}", store.display())));
        }
        let rules = agent::rules_for_run(settings)?.ruleset;
        let reader = Store::open_read(&store).map_err(failed)?.blocking();
        Ok(Self { reader, rules, store, own: None })
    }

    /// What a person should know of it.
    pub(super) fn note(&self) -> Option<String> {
        self.own.is_none().then(|| {
            format!(
                "an eyas is running with {}: its alerts count, and its rules should be those named here; no rule is switched on",
                self.store.display()
            )
        })
    }

    /// The rule that an action should fire: the stock rule where it is loaded, else ours.
    pub(super) fn expected(&self, action: &Action) -> Option<Expected<'_>> {
        expected(&self.rules, action)
    }

    /// How many records a sensor of our own has lost, and how many alerts its store did not take. What an agent loses stands
    /// in its own store.
    pub(super) fn lost(&self) -> (u64, u64) {
        self.own.as_ref().map_or((0, 0), |own| {
            let stats = own.agent.writer().stats();
            (own.agent.pulse.load().lost, stats.alerts_dropped + stats.alerts_spilled)
        })
    }

    /// Whether the sensor has ended by itself.
    pub(super) fn has_ended(&self) -> bool {
        self.own.as_ref().is_some_and(|own| own.agent.has_ended())
    }

    /// Alerts since a moment on what that process, or one that descends from it, has done; and the time of the newest alert
    /// of anybody, which is where the next look may begin. A machine that is busy with other things may fire thousands.
    pub(super) fn alerts_of(&self, who: ProcessKey, since: WallTime) -> Result<(Vec<Alert>, WallTime), Fail> {
        // The counter in an id starts anywhere, so the search begins a step before.
        let mut at = AlertId(AlertId::new(since, 0).0.saturating_sub(1));
        let (mut found, mut newest) = (Vec::new(), since);
        loop {
            let page = self.reader.alerts_after(at, PAGE).map_err(|e| Fail::store(&self.store, &e))?;
            let full = page.len() == PAGE as usize;
            at = page.last().map_or(at, |a| a.id);
            newest = page.iter().map(|alert| alert.time).fold(newest, WallTime::max);
            found.extend(page.into_iter().filter(|alert| descends(alert, who)));
            if !full {
                return Ok((found, newest));
            }
        }
    }

    /// Ends the sensor, if it is ours.
    pub(super) fn finish(self) -> Outcome {
        self.own.map_or(Ok(()), |own| own.agent.finish().map(drop))
    }
}

fn expected<'a>(rules: &'a Ruleset, action: &Action) -> Option<Expected<'a>> {
    let named = |name: &str| rules.find(name).map(|id| rules.rule(id));
    let stock = named(action.stock).map(|rule| Expected { rule, stock: true });
    stock.or_else(|| Some(Expected { rule: named(action.shipped?)?, stock: false }))
}

/// Whether the process of an alert is `who` or descends from it. Starts are compared by the tick, and the two clocks that
/// tell them may round one apart.
fn descends(alert: &Alert, who: ProcessKey) -> bool {
    std::iter::once(&alert.process)
        .chain(&alert.ancestors)
        .any(|p| p.key.pid == who.pid && p.key.start.abs_diff(who.start) <= 1)
}
