//! How a value of a field is written: by an output template, and among an alert's JSON fields. Both follow Falco, which
//! writes clocks as clocks, device numbers and flags in hexadecimal digits, modes in octal ones, and parts of a second with
//! all nine digits. What is not decimal is a text in JSON.

use std::io::Write as _;

use crate::alert::OutputValue;
use crate::field::{Arg, FieldId, FieldRef, FieldType};
use crate::param_types::Radix;
use crate::time::WallTime;
use crate::value::Value;

/// The form of a field's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// As [`Value::write_text`] writes them.
    Plain,
    /// Nine digits at least.
    NineDigits,
    /// Hexadecimal digits in capitals.
    Hex,
    /// Octal digits.
    Octal,
    /// A point for every byte that does not print.
    Buffer,
    /// A mark: networks are compared and not printed.
    Network,
    /// A clock, with these parts.
    Clock { date: bool, nanos: bool, zone: &'static str },
}

impl FieldRef {
    fn form(&self) -> Form {
        match (self.id, &self.arg) {
            (FieldId::EVT_TIME | FieldId::EVT_OUTPUTTIME, _) => {
                Form::Clock { date: false, nanos: true, zone: "" }
            }
            (FieldId::EVT_TIME_S, _) => Form::Clock { date: false, nanos: false, zone: "" },
            (FieldId::EVT_TIME_ISO, _) => Form::Clock { date: true, nanos: true, zone: "+0000" },
            (FieldId::EVT_DATETIME, _) => Form::Clock { date: true, nanos: true, zone: "" },
            (FieldId::EVT_DATETIME_S, _) => Form::Clock { date: true, nanos: false, zone: "" },
            (
                FieldId::EVT_RAWTIME_NS
                | FieldId::EVT_RELTIME
                | FieldId::EVT_RELTIME_NS
                | FieldId::EVT_DELTATIME_NS
                | FieldId::EVT_LATENCY_NS,
                _,
            ) => Form::NineDigits,
            (FieldId::FD_DEV, _) => Form::Hex,
            (FieldId::EVT_BUFFER, _) => Form::Buffer,
            (FieldId::EVT_RAWARG, Arg::Param(param)) => match param.radix() {
                Radix::Hexadecimal => Form::Hex,
                Radix::Octal => Form::Octal,
                Radix::Decimal if param.ty() == FieldType::Bytes => Form::Buffer,
                Radix::Decimal => Form::Plain,
            },
            _ if self.ty() == FieldType::Net => Form::Network,
            _ => Form::Plain,
        }
    }

    /// Appends a value of this field as an output template prints it.
    pub fn write_text(&self, value: &Value<'_>, out: &mut Vec<u8>) {
        // Writing to a Vec cannot fail.
        let _ = match (self.form(), *value) {
            (Form::Clock { date, nanos, zone }, Value::Time(ns)) => {
                write_clock(ns, date, nanos, zone, out);
                Ok(())
            }
            (Form::NineDigits, Value::Time(n) | Value::Uint(n)) => write!(out, "{n:09}"),
            (Form::NineDigits, Value::Span(n) | Value::Int(n)) => write!(out, "{n:09}"),
            (Form::Hex, Value::Uint(n)) => write!(out, "{n:X}"),
            (Form::Hex, Value::Int(n)) => write!(out, "{n:X}"),
            (Form::Octal, Value::Uint(n)) => write!(out, "{n:o}"),
            (Form::Network, Value::Ip(_)) => out.write_all(b"<IPNET>"),
            (Form::Buffer, Value::Bytes(bytes)) => {
                out.extend(bytes.iter().map(|b| if matches!(b, b' '..=b'~') { *b } else { b'.' }));
                Ok(())
            }
            _ => {
                value.write_text(out);
                Ok(())
            }
        };
    }

    /// A value of this field as it stands among an alert's JSON fields.
    pub fn output(&self, value: &Value<'_>) -> OutputValue {
        if value.is_absent() || !matches!(self.form(), Form::Hex | Form::Octal | Form::Buffer | Form::Network)
        {
            return OutputValue::from(value);
        }
        let mut text = Vec::new();
        self.write_text(value, &mut text);
        OutputValue::from(&Value::Bytes(&text))
    }
}

/// Appends an instant as a clock shows it (UTC).
pub(crate) fn write_clock(ns: u64, date: bool, nanos: bool, zone: &str, out: &mut Vec<u8>) {
    let c = WallTime(ns).civil();
    if date {
        let between = if zone.is_empty() { ' ' } else { 'T' };
        let _ = write!(out, "{:04}-{:02}-{:02}{between}", c.year, c.month, c.day);
    }
    let _ = write!(out, "{:02}:{:02}:{:02}", c.hour, c.minute, c.second);
    if nanos {
        let _ = write!(out, ".{:09}", c.nano);
    }
    out.extend_from_slice(zone.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::ParamId;

    fn forms(name: &str, param: Option<&str>, value: Value<'_>) -> (String, OutputValue) {
        let id = FieldId::from_name(name).expect("field");
        let arg = param.map_or(Arg::None, |p| Arg::Param(ParamId::from_name(p).expect("parameter")));
        let field = FieldRef { id, arg };
        let mut text = Vec::new();
        field.write_text(&value, &mut text);
        (String::from_utf8(text).expect("text"), field.output(&value))
    }

    #[test]
    fn numbers_have_the_digits_that_falco_gives_them() {
        let text = |s: &str| OutputValue::Text(s.into());
        let instant = Value::Time(1_566_230_400_010_000_000);
        for (field, param, value, printed, json) in [
            ("fd.dev", None, Value::Int(0x801), "801", text("801")),
            ("evt.rawarg", Some("flags"), Value::Uint(0x1007), "1007", text("1007")),
            ("evt.rawarg", Some("mode"), Value::Uint(0o755), "755", text("755")),
            ("evt.rawarg", Some("fd"), Value::Int(-2), "-2", OutputValue::Int(-2)),
            ("evt.rawarg", Some("args"), Value::Bytes(b"-l\0x\0"), "-l.x.", text("-l.x.")),
            ("evt.rawtime.ns", None, Value::Time(10_000_000), "010000000", OutputValue::Uint(10_000_000)),
            ("evt.time", None, instant, "16:00:00.010000000", OutputValue::from(&instant)),
            ("fd.dev", None, Value::Absent, "<NA>", OutputValue::Null),
        ] {
            assert_eq!(forms(field, param, value), (printed.to_owned(), json), "{field}");
        }
    }
}
