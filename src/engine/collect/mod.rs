//! Items to one collection: later items redefine, append to, replace or switch off earlier ones, by Falco's rules.
//!
//! Positions matter: a redefined item keeps its place in the order, a macro sees macros defined before its newest
//! definition, and a change must come after what it changes. What does not fit is reported and has no effect.

mod exceptions;
mod lists;
mod plugins;
mod rules;

use std::sync::Arc;

use eyas_event::Priority;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::diag::{Code, Diagnostic, ItemKind, did_you_mean};
use crate::dialect::Dialect;
use crate::items::overrides::UNREADABLE;
use crate::items::{BrokenItem, Item, ListItem, MacroItem, Name, OverrideOp, PluginItem, Text};
use crate::source::Span;
use crate::syntax::text::Spliced;

pub use exceptions::{Exception, with_exceptions};
pub(crate) use exceptions::{FIELDS_EXAMPLE, all_values_fit};
pub use lists::Lists;

/// The event sources that rules may name. Events of the first arrive; rules of the others are compiled and wait.
pub const SOURCES: [&str; 6] = ["syscall", "aws_cloudtrail", "k8s_audit", "okta", "github", "gcp_auditlog"];

/// The source of rules that name none: the only one of which events arrive.
pub const SYSCALL: &str = SOURCES[0];

/// A list as it stands after all items.
#[derive(Clone, Debug)]
pub struct ListDef {
    /// Its name, where it was last defined.
    pub name: Name,
    /// Its items as written.
    pub items: Vec<Text>,
    /// Its place in the order of items.
    pub position: usize,
    /// Items that name a list whose position is below this stand for that list's items.
    pub sees_below: usize,
}

/// A macro as it stands after all items.
#[derive(Clone, Debug)]
pub struct MacroDef {
    /// Its name, where it was last defined.
    pub name: Name,
    /// Its condition, lists not replaced yet.
    pub condition: Spliced,
    /// Its place in the order of items.
    pub position: usize,
    /// It sees macros whose position is below this.
    pub sees_below: usize,
    /// The name in the definition that this one replaced.
    pub replaced: Option<Span>,
}

/// A rule as it stands after all items.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "the switches of Falco's rule format")]
pub struct RuleDef {
    /// Its name, where it was last defined in full.
    pub name: Name,
    /// The whole item that last defined it.
    pub whole: Span,
    /// What it finds.
    pub desc: String,
    /// When it fires, exceptions and lists not put in yet.
    pub condition: Spliced,
    /// What it says.
    pub output: Spliced,
    /// How urgent.
    pub priority: Priority,
    /// The event source.
    pub source: Arc<str>,
    /// Whether it is on.
    pub enabled: bool,
    /// Its tags, sorted.
    pub tags: Vec<String>,
    /// Its exceptions.
    pub exceptions: Vec<Exception>,
    /// Whether to warn when no event type limits it.
    pub warn_evttypes: bool,
    /// Whether to skip it quietly when something in it is unknown.
    pub skip_if_unknown: bool,
    /// Whether to record when it fires.
    pub capture: bool,
    /// For how long, in milliseconds; 0 for the configured time.
    pub capture_duration_ms: u64,
    /// Whether it was passed over: its source is not there, or something in it is unknown and it asked for that.
    pub passed_over: bool,
}

/// An item without effect.
#[derive(Clone, Debug)]
pub struct Aside {
    /// What kind it is.
    pub kind: ItemKind,
    /// Its name; empty when that could not be read.
    pub name: Name,
    /// The event source, where it is known.
    pub source: Option<Arc<str>>,
    /// When it fires.
    pub condition: Option<Spliced>,
    /// What it says.
    pub output: Option<Spliced>,
    /// Its exceptions.
    pub exceptions: Vec<Exception>,
    /// Whether it asked to be skipped quietly when something in it is unknown.
    pub skip_if_unknown: bool,
}

/// All definitions after all items.
#[derive(Clone, Debug, Default)]
pub struct Collection {
    /// Whose meaning the items have.
    pub dialect: Dialect,
    /// Lists in order.
    pub lists: Vec<ListDef>,
    /// Macros in order.
    pub macros: Vec<MacroDef>,
    /// Rules in order.
    pub rules: Vec<RuleDef>,
    /// Items that have no effect, for a fault that was reported: checked all the same, so that all faults show at once.
    pub aside: Vec<Aside>,
    /// The newest engine version that a file asked for.
    pub required_engine: (u64, u64, u64),
    /// The plugins that files asked for.
    pub required_plugins: Vec<PluginItem>,
    list_index: FxHashMap<String, usize>,
    macro_index: FxHashMap<String, usize>,
    rule_index: FxHashMap<String, usize>,
    /// The names of what has a fault; that it is missing needs not be said at each use.
    broken: FxHashSet<(ItemKind, String)>,
    position: usize,
}

impl Collection {
    /// Nothing yet.
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect, ..Self::default() }
    }

    /// Takes in the items of one file. A file that asks for a newer engine is refused as a whole.
    pub fn add(&mut self, items: Vec<Item>, diagnostics: &mut Vec<Diagnostic>) {
        let version = self.dialect.engine_version();
        let mut refused = false;
        for item in &items {
            if let Item::Engine(engine) = item
                && (engine.version.0 != version.0 || engine.version > version)
            {
                let (a, b, c) = version;
                diagnostics.push(
                    Diagnostic::new(
                        Code::EngineTooOld,
                        "this file asks for another engine version; none of it was loaded",
                        engine.span,
                        format!("eyas answers to {a}.{b}.{c}"),
                    )
                    .note(format!(
                        "the first number must be equal and the whole not newer: ask for {a}.{b}.{c} or less if the file needs no more"
                    )),
                );
                refused = true;
            }
        }
        if refused {
            return;
        }
        self.overrides_without_base(&items, diagnostics);
        for item in items {
            match item {
                Item::Engine(engine) => self.required_engine = self.required_engine.max(engine.version),
                Item::Plugins(plugins) => self.required_plugins.extend(plugins),
                Item::List(list) => self.list(list, diagnostics),
                Item::Macro(item) => self.macro_item(item, diagnostics),
                Item::Rule(rule) => self.rule(*rule, diagnostics),
                Item::Broken(broken) => {
                    self.mark_broken(broken.kind, &broken.name.text);
                    self.set_aside(*broken, diagnostics);
                }
            }
        }
    }

    /// An `override` that is not read, in an item that nothing before it has, should only go: there is nothing to change.
    fn overrides_without_base(&self, items: &[Item], diagnostics: &mut [Diagnostic]) {
        let mut ignored: Vec<_> = diagnostics
            .iter()
            .enumerate()
            .filter(|(_, found)| {
                let unreadable = found.code == Code::NoWord && UNREADABLE.contains(&&*found.message);
                unreadable || found.code == Code::OverrideIgnored
            })
            .filter_map(|(at, found)| Some((found.place()?, at)))
            .map(|(place, at)| (place.source, place.start, at))
            .collect();
        if ignored.is_empty() {
            return;
        }
        ignored.sort_unstable();
        let mut seen = FxHashSet::default();
        for (i, item) in items.iter().enumerate() {
            let Some((kind, name)) = item.name() else { continue };
            let known = match kind {
                ItemKind::List => self.list_index.contains_key(&name.text),
                _ => self.place_of(kind, &name.text).is_some(),
            };
            if !seen.insert((kind, &*name.text)) || known || self.is_broken(kind, &name.text) {
                continue;
            }
            let next =
                items[i + 1..].iter().find_map(Item::name).map_or(u32::MAX, |(_, next)| next.span.start);
            let from = ignored.partition_point(|of| (of.0, of.1) < (name.span.source, name.span.start));
            let own = ignored[from..].iter().take_while(|of| of.0 == name.span.source && of.1 < next);
            for (_, _, at) in own {
                diagnostics[*at].edit = None;
                diagnostics[*at].notes = vec![format!(
                    "leave `override` out: there is no {} `{}` before this to change",
                    kind.word(),
                    name.text
                )];
            }
        }
    }

    /// The list that an item of another list names and stands for.
    pub fn inner_list(&self, of: &ListDef, item: &str) -> Option<usize> {
        let inner = *self.list_index.get(item)?;
        (self.lists[inner].position < of.sees_below).then_some(inner)
    }

    /// The place of a macro or rule in the order of definitions.
    pub fn place_of(&self, kind: ItemKind, name: &str) -> Option<usize> {
        match kind {
            ItemKind::Macro => self.macro_index.get(name).copied(),
            ItemKind::Rule => self.rule_index.get(name).copied(),
            _ => None,
        }
    }

    /// The macro with that name, if one that starts before `sees_below` exists.
    pub fn find_macro(&self, name: &str, sees_below: usize) -> Option<usize> {
        let index = *self.macro_index.get(name)?;
        (self.macros[index].position < sees_below).then_some(index)
    }

    /// Whether there was such an item, and it has a fault of its own.
    pub fn is_broken(&self, kind: ItemKind, name: &str) -> bool {
        self.broken.contains(&(kind, name.to_owned()))
    }

    /// The names of lists with a fault of their own.
    pub fn broken_lists(&self) -> impl Iterator<Item = &str> {
        let defined = |name: &str| self.list_index.contains_key(name);
        let lists = self.broken.iter().filter(|(kind, _)| *kind == ItemKind::List);
        lists.map(|(_, name)| name.as_str()).filter(move |name| !defined(name))
    }

    /// Remembers that an item has a fault of its own. For Falco it is not there.
    fn mark_broken(&mut self, kind: ItemKind, name: &str) {
        if !self.dialect.is_exact() {
            self.broken.insert((kind, name.to_owned()));
        }
    }

    /// Keeps an item without effect for the checks. Falco stops at its fault and hears of no other.
    fn set_aside(&mut self, item: BrokenItem, diagnostics: &mut Vec<Diagnostic>) {
        if self.dialect.is_exact() {
            return;
        }
        let of = exceptions::Of { rule: &item.name, source: item.source.as_deref(), dialect: self.dialect };
        let exceptions = exceptions::those_that_fit(of, item.exceptions, diagnostics);
        self.aside.push(Aside {
            kind: item.kind,
            source: item.source.map(Into::into),
            // The condition of a change may begin with the word that joins it; it is checked without.
            condition: item.condition.map(|text| text.spliced.without_leading(&["and", "or"])),
            output: item.output.map(|text| text.spliced.trimmed()),
            exceptions,
            skip_if_unknown: item.skip_if_unknown,
            name: item.name,
        });
    }

    fn next_position(&mut self) -> usize {
        self.position += 1;
        self.position
    }

    fn list(&mut self, item: ListItem, diagnostics: &mut Vec<Diagnostic>) {
        let position = self.next_position();
        let known = self.list_index.get(&item.name.text).copied();
        match (item.change, known) {
            (Some((OverrideOp::Append, span)), None) => {
                self.no_base(ItemKind::List, &item.name, span, diagnostics);
                self.set_aside(BrokenItem::new(ItemKind::List, Some(item.name), span), diagnostics);
            }
            (Some((OverrideOp::Append, _)), Some(i)) => {
                self.lists[i].items.extend(item.items);
                self.lists[i].sees_below = position;
            }
            (_, Some(i)) => {
                let kept = self.lists[i].position;
                self.lists[i] =
                    ListDef { name: item.name, items: item.items, position: kept, sees_below: position };
            }
            // A replacement of nothing is a definition.
            (_, None) => {
                self.list_index.insert(item.name.text.clone(), self.lists.len());
                let sees_below = position;
                self.lists.push(ListDef { name: item.name, items: item.items, position, sees_below });
            }
        }
    }

    fn macro_item(&mut self, item: MacroItem, diagnostics: &mut Vec<Diagnostic>) {
        let position = self.next_position();
        let known = self.macro_index.get(&item.name.text).copied();
        match (item.change, known) {
            (Some((OverrideOp::Append, span)), None) => {
                self.no_base(ItemKind::Macro, &item.name, span, diagnostics);
                let broken = BrokenItem::new(ItemKind::Macro, Some(item.name), span);
                self.set_aside(BrokenItem { condition: Some(item.condition), ..broken }, diagnostics);
            }
            (Some((OverrideOp::Append, _)), Some(i)) => {
                append_precedence(
                    ItemKind::Macro,
                    &item.name,
                    &self.macros[i].condition,
                    &item.condition,
                    diagnostics,
                );
                append_text(&mut self.macros[i].condition, &item.condition);
                self.macros[i].sees_below = position;
            }
            (_, Some(i)) => {
                let kept = self.macros[i].position;
                self.macros[i] = MacroDef {
                    name: item.name,
                    condition: item.condition.spliced,
                    position: kept,
                    sees_below: position,
                    replaced: Some(self.macros[i].name.span),
                };
            }
            // A replacement of nothing is a definition.
            (_, None) => {
                self.macro_index.insert(item.name.text.clone(), self.macros.len());
                self.macros.push(MacroDef {
                    name: item.name,
                    condition: item.condition.spliced,
                    position,
                    sees_below: position,
                    replaced: None,
                });
            }
        }
    }
}

/// Joins a text to another with one blank, as Falco does; no parentheses are added.
fn append_text(base: &mut Spliced, more: &Text) {
    base.push_standing_for(" ", more.span);
    base.push(&more.spliced);
}

/// Longer texts are not looked at again with every append.
const LONGEST_LOOKED_AT: usize = 1 << 14;

/// `or` in the base and `and` first in the appended text: the `and` binds to the last part of the `or` alone.
fn append_precedence(
    kind: ItemKind,
    name: &Name,
    base: &Spliced,
    more: &Text,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let text = more.as_str();
    let lead = text.len() - text.trim_start().len();
    let starts_with_and = text[lead..]
        .strip_prefix("and")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_whitespace() || c == '('));
    // Who appends to a text as long as that has more to look at than this, and every append would read it again.
    if !starts_with_and || base.text().len() > LONGEST_LOOKED_AT {
        return;
    }
    let parsed = crate::syntax::parse(base.text());
    let Some(root) = parsed.ast.root() else { return };
    if matches!(parsed.ast.node(root).kind, crate::syntax::ast::NodeKind::Or(_)) {
        let span = more.spliced.span(&(lead as u32..lead as u32 + 3));
        diagnostics.push(
            Diagnostic::new(
                Code::AppendPrecedence,
                "this `and` joins only the last part of the `or` before it",
                span,
                "appended here",
            )
            .see(base.span(&(0..base.text().len() as u32)), "the text it is appended to")
            .note(
                "appended text is joined without parentheses; put the whole `or` in parentheses in the base",
            )
            .of(kind, &name.text),
        );
    }
}

impl Collection {
    /// Reports a change of something that is not there; not where it has a fault of its own. Says whether it did.
    fn no_base(&self, kind: ItemKind, name: &Name, change: Span, diagnostics: &mut Vec<Diagnostic>) -> bool {
        if self.is_broken(kind, &name.text) {
            return false;
        }
        let found = Diagnostic::new(
            Code::NoBase,
            format!("there is no {} `{}` before this to change", kind.word(), name.text),
            name.span,
            "",
        )
        .see(change, "asks for the change")
        .of(kind, &name.text);
        let known: Vec<&Name> = match kind {
            ItemKind::List => self.lists.iter().map(|l| &l.name).collect(),
            ItemKind::Macro => self.macros.iter().map(|m| &m.name).collect(),
            _ => self.rules.iter().map(|r| &r.name).collect(),
        };
        diagnostics.push(match did_you_mean(&name.text, known.iter().map(|n| n.text.as_str())) {
            Some(near) => found.near(name.span, near),
            None => found.note(
                "what it changes must be defined in an earlier line or file; load that file before this one (`-r FILE`)",
            ),
        });
        true
    }
}
