//! The developer's own commands, run as `cargo xtask NAME`.
//!
//! `bpf` builds the kernel programs and puts the object where the sensor embeds it; `kernels` tries them on Debian's kernels;
//! `fuzz` runs the fuzz targets; `ci` runs what CI runs. The product itself needs none of them: `cargo build` works without.
#![expect(clippy::print_stdout, reason = "a command line tool talks to the one who called it")]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

mod bpf;
mod ci;
mod fuzz;
mod kernels;
mod strip;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  bpf           build the kernel programs into src/probe/object
  bpf --check   build them aside and compare with the committed object (exit 1 when they differ)
  kernels [--arm64] [--live] [SERIES…]
                boot Debian's kernels (5.10, 6.1, 6.12 and the newest) under qemu and try eyas there
  fuzz SECONDS  run each fuzz target for so long (needs cargo-fuzz)
  ci            format, lints and tests of everything, bpf --check, and fuzz 30";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match args[..] {
        ["bpf"] => bpf::build(&root()),
        ["bpf", "--check"] => bpf::check(&root()),
        ["kernels", ref series @ ..] => kernels::boot_all(&root(), series),
        ["fuzz", seconds] => fuzz::run_all(&root(), seconds),
        ["ci"] => ci::run_all(&root()),
        _ => {
            println!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The checkout. What `cargo run` says at run time comes first: two checkouts may share a target directory.
fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR");
    let manifest = manifest.map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Runs a command and fails with its words when it fails.
fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

/// What a command prints.
fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} ended with {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
