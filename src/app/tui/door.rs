//! What goes in and out of the console, and nothing else does: the [`Pulse`] (latest wins), batches of alerts as they
//! fire, questions with a ticket, and their answers. Plain values; who answers is decided by whoever opens the doors.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use eyas_event::{Alert, AlertId, HookStatus, RulesetHash, WallTime};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

/// The state of the node and of eyas, a few times a second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// The node's name.
    pub node: Arc<str>,
    /// Whether events come in.
    pub sensor: Sensor,
    /// The kernel hooks; empty for anything but a live sensor.
    pub hooks: Vec<HookStatus>,
    /// Events in the last second.
    pub events_per_s: u64,
    /// Events since the start.
    pub events: u64,
    /// Alerts since the start.
    pub alerts: u64,
    /// Records known to be lost on their way from the kernel since the start: events that no rule saw.
    pub lost: u64,
    /// What the store could not take.
    pub store: StoreState,
    /// Resident memory of this process.
    pub rss_bytes: u64,
    /// How long the oldest alert has been waiting to be stored.
    pub store_lag: Duration,
    /// The ruleset in force; `None` before the first one is loaded.
    pub ruleset: Option<RulesetHash>,
    /// How many rules it has.
    pub rules: u32,
    /// What the last load or reload of rules had to say.
    pub reload: Option<Arc<Reload>>,
    /// The present: the newest record's time in a replay, the clock otherwise.
    pub now: WallTime,
    /// Whether the source has ended: there will be no more events.
    pub ended: bool,
}

impl Pulse {
    /// The pulse of a node of which nothing is known yet.
    pub fn starting(node: Arc<str>) -> Self {
        Self {
            node,
            sensor: Sensor::Starting,
            hooks: Vec::new(),
            events_per_s: 0,
            events: 0,
            alerts: 0,
            lost: 0,
            store: StoreState::default(),
            rss_bytes: 0,
            store_lag: Duration::ZERO,
            ruleset: None,
            rules: 0,
            reload: None,
            now: WallTime(0),
            ended: false,
        }
    }
}

/// What the store could not take since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreState {
    /// What the last write that failed met, also when later ones went well; `None` when none has failed.
    pub error: Option<String>,
    /// Whether the last write failed.
    pub failing: bool,
    /// Alerts that could neither be stored nor spilled: they are nowhere.
    pub alerts_not_stored: u64,
    /// Alerts that went by way of the spill file.
    pub alerts_spilled: u64,
    /// Bytes that wait in the spill file.
    pub spill_bytes: u64,
    /// Alerts that wait in memory.
    pub alerts_waiting: u64,
    /// Processes that were not stored for their own sake.
    pub processes_not_stored: u64,
    /// Segments of the recording that had to make room for newer ones before they were written.
    pub segments_not_stored: u64,
}

impl StoreState {
    /// Whether people must be told.
    pub fn is_bad(&self) -> bool {
        self.failing || self.alerts_not_stored > 0
    }
}

/// Whether events come in, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sensor {
    /// Not yet: programs are being loaded.
    Starting,
    /// Every hook is on.
    On,
    /// Some hooks are off; the text says which and why.
    Degraded(String),
    /// A recording is being replayed.
    Replay {
        /// Its name.
        name: String,
        /// How far it has come.
        position: WallTime,
    },
    /// No events; the text says why.
    Off(String),
}

/// The outcome of loading rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reload {
    /// When.
    pub at: WallTime,
    /// The diagnostics as text, without terminal codes.
    pub text: String,
    /// How many of them are errors.
    pub errors: u32,
    /// How many are warnings.
    pub warnings: u32,
    /// How many are lints.
    pub lints: u32,
    /// How many of the rules are in force.
    pub rules: u32,
    /// What others that are on are for in vain, as the end of a sentence.
    pub unread: Option<String>,
    /// Whether the new rules are in force, or the earlier ones were kept.
    pub applied: bool,
}

/// Names a question, so that its answer can be told from an older one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// A filter that compiled: a condition in the rule language.
pub type FilterText = Arc<str>;

/// A question to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// The newest alerts that are older than `before` (than everything, if `None`). Answer: [`Reply::Page`].
    Page {
        /// Only ids below this one.
        before: Option<AlertId>,
        /// At most so many.
        limit: usize,
        /// Only those that match.
        filter: Option<FilterText>,
    },
    /// The oldest alerts that are newer than `id`. Answer: [`Reply::Page`].
    After {
        /// Only ids above this one.
        id: AlertId,
        /// At most so many.
        limit: usize,
        /// Only those that match.
        filter: Option<FilterText>,
    },
    /// What the store keeps beside an alert. Answer: [`Reply::Detail`].
    Detail(AlertId),
    /// Alerts counted by time and priority, with the gaps in between. Answer: [`Reply::Histogram`].
    Histogram {
        /// Begin of the first bucket.
        from: WallTime,
        /// End of the last bucket.
        to: WallTime,
        /// How many buckets of equal width.
        buckets: u16,
        /// Only alerts that match.
        filter: Option<FilterText>,
    },
    /// How many stored alerts match. Answer: [`Reply::Count`].
    CountFilter {
        /// The filter.
        filter: FilterText,
    },
    /// All that was lost, as far as the store knows. Answer: [`Reply::Losses`].
    Losses,
}

/// What a question asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Something from the store.
    Store(Query),
    /// Whether this text is a condition over alerts. Answer: [`Reply::Filter`].
    CompileFilter(Arc<str>),
}

/// A question on its way out. Every question is answered, if only with [`Reply::Failed`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Comes back with the answer.
    pub ticket: Ticket,
    /// The question.
    pub question: Question,
}

/// An answer.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Alerts, in any order.
    Page(Vec<Arc<Alert>>),
    /// An alert with its rule.
    Detail(Box<Detail>),
    /// Counts by time.
    Histogram(Histogram),
    /// A number of alerts.
    Count(u64),
    /// What was lost, in the order of its storing.
    Losses(Vec<Gap>),
    /// What became of a filter text.
    Filter {
        /// The text that was asked about.
        text: Arc<str>,
        /// The number of stored alerts that match, or what is wrong.
        result: Result<u64, Vec<FilterProblem>>,
    },
    /// The question could not be answered; the text is for people.
    Failed(String),
}

/// What the store knows of an alert beside the alert.
#[derive(Clone, Debug)]
pub struct Detail {
    /// Which alert.
    pub id: AlertId,
    /// The rule as it was when it fired; `None` when its ruleset was not kept.
    pub rule: Option<RuleSource>,
}

/// The text of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSource {
    /// The file it was in.
    pub file: String,
    /// The line at which it begins, from 1.
    pub line: u32,
    /// What it finds, in a sentence of its author.
    pub desc: String,
    /// Its condition as written.
    pub condition: String,
    /// The rule's own lines.
    pub text: String,
}

/// Alerts by time and priority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    /// Begin of the first bucket.
    pub from: WallTime,
    /// End of the last bucket.
    pub to: WallTime,
    /// In each bucket, counts by priority number.
    pub buckets: Vec<[u32; 8]>,
    /// Times in which something was lost or nobody was watching.
    pub gaps: Vec<Gap>,
}

/// A time in which eyas was blind or forgetful, at least in part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Begin.
    pub from: WallTime,
    /// End.
    pub to: WallTime,
    /// What was lost.
    pub what: Missing,
    /// How many of it; 0 when nobody can know.
    pub count: u64,
    /// Why, in a few words.
    pub why: String,
    /// Lines that say more of it: kinds, processes, rules. They hold no control characters.
    pub more: Vec<String>,
}

/// What a gap is a gap in. The three are never added up: an event that was missed was judged by no rule, an alert that was
/// not stored was seen by whoever watched, and a gap in the recording only limits what can be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Missing {
    /// Events that no rule has judged; counted in records.
    Events,
    /// Alerts that fired and are not in the store.
    Alerts,
    /// Parts of the recording; counted in records.
    Recording,
}

impl Missing {
    /// All of them, the gravest first.
    pub const ALL: [Self; 3] = [Self::Events, Self::Alerts, Self::Recording];

    /// What was lost, in a few words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Events => "events missed",
            Self::Alerts => "alerts not stored",
            Self::Recording => "records not kept for replay",
        }
    }
}

/// Something wrong with a filter text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterProblem {
    /// What, and what would be right.
    pub message: String,
    /// First byte of the offending part.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
}

/// The console's connections to the rest of eyas.
#[derive(Debug)]
pub struct Doors {
    /// Swapped by the pipeline; the console looks a few times a second.
    pub pulse: Arc<ArcSwap<Pulse>>,
    /// Alerts as they fire. When this lane is full the sender may leave a batch out: the console notices from
    /// [`Pulse::alerts`] and reads what it missed from the store.
    pub alerts: mpsc::Receiver<Vec<Arc<Alert>>>,
    /// Questions. Never more than a handful are under way; 64 places are plenty.
    pub asks: mpsc::Sender<Ask>,
    /// Answers.
    pub replies: mpsc::Receiver<(Ticket, Reply)>,
    /// The self-test, or why there is none.
    pub test: Result<TestDoor, &'static str>,
}

/// The way to the process that plays the actions of the self-test.
#[derive(Debug)]
pub struct TestDoor {
    /// What it should do.
    pub orders: mpsc::Sender<TestOrder>,
    /// What it tells.
    pub news: mpsc::Receiver<TestNews>,
}

/// What the self-test should do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TestOrder {
    /// Say which actions there are.
    List,
    /// Play all, one after the other.
    PlayAll,
    /// Play the one of that name.
    Play(String),
    /// End the action that is playing, and play no more.
    Stop,
}

/// What the self-test tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TestNews {
    /// These actions there are.
    Listed(Vec<TestAction>),
    /// The action of that name plays.
    Began(String),
    /// The action of that name has ended so.
    Ended(String, TestOutcome),
    /// Nothing plays any more.
    Over,
    /// It cannot be done, or not go on; this says why.
    Failed(String),
}

/// An action of the self-test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestAction {
    /// Its name.
    pub name: String,
    /// What it does, in a sentence.
    pub does: String,
    /// The rule that should tell of it; `None` when no such rule is loaded.
    pub rule: Option<String>,
    /// Why it cannot be played here.
    pub obstacle: Option<String>,
}

/// What came of an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestOutcome {
    /// Whether the alert arrived.
    pub verdict: TestVerdict,
    /// What went wrong, or why it is as it is.
    pub why: Option<String>,
    /// Other rules that fired.
    pub also: Vec<String>,
    /// How long the alert took into the store, in milliseconds.
    pub took_ms: Option<u64>,
}

/// Whether the alert of an action arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TestVerdict {
    /// It did.
    Seen,
    /// It did not, although the action was done.
    Missing,
    /// The action could not be done.
    Failed,
    /// The rule cannot fire.
    Blind,
    /// It was done, and no rule is there for it.
    NoRule,
    /// It was not tried.
    Skipped,
}
