//! [`SilentHost`]: the host behind a replay. It knows nothing, because the recording holds every answer as a fact
//! record; what is not there was not known when the recording was made either.

use eyas_event::{Host, Lookup, Process, User, Whose};

/// A host that cannot be asked.
#[derive(Debug, Default)]
pub struct SilentHost;

impl Host for SilentHost {
    fn node(&self) -> &'static str {
        ""
    }

    fn wall_offset_ns(&self) -> i64 {
        0
    }

    fn processes(&mut self, _out: &mut dyn FnMut(Process)) {}

    fn process(&mut self, _pid: u32) -> Option<Process> {
        None
    }

    fn user(&mut self, _uid: u32, _whose: Whose<'_>) -> Lookup<User> {
        Lookup::Unknown
    }

    fn group(&mut self, _gid: u32, _whose: Whose<'_>) -> Lookup<Vec<u8>> {
        Lookup::Unknown
    }

    fn cgroup_path(&mut self, _id: u64, _pid: u32) -> Option<Vec<u8>> {
        None
    }
}
