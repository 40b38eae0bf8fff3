//! What eyas may do here: the capabilities of this process, what each is for, which of them a run keeps, and whether the kernel
//! confines a run to its files.

use rustix::thread::CapabilitySet;
use serde_json::{Value, json};

use super::{Finding, Part, State};
use crate::privilege::{self, NEEDS};
use crate::sandbox::{self, Confined, Places};
use crate::settings::Settings;

/// Looks at the capabilities of this process.
pub(super) fn capabilities() -> Part {
    let held = privilege::held();
    let mut findings = Vec::new();
    let mut list = Vec::new();
    for need in &NEEDS {
        // Before Linux 5.8 CAP_SYS_ADMIN was what two others are now, and it stands for them still.
        let by_admin = matches!(need.set, CapabilitySet::BPF | CapabilitySet::PERFMON)
            && held.contains(CapabilitySet::SYS_ADMIN);
        let has = held.contains(need.set) || by_admin;
        let required = matches!(need.set, CapabilitySet::BPF | CapabilitySet::PERFMON);
        let (state, says) = match (has, required) {
            (true, _) => (State::Good, format!("held; for {}", need.purpose)),
            (false, true) => (State::Bad, format!("not held: {}", need.without)),
            (false, false) => (State::Note, format!("not held: {}", need.without)),
        };
        findings.push(Finding::new(need.name, state, says));
        list.push(json!({
            "name": need.name,
            "held": has,
            "required": required,
            "purpose": need.purpose,
            "without": need.without,
        }));
    }
    Part { heading: "Capabilities", key: "capabilities", findings, object: Value::Array(list) }
}

/// Looks at what a run gives up after its start, and tries Landlock in a thread.
pub(super) fn sandbox(settings: &Settings) -> Part {
    let on = settings.config.eyas.sandbox;
    let places = Places::of(settings);
    let tried = sandbox::try_out(places.clone());
    let (abi, enforced, why) = match &tried {
        Confined::Fully { abi } => (Some(*abi), "fully", None),
        Confined::Partly { abi } => (Some(*abi), "partly", None),
        Confined::Not(why) => (None, "not", Some(why.clone())),
    };
    let files = privilege::for_files(&settings.rules, &settings.store);
    let kept = privilege::names(CapabilitySet::SYS_PTRACE | files);
    let (state, says) = match (&tried, abi) {
        (Confined::Not(why), _) => (State::Note, format!("not available: {why}; a run goes on without")),
        (Confined::Partly { .. }, Some(abi)) => {
            (State::Note, format!("version {abi}: this kernel restricts a part of it"))
        }
        (_, abi) => (State::Good, format!("version {}", abi.unwrap_or_default())),
    };
    let mut findings = vec![Finding::new("Landlock", state, says)];
    if on {
        findings.push(Finding::new(
            "kept after the start",
            State::Good,
            format!("{}; before Linux 5.19 CAP_BPF and CAP_PERFMON, too", kept.join(", ")),
        ));
        let list: Vec<_> = places.write.iter().map(|p| p.display().to_string()).collect();
        findings.push(Finding::new("written after the start", State::Good, list.join(", ")));
    } else {
        let says = "off by eyas.sandbox: a run keeps all its privileges";
        findings.push(Finding::new("after the start", State::Note, says));
    }
    let paths =
        |list: &[std::path::PathBuf]| list.iter().map(|p| p.display().to_string()).collect::<Vec<_>>();
    let object = json!({
        "on": on,
        "landlock": {"enforced": enforced, "abi": abi, "why_not": why},
        "capabilities_kept": kept,
        "read": paths(&places.read),
        "write": paths(&places.write),
    });
    Part { heading: "Sandbox of a run", key: "sandbox", findings, object }
}
