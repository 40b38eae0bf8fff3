//! What is printed of each cell (`evt.args`), against the words of the program that made it. Where each parameter comes
//! from is said here once more, as the manual pages of the calls have it; the forms are those of Falco.

use std::collections::{BTreeSet, HashMap};

use eyas_ebpf::records;
use eyas_enrich::{Enrich, SilentHost};
use eyas_event::{Arg, FieldId, FieldRef, Fields as _, ParamId};

use super::facts::Facts;

/// Of each event: its parameters in order, and where each comes from. `res`: the result; `fd` made, `pid` made; a letter and
/// the number of an argument: `f` descriptor, `d` directory, `i` signed, `u` unsigned, `x` hexadecimal, `p` process, `g`
/// user or group; `tuple` both ends of a socket, `addr` an address; `1` and `2`: the first and second path; `t`: the first text; `data`, `address`, `type`; `~`: bits and
/// numbers with names, which the tests of the room `enrich` hold against Falco's.
const PARAMETERS: &[&str] = &[
    "accept fd=fd tuple=tuple queuepct=~ queuelen=aux queuemax=queue",
    "accept4 fd=fd tuple=tuple queuepct=~ queuelen=aux queuemax=queue flags=x3",
    "bind res=res addr=addr fd=f0",
    "bpf fd=fd cmd=~",
    "capset res=res cap_inheritable=~ cap_permitted=~ cap_effective=~",
    "chdir res=res path=t",
    "chmod res=res filename=1 mode=~",
    "chroot res=res path=1",
    "clone res=pid",
    "clone3 res=pid",
    "delete_module res=res name=t flags=~",
    "dup res=fd oldfd=i0",
    "dup2 res=fd oldfd=i0 newfd=~",
    "dup3 res=fd oldfd=i0 newfd=~ flags=~",
    "fchdir res=res fd=f0",
    "fchmod res=res fd=f0 mode=~",
    "fchmodat res=res dirfd=d0 filename=1 mode=~",
    "finit_module res=res fd=f0 uargs=t flags=~",
    "fork res=pid",
    "init_module res=res img=data length=u1 uargs=t",
    "io_uring_setup res=fd entries=u0",
    "kill res=res pid=p0 sig=~",
    "link res=res oldpath=1 newpath=2",
    "linkat res=res olddir=d0 oldpath=1 newdir=d2 newpath=2 flags=~",
    "listen res=res fd=f0 backlog=i1",
    "memfd_create fd=fd name=t flags=~",
    "mkdir res=res path=1 mode=x1",
    "mkdirat res=res dirfd=d0 path=1 mode=x2",
    "mount res=res dev=t dir=2 type=type flags=~",
    "pidfd_getfd fd=fd pid_fd=i0 target_fd=i1 flags=x2",
    "pidfd_open fd=fd pid=p0 flags=~",
    "prctl res=res option=~ arg2_str=~ arg2_int=~",
    "process_vm_readv res=res pid=p0 data=data",
    "process_vm_writev res=res pid=p0 data=data",
    "ptrace res=res addr=x2 data=x3 request=~ pid=p1",
    "recvfrom res=res data=data tuple=tuple fd=f0 size=u2",
    "recvmsg res=res size=aux data=data tuple=tuple fd=f0",
    "rename res=res oldpath=1 newpath=2",
    "renameat res=res olddirfd=d0 oldpath=1 newdirfd=d2 newpath=2",
    "renameat2 res=res olddirfd=d0 oldpath=1 newdirfd=d2 newpath=2 flags=~",
    "rmdir res=res path=1",
    "sendmsg res=res data=data fd=f0 size=aux tuple=tuple",
    "sendto res=res data=data fd=f0 size=u2 tuple=tuple",
    "setgid res=res gid=g0",
    "setns res=res fd=f0 nstype=~",
    "setpgid res=res pid=p0 pgid=p1",
    "setregid res=res rgid=g0 egid=g1",
    "setresgid res=res rgid=g0 egid=g1 sgid=g2",
    "setresuid res=res ruid=g0 euid=g1 suid=g2",
    "setreuid res=res ruid=g0 euid=g1",
    "setsid res=pid",
    "setuid res=res uid=g0",
    "socket fd=fd domain=~ type=~ proto=u2 flags=~",
    "symlink res=res target=t linkpath=2",
    "symlinkat res=res target=t linkdirfd=d1 linkpath=2",
    "tgkill res=res pid=p0 tid=p1 sig=~",
    "tkill res=res tid=p0 sig=~",
    "umount res=res name=1",
    "umount2 res=res name=1 flags=~",
    "unlink res=res path=1",
    "unlinkat res=res dirfd=d0 name=1 flags=~",
    "unshare res=res flags=~",
    "userfaultfd res=fd flags=~",
    "vfork res=pid",
    "open fd=opened name=1 flags=~ mode=~ dev=~ ino=ino",
    "openat fd=opened dirfd=dirfd name=1 flags=~ mode=~ dev=~ ino=ino",
    "openat2 fd=opened dirfd=dirfd name=1 flags=~ mode=~ resolve=~ dev=~ ino=ino",
    "creat fd=opened name=1 mode=~ dev=~ ino=ino creat_flags=~",
    "connect res=res tuple=tuple fd=connected addr=addr",
    "execve res=res",
    "execveat res=res",
];

/// The printed parameters of every event of these processes, by the processor and number of its record.
pub(crate) fn all(
    bytes: &[u8],
    of: &BTreeSet<u32>,
) -> HashMap<(u32, u64), HashMap<&'static str, [String; 2]>> {
    let mut enrich = Enrich::new(SilentHost);
    let mut printed = HashMap::new();
    for (_, record) in records(bytes) {
        let record = record.unwrap();
        enrich.fold(&record, &mut Vec::new(), &mut |event| {
            if !of.contains(&record.head.tgid) {
                return;
            }
            let row = PARAMETERS.iter().find(|row| row.split(' ').next() == Some(event.kind.name()));
            let names = row.into_iter().flat_map(|row| row.split(' ').skip(1));
            let names = names.map(|part| part.split_once('=').unwrap().0);
            let all = event_text(event, &FieldRef { id: FieldId::EVT_ARGS, arg: Arg::None });
            let texts = names.map(|name| {
                let param = ParamId::from_name(name).unwrap();
                let alone = event_text(event, &FieldRef { id: FieldId::EVT_ARG, arg: Arg::Param(param) });
                (name, [alone, part_of(&all, name)])
            });
            printed.insert((record.head.cpu, record.head.seq), texts.collect());
        });
    }
    printed
}

fn event_text(event: &eyas_event::Event<'_>, field: &FieldRef) -> String {
    let mut buf = Vec::new();
    let value = event.get(field, &mut buf);
    let mut text = Vec::new();
    field.write_text(&value, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// One parameter out of `evt.args`: up to the next that begins. No text of a cell looks like one.
fn part_of(all: &str, name: &str) -> String {
    let Some(begin) = format!(" {all}").find(&format!(" {name}=")) else { return String::from("-") };
    let rest = &all[begin + name.len() + 1..];
    let ends = rest.match_indices(' ').map(|(at, _)| at);
    let is_end = |at: &usize| {
        let next = rest[at + 1..].split(' ').next().unwrap_or_default();
        next.split_once('=').is_some_and(|(name, _)| ParamId::from_name(name).is_some())
    };
    rest[..ends.into_iter().find(is_end).unwrap_or(rest.len())].to_owned()
}

/// What the printed parameters of a cell should say and do not.
pub(crate) fn wrong(row: &str, told: &Facts, printed: &HashMap<&'static str, [String; 2]>) -> Vec<String> {
    let parameters = PARAMETERS.iter().find(|line| line.split(' ').next() == Some(row));
    let parameters = parameters.unwrap_or_else(|| panic!("{row} has no parameters"));
    let mut wrong = Vec::new();
    for part in parameters.split(' ').skip(1) {
        let (name, from) = part.split_once('=').unwrap();
        let Some([alone, among]) = printed.get(name) else {
            wrong.push(format!("{name} is not printed"));
            continue;
        };
        let Some([want_alone, want_among]) = expected(from, told) else { continue };
        if !fits(alone, &want_alone) || !fits(among, &want_among) {
            wrong.push(format!("{name} {alone:?} {among:?}, not {want_alone:?} {want_among:?}"));
        }
    }
    wrong
}

/// Whether a text is as wanted; `…` at the end stands for anything.
fn fits(text: &str, want: &str) -> bool {
    want.strip_suffix('…').map_or(text == want, |begin| text.starts_with(begin))
}

/// A parameter alone, and as it stands among the others; `None` where nothing is held against it.
fn expected(from: &str, told: &Facts) -> Option<[String; 2]> {
    let ret: i64 = told["ret"].parse().unwrap();
    let args: Vec<u64> = told
        .get("args")
        .map_or(Vec::new(), |args| args.split(',').map(|arg| arg.parse::<i128>().unwrap() as u64).collect());
    let both = |text: String| Some([text.clone(), text]);
    let result = || {
        if ret >= 0 {
            return both(ret.to_string());
        }
        Some([errno(-ret).to_owned(), format!("{ret}({})", errno(-ret))])
    };
    let arg = |letter: char| from.strip_prefix(letter).and_then(|n| n.parse::<usize>().ok()).map(|n| args[n]);
    let int = |number: u64| i64::from(number as u32 as i32);
    match from {
        "~" => None,
        "res" => result(),
        "fd" | "opened" | "pid" if ret < 0 => result(),
        "fd" => Some(decorated(ret, told)),
        "opened" => {
            let (_, path) = paths(told, "first");
            let letter = if told["fd.mode"].starts_with("40") { "d" } else { "f" };
            let path = path?;
            Some([format!("<{letter}>{path}"), format!("{ret}(<{letter}>{path})")])
        }
        // The name is that of a process that may be unknown.
        "pid" => Some(["…".into(), format!("{ret}…")]),
        "connected" if !told.contains_key("socket") => {
            both(told["args"].split(',').next().unwrap().to_owned())
        }
        "connected" => Some(["<…".into(), format!("{}(<…", args.first()?)]),
        "dirfd" if told["dirfd"] == "-100" => Some(["AT_FDCWD".into(), "-100(AT_FDCWD)".into()]),
        "dirfd" => both(told["dirfd"].clone()).map(|both| match told.get("first.base") {
            Some(base) if ret != -i64::from(libc::ENOTDIR) => {
                [format!("<d>{}", text(base)), format!("{}(<d>{})", told["dirfd"], text(base))]
            }
            _ => both,
        }),
        "ino" => both(told.get("fd.ino").cloned().unwrap_or("0".into())),
        "aux" | "queue" => both(told.get(from).cloned().unwrap_or("0".into())),
        "1" | "2" => {
            let (given, path) = paths(told, if from == "1" { "first" } else { "second" });
            if given.starts_with('/') || given.is_empty() || given == "<NA>" {
                return both(given);
            }
            match path {
                Some(path) => Some([path.clone(), format!("{given}({path})")]),
                None => Some(["…".into(), format!("{given}…")]),
            }
        }
        "tuple" if ret < 0 && ret != -i64::from(libc::EINPROGRESS) && told["number"] != "42" => {
            both("NULL".into())
        }
        "tuple" => both(tuple(told)),
        "addr" => both(told.get("address").map_or("<NA>".into(), |word| address(&raw_text(word)))),
        "t" => both(paths(told, "first").0),
        "type" => both(if told.contains_key("data") { "tmpfs".into() } else { "<NA>".into() }),
        "data" => both(told.get("data").map_or("NULL".into(), |data| {
            text(data).bytes().map(|b| if (b' '..=b'~').contains(&b) { char::from(b) } else { '.' }).collect()
        })),
        _ => {
            if let Some(fd) = arg('f') {
                return Some(decorated(int(fd), told));
            }
            if let Some(fd) = arg('d') {
                return match int(fd) {
                    -100 => Some(["AT_FDCWD".into(), "-100(AT_FDCWD)".into()]),
                    fd if told.contains_key("fd.path") => Some(decorated(fd, told)),
                    fd => both(fd.to_string()),
                };
            }
            if let Some(number) = arg('i').map(int) {
                return both(number.to_string());
            }
            if let Some(number) = arg('u') {
                return both(number.to_string());
            }
            if let Some(number) = arg('x') {
                return both(format!("{number:X}"));
            }
            if let Some(number) = arg('p').map(int) {
                return Some(["…".into(), format!("{number}…")]);
            }
            let id = arg('g').map_or_else(|| panic!("{from}"), int);
            Some(["…".into(), if id == -1 { "-1(<NONE>)".into() } else { format!("{id}…") }])
        }
    }
}

/// A descriptor with what it is.
fn decorated(number: i64, told: &Facts) -> [String; 2] {
    if told.contains_key("socket") {
        return ["<…".into(), format!("{number}(<…")];
    }
    let Some(path) = told.get("fd.path") else {
        return [number.to_string(), number.to_string()];
    };
    let path = match &text(path)[..] {
        "nsfs" => format!("nsfs:[{}]", told["fd.ino"]),
        path => path.to_owned(),
    };
    let letter = match &path[..] {
        _ if told["fd.mode"].starts_with("40") => 'd',
        "" => 'p',
        "[eventfd]" => 'e',
        "[userfaultfd]" => 'u',
        "[io_uring]" => 'r',
        "[pidfd]" => 'P',
        path if path.starts_with("memfd:") => 'm',
        _ => 'f',
    };
    [format!("<{letter}>{path}"), format!("{number}(<{letter}>{path})")]
}

/// Both ends of a socket as Falco writes them: the client's first. Of a datagram the other end is the one that the call
/// was given or gave.
fn tuple(told: &Facts) -> String {
    let given = told.get("address").map(|word| address(&raw_text(word)));
    if !told.contains_key("socket") {
        return given.unwrap_or("NULL".into());
    }
    if told["socket"].starts_with("1/") {
        return told.get("socket.peer").map(|word| text(word)).or(given).unwrap_or("NULL".into());
    }
    let remote = given.or(told.get("socket.remote").cloned());
    let ends = [told.get("socket.local").cloned(), remote];
    let ends: Vec<_> = match told.get("socket.role").map(String::as_str) {
        Some("server") => ends.into_iter().rev().flatten().collect(),
        _ => ends.into_iter().flatten().collect(),
    };
    if ends.is_empty() { "NULL".into() } else { ends.join("->") }
}

/// An address as text.
fn address(bytes: &[u8]) -> String {
    let port = u16::from_be_bytes([bytes[2], bytes[3]]);
    match bytes[0] {
        1 if bytes[2] == 0 => format!("@{}", String::from_utf8_lossy(&bytes[3..])),
        1 => String::from_utf8_lossy(&bytes[2..bytes.len() - 1]).into_owned(),
        2 => format!("{}.{}.{}.{}:{port}", bytes[4], bytes[5], bytes[6], bytes[7]),
        _ => format!("{}:{port}", std::net::Ipv6Addr::from(*bytes[8..].first_chunk::<16>().unwrap())),
    }
}

/// The name of an error.
fn errno(number: i64) -> &'static str {
    match number as i32 {
        libc::EPERM => "EPERM",
        libc::ENOENT => "ENOENT",
        libc::ESRCH => "ESRCH",
        libc::EBADF => "EBADF",
        libc::EAGAIN => "EAGAIN",
        libc::ENOMEM => "ENOMEM",
        libc::EACCES => "EACCES",
        libc::EFAULT => "EFAULT",
        libc::ENOTDIR => "ENOTDIR",
        libc::EINVAL => "EINVAL",
        libc::ENAMETOOLONG => "ENAMETOOLONG",
        libc::ENOSYS => "ENOSYS",
        libc::ENOTSOCK => "ENOTSOCK",
        libc::EDESTADDRREQ => "EDESTADDRREQ",
        libc::EAFNOSUPPORT => "EAFNOSUPPORT",
        libc::EADDRNOTAVAIL => "EADDRNOTAVAIL",
        libc::EOPNOTSUPP => "EOPNOTSUPP",
        libc::ECONNREFUSED => "ECONNREFUSED",
        libc::EINPROGRESS => "EINPROGRESS",
        libc::EPROTONOSUPPORT => "EPROTONOSUPPORT",
        libc::ENOEXEC => "ENOEXEC",
        libc::EXDEV => "EXDEV",
        libc::EBUSY => "EBUSY",
        other => panic!("no cell is known to fail with {other}"),
    }
}

/// A text as it was given, and where it is a path what it names: joined with its base, dots folded, links left alone.
fn paths(told: &Facts, which: &str) -> (String, Option<String>) {
    if told.contains_key(&format!("{which}.fault")) {
        return ("<NA>".into(), None);
    }
    let given = told.get(which).map_or(String::new(), |word| text(word));
    let base = told.get(&format!("{which}.base"));
    if base.is_some_and(|base| base.starts_with("cut")) {
        return (given, None);
    }
    let whole = match base {
        _ if given.starts_with('/') => given.clone(),
        Some(base) => format!("{}/{given}", text(base)),
        None => format!("/{given}"),
    };
    let mut names: Vec<&str> = Vec::new();
    for name in whole.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    (given, Some(format!("/{}", names.join("/"))))
}

/// The text behind a word.
fn text(word: &str) -> String {
    match word.split_once('*') {
        Some((dots, rest)) => {
            let dots: usize = dots.parse().unwrap();
            format!("{}{}", "./".repeat(2048).get(..dots).unwrap(), text(rest))
        }
        None => String::from_utf8_lossy(&raw_text(word)).into_owned(),
    }
}

/// The bytes behind a word.
fn raw_text(word: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = word.strip_prefix('=').unwrap().bytes();
    while let Some(byte) = rest.next() {
        let digits = [rest.clone().next(), rest.clone().nth(1)];
        match (byte, digits) {
            (b'%', [Some(high), Some(low)]) => {
                let digits = [high, low];
                let digits = std::str::from_utf8(&digits).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
                rest.nth(1);
            }
            _ => bytes.push(byte),
        }
    }
    bytes
}
