//! Alert fields as JSON and back, in order and with their types. JSON has one kind of number where alerts have two, so the
//! text is plain JSON for people and queries, and [`Numbers`] remembers beside it which non-negative numbers were signed.

use std::fmt;

use eyas_event::OutputValue;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Counts the numbers of one or more texts in the order in which they stand, and keeps the places of those that are
/// signed though not negative.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    seen: u32,
    signed: Vec<u32>,
}

impl Numbers {
    /// The places as a JSON array; `None` when there are none.
    pub(crate) fn to_text(&self) -> Option<String> {
        (!self.signed.is_empty()).then(|| format!("{:?}", self.signed).replace(' ', ""))
    }

    /// Reads what [`Numbers::to_text`] wrote.
    pub(crate) fn from_text(text: Option<&str>) -> Result<Self, serde_json::Error> {
        let signed = text.map(serde_json::from_str).transpose()?.unwrap_or_default();
        Ok(Self { seen: 0, signed })
    }
}

/// `{"name": value, …}` in the order given.
pub(crate) fn write_fields(fields: &[(String, OutputValue)], numbers: &mut Numbers) -> String {
    let mut out = String::from("{");
    for (i, (name, value)) in fields.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write_text(&mut out, name);
        out.push(':');
        write_value(&mut out, value, numbers);
    }
    out.push('}');
    out
}

fn write_value(out: &mut String, value: &OutputValue, numbers: &mut Numbers) {
    match value {
        OutputValue::Null => out.push_str("null"),
        OutputValue::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        OutputValue::Int(n) => {
            if *n >= 0 {
                numbers.signed.push(numbers.seen);
            }
            numbers.seen += 1;
            out.push_str(&n.to_string());
        }
        OutputValue::Uint(n) => {
            numbers.seen += 1;
            out.push_str(&n.to_string());
        }
        OutputValue::Text(text) => write_text(out, text),
        OutputValue::List(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_value(out, item, numbers);
            }
            out.push(']');
        }
    }
}

fn write_text(out: &mut String, text: &str) {
    out.push_str(&serde_json::to_string(text).expect("text has a JSON form because every string does"));
}

/// Reads what [`write_fields`] wrote; texts must come in the order in which they were written.
pub(crate) fn read_fields(
    text: &str,
    numbers: &mut Numbers,
) -> Result<Vec<(String, OutputValue)>, serde_json::Error> {
    let Ordered(mut fields) = serde_json::from_str(text)?;
    for (_, value) in &mut fields {
        restore(value, numbers);
    }
    Ok(fields)
}

fn restore(value: &mut OutputValue, numbers: &mut Numbers) {
    match value {
        OutputValue::Int(_) => numbers.seen += 1,
        OutputValue::Uint(n) => {
            if numbers.signed.binary_search(&numbers.seen).is_ok() {
                *value = OutputValue::Int(n.cast_signed());
            }
            numbers.seen += 1;
        }
        OutputValue::List(items) => items.iter_mut().for_each(|item| restore(item, numbers)),
        OutputValue::Null | OutputValue::Bool(_) | OutputValue::Text(_) => {}
    }
}

struct Ordered(Vec<(String, OutputValue)>);

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OrderedVisitor)
    }
}

struct OrderedVisitor;

impl<'de> Visitor<'de> for OrderedVisitor {
    type Value = Ordered;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
        let mut fields = Vec::new();
        while let Some((name, Plain(value))) = map.next_entry()? {
            fields.push((name, value));
        }
        Ok(Ordered(fields))
    }
}

struct Plain(OutputValue);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainVisitor).map(Plain)
    }
}

struct PlainVisitor;

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = OutputValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null, a truth value, a whole number, text or a list of these")
    }

    fn visit_unit<E>(self) -> Result<OutputValue, E> {
        Ok(OutputValue::Null)
    }

    fn visit_bool<E>(self, b: bool) -> Result<OutputValue, E> {
        Ok(OutputValue::Bool(b))
    }

    fn visit_i64<E>(self, n: i64) -> Result<OutputValue, E> {
        Ok(OutputValue::Int(n))
    }

    fn visit_u64<E>(self, n: u64) -> Result<OutputValue, E> {
        Ok(OutputValue::Uint(n))
    }

    fn visit_str<E>(self, text: &str) -> Result<OutputValue, E> {
        Ok(OutputValue::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<OutputValue, E> {
        Ok(OutputValue::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<OutputValue, A::Error> {
        let mut items = Vec::new();
        while let Some(Plain(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(OutputValue::List(items))
    }
}
