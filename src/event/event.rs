//! [`Event`]: one observation, complete: the record's own facts, the process that did it, and where to look up its
//! ancestors and the names of users. It borrows everything, lives for one judgement, and only `enrich` makes one.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::event_type::EventType;
use crate::field::{Arg, FieldId, FieldRef, Origin, Shape};
use crate::fields::Fields;
use crate::names::Names;
use crate::process::{Process, ProcessTable};
use crate::symbol;
use crate::time::{BootTime, WallTime};
use crate::value::Value;
use crate::{path, render};

/// One observation.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// Number in the source, from 1.
    pub num: u64,
    /// When, for people.
    pub time: WallTime,
    /// When, for the kernel.
    pub boot_time: BootTime,
    /// Processor.
    pub cpu: u32,
    /// What kind of event.
    pub kind: EventType,
    /// The thread.
    pub tid: u32,
    /// Effective user at the event.
    pub uid: u32,
    /// Effective group at the event.
    pub gid: u32,
    /// The node's name.
    pub node: &'a str,
    /// The process; for a successful exec, the new program.
    pub process: &'a Arc<Process>,
    /// Where its ancestors are.
    pub table: &'a ProcessTable,
    /// What users and groups are called.
    pub names: &'a Names,
    /// What is particular to the kind.
    pub body: Body<'a>,
}

/// What is particular to a kind of event.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// A new program runs; the process says which.
    Exec,
    /// An exec failed.
    ExecFailed {
        /// The negative error number.
        ret: i64,
        /// The file name as given.
        given: &'a [u8],
        /// The same made absolute.
        name: &'a [u8],
    },
    /// The process ended.
    Exit {
        /// The status word of `wait`.
        status: u32,
    },
    /// A file was opened, or was to be.
    Open(Open<'a>),
    /// A connection was made, or was to be.
    Connect(Connect<'a>),
}

/// An open.
#[derive(Clone, Copy, Debug)]
pub struct Open<'a> {
    /// Descriptor or negative error number.
    pub ret: i64,
    /// Directory descriptor of the `at` calls.
    pub dirfd: i32,
    /// Linux's open flags.
    pub flags: u64,
    /// Mode of a file to be created.
    pub mode: u32,
    /// `openat2`'s resolve flags.
    pub resolve: u64,
    /// The file did not exist before.
    pub created: bool,
    /// Device, as the kernel writes it: major in the bits from 20 up.
    pub dev: u32,
    /// Inode; 0 when the open failed.
    pub ino: u64,
    /// The opened file's mode word.
    pub file_mode: u16,
    /// The path as given.
    pub given: &'a [u8],
    /// The same made absolute, symlinks left alone.
    pub name: &'a [u8],
    /// The path as the kernel resolved it; empty when the open failed.
    pub real: &'a [u8],
}

/// A connect.
#[derive(Clone, Copy, Debug)]
pub struct Connect<'a> {
    /// 0 or negative error number.
    pub ret: i64,
    /// The socket's descriptor.
    pub fd: i32,
    /// Address family.
    pub family: Family,
    /// Transport protocol number (6 TCP, 17 UDP, …).
    pub protocol: u16,
    /// This end.
    pub local: Option<SocketAddr>,
    /// The other end: as the socket has it, or as the caller asked when the call failed.
    pub remote: Option<SocketAddr>,
    /// Path of a unix socket; an abstract one starts with `@`.
    pub unix_path: &'a [u8],
}

/// Families of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Unix socket.
    Unix,
    /// IPv4, also when the socket is an IPv6 one with a mapped address.
    Inet,
    /// IPv6.
    Inet6,
    /// Another, by its number.
    Other(u16),
}

/// The error that a connect returns when it goes on in the background.
const EINPROGRESS: i64 = -115;

impl Connect<'_> {
    /// Whether the socket is connected, or connecting, so that its two ends are known.
    pub fn is_connected(&self) -> bool {
        self.ret == 0 || self.ret == EINPROGRESS
    }

    /// This end and the other, when both are known and count.
    pub fn ends(&self) -> Option<(SocketAddr, SocketAddr)> {
        if self.is_connected() { self.local.zip(self.remote) } else { None }
    }
}

impl Event<'_> {
    /// What the call returned; `None` for what is no call.
    pub fn ret(&self) -> Option<i64> {
        match self.body {
            Body::Exec => Some(0),
            Body::ExecFailed { ret, .. } => Some(ret),
            Body::Exit { .. } => None,
            Body::Open(o) => Some(o.ret),
            Body::Connect(c) => Some(c.ret),
        }
    }

    /// Every field that has a value, with its name as rules write it: plain fields in the order of the table, among them
    /// each parameter (`evt.arg.NAME`) and each ancestor (`proc.aname[1]`, `[2]`, …). Fields that follow from these
    /// (`fd.ip`, unindexed ancestors) are left out.
    pub fn all_fields(&self, mut out: impl FnMut(&str, Value<'_>)) {
        let mut buf = Vec::new();
        let mut give = |field: FieldRef| {
            buf.clear();
            let value = self.get(&field, &mut buf);
            if !value.is_absent() {
                match field.arg {
                    Arg::None => out(field.id.info().name, value),
                    _ => out(&field.name(), value),
                }
            }
        };
        let depth = self.table.ancestors(self.process).count() as u32;
        for id in FieldId::all() {
            match id.info().shape {
                Shape::AnySide => {}
                Shape::Ancestors => {
                    (1..=depth).for_each(|n| give(FieldRef { id, arg: Arg::Index(n) }));
                }
                Shape::One if id == FieldId::EVT_ARG => {
                    for name in crate::params::of(self.kind) {
                        if let Some(param) = crate::params::ParamId::from_name(name) {
                            give(FieldRef { id, arg: Arg::Param(param) });
                        }
                    }
                }
                Shape::One => give(FieldRef::plain(id)),
            }
        }
    }

    /// The process `n` steps up, 0 being the process itself.
    fn ancestor(&self, n: u32) -> Option<&Arc<Process>> {
        match n {
            0 => Some(self.process),
            n => self.table.ancestors(self.process).nth(n as usize - 1),
        }
    }

    fn parent(&self) -> Option<&Arc<Process>> {
        self.table.parent(self.process)
    }

    /// The leader of the process's session: the process with that pid, else the oldest ancestor of an unbroken run in
    /// the same session.
    fn session_leader(&self) -> Option<&Arc<Process>> {
        self.leader(self.process.sid, |p| p.sid)
    }

    fn group_leader(&self) -> Option<&Arc<Process>> {
        self.leader(self.process.pgid, |p| p.pgid)
    }

    fn leader(&self, id: u32, of: fn(&Process) -> u32) -> Option<&Arc<Process>> {
        let named = self.table.by_pid(id).filter(|p| of(p) == id);
        named.or_else(|| {
            let run = std::iter::once(self.process).chain(self.table.ancestors(self.process));
            run.take_while(|p| of(p) == id).last()
        })
    }

    fn process_field<'s>(&'s self, id: FieldId, arg: &Arg, buf: &'s mut Vec<u8>) -> Value<'s> {
        let me = &**self.process;
        let nth = |n: &Arg| match n {
            Arg::Index(n) => Some(*n),
            _ => None,
        };
        match id {
            FieldId::PROC_NAME => Value::Bytes(&me.comm),
            FieldId::PROC_PNAME => Value::bytes_or_absent(self.parent().map(|p| &*p.comm)),
            FieldId::PROC_EXE => text(me.arg(0).or(Some(&me.exe_path))),
            FieldId::PROC_PEXE => text(self.parent().and_then(|p| p.arg(0))),
            FieldId::PROC_EXEPATH => text(Some(&me.exe_path)),
            FieldId::PROC_PEXEPATH => text(self.parent().map(|p| &*p.exe_path)),
            FieldId::PROC_ARGS => match nth(arg) {
                Some(n) => Value::bytes_or_absent(me.arg(n as usize + 1)),
                None => rendered(buf, |b| me.write_args(b)),
            },
            FieldId::PROC_CMDLINE => rendered(buf, |b| me.write_cmdline(b)),
            FieldId::PROC_PCMDLINE => match self.parent() {
                Some(p) => rendered(buf, |b| p.write_cmdline(b)),
                None => Value::Absent,
            },
            FieldId::PROC_CMDNARGS => Value::Uint(me.args().skip(1).count() as u64),
            FieldId::PROC_CMDLENARGS => Value::Uint(me.args().skip(1).map(|a| a.len() as u64).sum()),
            FieldId::PROC_EXELINE => rendered(buf, |b| {
                b.extend_from_slice(me.arg(0).unwrap_or(&me.exe_path));
                b.push(b' ');
                me.write_args(b);
            }),
            FieldId::PROC_CWD => rendered(buf, |b| {
                b.extend_from_slice(&me.cwd);
                if !me.cwd.is_empty() && !me.cwd.ends_with(b"/") {
                    b.push(b'/');
                }
            }),
            FieldId::PROC_TTY => Value::Uint(me.tty.into()),
            FieldId::PROC_PID => Value::Int(me.key.pid.into()),
            FieldId::PROC_PPID => {
                if me.parent.pid == 0 {
                    Value::Absent
                } else {
                    Value::Int(me.parent.pid.into())
                }
            }
            FieldId::PROC_VPID => Value::Int(me.vpid.into()),
            FieldId::PROC_PVPID => self.parent().map_or(Value::Absent, |p| Value::Int(p.vpid.into())),
            FieldId::PROC_SID => Value::Int(me.sid.into()),
            FieldId::PROC_SNAME => text(self.session_leader().map(|p| &*p.comm)),
            FieldId::PROC_SID_EXE => text(self.session_leader().and_then(|p| p.arg(0))),
            FieldId::PROC_SID_EXEPATH => text(self.session_leader().map(|p| &*p.exe_path)),
            FieldId::PROC_VPGID => Value::Int(me.vpgid.into()),
            FieldId::PROC_PGID => Value::Int(me.pgid.into()),
            FieldId::PROC_PGID_NAME => text(self.group_leader().map(|p| &*p.comm)),
            FieldId::PROC_PGID_EXE => text(self.group_leader().and_then(|p| p.arg(0))),
            FieldId::PROC_PGID_EXEPATH => text(self.group_leader().map(|p| &*p.exe_path)),
            FieldId::PROC_DURATION => self.since(Some(me)),
            FieldId::PROC_PPID_DURATION => self.since(self.parent().map(|p| &**p)),
            FieldId::PROC_PID_TS => self.started(Some(me)),
            FieldId::PROC_PPID_TS => self.started(self.parent().map(|p| &**p)),
            FieldId::PROC_IS_EXE_FROM_MEMFD => Value::Bool(me.flags.has(crate::process::ProcessFlags::MEMFD)),
            FieldId::PROC_IS_SID_LEADER => Value::Bool(me.sid == me.key.pid),
            FieldId::PROC_IS_VPGID_LEADER => Value::Bool(me.vpgid == me.vpid),
            FieldId::PROC_IS_PGID_LEADER => Value::Bool(me.pgid == me.key.pid),
            FieldId::PROC_EXE_INO if me.exe_ino != 0 => Value::Int(me.exe_ino as i64),
            FieldId::THREAD_TID => Value::Int(self.tid.into()),
            FieldId::THREAD_ISMAIN => Value::Bool(self.tid == me.key.pid),
            FieldId::THREAD_CAP_EFFECTIVE => {
                rendered(buf, |b| symbol::write_capabilities(me.cap_effective, b))
            }
            FieldId::CONTAINER_ID => Value::Bytes(me.container.as_bytes()),
            FieldId::USER_UID => Value::Uint(self.uid.into()),
            FieldId::USER_NAME => Value::Bytes(self.names.user(self.uid).unwrap_or(b"<NA>")),
            FieldId::USER_LOGINUID => Value::Int(login(me.loginuid)),
            FieldId::USER_LOGINNAME => Value::Bytes(match me.loginuid {
                u32::MAX => b"<NA>",
                uid => self.names.user(uid).unwrap_or(b"<NA>"),
            }),
            FieldId::GROUP_GID => Value::Uint(self.gid.into()),
            FieldId::GROUP_NAME => Value::Bytes(self.names.group(self.gid).unwrap_or(b"<NA>")),
            _ => Value::Absent,
        }
    }

    /// One ancestor's value.
    fn ancestor_value<'s>(id: FieldId, p: &'s Process, buf: &'s mut Vec<u8>) -> Value<'s> {
        match id {
            FieldId::PROC_ANAME => Value::Bytes(&p.comm),
            FieldId::PROC_AEXE => text(p.arg(0)),
            FieldId::PROC_AEXEPATH => text(Some(&p.exe_path)),
            FieldId::PROC_ACMDLINE => rendered(buf, |b| p.write_cmdline(b)),
            FieldId::PROC_APID => Value::Int(p.key.pid.into()),
            _ => Value::Absent,
        }
    }

    fn ancestors_field<'s>(&'s self, id: FieldId, arg: &Arg, buf: &'s mut Vec<u8>) -> Value<'s> {
        if let Arg::Index(n) = arg {
            return self.ancestor(*n).map_or(Value::Absent, |p| Self::ancestor_value(id, p, buf));
        }
        if id == FieldId::PROC_APID {
            return Value::Int(self.process.key.pid.into());
        }
        // The chain as an output prints it: parent first, separated by spaces.
        let begin = buf.len();
        let mut one = Vec::new();
        for p in self.table.ancestors(self.process) {
            if buf.len() > begin {
                buf.push(b' ');
            }
            one.clear();
            Self::ancestor_value(id, p, &mut one).write_text(buf);
        }
        if buf.len() == begin { Value::Absent } else { Value::Bytes(&buf[begin..]) }
    }

    fn since(&self, p: Option<&Process>) -> Value<'static> {
        match p {
            Some(p) if p.started.0 != 0 => Value::Span(self.boot_time.0.saturating_sub(p.started.0) as i64),
            _ => Value::Absent,
        }
    }

    fn started(&self, p: Option<&Process>) -> Value<'static> {
        match p {
            Some(p) if p.started.0 != 0 => {
                let ago = self.boot_time.0.saturating_sub(p.started.0);
                Value::Time(self.time.0.saturating_sub(ago))
            }
            _ => Value::Absent,
        }
    }

    fn event_field<'s>(&'s self, id: FieldId, arg: &Arg, buf: &'s mut Vec<u8>) -> Value<'s> {
        let time = self.time.0;
        match id {
            FieldId::EVT_NUM => Value::Uint(self.num),
            FieldId::EVT_TIME
            | FieldId::EVT_TIME_S
            | FieldId::EVT_TIME_ISO
            | FieldId::EVT_DATETIME
            | FieldId::EVT_DATETIME_S
            | FieldId::EVT_RAWTIME => Value::Time(time),
            FieldId::EVT_RAWTIME_S => Value::Time(time / 1_000_000_000),
            FieldId::EVT_RAWTIME_NS => Value::Time(time % 1_000_000_000),
            FieldId::EVT_SOURCE => Value::Bytes(b"syscall"),
            FieldId::EVT_HOSTNAME => Value::Bytes(self.node.as_bytes()),
            FieldId::EVT_TYPE => Value::Bytes(self.kind.name().as_bytes()),
            FieldId::SYSCALL_TYPE if self.ret().is_some() => Value::Bytes(self.kind.name().as_bytes()),
            FieldId::EVT_CATEGORY => Value::Bytes(self.kind.category().as_bytes()),
            FieldId::EVT_CPU => Value::Int(self.cpu.into()),
            FieldId::EVT_ARGS | FieldId::EVT_INFO => rendered(buf, |b| render::args(self, b)),
            FieldId::EVT_ARG => {
                let name = match arg {
                    Arg::Param(p) => Some(p.name()),
                    Arg::Index(n) => crate::params::of(self.kind).get(*n as usize).copied(),
                    Arg::None => None,
                };
                let begin = buf.len();
                match name {
                    Some(name) if render::param(self, name, buf) => Value::Bytes(&buf[begin..]),
                    _ => Value::Absent,
                }
            }
            FieldId::EVT_RES => match self.ret() {
                Some(ret) => rendered(buf, |b| symbol::write_result(ret, b)),
                None => Value::Absent,
            },
            FieldId::EVT_RAWRES => self.ret().map_or(Value::Absent, Value::Int),
            FieldId::EVT_FAILED => Value::Bool(self.ret().is_some_and(|r| r < 0)),
            FieldId::EVT_COUNT => Value::Uint(1),
            FieldId::EVT_IS_ASYNC => Value::Bool(false),
            _ => match self.body {
                Body::Open(o) => o.flag_field(id, self.kind),
                _ if matches!(
                    id,
                    FieldId::EVT_IS_OPEN_READ
                        | FieldId::EVT_IS_OPEN_WRITE
                        | FieldId::EVT_IS_OPEN_EXEC
                        | FieldId::EVT_IS_OPEN_CREATE
                ) =>
                {
                    Value::Bool(false)
                }
                _ => Value::Absent,
            },
        }
    }
}

impl Fields for Event<'_> {
    fn event_type(&self) -> Option<EventType> {
        Some(self.kind)
    }

    fn get<'s>(&'s self, field: &FieldRef, buf: &'s mut Vec<u8>) -> Value<'s> {
        let info = field.id.info();
        if info.shape == Shape::Ancestors {
            return self.ancestors_field(field.id, &field.arg, buf);
        }
        match info.origin {
            Origin::Event => self.event_field(field.id, &field.arg, buf),
            Origin::Descriptor => match &self.body {
                Body::Open(o) => o.fd_field(field.id),
                Body::Connect(c) => c.fd_field(field.id, buf),
                Body::ExecFailed { .. } | Body::Exec | Body::Exit { .. } => Value::Absent,
            },
            Origin::Process => self.process_field(field.id, &field.arg, buf),
        }
    }

    fn each(
        &self,
        field: &FieldRef,
        buf: &mut Vec<u8>,
        test: &mut dyn FnMut(Value<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match field.id.info().shape {
            Shape::Ancestors if field.arg == Arg::None => {
                for p in self.table.ancestors(self.process) {
                    buf.clear();
                    let value = Self::ancestor_value(field.id, p, buf);
                    if !value.is_absent() {
                        test(value)?;
                    }
                }
                ControlFlow::Continue(())
            }
            Shape::AnySide => {
                let Body::Connect(c) = self.body else { return ControlFlow::Continue(()) };
                let Some((local, remote)) = c.ends() else { return ControlFlow::Continue(()) };
                for end in [local, remote] {
                    test(match field.id {
                        FieldId::FD_PORT => Value::Port(end.port()),
                        _ => Value::Ip(end.ip()),
                    })?;
                }
                ControlFlow::Continue(())
            }
            _ => {
                buf.clear();
                let value = self.get(field, buf);
                if value.is_absent() { ControlFlow::Continue(()) } else { test(value) }
            }
        }
    }
}

impl<'a> Open<'a> {
    /// Whether reading was asked for.
    pub fn asks_read(&self) -> bool {
        matches!(self.flags & 3, 0 | 2)
    }

    /// Whether writing was asked for.
    pub fn asks_write(&self) -> bool {
        matches!(self.flags & 3, 1 | 2)
    }

    fn flag_field(&self, id: FieldId, kind: EventType) -> Value<'a> {
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

    fn fd_field(&self, id: FieldId) -> Value<'a> {
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
            _ => Value::Absent,
        }
    }
}

impl Connect<'_> {
    fn fd_field<'s>(&'s self, id: FieldId, buf: &'s mut Vec<u8>) -> Value<'s> {
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

/// Text, absent when empty: an empty path means that nothing is known.
fn text(bytes: Option<&[u8]>) -> Value<'_> {
    Value::bytes_or_absent(bytes.filter(|b| !b.is_empty()))
}

fn rendered(buf: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Value<'_> {
    let begin = buf.len();
    write(buf);
    Value::Bytes(&buf[begin..])
}

/// The login user, -1 when unset.
fn login(uid: u32) -> i64 {
    if uid == u32::MAX { -1 } else { uid.into() }
}
