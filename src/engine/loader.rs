//! Texts to a ruleset. Loading never fails as a whole: it gives a ruleset of what is right and diagnostics for the rest.

use std::sync::Arc;

use eyas_event::{EventSet, EventType, Interest, Priority, RulesetHash, Variables};
use rustc_hash::FxHashSet;
use sha2::{Digest, Sha256};

use crate::collect::{Aside, Collection, RuleDef, SOURCES, SYSCALL, all_values_fit};
use crate::diag::{Code, Diagnostic, ItemKind, gather};
use crate::dialect::Dialect;
use crate::interest::Environment;
use crate::ir::{Arena, IrId};
use crate::lower::{Body, Lowered, Lowerer, Owner, Prepared, Vocabulary};
use crate::output;
use crate::program::Program;
use crate::rule_checks::{foreign_field, foreign_in_output, limits, names_nothing_known, unused};
use crate::ruleset::Matching;
use crate::ruleset::{Rule, RuleId, Ruleset};
use crate::selection::{self, Selection};
use crate::source::{SourceFile, Sources, Span};
use crate::{first_error, items, rule_lints, usage, yaml};

/// What Falco appends to every output unless told not to.
const SUGGESTED: &str = "container_id=%container.id container_name=%container.name \
    container_image_repository=%container.image.repository container_image_tag=%container.image.tag \
    k8s_pod_name=%k8s.pod.name k8s_ns_name=%k8s.ns.name";

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
    /// What was found when each file was loaded, where Falco's way of loading was asked for: what it says after a file may
    /// be about an earlier one. Empty otherwise.
    pub by_file: Vec<Vec<Diagnostic>>,
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
    pub fn finish(mut self) -> Loaded {
        let files = std::mem::take(&mut self.files);
        let mut sources = Sources::default();
        let mut hash = Sha256::new();
        hash.update([self.least as u8, u8::from(self.suggested), u8::from(self.dialect.is_exact())]);
        let mut odd = Vec::new();
        for file in files {
            hash.update((file.text.len() as u64).to_le_bytes());
            hash.update(file.text.as_bytes());
            let replaced = file.replaced;
            let id = sources.add(file);
            odd.extend(replaced.map(|at| not_utf8(Span::new(id, at, at + 3))));
        }
        let (mut compiled, by_file, mut diagnostics) =
            if self.dialect.is_exact() { self.one_by_one(&sources) } else { self.together(&sources) };
        diagnostics.append(&mut odd);
        selection::apply(&self.selection, &mut compiled.rules);
        let variables = environments(&mut compiled, &mut diagnostics);
        diagnostics.sort_by_key(|d| d.place().map(|span| (span.source, span.start, d.code)));
        gather::always_absent(&mut diagnostics);
        if !self.dialect.is_exact() {
            gather::said_better(&mut diagnostics);
        }
        let Compiled { vocabulary, rules, roots, mut arena, left_out } = compiled;
        let interest = interest(&arena, &rules, &roots, variables.asked);
        let on = rules.iter().zip(&roots).filter(|(rule, _)| rule.is_in_force());
        let hosts = crate::interest::hosts(&arena, on.map(|(_, root)| *root));
        let buckets = buckets(&rules);
        let ruleset = Ruleset {
            matching: self.matching,
            program: Program::judging(&mut arena, &roots, &buckets),
            buckets,
            enabled: ids(&rules, |rule| rule.enabled),
            interest,
            printed: variables.printed,
            hosts,
            rules,
            hash: RulesetHash(hash.finalize().into()),
            sources: sources.clone(),
            vocabulary,
        };
        Loaded { ruleset: Arc::new(ruleset), diagnostics, sources, left_out, by_file }
    }

    /// Reads all files and compiles once; what is wrong is left out and everything is reported.
    fn together(&self, sources: &Sources) -> (Compiled, Vec<Vec<Diagnostic>>, Vec<Diagnostic>) {
        let mut diagnostics = Vec::new();
        let mut collection = Collection::new(self.dialect);
        for id in sources.ids() {
            let text = sources.text(id);
            let mut found = Vec::new();
            let documents = yaml::read(id, text, &mut found);
            let items = items::read(&documents, id, text, &mut found);
            diagnostics.append(&mut found);
            collection.add(items, &mut diagnostics);
        }
        collection.check_plugins(&mut diagnostics);
        let compiled = self.compile(collection, &mut diagnostics);
        (compiled, Vec::new(), diagnostics)
    }

    /// Reads as Falco does: each file up to its first error, and after each that has none everything so far is compiled.
    fn one_by_one(&self, sources: &Sources) -> (Compiled, Vec<Vec<Diagnostic>>, Vec<Diagnostic>) {
        let mut collection = Collection::new(self.dialect);
        let mut by_file: Vec<Vec<Diagnostic>> = Vec::new();
        let mut last = None;
        let mut refused = false;
        for id in sources.ids() {
            let text = sources.text(id);
            let mut found = Vec::new();
            let documents = yaml::read(id, text, &mut found);
            last = None;
            if first_error::read(&documents, id, text, &mut collection, &mut found) {
                let before = found.len();
                let compiled = self.compile(collection.clone(), &mut found);
                first_error::compiled(&compiled.vocabulary, before, &mut found);
                last = Some(compiled);
            } else {
                refused = true;
            }
            found.sort_by_key(|d| d.place().map(|span| (span.source, span.start, d.code)));
            by_file.push(found);
        }
        // Falco refuses everything when it stops at an item.
        let compiled = match last {
            Some(compiled) if !refused => compiled,
            _ => {
                let nothing = Collection::new(self.dialect);
                self.compile(nothing, &mut Vec::new())
            }
        };
        let mut diagnostics: Vec<Diagnostic> = Vec::new();
        for (i, found) in by_file.iter().enumerate() {
            // What the compiling after an earlier file has said already is not said again.
            let said = |d: &Diagnostic| i > 0 && by_file[..i].iter().any(|before| before.contains(d));
            diagnostics.extend(found.iter().filter(|d| !said(d)).cloned());
        }
        collection.check_plugins(&mut diagnostics);
        (compiled, by_file, diagnostics)
    }

    /// Compiles a collection.
    fn compile(&self, collection: Collection, diagnostics: &mut Vec<Diagnostic>) -> Compiled {
        let Prepared { mut vocabulary, lists_used, rules: bodies, aside, exceptions } =
            Vocabulary::prepare(collection, diagnostics);
        let mut compiler = Compiler {
            vocabulary: &vocabulary,
            lowerer: Lowerer::new(&vocabulary),
            rules: Vec::new(),
            roots: Vec::new(),
            lowered: Vec::new(),
            left_out: Vec::new(),
            passed_over: Vec::new(),
        };
        for (i, (def, body)) in vocabulary.collection.rules.iter().zip(&bodies).enumerate() {
            compiler.rule(i, def, body, self.suggested, diagnostics);
            if def.priority > self.least {
                diagnostics.push(rule_lints::below_least(def, self.least));
            }
        }
        for (i, body) in &exceptions {
            let name = &vocabulary.collection.rules[*i].name.text;
            compiler.lowerer.lower(body, Owner { kind: ItemKind::Rule, name }, diagnostics);
        }
        for (i, item) in vocabulary.collection.aside.iter().enumerate() {
            let bodies = aside.iter().filter(|(of, _)| *of == i).map(|(_, body)| body);
            compiler.aside(item, bodies, diagnostics);
        }
        compiler.lowerer.unreached(diagnostics);
        unused(&vocabulary, &lists_used, &compiler.lowerer, diagnostics);
        usage::check(&vocabulary, &bodies, diagnostics);
        let Compiler { lowerer, mut rules, mut roots, lowered, left_out, passed_over, .. } = compiler;
        let first_users = lowerer.first_users();
        let arena = lowerer.finish(diagnostics);
        let sets = arena.event_sets();
        for ((rule, root), lowered) in rules.iter_mut().zip(&roots).zip(&lowered) {
            rule.events = sets[root.0 as usize];
            // Event types are those of calls; other sources have none.
            if &*rule.source == SYSCALL {
                limits(rule, lowered, &vocabulary, diagnostics);
            }
        }
        // What is less urgent is compiled like the rest, so that its faults are found, and then dropped.
        let mut kept = rules.iter().map(|rule| rule.priority <= self.least).collect::<Vec<_>>().into_iter();
        roots.retain(|_| kept.next().unwrap_or(true));
        rules.retain(|rule| rule.priority <= self.least);
        rule_lints::check(&arena, &rules, &roots, self.matching, &vocabulary.collection, diagnostics);
        for (index, def) in vocabulary.collection.rules.iter_mut().enumerate() {
            def.passed_over = passed_over.contains(&index) || !SOURCES.contains(&&*def.source);
        }
        vocabulary.first_users = first_users;
        Compiled { vocabulary, rules, roots, arena, left_out }
    }
}

/// Falco takes bytes as they are, and a condition can name them; a text of ours cannot hold them.
fn not_utf8(at: Span) -> Diagnostic {
    Diagnostic::new(Code::NotUtf8, "this file is not UTF-8 throughout", at, "the first such byte")
        .note("read as U+FFFD; a condition that holds it does not match what Falco would match")
        .note("save the file as UTF-8")
}

/// A collection that was compiled.
struct Compiled {
    vocabulary: Vocabulary,
    rules: Vec<Rule>,
    roots: Vec<IrId>,
    arena: Arena,
    left_out: Vec<LeftOut>,
}

/// What the rules that are on ask the sensor for.
fn interest(arena: &Arena, rules: &[Rule], roots: &[IrId], variables: Variables) -> Interest {
    let on = || rules.iter().zip(roots).filter(|(rule, _)| rule.is_in_force());
    let events = on().fold(EventSet::empty(), |all, (rule, _)| all.or(rule.events));
    let places = crate::interest::places(arena, on().map(|(_, root)| *root));
    Interest {
        events,
        contained: events.and(places.host.complement()),
        domains: places.domains,
        opens: crate::interest::opens(arena, on().map(|(_, root)| *root)),
        variables,
    }
}

/// The variables of environments that the rules that are on have a use for.
struct Environments {
    /// What the sensor is asked for.
    asked: Variables,
    /// What outputs print.
    printed: Variables,
}

/// Gathers them, in the order of the rules up to the number that can be sent, and says which are never sent.
fn environments(compiled: &mut Compiled, diagnostics: &mut Vec<Diagnostic>) -> Environments {
    let (mut asked, mut printed) = (Vec::new(), Vec::new());
    // The sensor makes no difference between capitals and small letters.
    let mut known = FxHashSet::default();
    for (rule, root) in compiled.rules.iter_mut().zip(&compiled.roots) {
        let own = Environment::of(&compiled.arena, *root, rule);
        let mut say = |found, asked| {
            diagnostics.push(rule_lints::variable(rule, &compiled.vocabulary.collection, &found, asked));
        };
        if own.nameless {
            say(rule_lints::NotSent::Nameless, true);
        }
        if own.prints_nothing {
            say(rule_lints::NotSent::PrintsNothing, false);
        }
        for (name, is_asked) in own.names() {
            if name.len() > Variables::NAME_MAX {
                say(rule_lints::NotSent::TooLong(name), is_asked);
            } else if rule.is_in_force() {
                let capitals = name.to_ascii_uppercase();
                if known.len() < Variables::MAX || known.contains(&capitals) {
                    known.insert(capitals);
                    asked.push(Box::from(name));
                } else {
                    say(rule_lints::NotSent::TooMany(name), is_asked);
                }
            }
        }
        // Falco prints all of it.
        if !compiled.vocabulary.collection.dialect.is_exact() {
            rule.template.limit_environment(own.printed.iter().cloned().collect());
        }
        if rule.is_in_force() {
            printed.extend(own.printed);
        }
    }
    Environments { asked: asked.into_iter().collect(), printed: printed.into_iter().collect() }
}

struct Compiler<'v> {
    vocabulary: &'v Vocabulary,
    lowerer: Lowerer<'v>,
    rules: Vec<Rule>,
    roots: Vec<IrId>,
    lowered: Vec<Lowered>,
    left_out: Vec<LeftOut>,
    passed_over: Vec<usize>,
}

impl Compiler<'_> {
    fn rule(
        &mut self,
        index: usize,
        def: &RuleDef,
        body: &Body,
        suggested: bool,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let name = &def.name.text;
        // That its source is not there was said where it was defined.
        if !SOURCES.contains(&&*def.source) {
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
        lowered.broken |= !all_values_fit(&def.name, &def.exceptions, &mut found);
        let exact = self.vocabulary.collection.dialect.is_exact();
        // A definition's output has no blanks around it; that of a change has in Falco.
        let mut output_text = if exact { def.output.clone() } else { def.output.trimmed() };
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
        if output_text.text().replace("%container.info", "").is_empty() {
            let place = def.output.span(&(0..def.output.text().len() as u32));
            let empty = Diagnostic::new(Code::BadOutput, "nothing is left of this output", place, "");
            found.push(empty.of(ItemKind::Rule, name));
            template = None;
        }
        let broken = lowered.broken || template.is_none();
        // Falco looks at the output first, and then not at the condition any more.
        let only_unknown = if template.is_none() {
            names_nothing_known(output_text.text())
        } else {
            lowered.broken && lowered.unknown
        };
        if broken && def.skip_if_unknown && only_unknown {
            // The rule asked to be skipped quietly: one warning takes the place of its own errors.
            diagnostics.retain(|d| {
                !d.is_error() || d.item.as_ref().is_none_or(|item| *item != (ItemKind::Rule, name.clone()))
            });
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
            diagnostics.extend(found.into_iter().filter(|d| d.code == Code::Deprecated));
            self.passed_over.push(index);
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

fn ids(rules: &[Rule], keep: impl Fn(&Rule) -> bool) -> Box<[RuleId]> {
    let numbered = rules.iter().enumerate();
    numbered.filter(|(_, rule)| keep(rule)).map(|(i, _)| RuleId(i as u32)).collect()
}

fn buckets(rules: &[Rule]) -> Vec<Box<[RuleId]>> {
    EventType::all()
        .map(|event| ids(rules, |rule| rule.is_in_force() && rule.events.contains(event)))
        .collect()
}
