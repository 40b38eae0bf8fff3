//! The other half of the console's self-test: a process that the console starts before it gives up its privileges, since the
//! actions need what a console that watches has not any more. It reads orders, a line of JSON each, from standard input,
//! plays the actions of the table and no others, and tells how it goes on standard output. It ends with its input.

use std::io::{self, BufRead, Write};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use eyas_pipeline::Stop;
use rustix::process::setsid;

use crate::fail::{Fail, Outcome};
use crate::settings::Settings;
use crate::signals;
use crate::tui::door::{TestAction, TestNews, TestOrder, TestOutcome, TestVerdict};

use super::action::{Action, Place};
use super::judge::{self, Judged, Verdict};
use super::table;
use super::watch::Watch;

/// What is to be done next, with the stop that ends it.
enum Work {
    List,
    Play(Option<String>, Stop),
}

/// Serves orders until there are no more.
pub(crate) fn serve(settings: &Settings) -> Outcome {
    // What the terminal sends to the console's group is the console's; when that is gone the input ends.
    let _leads_already = setsid();
    let current = Arc::new(Mutex::new(Stop::default()));
    // Nothing plays yet.
    ask(&current);
    let interrupted = current.clone();
    let mut impatient = false;
    signals::on_each(move |signal| {
        // The first one lets an action be undone.
        if std::mem::replace(&mut impatient, true) || !ask(&interrupted) {
            let _ended = signal_hook::low_level::emulate_default_handler(signal);
        }
    })?;
    let (work_in, work) = mpsc::channel();
    std::thread::Builder::new().name("eyas-orders".into()).spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            let work = match serde_json::from_str(&line) {
                Ok(TestOrder::Stop) => {
                    ask(&current);
                    continue;
                }
                Ok(TestOrder::List) => Work::List,
                Ok(TestOrder::PlayAll) => Work::Play(None, fresh(&current)),
                Ok(TestOrder::Play(name)) => Work::Play(Some(name), fresh(&current)),
                Err(_) => continue,
            };
            if work_in.send(work).is_err() {
                break;
            }
        }
        ask(&current);
    })?;
    for work in work {
        let told = match work {
            Work::List => list(settings),
            Work::Play(name, stop) => {
                let told = play(settings, name.as_deref(), &stop);
                stop.ask();
                told
            }
        };
        match told {
            Ok(()) => {}
            // Nobody listens any more.
            Err(_) if tell(&TestNews::Over).is_err() => break,
            Err(fail) => tell(&TestNews::Failed(fail.text))?,
        }
    }
    Ok(())
}

/// Asks what plays to stop; says whether something did that had not been asked yet.
fn ask(current: &Mutex<Stop>) -> bool {
    let stop = current.lock().unwrap_or_else(PoisonError::into_inner);
    let first = !stop.asked();
    stop.ask();
    first
}

/// A stop for what plays next.
fn fresh(current: &Mutex<Stop>) -> Stop {
    let stop = Stop::default();
    *current.lock().unwrap_or_else(PoisonError::into_inner) = stop.clone();
    stop
}

fn tell(news: &TestNews) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, news)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// The actions for a host; those for containers are in the table for the list alone.
fn playable() -> impl Iterator<Item = &'static Action> {
    table::all().filter(|action| action.place == Place::Host)
}

fn list(settings: &Settings) -> Result<(), Fail> {
    let watch = Watch::running(settings)?;
    let actions = playable().map(|action| {
        let expected = watch.expected(action);
        TestAction {
            name: action.name.to_owned(),
            does: action.does.to_owned(),
            obstacle: judge::skipped(action, expected.as_ref()),
            rule: expected.map(|e| e.rule.name.to_string()),
        }
    });
    Ok(tell(&TestNews::Listed(actions.collect()))?)
}

/// Plays one action, or all.
fn play(settings: &Settings, name: Option<&str>, stop: &Stop) -> Result<(), Fail> {
    let watch = Watch::running(settings)?;
    for action in playable().filter(|action| name.is_none_or(|name| action.is_called(name))) {
        if stop.asked() {
            break;
        }
        tell(&TestNews::Began(action.name.to_owned()))?;
        let judged = judge::judge(action, &watch, stop)?;
        // What was ended before its time says nothing of the rules.
        if !stop.asked() {
            tell(&TestNews::Ended(action.name.to_owned(), outcome(judged)))?;
        }
    }
    Ok(tell(&TestNews::Over)?)
}

fn outcome(judged: Judged) -> TestOutcome {
    let (verdict, why) = match judged.verdict {
        Verdict::Seen => (TestVerdict::Seen, None),
        Verdict::Missing => (TestVerdict::Missing, None),
        Verdict::Failed(why) => (TestVerdict::Failed, Some(why)),
        Verdict::Blind(why) => (TestVerdict::Blind, Some(why)),
        Verdict::NoRule => (TestVerdict::NoRule, None),
        Verdict::Skipped(why) => (TestVerdict::Skipped, Some(why)),
    };
    TestOutcome {
        verdict,
        why: judged.trouble.or(why),
        also: judged.companions,
        took_ms: judged.took.map(|took| took.as_millis() as u64),
    }
}
