//! Constants as written to operands of a field's type.

use std::net::IpAddr;

use eyas_event::{EventSet, EventType, FieldType, IpNet, Priority};

use crate::diag::{Certainty, did_you_mean};
use crate::ir::ports;
use crate::ir::predicate::Operand;
use crate::ir::term::TermType;
use crate::matching::regex::Pattern;
use crate::matching::text_matches;
use crate::syntax::ast::{Modifier, Op, Value};

/// Why a constant is no operand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadOperand {
    /// Which of the values.
    pub index: usize,
    /// Words for the place.
    pub label: String,
    /// What was meant, and how sure that is.
    pub near: Option<(String, Certainty)>,
}

/// Whether values of a type can be compared so.
pub fn allows(ty: FieldType, op: Op) -> bool {
    match op {
        Op::Exists | Op::Eq | Op::Ne | Op::In | Op::Intersects => true,
        Op::Lt | Op::Le | Op::Gt | Op::Ge => {
            !matches!(ty, FieldType::Bool | FieldType::Ip | FieldType::Net | FieldType::Bytes)
        }
        Op::Bcontains | Op::Bstartswith => ty == FieldType::Bytes,
        Op::Contains | Op::Startswith | Op::Endswith if ty == FieldType::Bytes => true,
        Op::Contains
        | Op::Icontains
        | Op::Startswith
        | Op::Endswith
        | Op::Glob
        | Op::Iglob
        | Op::Regex
        | Op::Pmatch => matches!(ty, FieldType::Text | FieldType::Path),
    }
}

/// The operators that values of a type have, for a message.
pub fn allowed(ty: FieldType) -> String {
    let words: Vec<_> = Op::ALL.iter().filter(|op| allows(ty, **op)).map(|op| op.word()).collect();
    words.join(" ")
}

/// Reads one constant of an operator that gives its constants a form of its own.
pub fn single_of(kind: TermType, op: Op, value: &Value) -> Result<Operand, BadOperand> {
    let bad = |label: String| BadOperand { index: 0, label, near: None };
    match op {
        Op::Bcontains | Op::Bstartswith => hex(&value.bytes)
            .map(Operand::Bytes)
            .ok_or_else(|| bad("an even number of hex digits was expected".into())),
        Op::Regex => match Pattern::new(&value.bytes) {
            Ok(_) => Ok(Operand::Bytes(value.bytes.clone().into())),
            Err(why) => Err(bad(why)),
        },
        _ => single(kind, value),
    }
}

fn hex(digits: &[u8]) -> Option<Box<[u8]>> {
    if digits.len() % 2 == 1 {
        return None;
    }
    let digit = |b: u8| char::from(b).to_digit(16);
    digits.chunks_exact(2).map(|pair| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8)).collect()
}

/// Reads one constant. A number is cut to what the field's values can hold, as Falco cuts it.
pub fn single(kind: TermType, value: &Value) -> Result<Operand, BadOperand> {
    let text = || std::str::from_utf8(&value.bytes).unwrap_or("");
    let bad = |label: &str| BadOperand { index: 0, label: label.to_owned(), near: None };
    let no_number = || BadOperand { near: in_decimal(text()), ..bad(NUMBER) };
    match kind.ty {
        FieldType::Bool => match text() {
            "true" => Ok(Operand::Bool(true)),
            "false" => Ok(Operand::Bool(false)),
            written => Err(BadOperand { near: truth(written), ..bad("true or false was expected") }),
        },
        FieldType::Int => signed(text(), kind.bits).map(Operand::Number).ok_or_else(no_number),
        FieldType::Double => signed(text(), 32).map(Operand::Number).ok_or_else(no_number),
        FieldType::Uint | FieldType::Time | FieldType::Span => {
            unsigned(text(), kind.bits).map(Operand::Number).ok_or_else(no_number)
        }
        FieldType::Port => port(text())
            .map(Operand::Number)
            .ok_or_else(|| bad("a port number or a service name was expected")),
        FieldType::Text | FieldType::Path | FieldType::Bytes => {
            Ok(Operand::Bytes(value.bytes.clone().into()))
        }
        FieldType::Priority => match Priority::from_name(text()) {
            Some(priority) => Ok(Operand::Number(priority.urgency().into())),
            None => Err(BadOperand {
                near: did_you_mean(&text().to_ascii_lowercase(), PRIORITIES).map(guess),
                ..bad(&format!("the priorities are {}", PRIORITIES.join(", ")))
            }),
        },
        FieldType::Ip => ip(text()).map(Operand::Ip).ok_or_else(|| {
            bad(if text().contains('/') {
                "an address was expected; networks are compared with `fd.net` and its kin, such as `fd.snet`"
            } else {
                "an address was expected"
            })
        }),
        FieldType::Net => net(text()).map(Operand::Net).ok_or_else(|| BadOperand {
            // An address is the network that holds nothing else.
            near: ip(text()).map(|addr| {
                let bits = if addr.is_ipv4() { 32 } else { 128 };
                (format!("{addr}/{bits}"), Certainty::Sure)
            }),
            ..bad("a network such as 10.0.0.0/8 was expected (prefix 0 to 32, for IPv6 1 to 128)")
        }),
    }
}

fn guess(near: &str) -> (String, Certainty) {
    (near.to_owned(), Certainty::Guess)
}

/// The truth value that a word of YAML or of another language stands for.
fn truth(written: &str) -> Option<(String, Certainty)> {
    match written.to_ascii_lowercase().as_str() {
        word @ ("true" | "false") => Some((word.to_owned(), Certainty::Sure)),
        "yes" | "on" | "1" => Some(("true".to_owned(), Certainty::Sure)),
        "no" | "off" | "0" => Some(("false".to_owned(), Certainty::Sure)),
        word => did_you_mean(word, ["true", "false"]).map(guess),
    }
}

/// The decimal form of a number in another one.
fn in_decimal(written: &str) -> Option<(String, Certainty)> {
    let digits = written.strip_prefix("0x").or_else(|| written.strip_prefix("0X"));
    let number = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    number.or_else(|| written.strip_suffix(".0")?.parse().ok()).map(|n| (n.to_string(), Certainty::Sure))
}

/// The priorities' names as conditions usually write them, most urgent first.
const PRIORITIES: [&str; 8] =
    ["emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"];

const NUMBER: &str = "a whole decimal number was expected";

/// What a constant that stands twice in a list counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Twice {
    /// Once: the list is a set.
    Once,
    /// Each time, as `oneof` wants it.
    Each,
}

/// Reads the constants of a list. `pmatch` and modifiers keep them as written, other lists are sorted sets.
pub fn list(kind: TermType, op: Op, values: &[Value], twice: Twice) -> Result<Operand, BadOperand> {
    let mut singles = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        singles.push(single_of(kind, op, value).map_err(|bad| BadOperand { index, ..bad })?);
    }
    macro_rules! collect {
        ($single:ident, $many:ident) => {
            Operand::$many(
                singles
                    .into_iter()
                    .filter_map(|o| if let Operand::$single(v) = o { Some(v) } else { None })
                    .collect(),
            )
        };
    }
    let mut operand = match kind.ty {
        FieldType::Bool => collect!(Bool, Bools),
        FieldType::Int
        | FieldType::Uint
        | FieldType::Port
        | FieldType::Time
        | FieldType::Span
        | FieldType::Double
        | FieldType::Priority => {
            collect!(Number, Numbers)
        }
        FieldType::Text | FieldType::Path | FieldType::Bytes => collect!(Bytes, Texts),
        FieldType::Ip => collect!(Ip, Ips),
        FieldType::Net => collect!(Net, Nets),
    };
    if twice == Twice::Each || op == Op::Pmatch {
        return Ok(operand);
    }
    match &mut operand {
        Operand::Bools(v) => {
            v.sort_unstable();
            v.dedup();
        }
        Operand::Numbers(v) => {
            v.sort_unstable();
            v.dedup();
        }
        Operand::Texts(v) => {
            v.sort_unstable();
            v.dedup();
        }
        Operand::Ips(v) => {
            v.sort_unstable();
            v.dedup();
        }
        _ => {}
    }
    Ok(operand)
}

/// The event types for which a check of `evt.type` holds. Every constant must name one, whatever the operator.
pub fn events(op: Op, modifier: Option<Modifier>, values: &[Value]) -> Result<Operand, BadOperand> {
    let mut named = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let text = std::str::from_utf8(&value.bytes).unwrap_or("");
        named.push(EventType::from_name(text).ok_or_else(|| BadOperand {
            index,
            label: String::new(),
            near: None,
        })?);
    }
    if let Some(modifier) = modifier {
        let held = |t: &EventType| {
            let each =
                named.iter().filter(|n| text_matches(op, t.name().as_bytes(), n.name().as_bytes())).count();
            match modifier {
                Modifier::Anyof => each > 0,
                Modifier::Allof => each == named.len() && each > 0,
                Modifier::Oneof => each == 1,
            }
        };
        return Ok(Operand::Events(EventType::all().filter(held).collect()));
    }
    let set: EventSet = match op {
        Op::Exists => EventSet::all(),
        Op::Eq | Op::In | Op::Intersects => named.into_iter().collect(),
        Op::Ne => named.into_iter().collect::<EventSet>().complement(),
        _ => EventType::all()
            .filter(|t| named.iter().any(|n| text_matches(op, t.name().as_bytes(), n.name().as_bytes())))
            .collect(),
    };
    Ok(Operand::Events(set))
}

/// A decimal number as Falco reads one: blanks before it and a sign may stand, nothing after it. Gives whether a minus
/// stands before it, and its digits as a number, the largest there is where they are more.
fn decimal(text: &str) -> Option<(bool, u64)> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((text.starts_with('-'), digits.parse().unwrap_or(u64::MAX)))
}

/// A signed number, held to 64 bits and then cut to fewer.
fn signed(text: &str, bits: u8) -> Option<i128> {
    let (minus, digits) = decimal(text)?;
    let wide = i128::from(digits) * if minus { -1 } else { 1 };
    let held = wide.clamp(i64::MIN.into(), i64::MAX.into());
    Some(match bits {
        16 => i128::from(held as i16),
        32 => i128::from(held as i32),
        _ => held,
    })
}

/// An unsigned number: a minus counts from the upper end down, so that -1 is the largest, as uids write it.
fn unsigned(text: &str, bits: u8) -> Option<i128> {
    let (minus, digits) = decimal(text)?;
    let held = if minus && digits < u64::MAX { digits.wrapping_neg() } else { digits };
    Some(match bits {
        16 => i128::from(held as u16),
        32 => i128::from(held as u32),
        _ => held.into(),
    })
}

/// A port: digits alone, cut to 16 bits, or the name of a service; nothing is port 0.
fn port(text: &str) -> Option<i128> {
    if text.is_empty() {
        return Some(0);
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse::<i32>().ok().map(|n| i128::from(n as u16));
    }
    ports::by_name(text).map(i128::from)
}

/// An address: with a point IPv4, else IPv6.
fn ip(text: &str) -> Option<IpAddr> {
    if text.contains('.') { text.parse().ok().map(IpAddr::V4) } else { text.parse().ok().map(IpAddr::V6) }
}

fn net(text: &str) -> Option<IpNet> {
    let (addr, prefix) = text.split_once('/')?;
    let addr = ip(addr)?;
    let prefix: u8 = prefix.parse().ok().filter(|_| prefix.bytes().all(|b| b.is_ascii_digit()))?;
    if addr.is_ipv6() && prefix == 0 {
        return None;
    }
    IpNet::new(addr, prefix)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn read(ty: FieldType, text: &str) -> Result<Operand, BadOperand> {
        read_in(ty, 64, text)
    }

    fn read_in(ty: FieldType, bits: u8, text: &str) -> Result<Operand, BadOperand> {
        let kind = TermType { bits, ..TermType::one(ty) };
        single(kind, &Value { bytes: text.into(), quoted: false, at: 0..0 })
    }

    #[test]
    fn numbers_are_decimal_and_whole() {
        for (text, n) in [("4", 4), ("04", 4), ("+4", 4), (" 4", 4), ("-1", -1)] {
            assert_eq!(read(FieldType::Int, text), Ok(Operand::Number(n)), "{text}");
        }
        for text in ["0x4", "4.0", "4abc", "", "abc", "4 ", "+-4"] {
            assert!(read(FieldType::Int, text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_are_cut_to_what_the_values_hold() {
        for (ty, bits, text, n) in [
            (FieldType::Int, 64, "99999999999999999999", i128::from(i64::MAX)),
            (FieldType::Int, 64, "-99999999999999999999", i128::from(i64::MIN)),
            (FieldType::Int, 32, "4294967296", 0),
            (FieldType::Int, 16, "65535", -1),
            (FieldType::Uint, 32, "-1", i128::from(u32::MAX)),
            (FieldType::Uint, 32, "4294967297", 1),
            (FieldType::Uint, 64, "-1", i128::from(u64::MAX)),
            (FieldType::Uint, 64, "99999999999999999999", i128::from(u64::MAX)),
            (FieldType::Span, 64, "-1", i128::from(u64::MAX)),
            (FieldType::Double, 64, "4294967297", 1),
        ] {
            assert_eq!(read_in(ty, bits, text), Ok(Operand::Number(n)), "{ty:?} {bits} {text}");
        }
    }

    #[test]
    fn ports_have_names_and_are_cut_to_sixteen_bits() {
        for (text, n) in [("https", 443), ("443", 443), ("65979", 443), ("70000", 4464), ("", 0)] {
            assert_eq!(read(FieldType::Port, text), Ok(Operand::Number(n)), "{text}");
        }
        for text in ["-1", "0x1bb", "+443", " 443", "443.0", "2147483648", "nosuch"] {
            assert!(read(FieldType::Port, text).is_err(), "{text}");
        }
    }

    #[test]
    fn priorities_are_names_in_any_case_ordered_by_urgency() {
        for (name, priority) in PRIORITIES.into_iter().zip(Priority::ALL) {
            let urgency = Operand::Number(priority.urgency().into());
            assert_eq!(read(FieldType::Priority, name), Ok(urgency.clone()));
            assert_eq!(read(FieldType::Priority, priority.name()), Ok(urgency));
        }
        assert!(Priority::Critical.urgency() > Priority::Warning.urgency());
        let wrong = read(FieldType::Priority, "Warnign").unwrap_err();
        assert_eq!(wrong.near, Some(guess("warning")));
        assert!(read(FieldType::Priority, "4").is_err());
    }

    #[test]
    fn addresses_and_networks_keep_to_their_families() {
        assert!(read(FieldType::Ip, "1.2.3.4").is_ok());
        assert!(read(FieldType::Ip, "::1").is_ok());
        for text in ["::ffff:1.2.3.4", "1.2.3.0/24", "1.2.3", "host"] {
            assert!(read(FieldType::Ip, text).is_err(), "{text}");
        }
        for text in ["1.2.3.4/0", "1.2.3.4/32", "2001::/1", "::1/128"] {
            assert!(read(FieldType::Net, text).is_ok(), "{text}");
        }
        for text in ["::/0", "1.2.3.4", "1.2.3.4/33", "1.2.3.4/x", "::/129", "1.2.3.4/+8"] {
            assert!(read(FieldType::Net, text).is_err(), "{text}");
        }
    }
}
