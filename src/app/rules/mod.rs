//! `eyas rules`: what is done with rule files, one command a file. Standard output holds the answer, standard error what is
//! to be said beside it.

mod check;
mod list;
mod test;

use crate::cli;
use crate::fail::Outcome;
use crate::settings::Settings;

/// Runs one of the commands.
pub(crate) fn rules(settings: &Settings, command: &cli::Rules) -> Outcome {
    match command {
        cli::Rules::Check { files, json } => {
            check::check(&settings.of_rules(&[&*settings.base_rules, files].concat()), *json)
        }
        cli::Rules::Test { files } => test::test(settings, files),
        cli::Rules::List => list::list(settings),
    }
}
