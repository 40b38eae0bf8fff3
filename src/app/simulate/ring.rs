//! What `io_uring` does for an action: one opening or one connection, handed in through a ring that is made for it, so that
//! no `open` and no `connect` is called. Numbers and types are rustix's; the two rings are walked here.

#![expect(unsafe_code, reason = "io_uring works on raw memory; each use says why it is sound")]

use std::ffi::{CStr, c_void};
use std::io;
use std::net::SocketAddrV4;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::io::Errno;
use rustix::io_uring::{
    IORING_OFF_SQ_RING, IORING_OFF_SQES, IoringEnterFlags, IoringOp, addr_or_splice_off_in_union,
    io_uring_cqe, io_uring_enter, io_uring_params, io_uring_ptr, io_uring_setup, io_uring_sqe,
    off_or_addr2_union,
};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// Opens a file for reading.
pub(super) fn open(path: &CStr) -> io::Result<OwnedFd> {
    // SAFETY: the path ends with a NUL and lives until the request is done.
    let fd = unsafe { ask(IoringOp::Openat, libc::AT_FDCWD, path.as_ptr().cast(), 0)? };
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Connects a socket.
pub(super) fn connect(socket: impl AsFd, to: SocketAddrV4) -> io::Result<()> {
    let address = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: to.port().to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from(*to.ip()).to_be() },
        sin_zero: [0; 8],
    };
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the address has the length that is given and lives until the request is done.
    unsafe { ask(IoringOp::Connect, fd, (&raw const address).cast(), size_of_val(&address) as u64).map(drop) }
}

/// Makes a ring, has it do one request, and gives the result. The ring goes with it.
///
/// # Safety
/// What the kernel reads or writes at `address` for this request is there.
unsafe fn ask(opcode: IoringOp, fd: i32, address: *const c_void, second: u64) -> io::Result<i32> {
    let mut params = io_uring_params::default();
    // SAFETY: no flag asks for memory of ours.
    let ring = unsafe { io_uring_setup(1, &mut params)? };
    let (sq, cq) = (params.sq_off, params.cq_off);
    let len = (sq.array as usize + params.sq_entries as usize * size_of::<u32>())
        .max(cq.cqes as usize + params.cq_entries as usize * size_of::<io_uring_cqe>());
    let rings = Mapping::new(&ring, len, IORING_OFF_SQ_RING)?;
    let requests =
        Mapping::new(&ring, params.sq_entries as usize * size_of::<io_uring_sqe>(), IORING_OFF_SQES)?;
    let request = io_uring_sqe {
        opcode,
        fd,
        addr_or_splice_off_in: addr_or_splice_off_in_union { addr: io_uring_ptr::new(address.cast_mut()) },
        off_or_addr2: off_or_addr2_union { off: second },
        ..io_uring_sqe::default()
    };
    // SAFETY: the kernel says where in the mappings these lie (Linux: man 2 io_uring_setup), and looks at the request only
    // from `io_uring_enter` on; the rings are new, so the first place is free. The call waits until the request is done.
    unsafe {
        requests.at::<io_uring_sqe>(0).write(request);
        rings.at::<u32>(sq.array).write(0);
        (*rings.at::<AtomicU32>(sq.tail)).store(1, Ordering::Release);
        io_uring_enter(&ring, 1, 1, IoringEnterFlags::GETEVENTS)?;
        if (*rings.at::<AtomicU32>(cq.tail)).load(Ordering::Acquire) == 0 {
            return Err(io::Error::other("io_uring gave no result"));
        }
        let result = (*rings.at::<io_uring_cqe>(cq.cqes)).res;
        if result < 0 { Err(Errno::from_raw_os_error(-result).into()) } else { Ok(result) }
    }
}

/// Memory that is shared with the kernel.
struct Mapping {
    begin: NonNull<u8>,
    len: usize,
}

impl Mapping {
    fn new(ring: &OwnedFd, len: usize, offset: u64) -> io::Result<Self> {
        // SAFETY: a new mapping, at a place that the kernel chooses.
        let begin = unsafe {
            mmap(null_mut(), len, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, ring, offset)?
        };
        let begin = NonNull::new(begin.cast()).ok_or_else(|| io::Error::other("a mapping at 0"))?;
        Ok(Self { begin, len })
    }

    /// The value so many bytes behind the begin. Where the kernel says that one lies it is aligned.
    fn at<T>(&self, offset: u32) -> *mut T {
        debug_assert!(offset as usize + size_of::<T>() <= self.len);
        self.begin.as_ptr().wrapping_add(offset as usize).cast()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: it was mapped with this length, and nothing refers to it any more.
        let _stays = unsafe { munmap(self.begin.as_ptr().cast(), self.len) };
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

    use std::io::Read;
    use std::net::{SocketAddr, UdpSocket};

    use super::*;

    #[test]
    fn a_file_is_opened_and_a_socket_connected_without_the_calls() {
        let file = match open(c"/proc/self/comm") {
            Err(error) if error.raw_os_error() == Some(libc::EPERM) => {
                println!("skipped: io_uring is switched off here: {error}");
                return;
            }
            file => file.unwrap(),
        };
        let mut text = String::new();
        std::fs::File::from(file).read_to_string(&mut text).unwrap();
        assert!(!text.is_empty());
        assert_eq!(open(c"/no/such/file").unwrap_err().raw_os_error(), Some(libc::ENOENT));

        let there = UdpSocket::bind("127.0.0.1:0").unwrap();
        let SocketAddr::V4(to) = there.local_addr().unwrap() else { panic!("an IPv4 address") };
        let here = UdpSocket::bind("127.0.0.1:0").unwrap();
        connect(&here, to).unwrap();
        assert_eq!(here.peer_addr().unwrap(), SocketAddr::V4(to));
    }
}
