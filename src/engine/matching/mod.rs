//! Predicates made ready for speed: searchers built, sets hashed, patterns cut. One [`Matcher`] a predicate.
//!
//! A matcher sees one value at a time and allocates nothing. Which values it sees, and how many must match, is the
//! quantifier's business.

mod column;
pub mod eval;
pub mod glob;
mod networks;
pub mod paths;
mod read;
pub mod regex;

use std::net::IpAddr;
use std::ops::ControlFlow;

use eyas_event::{EventSet, Fields, IpNet, Value};
use memchr::memmem::Finder;
use rustc_hash::FxHashSet;

use crate::ir::{Operand, Predicate, Quantifier, Term};
use crate::syntax::ast::{Modifier, Op};
pub(crate) use column::Row;
pub use column::{Column, Kind};
use glob::Glob;
use networks::Networks;
use paths::PathPrefixes;
pub use read::Buffers;
pub(crate) use read::{Read, is_ready};
use regex::Pattern;

/// A predicate ready to run.
#[derive(Debug)]
pub struct Matcher {
    read: Read,
    quantifier: Quantifier,
    test: Test,
}

impl Buffers {
    /// Appends a term's value as an output prints it.
    pub fn write(&mut self, term: &Term, fields: &impl Fields, out: &mut Vec<u8>) {
        if !term.term_type().list {
            self.left.value(term, fields).write_text(out);
        } else if self.left.list(term, fields) {
            out.push(b'(');
            for (i, element) in self.left.found().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(element);
            }
            out.push(b')');
        } else {
            out.extend_from_slice(b"<NA>");
        }
    }
}

#[derive(Debug)]
enum Test {
    Regex(Box<Pattern>),
    Modified(Modifier, Vec<Test>),
    Term(Op, Term),
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
    IpIn(FxHashSet<IpAddr>),
    Net { is: IpNet, negated: bool },
    NetIn(Networks<bool>),
    Never,
}

impl Matcher {
    /// Prepares a predicate. Where its value was given a place to be kept in, `kept` says which.
    pub fn new(predicate: &Predicate, kept: Option<u32>) -> Self {
        let read = Read::new(&predicate.term, kept);
        Self { read, quantifier: predicate.quantifier(), test: Test::new(predicate) }
    }

    /// Whether the predicate holds for an event. The buffers are lent for text that must be rendered or worked out.
    pub fn holds(&self, fields: &impl Fields, buffers: &mut Buffers) -> bool {
        match &self.test {
            Test::Events(set) => fields.event_type().is_some_and(|t| set.contains(t)),
            Test::Exists if self.quantifier != Quantifier::One && matches!(self.read, Read::Term(_)) => {
                // A list that was worked out is there even when nothing is in it.
                let Read::Term(term) = &self.read else { return false };
                buffers.left.list(term, fields)
            }
            Test::Modified(modifier, tests) => {
                let mut each = tests.iter().map(|test| self.quantified(fields, buffers, &|v| test.value(v)));
                match modifier {
                    Modifier::Anyof => each.any(|held| held),
                    Modifier::Allof => each.all(|held| held),
                    Modifier::Oneof => each.filter(|held| *held).count() == 1,
                }
            }
            Test::Term(op, term) => {
                // The right side stays where it was worked out while the left is read.
                let mut right = std::mem::take(&mut buffers.right);
                let held = if term.term_type().list {
                    right.list(term, fields)
                        && self.quantified(fields, buffers, &|value| {
                            matches!(value, Value::Bytes(b) if right.found().any(|other| other == *b))
                        })
                } else {
                    match right.value(term, fields) {
                        Value::Absent => false,
                        other => self.quantified(fields, buffers, &|value| values_match(*op, value, &other)),
                    }
                };
                buffers.right = right;
                held
            }
            test => self.quantified(fields, buffers, &|value| test.value(value)),
        }
    }

    /// Whether enough of the left side's values satisfy a test.
    #[inline]
    fn quantified(
        &self,
        fields: &impl Fields,
        buffers: &mut Buffers,
        test: &impl Fn(&Value<'_>) -> bool,
    ) -> bool {
        match self.quantifier {
            Quantifier::One => self.read.with(fields, buffers, test),
            Quantifier::Any => self
                .read
                .each(fields, buffers, &mut |value| {
                    if test(&value) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                })
                .is_break(),
            Quantifier::All => {
                if let Read::Term(term) = &self.read {
                    // A list that was worked out and is empty has no element that fails.
                    return buffers.left.list(term, fields)
                        && buffers.left.found().all(|element| test(&Value::Bytes(element)));
                }
                let mut some = false;
                let failed = self.read.each(fields, buffers, &mut |value| {
                    some = true;
                    if test(&value) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                });
                some && failed.is_continue()
            }
        }
    }
}

impl Test {
    fn new(predicate: &Predicate) -> Self {
        if predicate.constant() == Some(false) {
            return Self::Never;
        }
        let op = predicate.op;
        if let Some(modifier) = predicate.modifier {
            return Self::Modified(
                modifier,
                singles(&predicate.operand).iter().map(|o| Self::of(op, o)).collect(),
            );
        }
        Self::of(op, &predicate.operand)
    }

    fn of(op: Op, operand: &Operand) -> Self {
        let negated = op == Op::Ne;
        match operand {
            Operand::None => Self::Exists,
            Operand::Events(set) => Self::Events(*set),
            Operand::Term(term) => Self::Term(op, term.clone()),
            Operand::Bool(is) => Self::Bool { is: *is, negated },
            Operand::Bools(v) => Self::BoolIn(v.clone()),
            Operand::Number(n) => Self::Number(op, *n),
            Operand::Numbers(v) => Self::NumberIn(v.clone()),
            Operand::Bytes(b) => match op {
                Op::Contains | Op::Bcontains => Self::Contains(Box::new(Finder::new(b).into_owned())),
                Op::Glob => Self::Glob(Glob::new(b, false)),
                Op::Iglob => Self::Glob(Glob::new(b, true)),
                // A pattern that does not read was refused when the condition was.
                Op::Regex => Pattern::new(b).map_or(Self::Never, |pattern| Self::Regex(Box::new(pattern))),
                _ => Self::Bytes(op, b.clone()),
            },
            Operand::Texts(v) if op == Op::Pmatch => Self::Paths(PathPrefixes::new(v)),
            Operand::Texts(v) => Self::BytesIn(v.iter().cloned().collect()),
            Operand::Ip(is) => Self::Ip { is: *is, negated },
            Operand::Ips(v) => Self::IpIn(v.iter().copied().collect()),
            Operand::Net(is) => Self::Net { is: *is, negated },
            Operand::Nets(v) => Self::NetIn(Networks::any(v)),
        }
    }

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
            (Self::Regex(pattern), Value::Bytes(b)) => pattern.matches(b),
            (Self::Glob(glob), Value::Bytes(b)) => glob.matches(b),
            (Self::BytesIn(set), Value::Bytes(b)) => set.contains(*b),
            (Self::Paths(paths), Value::Bytes(b)) => paths.matches(b),
            (Self::Ip { is, negated }, Value::Ip(ip)) => (ip == is) != *negated,
            (Self::IpIn(v), Value::Ip(ip)) => v.contains(ip),
            (Self::Net { is, negated }, Value::Ip(ip)) => is.contains(*ip) != *negated,
            (Self::NetIn(networks), Value::Ip(ip)) => networks.at(*ip).is_some_and(|within| *within),
            _ => false,
        }
    }
}

/// The operands of a list, one by one.
fn singles(operand: &Operand) -> Vec<Operand> {
    match operand {
        Operand::Bools(v) => v.iter().map(|b| Operand::Bool(*b)).collect(),
        Operand::Numbers(v) => v.iter().map(|n| Operand::Number(*n)).collect(),
        Operand::Texts(v) => v.iter().map(|b| Operand::Bytes(b.clone())).collect(),
        Operand::Ips(v) => v.iter().map(|ip| Operand::Ip(*ip)).collect(),
        Operand::Nets(v) => v.iter().map(|net| Operand::Net(*net)).collect(),
        other => vec![other.clone()],
    }
}

/// Whether two values of one type satisfy an operator. A missing one satisfies none.
fn values_match(op: Op, value: &Value<'_>, other: &Value<'_>) -> bool {
    match (value, other) {
        (Value::Bytes(a), Value::Bytes(b)) => text_matches(op, a, b),
        (Value::Bool(a), Value::Bool(b)) => compare(op, a, b),
        (Value::Ip(a), Value::Ip(b)) => compare(op, a, b),
        (a, b) => number(a).zip(number(b)).is_some_and(|(a, b)| compare(op, &a, &b)),
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
        Op::Contains | Op::Bcontains => memchr::memmem::find(value, operand).is_some(),
        Op::Icontains => contains_ignoring_case(value, operand),
        Op::Startswith | Op::Bstartswith => value.starts_with(operand),
        Op::Endswith => value.ends_with(operand),
        Op::Glob => glob::matches(operand, value, false),
        Op::Iglob => glob::matches(operand, value, true),
        // No event gives these their pattern: they are asked so only while a rule is read.
        Op::Regex => Pattern::new(operand).is_ok_and(|pattern| pattern.matches(value)),
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
