//! Tests of the store through its public door: real files, real threads, real kills.
#![expect(clippy::unwrap_used, reason = "tests")]

mod crash;
mod disk_full;
mod lanes;
mod limits;
mod opening;
mod reading;
mod round_trip;
mod sample;
