//! `eyas rules`: what is done with rule files, one command a file. Standard output holds the answer, standard error what is
//! to be said beside it.

mod check;
mod describe;
mod eval;
mod explain;
mod files;
mod fix;
mod fmt;
mod list;
mod show;
mod test;

use std::path::PathBuf;

use eyas_engine::fix::Take;

use crate::cli;
use crate::fail::Outcome;
use crate::settings::Settings;
use check::{Form, say};

/// Runs one of the commands.
pub(crate) fn rules(settings: &Settings, command: &cli::Rules) -> Outcome {
    match command {
        cli::Rules::Check { files, json, sarif } => {
            let form = match (json, sarif) {
                (true, _) => Form::Json,
                (_, true) => Form::Sarif,
                _ => Form::Text,
            };
            check::check(&with_base(settings, files), form)
        }
        cli::Rules::Describe { files, json } if files.is_empty() => describe::run(settings, *json),
        cli::Rules::Describe { files, json } => describe::run(&with_base(settings, files), *json),
        cli::Rules::Test { files } => test::test(settings, files),
        cli::Rules::List { json } => list::list(settings, *json),
        cli::Rules::Show(args) => show::show(settings, args),
        cli::Rules::Eval(args) => eval::eval(settings, args),
        cli::Rules::Fmt { files, check } => fmt::format(settings, files, *check),
        cli::Rules::Fix { files, guesses, dry_run } => {
            let take = if *guesses { Take::Guesses } else { Take::Sure };
            fix::fix(settings, files, take, *dry_run)
        }
        cli::Rules::Explain(args) => explain::explain(settings, args),
    }
}

/// Falco's own flags: `-V FILE` checks, `-L` describes, `-o json_output=true` asks for JSON.
pub(crate) fn as_falco(settings: &Settings, files: &[PathBuf], described: bool) -> Outcome {
    let json = settings.config.json_output == Some(true);
    if files.is_empty() {
        return describe::run(settings, json);
    }
    let form = match (json, described) {
        (true, true) => Form::JsonWithRules,
        (true, false) => Form::Json,
        _ => Form::Text,
    };
    check::check(&with_base(settings, files), form)
}

/// The settings with the files of the command line behind those of `-r`.
fn with_base(settings: &Settings, files: &[PathBuf]) -> Settings {
    settings.of_rules(&[&*settings.base_rules, files].concat())
}
