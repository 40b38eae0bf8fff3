//! connect, for IPv4, IPv6, unix and every other family.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::bpf_probe_read_user;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use eyas_ebpf::{ConnectBits, ConnectFixed, Head, Kind};

use super::dispatch::Call;
use super::read::{kernel, off};
use super::ring::{Scratch, Slot, scratch, send};
use super::task;
use super::walk::{Place, append};

const AF_UNIX: u16 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
/// The type bits of a mode word, and those of a socket.
const S_IFMT: u16 = 0o170_000;
const S_IFSOCK: u16 = 0o140_000;
/// `sizeof(struct sockaddr_storage)`: no address is longer.
const ADDRESS: u64 = 128;

const FIXED: usize = Head::SIZE;
const SECTIONS: u64 = (Head::SIZE + ConnectFixed::SIZE) as u64;

/// tp_btf/sys_exit, reached through the dispatcher.
#[btf_tracepoint(function = "sys_exit")]
pub fn on_connect(ctx: BtfTracePointContext) -> i32 {
    let task = task::current();
    let (Some(scratch), Some(call)) = (scratch(Slot::Connect), Call::of(&ctx, task)) else { return 0 };
    let [fd, address, given_len, _] = call.args();
    task::fill_head(scratch, task, call.flags);
    // SAFETY: the scratch is a checked map value with room for both fixed parts.
    let fixed = unsafe { &mut *scratch.cast::<u8>().add(FIXED).cast::<ConnectFixed>() };
    fixed.ret = call.ret;
    fixed.fd = fd as i32;
    fixed.syscall = call.number as u32;
    fixed.given_len = given_len as u32;
    fixed.pad = 0;
    let mut bits = ConnectBits(0);

    let len = if given_len as u32 as u64 > ADDRESS { ADDRESS } else { given_len as u32 as u64 };
    // SAFETY: at most 128 bytes at a small constant offset.
    let failed = unsafe {
        let into = scratch.cast::<u8>().add(SECTIONS as usize).cast();
        bpf_probe_read_user(into, len as u32, address as *const c_void) != 0
    };
    let len = if failed { 0 } else { len };
    if failed {
        bits = bits.with(ConnectBits::ADDRESS_FAULT);
    }
    fixed.address_len = len as u16;

    let file = task::file(task, i64::from(fd as i32));
    let inode: u64 = kernel(file + off!(file_inode));
    let is_socket = file != 0 && kernel::<u16>(inode + off!(inode_mode)) & S_IFMT == S_IFSOCK;
    let mut end = SECTIONS + len;
    if is_socket {
        fixed.ino = kernel(inode + off!(inode_ino));
        end = fill_socket(scratch, fixed, kernel(file + off!(file_private)), end);
    } else {
        bits = bits.with(ConnectBits::SOCKET_MISSING);
        (fixed.family, fixed.kind, fixed.protocol) = (0, 0, 0);
        (fixed.local_port, fixed.remote_port, fixed.path_len, fixed.ino) = (0, 0, 0, 0);
        (fixed.local, fixed.remote) = ([0; 16], [0; 16]);
    }
    fixed.bits = bits;
    send(scratch, Kind::Connect, end);
    0
}

/// What the socket says of itself; gives where the record ends.
#[inline(always)]
fn fill_socket(scratch: *mut Scratch, fixed: &mut ConnectFixed, socket: u64, end: u64) -> u64 {
    let sock: u64 = kernel(socket + off!(socket_sk));
    fixed.family = kernel(sock + off!(sock_family));
    fixed.kind = kernel(socket + off!(socket_type));
    fixed.protocol = kernel(sock + off!(sock_protocol));
    (fixed.local_port, fixed.remote_port, fixed.path_len) = (0, 0, 0);
    (fixed.local, fixed.remote) = ([0; 16], [0; 16]);
    if fixed.family == AF_INET || fixed.family == AF_INET6 {
        fixed.local_port = kernel(sock + off!(sock_local_port));
        fixed.remote_port = u16::from_be(kernel(sock + off!(sock_remote_port)));
    }
    match fixed.family {
        AF_INET => {
            // Four bytes as they lie, which is network order: no number is made of them.
            let put = |into: &mut [u8; 16], from: u64| {
                let bytes = kernel::<[u8; 4]>(from);
                (into[0], into[1], into[2], into[3]) = (bytes[0], bytes[1], bytes[2], bytes[3]);
            };
            put(&mut fixed.local, sock + off!(sock_local4));
            put(&mut fixed.remote, sock + off!(sock_remote4));
        }
        AF_INET6 => {
            fixed.local = kernel(sock + off!(sock_local6));
            fixed.remote = kernel(sock + off!(sock_remote6));
        }
        AF_UNIX => {
            let peer: u64 = kernel(sock + off!(unix_peer));
            if peer != 0 {
                let path = append(scratch, end, Place::at(peer + off!(unix_path)));
                fixed.path_len = path.len as u16;
                return path.end;
            }
        }
        _ => {}
    }
    end
}
