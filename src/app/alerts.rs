//! `eyas alerts`: the alerts of a store, oldest first, and if asked for those that come.

use std::io::Write;
use std::time::Duration;

use eyas_engine::diag::Severity;
use eyas_event::{Alert, AlertId};
use eyas_store::{BlockingReader, Store, StoreError};

use crate::cli;
use crate::fail::{Fail, Outcome};
use crate::falco::Form;
use crate::rulebook;
use crate::select::Selection;
use crate::settings::Settings;

/// How many alerts are asked for at once.
const PAGE: u32 = 500;
/// How often a followed store is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Prints alerts.
pub(crate) fn alerts(settings: &Settings, args: &cli::Alerts) -> Outcome {
    let damaged = |e| Fail::store(&settings.store, &e);
    let reader = Store::open_read(&settings.store).map_err(damaged)?.blocking();
    let mut selection = select(settings, args.condition.as_deref())?;
    let form = Form::new(&settings.config, false);
    let form = if args.json { form.with_json(true) } else { form };
    let mut keep = |alerts: Vec<Alert>| match &mut selection {
        Some(selection) => selection.keep(alerts),
        None => alerts,
    };
    let mut out = std::io::stdout().lock();
    let mut at = match args.last {
        Some(count) => newest(&reader, count, &mut keep).map_err(damaged)?,
        None => None,
    };
    loop {
        let page = reader.alerts_after(at.unwrap_or(AlertId(0)), PAGE).map_err(damaged)?;
        let full = page.len() == PAGE as usize;
        at = page.last().map(|a| a.id).or(at);
        for alert in keep(page) {
            writeln!(out, "{}", form.line(&alert))?;
        }
        out.flush()?;
        match (full, args.follow) {
            (true, _) => {}
            (false, true) => std::thread::sleep(LOOK),
            (false, false) => return Ok(()),
        }
    }
}

/// The id before the newest `count` alerts that are kept.
fn newest(
    reader: &BlockingReader,
    count: usize,
    keep: &mut impl FnMut(Vec<Alert>) -> Vec<Alert>,
) -> Result<Option<AlertId>, StoreError> {
    let mut before = None;
    let mut found = 0;
    while found < count {
        let page = reader.alerts_page(before, PAGE)?;
        let Some(oldest) = page.iter().map(|a| a.id).min() else { return Ok(None) };
        before = Some(oldest);
        let mut kept = keep(page);
        kept.sort_by_key(|a| std::cmp::Reverse(a.id));
        if let Some(last) = kept.get(count - found - 1) {
            return Ok(Some(AlertId(last.id.0 - 1)));
        }
        found += kept.len();
    }
    Ok(before)
}

/// Compiles a condition with the macros of the run's rules.
pub(crate) fn select(settings: &Settings, condition: Option<&str>) -> Result<Option<Selection>, Fail> {
    let Some(text) = condition else { return Ok(None) };
    let rules = rulebook::load(settings)?;
    Selection::compile(text, &rules.ruleset).map(Some).map_err(|rejected| {
        Fail::environment(
            rulebook::plain(&rejected.diagnostics, &rejected.sources, Severity::Error).trim_end(),
        )
    })
}
