//! Fields that are taken from the descriptor of an [`crate::Event`]: the file that was opened, the socket that was connected.
//! There is no table of descriptors; the record itself says what the descriptor is.

use std::sync::Arc;

use crate::call::{Call, Descriptor, user_dev};
use crate::event::{Body, Event, Layer, Open, rendered, text};
use crate::event_type::EventType;
use crate::field::FieldId;
use crate::socket::Socket;
use crate::value::Value;
use crate::{path, render, symbol};

/// Permission denied as a call returns it. Falco takes this number for "no descriptor" where it asks for the path of an
/// opening, and then has none.
const EPERM: i64 = -1;

impl Event<'_> {
    pub(crate) fn fd_field<'s>(&'s self, id: FieldId, buf: &'s mut Vec<u8>) -> Value<'s> {
        let number = match &self.body {
            Body::Open(o) => o.fd_num(),
            Body::Connect(c) => c.socket.fd,
            Body::Call(c) => {
                if let FieldId::FS_PATH_NAME
                | FieldId::FS_PATH_NAMERAW
                | FieldId::FS_PATH_SOURCE
                | FieldId::FS_PATH_SOURCERAW
                | FieldId::FS_PATH_TARGET
                | FieldId::FS_PATH_TARGETRAW = id
                {
                    return c.path_field(self.kind, id);
                }
                match c.number(self.kind) {
                    Some(number) => number,
                    None => return Value::Absent,
                }
            }
            Body::ExecFailed { .. } | Body::Exec | Body::Exit { .. } => return Value::Absent,
        };
        let prefixed = match id {
            FieldId::FD_CIP_NAME | FieldId::FD_SIP_NAME | FieldId::FD_LIP_NAME | FieldId::FD_RIP_NAME => {
                let first = self.host_names(id).and_then(<[_]>::first);
                return Value::bytes_or_absent(first.map(|name| &**name));
            }
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
        if let (Some(socket), FieldId::FD_NAME) = (self.socket(), prefixed) {
            render::tuple(socket, buf);
            return Value::Bytes(&buf[begin..]);
        }
        let name = match &self.body {
            Body::Open(o) => o.fd_field(prefixed, self.kind),
            Body::Call(Call { descriptor: Some(Descriptor::File(file)), .. }) => file.fd_field(prefixed),
            _ => Value::Absent,
        };
        if let Value::Bytes(name) = name {
            buf.extend_from_slice(name);
        }
        if buf.len() == named { Value::Absent } else { Value::Bytes(&buf[begin..]) }
    }

    /// Of the host names that rules mention, those that lead to an end of the connection. The end is `None` where the
    /// event is about no connection.
    pub(crate) fn host_names(&self, id: FieldId) -> Option<&[Arc<[u8]>]> {
        let socket = self.socket()?;
        let ip = match id {
            FieldId::FD_CIP_NAME => socket.ends()?.0,
            FieldId::FD_SIP_NAME => socket.ends().map(|(_, server)| server).or(socket.waits())?,
            FieldId::FD_LIP_NAME => socket.sides().map(|(local, _)| local).or(socket.waits())?,
            _ => socket.sides()?.1,
        };
        Some(self.names.hosts_at(ip.ip()))
    }

    /// The socket that the event is about.
    pub(crate) fn socket(&self) -> Option<&Socket<'_>> {
        match &self.body {
            Body::Connect(c) => Some(&c.socket),
            Body::Call(Call { descriptor: Some(Descriptor::Socket(socket)), .. }) => Some(socket),
            _ => None,
        }
    }

    fn body_field<'s>(&'s self, id: FieldId, buf: &'s mut Vec<u8>) -> Value<'s> {
        match &self.body {
            Body::Open(o) => o.fd_field(id, self.kind),
            Body::Connect(c) => c.socket.fd_field(id, buf),
            Body::Call(c) => c.fd_field(self.kind, id, buf),
            Body::ExecFailed { .. } | Body::Exec | Body::Exit { .. } => Value::Absent,
        }
    }
}

impl<'a> Open<'a> {
    /// The descriptor, or -1 when there is none.
    fn fd_num(&self) -> i64 {
        self.ret.max(-1)
    }

    /// The device as user space numbers it.
    pub(crate) fn user_dev(&self) -> u32 {
        user_dev(self.dev)
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
            FieldId::FD_IS_UPPER_LAYER if opened => Value::Bool(self.layer == Layer::Upper),
            FieldId::FD_IS_LOWER_LAYER if opened => Value::Bool(self.layer == Layer::Lower),
            // What Falco says of a file when it is asked for what only a socket has.
            FieldId::FD_CONNECTED | FieldId::FD_IS_SERVER if opened => Value::Bool(false),
            FieldId::FD_L4PROTO if opened => Value::Bytes(b"<NA>"),
            FieldId::FD_NAME_CHANGED if opened => Value::Bool(true),
            _ => Value::Absent,
        }
    }
}
