//! CALL: a syscall of the table [`crate::CALLS`] returned. One layout for all of them; which parts are filled is the
//! table's to say.
//!
//! Texts, addresses and data are read from the caller's memory at exit: another thread may have changed them meanwhile.
//! Results, arguments, credentials and everything about the descriptor come from the kernel.

bits! {
    /// What is known about a call beside its fields.
    pub struct CallBits: u16 {
        /// The first text could not be read.
        FIRST_FAULT = 1,
        /// The second text could not be read.
        SECOND_FAULT = 1 << 1,
        /// The address could not be read.
        ADDRESS_FAULT = 1 << 2,
        /// The data could not be read.
        DATA_FAULT = 1 << 3,
        /// A path that the kernel gave is cut off at its upper end.
        PATH_TRUNCATED = 1 << 4,
        /// The descriptor names a file or socket, and the fields that tell of it are filled.
        DESCRIPTOR = 1 << 5,
        /// The descriptor's file has no name any more.
        DELETED = 1 << 6,
        /// The other end of the socket is not the one that it had at its last use.
        PEER_CHANGED = 1 << 7,
        /// The capability sets are filled.
        CAPABILITIES = 1 << 8,
    }
}

/// Which end of a connection a socket is, as far as the kernel half has seen its life.
#[repr(u16)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Nothing was seen.
    Unknown = 0,
    /// It connected.
    Client = 1,
    /// It was accepted, or bound to a port.
    Server = 2,
}

impl Role {
    /// The role with this number; unknown for any other.
    pub const fn from_number(number: u16) -> Self {
        match number {
            1 => Self::Client,
            2 => Self::Server,
            _ => Self::Unknown,
        }
    }
}

layout! {
    /// The fixed part of CALL.
    pub struct CallFixed [168] {
        /// What the call returned.
        ret: i64 = 0,
        /// The first argument, and so on. Those of a 32-bit call are widened without sign.
        arg0: u64 = 8,
        /// The second.
        arg1: u64 = 16,
        /// The third.
        arg2: u64 = 24,
        /// The fourth.
        arg3: u64 = 32,
        /// The fifth.
        arg4: u64 = 40,
        /// The sixth.
        arg5: u64 = 48,
        /// What [`crate::Payload`] says: inheritable capabilities; connections that wait in a queue.
        aux: u64 = 56,
        /// Permitted capabilities of the caller after the call.
        cap_permitted: u64 = 64,
        /// Effective capabilities of the caller after the call.
        cap_effective: u64 = 72,
        /// The descriptor's inode number.
        ino: u64 = 80,
        /// A socket's own address: 4 bytes for IPv4, 16 for IPv6, the rest zero.
        local: [u8; 16] = 88,
        /// The other end's address, alike.
        remote: [u8; 16] = 104,
        /// x86-64 number of the call.
        syscall: u32 = 120,
        /// Device of the descriptor's file, as the kernel holds it: major << 20 | minor.
        dev: u32 = 124,
        /// How many connections may wait in a queue.
        queue_max: u32 = 128,
        /// See [`CallBits`].
        bits: CallBits = 132,
        /// The mode word of the descriptor's file, its type among it.
        mode: u16 = 134,
        /// A socket's address family (AF_…).
        family: u16 = 136,
        /// Its type (`SOCK_`…).
        kind: u16 = 138,
        /// Its protocol (IPPROTO_…).
        protocol: u16 = 140,
        /// Own port, in the processor's byte order.
        local_port: u16 = 142,
        /// The other end's port, in the processor's byte order.
        remote_port: u16 = 144,
        /// See [`Role`].
        role: u16 = 146,
        /// Section length: first text.
        first_len: u16 = 148,
        /// Section length: second text.
        second_len: u16 = 150,
        /// Section length: address.
        address_len: u16 = 152,
        /// Section length: data.
        data_len: u16 = 154,
        /// Section length: where the first path starts.
        first_base_len: u16 = 156,
        /// Section length: where the second path starts.
        second_base_len: u16 = 158,
        /// Section length: path of the descriptor's file, or of the unix socket on the other end.
        path_len: u16 = 160,
        /// Zero.
        pad: u16 = 162,
        /// Zero.
        pad2: u32 = 164,
    }
}

/// CALL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call<'b> {
    /// The fixed part. Its section lengths are set anew when it is written.
    pub fixed: CallFixed,
    /// The first text as the caller gave it. No NUL.
    pub first: &'b [u8],
    /// The second.
    pub second: &'b [u8],
    /// The address (struct sockaddr), at most 128 bytes.
    pub address: &'b [u8],
    /// The first bytes of the data.
    pub data: &'b [u8],
    /// Where a relative first path starts, leaf first (see [`crate::components`]).
    pub first_base: &'b [u8],
    /// Where a relative second path starts.
    pub second_base: &'b [u8],
    /// Path of the descriptor's file, leaf first.
    pub path: &'b [u8],
}

impl<'b> Call<'b> {
    pub(crate) fn parse(bytes: &'b [u8]) -> Option<Self> {
        let (fixed, rest) = CallFixed::split(bytes)?;
        let (first, rest) = rest.split_at_checked(fixed.first_len.into())?;
        let (second, rest) = rest.split_at_checked(fixed.second_len.into())?;
        let (address, rest) = rest.split_at_checked(fixed.address_len.into())?;
        let (data, rest) = rest.split_at_checked(fixed.data_len.into())?;
        let (first_base, rest) = rest.split_at_checked(fixed.first_base_len.into())?;
        let (second_base, path) = rest.split_at_checked(fixed.second_base_len.into())?;
        let call = Self { fixed, first, second, address, data, first_base, second_base, path };
        (path.len() == usize::from(fixed.path_len)).then_some(call)
    }

    pub(crate) fn measured(&self) -> Option<CallFixed> {
        Some(CallFixed {
            first_len: self.first.len().try_into().ok()?,
            second_len: self.second.len().try_into().ok()?,
            address_len: self.address.len().try_into().ok()?,
            data_len: self.data.len().try_into().ok()?,
            first_base_len: self.first_base.len().try_into().ok()?,
            second_base_len: self.second_base.len().try_into().ok()?,
            path_len: self.path.len().try_into().ok()?,
            ..self.fixed
        })
    }

    pub(crate) fn sections(&self) -> [&'b [u8]; 7] {
        [self.first, self.second, self.address, self.data, self.first_base, self.second_base, self.path]
    }

    /// The arguments.
    pub fn args(&self) -> [u64; 6] {
        let f = &self.fixed;
        [f.arg0, f.arg1, f.arg2, f.arg3, f.arg4, f.arg5]
    }
}
