//! Conditions under a known event type: checks of `evt.type` become constants and fold away with all that hangs on them.

use eyas_event::EventType;

use crate::ir::{Arena, Ir, IrId, Operand};

impl Arena {
    /// The same conditions for events of one type alone.
    pub fn under(&mut self, event: EventType, roots: &[IrId]) -> Vec<IrId> {
        // New nodes go behind the old ones, which refer to old ones only.
        let wanted = self.reached(roots);
        let mut turned: Vec<IrId> = (0..wanted.len() as u32).map(IrId).collect();
        for i in (0..wanted.len()).filter(|i| wanted[*i]) {
            let id = IrId(i as u32);
            let new = match self.node(id).clone() {
                Ir::Constant(_) => id,
                Ir::Test(test) => match self.predicates[test.0 as usize].operand {
                    Operand::Events(set) => self.constant(set.contains(event)),
                    _ => id,
                },
                Ir::Not(inner) => self.not(turned[inner.0 as usize]),
                Ir::And(parts) => {
                    let parts: Vec<IrId> = parts.iter().map(|part| turned[part.0 as usize]).collect();
                    self.and(&parts)
                }
                Ir::Or(parts) => {
                    let parts: Vec<IrId> = parts.iter().map(|part| turned[part.0 as usize]).collect();
                    self.or(&parts)
                }
            };
            turned[i] = new;
        }
        roots.iter().map(|root| turned[root.0 as usize]).collect()
    }

    /// The event types told apart by the checks that the conditions make: types in one group satisfy the same ones.
    pub fn alike(&self, roots: &[IrId]) -> Vec<Vec<EventType>> {
        let wanted = self.reached(roots);
        let checks: Vec<_> = (self.nodes.iter().zip(&wanted))
            .filter_map(|(node, wanted)| match node {
                Ir::Test(test) if *wanted => match self.predicates[test.0 as usize].operand {
                    Operand::Events(set) => Some(set),
                    _ => None,
                },
                _ => None,
            })
            .collect();
        let mut groups: Vec<Vec<EventType>> = Vec::new();
        let mut index = rustc_hash::FxHashMap::default();
        for event in EventType::all() {
            let satisfied: Box<[bool]> = checks.iter().map(|set| set.contains(event)).collect();
            let group = *index.entry(satisfied).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[group].push(event);
        }
        groups
    }

    /// For every node, whether the conditions reach it.
    fn reached(&self, roots: &[IrId]) -> Vec<bool> {
        let mut wanted = vec![false; self.nodes.len()];
        for root in roots {
            wanted[root.0 as usize] = true;
        }
        // Parents come after their children, so going backwards sees every parent first.
        for i in (0..wanted.len()).rev() {
            if wanted[i] {
                self.nodes[i].parts().iter().for_each(|part| wanted[part.0 as usize] = true);
            }
        }
        wanted
    }
}
