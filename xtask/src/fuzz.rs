//! Runs each fuzz target for a while. `fuzz/` is a workspace of its own, built with a sanitizer; what a target finds stays
//! under `fuzz/artifacts`, and the inputs that reach new code under `fuzz/corpus`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::run;

/// The targets, with a folder of files to begin with.
const TARGETS: [(&str, Option<&str>); 3] =
    [("conditions", None), ("outputs", None), ("rule_files", Some("src/engine/tests/fixtures"))];

/// Runs every target for so many seconds; fails with the first that finds something.
pub(crate) fn run_all(root: &Path, seconds: &str) -> Result<()> {
    let seconds: u32 = seconds.parse().context("how many seconds is each target to run?")?;
    if !is_there() {
        bail!("cargo-fuzz is not there: cargo install cargo-fuzz --locked");
    }
    for (target, seeds) in TARGETS {
        println!("\n== fuzz {target} for {seconds} s");
        let own = root.join("fuzz/corpus").join(target);
        std::fs::create_dir_all(&own).with_context(|| format!("cannot make {}", own.display()))?;
        let mut cargo = Command::new("cargo");
        // Sanitizers and coverage are options that the stable compiler has, too, when it is told so.
        cargo.current_dir(root.join("fuzz")).env("RUSTC_BOOTSTRAP", "1").args(["fuzz", "run", target]);
        cargo.arg(own).args(seeds.map(|seeds| root.join(seeds)));
        cargo.args(["--", "-dict=words/words.dict", "-print_final_stats=1"]);
        cargo.arg(format!("-max_total_time={seconds}"));
        run(&mut cargo)?;
    }
    Ok(())
}

/// Whether cargo-fuzz is installed.
pub(crate) fn is_there() -> bool {
    Command::new("cargo").args(["fuzz", "--version"]).output().is_ok_and(|output| output.status.success())
}
