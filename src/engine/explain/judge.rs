//! Every node of a rule's tree and of the macros behind it judged, bottom up and without short cuts.

use std::ops::ControlFlow;

use eyas_event::text::escape;
use eyas_event::{FieldType, Fields, OutputValue, Value};
use rustc_hash::FxHashMap;

use crate::diag::ItemKind;
use crate::explain::Seen;
use crate::ir::Predicate;
use crate::lower::{Body, Lowerer, Owner, Vocabulary};
use crate::matching::Buffers;
use crate::program::{Program, Scratch};
use crate::source::Span;
use crate::syntax::ast::{Ast, Bytes, Check, NodeId, NodeKind, Op};

/// A comparison that was made.
pub(super) struct Leaf {
    pub(super) holds: bool,
    /// The field's values; `None` when no event can change the answer, so that nothing was read.
    pub(super) seen: Option<Vec<Seen>>,
    /// Whether it is `exists`, for which a missing value is an answer.
    pub(super) asks_existence: bool,
}

/// A tree with what came of each node.
pub(super) struct Judged<'b> {
    pub(super) body: &'b Body,
    values: Vec<bool>,
    leaves: FxHashMap<u32, Leaf>,
}

impl Judged<'_> {
    /// Whether a node holds.
    pub(super) fn value(&self, node: NodeId) -> bool {
        self.values.get(node.0 as usize).copied().unwrap_or(false)
    }

    /// Whether the whole holds.
    pub(super) fn holds(&self) -> bool {
        self.values.last().copied().unwrap_or(false)
    }

    /// The comparison at a node.
    pub(super) fn leaf(&self, node: NodeId) -> Option<&Leaf> {
        self.leaves.get(&node.0)
    }
}

/// A rule's tree and those of all macros behind it.
pub(super) struct Trees<'b> {
    vocabulary: &'b Vocabulary,
    root: Judged<'b>,
    macros: FxHashMap<usize, Judged<'b>>,
}

impl<'b> Trees<'b> {
    /// Judges a rule that compiled: no macro of it is missing or reaches itself.
    pub(super) fn new(vocabulary: &'b Vocabulary, body: &'b Body, fields: &impl Fields) -> Self {
        let root = Judged { body, values: Vec::new(), leaves: FxHashMap::default() };
        let mut trees = Self { vocabulary, root, macros: FxHashMap::default() };
        // Innermost macros first, without recursion. `None` is the rule itself.
        let mut stack = vec![(None, trees.named(None))];
        let mut open = vec![false; vocabulary.macros.len()];
        while let Some((tree, waiting)) = stack.last_mut() {
            if let Some(next) = waiting.pop() {
                if !std::mem::replace(&mut open[next], true) {
                    stack.push((Some(next), trees.named(Some(next))));
                }
                continue;
            }
            let tree = *tree;
            stack.pop();
            let judged = trees.judge(tree, fields);
            match tree {
                None => trees.root = judged,
                Some(index) => {
                    trees.macros.insert(index, judged);
                }
            }
        }
        trees
    }

    /// The rule's tree.
    pub(super) fn root(&self) -> &Judged<'b> {
        &self.root
    }

    /// The tree of a macro, or the rule's.
    pub(super) fn get(&self, tree: Option<usize>) -> &Judged<'b> {
        tree.and_then(|index| self.macros.get(&index)).unwrap_or(&self.root)
    }

    /// The macro that a name means inside a tree.
    pub(super) fn find(&self, name: &str, tree: Option<usize>) -> Option<usize> {
        let collection = &self.vocabulary.collection;
        let sees_below = tree.map_or(usize::MAX, |index| collection.macros[index].sees_below);
        collection.find_macro(name, sees_below)
    }

    /// Where a macro is defined.
    pub(super) fn defined(&self, index: usize) -> Span {
        self.vocabulary.collection.macros[index].name.span
    }

    fn body(&self, tree: Option<usize>) -> &'b Body {
        tree.map_or(self.root.body, |index| &self.vocabulary.macros[index])
    }

    fn named(&self, tree: Option<usize>) -> Vec<usize> {
        self.body(tree).ast.macros().filter_map(|(name, _)| self.find(name, tree)).collect()
    }

    /// Judges one tree, whose macros are judged already.
    fn judge(&self, tree: Option<usize>, fields: &impl Fields) -> Judged<'b> {
        let body = self.body(tree);
        let mut judged =
            Judged { body, values: Vec::with_capacity(body.ast.len()), leaves: FxHashMap::default() };
        let mut alone =
            Body { text: body.text.clone(), ast: Ast::default(), parsed: true, broken_lists: Vec::new() };
        for (id, node) in body.ast.nodes() {
            let holds = match &node.kind {
                NodeKind::And(parts) => parts.iter().all(|part| judged.value(*part)),
                NodeKind::Or(parts) => parts.iter().any(|part| judged.value(*part)),
                NodeKind::Not(part) => !judged.value(*part),
                NodeKind::Macro(name) => {
                    let index = self.find(name, tree);
                    index.and_then(|index| self.macros.get(&index)).is_some_and(Judged::holds)
                }
                NodeKind::Broken => false,
                NodeKind::Check(check) => {
                    let leaf = leaf(self.vocabulary, &mut alone, check, &node.bytes, fields);
                    let holds = leaf.holds;
                    judged.leaves.insert(id.0, leaf);
                    holds
                }
            };
            judged.values.push(holds);
        }
        judged
    }
}

/// Makes one comparison by the engine's own means: it is compiled as a condition of its own. `alone` has the text that the
/// comparison stands in; its tree is replaced.
fn leaf(
    vocabulary: &Vocabulary,
    alone: &mut Body,
    check: &Check,
    bytes: &Bytes,
    fields: &impl Fields,
) -> Leaf {
    let mut ast = Ast::default();
    ast.push(NodeKind::Check(Box::new(check.clone())), bytes.clone());
    alone.ast = ast;
    let mut lowerer = Lowerer::new(vocabulary);
    // What there is to say about it was said when the rule was loaded.
    let mut said = Vec::new();
    let lowered = lowerer.lower(alone, Owner { kind: ItemKind::Rule, name: "" }, &mut said);
    let arena = lowerer.finish(&mut said);
    let program = Program::new(&arena, &[lowered.node]);
    let mut scratch = Scratch::new();
    program.begin(&mut scratch);
    Leaf {
        holds: program.holds(0, fields, &mut scratch),
        seen: arena.predicates().first().map(|predicate| seen(predicate, fields)),
        asks_existence: check.op == Op::Exists,
    }
}

/// The values that a predicate reads.
fn seen(predicate: &Predicate, fields: &impl Fields) -> Vec<Seen> {
    let Some(field) = predicate.term.field() else {
        let mut text = Vec::new();
        Buffers::default().write(&predicate.term, fields, &mut text);
        if text == b"<NA>" {
            return Vec::new();
        }
        let text = escape(&text).into_owned();
        return vec![Seen { value: OutputValue::Text(text.clone()), text: format!("\"{text}\"") }];
    };
    let mut values = Vec::new();
    let done = fields.each(field, &mut Vec::new(), &mut |value| {
        // An end of a descriptor that has no address is there and has nothing to show.
        if matches!(value, Value::Bool(_)) && field.ty() != FieldType::Bool {
            return ControlFlow::Continue(());
        }
        let mut text = Vec::new();
        field.write_text(&value, &mut text);
        let text = escape(&text);
        let text = if matches!(value, Value::Bytes(_)) { format!("\"{text}\"") } else { text.into_owned() };
        values.push(Seen { value: field.output(&value), text });
        ControlFlow::Continue(())
    });
    debug_assert!(done.is_continue(), "nothing breaks the walk");
    values
}
