//! Fields that are taken from the descriptor of an [`crate::Event`]: the file that was opened, the socket that was connected.
//! There is no table of descriptors; the record itself says what the descriptor is.

use std::net::SocketAddr;

use crate::event::{Body, Connect, Event, Family, Open, rendered, text};
use crate::event_type::EventType;
use crate::field::FieldId;
use crate::value::Value;
use crate::{path, render, symbol};

/// Permission denied as a call returns it. Falco takes this number for "no descriptor" where it asks for the path of an
/// opening, and then has none.
const EPERM: i64 = -1;

impl Event<'_> {
    pub(crate) fn fd_field<'s>(&'s self, id: FieldId, buf: &'s mut Vec<u8>) -> Value<'s> {
        let number = match &self.body {
            Body::Open(o) => o.fd_num(),
            Body::Connect(c) => i64::from(c.fd),
            Body::ExecFailed { .. } | Body::Exec | Body::Exit { .. } => return Value::Absent,
        };
        let prefixed = match id {
            FieldId::FD_UID => {
                let thread = Value::Uint(self.tid.into());
                return rendered(buf, |b| {
                    thread.write_text(b);
                    Value::Int(number).write_text(b);
                });
            }
            FieldId::FD_CONTAINERNAME => FieldId::FD_NAME,
            FieldId::FD_CONTAINERDIRECTORY => FieldId::FD_DIRECTORY,
            _ => return self.body_field(id, buf),
        };
        let begin = buf.len();
        buf.extend_from_slice(self.process.container.as_bytes());
        buf.push(b':');
        let named = buf.len();
        if let (Body::Connect(c), FieldId::FD_NAME) = (&self.body, prefixed) {
            render::tuple(c, buf);
            return Value::Bytes(&buf[begin..]);
        }
        if let Body::Open(o) = &self.body
            && let Value::Bytes(name) = o.fd_field(prefixed, self.kind)
        {
            buf.extend_from_slice(name);
        }
        if buf.len() == named { Value::Absent } else { Value::Bytes(&buf[begin..]) }
    }

    fn body_field<'s>(&'s self, id: FieldId, buf: &'s mut Vec<u8>) -> Value<'s> {
        match &self.body {
            Body::Open(o) => o.fd_field(id, self.kind),
            Body::Connect(c) => c.fd_field(id, buf),
            Body::ExecFailed { .. } | Body::Exec | Body::Exit { .. } => Value::Absent,
        }
    }
}

impl<'a> Open<'a> {
    /// The descriptor, or -1 when there is none.
    fn fd_num(&self) -> i64 {
        self.ret.max(-1)
    }

    /// The device as user space numbers it: the minor's low byte, the major, the rest of the minor.
    pub(crate) fn user_dev(&self) -> u32 {
        let (major, minor) = (self.dev >> 20, self.dev & 0xf_ffff);
        minor & 0xff | major << 8 | (minor & !0xff) << 12
    }

    /// What `fs.path.name` has, where it has something: like `fd.name`, but the path of a relative opening that failed is
    /// known to Falco only of the call that takes no directory.
    fn path_name(&self, kind: EventType) -> Value<'a> {
        match kind {
            EventType::OPENAT | EventType::OPENAT2 if self.ret < 0 && !self.given.starts_with(b"/") => {
                Value::Bytes(b"<UNKNOWN>")
            }
            _ => text(Some(self.name)),
        }
    }

    /// Whether reading was asked for.
    pub fn asks_read(&self) -> bool {
        matches!(self.flags & 3, 0 | 2)
    }

    /// Whether writing was asked for.
    pub fn asks_write(&self) -> bool {
        matches!(self.flags & 3, 1 | 2)
    }

    pub(crate) fn flag_field(&self, id: FieldId, kind: EventType) -> Value<'a> {
        const O_CREAT: u64 = 0o100;
        match id {
            // Falco does not count creat among those that it asks for their direction.
            FieldId::EVT_IS_OPEN_READ => Value::Bool(self.asks_read() && kind != EventType::CREAT),
            FieldId::EVT_IS_OPEN_WRITE => Value::Bool(self.asks_write() && kind != EventType::CREAT),
            FieldId::EVT_IS_OPEN_EXEC => Value::Bool(self.flags & O_CREAT != 0 && self.mode & 0o111 != 0),
            FieldId::EVT_IS_OPEN_CREATE => Value::Bool(self.created),
            _ => Value::Absent,
        }
    }

    fn is_directory(&self) -> bool {
        self.file_mode & 0o170_000 == 0o040_000 || self.flags & symbol::O_DIRECTORY != 0
    }

    fn fd_field(&self, id: FieldId, kind: EventType) -> Value<'a> {
        let opened = self.ret >= 0;
        match id {
            FieldId::FD_NUM => Value::Int(self.fd_num()),
            FieldId::FD_TYPE if opened => {
                Value::Bytes(if self.is_directory() { b"directory" } else { b"file" })
            }
            FieldId::FD_TYPECHAR => Value::Bytes(if self.is_directory() { b"d" } else { b"f" }),
            FieldId::FD_NAME => text(Some(self.name)),
            // Of creat it has no path.
            FieldId::FS_PATH_NAME | FieldId::FS_PATH_NAMERAW
                if self.ret == EPERM || kind == EventType::CREAT =>
            {
                Value::Absent
            }
            FieldId::FS_PATH_NAME => self.path_name(kind),
            FieldId::FD_REALPATH => text(Some(self.real)),
            FieldId::FD_NAMERAW | FieldId::FS_PATH_NAMERAW => text(Some(self.given)),
            // A directory is its own directory, and has no file name.
            FieldId::FD_DIRECTORY if opened && self.is_directory() => text(Some(self.name)),
            FieldId::FD_DIRECTORY => text(path::directory(self.name)),
            FieldId::FD_FILENAME if opened && !self.is_directory() => text(Some(path::file_name(self.name))),
            FieldId::FD_DEV if opened => Value::Int(self.user_dev().into()),
            FieldId::FD_DEV_MAJOR if opened => Value::Int((self.dev >> 20).into()),
            FieldId::FD_DEV_MINOR if opened => Value::Int((self.dev & 0xf_ffff).into()),
            FieldId::FD_INO if opened => Value::Int(self.ino as i64),
            // What Falco says of a file when it is asked for what only a socket has.
            FieldId::FD_CONNECTED | FieldId::FD_IS_SERVER if opened => Value::Bool(false),
            FieldId::FD_L4PROTO if opened => Value::Bytes(b"<NA>"),
            FieldId::FD_NAME_CHANGED if opened => Value::Bool(true),
            _ => Value::Absent,
        }
    }
}

impl Connect<'_> {
    pub(crate) fn fd_field<'s>(&'s self, id: FieldId, buf: &'s mut Vec<u8>) -> Value<'s> {
        let ends = self.ends();
        let ip = |end: Option<SocketAddr>| end.map_or(Value::Absent, |e| Value::Ip(e.ip()));
        let port = |end: Option<SocketAddr>| end.map_or(Value::Absent, |e| Value::Port(e.port()));
        let (local, remote) = ends.unzip();
        let port_text = |end: Option<SocketAddr>, buf: &'s mut Vec<u8>| match end {
            Some(end) => rendered(buf, |b| Value::Port(end.port()).write_text(b)),
            None => Value::Absent,
        };
        match id {
            FieldId::FD_NUM => Value::Int(self.fd.into()),
            FieldId::FD_TYPE => Value::Bytes(match self.family {
                Family::Unix => b"unix",
                Family::Inet | Family::Mapped => b"ipv4",
                Family::Inet6 => b"ipv6",
                Family::Other(_) => return Value::Absent,
            }),
            FieldId::FD_TYPECHAR => Value::Bytes(match self.family {
                Family::Unix => b"u",
                Family::Inet | Family::Mapped => b"4",
                Family::Inet6 => b"6",
                Family::Other(_) => b"o",
            }),
            FieldId::FD_NAME => rendered(buf, |b| render::tuple(self, b)),
            FieldId::FD_NAMERAW => Value::Bytes(b""),
            // And of a socket, when it is asked for what only a file has.
            FieldId::FD_DEV | FieldId::FD_DEV_MAJOR | FieldId::FD_DEV_MINOR | FieldId::FD_INO => {
                Value::Int(0)
            }
            // The caller of connect is the client: its end is the local one.
            FieldId::FD_CIP | FieldId::FD_LIP | FieldId::FD_CNET | FieldId::FD_LNET => ip(local),
            FieldId::FD_SIP | FieldId::FD_RIP | FieldId::FD_SNET | FieldId::FD_RNET => ip(remote),
            FieldId::FD_CPORT | FieldId::FD_LPORT => port(local),
            FieldId::FD_SPORT | FieldId::FD_RPORT => port(remote),
            FieldId::FD_CPROTO | FieldId::FD_LPROTO => port_text(local, buf),
            FieldId::FD_SPROTO | FieldId::FD_RPROTO => port_text(remote, buf),
            FieldId::FD_L4PROTO => Value::Bytes(match (ends.is_some(), self.family, self.protocol) {
                (true, Family::Inet | Family::Inet6, 6) => b"tcp",
                (true, Family::Inet | Family::Inet6, 17) => b"udp",
                (true, Family::Inet | Family::Inet6, 1 | 58) => b"icmp",
                (true, Family::Inet | Family::Inet6, _) => b"raw",
                _ => b"<NA>",
            }),
            FieldId::FD_SOCKFAMILY => Value::Bytes(match self.family {
                Family::Unix => b"unix",
                Family::Inet | Family::Mapped | Family::Inet6 => b"ip",
                Family::Other(_) => return Value::Absent,
            }),
            FieldId::FD_IS_SERVER => Value::Bool(remote.is_some_and(|r| r.ip().is_loopback())),
            FieldId::FD_CONNECTED => Value::Bool(self.is_connected()),
            FieldId::FD_NAME_CHANGED => Value::Bool(ends.is_some()),
            _ => Value::Absent,
        }
    }
}
