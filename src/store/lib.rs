//! The room `store`: what eyas keeps, in one `SQLite` file.
//!
//! One thread writes ([`Writer`], fed through bounded lanes by [`WriterHandle`]s); any number of [`Reader`]s ask.
//! Alerts, processes, rulesets, losses and runs are rows; the recording is compressed segments. `docs/store.md` tells
//! the same in plain words. Nothing here reads the wall clock: who opens a store says what time it is.

mod alert_row;
mod cells;
mod commit;
mod error;
mod json;
mod lane;
mod lock;
mod loss_row;
mod options;
mod process_row;
mod query;
mod reader;
mod retention;
mod rows;
mod run;
mod schema;
mod segments;
mod spill;
mod spill_form;
mod stats;
mod store;
mod thread;
mod writer;

pub use error::StoreError;
pub use options::{Create, OpenOptions, WriterOptions};
pub use reader::{BlockingReader, Reader};
pub use rows::{
    Checked, Histogram, RulesetText, RunId, RunInfo, RunKind, Segment, SegmentId, SegmentMeta, StoredLoss,
};
pub use segments::Segments;
pub use stats::WriterStats;
pub use store::Store;
pub use writer::{Kept, Writer, WriterHandle};
