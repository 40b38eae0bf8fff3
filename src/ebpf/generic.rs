//! The numbers that arm64 gives its syscalls, which are those of Linux's generic table. The dispatcher makes x86-64 numbers of
//! them, so that everywhere else a syscall has one number.

use crate::calls::NUMBERS;
use crate::nr;

/// (generic number, x86-64 number) of the syscalls that are handled (Linux: `include/uapi/asm-generic/unistd.h`). What x86-64
/// has beside these, such as `open` and `fork`, is not in that table.
const GENERIC: [(u64, u64); 58] = [
    (23, 32),  // dup
    (24, 292), // dup3
    (34, 258), // mkdirat
    (35, 263), // unlinkat
    (36, 266), // symlinkat
    (37, 265), // linkat
    (38, 264), // renameat
    (39, 166), // umount2
    (40, 165), // mount
    (49, 80),  // chdir
    (50, 81),  // fchdir
    (51, 161), // chroot
    (52, 91),  // fchmod
    (53, 268), // fchmodat
    (56, nr::OPENAT),
    (91, 126),  // capset
    (97, 272),  // unshare
    (105, 175), // init_module
    (106, 176), // delete_module
    (117, 101), // ptrace
    (129, 62),  // kill
    (130, 200), // tkill
    (131, 234), // tgkill
    (143, 114), // setregid
    (144, 106), // setgid
    (145, 113), // setreuid
    (146, 105), // setuid
    (147, 117), // setresuid
    (149, 119), // setresgid
    (154, 109), // setpgid
    (157, 112), // setsid
    (167, nr::PRCTL),
    (198, nr::SOCKET),
    (200, nr::BIND),
    (201, nr::LISTEN),
    (202, nr::ACCEPT),
    (203, nr::CONNECT),
    (206, nr::SENDTO),
    (207, nr::RECVFROM),
    (211, nr::SENDMSG),
    (212, nr::RECVMSG),
    (220, 56), // clone
    (221, nr::EXECVE),
    (242, nr::ACCEPT4),
    (268, 308), // setns
    (270, 310), // process_vm_readv
    (271, 311), // process_vm_writev
    (273, 313), // finit_module
    (276, 316), // renameat2
    (279, 319), // memfd_create
    (280, 321), // bpf
    (281, nr::EXECVEAT),
    (282, 323), // userfaultfd
    // Newer ones have the same number in both tables.
    (425, 425), // io_uring_setup
    (434, 434), // pidfd_open
    (435, 435), // clone3
    (437, nr::OPENAT2),
    (438, 438), // pidfd_getfd
];
/// The x86-64 number of each generic number that is handled; 0 (`read`, which is not) for the others.
static BY_GENERIC: [u16; NUMBERS] = {
    let mut by_generic = [0; NUMBERS];
    let mut at = 0;
    while at < GENERIC.len() {
        by_generic[GENERIC[at].0 as usize] = GENERIC[at].1 as u16;
        at += 1;
    }
    by_generic
};

/// The x86-64 number of a syscall of the generic table; `None` for one that is not handled.
#[inline]
pub fn of_generic(number: u64) -> Option<u64> {
    if number >= NUMBERS as u64 {
        return None;
    }
    match BY_GENERIC[number as usize & (NUMBERS - 1)] {
        0 => None,
        number => Some(number.into()),
    }
}
