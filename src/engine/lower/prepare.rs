//! What is lowered: macros, the conditions of rules, and those of items that have no effect and are checked all the same. And
//! what is said of macros and lists that have a fault of their own: who uses them, at their fault.

use rustc_hash::FxHashMap;

use crate::collect::{Collection, Exception, Lists, SOURCES, with_exceptions};
use crate::diag::{Diagnostic, ItemKind};
use crate::lower::{Body, Owner, Vocabulary};
use crate::source::Span;
use crate::syntax::text::Spliced;

/// A use of a macro or list that has a fault of its own.
#[derive(Clone, Debug)]
pub struct BrokenUse {
    /// What is used.
    pub used: (ItemKind, String),
    /// By whom.
    pub user: (ItemKind, String),
    /// Where.
    pub span: Span,
}

/// What conditions are compiled from.
pub struct Prepared {
    /// Macros and lists.
    pub vocabulary: Vocabulary,
    /// Which lists its macros and rules use, by index.
    pub lists_used: Vec<bool>,
    /// The rules' conditions, in order.
    pub rules: Vec<Body>,
    /// The conditions of what was set aside: whose they are, by index, and the conditions.
    pub aside: Vec<(usize, Body)>,
    /// Exceptions of rules whose condition does not parse: the rule, by index, and what its exceptions add.
    pub exceptions: Vec<(usize, Body)>,
}

impl Vocabulary {
    /// Prepares the lists, macros and conditions of a collection.
    pub fn prepare(collection: Collection, diagnostics: &mut Vec<Diagnostic>) -> Prepared {
        let lists = Lists::new(&collection, diagnostics);
        let mut used = vec![false; lists.len()];
        let mut mark = |index: usize| used[index] = true;
        let macros = collection
            .macros
            .iter()
            .map(|m| {
                let owner = Owner { kind: ItemKind::Macro, name: &m.name.text };
                Body::new(&m.condition, &lists, owner, &mut mark, diagnostics)
            })
            .collect();
        let mut exceptions = Vec::new();
        let mut rules = Vec::with_capacity(collection.rules.len());
        for (i, rule) in collection.rules.iter().enumerate() {
            // A rule of a source that is not there is passed over, whatever its condition.
            if !SOURCES.contains(&&*rule.source) {
                rules.push(Body { parsed: true, ..Body::none() });
                continue;
            }
            let owner = Owner { kind: ItemKind::Rule, name: &rule.name.text };
            let mut whole =
                whole_condition(&rule.condition, &rule.exceptions, &lists, owner, &mut mark, diagnostics);
            rules.push(whole.remove(0));
            exceptions.extend(whole.into_iter().map(|body| (i, body)));
        }
        let mut aside = Vec::new();
        for (i, item) in collection.aside.iter().enumerate() {
            let Some(condition) = &item.condition else { continue };
            let owner = Owner { kind: item.kind, name: &item.name.text };
            let whole = whole_condition(condition, &item.exceptions, &lists, owner, &mut mark, diagnostics);
            aside.extend(whole.into_iter().map(|body| (i, body)));
        }
        // A list that stands in another list is used as well.
        for list in &collection.lists {
            for inner in list.items.iter().filter_map(|item| collection.inner_list(list, item.as_str())) {
                used[inner] = true;
            }
        }
        let vocabulary = Self { collection, lists, macros, first_users: FxHashMap::default() };
        Prepared { vocabulary, lists_used: used, rules, aside, exceptions }
    }
}

/// A condition with its exceptions. Where it does not parse by itself, it comes first and what the exceptions add second, so
/// that a fault is marked where it lies and both are looked at.
fn whole_condition(
    condition: &Spliced,
    exceptions: &[Exception],
    lists: &Lists,
    owner: Owner<'_>,
    used: &mut dyn FnMut(usize),
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Body> {
    let whole = with_exceptions(condition, exceptions);
    // Falco reads both as one text, and the first fault of that ends it.
    if exceptions.iter().all(Exception::is_empty) || lists.dialect.is_exact() {
        return vec![Body::new(&whole, lists, owner, used, diagnostics)];
    }
    let mut found = Vec::new();
    let alone = Body::new(condition, lists, owner, used, &mut found);
    if alone.parsed {
        return vec![Body::new(&whole, lists, owner, used, diagnostics)];
    }
    diagnostics.append(&mut found);
    let mut any = Spliced::empty();
    any.push_standing_for("evt.num exists", condition.span(&(0..condition.text().len() as u32)));
    vec![alone, Body::new(&with_exceptions(&any, exceptions), lists, owner, used, diagnostics)]
}

/// Adds to the fault of a macro or list who uses it.
pub(super) fn mark_broken_uses(uses: &[BrokenUse], diagnostics: &mut [Diagnostic]) {
    let mut said: FxHashMap<&(ItemKind, String), Vec<&BrokenUse>> = FxHashMap::default();
    for used in uses {
        let users = said.entry(&used.used).or_default();
        if users.iter().all(|known| known.user != used.user) {
            users.push(used);
        }
    }
    for (item, users) in said {
        let fault = |d: &&mut Diagnostic| d.is_error() && d.item.as_ref() == Some(item);
        let (Some(found), Some(first)) = (diagnostics.iter_mut().find(fault), users.first()) else {
            continue;
        };
        let (kind, name) = &first.user;
        *found = found.clone().see(first.span, format!("used by {} `{name}` here", kind.word()));
        let names: Vec<_> = users.iter().skip(1).map(|used| format!("`{}`", used.user.1)).collect();
        if !names.is_empty() {
            found.notes.push(format!("also used by {}", names.join(", ")));
        }
    }
}
