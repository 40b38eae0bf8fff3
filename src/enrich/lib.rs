//! The room `enrich`: completes a record into an event from what came before.
//!
//! [`Enrich`] folds records, one after another, into a table of processes and a few tables of names, and hands out an
//! [`eyas_event::Event`] for each record that rules may judge. What it has to ask the machine for (a process it did
//! not see start, the name of a user, the path of a cgroup) it asks through [`eyas_event::Host`], once, and writes the
//! answer into the stream as a *fact* record, before the record that needed it. So a replay of the stream asks nobody
//! and gives the same events. [`LiveHost`] is the machine; [`SilentHost`] is the one behind a replay.

mod accounts;
mod call;
mod container;
mod facts;
mod fold;
mod host;
mod learn;
mod open_connect;
mod procfs;
mod recording;
mod redact;
mod v1;
mod waiting;

pub use container::container_id;
pub use fold::{Enrich, FoldStats};
pub use host::LiveHost;
pub use recording::SilentHost;
pub use redact::{PatternError, Redacted, Redaction};
