//! [`Pipeline`]: the loop. It runs on one plain thread, is ordinary calls all the way, and ends when its source does
//! or when it is asked to. Everything it needs is given to it when it is made.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use eyas_ebpf::{Body, Exec, ExecFlags, Head, Kind, LossFixed, Record, records};
use eyas_engine::program::Scratch;
use eyas_engine::ruleset::{RuleId, Ruleset};
use eyas_enrich::Enrich;
use eyas_event::{
    BootTime, Fill, Host, Interest, Loss, LossCause, LossMaker, Lost, LostBy, ProcessKey, RawBatch, Source,
    SourceError, SourceKind, Variables, WallTime,
};

use crate::blind::blind_rules;
use crate::host_names::HostNames;
use crate::judge::{Counts, Judge};
use crate::outlet::{Kept, Outlet};
use crate::pulse::{Pulse, PulseCell};
use crate::recorder::{Recorder, Segment};
use crate::watch::RulesCell;

/// How many record bytes are judged before the ruleset, the losses and the clock are looked at again.
const BATCH_BYTES: usize = 256 << 10;
/// How long the source may wait for a first record; also how quickly a stop is noticed.
const WAIT: Duration = Duration::from_millis(20);
/// How long what was sent before a stop may take to be judged: a machine that never rests must not keep eyas from ending.
/// A slow machine under load was seen to need more than half a second for a fifth of a second of work.
const DRAIN_MAX: Duration = Duration::from_secs(3);
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
pub struct Stop(Arc<Asked>);

#[derive(Debug, Default)]
struct Asked {
    flag: AtomicBool,
    /// Held between a look and a wait, so that no one who asks comes between them.
    looks: Mutex<()>,
    told: Condvar,
}

impl Stop {
    /// Asks.
    pub fn ask(&self) {
        let Asked { flag, looks, told } = &*self.0;
        let _look = looks.lock().unwrap_or_else(PoisonError::into_inner);
        flag.store(true, Ordering::Release);
        told.notify_all();
    }

    /// Whether somebody asked.
    pub fn asked(&self) -> bool {
        self.0.flag.load(Ordering::Acquire)
    }

    /// The same, once somebody has or the time is over.
    pub fn asked_within(&self, time: Duration) -> bool {
        let Asked { looks, told, .. } = &*self.0;
        let look = looks.lock().unwrap_or_else(PoisonError::into_inner);
        let _look = told.wait_timeout_while(look, time, |()| !self.asked());
        self.asked()
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
    in_force: Option<Arc<Ruleset>>,
    outlet: O,
    recorder: Option<Recorder>,
    pulse: PulseCell,
    stop: Stop,
    counts: Counts,
    scratch: Scratch,
    fired: Vec<RuleId>,
    facts: Vec<u8>,
    last_record: BootTime,
    rate: Rate,
    host_names: Option<HostNames>,
}

/// Events a second, as a gliding mean.
#[derive(Debug, Default)]
struct Rate {
    /// Time and number of events at the last pulse.
    pulsed: Option<(Instant, u64)>,
    per_s: f64,
}

impl Rate {
    fn is_due(&self) -> bool {
        self.pulsed.is_none_or(|(at, _)| at.elapsed() >= PULSE_EVERY)
    }

    /// Takes in the number of events so far.
    fn pulse(&mut self, events: u64) {
        let now = Instant::now();
        if let Some((at, before)) = self.pulsed {
            let elapsed = now.duration_since(at).as_secs_f64();
            if elapsed > 0.0 {
                // A mean over about a second, so that the figure does not flicker.
                let rate = events.saturating_sub(before) as f64 / elapsed;
                let weight = elapsed.min(1.0);
                self.per_s = self.per_s * (1.0 - weight) + rate * weight;
            }
        }
        self.pulsed = Some((now, events));
    }
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
            in_force: None,
            outlet,
            recorder: (recording == Recording::On).then(Recorder::default),
            pulse,
            stop,
            counts: Counts::default(),
            scratch: Scratch::default(),
            fired: Vec::new(),
            facts: Vec::new(),
            last_record: BootTime(0),
            rate: Rate::default(),
            host_names: None,
        }
    }

    /// The same with somebody who resolves the host names that rules mention.
    #[must_use]
    pub fn resolving(mut self, host_names: HostNames) -> Self {
        self.host_names = Some(host_names);
        self
    }

    /// Runs until the source ends or somebody asks for a stop; gives the outlet back.
    pub fn run(mut self) -> (O, Result<(), PipelineError>) {
        let result = self.turn();
        let mut losses = Vec::new();
        self.source.last_losses(&mut losses);
        for mut loss in losses {
            self.name_maker(&mut loss);
            self.lose(loss);
        }
        self.finish();
        if let Some(segment) = self.recorder.as_mut().and_then(Recorder::cut) {
            self.outlet.segment(segment);
        }
        let ended = result.is_ok() && !self.stop.asked();
        self.beat(ended, result.as_ref().err().map(ToString::to_string));
        (self.outlet, result)
    }

    fn turn(&mut self) -> Result<(), PipelineError> {
        let mut batch = RawBatch::with_capacity(BATCH_BYTES);
        let mut losses = Vec::new();
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
            let fill = self.source.fill(&mut batch, wait);
            // After the wait, so that a ruleset that came meanwhile judges this batch already.
            let rules = self.adopt()?;
            self.hear_of_hosts(&rules);
            // What came before a failure is judged, too.
            self.judge(&batch, &rules);
            for cgroup in self.enrich.host_cgroups() {
                self.source.not_a_container(cgroup);
            }
            self.source.losses(&mut losses);
            for loss in losses.drain(..) {
                self.lose(loss);
            }
            if let Some(segment) = self.recorder.as_mut().and_then(Recorder::cut_if_due) {
                self.hand_over(segment);
            }
            if self.rate.is_due() {
                self.beat(false, None);
            }
            let fill = fill.map_err(PipelineError::Source)?;
            let drained = until.is_some_and(|until| fill == Fill::Idle || Instant::now() >= until);
            if fill == Fill::End || drained {
                break;
            }
        }
        Ok(())
    }

    fn hand_over(&mut self, segment: Segment) {
        if self.outlet.segment(segment) == Kept::No
            && let Some(recorder) = &mut self.recorder
        {
            recorder.segment_was_dropped();
        }
    }

    /// The ruleset for the next batch. From a new one on the sensor sends what it wants, and the store keeps its text.
    fn adopt(&mut self) -> Result<Arc<Ruleset>, PipelineError> {
        let rules = self.rules.load_full();
        if self.in_force.as_ref().is_none_or(|old| !Arc::ptr_eq(old, &rules)) {
            let mut interest = rules.interest().clone();
            if self.recorder.is_some() {
                interest = interest.union(&Interest::recorded());
            }
            self.source.set_interest(&interest).map_err(PipelineError::Source)?;
            self.outlet.ruleset(&rules);
            self.ask_for_hosts(&rules);
            self.in_force = Some(rules.clone());
        }
        Ok(rules)
    }

    /// Has the names of a new ruleset resolved, and forgets those that it does not mention.
    fn ask_for_hosts(&mut self, rules: &Ruleset) {
        let wanted = rules.host_names();
        let Some(host_names) = &mut self.host_names else { return };
        host_names.want(wanted);
        let is_wanted = |name: &[u8]| wanted.binary_search_by(|other| other.as_bytes().cmp(name)).is_ok();
        let known = self.enrich.hosts().filter(|name| !is_wanted(name));
        for name in known.map(<[u8]>::to_vec).collect::<Vec<_>>() {
            self.learn_host(&name, &[]);
        }
    }

    /// Takes in what came of it so far.
    fn hear_of_hosts(&mut self, rules: &Ruleset) {
        while let Some(found) = self.host_names.as_ref().and_then(HostNames::next) {
            // It may be an answer to the ruleset before.
            if rules.host_names().binary_search(&found.name).is_ok() {
                self.learn_host(found.name.as_bytes(), &found.addresses);
            }
        }
    }

    /// From here on a name leads to these addresses.
    fn learn_host(&mut self, name: &[u8], addresses: &[IpAddr]) {
        if let Some(recorder) = &mut self.recorder {
            recorder.begin(&self.enrich);
        }
        self.facts.clear();
        self.enrich.learn_addresses(name, addresses, &mut self.facts);
        if let Some(recorder) = &mut self.recorder {
            recorder.push(&[], &self.facts, BootTime(0));
        }
    }

    fn judge(&mut self, batch: &RawBatch, rules: &Ruleset) {
        let Self { enrich, outlet, recorder, counts, scratch, fired, facts, .. } = self;
        let bytes = batch.bytes();
        let printed = rules.printed_variables();
        let mut unreadable = false;
        for (at, record) in records(bytes) {
            let Ok(record) = record else {
                // Nothing after a broken record can be found with certainty.
                unreadable = true;
                break;
            };
            if let Some(recorder) = recorder.as_mut() {
                recorder.begin(enrich);
            }
            facts.clear();
            let mut judge = Judge { rules, scratch, fired, counts, outlet };
            enrich.fold(&record, facts, &mut |event| judge.event(event));
            let time = BootTime(record.head.time);
            if record.body.kind().is_none_or(Kind::is_kernel) {
                self.last_record = self.last_record.max(time);
            }
            if let Body::Loss(loss) = &record.body {
                // At its place in the stream, so that alerts after it know of it, live and in a replay.
                let loss = recorded(&record.head, loss);
                counts.lost = counts.lost.saturating_add(loss.count);
                outlet.loss(loss, &Some(blind_rules(rules, loss.lost)));
            }
            if let Some(recorder) = recorder {
                let own = &bytes[at..at + record.head.len as usize];
                let kept = with_variables(&record, printed);
                recorder.push(facts, kept.as_deref().unwrap_or(own), time);
            }
        }
        if unreadable {
            let at = self.last_record;
            // One record at least; how many more lay behind it, nobody can know.
            let lost = Lost::AnyRecords;
            let (cause, by) = (LossCause::Unreadable, LostBy::default());
            self.lose(Loss { lost, cause, by, count: 1, from: at, to: at });
        }
    }

    /// Judges what waited for more records: no more will come.
    fn finish(&mut self) {
        let Self { enrich, outlet, counts, scratch, fired, in_force, .. } = self;
        if let Some(rules) = in_force {
            let mut judge = Judge { rules, scratch, fired, counts, outlet };
            enrich.finish(&mut |event| judge.event(event));
        }
    }

    /// Gives the maker of a loss its name, where only its identity was to be had.
    fn name_maker(&self, loss: &mut Loss) {
        if let Some(maker) = &mut loss.by.process
            && maker.name().is_empty()
            && let Some(process) = self.enrich.table().get(maker.key)
        {
            for (into, byte) in maker.comm.iter_mut().zip(process.comm.iter()) {
                *into = *byte;
            }
        }
    }

    /// Counts a loss, writes it into the recording, and hands it on.
    fn lose(&mut self, loss: Loss) {
        self.counts.lost = self.counts.lost.saturating_add(loss.count);
        if let Some(recorder) = &mut self.recorder {
            let fixed = LossFixed {
                kind: loss.lost.code(),
                cause: loss.cause.code(),
                count: loss.count,
                from: loss.from.0,
                to: loss.to.0,
                cpu: loss.by.cpu.map_or(0, |cpu| u32::from(cpu) + 1),
            };
            let mut raw = Vec::new();
            let ProcessKey { pid, start } = loss.by.process.unwrap_or_default().key;
            let start = start.saturating_mul(ProcessKey::TICK_NS);
            let head = Head { time: loss.to.0, tgid: pid, start, ..Head::default() };
            if (Record { head, body: Body::Loss(fixed) }).write(&mut raw).is_ok() {
                recorder.begin(&self.enrich);
                recorder.push(&[], &raw, loss.to);
            }
        }
        let blind = self.in_force.as_ref().map(|rules| blind_rules(rules, loss.lost));
        self.outlet.loss(loss, &blind);
    }

    fn beat(&mut self, ended: bool, failed: Option<String>) {
        let events = self.enrich.stats().events;
        self.rate.pulse(events);
        let rules = self.in_force.clone().unwrap_or_else(|| self.rules.load_full());
        self.pulse.store(Arc::new(Pulse {
            node: self.enrich.node().clone(),
            source: Some(self.source.describe()),
            events_per_s: self.rate.per_s.round() as u64,
            events,
            alerts: self.counts.alerts,
            lost: self.counts.lost,
            last_record: match self.last_record {
                BootTime(0) => WallTime(0),
                time => time.to_wall(self.enrich.wall_offset_ns()),
            },
            ruleset: Some(rules.hash()),
            rules: rules.in_force().count() as u32,
            ended,
            failed,
        }));
    }
}

/// A loss as the recording holds it.
fn recorded(head: &Head, loss: &LossFixed) -> Loss {
    let key = ProcessKey::at(head.tgid, BootTime(head.start));
    let process = (head.tgid != 0).then(|| LossMaker { key, ..LossMaker::default() });
    let cpu = loss.cpu.checked_sub(1).and_then(|cpu| cpu.try_into().ok());
    Loss {
        by: LostBy { cpu, process },
        lost: Lost::from_code(loss.kind),
        cause: LossCause::from_code(loss.cause).unwrap_or(LossCause::Unreadable),
        count: loss.count,
        from: BootTime(loss.from),
        to: BootTime(loss.to),
    }
}

/// The bytes of an exec as they are when of its environment only these variables keep their values; `None` for a record that has no
/// others.
fn with_variables(record: &Record<'_>, kept: &Variables) -> Option<Vec<u8>> {
    let Body::Exec(exec) = record.body else { return None };
    let mut fixed = exec.fixed;
    if !fixed.flags.has(ExecFlags::ENV_READ) {
        return None;
    }
    let mut env = kept.keep(exec.env);
    if kept.is_empty() {
        // That nothing was set is not known from this record any more.
        fixed.flags.0 &= !ExecFlags::ENV_READ.0;
        env.clear();
    } else if env.len() == exec.env.len() {
        return None;
    }
    let mut bytes = Vec::new();
    let fewer = Record { head: record.head, body: Body::Exec(Exec { fixed, env: &env, ..exec }) };
    // It is no longer than the record that it is made of, so that it cannot be too long.
    fewer.write(&mut bytes).ok().map(|_| bytes)
}
