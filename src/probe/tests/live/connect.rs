//! connect: IPv4, IPv6, unix, refused, and what is no socket.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;

use eyas_ebpf::{Connect, ConnectBits};

use crate::actor::play;
use crate::watch::{connects, path, real, watch};

const STREAM: u16 = 1;
const DATAGRAM: u16 = 2;

#[test]
fn every_connect_is_told_with_both_ends() {
    let Some(mut watch) = watch() else { return };
    let dir = tempfile::tempdir().unwrap();
    let open = TcpListener::bind("127.0.0.1:0").unwrap();
    let open = (open.local_addr().unwrap(), open);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let open6 = match TcpListener::bind("[::1]:0") {
        Ok(listener) => (listener.local_addr().unwrap(), Some(listener)),
        Err(error) => {
            println!("without IPv6 ({error}): that part is refused by the kernel, and told so");
            ("[::1]:9".parse().unwrap(), None)
        }
    };
    let socket = dir.path().join("it.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    let place = format!("{} {closed} {} {}", open.0, open6.0, socket.display());
    let mut child = play("connects", dir.path(), &place);
    watch.until_exit(child.id());
    assert!(child.wait().unwrap().success());

    let seen = connects(&watch.bytes, child.id());
    let seen: Vec<_> = seen.iter().map(|(_, connect)| connect).collect();
    let [ok, refused, v6, udp, unix, missing, no_socket] = &seen[..] else {
        panic!("{} connects", seen.len())
    };

    assert_eq!((ok.fixed.ret, ok.fixed.family, ok.fixed.kind, ok.fixed.protocol), (0, 2, STREAM, 6));
    assert_eq!((remote(ok), ok.fixed.given_len, ok.address.len()), (open.0, 16, 16));
    assert_eq!(Ipv4Addr::from(*ok.fixed.local.first_chunk::<4>().unwrap()), Ipv4Addr::LOCALHOST);
    assert_ne!((ok.fixed.local_port, ok.fixed.ino), (0, 0));
    assert_eq!(ok.address[..4], [2, 0, (open.0.port() >> 8) as u8, open.0.port() as u8]);

    assert_eq!(refused.fixed.ret, -i64::from(libc::ECONNREFUSED));
    assert_eq!(refused.address[2..8], [&closed.port().to_be_bytes()[..], &[127, 0, 0, 1]].concat());

    assert_eq!((v6.fixed.family, v6.fixed.kind, v6.fixed.given_len), (10, STREAM, 28));
    if open6.1.is_some() {
        assert_eq!((v6.fixed.ret, remote(v6)), (0, open6.0));
    }

    assert_eq!((udp.fixed.ret, udp.fixed.kind, udp.fixed.protocol), (0, DATAGRAM, 17));
    assert_eq!(remote(udp), open.0);

    assert_eq!((unix.fixed.ret, unix.fixed.family, unix.fixed.kind), (0, 1, STREAM));
    assert_eq!(path(unix.path), real(&socket));
    assert!(unix.address[2..].starts_with(socket.to_str().unwrap().as_bytes()));

    assert_eq!((missing.fixed.ret, missing.path), (-i64::from(libc::ENOENT), &b""[..]));
    assert!(missing.address[2..].starts_with(b"no-such.sock"));

    assert_eq!((no_socket.fixed.ret, no_socket.fixed.fd), (-i64::from(libc::EBADF), 9999));
    assert_eq!(no_socket.fixed.bits, ConnectBits::SOCKET_MISSING);
}

/// The other end as the socket says.
fn remote(connect: &Connect<'_>) -> SocketAddr {
    let fixed = &connect.fixed;
    let port = fixed.remote_port;
    match fixed.family {
        2 => (Ipv4Addr::from(*fixed.remote.first_chunk::<4>().unwrap()), port).into(),
        _ => (Ipv6Addr::from(fixed.remote), port).into(),
    }
}
