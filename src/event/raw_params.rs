//! Parameters of an event as they are: `evt.rawarg.NAME`, a value in the parameter's own type. As text they are in
//! `render.rs`.

use crate::call_params;
use crate::event::{Body, Event};
use crate::params::{self, ParamId};
use crate::process_fields::nanoseconds;
use crate::render::{exec_flags, exec_usage};
use crate::symbol;
use crate::value::Value;

/// One parameter in its own type, not as text; absent where the event has no such parameter, or the sensor does not send
/// it. The two ends of a connection and its address have no such form in Falco either.
pub(crate) fn of<'s>(event: &'s Event<'_>, name: ParamId) -> Value<'s> {
    if !params::ids_of(event.kind).contains(&name) {
        return Value::Absent;
    }
    if let Body::Call(call) = &event.body {
        return call_params::raw(event, call, name);
    }
    match event.body {
        Body::Open(o) => match name {
            ParamId::FD => Value::Int(o.ret),
            ParamId::DIRFD => Value::Int(o.dirfd.into()),
            ParamId::NAME => Value::Bytes(o.given),
            ParamId::FLAGS => Value::Uint(symbol::open_flags_number(o.flags, o.created).into()),
            ParamId::MODE => Value::Uint(o.mode.into()),
            ParamId::RESOLVE => Value::Uint(symbol::resolve_flags_number(o.resolve).into()),
            ParamId::DEV => Value::Uint(o.user_dev().into()),
            ParamId::INO => Value::Uint(o.ino),
            _ => Value::Absent,
        },
        Body::Connect(c) => match name {
            ParamId::RES => Value::Int(c.ret),
            ParamId::FD => Value::Int(c.socket.fd),
            _ => Value::Absent,
        },
        Body::Call(_) => Value::Absent,
        Body::Exec => match name {
            ParamId::FILENAME => Value::Bytes(&event.process.filename),
            _ => raw_exec_param(event, 0, name),
        },
        Body::ExecFailed { ret, given, .. } => match name {
            ParamId::FILENAME => Value::Bytes(given),
            _ => raw_exec_param(event, ret, name),
        },
        Body::Exit { status } => match name {
            ParamId::STATUS => Value::Int(status.into()),
            ParamId::RET => Value::Int(i64::from(status >> 8 & 0xff)),
            ParamId::SIG => Value::Uint(u64::from(status & 0x7f)),
            ParamId::CORE => Value::Uint(u64::from(status >> 7 & 1)),
            _ => Value::Absent,
        },
    }
}

fn raw_exec_param<'s>(event: &'s Event<'_>, ret: i64, name: ParamId) -> Value<'s> {
    let p = &**event.process;
    match name {
        ParamId::RES => Value::Int(ret),
        ParamId::EXE => Value::Bytes(p.exe()),
        ParamId::ARGS => {
            let first = p.argv.iter().position(|b| *b == 0).map_or(p.argv.len(), |at| at + 1);
            Value::Bytes(&p.argv[first..])
        }
        ParamId::TID => Value::Int(event.tid.into()),
        ParamId::PID => Value::Int(p.key.pid.into()),
        ParamId::PTID => Value::Int(p.parent.pid.into()),
        ParamId::CWD => Value::Bytes(b""),
        ParamId::COMM => Value::Bytes(&p.comm),
        ParamId::TTY => Value::Int(p.tty.into()),
        ParamId::VPGID => Value::Int(p.vpgid.into()),
        ParamId::PGID => Value::Int(p.pgid.into()),
        ParamId::LOGINUID => Value::Uint(p.loginuid.into()),
        ParamId::UID => Value::Uint(event.uid.into()),
        ParamId::GID => Value::Uint(event.gid.into()),
        ParamId::FLAGS => Value::Uint(exec_flags(p).into()),
        ParamId::CAP_INHERITABLE => Value::Uint(p.cap_inheritable),
        ParamId::CAP_PERMITTED => Value::Uint(p.cap_permitted),
        ParamId::CAP_EFFECTIVE => Value::Uint(p.cap_effective),
        ParamId::EXE_INO => Value::Uint(p.exe_ino),
        ParamId::EXE_INO_CTIME => Value::Time(nanoseconds(p.exe_ctime)),
        ParamId::EXE_INO_MTIME => Value::Time(nanoseconds(p.exe_mtime)),
        ParamId::FDLIMIT => exec_usage(p, name).map_or(Value::Absent, |limit| Value::Int(limit as i64)),
        ParamId::PGFT_MAJ | ParamId::PGFT_MIN | ParamId::VM_SIZE | ParamId::VM_RSS | ParamId::VM_SWAP => {
            exec_usage(p, name).map_or(Value::Absent, Value::Uint)
        }
        ParamId::TRUSTED_EXEPATH => Value::Bytes(&p.exe_path),
        _ => Value::Absent,
    }
}
