//! `EXEC_FAILED`: execve or execveat returned an error. The caller stays what it was, as its own earlier records tell.

bits! {
    /// What is known about a failed exec beside its fields.
    pub struct FailedBits: u16 {
        /// The given file name could not be read.
        GIVEN_FAULT = 1,
        /// The base path is cut off at its upper end.
        BASE_TRUNCATED = 2,
    }
}

layout! {
    /// The fixed part of `EXEC_FAILED`.
    pub struct ExecFailedFixed [32] {
        /// Minus an error number.
        ret: i64 = 0,
        /// The directory descriptor as given; `AT_FDCWD` (-100) for execve.
        dirfd: i32 = 8,
        /// x86-64 number of the call (execve 59, execveat 322).
        syscall: u32 = 12,
        /// execveat's flags (AT_…); 0 for execve.
        flags: u32 = 16,
        /// See [`FailedBits`].
        bits: FailedBits = 20,
        /// Section length: file name as given.
        given_len: u16 = 22,
        /// Section length: the directory that a relative name starts at.
        base_len: u16 = 24,
        /// Zero.
        pad: u16 = 26,
        /// Zero.
        pad2: u32 = 28,
    }
}

/// `EXEC_FAILED`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecFailed<'b> {
    /// The fixed part. Its section lengths are set anew when it is written.
    pub fixed: ExecFailedFixed,
    /// The file name as the caller gave it. No NUL.
    pub given: &'b [u8],
    /// Where a relative name starts, leaf first; empty for an absolute one.
    pub base: &'b [u8],
}

impl<'b> ExecFailed<'b> {
    pub(crate) fn parse(bytes: &'b [u8]) -> Option<Self> {
        let (fixed, rest) = ExecFailedFixed::split(bytes)?;
        let (given, base) = rest.split_at_checked(fixed.given_len.into())?;
        (base.len() == usize::from(fixed.base_len)).then_some(Self { fixed, given, base })
    }

    pub(crate) fn measured(&self) -> Option<ExecFailedFixed> {
        Some(ExecFailedFixed {
            given_len: self.given.len().try_into().ok()?,
            base_len: self.base.len().try_into().ok()?,
            ..self.fixed
        })
    }

    pub(crate) fn sections(&self) -> [&'b [u8]; 2] {
        [self.given, self.base]
    }
}
