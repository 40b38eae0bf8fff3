//! The room `engine`: text in, verdicts out. The rule language, its compiler, its matcher, its test cases.
//!
//! The stages, in order, each total (a value and diagnostics): [`yaml`] text to a tree with marks, [`items`] tree to items,
//! [`collect`] items to definitions, [`syntax`] spliced text to a tree, [`lower`] trees to the typed form of [`ir`],
//! [`program`] typed form to jumps. Beside them [`output`] for what rules say, [`filter`] for conditions by themselves,
//! [`fieldmap`] for events in the documented JSON form, [`cases`] for tests of rules, [`explain`] and [`effective`] for
//! questions about a rule. The room does no I/O, reads no clock and starts no thread; only it knows YAML.

pub mod cases;
pub mod collect;
pub mod describe;
pub mod diag;
pub mod dialect;
pub mod effective;
pub mod explain;
pub mod fieldmap;
pub mod fields;
pub mod filter;
mod first_error;
pub mod fix;
pub mod fmt;
mod interest;
pub mod ir;
pub mod items;
pub mod load_result;
pub mod loader;
pub mod lower;
pub mod matching;
pub mod output;
pub mod parts;
pub mod program;
mod rule_checks;
mod rule_lints;
pub mod ruleset;
pub mod sarif;
pub mod schema;
pub mod selection;
pub mod source;
pub mod syntax;
mod usage;
pub mod yaml;

pub use diag::{Code, Diagnostic, Severity};
pub use dialect::Dialect;
pub use fieldmap::FieldMap;
pub use filter::{Filter, Rejected};
pub use fix::{Fixed, Mend, Take, fix};
pub use fmt::{Formatted, format};
pub use loader::{LeftOut, Loaded, Loader};
pub use output::RenderedOutput;
pub use program::Scratch;
pub use ruleset::{Matching, Rule, RuleId, Ruleset};
pub use selection::{Selected, Selection};
pub use source::{Place, SourceFile, SourceId, Sources, Span};

/// Rulesets and filters are shared between threads.
const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Ruleset>();
    shared::<Filter>();
    shared::<Diagnostic>();
    shared::<Sources>();
};
