//! The calls that sockets are made for, through every entry: the native one, the 32-bit one, and `socketcall` there.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use super::entry::Entry;
use super::facts::word;
use super::own::name_of;
use super::stage::{Arg, Hints, Stage, bytes};

use Arg::{Fd, N};

const NO_FD: i64 = 9999;
const HELLO: &[u8] = b"hello";

pub(crate) fn play(stage: &mut Stage) {
    make(stage);
    bind_and_listen(stage);
    accept(stage);
    connect(stage);
    send(stage);
    receive(stage);
}

fn knows(words: &[(&'static str, String)]) -> Hints {
    Hints { words: words.to_vec(), ..Hints::default() }
}

/// An IPv4 address of loopback.
fn loopback(port: u16) -> Vec<u8> {
    let [high, low] = port.to_be_bytes();
    vec![2, 0, high, low, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
}

/// An IPv6 address of loopback.
fn loopback6(port: u16) -> Vec<u8> {
    let [high, low] = port.to_be_bytes();
    [&[10, 0, high, low, 0, 0, 0, 0][..], &[0; 15], &[1], &[0; 4]].concat()
}

fn unix(path: &[u8]) -> Vec<u8> {
    [&[1, 0][..], path, &[0]].concat()
}

fn open(family: i32, kind: i32) -> RawFd {
    // SAFETY: numbers.
    let fd = unsafe { libc::socket(family, kind, 0) };
    assert!(fd >= 0);
    fd
}

fn close(fd: RawFd) {
    // SAFETY: opened here.
    unsafe { libc::close(fd) };
}

fn make(stage: &mut Stage) {
    let makes = Hints { makes: true, ..Hints::default() };
    for (column, family, kind, protocol) in [
        ("success/inet", libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0),
        ("success/inet6", libc::AF_INET6, libc::SOCK_DGRAM | libc::SOCK_NONBLOCK, 17),
        ("success/unix", libc::AF_UNIX, libc::SOCK_SEQPACKET, 0),
        ("success/netlink", libc::AF_NETLINK, libc::SOCK_RAW, 15),
        ("success/raw", libc::AF_INET, libc::SOCK_RAW, 6),
        ("success/packet", libc::AF_PACKET, libc::SOCK_RAW, 0),
        ("failure", 99, libc::SOCK_STREAM, 0),
    ] {
        let args = [family, kind, protocol].map(|number| N(number as u64));
        stage.each_entry("socket", |stage| stage.go(column, &args, &makes));
    }
}

fn bind_and_listen(stage: &mut Stage) {
    let path = bytes(&stage.root.join("bound"));
    for (column, family, address) in [
        ("success/inet", libc::AF_INET, loopback(0)),
        ("success/inet6", libc::AF_INET6, loopback6(0)),
        ("success/unix", libc::AF_UNIX, unix(&path)),
        ("success/abstract", libc::AF_UNIX, unix(b"\0eyas-matrix")),
        ("failure", libc::AF_INET, vec![2, 0, 0, 0, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
    ] {
        stage.each_entry("bind", |stage| {
            let _ = fs::remove_file(Path::new(std::str::from_utf8(&path).unwrap()));
            let fd = open(family, libc::SOCK_STREAM);
            let mut hints = knows(&[("address", word(&address))]);
            if family != libc::AF_UNIX && column != "failure" {
                hints.words.push(("socket.role", "server".into()));
            }
            let at = stage.put(&address);
            stage.go(column, &[Fd(fd.into()), N(at), N(address.len() as u64)], &hints);
            close(fd);
        });
    }
    stage.each_entry("bind", |stage| {
        let at = stage.put(&loopback(0));
        let hints = knows(&[("address", word(&loopback(0)))]);
        stage.go("failure/no-descriptor", &[Fd(NO_FD), N(at), N(16)], &hints);
        let fd = open(libc::AF_INET, libc::SOCK_STREAM);
        let hints = knows(&[("address.fault", "yes".into())]);
        stage.go("failure/bad-pointer", &[Fd(fd.into()), N(1), N(16)], &hints);
        close(fd);
    });
    stage.each_entry("listen", |stage| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = knows(&[("socket.role", "server".into())]);
        stage.go("success", &[Fd(listener.as_raw_fd().into()), N(7)], &server);
        let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
        stage.go("failure", &[Fd(datagrams.as_raw_fd().into()), N(7)], &server);
        stage.go("failure/no-descriptor", &[Fd(NO_FD), N(7)], &Hints::default());
    });
}

fn accept(stage: &mut Stage) {
    for name in ["accept", "accept4"] {
        let flags = if name == "accept4" { N(libc::SOCK_CLOEXEC as u64) } else { N(0) };
        stage.each_entry(name, |stage| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.set_nonblocking(true).unwrap();
            // SAFETY: numbers.
            unsafe { libc::listen(listener.as_raw_fd(), 9) };
            let to = listener.local_addr().unwrap();
            let clients = [(); 3].map(|()| TcpStream::connect(to).unwrap());
            let made = |waiting: &str| Hints {
                makes: true,
                words: vec![("socket.role", "server".into()), ("queue", "9".into()), ("aux", waiting.into())],
                ..Hints::default()
            };
            let (address, len) = (stage.put(&[0; 16]), stage.put(&16_u32.to_le_bytes()));
            let fd = N(listener.as_raw_fd() as u64);
            stage.go("success", &[fd, N(address), N(len), flags], &made("2"));
            stage.go("success/no-address", &[fd, N(0), N(0), flags], &made("1"));
            stage.go("success/last", &[fd, N(0), N(0), flags], &made(""));
            let nobody = Hints { makes: true, words: vec![("queue", "9".into())], ..Hints::default() };
            stage.go("failure", &[fd, N(0), N(0), flags], &nobody);
            let none = Hints { makes: true, ..Hints::default() };
            stage.go("failure/no-descriptor", &[N(NO_FD as u64), N(0), N(0), flags], &none);
            drop(clients);
            let path = stage.root.join("accepts");
            let _ = fs::remove_file(&path);
            let listener = UnixListener::bind(&path).unwrap();
            let client = UnixStream::connect(&path).unwrap();
            // The client has no path, so there is none to tell.
            // SAFETY: numbers.
            unsafe { libc::listen(listener.as_raw_fd(), 5) };
            let local = Hints { makes: true, words: vec![("queue", "5".into())], ..Hints::default() };
            stage.go("success/unix", &[N(listener.as_raw_fd() as u64), N(0), N(0), flags], &local);
            drop(client);
        });
    }
}

fn connect(stage: &mut Stage) {
    let path = stage.root.join("listens");
    let _unix = UnixListener::bind(&path).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let listener6 = TcpListener::bind("[::1]:0").unwrap();
    let port = |at: SocketAddr| at.port();
    let closed = port(TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let (tcp, udp) = (libc::SOCK_STREAM, libc::SOCK_DGRAM);
    for (column, family, kind, address) in [
        ("success/inet", libc::AF_INET, tcp, loopback(port(listener.local_addr().unwrap()))),
        ("success/inet6", libc::AF_INET6, tcp, loopback6(port(listener6.local_addr().unwrap()))),
        ("success/udp", libc::AF_INET, udp, loopback(53)),
        ("success/unix", libc::AF_UNIX, tcp, unix(&bytes(&path))),
        ("failure", libc::AF_INET, tcp, loopback(closed)),
        ("failure/unix", libc::AF_UNIX, tcp, unix(b"/no/such")),
        (
            "failure/in-progress",
            libc::AF_INET,
            tcp | libc::SOCK_NONBLOCK,
            loopback(port(listener.local_addr().unwrap())),
        ),
    ] {
        stage.each_entry("connect", |stage| {
            let fd = open(family, kind);
            let at = stage.put(&address);
            let len = address.len();
            let mut words = vec![("args", format!("{fd},{len}")), ("address", word(&address))];
            if column == "failure" {
                // The kernel has taken the port back; getsockname tells it still.
                words.push(("socket.local", String::new()));
            }
            let hints = Hints { own_kind: true, words, ..Hints::default() };
            stage.go(column, &[Fd(fd.into()), N(at), N(len as u64)], &hints);
            close(fd);
        });
    }
    // An array of arguments that cannot be read: whatever was to be connected is not known.
    stage.through("connect", Entry::Narrow(102), |stage| {
        let hints = Hints { own_kind: true, words: vec![("args", "-1,0".into())], ..Hints::default() };
        stage.go("failure/bad-array", &[N(3), N(1)], &hints);
    });
    let file = fs::File::open("/proc/self/exe").unwrap();
    stage.each_entry("connect", |stage| {
        let at = stage.put(&loopback(1));
        for (column, fd) in [("failure/no-descriptor", 9999), ("failure/no-socket", file.as_raw_fd())] {
            let words = vec![("args", format!("{fd},16")), ("address", word(&loopback(1)))];
            let hints = Hints { own_kind: true, words, ..Hints::default() };
            stage.go(column, &[N(fd as u64), N(at), N(16)], &hints);
        }
        let fd = open(libc::AF_INET, tcp);
        let words = vec![("args", format!("{fd},16")), ("address.fault", "yes".into())];
        let hints = Hints { own_kind: true, words, ..Hints::default() };
        stage.go("failure/bad-pointer", &[Fd(fd.into()), N(1), N(16)], &hints);
        close(fd);
    });
}

/// A message of two buffers, and whom it is to.
fn message(stage: &mut Stage, name: u64, name_len: u64, buffers: [(u64, u64); 2]) -> u64 {
    let vector: Vec<u8> =
        buffers.iter().flat_map(|(at, len)| [stage.long(*at), stage.long(*len)].concat()).collect();
    let vector = stage.put(&vector);
    // The length of the name is an int, with room behind it where addresses have 64 bits.
    let fields = [name, name_len, vector, 2, 0, 0, 0];
    let fields: Vec<u8> = fields.iter().flat_map(|field| stage.long(*field)).collect();
    stage.put(&fields)
}

fn send(stage: &mut Stage) {
    let server = || ("socket.role", "server".to_owned());
    let changed = || ("peer.changed", "yes".to_owned());
    let to = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = loopback(to.local_addr().unwrap().port());
    let whom = || ("address", word(&address));
    let long = vec![b'x'; 200];
    let data = |bytes: &[u8]| ("data", word(&bytes[..bytes.len().min(80)]));
    stage.each_entry("sendto", |stage| {
        let from = UdpSocket::bind("127.0.0.1:0").unwrap();
        let fd = Fd(from.as_raw_fd().into());
        let (at, hello, long_at) = (N(stage.put(&address)), N(stage.put(HELLO)), N(stage.put(&long)));
        let first = knows(&[server(), changed(), whom(), data(HELLO)]);
        stage.go("success", &[fd, hello, N(5), N(0), at, N(16)], &first);
        let same = knows(&[server(), whom(), data(&long)]);
        stage.go("success/same-peer", &[fd, long_at, N(200), N(0), at, N(16)], &same);
        let nobody = knows(&[server(), data(HELLO)]);
        stage.go("failure", &[fd, hello, N(5), N(0), N(0), N(0)], &nobody);
        stage.go(
            "failure/no-descriptor",
            &[Fd(NO_FD), hello, N(5), N(0), N(0), N(0)],
            &knows(&[data(HELLO)]),
        );
        let bad = knows(&[server(), whom(), ("data.fault", "yes".into())]);
        stage.go("failure/bad-pointer", &[fd, N(1), N(5), N(0), at, N(16)], &bad);
        let (client, accepted, _listener) = connected();
        let (ours, theirs) = (Fd(client.as_raw_fd().into()), Fd(accepted.as_raw_fd().into()));
        let is_client = knows(&[("socket.role", "client".into()), data(HELLO)]);
        stage.go("success/client", &[ours, hello, N(5), N(0), N(0), N(0)], &is_client);
        stage.go(
            "success/server",
            &[theirs, hello, N(5), N(0), N(0), N(0)],
            &knows(&[server(), data(HELLO)]),
        );
    });
    // send of `socketcall`, which no other entry has.
    stage.through("sendto", Entry::Socketcall(9), |stage| {
        let (client, accepted, _listener) = connected();
        let hello = N(stage.put(HELLO));
        let is_client = knows(&[("socket.role", "client".into()), data(HELLO)]);
        stage.go("success/send", &[Fd(client.as_raw_fd().into()), hello, N(5), N(0)], &is_client);
        stage.go(
            "success/send",
            &[Fd(accepted.as_raw_fd().into()), hello, N(5), N(0)],
            &knows(&[server(), data(HELLO)]),
        );
        stage.go("failure/send", &[Fd(NO_FD), hello, N(5), N(0)], &knows(&[data(HELLO)]));
    });
    stage.each_entry("sendmsg", |stage| {
        let from = UdpSocket::bind("127.0.0.1:0").unwrap();
        let fd = Fd(from.as_raw_fd().into());
        let (at, hello, world) = (stage.put(&address), stage.put(HELLO), stage.put(b"world!"));
        let told = message(stage, at, 16, [(hello, 5), (world, 6)]);
        let size = || ("aux", "11".to_owned());
        let first = knows(&[server(), changed(), whom(), data(HELLO), size()]);
        stage.go("success", &[fd, N(told), N(0)], &first);
        let nobody = message(stage, 0, 0, [(hello, 5), (world, 6)]);
        stage.go("failure", &[fd, N(nobody), N(0)], &knows(&[server(), data(HELLO), size()]));
        stage.go("failure/bad-pointer", &[fd, N(1), N(0)], &knows(&[server()]));
    });
}

/// Both ends of a connection.
fn connected() -> (TcpStream, TcpStream, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    (client, accepted, listener)
}

fn receive(stage: &mut Stage) {
    let server = || ("socket.role", "server".to_owned());
    let changed = || ("peer.changed", "yes".to_owned());
    let from = UdpSocket::bind("127.0.0.1:0").unwrap();
    let sender = name_of(from.as_raw_fd(), libc::getsockname);
    let whom = || ("address", word(&sender));
    let own = || {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        for _ in 0..2 {
            from.send_to(b"hello world", socket.local_addr().unwrap()).unwrap();
        }
        socket
    };
    let stale = vec![0x55; 16];
    stage.each_entry("recvfrom", |stage| {
        let socket = own();
        let fd = Fd(socket.as_raw_fd().into());
        let (into, at) = (N(stage.put(&[0; 64])), N(stage.put(&stale)));
        let len = N(stage.put(&16_u32.to_le_bytes()));
        let first = knows(&[server(), changed(), whom(), ("data", word(b"hello world"))]);
        stage.go("success", &[fd, into, N(64), N(0), at, len], &first);
        let short = knows(&[server(), whom(), ("data", word(b"hel"))]);
        stage.go("success/same-peer", &[fd, into, N(3), N(0), at, len], &short);
        // What lies where an address would go is none.
        stage.go("failure", &[fd, into, N(64), N(0), at, len], &knows(&[server()]));
        stage.go("failure/no-descriptor", &[Fd(NO_FD), into, N(64), N(0), at, len], &Hints::default());
        let (client, mut accepted, _listener) = connected();
        std::io::Write::write_all(&mut accepted, HELLO).unwrap();
        let is_client = knows(&[("socket.role", "client".into()), ("data", word(HELLO))]);
        stage.go(
            "success/client",
            &[Fd(client.as_raw_fd().into()), into, N(64), N(0), N(0), N(0)],
            &is_client,
        );
    });
    stage.through("recvfrom", Entry::Socketcall(10), |stage| {
        let socket = own();
        let fd = Fd(socket.as_raw_fd().into());
        let into = N(stage.put(&[0; 64]));
        let got = knows(&[server(), ("data", word(b"hello world"))]);
        stage.go("success/recv", &[fd, into, N(64), N(0)], &got);
        stage.go("success/recv", &[fd, into, N(64), N(0)], &got);
        stage.go("failure/recv", &[fd, into, N(64), N(0)], &knows(&[server()]));
    });
    stage.each_entry("recvmsg", |stage| {
        let socket = own();
        let fd = Fd(socket.as_raw_fd().into());
        let (at, one, other) = (stage.put(&stale), stage.put(&[0; 8]), stage.put(&[0; 8]));
        let size = || ("aux", "16".to_owned());
        let told = message(stage, at, 16, [(one, 8), (other, 8)]);
        let first = knows(&[server(), changed(), whom(), ("data", word(b"hello wo")), size()]);
        stage.go("success", &[fd, N(told), N(0)], &first);
        let told = message(stage, 0, 0, [(one, 8), (other, 8)]);
        let nobody = knows(&[server(), ("data", word(b"hello wo")), size()]);
        stage.go("success/no-address", &[fd, N(told), N(0)], &nobody);
        let told = message(stage, at, 16, [(one, 8), (other, 8)]);
        stage.go("failure", &[fd, N(told), N(0)], &knows(&[server(), size()]));
    });
}
