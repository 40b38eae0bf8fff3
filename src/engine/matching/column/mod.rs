//! All tests of a program that compare one field with constants, answered by one look at its value.
//!
//! Rules compare the same few fields with thousands of constants: `proc.name` with every package manager, `fd.name` with
//! every directory below /etc, `fd.sip` with a list of bad addresses. A column holds these constants in one table; what
//! is found there is a row of bits, one for each test. So the first test of an event pays for one search, and each
//! further one for a bit.

mod beginnings;

use std::collections::BTreeMap;
use std::net::IpAddr;

use aho_corasick::AhoCorasick;
use eyas_event::{FieldType, Fields, Value};
use rustc_hash::FxHashMap;

use crate::ir::{Operand, Predicate, Quantifier};
use crate::matching::networks::Networks;
use crate::matching::{Buffers, Read};
use crate::syntax::ast::Op;
use beginnings::Beginnings;

/// How a column compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// With whole texts: `=`, `!=`, `in`.
    Whole,
    /// With beginnings: `startswith`.
    Beginning,
    /// With what a text holds: `contains`.
    Within,
    /// With addresses.
    Address,
    /// With networks.
    Network,
}

impl Kind {
    /// How a column would answer a predicate; `None` when none can.
    pub fn of(predicate: &Predicate) -> Option<Self> {
        let field = predicate.term.field()?;
        if predicate.quantifier() != Quantifier::One || predicate.modifier.is_some() {
            return None;
        }
        let text = matches!(field.ty(), FieldType::Text | FieldType::Path);
        match (&predicate.operand, predicate.op) {
            (Operand::Bytes(_), Op::Eq | Op::Ne | Op::In | Op::Intersects)
            | (Operand::Texts(_), Op::In | Op::Intersects)
                if text =>
            {
                Some(Self::Whole)
            }
            (Operand::Bytes(_), Op::Startswith) if text => Some(Self::Beginning),
            (Operand::Bytes(part), Op::Contains) if text && !part.is_empty() => Some(Self::Within),
            (Operand::Ip(_) | Operand::Ips(_), _) => Some(Self::Address),
            (Operand::Net(_) | Operand::Nets(_), _) => Some(Self::Network),
            _ => None,
        }
    }

    /// From how many tests on a column is worth its search.
    pub fn pays_from(self) -> usize {
        match self {
            Self::Whole => 8,
            Self::Beginning => 4,
            Self::Address | Self::Network => 3,
            // One pass over a text for many parts is slower than one for a single part, which skips most of it.
            Self::Within => 24,
        }
    }
}

/// The answers to all tests of one kind on one field.
#[derive(Debug)]
pub struct Column {
    read: Read,
    find: Find,
    rows: Rows,
}

/// Where the row of a value is found.
#[derive(Debug)]
enum Find {
    Whole(FxHashMap<Box<[u8]>, u32>),
    Beginning(Beginnings<u32>),
    /// The automaton, and for each of its parts the bits of its tests.
    Within(Box<AhoCorasick>, Vec<Vec<u16>>),
    Address(FxHashMap<IpAddr, u32>),
    Network(Networks<u32>),
}

/// A row in an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// One of the table.
    Of(u32),
    /// One made for this event.
    Own,
}

impl Column {
    /// The column of these predicates, which all have the field and the kind; the i-th has the i-th bit. `None` when its
    /// table would be too large.
    pub(crate) fn new(read: Read, kind: Kind, predicates: &[&Predicate]) -> Option<Self> {
        let mut rows = Rows::new(predicates);
        let find = match kind {
            Kind::Whole => Find::Whole(rows.turned(&named(predicates, texts))),
            Kind::Address => Find::Address(rows.turned(&named(predicates, addresses))),
            Kind::Beginning => {
                let texts = named(predicates, texts);
                let beginnings =
                    Beginnings::new(texts.iter().map(|(text, bits)| (*text, bits)), |shorter, bits| {
                        let mut row: Vec<u64> = shorter.cloned().unwrap_or_else(|| rows.other.clone());
                        for bit in bits {
                            set(&mut row, *bit);
                        }
                        row
                    });
                Find::Beginning(beginnings.map(|row| rows.add(row)))
            }
            Kind::Within => {
                let parts = named(predicates, texts);
                let automaton = AhoCorasick::new(parts.keys()).ok()?;
                Find::Within(Box::new(automaton), parts.into_values().collect())
            }
            Kind::Network => {
                let nets = predicates.iter().enumerate().flat_map(|(bit, predicate)| {
                    let nets = match &predicate.operand {
                        Operand::Net(net) => std::slice::from_ref(net),
                        Operand::Nets(nets) => nets,
                        _ => &[],
                    };
                    nets.iter().map(move |net| (net, bit))
                });
                Find::Network(Networks::new(nets, predicates.len(), |times| {
                    let named = times.iter().enumerate().filter(|(_, times)| **times > 0);
                    rows.flipped(named.map(|(bit, _)| bit as u16))
                }))
            }
        };
        Some(Self { read, find, rows })
    }

    /// The row of an event; `own` takes one that is made for it.
    pub(crate) fn row(&self, fields: &impl Fields, buffers: &mut Buffers, own: &mut Vec<u64>) -> Row {
        let other = Some(&Rows::OTHER);
        self.read.with(fields, buffers, |value| {
            let found = match (&self.find, value) {
                (Find::Whole(table), Value::Bytes(text)) => table.get(*text).or(other),
                (Find::Beginning(beginnings), Value::Bytes(text)) => beginnings.longest(text).or(other),
                (Find::Within(automaton, bits), Value::Bytes(text)) => {
                    let mut found = automaton.find_overlapping_iter(*text).peekable();
                    if found.peek().is_some() {
                        own.clear();
                        own.resize(self.rows.words, 0);
                        for part in found {
                            bits[part.pattern().as_usize()].iter().for_each(|bit| set(own, *bit));
                        }
                        return Row::Own;
                    }
                    other
                }
                (Find::Address(table), Value::Ip(ip)) => table.get(ip).or(other),
                (Find::Network(networks), Value::Ip(ip)) => networks.at(*ip).or(other),
                _ => None,
            };
            Row::Of(*found.unwrap_or(&Rows::MISSING))
        })
    }

    /// The words of a row.
    pub(crate) fn words<'r>(&'r self, row: Row, own: &'r [u64]) -> &'r [u64] {
        match row {
            Row::Of(row) => {
                let first = row as usize * self.rows.words;
                self.rows.all.get(first..first + self.rows.words).unwrap_or_default()
            }
            Row::Own => own,
        }
    }

    /// Whether a test holds in a row.
    #[inline]
    pub(crate) fn holds(&self, row: Row, own: &[u64], bit: u16) -> bool {
        let word = self.words(row, own).get(usize::from(bit / 64));
        word.is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }
}

/// Every constant with the bits of the tests that name it, in order.
fn named<'p, T: Ord>(
    predicates: &[&'p Predicate],
    constants: impl Fn(&'p Operand) -> Vec<T>,
) -> BTreeMap<T, Vec<u16>> {
    let mut tests: BTreeMap<T, Vec<u16>> = BTreeMap::new();
    for (bit, predicate) in predicates.iter().enumerate() {
        for constant in constants(&predicate.operand) {
            tests.entry(constant).or_default().push(bit as u16);
        }
    }
    tests
}

fn texts(operand: &Operand) -> Vec<&[u8]> {
    match operand {
        Operand::Bytes(text) => vec![text],
        Operand::Texts(texts) => texts.iter().map(|text| &**text).collect(),
        _ => Vec::new(),
    }
}

fn addresses(operand: &Operand) -> Vec<IpAddr> {
    match operand {
        Operand::Ip(ip) => vec![*ip],
        Operand::Ips(ips) => ips.clone(),
        _ => Vec::new(),
    }
}

fn set(row: &mut [u64], bit: u16) {
    row[usize::from(bit / 64)] |= 1 << (bit % 64);
}

/// The rows of a table; equal ones are kept once.
#[derive(Debug)]
struct Rows {
    /// How many words a row has.
    words: usize,
    /// Row after row.
    all: Vec<u64>,
    index: FxHashMap<Vec<u64>, u32>,
    /// That of a value which no test names: only `!=` holds.
    other: Vec<u64>,
}

impl Rows {
    /// The row of a missing value, for which no test holds.
    const MISSING: u32 = 0;
    /// The row of a value that no test names.
    const OTHER: u32 = 1;

    fn new(predicates: &[&Predicate]) -> Self {
        let words = predicates.len().div_ceil(64);
        let mut other = vec![0; words];
        for (bit, _) in predicates.iter().enumerate().filter(|(_, predicate)| predicate.op == Op::Ne) {
            set(&mut other, bit as u16);
        }
        // The two may be equal, and have their places all the same.
        let all = [vec![0; words], other.clone()].concat();
        Self { words, all, index: FxHashMap::default(), other }
    }

    fn add(&mut self, row: Vec<u64>) -> u32 {
        let next = (self.all.len() / self.words) as u32;
        *self.index.entry(row).or_insert_with_key(|row| {
            self.all.extend_from_slice(row);
            next
        })
    }

    /// The row of a value that these tests name: those that want it hold, those with `!=` do not.
    fn flipped(&mut self, bits: impl Iterator<Item = u16>) -> u32 {
        let mut row = self.other.clone();
        bits.for_each(|bit| row[usize::from(bit / 64)] ^= 1 << (bit % 64));
        self.add(row)
    }

    fn turned<T, K: From<T> + std::hash::Hash + Eq>(
        &mut self,
        tests: &BTreeMap<T, Vec<u16>>,
    ) -> FxHashMap<K, u32>
    where
        T: Copy,
    {
        tests.iter().map(|(value, bits)| ((*value).into(), self.flipped(bits.iter().copied()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use eyas_event::{FieldId, FieldRef, IpNet};

    use super::*;
    use crate::FieldMap;
    use crate::ir::Term;
    use crate::matching::Matcher;

    fn predicate(field: FieldId, op: Op, operand: Operand) -> Predicate {
        Predicate { term: Term::Field(FieldRef::plain(field)), op, modifier: None, operand }
    }

    /// A column answers each of its predicates as a matcher does.
    fn check(kind: Kind, predicates: &[Predicate], field: &str, values: &[&str]) {
        assert!(predicates.iter().all(|predicate| Kind::of(predicate) == Some(kind)));
        let column =
            Column::new(Read::new(&predicates[0].term, None), kind, &predicates.iter().collect::<Vec<_>>())
                .expect("a small column");
        let mut buffers = Buffers::default();
        let mut own = vec![u64::MAX; 7];
        let mut held = 0;
        for value in values.iter().map(Some).chain([None]) {
            let mut map = serde_json::Map::new();
            if let Some(value) = value {
                map.insert(field.to_owned(), (*value).into());
            }
            let event = FieldMap::from_json(&map.into()).expect("fields");
            let row = column.row(&event, &mut buffers, &mut own);
            for (bit, predicate) in predicates.iter().enumerate() {
                let wanted = Matcher::new(predicate, None).holds(&event, &mut buffers);
                held += usize::from(wanted);
                assert_eq!(column.holds(row, &own, bit as u16), wanted, "{predicate} of {value:?}");
            }
        }
        assert!(held >= predicates.len(), "hardly any held");
    }

    #[test]
    fn texts_and_what_they_begin_with_and_hold() {
        let words =
            ["", "/", "/etc", "/etc/", "/etc/ssh", "ssh", "h", "/usr/lib", "sh", "/etc/shadow", "\u{ff}"];
        let values = [
            "",
            "/",
            "/etc",
            "/etc/ssh/sshd",
            "/usr/lib64/x",
            "shh",
            "/etc/shadow",
            "zz",
            "\u{ff}\u{ff}",
            "et",
        ];
        let bytes = |word: &str| -> Box<[u8]> { word.as_bytes().into() };
        // Twelve times over, so that a row has several words.
        let many = |op, some: &[&str]| -> Vec<Predicate> {
            let one = |word: &&str| predicate(FieldId::FD_NAME, op, Operand::Bytes(bytes(word)));
            some.iter().cycle().take(some.len() * 12).map(one).collect()
        };
        let mut whole = many(Op::Eq, &words);
        whole.extend(many(Op::Ne, &words));
        whole.extend((0..words.len()).map(|i| {
            let texts = words[i / 2..=i].iter().map(|word| bytes(word)).collect();
            predicate(FieldId::FD_NAME, Op::In, Operand::Texts(texts))
        }));
        check(Kind::Whole, &whole, "fd.name", &values);
        check(Kind::Whole, &many(Op::Eq, &["/etc"]), "fd.name", &values);
        check(Kind::Beginning, &many(Op::Startswith, &words), "fd.name", &values);
        check(Kind::Within, &many(Op::Contains, &words[1..]), "fd.name", &values);
    }

    #[test]
    fn addresses_and_networks() {
        let ips = ["10.0.0.1", "10.1.2.3", "127.0.0.1", "::1", "fe80::1", "255.255.255.255"];
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        let net = |text: &str| {
            let (first, prefix) = text.split_once('/').expect("a prefix");
            IpNet::new(ip(first), prefix.parse().expect("a number")).expect("a network")
        };
        let mut predicates: Vec<Predicate> = Vec::new();
        for (i, text) in ips.iter().enumerate() {
            predicates.push(predicate(FieldId::FD_SIP, Op::Eq, Operand::Ip(ip(text))));
            predicates.push(predicate(FieldId::FD_SIP, Op::Ne, Operand::Ip(ip(text))));
            let list = ips[..=i].iter().map(|text| ip(text)).collect();
            predicates.push(predicate(FieldId::FD_SIP, Op::In, Operand::Ips(list)));
        }
        check(Kind::Address, &predicates, "fd.sip", &ips);
        let nets =
            ["10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "::1/128", "fe80::/10", "255.0.0.0/8", "10.1.2.3/32"];
        let mut predicates: Vec<Predicate> = Vec::new();
        for (i, text) in nets.iter().enumerate() {
            predicates.push(predicate(FieldId::FD_SNET, Op::Eq, Operand::Net(net(text))));
            predicates.push(predicate(FieldId::FD_SNET, Op::Ne, Operand::Net(net(text))));
            let list = nets[..=i].iter().map(|text| net(text)).collect();
            predicates.push(predicate(FieldId::FD_SNET, Op::In, Operand::Nets(list)));
        }
        check(Kind::Network, &predicates, "fd.snet", &ips);
        check(
            Kind::Network,
            &predicates,
            "fd.snet",
            &["9.255.255.255", "11.0.0.0", "10.2.0.0", "::", "fec0::"],
        );
    }
}
