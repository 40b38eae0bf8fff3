//! What fields say in situations a little different from those of `contexts.json`: paths that are absolute, calls that fail,
//! directories, sockets of one family that talk another. What they say is what Falco's sources say.

use eyas_ebpf::{Body, ExecFlags, records};
use eyas_enrich::{Enrich, SilentHost};
use eyas_event::{Arg, FieldId, FieldRef, Fields, ParamId};

use crate::situations::altered;

/// What a field prints in the one event of the situation.
fn printed(stream: &[u8], name: &str) -> String {
    let param = |id, name| FieldRef { id, arg: Arg::Param(ParamId::from_name(name).unwrap()) };
    let field = if let Some(name) = name.strip_prefix("evt.arg.") {
        param(FieldId::EVT_ARG, name)
    } else if let Some(name) = name.strip_prefix("evt.rawarg.") {
        param(FieldId::EVT_RAWARG, name)
    } else {
        FieldRef::plain(FieldId::from_name(name).unwrap())
    };
    let mut enrich = Enrich::new(SilentHost);
    let mut text = Vec::new();
    for (_, record) in records(stream) {
        enrich.fold(&record.unwrap(), &mut Vec::new(), &mut |event| {
            field.write_text(&event.get(&field, &mut Vec::new()), &mut text);
        });
    }
    String::from_utf8(text).unwrap()
}

fn check(situation: &str, alter: impl FnOnce(&mut Body<'_>), fields: &[(&str, &str)]) {
    let stream = altered(situation, alter);
    for (field, want) in fields {
        assert_eq!(printed(&stream, field), *want, "{situation}: {field}");
    }
}

fn open<'r, 'b>(body: &'r mut Body<'b>) -> &'r mut eyas_ebpf::Open<'b> {
    let Body::Open(open) = body else { panic!("an open was expected") };
    open
}

#[test]
fn absolute_paths_are_shown_as_they_were_given() {
    check(
        "open",
        |body| open(body).given = b"/etc/../etc//shadow",
        &[
            ("fd.name", "/etc/shadow"),
            ("fs.path.name", "/etc/shadow"),
            ("fs.path.nameraw", "/etc/../etc//shadow"),
            ("evt.arg.name", "/etc/../etc//shadow"),
            (
                "evt.args",
                "fd=4(<f>/etc/shadow) name=/etc/../etc//shadow flags=1(O_RDONLY) mode=0 dev=0 ino=0",
            ),
        ],
    );
    check(
        "exec",
        |body| {
            let Body::Exec(exec) = body else { panic!("an exec was expected") };
            (exec.filename, exec.fixed.loginuid) = (b"../tmp/my tool", u32::MAX);
            (exec.fixed.flags, exec.fixed.cap_permitted) = (ExecFlags::MEMFD, 0x1_0000_00ff);
            (exec.fixed.exe_ctime, exec.fixed.exe_mtime) = (1_566_230_300, 1_566_230_000);
        },
        &[
            ("evt.arg.filename", "/tmp/my tool"),
            ("evt.rawarg.filename", "../tmp/my tool"),
            ("evt.arg.flags", "EXE_FROM_MEMFD"),
            ("evt.rawarg.flags", "4"),
            ("evt.arg.loginuid", "<NONE>"),
            ("evt.arg.cap_permitted", "1000000FF"),
            ("evt.arg.exe_ino_ctime", "2019-08-19 15:58:20.000000000"),
            ("proc.exe_ino.ctime", "1566230300000000000"),
            ("proc.exe_ino.mtime", "1566230000000000000"),
            ("proc.exe_ino.ctime_duration_proc_start", "100070000000"),
        ],
    );
}

#[test]
fn paths_of_failed_openings_are_those_that_falco_knows() {
    check(
        "openatfail",
        |body| open(body).given = b"/etc/../x",
        &[("fs.path.name", "/x"), ("fd.name", "/x"), ("fd.directory", "/"), ("fd.typechar", "f")],
    );
    // The number of this error is the one that says "no descriptor" there.
    check(
        "openatfail",
        |body| open(body).fixed.ret = -1,
        &[("fs.path.name", "<NA>"), ("fs.path.nameraw", "<NA>"), ("fd.name", "/root/x"), ("fd.num", "-1")],
    );
    check(
        "open",
        |body| open(body).fixed.syscall = 85,
        &[("evt.type", "creat"), ("fs.path.name", "<NA>"), ("evt.abspath", "<NA>")],
    );
}

#[test]
fn a_directory_is_its_own_and_devices_are_numbered_as_by_user_space() {
    check(
        "open",
        |body| {
            let open = open(body);
            (open.given, open.fixed.flags) = (b"/etc/ssh", 0o200_000);
            open.fixed.dev = 8 << 20 | 0x101;
        },
        &[
            ("fd.type", "directory"),
            ("fd.name", "/etc/ssh"),
            ("fd.directory", "/etc/ssh"),
            ("fd.filename", "<NA>"),
            ("fd.dev", "100801"),
            ("fd.dev.major", "8"),
            ("fd.dev.minor", "257"),
            ("evt.arg.dev", "100801"),
            ("evt.rawarg.dev", "100801"),
        ],
    );
    check(
        "openatfail",
        |body| {
            let open = open(body);
            (open.fixed.syscall, open.fixed.resolve) = (437, 0x18);
        },
        &[("evt.arg.resolve", "RESOLVE_BENEATH|RESOLVE_IN_ROOT"), ("evt.rawarg.resolve", "3")],
    );
}

#[test]
fn an_ipv6_socket_stays_one_until_it_is_connected_between_ipv4_addresses() {
    let connect = |ret: i64| {
        move |body: &mut Body<'_>| {
            let Body::Connect(connect) = body else { panic!("a connect was expected") };
            connect.fixed.ret = ret;
        }
    };
    check(
        "mapped",
        connect(-111),
        &[
            ("fd.type", "ipv6"),
            ("fd.typechar", "6"),
            ("fd.name", ""),
            ("fd.sip", "<NA>"),
            ("evt.arg.fd", "<6>"),
            ("evt.arg.addr", "::ffff:142.251.111.147:443"),
            ("evt.count.error.net", "1"),
        ],
    );
    check("mapped", connect(-115), &[("fd.type", "ipv4"), ("fd.name", "<unknown>"), ("fd.sport", "443")]);
}

#[test]
fn of_the_environment_what_was_sent_is_told_and_what_was_not_set_is_empty() {
    let set = |body: &mut Body<'_>| {
        let Body::Exec(exec) = body else { panic!("an exec was expected") };
        exec.env = b"HTTP_PROXY=http://p\0GLIBC_TUNABLES=x=y\0";
        exec.fixed.flags = exec.fixed.flags.with(ExecFlags::ENV_READ);
    };
    check("exec", set, &[("proc.env", "HTTP_PROXY=http://p GLIBC_TUNABLES=x=y")]);
    let stream = altered("exec", set);
    for (name, want) in
        [("GLIBC_TUNABLES", "x=y"), ("GLIBC", ""), ("0", "HTTP_PROXY=http://p GLIBC_TUNABLES=x=y")]
    {
        let field = FieldRef { id: FieldId::PROC_ENV, arg: Arg::Key(name.into()) };
        let mut enrich = Enrich::new(SilentHost);
        let mut text = Vec::new();
        for (_, record) in records(&stream) {
            enrich.fold(&record.unwrap(), &mut Vec::new(), &mut |event| {
                field.write_text(&event.get(&field, &mut Vec::new()), &mut text);
                // It is for outputs that name it alone.
                event.all_fields(|name, _| assert!(!name.starts_with("proc.env"), "{name}"));
            });
        }
        assert_eq!(String::from_utf8(text).unwrap(), want, "{name}");
    }
    let unread = |body: &mut Body<'_>| {
        let Body::Exec(exec) = body else { panic!("an exec was expected") };
        (exec.env, exec.fixed.flags) = (b"", ExecFlags(0));
    };
    check("exec", unread, &[("proc.env", "<NA>")]);
}
