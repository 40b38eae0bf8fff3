//! `eyas alerts`: the alerts of a store, oldest first, and if asked for those that come.

use std::io::Write;
use std::time::Duration;

use eyas_engine::diag::Severity;
use eyas_event::{Alert, AlertId};
use eyas_store::{BlockingReader, Store, StoreError};

use crate::cli;
use crate::fail::{Fail, Outcome};
use crate::falco::Form;
use crate::machine;
use crate::period::Period;
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
    let period = args.period;
    period.check()?;
    let reader = Store::open_read(&settings.store).map_err(damaged)?.blocking();
    let mut selection = select(settings, args.condition.as_deref())?;
    let form = Form::new(&settings.config, false);
    let form = if args.json { form.with_json(true) } else { form };
    let mut keep = |alerts: Vec<Alert>| match &mut selection {
        Some(selection) => selection.keep(alerts),
        None => alerts,
    };
    let mut out = std::io::stdout().lock();
    let mut at = period.after_id();
    if let Some(count) = args.last {
        at = at.max(newest(&reader, count, &period, &mut keep).map_err(damaged)?);
    }
    loop {
        let over = period.is_over(machine::now());
        let page = reader.alerts_after(at, PAGE).map_err(damaged)?;
        let full = page.len() == PAGE as usize;
        at = page.last().map_or(at, |a| a.id);
        let behind = period.before_id().is_some_and(|end| at >= end);
        for alert in keep(within(page, &period)) {
            writeln!(out, "{}", form.line(&alert))?;
        }
        out.flush()?;
        match (full, args.follow) {
            _ if behind => return Ok(()),
            (true, _) => {}
            (false, true) if !over => std::thread::sleep(LOOK),
            (false, _) => return Ok(()),
        }
    }
}

/// Those of the period.
fn within(mut alerts: Vec<Alert>, period: &Period) -> Vec<Alert> {
    alerts.retain(|a| period.holds(a.time));
    alerts
}

/// The id before the newest `count` alerts of the period that are kept; for none at all, the newest id.
fn newest(
    reader: &BlockingReader,
    count: usize,
    period: &Period,
    keep: &mut impl FnMut(Vec<Alert>) -> Vec<Alert>,
) -> Result<AlertId, StoreError> {
    if count == 0 {
        return Ok(reader.alerts_page(None, 1)?.first().map_or(AlertId(0), |a| a.id));
    }
    let mut before = period.before_id();
    let mut found = 0;
    loop {
        let page = reader.alerts_page(before, PAGE)?;
        let Some(oldest) = page.iter().map(|a| a.id).min() else { return Ok(AlertId(0)) };
        before = Some(oldest);
        let mut kept = keep(within(page, period));
        kept.sort_by_key(|a| std::cmp::Reverse(a.id));
        if let Some(last) = kept.get(count - found - 1) {
            return Ok(AlertId(last.id.0 - 1));
        }
        found += kept.len();
        if oldest <= period.after_id() {
            return Ok(oldest);
        }
    }
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
