//! OPEN: open, openat, openat2 and creat, told when the call returns.
//!
//! The path *as given* is read from the caller's memory at exit: another thread may have changed it meanwhile. The
//! *resolved* path is the opened file's own, read from the kernel: that one is to be trusted. Through `io_uring`
//! ([`crate::HeadFlags::URING`]) the given path is the kernel's own copy, and to be trusted as well.

bits! {
    /// What is known about an open beside its fields.
    pub struct OpenBits: u16 {
        /// The call made the file.
        CREATED = 1,
        /// The given path could not be read.
        GIVEN_FAULT = 1 << 1,
        /// The resolved path is cut off at its upper end.
        RESOLVED_TRUNCATED = 1 << 2,
        /// The base path is cut off at its upper end.
        BASE_TRUNCATED = 1 << 3,
        /// The descriptor was gone or another's when it was looked at: inode and resolved path are missing.
        FILE_MISSING = 1 << 4,
        /// The opened file has no name any more.
        DELETED = 1 << 5,
        /// The descriptor is a slot in the table of an `io_uring`, and none of the process.
        DIRECT = 1 << 6,
        /// It was told when `io_uring` took it, because no end of it may ever be seen: `ret` says nothing.
        UNFINISHED = 1 << 7,
        /// The opened file lies in the upper layer of an overlay.
        UPPER_LAYER = 1 << 8,
        /// It lies in a lower layer of one.
        LOWER_LAYER = 1 << 9,
    }
}

layout! {
    /// The fixed part of OPEN.
    pub struct OpenFixed [64] {
        /// What the call returned: a descriptor, or minus an error number.
        ret: i64 = 0,
        /// Open flags as given (O_…); for creat those it stands for.
        flags: u64 = 8,
        /// openat2's resolve flags (RESOLVE_…); else 0.
        resolve: u64 = 16,
        /// Inode number of the opened file; 0 on failure.
        ino: u64 = 24,
        /// The directory descriptor as given; `AT_FDCWD` (-100) for open and creat.
        dirfd: i32 = 32,
        /// x86-64 number of the call: open 2, creat 85, openat 257, openat2 437.
        syscall: u32 = 36,
        /// Mode as given, for files that the call makes.
        mode: u32 = 40,
        /// Device of the opened file, as the kernel holds it: major << 20 | minor; 0 on failure.
        dev: u32 = 44,
        /// The opened file's mode word (its type among it); 0 on failure.
        file_mode: u16 = 48,
        /// See [`OpenBits`].
        bits: OpenBits = 50,
        /// Section length: path as given.
        given_len: u16 = 52,
        /// Section length: path as resolved.
        resolved_len: u16 = 54,
        /// Section length: the directory that a relative path starts at.
        base_len: u16 = 56,
        /// Zero.
        pad: u16 = 58,
        /// Zero.
        pad2: u32 = 60,
    }
}

/// OPEN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open<'b> {
    /// The fixed part. Its section lengths are set anew when it is written.
    pub fixed: OpenFixed,
    /// The path as the caller gave it. No NUL.
    pub given: &'b [u8],
    /// The opened file's path, leaf first (see [`crate::components`]); empty on failure.
    pub resolved: &'b [u8],
    /// Where a relative path starts: working directory or directory descriptor, leaf first; empty for an absolute one.
    pub base: &'b [u8],
}

impl<'b> Open<'b> {
    pub(crate) fn parse(bytes: &'b [u8]) -> Option<Self> {
        let (fixed, rest) = OpenFixed::split(bytes)?;
        let (given, rest) = rest.split_at_checked(fixed.given_len.into())?;
        let (resolved, base) = rest.split_at_checked(fixed.resolved_len.into())?;
        (base.len() == usize::from(fixed.base_len)).then_some(Self { fixed, given, resolved, base })
    }

    pub(crate) fn measured(&self) -> Option<OpenFixed> {
        Some(OpenFixed {
            given_len: self.given.len().try_into().ok()?,
            resolved_len: self.resolved.len().try_into().ok()?,
            base_len: self.base.len().try_into().ok()?,
            ..self.fixed
        })
    }

    pub(crate) fn sections(&self) -> [&'b [u8]; 3] {
        [self.given, self.resolved, self.base]
    }
}
