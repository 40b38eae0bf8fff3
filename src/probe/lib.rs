//! The sensor's user half: loads the kernel programs, attaches them, reads their ring, and counts what was lost.
//!
//! [`Probe`] is the live [`eyas_event::Source`]: it hands record bytes on as the kernel wrote them and interprets no more
//! of them than the head. It keeps no thread (only opening it reads types and has programs verified side by side); whoever calls [`eyas_event::Source::fill`] does the waiting. The
//! object that it loads is built by `cargo xtask bpf` and embedded here, so building eyas needs no BPF toolchain.

mod attach;
mod btf;
mod calls;
mod error;
mod filter;
mod hooks;
mod leftover;
mod load;
mod losses;
mod object;
mod probe;
mod ring;
mod sheet;

pub use btf::{Btf, BtfError};
pub use error::ProbeError;
pub use probe::{Means, Probe, ProbeOptions, Reads, Skip, Totals};
pub use sheet::{CountingRuns, ProgramCost, hook_of, known_hooks, uring_hooks};
