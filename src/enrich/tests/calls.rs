//! CALL records as events: what Falco's fields and parameters say of each kind of call. What they say is what Falco's sources
//! and appendix D of its surface say; the calls themselves are held against the kernel in the room `probe`.

use eyas_ebpf::{Body, CALLS, Call, CallBits, CallFixed, ForkFixed, Role, records};
use eyas_enrich::Enrich;
use eyas_event::{Arg, FieldId, FieldRef, Fields};

use crate::support::{Machine, T0, head, put};

/// `/home/u` and `/srv`, leaf first.
const HOME: &[u8] = b"u\0home\0\0";
const SRV: &[u8] = b"srv\0\0";
const NONE: Call<'static> = Call {
    fixed: CallFixed {
        ret: 0,
        arg0: 0,
        arg1: 0,
        arg2: 0,
        arg3: 0,
        arg4: 0,
        arg5: 0,
        aux: 0,
        cap_permitted: 0,
        cap_effective: 0,
        ino: 0,
        local: [0; 16],
        remote: [0; 16],
        syscall: 0,
        dev: 0,
        queue_max: 0,
        bits: CallBits(0),
        mode: 0,
        family: 0,
        kind: 0,
        protocol: 0,
        local_port: 0,
        remote_port: 0,
        role: 0,
        first_len: 0,
        second_len: 0,
        address_len: 0,
        data_len: 0,
        first_base_len: 0,
        second_base_len: 0,
        path_len: 0,
        pad: 0,
        pad2: 0,
    },
    first: b"",
    second: b"",
    address: b"",
    data: b"",
    first_base: b"",
    second_base: b"",
    path: b"",
};

/// A call with this result and these arguments.
fn made(name: &str, ret: i64, args: &[u64]) -> Call<'static> {
    let mut call = NONE;
    let row = CALLS.iter().find(|call| call.name == name).unwrap_or_else(|| panic!("{name}"));
    (call.fixed.syscall, call.fixed.ret) = (row.number as u32, ret);
    let f = &mut call.fixed;
    for (into, arg) in
        [&mut f.arg0, &mut f.arg1, &mut f.arg2, &mut f.arg3, &mut f.arg4, &mut f.arg5].into_iter().zip(args)
    {
        *into = *arg;
    }
    call
}

/// The same about a file.
fn about<'b>(mut call: Call<'b>, path: &'b [u8], mode: u16) -> Call<'b> {
    (call.path, call.fixed.mode) = (path, mode);
    call.fixed.bits = call.fixed.bits.with(CallBits::DESCRIPTOR);
    call
}

/// The same about an IPv4 socket between 10.0.0.1 and 10.0.0.2.
fn socket(mut call: Call<'static>, protocol: u16, role: Role, ports: (u16, u16)) -> Call<'static> {
    let f = &mut call.fixed;
    f.bits = f.bits.with(CallBits::DESCRIPTOR);
    (f.mode, f.family, f.protocol, f.role) = (0o140_777, 2, protocol, role as u16);
    (f.local_port, f.remote_port) = ports;
    f.local[..4].copy_from_slice(&[10, 0, 0, 1]);
    if ports.1 != 0 {
        f.remote[..4].copy_from_slice(&[10, 0, 0, 2]);
    }
    call
}

/// What fields print in the event of one call; a `-` where they have no value.
fn check(call: &Call<'_>, fields: &[(&str, &str)]) {
    let mut stream = Vec::new();
    put(&mut stream, head(10, T0 + 1, 33, 0), Body::Call(*call));
    let mut enrich = Enrich::new(Machine);
    enrich.snapshot();
    let mut events = 0;
    for (_, record) in records(&stream) {
        enrich.fold(&record.unwrap(), &mut Vec::new(), &mut |event| {
            events += 1;
            for (name, want) in fields {
                let id = FieldId::from_name(name).unwrap_or_else(|| panic!("{name}"));
                let field = FieldRef { id, arg: Arg::None };
                let mut buf = Vec::new();
                let value = event.get(&field, &mut buf);
                let mut text = Vec::new();
                if value.is_absent() {
                    text.push(b'-');
                } else {
                    field.write_text(&value, &mut text);
                }
                let text = String::from_utf8(text).unwrap();
                assert_eq!(text, *want, "{}: {name}", event.kind.name());
            }
        });
    }
    assert_eq!(events, 1, "{call:?}");
}

#[test]
fn paths_are_told_as_given_and_made_absolute() {
    let rename = Call { first: b"a", second: b"/tmp/b", first_base: HOME, ..made("rename", 0, &[]) };
    check(
        &rename,
        &[
            ("evt.type", "rename"),
            ("evt.category", "file"),
            ("evt.args", "res=0 oldpath=a(/home/u/a) newpath=/tmp/b"),
            ("fs.path.source", "/home/u/a"),
            ("fs.path.sourceraw", "a"),
            ("fs.path.target", "/tmp/b"),
            ("fs.path.name", "-"),
            ("fd.name", "-"),
            ("fd.num", "-"),
        ],
    );
    let at = Call {
        first: b"x",
        second: b"y",
        first_base: HOME,
        second_base: SRV,
        ..made("linkat", -2, &[(-100_i64) as u64, 0, 5, 0, 0x400])
    };
    check(
        &at,
        &[
            (
                "evt.args",
                "res=-2(ENOENT) olddir=-100(AT_FDCWD) oldpath=x(/home/u/x) newdir=5 newpath=y(/srv/y) flags=400(AT_SYMLINK_FOLLOW)",
            ),
            ("evt.res", "ENOENT"),
            ("evt.failed", "true"),
            ("evt.count.error.file", "1"),
        ],
    );
    let link = Call { first: b"../etc", second: b"l", second_base: HOME, ..made("symlink", 0, &[]) };
    check(
        &link,
        &[
            ("evt.args", "res=0 target=../etc linkpath=l(/home/u/l)"),
            ("fs.path.source", "/home/u/l"),
            ("fs.path.target", "../etc"),
        ],
    );
    let remove = about(
        Call { first: b"gone", first_base: SRV, ..made("unlinkat", 0, &[7, 0, 0x200]) },
        SRV,
        0o040_755,
    );
    check(
        &remove,
        &[
            ("evt.args", "res=0 dirfd=7(<d>/srv) name=gone(/srv/gone) flags=200(AT_REMOVEDIR)"),
            ("fs.path.name", "/srv/gone"),
            ("evt.abspath", "/srv/gone"),
            ("fd.name", "/srv"),
            ("fd.typechar", "d"),
        ],
    );
    let mount = Call {
        first: b"/dev/sda1",
        second: b"/mnt",
        data: b"ext4",
        ..made("mount", 0, &[0, 0, 0, 0xc0ed_1001])
    };
    check(
        &mount,
        &[
            ("evt.args", "res=0 dev=/dev/sda1 dir=/mnt type=ext4 flags=1001(RDONLY|BIND)"),
            ("fs.path.name", "/mnt"),
        ],
    );
    let mut nowhere = Call { second_base: HOME, ..made("mount", -14, &[1, 2, 3, 0]) };
    let faults = CallBits::FIRST_FAULT.with(CallBits::SECOND_FAULT).with(CallBits::DATA_FAULT);
    nowhere.fixed.bits = faults;
    check(&nowhere, &[("evt.args", "res=-14(EFAULT) dev=<NA> dir=<NA> type=<NA> flags=0")]);
    let chmod = Call { first: b"/tmp/x", ..made("chmod", 0, &[0, 0o4755]) };
    check(
        &chmod,
        &[(
            "evt.args",
            "res=0 filename=/tmp/x mode=04755(S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID)",
        )],
    );
}

#[test]
fn numbers_have_falcos_names() {
    for (call, args) in [
        (
            made("ptrace", -1, &[16, 4242, 0, 0x10]),
            "res=-1(EPERM) addr=0 data=10 request=11(PTRACE_ATTACH) pid=4242",
        ),
        (made("ptrace", 0, &[0, 0, 0, 0]), "res=0 addr=0 data=0 request=1(PTRACE_TRACEME) pid=0"),
        (made("kill", 0, &[10, 9]), "res=0 pid=10(sshd) sig=9(SIGKILL)"),
        (made("unshare", 0, &[0x1002_0000]), "res=0 flags=100020(CLONE_NEWNS|CLONE_NEWUSER)"),
        (made("setuid", 0, &[33]), "res=0 uid=33(www-data)"),
        (made("setreuid", 0, &[u64::from(u32::MAX), 33]), "res=0 ruid=-1(<NONE>) euid=33(www-data)"),
        (made("bpf", 5, &[5]), "fd=5 cmd=5(BPF_PROG_LOAD)"),
        (
            made("socket", -97, &[17, 0o2_000_003, 768]),
            "fd=-97(EAFNOSUPPORT) domain=17(AF_PACKET) type=3 proto=768 flags=1000(O_CLOEXEC)",
        ),
    ] {
        check(&call, &[("evt.args", args)]);
    }
    let clone = made("clone", 11, &[0x1200_0011]);
    check(&clone, &[("evt.category", "process"), ("evt.rawres", "11")]);
    let caps = Call {
        fixed: CallFixed {
            bits: CallBits::CAPABILITIES,
            aux: 1,
            cap_permitted: 3,
            cap_effective: 2,
            ..made("capset", 0, &[]).fixed
        },
        ..NONE
    };
    check(
        &caps,
        &[
            ("evt.args", "res=0 cap_inheritable=1 cap_permitted=3 cap_effective=2"),
            ("thread.cap_effective", "CAP_DAC_OVERRIDE"),
            ("thread.cap_permitted", "CAP_CHOWN CAP_DAC_OVERRIDE"),
        ],
    );
}

#[test]
fn descriptors_are_what_they_name() {
    for (path, mode, letter, word, name) in [
        (&b"hosts\0etc\0\0"[..], 0o100_644, "f", "file", "/etc/hosts"),
        (b"memfd:x\0", 0o100_777, "m", "memfd", "memfd:x"),
        (b"[eventfd]\0", 0o600, "e", "event", "[eventfd]"),
        (b"", 0o010_600, "p", "pipe", "-"),
        (b"\0", 0o040_755, "d", "directory", "/"),
    ] {
        let dup = about(made("dup2", 1, &[5, 1]), path, mode);
        check(&dup, &[("fd.num", "1"), ("fd.typechar", letter), ("fd.type", word), ("fd.name", name)]);
    }
    check(
        &made("accept", -11, &[3]),
        &[("fd.num", "-1"), ("fd.typechar", "4"), ("fd.type", "-"), ("evt.res", "EAGAIN")],
    );
}

#[test]
fn a_socket_has_the_ends_that_its_role_says() {
    let accepted = socket(made("accept4", 6, &[3, 0, 0, 0]), 6, Role::Server, (22, 50_000));
    check(
        &Call { fixed: CallFixed { aux: 1, queue_max: 4, ..accepted.fixed }, ..accepted },
        &[
            (
                "evt.args",
                "fd=6(<4t>10.0.0.2:50000->10.0.0.1:22) tuple=10.0.0.2:50000->10.0.0.1:22 queuepct=25 queuelen=1 queuemax=4 flags=0",
            ),
            ("fd.name", "10.0.0.2:50000->10.0.0.1:22"),
            ("fd.cip", "10.0.0.2"),
            ("fd.sport", "22"),
            ("fd.lip", "10.0.0.1"),
            ("fd.rport", "50000"),
            ("fd.l4proto", "tcp"),
            ("fd.is_server", "true"),
            ("fd.connected", "true"),
            ("fd.name_changed", "true"),
        ],
    );
    let listening = socket(made("listen", 0, &[3, 128]), 6, Role::Server, (22, 0));
    check(
        &listening,
        &[
            ("evt.args", "res=0 fd=3(<4>10.0.0.1:22) backlog=128"),
            ("fd.name", "10.0.0.1:22"),
            ("fd.sport", "22"),
            ("fd.sip", "10.0.0.1"),
            ("fd.cip", "-"),
            ("fd.l4proto", "tcp"),
            ("fd.is_server", "true"),
            ("fd.connected", "false"),
        ],
    );
    // A datagram to 10.9.9.9:53, told by the address that the call was given.
    let address = [2, 0, 0, 53, 10, 9, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0];
    let sent = socket(made("sendto", 2, &[4, 0, 2]), 17, Role::Unknown, (40_000, 0));
    let mut sent = Call { address: &address, data: b"a\0", ..sent };
    sent.fixed.bits = sent.fixed.bits.with(CallBits::PEER_CHANGED);
    check(
        &sent,
        &[
            (
                "evt.args",
                "res=2 data=a. fd=4(<4u>10.0.0.1:40000->10.9.9.9:53) size=2 tuple=10.0.0.1:40000->10.9.9.9:53",
            ),
            ("fd.sip", "10.9.9.9"),
            ("fd.sport", "53"),
            ("fd.l4proto", "udp"),
            ("fd.name_changed", "true"),
            ("fd.connected", "true"),
            ("evt.buffer", "a."),
            ("evt.buflen", "2"),
            ("evt.is_io_write", "true"),
            ("evt.io_dir", "write"),
        ],
    );
    let bound = Call { address: &address, ..socket(made("bind", 0, &[4]), 17, Role::Server, (53, 0)) };
    check(&bound, &[("evt.args", "res=0 addr=10.9.9.9:53 fd=4(<4>10.0.0.1:53)"), ("fd.name", "10.0.0.1:53")]);
}

#[test]
fn a_process_is_named_as_the_pid_namespace_of_the_caller_numbers_it() {
    let mut stream = Vec::new();
    let init = ForkFixed {
        tgid: 11,
        vpid: 1,
        pidns: 7,
        ppid: 10,
        start: T0 + 9,
        parent_start: T0 + 1,
        comm: *b"sshd\0\0\0\0\0\0\0\0\0\0\0\0",
        ..ForkFixed::default()
    };
    put(&mut stream, head(10, T0 + 1, 33, 0), Body::Fork(init));
    // The first of its namespace; the number 10 is that of a process outside.
    for pid in [1, 10] {
        put(&mut stream, head(11, T0 + 9, 33, 0), Body::Call(made("kill", 0, &[pid, 0])));
    }
    put(&mut stream, head(10, T0 + 1, 33, 0), Body::Call(made("kill", 0, &[10, 0])));
    let mut enrich = Enrich::new(Machine);
    enrich.snapshot();
    let mut told = Vec::new();
    for (_, record) in records(&stream) {
        enrich.fold(&record.unwrap(), &mut Vec::new(), &mut |event| {
            let (mut buf, mut text) = (Vec::new(), Vec::new());
            let args = FieldRef { id: FieldId::from_name("evt.args").unwrap(), arg: Arg::None };
            args.write_text(&event.get(&args, &mut buf), &mut text);
            told.push(String::from_utf8(text).unwrap());
        });
    }
    assert_eq!(told, ["res=0 pid=1(sshd) sig=0", "res=0 pid=10 sig=0", "res=0 pid=10(sshd) sig=0"]);
}

#[test]
fn what_a_call_changes_of_its_process_is_told_from_then_on() {
    let mut stream = Vec::new();
    for call in [
        Call { first: b"/srv", first_base: SRV, ..made("chdir", 0, &[]) },
        Call { first: b"renamed", ..made("prctl", 0, &[15]) },
        made("setsid", 10, &[]),
        Call { first: b"nowhere", ..made("chdir", -2, &[]) },
    ] {
        put(&mut stream, head(10, T0 + 1, 33, 0), Body::Call(call));
    }
    let mut enrich = Enrich::new(Machine);
    enrich.snapshot();
    let mut told = Vec::new();
    for (_, record) in records(&stream) {
        enrich.fold(&record.unwrap(), &mut Vec::new(), &mut |event| {
            let p = event.process;
            told.push(format!(
                "{} {} {} {}",
                event.kind.name(),
                String::from_utf8_lossy(&p.cwd),
                String::from_utf8_lossy(&p.comm),
                p.sid
            ));
        });
    }
    assert_eq!(
        told,
        ["chdir /srv sshd 0", "prctl /srv renamed 0", "setsid /srv renamed 10", "chdir /srv renamed 10"]
    );
}
