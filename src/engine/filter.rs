//! A condition by itself: the filter bar, `--where`. It sees the macros and lists of a ruleset.

use eyas_event::Fields;

use crate::diag::{Code, Diagnostic, ItemKind};
use crate::lower::{Body, Lowerer, Owner};
use crate::program::{Program, Scratch};
use crate::ruleset::Ruleset;
use crate::source::{SourceFile, Sources, Span};
use crate::syntax::text::Spliced;

/// A compiled condition.
#[derive(Debug)]
pub struct Filter {
    text: String,
    program: Program,
}

/// What was found in a text; why it is no filter, when it is none.
#[derive(Clone, Debug)]
pub struct Rejected {
    /// What is wrong; at least one error when it is no filter.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that the diagnostics point into: the ruleset's, then the filter's.
    pub sources: Sources,
}

impl Filter {
    /// Compiles a condition against a ruleset's macros and lists.
    pub fn compile(text: &str, ruleset: &Ruleset) -> Result<Self, Rejected> {
        let (filter, findings) = Self::examine(text, ruleset);
        filter.ok_or(findings)
    }

    /// Compiles a condition and gives all that was found, warnings and lints of a good one as well.
    pub fn examine(text: &str, ruleset: &Ruleset) -> (Option<Self>, Rejected) {
        let mut sources = ruleset.sources.clone();
        let id = sources.add(SourceFile::new("filter", text));
        let owner = Owner { kind: ItemKind::Filter, name: "filter" };
        let mut diagnostics = Vec::new();
        if text.trim().is_empty() {
            let found = Diagnostic::new(Code::Syntax, "the filter is empty", Span::new(id, 0, 0), "");
            let found = found.note("write a condition, such as: proc.name = curl and user.uid = 0");
            return (None, Rejected { diagnostics: vec![found.of(owner.kind, owner.name)], sources });
        }
        let vocabulary = &ruleset.vocabulary;
        let whole = Spliced::whole(id, text);
        let body = Body::new(&whole, &vocabulary.lists, owner, &mut |_| {}, &mut diagnostics);
        let mut lowerer = Lowerer::new(vocabulary);
        let lowered = lowerer.lower(&body, owner, &mut diagnostics);
        for used in lowerer.broken_uses() {
            let (kind, name) = &used.used;
            let message = format!("the {} `{name}` has an error of its own", kind.word());
            let found = Diagnostic::new(Code::UndefinedMacro, message, used.span, "");
            diagnostics.push(found.note("`eyas rules check` shows it").of(owner.kind, owner.name));
        }
        let arena = lowerer.finish(&mut diagnostics);
        diagnostics.sort_by_key(|d| !d.is_error());
        let filter = (!lowered.broken)
            .then(|| Self { text: text.to_owned(), program: Program::new(&arena, &[lowered.node]) });
        (filter, Rejected { diagnostics, sources })
    }

    /// The condition as it was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether an event satisfies it.
    pub fn matches(&self, fields: &impl Fields, scratch: &mut Scratch) -> bool {
        self.program.begin(scratch);
        self.program.holds(0, fields, scratch)
    }
}
