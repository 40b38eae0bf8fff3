//! The ways into the kernel: the native entry, `int $0x80`, and through that `socketcall`.

use eyas_ebpf::CALLS;

/// How a call comes into the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Native,
    /// Through `int $0x80`, by this number there.
    Narrow(u64),
    /// The same through `socketcall`, as this one of its calls.
    Socketcall(u64),
}

impl Entry {
    pub(crate) fn is_narrow(self) -> bool {
        self != Self::Native
    }
}

/// The calls of `socketcall` (Linux: include/uapi/linux/net.h).
const SOCKETCALLS: [(&str, u64); 10] = [
    ("socket", 1),
    ("bind", 2),
    ("connect", 3),
    ("listen", 4),
    ("accept", 5),
    ("sendto", 11),
    ("recvfrom", 12),
    ("sendmsg", 16),
    ("recvmsg", 17),
    ("accept4", 18),
];

/// The calls whose records are not CALL: name, x86-64 number, number of the 32-bit table.
pub(crate) const OWN_KINDS: [(&str, u64, u64); 7] = [
    ("open", 2, 5),
    ("creat", 85, 8),
    ("openat", 257, 295),
    ("openat2", 437, 437),
    ("connect", 42, 362),
    ("execve", 59, 11),
    ("execveat", 322, 358),
];

/// The number of a call, and every entry that it has.
pub(crate) fn entries(name: &str) -> (u64, Vec<Entry>) {
    let own = OWN_KINDS
        .iter()
        .find(|own| own.0 == name)
        .map(|own| (own.1, vec![Entry::Native, Entry::Narrow(own.2)]));
    let (number, mut entries) = own.unwrap_or_else(|| {
        let call = CALLS.iter().find(|call| call.name == name).unwrap_or_else(|| panic!("{name}"));
        // umount has a number of the 32-bit table alone.
        let native = (name != "umount").then_some(Entry::Native);
        let narrow = call.ia32.into_iter().filter(|number| *number != 0).map(Entry::Narrow);
        (call.number, native.into_iter().chain(narrow).collect())
    });
    let socketcall = SOCKETCALLS.iter().find(|call| call.0 == name);
    entries.extend(socketcall.map(|(_, number)| Entry::Socketcall(*number)));
    (number, entries)
}

/// The call itself, with all six arguments.
pub(super) fn raw(entry: Entry, number: u64, args: [u64; 6]) -> i64 {
    match entry {
        Entry::Native => {
            // SAFETY: rows pass addresses that outlive the call, or such that the kernel refuses.
            let ret =
                unsafe { libc::syscall(number as i64, args[0], args[1], args[2], args[3], args[4], args[5]) };
            if ret == -1 { -i64::from(std::io::Error::last_os_error().raw_os_error().unwrap()) } else { ret }
        }
        Entry::Narrow(narrow) => narrow_call(narrow, args),
        Entry::Socketcall(call) => {
            let array = args.map(|arg| arg as u32);
            // SAFETY: a page below 4 GiB for the array, given back after the call.
            unsafe {
                let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_32BIT;
                let page = libc::mmap(std::ptr::null_mut(), 4096, 3, flags, -1, 0);
                assert_ne!(page, libc::MAP_FAILED);
                page.cast::<[u32; 6]>().write(array);
                let ret = narrow_call(102, [call, page as u64, 0, 0, 0, 0]);
                libc::munmap(page, 4096);
                ret
            }
        }
    }
}

fn narrow_call(number: u64, args: [u64; 6]) -> i64 {
    let block: [u32; 7] = [
        args[0] as u32,
        args[1] as u32,
        args[2] as u32,
        args[3] as u32,
        args[4] as u32,
        args[5] as u32,
        number as u32,
    ];
    let ret: u32;
    // SAFETY: as for the native entry; rbx and rbp are put back.
    unsafe {
        std::arch::asm!(
            "push rbx", "push rbp",
            "mov ebx, [r8]", "mov ecx, [r8 + 4]", "mov edx, [r8 + 8]", "mov esi, [r8 + 12]",
            "mov edi, [r8 + 16]", "mov ebp, [r8 + 20]", "mov eax, [r8 + 24]",
            "int 0x80",
            "pop rbp", "pop rbx",
            inout("r8") block.as_ptr() => _, out("eax") ret,
            out("rcx") _, out("rdx") _, out("rsi") _, out("rdi") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    i64::from(ret as i32)
}

/// A call that makes a process, which ends at once without touching memory.
pub(super) fn raw_forking(entry: Entry, number: u64, args: [u64; 6], code: i32) -> i64 {
    let ret: i64;
    // SAFETY: the child does nothing but end; the parent goes on as after any call.
    unsafe {
        match entry {
            Entry::Native => std::arch::asm!(
                "syscall", "test rax, rax", "jnz 2f",
                "mov edi, r12d", "mov eax, 231", "syscall", "2:",
                inout("rax") number as i64 => ret, in("rdi") args[0], in("rsi") args[1], in("rdx") args[2],
                in("r10") args[3], in("r8") args[4], in("r9") args[5], in("r12") i64::from(code),
                lateout("rcx") _, lateout("r11") _,
            ),
            Entry::Narrow(narrow) => {
                let narrow_ret: i32;
                std::arch::asm!(
                    "push rbx", "push rbp",
                    "mov rbx, r8", "mov rbp, r9", "int 0x80",
                    "test eax, eax", "jnz 2f",
                    "mov edi, r12d", "mov eax, 231", "syscall", "2:",
                    "pop rbp", "pop rbx",
                    inout("eax") narrow as i32 => narrow_ret, inout("r8") args[0] => _, inout("r9") args[5] => _,
                    inout("rcx") args[1] => _, inout("rdx") args[2] => _, inout("rsi") args[3] => _,
                    inout("rdi") args[4] => _, in("r12") i64::from(code), lateout("r10") _, lateout("r11") _,
                );
                ret = narrow_ret.into();
            }
            Entry::Socketcall(_) => unreachable!("no socketcall makes a process"),
        }
    }
    ret
}
