//! [`Pipeline`]: the loop. It runs on one plain thread, is ordinary calls all the way, and ends when its source does
//! or when it is asked to. Everything it needs is given to it when it is made.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use eyas_ebpf::{Body, Head, LossFixed, Record, records};
use eyas_engine::program::Scratch;
use eyas_engine::ruleset::{RuleId, Ruleset};
use eyas_enrich::Enrich;
use eyas_event::{
    BootTime, Event, EventType, Fill, Host, Interest, Loss, LossCause, Lost, ProcessKey, RawBatch, Source,
    SourceError, SourceKind, WallTime,
};

use crate::alert::alert;
use crate::outlet::Outlet;
use crate::pulse::{Pulse, PulseCell};
use crate::recorder::Recorder;
use crate::watch::RulesCell;

/// How many record bytes are judged before the ruleset, the losses and the clock are looked at again.
const BATCH_BYTES: usize = 256 << 10;
/// How long the source may wait for a first record; also how quickly a stop is noticed.
const WAIT: Duration = Duration::from_millis(5);
/// How long what was sent before a stop may take to be judged: a machine that never rests must not keep eyas from ending.
const DRAIN_MAX: Duration = Duration::from_millis(500);
/// How often the pulse is swapped.
const PULSE_EVERY: Duration = Duration::from_millis(200);

/// Whether the records are kept for replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recording {
    /// They are.
    On,
    /// They are not: a replay, or the user wants none.
    Off,
}

/// Asks a pipeline to end. Clones ask the same one.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether somebody asked.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Why a pipeline ended before its time.
#[derive(Debug)]
pub enum PipelineError {
    /// The source failed.
    Source(SourceError),
}

impl std::fmt::Display for PipelineError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Source(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PipelineError {}

/// The loop and all that it owns.
pub struct Pipeline<S, H, O> {
    source: S,
    enrich: Enrich<H>,
    rules: RulesCell,
    outlet: O,
    recorder: Option<Recorder>,
    pulse: PulseCell,
    stop: Stop,
    counters: Counters,
    stored: Stored,
}

#[derive(Debug, Default)]
struct Counters {
    alerts: u64,
    lost: u64,
    last_record: BootTime,
    /// Events and time at the last pulse.
    pulsed: Option<(Instant, u64)>,
    events_per_s: u64,
}

impl<S: Source, H: Host, O: Outlet> Pipeline<S, H, O> {
    /// A pipeline that has not begun.
    pub fn new(
        source: S,
        enrich: Enrich<H>,
        rules: RulesCell,
        outlet: O,
        recording: Recording,
        pulse: PulseCell,
        stop: Stop,
    ) -> Self {
        Self {
            source,
            enrich,
            rules,
            outlet,
            recorder: (recording == Recording::On).then(Recorder::default),
            pulse,
            stop,
            counters: Counters::default(),
            stored: Stored::default(),
        }
    }

    /// Runs until the source ends or somebody asks for a stop; gives the outlet back.
    pub fn run(mut self) -> (O, Result<(), PipelineError>) {
        let result = self.turn();
        if let Some(segment) = self.recorder.as_mut().and_then(Recorder::cut) {
            self.outlet.segment(segment);
        }
        let ended = result.is_ok() && !self.stop.asked();
        self.beat(ended, result.as_ref().err().map(ToString::to_string));
        (self.outlet, result)
    }

    fn turn(&mut self) -> Result<(), PipelineError> {
        let mut batch = RawBatch::with_capacity(BATCH_BYTES);
        let mut scratch = Scratch::default();
        let mut losses = Vec::new();
        let mut in_force: Option<Arc<Ruleset>> = None;
        self.beat(false, None);
        // A stop does not cut off what the kernel had sent before it: that is judged first, for a moment at most.
        let mut until: Option<Instant> = None;
        loop {
            if until.is_none() && self.stop.asked() {
                if self.source.describe().kind != SourceKind::Live {
                    break;
                }
                until = Some(Instant::now() + DRAIN_MAX);
            }
            let wait = if until.is_some() { Duration::ZERO } else { WAIT };
            batch.clear();
            let fill = self.source.fill(&mut batch, wait).map_err(PipelineError::Source)?;
            // After the wait, so that a ruleset that came meanwhile judges this batch already.
            let rules = self.rules.load_full();
            if in_force.as_ref().is_none_or(|old| !Arc::ptr_eq(old, &rules)) {
                self.adopt(&rules)?;
                in_force = Some(rules.clone());
            }
            self.judge(&batch, &rules, &mut scratch);
            self.source.losses(&mut losses);
            for loss in losses.drain(..) {
                self.lose(loss);
            }
            if let Some(segment) = self.recorder.as_mut().and_then(Recorder::cut_if_due) {
                self.outlet.segment(segment);
            }
            if self.counters.pulsed.is_none_or(|(at, _)| at.elapsed() >= PULSE_EVERY) {
                self.beat(false, None);
            }
            let drained = until.is_some_and(|until| fill == Fill::Idle || Instant::now() >= until);
            if fill == Fill::End || drained {
                break;
            }
        }
        Ok(())
    }

    /// A new ruleset judges from here on: the sensor sends what it wants, the store keeps its text.
    fn adopt(&mut self, rules: &Arc<Ruleset>) -> Result<(), PipelineError> {
        let mut interest = rules.interest();
        if self.recorder.is_some() {
            interest = interest.union(Interest::everything());
        }
        self.source.set_interest(&interest).map_err(PipelineError::Source)?;
        self.outlet.ruleset(rules);
        Ok(())
    }

    fn judge(&mut self, batch: &RawBatch, rules: &Ruleset, scratch: &mut Scratch) {
        let Self { enrich, outlet, recorder, counters, stored, .. } = self;
        let bytes = batch.bytes();
        let mut facts = Vec::new();
        let mut fired: Vec<RuleId> = Vec::new();
        let mut unreadable = false;
        for (at, record) in records(bytes) {
            let Ok(record) = record else {
                // Nothing after a broken record can be found with certainty.
                unreadable = true;
                break;
            };
            if let Some(recorder) = recorder.as_mut().filter(|r| r.wants_keyframe()) {
                recorder.keyframe(|raw| enrich.keyframe(raw));
            }
            facts.clear();
            enrich.fold(&record, &mut facts, &mut |event: &Event<'_>| {
                fired.clear();
                rules.judge(event, scratch, &mut fired);
                if matches!(event.kind, EventType::EXECVE | EventType::EXECVEAT)
                    && matches!(event.body, eyas_event::event::Body::Exec)
                {
                    stored.note(outlet, event.process);
                }
                for id in &fired {
                    counters.alerts += 1;
                    let rule = rules.rule(*id);
                    let alert = Arc::new(alert(event, rules, rule, scratch, counters.alerts, counters.lost));
                    outlet.alert(&alert);
                }
            });
            let time = BootTime(record.head.time);
            if record.body.kind().is_none_or(eyas_ebpf::Kind::is_kernel) {
                counters.last_record = counters.last_record.max(time);
            }
            if let Some(recorder) = recorder {
                recorder.push(&facts, &bytes[at..at + record.head.len as usize], time);
            }
        }
        if unreadable {
            let at = self.counters.last_record;
            self.lose(Loss {
                lost: Lost::AnyRecords,
                cause: LossCause::Unreadable,
                count: 0,
                from: at,
                to: at,
            });
        }
    }

    /// Counts a loss, writes it into the recording, and hands it on.
    fn lose(&mut self, loss: Loss) {
        self.counters.lost += loss.count;
        if let Some(recorder) = &mut self.recorder {
            let fixed = LossFixed {
                kind: loss.lost.code(),
                cause: loss.cause.code(),
                count: loss.count,
                from: loss.from.0,
                to: loss.to.0,
                ..LossFixed::default()
            };
            let mut raw = Vec::new();
            let head = Head { time: loss.to.0, ..Head::default() };
            if (Record { head, body: Body::Loss(fixed) }).write(&mut raw).is_ok() {
                recorder.push(&[], &raw, loss.to);
            }
        }
        self.outlet.loss(loss);
    }

    fn beat(&mut self, ended: bool, failed: Option<String>) {
        let events = self.enrich.stats().events;
        let now = Instant::now();
        let c = &mut self.counters;
        if let Some((at, before)) = c.pulsed {
            let elapsed = now.duration_since(at).as_secs_f64();
            if elapsed > 0.0 {
                // A gliding mean over about a second, so that the figure does not flicker.
                let rate = events.saturating_sub(before) as f64 / elapsed;
                let weight = elapsed.min(1.0);
                c.events_per_s = (c.events_per_s as f64 * (1.0 - weight) + rate * weight).round() as u64;
            }
        }
        c.pulsed = Some((now, events));
        let rules = self.rules.load();
        self.pulse.store(Arc::new(Pulse {
            node: self.enrich.node().clone(),
            source: Some(self.source.describe()),
            events_per_s: c.events_per_s,
            events,
            alerts: c.alerts,
            lost: c.lost,
            last_record: match c.last_record {
                BootTime(0) => WallTime(0),
                time => time.to_wall(self.enrich.wall_offset_ns()),
            },
            ruleset: Some(rules.hash()),
            rules: rules.rules().filter(|(_, rule)| rule.enabled).count() as u32,
            ended,
            failed,
        }));
    }
}

/// Which values of processes have been handed to the outlet already. It forgets everything now and then, because
/// handing one over twice costs little and remembering all costs memory.
#[derive(Debug, Default)]
struct Stored(std::collections::HashSet<(ProcessKey, BootTime)>);

impl Stored {
    const MAX: usize = 65_536;

    fn note(&mut self, outlet: &mut impl Outlet, process: &Arc<eyas_event::Process>) {
        if self.0.len() >= Self::MAX {
            self.0.clear();
        }
        if self.0.insert((process.key, process.exec_time)) {
            outlet.process(process);
        }
    }
}
