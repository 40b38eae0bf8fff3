//! `eyas doctor`: what works here, what does not, and why. It loads the sensor for a moment, opens nothing for writing and
//! changes nothing.

use std::io::Write;
use std::path::Path;

use eyas_engine::diag::Severity;
use eyas_event::{HookState, Source};
use eyas_probe::{Probe, ProbeOptions};
use eyas_store::Store;
use serde_json::{Value, json};

use crate::cli;
use crate::fail::{Fail, Outcome};
use crate::rulebook;
use crate::settings::Settings;

/// One thing that was looked at.
struct Finding {
    name: String,
    good: bool,
    says: String,
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
            findings.iter().map(|f| json!({"name": f.name, "good": f.good, "says": f.says})).collect();
        writeln!(
            out,
            "{}",
            json!({"version": env!("CARGO_PKG_VERSION"), "node": settings.node, "findings": list})
        )?;
    } else {
        for f in &findings {
            writeln!(out, "{} {:<34} {}", if f.good { "ok " } else { "NO " }, f.name, f.says)?;
        }
    }
    if findings.iter().all(|f| f.good) { Ok(()) } else { Err(Fail::findings()) }
}

fn kernel(findings: &mut Vec<Finding>) {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy().into_owned();
    findings.push(Finding { name: "kernel".into(), good: true, says: release });
    let btf = Path::new("/sys/kernel/btf/vmlinux").exists();
    let says = if btf {
        "/sys/kernel/btf/vmlinux is there"
    } else {
        "no /sys/kernel/btf/vmlinux: the sensor needs it"
    };
    findings.push(Finding { name: "kernel types (BTF)".into(), good: btf, says: says.into() });
    if let Ok(text) = std::fs::read_to_string("/sys/kernel/security/lockdown") {
        let mode = text.split(['[', ']']).nth(1).unwrap_or("none").to_owned();
        // In this mode the kernel refuses the reads that the programs are made of.
        findings.push(Finding { name: "lockdown".into(), good: mode != "confidentiality", says: mode });
    }
}

fn sensor(settings: &Settings, findings: &mut Vec<Finding>) {
    let options = ProbeOptions {
        ring_bytes: settings.config.eyas.ring_mib.saturating_mul(1 << 20),
        ..ProbeOptions::default()
    };
    match Probe::open(&options) {
        Err(error) => findings.push(Finding { name: "sensor".into(), good: false, says: error.to_string() }),
        Ok(probe) => {
            for hook in probe.describe().hooks {
                let (good, says) = match hook.state {
                    HookState::On => (true, format!("on: {}", hook.purpose)),
                    HookState::Off(why) => (false, format!("off ({}): {why}", hook.purpose)),
                };
                findings.push(Finding { name: hook.name.into(), good, says });
            }
        }
    }
}

fn rules(settings: &Settings, findings: &mut Vec<Finding>) -> Outcome {
    let outcome = rulebook::load(settings)?;
    let tally = rulebook::tally(&outcome);
    let says = format!("{} in force{}{tally}", outcome.enabled(), if tally.is_empty() { "" } else { "; " });
    findings.push(Finding { name: "rules".into(), good: outcome.count(Severity::Error) == 0, says });
    Ok(())
}

fn store(settings: &Settings, findings: &mut Vec<Finding>) {
    let path = settings.store.display();
    let (good, says) = if settings.store.exists() {
        match Store::open_read(&settings.store).and_then(|r| r.blocking().alert_count()) {
            Ok(count) => (true, format!("{path}: {count} alerts")),
            Err(error) => (false, error.to_string()),
        }
    } else {
        (true, format!("{path}: not there yet, the first run makes it"))
    };
    findings.push(Finding { name: "store".into(), good, says });
}

fn configuration(settings: &Settings, findings: &mut Vec<Finding>) {
    if !settings.config.unused.is_empty() {
        let keys: Vec<&str> = settings.config.unused.keys().map(String::as_str).collect();
        let says = format!("keys that this version does not use: {}", keys.join(", "));
        findings.push(Finding { name: "configuration".into(), good: true, says });
    }
}
