//! The whole binary, run as a person would run it, against the running kernel.
//!
//! Tests that need the sensor run under plain `cargo test` as root; without the privilege each prints `skipped: …` and
//! why. Each has a store, a node name and a directory of its own, and looks only at what it caused itself, so that they
//! may run beside each other and beside anything else on the machine.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod command_line;
mod contained;
mod crash;
mod demo;
mod detections;
mod fields;
mod hostile;
mod privilege;
mod records;
mod reload;
mod replay;
mod rules_commands;
mod screen;
mod simulate;
mod store;
mod support;
mod terminal;
