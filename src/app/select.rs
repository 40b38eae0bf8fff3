//! Conditions over alerts: what `--where` and the console's filter bar mean. An alert is judged by the fields that it
//! carried when it fired, and by `alert.rule` and `alert.priority`.

use eyas_engine::fieldmap::FieldMap;
use eyas_engine::filter::{Filter, Rejected};
use eyas_engine::program::Scratch;
use eyas_engine::ruleset::Ruleset;
use eyas_event::{Alert, OutputValue};

/// A condition and what it needs to be asked quickly.
pub(crate) struct Selection {
    filter: Filter,
    scratch: Scratch,
}

impl Selection {
    /// Compiles a condition; the macros and lists of the ruleset may be used in it.
    pub(crate) fn compile(text: &str, ruleset: &Ruleset) -> Result<Self, Rejected> {
        Filter::compile(text, ruleset).map(|filter| Self { filter, scratch: Scratch::default() })
    }

    /// Whether it holds for the alert.
    pub(crate) fn holds(&mut self, alert: &Alert) -> bool {
        self.filter.matches(&fields_of(alert), &mut self.scratch)
    }

    /// The alerts for which it holds.
    pub(crate) fn keep(&mut self, alerts: Vec<Alert>) -> Vec<Alert> {
        alerts.into_iter().filter(|a| self.holds(a)).collect()
    }
}

/// What a condition sees of an alert.
fn fields_of(alert: &Alert) -> FieldMap {
    let own = [
        ("alert.rule", OutputValue::Text(alert.rule.to_string())),
        ("alert.priority", OutputValue::Text(alert.priority.name().to_owned())),
    ];
    let kept = alert.fields.iter().map(|(name, value)| (name.as_str(), value));
    FieldMap::from_output(own.iter().map(|(name, value)| (*name, value)).chain(kept))
}
