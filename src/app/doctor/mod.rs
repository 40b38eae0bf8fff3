//! `eyas doctor`, the capability sheet: what works here, what does not, and why. It loads the sensor for a second, opens nothing
//! for writing and changes nothing. Each part gives its findings for people and an object for programs, whose keys stay as
//! `docs/doctor.md` has them.

mod machine;
mod places;
mod privileges;
mod rules;
mod sensor;
mod text;

use std::io::Write;

use eyas_event::Interest;
use serde_json::{Value, json};

use crate::cli;
use crate::fail::{Fail, Outcome};
use crate::rulebook;
use crate::settings::Settings;

/// One thing that was looked at.
struct Finding {
    name: String,
    state: State,
    says: String,
}

/// How it is with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    /// It works, and there is something to know.
    Note,
    Bad,
}

impl Finding {
    fn new(name: impl Into<String>, state: State, says: impl Into<String>) -> Self {
        Self { name: name.into(), state, says: says.into() }
    }
}

impl State {
    /// Good or bad.
    fn of(good: bool) -> Self {
        if good { Self::Good } else { Self::Bad }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Note => "!!",
            Self::Bad => "NO",
        }
    }
}

/// A part of the sheet: its heading and key, its findings, its object.
struct Part {
    heading: &'static str,
    key: &'static str,
    findings: Vec<Finding>,
    object: Value,
}

/// Looks at everything and says what it saw. It ends well when the sensor works.
pub(crate) fn doctor(settings: &Settings, args: &cli::Doctor) -> Outcome {
    let loaded = rulebook::load(settings);
    // As in a run: what the rules want, and what the recording does.
    let interest = loaded.as_ref().ok().map(|outcome| {
        let wanted = outcome.ruleset.interest();
        if settings.config.eyas.record { wanted.union(&Interest::recorded()) } else { wanted.clone() }
    });
    let sensed = sensor::look(settings, interest.as_ref());
    let parts = [
        machine::look(),
        privileges::capabilities(),
        sensor::hooks(&sensed),
        sensor::programs(&sensed),
        privileges::sandbox(settings),
        rules::look(&loaded, &sensed, args.each_rule),
        places::store(settings),
        places::configuration(settings),
    ];
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if args.json {
        let mut sheet = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "node": settings.node,
            "works": sensed.works(),
        });
        for part in parts {
            sheet[part.key] = part.object;
        }
        writeln!(out, "{sheet}")?;
    } else {
        text::print(&parts, &mut out)?;
    }
    out.flush()?;
    if sensed.works() { Ok(()) } else { Err(Fail::findings()) }
}
