//! Typed form to jumps.
//!
//! Code is laid down from the end to the start, so that every jump's target is known when the jump is written. A node that
//! several parents share becomes a block of its own, coded once; the program is therefore never larger than the graph,
//! however often macros use macros. An explicit list of steps takes the place of recursion.

use crate::ir::{Arena, Ir, IrId};
use crate::matching::Matcher;
use crate::program::{Ask, Op, Program, Target};

/// A jump's target while code is laid down: fixed, or whatever was laid down last.
#[derive(Clone, Copy)]
enum Aim {
    Fixed(Target),
    Last,
}

struct Builder<'a> {
    arena: &'a Arena,
    /// The block of a shared node.
    block_of: Vec<Option<u32>>,
    /// The matcher of a predicate.
    test_of: Vec<Option<u32>>,
    matchers: Vec<Matcher>,
    listing: Vec<String>,
    ops: Vec<Op>,
}

pub(super) fn build(arena: &Arena, roots: &[IrId]) -> Program {
    let uses = count_uses(arena, roots);
    let mut shared = Vec::new();
    let mut block_of = vec![None; arena.nodes().len()];
    for (i, node) in arena.nodes().iter().enumerate() {
        if uses[i] > 1 && matches!(node, Ir::And(_) | Ir::Or(_)) {
            block_of[i] = Some(shared.len() as u32);
            shared.push(IrId(i as u32));
        }
    }
    let mut builder = Builder {
        arena,
        block_of,
        test_of: vec![None; arena.predicates().len()],
        matchers: Vec::new(),
        listing: Vec::new(),
        ops: Vec::new(),
    };
    let blocks: Vec<Target> = shared.iter().map(|id| builder.lay(*id, true)).collect();
    let entries: Vec<Target> = roots.iter().map(|id| builder.lay(*id, false)).collect();
    let depth = depth(arena, &builder.block_of);
    Program {
        ops: builder.ops,
        blocks,
        entries,
        matchers: builder.matchers,
        depth,
        listing: builder.listing.into(),
    }
}

/// How many parents each node that the roots reach has, roots counted.
fn count_uses(arena: &Arena, roots: &[IrId]) -> Vec<u32> {
    let mut uses = vec![0_u32; arena.nodes().len()];
    for root in roots {
        uses[root.0 as usize] += 1;
    }
    // Children come before parents, so going backwards sees every parent first.
    for i in (0..uses.len()).rev() {
        if uses[i] == 0 {
            continue;
        }
        let mut count = |id: &IrId| uses[id.0 as usize] += 1;
        match &arena.nodes()[i] {
            Ir::Not(inner) => count(inner),
            Ir::And(parts) | Ir::Or(parts) => parts.iter().for_each(count),
            Ir::Constant(_) | Ir::Test(_) => {}
        }
    }
    uses
}

/// The deepest nesting of blocks, for the return stack.
fn depth(arena: &Arena, block_of: &[Option<u32>]) -> usize {
    let mut depths = vec![0_usize; arena.nodes().len()];
    for (i, node) in arena.nodes().iter().enumerate() {
        let inner = match node {
            Ir::Not(inner) => depths[inner.0 as usize],
            Ir::And(parts) | Ir::Or(parts) => parts.iter().map(|p| depths[p.0 as usize]).max().unwrap_or(0),
            Ir::Constant(_) | Ir::Test(_) => 0,
        };
        depths[i] = inner + usize::from(block_of[i].is_some());
    }
    depths.into_iter().max().unwrap_or(0)
}

impl Builder<'_> {
    /// Lays down the code of a node and says where it starts. `own` lays down a shared node's own block.
    fn lay(&mut self, root: IrId, own: bool) -> Target {
        if let Ir::Constant(value) = self.arena.node(root) {
            return if *value { Target::YES } else { Target::NO };
        }
        let mut steps = vec![(root, Aim::Fixed(Target::YES), Aim::Fixed(Target::NO))];
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
                    let test = self.test(test.0 as usize);
                    self.ops.push(Op { ask: Ask::Test(test), yes, no });
                }
                Ir::Not(inner) => steps.push((*inner, Aim::Fixed(no), Aim::Fixed(yes))),
                // The last part is laid down first; the one before it jumps to what was laid down last.
                Ir::And(parts) => {
                    steps.extend(parts.iter().enumerate().map(|(i, part)| {
                        let next = if i + 1 == parts.len() { Aim::Fixed(yes) } else { Aim::Last };
                        (*part, next, Aim::Fixed(no))
                    }));
                }
                Ir::Or(parts) => {
                    steps.extend(parts.iter().enumerate().map(|(i, part)| {
                        let next = if i + 1 == parts.len() { Aim::Fixed(no) } else { Aim::Last };
                        (*part, Aim::Fixed(yes), next)
                    }));
                }
                // Constants fold away inside the arena; only a root can be one, and that was handled above.
                Ir::Constant(_) => {}
            }
        }
        Target(self.ops.len() as u32 - 1)
    }

    fn aim(&self, aim: Aim) -> Target {
        match aim {
            Aim::Fixed(target) => target,
            Aim::Last => Target(self.ops.len() as u32 - 1),
        }
    }

    fn test(&mut self, predicate: usize) -> u32 {
        if let Some(test) = self.test_of[predicate] {
            return test;
        }
        let test = self.matchers.len() as u32;
        let predicate_data = &self.arena.predicates()[predicate];
        self.matchers.push(Matcher::new(predicate_data));
        self.listing.push(predicate_data.to_string());
        self.test_of[predicate] = Some(test);
        test
    }
}
