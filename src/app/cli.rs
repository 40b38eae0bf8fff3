//! The command line. What is typed becomes plain values here; what they mean is decided where they are used.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Args, Parser, Subcommand};

use crate::period::Period;

/// A terminal investigation console for runtime security on Linux nodes.
///
/// Without a command, eyas opens the console: the sensor starts, rules are loaded, alerts appear as they happen and are
/// kept in the store.
#[derive(Debug, Parser)]
#[command(
    name = "eyas",
    version,
    disable_version_flag = true,
    max_term_width = 100,
    after_help = "Exit codes: 0 fine, 1 findings, 2 usage or environment, 3 a bug in eyas."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,

    /// Check a rule file, as `eyas rules check` does; may be given several times. With `-o json_output=true` as JSON.
    #[arg(short = 'V', long = "validate", value_name = "FILE")]
    pub(crate) validate: Vec<PathBuf>,

    /// Describe the rules, as `eyas rules describe` does. With `-o json_output=true` as JSON.
    #[arg(short = 'L')]
    pub(crate) describe: bool,

    /// Give rules the meaning that Falco 0.44.1 gives them, to the letter.
    #[arg(long)]
    pub(crate) falco_exact: bool,

    /// Print the version.
    #[arg(long, action = ArgAction::Version)]
    version: Option<bool>,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub(crate) struct Common {
    /// A rule file, or a directory of them, in place of the shipped rules; may be given several times.
    #[arg(short = 'r', long = "rules", value_name = "FILE", global = true)]
    pub(crate) rules: Vec<PathBuf>,

    /// The store [default: /var/lib/eyas/eyas.db as root, else `$XDG_STATE_HOME/eyas/eyas.db`].
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) store: Option<PathBuf>,

    /// The configuration [default: /etc/eyas/eyas.yaml when it is there].
    #[arg(long, short = 'c', value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,

    /// The node's name [default: the host's name].
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) node: Option<String>,

    /// Sets one configuration key, e.g. `json_output=false`; may be given several times.
    #[arg(short = 'o', value_name = "KEY=VALUE", global = true)]
    pub(crate) set: Vec<String>,

    /// The console's colours: dark, light, high-contrast, ansi16, or a TOML file.
    #[arg(long, value_name = "THEME", global = true)]
    pub(crate) theme: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the sensor and keep what it finds; in a terminal, show it.
    Run(Run),
    /// Print alerts from the store.
    Alerts(Alerts),
    /// Work with rule files.
    Rules {
        /// Give rules the meaning that Falco 0.44.1 gives them, to the letter.
        #[arg(long, global = true)]
        falco_exact: bool,
        #[command(subcommand)]
        command: Rules,
    },
    /// Print the recorded events of a store.
    Events(Events),
    /// Judge a recording again and print the alerts.
    Replay(Replay),
    /// Show a recorded incident in the console; needs no privileges.
    Demo(Demo),
    /// Do what intruders do, harmlessly, and see whether the rules tell of it.
    ///
    /// Each action runs in a process of its own, in a directory that is removed afterwards, and sends nothing off the
    /// machine. A sensor is started for the purpose, with a store that is thrown away unless --store names one; when an
    /// eyas is running with the store, its alerts count. With -r other rules are tried; a rule that is off and is expected
    /// is switched on.
    ///
    /// Ends with 1 when an expected alert did not come.
    Simulate(Simulate),
    /// Say what works here, what does not, and why.
    Doctor(Doctor),
    /// List the fields that rules may name: types, arguments, meaning, and why some have no value here.
    Fields(Fields),
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Print alerts on standard output instead of opening the console; so it is without a terminal, too.
    #[arg(long)]
    pub(crate) headless: bool,

    /// Give rules the meaning that Falco 0.44.1 gives them, to the letter.
    #[arg(long)]
    pub(crate) falco_exact: bool,

    /// Do not keep the records: no replay will be possible.
    #[arg(long)]
    pub(crate) no_record: bool,

    /// Watch one pid namespace and those below it only; the number is that in `readlink /proc/PID/ns/pid`.
    #[arg(long, value_name = "INODE", value_parser = pid_namespace)]
    pub(crate) pid_namespace: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct Alerts {
    /// Only alerts for which this condition holds, e.g. 'proc.name = curl and user.uid = 0'.
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) condition: Option<String>,

    /// One JSON object a line, in Falco's form.
    #[arg(long)]
    pub(crate) json: bool,

    /// Go on as new alerts come.
    #[arg(long, short = 'f')]
    pub(crate) follow: bool,

    /// Only the newest so many; 0 for none, which with --follow leaves those that come.
    #[arg(long, short = 'n', value_name = "COUNT")]
    pub(crate) last: Option<usize>,

    #[command(flatten)]
    pub(crate) period: Period,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// Check rule files and say what is wrong with them; those of -r are loaded before them, as their base.
    Check {
        /// The files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// One JSON object in place of text, in the shape of Falco's load results.
        #[arg(long)]
        json: bool,
        /// SARIF 2.1.0 in place of text.
        #[arg(long, conflicts_with = "json")]
        sarif: bool,
    },
    /// Say what rules hold: events, fields, macros, lists.
    Describe {
        /// The files; those of -r are loaded before them [default: the rules in force].
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        /// One JSON object in place of text, in the shape of Falco's `-L`.
        #[arg(long)]
        json: bool,
    },
    /// Run rule tests: events that must fire a rule, and events that must not.
    Test {
        /// Test files, or directories of them [default: those of the shipped rules].
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// List the rules.
    List {
        /// One JSON object in place of text.
        #[arg(long)]
        json: bool,
    },
    /// Show the effective rule: after overrides, with its macros and lists, each clause with its file and line.
    Show(RulesShow),
    /// Judge one event by a condition, or render an output for it.
    Eval(RulesEval),
    /// Show how a rule judges one event: its condition as a tree, with what each part saw and said.
    Explain(RulesExplain),
    /// Lay out the conditions of rules and macros; nothing else in the files changes.
    Fmt {
        /// The files, or directories of them.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Print what would change, as a diff, and end with 1 if anything would; write nothing.
        #[arg(long)]
        check: bool,
    },
    /// Apply the mends that `check` proposes and that are sure; the files of -r are loaded before them and stay as they are.
    Fix {
        /// The files, or directories of them.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Apply the guesses as well: the `help` of `check` that asks "did you mean …?" or begins with "perhaps:". All other
        /// mends are sure and applied without this. Look at guesses with --dry-run first.
        #[arg(long)]
        guesses: bool,
        /// Print what would change, as a diff, and write nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RulesShow {
    /// The rule's name.
    #[arg(value_name = "RULE")]
    pub(crate) rule: String,

    /// One JSON object in place of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RulesEval {
    /// The event, as docs/events.md describes it; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) event: PathBuf,

    /// Print TRUE or FALSE: whether this condition holds; `LOAD_ERROR` when it does not compile.
    #[arg(
        long,
        value_name = "EXPR",
        required_unless_present = "output",
        conflicts_with = "output",
        allow_hyphen_values = true
    )]
    pub(crate) condition: Option<String>,

    /// Print this output text with the event's values; `LOAD_ERROR` when it is wrong.
    #[arg(long, value_name = "FORMAT", allow_hyphen_values = true)]
    pub(crate) output: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RulesExplain {
    /// The event, as docs/events.md describes it; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) event: PathBuf,

    /// The rule's name.
    #[arg(value_name = "RULE")]
    pub(crate) rule: String,

    /// One JSON object in place of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Events {
    /// The store that holds the recording.
    #[arg(value_name = "STORE")]
    pub(crate) store: PathBuf,

    /// Only events for which this condition holds.
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) condition: Option<String>,

    /// One JSON object a line: a map of field to value.
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) period: Period,
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The store that holds the recording.
    #[arg(value_name = "STORE")]
    pub(crate) store: PathBuf,

    /// How many times as fast as it happened; 0 is as fast as possible.
    #[arg(long, default_value_t = 0.0, value_name = "TIMES", value_parser = speed)]
    pub(crate) speed: f64,

    /// Show it in the console instead of printing alerts.
    #[arg(long)]
    pub(crate) console: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// How many times as fast as it happened; 0 is as fast as possible.
    #[arg(long, default_value_t = 1.0, value_name = "TIMES", value_parser = speed)]
    pub(crate) speed: f64,

    /// Print the alerts as text lines instead of opening the console.
    #[arg(long)]
    pub(crate) headless: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// The actions, by name; upper and lower case are the same.
    #[arg(value_name = "NAME", conflicts_with_all = ["all", "list"])]
    pub(crate) names: Vec<String>,

    /// All of them.
    #[arg(long, conflicts_with = "list")]
    pub(crate) all: bool,

    /// List them: what each needs, does, and which rule should tell of it.
    #[arg(long)]
    pub(crate) list: bool,

    /// One JSON object in place of text; with --list an array of objects.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// List every rule and whether it can fire here.
    #[arg(long)]
    pub(crate) each_rule: bool,

    /// One JSON object in place of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Fields {
    /// Only what rules of this event source may read.
    #[arg(long, value_name = "SOURCE", value_parser = PossibleValuesParser::new(eyas_event::FieldId::sources().iter().copied()))]
    pub(crate) source: Option<String>,

    /// One JSON array of objects in place of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How many times as fast as it happened.
fn speed(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|times: &f64| times.is_finite() && *times >= 0.0).ok_or_else(|| {
        "write how many times as fast as it happened: 1, 10, 0.5; 0 is as fast as possible".to_owned()
    })
}

/// A pid namespace by its number, or as `readlink` prints it: `pid:[4026531836]`.
fn pid_namespace(text: &str) -> Result<u32, String> {
    let number = text.strip_prefix("pid:[").and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    number.parse().map_err(|_| {
        "write the number of a pid namespace, such as 4026531836; `readlink /proc/PID/ns/pid` prints that of a process".into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_a_number_from_0_on() {
        assert_eq!([speed("0"), speed("0.5"), speed("10")], [Ok(0.0), Ok(0.5), Ok(10.0)]);
        for text in ["-1", "nan", "inf", "fast", ""] {
            assert!(speed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_pid_namespace_is_a_number_or_what_readlink_prints() {
        assert_eq!(pid_namespace("4026531836"), Ok(4_026_531_836));
        assert_eq!(pid_namespace("pid:[4026531836]"), Ok(4_026_531_836));
        for text in ["abc", "", "pid:[x]", "-1", "99999999999"] {
            assert!(pid_namespace(text).is_err_and(|why| why.contains("readlink")), "{text}");
        }
    }
}
