//! Why a rule fires for an event, or does not: its condition part by part, each with what it saw and what came of it.
//!
//! The order is the one written, and what `and` and `or` do not need is not evaluated; the compiled program may ask in
//! another order and comes to the same answer (a property holds them together). Nothing here is fast: each comparison is
//! compiled by itself.

mod judge;
mod text;

use eyas_event::{Fields, OutputValue};
use rustc_hash::FxHashSet;

use crate::collect::with_exceptions;
use crate::diag::ItemKind;
use crate::explain::judge::{Judged, Trees};
use crate::lower::{Body, Owner};
use crate::parts::{Part, PartKind};
use crate::ruleset::{RuleId, Ruleset};
use crate::syntax::ast::{NodeId, NodeKind};

pub use text::to_text;

/// What came of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It does not hold since the field has no value.
    Missing,
    /// The answer was there before it was asked.
    NotEvaluated,
}

impl Verdict {
    /// The words for it.
    pub fn words(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::False => "false",
            Self::Missing => "missing",
            Self::NotEvaluated => "not evaluated",
        }
    }
}

/// A value that a comparison saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// As JSON types it.
    pub value: OutputValue,
    /// As text for people, harmless on a terminal; text in quotes.
    pub text: String,
}

/// A part of the condition and what came of it.
#[derive(Clone, Debug)]
pub struct Step {
    /// The part.
    pub part: Part,
    /// What came of it.
    pub verdict: Verdict,
    /// The values of a comparison's field, none when it is missing; `None` for what reads no field, and for what was not
    /// evaluated.
    pub seen: Option<Vec<Seen>>,
    /// Of a macro: whether its body was shown before and is not shown again.
    pub repeated: bool,
}

/// A rule and an event.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// Whether the condition holds.
    pub holds: bool,
    /// Its parts, each before those that it is made of.
    pub steps: Vec<Step>,
}

/// Explains a rule's verdict on an event.
pub fn explain(ruleset: &Ruleset, rule: RuleId, fields: &impl Fields) -> Explanation {
    let vocabulary = &ruleset.vocabulary;
    let name = &ruleset.rule(rule).name;
    let Some(def) = vocabulary.collection.rules.iter().find(|def| def.name.text == **name) else {
        return Explanation { holds: false, steps: Vec::new() };
    };
    let owner = Owner { kind: ItemKind::Rule, name };
    let condition = with_exceptions(&def.condition, &def.exceptions);
    let body = Body::new(&condition, &vocabulary.lists, owner, &mut |_| {}, &mut Vec::new());
    let trees = Trees::new(vocabulary, &body, fields);
    Explanation { holds: trees.root().holds(), steps: steps(&trees) }
}

/// Where a walk stands.
struct At {
    /// The macro whose tree it is; `None` for the rule's.
    tree: Option<usize>,
    node: NodeId,
    depth: u32,
    live: bool,
}

/// Walks the trees from the root, each macro's body once where it was evaluated, and once where only parts that were not
/// evaluated name it: so macros that double each other stay small.
fn steps(trees: &Trees<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut shown = FxHashSet::default();
    let mut stack = Vec::new();
    if let Some(node) = trees.root().body.ast.root() {
        stack.push(At { tree: None, node, depth: 0, live: true });
    }
    while let Some(at) = stack.pop() {
        let judged = trees.get(at.tree);
        let node = judged.body.ast.node(at.node);
        let mut part = Part::new(at.depth, &node.kind, judged.body.text.span(&node.bytes));
        let below = |node: NodeId, live: bool| At { tree: at.tree, node, depth: at.depth + 1, live };
        let mut repeated = false;
        match &node.kind {
            NodeKind::And(parts) | NodeKind::Or(parts) => {
                let decides = part.kind == PartKind::Or;
                let mut live = at.live;
                let children: Vec<At> = parts
                    .iter()
                    .map(|child| {
                        let this = below(*child, live);
                        live &= judged.value(*child) != decides;
                        this
                    })
                    .collect();
                stack.extend(children.into_iter().rev());
            }
            NodeKind::Not(inner) => stack.push(below(*inner, at.live)),
            NodeKind::Macro(name) => {
                if let Some(index) = trees.find(name, at.tree) {
                    part.defined = Some(trees.defined(index));
                    let tree = Some(index);
                    if shown.contains(&(index, true)) || !shown.insert((index, at.live)) {
                        repeated = true;
                    } else if let Some(node) = trees.get(tree).body.ast.root() {
                        stack.push(At { tree, node, depth: at.depth + 1, live: at.live });
                    }
                }
            }
            NodeKind::Check(_) | NodeKind::Broken => {}
        }
        let (verdict, seen) = outcome(judged, at.node, at.live);
        steps.push(Step { part, verdict, seen, repeated });
    }
    steps
}

/// What came of a node, and what it saw.
fn outcome(judged: &Judged<'_>, node: NodeId, live: bool) -> (Verdict, Option<Vec<Seen>>) {
    if !live {
        return (Verdict::NotEvaluated, None);
    }
    let leaf = judged.leaf(node);
    let seen = leaf.and_then(|leaf| leaf.seen.clone());
    let verdict = match (judged.value(node), &seen) {
        (true, _) => Verdict::True,
        (false, Some(seen)) if seen.is_empty() && leaf.is_some_and(|leaf| !leaf.asks_existence) => {
            Verdict::Missing
        }
        (false, _) => Verdict::False,
    };
    (verdict, seen)
}
