//! This machine, as far as only the outermost room may look: its clocks, its name, who runs eyas, the environment.

use std::path::PathBuf;

use eyas_event::WallTime;
use rustix::time::{ClockId, clock_gettime};

/// The wall clock.
pub(crate) fn now() -> WallTime {
    WallTime(nanoseconds(ClockId::Realtime))
}

/// Wall time minus boot time, in nanoseconds. The clocks cannot be read at once, so the boot clock is read on either
/// side of the wall clock, and the tightest of a few tries counts.
pub(crate) fn wall_offset_ns() -> i64 {
    let sample = || {
        let before = nanoseconds(ClockId::Boottime);
        let wall = nanoseconds(ClockId::Realtime);
        let after = nanoseconds(ClockId::Boottime);
        (after - before, wall as i64 - before.midpoint(after) as i64)
    };
    (0..5).map(|_| sample()).min_by_key(|(spread, _)| *spread).map_or(0, |(_, offset)| offset)
}

fn nanoseconds(clock: ClockId) -> u64 {
    let t = clock_gettime(clock);
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

/// What the kernel calls this boot.
pub(crate) fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// The host's name; Falco's variable for it counts too.
pub(crate) fn node_name() -> String {
    match std::env::var("FALCO_HOSTNAME") {
        Ok(name) if !name.is_empty() => name,
        _ => rustix::system::uname().nodename().to_string_lossy().into_owned(),
    }
}

/// Whether eyas runs as root.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The effective capabilities of this process, a bit each.
pub(crate) fn capabilities() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    line.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok()).unwrap_or(0)
}

/// Where the store is when nobody says.
pub(crate) fn default_store() -> PathBuf {
    if is_root() {
        return "/var/lib/eyas/eyas.db".into();
    }
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let state = state.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state")));
    state.unwrap_or_else(|| "/tmp".into()).join("eyas/eyas.db")
}

/// Resident memory of this process, in bytes.
pub(crate) fn rss_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split(' ').nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}

/// Whether a process is in that pid namespace, as far as this one may look.
pub(crate) fn pid_namespace_lives(number: u32) -> bool {
    let link = format!("pid:[{number}]");
    let Ok(processes) = std::fs::read_dir("/proc") else { return false };
    processes
        .filter_map(Result::ok)
        .filter_map(|p| std::fs::read_link(p.path().join("ns/pid")).ok())
        .any(|namespace| namespace.as_os_str() == link.as_str())
}
