//! What the tests share: records, a source that gives them out batch by batch, a host with one process, and an outlet
//! that keeps what it gets.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use eyas_ebpf::{Body, Head, Open, OpenFixed, Record};
use eyas_engine::ruleset::Ruleset;
use eyas_engine::source::SourceFile;
use eyas_enrich::Enrich;
use eyas_event::{
    Alert, BlindRules, BootTime, Fill, Host, Interest, Lookup, Loss, OutputValue, Priority, Process,
    ProcessKey, RawBatch, RulesetHash, Source, SourceError, SourceInfo, SourceKind, User, Whose,
};
use eyas_pipeline::{
    HostNames, Kept, Outlet, Pipeline, PipelineError, Pulse, PulseCell, Recording, RulesCell, Segment, Stop,
    load_texts,
};

pub(crate) const T0: u64 = 1_000_000_000;

/// An open of `name` by process 10, at `n` ms.
pub(crate) fn open(name: &str, n: u64) -> Vec<u8> {
    let time = T0 + n * 1_000_000;
    let head = Head { tid: 10, tgid: 10, start: T0, time, seq: n, ..Head::default() };
    let fixed = OpenFixed { ret: 3, syscall: 257, dirfd: -100, file_mode: 0o100_644, ..OpenFixed::default() };
    let mut out = Vec::new();
    let body = Body::Open(Open { fixed, given: name.as_bytes(), resolved: b"", base: b"" });
    Record { head, body }.write(&mut out).unwrap();
    out
}

/// A rule that fires on opens of `path`.
pub(crate) fn rules(name: &str, path: &str) -> Arc<Ruleset> {
    let text = format!(
        "- rule: {name}\n  desc: d\n  condition: evt.type = openat and fd.name = {path}\n  output: opened %fd.name by \
         %proc.name (%user.name)\n  priority: WARNING\n"
    );
    let outcome = load_texts(vec![SourceFile::new("r.yaml", text)], Priority::Debug);
    assert_eq!(outcome.in_force(), 1, "{:?}", outcome.diagnostics);
    outcome.ruleset
}

/// One thing that a source does when it is asked for records.
pub(crate) enum Step {
    Give(Vec<u8>),
    Lose(Loss),
    Do(Box<dyn FnMut() + Send>),
    Fail(&'static str),
}

/// Does one step each time it is asked.
pub(crate) struct Steps {
    pub(crate) kind: SourceKind,
    pub(crate) left: VecDeque<Step>,
    pub(crate) losses: Vec<Loss>,
}

impl Steps {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { kind: SourceKind::Synthetic, left: steps.into_iter().collect(), losses: Vec::new() }
    }
}

impl Source for Steps {
    fn describe(&self) -> SourceInfo {
        SourceInfo { name: "steps".into(), kind: self.kind, hooks: Vec::new() }
    }

    fn fill(&mut self, batch: &mut RawBatch, _wait: Duration) -> Result<Fill, SourceError> {
        match self.left.pop_front() {
            None => return Ok(Fill::End),
            Some(Step::Give(bytes)) => assert!(batch.push(&bytes)),
            Some(Step::Lose(loss)) => self.losses.push(loss),
            Some(Step::Do(mut act)) => act(),
            Some(Step::Fail(why)) => return Err(SourceError::Read(why.into())),
        }
        Ok(Fill::Records)
    }

    fn set_interest(&mut self, _: &Interest) -> Result<(), SourceError> {
        Ok(())
    }

    fn losses(&mut self, out: &mut Vec<Loss>) {
        out.append(&mut self.losses);
    }
}

/// A machine on which process 10 runs.
pub(crate) struct Machine;

impl Host for Machine {
    fn node(&self) -> &'static str {
        "node-1"
    }
    fn wall_offset_ns(&self) -> i64 {
        1_700_000_000_000_000_000
    }
    fn processes(&mut self, out: &mut dyn FnMut(Process)) {
        out(self.process(10).unwrap());
    }
    fn process(&mut self, pid: u32) -> Option<Process> {
        (pid == 10).then(|| Process {
            key: ProcessKey::at(10, BootTime(T0)),
            started: BootTime(T0),
            comm: (*b"sshd").into(),
            container: Process::HOST.into(),
            ..Process::default()
        })
    }
    fn user(&mut self, _: u32, _: Whose<'_>) -> Lookup<User> {
        Lookup::Nobody
    }
    fn group(&mut self, _: u32, _: Whose<'_>) -> Lookup<Vec<u8>> {
        Lookup::Nobody
    }
    fn cgroup_path(&mut self, _: u64, _: u32) -> Option<Vec<u8>> {
        None
    }
}

/// Everything that came out.
#[derive(Default)]
pub(crate) struct Collected {
    pub(crate) alerts: Vec<Arc<Alert>>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) losses: Vec<Loss>,
    pub(crate) rulesets: Vec<RulesetHash>,
    /// Segments that are refused from now on.
    pub(crate) refuse: usize,
}

impl Outlet for Collected {
    fn alert(&mut self, alert: &Arc<Alert>) {
        self.alerts.push(alert.clone());
    }
    fn process(&mut self, _: &Arc<Process>) {}
    fn segment(&mut self, segment: Segment) -> Kept {
        if self.refuse > 0 {
            self.refuse -= 1;
            return Kept::No;
        }
        self.segments.push(segment);
        Kept::Yes
    }
    fn loss(&mut self, loss: Loss, _: &BlindRules) {
        self.losses.push(loss);
    }
    fn ruleset(&mut self, ruleset: &Arc<Ruleset>) {
        self.rulesets.push(ruleset.hash());
    }
}

pub(crate) struct Ran {
    pub(crate) out: Collected,
    pub(crate) result: Result<(), PipelineError>,
    pub(crate) pulse: Arc<Pulse>,
}

pub(crate) fn cell(rules: &Arc<Ruleset>) -> RulesCell {
    Arc::new(ArcSwap::new(rules.clone()))
}

pub(crate) fn run<S: Source, H: Host>(
    source: S,
    enrich: Enrich<H>,
    rules: &RulesCell,
    recording: Recording,
    out: Collected,
    stop: Stop,
) -> Ran {
    let pulse = PulseCell::default();
    let pipeline = Pipeline::new(source, enrich, rules.clone(), out, recording, pulse.clone(), stop);
    let (out, result) = pipeline.run();
    Ran { out, result, pulse: pulse.load_full() }
}

/// Runs the steps against the machine, recording.
pub(crate) fn live(steps: impl IntoIterator<Item = Step>, rules: &RulesCell) -> Ran {
    let mut enrich = Enrich::new(Machine);
    enrich.snapshot();
    run(Steps::new(steps), enrich, rules, Recording::On, Collected::default(), Stop::default())
}

/// The same with somebody who resolves host names.
pub(crate) fn run_resolving(
    steps: impl IntoIterator<Item = Step>,
    rules: &RulesCell,
    door: HostNames,
) -> Ran {
    let mut enrich = Enrich::new(Machine);
    enrich.snapshot();
    let (pulse, out) = (PulseCell::default(), Collected::default());
    let source = Steps::new(steps);
    let pipeline =
        Pipeline::new(source, enrich, rules.clone(), out, Recording::On, pulse.clone(), Stop::default());
    let (out, result) = pipeline.resolving(door).run();
    Ran { out, result, pulse: pulse.load_full() }
}

/// An alert without what two runs may differ in.
pub(crate) fn shown(alert: &Alert) -> (String, String, u64, u64, u64, Vec<(String, OutputValue)>) {
    let pids = alert.ancestors.iter().map(|p| p.key.pid.to_string()).collect::<Vec<_>>().join(",");
    (
        format!("{} {} {}", alert.rule, alert.node, pids),
        alert.message.clone(),
        alert.event_num,
        alert.time.0,
        alert.lost_before,
        alert.fields.clone(),
    )
}
