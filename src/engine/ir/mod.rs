//! The typed form of conditions: predicates over field references, joined by and, or, not.
//!
//! Every node is made once ([`Arena`] gives the same id for the same meaning), so what rules and macros share is shared
//! here by construction. Constants fold away when nodes are made. Nothing in this form knows a name or a place.

pub mod operand;
mod ports;
pub mod predicate;
pub mod term;
mod under;
pub mod weigh;

use eyas_event::EventSet;
use rustc_hash::{FxHashMap, FxHashSet};

pub use predicate::{Operand, Predicate, Quantifier};
pub use term::Term;

/// A node in its arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IrId(pub u32);

/// A predicate in its arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PredId(pub u32);

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ir {
    /// Always or never.
    Constant(bool),
    /// A predicate.
    Test(PredId),
    /// The other does not hold; never of a constant or of another `Not`.
    Not(IrId),
    /// All hold; two or more, no constant, no small `And` among them.
    And(Box<[IrId]>),
    /// One holds; two or more, no constant, no small `Or` among them.
    Or(Box<[IrId]>),
}

impl Ir {
    /// The nodes that it is made of.
    pub fn parts(&self) -> &[IrId] {
        match self {
            Self::Constant(_) | Self::Test(_) => &[],
            Self::Not(inner) => std::slice::from_ref(inner),
            Self::And(parts) | Self::Or(parts) => parts,
        }
    }
}

/// Inner groups of up to so many parts are taken into the outer one; larger ones stay nodes of their own, so that a chain of
/// macros is not copied into each of its links.
const FLATTENED: usize = 16;

/// All nodes and predicates of one program, each once; children before parents.
#[derive(Clone, Debug, Default)]
pub struct Arena {
    nodes: Vec<Ir>,
    node_index: FxHashMap<Ir, IrId>,
    predicates: Vec<Predicate>,
    predicate_index: FxHashMap<Predicate, PredId>,
}

impl Arena {
    /// A node.
    pub fn node(&self, id: IrId) -> &Ir {
        &self.nodes[id.0 as usize]
    }

    /// All nodes, children before parents.
    pub fn nodes(&self) -> &[Ir] {
        &self.nodes
    }

    /// All predicates.
    pub fn predicates(&self) -> &[Predicate] {
        &self.predicates
    }

    /// Always or never.
    pub fn constant(&mut self, value: bool) -> IrId {
        self.intern(Ir::Constant(value))
    }

    /// A predicate.
    pub fn test(&mut self, predicate: Predicate) -> IrId {
        if let Some(value) = predicate.constant() {
            return self.constant(value);
        }
        let next = PredId(self.predicates.len() as u32);
        let id = *self.predicate_index.entry(predicate.clone()).or_insert(next);
        if id == next {
            self.predicates.push(predicate);
        }
        self.intern(Ir::Test(id))
    }

    /// The other does not hold.
    pub fn not(&mut self, id: IrId) -> IrId {
        match *self.node(id) {
            Ir::Constant(value) => self.constant(!value),
            Ir::Not(inner) => inner,
            _ => self.intern(Ir::Not(id)),
        }
    }

    /// All hold.
    pub fn and(&mut self, parts: &[IrId]) -> IrId {
        self.join(parts, true)
    }

    /// One holds.
    pub fn or(&mut self, parts: &[IrId]) -> IrId {
        self.join(parts, false)
    }

    /// `and` of parts when `neutral` is true, `or` when it is false: the constant `neutral` falls away, the other decides.
    fn join(&mut self, parts: &[IrId], neutral: bool) -> IrId {
        let mut flat: Vec<IrId> = Vec::with_capacity(parts.len());
        for part in parts {
            match self.node(*part) {
                Ir::Constant(value) if *value == neutral => {}
                Ir::Constant(_) => return self.constant(!neutral),
                Ir::And(inner) if neutral && inner.len() <= FLATTENED => flat.extend(inner.iter()),
                Ir::Or(inner) if !neutral && inner.len() <= FLATTENED => flat.extend(inner.iter()),
                _ => flat.push(*part),
            }
        }
        let mut seen = FxHashSet::default();
        flat.retain(|part| seen.insert(*part));
        match flat.as_slice() {
            [] => self.constant(neutral),
            [one] => *one,
            _ if neutral => self.intern(Ir::And(flat.into())),
            _ => self.intern(Ir::Or(flat.into())),
        }
    }

    fn intern(&mut self, node: Ir) -> IrId {
        let next = IrId(self.nodes.len() as u32);
        let id = *self.node_index.entry(node.clone()).or_insert(next);
        if id == next {
            self.nodes.push(node);
        }
        id
    }

    /// For every node, the event types for which it can hold. Sound: a type outside can never make the node hold.
    pub fn event_sets(&self) -> Vec<EventSet> {
        // A pair a node: where it may hold, and where it may fail.
        let mut sets: Vec<(EventSet, EventSet)> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let set = match node {
                Ir::Constant(true) => (EventSet::all(), EventSet::empty()),
                Ir::Constant(false) => (EventSet::empty(), EventSet::all()),
                Ir::Test(id) => match &self.predicates[id.0 as usize].operand {
                    Operand::Events(set) => (*set, set.complement()),
                    _ => (EventSet::all(), EventSet::all()),
                },
                Ir::Not(inner) => {
                    let (holds, fails) = sets[inner.0 as usize];
                    (fails, holds)
                }
                Ir::And(parts) => parts.iter().fold((EventSet::all(), EventSet::empty()), |(h, f), part| {
                    let (holds, fails) = sets[part.0 as usize];
                    (h.and(holds), f.or(fails))
                }),
                Ir::Or(parts) => parts.iter().fold((EventSet::empty(), EventSet::all()), |(h, f), part| {
                    let (holds, fails) = sets[part.0 as usize];
                    (h.or(holds), f.and(fails))
                }),
            };
            sets.push(set);
        }
        sets.into_iter().map(|(holds, _)| holds).collect()
    }
}
