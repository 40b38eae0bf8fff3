//! Facts: what user space knew when it recorded, put into the stream so that a replay knows the same.
//!
//! Their head carries the time they were learned; tid, tgid, start and cgroup are zero but in PROCESS, which is laid
//! out as EXEC, and in LOSS, where tgid and start name the process that made what was lost.

layout! {
    /// The fixed part of CLOCK.
    pub struct ClockFixed [32] {
        /// Wall-clock nanoseconds since 1970 = boot-clock nanoseconds + this.
        wall_offset_ns: i64 = 0,
        /// The kernel's boot id; zero when unknown.
        boot_id: [u8; 16] = 8,
        /// Section length: the node's name.
        node_len: u16 = 24,
        /// Zero.
        pad: u16 = 26,
        /// Zero.
        pad2: u32 = 28,
    }
}

layout! {
    /// The fixed part of CGROUP.
    pub struct CgroupFixed [16] {
        /// The cgroup's id in the v2 hierarchy.
        id: u64 = 0,
        /// Section length: its path.
        path_len: u16 = 8,
        /// Zero.
        pad: u16 = 10,
        /// The process whose cgroup this is, when the path came from /proc/PID/cgroup; else 0.
        tgid: u32 = 12,
    }
}

layout! {
    /// The fixed part of USER.
    pub struct UserFixed [8] {
        /// The user id.
        uid: u32 = 0,
        /// Section length: the name.
        name_len: u16 = 4,
        /// Zero.
        pad: u16 = 6,
    }
}

layout! {
    /// The fixed part of GROUP.
    pub struct GroupFixed [8] {
        /// The group id.
        gid: u32 = 0,
        /// Section length: the name.
        name_len: u16 = 4,
        /// Zero.
        pad: u16 = 6,
    }
}

layout! {
    /// LOSS: something that was made did not arrive.
    pub struct LossFixed [32] {
        /// What was lost: a record kind's number, or another of the numbers that the room `event` gives.
        kind: u16 = 0,
        /// Why, as the room `event` numbers it.
        cause: u16 = 2,
        /// One more than the processor that it was made on; 0 when that is not known.
        cpu: u32 = 4,
        /// How many.
        count: u64 = 8,
        /// Not before this boot time, nanoseconds.
        from: u64 = 16,
        /// Not after this boot time, nanoseconds.
        to: u64 = 24,
    }
}

/// A fact that is a fixed part and one string.
macro_rules! named {
    ($(#[$meta:meta])* $name:ident, $fixed:ident, $(#[$sm:meta])* $section:ident, $len:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name<'b> {
            /// The fixed part. Its section length is set anew when it is written.
            pub fixed: $fixed,
            $(#[$sm])*
            pub $section: &'b [u8],
        }

        impl<'b> $name<'b> {
            pub(crate) fn parse(bytes: &'b [u8]) -> Option<Self> {
                let (fixed, $section) = $fixed::split(bytes)?;
                ($section.len() == usize::from(fixed.$len)).then_some(Self { fixed, $section })
            }

            pub(crate) fn measured(&self) -> Option<$fixed> {
                Some($fixed { $len: self.$section.len().try_into().ok()?, ..self.fixed })
            }

            pub(crate) fn sections(&self) -> [&'b [u8]; 1] {
                [self.$section]
            }
        }
    };
}

named! {
    /// CLOCK.
    Clock, ClockFixed,
    /// The node's name.
    node, node_len
}
named! {
    /// CGROUP.
    Cgroup, CgroupFixed,
    /// The cgroup's path, as text from the root of its hierarchy.
    path, path_len
}
named! {
    /// USER.
    User, UserFixed,
    /// The user's name.
    name, name_len
}
named! {
    /// GROUP.
    Group, GroupFixed,
    /// The group's name.
    name, name_len
}

impl LossFixed {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        Self::split(bytes).filter(|(_, rest)| rest.is_empty()).map(|(fixed, _)| fixed)
    }
}
