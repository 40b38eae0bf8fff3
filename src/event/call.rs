//! [`Call`]: what an event tells of a syscall that has no body of its own: numbers, texts, and the descriptor that it is
//! about. What each event type has of it is said in `call_params.rs`.

use crate::event::text;
use crate::event_type::EventType;
use crate::field::{Arg, FieldId};
use crate::path;
use crate::socket::Socket;
use crate::value::Value;

/// A text that a call was given.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given<'a> {
    /// As given.
    pub text: &'a [u8],
    /// Of a path: made absolute, symlinks left alone. Else empty.
    pub absolute: &'a [u8],
    /// It could not be read: nothing was given, or an address where nothing is.
    pub unreadable: bool,
}

/// What a descriptor is.
#[derive(Clone, Copy, Debug)]
pub enum Descriptor<'a> {
    /// A file, a pipe, or something without a name in any tree.
    File(File<'a>),
    /// A socket.
    Socket(Socket<'a>),
}

/// A descriptor that is no socket.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// Its number.
    pub fd: i64,
    /// Path as the kernel has it: `/etc/hosts`, `memfd:name`, `[eventfd]`; empty for a pipe.
    pub path: &'a [u8],
    /// Mode word, its type among it.
    pub mode: u16,
    /// Device, as the kernel writes it: major in the bits from 20 up.
    pub dev: u32,
    /// Inode.
    pub ino: u64,
}

/// A syscall.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// What it returned.
    pub ret: i64,
    /// Its arguments. Those of a 32-bit call are widened without sign.
    pub args: [u64; 6],
    /// The first text that it was given.
    pub first: Given<'a>,
    /// The second.
    pub second: Given<'a>,
    /// The address that it was given or gave, as `ADDRESS:PORT` or the path of a unix socket; empty when there is none.
    pub address: &'a [u8],
    /// The first bytes of its data; of `mount`, the type of the file system.
    pub data: &'a [u8],
    /// The data could not be read.
    pub data_unreadable: bool,
    /// Bytes in all buffers of a message; connections that wait in a queue; inheritable capabilities; what an option of
    /// `prctl` was answered.
    pub aux: u64,
    /// How many connections may wait.
    pub queue_max: u32,
    /// Permitted and effective capabilities after the call.
    pub capabilities: Option<(u64, u64)>,
    /// The descriptor that it is about.
    pub descriptor: Option<Descriptor<'a>>,
}

impl Call<'_> {
    pub(crate) fn fd_field<'s>(&'s self, kind: EventType, id: FieldId, buf: &'s mut Vec<u8>) -> Value<'s> {
        match &self.descriptor {
            Some(Descriptor::Socket(socket)) => socket.fd_field(id, buf),
            Some(Descriptor::File(file)) => file.fd_field(id),
            None => self.without_descriptor(kind, id),
        }
    }

    /// What Falco says where there is no descriptor: a number that the call was given or gave, a letter by the event's type.
    fn without_descriptor(&self, kind: EventType, id: FieldId) -> Value<'_> {
        let Some(number) = self.fd_number(kind) else { return Value::Absent };
        match id {
            FieldId::FD_NUM => Value::Int(number.max(-1)),
            FieldId::FD_TYPECHAR => Value::Bytes(match kind {
                EventType::ACCEPT | EventType::ACCEPT4 | EventType::SOCKET => b"4",
                _ => b"o",
            }),
            _ => Value::Absent,
        }
    }

    /// The number of the descriptor that the event is about; `None` for events without one.
    fn fd_number(&self, kind: EventType) -> Option<i64> {
        let given = |arg: u64| i64::from(arg as i32);
        Some(match kind {
            EventType::ACCEPT
            | EventType::ACCEPT4
            | EventType::SOCKET
            | EventType::BPF
            | EventType::DUP
            | EventType::DUP2
            | EventType::DUP3
            | EventType::MEMFD_CREATE
            | EventType::PIDFD_OPEN
            | EventType::PIDFD_GETFD
            | EventType::USERFAULTFD
            | EventType::IO_URING_SETUP => self.ret,
            EventType::SENDTO
            | EventType::SENDMSG
            | EventType::RECVFROM
            | EventType::RECVMSG
            | EventType::BIND
            | EventType::LISTEN
            | EventType::FCHDIR
            | EventType::FCHMOD
            | EventType::FCHMODAT
            | EventType::MKDIRAT
            | EventType::UNLINKAT
            | EventType::SETNS
            | EventType::FINIT_MODULE => given(self.args[0]),
            EventType::SYMLINKAT => given(self.args[1]),
            _ => return None,
        })
    }

    pub(crate) fn number(&self, kind: EventType) -> Option<i64> {
        match &self.descriptor {
            Some(Descriptor::Socket(socket)) => Some(socket.fd),
            Some(Descriptor::File(file)) => Some(file.fd),
            None => self.fd_number(kind).map(|number| number.max(-1)),
        }
    }

    /// The two paths that `fs.path.source` and `fs.path.target` are of.
    fn two_paths(&self, kind: EventType) -> Option<(Given<'_>, Given<'_>)> {
        match kind {
            EventType::RENAME
            | EventType::RENAMEAT
            | EventType::RENAMEAT2
            | EventType::LINK
            | EventType::LINKAT => Some((self.first, self.second)),
            // The text that a symlink holds comes first, the new name second.
            EventType::SYMLINK | EventType::SYMLINKAT => Some((self.second, self.first)),
            _ => None,
        }
    }

    /// The one path that `fs.path.name` is of.
    fn one_path(&self, kind: EventType) -> Option<Given<'_>> {
        match kind {
            EventType::CHMOD
            | EventType::FCHMODAT
            | EventType::MKDIR
            | EventType::MKDIRAT
            | EventType::RMDIR
            | EventType::UNLINK
            | EventType::UNLINKAT
            | EventType::CHROOT
            | EventType::UMOUNT
            | EventType::UMOUNT2 => Some(self.first),
            EventType::MOUNT => Some(self.second),
            _ => None,
        }
    }

    /// `evt.abspath` of calls that take a directory's descriptor; `.src` and `.dst` are of those with two paths.
    pub(crate) fn absolute_path(&self, kind: EventType, arg: &Arg) -> Value<'_> {
        let side = match arg {
            Arg::Key(side) => &**side,
            _ => "",
        };
        let given = match (kind, side) {
            (EventType::MKDIRAT | EventType::UNLINKAT | EventType::FCHMODAT, "")
            | (EventType::LINKAT | EventType::RENAMEAT | EventType::RENAMEAT2, "src") => self.first,
            (EventType::SYMLINKAT, "")
            | (EventType::LINKAT | EventType::RENAMEAT | EventType::RENAMEAT2, "dst") => self.second,
            _ => return Value::Absent,
        };
        text(Some(given.resolved()))
    }

    /// `fs.path.*`.
    pub(crate) fn path_field(&self, kind: EventType, id: FieldId) -> Value<'_> {
        let (one, two) = (self.one_path(kind), self.two_paths(kind));
        let given = match id {
            FieldId::FS_PATH_NAME | FieldId::FS_PATH_NAMERAW => one,
            FieldId::FS_PATH_SOURCE | FieldId::FS_PATH_SOURCERAW => two.map(|two| two.0),
            _ => two.map(|two| two.1),
        };
        text(given.map(|given| match id {
            FieldId::FS_PATH_NAME | FieldId::FS_PATH_SOURCE | FieldId::FS_PATH_TARGET => given.resolved(),
            _ => given.text,
        }))
    }

    /// The payload that was sent or received.
    pub(crate) fn buffer(&self, kind: EventType) -> Option<&[u8]> {
        kind.io_direction().map(|_| self.data)
    }
}

impl<'a> Given<'a> {
    /// Made absolute; a text that is no path as it is.
    pub(crate) fn resolved(&self) -> &'a [u8] {
        if self.absolute.is_empty() { self.text } else { self.absolute }
    }
}

/// Directory, pipe, character device, block device, regular file: the type bits of a mode word.
const S_IFMT: u16 = 0o170_000;
const S_IFIFO: u16 = 0o010_000;
const S_IFDIR: u16 = 0o040_000;

/// Names of files without a place in any tree: how they begin, Falco's letter, Falco's word.
const NAMELESS: &[(&[u8], &str, &str)] = &[
    (b"memfd:", "m", "memfd"),
    (b"[eventfd", "e", "event"),
    (b"[signalfd", "s", "signalfd"),
    (b"[eventpoll", "l", "eventpoll"),
    (b"inotify", "i", "inotify"),
    (b"[timerfd", "t", "timerfd"),
    (b"bpf", "b", "bpf"),
    (b"[userfaultfd", "u", "userfaultfd"),
    (b"[io_uring", "r", "io_uring"),
    (b"[pidfd", "P", "pidfd"),
    (b"pidfd", "P", "pidfd"),
];

impl File<'_> {
    /// Falco's letter and word for what it is.
    fn kind(&self) -> (&'static str, &'static str) {
        match self.mode & S_IFMT {
            S_IFDIR => return ("d", "directory"),
            S_IFIFO => return ("p", "pipe"),
            _ if self.path.starts_with(b"/") => return ("f", "file"),
            _ => {}
        }
        let known = NAMELESS.iter().find(|(begin, ..)| self.path.starts_with(begin));
        known.map_or(("f", "file"), |(_, letter, word)| (letter, word))
    }

    pub(crate) fn typechar(&self) -> &'static str {
        self.kind().0
    }

    pub(crate) fn fd_field(&self, id: FieldId) -> Value<'_> {
        let (letter, word) = self.kind();
        let is_file = letter == "f";
        match id {
            FieldId::FD_NUM => Value::Int(self.fd),
            FieldId::FD_TYPE => Value::Bytes(word.as_bytes()),
            FieldId::FD_TYPECHAR => Value::Bytes(letter.as_bytes()),
            FieldId::FD_NAME | FieldId::FD_REALPATH => text(Some(self.path)),
            FieldId::FD_DIRECTORY if letter == "d" => text(Some(self.path)),
            FieldId::FD_DIRECTORY if is_file => text(path::directory(self.path)),
            FieldId::FD_FILENAME if is_file => text(Some(path::file_name(self.path))),
            FieldId::FD_DEV => Value::Int(user_dev(self.dev).into()),
            FieldId::FD_DEV_MAJOR => Value::Int((self.dev >> 20).into()),
            FieldId::FD_DEV_MINOR => Value::Int((self.dev & 0xf_ffff).into()),
            FieldId::FD_INO => Value::Int(self.ino as i64),
            FieldId::FD_CONNECTED | FieldId::FD_IS_SERVER | FieldId::FD_NAME_CHANGED => Value::Bool(false),
            FieldId::FD_L4PROTO => Value::Bytes(b"<NA>"),
            _ => Value::Absent,
        }
    }
}

/// A device as user space numbers it: the minor's low byte, the major, the rest of the minor.
pub(crate) fn user_dev(dev: u32) -> u32 {
    let (major, minor) = (dev >> 20, dev & 0xf_ffff);
    minor & 0xff | major << 8 | (minor & !0xff) << 12
}
