//! What `io_uring` does for a process: openings and connections without a call, by worker and polling threads, into slots, and
//! where the process asks for no word of it.

use std::collections::HashMap;
use std::ffi::CString;
use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use eyas_ebpf::{Connect, ConnectBits, Head, HeadFlags, Open, OpenBits};
use eyas_event::{EventSet, EventType, HookState, Interest, Source as _};
use eyas_probe::{Probe, ProbeOptions, Reads};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

use crate::actor::{call, play};
use crate::ring::{Request, Ring, SETUP_CQSIZE, SETUP_DEFER_TASKRUN, SETUP_SINGLE_ISSUER, SETUP_SQPOLL};
use crate::watch::{Watch, connects, kernel_dev, opens, path, real, watch_with};

const CONNECT: u8 = 16;
const OPENAT: u8 = 18;
const CLOSE: u8 = 19;
const OPENAT2: u8 = 28;
const ASYNC: u8 = 1 << 4;
const LINK: u8 = 1 << 2;
const SKIP_SUCCESS: u8 = 1 << 6;
const ANY_SLOT: u32 = u32::MAX;
const HERE: i32 = libc::AT_FDCWD;

/// The sensor, or `None` with the reason printed where `io_uring` cannot be used or seen.
fn watch_uring(reads: Reads) -> Option<Watch> {
    if let Err(error) = Ring::new(0, 0) {
        println!("skipped: io_uring_setup: {error}");
        return None;
    }
    let watch = watch_with(&ProbeOptions { reads, ..ProbeOptions::default() })?;
    for hook in watch.probe.hooks().iter().filter(|hook| hook.name.contains("io_uring")) {
        if let HookState::Off(why) = &hook.state {
            println!("skipped: {}: {why}", hook.name);
            return None;
        }
    }
    Some(watch)
}

/// A scene that notes what each of its requests came to, in the file `results`.
struct Scene {
    results: String,
}

impl Scene {
    fn note(&mut self, name: &str, result: i32) {
        writeln!(self.results, "{name} {result}").unwrap();
    }

    fn end(&self) {
        fs::write("results", &self.results).unwrap();
    }
}

/// What the scene noted.
fn results(dir: &Path) -> HashMap<String, i64> {
    let text = fs::read_to_string(dir.join("results")).unwrap();
    let lines = text.lines().map(|line| line.split_once(' ').unwrap());
    lines.map(|(name, result)| (name.to_owned(), result.parse().unwrap())).collect()
}

/// A path that outlives the process's requests.
fn text(path: &str) -> u64 {
    CString::new(path).unwrap().into_raw() as u64
}

fn open(path: &str) -> Request {
    Request { opcode: OPENAT, fd: HERE, address: text(path), ..Request::default() }
}

/// Plays the scene of openings.
pub(crate) fn perform_opens() {
    let mut scene = Scene { results: String::new() };
    let ring = Ring::new(0, 0).unwrap().with_slots(8);
    let create = (libc::O_CREAT | libc::O_WRONLY) as u32;
    let sub = call(libc::SYS_openat, [HERE as usize, text("sub") as usize, libc::O_DIRECTORY as usize, 0]);
    let how = Box::leak(Box::new([libc::O_RDONLY as u64, 0, libc::RESOLVE_NO_MAGICLINKS]));
    let rows = [
        ("/etc/hostname", open("/etc/hostname")),
        ("plain", open("plain")),
        ("missing", open("missing")),
        ("inner", Request { fd: sub as i32, ..open("inner") }),
        ("new", Request { op_flags: create, len: 0o640, ..open("new") }),
        ("link", Request { opcode: OPENAT2, second: how.as_ptr() as u64, len: 24, ..open("link") }),
        ("async", Request { flags: ASYNC, ..open("async") }),
        ("async-missing", Request { flags: ASYNC, ..open("async-missing") }),
        ("slot", Request { slot: 3, ..open("slot") }),
        ("any-slot", Request { slot: ANY_SLOT, ..open("any-slot") }),
    ];
    for (name, request) in rows {
        scene.note(name, ring.one(request));
    }

    // Closed before anybody is told of the opening: by descriptor, and by slot.
    // SAFETY: a descriptor of its own, which nothing uses.
    let next = unsafe { libc::dup(0) };
    assert_eq!(call(libc::SYS_close, [next as usize, 0, 0, 0]), 0);
    ring.push(open("closed"));
    ring.push(Request { opcode: CLOSE, fd: next, ..Request::default() });
    ring.push(Request { slot: 6, ..open("closed-slot") });
    ring.push(Request { opcode: CLOSE, slot: 6, ..Request::default() });
    ring.submit(4, 4);
    for name in ["closed", "", "closed-slot", ""] {
        let result = ring.completion().unwrap().1;
        if name.is_empty() { assert_eq!(result, 0) } else { scene.note(name, result) }
    }

    // The first of a chain fails, and with it the second.
    ring.push(Request { flags: LINK, ..open("no-chain") });
    ring.push(open("chained"));
    ring.submit(2, 2);
    for name in ["no-chain", "chained"] {
        scene.note(name, ring.completion().unwrap().1);
    }

    // No word of success is asked for.
    ring.push(Request { flags: SKIP_SUCCESS, ..open("skipped") });
    ring.submit(1, 0);
    assert_eq!(ring.completion(), None);
    ring.push(Request { flags: SKIP_SUCCESS, ..open("skipped-missing") });
    ring.submit(1, 1);
    scene.note("skipped-missing", ring.completion().unwrap().1);

    // More completions than there is room for, all called the same.
    let narrow = Ring::new(SETUP_CQSIZE, 8).unwrap();
    for _ in 0..2 {
        for _ in 0..7 {
            narrow.push(open("over-missing"));
        }
        narrow.push(open("over"));
        narrow.submit(8, 0);
    }

    let own = Ring::new(SETUP_SINGLE_ISSUER | SETUP_DEFER_TASKRUN, 0).unwrap();
    scene.note("deferred", own.one(open("deferred")));
    scene.note("deferred-async", own.one(Request { flags: ASYNC, ..open("deferred-async") }));

    match Ring::new(SETUP_SQPOLL, 0) {
        Ok(polled) => scene.note("polled", polled.one(open("polled"))),
        Err(error) => println!("without a polling thread: {error}"),
    }
    scene.end();
}

fn flagged(seen: Vec<(Head, Open<'_>)>) -> Vec<(Head, Open<'_>)> {
    seen.into_iter().filter(|(head, _)| head.flags == HeadFlags::URING).collect()
}

#[test]
fn every_opening_by_io_uring_is_told() {
    openings_are_told(Reads::Cheapest);
}

#[test]
fn every_opening_by_io_uring_is_told_by_helper_calls_too() {
    openings_are_told(Reads::Helper);
}

/// What the scene of openings finds.
fn lay_out(dir: &Path) {
    fs::create_dir(dir.join("sub")).unwrap();
    let files = [
        "plain",
        "sub/inner",
        "async",
        "slot",
        "any-slot",
        "closed",
        "closed-slot",
        "chained",
        "skipped",
        "over",
        "deferred",
        "deferred-async",
        "polled",
    ];
    for name in files {
        fs::write(dir.join(name), "x").unwrap();
    }
    symlink("sub/inner", dir.join("link")).unwrap();
}

fn openings_are_told(reads: Reads) {
    let Some(mut watch) = watch_uring(reads) else { return };
    let dir = tempfile::tempdir().unwrap();
    lay_out(dir.path());
    let mut child = play("uring-opens", dir.path(), "");
    watch.until_exit(child.id());
    assert!(child.wait().unwrap().success());

    let results = results(dir.path());
    let seen = flagged(opens(&watch.bytes, child.id()));
    let told =
        |name: &str| -> Vec<_> { seen.iter().filter(|(_, open)| open.given == name.as_bytes()).collect() };
    let one = |name: &str| {
        let found = told(name);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        found[0]
    };
    let below = |at: &str| real(dir.path().join(at));
    let none = OpenBits(0);
    let create = (libc::O_CREAT | libc::O_WRONLY) as u64;
    // Name, number, what it resolves to, bits.
    let rows = [
        ("/etc/hostname", 257, Some("/etc/hostname"), none),
        ("plain", 257, Some("plain"), none),
        ("missing", 257, None, none),
        ("inner", 257, Some("sub/inner"), none),
        ("new", 257, Some("new"), OpenBits::CREATED),
        ("link", 437, Some("sub/inner"), none),
        ("async", 257, Some("async"), none),
        ("async-missing", 257, None, none),
        ("slot", 257, Some("slot"), OpenBits::DIRECT),
        ("any-slot", 257, Some("any-slot"), OpenBits::DIRECT),
        ("closed", 257, Some("closed"), none),
        ("closed-slot", 257, Some("closed-slot"), OpenBits::DIRECT),
        ("no-chain", 257, None, none),
        ("chained", 257, None, none),
        ("deferred", 257, Some("deferred"), none),
        ("deferred-async", 257, Some("deferred-async"), none),
        ("polled", 257, Some("polled"), none),
    ];
    for (name, syscall, to, bits) in rows {
        if name == "polled" && !results.contains_key(name) {
            continue;
        }
        let (head, open) = one(name);
        let fixed = &open.fixed;
        assert_eq!((fixed.syscall, fixed.bits), (syscall, bits), "{name}");
        // A slot that the request named is told in place of its result, which is 0.
        let result = match name {
            "slot" => 2,
            "closed-slot" => 5,
            _ => results[name],
        };
        assert_eq!(fixed.ret, result, "{name}");
        let base = match name {
            "/etc/hostname" => String::new(),
            "inner" => below("sub"),
            _ => below(""),
        };
        assert_eq!(path(open.base), base, "{name}");
        if let Some(to) = to {
            let truth = if to.starts_with('/') { to.to_owned() } else { below(to) };
            let file = fs::metadata(&truth).unwrap();
            assert_eq!(path(open.resolved), truth, "{name}");
            assert_eq!((fixed.ino, fixed.dev), (file.ino(), kernel_dev(file.dev())), "{name}");
            assert_eq!(u32::from(fixed.file_mode), file.mode(), "{name}");
        } else {
            assert_eq!((open.resolved, fixed.ino), (&b""[..], 0), "{name}");
        }
        assert_eq!((head.tgid, head.uid), (child.id(), rustix::process::geteuid().as_raw()), "{name}");
    }
    assert_eq!((one("new").1.fixed.flags, one("new").1.fixed.mode), (create, 0o640));
    assert_eq!(one("link").1.fixed.resolve, libc::RESOLVE_NO_MAGICLINKS);
    assert_eq!(one("plain").1.fixed.flags, 0, "O_LARGEFILE is the kernel's own");
    assert_eq!(results["missing"], -i64::from(libc::ENOENT));
    assert_eq!(results["chained"], -i64::from(libc::ECANCELED));

    // Told when they were taken, whatever became of them.
    for name in ["skipped", "skipped-missing"] {
        let fixed = one(name).1.fixed;
        assert_eq!((fixed.bits, fixed.ret, fixed.ino), (OpenBits::UNFINISHED, 0, 0), "{name}");
    }
    // Of sixteen results eight found no room.
    let over = told("over");
    assert_eq!((over.len(), told("over-missing").len()), (2, 14));
    assert!(over.iter().all(|(_, open)| path(open.resolved) == below("over")));
    assert!(told("over-missing").iter().all(|(_, open)| open.fixed.ret == -i64::from(libc::ENOENT)));
}

/// Plays the scene of connections. `place`: the address that listens, one that does not, and a unix socket's path.
pub(crate) fn perform_connects(place: &str) {
    let mut scene = Scene { results: String::new() };
    let parts: Vec<&str> = place.split(' ').collect();
    let to = |at: usize| -> SocketAddr { parts[at].parse().unwrap() };
    let ring = Ring::new(0, 0).unwrap();
    let socket = |family, kind| call(libc::SYS_socket, [family as usize, kind as usize, 0, 0]) as i32;
    let tcp = || socket(libc::AF_INET, libc::SOCK_STREAM);
    let connect = |fd: i32, address: &[u8]| Request {
        opcode: CONNECT,
        fd,
        address: address.to_vec().leak().as_ptr() as u64,
        second: address.len() as u64,
        ..Request::default()
    };
    let rows = [
        ("ok", connect(tcp(), &ipv4(to(0)))),
        ("refused", connect(tcp(), &ipv4(to(1)))),
        ("async", Request { flags: ASYNC, ..connect(tcp(), &ipv4(to(0))) }),
        ("udp", connect(socket(libc::AF_INET, libc::SOCK_DGRAM), &ipv4(to(0)))),
        ("unix", connect(socket(libc::AF_UNIX, libc::SOCK_STREAM), &unix(parts[2]))),
        ("no-unix", connect(socket(libc::AF_UNIX, libc::SOCK_STREAM), &unix("no-such.sock"))),
        ("no-socket", connect(9999, &ipv4(to(0)))),
        (
            "not-waiting",
            connect(socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_NONBLOCK), &ipv4(to(0))),
        ),
    ];
    for (name, request) in rows {
        scene.note(name, ring.one(request));
    }
    // Closed before anybody is told of the connection; and one of which no word is asked for.
    let fd = tcp();
    ring.push(connect(fd, &ipv4(to(0))));
    ring.push(Request { opcode: CLOSE, fd, ..Request::default() });
    ring.submit(2, 2);
    ring.completion().unwrap();
    ring.completion().unwrap();
    let fd = tcp();
    ring.push(Request { flags: SKIP_SUCCESS, ..connect(fd, &ipv4(to(0))) });
    ring.submit(1, 0);
    // It may have been begun only: the socket tells when it is done.
    let mut polled = libc::pollfd { fd, events: libc::POLLOUT, revents: 0 };
    // SAFETY: one `pollfd`, which outlives the call.
    assert_eq!(unsafe { libc::poll(&raw mut polled, 1, 10_000) }, 1);
    scene.end();
}

fn ipv4(address: SocketAddr) -> Vec<u8> {
    let SocketAddr::V4(address) = address else { panic!("an IPv4 address") };
    let mut bytes = vec![2, 0];
    bytes.extend(address.port().to_be_bytes());
    bytes.extend(address.ip().octets());
    bytes.resize(16, 0);
    bytes
}

fn unix(path: &str) -> Vec<u8> {
    [&[1, 0], path.as_bytes(), &[0]].concat()
}

#[test]
fn every_connection_by_io_uring_is_told() {
    for reads in [Reads::Cheapest, Reads::Helper] {
        connections_are_told(reads);
    }
}

fn connections_are_told(reads: Reads) {
    let Some(mut watch) = watch_uring(reads) else { return };
    let dir = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let open = listener.local_addr().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let socket = dir.path().join("it.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    let mut child = play("uring-connects", dir.path(), &format!("{open} {closed} {}", socket.display()));
    watch.until_exit(child.id());
    assert!(child.wait().unwrap().success());

    let results = results(dir.path());
    let seen = connects(&watch.bytes, child.id());
    let seen: Vec<&Connect<'_>> = seen
        .iter()
        .map(|(head, connect)| {
            assert_eq!(head.flags, HeadFlags::URING);
            connect
        })
        .collect();
    let [ok, refused, worker, udp, unix, no_unix, no_socket, not_waiting, closed_soon, skipped] = &seen[..]
    else {
        panic!("{} connects: {seen:?}", seen.len())
    };
    for connect in [ok, worker, udp, not_waiting, closed_soon, skipped] {
        assert_eq!((connect.fixed.syscall, connect.fixed.given_len, connect.address), (42, 16, &*ipv4(open)));
        assert_ne!(connect.fixed.ino, 0);
    }
    for connect in [ok, worker, udp, not_waiting, closed_soon] {
        assert_eq!(remote(connect), open);
        assert_ne!(connect.fixed.local_port, 0);
    }
    for (connect, name) in
        [(ok, "ok"), (worker, "async"), (udp, "udp"), (unix, "unix"), (not_waiting, "not-waiting")]
    {
        assert_eq!((connect.fixed.ret, results[name], connect.fixed.bits), (0, 0, ConnectBits(0)), "{name}");
    }
    assert_eq!((refused.fixed.ret, refused.address), (-i64::from(libc::ECONNREFUSED), &*ipv4(closed)));
    assert_eq!(path(unix.path), real(&socket));
    assert_eq!((no_unix.fixed.ret, results["no-unix"]), (-i64::from(libc::ENOENT), -i64::from(libc::ENOENT)));
    assert!(no_unix.address[2..].starts_with(b"no-such.sock"));
    assert_eq!((no_socket.fixed.ret, no_socket.fixed.fd), (-i64::from(libc::EBADF), 9999));
    assert_eq!(no_socket.fixed.bits, ConnectBits::SOCKET_MISSING);
    assert_eq!(skipped.fixed.bits, ConnectBits::UNFINISHED);
    assert_eq!(skipped.fixed.ret, -i64::from(libc::EINPROGRESS));
    drop(listener);
}

fn remote(connect: &Connect<'_>) -> SocketAddr {
    (Ipv4Addr::from(*connect.fixed.remote.first_chunk::<4>().unwrap()), connect.fixed.remote_port).into()
}

/// How many programs this process has hung into the kernel.
fn hanging() -> usize {
    let all = fs::read_dir("/proc/self/fdinfo").unwrap().filter_map(Result::ok);
    all.filter(|entry| fs::read_to_string(entry.path()).is_ok_and(|text| text.contains("link_type:"))).count()
}

/// Plays the sensor whose interest changes, at last without the capabilities that it began with.
pub(crate) fn change_interest() {
    let mut probe = Probe::open(&ProbeOptions::default()).unwrap();
    let all = hanging();
    let only = |event| Interest::of([event].into_iter().collect::<EventSet>());
    probe.set_interest(&only(EventType::EXECVE)).unwrap();
    assert_eq!(hanging(), all - 3);
    probe.set_interest(&only(EventType::CONNECT)).unwrap();
    assert_eq!(hanging(), all);
    probe.set_interest(&only(EventType::EXECVE)).unwrap();
    let mut own = capabilities(None).unwrap();
    own.effective.remove(CapabilitySet::SYS_ADMIN | CapabilitySet::BPF | CapabilitySet::PERFMON);
    set_capabilities(None, own).unwrap();
    probe.set_interest(&only(EventType::OPENAT)).unwrap();
    assert_eq!(hanging(), all);
}

#[test]
fn the_programs_hang_only_while_somebody_wants_what_they_tell() {
    if watch_uring(Reads::Cheapest).is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    assert!(play("uring-interest", dir.path(), "").wait().unwrap().success());
}
