//! Predicates made ready for speed: searchers built, sets hashed, patterns cut. One [`Matcher`] a predicate.
//!
//! A matcher sees one value at a time and allocates nothing. Which values it sees, and how many must match, is the
//! quantifier's business.

pub mod glob;
pub mod paths;

use std::net::IpAddr;
use std::ops::ControlFlow;

use eyas_event::{EventSet, FieldRef, FieldType, Fields, IpNet, Value};
use memchr::memmem::Finder;
use rustc_hash::FxHashSet;

use crate::ir::{Operand, Predicate, Quantifier};
use crate::syntax::ast::Op;
use glob::Glob;
use paths::PathPrefixes;

/// A predicate ready to run.
#[derive(Debug)]
pub struct Matcher {
    field: FieldRef,
    quantifier: Quantifier,
    test: Test,
    /// Whether the field's text is a time of day.
    clock: bool,
}

#[derive(Debug)]
enum Test {
    Exists,
    Events(EventSet),
    Bool { is: bool, negated: bool },
    BoolIn(Vec<bool>),
    Number(Op, i128),
    NumberIn(Vec<i128>),
    Bytes(Op, Box<[u8]>),
    Contains(Box<Finder<'static>>),
    Glob(Glob),
    BytesIn(FxHashSet<Box<[u8]>>),
    Paths(PathPrefixes),
    Ip { is: IpAddr, negated: bool },
    IpIn(Vec<IpAddr>),
    Net { is: IpNet, negated: bool },
    NetIn(Vec<IpNet>),
    Never,
}

impl Matcher {
    /// Prepares a predicate.
    pub fn new(predicate: &Predicate) -> Self {
        let op = predicate.op;
        let negated = op == Op::Ne;
        let test = match &predicate.operand {
            Operand::None => Test::Exists,
            Operand::Events(set) => Test::Events(*set),
            Operand::Bool(is) => Test::Bool { is: *is, negated },
            Operand::Bools(v) => Test::BoolIn(v.clone()),
            Operand::Number(n) => Test::Number(op, *n),
            Operand::Numbers(v) => Test::NumberIn(v.clone()),
            Operand::Bytes(b) => match op {
                Op::Contains => Test::Contains(Box::new(Finder::new(b).into_owned())),
                Op::Glob => Test::Glob(Glob::new(b, false)),
                Op::Iglob => Test::Glob(Glob::new(b, true)),
                _ => Test::Bytes(op, b.clone()),
            },
            Operand::Texts(v) if op == Op::Pmatch => Test::Paths(PathPrefixes::new(v)),
            Operand::Texts(v) => Test::BytesIn(v.iter().cloned().collect()),
            Operand::Ip(is) => Test::Ip { is: *is, negated },
            Operand::Ips(v) => Test::IpIn(v.clone()),
            Operand::Net(is) => Test::Net { is: *is, negated },
            Operand::Nets(v) => Test::NetIn(v.clone()),
        };
        let test = if predicate.constant() == Some(false) { Test::Never } else { test };
        let clock = predicate.field.ty() == FieldType::Text && !matches!(test, Test::Exists);
        Self { field: predicate.field.clone(), quantifier: predicate.quantifier(), test, clock }
    }

    /// Whether the predicate holds for an event. `buf` is lent to the event for text that it must render.
    pub fn holds(&self, fields: &impl Fields, buf: &mut Vec<u8>) -> bool {
        if let Test::Events(set) = &self.test {
            return fields.event_type().is_some_and(|t| set.contains(t));
        }
        buf.clear();
        match self.quantifier {
            Quantifier::One => {
                let time = match fields.get(&self.field, buf) {
                    Value::Time(time) if self.clock => time,
                    value => return self.test.value(&value),
                };
                // A clock is compared as it is printed.
                buf.clear();
                self.field.write_text(&Value::Time(time), buf);
                self.test.value(&Value::Bytes(buf))
            }
            Quantifier::Any => fields
                .each(&self.field, buf, &mut |value| {
                    if self.test.value(&value) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                })
                .is_break(),
            Quantifier::All => {
                let mut some = false;
                let failed = fields.each(&self.field, buf, &mut |value| {
                    some = true;
                    if self.test.value(&value) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                });
                some && failed.is_continue()
            }
        }
    }
}

impl Test {
    /// Whether one value satisfies the test. A missing value satisfies none.
    fn value(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (_, Value::Absent) | (Self::Never, _) => false,
            (Self::Exists, _) => true,
            (Self::Bool { is, negated }, Value::Bool(b)) => (b == is) != *negated,
            (Self::BoolIn(v), Value::Bool(b)) => v.contains(b),
            (Self::Number(op, n), Value::Double(d)) => compare_double(*op, *d, *n as f64),
            (Self::NumberIn(v), Value::Double(d)) => v.iter().any(|n| compare_double(Op::Eq, *d, *n as f64)),
            (Self::Number(op, n), value) => number(value).is_some_and(|v| compare(*op, &v, n)),
            (Self::NumberIn(v), value) => number(value).is_some_and(|n| v.binary_search(&n).is_ok()),
            (Self::Bytes(op, operand), Value::Bytes(b)) => text_matches(*op, b, operand),
            (Self::Contains(finder), Value::Bytes(b)) => finder.find(b).is_some(),
            (Self::Glob(glob), Value::Bytes(b)) => glob.matches(b),
            (Self::BytesIn(set), Value::Bytes(b)) => set.contains(*b),
            (Self::Paths(paths), Value::Bytes(b)) => paths.matches(b),
            (Self::Ip { is, negated }, Value::Ip(ip)) => (ip == is) != *negated,
            (Self::IpIn(v), Value::Ip(ip)) => v.contains(ip),
            (Self::Net { is, negated }, Value::Ip(ip)) => is.contains(*ip) != *negated,
            (Self::NetIn(v), Value::Ip(ip)) => v.iter().any(|net| net.contains(*ip)),
            _ => false,
        }
    }
}

fn number(value: &Value<'_>) -> Option<i128> {
    match *value {
        Value::Int(n) | Value::Span(n) => Some(n.into()),
        Value::Uint(n) | Value::Time(n) => Some(n.into()),
        Value::Port(n) => Some(n.into()),
        _ => None,
    }
}

fn compare_double(op: Op, a: f64, b: f64) -> bool {
    a.partial_cmp(&b).is_some_and(|order| compare(op, &order, &std::cmp::Ordering::Equal))
}

fn compare<T: Ord + ?Sized>(op: Op, a: &T, b: &T) -> bool {
    match op {
        Op::Eq => a == b,
        Op::Ne => a != b,
        Op::Lt => a < b,
        Op::Le => a <= b,
        Op::Gt => a > b,
        Op::Ge => a >= b,
        _ => false,
    }
}

/// Whether a text satisfies a text operator with one operand.
pub fn text_matches(op: Op, value: &[u8], operand: &[u8]) -> bool {
    match op {
        Op::Contains => memchr::memmem::find(value, operand).is_some(),
        Op::Icontains => contains_ignoring_case(value, operand),
        Op::Startswith => value.starts_with(operand),
        Op::Endswith => value.ends_with(operand),
        Op::Glob => Glob::new(operand, false).matches(value),
        Op::Iglob => Glob::new(operand, true).matches(value),
        Op::Pmatch => PathPrefixes::new(&[operand.into()]).matches(value),
        Op::In | Op::Intersects => value == operand,
        _ => compare(op, value, operand),
    }
}

/// Substring search that folds ASCII letters.
fn contains_ignoring_case(value: &[u8], operand: &[u8]) -> bool {
    let Some(first) = operand.first() else { return true };
    let Some(last) = value.len().checked_sub(operand.len()) else { return false };
    let (low, up) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    memchr::memchr2_iter(low, up, &value[..=last])
        .any(|at| value[at..at + operand.len()].eq_ignore_ascii_case(operand))
}
