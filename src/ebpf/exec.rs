//! EXEC and PROCESS (one layout: a process and the program it runs), and ARGV, the rest of a long command line.
//!
//! The kernel half fills EXEC from the task itself after the new program is in place, so credentials and name are the
//! new ones. PROCESS is the same, read from /proc for processes that were there first.

bits! {
    /// What is known about an exec beside its fields.
    pub struct ExecFlags: u32 {
        /// The program's file had no name any more when it started.
        DELETED = 1,
        /// The program is a memfd: it lives in memory only.
        MEMFD = 1 << 1,
        /// The path of the program is cut off at its upper end.
        EXE_TRUNCATED = 1 << 2,
        /// The working directory is cut off at its upper end.
        CWD_TRUNCATED = 1 << 3,
        /// The command line could not be read.
        ARGV_FAULT = 1 << 4,
        /// ARGV records with the rest of the command line follow.
        ARGV_MORE = 1 << 5,
        /// `exe` and `cwd` are plain path text, not components from the leaf up.
        TEXTUAL = 1 << 6,
        /// The process was there before the sensor: the fields are those of /proc.
        SNAPSHOT = 1 << 7,
        /// The given file name or the interpreter's name is cut off at its end.
        NAME_TRUNCATED = 1 << 8,
        /// The user who runs the program may write its file.
        EXE_WRITABLE = 1 << 9,
        /// The program's file lies in the upper layer of an overlay.
        EXE_UPPER_LAYER = 1 << 10,
        /// In a PROCESS fact: it has ended and is kept for those who ask for an ancestor.
        ENDED = 1 << 11,
        /// In a PROCESS fact: only its existence is known, because its fork or exec was missed.
        PARTIAL = 1 << 12,
        /// The program's file lies in a lower layer of an overlay.
        EXE_LOWER_LAYER = 1 << 13,
        /// The environment was looked at: a variable that was wanted and is not there was not set.
        ENV_READ = 1 << 14,
        /// [`ExecMore`] follows the fixed part. Recordings of earlier versions lack it.
        MORE = 1 << 15,
    }
}

layout! {
    /// What further is known of a process at its exec. It begins with its own length, so that it can grow.
    pub struct ExecMore [64] {
        /// Bytes of it that there are.
        len: u32 = 0,
        /// Zero.
        pad: u32 = 4,
        /// When the first process of its pid namespace started; 0 when unknown.
        pidns_start: u64 = 8,
        /// Its soft limit on open descriptors.
        fd_limit: u64 = 16,
        /// Page faults of the thread that had to wait for a disk.
        faults_major: u64 = 24,
        /// Its page faults that were answered from memory.
        faults_minor: u64 = 32,
        /// Size of its address space, KiB.
        vm_size_kib: u32 = 40,
        /// Its memory in RAM, KiB, as the kernel has it without asking every processor.
        vm_rss_kib: u32 = 44,
        /// Its memory in swap, KiB, alike.
        vm_swap_kib: u32 = 48,
        /// Zero.
        pad2: u32 = 52,
        /// 1, and for each v1 hierarchy the [`v1_group`] of the process's cgroup there. Who is in
        /// other cgroups of v1 hierarchies has another number. 0 when not read.
        v1_groups: u64 = 56,
    }
}

/// What a cgroup adds to [`ExecMore::v1_groups`]: its id and that of its hierarchy, so mixed that sums tell sets apart; nothing for
/// the root of a hierarchy, and nothing for the v2 hierarchy, whose number is 0.
#[expect(clippy::inline_always, reason = "a call in the kernel half costs more than it does")]
#[inline(always)]
pub const fn v1_group(hierarchy: u32, id: u64) -> u64 {
    if id <= 1 || hierarchy == 0 {
        return 0;
    }
    // Ids count up from below, so that the upper bits of both do not meet.
    let mixed = (id ^ (hierarchy as u64).rotate_right(16)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93)
}

layout! {
    /// The fixed part of EXEC and PROCESS. Pids are those of the first pid namespace, but for the `v…` ones.
    pub struct ExecFixed [168] {
        /// The parent process.
        ppid: u32 = 0,
        /// Session id.
        sid: u32 = 4,
        /// Process-group id.
        pgid: u32 = 8,
        /// The process, as its own pid namespace numbers it.
        vpid: u32 = 12,
        /// Its process group there; 0 when that one is not visible there.
        vpgid: u32 = 16,
        /// Its session there; 0 when that one is not visible there.
        vsid: u32 = 20,
        /// Inode number of its own pid namespace.
        pidns: u32 = 24,
        /// Real user id.
        uid: u32 = 28,
        /// Real group id.
        gid: u32 = 32,
        /// Effective user id.
        euid: u32 = 36,
        /// Effective group id.
        egid: u32 = 40,
        /// Audit login uid; `u32::MAX` when unset.
        loginuid: u32 = 44,
        /// Audit session id; `u32::MAX` when unset.
        session: u32 = 48,
        /// Device number of the controlling terminal, as field 7 of /proc/PID/stat; 0 when there is none.
        tty: u32 = 52,
        /// See [`ExecFlags`].
        flags: ExecFlags = 56,
        /// x86-64 number of the call (execve 59, execveat 322); 0 when unknown.
        syscall: u32 = 60,
        /// When the parent process started.
        parent_start: u64 = 64,
        /// Inode number of the program's file.
        exe_ino: u64 = 72,
        /// When the inode of the program's file changed last, wall-clock seconds; 0 when not read.
        exe_ctime: i64 = 80,
        /// When the contents of the program's file changed last, wall-clock seconds; 0 when not read.
        exe_mtime: i64 = 88,
        /// Effective capabilities.
        cap_effective: u64 = 96,
        /// Bytes of the whole command line.
        args_total: u64 = 104,
        /// The thread's name, NUL-padded.
        comm: [u8; 16] = 112,
        /// Device of the program's file, as the kernel holds it: major << 20 | minor.
        exe_dev: u32 = 128,
        /// The mode word of the program's file.
        exe_mode: u16 = 132,
        /// Section length: path of the program.
        exe_len: u16 = 134,
        /// Section length: working directory.
        cwd_len: u16 = 136,
        /// Section length: file name as given to the call.
        filename_len: u16 = 138,
        /// Section length: the program that was loaded first: for a script, its interpreter.
        interp_len: u16 = 140,
        /// Section length: variables of the environment.
        env_len: u16 = 142,
        /// Section length: command line in this record.
        argv_len: u32 = 144,
        /// Owner of the program's file.
        exe_uid: u32 = 148,
        /// Inheritable capabilities.
        cap_inheritable: u64 = 152,
        /// Permitted capabilities.
        cap_permitted: u64 = 160,
    }
}

impl ExecMore {
    /// It as bytes, for [`Exec::more`].
    pub fn bytes(&self) -> [u8; Self::SIZE] {
        let mut filled = Filled { bytes: [0; Self::SIZE], at: 0 };
        Self { len: Self::SIZE as u32, ..*self }.put(&mut filled);
        filled.bytes
    }
}

/// An array as a place for encoded bytes.
struct Filled {
    bytes: [u8; ExecMore::SIZE],
    at: usize,
}

impl<'a> Extend<&'a u8> for Filled {
    fn extend<I: IntoIterator<Item = &'a u8>>(&mut self, bytes: I) {
        for byte in bytes {
            if let Some(place) = self.bytes.get_mut(self.at) {
                *place = *byte;
            }
            self.at += 1;
        }
    }
}

/// EXEC or PROCESS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exec<'b> {
    /// The fixed part. Its section lengths are set anew when it is written.
    pub fixed: ExecFixed,
    /// What further is known, as bytes: see [`Exec::more`]. Nothing in recordings of earlier versions.
    pub more: &'b [u8],
    /// Path of the program, leaf first (see [`crate::components`]) or text ([`ExecFlags::TEXTUAL`]).
    pub exe: &'b [u8],
    /// Working directory, in the same form.
    pub cwd: &'b [u8],
    /// The file name as the caller gave it: for a script, the script. No NUL.
    pub filename: &'b [u8],
    /// The file whose format the kernel loaded at last: for a script, the interpreter named in it. No NUL.
    pub interp: &'b [u8],
    /// The command line in this record: arguments, each with a NUL behind it.
    pub argv: &'b [u8],
    /// The variables that somebody wants, `NAME=value`, each with a NUL behind it; of each at most
    /// [`crate::environment::VARIABLE_MAX`] bytes.
    pub env: &'b [u8],
}

impl<'b> Exec<'b> {
    pub(crate) fn parse(bytes: &'b [u8]) -> Option<Self> {
        let (mut fixed, rest) = ExecFixed::split(bytes)?;
        let more_len = if fixed.flags.has(ExecFlags::MORE) {
            u32::from_le_bytes(*rest.first_chunk()?) as usize
        } else {
            0
        };
        // Like a section's length, it is set anew when the record is written.
        fixed.flags.0 &= !ExecFlags::MORE.0;
        let (more, rest) = rest.split_at_checked(more_len)?;
        let (exe, rest) = rest.split_at_checked(fixed.exe_len.into())?;
        let (cwd, rest) = rest.split_at_checked(fixed.cwd_len.into())?;
        let (filename, rest) = rest.split_at_checked(fixed.filename_len.into())?;
        let (interp, rest) = rest.split_at_checked(fixed.interp_len.into())?;
        let (argv, env) = rest.split_at_checked(fixed.argv_len as usize)?;
        let exec = Self { fixed, more, exe, cwd, filename, interp, argv, env };
        (env.len() == usize::from(fixed.env_len)).then_some(exec)
    }

    /// The fixed part with the section lengths as they are; `None` when a section is too long for its length.
    pub(crate) fn measured(&self) -> Option<ExecFixed> {
        Some(ExecFixed {
            exe_len: self.exe.len().try_into().ok()?,
            cwd_len: self.cwd.len().try_into().ok()?,
            filename_len: self.filename.len().try_into().ok()?,
            interp_len: self.interp.len().try_into().ok()?,
            argv_len: self.argv.len().try_into().ok()?,
            env_len: self.env.len().try_into().ok()?,
            flags: match self.more {
                [] => self.fixed.flags,
                _ => self.fixed.flags.with(ExecFlags::MORE),
            },
            ..self.fixed
        })
    }

    /// What further is known; zeroes where it is not.
    pub fn more(&self) -> ExecMore {
        let mut bytes = [0; ExecMore::SIZE];
        let len = self.more.len().min(ExecMore::SIZE);
        bytes[..len].copy_from_slice(&self.more[..len]);
        ExecMore::split(&bytes).map(|(more, _)| more).unwrap_or_default()
    }

    pub(crate) fn sections(&self) -> [&'b [u8]; 7] {
        [self.more, self.exe, self.cwd, self.filename, self.interp, self.argv, self.env]
    }
}

bits! {
    /// What is known about a piece of a command line.
    pub struct ArgvBits: u32 {
        /// This piece could not be read: it has no bytes.
        FAULT = 1,
        /// It is the last one that will be sent.
        LAST = 2,
    }
}

layout! {
    /// The fixed part of ARGV. The head's `tgid` and `start` say whose command line it is.
    pub struct ArgvFixed [16] {
        /// Where in the command line the bytes belong.
        offset: u64 = 0,
        /// Section length.
        bytes_len: u32 = 8,
        /// See [`ArgvBits`].
        bits: ArgvBits = 12,
    }
}

/// ARGV: a further piece of a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argv<'b> {
    /// The fixed part.
    pub fixed: ArgvFixed,
    /// The bytes.
    pub bytes: &'b [u8],
}

impl<'b> Argv<'b> {
    pub(crate) fn parse(bytes: &'b [u8]) -> Option<Self> {
        let (fixed, bytes) = ArgvFixed::split(bytes)?;
        (bytes.len() == fixed.bytes_len as usize).then_some(Self { fixed, bytes })
    }

    pub(crate) fn measured(&self) -> Option<ArgvFixed> {
        Some(ArgvFixed { bytes_len: self.bytes.len().try_into().ok()?, ..self.fixed })
    }

    pub(crate) fn sections(&self) -> [&'b [u8]; 1] {
        [self.bytes]
    }
}
