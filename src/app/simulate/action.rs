//! [`Action`]: one row of the table of actions. What it does is a function that runs in a process of its own; what it
//! needs and which rules should see it are plain words, from which the list, the documentation and the judging follow.

use std::io;

use super::stage::Stage;

/// What an action, or a part of one, does.
pub(super) type Step = fn(&Stage) -> io::Result<()>;

/// One action.
#[derive(Debug)]
pub(super) struct Action {
    /// Its name, as Falco's event-generator has it where it has one.
    pub(super) name: &'static str,
    /// Whose idea it is.
    pub(super) origin: Origin,
    /// The stock rule that should see it.
    pub(super) stock: &'static str,
    /// The shipped rule that should see it.
    pub(super) shipped: Option<&'static str>,
    /// Where it can run.
    pub(super) place: Place,
    /// What it needs.
    pub(super) needs: &'static [Need],
    /// Fields without whose values the stock rule cannot fire.
    pub(super) reads: &'static [&'static str],
    /// What it does, in a sentence.
    pub(super) does: &'static str,
    /// What is laid out before it starts, by a process that the sensor does not see.
    pub(super) prepare: Option<Step>,
    /// The action itself; a container's action has none here.
    pub(super) act: Option<Step>,
}

/// Whose idea an action is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Falco's event-generator has one of the name.
    EventGenerator,
    /// Ours, for a stock rule that has none there.
    Eyas,
}

/// Where an action can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// On a plain host.
    Host,
    /// In a container only.
    Container,
    /// Not without something that a harmless action cannot have; this says what.
    Nowhere(&'static str),
}

/// What an action needs of the process that starts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Root,
    SysAdmin,
    Bpf,
}

impl Need {
    /// In a word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::SysAdmin => "CAP_SYS_ADMIN",
            Self::Bpf => "CAP_BPF",
        }
    }

    /// Whether it is there, given the effective user and capabilities.
    pub(super) fn is_met(self, root: bool, capabilities: u64) -> bool {
        // The numbers of include/uapi/linux/capability.h. Who has SYS_ADMIN may load programs as well.
        let has = |bit: u8| capabilities >> bit & 1 == 1;
        match self {
            Self::Root => root,
            Self::SysAdmin => has(21),
            Self::Bpf => has(39) || has(21),
        }
    }
}

impl Action {
    /// One for the host.
    pub(super) const fn host(name: &'static str, stock: &'static str, does: &'static str, act: Step) -> Self {
        Self {
            name,
            origin: Origin::EventGenerator,
            stock,
            shipped: None,
            place: Place::Host,
            needs: &[],
            reads: &[],
            does,
            prepare: None,
            act: Some(act),
        }
    }

    /// One that is listed only.
    pub(super) const fn listed(
        name: &'static str,
        stock: &'static str,
        does: &'static str,
        place: Place,
    ) -> Self {
        Self {
            name,
            origin: Origin::EventGenerator,
            stock,
            shipped: None,
            place,
            needs: &[],
            reads: &[],
            does,
            prepare: None,
            act: None,
        }
    }

    /// The same, of our own.
    pub(super) const fn own(self) -> Self {
        Self { origin: Origin::Eyas, ..self }
    }

    /// The same, seen by a shipped rule as well.
    pub(super) const fn shipped(self, rule: &'static str) -> Self {
        Self { shipped: Some(rule), ..self }
    }

    /// The same, with something it needs.
    pub(super) const fn needs(self, needs: &'static [Need]) -> Self {
        Self { needs, ..self }
    }

    /// The same, for a rule that reads these fields.
    pub(super) const fn reads(self, reads: &'static [&'static str]) -> Self {
        Self { reads, ..self }
    }

    /// The same, with something that is laid out before.
    pub(super) const fn after(self, prepare: Step) -> Self {
        Self { prepare: Some(prepare), ..self }
    }

    /// Whether that is its name, in any case.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

impl Place {
    /// In a word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Container => "container",
            Self::Nowhere(_) => "nowhere",
        }
    }
}
