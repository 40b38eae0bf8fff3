//! Users and groups, from the passwd and group files of the machine and of containers. A file is read whole when it is first
//! needed and again when it has changed. Users that only a directory service knows are not in these files and have no
//! name here.
//!
//! A container's files are what somebody else wrote, reached through `/proc/PID/root`. So the way to them stays within
//! that root, crosses no mount, touches no file system that a program serves (it could let us wait for ever), ends at a
//! regular file, and not more than a mebibyte is read.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use eyas_event::{Lookup, User, Whose};
use rustc_hash::FxHashMap;
use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, StatxFlags, open, openat2, statx};

/// How many containers' files are kept. A node runs some hundreds.
const CONTAINERS_MAX: usize = 1024;
/// How much of a container's file is read.
const FILE_MAX: u64 = 1 << 20;

/// How a directory is opened that is only a place.
const PLACE: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Which of the two files.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Passwd,
    Group,
}

impl Kind {
    fn path(self) -> &'static str {
        match self {
            Self::Passwd => "etc/passwd",
            Self::Group => "etc/group",
        }
    }
}

/// All files that were read.
#[derive(Debug)]
pub(crate) struct Accounts {
    root: PathBuf,
    proc_root: PathBuf,
    host: [Entries; 2],
    containers: FxHashMap<Box<str>, Container>,
}

/// The files of a container.
#[derive(Debug)]
struct Container {
    /// Device and inode of its root: that of the first process that was asked about. Who has another root since has made it for
    /// himself.
    root: (u64, u64),
    /// A process that has it. Another takes its place only when it has gone, so that mostly this is the container's first.
    pid: u32,
    files: [Entries; 2],
}

/// What a file said, and which state of it.
#[derive(Debug, Default)]
struct Entries {
    read: Option<Stamp>,
    by_id: FxHashMap<u32, User>,
}

/// Device, inode, size and the time of the last change: what differs when a file does.
type Stamp = (u64, u64, u64, i64, i64);

fn stamp(file: &File) -> io::Result<Stamp> {
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok((meta.dev(), meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec()))
}

impl Entries {
    /// Reads the file if it is another than before.
    fn renew(&mut self, file: &File) -> io::Result<()> {
        let now = stamp(file)?;
        if self.read != Some(now) {
            let mut text = Vec::new();
            file.take(FILE_MAX).read_to_end(&mut text)?;
            self.by_id = parse(&text);
            self.read = Some(now);
        }
        Ok(())
    }

    fn answer(&self, id: u32) -> Lookup<User> {
        match (self.read, self.by_id.get(&id)) {
            (None, _) => Lookup::Unknown,
            (Some(_), Some(user)) => Lookup::Found(user.clone()),
            (Some(_), None) => Lookup::Nobody,
        }
    }
}

/// `name:password:id:…`, and of a user `…:group:description:home:shell`. The first line for a number counts.
fn parse(text: &[u8]) -> FxHashMap<u32, User> {
    let mut by_id = FxHashMap::default();
    for line in text.split(|b| *b == b'\n') {
        let mut fields = line.split(|b| *b == b':');
        let (Some(name), Some(id)) = (fields.next().filter(|name| !name.is_empty()), fields.nth(1)) else {
            continue;
        };
        let Some(id) = std::str::from_utf8(id).ok().and_then(|id| id.parse().ok()) else { continue };
        let [home, shell] = [fields.nth(2), fields.next()].map(|field| field.unwrap_or_default().into());
        by_id.entry(id).or_insert_with(|| User { name: name.into(), home, shell });
    }
    by_id
}

impl Accounts {
    /// The files below these roots: that of the machine, and the one where processes are.
    pub(crate) fn new(root: &Path, proc_root: &Path) -> Self {
        Self {
            root: root.into(),
            proc_root: proc_root.into(),
            host: Default::default(),
            containers: FxHashMap::default(),
        }
    }

    /// What a file says of a number.
    pub(crate) fn ask(&mut self, kind: Kind, id: u32, whose: Whose<'_>) -> Lookup<User> {
        match whose {
            Whose::Host => {
                let entries = &mut self.host[kind as usize];
                let found = File::open(self.root.join(kind.path())).and_then(|file| entries.renew(&file));
                // A machine without the file has nobody in it.
                if found.is_err() && entries.read.is_none() {
                    return Lookup::Nobody;
                }
                entries.answer(id)
            }
            Whose::Container { id: container, pid } => self.in_container(kind, id, container, pid),
        }
    }

    fn in_container(&mut self, kind: Kind, id: u32, container: &str, pid: u32) -> Lookup<User> {
        let known = self.containers.get(container);
        // When nobody is there any more who has its root, it was started again.
        let stands =
            |own: &&Container| own.pid == pid || self.root_of(own.pid).is_ok_and(|root| root == own.root);
        let root = known.filter(stands).map(|own| own.root);
        let found = self.container_file(kind, pid, root);
        if let (None, Ok((new, _))) = (root, &found)
            && known.is_none_or(|own| own.root != *new)
        {
            if self.containers.len() >= CONTAINERS_MAX {
                self.containers.clear();
            }
            let files = Default::default();
            self.containers.insert(container.into(), Container { root: *new, pid, files });
        }
        let Some(own) = self.containers.get_mut(container) else { return Lookup::Unknown };
        if root.is_none() && found.is_ok() {
            own.pid = pid;
        }
        let entries = &mut own.files[kind as usize];
        // Where this process has gone, another one's view of the same files still stands.
        let _ = found.and_then(|(_, file)| entries.renew(&file));
        entries.answer(id)
    }

    /// A file as a process sees it, and device and inode of its root, if the process is in the container's root already: a runtime's
    /// is in the container's cgroup before it is in the container's files.
    fn container_file(
        &self,
        kind: Kind,
        pid: u32,
        known: Option<(u64, u64)>,
    ) -> io::Result<((u64, u64), File)> {
        let process = self.proc_root.join(pid.to_string());
        let root = open(process.join("root"), PLACE, Mode::empty())?;
        let identity = identity(&root)?;
        match known {
            // That one was looked at.
            Some(known) if known == identity => {}
            Some(_) => return Err(io::ErrorKind::NotFound.into()),
            None => self.check_root(&process, root.as_raw_fd(), identity)?,
        }
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let within = ResolveFlags::IN_ROOT | ResolveFlags::NO_XDEV;
        Ok((identity, openat2(root, kind.path(), flags, Mode::empty(), within)?.into()))
    }

    /// Device and inode of a process's root.
    fn root_of(&self, pid: u32) -> io::Result<(u64, u64)> {
        identity(open(self.proc_root.join(pid.to_string()).join("root"), PLACE, Mode::empty())?)
    }

    /// Whether a process's root may be a container's: none that a program serves, and not the machine's.
    fn check_root(&self, process: &Path, root: RawFd, found: (u64, u64)) -> io::Result<()> {
        let own = self.proc_root.join("self");
        let about = fs::read_to_string(own.join("fdinfo").join(root.to_string()))?;
        // In its own namespace; or in ours, where a directory of ours is its root.
        let is_served =
            |of: &Path| is_served_by_the_kernel(&about, &fs::read(of.join("mountinfo")).unwrap_or_default());
        if !is_served(process) && !is_served(&own) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        if found == identity(open(&self.root, PLACE, Mode::empty())?)? {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(())
    }
}

/// Device and inode of a directory, as the kernel has them: nobody who serves it is asked.
fn identity(root: impl AsFd) -> io::Result<(u64, u64)> {
    let how = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let known = statx(root, "", how, StatxFlags::INO)?;
    Ok((u64::from(known.stx_dev_major) << 32 | u64::from(known.stx_dev_minor), known.stx_ino))
}

/// Whether what a descriptor stands for (`/proc/PID/fdinfo/N`) lies on one of these mounts, and that is not FUSE: whoever
/// serves such a file system may let others wait.
fn is_served_by_the_kernel(fdinfo: &str, mountinfo: &[u8]) -> bool {
    let id = fdinfo.lines().find_map(|line| line.strip_prefix("mnt_id:")).map(str::trim);
    let text = String::from_utf8_lossy(mountinfo);
    let mount = text.lines().find(|line| line.split(' ').next() == id);
    mount.and_then(|line| line.split_once(" - ")).is_some_and(|(_, kind)| !kind.starts_with("fuse"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_files_are_read_and_broken_ones_passed_over() {
        let users = parse(
            b"root:x:0:0:root:/root:/bin/bash\n:x:1:\nbad:x:one:1\nnobody:x:65534:65534\ntwin:x:0:0:::\n",
        );
        assert_eq!(users.len(), 2);
        let root = &users[&0];
        assert_eq!(
            (&*root.name, &*root.home, &*root.shell),
            (&b"root"[..], &b"/root"[..], &b"/bin/bash"[..])
        );
        assert_eq!((&*users[&65534].name, &*users[&65534].home), (&b"nobody"[..], &b""[..]));
        let groups = parse(b"adm:x:4:u,v\n");
        assert_eq!(&*groups[&4].name, b"adm");
    }

    #[test]
    fn a_root_that_a_program_serves_is_left_alone() {
        let line =
            |id: u32, kind: &str| format!("{id} 35 98:0 / / rw,noatime master:1 - {kind} /dev/root rw\n");
        let mounts = [line(35, "fuseblk"), line(36, "overlay"), line(37, "fuse.fuse-overlayfs")].concat();
        let on = |id: u32| is_served_by_the_kernel(&format!("pos:\t0\nmnt_id:\t{id}\n"), mounts.as_bytes());
        assert_eq!([35, 36, 37].map(on), [false, true, false]);
        assert!(
            !on(38) && !is_served_by_the_kernel("", mounts.as_bytes()),
            "what is not known is not trusted"
        );
    }

    #[test]
    fn a_users_file_is_read_again_when_it_has_changed() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::create_dir(dir.path().join("etc")).expect("etc");
        let passwd = dir.path().join("etc/passwd");
        fs::write(&passwd, "a:x:1:1::/a:/bin/sh\n").expect("written");
        let mut accounts = Accounts::new(dir.path(), Path::new("/proc"));
        let mut ask = |id| accounts.ask(Kind::Passwd, id, Whose::Host);
        assert!(matches!(ask(1), Lookup::Found(user) if &*user.name == b"a" && &*user.shell == b"/bin/sh"));
        assert_eq!(ask(2), Lookup::Nobody);
        fs::write(&passwd, "a:x:1:1::/a:/bin/sh\nb:x:2:2::/b:/bin/sh\n").expect("written");
        assert!(matches!(ask(2), Lookup::Found(user) if &*user.name == b"b"));
        // A machine without the file has no names, and asking again is of no use.
        assert_eq!(accounts.ask(Kind::Group, 1, Whose::Host), Lookup::Nobody);
    }

    #[test]
    fn a_process_in_the_machines_own_root_says_nothing_of_a_container() {
        let mut accounts = Accounts::new(Path::new("/"), Path::new("/proc"));
        let whose = Whose::Container { id: "3ad7b26ded6d", pid: std::process::id() };
        assert_eq!(accounts.ask(Kind::Passwd, 0, whose), Lookup::Unknown);
        assert!(accounts.containers.is_empty());
    }
}
