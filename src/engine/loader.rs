//! Texts to a ruleset. Loading never fails as a whole: it gives a ruleset of what is right and diagnostics for the rest.

use std::sync::Arc;

use eyas_event::{EventSet, EventType, Interest, Priority, RulesetHash};
use sha2::{Digest, Sha256};

use crate::collect::{Aside, Collection, RuleDef, SOURCES, SYSCALL};
use crate::diag::{Code, Diagnostic, ItemKind, did_you_mean, gather};
use crate::dialect::Dialect;
use crate::ir::{Arena, IrId};
use crate::items::Name;
use crate::lower::{Body, Lowered, Lowerer, Owner, Prepared, Vocabulary};
use crate::output;
use crate::program::Program;
use crate::ruleset::Matching;
use crate::ruleset::{Rule, RuleId, Ruleset};
use crate::selection::{self, Selection};
use crate::source::{SourceFile, Sources, Span};
use crate::syntax::text::Spliced;
use crate::{first_error, items, rule_lints, usage, yaml};

/// What Falco appends to every output unless told not to.
const SUGGESTED: &str = "container_id=%container.id container_name=%container.name \
    container_image_repository=%container.image.repository container_image_tag=%container.image.tag \
    k8s_pod_name=%k8s.pod.name k8s_ns_name=%k8s.ns.name";

/// More event types than this and a rule is as good as unlimited; Falco's number.
const MANY_EVENTS: usize = 100;

/// Collects rule files.
#[derive(Clone, Debug)]
pub struct Loader {
    files: Vec<SourceFile>,
    least: Priority,
    suggested: bool,
    dialect: Dialect,
    selection: Vec<Selection>,
    matching: Matching,
}

/// What a load gave.
#[derive(Debug)]
pub struct Loaded {
    /// The rules that are right.
    pub ruleset: Arc<Ruleset>,
    /// What was found, in order of file and place.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts, to print diagnostics with.
    pub sources: Sources,
    /// Rules that were read and could not be compiled.
    pub left_out: Vec<LeftOut>,
}

/// A rule that was read and could not be compiled.
#[derive(Clone, Debug)]
pub struct LeftOut {
    /// Its name.
    pub name: String,
    /// Its item.
    pub span: Span,
}

impl Loaded {
    /// Whether anything was left out.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

impl Default for Loader {
    fn default() -> Self {
        Self {
            files: Vec::new(),
            least: Priority::Debug,
            suggested: false,
            dialect: Dialect::Eyas,
            selection: Vec::new(),
            matching: Matching::All,
        }
    }
}

impl Loader {
    /// No files yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file; later files see and may change the items of earlier ones.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "one adds files to a loader")]
    pub fn add(mut self, file: SourceFile) -> Self {
        self.files.push(file);
        self
    }

    /// Leaves out rules that are less urgent than this.
    #[must_use]
    pub fn least_priority(mut self, least: Priority) -> Self {
        self.least = least;
        self
    }

    /// Appends Falco's suggested fields (container and pod) to every output.
    #[must_use]
    pub fn suggested_output(mut self, on: bool) -> Self {
        self.suggested = on;
        self
    }

    /// Whose meaning the rules have.
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Switches rules on and off after all files, in this order; it counts more than `enabled`.
    #[must_use]
    pub fn select(mut self, selection: Vec<Selection>) -> Self {
        self.selection = selection;
        self
    }

    /// Whether the first rule that matches an event ends its judging.
    #[must_use]
    pub fn matching(mut self, matching: Matching) -> Self {
        self.matching = matching;
        self
    }

    /// Compiles.
    pub fn finish(self) -> Loaded {
        let mut diagnostics = Vec::new();
        let mut sources = Sources::default();
        let mut collection = Collection::default();
        collection.dialect = self.dialect;
        let mut hash = Sha256::new();
        hash.update([self.least as u8, u8::from(self.suggested), u8::from(self.dialect.is_exact())]);
        let exact = self.dialect.is_exact();
        let mut stopped = false;
        for file in self.files {
            hash.update((file.text.len() as u64).to_le_bytes());
            hash.update(file.text.as_bytes());
            let id = sources.add(file);
            let text = sources.text(id);
            let mut found = Vec::new();
            let documents = yaml::read(id, text, &mut found);
            if exact {
                stopped = stopped || !first_error::read(&documents, id, text, &mut collection, &mut found);
                diagnostics.append(&mut found);
                continue;
            }
            let items = items::read(&documents, id, text, &mut found);
            diagnostics.append(&mut found);
            collection.add(items, &mut diagnostics);
        }
        if stopped {
            // Falco refuses everything when it stops at an item.
            collection = Collection::default();
            collection.dialect = self.dialect;
        }
        let before = diagnostics.len();
        let Prepared { vocabulary, lists_used, rules: bodies, aside, exceptions } =
            Vocabulary::prepare(collection, &mut diagnostics);
        let mut compiler = Compiler {
            vocabulary: &vocabulary,
            lowerer: Lowerer::new(&vocabulary),
            rules: Vec::new(),
            roots: Vec::new(),
            lowered: Vec::new(),
            left_out: Vec::new(),
        };
        for (def, body) in vocabulary.collection.rules.iter().zip(&bodies) {
            if def.priority <= self.least {
                compiler.rule(def, body, self.suggested, &mut diagnostics);
            } else {
                diagnostics.push(rule_lints::below_least(def, self.least));
            }
        }
        for (i, body) in &exceptions {
            let name = &vocabulary.collection.rules[*i].name.text;
            compiler.lowerer.lower(body, Owner { kind: ItemKind::Rule, name }, &mut diagnostics);
        }
        for (i, item) in vocabulary.collection.aside.iter().enumerate() {
            let bodies = aside.iter().filter(|(of, _)| *of == i).map(|(_, body)| body);
            compiler.aside(item, bodies, &mut diagnostics);
        }
        unused(&vocabulary, &lists_used, &compiler.lowerer, &mut diagnostics);
        usage::check(&vocabulary, &bodies, &mut diagnostics);
        let Compiler { lowerer, mut rules, roots, lowered, left_out, .. } = compiler;
        let arena = lowerer.finish(&mut diagnostics);
        let sets = arena.event_sets();
        for ((rule, root), lowered) in rules.iter_mut().zip(&roots).zip(&lowered) {
            rule.events = sets[root.0 as usize];
            // Event types are those of calls; other sources have none.
            if &*rule.source == SYSCALL {
                limits(rule, lowered, &vocabulary, &mut diagnostics);
            }
        }
        let program = Program::new(&arena, &roots);
        let found = &mut diagnostics;
        rule_lints::check(&arena, &rules, &roots, self.matching, &vocabulary.collection, found);
        if exact {
            first_error::compiled(&vocabulary.collection, before, &mut diagnostics);
        }
        selection::apply(&self.selection, &mut rules);
        diagnostics.sort_by_key(|d| d.place().map(|span| (span.source, span.start, d.code)));
        gather::always_absent(&mut diagnostics);
        if !exact {
            gather::said_better(&mut diagnostics);
        }
        let ruleset = Ruleset {
            matching: self.matching,
            buckets: buckets(&rules),
            enabled: ids(&rules, |rule| rule.enabled),
            interest: interest(&arena, &rules, &roots),
            rules,
            program,
            hash: RulesetHash(hash.finalize().into()),
            sources: sources.clone(),
            vocabulary,
        };
        Loaded { ruleset: Arc::new(ruleset), diagnostics, sources, left_out }
    }
}

/// What the rules that are on ask the sensor for.
fn interest(arena: &Arena, rules: &[Rule], roots: &[IrId]) -> Interest {
    let on = || rules.iter().zip(roots).filter(|(rule, _)| rule.enabled);
    Interest {
        events: on().fold(EventSet::empty(), |all, (rule, _)| all.or(rule.events)),
        opens: crate::interest::opens(arena, on().map(|(_, root)| *root)),
    }
}

struct Compiler<'v> {
    vocabulary: &'v Vocabulary,
    lowerer: Lowerer<'v>,
    rules: Vec<Rule>,
    roots: Vec<IrId>,
    lowered: Vec<Lowered>,
    left_out: Vec<LeftOut>,
}

impl Compiler<'_> {
    fn rule(&mut self, def: &RuleDef, body: &Body, suggested: bool, diagnostics: &mut Vec<Diagnostic>) {
        let name = &def.name.text;
        if !SOURCES.contains(&&*def.source) {
            let message = format!("there is no event source `{}`; the rule was skipped", def.source);
            let at = def.source_at.unwrap_or(def.name.span);
            let found = Diagnostic::new(Code::UnknownSource, message, at, "").of(ItemKind::Rule, name);
            diagnostics.push(match did_you_mean(&def.source, SOURCES) {
                Some(near) => found.near(at, near),
                None => found.note(format!("the sources are {}", SOURCES.join(", "))),
            });
            return;
        }
        let owner = Owner { kind: ItemKind::Rule, name };
        let mut found = Vec::new();
        let mut lowered = self.lowerer.lower(body, owner, &mut found);
        if let Some(foreign) = foreign_field(&def.name, Some(def.whole), &def.source, &lowered) {
            found.push(foreign);
            lowered.unknown |= !lowered.broken;
            lowered.broken = true;
        }
        let mut output_text = def.output.clone();
        // The suggested fields are of processes and containers.
        if suggested && &*def.source == SYSCALL {
            output_text.push_standing_for(" ", def.name.span);
            output_text.push_standing_for(SUGGESTED, def.name.span);
        }
        let before = found.len();
        let mut template = output::parse(&output_text, self.vocabulary.collection.dialect, &mut found);
        if let Some(foreign) = template.as_ref().and_then(|t| foreign_in_output(&def.output, &def.source, t))
        {
            found.push(foreign);
            template = None;
        }
        // Of what was added nobody needs to hear that it is missing.
        found.retain(|d| d.code != Code::OutputNotProvided || d.place() != Some(def.name.span));
        for d in &mut found[before..] {
            d.item.get_or_insert_with(|| (ItemKind::Rule, name.clone()));
        }
        let unknown = [Code::OutputUnknownField, Code::OutputWrongSource];
        let unknown_output =
            found[before..].iter().filter(|d| d.is_error()).all(|d| unknown.contains(&d.code));
        let broken = lowered.broken || template.is_none();
        let only_unknown = (!lowered.broken || lowered.unknown) && (template.is_some() || unknown_output);
        if broken && def.skip_if_unknown && only_unknown {
            // The rule asked to be skipped quietly: one warning takes the place of its own errors.
            let mut first = found.iter().filter(|d| d.is_error());
            let mut skipped = Diagnostic::new(
                Code::SkippedUnknown,
                "something in this rule is unknown here; it was skipped, as it asks",
                def.name.span,
                "",
            );
            if let Some((span, d)) = first.next().and_then(|d| d.place().map(|span| (span, d))) {
                skipped = skipped.see(span, d.message.clone());
            }
            diagnostics.push(skipped.of(ItemKind::Rule, name));
            return;
        }
        diagnostics.append(&mut found);
        let (false, Some(template)) = (broken, template) else {
            self.left_out.push(LeftOut { name: name.clone(), span: def.whole });
            return;
        };
        let macros = &self.vocabulary.collection.macros;
        self.rules.push(Rule {
            name: name.as_str().into(),
            desc: def.desc.clone(),
            priority: def.priority,
            tags: def.tags.iter().map(|tag| tag.as_str().into()).collect(),
            source: def.source.clone(),
            enabled: def.enabled,
            output: def.output.text().to_owned(),
            condition: def.condition.text().to_owned(),
            span: def.whole,
            macros: lowered.macros.iter().map(|(i, _)| macros[*i].name.text.as_str().into()).collect(),
            events: EventSet::empty(),
            capture: def.capture,
            capture_duration_ms: def.capture_duration_ms,
            template,
        });
        self.roots.push(lowered.node);
        self.lowered.push(lowered);
    }

    /// Checks an item that has no effect.
    fn aside<'b>(
        &mut self,
        item: &Aside,
        bodies: impl Iterator<Item = &'b Body>,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let owner = Owner { kind: item.kind, name: &item.name.text };
        let mut found = Vec::new();
        for body in bodies {
            let lowered = self.lowerer.lower(body, owner, &mut found);
            let source = item.source.as_deref();
            found.extend(source.and_then(|source| foreign_field(&item.name, None, source, &lowered)));
        }
        if let Some(output) = &item.output {
            let before = found.len();
            let template = output::parse(output, self.vocabulary.collection.dialect, &mut found);
            let foreign = |(template, source)| foreign_in_output(output, source, &template);
            found.extend(template.zip(item.source.as_deref()).and_then(foreign));
            for d in &mut found[before..] {
                d.item.get_or_insert_with(|| (item.kind, item.name.text.clone()));
            }
        }
        let unknown = [
            Code::UnknownField,
            Code::UnknownEvent,
            Code::WrongSource,
            Code::OutputUnknownField,
            Code::OutputWrongSource,
        ];
        found.retain(|d| !(item.skip_if_unknown && unknown.contains(&d.code)));
        diagnostics.append(&mut found);
    }
}

/// A field that a rule's condition reads and its event source does not have.
fn foreign_field(rule: &Name, whole: Option<Span>, source: &str, lowered: &Lowered) -> Option<Diagnostic> {
    let used = lowered.sources.iter().find(|used| !used.field.info().belongs_to(source))?;
    let info = used.field.info();
    let other = info.source.unwrap_or_default();
    let found = Diagnostic::new(
        Code::WrongSource,
        format!("events of the source `{source}` have no field `{}`", info.name),
        used.span,
        format!("this field belongs to `{other}`"),
    );
    let found = found
        .note(format!("set `source: {other}` if the rule is for those events, or take the comparison out"));
    // A field in a macro is shown with the rule that it does not fit.
    let elsewhere =
        whole.is_some_and(|whole| whole.to(used.span) != whole || whole.source != used.span.source);
    let found = if elsewhere { found.see(rule.span, "used by this rule") } else { found };
    Some(found.of(ItemKind::Rule, &rule.text))
}

/// The same in its output.
fn foreign_in_output(output: &Spliced, source: &str, template: &output::Template) -> Option<Diagnostic> {
    let (name, field) = template.foreign(source)?;
    let info = field.id.info();
    let text = output.text();
    let place = text.match_indices(name).find(|(at, _)| text[..*at].ends_with(['%', '(']));
    let bytes = place.map_or(0..text.len(), |(at, _)| at..at + name.len());
    let found = Diagnostic::new(
        Code::OutputWrongSource,
        format!("events of the source `{source}` have no field `{}`", info.name),
        output.span(&(bytes.start as u32..bytes.end as u32)),
        format!("this field belongs to `{}`", info.source.unwrap_or_default()),
    );
    Some(found.note("take it out of the output"))
}

/// Says what limits a rule's events, where that is worth saying.
fn limits(rule: &Rule, lowered: &Lowered, vocabulary: &Vocabulary, diagnostics: &mut Vec<Diagnostic>) {
    let Some(def) = vocabulary.collection.rules.iter().find(|def| def.name.text == *rule.name) else {
        return;
    };
    let name = def.name.span;
    let push = |found: Diagnostic, diagnostics: &mut Vec<Diagnostic>| {
        diagnostics.push(found.of(ItemKind::Rule, &*rule.name));
    };
    let fed = rule.events.and(EventSet::provided());
    if rule.events.is_empty() {
        if vocabulary.collection.dialect.is_exact() && def.warn_evttypes {
            let message = "no `evt.type` limits this rule, since none can satisfy it";
            push(Diagnostic::new(Code::NoEventType, message, name, ""), diagnostics);
        }
        let found = Diagnostic::new(Code::NeverTrue, "no event can satisfy this rule", name, "");
        push(
            found.note("its checks of `evt.type` exclude each other, or a list in it is empty; an event has one type, so several are joined with `or`, or in `evt.type in (…)`"),
            diagnostics,
        );
    } else if rule.events.len() > MANY_EVENTS {
        if def.warn_evttypes {
            let found = Diagnostic::new(
                Code::NoEventType,
                "no `evt.type` limits this rule",
                name,
                "judged for every event",
            );
            push(
                found.note("add `evt.type = …` or `evt.type in (…)`, or set `warn_evttypes: false`"),
                diagnostics,
            );
        }
    } else if fed.len() < rule.events.len() {
        let missing: EventSet = rule.events.iter().filter(|t| !t.is_provided()).collect();
        let names = listed(missing.iter());
        let place = lowered.events.iter().find(|check| !check.events.and(missing).is_empty());
        let span = place.map_or(name, |check| check.span);
        let found = if fed.is_empty() {
            Diagnostic::new(
                Code::NoHook,
                "no hook feeds this event yet, so the rule cannot fire",
                span,
                names,
            )
        } else {
            Diagnostic::new(
                Code::SomeHooks,
                "no hook feeds some of these events yet",
                span,
                format!("not fed: {names}"),
            )
        };
        push(if span == name { found } else { found.see(name, "this rule") }, diagnostics);
    }
}

fn listed(events: impl Iterator<Item = EventType>) -> String {
    let names: Vec<_> = events.map(EventType::name).collect();
    names.join(", ")
}

/// Warns of macros and lists that nothing uses.
fn unused(
    vocabulary: &Vocabulary,
    lists_used: &[bool],
    lowerer: &Lowerer<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let collection = &vocabulary.collection;
    let mut used = vec![false; collection.macros.len()];
    lowerer.used_macros().for_each(|i| used[i] = true);
    for body in &vocabulary.macros {
        for (name, _) in body.ast.macros() {
            if let Some(i) = collection.find_macro(name, usize::MAX) {
                used[i] = true;
            }
        }
    }
    for ((def, used), body) in collection.macros.iter().zip(used).zip(&vocabulary.macros) {
        // One that does not parse has heard enough.
        if !used && body.parsed {
            let found = Diagnostic::new(Code::UnusedMacro, "nothing uses this macro", def.name.span, "")
                .note("name it in a condition, or remove it");
            diagnostics.push(found.of(ItemKind::Macro, &def.name.text));
        }
    }
    for (def, used) in collection.lists.iter().zip(lists_used) {
        if !used {
            let found = Diagnostic::new(Code::UnusedList, "nothing uses this list", def.name.span, "")
                .note("name it in a condition, or remove it");
            diagnostics.push(found.of(ItemKind::List, &def.name.text));
        }
    }
}

fn ids(rules: &[Rule], keep: impl Fn(&Rule) -> bool) -> Box<[RuleId]> {
    let numbered = rules.iter().enumerate();
    numbered.filter(|(_, rule)| keep(rule)).map(|(i, _)| RuleId(i as u32)).collect()
}

fn buckets(rules: &[Rule]) -> Vec<Box<[RuleId]>> {
    let fits = |rule: &Rule, event| rule.enabled && &*rule.source == SYSCALL && rule.events.contains(event);
    EventType::all().map(|event| ids(rules, |rule| fits(rule, event))).collect()
}
