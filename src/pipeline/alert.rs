//! From an event and the rule that fired on it to an [`Alert`]: everything that somebody may want to know later is
//! taken now, because the event is gone after this.

use eyas_engine::program::Scratch;
use eyas_engine::ruleset::{Rule, Ruleset};
use eyas_event::{Alert, AlertId, Event, OutputValue, text};

/// Makes the alert. `counter` counts the alerts of this run, `lost_before` the records known to be lost.
pub(crate) fn alert(
    event: &Event<'_>,
    ruleset: &Ruleset,
    rule: &Rule,
    scratch: &mut Scratch,
    counter: u64,
    lost_before: u64,
) -> Alert {
    let rendered = rule.render(event, scratch);
    let mut fields = Vec::with_capacity(80);
    event.all_fields(|name, value| fields.push((name.to_owned(), OutputValue::from(&value))));
    Alert {
        id: AlertId::new(event.time, counter),
        time: event.time,
        boot_time: event.boot_time,
        rule: rule.name.clone(),
        priority: rule.priority,
        tags: rule.tags.clone(),
        ruleset: ruleset.hash(),
        source: rule.source.clone(),
        node: event.node.into(),
        message: text::to_utf8(&rendered.message).into_owned(),
        output_fields: rendered.fields,
        fields,
        event_num: event.num,
        event_type: event.kind.name(),
        process: event.process.clone(),
        ancestors: event.table.ancestors(event.process).cloned().collect(),
        user: text::to_utf8(event.user_name(event.uid).unwrap_or(b"<NA>")).into_owned(),
        lost_before,
    }
}
