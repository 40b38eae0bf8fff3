//! The effective rule: what came of its definition, the overrides and the exceptions, clause by clause, each with the place
//! in the file where somebody wrote it. Macros are opened one level, lists are named as written and told beside.

mod text;

use crate::collect::{Collection, MacroDef, with_exceptions};
use crate::parts::{Part, PartKind};
use crate::ruleset::{Rule, RuleId, Ruleset};
use crate::source::Span;
use crate::syntax::ast::{Ast, NodeId, NodeKind};
use crate::syntax::parse;
use crate::syntax::text::Spliced;

pub use text::to_text;

/// A rule as it stands after everything that changed it.
#[derive(Debug)]
pub struct Effective<'r> {
    /// The rule, for what has no places.
    pub rule: &'r Rule,
    /// Where it was last defined in full.
    pub defined: Span,
    /// The places of its output: where it begins, and where another file goes on.
    pub output: Vec<Span>,
    /// Its condition, exceptions included.
    pub parts: Vec<Part>,
    /// The lists that the condition or a macro of it names, in order of definition.
    pub lists: Vec<NamedList<'r>>,
}

/// A list and its items, each with its place.
#[derive(Debug)]
pub struct NamedList<'r> {
    /// Its name.
    pub name: &'r str,
    /// Where it was last defined.
    pub defined: Span,
    /// Its items.
    pub items: Vec<(&'r str, Span)>,
}

/// The effective form of a rule.
pub fn effective(ruleset: &Ruleset, id: RuleId) -> Effective<'_> {
    let rule = ruleset.rule(id);
    let collection = &ruleset.vocabulary.collection;
    let mut shown =
        Effective { rule, defined: rule.span, output: Vec::new(), parts: Vec::new(), lists: Vec::new() };
    let Some(def) = collection.rules.iter().find(|def| def.name.text == *rule.name) else { return shown };
    shown.defined = def.name.span;
    shown.output = places(&def.output);
    let mut used = vec![false; collection.lists.len()];
    let condition = with_exceptions(&def.condition, &def.exceptions);
    shown.parts = parts(ruleset, &condition, &mut used);
    // The lists of the macros further down belong to the rule as well.
    for name in &rule.macros {
        if let Some(index) = collection.find_macro(name, usize::MAX) {
            let condition = &collection.macros[index].condition;
            ruleset.vocabulary.lists.put_in(condition, &mut |index| used[index] = true);
        }
    }
    shown.lists = lists(collection, used);
    shown
}

/// Where a text begins, and where another file goes on.
fn places(text: &Spliced) -> Vec<Span> {
    let mut places: Vec<Span> = Vec::new();
    for (at, _) in text.text().char_indices().filter(|(_, c)| !c.is_whitespace()) {
        let span = text.span(&(at as u32..at as u32 + 1));
        if places.last().is_none_or(|last| last.source != span.source) {
            places.push(span);
        }
    }
    places
}

/// A condition's tree, lists still named where that parses.
fn tree(ruleset: &Ruleset, condition: &Spliced, used: &mut [bool]) -> (Spliced, Ast) {
    let mark = &mut |index: usize| used[index] = true;
    let (spliced, _) = ruleset.vocabulary.lists.put_in(condition, mark);
    let parsed = parse(condition.text());
    if parsed.errors.is_empty() {
        return (condition.clone(), parsed.ast);
    }
    // A list that holds more than values is text of the condition, and only with it does it parse.
    let ast = parse(spliced.text()).ast;
    (spliced, ast)
}

/// The parts of a condition, macros opened one level.
fn parts(ruleset: &Ruleset, condition: &Spliced, used: &mut [bool]) -> Vec<Part> {
    let collection = &ruleset.vocabulary.collection;
    let mut out = Vec::new();
    for mut part in flat(tree(ruleset, condition, used), 0) {
        let def = named(collection, &part, usize::MAX);
        part.defined = def.map(|def| def.name.span);
        let depth = part.depth + 1;
        out.push(part);
        let Some(def) = def else { continue };
        for mut inner in flat(tree(ruleset, &def.condition, used), depth) {
            inner.defined = named(collection, &inner, def.sees_below).map(|def| def.name.span);
            out.push(inner);
        }
    }
    out
}

/// The macro that a part names.
fn named<'c>(collection: &'c Collection, part: &Part, sees_below: usize) -> Option<&'c MacroDef> {
    let index = collection.find_macro(&part.head, sees_below);
    index.filter(|_| part.kind == PartKind::Macro).map(|index| &collection.macros[index])
}

/// A tree from its root on, each part before those that it is made of.
fn flat((text, ast): (Spliced, Ast), depth: u32) -> Vec<Part> {
    let mut out = Vec::with_capacity(ast.len());
    let mut stack: Vec<(NodeId, u32)> = ast.root().map(|root| (root, depth)).into_iter().collect();
    while let Some((id, depth)) = stack.pop() {
        let node = ast.node(id);
        match &node.kind {
            NodeKind::And(parts) | NodeKind::Or(parts) => {
                stack.extend(parts.iter().rev().map(|part| (*part, depth + 1)));
            }
            NodeKind::Not(inner) => stack.push((*inner, depth + 1)),
            NodeKind::Check(_) | NodeKind::Macro(_) | NodeKind::Broken => {}
        }
        out.push(Part::new(depth, &node.kind, text.span(&node.bytes)));
    }
    out
}

/// The used lists, and those that they name themselves.
fn lists(collection: &Collection, mut used: Vec<bool>) -> Vec<NamedList<'_>> {
    for i in (0..collection.lists.len()).rev() {
        if used[i] {
            for item in &collection.lists[i].items {
                // A list sees those before it.
                if let Some(inner) = collection.lists[..i].iter().position(|l| l.name.text == item.as_str()) {
                    used[inner] = true;
                }
            }
        }
    }
    let used = collection.lists.iter().zip(used).filter(|(_, used)| *used);
    used.map(|(list, _)| NamedList {
        name: &list.name.text,
        defined: list.name.span,
        items: list.items.iter().map(|item| (item.as_str(), item.span)).collect(),
    })
    .collect()
}
