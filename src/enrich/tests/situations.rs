//! Nine situations as records: what a process does, and the family that it has. They are those of Falco's recordings in
//! `contexts.json`.

use eyas_ebpf::{
    Body, Clock, ClockFixed, Connect, ConnectFixed, Exec, ExecFixed, ExecFlags, ExecMore, Head, Open,
    OpenFixed, Record,
};

/// The names of the situations.
pub(crate) const SITUATIONS: [&str; 9] =
    ["open", "openfail", "openatfail", "connect", "inprogress", "refused", "connect6", "mapped", "exec"];

/// The environment of every process in the recordings.
const ENV: &[u8] = b"TEST_ENV_PARENT_LINEAGE=secret\0HOME=/home/user/parent\0";
const WALL: i64 = 1_566_230_400_000_000_000;
const BEGIN: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;

pub(crate) fn situation(name: &str) -> Vec<u8> {
    altered(name, |_| ())
}

/// A situation in which one thing is different.
pub(crate) fn altered(name: &str, alter: impl FnOnce(&mut Body<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    let put = |out: &mut Vec<u8>, head, body| {
        Record { head, body }.write(out).unwrap();
    };
    // Which event of its run it is, when it was, and who did it. The first event of each run was at 10 ms.
    let (num, ms, caller) = match name {
        "open" | "openfail" | "openatfail" => (1, 10, 1),
        "exec" => (9, 90, 40),
        _ => (2, 20, 1),
    };
    let fixed = ClockFixed { wall_offset_ns: WALL - BEGIN as i64, ..ClockFixed::default() };
    let first = if num > 1 { BEGIN + 10 * MS } else { 0 };
    let head = Head { seq: num - 1, time: first, ..Head::default() };
    put(&mut out, head, Body::Clock(Clock { fixed, node: b"" }));
    let start_of = |pid: u32| match pid {
        1 => BEGIN,
        20 => BEGIN + 10 * MS,
        30 => BEGIN + 40 * MS,
        _ => BEGIN + 70 * MS,
    };
    // What the recorded engine had of its own process, and of those that it made up.
    let none = ExecMore::default().bytes();
    let init = ExecMore {
        fd_limit: 1_048_576,
        faults_major: 222,
        faults_minor: 22,
        vm_size_kib: 10_000,
        vm_rss_kib: 100,
        ..ExecMore::default()
    };
    let init = init.bytes();
    let family = [
        (1, 0, &b"init"[..], &b"/sbin/init"[..], &b"/sbin/init\0context\0ls\0--format\0{{json .}}\0"[..]),
        (20, 1, b"sshd", b"/usr/sbin/sshd", b"/usr/sbin/sshd\0"),
        (30, 20, b"bash", b"/usr/bin/bash", b"/bin/bash\0"),
    ];
    for (pid, ppid, name, exe, argv) in family {
        let mut comm = [0; 16];
        comm[..name.len()].copy_from_slice(name);
        let fixed = ExecFixed {
            ppid,
            parent_start: if ppid == 0 { 0 } else { start_of(ppid) },
            vpid: pid,
            vpgid: u32::from(pid == 1),
            loginuid: u32::MAX,
            cap_effective: if pid == 1 { (1 << 41) - 1 } else { 0 },
            cap_permitted: if pid == 1 { (1 << 41) - 1 } else { 0 },
            flags: ExecFlags::TEXTUAL.with(ExecFlags::ENV_READ),
            args_total: argv.len() as u64,
            comm,
            ..ExecFixed::default()
        };
        let body = Body::Process(Exec {
            fixed,
            exe,
            cwd: b"/root",
            filename: b"",
            interp: b"",
            more: if pid == 1 { &init } else { &none },
            argv,
            env: ENV,
        });
        put(&mut out, Head { tid: pid, tgid: pid, start: start_of(pid), ..Head::default() }, body);
    }
    let head = Head {
        cpu: 1,
        tid: caller,
        tgid: caller,
        start: start_of(caller),
        time: BEGIN + ms * MS,
        ..Head::default()
    };
    let root = b"root\0\0";
    let open = |ret, syscall, flags, mode, given, base| {
        let fixed =
            OpenFixed { ret, syscall, dirfd: -100, flags, mode, file_mode: 0, ..OpenFixed::default() };
        Body::Open(Open { fixed, given, resolved: b"", base })
    };
    let (v4, to_v4) = ([172, 40, 111, 222], [142, 251, 111, 147]);
    let mut body = match name {
        "open" => open(4, 2, 0, 0, b"../etc/./shadow file", root),
        "openfail" => open(-2, 2, 0o102, 0o755, b"/etc/shadow", b""),
        "openatfail" => open(-2, 257, 0, 0, b"etc/../x", root),
        "exec" => Body::Exec(Exec {
            fixed: ExecFixed {
                ppid: 30,
                parent_start: start_of(30),
                vpid: 40,
                args_total: 13,
                syscall: 59,
                comm: *b"my tool\0\0\0\0\0\0\0\0\0",
                flags: ExecFlags::ENV_READ,
                ..ExecFixed::default()
            },
            exe: b"my tool\0tmp\0\0",
            cwd: root,
            filename: b"/tmp/my tool",
            interp: b"",
            more: &none,
            argv: b"/tmp/my tool\0",
            env: ENV,
        }),
        _ => {
            let six = name == "connect6";
            let ret = match name {
                "inprogress" => -115,
                "refused" => -111,
                _ => 0,
            };
            let place = |four: [u8; 4], six_bytes: std::net::Ipv6Addr| -> [u8; 16] {
                let mut bytes = [0; 16];
                match name {
                    "connect6" => bytes = six_bytes.octets(),
                    "mapped" => bytes = std::net::Ipv4Addr::from(four).to_ipv6_mapped().octets(),
                    _ => bytes[..4].copy_from_slice(&four),
                }
                bytes
            };
            let fixed = ConnectFixed {
                ret,
                fd: if six || name == "mapped" { 5 } else { 4 },
                syscall: 42,
                family: if six || name == "mapped" { 10 } else { 2 },
                kind: 1,
                protocol: 6,
                local: place(v4, "::1".parse().unwrap()),
                remote: place(to_v4, "2001:4860:4860::8888".parse().unwrap()),
                local_port: 54_321,
                remote_port: 443,
                ..ConnectFixed::default()
            };
            Body::Connect(Connect { fixed, address: b"", path: b"" })
        }
    };
    alter(&mut body);
    put(&mut out, head, body);
    out
}
