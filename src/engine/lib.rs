//! text in, verdicts out: the rule language, its compiler, its matcher, its explanations

pub mod collect;
pub mod diag;
pub mod fields;
pub mod filter;
pub mod ir;
pub mod items;
pub mod loader;
pub mod lower;
pub mod matching;
pub mod output;
pub mod program;
pub mod ruleset;
pub mod source;
pub mod syntax;
pub mod yaml;
