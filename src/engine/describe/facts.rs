//! What a condition reads, taken from its tree alone: fields, operators, event types. It needs no field table, so that it
//! also tells of rules that do not compile here.

use std::collections::{BTreeMap, BTreeSet};

use eyas_event::{EventSet, EventType};

use crate::describe::canonical::{operator, push_operand};
use crate::ir::{Operand as Compared, operand};
use crate::lower::{Body, Vocabulary};
use crate::syntax::ast::{Ast, Bytes, CallArg, Check, NodeKind, Operand, OperandKind, Rhs};

/// What a condition reads, macros included.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Fields with their arguments.
    pub fields: BTreeSet<String>,
    /// Operators with their modifiers.
    pub operators: BTreeSet<String>,
    /// The macros it names itself.
    pub macros: BTreeSet<String>,
}

impl Facts {
    /// Reads a body and the macros that it reaches.
    pub fn new(body: &Body, vocabulary: &Vocabulary) -> Self {
        let mut facts = Self::default();
        facts.macros.extend(body.ast.macros().map(|(name, _)| name.to_owned()));
        let mut seen = BTreeSet::new();
        let mut waiting = vec![&body.ast];
        while let Some(ast) = waiting.pop() {
            for check in checks(ast) {
                facts.operators.insert(operator(check.1));
                operands(check.1, &mut |operand| facts.field(operand));
            }
            for (name, _) in ast.macros() {
                if let Some(i) = vocabulary.collection.find_macro(name, usize::MAX)
                    && seen.insert(i)
                    && let Some(inner) = vocabulary.macros.get(i)
                {
                    waiting.push(&inner.ast);
                }
            }
        }
        facts
    }

    fn field(&mut self, operand: &Operand) {
        let mut text = String::new();
        push_operand(&mut text, operand);
        self.fields.insert(text);
    }
}

/// The comparisons of a tree with their ranges.
pub fn checks(ast: &Ast) -> impl Iterator<Item = (Bytes, &Check)> {
    ast.nodes().filter_map(|(_, node)| match &node.kind {
        NodeKind::Check(check) => Some((node.bytes.clone(), check.as_ref())),
        _ => None,
    })
}

/// Calls back for every field of a comparison, those in transformers included.
pub fn operands(check: &Check, see: &mut dyn FnMut(&Operand)) {
    fields_of(&check.lhs, see);
    match &check.rhs {
        Rhs::Field(operand) | Rhs::Call(operand) => fields_of(operand, see),
        _ => {}
    }
}

/// Depth is bounded by the parser.
fn fields_of(operand: &Operand, see: &mut dyn FnMut(&Operand)) {
    match &operand.kind {
        OperandKind::Field { .. } => see(operand),
        OperandKind::Call { args, .. } => args.iter().for_each(|arg| fields_of_arg(arg, see)),
    }
}

fn fields_of_arg(arg: &CallArg, see: &mut dyn FnMut(&Operand)) {
    match arg {
        CallArg::Operand(operand) => fields_of(operand, see),
        CallArg::Constant(_) => {}
        CallArg::List(args) => args.iter().for_each(|arg| fields_of_arg(arg, see)),
    }
}

/// For which events a condition can hold, and for which it can fail to.
type Both = (EventSet, EventSet);

/// The event types of conditions: `and` is what both allow, `or` what either does, `not` turns the checks of `evt.type`
/// around. Macros are looked at once.
#[derive(Debug, Default)]
pub struct Events {
    macros: BTreeMap<usize, Both>,
}

impl Events {
    /// The event types of a body.
    pub fn of(&mut self, body: &Body, vocabulary: &Vocabulary) -> EventSet {
        // Innermost first, without recursion; a circle finds the macro not looked at yet and takes it for anything.
        let mut waiting: Vec<(usize, bool)> = named(&body.ast, vocabulary);
        let mut open = BTreeSet::new();
        while let Some((index, ready)) = waiting.pop() {
            let Some(inner) = vocabulary.macros.get(index) else { continue };
            if ready {
                let both = self.tree(&inner.ast, vocabulary);
                self.macros.insert(index, both);
            } else if open.insert(index) && !self.macros.contains_key(&index) {
                waiting.push((index, true));
                waiting.extend(named(&inner.ast, vocabulary));
            }
        }
        self.tree(&body.ast, vocabulary).0
    }

    fn tree(&self, ast: &Ast, vocabulary: &Vocabulary) -> Both {
        let all = EventSet::all();
        let mut nodes: Vec<Both> = Vec::with_capacity(ast.len());
        for (_, node) in ast.nodes() {
            let part = |id: &crate::syntax::ast::NodeId| nodes[id.0 as usize];
            let both = match &node.kind {
                NodeKind::And(parts) => {
                    parts.iter().map(part).fold((all, EventSet::empty()), |a, b| (a.0.and(b.0), a.1.or(b.1)))
                }
                NodeKind::Or(parts) => {
                    parts.iter().map(part).fold((EventSet::empty(), all), |a, b| (a.0.or(b.0), a.1.and(b.1)))
                }
                NodeKind::Not(inner) => {
                    let (holds, fails) = part(inner);
                    (fails, holds)
                }
                NodeKind::Check(check) => limits(check).unwrap_or((all, all)),
                NodeKind::Macro(name) => {
                    let known = vocabulary.collection.find_macro(name, usize::MAX);
                    known.and_then(|i| self.macros.get(&i)).copied().unwrap_or((all, all))
                }
                NodeKind::Broken => (all, all),
            };
            nodes.push(both);
        }
        nodes.last().copied().unwrap_or((all, all))
    }
}

fn named(ast: &Ast, vocabulary: &Vocabulary) -> Vec<(usize, bool)> {
    let macros = ast.macros().filter_map(|(name, _)| vocabulary.collection.find_macro(name, usize::MAX));
    macros.map(|i| (i, false)).collect()
}

fn limits(check: &Check) -> Option<Both> {
    let OperandKind::Field { name, .. } = &check.lhs.kind else { return None };
    if name != "evt.type" {
        return None;
    }
    let values = match &check.rhs {
        Rhs::Value(value) => std::slice::from_ref(value),
        Rhs::List(values) => values,
        _ => return None,
    };
    match operand::events(check.op, check.modifier, values) {
        Ok(Compared::Events(set)) => Some((set, set.complement())),
        _ => None,
    }
}

/// The names of a set as Falco lists them: the code that stands for all unnamed calls has no name of its own, and
/// notices from outside the kernel come to every rule.
pub fn event_names(set: EventSet) -> Vec<&'static str> {
    let mut names: Vec<_> = set.iter().map(EventType::name).filter(|name| *name != "syscall").collect();
    if !names.contains(&"asyncevent") {
        names.push("asyncevent");
        names.sort_unstable();
    }
    names
}
