//! Fields that are taken from the descriptor of an [`crate::Event`]: the file that was opened, the socket that was connected.
//! There is no table of descriptors; the record itself says what the descriptor is.

use std::net::SocketAddr;

use crate::event::{Connect, Family, Open, rendered, text};
use crate::event_type::EventType;
use crate::field::FieldId;
use crate::value::Value;
use crate::{path, render, symbol};

impl<'a> Open<'a> {
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

    pub(crate) fn fd_field(&self, id: FieldId) -> Value<'a> {
        let opened = self.ret >= 0;
        match id {
            FieldId::FD_NUM => Value::Int(if opened { self.ret } else { -1 }),
            FieldId::FD_TYPE if opened => {
                Value::Bytes(if self.is_directory() { b"directory" } else { b"file" })
            }
            FieldId::FD_TYPECHAR => Value::Bytes(if self.is_directory() { b"d" } else { b"f" }),
            FieldId::FD_NAME | FieldId::FS_PATH_NAME => text(Some(self.name)),
            FieldId::FD_REALPATH => text(Some(self.real)),
            FieldId::FD_NAMERAW | FieldId::FS_PATH_NAMERAW => text(Some(self.given)),
            FieldId::FD_DIRECTORY => text(path::directory(self.name)),
            FieldId::FD_FILENAME if opened => text(Some(path::file_name(self.name))),
            FieldId::FD_DEV if opened => Value::Int(self.dev.into()),
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
        let inet = matches!(self.family, Family::Inet | Family::Inet6);
        match id {
            FieldId::FD_NUM => Value::Int(self.fd.into()),
            FieldId::FD_TYPE => Value::Bytes(match self.family {
                Family::Unix => b"unix",
                Family::Inet => b"ipv4",
                Family::Inet6 => b"ipv6",
                Family::Other(_) => return Value::Absent,
            }),
            FieldId::FD_TYPECHAR => Value::Bytes(match self.family {
                Family::Unix => b"u",
                Family::Inet => b"4",
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
            FieldId::FD_L4PROTO if inet => Value::Bytes(match (ends.is_some(), self.protocol) {
                (false, _) => b"<NA>",
                (true, 6) => b"tcp",
                (true, 17) => b"udp",
                (true, 1 | 58) => b"icmp",
                (true, _) => b"raw",
            }),
            FieldId::FD_SOCKFAMILY => Value::Bytes(match self.family {
                Family::Unix => b"unix",
                Family::Inet | Family::Inet6 => b"ip",
                Family::Other(_) => return Value::Absent,
            }),
            FieldId::FD_IS_SERVER => Value::Bool(remote.is_some_and(|r| r.ip().is_loopback())),
            FieldId::FD_CONNECTED => Value::Bool(self.is_connected()),
            FieldId::FD_NAME_CHANGED => Value::Bool(ends.is_some()),
            _ => Value::Absent,
        }
    }
}
