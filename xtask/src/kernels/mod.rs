//! `cargo xtask kernels`: boots Debian's kernels under qemu, each with eyas in it, and says what works there.
//!
//! `debian` gets a kernel, `image` lays out the guest's files, `guest` boots it, `report` reads what it said and makes the
//! table of it. What runs inside is `xtask/guest/main.rs` and an eyas that is linked statically, so that a guest needs no
//! other program. It is no part of CI: it needs qemu, Debian's archive, and a few minutes a kernel.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::run;

mod debian;
mod guest;
mod image;
mod report;

use guest::Accelerator;
use report::Row;

/// The series that are tried when none is named: those of the last three Debian releases, and the newest that was backported.
const SERIES: [&str; 4] = ["5.10", "6.1", "6.12", "newest"];

/// Boots a kernel of each series, or of those that are named, and prints the table. Fails when 6.1 or 6.12 was to run and did
/// not do all.
pub(crate) fn boot_all(root: &Path, series: &[&str]) -> Result<()> {
    let (machine, series) = match series {
        ["--arm64", series @ ..] => (&ARM64, series),
        series => (&X86_64, series),
    };
    let (live, series) = match series {
        ["--live", series @ ..] => (true, series),
        series => (false, series),
    };
    let series = if series.is_empty() { &SERIES[..] } else { series };
    guest::check(machine)?;
    let work = root.join("target/kernels");
    fs::create_dir_all(&work).with_context(|| format!("cannot make {}", work.display()))?;
    let programs = build(root, &work, machine, live)?;
    let image = work.join(format!("{}.cpio", machine.debian));
    image::write(&image, &programs, &stock_rules(root))?;
    let archive = debian::Archive::open(&work, machine)?;
    let mut accelerator = Accelerator::first(machine);
    let mut rows = Vec::new();
    for series in series {
        println!("\n== {series}");
        let row = match archive.kernel(series) {
            Err(error) => Row::not_had(series, &format!("{error:#}")),
            Ok(kernel) => {
                println!("{} of {}", kernel.release, kernel.package);
                let log = work.join(format!("{}-{series}.log", machine.debian));
                match guest::boot(machine, &kernel.image, &image, &log, &mut accelerator) {
                    Err(error) => Row::not_had(&kernel.release, &format!("{error:#}")),
                    Ok(said) => Row::of(&kernel.release, accelerator.word(), &report::Report::parse(&said)),
                }
            }
        };
        println!("{}", row.details());
        rows.push(row);
    }
    println!("\n{}", report::table(&rows));
    let poor: Vec<&str> = rows.iter().filter(|row| row.must_work() && !row.works()).map(Row::name).collect();
    if !poor.is_empty() {
        bail!("not everything works on {}", poor.join(" and "));
    }
    Ok(())
}

/// A kind of machine that a guest can be.
struct Machine {
    /// Debian's word for it.
    debian: &'static str,
    triple: &'static str,
    /// The C compiler that links for it, and makes what is in C.
    cc: &'static str,
    qemu: &'static str,
    /// The Debian package with qemu.
    package: &'static str,
    /// What qemu is to be told besides.
    args: &'static [&'static str],
    /// The kernel's name of the first serial line.
    console: &'static str,
}

const X86_64: Machine = Machine {
    debian: "amd64",
    triple: "x86_64-unknown-linux-gnu",
    cc: "cc",
    qemu: "qemu-system-x86_64",
    package: "qemu-system-x86",
    args: &["-serial", "chardev:report"],
    console: "ttyS0",
};
/// It has one serial line of its own; the second is a card.
const ARM64: Machine = Machine {
    debian: "arm64",
    triple: "aarch64-unknown-linux-gnu",
    cc: "aarch64-linux-gnu-gcc",
    qemu: "qemu-system-aarch64",
    package: "qemu-system-arm",
    args: &["-machine", "virt", "-cpu", "max,pauth-impdef=on", "-device", "pci-serial,chardev=report"],
    console: "ttyAMA0",
};

/// The programs of the guest.
struct Programs {
    init: PathBuf,
    eyas: PathBuf,
    /// The live tests of the probe, if they are wanted: they take long under emulation.
    tests: Option<PathBuf>,
}

/// Builds them, linked statically, in a target directory of their own: such flags would otherwise build everything anew
/// each time.
fn build(root: &Path, work: &Path, machine: &Machine, live: bool) -> Result<Programs> {
    let target = work.join("build");
    let cargo = |words: &[&str]| {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(root).args(words);
        cargo.env("RUSTFLAGS", format!("-C target-feature=+crt-static -C linker={}", machine.cc));
        cargo.env(format!("CC_{}", machine.triple.replace('-', "_")), machine.cc);
        let profile = ["--locked", "--profile", "guest", "--target", machine.triple, "--target-dir"];
        cargo.args(profile).arg(&target);
        cargo
    };
    run(&mut cargo(&["build", "-p", "eyas", "--bin", "eyas"]))?;
    run(&mut cargo(&["build", "-p", "xtask", "--bin", "eyas-guest"]))?;
    let words = &["test", "-p", "eyas-probe", "--test", "live", "--no-run", "--message-format=json"];
    let tests = if live { Some(live_tests(&mut cargo(words))?) } else { None };
    let built = target.join(machine.triple).join("guest");
    Ok(Programs { init: built.join("eyas-guest"), eyas: built.join("eyas"), tests })
}

/// Where cargo has put the test program.
fn live_tests(cargo: &mut Command) -> Result<PathBuf> {
    let said = crate::output(cargo.stderr(std::process::Stdio::inherit()))?;
    let messages = said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let program =
        messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).next_back();
    program.context("cargo built no live tests")
}

/// The stock rule files, where they lie beside the checkout or where `EYAS_SHARED` says.
fn stock_rules(root: &Path) -> Vec<PathBuf> {
    let shared = std::env::var_os("EYAS_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"]
        .iter()
        .map(|name| shared.join("falco/rules").join(name))
        .filter(|path| path.is_file())
        .collect()
}
