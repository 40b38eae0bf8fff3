//! Alerts as Falco writes them: one JSON object a line, or one line of text.

use std::borrow::Cow;
use std::fmt::Write as _;

use eyas_event::{Alert, OutputValue, text};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::config::Config;

/// How alerts are written.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of falco.yaml")]
pub(crate) struct Form {
    json: bool,
    output: bool,
    message: bool,
    output_fields: bool,
    tags: bool,
    iso_8601: bool,
    zone: TimeZone,
}

impl Form {
    /// As configured; `json` is what the command does when the configuration says nothing.
    pub(crate) fn new(config: &Config, json: bool) -> Self {
        Self {
            json: config.json_output.unwrap_or(json),
            output: config.json_include_output_property,
            message: config.json_include_message_property,
            output_fields: config.json_include_output_fields_property,
            tags: config.json_include_tags_property,
            iso_8601: config.time_format_iso_8601,
            zone: TimeZone::system(),
        }
    }

    /// The same with JSON on or off.
    pub(crate) fn with_json(self, json: bool) -> Self {
        Self { json, ..self }
    }

    /// One alert as one line, without the line's end.
    pub(crate) fn line(&self, alert: &Alert) -> String {
        if self.json { harmless(self.object(alert).to_string()) } else { self.text(alert) }
    }

    fn text(&self, alert: &Alert) -> String {
        format!("{}: {} {}", self.time(alert), alert.priority.name(), text::escape(alert.message.as_bytes()))
    }

    fn time(&self, alert: &Alert) -> String {
        let Ok(at) = Timestamp::from_nanosecond(alert.time.0.into()) else { return alert.time.to_string() };
        let at = at.to_zoned(self.zone.clone());
        let format = if self.iso_8601 { "%Y-%m-%dT%H:%M:%S.%9f%z" } else { "%H:%M:%S.%9f" };
        at.strftime(format).to_string()
    }

    fn object(&self, alert: &Alert) -> Value {
        // The map keeps its keys in alphabetical order, which is Falco's.
        let mut object = Map::new();
        let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
        put("hostname", alert.node.as_ref().into());
        put("priority", alert.priority.name().into());
        put("rule", alert.rule.as_ref().into());
        put("source", alert.source.as_ref().into());
        put("time", alert.time.to_string().into());
        if self.output {
            put("output", self.text(alert).into());
        }
        if self.message {
            put("message", alert.message.clone().into());
        }
        if self.tags {
            put("tags", alert.tags.iter().map(AsRef::as_ref).collect::<Vec<&str>>().into());
        }
        if self.output_fields {
            let mut fields: Map<String, Value> =
                alert.output_fields.iter().map(|(name, value)| (name.clone(), json(value))).collect();
            // The time stands under the name of the form in which the line has it.
            let key = if self.iso_8601 { "evt.time.iso8601" } else { "evt.time" };
            fields.remove("evt.time");
            fields.insert(key.to_owned(), alert.time.0.into());
            put("output_fields", fields.into());
        }
        object.into()
    }
}

/// A line of JSON in which nothing acts on a terminal: what the writer of JSON leaves as it is (DEL, C1 controls,
/// bidirectional and invisible characters) is written as `\uXXXX`, which says the same to whoever parses it.
pub(crate) fn harmless(line: String) -> String {
    let acts = |c: char| matches!(text::escape(c.encode_utf8(&mut [0; 4]).as_bytes()), Cow::Owned(_));
    if matches!(text::escape(line.as_bytes()), Cow::Borrowed(_)) {
        return line;
    }
    let mut out = String::with_capacity(line.len() + 64);
    for c in line.chars() {
        if acts(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// A field's value in JSON.
pub(crate) fn json(value: &OutputValue) -> Value {
    match value {
        OutputValue::Null => Value::Null,
        OutputValue::Bool(b) => (*b).into(),
        OutputValue::Int(n) => (*n).into(),
        OutputValue::Uint(n) => (*n).into(),
        OutputValue::Text(t) => t.as_str().into(),
        OutputValue::List(values) => values.iter().map(json).collect(),
    }
}
