//! An event as a map of field to value: the documented JSON form (`docs/events.md`), for test cases and stored alerts.
//!
//! It answers through the same door as a live event. What the map does not name is missing, except what follows from what
//! it names: any-side fields and networks from the sided addresses and ports, the chain of ancestors from its members and
//! the members from the chain, a parameter by position from the parameter by name, one argument or variable from all.

mod read;
mod whole;

use std::net::IpAddr;
use std::ops::ControlFlow;

use eyas_event::{Arg, EventType, FieldId, FieldRef, Fields, ParamId, Shape, Value};
use rustc_hash::FxHashMap;

pub use read::BadEvent;

/// A value that the map owns.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Given {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Bytes(Box<[u8]>),
    Ip(IpAddr),
    Port(u16),
    Time(u64),
    Span(i64),
    Double(f64),
    /// Something is there that no constant equals or differs from: an end of a descriptor that has no address.
    Opaque,
}

impl Given {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Bool(b) => Value::Bool(*b),
            Self::Int(n) => Value::Int(*n),
            Self::Uint(n) => Value::Uint(*n),
            Self::Bytes(b) => Value::Bytes(b),
            Self::Ip(ip) => Value::Ip(*ip),
            Self::Port(p) => Value::Port(*p),
            Self::Time(t) => Value::Time(*t),
            Self::Span(s) => Value::Span(*s),
            Self::Double(n) => Value::Double(*n),
            // No field that may be opaque holds truth values, so that no operator but `exists` takes it.
            Self::Opaque => Value::Bool(false),
        }
    }
}

/// An event as a map.
#[derive(Clone, Debug, Default)]
pub struct FieldMap {
    event: Option<EventType>,
    values: FxHashMap<FieldRef, Given>,
    /// Any-side fields, chains of ancestors from the parent on, and lists.
    lists: FxHashMap<FieldRef, Vec<Given>>,
    /// Wholes whose parts were given one by one.
    parted: Vec<FieldId>,
}

/// Fields of ancestors.
const CHAINS: [FieldId; 6] = [
    FieldId::PROC_ANAME,
    FieldId::PROC_AEXE,
    FieldId::PROC_AEXEPATH,
    FieldId::PROC_ACMDLINE,
    FieldId::PROC_APID,
    FieldId::PROC_AENV,
];

impl FieldMap {
    /// Fills in what follows from what was given.
    fn complete(&mut self) {
        for id in CHAINS {
            if !self.lists.contains_key(&FieldRef::plain(id)) {
                let at = |n| FieldRef { id, arg: Arg::Index(n) };
                let chain: Vec<_> = (1..=64).map_while(|n| self.values.get(&at(n)).cloned()).collect();
                // A gap in the members does not hide those behind it from an unindexed comparison.
                let mut rest: Vec<(u32, Given)> = self
                    .values
                    .iter()
                    .filter_map(|(field, given)| match field.arg {
                        Arg::Index(n) if field.id == id && n as usize > chain.len() => {
                            Some((n, given.clone()))
                        }
                        _ => None,
                    })
                    .collect();
                rest.sort_by_key(|(n, _)| *n);
                let chain: Vec<_> =
                    chain.into_iter().chain(rest.into_iter().map(|(_, given)| given)).collect();
                if !chain.is_empty() {
                    self.lists.insert(FieldRef::plain(id), chain);
                }
            } else if let Some(chain) = self.lists.get(&FieldRef::plain(id)) {
                for (n, given) in chain.iter().enumerate() {
                    let field = FieldRef { id, arg: Arg::Index(n as u32 + 1) };
                    self.values.entry(field).or_insert_with(|| given.clone());
                }
            }
        }
        let rawtime = self.values.get(&FieldRef::plain(FieldId::EVT_RAWTIME)).cloned();
        if let Some(Given::Time(time)) = rawtime {
            for (id, value) in [
                (FieldId::EVT_TIME, time),
                (FieldId::EVT_TIME_S, time),
                (FieldId::EVT_TIME_ISO, time),
                (FieldId::EVT_DATETIME, time),
                (FieldId::EVT_DATETIME_S, time),
                (FieldId::EVT_OUTPUTTIME, time),
                (FieldId::EVT_RAWTIME_S, time / 1_000_000_000),
                (FieldId::EVT_RAWTIME_NS, time % 1_000_000_000),
            ] {
                self.values.entry(FieldRef::plain(id)).or_insert(Given::Time(value));
            }
        }
        let reltime = self.values.get(&FieldRef::plain(FieldId::EVT_RELTIME)).cloned();
        if let Some(Given::Span(time)) = reltime {
            for (id, part) in [
                (FieldId::EVT_RELTIME_S, time / 1_000_000_000),
                (FieldId::EVT_RELTIME_NS, time % 1_000_000_000),
            ] {
                self.values.entry(FieldRef::plain(id)).or_insert(Given::Span(part));
            }
        }
        let container = self.values.get(&FieldRef::plain(FieldId::CONTAINER_ID)).cloned();
        for (id, of) in [
            (FieldId::FD_CONTAINERNAME, FieldId::FD_NAME),
            (FieldId::FD_CONTAINERDIRECTORY, FieldId::FD_DIRECTORY),
        ] {
            if let (Some(Given::Bytes(container)), Some(Given::Bytes(name))) =
                (&container, self.values.get(&FieldRef::plain(of)))
            {
                let both = [&**container, b":", name].concat();
                self.values.entry(FieldRef::plain(id)).or_insert(Given::Bytes(both.into()));
            }
        }
        let pairs = [
            (FieldId::EVT_INFO, FieldId::EVT_ARGS),
            (FieldId::FD_CNET, FieldId::FD_CIP),
            (FieldId::FD_SNET, FieldId::FD_SIP),
            (FieldId::FD_LNET, FieldId::FD_LIP),
            (FieldId::FD_RNET, FieldId::FD_RIP),
        ];
        for (other, same) in pairs {
            if let Some(given) = self.values.get(&FieldRef::plain(same)).cloned() {
                self.values.entry(FieldRef::plain(other)).or_insert(given);
            }
        }
        self.complete_ends();
        self.complete_parameters();
        if let (Some(Given::Int(fd @ 0..)), Some(kind)) = (
            self.values.get(&FieldRef::plain(FieldId::FD_NUM)),
            self.values.get(&FieldRef::plain(FieldId::FD_TYPE)),
        ) && let Ok(fd) = u32::try_from(*fd)
        {
            let of_this = FieldRef { id: FieldId::FD_TYPES, arg: Arg::Index(fd) };
            self.lists.entry(of_this).or_insert_with(|| vec![kind.clone()]);
        }
    }

    /// The fields of either end of a descriptor, and the names of its addresses.
    fn complete_ends(&mut self) {
        let told = [FieldId::FD_TYPE, FieldId::FD_IS_SERVER];
        let is_open = told.into_iter().any(|id| self.values.contains_key(&FieldRef::plain(id)));
        let addresses = [FieldId::FD_CIP, FieldId::FD_SIP, FieldId::FD_LIP, FieldId::FD_RIP];
        let ports = [FieldId::FD_CPORT, FieldId::FD_SPORT, FieldId::FD_LPORT, FieldId::FD_RPORT];
        for (any, sided) in [
            (FieldId::FD_IP, addresses),
            (FieldId::FD_NET, addresses),
            (FieldId::FD_PORT, ports),
            (FieldId::FD_PROTO, ports),
        ] {
            let mut values: Vec<Given> = Vec::new();
            for id in sided {
                if let Some(given) = self.values.get(&FieldRef::plain(id))
                    && !values.contains(given)
                {
                    values.push(given.clone());
                }
            }
            if values.is_empty() && is_open {
                values.push(Given::Opaque);
            }
            if !values.is_empty() {
                self.lists.entry(FieldRef::plain(any)).or_insert(values);
            }
        }
        let names = [FieldId::FD_CIP_NAME, FieldId::FD_SIP_NAME, FieldId::FD_LIP_NAME, FieldId::FD_RIP_NAME];
        for (name, address) in names.into_iter().zip(addresses) {
            // An address whose name nobody knows differs from every name.
            let unknown = match self.values.contains_key(&FieldRef::plain(address)) {
                true => Given::Bytes(Box::default()),
                false if is_open => Given::Opaque,
                false => continue,
            };
            self.lists.entry(FieldRef::plain(name)).or_insert_with(|| vec![unknown]);
        }
    }

    /// Parameters by position from those by name, and those by name from those by position.
    fn complete_parameters(&mut self) {
        let names = self.event.map(eyas_event::param_lists::of).unwrap_or_default();
        let id = FieldId::EVT_ARG;
        for (n, name) in names.iter().enumerate() {
            let Some(param) = ParamId::from_name(name) else { continue };
            let at = FieldRef { id, arg: Arg::Index(n as u32) };
            let named = FieldRef { id, arg: Arg::Param(param) };
            match (self.values.get(&at).cloned(), self.values.get(&named).cloned()) {
                (None, Some(given)) => self.values.insert(at, given),
                (Some(given), None) => self.values.insert(named, given),
                _ => None,
            };
        }
    }

    fn one(&self, field: &FieldRef) -> Value<'_> {
        if let Some(given) = self.values.get(field) {
            return given.value();
        }
        match (field.id, &field.arg) {
            // What is known of an address by name is one text; what is not known prints as missing.
            (
                FieldId::FD_CIP_NAME | FieldId::FD_SIP_NAME | FieldId::FD_LIP_NAME | FieldId::FD_RIP_NAME,
                _,
            ) => match self.elements(field) {
                Some([Given::Bytes(name)]) if !name.is_empty() => Value::Bytes(name),
                _ => Value::Absent,
            },
            (FieldId::EVT_TYPE_IS, Arg::Key(name)) => {
                self.event.map_or(Value::Absent, |event| Value::Uint((**name == *event.name()).into()))
            }
            (FieldId::EVT_DIR, Arg::None) if self.event.is_some() => Value::Bytes(b"<"),
            (id, Arg::None) if self.event.is_some_and(EventType::is_provided) => {
                id.constant().unwrap_or_else(|| self.of_whole(field))
            }
            _ => self.of_whole(field),
        }
    }

    /// The elements of a list field, where they are given.
    fn elements(&self, field: &FieldRef) -> Option<&[Given]> {
        self.lists.get(field).map(Vec::as_slice)
    }
}

impl Fields for FieldMap {
    fn event_type(&self) -> Option<EventType> {
        self.event
    }

    fn get<'s>(&'s self, field: &FieldRef, buf: &'s mut Vec<u8>) -> Value<'s> {
        let chain = field.id.info().shape == Shape::Ancestors && field.arg == Arg::None;
        // Falco prints the process's own id for the chain of ids, and its own environment for that of environments.
        let own = match field.id {
            FieldId::PROC_APID if chain => Some(FieldId::PROC_PID),
            FieldId::PROC_AENV if chain => Some(FieldId::PROC_ENV),
            _ => None,
        };
        if let Some(own) = own {
            return self.values.get(&FieldRef::plain(own)).map_or(Value::Absent, Given::value);
        }
        if chain {
            let Some(values) = self.lists.get(field) else { return Value::Absent };
            let begin = buf.len();
            for (i, given) in values.iter().enumerate() {
                if i > 0 {
                    buf.push(b' ');
                }
                given.value().write_text(buf);
            }
            return Value::Bytes(&buf[begin..]);
        }
        if let (Shape::List, Some(elements)) = (field.id.info().shape, self.elements(field)) {
            let begin = buf.len();
            buf.push(b'(');
            for (i, given) in elements.iter().enumerate() {
                if i > 0 {
                    buf.push(b',');
                }
                given.value().write_text(buf);
            }
            buf.push(b')');
            return Value::Bytes(&buf[begin..]);
        }
        self.one(field)
    }

    fn each(
        &self,
        field: &FieldRef,
        _buf: &mut Vec<u8>,
        test: &mut dyn FnMut(Value<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let several = match field.id.info().shape {
            Shape::One => false,
            Shape::AnySide => true,
            Shape::Ancestors => field.arg == Arg::None,
            Shape::List => self.elements(field).is_some(),
        };
        if several {
            return self.elements(field).into_iter().flatten().try_for_each(|given| test(given.value()));
        }
        let value = self.one(field);
        if value.is_absent() { ControlFlow::Continue(()) } else { test(value) }
    }
}
