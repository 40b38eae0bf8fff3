//! The room `pipeline`: the moving parts between a source of records and everything that keeps or shows alerts.
//!
//! One thread runs [`Pipeline::run`]: it takes a batch from the [`eyas_event::Source`], folds each record into events,
//! judges them by the ruleset in force, tees the records to the recorder, and hands what comes out to an [`Outlet`].
//! A second thread, [`RuleWatch`], compiles rules aside and swaps them in. What the pipeline is doing can be seen in a
//! [`Pulse`]. Live, replayed and made-up records take this one way; only their source and host differ.

mod alert;
mod blind;
mod host_names;
mod judge;
mod outlet;
mod pulse;
mod recorder;
mod replay;
mod run;
mod watch;

pub use host_names::{FoundHost, HostNames};
pub use outlet::{Kept, Outlet};
pub use pulse::{Pulse, PulseCell};
pub use recorder::{Recorder, Segment};
pub use replay::{Pace, Replay};
pub use run::{Pipeline, PipelineError, Recording, Stop};
pub use watch::{LoadOutcome, RuleOptions, RuleWatch, RulesCell, directories, load_files, load_texts};
