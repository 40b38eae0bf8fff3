//! OPEN and CONNECT records as the bodies of events. Texts that the record does not hold ready (absolute paths, the
//! path of a unix socket) are written into buffers that the fold lends and uses again.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use eyas_ebpf as record;
use eyas_event::event::{Body, Connect, Layer, Open};
use eyas_event::path::write_absolute;
use eyas_event::socket::{Family, Role, Socket};

use crate::facts::push_path;

/// Texts made for the current event.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) base: Vec<u8>,
    pub(crate) name: Vec<u8>,
    pub(crate) real: Vec<u8>,
    pub(crate) second: Vec<u8>,
    pub(crate) address: Vec<u8>,
}

impl Scratch {
    /// Forgets the last event's texts and keeps their memory.
    pub(crate) fn clear(&mut self) {
        self.base.clear();
        self.name.clear();
        self.real.clear();
        self.second.clear();
        self.address.clear();
    }

    /// Makes `given` absolute from a leaf-first base.
    pub(crate) fn absolute(&mut self, base: &[u8], given: &[u8]) {
        push_path(base, &mut self.base);
        write_absolute(&self.base, given, &mut self.name);
    }

    /// The same of a call's second path.
    pub(crate) fn second_absolute(&mut self, base: &[u8], given: &[u8]) {
        self.base.clear();
        push_path(base, &mut self.base);
        write_absolute(&self.base, given, &mut self.second);
    }
}

/// In place of a descriptor that `io_uring` gave the process and nobody told us: more than any descriptor (Linux: `nr_open` is
/// below it). The process is told of a failure, so what is not told of went well.
const UNTOLD: i64 = i32::MAX as i64;

/// The body of an open.
pub(crate) fn open<'s>(o: &record::Open<'s>, scratch: &'s mut Scratch) -> Body<'s> {
    let f = o.fixed;
    let unfinished = f.bits.has(record::OpenBits::UNFINISHED);
    push_path(o.resolved, &mut scratch.real);
    name_placeless(&mut scratch.real, f.ino);
    scratch.absolute(o.base, o.given);
    if scratch.name.is_empty() {
        // The given path could not be read: the kernel's own is all there is.
        scratch.name.extend_from_slice(&scratch.real);
    }
    Body::Open(Open {
        ret: if unfinished { UNTOLD } else { f.ret },
        dirfd: f.dirfd,
        flags: f.flags,
        mode: f.mode,
        resolve: f.resolve,
        created: f.bits.has(record::OpenBits::CREATED),
        layer: if f.bits.has(record::OpenBits::UPPER_LAYER) {
            Layer::Upper
        } else if f.bits.has(record::OpenBits::LOWER_LAYER) {
            Layer::Lower
        } else {
            Layer::None
        },
        dev: f.dev,
        ino: f.ino,
        file_mode: f.file_mode,
        base: &scratch.base,
        given: o.given,
        name: &scratch.name,
        real: &scratch.real,
    })
}

/// Files of two kinds have no name but that of their file system. They are called as elsewhere: a process as kernels without
/// `pidfs` call it, a namespace with the number that tells one from another.
pub(crate) fn name_placeless(path: &mut Vec<u8>, ino: u64) {
    match &path[..] {
        b"pidfs" => *path = b"[pidfd]".to_vec(),
        // Writing to a Vec cannot fail.
        b"nsfs" => drop(write!(path, ":[{ino}]")),
        _ => {}
    }
}

const AF_UNIX: u16 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

/// The body of a connect. What the socket knows comes before what the caller gave, which another thread may have
/// changed since the call began.
pub(crate) fn connect<'s>(c: &record::Connect<'s>, scratch: &'s mut Scratch) -> Body<'s> {
    let f = c.fixed;
    let given = Address::read(c.address);
    let family = if f.bits.has(record::ConnectBits::SOCKET_MISSING) { given.family } else { f.family };
    let (local, remote) = ends(family, &f.local, f.local_port, &f.remote, f.remote_port);
    let remote = remote.or(given.ip);
    // Told when `io_uring` took it: the kernel has not chosen this end yet.
    let unfinished = f.bits.has(record::ConnectBits::UNFINISHED);
    let local = local.or_else(|| remote.filter(|_| unfinished).map(any_of));
    push_path(c.path, &mut scratch.name);
    if scratch.name.is_empty() {
        given.write_unix(&mut scratch.name);
    }
    let connected = f.ret == 0 || f.ret == EINPROGRESS;
    let socket = Socket {
        fd: f.fd.into(),
        family: family_of(family, connected, local, remote),
        kind: f.kind,
        protocol: f.protocol,
        role: if connected { Role::Client } else { Role::Unknown },
        connected,
        changed: connected && local.is_some() && remote.is_some(),
        local,
        remote,
        unix_path: &scratch.name,
    };
    Body::Connect(Connect { ret: f.ret, socket })
}

/// Any address of the other end's family.
fn any_of(remote: SocketAddr) -> SocketAddr {
    match remote {
        SocketAddr::V4(_) => SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0),
        SocketAddr::V6(_) => SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0),
    }
}

/// The error that a connect returns when it goes on in the background.
const EINPROGRESS: i64 = -115;

/// Both ends of a socket, as far as they have a port.
pub(crate) fn ends(
    family: u16,
    local: &[u8; 16],
    local_port: u16,
    remote: &[u8; 16],
    remote_port: u16,
) -> (Option<SocketAddr>, Option<SocketAddr>) {
    let end = |bytes: &[u8; 16], port| match family {
        _ if port == 0 => None,
        AF_INET => Some(SocketAddr::new(Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]).into(), port)),
        AF_INET6 => Some(SocketAddr::new(unmapped(Ipv6Addr::from(*bytes)), port)),
        _ => None,
    };
    (end(local, local_port), end(remote, remote_port))
}

/// The family of a socket with these ends.
pub(crate) fn family_of(
    family: u16,
    connected: bool,
    local: Option<SocketAddr>,
    remote: Option<SocketAddr>,
) -> Family {
    let is_v4 = |end: Option<SocketAddr>| end.is_some_and(|end| end.is_ipv4());
    match family {
        AF_UNIX => Family::Unix,
        AF_INET => Family::Inet,
        AF_INET6 if connected && is_v4(local) && is_v4(remote) => Family::Mapped,
        AF_INET6 => Family::Inet6,
        other => Family::Other(other),
    }
}

/// An address as the caller gave it.
#[derive(Default)]
pub(crate) struct Address<'b> {
    family: u16,
    pub(crate) ip: Option<SocketAddr>,
    unix: Option<&'b [u8]>,
}

impl<'b> Address<'b> {
    /// Reads a `struct sockaddr`; what is too short has only its family, or nothing.
    pub(crate) fn read(bytes: &'b [u8]) -> Self {
        let Some((family, rest)) = bytes.split_first_chunk::<2>() else { return Self::default() };
        let family = u16::from_le_bytes(*family);
        let mut address = Self { family, ..Self::default() };
        let port = rest.first_chunk::<2>().map(|p| u16::from_be_bytes(*p));
        match (family, port) {
            (AF_UNIX, _) => address.unix = Some(rest).filter(|p| !p.is_empty()),
            (AF_INET, Some(port)) => {
                let ip = rest.get(2..6).and_then(|b| b.first_chunk::<4>());
                address.ip = ip.map(|ip| SocketAddr::new(Ipv4Addr::from(*ip).into(), port));
            }
            (AF_INET6, Some(port)) => {
                let ip = rest.get(6..22).and_then(|b| b.first_chunk::<16>());
                address.ip = ip.map(|ip| SocketAddr::new(unmapped(Ipv6Addr::from(*ip)), port));
            }
            _ => {}
        }
        address
    }

    /// Appends the path of a unix address; an abstract one begins with `@`.
    fn write_unix(&self, out: &mut Vec<u8>) {
        match self.unix {
            Some([0, rest @ ..]) => {
                out.push(b'@');
                out.extend_from_slice(rest);
            }
            Some(path) => out.extend_from_slice(path.split(|b| *b == 0).next().unwrap_or(path)),
            None => {}
        }
    }

    /// Appends it as text, without brackets also for IPv6, as Falco writes it.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self.ip {
            // Writing to a Vec cannot fail.
            Some(end) => drop(write!(out, "{}:{}", end.ip(), end.port())),
            None => self.write_unix(out),
        }
    }
}

/// An IPv4 address that is written as an IPv6 one is an IPv4 address.
fn unmapped(ip: Ipv6Addr) -> IpAddr {
    ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4)
}
