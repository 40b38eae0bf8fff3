//! The condition language: spliced text to an abstract syntax tree, and back.
//!
//! `text` holds a condition with the way back to the file; `lexer` cuts words, `parser` and `check` build the tree of `ast`, `print`
//! writes it again so that parsing the print gives the same tree. Names stay names here: fields, events and macros are
//! looked up by later stages.

pub mod ast;
mod check;
mod lexer;
mod parser;
mod pattern;
mod print;
mod recover;
pub mod text;

pub(crate) use check::often_meant;
pub use parser::{MAX_DEPTH, Parsed, SyntaxError, TextMend, parse, parse_call, parse_field, parse_in};
pub(crate) use recover::WHOLE_VALUE;
