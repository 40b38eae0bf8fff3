//! [`Host`]: the door through which facts about the machine come in: which processes run already, what a user is
//! called, which cgroup has which path. Live, the machine is asked; in a replay the recording holds the answers as
//! records, and the host behind the door knows nothing.

use crate::names::User;
use crate::process::Process;

/// Whose files say what users and groups are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose<'a> {
    /// The machine's own.
    Host,
    /// Those of a container.
    Container {
        /// Its id, as `container.id` has it.
        id: &'a str,
        /// A process in it.
        pid: u32,
    },
}

/// What came of asking for a user or a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<T> {
    /// It is in the file.
    Found(T),
    /// The file does not have it.
    Nobody,
    /// The file could not be read, or is not the container's own yet: ask again another time.
    Unknown,
}

/// A machine that can be asked.
pub trait Host {
    /// The node's name.
    fn node(&self) -> &str;

    /// Wall time minus boot time, in nanoseconds.
    fn wall_offset_ns(&self) -> i64;

    /// Hands out every process that runs now, in no particular order.
    fn processes(&mut self, out: &mut dyn FnMut(Process));

    /// One process by its id on the host, if it still runs.
    fn process(&mut self, pid: u32) -> Option<Process>;

    /// What is known of a user.
    fn user(&mut self, uid: u32, whose: Whose<'_>) -> Lookup<User>;

    /// The name of a group.
    fn group(&mut self, gid: u32, whose: Whose<'_>) -> Lookup<Vec<u8>>;

    /// The path of a cgroup below its hierarchy's root; `pid` is a process that is in it.
    fn cgroup_path(&mut self, id: u64, pid: u32) -> Option<Vec<u8>>;

    /// Whether the machine has v1 hierarchies, by which a process may be in a container though its v2 cgroup is none's.
    fn has_v1_hierarchies(&mut self) -> bool {
        false
    }

    /// An id for the cgroup that puts a process into a container though its cgroup in the v2 hierarchy is no container's:
    /// containers of a machine that has only v1 hierarchies, or uses only those for containers. `groups` is a number
    /// that processes in other v1 cgroups do not have, 0 when there is none.
    fn v1_container_cgroup(&mut self, _pid: u32, _groups: u64) -> Option<u64> {
        None
    }
}
