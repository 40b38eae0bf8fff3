//! The room `pipeline`: the moving parts between a source of records and everything that keeps or shows alerts.

mod recorder;
mod replay;

pub use recorder::{Recorder, Segment};
pub use replay::{Pace, Replay};
