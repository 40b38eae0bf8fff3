//! What CI runs, in the order in which it fails soonest.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::{bpf, fuzz, run};

/// One line each: what cargo is called with. `cargo test` stands here as README.md has it.
const STEPS: &[&str] = &[
    "fmt --all --check",
    "fmt --manifest-path src/ebpf/Cargo.toml --check",
    "clippy --workspace --all-targets --locked -- -D warnings",
    "clippy --manifest-path src/ebpf/Cargo.toml --target-dir target/ebpf --locked -- -D warnings",
    "test",
    "test --manifest-path src/ebpf/Cargo.toml --target-dir target/ebpf --locked",
    "doc --workspace --no-deps --locked",
    // Only whether it runs: figures are taken by hand, docs/performance.md says how.
    "bench --locked -p eyas-engine --bench judge -- --test",
    "bench --locked -p eyas-probe --bench open_close -- 1",
    // Whether the counts agree; at the pace of (b) a build that is not optimized loses something.
    "test --locked --bench flood -- 2 a c",
    "run --locked --quiet -- rules check rules/eyas.yaml",
    "run --locked --quiet -- rules fmt --check rules/eyas.yaml",
    "run --locked --quiet -- rules test",
];

/// Format, lints, tests, documentation, benches in short and the shipped rules; then the kernel object and
/// half a minute of each fuzz target.
pub(crate) fn run_all(root: &Path) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    for step in STEPS {
        println!("\n== cargo {step}");
        run(Command::new(&cargo).current_dir(root).env("RUSTDOCFLAGS", "-D warnings").args(step.split(' ')))?;
    }
    println!("\n== the kernel object");
    bpf::check(root)?;
    if fuzz::is_there() {
        return fuzz::run_all(root, "30");
    }
    println!("\n== fuzz targets: skipped, cargo-fuzz is not installed");
    Ok(())
}
