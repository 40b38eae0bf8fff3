//! The sensor, loaded for a second: each hook on, off or missing and why, and what each program costs while this machine does
//! what it is doing.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use eyas_event::{HookState, HookStatus, Interest, RawBatch, Source};
use eyas_probe::{CountingRuns, Means, Probe, ProbeOptions, ProgramCost, Totals, known_hooks};
use serde_json::{Value, json};

use super::{Finding, Part, State};
use crate::settings::Settings;

/// How long costs are measured.
const MEASURED: Duration = Duration::from_secs(1);
/// How long one wait for records lasts.
const WAIT: Duration = Duration::from_millis(5);

/// What came of loading it.
pub(super) struct Sensed {
    ring_bytes: u32,
    /// The hooks, or why there is none.
    pub(super) hooks: Result<Vec<HookStatus>, String>,
    /// How its programs work here, if it is there.
    pub(super) means: Option<Means>,
    costs: Result<Costs, String>,
    /// What was sent and what was not while it was looked.
    totals: Option<Totals>,
}

/// What the programs cost while it was looked.
struct Costs {
    elapsed: Duration,
    programs: Vec<ProgramCost>,
}

impl Sensed {
    /// Whether there is a sensor at all.
    pub(super) fn works(&self) -> bool {
        self.hooks.is_ok()
    }
}

/// Loads the sensor, with what the rules want of it, and measures.
pub(super) fn look(settings: &Settings, interest: Option<&Interest>) -> Sensed {
    let ring_bytes = settings.config.eyas.ring_mib.saturating_mul(1 << 20);
    match Probe::open(&ProbeOptions { ring_bytes, ..ProbeOptions::default() }) {
        Err(error) => {
            let why = error.to_string();
            Sensed { ring_bytes, hooks: Err(why.clone()), means: None, costs: Err(why), totals: None }
        }
        Ok(mut probe) => {
            let costs = measure(&mut probe, interest);
            let (hooks, means) = (Ok(probe.hooks().to_vec()), Some(probe.means()));
            Sensed { ring_bytes, hooks, means, costs, totals: probe.totals().ok() }
        }
    }
}

fn measure(probe: &mut Probe, interest: Option<&Interest>) -> Result<Costs, String> {
    if let Some(interest) = interest {
        probe.set_interest(interest).map_err(|e| e.to_string())?;
    }
    let _counting = CountingRuns::begin().map_err(|why| {
        format!("the kernel does not count for this process ({why}): CAP_SYS_ADMIN is needed")
    })?;
    let begun = Instant::now();
    let before: BTreeMap<String, ProgramCost> =
        probe.costs().into_iter().map(|cost| (cost.name.clone(), cost)).collect();
    let mut batch = RawBatch::with_capacity(1 << 20);
    // Read meanwhile: a full ring would make the programs cheaper than they are.
    while begun.elapsed() < MEASURED {
        batch.clear();
        probe.fill(&mut batch, WAIT).map_err(|e| e.to_string())?;
    }
    let elapsed = begun.elapsed();
    let mut programs = probe.costs();
    for cost in &mut programs {
        if let Some(before) = before.get(&cost.name) {
            cost.runs = cost.runs.saturating_sub(before.runs);
            cost.time = cost.time.saturating_sub(before.time);
        }
    }
    Ok(Costs { elapsed, programs })
}

/// `on`, `off` or `missing`, and why.
fn state(hook: &HookStatus) -> (&'static str, Option<&str>) {
    match &hook.state {
        HookState::On => ("on", None),
        // What aya says of a tracepoint that the kernel's types do not have.
        HookState::Off(why) if why.contains("unknown BTF type") || why.starts_with("the kernel has no ") => {
            ("missing", Some(why))
        }
        HookState::Off(why) => ("off", Some(why)),
    }
}

/// How the kernel's memory is read.
fn reads(means: Means) -> &'static str {
    if means.plain_loads { "plain loads" } else { "helper calls" }
}

/// What the kernel lacks of what the programs can use: its name, the Linux that brought it, and what is less for want of it.
fn lacks(means: Means) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let known = [
        (
            means.loops,
            "bpf_loop",
            "5.17",
            "paths of more than 24 names are cut off, and so are command lines beyond 32 KiB; no variable of an environment is sent",
        ),
        (
            means.typed_task,
            "bpf_get_current_task_btf",
            "5.11",
            "each look at a task takes a call, which makes every program slower",
        ),
    ];
    known.into_iter().filter(|(has, ..)| !has).map(|(_, name, since, without)| (name, since, without))
}

/// The hooks, each with its state.
pub(super) fn hooks(sensed: &Sensed) -> Part {
    let ring = format!("{} MiB between kernel and eyas (eyas.ring_mib)", sensed.ring_bytes >> 20);
    let mut findings = vec![Finding::new("ring", State::Good, ring)];
    if let Some(means) = sensed.means {
        findings.push(Finding::new("reads", State::Good, format!("by {}", reads(means))));
        for (name, _, without) in lacks(means) {
            findings.push(Finding::new(name, State::Note, format!("this kernel has none: {without}")));
        }
    }
    if let Some(totals) = sensed.totals {
        let Totals { attempted, filtered, lost, .. } = totals;
        let says = format!(
            "{attempted} made and {lost} lost meanwhile; {filtered} calls that nobody wants were left out"
        );
        findings.push(Finding::new("records", if lost == 0 { State::Good } else { State::Note }, says));
    }
    let mut list = Vec::new();
    match &sensed.hooks {
        Err(why) => {
            findings.insert(0, Finding::new("sensor", State::Bad, why.clone()));
            list.extend(known_hooks().map(
                |(name, purpose)| json!({"name": name, "purpose": purpose, "state": "off", "why": why}),
            ));
        }
        Ok(hooks) => {
            for hook in hooks {
                let (word, why) = state(hook);
                let because = why.map(|why| format!(": {why}")).unwrap_or_default();
                findings.push(Finding::new(
                    hook.name,
                    State::of(why.is_none()),
                    format!("{word}: {}{because}", hook.purpose),
                ));
                list.push(json!({"name": hook.name, "purpose": hook.purpose, "state": word, "why": why}));
            }
        }
    }
    let off = list.iter().any(|hook| hook["state"] != "on");
    let object = json!({
        "state": if !sensed.works() { "off" } else if off { "partly" } else { "on" },
        "why_not": sensed.hooks.as_ref().err(),
        "ring_bytes": sensed.ring_bytes,
        "reads": sensed.means.map(reads),
        "lacks": sensed.means.map(|means| lacks(means).map(|(name, since, without)| {
            json!({"name": name, "since": since, "without": without})
        }).collect::<Vec<_>>()),
        "records": sensed.totals.map(|totals| json!({
            "made": totals.attempted,
            "lost": totals.lost,
            "filtered": totals.filtered,
        })),
        "hooks": list,
    });
    Part { heading: "Sensor", key: "sensor", findings, object }
}

/// What each program costs.
pub(super) fn programs(sensed: &Sensed) -> Part {
    let mut findings = Vec::new();
    let mut object = json!({"measured_ns": Value::Null, "why_not": Value::Null, "programs": []});
    match &sensed.costs {
        Err(why) => {
            findings.push(Finding::new("cost", State::Note, format!("not measured: {why}")));
            object["why_not"] = json!(why);
        }
        Ok(costs) => {
            object["measured_ns"] = json!(costs.elapsed.as_nanos() as u64);
            let list = costs.programs.iter().map(|cost| {
                let (per_run, share) = rates(cost, costs.elapsed);
                json!({
                    "name": cost.name,
                    "runs": cost.runs,
                    "time_ns": cost.time.as_nanos() as u64,
                    "ns_per_run": per_run,
                    "core_share": share,
                })
            });
            object["programs"] = list.collect();
            // Programs that another jumps to never run by themselves: their time is part of the other's.
            for cost in costs.programs.iter().filter(|cost| cost.runs > 0) {
                let (per_run, share) = rates(cost, costs.elapsed);
                let says = format!(
                    "{} runs, {:.0} ns each, {:.2} % of one core",
                    cost.runs,
                    per_run.unwrap_or_default(),
                    share * 100.0
                );
                findings.push(Finding::new(cost.name.as_str(), State::Good, says));
            }
            if findings.is_empty() {
                findings.push(Finding::new("cost", State::Good, "no program ran meanwhile"));
            }
        }
    }
    Part { heading: "Cost of the programs, measured for a second", key: "cost", findings, object }
}

/// Nanoseconds a run, if there was one, and the share of one core.
fn rates(cost: &ProgramCost, elapsed: Duration) -> (Option<f64>, f64) {
    let time = cost.time.as_nanos() as f64;
    let per_run = (cost.runs > 0).then(|| time / cost.runs as f64);
    (per_run, time / elapsed.as_nanos().max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_and_a_price_come_of_time_and_runs() {
        let cost = |runs, ns| ProgramCost { name: "p".into(), runs, time: Duration::from_nanos(ns) };
        assert_eq!(rates(&cost(4, 1_000), Duration::from_micros(10)), (Some(250.0), 0.1));
        assert_eq!(rates(&cost(0, 0), Duration::from_secs(1)), (None, 0.0));
    }

    #[test]
    fn what_an_older_kernel_lacks_is_named() {
        let names = |loops, typed_task| {
            lacks(Means { plain_loads: false, loops, typed_task }).map(|(name, ..)| name).collect::<Vec<_>>()
        };
        assert_eq!(names(true, true), [""; 0]);
        assert_eq!(names(false, true), ["bpf_loop"]);
        assert_eq!(names(false, false), ["bpf_loop", "bpf_get_current_task_btf"]);
    }

    #[test]
    fn a_hook_that_the_kernel_does_not_have_is_missing() {
        let hook = |state| HookStatus { name: "h", purpose: "p", state };
        assert_eq!(state(&hook(HookState::On)).0, "on");
        assert_eq!(state(&hook(HookState::Off("unknown BTF type `btf_trace_x`".into()))).0, "missing");
        assert_eq!(state(&hook(HookState::Off("not permitted".into()))).0, "off");
    }
}
