//! What CI runs, in the order in which it fails soonest.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::{bpf, run};

/// Format, lints and tests of the workspace and of `src/ebpf`, which is a workspace of its own; then the object.
pub(crate) fn run_all(root: &Path) -> Result<()> {
    const STEPS: &[&[&str]] = &[
        &["fmt", "--all", "--check"],
        &["fmt", "--manifest-path", "src/ebpf/Cargo.toml", "--check"],
        &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
        &["clippy", "--manifest-path", "src/ebpf/Cargo.toml", "--locked", "--", "-D", "warnings"],
        &["test", "--workspace", "--locked"],
        &["test", "--manifest-path", "src/ebpf/Cargo.toml", "--locked"],
    ];
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    for step in STEPS {
        println!("cargo {}", step.join(" "));
        run(Command::new(&cargo).current_dir(root).args(*step))?;
    }
    bpf::check(root)
}
