//! The syscalls that are told as CALL records, and what each record carries beside the call's numbers: the texts it was
//! given and the directories they start at, the descriptor that it is about, an address, the first bytes of its data.
//!
//! Both halves read this one table: the kernel half what to gather, the user half what was gathered.

/// How many bytes of what is sent or received ride in a record, as many as Falco's `snaplen`.
pub const DATA_MAX: u64 = 80;

/// What else of a call is gathered.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Nothing.
    None = 0,
    /// The address at the second argument, its length in the third.
    Address = 1,
    /// The bytes at the second argument, the address at the fifth; how many: the result, and the sixth.
    Send = 2,
    /// Alike, but the address was written by the kernel: its length is where the sixth argument points.
    Receive = 3,
    /// A `struct msghdr` at the second argument: its address, and the bytes of its first buffer.
    Message = 4,
    /// The queue of the listening socket that the first argument names.
    Queue = 5,
    /// The capability sets of the caller, as the call left them.
    Capabilities = 6,
    /// The working directory, as the call left it.
    Directory = 7,
    /// A `struct io_uring_params` at the second argument.
    RingParams = 8,
    /// A `struct clone_args` at the first argument.
    CloneArgs = 9,
    /// The bytes at the first argument, their number in the second.
    Image = 10,
    /// The text in the third argument: the type of a file system.
    Type = 11,
    /// The buffers at the second argument, their number in the third: the first bytes of the first.
    Buffers = 12,
    /// What an option of prctl points to, where that is a number that the kernel wrote.
    Option = 13,
}

/// What a record of a call carries, packed into a number: the kernel half reads it out of a table of constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape(pub u32);

impl Shape {
    /// In place of an argument: there is none.
    pub const NONE: u32 = 7;
    /// In place of a directory's argument: the text is no path.
    pub const NO_PATH: u32 = 6;
    /// In place of a directory's argument: the working directory.
    pub const CWD: u32 = 7;
    /// In place of a descriptor's argument: the result.
    pub const RESULT: u32 = 6;
    /// A number that is in no row.
    pub const ABSENT: Self = Self(0);

    const ROW: u32 = 1 << 31;
    /// Numbers only.
    const PLAIN: Self = Self(
        Self::ROW
            | Self::NONE
            | Self::NO_PATH << 3
            | Self::NONE << 6
            | Self::NO_PATH << 9
            | Self::NONE << 12
            | (Payload::None as u32) << 15,
    );

    const fn set(self, shift: u32, value: u32) -> Self {
        Self(self.0 & !(7 << shift) | value << shift)
    }

    /// A path in an argument, relative to the working directory.
    const fn path(self, arg: u32) -> Self {
        self.path_at(Self::CWD, arg)
    }

    /// A path in an argument, relative to the directory that another names. The first is taken before the second.
    const fn path_at(self, dir: u32, arg: u32) -> Self {
        if self.first() == Self::NONE { self.set(0, arg).set(3, dir) } else { self.set(6, arg).set(9, dir) }
    }

    /// A text in an argument that is no path.
    const fn text(self, arg: u32) -> Self {
        self.path_at(Self::NO_PATH, arg)
    }

    /// The descriptor in an argument, or [`Shape::RESULT`].
    const fn fd(self, arg: u32) -> Self {
        self.set(12, arg)
    }

    const fn with(self, payload: Payload) -> Self {
        Self(self.0 & !(15 << 15) | (payload as u32) << 15)
    }

    /// Whether a row has it.
    pub const fn is_present(self) -> bool {
        self.0 != 0
    }

    /// The argument that is the first text; [`Shape::NONE`].
    pub const fn first(self) -> u32 {
        self.0 & 7
    }

    /// The argument that says where the first path starts; [`Shape::CWD`], [`Shape::NO_PATH`].
    pub const fn first_dir(self) -> u32 {
        self.0 >> 3 & 7
    }

    /// The argument that is the second text; [`Shape::NONE`].
    pub const fn second(self) -> u32 {
        self.0 >> 6 & 7
    }

    /// The argument that says where the second path starts; [`Shape::CWD`], [`Shape::NO_PATH`].
    pub const fn second_dir(self) -> u32 {
        self.0 >> 9 & 7
    }

    /// The argument that is the descriptor; [`Shape::NONE`], [`Shape::RESULT`].
    pub const fn descriptor(self) -> u32 {
        self.0 >> 12 & 7
    }

    /// The number of the [`Payload`].
    pub const fn payload(self) -> u32 {
        self.0 >> 15 & 15
    }
}

/// One syscall.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Its name, which is also that of its event.
    pub name: &'static str,
    /// Its x86-64 number; of one that x86-64 has not, the number that stands for it.
    pub number: u64,
    /// Its numbers through the 32-bit entry (Linux: `arch/x86/entry/syscalls/syscall_32.tbl`); 0 where there is none.
    pub ia32: [u64; 2],
    /// What its record carries.
    pub shape: Shape,
}

const fn row(name: &'static str, number: u64, ia32: [u64; 2], shape: Shape) -> Call {
    Call { name, number, ia32, shape }
}

const P: Shape = Shape::PLAIN;

/// All of them, by number.
pub const CALLS: [Call; 64] = [
    row("dup", 32, [41, 0], P.fd(Shape::RESULT)),
    row("dup2", 33, [63, 0], P.fd(Shape::RESULT)),
    row("socket", 41, [359, 0], P.fd(Shape::RESULT)),
    row("accept", 43, [0, 0], P.fd(Shape::RESULT).with(Payload::Queue)),
    row("sendto", 44, [369, 0], P.fd(0).with(Payload::Send)),
    row("recvfrom", 45, [371, 0], P.fd(0).with(Payload::Receive)),
    row("sendmsg", 46, [370, 0], P.fd(0).with(Payload::Message)),
    row("recvmsg", 47, [372, 0], P.fd(0).with(Payload::Message)),
    row("bind", 49, [361, 0], P.fd(0).with(Payload::Address)),
    row("listen", 50, [363, 0], P.fd(0)),
    row("clone", 56, [120, 0], P),
    row("fork", 57, [2, 0], P),
    row("vfork", 58, [190, 0], P),
    row("kill", 62, [37, 0], P),
    row("chdir", 80, [12, 0], P.text(0).with(Payload::Directory)),
    row("fchdir", 81, [133, 0], P.fd(0).with(Payload::Directory)),
    row("rename", 82, [38, 0], P.path(0).path(1)),
    row("mkdir", 83, [39, 0], P.path(0)),
    row("rmdir", 84, [40, 0], P.path(0)),
    row("link", 86, [9, 0], P.path(0).path(1)),
    row("unlink", 87, [10, 0], P.path(0)),
    row("symlink", 88, [83, 0], P.text(0).path(1)),
    row("chmod", 90, [15, 0], P.path(0)),
    row("fchmod", 91, [94, 0], P.fd(0)),
    row("ptrace", 101, [26, 0], P),
    row("setuid", 105, [213, 23], P),
    row("setgid", 106, [214, 46], P),
    row("setpgid", 109, [57, 0], P),
    row("setsid", 112, [66, 0], P),
    row("setreuid", 113, [203, 70], P),
    row("setregid", 114, [204, 71], P),
    row("setresuid", 117, [208, 164], P),
    row("setresgid", 119, [210, 170], P),
    row("capset", 126, [185, 0], P.with(Payload::Capabilities)),
    row("prctl", 157, [172, 0], P.with(Payload::Option)),
    row("chroot", 161, [61, 0], P.path(0)),
    row("mount", 165, [21, 0], P.text(0).path(1).with(Payload::Type)),
    row("umount2", 166, [52, 0], P.path(0)),
    row("init_module", 175, [128, 0], P.text(2).with(Payload::Image)),
    row("delete_module", 176, [129, 0], P.text(0)),
    row("tkill", 200, [238, 0], P),
    row("tgkill", 234, [270, 0], P),
    row("mkdirat", 258, [296, 0], P.path_at(0, 1).fd(0)),
    row("unlinkat", 263, [301, 0], P.path_at(0, 1).fd(0)),
    row("renameat", 264, [302, 0], P.path_at(0, 1).path_at(2, 3)),
    row("linkat", 265, [303, 0], P.path_at(0, 1).path_at(2, 3)),
    row("symlinkat", 266, [304, 0], P.text(0).path_at(1, 2).fd(1)),
    row("fchmodat", 268, [306, 0], P.path_at(0, 1).fd(0)),
    row("unshare", 272, [310, 0], P),
    row("accept4", 288, [364, 0], P.fd(Shape::RESULT).with(Payload::Queue)),
    row("dup3", 292, [330, 0], P.fd(Shape::RESULT)),
    row("setns", 308, [346, 0], P.fd(0)),
    row("process_vm_readv", 310, [347, 0], P.with(Payload::Buffers)),
    row("process_vm_writev", 311, [348, 0], P.with(Payload::Buffers)),
    row("finit_module", 313, [350, 0], P.text(1).fd(0)),
    row("renameat2", 316, [353, 0], P.path_at(0, 1).path_at(2, 3)),
    row("memfd_create", 319, [356, 0], P.text(0).fd(Shape::RESULT)),
    row("bpf", 321, [357, 0], P),
    row("userfaultfd", 323, [374, 0], P.fd(Shape::RESULT)),
    row("umount", crate::nr::UMOUNT, [22, 0], P.path(0)),
    row("io_uring_setup", 425, [425, 0], P.fd(Shape::RESULT).with(Payload::RingParams)),
    row("pidfd_open", 434, [434, 0], P.fd(Shape::RESULT)),
    row("clone3", 435, [435, 0], P.with(Payload::CloneArgs)),
    row("pidfd_getfd", 438, [438, 0], P.fd(Shape::RESULT)),
];

/// One more than the highest number that the tables have room for.
pub const NUMBERS: usize = 512;

/// The shape of each x86-64 number.
pub const SHAPES: [Shape; NUMBERS] = {
    let mut shapes = [Shape::ABSENT; NUMBERS];
    let mut at = 0;
    while at < CALLS.len() {
        shapes[CALLS[at].number as usize] = CALLS[at].shape;
        at += 1;
    }
    shapes
};
