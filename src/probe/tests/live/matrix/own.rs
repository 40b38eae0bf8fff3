//! What a program can find out of itself without eyas: its directories, descriptors, sockets, capabilities and number.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::facts::{Facts, end, word};
use crate::watch::kernel_dev;

/// The directory behind a descriptor, as this program's own links say.
pub(super) fn base(dir: i64) -> Option<String> {
    let link = match i32::try_from(dir) {
        Ok(libc::AT_FDCWD) => "/proc/self/cwd".into(),
        _ => format!("/proc/self/fd/{dir}"),
    };
    seen_link(&link).map(|(path, _)| path)
}

/// What a descriptor is, as its holder sees it.
pub(super) fn descriptor(fd: i64, facts: &mut Facts) {
    // SAFETY: a struct of numbers, which the call fills.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: `stat` outlives the call.
    if i32::try_from(fd).is_ok_and(|fd| unsafe { libc::fstat(fd, &raw mut stat) } != 0) || fd < 0 {
        return;
    }
    facts.insert("fd.ino".into(), stat.st_ino.to_string());
    if stat.st_mode & 0o170_000 == 0o140_000 {
        return socket_facts(fd as i32, facts);
    }
    let (path, is_deleted) = seen_link(&format!("/proc/self/fd/{fd}")).unwrap();
    facts.insert("fd.path".into(), path);
    facts.insert("fd.mode".into(), format!("{:o}", stat.st_mode));
    facts.insert("fd.dev".into(), kernel_dev(stat.st_dev).to_string());
    if is_deleted {
        facts.insert("fd.deleted".into(), "yes".into());
    }
}

pub(super) fn own_pid() -> String {
    std::fs::read_link("/proc/self").unwrap().into_os_string().into_string().unwrap()
}

/// Where a link of /proc leads, and whether to something that was deleted.
pub(crate) fn seen_link(link: &str) -> Option<(String, bool)> {
    match std::fs::read_link(link) {
        Ok(path) => Some(named(&path)).map(|(path, is_deleted)| (word(&path), is_deleted)),
        // Deeper than a link can tell: the names are known.
        Err(error) if error.raw_os_error() == Some(libc::ENAMETOOLONG) => {
            Some((format!("cut{}", word(super::DEEP.as_bytes())), false))
        }
        Err(_) => None,
    }
}

/// A link of /proc as the records name what is behind it; whether it was deleted.
pub(crate) fn named(link: &Path) -> (Vec<u8>, bool) {
    let bytes = link.as_os_str().as_bytes();
    if bytes.starts_with(b"pipe:[") {
        return (Vec::new(), false);
    }
    if let Some(memory) = bytes.strip_prefix(b"/memfd:") {
        return ([b"memfd:", memory.strip_suffix(b" (deleted)").unwrap_or(memory)].concat(), false);
    }
    if bytes.starts_with(b"uts:[") {
        return (b"nsfs".to_vec(), false);
    }
    let bytes = bytes.strip_prefix(b"anon_inode:").unwrap_or(bytes);
    bytes.strip_suffix(b" (deleted)").map_or_else(|| (bytes.to_vec(), false), |path| (path.to_vec(), true))
}

/// Own capabilities: permitted, effective, inheritable.
pub(crate) fn capabilities() -> (u64, u64, u64) {
    let header = [0x2008_0522_u32, 0];
    let mut data = [0_u32; 6];
    // SAFETY: header and data of the third version.
    assert_eq!(unsafe { libc::syscall(libc::SYS_capget, header.as_ptr(), data.as_mut_ptr()) }, 0);
    let both = |low: usize| u64::from(data[low + 3]) << 32 | u64::from(data[low]);
    (both(1), both(0), both(2))
}

fn option(fd: i32, option: i32) -> u32 {
    let (mut value, mut len) = (0_u32, 4_u32);
    // SAFETY: both outlive the call.
    unsafe {
        libc::getsockopt(fd, libc::SOL_SOCKET, option, (&raw mut value).cast(), &raw mut len);
    }
    value
}

type NameCall = unsafe extern "C" fn(i32, *mut libc::sockaddr, *mut libc::socklen_t) -> i32;

/// An address as `getsockname` or `getpeername` gives it.
pub(crate) fn name_of(fd: i32, call: NameCall) -> Vec<u8> {
    let (mut bytes, mut len) = ([0_u8; 128], 128_u32);
    // SAFETY: both outlive the call.
    let failed = unsafe { call(fd, bytes.as_mut_ptr().cast(), &raw mut len) } != 0;
    bytes[..if failed { 0 } else { len as usize }].to_vec()
}

fn socket_facts(fd: i32, facts: &mut Facts) {
    let family = option(fd, libc::SO_DOMAIN) as u16;
    let socket = [family.into(), option(fd, libc::SO_TYPE), option(fd, libc::SO_PROTOCOL)];
    facts.insert("socket".into(), socket.map(|n| n.to_string()).join("/"));
    let own: [(&str, NameCall); 2] = [("local", libc::getsockname), ("remote", libc::getpeername)];
    for (name, call) in own {
        let bytes = name_of(fd, call);
        if bytes.len() < 8 {
            continue;
        }
        let port = u16::from_be_bytes([bytes[2], bytes[3]]);
        let address = if family == 10 { &bytes[8..] } else { &bytes[4..] };
        if let Some(end) = end(family, address, port) {
            facts.insert(format!("socket.{name}"), end);
        }
        if family == 1 && name == "remote" && bytes.get(2).is_some_and(|first| *first != 0) {
            let path = bytes[2..].split(|byte| *byte == 0).next().unwrap();
            facts.insert("socket.peer".into(), word(path));
        }
    }
}
