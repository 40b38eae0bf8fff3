//! The syscalls of the table: what a program did with each, and what the sensor tells of it. The program writes down what
//! its calls returned; the records must say the same.

use std::collections::HashMap;
use std::ffi::CString;
use std::fmt::Write as _;
use std::fs;

use eyas_ebpf::{CALLS, Call, CallBits, HeadFlags, Role};

use crate::actor::{call, call_as_ia32, call_six, play};
use crate::watch::{calls, path, real, watch};

/// The calls, in the directory `.`, with what each returned written into the file `told`: `NAME RESULT` a line.
pub(crate) fn perform() {
    const HERE: usize = libc::AT_FDCWD as usize;
    let mut told = String::new();
    let mut tell = |name: &str, ret: i64| {
        writeln!(told, "{name} {ret}").unwrap();
        ret
    };
    let texts: HashMap<&str, CString> = [
        "a",
        "b",
        "c",
        "d",
        "dir",
        "link",
        "hard",
        "missing/x",
        "dir/in",
        "nowhere",
        "tmpfs",
        "dir/mount",
        "eyas",
        "mod",
    ]
    .into_iter()
    .map(|text| (text, CString::new(text).unwrap()))
    .collect();
    let at = |text: &str| texts[text].as_ptr() as usize;
    let mut go = |name: &str, args: [usize; 4]| tell(name, call(number(name), args));

    fs::write("a", "x").unwrap();
    go("mkdir", [at("dir"), 0o750, 0, 0]);
    go("rename", [at("a"), at("b"), 0, 0]);
    go("renameat2", [HERE, at("missing/x"), HERE, at("b")]);
    go("link", [at("b"), at("hard"), 0, 0]);
    go("symlink", [at("nowhere"), at("link"), 0, 0]);
    go("chmod", [at("b"), 0o4755, 0, 0]);
    let dir = fs::File::open("dir").unwrap();
    let dirfd = std::os::fd::AsRawFd::as_raw_fd(&dir) as usize;
    go("mkdirat", [dirfd, at("c"), 0o700, 0]);
    go("symlinkat", [at("nowhere"), dirfd, at("d"), 0]);
    go("linkat", [HERE, at("b"), dirfd, at("a")]);
    go("renameat", [dirfd, at("a"), HERE, at("a")]);
    go("fchmodat", [HERE, at("b"), 0o600, 0]);
    go("fchmod", [dirfd, 0o755, 0, 0]);
    go("unlinkat", [dirfd, at("c"), libc::AT_REMOVEDIR as usize, 0]);
    go("unlink", [at("missing/x"), 0, 0, 0]);
    go("rmdir", [at("nowhere"), 0, 0, 0]);
    let memfd = go("memfd_create", [at("eyas"), 1, 0, 0]) as usize;
    go("dup", [memfd, 0, 0, 0]);
    go("dup2", [memfd, 77, 0, 0]);
    go("dup3", [dirfd, 78, libc::O_CLOEXEC as usize, 0]);
    go("setns", [dirfd, 0, 0, 0]);
    go("unshare", [0, 0, 0, 0]);
    go("kill", [std::process::id() as usize, 0, 0, 0]);
    go("ptrace", [0x4206, usize::MAX >> 33, 0, 0]);
    go("bpf", [9999, 0, 0, 0]);
    go("userfaultfd", [libc::O_CLOEXEC as usize, 0, 0, 0]);
    go("prctl", [15, at("eyas"), 0, 0]);
    go("capset", [0, 0, 0, 0]);
    go("finit_module", [dirfd, at("mod"), 0, 0]);
    go("init_module", [at("eyas"), 5, at("mod"), 0]);
    go("delete_module", [at("mod"), libc::O_NONBLOCK as usize, 0, 0]);
    go("mount", [at("tmpfs"), at("dir/mount"), at("tmpfs"), 1]);
    go("umount2", [at("dir/mount"), 2, 0, 0]);
    go("setuid", [usize::MAX, 0, 0, 0]);
    go("chdir", [at("dir"), 0, 0, 0]);
    go("unlink", [at("d"), 0, 0, 0]);
    go("fchdir", [9999, 0, 0, 0]);
    sockets(&mut |name, args| tell(name, call_six(number(name), args)));
    std::env::set_current_dir("..").unwrap();
    // mkdir and rmdir of i386.
    assert_eq!((call_as_ia32(39, "narrow", 0o711), call_as_ia32(40, "nowhere", 0)), (0, -libc::ENOENT));
    fs::write("told", told).unwrap();
}

/// Two datagram sockets that talk, a stream that is accepted, over loopback.
fn sockets(go: &mut dyn FnMut(&str, [usize; 6]) -> i64) {
    let loopback = |port: u16| {
        let [high, low] = port.to_be_bytes();
        [2_u8, 0, high, low, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    };
    let udp = |go: &mut dyn FnMut(&str, [usize; 6]) -> i64| {
        let fd = go("socket", [libc::AF_INET as usize, libc::SOCK_DGRAM as usize, 0, 0, 0, 0]) as usize;
        go("bind", [fd, loopback(0).as_ptr() as usize, 16, 0, 0, 0]);
        fd
    };
    let port_of = |fd: usize| {
        let (mut address, mut len) = ([0_u8; 16], 16_u32);
        call(libc::SYS_getsockname, [fd, address.as_mut_ptr() as usize, (&raw mut len) as usize, 0]);
        u16::from_be_bytes([address[2], address[3]])
    };
    let (one, other) = (udp(go), udp(go));
    let to = loopback(port_of(other));
    let data = b"hello";
    for _ in 0..2 {
        go("sendto", [one, data.as_ptr() as usize, 5, 0, to.as_ptr() as usize, 16]);
    }
    let (mut into, mut from, mut len) = ([0_u8; 8], [0_u8; 16], 16_u32);
    go(
        "recvfrom",
        [other, into.as_mut_ptr() as usize, 8, 0, from.as_mut_ptr() as usize, (&raw mut len) as usize],
    );
    let mut buffer = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: 8 };
    // SAFETY: a struct of numbers and null pointers.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    (message.msg_iov, message.msg_iovlen) = (&raw mut buffer, 1);
    (message.msg_name, message.msg_namelen) = (from.as_mut_ptr().cast(), 16);
    go("recvmsg", [other, (&raw mut message) as usize, 0, 0, 0, 0]);
    go("sendmsg", [other, (&raw const message) as usize, 0, 0, 0, 0]);

    let stream = go("socket", [libc::AF_INET as usize, libc::SOCK_STREAM as usize, 0, 0, 0, 0]) as usize;
    go("bind", [stream, loopback(0).as_ptr() as usize, 16, 0, 0, 0]);
    go("listen", [stream, 7, 0, 0, 0, 0]);
    let client = std::net::TcpStream::connect(("127.0.0.1", port_of(stream))).unwrap();
    let accepted = go("accept4", [stream, 0, 0, libc::SOCK_CLOEXEC as usize, 0, 0]) as usize;
    go("sendto", [accepted, data.as_ptr() as usize, 5, 0, 0, 0]);
    let client = std::os::fd::AsRawFd::as_raw_fd(&client) as usize;
    go("recvfrom", [client, into.as_mut_ptr() as usize, 8, 0, 0, 0]);
    go("accept", [one, 0, 0, 0, 0, 0]);
}

/// Its number.
fn number(name: &str) -> libc::c_long {
    CALLS.iter().find(|call| call.name == name).unwrap_or_else(|| panic!("{name}")).number as libc::c_long
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn every_call_is_told_as_its_program_made_it() {
    let Some(mut watch) = watch() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut child = play("calls", dir.path(), "");
    assert!(child.wait().unwrap().success());
    watch.until_exit(child.id());

    let root = real(dir.path());
    let told = fs::read_to_string(dir.path().join("told")).unwrap();
    let told: Vec<(&str, i64)> = told
        .lines()
        .map(|line| line.split_once(' ').map(|(name, ret)| (name, ret.parse().unwrap())).unwrap())
        .collect();
    let seen = calls(&watch.bytes, child.id());
    // In their order, among what the test's own frame did; each is told once, with the result that its program saw.
    let mut rest = seen.iter();
    let mut found: Vec<(&str, &Call<'_>)> = Vec::new();
    for (name, ret) in &told {
        let (head, call) = rest
            .find(|(_, call)| i64::from(call.fixed.syscall) == number(name) && call.fixed.ret == *ret)
            .unwrap_or_else(|| panic!("{name} = {ret} was not told: {seen:#?}"));
        assert_eq!((head.flags, head.uid), (HeadFlags(0), 0), "{name}");
        assert!(call.fixed.bits.has(CallBits::CAPABILITIES) && call.fixed.cap_effective != 0, "{name}");
        found.push((name, call));
    }
    let nth = |name: &str, n: usize| found.iter().filter(|(own, _)| *own == name).nth(n).unwrap().1;
    let one = |name: &str| nth(name, 0);

    let two_paths = |name: &str, first: &str, second: &str, bases: [&str; 2]| {
        let call = one(name);
        assert_eq!((text(call.first), text(call.second)), (first, second), "{name}");
        assert_eq!([path(call.first_base), path(call.second_base)], bases, "{name}");
    };
    let inner = format!("{root}/dir");
    two_paths("rename", "a", "b", [&root, &root]);
    two_paths("renameat2", "missing/x", "b", [&root, &root]);
    assert_eq!(one("renameat2").fixed.ret, -i64::from(libc::ENOENT));
    two_paths("link", "b", "hard", [&root, &root]);
    two_paths("symlink", "nowhere", "link", ["", &root]);
    two_paths("symlinkat", "nowhere", "d", ["", &inner]);
    two_paths("linkat", "b", "a", [&root, &inner]);
    two_paths("renameat", "a", "a", [&inner, &root]);
    two_paths("mkdir", "dir", "", [&root, ""]);
    two_paths("mkdirat", "c", "", [&inner, ""]);
    two_paths("unlinkat", "c", "", [&inner, ""]);
    two_paths("chmod", "b", "", [&root, ""]);
    two_paths("mount", "tmpfs", "dir/mount", ["", &root]);
    two_paths("init_module", "mod", "", ["", ""]);
    two_paths("finit_module", "mod", "", ["", ""]);
    two_paths("delete_module", "mod", "", ["", ""]);
    two_paths("prctl", "eyas", "", ["", ""]);
    two_paths("memfd_create", "eyas", "", ["", ""]);
    // After the change of directory, and with it.
    assert_eq!(path(one("chdir").first_base), inner);
    assert_eq!(path(nth("unlink", 1).first_base), inner);
    assert_eq!(one("mkdir").fixed.arg1, 0o750);
    assert_eq!(one("chmod").fixed.arg1, 0o4755);
    assert_eq!(one("ptrace").fixed.arg0, 0x4206);
    assert_eq!(one("setuid").fixed.arg0 as u32, u32::MAX);
    assert_eq!(one("init_module").data, b"eyas\0");

    let narrow: Vec<_> = seen.iter().filter(|(head, _)| head.flags == HeadFlags::COMPAT).collect();
    let [(_, made), (_, not_there)] = narrow[..] else { panic!("two calls of i386 expected: {narrow:?}") };
    assert_eq!((i64::from(made.fixed.syscall), made.first), (number("mkdir"), &b"narrow"[..]));
    assert_eq!((made.fixed.ret, made.fixed.arg1, path(made.first_base)), (0, 0o711, root.clone()));
    assert_eq!(i64::from(not_there.fixed.syscall), number("rmdir"));
    assert_eq!(not_there.fixed.ret, -i64::from(libc::ENOENT));

    let descriptor = |name: &str| path(one(name).path);
    for name in ["dup", "dup2", "memfd_create"] {
        assert_eq!(descriptor(name), "memfd:eyas", "{name}");
    }
    for name in ["dup3", "setns", "fchmod", "finit_module", "mkdirat", "unlinkat"] {
        assert_eq!(descriptor(name), inner, "{name}");
        assert_eq!(one(name).fixed.mode & 0o170_000, 0o040_000, "{name}");
    }
    assert!(!one("fchdir").fixed.bits.has(CallBits::DESCRIPTOR), "no such descriptor");

    let local = |call: &Call<'_>| call.fixed.local_port;
    let role = |call: &Call<'_>| Role::from_number(call.fixed.role);
    let (first, second) = (nth("bind", 0), nth("bind", 1));
    assert!(local(first) != 0 && local(second) != 0 && role(first) == Role::Server);
    assert_eq!((first.fixed.family, first.fixed.kind, first.fixed.protocol), (2, 2, 17));
    let changed = |call: &Call<'_>| call.fixed.bits.has(CallBits::PEER_CHANGED);
    for (n, is_new) in [(0, true), (1, false)] {
        let sent = nth("sendto", n);
        assert_eq!((sent.data, sent.address.len(), local(sent)), (&b"hello"[..], 16, local(first)));
        assert_eq!(changed(sent), is_new, "the second datagram goes where the first went");
        assert_eq!(sent.address[2..4], local(second).to_be_bytes());
    }
    for name in ["recvfrom", "recvmsg"] {
        let got = nth(name, 0);
        assert_eq!((got.data, local(got)), (&b"hello"[..], local(second)), "{name}");
        assert_eq!(got.address[2..4], local(first).to_be_bytes(), "{name}");
        assert_eq!(changed(got), name == "recvfrom", "{name}");
    }
    assert_eq!((one("recvmsg").fixed.aux, one("sendmsg").data), (8, &b"hello\0\0\0"[..]));
    let (listening, accepted) = (one("listen"), one("accept4"));
    assert_eq!((role(listening), role(accepted)), (Role::Server, Role::Server));
    assert_eq!((local(accepted), accepted.fixed.queue_max), (local(listening), 7));
    assert_eq!(accepted.fixed.local[..4], [127, 0, 0, 1]);
    let (answer, got) = (nth("sendto", 2), nth("recvfrom", 1));
    assert_eq!((role(answer), answer.fixed.remote_port), (Role::Server, accepted.fixed.remote_port));
    assert_eq!((role(got), got.fixed.remote_port), (Role::Client, local(listening)));
    assert!(!changed(answer) && !changed(got), "a stream has one peer for life");
}
