//! The pipeline from end to end: a source of records made by hand in front, an outlet that keeps everything behind.
#![expect(clippy::unwrap_used, reason = "tests")]

mod run;
mod support;
mod watch;
