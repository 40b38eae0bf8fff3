//! The system calls of the actions for which nothing safe is at hand: `ptrace`, `bpf`, `userfaultfd`, and a network namespace
//! whose loopback device has addresses that look like other machines. Each function makes one call, or a few that belong together.

#![expect(unsafe_code, reason = "system calls that no library wraps safely; each says why it is sound")]

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use rustix::net::{AddressFamily, SocketType, socket};
use rustix::process::Pid;
use rustix::thread::UnshareFlags;

/// Lets the parent trace this process.
pub(super) fn ptrace_me() -> io::Result<()> {
    // SAFETY: this request reads and writes no memory of ours.
    checked(unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) }).map(drop)
}

/// Begins to trace a process, which stops.
pub(super) fn ptrace_attach(pid: Pid) -> io::Result<()> {
    // SAFETY: this request reads and writes no memory of ours.
    checked(unsafe { libc::ptrace(libc::PTRACE_ATTACH, pid.as_raw_nonzero().get(), 0, 0) }).map(drop)
}

/// Lets it run again.
pub(super) fn ptrace_detach(pid: Pid) -> io::Result<()> {
    // SAFETY: this request reads and writes no memory of ours.
    checked(unsafe { libc::ptrace(libc::PTRACE_DETACH, pid.as_raw_nonzero().get(), 0, 0) }).map(drop)
}

/// A descriptor for page faults of user code, as unprivileged processes may have it.
pub(super) fn userfaultfd() -> io::Result<OwnedFd> {
    /// `UFFD_USER_MODE_ONLY` of include/uapi/linux/userfaultfd.h, since Linux 5.11.
    const USER_MODE_ONLY: libc::c_long = 1;
    // SAFETY: the call takes flags alone.
    let fd = checked(unsafe { libc::syscall(libc::SYS_userfaultfd, USER_MODE_ONLY) })?;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Loads a program of two instructions that returns 0. It is attached to nothing and goes with its descriptor.
pub(super) fn bpf_load() -> io::Result<OwnedFd> {
    /// The begin of `union bpf_attr` as `BPF_PROG_LOAD` reads it; the kernel takes what is missing as zero.
    #[repr(C)]
    struct Load {
        kind: u32,
        count: u32,
        code: u64,
        license: u64,
    }
    const PROG_LOAD: libc::c_long = 5;
    const SOCKET_FILTER: u32 = 1;
    // r0 = 0; exit
    let code: [u64; 2] = [0x0000_0000_0000_00b7, 0x0000_0000_0000_0095];
    let load = Load {
        kind: SOCKET_FILTER,
        count: code.len() as u32,
        code: code.as_ptr() as u64,
        license: c"GPL".as_ptr() as u64,
    };
    // SAFETY: the kernel reads `load` with the size given, the code and the licence; all live until it returns.
    let fd = checked(unsafe {
        libc::syscall(libc::SYS_bpf, PROG_LOAD, std::ptr::from_ref(&load), size_of::<Load>())
    })?;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Moves this process into a network namespace of its own, in which the loopback device has the address `here` and takes
/// what is sent to the network of `there`, and drops it: nothing leaves the machine.
pub(super) fn enter_island(here: Ipv4Addr, there: Ipv4Addr) -> io::Result<()> {
    // SAFETY: only the network namespace changes; no descriptor is shared or lost.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNET)? };
    let any = socket(AddressFamily::INET, SocketType::DGRAM, None)?;
    let mut up = interface("lo");
    up.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as i16;
    // SAFETY: the request reads an `ifreq`, and that is what it gets.
    checked(unsafe { libc::ioctl(any.as_raw_fd(), libc::SIOCSIFFLAGS, &raw mut up) })?;
    let mut addressed = interface("lo:1");
    addressed.ifr_ifru.ifru_addr = address(here);
    // SAFETY: the request reads an `ifreq`, and that is what it gets.
    checked(unsafe { libc::ioctl(any.as_raw_fd(), libc::SIOCSIFADDR, &raw mut addressed) })?;
    let [a, b, c, _] = there.octets();
    let device = c"lo";
    // SAFETY: all fields are numbers and pointers, for which zero is a value.
    let mut route: libc::rtentry = unsafe { std::mem::zeroed() };
    route.rt_dst = address(Ipv4Addr::new(a, b, c, 0));
    route.rt_genmask = address(Ipv4Addr::new(255, 255, 255, 0));
    route.rt_flags = libc::RTF_UP;
    route.rt_dev = device.as_ptr().cast_mut();
    // SAFETY: the request reads an `rtentry` and the device's name, which lives until it returns.
    checked(unsafe { libc::ioctl(any.as_raw_fd(), libc::SIOCADDRT, &raw mut route) })?;
    Ok(())
}

/// An `ifreq` for a device. The name is shorter than the field.
fn interface(name: &str) -> libc::ifreq {
    // SAFETY: all fields are numbers and pointers, for which zero is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from.cast_signed() as libc::c_char;
    }
    request
}

/// An address as `sockaddr`.
fn address(ip: Ipv4Addr) -> libc::sockaddr {
    // SAFETY: all fields are numbers, for which zero is a value.
    let mut out: libc::sockaddr = unsafe { std::mem::zeroed() };
    out.sa_family = libc::AF_INET as libc::sa_family_t;
    // Two bytes of port, then the address: `struct sockaddr_in`.
    for (to, from) in out.sa_data[2..6].iter_mut().zip(ip.octets()) {
        *to = from as libc::c_char;
    }
    out
}

fn checked<N: Into<i64> + Copy>(returned: N) -> io::Result<i64> {
    match returned.into() {
        -1 => Err(io::Error::last_os_error()),
        value => Ok(value),
    }
}
