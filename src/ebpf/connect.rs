//! CONNECT, told when the call returns: the address as given, and the socket as the kernel sees it.
//!
//! The given address is read from the caller's memory at exit and may have been changed since; family, type and
//! the two ends come from the socket itself.

bits! {
    /// What is known about a connect beside its fields.
    pub struct ConnectBits: u16 {
        /// The given address could not be read.
        ADDRESS_FAULT = 1,
        /// The descriptor was no socket, or gone when it was looked at: only the given address is known.
        SOCKET_MISSING = 1 << 1,
        /// The descriptor is a slot in the table of an `io_uring`, and none of the process.
        DIRECT = 1 << 2,
        /// It was told when `io_uring` took it, because no end of it may ever be seen: `ret` says nothing.
        UNFINISHED = 1 << 3,
    }
}

layout! {
    /// The fixed part of CONNECT.
    pub struct ConnectFixed [80] {
        /// What the call returned: 0, or minus an error number (EINPROGRESS when it goes on in the background).
        ret: i64 = 0,
        /// The descriptor as given.
        fd: i32 = 8,
        /// x86-64 number of the call (42).
        syscall: u32 = 12,
        /// Address family of the socket (AF_…).
        family: u16 = 16,
        /// Type of the socket (`SOCK_`…).
        kind: u16 = 18,
        /// Protocol of the socket (IPPROTO_…).
        protocol: u16 = 20,
        /// See [`ConnectBits`].
        bits: ConnectBits = 22,
        /// Own port, in the processor's byte order.
        local_port: u16 = 24,
        /// The other end's port, in the processor's byte order.
        remote_port: u16 = 26,
        /// Section length: the address as given.
        address_len: u16 = 28,
        /// Section length: path of the unix socket on the other end.
        path_len: u16 = 30,
        /// Own address: 4 bytes for IPv4, 16 for IPv6, the rest zero.
        local: [u8; 16] = 32,
        /// The other end's address, alike.
        remote: [u8; 16] = 48,
        /// Inode number of the socket, as /proc/PID/fd shows it.
        ino: u64 = 64,
        /// How long the caller said its address is.
        given_len: u32 = 72,
        /// Zero.
        pad: u32 = 76,
    }
}

/// CONNECT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connect<'b> {
    /// The fixed part. Its section lengths are set anew when it is written.
    pub fixed: ConnectFixed,
    /// The address as the caller gave it (struct sockaddr), at most 128 bytes.
    pub address: &'b [u8],
    /// For a connected unix socket: the kernel's path of the other end, leaf first; else empty.
    pub path: &'b [u8],
}

impl<'b> Connect<'b> {
    pub(crate) fn parse(bytes: &'b [u8]) -> Option<Self> {
        let (fixed, rest) = ConnectFixed::split(bytes)?;
        let (address, path) = rest.split_at_checked(fixed.address_len.into())?;
        (path.len() == usize::from(fixed.path_len)).then_some(Self { fixed, address, path })
    }

    pub(crate) fn measured(&self) -> Option<ConnectFixed> {
        Some(ConnectFixed {
            address_len: self.address.len().try_into().ok()?,
            path_len: self.path.len().try_into().ok()?,
            ..self.fixed
        })
    }

    pub(crate) fn sections(&self) -> [&'b [u8]; 2] {
        [self.address, self.path]
    }
}
