//! Capabilities: which eyas needs for what, and giving up all others once the sensor is open. What is kept is measured, not
//! assumed: the sensor is asked to change its interest without `CAP_BPF`, and the owners of files say whether others are
//! needed to reach them. Capabilities belong to threads, so this runs before any other thread starts.

use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use eyas_event::{Interest, Source};
use rustix::thread::{
    CapabilitySet, capabilities, clear_ambient_capability_set, remove_capability_from_bounding_set,
    set_capabilities, set_no_new_privs,
};

/// A capability that eyas has a use for.
pub(crate) struct Need {
    pub(crate) set: CapabilitySet,
    pub(crate) name: &'static str,
    /// What it is needed for.
    pub(crate) purpose: &'static str,
    /// What is lost without it.
    pub(crate) without: &'static str,
}

/// Those that a run without root is given, and the one that only the figures of `eyas doctor` take.
pub(crate) const NEEDS: [Need; 5] = [
    Need {
        set: CapabilitySet::BPF,
        name: "CAP_BPF",
        purpose: "loading the sensor",
        without: "the sensor does not start",
    },
    Need {
        set: CapabilitySet::PERFMON,
        name: "CAP_PERFMON",
        purpose: "attaching the sensor to the kernel's tracepoints",
        without: "the sensor does not start",
    },
    Need {
        set: CapabilitySet::SYS_PTRACE,
        name: "CAP_SYS_PTRACE",
        purpose: "program, directory and namespace of processes that ran before eyas did",
        without: "proc.exepath, proc.cwd and the like are missing for processes of others that started before eyas",
    },
    Need {
        set: CapabilitySet::DAC_READ_SEARCH,
        name: "CAP_DAC_READ_SEARCH",
        purpose: "rule files that only somebody else may read",
        without: "such rule files are not read",
    },
    Need {
        set: CapabilitySet::SYS_ADMIN,
        name: "CAP_SYS_ADMIN",
        purpose: "what each program of the sensor costs, here in `eyas doctor`",
        without: "the costs are not shown; a run does not need it",
    },
];

/// Every name that a kept capability may have in a message.
const NAMES: [(CapabilitySet, &str); 7] = [
    (CapabilitySet::CHOWN, "CAP_CHOWN"),
    (CapabilitySet::DAC_OVERRIDE, "CAP_DAC_OVERRIDE"),
    (CapabilitySet::DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH"),
    (CapabilitySet::SYS_PTRACE, "CAP_SYS_PTRACE"),
    (CapabilitySet::SYS_ADMIN, "CAP_SYS_ADMIN"),
    (CapabilitySet::PERFMON, "CAP_PERFMON"),
    (CapabilitySet::BPF, "CAP_BPF"),
];

/// The effective capabilities of this thread; none when the kernel does not say.
pub(crate) fn held() -> CapabilitySet {
    capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective)
}

/// The names of a set that eyas keeps.
pub(crate) fn names(set: CapabilitySet) -> Vec<&'static str> {
    NAMES.iter().filter(|(one, _)| set.contains(*one)).map(|(_, name)| *name).collect()
}

/// What the files of a run need beyond the rights of their owner: rule files that are read again, the store that is written.
pub(crate) fn for_files(rules: &[PathBuf], store: &Path) -> CapabilitySet {
    let mut set = CapabilitySet::empty();
    let own = rustix::process::geteuid().as_raw();
    let dirs = eyas_pipeline::directories(rules);
    let owned = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|m| m.uid() == own);
    // Whoever owns the directory may put a file there tomorrow that is for his eyes alone.
    if !dirs.iter().all(|dir| owned(dir) && reachable(dir, 5, own))
        || !rules.iter().all(|rule| reachable(rule, 4, own))
    {
        set |= CapabilitySet::DAC_READ_SEARCH;
    }
    let beside = ["-wal", "-shm", ".lock", ".spill", ".spill.reading"].iter().map(|end| {
        let mut name = OsString::from(store);
        name.push(end);
        PathBuf::from(name)
    });
    let mut files = std::iter::once(store.to_owned()).chain(beside).filter(|p| p.exists());
    // Directories that are not there yet will be made, and will be ours.
    let dir = store.ancestors().skip(1).find(|dir| dir.is_dir()).unwrap_or(Path::new("."));
    if !reachable(dir, 3, own) || !files.all(|file| owned(&file) && reachable(&file, 6, own)) {
        // SQLite gives the files that it makes beside a database to the database's owner.
        set |= CapabilitySet::DAC_OVERRIDE | CapabilitySet::CHOWN;
    }
    set
}

/// Whether a user may do this with a file (4 reads, 2 writes, 1 enters) by its mode alone, directories above included.
/// Groups are not looked at: too much is kept then, never too little.
fn reachable(path: &Path, wanted: u32, user: u32) -> bool {
    let allows = |meta: &Metadata, wanted: u32| {
        let granted = if meta.uid() == user { meta.mode() >> 6 } else { meta.mode() };
        granted & wanted == wanted
    };
    let Ok(real) = path.canonicalize() else { return false };
    let meta = |path: &Path| std::fs::metadata(path);
    meta(&real).is_ok_and(|m| allows(&m, wanted))
        && real.ancestors().skip(1).all(|above| meta(above).is_ok_and(|m| allows(&m, 1)))
}

/// Which capabilities a run needs from now on. The interest is set without `CAP_BPF` as a trial: since Linux 5.19 a map that
/// is held may be changed without it, where `kernel.unprivileged_bpf_disabled` is set, too.
pub(crate) fn still_needed(
    sensor: &mut impl Source,
    interest: &Interest,
    files: CapabilitySet,
) -> io::Result<CapabilitySet> {
    let mut sets = capabilities(None)?;
    let mut keep = (CapabilitySet::SYS_PTRACE | files) & sets.permitted;
    sets.effective = keep;
    set_capabilities(None, sets)?;
    if sensor.set_interest(interest).is_err() {
        let bpf = CapabilitySet::BPF | CapabilitySet::PERFMON;
        // Before Linux 5.8 there was one capability for everything.
        keep |= if sets.permitted.contains(bpf) { bpf } else { CapabilitySet::SYS_ADMIN & sets.permitted };
    }
    Ok(keep)
}

/// Gives up every other capability of this thread for good, and the way to new ones. A step that the kernel refuses does not
/// keep the others from being taken; all that were refused are told.
pub(crate) fn keep_only(keep: CapabilitySet) -> Result<(), String> {
    let mut refused = Vec::new();
    let mut step = |what: &str, done: rustix::io::Result<()>| {
        if let Err(error) = done {
            refused.push(format!("{what}: {}", io::Error::from(error)));
        }
    };
    step("no new privileges", set_no_new_privs(true));
    step("ambient set", clear_ambient_capability_set());
    // Who lacks CAP_SETPCAP cannot empty this set; without new privileges nothing can come out of it either.
    if let Ok(mut sets) = capabilities(None)
        && sets.permitted.contains(CapabilitySet::SETPCAP)
    {
        sets.effective = sets.permitted;
        step("bounding set", set_capabilities(None, sets).and_then(|()| empty_bounding_set()));
    }
    let sets = capabilities(None).map(|sets| keep & sets.permitted).and_then(|kept| {
        set_capabilities(
            None,
            rustix::thread::CapabilitySets {
                effective: kept,
                permitted: kept,
                inheritable: CapabilitySet::empty(),
            },
        )
    });
    step("capabilities", sets);
    if refused.is_empty() { Ok(()) } else { Err(refused.join("; ")) }
}

fn empty_bounding_set() -> rustix::io::Result<()> {
    for number in 0..u64::BITS {
        match remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << number)) {
            Ok(()) => {}
            // The kernel knows none from here on.
            Err(rustix::io::Errno::INVAL) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_reached_by_its_mode_and_those_above_it() {
        let own = rustix::process::geteuid().as_raw();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        std::fs::write(&file, "").unwrap();
        let mode = |path: &Path, mode| {
            std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
        };
        mode(&file, 0o640);
        assert!(reachable(&file, 6, own));
        assert!(!reachable(&file, 4, own + 1), "others may not read it");
        mode(&file, 0o444);
        assert!(!reachable(&file, 2, own));
        mode(dir.path(), 0o600);
        assert!(!reachable(&file, 4, own), "its directory cannot be entered by mode");
        mode(dir.path(), 0o700);
        assert!(reachable(&file, 4, own));
        assert!(!reachable(&dir.path().join("none"), 4, own));
    }

    #[test]
    fn files_of_ones_own_need_nothing_and_those_of_others_do() {
        let dir = tempfile::tempdir().unwrap();
        let (rule, store) = (dir.path().join("r.yaml"), dir.path().join("not/yet/eyas.db"));
        std::fs::write(&rule, "").unwrap();
        assert_eq!(for_files(std::slice::from_ref(&rule), &store), CapabilitySet::empty());
        if !rustix::process::geteuid().is_root() {
            println!("skipped: needs root: files of others");
            return;
        }
        std::os::unix::fs::chown(dir.path(), Some(65534), None).unwrap();
        let (read, write) =
            (CapabilitySet::DAC_READ_SEARCH, CapabilitySet::DAC_OVERRIDE | CapabilitySet::CHOWN);
        assert_eq!(for_files(&[rule], &store), read | write);
        assert_eq!(for_files(&[], &store), write);
    }

    /// In a thread of its own: what it gives up is gone for that thread alone.
    #[test]
    fn what_is_given_up_is_gone_for_good() {
        let (kept, again) = std::thread::spawn(|| {
            let keep = CapabilitySet::SYS_PTRACE;
            keep_only(keep).unwrap();
            let now = capabilities(None).unwrap();
            assert!(rustix::thread::no_new_privs().unwrap());
            let bounding = rustix::thread::capability_is_in_bounding_set(CapabilitySet::SYS_ADMIN).unwrap();
            assert!(!bounding || !rustix::process::geteuid().is_root());
            assert!(
                keep.contains(now.effective) && keep.contains(now.permitted) && now.inheritable.is_empty()
            );
            let mut more = now;
            more.permitted |= CapabilitySet::SYS_ADMIN;
            (now.permitted, set_capabilities(None, more))
        })
        .join()
        .unwrap();
        assert!(again.is_err(), "{kept:?}");
    }
}
