//! Typed form to jumps.
//!
//! Code is laid down from the end to the start, so that every jump's target is known when the jump is written. A node that
//! several parents share becomes a block of its own, coded once; the code is therefore never larger than the graph,
//! however often macros use macros. An explicit list of steps takes the place of recursion.

use crate::ir::weigh::Weight;
use crate::ir::{Arena, Ir, IrId};
use crate::program::group::{Guard, Item, sort};
use crate::program::questions::Questions;
use crate::program::{Ask, Code, Op, Target};

/// A jump's target while code is laid down: fixed, or whatever was laid down last.
#[derive(Clone, Copy)]
enum Aim {
    Fixed(Target),
    Last,
}

/// Lays down one code.
pub(super) struct Builder<'a> {
    arena: &'a Arena,
    /// With weights, parts are asked in the order that is probably cheapest, else in the order written.
    weights: Option<&'a [Weight]>,
    questions: &'a mut Questions,
    /// The block of a shared node.
    block_of: Vec<Option<u32>>,
    blocks: Vec<Target>,
    depth: usize,
    ops: Vec<Op>,
}

impl<'a> Builder<'a> {
    /// Starts with the nodes that the code will ask for, as often as it does: what is shared is laid down here.
    pub(super) fn new(
        arena: &'a Arena,
        weights: Option<&'a [Weight]>,
        questions: &'a mut Questions,
        asked: &[IrId],
    ) -> Self {
        let uses = count_uses(arena, asked);
        let mut shared = Vec::new();
        let mut block_of = vec![None; arena.nodes().len()];
        for (i, node) in arena.nodes().iter().enumerate() {
            if uses[i] > 1 && matches!(node, Ir::And(_) | Ir::Or(_)) {
                block_of[i] = Some(shared.len() as u32);
                shared.push(IrId(i as u32));
            }
        }
        let depth = depth(arena, &block_of);
        let mut builder =
            Self { arena, weights, questions, block_of, blocks: Vec::new(), depth, ops: Vec::new() };
        builder.blocks = shared.iter().map(|id| builder.lay(*id, true, Target::YES, Target::NO)).collect();
        builder
    }

    /// Whole conditions, each for itself.
    pub(super) fn conditions(mut self, roots: &[IrId]) -> Code {
        let entries = roots.iter().map(|id| self.lay(*id, false, Target::YES, Target::NO)).collect();
        self.done(entries)
    }

    /// Rules in groups, one after the other; the last leads to the end.
    pub(super) fn rules(mut self, items: &[Item]) -> Code {
        /// What is still to do, last things first.
        enum Step<'i> {
            Item(&'i Item),
            Guard(&'i Guard, Target),
        }
        // Each step leaves in `next` where the code laid down so far begins.
        let mut next = Target::NO;
        let mut steps: Vec<Step<'_>> = items.iter().map(Step::Item).collect();
        while let Some(step) = steps.pop() {
            match step {
                Step::Item(Item::Rule { rule, parts }) => {
                    self.ops.push(Op { ask: Ask::Fire(*rule), yes: next, no: next });
                    let mut at = self.last();
                    for part in parts.iter().rev() {
                        at = self.lay(*part, false, at, next);
                    }
                    next = at;
                }
                Step::Item(Item::Guarded { guard, items }) => {
                    steps.push(Step::Guard(guard, next));
                    steps.extend(items.iter().map(Step::Item));
                }
                Step::Guard(Guard::Part(part), past) => next = self.lay(*part, false, next, past),
                Step::Guard(Guard::Any(bits), past) => {
                    let ask = self.questions.any(bits);
                    self.ops.push(Op { ask, yes: next, no: past });
                    next = self.last();
                }
            }
        }
        self.done([next].into())
    }

    fn done(mut self, entries: Box<[Target]>) -> Code {
        // An answer that no other place asks for need not be remembered.
        let mut places = vec![0_u32; self.questions.matchers()];
        for op in &self.ops {
            if let Ask::Test(test) = op.ask {
                places[test as usize] += 1;
            }
        }
        for op in &mut self.ops {
            if let Ask::Test(test) = op.ask
                && places[test as usize] == 1
            {
                op.ask = Ask::Once(test);
            }
        }
        Code { ops: self.ops.into(), blocks: self.blocks.into(), entries, depth: self.depth }
    }

    /// Lays down the code of a node and says where it starts. `own` lays down a shared node's own block.
    fn lay(&mut self, root: IrId, own: bool, yes: Target, no: Target) -> Target {
        if let Ir::Constant(value) = self.arena.node(root) {
            return if *value { yes } else { no };
        }
        let mut steps = vec![(root, Aim::Fixed(yes), Aim::Fixed(no))];
        let mut own = own;
        while let Some((id, yes, no)) = steps.pop() {
            let (yes, no) = (self.aim(yes), self.aim(no));
            if let (Some(block), false) = (self.block_of[id.0 as usize], own) {
                self.ops.push(Op { ask: Ask::Block(block), yes, no });
                continue;
            }
            own = false;
            match self.arena.node(id) {
                Ir::Test(test) => {
                    // What the person wrote one by one is asked one by one.
                    let test = test.0 as usize;
                    let ask = match self.weights {
                        Some(_) => self.questions.ask(self.arena, test),
                        None => Ask::Test(self.questions.matcher(self.arena, test)),
                    };
                    self.ops.push(Op { ask, yes, no });
                }
                Ir::Not(inner) => steps.push((*inner, Aim::Fixed(no), Aim::Fixed(yes))),
                // The last part is laid down first; the one before it jumps to what was laid down last.
                Ir::And(parts) => {
                    let parts = self.ordered(parts, Weight::and_order);
                    steps.extend(parts.iter().enumerate().map(|(i, part)| {
                        let next = if i + 1 == parts.len() { Aim::Fixed(yes) } else { Aim::Last };
                        (*part, next, Aim::Fixed(no))
                    }));
                }
                Ir::Or(parts) => {
                    let parts = self.ordered(parts, Weight::or_order);
                    steps.extend(parts.iter().enumerate().map(|(i, part)| {
                        let next = if i + 1 == parts.len() { Aim::Fixed(no) } else { Aim::Last };
                        (*part, Aim::Fixed(yes), next)
                    }));
                }
                // Constants fold away inside the arena; only a root can be one, and that was handled above.
                Ir::Constant(_) => {}
            }
        }
        self.last()
    }

    fn ordered(&self, parts: &[IrId], order: fn(Weight) -> f32) -> Vec<IrId> {
        let mut parts = parts.to_vec();
        if let Some(weights) = self.weights {
            sort(&mut parts, |part| order(weights[part.0 as usize]));
        }
        parts
    }

    fn last(&self) -> Target {
        Target(self.ops.len() as u32 - 1)
    }

    fn aim(&self, aim: Aim) -> Target {
        match aim {
            Aim::Fixed(target) => target,
            Aim::Last => self.last(),
        }
    }
}

/// How often each node is asked for: by the code itself or by another node.
fn count_uses(arena: &Arena, asked: &[IrId]) -> Vec<u32> {
    let mut uses = vec![0_u32; arena.nodes().len()];
    for root in asked {
        uses[root.0 as usize] += 1;
    }
    // Children come before parents, so going backwards sees every parent first.
    for i in (0..uses.len()).rev() {
        if uses[i] > 0 {
            arena.nodes()[i].parts().iter().for_each(|part| uses[part.0 as usize] += 1);
        }
    }
    uses
}

/// The deepest nesting of blocks, for the return stack.
fn depth(arena: &Arena, block_of: &[Option<u32>]) -> usize {
    let mut depths = vec![0_usize; arena.nodes().len()];
    for (i, node) in arena.nodes().iter().enumerate() {
        let inner = node.parts().iter().map(|part| depths[part.0 as usize]).max().unwrap_or(0);
        depths[i] = inner + usize::from(block_of[i].is_some());
    }
    depths.into_iter().max().unwrap_or(0)
}
