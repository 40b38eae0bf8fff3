//! What a socket says of itself, and what is remembered of it between calls: a socket does not know whether it connected
//! or was accepted, nor whom a datagram socket talked to last.
//!
//! The memory is bounded and forgets what was not used for longest; what is forgotten reads as never seen.

use aya_ebpf::macros::map;
use aya_ebpf::maps::LruHashMap;
use eyas_ebpf::Role;

use super::read::{kernel, off};
use super::walk::Place;

pub const AF_UNIX: u16 = 1;
pub const AF_INET: u16 = 2;
pub const AF_INET6: u16 = 10;
/// `IPPROTO_TCP`.
const TCP: u16 = 6;

/// Room for so many sockets: 64 bytes each.
const SOCKETS_MAX: u32 = 16_384;

/// What is remembered of a socket.
#[repr(C)]
#[derive(Clone, Copy)]
struct Seen {
    /// Its inode number: the kernel uses the memory of a socket that is gone for another.
    ino: u64,
    /// Whom it talked to last.
    peer: [u8; 16],
    port: u32,
    role: u32,
}

/// By the address of the `struct sock`.
#[map]
static SOCKETS: LruHashMap<u64, Seen> = LruHashMap::with_max_entries(SOCKETS_MAX, 0);

/// Where a record keeps what a socket says of itself.
pub struct Ends<'r> {
    pub family: &'r mut u16,
    pub kind: &'r mut u16,
    pub protocol: &'r mut u16,
    pub local_port: &'r mut u16,
    pub remote_port: &'r mut u16,
    pub local: &'r mut [u8; 16],
    pub remote: &'r mut [u8; 16],
}

/// The [`Ends`] in the fixed part of a record: parts of different kinds have them under the same names. A macro, so that the
/// other fields can be set meanwhile.
macro_rules! ends_of {
    ($fixed:ident) => {
        $crate::programs::socket::Ends {
            family: &mut $fixed.family,
            kind: &mut $fixed.kind,
            protocol: &mut $fixed.protocol,
            local_port: &mut $fixed.local_port,
            remote_port: &mut $fixed.remote_port,
            local: &mut $fixed.local,
            remote: &mut $fixed.remote,
        }
    };
}
pub(crate) use ends_of;

impl Ends<'_> {
    /// Nothing is known.
    #[inline(always)]
    pub fn clear(&mut self) {
        (*self.family, *self.kind, *self.protocol) = (0, 0, 0);
        (*self.local_port, *self.remote_port) = (0, 0);
        (*self.local, *self.remote) = ([0; 16], [0; 16]);
    }

    /// Asks the `struct socket`; gives the address of its `struct sock`.
    #[inline(always)]
    pub fn fill(&mut self, socket: u64) -> u64 {
        let sock: u64 = kernel(socket + off!(socket_sk));
        self.clear();
        *self.family = kernel(sock + off!(sock_family));
        *self.kind = kernel(socket + off!(socket_type));
        *self.protocol = kernel(sock + off!(sock_protocol));
        if *self.family == AF_INET || *self.family == AF_INET6 {
            *self.local_port = kernel(sock + off!(sock_local_port));
            *self.remote_port = u16::from_be(kernel(sock + off!(sock_remote_port)));
        }
        match *self.family {
            AF_INET => {
                put4(self.local, kernel(sock + off!(sock_local4)));
                put4(self.remote, kernel(sock + off!(sock_remote4)));
            }
            AF_INET6 => {
                *self.local = kernel(sock + off!(sock_local6));
                *self.remote = kernel(sock + off!(sock_remote6));
            }
            _ => {}
        }
        sock
    }
}

/// Four bytes as they lie, which is network order: no number is made of them.
#[inline(always)]
fn put4(into: &mut [u8; 16], bytes: [u8; 4]) {
    (into[0], into[1], into[2], into[3]) = (bytes[0], bytes[1], bytes[2], bytes[3]);
}

/// The path of a unix socket's other end; `None` where there is none.
#[inline(always)]
pub fn peer_place(sock: u64) -> Option<Place> {
    let peer: u64 = kernel(sock + off!(unix_peer));
    (peer != 0).then(|| Place::at(peer + off!(unix_path)))
}

/// What is remembered of a socket, if it is that one still.
#[inline(always)]
fn seen(sock: u64, ino: u64) -> Option<*mut Seen> {
    let seen = SOCKETS.get_ptr_mut(&sock)?;
    // SAFETY: a checked map value; another processor may write it meanwhile, which changes no more than what is told.
    (unsafe { (*seen).ino } == ino).then_some(seen)
}

/// The socket took a role, with this peer. Gives the role.
#[inline(always)]
pub fn take_role(sock: u64, ino: u64, role: Role, peer: &[u8; 16], port: u16) -> u16 {
    let seen = Seen { ino, peer: *peer, port: port.into(), role: role as u32 };
    // The kernel soon gives the memory of a socket that is gone to the next one, and a new entry costs more than a changed one.
    if let Some(known) = SOCKETS.get_ptr_mut(&sock) {
        // SAFETY: as in `seen`.
        unsafe { *known = seen };
    } else {
        // When it cannot be kept it reads as never seen.
        let _ = SOCKETS.insert(&sock, &seen, 0);
    }
    role as u16
}

/// Which end it is.
#[inline(always)]
pub fn role(sock: u64, ino: u64) -> u16 {
    // SAFETY: as in `seen`.
    seen(sock, ino).map_or(0, |seen| unsafe { (*seen).role } as u16)
}

/// Notes whom a datagram went to or came from; whether that is another than before. A stream has one peer for life.
#[inline(always)]
pub fn meets(sock: u64, ino: u64, protocol: u16, peer: &[u8; 16], port: u16) -> bool {
    if protocol == TCP || port == 0 {
        return false;
    }
    let Some(seen) = seen(sock, ino) else {
        take_role(sock, ino, Role::Unknown, peer, port);
        return true;
    };
    // SAFETY: as in `seen`.
    unsafe {
        let same = (*seen).port == u32::from(port) && (*seen).peer == *peer;
        (*seen).peer = *peer;
        (*seen).port = port.into();
        !same
    }
}
