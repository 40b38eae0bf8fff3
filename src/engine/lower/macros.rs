//! The macro that a name stands for, and what is said where it stands for none: a slip, a macro that comes later, or a circle,
//! which is shown edge by edge.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use crate::collect::MacroDef;
use crate::diag::{Code, Diagnostic, ItemKind, did_you_mean};
use crate::lower::{Body, Lowerer, Vocabulary, through_list};
use crate::source::Span;
use crate::syntax::ast::Bytes;

/// What is said of a macro that names itself: where there was one of that name, its meaning was to be added to.
fn names_itself(found: Diagnostic, of: &MacroDef) -> Diagnostic {
    /// What is longer is not written out again.
    const SHOWN: usize = 60;
    let name = &of.name.text;
    let Some(first) = of.replaced else {
        return found.note("a macro is put in where it is named, so its condition must do without it");
    };
    let rest = of.condition.text().trim().strip_prefix(name.as_str()).map(str::trim);
    let rest =
        rest.filter(|rest| rest.len() <= SHOWN && (rest.starts_with("or ") || rest.starts_with("and ")));
    let rest = rest.filter(|rest| !rest.contains('\n')).unwrap_or("or …");
    found.see(first, "replaced by the later one").note(format!(
        "to add to the earlier `{name}` write `condition: {rest}` with `override: {{condition: append}}`"
    ))
}

impl Lowerer<'_> {
    /// The way from a macro to the one whose body it is, edge by edge: which names which, and where. Nothing where it takes
    /// too long to find.
    fn circle(&self, first: usize, last: &Body) -> Vec<(usize, usize, Span)> {
        /// A circle of more is not read by anybody, and each of many may be looked for.
        const LOOKED_AT: usize = 128;
        const NODES: usize = 4096;
        let Vocabulary { collection, macros, .. } = self.vocabulary;
        let mut came_from: FxHashMap<usize, (usize, Span)> = FxHashMap::default();
        let mut waiting = VecDeque::from([first]);
        let mut nodes = 0;
        while let Some(index) = waiting.pop_front() {
            if std::ptr::eq(&raw const macros[index], last) {
                let mut edges = Vec::new();
                let mut at = index;
                while at != first {
                    let (from, span) = came_from[&at];
                    edges.push((from, at, span));
                    at = from;
                }
                edges.reverse();
                return edges;
            }
            nodes += macros[index].ast.len();
            if came_from.len() > LOOKED_AT || nodes > NODES {
                return Vec::new();
            }
            for (name, bytes) in macros[index].ast.macros() {
                let Some(next) = collection.find_macro(name, collection.macros[index].sees_below) else {
                    continue;
                };
                if next != first && !came_from.contains_key(&next) {
                    came_from.insert(next, (index, macros[index].text.span(&bytes)));
                    waiting.push_back(next);
                }
            }
        }
        Vec::new()
    }

    /// The macro of that name. `Err(None)`: it has a fault of its own, which was reported.
    pub(super) fn macro_node(
        &mut self,
        name: &str,
        span: Span,
        bytes: &Bytes,
        body: &Body,
        sees_below: usize,
    ) -> Result<usize, Option<Box<Diagnostic>>> {
        let vocabulary = self.vocabulary;
        let collection = &vocabulary.collection;
        if let Some(index) = collection.find_macro(name, sees_below) {
            if self.macros.contains_key(&index) {
                return Ok(index);
            }
            let mut found = Diagnostic::new(
                Code::MacroLoop,
                format!("the macro `{name}` reaches itself again"),
                span,
                format!("`{name}` is named here"),
            )
            .see(collection.macros[index].name.span, "defined here");
            if std::ptr::eq(&raw const vocabulary.macros[index], body) {
                found = names_itself(found, &collection.macros[index]);
                return Err(Some(Box::new(through_list(&body.text, bytes, found))));
            }
            found = found
                .note("a macro is put in where it is named, so one of this circle must do without the next");
            let mut circle = vec![index];
            for (from, to, at) in self.circle(index, body) {
                let name = |index: usize| &collection.macros[index].name.text;
                found = found.see(at, format!("`{}` names `{}`", name(from), name(to)));
                circle.push(to);
            }
            // A name that was given twice is how most circles come about.
            let mut twice = false;
            for of in circle.iter().map(|index| &collection.macros[*index]) {
                if let Some(first) = of.replaced {
                    found = found.see(first, format!("this `{}` is replaced by the later one", of.name.text));
                    twice = true;
                }
            }
            if twice {
                found = found.note("give the later one another name if the first was meant");
            }
            return Err(Some(Box::new(through_list(&body.text, bytes, found))));
        }
        if collection.find_macro(name, usize::MAX).is_none() && collection.is_broken(ItemKind::Macro, name) {
            return Err(None);
        }
        let mut found =
            Diagnostic::new(Code::UndefinedMacro, format!("there is no macro `{name}` here"), span, "");
        if let Some(index) = collection.find_macro(name, usize::MAX) {
            found = found
                .see(collection.macros[index].name.span, "defined only here")
                .note("a macro sees only the macros before it: move that one up");
        } else {
            let names = collection.macros.iter().map(|m| m.name.text.as_str());
            match did_you_mean(name, names) {
                Some(near) => {
                    self.meant.extend(collection.find_macro(near, usize::MAX));
                    found = found.near(span, near);
                }
                None => {
                    found = found.note("a word without an operator is the name of a macro; define it, or load the file that does before this one");
                }
            }
        }
        Err(Some(Box::new(through_list(&body.text, bytes, found))))
    }
}
