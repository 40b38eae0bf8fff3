//! [`Interest`]: what a ruleset asks the sensor to send. It over-approximates: everything that could match is in it.
//! Today it names event types; the sensor turns families of calls on and off by it.

use crate::event_type::EventSet;

/// Which events somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest {
    /// The event types that a rule or the recording policy could use.
    pub events: EventSet,
}

impl Interest {
    /// Everything the sensor can send.
    pub fn everything() -> Self {
        Self { events: EventSet::all() }
    }

    /// What this one or that one wants.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self { events: self.events.or(other.events) }
    }
}
