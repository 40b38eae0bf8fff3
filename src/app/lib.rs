//! The room `app`: for people and scripts.

use std::process::ExitCode;

/// Runs eyas with the arguments of this process.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
