//! Parameters of an event as text: `evt.arg.NAME`, `evt.args`, and the two ends of a connection. Descriptors are
//! decorated with what they are, paths with what they resolve to, results and ids with their names, as Falco does.

use std::io::Write as _;

use crate::event::{Body, Connect, Event, Family, Open};
use crate::field::{Arg, FieldId, FieldRef, FieldType};
use crate::param_types::Radix;
use crate::params::{self, ParamId};
use crate::path::write_absolute;
use crate::symbol;
use crate::time::WallTime;
use crate::value::Value;

/// Fields that print nine digits at least: what is left of a second.
const PADDED: [FieldId; 5] = [
    FieldId::EVT_RAWTIME_NS,
    FieldId::EVT_RELTIME,
    FieldId::EVT_RELTIME_NS,
    FieldId::EVT_DELTATIME_NS,
    FieldId::EVT_LATENCY_NS,
];

impl FieldRef {
    /// Whether alerts have its values as they print although they are no texts: numbers to another base than ten, and
    /// networks.
    pub fn is_text_in_json(&self) -> bool {
        match &self.arg {
            Arg::Param(param) if self.id == FieldId::EVT_RAWARG => param.radix() != Radix::Decimal,
            _ => self.id == FieldId::FD_DEV || self.ty() == FieldType::Net,
        }
    }

    /// Appends a value of this field as an output template prints it: clock fields as a clock, the others as
    /// [`Value::write_text`] does.
    pub fn write_text(&self, value: &Value<'_>, out: &mut Vec<u8>) {
        // Writing to a Vec cannot fail.
        let ns = match (value, &self.arg) {
            (Value::Time(ns), _) => *ns,
            (Value::Span(ns), _) if PADDED.contains(&self.id) => return drop(write!(out, "{ns:09}")),
            (Value::Uint(n), Arg::Param(param)) if self.id == FieldId::EVT_RAWARG => {
                return drop(match param.radix() {
                    Radix::Octal => write!(out, "{n:o}"),
                    Radix::Decimal => write!(out, "{n}"),
                    Radix::Hexadecimal => write!(out, "{n:X}"),
                });
            }
            // Falco writes devices in hexadecimal.
            (Value::Int(n), _) if self.id == FieldId::FD_DEV => return drop(write!(out, "{:X}", *n as i32)),
            (Value::Ip(_), _) if self.ty() == FieldType::Net => return out.extend_from_slice(b"<IPNET>"),
            _ => return value.write_text(out),
        };
        if PADDED.contains(&self.id) {
            return drop(write!(out, "{ns:09}"));
        }
        let c = WallTime(ns).civil();
        let (date, nanos, zone) = match self.id {
            FieldId::EVT_TIME | FieldId::EVT_OUTPUTTIME => (false, true, ""),
            FieldId::EVT_TIME_S => (false, false, ""),
            FieldId::EVT_TIME_ISO => (true, true, "+0000"),
            FieldId::EVT_DATETIME => (true, true, ""),
            FieldId::EVT_DATETIME_S => (true, false, ""),
            _ => return value.write_text(out),
        };
        if date {
            let between = if zone.is_empty() { ' ' } else { 'T' };
            let _ = write!(out, "{:04}-{:02}-{:02}{between}", c.year, c.month, c.day);
        }
        let _ = write!(out, "{:02}:{:02}:{:02}", c.hour, c.minute, c.second);
        if nanos {
            let _ = write!(out, ".{:09}", c.nano);
        }
        out.extend_from_slice(zone.as_bytes());
    }
}

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
        Body::Exec => exec_param(event, 0, name, out),
        Body::ExecFailed { ret, name: file, .. } => match name {
            ParamId::FILENAME => put(out, file),
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
        (Body::Open(o), ParamId::FD) if o.ret >= 0 => {
            paired(out, o.ret, |out| open_param(event, &o, name, out))
        }
        (Body::Open(o), ParamId::FD) => result(out, o.ret),
        (Body::Open(o), ParamId::DIRFD) => paired(out, o.dirfd.into(), |out| dirfd(o.dirfd, out)),
        (Body::Open(o), ParamId::FLAGS) => {
            paired(out, symbol::open_flags_number(o.flags, o.created).into(), |out| {
                symbol::write_open_flags(o.flags, o.created, out);
                true
            })
        }
        (Body::Open(o), ParamId::NAME) => {
            put(out, o.given);
            if o.given != o.name {
                let _ = write!(out, "(");
                put(out, o.name);
                out.push(b')');
            }
            true
        }
        (Body::Connect(c), ParamId::RES) if c.ret < 0 => result(out, c.ret),
        (Body::Connect(c), ParamId::FD) => paired(out, c.fd.into(), |out| connect_param(&c, name, out)),
        (Body::ExecFailed { ret, .. }, ParamId::RES) => result(out, ret),
        (
            Body::Exec | Body::ExecFailed { .. },
            ParamId::TID | ParamId::PID | ParamId::PTID | ParamId::UID | ParamId::LOGINUID | ParamId::GID,
        ) => {
            let n = match name {
                ParamId::TID => event.tid.into(),
                ParamId::PID => event.process.key.pid.into(),
                ParamId::PTID => event.process.parent.pid.into(),
                ParamId::UID => event.uid.into(),
                ParamId::GID => event.gid.into(),
                _ => i64::from(event.process.loginuid as i32),
            };
            paired(out, n, |out| param(event, name, out))
        }
        _ => param(event, name, out),
    }
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
        ParamId::DIRFD => dirfd(o.dirfd, out),
        ParamId::NAME => put(out, o.name),
        ParamId::FLAGS | ParamId::CREAT_FLAGS => {
            symbol::write_open_flags(o.flags, o.created, out);
            true
        }
        ParamId::MODE if o.mode == 0 => put(out, b"0"),
        ParamId::MODE => write!(out, "0{:o}", o.mode).is_ok(),
        ParamId::RESOLVE => number(out, o.resolve as i64),
        ParamId::DEV => number(out, o.dev.into()),
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

fn dirfd(fd: i32, out: &mut Vec<u8>) -> bool {
    const AT_FDCWD: i32 = -100;
    if fd == AT_FDCWD { put(out, b"AT_FDCWD") } else { number(out, fd.into()) }
}

fn connect_param(c: &Connect<'_>, name: ParamId, out: &mut Vec<u8>) -> bool {
    match name {
        ParamId::RES if c.ret < 0 => {
            symbol::write_errno(c.ret, out);
            true
        }
        ParamId::RES => number(out, c.ret),
        ParamId::TUPLE => {
            endpoints(c, out);
            true
        }
        ParamId::FD => {
            let (family, is_inet) = match c.family {
                Family::Unix => ("u", false),
                Family::Inet => ("4", true),
                Family::Inet6 => ("6", true),
                Family::Other(_) => ("o", false),
            };
            // The transport is told of a socket that has its ends.
            let transport = match c.protocol {
                6 if is_inet && c.is_connected() => "t",
                17 if is_inet && c.is_connected() => "u",
                _ => "",
            };
            let _ = write!(out, "<{family}{transport}>");
            tuple(c, out);
            true
        }
        ParamId::ADDR => match (c.family, c.remote) {
            (Family::Unix, _) => put(out, c.unix_path),
            (_, Some(remote)) => {
                end(remote, out);
                true
            }
            _ => false,
        },
        _ => false,
    }
}

/// Appends `fd.name` of a connecting socket: both ends, or the unix path; nothing while it is not connected.
pub(crate) fn tuple(c: &Connect<'_>, out: &mut Vec<u8>) {
    if c.is_connected() {
        endpoints(c, out);
    }
}

fn endpoints(c: &Connect<'_>, out: &mut Vec<u8>) {
    if c.family == Family::Unix {
        put(out, c.unix_path);
        return;
    }
    if let Some(local) = c.local {
        end(local, out);
        out.extend_from_slice(b"->");
    }
    if let Some(remote) = c.remote {
        end(remote, out);
    }
}

/// An address and its port, without brackets also for IPv6, as Falco writes them.
fn end(addr: std::net::SocketAddr, out: &mut Vec<u8>) {
    let _ = write!(out, "{}:{}", addr.ip(), addr.port());
}

fn exec_param(event: &Event<'_>, ret: i64, name: ParamId, out: &mut Vec<u8>) -> bool {
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
        ParamId::CWD => put(out, &p.cwd),
        ParamId::TTY => number(out, p.tty.into()),
        ParamId::VPGID => number(out, p.vpgid.into()),
        ParamId::PGID => number(out, p.pgid.into()),
        ParamId::LOGINUID => user(event, p.loginuid, out),
        ParamId::UID => user(event, event.uid, out),
        ParamId::GID => put(out, event.names.group(event.gid).unwrap_or(b"<NA>")),
        ParamId::CAP_EFFECTIVE => number(out, p.cap_effective as i64),
        ParamId::EXE_INO => number(out, p.exe_ino as i64),
        ParamId::TRUSTED_EXEPATH => put(out, &p.exe_path),
        ParamId::FILENAME => {
            write_absolute(&p.cwd, &p.filename, out);
            true
        }
        ParamId::FLAGS => {
            if p.flags.has(crate::process::ProcessFlags::MEMFD) {
                put(out, b"EXE_FROM_MEMFD")
            } else {
                put(out, b"0")
            }
        }
        _ => false,
    }
}

fn user(event: &Event<'_>, uid: u32, out: &mut Vec<u8>) -> bool {
    put(out, event.names.user(uid).unwrap_or(b"<NA>"))
}

/// `n(text)`.
fn paired(out: &mut Vec<u8>, n: i64, text: impl FnOnce(&mut Vec<u8>) -> bool) -> bool {
    let _ = write!(out, "{n}(");
    if text(out) {
        out.push(b')');
    } else {
        out.pop();
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
