//! The room `app`: for people and scripts. It knows the command line, the configuration and the terminal, puts the
//! other rooms together, and is the only one that reads the wall clock and the environment.

mod agent;
mod alerts;
mod answers;
mod cli;
mod config;
mod console;
mod doctor;
mod events;
mod fail;
mod falco;
mod fields;
mod lines;
mod losses;
mod machine;
mod memory;
mod outlets;
mod period;
mod printer;
mod privilege;
mod replay;
mod resolver;
mod rule_switch;
mod rulebook;
mod rules;
mod run;
mod sandbox;
mod select;
mod self_test;
mod settings;
mod signals;
mod simulate;
pub mod tui;

use std::io::{IsTerminal, Write};
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use clap::Parser;

use crate::agent::Start;
use crate::cli::{Cli, Command};
use crate::fail::{Fail, Outcome, code};
use crate::lines::Lines;
use crate::settings::Settings;

/// Runs eyas with the arguments of this process. Wrong arguments end the process here, with exit code 2.
pub fn main() -> ExitCode {
    if let Some(code) = simulate::play() {
        return code;
    }
    let cli = Cli::parse();
    let ended = panic::catch_unwind(AssertUnwindSafe(|| dispatch(&cli)));
    let fail = match ended {
        Ok(Ok(())) => return ExitCode::SUCCESS,
        Ok(Err(fail)) => fail,
        // The panic hook has said what and where.
        Err(_) => Fail { code: code::BUG, text: "this is a bug in eyas; please report it".into() },
    };
    if !fail.text.is_empty() {
        say(&fail.text);
    }
    ExitCode::from(fail.code)
}

fn dispatch(cli: &Cli) -> Outcome {
    // The table of fields needs no configuration, and no broken one stands in its way.
    if let Some(Command::Fields(args)) = &cli.command {
        return fields::fields(args);
    }
    let settings = Settings::load(&cli.common).map_err(Fail::from)?.exact(cli.falco_exact);
    for note in settings.config.unused_notes(&cli.common) {
        say(&note);
    }
    let terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    match &cli.command {
        None if !cli.validate.is_empty() || cli.describe => {
            rules::as_falco(&settings, &cli.validate, cli.describe)
        }
        None => {
            run_or_show(&settings, &Start { record: true, only_pid_ns: None, only_below: None }, terminal)
        }
        Some(Command::Run(args)) => {
            let settings = settings.exact(args.falco_exact);
            let start = Start { record: !args.no_record, only_pid_ns: args.pid_namespace, only_below: None };
            run_or_show(&settings, &start, terminal && !args.headless)
        }
        Some(Command::Alerts(args)) => alerts::alerts(&settings, args),
        Some(Command::Rules { falco_exact, command }) => rules::rules(&settings.exact(*falco_exact), command),
        Some(Command::Events(args)) => events::events(&settings, args),
        Some(Command::Replay(args)) => replay::replay(&settings, args, terminal),
        Some(Command::Demo(args)) => replay::demo(&settings, args, terminal),
        Some(Command::Simulate(args)) => simulate::simulate(&settings, args),
        Some(Command::Doctor(args)) => doctor::doctor(&settings, args),
        Some(Command::Fields(args)) => fields::fields(args),
    }
}

fn run_or_show(settings: &Settings, start: &Start, terminal: bool) -> Outcome {
    if self_test::is_other_half() {
        return simulate::serve(settings);
    }
    if terminal { console::live(settings, start) } else { run::headless(settings, start) }
}

/// Says something to the person beside the answer, on standard error. Nobody listening is no error.
fn say(text: &str) {
    let _heard = writeln!(Lines(std::io::stderr().lock()), "eyas: {}", text.trim_end());
}
