//! The terminal console: what fired, as it fires, and everything known about it.
//!
//! [`run`] owns the terminal. Whatever happens arrives as a `msg::Msg`; `update` turns it into a new `state::State`
//! and a list of `msg::Effect`s; `draw` paints a state and changes nothing. The console reads no store, file, clock or
//! environment: what it shows comes through the doors in [`door`], and what it wants to know it asks there.

mod columns;
mod commands;
mod compose;
mod detail;
pub mod door;
mod draw;
mod histogram;
mod input;
mod layout;
mod msg;
mod overlay;
mod rows;
mod run;
mod search;
mod self_test;
mod show;
mod state;
mod terminal;
pub mod theme;
mod update;
mod zone;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;

pub use commands::keys_document;
pub use run::{Console, Exit, run};
pub use theme::{ColorDepth, Theme, ThemeError};
pub use zone::Zone;
