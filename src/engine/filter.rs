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

/// Why a text is no filter.
#[derive(Clone, Debug)]
pub struct Rejected {
    /// What is wrong; at least one error.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that the diagnostics point into: the ruleset's, then the filter's.
    pub sources: Sources,
}

impl Filter {
    /// Compiles a condition against a ruleset's macros and lists.
    pub fn compile(text: &str, ruleset: &Ruleset) -> Result<Self, Rejected> {
        let mut sources = ruleset.sources.clone();
        let id = sources.add(SourceFile::new("filter", text));
        let owner = Owner { kind: ItemKind::Filter, name: "filter" };
        let mut diagnostics = Vec::new();
        if text.trim().is_empty() {
            let found = Diagnostic::new(Code::Syntax, "the filter is empty", Span::new(id, 0, 0), "");
            let found = found.note("write a condition, such as: proc.name = curl and user.uid = 0");
            return Err(Rejected { diagnostics: vec![found.of(owner.kind, owner.name)], sources });
        }
        let vocabulary = &ruleset.vocabulary;
        let whole = Spliced::whole(id, text);
        let body = Body::new(
            &whole,
            &vocabulary.lists,
            vocabulary.collection.dialect,
            owner,
            &mut |_| {},
            &mut diagnostics,
        );
        let mut lowerer = Lowerer::new(vocabulary);
        let lowered = lowerer.lower(&body, owner, &mut diagnostics);
        let arena = lowerer.finish(&mut diagnostics);
        if lowered.broken {
            diagnostics.sort_by_key(|d| !d.is_error());
            return Err(Rejected { diagnostics, sources });
        }
        Ok(Self { text: text.to_owned(), program: Program::new(&arena, &[lowered.node]) })
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
