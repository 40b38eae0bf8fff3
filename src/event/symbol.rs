//! Numbers of the kernel under the names that people know: errors, open flags, capabilities. Open flags are shown in
//! Falco's numbering and order, because rules compare with that text.

use std::io::Write as _;

/// The name of an error number, `None` when Linux has no such error.
pub fn errno(number: u64) -> Option<&'static str> {
    let name = ERRORS.get(usize::try_from(number).ok()?)?;
    (!name.is_empty()).then_some(name)
}

/// Appends what `evt.res` shows of a result: `SUCCESS`, or the error's name, or its number when it has none.
pub fn write_result(ret: i64, out: &mut Vec<u8>) {
    if ret >= 0 {
        out.extend_from_slice(b"SUCCESS");
    } else {
        write_errno(ret, out);
    }
}

/// Appends the name of a negative result's error, or the number itself.
pub fn write_errno(ret: i64, out: &mut Vec<u8>) {
    match errno(ret.unsigned_abs()) {
        Some(name) => out.extend_from_slice(name.as_bytes()),
        None => {
            let _ = write!(out, "{ret}");
        }
    }
}

/// One open flag: its name, Falco's bit and the test on Linux's word.
struct OpenFlag(&'static str, u32, fn(u64) -> bool);

const O_ACCMODE: u64 = 3;
const O_CREAT: u64 = 0o100;
const O_EXCL: u64 = 0o200;
const O_TRUNC: u64 = 0o1000;
const O_APPEND: u64 = 0o2000;
const O_NONBLOCK: u64 = 0o4000;
const O_DSYNC: u64 = 0o10000;
const O_DIRECT: u64 = 0o40000;
const O_LARGEFILE: u64 = 0o100_000;
/// The open must meet a directory.
pub const O_DIRECTORY: u64 = 0o200_000;
const O_CLOEXEC: u64 = 0o2_000_000;
const O_SYNC: u64 = 0o4_010_000;
const O_TMPFILE: u64 = 0o20_200_000;

static OPEN_FLAGS: &[OpenFlag] = &[
    OpenFlag("O_LARGEFILE", 1 << 11, |f| f & O_LARGEFILE != 0),
    OpenFlag("O_DIRECTORY", 1 << 10, |f| f & O_DIRECTORY != 0),
    OpenFlag("O_DIRECT", 1 << 9, |f| f & O_DIRECT != 0),
    OpenFlag("O_TRUNC", 1 << 8, |f| f & O_TRUNC != 0),
    OpenFlag("O_SYNC", 1 << 7, |f| f & O_SYNC == O_SYNC),
    OpenFlag("O_NONBLOCK", 1 << 6, |f| f & O_NONBLOCK != 0),
    OpenFlag("O_EXCL", 1 << 5, |f| f & O_EXCL != 0),
    OpenFlag("O_DSYNC", 1 << 4, |f| f & O_DSYNC != 0),
    OpenFlag("O_APPEND", 1 << 3, |f| f & O_APPEND != 0),
    OpenFlag("O_CREAT", 1 << 2, |f| f & O_CREAT != 0),
    OpenFlag("O_RDWR", 3, |f| f & O_ACCMODE == 2),
    OpenFlag("O_WRONLY", 2, |f| f & O_ACCMODE == 1),
    OpenFlag("O_RDONLY", 1, |f| f & O_ACCMODE == 0),
    OpenFlag("O_CLOEXEC", 1 << 12, |f| f & O_CLOEXEC != 0),
    OpenFlag("O_TMPFILE", 1 << 13, |f| f & O_TMPFILE == O_TMPFILE),
];

/// Falco's bit and name for "the call made the file".
const F_CREATED: (&str, u32) = ("O_F_CREATED", 1 << 14);

/// Linux's open flags in Falco's numbering.
pub fn open_flags_number(flags: u64, created: bool) -> u32 {
    let bits = OPEN_FLAGS.iter().filter(|f| f.2(flags)).fold(0, |bits, f| bits | f.1);
    if created { bits | F_CREATED.1 } else { bits }
}

/// Appends the names of open flags, joined by bars.
pub fn write_open_flags(flags: u64, created: bool, out: &mut Vec<u8>) {
    let begin = out.len();
    let created = created.then_some(F_CREATED.0);
    for name in OPEN_FLAGS.iter().filter(|f| f.2(flags)).map(|f| f.0).chain(created) {
        if out.len() > begin {
            out.push(b'|');
        }
        out.extend_from_slice(name.as_bytes());
    }
}

/// `openat2`'s resolve flags: name, Falco's bit and Linux's.
static RESOLVE_FLAGS: &[(&str, u32, u64)] = &[
    ("RESOLVE_BENEATH", 1, 0x08),
    ("RESOLVE_IN_ROOT", 2, 0x10),
    ("RESOLVE_NO_MAGICLINKS", 4, 0x02),
    ("RESOLVE_NO_SYMLINKS", 8, 0x04),
    ("RESOLVE_NO_XDEV", 16, 0x01),
    ("RESOLVE_CACHED", 32, 0x20),
];

/// Linux's resolve flags in Falco's numbering.
pub fn resolve_flags_number(flags: u64) -> u32 {
    RESOLVE_FLAGS.iter().filter(|f| flags & f.2 != 0).fold(0, |bits, f| bits | f.1)
}

/// Appends the names of resolve flags, joined by bars.
pub fn write_resolve_flags(flags: u64, out: &mut Vec<u8>) {
    for (n, flag) in RESOLVE_FLAGS.iter().filter(|f| flags & f.2 != 0).enumerate() {
        if n > 0 {
            out.push(b'|');
        }
        out.extend_from_slice(flag.0.as_bytes());
    }
}

/// Appends the names of capabilities, separated by spaces; nothing when there are none.
pub fn write_capabilities(set: u64, out: &mut Vec<u8>) {
    let begin = out.len();
    for (bit, name) in CAPABILITIES.iter().enumerate() {
        if set >> bit & 1 == 1 {
            if out.len() > begin {
                out.push(b' ');
            }
            out.extend_from_slice(b"CAP_");
            out.extend_from_slice(name.as_bytes());
        }
    }
}

static CAPABILITIES: &[&str] = &[
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// By number; an empty name where Linux has none.
static ERRORS: &[&str] = &[
    "",
    "EPERM",
    "ENOENT",
    "ESRCH",
    "EINTR",
    "EIO",
    "ENXIO",
    "E2BIG",
    "ENOEXEC",
    "EBADF",
    "ECHILD",
    "EAGAIN",
    "ENOMEM",
    "EACCES",
    "EFAULT",
    "ENOTBLK",
    "EBUSY",
    "EEXIST",
    "EXDEV",
    "ENODEV",
    "ENOTDIR",
    "EISDIR",
    "EINVAL",
    "ENFILE",
    "EMFILE",
    "ENOTTY",
    "ETXTBSY",
    "EFBIG",
    "ENOSPC",
    "ESPIPE",
    "EROFS",
    "EMLINK",
    "EPIPE",
    "EDOM",
    "ERANGE",
    "EDEADLK",
    "ENAMETOOLONG",
    "ENOLCK",
    "ENOSYS",
    "ENOTEMPTY",
    "ELOOP",
    "",
    "ENOMSG",
    "EIDRM",
    "ECHRNG",
    "EL2NSYNC",
    "EL3HLT",
    "EL3RST",
    "ELNRNG",
    "EUNATCH",
    "ENOCSI",
    "EL2HLT",
    "EBADE",
    "EBADR",
    "EXFULL",
    "ENOANO",
    "EBADRQC",
    "EBADSLT",
    "",
    "EBFONT",
    "ENOSTR",
    "ENODATA",
    "ETIME",
    "ENOSR",
    "ENONET",
    "ENOPKG",
    "EREMOTE",
    "ENOLINK",
    "EADV",
    "ESRMNT",
    "ECOMM",
    "EPROTO",
    "EMULTIHOP",
    "EDOTDOT",
    "EBADMSG",
    "EOVERFLOW",
    "ENOTUNIQ",
    "EBADFD",
    "EREMCHG",
    "ELIBACC",
    "ELIBBAD",
    "ELIBSCN",
    "ELIBMAX",
    "ELIBEXEC",
    "EILSEQ",
    "ERESTART",
    "ESTRPIPE",
    "EUSERS",
    "ENOTSOCK",
    "EDESTADDRREQ",
    "EMSGSIZE",
    "EPROTOTYPE",
    "ENOPROTOOPT",
    "EPROTONOSUPPORT",
    "ESOCKTNOSUPPORT",
    "EOPNOTSUPP",
    "EPFNOSUPPORT",
    "EAFNOSUPPORT",
    "EADDRINUSE",
    "EADDRNOTAVAIL",
    "ENETDOWN",
    "ENETUNREACH",
    "ENETRESET",
    "ECONNABORTED",
    "ECONNRESET",
    "ENOBUFS",
    "EISCONN",
    "ENOTCONN",
    "ESHUTDOWN",
    "ETOOMANYREFS",
    "ETIMEDOUT",
    "ECONNREFUSED",
    "EHOSTDOWN",
    "EHOSTUNREACH",
    "EALREADY",
    "EINPROGRESS",
    "ESTALE",
    "EUCLEAN",
    "ENOTNAM",
    "ENAVAIL",
    "EISNAM",
    "EREMOTEIO",
    "EDQUOT",
    "ENOMEDIUM",
    "EMEDIUMTYPE",
    "ECANCELED",
    "ENOKEY",
    "EKEYEXPIRED",
    "EKEYREVOKED",
    "EKEYREJECTED",
    "EOWNERDEAD",
    "ENOTRECOVERABLE",
    "ERFKILL",
    "",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_print_in_falcos_order_and_numbering() {
        let mut out = Vec::new();
        write_open_flags(2 | O_CREAT, false, &mut out);
        assert_eq!(out, b"O_CREAT|O_RDWR");
        assert_eq!(open_flags_number(2 | O_CREAT, false), 7);
        assert_eq!(open_flags_number(0, false), 1);
    }

    #[test]
    fn errors_have_their_names() {
        assert_eq!(errno(2), Some("ENOENT"));
        assert_eq!(errno(111), Some("ECONNREFUSED"));
        assert_eq!(errno(115), Some("EINPROGRESS"));
        assert_eq!(errno(0), None);
        assert_eq!(errno(4000), None);
    }
}
