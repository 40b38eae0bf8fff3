//! The binary `eyas`: all it does is hand the process's arguments to the `app` room and return its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    eyas_app::main()
}
