//! Actions on sockets. Each plays on an island: a network namespace in which the only device is a loopback with an address
//! kept for documentation, and where what is sent to another such network is dropped. Nothing can leave the machine.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use super::super::action::Step;
use super::super::stage::{Stage, finish};
use super::super::{raw, ring};

/// The island's own address, of TEST-NET-2 (RFC 5737).
const HERE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// An address beyond it, of TEST-NET-1, where nobody answers.
const THERE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// Where a server on the island waits.
const PORT: u16 = 6_100;

/// What other programs do in these actions.
pub(crate) const PARTS: &[(&str, Step)] = &[
    ("call-443", |_| call(443)),
    ("call-9000", |_| call(9_000)),
    ("serve", |stage| {
        let server = TcpListener::bind((HERE, PORT))?;
        let mut visitor = stage.player("visitor", "visit")?.spawn()?;
        let (mut guest, _) = server.accept()?;
        guest.write_all(b"nothing to see\n")?;
        visitor.wait().map(drop)
    }),
    ("visit", |_| TcpStream::connect((HERE, PORT))?.read(&mut [0; 16]).map(drop)),
    ("receive-class", |_| {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.send_to(b"\xca\xfe\xba\xbe\0\0\0\x41", socket.local_addr()?)?;
        socket.recv_from(&mut [0; 64]).map(drop)
    }),
];

fn island() -> io::Result<()> {
    raw::enter_island(HERE, THERE)
}

/// Begins a TCP connection to where nobody answers. It stays begun.
fn call(port: u16) -> io::Result<()> {
    match TcpStream::connect_timeout(&SocketAddr::from((THERE, port)), Duration::from_millis(50)) {
        Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::other("somebody answered where nobody is")),
    }
}

pub(crate) fn ssh_to_443(stage: &Stage) -> io::Result<()> {
    island()?;
    finish(&mut stage.player("ssh", "call-443")?)
}

pub(crate) fn ssh_to_22(_: &Stage) -> io::Result<()> {
    island()?;
    call(22)
}

pub(crate) fn interpreter_calls(stage: &Stage) -> io::Result<()> {
    island()?;
    finish(&mut stage.real_player("bin/node", "call-9000")?)
}

pub(crate) fn interpreter_serves(stage: &Stage) -> io::Result<()> {
    island()?;
    finish(&mut stage.player("lua", "serve")?)
}

pub(crate) fn serve_a_stranger(stage: &Stage) -> io::Result<()> {
    island()?;
    finish(&mut stage.player("server", "serve")?)
}

pub(crate) fn shell_calls(stage: &Stage) -> io::Result<()> {
    island()?;
    finish(&mut stage.player("bash", "call-9000")?)
}

pub(crate) fn unusual_udp(_: &Stage) -> io::Result<()> {
    island()?;
    let socket = UdpSocket::bind((HERE, 0))?;
    socket.connect((THERE, 9_001))?;
    socket.send(b"nothing to see\n").map(drop)
}

pub(crate) fn unusual_udp_by_uring(_: &Stage) -> io::Result<()> {
    island()?;
    ring::connect(UdpSocket::bind((HERE, 0))?, SocketAddrV4::new(THERE, 9_001))
}

pub(crate) fn java_receives_class(stage: &Stage) -> io::Result<()> {
    island()?;
    finish(&mut stage.player("java", "receive-class")?)
}
