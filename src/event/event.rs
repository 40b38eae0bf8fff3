//! [`Event`]: one observation, complete: the record's own facts, the process that did it, and where to look up its
//! ancestors and the names of users. It borrows everything, lives for one judgement, and only `enrich` makes one.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::call::Call;
use crate::environment::Variables;
use crate::event_type::EventType;
use crate::field::{Arg, FieldFlags, FieldId, FieldRef, Origin, Shape};
use crate::field_table::{ROUTES, Route};
use crate::fields::Fields;
use crate::names::Names;
use crate::process::{Process, ProcessFlags};
use crate::process_table::ProcessTable;
use crate::socket::Socket;
use crate::time::{BootTime, WallTime};
use crate::value::Value;
use crate::{raw_params, render, symbol};

/// One observation.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// Number in the source, from 1.
    pub num: u64,
    /// When, for people.
    pub time: WallTime,
    /// When, for the kernel.
    pub boot_time: BootTime,
    /// When the first event of the run was.
    pub first: BootTime,
    /// When the event before it was; its own time when there is none.
    pub previous: BootTime,
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
    /// Whether the process had `io_uring` do it, in place of a call.
    pub uring: bool,
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
    /// Another syscall returned.
    Call(&'a Call<'a>),
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
    /// Where in an overlay the opened file lies.
    pub layer: Layer,
    /// The opened file's mode word.
    pub file_mode: u16,
    /// The directory that a relative path starts at; else empty.
    pub base: &'a [u8],
    /// The path as given.
    pub given: &'a [u8],
    /// The same made absolute, symlinks left alone.
    pub name: &'a [u8],
    /// The path as the kernel resolved it; empty when the open failed.
    pub real: &'a [u8],
}

/// Where in an overlay a file lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layer {
    /// In none.
    #[default]
    None,
    /// In the upper one: it was made or changed since the container started.
    Upper,
    /// In a lower one: it came with the image.
    Lower,
}

/// A connect.
#[derive(Clone, Copy, Debug)]
pub struct Connect<'a> {
    /// 0 or negative error number.
    pub ret: i64,
    /// The socket. That a failed call leaves it unconnected does not keep what the caller asked for from being told.
    pub socket: Socket<'a>,
}

/// Fields that follow from others which are told; and the environment, which is for outputs that name it alone.
const LEFT_OUT: [FieldId; 18] = [
    FieldId::PROC_ENV,
    FieldId::PROC_AENV,
    FieldId::EVT_TIME_S,
    FieldId::EVT_DATETIME,
    FieldId::EVT_DATETIME_S,
    FieldId::EVT_RAWTIME_S,
    FieldId::EVT_RAWTIME_NS,
    FieldId::EVT_OUTPUTTIME,
    FieldId::EVT_INFO,
    FieldId::EVT_TYPE_IS,
    FieldId::EVT_RAWARG,
    FieldId::EVT_RELTIME_S,
    FieldId::EVT_RELTIME_NS,
    // The event before may be one that nobody keeps.
    FieldId::EVT_DELTATIME,
    FieldId::EVT_DELTATIME_S,
    FieldId::EVT_DELTATIME_NS,
    FieldId::FD_CONTAINERNAME,
    FieldId::FD_CONTAINERDIRECTORY,
];

impl Event<'_> {
    /// What the call returned; `None` for what is no call.
    pub fn ret(&self) -> Option<i64> {
        match self.body {
            Body::Exec => Some(0),
            Body::ExecFailed { ret, .. } => Some(ret),
            Body::Exit { .. } => None,
            Body::Open(o) => Some(o.ret),
            Body::Connect(c) => Some(c.ret),
            Body::Call(c) => Some(c.ret),
        }
    }

    /// Every field that has a value, with its name as rules write it: plain fields in the order of the table, among them
    /// each parameter (`evt.arg.NAME`) and each ancestor (`proc.aname[1]`, `[2]`, …). Fields that follow from these
    /// (`fd.ip`, unindexed ancestors, further forms of the time), say the same (`evt.info`) or say the same in every event
    /// are left out; and so is that something was not done by `io_uring`.
    pub fn all_fields(&self, mut out: impl FnMut(&str, Value<'_>)) {
        let mut buf = Vec::new();
        let give =
            |event: &Self, buf: &mut Vec<u8>, out: &mut dyn FnMut(&str, Value<'_>), field: FieldRef| {
                buf.clear();
                let value = event.get(&field, buf);
                if !value.is_absent() {
                    match field.arg {
                        Arg::None => out(field.id.info().name, value),
                        _ => out(&field.name(), value),
                    }
                }
            };
        let is_left_out = |id: &FieldId| LEFT_OUT.contains(id) || *id == FieldId::EVT_IS_URING && !self.uring;
        for id in FieldId::provided().filter(|id| !is_left_out(id) && id.constant().is_none()) {
            match id.info().shape {
                Shape::AnySide if !id.info().has(FieldFlags::FILTER_ONLY) => {
                    give(self, &mut buf, &mut out, FieldRef::plain(id));
                }
                // No event of a kind that is provided has a list yet.
                Shape::AnySide | Shape::List => {}
                Shape::Ancestors => {
                    for (n, p) in self.table.ancestors(self.process).enumerate() {
                        buf.clear();
                        let value = Self::ancestor_value(id, p, &mut buf);
                        if !value.is_absent() {
                            out(&format!("{}[{}]", id.info().name, n + 1), value);
                        }
                    }
                }
                Shape::One if id == FieldId::EVT_ARG => {
                    for param in crate::params::ids_of(self.kind) {
                        give(self, &mut buf, &mut out, FieldRef { id, arg: Arg::Param(*param) });
                    }
                }
                Shape::One => give(self, &mut buf, &mut out, FieldRef::plain(id)),
            }
        }
    }

    /// Processors do not wait for one another, so the event before may be younger; then it is 0.
    fn since_previous(&self) -> i64 {
        self.boot_time.0.saturating_sub(self.previous.0) as i64
    }

    fn since_first(&self) -> i64 {
        self.boot_time.0.saturating_sub(self.first.0) as i64
    }

    /// 1 for a call that failed, 0 for one that did not; absent for what is no call.
    fn errors(&self) -> Value<'static> {
        self.ret().map_or(Value::Absent, |ret| Value::Uint((ret < 0).into()))
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
            | FieldId::EVT_OUTPUTTIME
            | FieldId::EVT_RAWTIME => Value::Time(time),
            FieldId::EVT_RAWTIME_S => Value::Time(time / 1_000_000_000),
            FieldId::EVT_RAWTIME_NS => Value::Time(time % 1_000_000_000),
            FieldId::EVT_RELTIME => Value::Span(self.since_first()),
            FieldId::EVT_RELTIME_S => Value::Span(self.since_first() / 1_000_000_000),
            FieldId::EVT_RELTIME_NS => Value::Span(self.since_first() % 1_000_000_000),
            FieldId::EVT_DELTATIME => Value::Span(self.since_previous()),
            FieldId::EVT_DELTATIME_S => Value::Span(self.since_previous() / 1_000_000_000),
            FieldId::EVT_DELTATIME_NS => Value::Span(self.since_previous() % 1_000_000_000),
            FieldId::EVT_SOURCE => Value::Bytes(b"syscall"),
            FieldId::EVT_HOSTNAME => Value::Bytes(self.node.as_bytes()),
            FieldId::EVT_TYPE => Value::Bytes(self.kind.name().as_bytes()),
            FieldId::SYSCALL_TYPE if self.ret().is_some() => Value::Bytes(self.kind.name().as_bytes()),
            FieldId::EVT_TYPE_IS => match arg {
                Arg::Key(name) => Value::Uint((**name == *self.kind.name()).into()),
                _ => Value::Absent,
            },
            FieldId::EVT_CATEGORY => Value::Bytes(self.kind.category().as_bytes()),
            FieldId::EVT_CPU => Value::Int(self.cpu.into()),
            FieldId::EVT_ARGS | FieldId::EVT_INFO => rendered(buf, |b| render::args(self, b)),
            FieldId::EVT_ARG => {
                let name = match arg {
                    Arg::Param(p) => Some(*p),
                    Arg::Index(n) => crate::params::ids_of(self.kind).get(*n as usize).copied(),
                    Arg::None | Arg::Key(_) => None,
                };
                let begin = buf.len();
                match name {
                    Some(name) if render::param(self, name, buf) => Value::Bytes(&buf[begin..]),
                    _ => Value::Absent,
                }
            }
            FieldId::EVT_RAWARG => match arg {
                Arg::Param(param) => raw_params::of(self, *param),
                _ => Value::Absent,
            },
            FieldId::EVT_ABSPATH => match (&self.body, arg) {
                // Only calls that take a directory's descriptor are asked; `.src` and `.dst` are of those with two paths.
                (Body::Open(o), Arg::None) if matches!(self.kind, EventType::OPENAT | EventType::OPENAT2) => {
                    text(Some(o.name))
                }
                (Body::Call(c), arg) => c.absolute_path(self.kind, arg),
                _ => Value::Absent,
            },
            FieldId::EVT_RES => match self.ret() {
                Some(ret) => rendered(buf, |b| symbol::write_result(ret, b)),
                None => Value::Absent,
            },
            FieldId::EVT_RAWRES => self.ret().map_or(Value::Absent, Value::Int),
            FieldId::EVT_FAILED => self.ret().map_or(Value::Absent, |ret| Value::Bool(ret < 0)),
            FieldId::EVT_COUNT_ERROR => self.errors(),
            FieldId::EVT_COUNT_ERROR_FILE if self.kind.category() == "file" => self.errors(),
            FieldId::EVT_COUNT_ERROR_NET if self.kind.category() == "net" => self.errors(),
            FieldId::EVT_COUNT_ERROR_MEMORY if self.kind.category() == "memory" => self.errors(),
            FieldId::EVT_COUNT_ERROR_OTHER if !matches!(self.kind.category(), "file" | "net" | "memory") => {
                self.errors()
            }
            FieldId::EVT_COUNT => Value::Uint(1),
            FieldId::EVT_IS_ASYNC => Value::Bool(false),
            FieldId::EVT_IS_URING => Value::Bool(self.uring),
            FieldId::EVT_IS_IO => Value::Bool(self.kind.io_direction().is_some()),
            FieldId::EVT_IS_IO_READ => Value::Bool(self.kind.io_direction() == Some("read")),
            FieldId::EVT_IS_IO_WRITE => Value::Bool(self.kind.io_direction() == Some("write")),
            FieldId::EVT_IO_DIR => {
                self.kind.io_direction().map_or(Value::Absent, |way| Value::Bytes(way.as_bytes()))
            }
            FieldId::EVT_BUFFER => match &self.body {
                Body::Call(c) => Value::bytes_or_absent(c.buffer(self.kind)),
                _ => Value::Absent,
            },
            FieldId::EVT_BUFLEN => match &self.body {
                Body::Call(c) if self.kind.io_direction().is_some() && c.ret >= 0 => {
                    Value::Uint(c.ret as u64)
                }
                _ => Value::Absent,
            },
            FieldId::EVT_IS_OPEN_READ
            | FieldId::EVT_IS_OPEN_WRITE
            | FieldId::EVT_IS_OPEN_EXEC
            | FieldId::EVT_IS_OPEN_CREATE => match self.body {
                Body::Open(o) => o.flag_field(id, self.kind),
                _ => Value::Bool(false),
            },
            _ => id.constant().unwrap_or(Value::Absent),
        }
    }
}

impl Fields for Event<'_> {
    /// By the borders that the environment itself has.
    fn environment<'s>(&'s self, field: &FieldRef, wanted: &Variables, buf: &'s mut Vec<u8>) -> Value<'s> {
        let of = match (field.id, &field.arg) {
            (FieldId::PROC_AENV, Arg::Index(n)) => self.ancestor(*n),
            _ => Some(self.process),
        };
        let Some(process) = of.filter(|process| process.flags.has(ProcessFlags::ENV_READ)) else {
            return Value::Absent;
        };
        buf.clear();
        wanted.write_of(&process.env, buf);
        Value::Bytes(buf)
    }

    fn event_type(&self) -> Option<EventType> {
        Some(self.kind)
    }

    fn get<'s>(&'s self, field: &FieldRef, buf: &'s mut Vec<u8>) -> Value<'s> {
        match ROUTES[field.id.index()] {
            Route::Absent => Value::Absent,
            Route::Ancestors => self.ancestors_field(field.id, &field.arg, buf),
            Route::Of(Origin::Event) => self.event_field(field.id, &field.arg, buf),
            Route::Of(Origin::Descriptor) => self.fd_field(field.id, buf),
            Route::Of(Origin::Process) => self.process_field(field.id, &field.arg, buf),
        }
    }

    fn each(
        &self,
        field: &FieldRef,
        buf: &mut Vec<u8>,
        test: &mut dyn FnMut(Value<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let info = field.id.info();
        if !info.is_provided() {
            return ControlFlow::Continue(());
        }
        match info.shape {
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
                if let FieldId::FD_CIP_NAME
                | FieldId::FD_SIP_NAME
                | FieldId::FD_LIP_NAME
                | FieldId::FD_RIP_NAME = field.id
                {
                    return match self.host_names(field.id) {
                        // An address to which no name leads differs from every name.
                        Some([]) => test(Value::Bytes(b"")),
                        Some(names) => names.iter().try_for_each(|name| test(Value::Bytes(name))),
                        None => ControlFlow::Continue(()),
                    };
                }
                let Some(socket) = self.socket() else { return ControlFlow::Continue(()) };
                let (local, remote) = socket.sides().unzip();
                for end in [local.or(socket.waits()), remote].into_iter().flatten() {
                    test(match field.id {
                        FieldId::FD_PORT | FieldId::FD_PROTO => Value::Port(end.port()),
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

/// Text, absent when empty: an empty path means that nothing is known.
pub(crate) fn text(bytes: Option<&[u8]>) -> Value<'_> {
    Value::bytes_or_absent(bytes.filter(|b| !b.is_empty()))
}

pub(crate) fn rendered(buf: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Value<'_> {
    let begin = buf.len();
    write(buf);
    Value::Bytes(&buf[begin..])
}
