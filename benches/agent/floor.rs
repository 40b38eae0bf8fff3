//! The least that any sensor costs that hears of every syscall: a program on its way out that does nothing at all.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// `r0 = 0; exit`.
const NOTHING: [u64; 2] = [0xb7, 0x95];
const BPF_PROG_LOAD: libc::c_int = 5;
const BPF_RAW_TRACEPOINT_OPEN: libc::c_int = 17;
const BPF_PROG_TYPE_RAW_TRACEPOINT: u32 = 17;

/// The begin of `union bpf_attr` as `BPF_PROG_LOAD` has it (Linux: include/uapi/linux/bpf.h).
#[repr(C)]
struct Load {
    kind: u32,
    instructions: u32,
    at: *const u64,
    license: *const libc::c_char,
}

/// The same as `BPF_RAW_TRACEPOINT_OPEN` has it.
#[repr(C)]
struct Open {
    name: *const libc::c_char,
    program: u32,
    pad: u32,
}

/// Such a program; it hangs until this is dropped.
pub(crate) fn hang() -> OwnedFd {
    let program = bpf(
        BPF_PROG_LOAD,
        &Load {
            kind: BPF_PROG_TYPE_RAW_TRACEPOINT,
            instructions: NOTHING.len() as u32,
            at: NOTHING.as_ptr(),
            license: c"GPL".as_ptr(),
        },
    );
    // The link keeps the program.
    let (name, program) = (c"sys_exit".as_ptr(), program.as_raw_fd() as u32);
    bpf(BPF_RAW_TRACEPOINT_OPEN, &Open { name, program, pad: 0 })
}

fn bpf<A>(command: libc::c_int, attr: &A) -> OwnedFd {
    // SAFETY: the attributes are of the command and as long as it is told; what they point to lives until the call is done; what
    // it gives is a descriptor of ours.
    unsafe {
        let fd = libc::syscall(libc::SYS_bpf, command, std::ptr::from_ref(attr), size_of::<A>());
        assert!(fd >= 0, "bpf: {}", std::io::Error::last_os_error());
        OwnedFd::from_raw_fd(fd as i32)
    }
}
