//! `eyas events`: the recorded records of a store, completed and decoded.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use eyas_ebpf::records;
use eyas_engine::diag::Severity;
use eyas_engine::filter::Filter;
use eyas_engine::program::Scratch;
use eyas_enrich::{Enrich, SilentHost};
use eyas_event::{Event, FieldId, FieldRef, Fields, OutputValue, text};
use eyas_store::Store;
use serde_json::{Map, Value};

use crate::cli;
use crate::fail::{Fail, Outcome};
use crate::falco::{harmless, json};
use crate::period::Period;
use crate::rulebook;
use crate::settings::Settings;

/// Prints recorded events.
pub(crate) fn events(settings: &Settings, args: &cli::Events) -> Outcome {
    let rules = rulebook::load(settings)?;
    let filter = match &args.condition {
        None => None,
        Some(text) => Some(Filter::compile(text, &rules.ruleset).map_err(|rejected| {
            let said = rulebook::plain(&rejected.diagnostics, &rejected.sources, Severity::Error);
            Fail::environment(said.trim_end())
        })?),
    };
    let mut scratch = Scratch::default();
    let mut out = std::io::stdout().lock();
    args.period.check()?;
    each(&args.store, &args.period, |event| {
        if !args.period.holds(event.time) {
            return ControlFlow::Continue(());
        }
        if filter.as_ref().is_some_and(|f| !f.matches(event, &mut scratch)) {
            return ControlFlow::Continue(());
        }
        let line = if args.json { harmless(object(event).to_string()) } else { line(event) };
        match writeln!(out, "{line}") {
            Ok(()) => ControlFlow::Continue(()),
            Err(e) => ControlFlow::Break(e),
        }
    })?;
    out.flush()?;
    Ok(())
}

/// Folds a store's recording and hands out its events in order. It is folded from its begin whatever is wanted of it, so
/// that processes and numbers are the same; what lies behind the period is left alone.
fn each(
    store: &Path,
    period: &Period,
    mut see: impl FnMut(&Event<'_>) -> ControlFlow<std::io::Error>,
) -> Outcome {
    let reader = Store::open_read(store).map_err(|e| Fail::store(store, &e))?.blocking();
    let wanted = reader.segments_meta().map_err(|e| Fail::store(store, &e))?;
    let last = wanted.iter().rev().find(|meta| !period.is_over(meta.first_wall)).map(|meta| meta.id.0);
    let mut enrich = Enrich::new(SilentHost);
    let mut unasked = Vec::new();
    for segment in reader.segments() {
        let (meta, raw) = segment.map_err(|e| Fail::store(store, &e))?;
        if last.is_none_or(|last| meta.id.0 > last) {
            break;
        }
        let mut broken = None;
        for (at, record) in records(&raw) {
            let record = record.map_err(|e| {
                Fail::environment(format!("{}: segment {}, byte {at}: {e}", store.display(), meta.id.0))
            })?;
            unasked.clear();
            enrich.fold(&record, &mut unasked, &mut |event| {
                if broken.is_none()
                    && let ControlFlow::Break(error) = see(event)
                {
                    broken = Some(error);
                }
            });
            if let Some(error) = broken {
                return Err(error.into());
            }
        }
    }
    Ok(())
}

/// An event as a line for people.
fn line(event: &Event<'_>) -> String {
    let mut out = Vec::new();
    for (field, between) in [
        (FieldId::EVT_DATETIME, " "),
        (FieldId::EVT_NUM, " "),
        (FieldId::PROC_NAME, "("),
        (FieldId::PROC_PID, ") "),
        (FieldId::EVT_TYPE, " "),
        (FieldId::EVT_ARGS, ""),
    ] {
        let field = FieldRef::plain(field);
        let mut buf = Vec::new();
        field.write_text(&event.get(&field, &mut buf), &mut out);
        out.extend_from_slice(between.as_bytes());
    }
    text::escape(&out).into_owned()
}

/// An event in the documented form: a map of field to typed value.
fn object(event: &Event<'_>) -> Value {
    let mut map = Map::new();
    event.all_fields(|name, value| {
        map.insert(name.to_owned(), json(&OutputValue::from(&value)));
    });
    map.into()
}
