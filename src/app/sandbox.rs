//! The sandbox of a run: after the start its threads reach only the files that they still need, by Landlock.
//!
//! The pipeline's thread stays outside: a thread under Landlock may not look at processes that are not (Linux:
//! `hook_ptrace_access_check` in `security/landlock/task.c`), and that thread reads `/proc/PID/exe` and `cwd` of all. It is
//! started before, and waits for its work. Capabilities it has no more of than the others.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, LandlockStatus, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, RulesetStatus, path_beneath_rules,
};

use crate::settings::Settings;

/// The newest rights that are asked for: they are all about files. What an older kernel does not know is left out.
const RIGHTS: ABI = ABI::V5;

/// Read whatever the settings say: about the own process, times in local zones, names of users and of hosts.
const READ: [&str; 8] = [
    "/proc",
    "/sys",
    "/etc/passwd",
    "/etc/group",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    HOSTS,
    NAME_SERVERS,
];
const HOSTS: &str = "/etc/hosts";
const NAME_SERVERS: &str = "/etc/resolv.conf";
/// The terminal, which the console opens anew.
const WRITE: [&str; 4] = ["/dev/tty", "/dev/pts", "/dev/null", "/dev/ptmx"];

/// What a confined thread still reaches. What is not there is passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) read: Vec<PathBuf>,
    pub(crate) write: Vec<PathBuf>,
}

/// How far the kernel went along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Confined {
    /// All that was asked.
    Fully { abi: i32 },
    /// An older kernel: some rights are not restricted.
    Partly { abi: i32 },
    /// Not at all, and why.
    Not(String),
}

impl Places {
    /// What a run with these settings needs. The store's directory is there already.
    pub(crate) fn of(settings: &Settings) -> Self {
        let mut read: Vec<PathBuf> = READ.iter().map(PathBuf::from).collect();
        read.extend(settings.config_dir.clone());
        for dir in eyas_pipeline::directories(&settings.rules) {
            read.extend(links_above(&dir));
            read.push(dir);
        }
        for rule in &settings.rules {
            read.extend(links_above(rule));
        }
        // Where this is a link, what it points at is replaced as the network changes.
        read.extend(links_above(Path::new(NAME_SERVERS)).into_iter().filter(|dir| dir != Path::new("/etc")));
        // A panic's backtrace reads the names of functions there.
        read.extend(std::env::current_exe());
        let mut write: Vec<PathBuf> = WRITE.iter().map(PathBuf::from).collect();
        let store = settings.store.canonicalize().unwrap_or_else(|_| settings.store.clone());
        write.push(parent(&store).to_owned());
        write.extend(temporary());
        Self { read, write }
    }
}

/// A link may point elsewhere tomorrow, mostly to a neighbour of where it points today: so the directories that hold what
/// it and the links above it point at are read, too.
fn links_above(path: &Path) -> Vec<PathBuf> {
    let links = path.ancestors().filter(|p| p.is_symlink());
    let targets = links.filter_map(|link| {
        let target = link.read_link().ok()?;
        Some(parent(&parent(link).join(target)).to_owned())
    });
    targets.collect()
}

/// Where `SQLite` sorts what does not fit into memory: its own order of choice (sqlite3.c, `unixTempFileDir`).
fn temporary() -> Option<PathBuf> {
    let named = ["SQLITE_TMPDIR", "TMPDIR"].into_iter().filter_map(std::env::var_os).map(PathBuf::from);
    let usual = ["/var/tmp", "/usr/tmp", "/tmp"].map(PathBuf::from);
    let may = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    named.chain(usual).find(|dir| dir.is_dir() && rustix::fs::access(dir, may).is_ok())
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Confines this thread and those that it starts from now on, for good.
pub(crate) fn confine(places: &Places) -> Confined {
    let all = AccessFs::from_all(RIGHTS);
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let done = || -> Result<_, RulesetError> {
        Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(all)?
            .create()?
            .add_rules(path_beneath_rules(&places.read, read))?
            .add_rules(path_beneath_rules(&places.write, all & !AccessFs::Execute))?
            .restrict_self()
    };
    let status = match done() {
        Ok(status) => status,
        Err(error) => return Confined::Not(error.to_string()),
    };
    let abi = match status.landlock {
        LandlockStatus::Available { effective_abi, kernel_abi } => kernel_abi.unwrap_or(effective_abi as i32),
        LandlockStatus::NotEnabled => {
            return Confined::Not("the kernel has it and it is switched off".into());
        }
        LandlockStatus::NotImplemented => return Confined::Not("this kernel does not have it".into()),
    };
    match status.ruleset {
        RulesetStatus::FullyEnforced => Confined::Fully { abi },
        RulesetStatus::PartiallyEnforced => Confined::Partly { abi },
        RulesetStatus::NotEnforced => Confined::Not("the kernel did not enforce it".into()),
    }
}

/// What would come of it here, tried in a thread that then ends.
pub(crate) fn try_out(places: Places) -> Confined {
    let tried = std::thread::Builder::new().name("eyas-trial".into()).spawn(move || confine(&places));
    match tried.map(std::thread::JoinHandle::join) {
        Ok(Ok(confined)) => confined,
        Ok(Err(_)) => Confined::Not("the trial failed".into()),
        Err(error) => Confined::Not(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

    use super::*;

    #[test]
    fn a_confined_thread_reaches_what_it_was_given_and_nothing_else() {
        let [given, readable, other] = [(); 3].map(|()| tempfile::tempdir().unwrap());
        for dir in [&given, &readable, &other] {
            std::fs::write(dir.path().join("f"), "x").unwrap();
        }
        let paths = [&given, &readable, &other].map(|d| d.path().to_owned());
        let places =
            Places { read: vec![paths[1].clone()], write: vec![paths[0].clone(), "/no/such".into()] };
        let confined = std::thread::spawn(move || {
            let confined = confine(&places);
            if let Confined::Not(why) = confined {
                println!("skipped: no Landlock: {why}");
                return;
            }
            let [given, readable, other] = paths.map(|p| p.join("f"));
            std::fs::write(given.with_file_name("new"), "y").unwrap();
            std::fs::rename(given.with_file_name("new"), &given).unwrap();
            std::fs::read(&readable).unwrap();
            for refused in [std::fs::write(&readable, "y"), std::fs::read(&other).map(drop)] {
                assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);
            }
            // Whoever it starts is confined, too.
            let heir = std::thread::spawn(move || std::fs::read(&other)).join().unwrap();
            assert!(heir.is_err());
        });
        confined.join().unwrap();
    }

    #[test]
    fn where_a_link_may_point_tomorrow_is_read_too() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("releases/1")).unwrap();
        std::os::unix::fs::symlink("releases/1", root.join("current")).unwrap();
        assert_eq!(links_above(&root.join("current/rules.yaml")), [root.join("releases")]);
    }
}
