//! What a node probably costs and how often it probably holds. Guesses from the form of the condition alone: they decide in
//! which order parts are asked, never what is true, and the same text always gives the same order.

use eyas_event::{FieldRef, FieldType};

use crate::ir::{Arena, Ir, Operand, Predicate, Term};
use crate::matching::is_ready;
use crate::syntax::ast::Op;

/// The weight of a node.
#[derive(Clone, Copy, Debug)]
pub struct Weight {
    /// Cost; 1 is a comparison with a value that lies ready.
    pub cost: f32,
    /// How likely it is to hold, 0 to 1.
    pub holds: f32,
}

impl Weight {
    /// The order in which parts of an `and` are best asked: what fails often and cheaply comes first.
    pub fn and_order(self) -> f32 {
        self.cost / (1.0 - self.holds).max(0.01)
    }

    /// The same for an `or`: what holds often and cheaply comes first.
    pub fn or_order(self) -> f32 {
        self.cost / self.holds.max(0.01)
    }
}

/// The weight of every node, children before parents.
pub fn weights(arena: &Arena) -> Vec<Weight> {
    let mut all: Vec<Weight> = Vec::with_capacity(arena.nodes().len());
    for node in arena.nodes() {
        let weight = match node {
            Ir::Constant(value) => Weight { cost: 0.0, holds: f32::from(u8::from(*value)) },
            Ir::Test(id) => of_predicate(&arena.predicates()[id.0 as usize]),
            Ir::Not(inner) => {
                let inner = all[inner.0 as usize];
                Weight { holds: 1.0 - inner.holds, ..inner }
            }
            // Parts are taken as independent, and each is asked as often as those before it let it.
            Ir::And(parts) => parts.iter().fold(Weight { cost: 0.0, holds: 1.0 }, |sum, part| {
                let part = all[part.0 as usize];
                Weight { cost: sum.cost + sum.holds * part.cost, holds: sum.holds * part.holds }
            }),
            Ir::Or(parts) => {
                let none = parts.iter().fold(Weight { cost: 0.0, holds: 1.0 }, |sum, part| {
                    let part = all[part.0 as usize];
                    Weight { cost: sum.cost + sum.holds * part.cost, holds: sum.holds * (1.0 - part.holds) }
                });
                Weight { holds: 1.0 - none.holds, ..none }
            }
        };
        all.push(weight);
    }
    all
}

fn of_predicate(predicate: &Predicate) -> Weight {
    let read = match &predicate.term {
        Term::Field(field) => of_field(field),
        _ => 30.0,
    };
    let compare = match (&predicate.operand, predicate.op) {
        (Operand::Term(_), _) => 30.0,
        (_, Op::Regex) => 40.0,
        (_, Op::Glob | Op::Iglob | Op::Icontains) => 10.0,
        (Operand::Texts(texts), Op::Pmatch) => 2.0 + 2.0 * texts.len() as f32,
        (_, Op::Contains | Op::Bcontains | Op::Pmatch) => 5.0,
        (Operand::Texts(_), _) => 3.0,
        _ => 1.0,
    };
    let modified = if predicate.modifier.is_some() { 4.0 } else { 1.0 };
    let truth = predicate.term.term_type().ty == FieldType::Bool;
    let holds = match predicate.op {
        Op::Exists => 0.9,
        _ if truth => 0.5,
        Op::Ne => 0.9,
        Op::Lt | Op::Le | Op::Gt | Op::Ge => 0.5,
        Op::In | Op::Intersects | Op::Pmatch => 0.2,
        _ => 0.1,
    };
    Weight { cost: read + compare * modified, holds }
}

/// What reading a field costs: most lie ready, others are put together or looked for.
fn of_field(field: &FieldRef) -> f32 {
    if is_ready(field) { 1.0 } else { 12.0 }
}
