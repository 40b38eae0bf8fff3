//! [`Interest`]: what a ruleset asks the sensor to send. It over-approximates: everything that could match is in it.
//!
//! It names event types, which turn families of calls on and off, some of them for containers only; and for the open family,
//! by far the most frequent, the paths, outcomes and programs that could matter: what no rule can match need not be sent.

use std::sync::Arc;

use crate::call_flags::FAMILIES;
use crate::environment::Variables;
use crate::event_type::{EventSet, EventType};

/// Which events somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interest {
    /// The event types that a rule or the recording policy could use.
    pub events: EventSet,
    /// Of these types, the ones that are wanted of processes in containers only. A source may send them of others, too.
    pub contained: EventSet,
    /// Of the calls of `socket`, those for which address families.
    pub domains: Domains,
    /// Of the open family, which openings.
    pub opens: Opens,
    /// Of the environments of programs that start, which variables.
    pub variables: Variables,
}

impl Interest {
    /// Everything the sensor can send.
    pub fn everything() -> Self {
        Self::of(EventSet::all())
    }

    /// These event types, with every opening of a file if the open family is among them.
    pub fn of(events: EventSet) -> Self {
        let domains = if events.contains(EventType::SOCKET) { Domains::ALL } else { Domains::NONE };
        let contained = EventSet::empty();
        Self { events, contained, domains, opens: Opens::all(), variables: Variables::default() }
    }

    /// What is worth recording whatever the rules say, so that tomorrow's rule can be tried on today: processes, connections,
    /// files that are changed, and everything that is rare and tells much. Of the openings of files those that ask for
    /// writing, made the file or are creat's. Not what programs do all day: sending and receiving, duplicating descriptors, making
    /// processes and threads (which are told of anyway), naming themselves.
    pub fn recorded() -> Self {
        let ways = Ways::WRITE.or(Ways::CREATED).or(Ways::CREAT);
        let opens = Opens::one(OpenWant { ways, ..OpenWant::ALL });
        Self { opens, ..Self::of(CHATTY.iter().copied().collect::<EventSet>().complement()) }
    }

    /// What this one or that one wants.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let events = self.events.or(other.events);
        let everywhere = self.everywhere().or(other.everywhere());
        Self {
            events,
            contained: events.and(everywhere.complement()),
            domains: self.domains.or(other.domains),
            opens: self.opens.or(&other.opens),
            variables: self.variables.or(&other.variables),
        }
    }

    /// The types that are wanted of processes of the host, too.
    fn everywhere(&self) -> EventSet {
        self.events.and(self.contained.complement())
    }
}

/// A set of address families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Domains(u64);

impl Domains {
    /// Every family.
    pub const ALL: Self = Self(u64::MAX);
    /// No family.
    pub const NONE: Self = Self(0);
    /// The bit that stands for all families from its number on, in the kernel half as here.
    const OTHERS: u32 = 63;

    /// The families whose names pass a test, and those that have none.
    pub fn named(test: impl Fn(&[u8]) -> bool) -> Self {
        let named = FAMILIES.iter().filter(|(_, number)| *number < u64::from(Self::OTHERS));
        let fails = named.filter(|(name, _)| !test(name.as_bytes()));
        Self(fails.fold(u64::MAX, |set, (_, number)| set & !(1 << number)))
    }

    /// The families in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The families in either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether this family is in it.
    pub fn has(self, family: u32) -> bool {
        self.0 >> family.min(Self::OTHERS) & 1 != 0
    }

    /// A bit each; the last stands for all families from 63 on.
    pub fn bits(self) -> u64 {
        self.0
    }
}

/// What programs do all day; see [`Interest::recorded`].
const CHATTY: &[EventType] = &[
    EventType::CLONE,
    EventType::CLONE3,
    EventType::DUP,
    EventType::DUP2,
    EventType::DUP3,
    EventType::FORK,
    EventType::KILL,
    EventType::PRCTL,
    EventType::RECVFROM,
    EventType::RECVMSG,
    EventType::SENDMSG,
    EventType::SENDTO,
    EventType::SOCKET,
    EventType::TGKILL,
    EventType::TKILL,
    EventType::VFORK,
];

/// How an opening ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With an error.
    Failed,
    /// With a descriptor of a file that was there.
    Made,
    /// With a descriptor of a file that the call made.
    Created,
}

/// How a file can be opened, as a set: each of twelve ways is an outcome with reading and writing asked for or not, and each of
/// three more an outcome of creat, whose events say that it asks for neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ways(u16);

impl Ways {
    /// Every way.
    pub const ALL: Self = Self(0x7fff);
    /// No way.
    pub const NONE: Self = Self(0);
    /// Where reading was asked for.
    pub const READ: Self = Self(0xaaa);
    /// Where writing was asked for.
    pub const WRITE: Self = Self(0xccc);
    /// Where a descriptor was made.
    pub const MADE: Self = Self(0x6ff0);
    /// Where the call made the file.
    pub const CREATED: Self = Self(0x4f00);
    /// By creat.
    pub const CREAT: Self = Self(0x7000);

    /// The one way that an opening by creat went.
    pub fn creat(outcome: Outcome) -> Self {
        Self(1 << (12 + outcome as u16))
    }

    /// The one way that another opening went.
    pub fn one(outcome: Outcome, read: bool, write: bool) -> Self {
        Self(1 << ((outcome as u16) << 2 | u16::from(write) << 1 | u16::from(read)))
    }

    /// The ways in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The ways in either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The other ways.
    #[must_use]
    pub fn complement(self) -> Self {
        Self(!self.0 & Self::ALL.0)
    }

    /// Whether every way of `other` is in this.
    pub fn covers(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }
}

/// A test of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PathTest {
    /// It is this one.
    Is(Box<[u8]>),
    /// It begins so.
    Begins(Box<[u8]>),
    /// It ends so.
    Ends(Box<[u8]>),
    /// This is somewhere in it.
    Holds(Box<[u8]>),
}

impl PathTest {
    /// Whether a path passes.
    pub fn admits(&self, path: &[u8]) -> bool {
        match self {
            Self::Is(text) => path == &**text,
            Self::Begins(text) => path.starts_with(text),
            Self::Ends(text) => path.ends_with(text),
            Self::Holds(text) => text.is_empty() || path.windows(text.len()).any(|part| part == &**text),
        }
    }

    /// Whether some path could pass both. May say yes where there is none.
    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Is(path), test) | (test, Self::Is(path)) => test.admits(path),
            (Self::Begins(a), Self::Begins(b)) => a.starts_with(b) || b.starts_with(a),
            (Self::Ends(a), Self::Ends(b)) => a.ends_with(b) || b.ends_with(a),
            _ => true,
        }
    }
}

/// What is wanted of one property: any value, or one of some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Among<T> {
    /// Any.
    Any,
    /// One that one of these admits.
    These(Arc<[T]>),
}

/// More alternatives than this are no filter any more; they become [`Among::Any`].
const MANY: usize = 4096;

impl<T: Clone + Ord> Among<T> {
    fn or(&self, other: &Self) -> Self {
        let (Self::These(a), Self::These(b)) = (self, other) else { return Self::Any };
        let mut all: Vec<T> = a.iter().chain(b.iter()).cloned().collect();
        all.sort_unstable();
        all.dedup();
        if all.len() > MANY { Self::Any } else { Self::These(all.into()) }
    }

    /// What can be in both; `None` when nothing can.
    fn and(&self, other: &Self, meets: impl Fn(&T, &T) -> bool) -> Option<Self> {
        let (few, many) = match (self, other) {
            (Self::Any, one) | (one, Self::Any) => return Some(one.clone()),
            (Self::These(a), Self::These(b)) if a.len() <= b.len() => (a, b),
            (Self::These(a), Self::These(b)) => (b, a),
        };
        let left: Vec<T> = few.iter().filter(|x| many.iter().any(|y| meets(x, y))).cloned().collect();
        (!left.is_empty()).then(|| Self::These(left.into()))
    }
}

/// One opening, for asking whether it is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// The way it went: one.
    pub way: Ways,
    /// The path made absolute, as `fd.name` has it.
    pub path: &'a [u8],
    /// The path as it was given to the call.
    pub given: &'a [u8],
    /// The path of the file that was opened, as `fd.realpath` has it; empty where none was.
    pub real: &'a [u8],
    /// The kernel's short name of the process.
    pub comm: &'a [u8],
}

/// One alternative of [`Opens`]: all five must fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenWant {
    /// The ways.
    pub ways: Ways,
    /// The path made absolute.
    pub path: Among<PathTest>,
    /// The path as given.
    pub given: Among<PathTest>,
    /// The path of the file that was opened: where none was, no test of it passes.
    pub real: Among<PathTest>,
    /// The kernel's short name of the process.
    pub comm: Among<Box<[u8]>>,
}

impl OpenWant {
    /// Every opening.
    pub const ALL: Self =
        Self { ways: Ways::ALL, path: Among::Any, given: Among::Any, real: Among::Any, comm: Among::Any };

    fn covers(&self, other: &Self) -> bool {
        self.ways.covers(other.ways)
            && (self.path == Among::Any || self.path == other.path)
            && (self.given == Among::Any || self.given == other.given)
            && (self.real == Among::Any || self.real == other.real)
            && (self.comm == Among::Any || self.comm == other.comm)
    }

    /// The smallest one that wants all that either wants.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        Self {
            ways: self.ways.or(other.ways),
            path: self.path.or(&other.path),
            given: self.given.or(&other.given),
            real: self.real.or(&other.real),
            comm: self.comm.or(&other.comm),
        }
    }

    fn and(&self, other: &Self) -> Option<Self> {
        let ways = self.ways.and(other.ways);
        if ways == Ways::NONE {
            return None;
        }
        let path = self.path.and(&other.path, PathTest::meets)?;
        let given = self.given.and(&other.given, PathTest::meets)?;
        let real = self.real.and(&other.real, PathTest::meets)?;
        let comm = self.comm.and(&other.comm, |a, b| a == b)?;
        Some(Self { ways, path, given, real, comm })
    }
}

/// Which openings of files are wanted: those that fit one of the alternatives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opens(Vec<OpenWant>);

/// More alternatives than this, and the coarser side alone stands for both.
const ALTERNATIVES: usize = 512;

impl Opens {
    /// Every opening.
    pub fn all() -> Self {
        Self(vec![OpenWant::ALL])
    }

    /// None.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// Those that fit one alternative.
    pub fn one(want: OpenWant) -> Self {
        if want.ways == Ways::NONE { Self::none() } else { Self(vec![want]) }
    }

    /// The alternatives.
    pub fn wants(&self) -> &[OpenWant] {
        &self.0
    }

    /// Whether an opening is wanted.
    pub fn admits(&self, opening: Opening<'_>) -> bool {
        let passes = |tests: &Among<PathTest>, path: &[u8]| match tests {
            Among::Any => true,
            Among::These(tests) => tests.iter().any(|test| test.admits(path)),
        };
        self.0.iter().any(|want| {
            want.ways.covers(opening.way)
                && passes(&want.path, opening.path)
                && passes(&want.given, opening.given)
                && (want.real == Among::Any || !opening.real.is_empty() && passes(&want.real, opening.real))
                && match &want.comm {
                    Among::Any => true,
                    Among::These(names) => names.iter().any(|name| **name == *opening.comm),
                }
        })
    }

    /// Those that this or that wants.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let mut out = self.clone();
        for want in &other.0 {
            out.add(want.clone());
        }
        out
    }

    fn add(&mut self, want: OpenWant) {
        if self.0.iter().any(|known| known.covers(&want)) {
            return;
        }
        self.0.retain(|known| !want.covers(known));
        let full = self.0.len() >= ALTERNATIVES;
        let differ_in_one = |known: &&mut OpenWant| {
            let same = [
                known.ways == want.ways,
                known.path == want.path,
                known.given == want.given,
                known.real == want.real,
                known.comm == want.comm,
            ];
            // Names stay apart: they are looked up in one table for all.
            same[4] && same.iter().filter(|same| !**same).count() == 1
        };
        match self.0.iter_mut().find(differ_in_one) {
            // What differs in one property is joined without admitting more.
            Some(known) => *known = known.or(&want),
            None if full => self.0 = vec![OpenWant::ALL],
            None => self.0.push(want),
        }
    }

    /// What both can want.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        if self.0.len() * other.0.len() > ALTERNATIVES {
            // Either side alone admits all that both admit.
            return if self.0.len() <= other.0.len() { self.clone() } else { other.clone() };
        }
        let mut out = Self::none();
        for a in &self.0 {
            for want in other.0.iter().filter_map(|b| a.and(b)) {
                out.add(want);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn under(path: &[u8]) -> Opens {
        let path = Among::These([PathTest::Begins(path.into())].into());
        Opens::one(OpenWant { path, ..OpenWant::ALL })
    }

    #[test]
    fn alternatives_join_and_meet() {
        let admits = |opens: &Opens, path: &[u8]| {
            let way = Ways::one(Outcome::Made, true, false);
            opens.admits(Opening { way, path, given: path, real: path, comm: b"cat" })
        };
        let both = under(b"/etc/").or(&under(b"/root/"));
        assert_eq!(both.wants().len(), 1);
        assert!(admits(&both, b"/etc/shadow") && admits(&both, b"/root/x"));
        assert!(!admits(&both, b"/tmp/x"));
        let met = both.and(&under(b"/etc/ssh/"));
        assert!(admits(&met, b"/etc/ssh/x") && !admits(&met, b"/root/x"));
        assert_eq!(under(b"/a").and(&under(b"/b")), Opens::none());
        assert_eq!(Opens::all().or(&both), Opens::all());
    }

    #[test]
    fn ways_are_sets_of_single_openings() {
        assert!(Ways::READ.covers(Ways::one(Outcome::Made, true, false)));
        assert!(Ways::WRITE.covers(Ways::one(Outcome::Failed, false, true)));
        assert!(Ways::MADE.covers(Ways::one(Outcome::Created, false, false)));
        assert!(!Ways::MADE.covers(Ways::one(Outcome::Failed, true, true)));
        assert!(!Ways::CREATED.covers(Ways::one(Outcome::Made, true, true)));
        assert!(Ways::MADE.complement().covers(Ways::one(Outcome::Failed, false, false)));
        let made = Ways::creat(Outcome::Made);
        assert!(Ways::CREAT.covers(made) && Ways::MADE.covers(made) && Ways::READ.complement().covers(made));
        assert!(!Ways::CREATED.covers(made) && !Ways::READ.covers(made) && !Ways::WRITE.covers(made));
        assert!(Ways::CREATED.covers(Ways::creat(Outcome::Created)));
    }

    #[test]
    fn what_one_wants_everywhere_is_wanted_everywhere() {
        let [socket, dup] = [EventType::SOCKET, EventType::DUP].map(|event| [event].into_iter().collect());
        let both = Interest::of(EventSet::or(socket, dup));
        let packet = Domains::named(|name| name == b"AF_PACKET");
        let rules = Interest { contained: both.events, domains: packet, ..both.clone() };
        let joined = rules.union(&Interest::of(dup));
        assert_eq!((joined.events, joined.contained, joined.domains), (both.events, socket, packet));
        assert_eq!(rules.union(&Interest::recorded()).contained, both.events);
        assert_eq!(rules.union(&both).domains, Domains::ALL);
    }

    #[test]
    fn families_without_a_name_are_never_left_out() {
        let none = Domains::named(|_| false);
        assert!(!none.has(1) && !none.has(17));
        assert!([27, 45, 62, 63, 64, u32::MAX].into_iter().all(|family| none.has(family)));
        let unix = Domains::named(|name| name == b"AF_UNIX");
        assert!(unix.has(1) && !unix.has(17));
    }

    #[test]
    fn what_is_recorded_is_writing_and_making() {
        let opens = Interest::recorded().opens;
        let admits =
            |way| opens.admits(Opening { way, path: b"/tmp/x", given: b"x", real: b"/tmp/x", comm: b"cat" });
        assert!(
            admits(Ways::one(Outcome::Made, false, true)) && admits(Ways::one(Outcome::Failed, true, true))
        );
        assert!(admits(Ways::one(Outcome::Created, true, false)) && admits(Ways::creat(Outcome::Failed)));
        assert!(
            !admits(Ways::one(Outcome::Made, true, false))
                && !admits(Ways::one(Outcome::Failed, false, false))
        );
    }

    #[test]
    fn one_that_stands_for_two_wants_all_that_they_want() {
        let [a, b] = [under(b"/etc/"), under(b"/root/")].map(|opens| opens.wants()[0].clone());
        let named = OpenWant { comm: Among::These([b"tar"[..].into()].into()), ways: Ways::READ, ..a };
        let both = Opens::one(b.or(&named));
        let way = Ways::one(Outcome::Made, false, true);
        let admits = |path, comm| both.admits(Opening { way, path, given: b"x", real: path, comm });
        assert!(admits(b"/etc/x", b"tar") && admits(b"/root/x", b"cat"));
        assert!(!admits(b"/tmp/x", b"tar"));
    }
}
