//! The kernel and how it is set: release, types, lockdown, what is allowed without privileges, the compiler for programs,
//! control groups.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::{Finding, Part, State};

/// Looks at the kernel.
pub(super) fn look() -> Part {
    let mut findings = Vec::new();
    let mut add = |name: &str, state, says: String| findings.push(Finding::new(name, state, says));
    let uname = rustix::system::uname();
    let (release, machine) = (uname.release().to_string_lossy(), uname.machine().to_string_lossy());
    add("release", State::Good, format!("{release} on {machine}"));

    let btf = Path::new("/sys/kernel/btf/vmlinux").exists();
    let says =
        if btf { "/sys/kernel/btf/vmlinux" } else { "no /sys/kernel/btf/vmlinux: the sensor needs it" };
    add("types (BTF)", State::of(btf), says.into());

    // Where securityfs is not mounted the kernel does not say; what it refuses shows with the hooks.
    let lockdown = fs::read_to_string("/sys/kernel/security/lockdown").ok().map(|text| chosen(&text));
    let (state, says) = match lockdown.as_deref() {
        None => (State::Note, "unknown: securityfs is not mounted or cannot be read".to_owned()),
        Some("confidentiality") => (
            State::Bad,
            "confidentiality: the kernel refuses the reads that the sensor is made of".to_owned(),
        ),
        Some(mode) => (State::Good, mode.to_owned()),
    };
    add("lockdown", state, says);

    let unprivileged = setting("/proc/sys/kernel/unprivileged_bpf_disabled");
    let (state, says) = match unprivileged {
        Some(0) => (State::Note, "0: anybody may load programs; eyas does not need that"),
        Some(1) => (State::Good, "1: only with CAP_BPF, until the next boot"),
        Some(_) => (State::Good, "2: only with CAP_BPF"),
        None => (State::Note, "unknown"),
    };
    add("unprivileged BPF disabled", state, says.into());

    let jit = setting("/proc/sys/net/core/bpf_jit_enable");
    let (state, says) = match jit {
        Some(0) => (State::Note, "off: programs are interpreted, which costs several times as much"),
        Some(_) => (State::Good, "on"),
        None => (State::Note, "unknown: only root may read it, or the kernel has it always on"),
    };
    add("compiler for BPF (JIT)", state, says.into());

    let mode = cgroup_mode(&fs::read_to_string("/proc/self/mounts").unwrap_or_default());
    let (state, more) = match mode {
        "v2" | "hybrid" => (State::Good, ""),
        "v1" => (State::Note, ": containers are told by the paths of v1 groups"),
        _ => (State::Note, ": containers cannot be told apart here"),
    };
    add("control groups", state, format!("{mode}{more}"));
    let object = json!({
        "release": release,
        "machine": machine,
        "btf": btf,
        "lockdown": lockdown,
        "unprivileged_bpf_disabled": unprivileged,
        "jit": jit,
        "cgroups": mode,
    });
    Part { heading: "Kernel", key: "kernel", findings, object }
}

/// The word in brackets.
fn chosen(text: &str) -> String {
    text.split(['[', ']']).nth(1).unwrap_or("none").to_owned()
}

fn setting(path: &str) -> Option<u32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Which hierarchies are mounted: `v2`, `v1`, `hybrid` or `none`.
fn cgroup_mode(mounts: &str) -> &'static str {
    let has = |kind: &str| mounts.lines().any(|line| line.split(' ').nth(2) == Some(kind));
    match (has("cgroup2"), has("cgroup")) {
        (true, false) => "v2",
        (true, true) => "hybrid",
        (false, true) => "v1",
        (false, false) => "none",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_writes_is_read() {
        assert_eq!(chosen("none [integrity] confidentiality\n"), "integrity");
        let (one, two) = ("cgroup /sys/fs/cgroup/cpu cgroup rw 0 0", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0");
        assert_eq!(cgroup_mode(two), "v2");
        assert_eq!(cgroup_mode(one), "v1");
        assert_eq!(cgroup_mode(&format!("{one}\n{two}")), "hybrid");
        assert_eq!(cgroup_mode("proc /cgroup proc rw 0 0"), "none");
    }
}
