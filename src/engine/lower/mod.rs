//! Trees to the typed form: macros put in as nodes, fields and types checked, names gone afterwards.
//!
//! A macro is lowered once, however many rules use it; what is wrong in it is reported once, at the macro, with the rules
//! that it takes down. Diagnostics point into the file through the condition's spliced text.

mod check;
mod exact;
mod lints;
mod macros;
mod prepare;
pub(crate) mod terms;

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::collect::{Collection, Lists};
use crate::diag::{Code, Diagnostic, ItemKind};
use crate::ir::{Arena, IrId};
use crate::source::Span;
use crate::syntax::ast::{Ast, Bytes, NodeKind};
use crate::syntax::text::Spliced;
use crate::syntax::{SyntaxError, parse_in};
use prepare::mark_broken_uses;

pub use prepare::{BrokenUse, Prepared};

/// A condition that was spliced and parsed.
#[derive(Clone, Debug)]
pub struct Body {
    /// Its text with lists put in.
    pub text: Spliced,
    /// Its tree.
    pub ast: Ast,
    /// Whether it parsed.
    pub parsed: bool,
    /// The lists that it names and that have a fault of their own, and where.
    pub broken_lists: Vec<(String, Span)>,
}

/// Macros and lists ready for use by conditions: what rules and filters are compiled against.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// The definitions.
    pub collection: Collection,
    /// The lists, ready to be put in.
    pub lists: Lists,
    /// The macros' bodies, in the order of the definitions.
    pub macros: Vec<Body>,
    /// Of macros by index: the first rule that reaches each.
    pub(crate) first_users: FxHashMap<usize, String>,
}

/// A check of `evt.type`: where, and for which types it holds.
#[derive(Clone, Debug)]
pub struct EventCheck {
    /// Where the check stands.
    pub span: Span,
    /// The types it names.
    pub events: eyas_event::EventSet,
}

/// The first field of an event source that a condition reads.
#[derive(Clone, Copy, Debug)]
pub struct FieldUse {
    /// The field; it belongs to a source.
    pub field: eyas_event::FieldId,
    /// The comparison that reads it.
    pub span: Span,
}

/// A lowered condition.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// Its node; meaningless when broken.
    pub node: IrId,
    /// Whether something in it, macros included, was wrong.
    pub broken: bool,
    /// Whether what was wrong is only that something is unknown here.
    pub unknown: bool,
    /// Its own checks of `evt.type`, macros' included.
    pub events: Rc<Vec<EventCheck>>,
    /// The event sources whose fields it reads, macros' included: for each the first field.
    pub sources: Rc<Vec<FieldUse>>,
    /// The macros it names, each once, and where. Of a rule or filter also those behind them, at the name that leads there.
    pub macros: Vec<(usize, Span)>,
}

struct MacroState {
    lowered: Lowered,
    found: Vec<Diagnostic>,
    users: Vec<(ItemKind, String, Span)>,
}

/// Lowers conditions into one arena.
pub struct Lowerer<'v> {
    vocabulary: &'v Vocabulary,
    /// Where nodes go.
    pub arena: Arena,
    macros: FxHashMap<usize, MacroState>,
    /// Uses of macros and lists that have a fault of their own.
    broken_uses: Vec<BrokenUse>,
    /// Macros that were probably meant by names that no macro has.
    meant: FxHashSet<usize>,
}

/// Whose condition it is.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'n> {
    /// What kind of item.
    pub kind: ItemKind,
    /// Its name.
    pub name: &'n str,
}

impl Owner<'_> {
    fn mark(&self, found: Diagnostic) -> Diagnostic {
        if found.item.is_some() { found } else { found.of(self.kind, self.name) }
    }
}

impl Body {
    /// Splices lists in and parses.
    pub fn new(
        text: &Spliced,
        lists: &Lists,
        owner: Owner<'_>,
        used: &mut dyn FnMut(usize),
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Self {
        let whole = text.span(&(0..text.text().len() as u32));
        let (text, too_long) = lists.put_in(text, used);
        if too_long {
            let found = Diagnostic::new(Code::TooLong, "lists make this condition too long", whole, "");
            diagnostics.push(owner.mark(found.note("more than 2 MiB of text after the lists were put in")));
            return Self::none();
        }
        let parsed = parse_in(text.text(), lists.dialect);
        for error in &parsed.errors {
            diagnostics.push(owner.mark(syntax_diagnostic(&text, error)));
        }
        lints::lists_in_quotes(&text, owner, diagnostics);
        let broken_lists = lists.broken_in(&text);
        Self { text, ast: parsed.ast, parsed: parsed.errors.is_empty(), broken_lists }
    }

    /// What could not be read.
    fn none() -> Self {
        Self { text: Spliced::empty(), ast: Ast::default(), parsed: false, broken_lists: Vec::new() }
    }
}

/// A syntax error with its place in the file.
pub fn syntax_diagnostic(text: &Spliced, error: &SyntaxError) -> Diagnostic {
    let found = Diagnostic::new(error.code, &error.message, text.span(&error.bytes), &error.label);
    let found = match &error.note {
        Some(note) if error.code == Code::BadString => {
            found.note(text.note_as_written(error.bytes.start, note))
        }
        Some(note) => found.note(note),
        None => found,
    };
    let found = match &error.mend {
        Some(mend) => {
            let replacement = text.as_written(mend.bytes.start, &mend.replacement);
            let doubled = error.code == Code::BadString && replacement == "\\\\";
            let title = if doubled { "for a backslash write four" } else { &mend.title };
            found.with_edit(title, text.span(&mend.bytes), replacement, mend.certainty)
        }
        None => found,
    };
    through_list(text, &error.bytes, found)
}

/// Of each node whether an odd number of `not`s stands before it. Parents come after their parts.
pub(crate) fn negated(ast: &Ast) -> Vec<bool> {
    let mut negated = vec![false; ast.len()];
    for (id, node) in ast.nodes().rev() {
        let here = negated[id.0 as usize];
        match &node.kind {
            NodeKind::Not(part) => negated[part.0 as usize] = !here,
            NodeKind::And(parts) | NodeKind::Or(parts) => {
                for part in parts {
                    negated[part.0 as usize] = here;
                }
            }
            NodeKind::Check(_) | NodeKind::Macro(_) | NodeKind::Broken => {}
        }
    }
    negated
}

/// Adds where a list was named when the place lies in one of its items.
fn through_list(text: &Spliced, bytes: &Bytes, found: Diagnostic) -> Diagnostic {
    match text.via(bytes.start) {
        Some(named) => found.see(named.span, format!("put in by the list `{}` here", named.name)),
        None => found,
    }
}

/// Keeps the first field of each source.
fn note_source(sources: &mut Vec<FieldUse>, used: FieldUse) {
    let source = used.field.info().source;
    if source.is_some() && sources.iter().all(|known| known.field.info().source != source) {
        sources.push(used);
    }
}

impl<'v> Lowerer<'v> {
    /// An empty arena over a vocabulary.
    pub fn new(vocabulary: &'v Vocabulary) -> Self {
        Self {
            vocabulary,
            arena: Arena::default(),
            macros: FxHashMap::default(),
            broken_uses: Vec::new(),
            meant: FxHashSet::default(),
        }
    }

    /// Uses of macros and lists that have a fault of their own, which is reported there and not at each use.
    pub fn broken_uses(&self) -> &[BrokenUse] {
        &self.broken_uses
    }

    /// Lowers the condition of a rule or a filter, which see every macro.
    pub fn lower(&mut self, body: &Body, owner: Owner<'_>, diagnostics: &mut Vec<Diagnostic>) -> Lowered {
        self.prepare_macros(&body.ast);
        let mut lowered = self.body(body, owner, usize::MAX, diagnostics);
        lowered.macros = self.reached(&lowered.macros);
        for (index, span) in &lowered.macros {
            if let Some(state) = self.macros.get_mut(index) {
                state.users.push((owner.kind, owner.name.to_owned(), *span));
            }
        }
        lowered
    }

    /// All macros behind those that a condition names, each with the span of the name that leads there.
    fn reached(&self, direct: &[(usize, Span)]) -> Vec<(usize, Span)> {
        let mut seen = FxHashSet::default();
        let mut out = Vec::new();
        let mut waiting: Vec<(usize, Span)> = direct.iter().rev().copied().collect();
        while let Some((index, span)) = waiting.pop() {
            if seen.insert(index) {
                out.push((index, span));
                if let Some(state) = self.macros.get(&index) {
                    waiting.extend(state.lowered.macros.iter().rev().map(|(inner, _)| (*inner, span)));
                }
            }
        }
        out
    }

    /// Lowers nothing more and looks only at what macros name that no rule reaches.
    pub fn unreached(&mut self, diagnostics: &mut Vec<Diagnostic>) {
        let vocabulary = self.vocabulary;
        for (index, body) in vocabulary.macros.iter().enumerate() {
            if self.macros.contains_key(&index) {
                continue;
            }
            let def = &vocabulary.collection.macros[index];
            let owner = Owner { kind: ItemKind::Macro, name: &def.name.text };
            for (_, node) in body.ast.nodes() {
                let NodeKind::Macro(name) = &node.kind else { continue };
                let known = vocabulary.collection.find_macro(name, def.sees_below);
                // Whether it is lowered does not matter; a circle that no rule enters is a circle of itself.
                if known.is_some_and(|inner| inner != index) {
                    continue;
                }
                let span = body.text.span(&node.bytes);
                match self.macro_node(name, span, &node.bytes, body, def.sees_below) {
                    Ok(_) => {}
                    Err(Some(found)) => diagnostics.push(owner.mark(*found)),
                    Err(None) => self.broken_uses.push(BrokenUse {
                        used: (ItemKind::Macro, name.clone()),
                        user: (owner.kind, owner.name.to_owned()),
                        span,
                    }),
                }
            }
        }
    }

    /// For each macro in which something was found, by index: the first rule that reaches it.
    pub fn first_users(&self) -> FxHashMap<usize, String> {
        let first = |state: &MacroState| state.users.first().map(|(_, name, _)| name.clone());
        self.macros.iter().filter_map(|(index, state)| Some((*index, first(state)?))).collect()
    }

    /// What was found in macros, each once, with who is touched by it. Falco says of every rule what it warns of.
    pub fn finish(self, diagnostics: &mut Vec<Diagnostic>) -> Arena {
        mark_broken_uses(&self.broken_uses, diagnostics);
        let exact = self.vocabulary.collection.dialect.is_exact();
        let mut states: Vec<_> = self.macros.into_iter().collect();
        states.sort_by_key(|(index, _)| *index);
        for (_, state) in states {
            for mut found in state.found {
                if exact && found.falco_class().is_some() && !found.is_error() {
                    let rules = state.users.iter().filter(|(kind, _, _)| *kind == ItemKind::Rule);
                    diagnostics.extend(rules.map(|(kind, name, _)| found.clone().of(*kind, name)));
                    continue;
                }
                for (kind, name, span) in state.users.iter().take(1) {
                    found = found.see(*span, format!("used by {} `{name}` here", kind.word()));
                }
                if state.users.len() > 1 {
                    let names: Vec<_> =
                        state.users.iter().skip(1).map(|(_, n, _)| format!("`{n}`")).collect();
                    found = found.note(format!("also used by {}", names.join(", ")));
                }
                diagnostics.push(found);
            }
        }
        self.arena
    }

    /// Which macros were used at all, or meant by a name that is misspelled.
    pub fn used_macros(&self) -> impl Iterator<Item = usize> + '_ {
        self.macros.keys().chain(&self.meant).copied()
    }

    /// Lowers every macro that a tree reaches, innermost first, without recursion. A circle is left to `body`, which finds
    /// the macro not lowered yet.
    fn prepare_macros(&mut self, ast: &Ast) {
        let vocabulary = self.vocabulary;
        let find = |ast: &Ast, sees_below: usize| -> Vec<usize> {
            ast.macros().filter_map(|(name, _)| vocabulary.collection.find_macro(name, sees_below)).collect()
        };
        let mut stack: Vec<(usize, Vec<usize>)> = vec![(usize::MAX, find(ast, usize::MAX))];
        let mut open = vec![false; vocabulary.macros.len()];
        while let Some((index, waiting)) = stack.last_mut() {
            if let Some(next) = waiting.pop() {
                if !open[next] && !self.macros.contains_key(&next) {
                    open[next] = true;
                    let sees_below = vocabulary.collection.macros[next].sees_below;
                    stack.push((next, find(&vocabulary.macros[next].ast, sees_below)));
                }
                continue;
            }
            let index = *index;
            stack.pop();
            if index == usize::MAX {
                continue;
            }
            let def = &vocabulary.collection.macros[index];
            let mut found = Vec::new();
            let owner = Owner { kind: ItemKind::Macro, name: &def.name.text };
            let lowered = self.body(&vocabulary.macros[index], owner, def.sees_below, &mut found);
            self.macros.insert(index, MacroState { lowered, found, users: Vec::new() });
        }
    }

    /// Lowers one tree; the macros it names are lowered already.
    fn body(
        &mut self,
        body: &Body,
        owner: Owner<'_>,
        sees_below: usize,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Lowered {
        let mut out = Lowered {
            node: self.arena.constant(false),
            broken: !body.parsed,
            unknown: true,
            events: Rc::default(),
            sources: Rc::default(),
            macros: Vec::new(),
        };
        let before = diagnostics.len();
        let mut events: Vec<EventCheck> = Vec::new();
        let mut sources: Vec<FieldUse> = Vec::new();
        let mut nodes: Vec<IrId> = Vec::with_capacity(body.ast.len());
        let mut named = FxHashSet::default();
        let negated = negated(&body.ast);
        for (id, node) in body.ast.nodes() {
            let id = match &node.kind {
                NodeKind::Broken => self.arena.constant(false),
                NodeKind::And(parts) => {
                    let parts: Vec<_> = parts.iter().map(|p| nodes[p.0 as usize]).collect();
                    self.arena.and(&parts)
                }
                NodeKind::Or(parts) => {
                    let parts: Vec<_> = parts.iter().map(|p| nodes[p.0 as usize]).collect();
                    self.arena.or(&parts)
                }
                NodeKind::Not(part) => self.arena.not(nodes[part.0 as usize]),
                NodeKind::Check(check) => {
                    let span = body.text.span(&node.bytes);
                    let mut found = Vec::new();
                    let outcome =
                        check::check(check, &body.text, span, self.vocabulary.collection.dialect, &mut found);
                    // Under `not` it holds for a missing value, which is what the lint asks for.
                    if negated[id.0 as usize] {
                        found.retain(|d| d.code != Code::OftenMissing);
                    }
                    diagnostics.extend(found.into_iter().map(|d| owner.mark(d)));
                    match outcome {
                        Ok(predicate) => {
                            if let crate::ir::Operand::Events(set) = &predicate.operand {
                                events.push(EventCheck { span, events: *set });
                            }
                            for field in predicate.fields() {
                                note_source(&mut sources, FieldUse { field: field.id, span });
                            }
                            match check::around(&predicate) {
                                Some([first, last]) => {
                                    let ends = [self.arena.test(first), self.arena.test(last)];
                                    self.arena.and(&ends)
                                }
                                None => self.arena.test(predicate),
                            }
                        }
                        Err(fault) => {
                            out.broken = true;
                            out.unknown &= fault == check::Fault::Unknown;
                            self.arena.constant(false)
                        }
                    }
                }
                NodeKind::Macro(name) => {
                    let span = body.text.span(&node.bytes);
                    match self.macro_node(name, span, &node.bytes, body, sees_below) {
                        Ok(inner) => {
                            let state = &self.macros[&inner];
                            out.broken |= state.lowered.broken;
                            out.unknown &= !state.lowered.broken || state.lowered.unknown;
                            if events.len() < 64 {
                                events.extend(state.lowered.events.iter().cloned());
                            }
                            for used in state.lowered.sources.iter() {
                                note_source(&mut sources, *used);
                            }
                            if named.insert(inner) {
                                out.macros.push((inner, span));
                            }
                            state.lowered.node
                        }
                        Err(found) => {
                            match found {
                                Some(found) => diagnostics.push(owner.mark(*found)),
                                None => self.broken_uses.push(BrokenUse {
                                    used: (ItemKind::Macro, name.clone()),
                                    user: (owner.kind, owner.name.to_owned()),
                                    span,
                                }),
                            }
                            out.broken = true;
                            out.unknown = false;
                            self.arena.constant(false)
                        }
                    }
                }
            };
            nodes.push(id);
        }
        if let Some(last) = nodes.last() {
            out.node = *last;
        }
        for (list, span) in &body.broken_lists {
            out.broken = true;
            out.unknown = false;
            let (used, user) = ((ItemKind::List, list.clone()), (owner.kind, owner.name.to_owned()));
            self.broken_uses.push(BrokenUse { used, user, span: *span });
            // That the list's name is no value follows from the list's own fault.
            let own = diagnostics.split_off(before);
            diagnostics.extend(own.into_iter().filter(|d| d.place() != Some(*span)));
        }
        out.unknown &= out.broken && body.parsed;
        out.events = Rc::new(events);
        out.sources = Rc::new(sources);
        out
    }
}
