//! The items of a rule file, read from the YAML tree: what a person wrote, checked for shape and not yet for meaning.
//!
//! An item of the wrong shape becomes diagnostics and is left out; its neighbours are not touched, and what can be read of it
//! goes on as a [`BrokenItem`], to be checked all the same. How items change each
//! other (redefinition, append, override) is the business of [`crate::collect`].

mod cut;
mod exception;
mod indent;
mod keys;
pub(crate) mod overrides;
mod rule;
mod shapes;
mod simple;

use eyas_event::Priority;

use crate::diag::{Code, Diagnostic, ItemKind, did_you_mean, gather};
use crate::source::{SourceId, Span};
use crate::syntax::text::Spliced;
use crate::yaml::{Kind, Node};
use keys::Keys;

pub use exception::{Comps, ExceptionItem, ExceptionValue, FieldExprs};

/// A text value with the span of its scalar.
#[derive(Clone, Debug)]
pub struct Text {
    /// The decoded text and where each byte of it came from.
    pub spliced: Spliced,
    /// The whole scalar.
    pub span: Span,
}

impl Text {
    /// The decoded text.
    pub fn as_str(&self) -> &str {
        self.spliced.text()
    }
}

/// A name with its span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// What an override does with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverrideOp {
    /// Adds to what was there.
    Append,
    /// Takes its place.
    Replace,
}

/// Where `append: true` stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Append {
    /// The word `true`.
    pub value: Span,
    /// The key with it.
    pub whole: Span,
}

/// One entry of an `override` map.
#[derive(Clone, Debug)]
pub struct Override {
    /// The key.
    pub key: Name,
    /// What to do with it.
    pub op: OverrideOp,
}

/// An item.
#[derive(Clone, Debug)]
pub enum Item {
    /// `- rule:`
    Rule(Box<RuleItem>),
    /// `- macro:`
    Macro(MacroItem),
    /// `- list:`
    List(ListItem),
    /// `- required_engine_version:`
    Engine(EngineItem),
    /// `- required_plugin_versions:`
    Plugins(Vec<PluginItem>),
    /// One with a fault.
    Broken(Box<BrokenItem>),
}

impl Item {
    /// What an item that has a name is, and its name.
    pub(crate) fn name(&self) -> Option<(ItemKind, &Name)> {
        match self {
            Self::List(list) => Some((ItemKind::List, &list.name)),
            Self::Macro(item) => Some((ItemKind::Macro, &item.name)),
            Self::Rule(rule) => Some((ItemKind::Rule, &rule.name)),
            Self::Broken(broken) => Some((broken.kind, &broken.name)),
            Self::Engine(_) | Self::Plugins(_) => None,
        }
    }
}

/// A rule, macro or list with a fault, which was reported: what could be read of it. It has no effect and is checked all the
/// same, so that one look shows all that is wrong.
#[derive(Clone, Debug)]
pub struct BrokenItem {
    /// What it would have been.
    pub kind: ItemKind,
    /// Its name; empty when that could not be read.
    pub name: Name,
    /// The event source, where it is known.
    pub source: Option<String>,
    /// When it fires.
    pub condition: Option<Text>,
    /// What it says.
    pub output: Option<Text>,
    /// Its exceptions that could be read.
    pub exceptions: Vec<ExceptionItem>,
    /// Whether it asked to be skipped quietly when something in it is unknown.
    pub skip_if_unknown: bool,
}

impl BrokenItem {
    /// Nothing but a name.
    pub(crate) fn new(kind: ItemKind, name: Option<Name>, span: Span) -> Self {
        let name = name.unwrap_or(Name { text: String::new(), span });
        Self {
            kind,
            name,
            source: None,
            condition: None,
            output: None,
            exceptions: Vec::new(),
            skip_if_unknown: false,
        }
    }

    /// What can be checked of a rule that cannot take effect. `source` is that of a rule which names none.
    pub(crate) fn of(item: RuleItem, source: Option<&str>) -> Self {
        // An append of exceptions names fields only where they are new; what it means hangs on the rule that it changes.
        let change = item.append.is_some() || !item.overrides.is_empty();
        Self {
            kind: ItemKind::Rule,
            source: item.source.map(|name| name.text).or(source.map(str::to_owned)),
            condition: item.condition,
            output: item.output.or(item.unread_output),
            exceptions: item.exceptions.filter(|_| !change).unwrap_or_default(),
            skip_if_unknown: item.skip_if_unknown.unwrap_or(false),
            name: item.name,
        }
    }
}

/// A rule, or a change of one.
#[derive(Clone, Debug)]
pub struct RuleItem {
    /// Its name.
    pub name: Name,
    /// The whole item.
    pub whole: Span,
    /// What it finds.
    pub desc: Option<Text>,
    /// When it fires.
    pub condition: Option<Text>,
    /// What it says.
    pub output: Option<Text>,
    /// How urgent.
    pub priority: Option<(Priority, Span)>,
    /// The event source.
    pub source: Option<Name>,
    /// Whether it is on.
    pub enabled: Option<(bool, Span)>,
    /// Its tags.
    pub tags: Option<Vec<Name>>,
    /// Its exceptions.
    pub exceptions: Option<Vec<ExceptionItem>>,
    /// Whether to warn when no event type limits it.
    pub warn_evttypes: Option<bool>,
    /// Whether to skip it quietly when something in it is unknown.
    pub skip_if_unknown: Option<bool>,
    /// Whether to record when it fires.
    pub capture: Option<bool>,
    /// For how long, in milliseconds.
    pub capture_duration: Option<u64>,
    /// `append: true`, and where.
    pub append: Option<Append>,
    /// Whether it has the four keys that a definition needs.
    pub complete: bool,
    /// The output that `append: true` passes over: looked at where there is nothing to append to.
    pub unread_output: Option<Text>,
    /// The whole line of `append`, where it has one to itself.
    pub append_line: Option<Span>,
    /// How far its keys stand in, where each has a line of its own.
    pub indent: Option<usize>,
    /// The `override` map.
    pub overrides: Vec<Override>,
}

/// A macro, or a change of one.
#[derive(Clone, Debug)]
pub struct MacroItem {
    /// Its name.
    pub name: Name,
    /// Its condition.
    pub condition: Text,
    /// How it changes an earlier one.
    pub change: Option<(OverrideOp, Span)>,
    /// Whether `append: true` was used, and where.
    pub append: Option<Append>,
}

/// A list, or a change of one.
#[derive(Clone, Debug)]
pub struct ListItem {
    /// Its name.
    pub name: Name,
    /// Its items.
    pub items: Vec<Text>,
    /// How it changes an earlier one.
    pub change: Option<(OverrideOp, Span)>,
    /// Whether `append: true` was used, and where.
    pub append: Option<Append>,
}

/// An engine version that a file asks for.
#[derive(Clone, Debug)]
pub struct EngineItem {
    /// Major, minor, patch.
    pub version: (u64, u64, u64),
    /// Where it stands.
    pub span: Span,
}

/// A plugin that a file asks for.
#[derive(Clone, Debug)]
pub struct PluginItem {
    /// The plugin, then those that would do instead.
    pub choices: Vec<PluginChoice>,
}

/// A plugin by name, and from which version on.
#[derive(Clone, Debug)]
pub struct PluginChoice {
    /// Its name.
    pub name: Name,
    /// Major, minor, patch.
    pub version: (u64, u64, u64),
    /// The version as it was written.
    pub written: String,
    /// Where the version stands.
    pub version_span: Span,
}

/// What the readers share: the file, and where findings go.
pub(crate) struct Reader<'r> {
    pub(crate) source: SourceId,
    pub(crate) file: &'r str,
    pub(crate) diagnostics: &'r mut Vec<Diagnostic>,
}

const KINDS: [&str; 5] = ["required_engine_version", "required_plugin_versions", "list", "macro", "rule"];

/// Reads the items of a file's documents.
pub fn read(
    documents: &[Node],
    source: SourceId,
    file: &str,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Item> {
    indent::lost_indentation(source, file, diagnostics);
    let mut items = Vec::new();
    each(documents, source, file, diagnostics, &mut |item, _| {
        items.push(item);
        true
    });
    gather::cut_off(file, diagnostics);
    // What broken YAML cut off comes first: what uses it need not be told that it is missing.
    let mut all = cut::items(source, file, diagnostics);
    all.append(&mut items);
    all
}

/// Hands the items out one by one, until `take` says that it is enough. What cannot be read is reported and passed over.
pub fn each(
    documents: &[Node],
    source: SourceId,
    file: &str,
    diagnostics: &mut Vec<Diagnostic>,
    take: &mut dyn FnMut(Item, &mut Vec<Diagnostic>) -> bool,
) {
    let mut reader = Reader { source, file, diagnostics };
    for document in documents {
        match &document.kind {
            _ if document.is_null() => {}
            Kind::Sequence(nodes) => {
                for node in nodes {
                    let Some(item) = reader.item(node) else { continue };
                    if !take(item, reader.diagnostics) {
                        return;
                    }
                }
            }
            _ => {
                let found = Diagnostic::new(
                    Code::NotItems,
                    "a rule file is a sequence of items",
                    document.span,
                    format!("this is {}", document.kind_word()),
                )
                .note("each item starts with a dash: `- rule: …`, `- macro: …`, `- list: …`");
                let item = reader.as_item(document);
                reader.push(match item {
                    Some((span, text)) => found.guess(
                        "put a dash before the first key and indent the others by two",
                        span,
                        text,
                    ),
                    None => found,
                });
            }
        }
    }
}

impl Reader<'_> {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn item(&mut self, node: &Node) -> Option<Item> {
        if node.is_null() {
            return None;
        }
        let Kind::Mapping(pairs) = &node.kind else {
            self.push(
                Diagnostic::new(
                    Code::NotItems,
                    "an item is a mapping",
                    node.span,
                    format!("this is {}", node.kind_word()),
                )
                .note("for example `- rule: A name` with its keys below; or take it out"),
            );
            return None;
        };
        let kind = KINDS.iter().find(|kind| pairs.iter().any(|(key, _)| key.text() == Some(**kind)));
        match kind.copied() {
            Some("required_engine_version") => self.engine(pairs).map(Item::Engine),
            Some("required_plugin_versions") => self.plugins(pairs).map(Item::Plugins),
            Some("list") => Some(self.list(pairs)),
            Some("macro") => Some(self.macro_item(pairs)),
            Some("rule") => Some(self.rule(pairs)),
            _ => {
                let mut keys = pairs.iter().filter_map(|(key, _)| key.text().map(|text| (key, text)));
                let near = keys.find_map(|(key, text)| did_you_mean(text, KINDS).map(|kind| (key, kind)));
                let mut found = Diagnostic::new(
                    Code::UnknownItem,
                    "this item is of no known kind and was ignored",
                    node.span,
                    format!("none of its keys is one of {}", KINDS.join(", ")),
                );
                if let Some((key, kind)) = near {
                    found = found.near(key.span, kind);
                }
                self.push(found);
                None
            }
        }
    }

    /// A scalar as text with its map.
    pub(crate) fn text(&self, node: &Node) -> Text {
        Text { spliced: Spliced::scalar(node, self.file), span: node.span }
    }

    pub(crate) fn keys<'n>(
        &mut self,
        pairs: &'n [(Node, Node)],
        kind: ItemKind,
        known: &'static [&'static str],
    ) -> Keys<'n> {
        Keys::new(self, pairs, kind, known)
    }
}
