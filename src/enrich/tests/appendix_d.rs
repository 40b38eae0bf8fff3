//! Every parameter of every event that the sensor sends, whatever is in the record: what is printed of it has a form that
//! its type has in Falco (appendix D of its surface; the types stand in Falco's own table of events).

use std::collections::HashMap;
use std::sync::LazyLock;

use eyas_ebpf::{
    Body, CALLS, Call, CallBits, CallFixed, Connect, ConnectBits, ConnectFixed, ExecFailed, ExecFailedFixed,
    FailedBits, Open, OpenBits, OpenFixed, records,
};
use eyas_enrich::Enrich;
use eyas_event::{Arg, Event, EventType, FieldId, FieldRef, Fields, ParamId};
use proptest::collection::vec;
use proptest::prelude::*;
use regex::bytes::Regex;

use crate::support::{Machine, T0, head, put};

/// The parameters that the sensor tells, and their types: appendix D, and for what it leaves out the table beside it. A
/// number of 64 bits is written with its sign, as Falco does.
const TYPES: &[&str] = &[
    "open fd:FD name:FSPATH flags:FLAGS mode:UINT dev:UINT ino:INT",
    "openat fd:FD dirfd:FD name:FSPATH flags:FLAGS mode:UINT dev:UINT ino:INT",
    "openat2 fd:FD dirfd:FD name:FSPATH flags:FLAGS mode:UINT resolve:FLAGS dev:UINT ino:INT",
    "creat fd:FD name:FSPATH mode:UINT dev:UINT ino:INT",
    "connect res:ERRNO tuple:SOCKTUPLE fd:FD addr:SOCKADDR",
    "accept fd:FD tuple:SOCKTUPLE queuepct:UINT queuelen:UINT queuemax:UINT",
    "accept4 fd:FD tuple:SOCKTUPLE queuepct:UINT queuelen:UINT queuemax:UINT flags:INT",
    "listen res:ERRNO fd:FD backlog:INT",
    "socket fd:FD domain:ENUM type:UINT proto:UINT flags:FLAGS",
    "sendto res:ERRNO data:BYTEBUF fd:FD size:UINT tuple:SOCKTUPLE",
    "sendmsg res:ERRNO data:BYTEBUF fd:FD size:UINT tuple:SOCKTUPLE",
    "recvfrom res:ERRNO data:BYTEBUF tuple:SOCKTUPLE fd:FD size:UINT",
    "recvmsg res:ERRNO size:UINT data:BYTEBUF tuple:SOCKTUPLE fd:FD",
    "bind res:ERRNO addr:SOCKADDR fd:FD",
    "dup res:FD oldfd:FD",
    "dup2 res:FD oldfd:FD newfd:FD",
    "dup3 res:FD oldfd:FD newfd:FD flags:FLAGS",
    "link res:ERRNO oldpath:FSPATH newpath:FSPATH",
    "linkat res:ERRNO olddir:FD oldpath:FSPATH newdir:FD newpath:FSPATH flags:FLAGS",
    "symlink res:ERRNO target:CHARBUF linkpath:FSPATH",
    "symlinkat res:ERRNO target:CHARBUF linkdirfd:FD linkpath:FSPATH",
    "rename res:ERRNO oldpath:FSPATH newpath:FSPATH",
    "renameat res:ERRNO olddirfd:FD oldpath:FSPATH newdirfd:FD newpath:FSPATH",
    "renameat2 res:ERRNO olddirfd:FD oldpath:FSPATH newdirfd:FD newpath:FSPATH flags:FLAGS",
    "unlink res:ERRNO path:FSPATH",
    "unlinkat res:ERRNO dirfd:FD name:FSPATH flags:FLAGS",
    "mkdir res:ERRNO path:FSPATH mode:UINT",
    "mkdirat res:ERRNO dirfd:FD path:FSPATH mode:UINT",
    "rmdir res:ERRNO path:FSPATH",
    "chmod res:ERRNO filename:FSPATH mode:MODE",
    "fchmod res:ERRNO fd:FD mode:MODE",
    "fchmodat res:ERRNO dirfd:FD filename:FSPATH mode:MODE",
    "ptrace res:ERRNO addr:UINT data:UINT request:ENUM pid:PID",
    "init_module res:ERRNO img:BYTEBUF length:INT uargs:CHARBUF",
    "finit_module res:ERRNO fd:FD uargs:CHARBUF flags:FLAGS",
    "delete_module res:ERRNO name:CHARBUF flags:FLAGS",
    "setns res:ERRNO fd:FD nstype:FLAGS",
    "unshare res:ERRNO flags:FLAGS",
    "setuid res:ERRNO uid:UID",
    "setgid res:ERRNO gid:UID",
    "setreuid res:ERRNO ruid:UID euid:UID",
    "setregid res:ERRNO rgid:UID egid:UID",
    "setresuid res:ERRNO ruid:UID euid:UID suid:UID",
    "setresgid res:ERRNO rgid:UID egid:UID sgid:UID",
    "bpf fd:FD cmd:ENUM",
    "userfaultfd res:ERRNO flags:FLAGS",
    "clone res:PID tid:PID pid:PID flags:FLAGS uid:UINT gid:UINT",
    "clone3 res:PID tid:PID pid:PID flags:FLAGS uid:UINT gid:UINT",
    "fork res:PID tid:PID pid:PID uid:UINT gid:UINT",
    "vfork res:PID tid:PID pid:PID uid:UINT gid:UINT",
    "chdir res:ERRNO path:CHARBUF",
    "fchdir res:ERRNO fd:FD",
    "memfd_create fd:FD name:CHARBUF flags:FLAGS",
    "mount res:ERRNO dev:CHARBUF dir:FSPATH type:CHARBUF flags:FLAGS",
    "umount res:ERRNO name:FSPATH",
    "umount2 res:ERRNO name:FSPATH flags:FLAGS",
    "prctl res:ERRNO option:ENUM arg2_str:CHARBUF arg2_int:INT",
    "setsid res:PID",
    "setpgid res:ERRNO pid:PID pgid:PID",
    "capset res:ERRNO cap_inheritable:UINT cap_permitted:UINT cap_effective:UINT",
    "chroot res:ERRNO path:FSPATH",
    "kill res:ERRNO pid:PID sig:SIGTYPE",
    "tkill res:ERRNO tid:PID sig:SIGTYPE",
    "tgkill res:ERRNO pid:PID tid:PID sig:SIGTYPE",
    "process_vm_readv res:ERRNO pid:PID data:BYTEBUF",
    "process_vm_writev res:ERRNO pid:PID data:BYTEBUF",
    "pidfd_open fd:FD pid:PID flags:FLAGS",
    "pidfd_getfd fd:FD pid_fd:FD target_fd:FD flags:UINT",
    "io_uring_setup res:ERRNO entries:UINT sq_entries:UINT cq_entries:UINT flags:FLAGS sq_thread_cpu:UINT sq_thread_idle:UINT features:FLAGS",
    "execve res:ERRNO exe:CHARBUF tid:PID pid:PID uid:UID gid:UID filename:FSPATH",
    "execveat res:ERRNO exe:CHARBUF tid:PID pid:PID uid:UID gid:UID",
    "procexit status:INT ret:INT sig:SIGTYPE core:UINT",
];

/// What a parameter of a type looks like among others (`evt.args`), as Falco writes it: a number, and behind it in
/// parentheses what it means, where that is known.
fn form(of: &str) -> &'static str {
    match of {
        "ERRNO" => r"(?s-u)^(-?[0-9]+|-[0-9]+\(E[A-Z0-9]+\)|[0-9]+\(<[a-zA-Z0-9]{1,2}>.*\))$",
        "FD" => r"(?s-u)^-?[0-9]+(\((AT_FDCWD|E[A-Z0-9]+|<[a-zA-Z0-9]{1,2}>.*)\))?$",
        // Given, and made absolute behind it where it was relative.
        "FSPATH" => r"(?s-u)^(<NA>|/.*|[^/].*\(/.*\)|[^/].*|)$",
        "CHARBUF" | "BYTEBUF" | "SOCKADDR" => r"(?s-u)^.*$",
        "FLAGS" => r"^[0-9A-F]+(\([A-Z0-9_a-z]+(\|[A-Z0-9_a-z]+)*\))?$",
        "MODE" => r"^0[0-7]*(\(S_I[A-Z]+(\|S_I[A-Z]+)*\))?$",
        "ENUM" => r"^[0-9]+(\([A-Za-z0-9_]+\))?$",
        "UINT" => r"^[0-9A-F]+$",
        "INT" => r"^-?[0-9A-F]+$",
        "PID" => r"(?s-u)^-?[0-9]+(\(.*\))?$",
        "UID" => r"(?s-u)^-?[0-9]+(\((<NONE>|<NA>|.+)\))?$",
        "SIGTYPE" => r"^[0-9]+(\(SIG[A-Z0-9]+\))?$",
        "SOCKTUPLE" => r"(?s-u)^(NULL|[0-9a-f.:]+:[0-9]+(->[0-9a-f.:]+:[0-9]+)?|/.*|[^/].*)$",
        other => panic!("no form of {other}"),
    }
}

/// The forms, compiled once.
static FORMS: LazyLock<HashMap<&str, Regex>> = LazyLock::new(|| {
    let types =
        TYPES.iter().flat_map(|row| row.split(' ').skip(1)).map(|part| part.split_once(':').unwrap().1);
    types.map(|of| (of, Regex::new(form(of)).unwrap())).collect()
});

/// What is printed of one parameter among the others; none where it is left out.
fn printed<'a>(args: &'a [u8], name: &str, next: Option<&str>) -> Option<&'a [u8]> {
    let begin = [name.as_bytes(), b"="].concat();
    let rest = args.strip_prefix(&begin[..])?;
    let end = next.and_then(|next| {
        let next = [b" ", next.as_bytes(), b"="].concat();
        rest.windows(next.len()).position(|window| window == next)
    });
    Some(&rest[..end.unwrap_or(rest.len())])
}

/// Every parameter of the event has its form, alone and among the others; gives how many there were.
fn check(event: &Event<'_>) -> usize {
    let (mut buf, mut args) = (Vec::new(), Vec::new());
    let all = FieldRef { id: FieldId::from_name("evt.args").unwrap(), arg: Arg::None };
    all.write_text(&event.get(&all, &mut buf), &mut args);
    let row = TYPES.iter().find(|row| row.split(' ').next() == Some(event.kind.name()));
    let row = row.unwrap_or_else(|| panic!("no types of {}", event.kind.name()));
    let types: Vec<_> = row.split(' ').skip(1).map(|part| part.split_once(':').unwrap()).collect();
    let names: Vec<_> = eyas_event::param_lists::of(event.kind).to_vec();
    for (name, of) in &types {
        let at = names.iter().position(|own| own == name).unwrap_or_else(|| panic!("{row}: {name}"));
        let begin = [name.as_bytes(), b"="].concat();
        let place = (0..args.len())
            .find(|place| args[*place..].starts_with(&begin) && (*place == 0 || args[place - 1] == b' '));
        let place = place.unwrap_or_else(|| {
            panic!("{} has no {name}: {}", event.kind.name(), String::from_utf8_lossy(&args))
        });
        // The next that is printed at all ends it.
        let next = names[at + 1..].iter().find(|next| {
            let next = [b" ", next.as_bytes(), b"="].concat();
            args[place..].windows(next.len()).any(|window| window == next)
        });
        let text = printed(&args[place..], name, next.copied()).unwrap();
        assert!(
            FORMS[of].is_match(text),
            "{} {name}:{of} is printed as {:?}",
            event.kind.name(),
            String::from_utf8_lossy(text)
        );
        let mut buf = Vec::new();
        let alone = FieldRef {
            id: FieldId::from_name("evt.arg").unwrap(),
            arg: Arg::Param(ParamId::from_name(name).unwrap()),
        };
        assert!(!event.get(&alone, &mut buf).is_absent(), "{} {name}", event.kind.name());
    }
    types.len()
}

#[test]
fn every_event_that_is_sent_has_its_types() {
    for event in EventType::PROVIDED {
        assert!(
            TYPES.iter().any(|row| row.split(' ').next() == Some(event.name())),
            "{} has no types",
            event.name()
        );
    }
    assert_eq!(TYPES.len(), EventType::PROVIDED.len());
}

/// Arguments that calls are likely given, and any other.
fn argument() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..70_u64,
        Just(u64::MAX),
        Just((-100_i64) as u64),
        any::<u32>().prop_map(u64::from),
        any::<u64>()
    ]
}

/// A text without a blank or an equals sign, between which parameters could not be told apart, by a person either.
fn text() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![Just(b'/'), Just(b'.'), b'a'..=b'z', 0x21..=0xff_u8], 0..40)
        .prop_map(|text| text.into_iter().filter(|byte| !b" =".contains(byte)).collect())
}

/// A path of the kernel's, leaf first.
fn section() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        Just(b"\0".to_vec()),
        Just(b"memfd:x\0".to_vec()),
        Just(b"nsfs\0".to_vec()),
        Just(b"b\0a\0\0".to_vec()),
        Just(b"c\0b\0a\0".to_vec()),
    ]
}

/// Results: what was made, nothing, or an error.
fn result() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0_i64), 1..300_i64, (1..133_i64).prop_map(error)]
}

/// An error's number as a result; Linux has none of two numbers among them.
fn error(number: i64) -> i64 {
    if matches!(number, 41 | 58) { -1 } else { -number }
}

/// Folds one record and checks the event.
#[expect(clippy::large_types_passed_by_value, reason = "records are made where they are put")]
fn fold(body: Body<'_>) -> usize {
    let mut stream = Vec::new();
    put(&mut stream, head(10, T0 + 1, 33, 0), body);
    let mut enrich = Enrich::new(Machine);
    enrich.snapshot();
    let mut checked = 0;
    for (_, record) in records(&stream) {
        enrich.fold(&record.unwrap(), &mut Vec::new(), &mut |event| checked += check(event));
    }
    checked
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_parameter_has_a_form_of_its_type(
        ret in result(),
        args in prop::array::uniform6(argument()),
        texts in (text(), text(), vec(any::<u8>(), 0..80), vec(any::<u8>(), 0..30)),
        paths in (section(), section(), section()),
        numbers in (any::<u32>(), any::<u16>(), 0..20_u16, 0..5_u16, 0..300_u16, 0..3_u16),
        ends in (any::<[u8; 16]>(), any::<[u8; 16]>(), any::<u16>(), any::<u16>()),
    ) {
        let [arg0, arg1, arg2, arg3, arg4, arg5] = args;
        let (aux, bits, family, kind, protocol, role) = numbers;
        let (local, remote, local_port, remote_port) = ends;
        let data: Vec<u8> = texts.2.iter().copied().filter(|byte| !b" =".contains(byte)).collect();
        let address: Vec<u8> = texts.3.iter().copied().filter(|byte| !b" =".contains(byte)).collect();
        for call in CALLS {
            let fixed = CallFixed {
                ret, arg0, arg1, arg2, arg3, arg4, arg5, family, kind, protocol, role, local, remote, local_port,
                remote_port,
                aux: aux.into(),
                syscall: call.number as u32,
                bits: CallBits(bits & 0x1ff),
                mode: if bits & 0x200 == 0 { 0o100_644 } else { 0o140_777 },
                ..CallFixed::default()
            };
            let body = Call {
                fixed, first: &texts.0, second: &texts.1, address: &address, data: &data, first_base: &paths.0,
                second_base: &paths.1, path: &paths.2,
            };
            prop_assert!(fold(Body::Call(body)) > 0, "{}", call.name);
        }
        for syscall in [2, 85, 257, 437] {
            let fixed = OpenFixed {
                ret, flags: arg0, resolve: arg1, ino: arg2, dirfd: arg3 as i32, syscall, mode: aux & 0o7777,
                dev: aux, file_mode: 0o100_644, bits: OpenBits(bits & 0x3f), ..OpenFixed::default()
            };
            let body = Open { fixed, given: &texts.0, resolved: &paths.1, base: &paths.0 };
            prop_assert!(fold(Body::Open(body)) > 0);
        }
        let fixed = ConnectFixed {
            ret, fd: arg0 as i32, syscall: 42, family, kind, protocol, bits: ConnectBits(bits & 3), local_port,
            remote_port, local, remote, ..ConnectFixed::default()
        };
        let body = Connect { fixed, address: &address, path: &paths.1 };
        prop_assert!(fold(Body::Connect(body)) > 0);
        for syscall in [59, 322] {
            let fixed = ExecFailedFixed {
                ret: error(1 + ret.abs() % 130), dirfd: arg0 as i32, syscall, bits: FailedBits(bits & 3),
                ..ExecFailedFixed::default()
            };
            let body = ExecFailed { fixed, given: &texts.0, base: &paths.0 };
            prop_assert!(fold(Body::ExecFailed(body)) > 0);
        }
    }
}
