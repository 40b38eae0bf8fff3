//! [`HostNames`]: the pipeline's door to whoever resolves host names. Which names are wanted goes out with each new ruleset;
//! what was found comes in between two batches, becomes a fact in the stream, and counts from there on, live and in a replay.
//! Nothing waits here: until the first answer has come, no address has a name.

use std::net::IpAddr;
use std::sync::mpsc::Receiver;

/// What a host name leads to now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundHost {
    /// The name as rules write it.
    pub name: Box<str>,
    /// Its addresses; none when there is no such host any more.
    pub addresses: Vec<IpAddr>,
}

/// Who is told the names of a new ruleset.
type Want = dyn FnMut(&[Box<str>]) + Send;

/// The door.
pub struct HostNames {
    want: Box<Want>,
    found: Receiver<FoundHost>,
}

impl HostNames {
    /// A door; `want` is told the names of each new ruleset, sorted.
    pub fn new(want: impl FnMut(&[Box<str>]) + Send + 'static, found: Receiver<FoundHost>) -> Self {
        Self { want: Box::new(want), found }
    }

    pub(crate) fn want(&mut self, names: &[Box<str>]) {
        (self.want)(names);
    }

    /// The next answer, if there is one.
    pub(crate) fn next(&self) -> Option<FoundHost> {
        self.found.try_recv().ok()
    }
}
