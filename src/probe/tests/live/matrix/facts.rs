//! What there is to say of one call, as words: the program that made it says them of itself, and the same words are made
//! of its record. Both must be equal, also in what they leave out.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use eyas_ebpf::{
    Body, Call, CallBits, Connect, ConnectBits, Exec, ExecFailed, ExecFlags, FailedBits, Head, HeadFlags,
    Open, OpenBits, Role, components, is_rooted,
};

use crate::watch::path;

/// What is told: one word by its name.
pub(crate) type Facts = BTreeMap<String, String>;

/// Bytes as one word, whatever is in them.
pub(crate) fn word(bytes: &[u8]) -> String {
    if bytes.len() > 200 && bytes.chunks(2).filter(|two| *two == b"./").count() > 2000 {
        // A path of 4 KiB: what is repeated in it is counted.
        let rest = bytes.iter().position(|byte| !b"./".contains(byte)).unwrap_or(bytes.len());
        return format!("{}*{}", rest, word(&bytes[rest..]));
    }
    let mut out = String::from("=");
    for byte in bytes {
        match byte {
            b'!'..=b'~' if *byte != b'%' => out.push(char::from(*byte)),
            other => write!(out, "%{other:02x}").unwrap(),
        }
    }
    out
}

/// A line of words, for a file.
pub(crate) fn to_line(facts: &Facts) -> String {
    let mut line = String::new();
    for (name, value) in facts {
        assert!(!value.contains([' ', '\n']), "{name} {value}");
        write!(line, "{name} {value} ").unwrap();
    }
    line.push('\n');
    line
}

/// The words of such a line.
pub(crate) fn of_line(line: &str) -> Facts {
    let mut words = line.split_whitespace().map(str::to_owned);
    let mut facts = Facts::new();
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        facts.insert(name, value);
    }
    facts
}

/// One end of a socket; none without a port.
pub(crate) fn end(family: u16, address: &[u8], port: u16) -> Option<String> {
    if port == 0 {
        return None;
    }
    match family {
        2 => Some(format!("{}:{port}", Ipv4Addr::from(*address.first_chunk::<4>()?))),
        10 => Some(format!("{}:{port}", Ipv6Addr::from(*address.first_chunk::<16>()?))),
        _ => None,
    }
}

/// A path of the kernel's. One that was cut has too many names to tell; there the uppermost stands for all.
fn base(section: &[u8], is_cut: bool) -> String {
    if is_cut && !section.is_empty() && !is_rooted(section) && components(section).count() > 30 {
        return format!("cut{}", word(components(section).next().unwrap()));
    }
    match &path(section)[..] {
        "pidfs" => word(b"[pidfd]"),
        path => word(path.as_bytes()),
    }
}

struct Words(Facts);

impl Words {
    fn of(head: &Head, number: u32, ret: i64) -> Self {
        let mut words = Self(Facts::new());
        words.put("number", number.to_string());
        words.put("ret", ret.to_string());
        words.put("uid", head.uid.to_string());
        words.put("gid", head.gid.to_string());
        if head.flags == HeadFlags::COMPAT {
            words.put("compat", "yes".into());
        }
        words
    }

    fn put(&mut self, name: &str, value: String) {
        self.0.insert(name.into(), value);
    }

    /// Only what is there is told.
    fn some(&mut self, name: &str, bytes: &[u8], value: impl FnOnce(&[u8]) -> String) {
        if !bytes.is_empty() {
            self.put(name, value(bytes));
        }
    }

    fn flag(&mut self, name: &str, is: bool) {
        if is {
            self.put(name, "yes".into());
        }
    }

    fn file(&mut self, path: String, mode: u16, dev: u32, ino: u64, is_deleted: bool) {
        self.put("fd.path", path);
        self.put("fd.mode", format!("{mode:o}"));
        self.put("fd.dev", dev.to_string());
        self.put("fd.ino", ino.to_string());
        self.flag("fd.deleted", is_deleted);
    }

    fn socket(&mut self, socket: [u16; 3], local: Option<String>, remote: Option<String>) {
        let [family, kind, protocol] = socket;
        self.put("socket", format!("{family}/{kind}/{protocol}"));
        if let Some(end) = local {
            self.put("socket.local", end);
        }
        if let Some(end) = remote {
            self.put("socket.remote", end);
        }
    }
}

/// What a record says.
pub(crate) fn of_record(head: &Head, body: &Body<'_>) -> Option<Facts> {
    Some(match body {
        Body::Call(call) => of_call(head, call),
        Body::Open(open) => of_open(head, open),
        Body::Connect(connect) => of_connect(head, connect),
        Body::ExecFailed(failed) => of_failed(head, failed),
        Body::Exec(exec) => of_exec(head, exec),
        _ => return None,
    })
}

fn of_call(head: &Head, call: &Call<'_>) -> Facts {
    let f = &call.fixed;
    let mut words = Words::of(head, f.syscall, f.ret);
    let args = call.args().map(|arg| arg.to_string());
    words.put("args", args.join(","));
    let is_cut = f.bits.has(CallBits::PATH_TRUNCATED);
    words.some("first", call.first, word);
    words.some("second", call.second, word);
    words.some("first.base", call.first_base, |section| base(section, is_cut));
    words.some("second.base", call.second_base, |section| base(section, is_cut));
    words.some("address", call.address, word);
    words.some("data", call.data, word);
    words.flag("first.fault", f.bits.has(CallBits::FIRST_FAULT));
    words.flag("second.fault", f.bits.has(CallBits::SECOND_FAULT));
    words.flag("address.fault", f.bits.has(CallBits::ADDRESS_FAULT));
    words.flag("data.fault", f.bits.has(CallBits::DATA_FAULT));
    words.flag("peer.changed", f.bits.has(CallBits::PEER_CHANGED));
    if f.aux != 0 {
        words.put("aux", f.aux.to_string());
    }
    if f.queue_max != 0 {
        words.put("queue", f.queue_max.to_string());
    }
    assert!(f.bits.has(CallBits::CAPABILITIES));
    words.put("capabilities", format!("{:x}/{:x}", f.cap_permitted, f.cap_effective));
    if f.bits.has(CallBits::DESCRIPTOR) && f.mode & 0o170_000 != 0o140_000 {
        words.file(base(call.path, is_cut), f.mode, f.dev, f.ino, f.bits.has(CallBits::DELETED));
    } else if f.bits.has(CallBits::DESCRIPTOR) {
        words.socket(
            [f.family, f.kind, f.protocol],
            end(f.family, &f.local, f.local_port),
            end(f.family, &f.remote, f.remote_port),
        );
        words.put("fd.ino", f.ino.to_string());
        words.some("socket.peer", call.path, |section| base(section, is_cut));
        match Role::from_number(f.role) {
            Role::Client => words.put("socket.role", "client".into()),
            Role::Server => words.put("socket.role", "server".into()),
            Role::Unknown => {}
        }
    }
    words.0
}

fn of_open(head: &Head, open: &Open<'_>) -> Facts {
    let f = &open.fixed;
    let mut words = Words::of(head, f.syscall, f.ret);
    words.some("first", open.given, word);
    words.some("first.base", open.base, |section| base(section, f.bits.has(OpenBits::BASE_TRUNCATED)));
    words.flag("first.fault", f.bits.has(OpenBits::GIVEN_FAULT));
    words.flag("created", f.bits.has(OpenBits::CREATED));
    words.put("dirfd", f.dirfd.to_string());
    words.put("open", format!("{:o}/{:o}/{:x}", f.flags, f.mode, f.resolve));
    if f.ret >= 0 && !f.bits.has(OpenBits::FILE_MISSING) {
        let resolved = base(open.resolved, f.bits.has(OpenBits::RESOLVED_TRUNCATED));
        words.file(resolved, f.file_mode, f.dev, f.ino, f.bits.has(OpenBits::DELETED));
    }
    words.0
}

fn of_connect(head: &Head, connect: &Connect<'_>) -> Facts {
    let f = &connect.fixed;
    let mut words = Words::of(head, f.syscall, f.ret);
    words.put("args", format!("{},{}", f.fd, f.given_len));
    words.some("address", connect.address, word);
    words.flag("address.fault", f.bits.has(ConnectBits::ADDRESS_FAULT));
    if !f.bits.has(ConnectBits::SOCKET_MISSING) {
        words.socket(
            [f.family, f.kind, f.protocol],
            end(f.family, &f.local, f.local_port),
            end(f.family, &f.remote, f.remote_port),
        );
        words.put("fd.ino", f.ino.to_string());
        words.some("socket.peer", connect.path, |section| base(section, true));
    }
    words.0
}

fn of_failed(head: &Head, failed: &ExecFailed<'_>) -> Facts {
    let f = &failed.fixed;
    let mut words = Words::of(head, f.syscall, f.ret);
    words.some("first", failed.given, word);
    words.some("first.base", failed.base, |section| base(section, f.bits.has(FailedBits::BASE_TRUNCATED)));
    words.flag("first.fault", f.bits.has(FailedBits::GIVEN_FAULT));
    words.put("dirfd", f.dirfd.to_string());
    words.put("exec.flags", f.flags.to_string());
    words.0
}

fn of_exec(head: &Head, exec: &Exec<'_>) -> Facts {
    let f = &exec.fixed;
    let mut words = Words::of(head, f.syscall, 0);
    words.put("exec.name", word(exec.filename));
    words.put("exec.args", word(exec.argv));
    words.put("exec.path", base(exec.exe, f.flags.has(ExecFlags::EXE_TRUNCATED)));
    words.put("exec.cwd", base(exec.cwd, f.flags.has(ExecFlags::CWD_TRUNCATED)));
    words.put("exec.file", format!("{:o}/{}/{}", f.exe_mode, f.exe_dev, f.exe_ino));
    words.put("exec.ids", format!("{}/{}/{}/{}", f.uid, f.gid, f.euid, f.egid));
    words.put("exec.pids", format!("{}/{}/{}", f.vpid, f.vpgid, f.vsid));
    words.flag("fd.deleted", f.flags.has(ExecFlags::DELETED));
    words.flag("exec.memfd", f.flags.has(ExecFlags::MEMFD));
    words.put("capabilities", format!("{:x}/{:x}", f.cap_permitted, f.cap_effective));
    words.0
}
