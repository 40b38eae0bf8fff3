//! A predicate: one term, one operator, one typed operand. Plain data; [`crate::matching`] makes it fast.

use std::fmt;
use std::net::IpAddr;

use eyas_event::{Arg, EventSet, FieldRef, FieldType, IpNet, Priority, Shape};

use crate::ir::term::Term;
use crate::syntax::ast::{Modifier, Op};

/// A comparison whose types were checked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Predicate {
    /// What is read.
    pub term: Term,
    /// How it is compared; `intersects` became `in`, which means the same for single values, but for lists.
    pub op: Op,
    /// How many of the operand's values must satisfy it, where the comparison says so.
    pub modifier: Option<Modifier>,
    /// With what.
    pub operand: Operand,
}

/// The right side, in the field's type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    /// `exists` has none.
    None,
    /// A truth value.
    Bool(bool),
    /// Truth values.
    Bools(Vec<bool>),
    /// A number, wide enough for every numeric type.
    Number(i128),
    /// Numbers, sorted.
    Numbers(Vec<i128>),
    /// Text.
    Bytes(Box<[u8]>),
    /// Texts, sorted; in the order written for `pmatch`.
    Texts(Vec<Box<[u8]>>),
    /// An address.
    Ip(IpAddr),
    /// Addresses.
    Ips(Vec<IpAddr>),
    /// A network.
    Net(IpNet),
    /// Networks.
    Nets(Vec<IpNet>),
    /// What another term gives: `val(field)` or a transformer.
    Term(Term),
    /// The event types for which a check of `evt.type` holds.
    Events(EventSet),
}

/// Which of a field's values must satisfy the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// The one it has.
    One,
    /// At least one.
    Any,
    /// All, and there is at least one.
    All,
}

impl Predicate {
    /// Which values count: of a list all for `in` and one for `intersects`; of an any-side field one side for every operator but `!=`, which wants both; of ancestors
    /// without an index, one.
    pub fn quantifier(&self) -> Quantifier {
        let Some(field) = self.term.field() else {
            return match (self.term.term_type().list, self.op) {
                (false, _) => Quantifier::One,
                (true, Op::In) => Quantifier::All,
                (true, _) => Quantifier::Any,
            };
        };
        match (field.id.info().shape, &field.arg) {
            (Shape::One, _) | (Shape::Ancestors, Arg::Index(_) | Arg::Param(_) | Arg::Key(_)) => {
                Quantifier::One
            }
            (Shape::AnySide, _) if self.op == Op::Ne => Quantifier::All,
            (Shape::List, _) if self.op == Op::In => Quantifier::All,
            (Shape::AnySide | Shape::List, _) | (Shape::Ancestors, Arg::None) => Quantifier::Any,
        }
    }

    /// Every field that it reads, on either side.
    pub fn fields(&self) -> Vec<&FieldRef> {
        let mut read = Vec::new();
        self.term.fields(&mut read);
        if let Operand::Term(other) = &self.operand {
            other.fields(&mut read);
        }
        read
    }

    /// The predicate's value when no event can change it: `in` an empty list never holds.
    pub fn constant(&self) -> Option<bool> {
        let empty = match &self.operand {
            Operand::Bools(v) => v.is_empty(),
            Operand::Numbers(v) => v.is_empty(),
            Operand::Texts(v) => v.is_empty(),
            Operand::Ips(v) => v.is_empty(),
            Operand::Nets(v) => v.is_empty(),
            _ => false,
        };
        empty.then_some(false)
    }
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.term, self.op.word())?;
        if let Some(modifier) = self.modifier {
            write!(f, " {}", modifier.word())?;
        }
        let text = |bytes: &[u8]| {
            let value = crate::syntax::ast::Value { bytes: bytes.to_vec(), quoted: false, at: 0..0 };
            value.to_string()
        };
        let net = |net: &IpNet| {
            let (addr, prefix) = net.parts();
            format!("{addr}/{prefix}")
        };
        let priority = self.term.term_type().ty == FieldType::Priority;
        let number = |n: &i128| {
            let named = Priority::ALL.into_iter().find(|p| priority && i128::from(p.urgency()) == *n);
            named.map_or_else(|| n.to_string(), |p| p.name().to_ascii_lowercase())
        };
        let list = |f: &mut fmt::Formatter<'_>, items: Vec<String>| write!(f, " ({})", items.join(", "));
        match &self.operand {
            Operand::None => Ok(()),
            Operand::Bool(b) => write!(f, " {b}"),
            Operand::Number(n) => write!(f, " {}", number(n)),
            Operand::Bytes(b) => write!(f, " {}", text(b)),
            Operand::Ip(ip) => write!(f, " {ip}"),
            Operand::Net(n) => write!(f, " {}", net(n)),
            Operand::Term(Term::Field(field)) => write!(f, " val({})", field.name()),
            Operand::Term(term) => write!(f, " {term}"),
            Operand::Bools(v) => list(f, v.iter().map(bool::to_string).collect()),
            Operand::Numbers(v) => list(f, v.iter().map(number).collect()),
            Operand::Texts(v) => list(f, v.iter().map(|b| text(b)).collect()),
            Operand::Ips(v) => list(f, v.iter().map(IpAddr::to_string).collect()),
            Operand::Nets(v) => list(f, v.iter().map(net).collect()),
            Operand::Events(set) if set.len() <= 12 => {
                list(f, set.iter().map(|t| t.name().to_owned()).collect())
            }
            Operand::Events(set) => write!(f, " <{} event types>", set.len()),
        }
    }
}
