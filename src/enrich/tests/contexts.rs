//! Events side by side with Falco's: the same nine situations, folded from records, against the values that Falco 0.44 gives
//! for every field that we provide. `contexts.json` holds those values, recorded by running it; `null` is a field without
//! a value. Where we differ, the table says why, and a row that is not needed any more is an error.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use eyas_ebpf::{
    Body, Clock, ClockFixed, Connect, ConnectFixed, Exec, ExecFixed, ExecFlags, Head, Open, OpenFixed,
    Record, records,
};
use eyas_enrich::{Enrich, SilentHost};
use eyas_event::{Arg, Event, FieldId, FieldRef, Fields, OutputValue, ParamId};
use serde_json::Value as Json;

/// Where we differ: situations (`*` for all), field, reason.
const DIFFERENT: &[(&str, &str, &str)] = &[
    (SOCKETS, "fd.lip", OWN_END),
    (SOCKETS, "fd.rip", OWN_END),
    (SOCKETS, "fd.lport", OWN_END),
    (SOCKETS, "fd.rport", OWN_END),
    (SOCKETS, "fd.cnet", NETWORKS),
    (SOCKETS, "fd.snet", NETWORKS),
    (SOCKETS, "fd.lnet", NETWORKS),
    (SOCKETS, "fd.rnet", NETWORKS),
    ("*", "fd.dev", "a number here, a text there"),
    ("mapped", "fd.name", MAPPED),
    ("mapped", "fd.l4proto", MAPPED),
    ("mapped", "evt.arg.fd", MAPPED),
    ("mapped", "evt.arg.addr", MAPPED),
    ("mapped", "evt.arg[2]", MAPPED),
    ("mapped", "evt.arg[3]", MAPPED),
    ("mapped", "evt.args", MAPPED),
    ("mapped", "evt.info", MAPPED),
    ("openfail", "fd.typechar", "a failed open is an open of a file, by whichever call it was made"),
    ("openatfail", "fs.path.name", "the path is known although the call failed"),
    ("exec", "evt.arg.cwd", "Falco's own recorded event has none; ours comes from the kernel"),
    ("exec", "evt.arg.cap_permitted", NOT_KEPT),
    ("exec", "evt.arg.env", NOT_KEPT),
    ("exec", "evt.args", NOT_KEPT),
    ("exec", "evt.info", NOT_KEPT),
];

const SOCKETS: &str = "connect connect6 inprogress mapped";
const OWN_END: &str = "the end of the process itself; Falco asks which addresses the machine has, and in its recordings it had none";
const NETWORKS: &str =
    "the recordings write a mark for a network; we give the address whose membership is asked for";
const MAPPED: &str = "an IPv4 address inside an IPv6 one is an IPv4 address, also in what is printed";
const NOT_KEPT: &str = "not read, or not kept, by the sensor yet";

const WALL: i64 = 1_566_230_400_000_000_000;
const BEGIN: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;

fn situation(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let put = |out: &mut Vec<u8>, head, body| {
        Record { head, body }.write(out).unwrap();
    };
    let (num, ms, caller) = match name {
        "open" | "openfail" | "openatfail" => (1, 10, 1),
        "exec" => (9, 90, 40),
        _ => (2, 20, 1),
    };
    let fixed = ClockFixed { wall_offset_ns: WALL - BEGIN as i64, ..ClockFixed::default() };
    put(&mut out, Head { seq: num - 1, ..Head::default() }, Body::Clock(Clock { fixed, node: b"" }));
    let start_of = |pid: u32| match pid {
        1 => BEGIN,
        20 => BEGIN + 10 * MS,
        30 => BEGIN + 40 * MS,
        _ => BEGIN + 70 * MS,
    };
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
            flags: ExecFlags::TEXTUAL,
            args_total: argv.len() as u64,
            comm,
            ..ExecFixed::default()
        };
        let body = Body::Process(Exec { fixed, exe, cwd: b"/root", filename: b"", interp: b"", argv });
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
    let body = match name {
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
                ..ExecFixed::default()
            },
            exe: b"my tool\0tmp\0\0",
            cwd: root,
            filename: b"/tmp/my tool",
            interp: b"",
            argv: b"/tmp/my tool\0",
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
    put(&mut out, head, body);
    out
}

/// A field as Falco's recordings name it.
fn field(name: &str) -> FieldRef {
    if let Some(param) = name.strip_prefix("evt.arg.") {
        return FieldRef { id: FieldId::EVT_ARG, arg: Arg::Param(ParamId::from_name(param).unwrap()) };
    }
    let (name, arg) = match name.strip_suffix(']').and_then(|n| n.split_once('[')) {
        Some((name, n)) => (name, Arg::Index(n.parse().unwrap())),
        None => (name, Arg::None),
    };
    FieldRef { id: FieldId::from_name(name).unwrap_or_else(|| panic!("{name}")), arg }
}

fn json(event: &Event<'_>, field: &FieldRef) -> Json {
    let mut buf = Vec::new();
    match OutputValue::from(&event.get(field, &mut buf)) {
        OutputValue::Null | OutputValue::List(_) => Json::Null,
        OutputValue::Bool(b) => b.into(),
        OutputValue::Int(n) => n.into(),
        OutputValue::Uint(n) => n.into(),
        OutputValue::Text(s) => s.into(),
    }
}

#[test]
fn fields_have_falcos_values_but_for_those_that_the_table_names() {
    let recorded: BTreeMap<String, BTreeMap<String, Json>> =
        serde_json::from_str(include_str!("contexts.json")).unwrap();
    let mut used = vec![false; DIFFERENT.len()];
    let mut wrong = String::new();
    for name in recorded.keys().filter(|name| *name != "common") {
        let stream = situation(name);
        let mut enrich = Enrich::new(SilentHost);
        let mut judged = 0;
        for (_, record) in records(&stream) {
            enrich.fold(&record.unwrap(), &mut Vec::new(), &mut |event| {
                judged += 1;
                for (text, want) in recorded["common"].iter().chain(&recorded[name]) {
                    let got = json(event, &field(text));
                    let row = DIFFERENT.iter().position(|(situations, field, _)| {
                        field == text && (*situations == "*" || situations.split(' ').any(|s| s == name))
                    });
                    match row {
                        _ if got == *want => {}
                        Some(row) => used[row] = true,
                        None => writeln!(wrong, "{name} {text}: Falco {want}, we {got}").unwrap(),
                    }
                }
            });
        }
        assert_eq!(judged, 1);
    }
    for ((situations, field, _), used) in DIFFERENT.iter().zip(used) {
        if !used {
            writeln!(wrong, "the row {situations} {field} is not needed any more").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
