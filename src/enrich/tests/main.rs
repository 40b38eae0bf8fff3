//! Tests of the room from the outside. The record layouts of `eyas-ebpf` are tested here, too: that package stands
//! outside the workspace, so its own tests would not run with the others.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod accounts;
mod appendix_d;
mod calls;
mod contexts;
mod fold;
mod forms;
mod hostile;
mod races;
mod situations;
mod support;
mod uring;
mod v1_containers;
