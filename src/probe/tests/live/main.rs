//! The sensor against the running kernel: a process does something, and what the records say is compared with the truth.
//!
//! As root these tests run under plain `cargo test`. Without the privilege each prints `skipped: …` and why.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod actor;
mod calls;
mod connect;
mod exec;
mod filter;
mod life;
mod loss;
mod matrix;
mod names;
mod open;
mod ring;
mod uring;
mod watch;
