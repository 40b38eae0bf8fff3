//! The compiled rules: immutable, shared, and all that is needed to judge, to say and to show.

use std::fmt;
use std::sync::Arc;

use eyas_event::{EventSet, EventType, Fields, Interest, Priority, RulesetHash, Variables};

use crate::collect::SYSCALL;
use crate::dialect::Dialect;
use crate::lower::Vocabulary;
use crate::output::{RenderedOutput, Template};
use crate::program::{Program, Scratch};
use crate::source::{Sources, Span};

/// A rule in its ruleset, in load order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(pub u32);

/// A compiled rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name.
    pub name: Arc<str>,
    /// What it finds.
    pub desc: String,
    /// How urgent.
    pub priority: Priority,
    /// Its tags, sorted.
    pub tags: Arc<[Box<str>]>,
    /// The event source.
    pub source: Arc<str>,
    /// Whether it is on. A rule that is off is compiled, and never judged.
    pub enabled: bool,
    /// Its output text as written.
    pub output: String,
    /// Its condition as written: lists and exceptions not put in.
    pub condition: String,
    /// The item that defined it, in the ruleset's sources.
    pub span: Span,
    /// The macros it uses, direct and through others.
    pub macros: Vec<Arc<str>>,
    /// The event types for which it can fire.
    pub events: EventSet,
    /// Whether to record when it fires.
    pub capture: bool,
    /// For how long, in milliseconds; 0 for the configured time.
    pub capture_duration_ms: u64,
    pub(crate) template: Template,
}

impl Rule {
    /// What the rule says about an event.
    pub fn render(&self, fields: &impl Fields, scratch: &mut Scratch) -> RenderedOutput {
        self.template.render(fields, scratch)
    }

    /// Whether it is on and judged for what the sensor sends: events of other sources come from elsewhere.
    pub fn is_in_force(&self) -> bool {
        self.enabled && &*self.source == SYSCALL
    }

    /// The names of the fields that its output prints.
    pub fn output_fields(&self) -> impl Iterator<Item = &str> {
        self.template.field_names()
    }
}

/// How many rules may answer to one event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matching {
    /// The first that matches, of each event source; Falco's default.
    First,
    /// Every one.
    #[default]
    All,
}

/// All rules of one load.
pub struct Ruleset {
    pub(crate) rules: Vec<Rule>,
    pub(crate) program: Program,
    pub(crate) matching: Matching,
    /// By event type: the enabled rules that can fire for it, in load order.
    pub(crate) buckets: Vec<Box<[RuleId]>>,
    /// All enabled rules, for an event whose type is not known.
    pub(crate) enabled: Box<[RuleId]>,
    pub(crate) hash: RulesetHash,
    pub(crate) interest: Interest,
    pub(crate) printed: Variables,
    pub(crate) hosts: Box<[Box<str>]>,
    pub(crate) sources: Sources,
    pub(crate) vocabulary: Vocabulary,
}

impl Ruleset {
    /// Whose meaning its rules have.
    pub fn dialect(&self) -> Dialect {
        self.vocabulary.collection.dialect
    }

    /// A ruleset without rules.
    pub fn empty() -> Arc<Self> {
        crate::loader::Loader::new().finish().ruleset
    }

    /// Judges an event: every enabled rule that matches is pushed, in load order, or
    /// the first alone. Allocates nothing when none does.
    pub fn judge(&self, fields: &impl Fields, scratch: &mut Scratch, fired: &mut Vec<RuleId>) {
        let before = fired.len();
        if let Some(event) = fields.event_type() {
            self.program.judge(event, fields, scratch, fired);
            // Rules are asked in the order that is cheapest.
            fired[before..].sort_unstable();
        } else {
            self.program.begin(scratch);
            let holds = |id: &&RuleId| self.program.holds(id.0 as usize, fields, scratch);
            fired.extend(self.enabled.iter().filter(holds));
        }
        // An event has one source, and so have the rules that can match it.
        if self.matching == Matching::First {
            fired.truncate(before + 1);
        }
    }

    /// Whether one rule's condition holds, enabled or not.
    pub fn matches(&self, rule: RuleId, fields: &impl Fields, scratch: &mut Scratch) -> bool {
        let possible = fields.event_type().is_none_or(|event| self.rule(rule).events.contains(event));
        self.program.begin(scratch);
        possible && self.program.holds(rule.0 as usize, fields, scratch)
    }

    /// A rule of this ruleset.
    pub fn rule(&self, id: RuleId) -> &Rule {
        &self.rules[id.0 as usize]
    }

    /// All rules, in load order.
    pub fn rules(&self) -> impl Iterator<Item = (RuleId, &Rule)> {
        self.rules.iter().enumerate().map(|(i, rule)| (RuleId(i as u32), rule))
    }

    /// The rules that are on and judged for what the sensor sends, in load order.
    pub fn in_force(&self) -> impl Iterator<Item = (RuleId, &Rule)> {
        self.rules().filter(|(_, rule)| rule.is_in_force())
    }

    /// The rule with that name.
    pub fn find(&self, name: &str) -> Option<RuleId> {
        self.rules().find(|(_, rule)| &*rule.name == name).map(|(id, _)| id)
    }

    /// How many rules there are, those that are off counted.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// SHA-256 over everything it was made of.
    pub fn hash(&self) -> RulesetHash {
        self.hash
    }

    /// What the enabled rules ask of the sensor.
    pub fn interest(&self) -> &Interest {
        &self.interest
    }

    /// The host names that the enabled rules compare the ends of connections with, sorted.
    pub fn host_names(&self) -> &[Box<str>] {
        &self.hosts
    }

    /// The variables of environments that the outputs of enabled rules print: others are not to be kept.
    pub fn printed_variables(&self) -> &Variables {
        &self.printed
    }

    /// The source texts.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The rule's item as it stands in its file.
    pub fn rule_text(&self, id: RuleId) -> &str {
        self.sources.slice(self.rule(id).span).trim_end()
    }

    /// The enabled rules that can fire for an event type.
    pub fn rules_for(&self, event: EventType) -> &[RuleId] {
        &self.buckets[event.index()]
    }

    /// The names of its macros, in order of definition.
    pub fn macros(&self) -> impl Iterator<Item = &str> {
        self.vocabulary.collection.macros.iter().map(|m| m.name.text.as_str())
    }

    /// The names of its lists, in order of definition.
    pub fn lists(&self) -> impl Iterator<Item = &str> {
        self.vocabulary.lists.names()
    }

    /// The compiled program, to print.
    pub fn program(&self) -> &Program {
        &self.program
    }
}

impl fmt::Debug for Ruleset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ruleset")
            .field("rules", &self.rules.len())
            .field("hash", &self.hash)
            .finish_non_exhaustive()
    }
}
