//! JSON, YAML and stored alerts to a [`FieldMap`]. Every error names the key.

use std::fmt;
use std::net::IpAddr;

use eyas_event::{Arg, EventType, FieldId, FieldRef, FieldType, OutputValue, Priority, Shape};
use serde_json::Value as Json;

use crate::diag::did_you_mean;
use crate::fieldmap::{FieldMap, Given};
use crate::fields::{FieldFault, resolve};
use crate::syntax::ast::OperandKind;
use crate::syntax::parse_field;
use crate::yaml::{Kind, Node};

/// A key of an event that could not be read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadEvent {
    /// The key; empty when the event as a whole is wrong.
    pub key: String,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for BadEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            f.write_str(&self.reason)
        } else {
            write!(f, "`{}`: {}", self.key, self.reason)
        }
    }
}

impl std::error::Error for BadEvent {}

fn bad(key: &str, reason: impl Into<String>) -> BadEvent {
    BadEvent { key: key.to_owned(), reason: reason.into() }
}

impl FieldMap {
    /// An event from its JSON text.
    pub fn from_json_text(text: &str) -> Result<Self, Vec<BadEvent>> {
        let value: Json = serde_json::from_str(text).map_err(|e| vec![bad("", format!("not JSON: {e}"))])?;
        Self::from_json(&value)
    }

    /// An event from its JSON form: an object of field to value. All bad keys are reported.
    pub fn from_json(value: &Json) -> Result<Self, Vec<BadEvent>> {
        let Json::Object(object) = value else {
            return Err(vec![bad("", "an event is an object of field to value")]);
        };
        let mut map = Self::default();
        let mut errors = Vec::new();
        for (key, value) in object {
            if let Err(error) = map.put_json(key, value) {
                errors.push(error);
            }
        }
        map.complete();
        if errors.is_empty() { Ok(map) } else { Err(errors) }
    }

    /// An event from a YAML mapping, as test cases write it. The faults come with the nodes they are about.
    pub(crate) fn from_yaml(node: &Node) -> Result<Self, Vec<(&Node, BadEvent)>> {
        let Kind::Mapping(pairs) = &node.kind else {
            return Err(vec![(node, bad("", "an event is a mapping of field to value"))]);
        };
        let mut map = Self::default();
        let mut errors = Vec::new();
        for (key, value) in pairs {
            let name = key.text().unwrap_or("");
            let result = field(name).map_err(|e| (key, e)).and_then(|field| match &value.kind {
                _ if value.is_null() => Ok(()),
                Kind::Scalar(scalar) => {
                    let given = given_text(&field, &scalar.text);
                    let given = given.map_err(|reason| (value, bad(name, reason)))?;
                    map.put(name, &field, given).map_err(|e| (value, e))
                }
                Kind::Sequence(nodes) => {
                    let texts = nodes.iter().map(|n| n.text().ok_or("a list holds single values".to_owned()));
                    let given: Result<Vec<_>, _> =
                        texts.map(|text| text.and_then(|text| given_text(&field, text))).collect();
                    let given = given.map_err(|reason| (value, bad(name, reason)))?;
                    map.put_list(name, &field, given).map_err(|e| (value, e))
                }
                Kind::Mapping(pairs) if field == FieldRef::plain(FieldId::PROC_ENV) => {
                    let texts = pairs.iter().map(|(key, value)| Some((key.text()?, value.text()?)));
                    let texts: Option<Vec<_>> = texts.collect();
                    let Some(texts) = texts else { return Err((value, bad(name, VARIABLES))) };
                    map.put_parts(field.id, texts.into_iter().map(|(k, v)| assigned(k, v)).collect());
                    Ok(())
                }
                Kind::Mapping(_) => Err((value, bad(name, "a field has a single value or a list"))),
            });
            if let Err(error) = result {
                errors.push(error);
            }
        }
        map.complete();
        if errors.is_empty() { Ok(map) } else { Err(errors) }
    }

    /// An event from the fields that an alert keeps. What this version does not know is passed over, so that alerts of
    /// other versions can still be searched.
    pub fn from_output<'a>(fields: impl IntoIterator<Item = (&'a str, &'a OutputValue)>) -> Self {
        let mut map = Self::default();
        for (key, value) in fields {
            let Ok(field) = field(key) else { continue };
            // A chain of ancestors was stored as an output prints it: words with blanks between.
            if let (Shape::Ancestors, Arg::None, OutputValue::Text(text)) =
                (field.id.info().shape, &field.arg, value)
            {
                let words: Result<Vec<_>, _> = text.split(' ').map(|word| given_text(&field, word)).collect();
                if let Ok(words) = words {
                    let _ = map.put_list(key, &field, words);
                }
                continue;
            }
            let _ = map.put_json(key, &json(value));
        }
        map.complete();
        map
    }

    fn put_json(&mut self, key: &str, value: &Json) -> Result<(), BadEvent> {
        let field = field(key)?;
        match value {
            Json::Null => Ok(()),
            Json::Object(pairs) if field == FieldRef::plain(FieldId::PROC_ENV) => {
                let texts = pairs.iter().map(|(name, value)| Some(assigned(name, value.as_str()?)));
                let parts: Option<Vec<_>> = texts.collect();
                self.put_parts(field.id, parts.ok_or_else(|| bad(key, VARIABLES))?);
                Ok(())
            }
            Json::Array(items) => {
                let given: Result<Vec<_>, _> = items.iter().map(|item| given_json(&field, item)).collect();
                self.put_list(key, &field, given.map_err(|reason| bad(key, reason))?)
            }
            value => {
                let given = given_json(&field, value).map_err(|reason| bad(key, reason))?;
                self.put(key, &field, given)
            }
        }
    }

    fn put(&mut self, key: &str, field: &FieldRef, given: Given) -> Result<(), BadEvent> {
        let info = field.id.info();
        if matches!(info.shape, Shape::AnySide | Shape::List)
            || (info.shape == Shape::Ancestors && field.arg == Arg::None)
        {
            return self.put_list(key, field, vec![given]);
        }
        if let (FieldId::EVT_TYPE, Given::Bytes(name)) = (field.id, &given) {
            let name = String::from_utf8_lossy(name).into_owned();
            let Some(event) = EventType::from_name(&name) else {
                let near = did_you_mean(&name, EventType::all().map(EventType::name));
                let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                return Err(bad(key, format!("there is no event `{name}`{hint}")));
            };
            self.event = Some(event);
        }
        self.values.insert(field.clone(), given);
        Ok(())
    }

    fn put_list(&mut self, key: &str, field: &FieldRef, given: Vec<Given>) -> Result<(), BadEvent> {
        match (field.id.info().shape, &field.arg) {
            (Shape::AnySide | Shape::List, _) | (Shape::Ancestors, Arg::None) => {
                self.lists.insert(field.clone(), given);
            }
            (Shape::One, Arg::None) if matches!(field.id, FieldId::PROC_ARGS | FieldId::PROC_ENV) => {
                let bytes = given.into_iter().filter_map(|given| match given {
                    Given::Bytes(bytes) => Some(bytes),
                    _ => None,
                });
                self.put_parts(field.id, bytes.collect());
            }
            _ => return Err(bad(key, "this field has one value, not a list")),
        }
        Ok(())
    }
}

/// The field that a key names.
fn field(key: &str) -> Result<FieldRef, BadEvent> {
    let operand = parse_field(key).map_err(|error| bad(key, error.message))?;
    let OperandKind::Field { name, arg } = &operand.kind else {
        return Err(bad(key, "a transformer is no field"));
    };
    resolve(name, arg.as_ref()).map_err(|fault| match fault {
        FieldFault::Unknown(None) => bad(key, "there is no such field"),
        FieldFault::Unknown(Some((near, _))) => {
            bad(key, format!("there is no such field; did you mean `{near}`?"))
        }
        FieldFault::BadArgument(why) => bad(key, why),
    })
}

fn json(value: &OutputValue) -> Json {
    match value {
        OutputValue::Null => Json::Null,
        OutputValue::List(items) => items.iter().map(json).collect(),
        OutputValue::Bool(b) => Json::Bool(*b),
        OutputValue::Int(n) => (*n).into(),
        OutputValue::Uint(n) => (*n).into(),
        OutputValue::Text(t) => Json::String(t.clone()),
    }
}

/// Fields that are texts for conditions and numbers in JSON.
const CLOCKS: [FieldId; 6] = [
    FieldId::EVT_TIME,
    FieldId::EVT_TIME_S,
    FieldId::EVT_TIME_ISO,
    FieldId::EVT_DATETIME,
    FieldId::EVT_DATETIME_S,
    FieldId::EVT_OUTPUTTIME,
];

const VARIABLES: &str = "the variables of an environment have texts as values";

/// A variable as it stands in an environment.
fn assigned(name: &str, value: &str) -> Box<[u8]> {
    format!("{name}={value}").into_bytes().into()
}

fn given_json(field: &FieldRef, value: &Json) -> Result<Given, String> {
    let wrong = |wanted: &str| Err(format!("{wanted} was expected, not {value}"));
    match (field.ty(), value) {
        (_, Json::Number(n)) if CLOCKS.contains(&field.id) => given_text(field, &n.to_string()),
        // Alerts write raw parameters as text, whatever their type.
        (_, Json::String(text)) if field.id == FieldId::EVT_RAWARG => given_raw(field, text),
        // They write devices in hexadecimal.
        (_, Json::String(text)) if field.id == FieldId::FD_DEV => i64::from_str_radix(text, 16)
            .map(Given::Int)
            .map_err(|_| format!("a number or one in hexadecimal was expected, not `{text}`")),
        (FieldType::Bool, Json::Bool(b)) => Ok(Given::Bool(*b)),
        (FieldType::Bool, _) => wrong("true or false"),
        (
            FieldType::Int
            | FieldType::Span
            | FieldType::Uint
            | FieldType::Time
            | FieldType::Port
            | FieldType::Double,
            Json::Number(n),
        ) => given_text(field, &n.to_string()),
        (
            FieldType::Int
            | FieldType::Span
            | FieldType::Uint
            | FieldType::Time
            | FieldType::Port
            | FieldType::Double,
            _,
        ) => wrong("a number"),
        (
            FieldType::Text
            | FieldType::Path
            | FieldType::Bytes
            | FieldType::Ip
            | FieldType::Net
            | FieldType::Priority,
            Json::String(text),
        ) => given_text(field, text),
        (
            FieldType::Text
            | FieldType::Path
            | FieldType::Bytes
            | FieldType::Ip
            | FieldType::Net
            | FieldType::Priority,
            _,
        ) => wrong("a string"),
    }
}

/// A raw parameter as it prints: flags in hexadecimal, permissions in octal.
fn given_raw(field: &FieldRef, text: &str) -> Result<Given, String> {
    match (field.ty(), &field.arg) {
        (FieldType::Uint, Arg::Param(param)) => u64::from_str_radix(text, param.radix().base())
            .map(Given::Uint)
            .map_err(|_| format!("a number to the base {} was expected, not `{text}`", param.radix().base())),
        _ => given_text(field, text),
    }
}

fn given_text(field: &FieldRef, text: &str) -> Result<Given, String> {
    let wrong = |wanted: &str| format!("{wanted} was expected, not `{text}`");
    if let (true, Ok(time)) = (CLOCKS.contains(&field.id), text.parse()) {
        return Ok(Given::Time(time));
    }
    match field.ty() {
        FieldType::Bool => text.parse().map(Given::Bool).map_err(|_| wrong("true or false")),
        FieldType::Int => text.parse().map(Given::Int).map_err(|_| wrong("a whole number")),
        FieldType::Double => text.parse().map(Given::Double).map_err(|_| wrong("a number")),
        FieldType::Span => text.parse().map(Given::Span).map_err(|_| wrong("a number of nanoseconds")),
        FieldType::Uint => text.parse().map(Given::Uint).map_err(|_| wrong("a whole number from 0")),
        FieldType::Time => {
            text.parse().map(Given::Time).map_err(|_| wrong("a number of nanoseconds since the epoch"))
        }
        FieldType::Port => text.parse().map(Given::Port).map_err(|_| wrong("a number from 0 to 65535")),
        FieldType::Text | FieldType::Path => Ok(Given::Bytes(text.as_bytes().into())),
        FieldType::Bytes => Ok(Given::Bytes(unescaped(text).into())),
        FieldType::Priority => Priority::from_name(text)
            .map(|priority| Given::Uint(priority.urgency().into()))
            .ok_or_else(|| wrong("the name of a priority")),
        FieldType::Ip | FieldType::Net => {
            text.parse().map(|ip: IpAddr| Given::Ip(ip.to_canonical())).map_err(|_| wrong("an address"))
        }
    }
}

/// The bytes of a text in which `\xHH` stands for those that are no UTF-8, as such fields are printed.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\x") {
        bytes.extend_from_slice(before.as_bytes());
        let byte = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.extend(byte.map_or_else(|| b"\\x".to_vec(), |byte| vec![byte]));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}
