//! Parameters of an event: as text (`evt.arg.NAME`, `evt.args`) and as they are (`evt.rawarg.NAME`), and the two ends of a
//! connection. Descriptors are decorated with what they are, paths with what they resolve to, results and ids with their
//! names, as Falco does.

use std::io::Write as _;

use crate::call_params;
use crate::call_special;
use crate::event::{Body, Connect, Event, Open};
use crate::form::write_clock;
use crate::params::{self, ParamId};
use crate::path::write_absolute;
use crate::process::{Process, ProcessFlags};
use crate::process_fields::nanoseconds;
use crate::socket::{Family, Role, Socket};
use crate::symbol;

/// Appends all parameters as `name=value`, separated by spaces; those without a value are left out.
pub(crate) fn args(event: &Event<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    for name in params::ids_of(event.kind) {
        let begin = out.len();
        if begin > start {
            out.push(b' ');
        }
        out.extend_from_slice(name.name().as_bytes());
        out.push(b'=');
        if !decorated(event, *name, out) {
            out.truncate(begin);
        }
    }
}

/// Appends one parameter as `evt.arg.NAME` prints it; `false` when the event has no such parameter.
pub(crate) fn param(event: &Event<'_>, name: ParamId, out: &mut Vec<u8>) -> bool {
    if !params::ids_of(event.kind).contains(&name) {
        return false;
    }
    match event.body {
        Body::Open(open) => open_param(event, &open, name, out),
        Body::Connect(connect) => connect_param(&connect, name, out),
        Body::Call(call) => call_params::param(event, call, name, out),
        Body::Exec => exec_param(event, 0, name, out),
        Body::ExecFailed { ret, given, name: file } => match name {
            ParamId::FILENAME => put(out, as_shown(ret, given, file)),
            _ => exec_param(event, ret, name, out),
        },
        Body::Exit { status } => match name {
            ParamId::STATUS => number(out, status.into()),
            ParamId::RET => number(out, i64::from(status >> 8 & 0xff)),
            ParamId::SIG => number(out, i64::from(status & 0x7f)),
            ParamId::CORE => number(out, i64::from(status >> 7 & 1)),
            _ => false,
        },
    }
}

/// Appends one parameter as it stands in `evt.args`: the number first, then what it means.
fn decorated(event: &Event<'_>, name: ParamId, out: &mut Vec<u8>) -> bool {
    match (event.body, name) {
        (Body::Call(call), _) => call_params::decorated(event, call, name, out),
        (Body::Open(o), ParamId::FD) if o.ret >= 0 => {
            paired(out, o.ret, |out| open_param(event, &o, name, out))
        }
        (Body::Open(o), ParamId::FD) => result(out, o.ret),
        (Body::Open(o), ParamId::DIRFD) => paired(out, o.dirfd.into(), |out| directory(&o, out)),
        (Body::Open(o), ParamId::FLAGS) => {
            paired(out, symbol::open_flags_number(o.flags, o.created).into(), |out| {
                symbol::write_open_flags(o.flags, o.created, out);
                true
            })
        }
        (Body::Open(o), ParamId::RESOLVE) if o.resolve != 0 => {
            paired(out, symbol::resolve_flags_number(o.resolve).into(), |out| {
                symbol::write_resolve_flags(o.resolve, out);
                true
            })
        }
        (Body::Open(o), ParamId::NAME) => path_twice(out, o.ret, o.given, o.name),
        (Body::ExecFailed { ret, given, name: file }, ParamId::FILENAME) => path_twice(out, ret, given, file),
        (Body::Exec, ParamId::FILENAME) => {
            let p = event.process;
            put(out, &p.filename);
            if p.filename.starts_with(b"/") || p.filename.is_empty() {
                return true;
            }
            out.push(b'(');
            write_absolute(&p.cwd, &p.filename, out);
            out.push(b')');
            true
        }
        (Body::Exec | Body::ExecFailed { .. }, ParamId::FLAGS) if exec_flags(event.process) != 0 => {
            paired(out, exec_flags(event.process).into(), |out| param(event, name, out))
        }
        (Body::Connect(c), ParamId::RES) if c.ret < 0 => result(out, c.ret),
        (Body::Connect(c), ParamId::FD) if c.socket.kind != 0 => {
            paired(out, c.socket.fd, |out| connect_param(&c, name, out))
        }
        (Body::ExecFailed { ret, .. }, ParamId::RES) => result(out, ret),
        (Body::Exec | Body::ExecFailed { .. }, _) => {
            own_id(event, name, out, |out| param(event, name, out)) || param(event, name, out)
        }
        _ => param(event, name, out),
    }
}

/// Appends an id of the event's own process, with its name behind it; `false` for what is none.
pub(crate) fn own_id(
    event: &Event<'_>,
    name: ParamId,
    out: &mut Vec<u8>,
    text: impl FnOnce(&mut Vec<u8>) -> bool,
) -> bool {
    let n = match name {
        ParamId::TID => event.tid.into(),
        ParamId::PID => event.process.key.pid.into(),
        ParamId::PTID => event.process.parent.pid.into(),
        ParamId::UID => event.uid.into(),
        ParamId::GID => event.gid.into(),
        ParamId::LOGINUID => i64::from(event.process.loginuid as i32),
        _ => return false,
    };
    paired(out, n, text)
}

fn open_param(event: &Event<'_>, o: &Open<'_>, name: ParamId, out: &mut Vec<u8>) -> bool {
    match name {
        ParamId::FD if o.ret >= 0 => {
            let field = event_typechar(event);
            let _ = write!(out, "<{field}>");
            put(out, o.name)
        }
        ParamId::FD => {
            symbol::write_errno(o.ret, out);
            true
        }
        ParamId::DIRFD => directory(o, out) || number(out, o.dirfd.into()),
        ParamId::NAME => put(out, as_shown(o.ret, o.given, o.name)),
        ParamId::FLAGS => {
            symbol::write_open_flags(o.flags, o.created, out);
            true
        }
        ParamId::RESOLVE if o.resolve != 0 => {
            symbol::write_resolve_flags(o.resolve, out);
            true
        }
        ParamId::MODE if o.mode == 0 => put(out, b"0"),
        ParamId::MODE => write!(out, "0{:o}", o.mode).is_ok(),
        ParamId::RESOLVE => number(out, o.resolve as i64),
        ParamId::DEV => write!(out, "{:X}", o.user_dev()).is_ok(),
        ParamId::INO => number(out, o.ino as i64),
        _ => false,
    }
}

fn event_typechar(event: &Event<'_>) -> &'static str {
    match event.body {
        Body::Open(o) if o.file_mode & 0o170_000 == 0o040_000 => "d",
        _ => "f",
    }
}

/// In place of a directory's descriptor: the working directory.
pub(crate) const AT_FDCWD: i32 = -100;

/// The error of a call that found something else where a directory had to be.
const ENOTDIR: i64 = -20;

/// What the directory of an opening is, as far as that is known: of an absolute path it is not, nor whether the descriptor
/// of an opening that failed so is one.
fn directory(o: &Open<'_>, out: &mut Vec<u8>) -> bool {
    if o.dirfd == AT_FDCWD {
        return put(out, b"AT_FDCWD");
    }
    let is_known = !o.base.is_empty() && o.ret != ENOTDIR;
    is_known && put(out, b"<d>") && put(out, o.base)
}

fn connect_param(c: &Connect<'_>, name: ParamId, out: &mut Vec<u8>) -> bool {
    match name {
        ParamId::RES if c.ret < 0 => {
            symbol::write_errno(c.ret, out);
            true
        }
        ParamId::RES => number(out, c.ret),
        ParamId::TUPLE => {
            let begin = out.len();
            endpoints(&c.socket, out);
            out.len() > begin || put(out, call_special::NOTHING)
        }
        // What is no socket is not known to be anything else either.
        ParamId::FD if c.socket.kind == 0 => number(out, c.socket.fd),
        ParamId::FD => {
            socket(&c.socket, out);
            true
        }
        ParamId::ADDR => match (c.socket.family, c.socket.remote) {
            (Family::Unix, _) if !c.socket.unix_path.is_empty() => put(out, c.socket.unix_path),
            (_, Some(remote)) => {
                // As the call was given it, not as the socket is counted.
                if remote.is_ipv4() && matches!(c.socket.family, Family::Mapped | Family::Inet6) {
                    out.extend_from_slice(b"::ffff:");
                }
                end(remote, out);
                true
            }
            _ => put(out, call_special::UNREADABLE),
        },
        _ => false,
    }
}

/// Appends a socket as a descriptor is decorated: its kind, its transport where it has its ends, its name.
pub(crate) fn socket(socket: &Socket<'_>, out: &mut Vec<u8>) {
    let is_inet = matches!(socket.family, Family::Inet | Family::Inet6);
    let transport = match socket.protocol {
        6 if is_inet && socket.ends().is_some() => "t",
        17 if is_inet && socket.ends().is_some() => "u",
        _ => "",
    };
    let _ = write!(out, "<{}{transport}>", socket.typechar());
    tuple(socket, out);
}

/// Appends `fd.name` of a socket: both ends, the one that waits, or the unix path; nothing while it has none. Of a socket
/// whose transport it does not know Falco writes no ends.
pub(crate) fn tuple(socket: &Socket<'_>, out: &mut Vec<u8>) {
    if socket.ends().is_some() || socket.family == Family::Unix && socket.connected {
        match socket.family {
            Family::Mapped => out.extend_from_slice(b"<unknown>"),
            _ => endpoints(socket, out),
        }
    } else if let Some(own) = socket.waits() {
        end(own, out);
    }
}

/// Appends the client's end and the server's, as far as they are known.
pub(crate) fn endpoints(socket: &Socket<'_>, out: &mut Vec<u8>) {
    if socket.family == Family::Unix {
        put(out, socket.unix_path);
        return;
    }
    let (first, second) = match socket.role {
        Role::Server => (socket.remote, socket.local),
        _ => (socket.local, socket.remote),
    };
    if let Some(first) = first {
        end(first, out);
        out.extend_from_slice(b"->");
    }
    if let Some(second) = second {
        end(second, out);
    }
}

/// An address and its port, without brackets also for IPv6, as Falco writes them.
fn end(addr: std::net::SocketAddr, out: &mut Vec<u8>) {
    let _ = write!(out, "{}:{}", addr.ip(), addr.port());
}

pub(crate) fn exec_param(event: &Event<'_>, ret: i64, name: ParamId, out: &mut Vec<u8>) -> bool {
    let p = event.process;
    match name {
        ParamId::RES if ret < 0 => {
            symbol::write_errno(ret, out);
            true
        }
        ParamId::RES => number(out, ret),
        ParamId::EXE => put(out, p.exe()),
        ParamId::ARGS => {
            let begin = out.len();
            for arg in p.args().skip(1) {
                out.extend_from_slice(arg);
                out.push(b'.');
            }
            out.len() > begin || put(out, b"NULL")
        }
        ParamId::TID | ParamId::PID | ParamId::COMM => put(out, &p.comm),
        ParamId::PTID => event.table.parent(p).is_some_and(|p| put(out, &p.comm)),
        // Falco's own sensor sends an empty one with every exec; what is known is `proc.cwd`.
        ParamId::CWD => true,
        ParamId::TTY => number(out, p.tty.into()),
        ParamId::VPGID => number(out, p.vpgid.into()),
        ParamId::PGID => number(out, p.pgid.into()),
        ParamId::LOGINUID => user(event, p.loginuid, out),
        ParamId::UID => user(event, event.uid, out),
        ParamId::GID => put(out, event.group_name(event.gid).unwrap_or(b"<NA>")),
        ParamId::CAP_INHERITABLE => write!(out, "{:X}", p.cap_inheritable).is_ok(),
        ParamId::CAP_PERMITTED => write!(out, "{:X}", p.cap_permitted).is_ok(),
        ParamId::CAP_EFFECTIVE => write!(out, "{:X}", p.cap_effective).is_ok(),
        ParamId::FDLIMIT
        | ParamId::PGFT_MAJ
        | ParamId::PGFT_MIN
        | ParamId::VM_SIZE
        | ParamId::VM_RSS
        | ParamId::VM_SWAP => match exec_usage(p, name) {
            Some(figure) => number(out, figure as i64),
            None => false,
        },
        ParamId::EXE_INO => number(out, p.exe_ino as i64),
        ParamId::EXE_INO_CTIME => instant(out, p.exe_ctime),
        ParamId::EXE_INO_MTIME => instant(out, p.exe_mtime),
        ParamId::TRUSTED_EXEPATH => put(out, &p.exe_path),
        ParamId::FILENAME if p.filename.starts_with(b"/") => put(out, &p.filename),
        ParamId::FILENAME => {
            write_absolute(&p.cwd, &p.filename, out);
            true
        }
        ParamId::FLAGS if exec_flags(p) == 0 => put(out, b"0"),
        ParamId::FLAGS => {
            for (at, flag) in EXEC_FLAGS.iter().filter(|flag| p.flags.has(flag.2)).enumerate() {
                if at > 0 {
                    out.push(b'|');
                }
                out.extend_from_slice(flag.0.as_bytes());
            }
            true
        }
        _ => false,
    }
}

/// What an exec tells of limits, faults and memory.
pub(crate) fn exec_usage(p: &Process, name: ParamId) -> Option<u64> {
    let usage = p.usage?;
    Some(match name {
        ParamId::FDLIMIT => usage.fd_limit,
        ParamId::PGFT_MAJ => usage.faults_major,
        ParamId::PGFT_MIN => usage.faults_minor,
        ParamId::VM_SIZE => usage.vm_size_kib.into(),
        ParamId::VM_RSS => usage.vm_rss_kib.into(),
        ParamId::VM_SWAP => usage.vm_swap_kib.into(),
        _ => return None,
    })
}

/// What Falco tells of an executed file: name, bit, ours. (Falco 0.44: `driver/flags_table.c`, `execve_flags`.)
const EXEC_FLAGS: [(&str, u32, ProcessFlags); 4] = [
    ("EXE_WRITABLE", 1, ProcessFlags::EXE_WRITABLE),
    ("EXE_UPPER_LAYER", 2, ProcessFlags::EXE_UPPER_LAYER),
    ("EXE_FROM_MEMFD", 4, ProcessFlags::MEMFD),
    ("EXE_LOWER_LAYER", 8, ProcessFlags::EXE_LOWER_LAYER),
];

/// Falco's bits of an executed file.
pub(crate) fn exec_flags(p: &Process) -> u32 {
    EXEC_FLAGS.iter().filter(|flag| p.flags.has(flag.2)).fold(0, |bits, flag| bits | flag.1)
}

/// A user's name; the text that Falco writes where no user logged in.
pub(crate) fn user(event: &Event<'_>, uid: u32, out: &mut Vec<u8>) -> bool {
    match uid {
        u32::MAX => put(out, b"<NONE>"),
        uid => put(out, event.user_name(uid).unwrap_or(b"<NA>")),
    }
}

/// A path parameter as text: a relative one made absolute, an absolute one as it was given. One that could not be read is
/// what the kernel found, or, where it found nothing either, Falco's words for that.
fn as_shown<'p>(ret: i64, given: &'p [u8], name: &'p [u8]) -> &'p [u8] {
    match given {
        [] if ret == EFAULT => call_special::UNREADABLE,
        [b'/', ..] => given,
        _ => name,
    }
}

/// The error of a call that was given an address where nothing is.
const EFAULT: i64 = -14;

/// A path as given, and made absolute in parentheses where it was not.
fn path_twice(out: &mut Vec<u8>, ret: i64, given: &[u8], name: &[u8]) -> bool {
    put(out, given);
    if given.is_empty() {
        return put(out, as_shown(ret, given, name));
    }
    if !given.starts_with(b"/") {
        out.push(b'(');
        put(out, name);
        out.push(b')');
    }
    true
}

/// An instant, given in seconds, with its date.
fn instant(out: &mut Vec<u8>, seconds: i64) -> bool {
    write_clock(nanoseconds(seconds), true, true, "", out);
    true
}

/// `n(text)`, or `n` alone where there is no text.
fn paired(out: &mut Vec<u8>, n: i64, text: impl FnOnce(&mut Vec<u8>) -> bool) -> bool {
    let _ = write!(out, "{n}(");
    let begin = out.len();
    if text(out) && out.len() > begin {
        out.push(b')');
    } else {
        out.truncate(begin - 1);
    }
    true
}

/// A negative result as `-2(ENOENT)`.
fn result(out: &mut Vec<u8>, ret: i64) -> bool {
    paired(out, ret, |out| {
        symbol::write_errno(ret, out);
        true
    })
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    out.extend_from_slice(bytes);
    true
}

fn number(out: &mut Vec<u8>, n: i64) -> bool {
    write!(out, "{n}").is_ok()
}
