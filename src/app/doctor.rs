//! `eyas doctor`: what works here, what does not, and why. It loads the sensor for a moment, opens nothing for writing and
//! changes nothing.

use std::io::Write;
use std::path::Path;

use eyas_engine::diag::Severity;
use eyas_event::{HookState, Source};
use eyas_probe::{Probe, ProbeOptions};
use eyas_store::Store;
use rustix::fs::{Access, AtFlags, CWD};
use serde_json::{Value, json};

use crate::cli;
use crate::fail::{Fail, Outcome, store_text};
use crate::rulebook;
use crate::settings::Settings;

/// One thing that was looked at.
struct Finding {
    name: String,
    state: State,
    says: String,
}

/// How it is with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    /// It works, and there is something to know.
    Note,
    Bad,
}

impl State {
    /// Good or bad.
    fn of(good: bool) -> Self {
        if good { Self::Good } else { Self::Bad }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Note => "!!",
            Self::Bad => "NO",
        }
    }
}

/// Looks at everything and says what it saw.
pub(crate) fn doctor(settings: &Settings, args: &cli::Doctor) -> Outcome {
    let mut findings = Vec::new();
    kernel(&mut findings);
    sensor(settings, &mut findings);
    rules(settings, &mut findings)?;
    store(settings, &mut findings);
    configuration(settings, &mut findings);
    let mut out = std::io::stdout().lock();
    if args.json {
        let list: Vec<Value> =
            findings.iter().map(|f| json!({"name": f.name, "good": f.state != State::Bad, "state": f.state.word(), "says": f.says})).collect();
        writeln!(
            out,
            "{}",
            json!({"version": env!("CARGO_PKG_VERSION"), "node": settings.node, "findings": list})
        )?;
    } else {
        for f in &findings {
            writeln!(out, "{}  {:<34} {}", f.state.word(), f.name, f.says)?;
        }
    }
    if findings.iter().all(|f| f.state != State::Bad) { Ok(()) } else { Err(Fail::findings()) }
}

fn kernel(findings: &mut Vec<Finding>) {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy().into_owned();
    findings.push(Finding { name: "kernel".into(), state: State::Good, says: release });
    let btf = Path::new("/sys/kernel/btf/vmlinux").exists();
    let says = if btf {
        "/sys/kernel/btf/vmlinux is there"
    } else {
        "no /sys/kernel/btf/vmlinux: the sensor needs it"
    };
    findings.push(Finding { name: "kernel types (BTF)".into(), state: State::of(btf), says: says.into() });
    if let Ok(text) = std::fs::read_to_string("/sys/kernel/security/lockdown") {
        let mode = text.split(['[', ']']).nth(1).unwrap_or("none").to_owned();
        // In this mode the kernel refuses the reads that the programs are made of.
        findings.push(Finding {
            name: "lockdown".into(),
            state: State::of(mode != "confidentiality"),
            says: mode,
        });
    }
}

fn sensor(settings: &Settings, findings: &mut Vec<Finding>) {
    let options = ProbeOptions {
        ring_bytes: settings.config.eyas.ring_mib.saturating_mul(1 << 20),
        ..ProbeOptions::default()
    };
    match Probe::open(&options) {
        Err(error) => {
            findings.push(Finding { name: "sensor".into(), state: State::Bad, says: error.to_string() });
        }
        Ok(probe) => {
            for hook in probe.describe().hooks {
                let (good, says) = match hook.state {
                    HookState::On => (true, format!("on: {}", hook.purpose)),
                    HookState::Off(why) => (false, format!("off ({}): {why}", hook.purpose)),
                };
                findings.push(Finding { name: hook.name.into(), state: State::of(good), says });
            }
        }
    }
}

fn rules(settings: &Settings, findings: &mut Vec<Finding>) -> Outcome {
    let outcome = rulebook::load(settings)?;
    let tally = rulebook::tally(&outcome);
    let says = format!("{} in force{}{tally}", outcome.enabled(), if tally.is_empty() { "" } else { "; " });
    findings.push(Finding {
        name: "rules".into(),
        state: State::of(outcome.count(Severity::Error) == 0),
        says,
    });
    Ok(())
}

fn store(settings: &Settings, findings: &mut Vec<Finding>) {
    let path = &settings.store;
    let (state, says) = match writable(path) {
        Err(why) => (State::Bad, why),
        Ok(()) if path.exists() => match Store::open_read(path).and_then(|r| r.blocking().alert_count()) {
            Ok(count) => (State::Good, format!("{}: {count} alerts", path.display())),
            Err(error) => (State::Bad, store_text(path, &error)),
        },
        Ok(()) => (State::Good, format!("{}: not there yet, the first run makes it", path.display())),
    };
    findings.push(Finding { name: "store".into(), state, says });
    if let Some(free) = standing(path).and_then(|at| rustix::fs::statvfs(at).ok()) {
        let free = free.f_bavail.saturating_mul(free.f_frsize) >> 20;
        let limit = settings.config.eyas.record_limit_mib;
        let (state, more) = if settings.config.eyas.record && free < limit {
            (State::Note, format!("; the recording may take {limit} MiB (eyas.record_limit_mib)"))
        } else {
            (State::Good, String::new())
        };
        findings.push(Finding {
            name: "space for the store".into(),
            state,
            says: format!("{free} MiB free{more}"),
        });
    }
}

/// Whether a run could write the store, without trying: `SQLite` needs the file and its directory.
fn writable(path: &Path) -> Result<(), String> {
    let Some(at) = standing(path) else { return Err(format!("{}: there is no such place", path.display())) };
    let file = at == path;
    let dir =
        if file { path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")) } else { at };
    if !dir.is_dir() {
        return Err(format!("cannot make {}: {} is not a directory", path.display(), dir.display()));
    }
    let asked = [(dir, Access::WRITE_OK | Access::EXEC_OK), (path, Access::READ_OK | Access::WRITE_OK)];
    for (place, access) in asked.into_iter().take(if file { 2 } else { 1 }) {
        rustix::fs::accessat(CWD, place, access, AtFlags::EACCESS).map_err(|e| {
            let what = if file { "write" } else { "make" };
            format!("cannot {what} {}: {}: {}", path.display(), place.display(), std::io::Error::from(e))
        })?;
    }
    Ok(())
}

/// The path, or the nearest directory above it that is there.
fn standing(path: &Path) -> Option<&Path> {
    let here = |p: &Path| if p.as_os_str().is_empty() { Path::new(".").exists() } else { p.exists() };
    let found = path.ancestors().find(|p| here(p))?;
    Some(if found.as_os_str().is_empty() { Path::new(".") } else { found })
}

fn configuration(settings: &Settings, findings: &mut Vec<Finding>) {
    if !settings.config.unused.is_empty() {
        let keys: Vec<&str> = settings.config.unused.keys().map(String::as_str).collect();
        let says = format!("keys that this version does not use: {}", keys.join(", "));
        findings.push(Finding { name: "configuration".into(), state: State::Note, says });
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_store_that_cannot_be_made_says_why() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(writable(&dir.path().join("not/yet/there/eyas.db")), Ok(()));
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert_eq!(writable(&file), Ok(()));
        let below = writable(&file.join("eyas.db")).unwrap_err();
        assert!(below.contains("is not a directory"), "{below}");
    }
}
