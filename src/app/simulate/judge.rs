//! Runs one action and holds what the store says of its processes against the rule that should have fired.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use eyas_event::{EventType, FieldId, ProcessKey, WallTime};
use eyas_pipeline::Stop;

use super::action::{Action, Need, Place};
use super::child::{End, Playing};
use super::watch::{Expected, Watch};
use crate::fail::Fail;
use crate::machine;

/// How often the store is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// How far a look goes back behind the newest alert of the one before: events of two CPUs may be out of order by so much.
const OVERLAP: Duration = Duration::from_millis(200);
/// How long after an action's end its alert may still come: the writer commits every 50 ms, and the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long after an action's end alerts of other rules are waited for.
const SETTLE: Duration = Duration::from_millis(200);

/// How many event types are named; the rest is counted.
const NAMED: usize = 3;
/// How much earlier than its action an alert may be dated: an agent that has been running for long tells the time by the
/// clock as it was at its start. Which alerts are an action's is told by its processes.
const MARGIN: Duration = Duration::from_secs(10);

/// What came of an action.
pub(super) struct Judged {
    pub(super) action: &'static Action,
    /// The rule that should see it, whether it is the stock one, and what it judges.
    pub(super) rule: Option<Wanted>,
    pub(super) verdict: Verdict,
    /// Other rules that fired.
    pub(super) companions: Vec<String>,
    /// How long the alert took from the event into the store, when it came.
    pub(super) took: Option<Duration>,
    /// What went wrong with the action although the alert came.
    pub(super) trouble: Option<String>,
}

/// A rule that should see an action.
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) stock: bool,
    /// The event types that it judges.
    pub(super) events: Vec<&'static str>,
}

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The alert came.
    Seen,
    /// It did not, although the action was done.
    Missing,
    /// The action could not be done, and no alert came; this says why.
    Failed(String),
    /// The rule cannot fire, because the sensor does not tell what it asks for.
    Blind(String),
    /// It was done, and no rule is loaded that should see it.
    NoRule,
    /// It was not tried; this says why.
    Skipped(String),
}

/// Runs it and judges.
pub(super) fn judge(action: &'static Action, watch: &Watch, stop: &Stop) -> Result<Judged, Fail> {
    let expected = watch.expected(action);
    let wanted = expected.as_ref().map(|e| Wanted {
        name: e.rule.name.to_string(),
        stock: e.stock,
        events: e.rule.events.iter().map(EventType::name).collect(),
    });
    let result = match skipped(action, expected.as_ref()) {
        Some(why) => Judged::of(action, Verdict::Skipped(why)),
        None => run(action, expected.as_ref(), watch, stop)?,
    };
    Ok(Judged { rule: wanted, ..result })
}

impl Judged {
    fn of(action: &'static Action, verdict: Verdict) -> Self {
        Self { action, rule: None, verdict, companions: Vec::new(), took: None, trouble: None }
    }
}

/// Why an action is not tried.
pub(super) fn skipped(action: &Action, expected: Option<&Expected<'_>>) -> Option<String> {
    obstacle(action).or_else(|| {
        let off = expected.is_some_and(|e| !e.rule.enabled);
        off.then(|| "its rule is off".to_owned())
    })
}

/// Why an action cannot be tried here.
fn obstacle(action: &Action) -> Option<String> {
    match action.place {
        Place::Container => return Some("needs a container".into()),
        Place::Nowhere(why) => return Some(why.into()),
        Place::Host => {}
    }
    let (root, capabilities) = (machine::is_root(), machine::capabilities());
    let missing: Vec<_> =
        action.needs.iter().filter(|need| !need.is_met(root, capabilities)).map(|n| Need::word(*n)).collect();
    (!missing.is_empty()).then(|| format!("needs {}", missing.join(", ")))
}

/// What the rule would need of the sensor, if it needs something that is not there.
fn blindness(action: &Action, expected: &Expected<'_>) -> Option<String> {
    if expected.rule.events.iter().all(|event| !event.is_provided()) {
        let names: Vec<_> = expected.rule.events.iter().map(EventType::name).collect();
        let more = names.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let first: Vec<_> = names.into_iter().take(NAMED).collect();
        return Some(format!("the sensor does not tell of {}{more}", first.join(", ")));
    }
    let fields = if expected.stock { action.reads } else { &[] };
    let unknown = |name: &&&str| FieldId::from_name(name).is_none_or(|id| !id.info().is_provided());
    fields.iter().find(unknown).map(|name| format!("the sensor gives no {name}"))
}

fn run(
    action: &'static Action,
    expected: Option<&Expected<'_>>,
    watch: &Watch,
    stop: &Stop,
) -> Result<Judged, Fail> {
    let blind = expected.and_then(|e| blindness(action, e));
    let name = expected.map(|e| &*e.rule.name);
    let since = before(machine::now(), MARGIN);
    let mut playing = match Playing::start(action) {
        Ok(playing) => playing,
        Err(error) => return Ok(Judged::of(action, Verdict::Failed(error.to_string()))),
    };
    let mut search =
        Search { watch, who: playing.key, rule: name, from: since, fired: BTreeSet::new(), took: None };
    while !playing.is_over()? && !stop.asked() && !watch.has_ended() {
        search.look()?;
    }
    let end = playing.finish()?;
    let ended = Instant::now();
    let patience = if name.is_none() || blind.is_some() { SETTLE } else { PATIENCE };
    while ended.elapsed() < if search.took.is_some() { SETTLE } else { patience } {
        if stop.asked() || watch.has_ended() {
            break;
        }
        search.look()?;
    }
    if search.took.is_none() {
        // Once more from the beginning: an alert that came by way of the spill file is behind later ones.
        search.from = since;
    }
    search.look()?;
    let Search { fired, took, .. } = search;
    let mut trouble = None;
    let verdict = match (took, end) {
        (Some(_), end) => {
            if let End::Failed(why) = end {
                trouble = Some(why);
            }
            Verdict::Seen
        }
        (None, End::Failed(why)) => Verdict::Failed(why),
        (None, End::Done) if name.is_none() => Verdict::NoRule,
        (None, End::Done) => blind.map_or(Verdict::Missing, Verdict::Blind),
    };
    let companions = fired.into_iter().filter(|rule| Some(&**rule) != name).collect();
    Ok(Judged { companions, took, trouble, ..Judged::of(action, verdict) })
}

/// What has been found of an action so far.
struct Search<'a> {
    watch: &'a Watch,
    who: ProcessKey,
    rule: Option<&'a str>,
    /// From where the next look begins.
    from: WallTime,
    /// The rules that fired.
    fired: BTreeSet<String>,
    /// How long the expected alert took.
    took: Option<Duration>,
}

impl Search<'_> {
    /// Takes a look at what is new.
    fn look(&mut self) -> Result<(), Fail> {
        let (alerts, newest) = self.watch.alerts_of(self.who, self.from)?;
        for alert in &alerts {
            if self.took.is_none() && Some(&*alert.rule) == self.rule {
                self.took = Some(Duration::from_nanos(machine::now().0.saturating_sub(alert.time.0)));
            }
            self.fired.insert(alert.rule.to_string());
        }
        self.from = self.from.max(before(newest, OVERLAP));
        sleep(LOOK);
        Ok(())
    }
}

fn before(time: WallTime, span: Duration) -> WallTime {
    WallTime(time.0.saturating_sub(span.as_nanos() as u64))
}
