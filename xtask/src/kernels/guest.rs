//! One guest: a kernel, the image, two serial lines and no network. The first line is the kernel's own words, the second
//! the report.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::Machine;

/// How long a guest may take to its first word when the processor runs it. Some machines have a `/dev/kvm` that starts
/// no unaltered kernel.
const FIRST_WORD: Duration = Duration::from_secs(20);
/// How long a guest may live.
const LIMIT: Duration = Duration::from_mins(15);
const LOOK: Duration = Duration::from_millis(200);

/// What runs the guest's instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accelerator {
    /// The processor.
    Kvm,
    /// qemu itself, some ten to twenty times as slow.
    Tcg,
}

impl Accelerator {
    /// The one to try first.
    pub(super) fn first(machine: &Machine) -> Self {
        let own = machine.triple.starts_with(std::env::consts::ARCH);
        if own && Path::new("/dev/kvm").exists() { Self::Kvm } else { Self::Tcg }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Tcg => "tcg",
        }
    }
}

/// Whether there is a qemu.
pub(super) fn check(machine: &Machine) -> Result<()> {
    let version = crate::output(Command::new(machine.qemu).arg("--version"));
    let package = machine.package;
    version
        .map(drop)
        .with_context(|| format!("install {package} (apt-get install --no-install-recommends {package})"))
}

/// Boots it and gives what it reported. A guest that hangs is ended; what it has said by then counts.
pub(super) fn boot(
    machine: &Machine,
    kernel: &Path,
    image: &Path,
    log: &Path,
    accelerator: &mut Accelerator,
) -> Result<String> {
    let report = log.with_extension("report");
    let mut guest = Guest::start(machine, kernel, image, log, &report, *accelerator)?;
    let began = Instant::now();
    while !guest.has_ended()? {
        let silent = fs::metadata(&report).map_or(true, |file| file.len() == 0);
        if *accelerator == Accelerator::Kvm && silent && began.elapsed() > FIRST_WORD {
            println!("/dev/kvm is there but starts no such kernel: going on without");
            *accelerator = Accelerator::Tcg;
            drop(guest);
            return boot(machine, kernel, image, log, accelerator);
        }
        if began.elapsed() > LIMIT {
            println!("ended after {} s", LIMIT.as_secs());
            break;
        }
        sleep(LOOK);
    }
    drop(guest);
    let said = fs::read(&report).with_context(|| format!("cannot read {}", report.display()))?;
    if said.is_empty() {
        let last = fs::read(log).unwrap_or_default();
        let last = String::from_utf8_lossy(&last);
        let last = last.lines().rev().find(|line| line.contains("panic") || line.contains("eyas-guest"));
        bail!("it did not come up: {}", last.unwrap_or("its console says no more").trim());
    }
    Ok(String::from_utf8_lossy(&said).into_owned())
}

/// A qemu that ends with this.
struct Guest(Child);

impl Guest {
    fn start(
        machine: &Machine,
        kernel: &Path,
        image: &Path,
        log: &Path,
        report: &Path,
        accelerator: Accelerator,
    ) -> Result<Self> {
        let mut own_words = std::ffi::OsString::from("file:");
        own_words.push(log);
        // What an earlier guest said is no word of this one.
        for file in [log, report] {
            fs::write(file, "").with_context(|| format!("cannot write {}", file.display()))?;
        }
        let mut reporter = std::ffi::OsString::from("file,id=report,path=");
        reporter.push(report);
        let child = Command::new(machine.qemu)
            .args(["-nodefaults", "-no-reboot", "-display", "none", "-nic", "none"])
            .args(["-accel", accelerator.word(), "-m", "1024", "-smp", "2"])
            .arg("-append")
            .arg(format!("console={} panic=-1 loglevel=4", machine.console))
            .arg("-kernel")
            .arg(kernel)
            .arg("-initrd")
            .arg(image)
            .arg("-serial")
            .arg(own_words)
            .arg("-chardev")
            .arg(reporter)
            .args(machine.args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start qemu")?;
        Ok(Self(child))
    }

    fn has_ended(&mut self) -> Result<bool> {
        Ok(self.0.try_wait().context("qemu is lost")?.is_some())
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // It has ended by itself unless it hung.
        let _gone = self.0.kill();
        let _waited = self.0.wait();
    }
}
