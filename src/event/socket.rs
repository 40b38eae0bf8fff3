//! A socket, as an event tells of it, and the fields that are taken from it. Which end is the client's follows from its
//! role: the one who connected, or the other end of the one who was accepted.

use std::net::SocketAddr;

use crate::event::rendered;
use crate::field::FieldId;
use crate::render;
use crate::value::Value;

/// Families of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Unix socket.
    Unix,
    /// IPv4.
    Inet,
    /// An IPv6 socket that is connected between IPv4 addresses. Falco takes it for an IPv4 socket whose transport it does
    /// not know, and therefore does not name its ends in `fd.name`.
    Mapped,
    /// IPv6.
    Inet6,
    /// Another, by its number.
    Other(u16),
}

/// `AF_NETLINK`.
const AF_NETLINK: u16 = 16;

/// `SOCK_RAW`.
const SOCK_RAW: u16 = 3;

/// Which end of a connection a socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Neither is known.
    Unknown,
    /// It connected, or sent first.
    Client,
    /// It was accepted, or waits for others.
    Server,
}

/// A socket.
#[derive(Clone, Copy, Debug)]
pub struct Socket<'a> {
    /// Its descriptor.
    pub fd: i64,
    /// Address family.
    pub family: Family,
    /// Type (`SOCK_STREAM` 1, `SOCK_DGRAM` 2, `SOCK_RAW` 3, …); 0 where the descriptor is no socket, and only what it was
    /// to be connected to is known.
    pub kind: u16,
    /// Transport protocol number (6 TCP, 17 UDP, …).
    pub protocol: u16,
    /// Which end it is.
    pub role: Role,
    /// Whether it is connected, or connecting.
    pub connected: bool,
    /// Whether this event gave it another name.
    pub changed: bool,
    /// This end.
    pub local: Option<SocketAddr>,
    /// The other end: as the socket has it, or as the caller asked when the call failed.
    pub remote: Option<SocketAddr>,
    /// Path of a unix socket; an abstract one starts with `@`.
    pub unix_path: &'a [u8],
}

impl Socket<'_> {
    /// This end and the other, when both are known and count.
    pub fn sides(&self) -> Option<(SocketAddr, SocketAddr)> {
        if self.connected || self.role != Role::Unknown { self.local.zip(self.remote) } else { None }
    }

    /// The client's end and the server's.
    pub fn ends(&self) -> Option<(SocketAddr, SocketAddr)> {
        let (local, remote) = self.sides()?;
        Some(if self.role == Role::Server { (remote, local) } else { (local, remote) })
    }

    /// The end that waits for others: bound to a port, and connected with nobody.
    pub(crate) fn waits(&self) -> Option<SocketAddr> {
        self.local.filter(|local| self.role == Role::Server && self.remote.is_none() && local.port() != 0)
    }

    /// Whether whole packets go through it, whatever its protocol.
    fn is_raw(&self) -> bool {
        self.kind == SOCK_RAW
    }

    pub(crate) fn typechar(&self) -> &'static str {
        match self.family {
            Family::Unix => "u",
            Family::Inet | Family::Mapped => "4",
            Family::Inet6 => "6",
            Family::Other(AF_NETLINK) => "n",
            Family::Other(_) => "o",
        }
    }

    pub(crate) fn fd_field<'s>(&'s self, id: FieldId, buf: &'s mut Vec<u8>) -> Value<'s> {
        let waits = self.waits();
        let (local, remote) = self.sides().unzip();
        let local = local.or(waits);
        let (client, server) = self.ends().unzip();
        let server = server.or(waits);
        let ip = |end: Option<SocketAddr>| end.map_or(Value::Absent, |e| Value::Ip(e.ip()));
        let port = |end: Option<SocketAddr>| end.map_or(Value::Absent, |e| Value::Port(e.port()));
        let port_text = |end: Option<SocketAddr>, buf: &'s mut Vec<u8>| match end {
            Some(end) => rendered(buf, |b| Value::Port(end.port()).write_text(b)),
            None => Value::Absent,
        };
        match id {
            FieldId::FD_NUM => Value::Int(self.fd),
            FieldId::FD_TYPE => Value::Bytes(match self.family {
                Family::Unix => b"unix",
                Family::Inet | Family::Mapped => b"ipv4",
                Family::Inet6 => b"ipv6",
                Family::Other(AF_NETLINK) => b"netlink",
                Family::Other(_) => return Value::Absent,
            }),
            FieldId::FD_TYPECHAR => Value::Bytes(self.typechar().as_bytes()),
            FieldId::FD_NAME => rendered(buf, |b| render::tuple(self, b)),
            FieldId::FD_NAMERAW => Value::Bytes(b""),
            // What Falco says of a socket when it is asked for what only a file has.
            FieldId::FD_DEV | FieldId::FD_DEV_MAJOR | FieldId::FD_DEV_MINOR | FieldId::FD_INO => {
                Value::Int(0)
            }
            FieldId::FD_IS_UPPER_LAYER | FieldId::FD_IS_LOWER_LAYER => Value::Bool(false),
            FieldId::FD_CIP | FieldId::FD_CNET => ip(client),
            FieldId::FD_SIP | FieldId::FD_SNET => ip(server),
            FieldId::FD_LIP | FieldId::FD_LNET => ip(local),
            FieldId::FD_RIP | FieldId::FD_RNET => ip(remote),
            FieldId::FD_CPORT => port(client),
            FieldId::FD_SPORT => port(server),
            FieldId::FD_LPORT => port(local),
            FieldId::FD_RPORT => port(remote),
            FieldId::FD_CPROTO => port_text(client, buf),
            FieldId::FD_SPROTO => port_text(server, buf),
            FieldId::FD_LPROTO => port_text(local, buf),
            FieldId::FD_RPROTO => port_text(remote, buf),
            FieldId::FD_L4PROTO => Value::Bytes(match (server.is_some(), self.family, self.protocol) {
                (_, Family::Inet | Family::Inet6, _) if self.is_raw() => b"raw",
                (true, Family::Inet | Family::Inet6, 6) => b"tcp",
                (true, Family::Inet | Family::Inet6, 17) => b"udp",
                (true, Family::Inet | Family::Inet6, 1 | 58) => b"icmp",
                (true, Family::Inet | Family::Inet6, _) => b"raw",
                _ => b"<NA>",
            }),
            FieldId::FD_SOCKFAMILY => Value::Bytes(match self.family {
                Family::Unix => b"unix",
                Family::Inet | Family::Mapped | Family::Inet6 => b"ip",
                Family::Other(_) => return Value::Absent,
            }),
            FieldId::FD_IS_SERVER => Value::Bool(match self.role {
                Role::Server => server.is_some(),
                _ => server.is_some_and(|end| end.ip().is_loopback()),
            }),
            FieldId::FD_CONNECTED => Value::Bool(self.connected),
            FieldId::FD_NAME_CHANGED => Value::Bool(self.changed),
            _ => Value::Absent,
        }
    }
}
