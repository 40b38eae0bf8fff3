//! The checked reader from bytes to a borrowed [`Record`], and the writer back.
//!
//! Nothing here trusts a length: a record that does not hold what it says is refused with a reason. An unknown kind
//! is no error; its bytes are skipped by its length, and the caller counts it.

use core::fmt;

use crate::layout::Sink;
use crate::{
    Account, Addresses, Argv, Call, Cgroup, Clock, Connect, Exec, ExecFailed, ExitFixed, ForkFixed, Group,
    Head, Kind, LossFixed, MAX_RECORD, Open, User,
};

/// One record, borrowed from the bytes it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'b> {
    /// Who, when, where. `len` and `kind` are set anew when it is written.
    pub head: Head,
    /// What.
    pub body: Body<'b>,
}

/// What a record tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'b> {
    /// See [`Kind::Exec`].
    Exec(Exec<'b>),
    /// See [`Kind::Argv`].
    Argv(Argv<'b>),
    /// See [`Kind::Fork`].
    Fork(ForkFixed),
    /// See [`Kind::Exit`].
    Exit(ExitFixed),
    /// See [`Kind::Open`].
    Open(Open<'b>),
    /// See [`Kind::Connect`].
    Connect(Connect<'b>),
    /// See [`Kind::ExecFailed`].
    ExecFailed(ExecFailed<'b>),
    /// See [`Kind::Call`].
    Call(Call<'b>),
    /// See [`Kind::Clock`].
    Clock(Clock<'b>),
    /// See [`Kind::Process`].
    Process(Exec<'b>),
    /// See [`Kind::Cgroup`].
    Cgroup(Cgroup<'b>),
    /// See [`Kind::User`].
    User(User<'b>),
    /// See [`Kind::Group`].
    Group(Group<'b>),
    /// See [`Kind::Loss`].
    Loss(LossFixed),
    /// See [`Kind::Account`].
    Account(Account<'b>),
    /// See [`Kind::Addresses`].
    Addresses(Addresses<'b>),
    /// A kind that this version does not know: its number and what follows the head.
    Unknown(u16, &'b [u8]),
}

/// Why bytes are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// They end within the head.
    ShortHead {
        /// How many there are.
        have: usize,
    },
    /// The length in the head is smaller than a head or larger than any record.
    BadLength {
        /// The length.
        len: u32,
    },
    /// They end before the record does.
    Short {
        /// The length in the head.
        len: u32,
        /// How many bytes there are.
        have: usize,
    },
    /// The parts do not add up to the record's length.
    BadBody {
        /// The record's kind.
        kind: Kind,
        /// The length in the head.
        len: u32,
    },
}

impl fmt::Display for RecordError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShortHead { have } => {
                write!(out, "{have} bytes are left, and the head of a record takes {}", Head::SIZE)
            }
            Self::BadLength { len } => {
                write!(out, "a record says that it is {len} bytes long, which none is")
            }
            Self::Short { len, have } => {
                write!(out, "a record says that it is {len} bytes long, and {have} are left")
            }
            Self::BadBody { kind, len } => {
                write!(out, "the parts of the {} record do not add up to its {len} bytes", kind.name())
            }
        }
    }
}

impl core::error::Error for RecordError {}

/// A section of a record is longer than the record can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a part of the record is longer than its length field can say")
    }
}

impl core::error::Error for TooLong {}

impl<'b> Record<'b> {
    /// Reads one record off the front of `bytes`, and how many bytes it took.
    pub fn parse(bytes: &'b [u8]) -> Result<(Self, usize), RecordError> {
        let (head, _) = Head::split(bytes).ok_or(RecordError::ShortHead { have: bytes.len() })?;
        let len = head.len as usize;
        if !(Head::SIZE..=MAX_RECORD).contains(&len) {
            return Err(RecordError::BadLength { len: head.len });
        }
        let Some(rest) = bytes.get(Head::SIZE..len) else {
            return Err(RecordError::Short { len: head.len, have: bytes.len() });
        };
        let body = match Kind::from_number(head.kind) {
            Some(kind) => Body::parse(kind, rest).ok_or(RecordError::BadBody { kind, len: head.len })?,
            None => Body::Unknown(head.kind, rest),
        };
        Ok((Self { head, body }, len))
    }

    /// Writes it, and gives how many bytes it took. Section lengths, `len` and `kind` follow from what is there.
    pub fn write(&self, sink: &mut impl Sink) -> Result<usize, TooLong> {
        macro_rules! put {
            ($fixed:expr, $t:ident, $sections:expr) => {{
                let (fixed, sections): (crate::$t, &[&[u8]]) = ($fixed, $sections);
                let len = self.put_head(crate::$t::SIZE, sections, sink)?;
                fixed.put(sink);
                for section in sections {
                    sink.put(section);
                }
                Ok(len)
            }};
        }
        macro_rules! measured {
            ($part:expr, $t:ident) => {
                put!($part.measured().ok_or(TooLong)?, $t, &$part.sections())
            };
        }
        match &self.body {
            Body::Exec(exec) | Body::Process(exec) => measured!(exec, ExecFixed),
            Body::Argv(argv) => measured!(argv, ArgvFixed),
            Body::Fork(fork) => put!(*fork, ForkFixed, &[]),
            Body::Exit(exit) => put!(*exit, ExitFixed, &[]),
            Body::Open(open) => measured!(open, OpenFixed),
            Body::Connect(connect) => measured!(connect, ConnectFixed),
            Body::ExecFailed(failed) => measured!(failed, ExecFailedFixed),
            Body::Call(call) => measured!(call, CallFixed),
            Body::Clock(clock) => measured!(clock, ClockFixed),
            Body::Cgroup(cgroup) => measured!(cgroup, CgroupFixed),
            Body::User(user) => measured!(user, UserFixed),
            Body::Group(group) => measured!(group, GroupFixed),
            Body::Loss(loss) => put!(*loss, LossFixed, &[]),
            Body::Account(account) => measured!(account, AccountFixed),
            Body::Addresses(addresses) => measured!(addresses, AddressesFixed),
            Body::Unknown(_, bytes) => {
                let len = self.put_head(0, &[bytes], sink)?;
                sink.put(bytes);
                Ok(len)
            }
        }
    }

    /// Writes the head of a record with these parts, and gives the whole length.
    fn put_head(&self, fixed: usize, sections: &[&[u8]], sink: &mut impl Sink) -> Result<usize, TooLong> {
        let len = Head::SIZE + fixed + sections.iter().map(|section| section.len()).sum::<usize>();
        if len > MAX_RECORD {
            return Err(TooLong);
        }
        Head { len: len as u32, kind: self.body.kind_number(), ..self.head }.put(sink);
        Ok(len)
    }
}

impl<'b> Body<'b> {
    fn parse(kind: Kind, bytes: &'b [u8]) -> Option<Self> {
        match kind {
            Kind::Exec => Exec::parse(bytes).map(Self::Exec),
            Kind::Argv => Argv::parse(bytes).map(Self::Argv),
            Kind::Fork => ForkFixed::parse(bytes).map(Self::Fork),
            Kind::Exit => ExitFixed::parse(bytes).map(Self::Exit),
            Kind::Open => Open::parse(bytes).map(Self::Open),
            Kind::Connect => Connect::parse(bytes).map(Self::Connect),
            Kind::ExecFailed => ExecFailed::parse(bytes).map(Self::ExecFailed),
            Kind::Call => Call::parse(bytes).map(Self::Call),
            Kind::Clock => Clock::parse(bytes).map(Self::Clock),
            Kind::Process => Exec::parse(bytes).map(Self::Process),
            Kind::Cgroup => Cgroup::parse(bytes).map(Self::Cgroup),
            Kind::User => User::parse(bytes).map(Self::User),
            Kind::Group => Group::parse(bytes).map(Self::Group),
            Kind::Loss => LossFixed::parse(bytes).map(Self::Loss),
            Kind::Account => Account::parse(bytes).map(Self::Account),
            Kind::Addresses => Addresses::parse(bytes).map(Self::Addresses),
        }
    }

    /// The kind; `None` when this version does not know it.
    pub fn kind(&self) -> Option<Kind> {
        Kind::from_number(self.kind_number())
    }

    /// The number of the kind.
    pub fn kind_number(&self) -> u16 {
        match self {
            Self::Exec(_) => Kind::Exec.number(),
            Self::Argv(_) => Kind::Argv.number(),
            Self::Fork(_) => Kind::Fork.number(),
            Self::Exit(_) => Kind::Exit.number(),
            Self::Open(_) => Kind::Open.number(),
            Self::Connect(_) => Kind::Connect.number(),
            Self::ExecFailed(_) => Kind::ExecFailed.number(),
            Self::Call(_) => Kind::Call.number(),
            Self::Clock(_) => Kind::Clock.number(),
            Self::Process(_) => Kind::Process.number(),
            Self::Cgroup(_) => Kind::Cgroup.number(),
            Self::User(_) => Kind::User.number(),
            Self::Group(_) => Kind::Group.number(),
            Self::Loss(_) => Kind::Loss.number(),
            Self::Account(_) => Kind::Account.number(),
            Self::Addresses(_) => Kind::Addresses.number(),
            Self::Unknown(number, _) => *number,
        }
    }
}

/// The records in a run of bytes; see [`records`].
#[derive(Clone, Debug)]
pub struct Records<'b> {
    bytes: &'b [u8],
    at: usize,
}

/// The records that lie back to back in `bytes`, each with the offset it starts at.
///
/// A broken record ends the walk, because nothing after it can be found with certainty: the last item is then the
/// offset and the reason.
pub fn records(bytes: &[u8]) -> Records<'_> {
    Records { bytes, at: 0 }
}

impl<'b> Iterator for Records<'b> {
    type Item = (usize, Result<Record<'b>, RecordError>);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
        let at = self.at;
        match Record::parse(rest) {
            Ok((record, len)) => {
                self.at += len;
                Some((at, Ok(record)))
            }
            Err(error) => {
                self.at = self.bytes.len();
                Some((at, Err(error)))
            }
        }
    }
}
