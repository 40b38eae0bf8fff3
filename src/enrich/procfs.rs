//! What `/proc/PID` says of a process, as bytes: arguments and paths need not be UTF-8, which is why no crate that
//! hands out strings is used here. A process that ends while it is read is no error: it is simply not there.

use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use eyas_event::process::{ProcessFlags, Usage};
use eyas_event::{BootTime, Process, ProcessKey};

/// Reads one process; its container is left to the caller, its cgroup is given as the path of the `0::` line.
pub(crate) fn read(proc_root: &Path, pid: u32) -> Option<(Process, Vec<Vec<u8>>)> {
    let dir = proc_root.join(pid.to_string());
    let stat = fs::read(dir.join("stat")).ok()?;
    // The name stands in parentheses and may itself hold any byte, so the fields begin after the last one.
    let open = stat.iter().position(|b| *b == b'(')?;
    let close = stat.iter().rposition(|b| *b == b')')?;
    let comm = stat.get(open + 1..close)?;
    let fields: Vec<&str> =
        std::str::from_utf8(stat.get(close + 2..)?).ok()?.split_ascii_whitespace().collect();
    let field = |n: usize| fields.get(n - 3).and_then(|f| f.parse::<i64>().ok()).unwrap_or(0);
    let start = fields.get(22 - 3)?.parse::<u64>().ok()?;
    let status = Status::read(&dir)?;
    let exe = fs::metadata(dir.join("exe")).ok();
    let deleted = b" (deleted)";
    let mut exe_path = link(&dir.join("exe"));
    let mut flags = ProcessFlags::SNAPSHOT;
    if let Some(path) = exe_path.strip_suffix(deleted) {
        exe_path = path.to_vec();
        flags = flags.with(ProcessFlags::DELETED);
    }
    if let Some(memfd) = exe_path.strip_prefix(b"/memfd:") {
        exe_path = [b"memfd:", memfd].concat();
        flags = flags.with(ProcessFlags::MEMFD);
    }
    let process = Process {
        key: ProcessKey { pid, start },
        parent: ProcessKey { pid: field(4) as u32, start: 0 },
        started: BootTime(start * ProcessKey::TICK_NS),
        comm: comm.into(),
        filename: Box::default(),
        argv: fs::read(dir.join("cmdline")).unwrap_or_default().into(),
        env: Box::default(),
        exe_path: exe_path.into(),
        cwd: link(&dir.join("cwd")).into(),
        uid: status.uid[0],
        euid: status.uid[1],
        gid: status.gid[0],
        egid: status.gid[1],
        loginuid: number(&dir.join("loginuid")),
        audit_session: number(&dir.join("sessionid")),
        tty: field(7) as u32,
        sid: field(6) as u32,
        pgid: field(5) as u32,
        vpid: status.vpid.unwrap_or(pid),
        vpgid: status.vpgid.unwrap_or(field(5) as u32),
        pid_ns: namespace(&dir.join("ns/pid")),
        cgroup: 0,
        container: Process::HOST.into(),
        cap_effective: status.capabilities[0],
        cap_permitted: status.capabilities[1],
        cap_inheritable: status.capabilities[2],
        exec_time: BootTime(0),
        exe_dev: exe.as_ref().map_or(0, |m| kernel_dev(m.dev())),
        exe_ino: exe.as_ref().map_or(0, MetadataExt::ino),
        exe_ctime: exe.as_ref().map_or(0, MetadataExt::ctime),
        exe_mtime: exe.as_ref().map_or(0, MetadataExt::mtime),
        namespace_started: BootTime(0),
        usage: Some(Usage {
            fd_limit: descriptor_limit(&fs::read(dir.join("limits")).unwrap_or_default()),
            faults_major: field(12) as u64,
            faults_minor: field(10) as u64,
            vm_size_kib: status.memory[0],
            vm_rss_kib: status.memory[1],
            vm_swap_kib: status.memory[2],
        }),
        flags,
    };
    let memberships = fs::read(dir.join("cgroup")).unwrap_or_default();
    Some((process, cgroup_paths(&memberships)))
}

/// The ids of all processes, as far as `/proc` lists them.
pub(crate) fn pids(proc_root: &Path) -> Vec<u32> {
    let Ok(dir) = fs::read_dir(proc_root) else { return Vec::new() };
    dir.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).collect()
}

/// What `/proc/PID/cgroup` says of a process; nothing when it is gone.
pub(crate) fn cgroup_text(proc_root: &Path, pid: u32) -> Vec<u8> {
    fs::read(proc_root.join(pid.to_string()).join("cgroup")).unwrap_or_default()
}

/// A line of it: the place of a process in one hierarchy.
pub(crate) struct Membership<'t> {
    /// Its number; 0 for the v2 one.
    pub(crate) hierarchy: u32,
    /// With commas between them.
    pub(crate) controllers: &'t [u8],
    pub(crate) path: &'t [u8],
}

/// Its lines.
pub(crate) fn memberships(text: &[u8]) -> impl Iterator<Item = Membership<'_>> {
    text.split(|b| *b == b'\n').filter_map(|line| {
        let mut parts = line.splitn(3, |b| *b == b':');
        let (hierarchy, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let hierarchy = std::str::from_utf8(hierarchy).ok()?.parse().ok()?;
        Some(Membership { hierarchy, controllers, path })
    })
}

/// Its cgroup paths: that of the v2 hierarchy first, then those of the v1 ones.
pub(crate) fn cgroup_paths(text: &[u8]) -> Vec<Vec<u8>> {
    let (mut v2, mut v1) = (Vec::new(), Vec::new());
    for membership in memberships(text) {
        if membership.hierarchy == 0 { &mut v2 } else { &mut v1 }.push(membership.path.to_vec());
    }
    v2.append(&mut v1);
    v2
}

/// What is wanted of `/proc/PID/status`.
#[derive(Default)]
struct Status {
    uid: [u32; 2],
    gid: [u32; 2],
    vpid: Option<u32>,
    vpgid: Option<u32>,
    /// Effective, permitted, inheritable.
    capabilities: [u64; 3],
    /// Address space, RAM, swap, KiB; a kernel thread has none.
    memory: [u32; 3],
}

impl Status {
    fn read(dir: &Path) -> Option<Self> {
        let text = fs::read(dir.join("status")).ok()?;
        let mut status = Self::default();
        for line in text.split(|b| *b == b'\n') {
            let Some((key, value)) = std::str::from_utf8(line).ok().and_then(|l| l.split_once(':')) else {
                continue;
            };
            let mut numbers = value.split_ascii_whitespace();
            let mut pair = || [(); 2].map(|()| numbers.next().and_then(|n| n.parse().ok()).unwrap_or(0));
            let set = || u64::from_str_radix(value.trim(), 16).unwrap_or(0);
            match key {
                "Uid" => status.uid = pair(),
                "Gid" => status.gid = pair(),
                "NSpid" => status.vpid = value.split_ascii_whitespace().last().and_then(|n| n.parse().ok()),
                "NSpgid" => status.vpgid = value.split_ascii_whitespace().last().and_then(|n| n.parse().ok()),
                "CapEff" => status.capabilities[0] = set(),
                "CapPrm" => status.capabilities[1] = set(),
                "VmSize" => status.memory[0] = pair()[0],
                "VmRSS" => status.memory[1] = pair()[0],
                "VmSwap" => status.memory[2] = pair()[0],
                "CapInh" => status.capabilities[2] = set(),
                _ => {}
            }
        }
        Some(status)
    }
}

/// The soft limit on open descriptors in `/proc/PID/limits`; none is the largest number, as the kernel has it.
fn descriptor_limit(limits: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(limits);
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"));
    match line.and_then(|line| line.split_ascii_whitespace().next()) {
        Some("unlimited") => u64::MAX,
        soft => soft.and_then(|n| n.parse().ok()).unwrap_or(0),
    }
}

/// Where a symbolic link points; nothing when it cannot be read (a kernel thread, or no permission).
fn link(path: &Path) -> Vec<u8> {
    fs::read_link(path).map(PathBuf::into_os_string).map(OsStringExt::into_vec).unwrap_or_default()
}

/// A file that holds one number; `u32::MAX`, which means unset, when it cannot be read.
fn number(path: &Path) -> u32 {
    fs::read_to_string(path).ok().and_then(|t| t.trim().parse().ok()).unwrap_or(u32::MAX)
}

/// The inode in a link such as `pid:[4026531836]`.
fn namespace(path: &Path) -> u32 {
    let target = link(path);
    let text = std::str::from_utf8(&target).unwrap_or_default();
    text.split_once('[').and_then(|(_, n)| n.trim_end_matches(']').parse().ok()).unwrap_or(0)
}

/// A device number as `stat` gives it, in the kernel's own form: major in the bits from 20 up.
fn kernel_dev(dev: u64) -> u32 {
    let major = (dev >> 8 & 0xfff) | (dev >> 32 & !0xfff);
    let minor = (dev & 0xff) | (dev >> 12 & !0xff);
    (major << 20 | minor & 0xf_ffff) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_described_as_it_is() {
        let me = std::process::id();
        let (p, cgroups) = read(Path::new("/proc"), me).expect("this process is there");
        assert_eq!(p.key.pid, me);
        assert_eq!(p.parent.pid, std::os::unix::process::parent_id());
        assert!(p.key.start > 0);
        assert_eq!(p.args().count(), std::env::args().count());
        assert_eq!(&*p.cwd, std::env::current_dir().expect("cwd").into_os_string().into_vec().as_slice());
        let usage = p.usage.expect("figures");
        assert!(usage.fd_limit >= 3 && usage.vm_size_kib >= usage.vm_rss_kib && usage.vm_rss_kib > 0);
        assert!(usage.faults_minor > 0);
        assert!(p.exe_ino != 0 && !p.exe_path.is_empty());
        assert!(!cgroups.is_empty());
        assert!(pids(Path::new("/proc")).contains(&me));
        assert!(read(Path::new("/proc"), u32::MAX).is_none());
    }

    #[test]
    fn a_device_number_changes_its_form() {
        assert_eq!(kernel_dev(0x0000_0801), 8 << 20 | 1);
        assert_eq!(kernel_dev(0x0010_0302), 3 << 20 | 0x102);
    }
}
