//! connect, for IPv4, IPv6, unix and every other family.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::bpf_probe_read_user;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use eyas_ebpf::{ConnectBits, ConnectFixed, Head, Kind, Role};

use super::dispatch::Call;
use super::read::{kernel, off};
use super::ring::{Slot, scratch, send};
use super::socket::{AF_UNIX, ends_of, peer_place, take_role};
use super::task;
use super::walk::append;

/// The type bits of a mode word, and those of a socket.
pub const S_IFMT: u16 = 0o170_000;
pub const S_IFSOCK: u16 = 0o140_000;
/// `sizeof(struct sockaddr_storage)`: no address is longer.
pub const ADDRESS: u64 = 128;

/// The error of a connect that goes on in the background.
const EINPROGRESS: i64 = -115;

const FIXED: usize = Head::SIZE;
const SECTIONS: u64 = (Head::SIZE + ConnectFixed::SIZE) as u64;

/// tp_btf/sys_exit, reached through the dispatcher.
#[btf_tracepoint(function = "sys_exit")]
pub fn on_connect(ctx: BtfTracePointContext) -> i32 {
    let task = task::current();
    let (Some(scratch), Some(call)) = (scratch(Slot::Connect), Call::of(&ctx, task)) else { return 0 };
    let [fd, address, given_len, ..] = call.six();
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
    fixed.path_len = 0;
    let mut ends = ends_of!(fixed);
    if is_socket {
        fixed.ino = kernel(inode + off!(inode_ino));
        let sock = ends.fill(kernel(file + off!(file_private)));
        if fixed.family == AF_UNIX {
            if let Some(place) = peer_place(sock) {
                let path = append(scratch, end, place);
                fixed.path_len = path.len as u16;
                end = path.end;
            }
        } else if call.ret == 0 || call.ret == EINPROGRESS {
            take_role(sock, fixed.ino, Role::Client, &fixed.remote, fixed.remote_port);
        }
    } else {
        bits = bits.with(ConnectBits::SOCKET_MISSING);
        ends.clear();
        fixed.ino = 0;
    }
    fixed.bits = bits;
    send(scratch, Kind::Connect, end);
    0
}
