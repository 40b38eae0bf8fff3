//! The parameters of the syscalls that have a [`Call`] for a body: what each of them is taken from, in Falco's order. As
//! text a parameter has two forms, the number or text itself and what it means; `evt.arg.NAME` prints the second where there
//! is one, `evt.args` both.

use std::io::Write as _;

use crate::call::{Call, Descriptor};
use crate::call_flags::{self as flags, Flag, Names};
use crate::call_special::{
    NOTHING, UNREADABLE, given, is_about_a_name, option_int, own, path, process, without_magic,
};
use crate::event::Event;
use crate::event_type::EventType;
use crate::params::ParamId;
use crate::render;
use crate::symbol;
use crate::value::Value;

/// What a parameter is taken from. Numbers name arguments.
#[derive(Clone, Copy)]
pub(crate) enum What {
    /// 0, or minus an error number.
    Result,
    /// The descriptor that was made, or minus an error number.
    Made,
    /// The process that was made, or minus an error number.
    MadeProcess,
    /// A descriptor.
    Fd(u8),
    /// A directory's descriptor.
    Dir(u8),
    /// The first text, a path.
    First,
    /// The second text, a path.
    Second,
    /// The first text, no path.
    FirstText,
    /// The type of a file system.
    FsType,
    /// The second argument of prctl where it is a text, and where it is a number.
    OptionText,
    OptionInt,
    /// A signed number of 32 bits.
    Int(u8),
    /// A number of 32 bits.
    Uint(u8),
    /// A number of 64 bits.
    Long(u8),
    /// A number that is written in hexadecimal digits.
    Hex(u8),
    /// A number of 64 bits that is written in hexadecimal digits.
    HexLong(u8),
    /// Bits with names.
    Flags(u8, &'static [Flag]),
    /// Bits with names, of mount, which may have a magic number in their upper half.
    MountFlags(u8),
    /// Bits of a mode word.
    Mode(u8),
    /// One of the named numbers.
    Enum(u8, Names),
    /// A request of ptrace.
    Request(u8),
    /// A process.
    Pid(u8),
    /// A signal.
    Signal(u8),
    /// A user.
    User(u8),
    /// A group.
    Group(u8),
    /// What was sent or received, as far as it is told.
    Data,
    /// How many bytes a message has room for.
    MessageSize,
    /// Both ends of the socket.
    Tuple,
    /// The address that was given.
    Address,
    /// How many connections wait.
    QueueLen,
    /// How many may wait.
    QueueMax,
    /// The first as percentage of the second.
    QueueShare,
    /// A set of capabilities: inheritable, permitted, effective.
    Capabilities(u8),
    /// A 32-bit word of a struct that was read, as a number.
    Word(u8),
    /// A 32-bit word of a struct that was read, as bits with names.
    WordFlags(u8, &'static [Flag]),
    /// The type of a socket, without the flags that go in the same number.
    SocketType(u8),
    /// What an exec has under the same name: a process tells the same of itself.
    OfProcess,
    /// Own user and group as numbers, and own number in the own pid namespace: of the process, of the thread.
    OwnUser,
    OwnGroup,
    OwnVpid,
    OwnVtid,
    /// The sensor does not tell it.
    Untold,
}

macro_rules! calls {
    ($($($event:ident)|+ = $($name:literal $what:expr),+;)*) => {
        /// The parameters of a call, in Falco's order; none for other events.
        pub(crate) fn ids_of(event: EventType) -> &'static [ParamId] {
            match event {
                $($(EventType::$event)|+ => const { &crate::params::ids([$($name),+]) },)*
                _ => &[],
            }
        }

        fn whats_of(event: EventType) -> &'static [What] {
            match event {
                $($(EventType::$event)|+ => {
                    static WHATS: &[What] = &[$($what),+];
                    WHATS
                })*
                _ => &[],
            }
        }
    };
}

use What::{
    Address, Capabilities, Data, Dir, Enum, Fd, First, FirstText, Flags, FsType, Group, Hex, HexLong, Int,
    Long, Made, MadeProcess, MessageSize, Mode, MountFlags, OfProcess, OptionInt, OptionText, OwnGroup,
    OwnUser, OwnVpid, OwnVtid, Pid, QueueLen, QueueMax, QueueShare, Request, Result, Second, Signal,
    SocketType, Tuple, Uint, Untold, User, Word, WordFlags,
};

calls! {
    ACCEPT = "fd" Made, "tuple" Tuple, "queuepct" QueueShare, "queuelen" QueueLen, "queuemax" QueueMax;
    ACCEPT4 = "fd" Made, "tuple" Tuple, "queuepct" QueueShare, "queuelen" QueueLen, "queuemax" QueueMax, "flags" Hex(3);
    BIND = "res" Result, "addr" Address, "fd" Fd(0);
    BPF = "fd" Made, "cmd" Enum(0, flags::BPF);
    CAPSET = "res" Result, "cap_inheritable" Capabilities(0), "cap_permitted" Capabilities(1), "cap_effective" Capabilities(2);
    CHDIR = "res" Result, "path" FirstText;
    CHMOD = "res" Result, "filename" First, "mode" Mode(1);
    CHROOT | RMDIR | UNLINK = "res" Result, "path" First;
    CLONE = "res" MadeProcess, "exe" OfProcess, "args" OfProcess, "tid" OfProcess, "pid" OfProcess, "ptid" OfProcess, "cwd" OfProcess, "fdlimit" Untold, "pgft_maj" Untold, "pgft_min" Untold, "vm_size" Untold, "vm_rss" Untold, "vm_swap" Untold, "comm" OfProcess, "cgroups" Untold, "flags" Flags(0, flags::CLONE), "uid" OwnUser, "gid" OwnGroup, "vtid" OwnVtid, "vpid" OwnVpid, "pidns_init_start_ts" Untold;
    CLONE3 = "res" MadeProcess, "exe" OfProcess, "args" OfProcess, "tid" OfProcess, "pid" OfProcess, "ptid" OfProcess, "cwd" OfProcess, "fdlimit" Untold, "pgft_maj" Untold, "pgft_min" Untold, "vm_size" Untold, "vm_rss" Untold, "vm_swap" Untold, "comm" OfProcess, "cgroups" Untold, "flags" WordFlags(0, flags::CLONE), "uid" OwnUser, "gid" OwnGroup, "vtid" OwnVtid, "vpid" OwnVpid, "pidns_init_start_ts" Untold;
    DELETE_MODULE = "res" Result, "name" FirstText, "flags" Flags(1, flags::DELETE_MODULE);
    DUP = "res" Made, "oldfd" Fd(0);
    DUP2 = "res" Made, "oldfd" Fd(0), "newfd" Fd(1);
    DUP3 = "res" Made, "oldfd" Fd(0), "newfd" Fd(1), "flags" Flags(2, flags::DESCRIPTOR);
    FCHDIR = "res" Result, "fd" Fd(0);
    FCHMOD = "res" Result, "fd" Fd(0), "mode" Mode(1);
    FCHMODAT = "res" Result, "dirfd" Dir(0), "filename" First, "mode" Mode(2);
    FINIT_MODULE = "res" Result, "fd" Fd(0), "uargs" FirstText, "flags" Flags(2, flags::INIT_MODULE);
    FORK | VFORK = "res" MadeProcess, "exe" OfProcess, "args" OfProcess, "tid" OfProcess, "pid" OfProcess, "ptid" OfProcess, "cwd" OfProcess, "fdlimit" Untold, "pgft_maj" Untold, "pgft_min" Untold, "vm_size" Untold, "vm_rss" Untold, "vm_swap" Untold, "comm" OfProcess, "cgroups" Untold, "flags" Untold, "uid" OwnUser, "gid" OwnGroup, "vtid" OwnVtid, "vpid" OwnVpid, "pidns_init_start_ts" Untold;
    INIT_MODULE = "res" Result, "img" Data, "length" Long(1), "uargs" FirstText;
    IO_URING_SETUP = "res" Made, "entries" Uint(0), "sq_entries" Word(0), "cq_entries" Word(1), "flags" WordFlags(2, flags::RING_SETUP), "sq_thread_cpu" Word(3), "sq_thread_idle" Word(4), "features" WordFlags(5, flags::RING_FEATURES);
    KILL = "res" Result, "pid" Pid(0), "sig" Signal(1);
    LINK | RENAME = "res" Result, "oldpath" First, "newpath" Second;
    LINKAT = "res" Result, "olddir" Dir(0), "oldpath" First, "newdir" Dir(2), "newpath" Second, "flags" Flags(4, flags::LINK);
    LISTEN = "res" Result, "fd" Fd(0), "backlog" Int(1);
    MEMFD_CREATE = "fd" Made, "name" FirstText, "flags" Flags(1, flags::MEMFD);
    MKDIR = "res" Result, "path" First, "mode" Hex(1);
    MKDIRAT = "res" Result, "dirfd" Dir(0), "path" First, "mode" Hex(2);
    MOUNT = "res" Result, "dev" FirstText, "dir" Second, "type" FsType, "flags" MountFlags(3);
    PIDFD_GETFD = "fd" Made, "pid_fd" Fd(0), "target_fd" Int(1), "flags" Hex(2);
    PIDFD_OPEN = "fd" Made, "pid" Pid(0), "flags" Flags(1, flags::PIDFD);
    PRCTL = "res" Result, "option" Enum(0, flags::PRCTL), "arg2_str" OptionText, "arg2_int" OptionInt;
    PROCESS_VM_READV | PROCESS_VM_WRITEV = "res" Result, "pid" Pid(0), "data" Data;
    PTRACE = "res" Result, "addr" HexLong(2), "data" HexLong(3), "request" Request(0), "pid" Pid(1);
    RECVFROM = "res" Result, "data" Data, "tuple" Tuple, "fd" Fd(0), "size" Uint(2);
    RECVMSG = "res" Result, "size" MessageSize, "data" Data, "tuple" Tuple, "msgcontrol" Untold, "fd" Fd(0);
    RENAMEAT = "res" Result, "olddirfd" Dir(0), "oldpath" First, "newdirfd" Dir(2), "newpath" Second;
    RENAMEAT2 = "res" Result, "olddirfd" Dir(0), "oldpath" First, "newdirfd" Dir(2), "newpath" Second, "flags" Flags(4, flags::RENAME);
    SENDMSG = "res" Result, "data" Data, "fd" Fd(0), "size" MessageSize, "tuple" Tuple;
    SENDTO = "res" Result, "data" Data, "fd" Fd(0), "size" Uint(2), "tuple" Tuple;
    SETGID = "res" Result, "gid" Group(0);
    SETNS = "res" Result, "fd" Fd(0), "nstype" Flags(1, flags::CLONE);
    SETPGID = "res" Result, "pid" Pid(0), "pgid" Pid(1);
    SETREGID = "res" Result, "rgid" Group(0), "egid" Group(1);
    SETRESGID = "res" Result, "rgid" Group(0), "egid" Group(1), "sgid" Group(2);
    SETRESUID = "res" Result, "ruid" User(0), "euid" User(1), "suid" User(2);
    SETREUID = "res" Result, "ruid" User(0), "euid" User(1);
    SETSID = "res" MadeProcess;
    SETUID = "res" Result, "uid" User(0);
    SOCKET = "fd" Made, "domain" Enum(0, flags::FAMILIES), "type" SocketType(1), "proto" Uint(2), "flags" Flags(1, flags::DESCRIPTOR);
    SYMLINK = "res" Result, "target" FirstText, "linkpath" Second;
    SYMLINKAT = "res" Result, "target" FirstText, "linkdirfd" Dir(1), "linkpath" Second;
    TGKILL = "res" Result, "pid" Pid(0), "tid" Pid(1), "sig" Signal(2);
    TKILL = "res" Result, "tid" Pid(0), "sig" Signal(1);
    UMOUNT = "res" Result, "name" First;
    UMOUNT2 = "res" Result, "name" First, "flags" Flags(1, flags::UMOUNT);
    UNLINKAT = "res" Result, "dirfd" Dir(0), "name" First, "flags" Flags(2, flags::UNLINK);
    UNSHARE = "res" Result, "flags" Flags(0, flags::CLONE);
    USERFAULTFD = "res" Made, "flags" Flags(0, flags::DESCRIPTOR);
}

fn what_of(event: EventType, name: ParamId) -> Option<What> {
    let at = ids_of(event).iter().position(|id| *id == name)?;
    whats_of(event).get(at).copied()
}

/// Whether calls of this type never tell this parameter, as far as the table knows: an exec may tell it of its process.
pub(crate) fn is_untold(event: EventType, name: ParamId) -> bool {
    matches!(what_of(event, name), Some(Untold))
}

/// Appends one parameter as `evt.arg.NAME` prints it; `false` when there is nothing to tell.
pub(crate) fn param(event: &Event<'_>, call: &Call<'_>, name: ParamId, out: &mut Vec<u8>) -> bool {
    let Some(what) = what_of(event.kind, name) else { return false };
    if let Some(told) = own(event, call, what, name, out, false) {
        return told;
    }
    let begin = out.len();
    means(event, call, what, out);
    out.len() > begin || plain(call, what, out)
}

/// Appends one parameter as it stands in `evt.args`.
pub(crate) fn decorated(event: &Event<'_>, call: &Call<'_>, name: ParamId, out: &mut Vec<u8>) -> bool {
    let Some(what) = what_of(event.kind, name) else { return false };
    if let Some(told) = own(event, call, what, name, out, true) {
        return told;
    }
    let begin = out.len();
    if !plain(call, what, out) {
        return false;
    }
    let written = out.len();
    out.push(b'(');
    means(event, call, what, out);
    if out.len() == written + 1 || out[begin..written] == out[written + 1..] {
        out.truncate(written);
    } else {
        out.push(b')');
    }
    true
}

/// The number or text itself.
fn plain(call: &Call<'_>, what: What, out: &mut Vec<u8>) -> bool {
    let arg = |n: u8| call.args[usize::from(n)];
    let low = |n: u8| arg(n) as u32;
    let int = |n: u8| i64::from(low(n) as i32);
    // Writing to a Vec cannot fail.
    let _ = match what {
        Result | Made | MadeProcess => write!(out, "{}", call.ret),
        Fd(n) | Dir(n) | Int(n) | Pid(n) | User(n) | Group(n) => write!(out, "{}", int(n)),
        Uint(n) | Enum(n, _) => write!(out, "{}", low(n)),
        Long(n) => write!(out, "{}", arg(n) as i64),
        Hex(n) => write!(out, "{:X}", low(n)),
        HexLong(n) => write!(out, "{:X}", arg(n)),
        Flags(n, table) => write!(out, "{:X}", flags::number(table, low(n))),
        MountFlags(n) => write!(out, "{:X}", flags::number(flags::MOUNT, without_magic(low(n)))),
        Mode(n) if permissions(low(n)) == 0 => write!(out, "0"),
        Mode(n) => write!(out, "0{:o}", permissions(low(n))),
        Request(n) => write!(out, "{}", request(low(n)).1),
        Signal(n) => write!(out, "{}", low(n) & 0xff),
        SocketType(n) => write!(out, "{}", low(n) & 0xf),
        First | FirstText => return given(call.first, out),
        Second => return given(call.second, out),
        FsType if call.data_unreadable => return put(out, UNREADABLE),
        FsType => return put(out, call.data),
        OptionText if is_about_a_name(call) => return given(call.first, out),
        OptionText => return put(out, UNREADABLE),
        OptionInt => write!(out, "{}", option_int(call)),
        Data if call.data.is_empty() => return put(out, NOTHING),
        Data => {
            out.extend(call.data.iter().map(|b| if matches!(b, b' '..=b'~') { *b } else { b'.' }));
            return true;
        }
        MessageSize | QueueLen => write!(out, "{}", call.aux),
        QueueMax => write!(out, "{}", call.queue_max),
        QueueShare => write!(out, "{}", queue_share(call)),
        Tuple => match call.descriptor {
            Some(Descriptor::Socket(socket)) if call.ret >= 0 => {
                let begin = out.len();
                render::endpoints(&socket, out);
                return out.len() > begin || put(out, NOTHING);
            }
            _ => return put(out, NOTHING),
        },
        Address if call.address.is_empty() => return put(out, UNREADABLE),
        Address => return put(out, call.address),
        Capabilities(which) => write!(out, "{:X}", capabilities(call, which)),
        Word(n) => write!(out, "{}", word(call, n)),
        WordFlags(n, table) => write!(out, "{:X}", flags::number(table, word(call, n))),
        OfProcess | OwnUser | OwnGroup | OwnVpid | OwnVtid | Untold => return false,
    };
    true
}

/// What it means, as far as that is more than the number.
fn means(event: &Event<'_>, call: &Call<'_>, what: What, out: &mut Vec<u8>) {
    let arg = |n: u8| call.args[usize::from(n)] as u32;
    match what {
        Result | Made | MadeProcess if call.ret < 0 => symbol::write_errno(call.ret, out),
        Made => descriptor(call, call.ret, out),
        MadeProcess => process(event, call.ret, out),
        Dir(n) if arg(n) as i32 == render::AT_FDCWD => out.extend_from_slice(b"AT_FDCWD"),
        Fd(n) | Dir(n) => descriptor(call, i64::from(arg(n) as i32), out),
        First => path(call.first, out),
        Second => path(call.second, out),
        Flags(n, table) => flags::write_names(table, arg(n), out),
        MountFlags(n) => flags::write_names(flags::MOUNT, without_magic(arg(n)), out),
        WordFlags(n, table) => flags::write_names(table, word(call, n), out),
        Mode(n) => flags::write_names(flags::MODE, arg(n), out),
        Enum(n, names) => {
            out.extend_from_slice(flags::name(names, arg(n).into()).unwrap_or_default().as_bytes());
        }
        Request(n) => out.extend_from_slice(request(arg(n)).0.as_bytes()),
        Pid(n) => process(event, i64::from(arg(n) as i32), out),
        Signal(n) => {
            out.extend_from_slice(flags::name(flags::SIGNALS, arg(n).into()).unwrap_or_default().as_bytes());
        }
        User(n) => {
            render::user(event, arg(n), out);
        }
        Group(n) => match arg(n) {
            u32::MAX => out.extend_from_slice(b"<NONE>"),
            gid => out.extend_from_slice(event.group_name(gid).unwrap_or(b"<NA>")),
        },
        _ => {}
    }
}

/// One parameter in its own type.
pub(crate) fn raw<'s>(event: &Event<'_>, call: &'s Call<'_>, name: ParamId) -> Value<'s> {
    let Some(what) = what_of(event.kind, name) else { return Value::Absent };
    let arg = |n: u8| call.args[usize::from(n)];
    let low = |n: u8| arg(n) as u32;
    match what {
        Result | Made | MadeProcess => Value::Int(call.ret),
        Fd(n) | Dir(n) | Int(n) | Pid(n) => Value::Int((low(n) as i32).into()),
        Uint(n) | Hex(n) | Enum(n, _) | User(n) | Group(n) => Value::Uint(low(n).into()),
        Long(n) | HexLong(n) => Value::Uint(arg(n)),
        Flags(n, table) => Value::Uint(flags::number(table, low(n)).into()),
        MountFlags(n) => Value::Uint(flags::number(flags::MOUNT, without_magic(low(n))).into()),
        Mode(n) => Value::Uint(permissions(low(n)).into()),
        Request(n) => Value::Uint(request(low(n)).1.into()),
        Signal(n) => Value::Uint((low(n) & 0xff).into()),
        SocketType(n) => Value::Uint((low(n) & 0xf).into()),
        FsType if call.data_unreadable => Value::Absent,
        OptionText if !is_about_a_name(call) => Value::Absent,
        OptionInt => Value::Int(option_int(call)),
        First | FirstText | OptionText => Value::Bytes(call.first.text),
        Second => Value::Bytes(call.second.text),
        Data | FsType => Value::Bytes(call.data),
        MessageSize | QueueLen => Value::Uint(call.aux),
        QueueMax => Value::Uint(call.queue_max.into()),
        QueueShare => Value::Uint(queue_share(call)),
        Capabilities(which) => Value::Uint(capabilities(call, which)),
        Word(n) => Value::Uint(word(call, n).into()),
        WordFlags(n, table) => Value::Uint(flags::number(table, word(call, n)).into()),
        OwnUser => Value::Uint(event.uid.into()),
        OwnGroup => Value::Uint(event.gid.into()),
        OwnVpid => Value::Int(event.process.vpid.into()),
        Tuple | Address | OfProcess | OwnVtid | Untold => Value::Absent,
    }
}

/// The bits of a mode that chmod looks at.
fn permissions(mode: u32) -> u32 {
    mode & 0o7777
}

fn queue_share(call: &Call<'_>) -> u64 {
    (call.aux * 100).checked_div(call.queue_max.into()).unwrap_or(0)
}

fn capabilities(call: &Call<'_>, which: u8) -> u64 {
    let (permitted, effective) = call.capabilities.unwrap_or_default();
    match which {
        0 => call.aux,
        1 => permitted,
        _ => effective,
    }
}

/// A 32-bit word of the struct that was read; 0 where it could not be.
fn word(call: &Call<'_>, number: u8) -> u32 {
    let bytes = call.data.get(usize::from(number) * 4..).and_then(<[u8]>::first_chunk);
    bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn request(number: u32) -> (&'static str, u32) {
    flags::PTRACE.iter().find(|row| row.2 == number).map_or(flags::PTRACE_UNKNOWN, |row| (row.0, row.1))
}

/// `<f>/etc/hosts`, when it is the descriptor that the event tells of.
fn descriptor(call: &Call<'_>, number: i64, out: &mut Vec<u8>) {
    match &call.descriptor {
        Some(Descriptor::File(file)) if file.fd == number => {
            let _ = write!(out, "<{}>", file.typechar());
            out.extend_from_slice(file.path);
        }
        Some(Descriptor::Socket(socket)) if socket.fd == number => render::socket(socket, out),
        _ => {}
    }
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    out.extend_from_slice(bytes);
    true
}
