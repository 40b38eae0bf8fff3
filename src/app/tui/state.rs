//! [`State`]: all that the console knows. Only `update` changes it; drawing reads it. [`Ctx`] is what does not change
//! while the console is open.

use std::sync::Arc;

use eyas_event::{Alert, AlertId, WallTime};
use ratatui::layout::Size;

use super::columns::Column;
use super::commands::Place;
use super::detail::{DetailView, Extent};
use super::door::{FilterText, Gap, Pulse, Sensor, Ticket};
use super::histogram::Bars;
use super::layout::Layout;
use super::overlay::Layer;
use super::rows::Rows;
use super::search::{Found, Search};
use super::self_test::SelfTest;
use super::theme::{Role, Theme};
use super::zone::Zone;

/// With fewer lines than this the details begin with the process that fired: a rule, an output and five ancestors take some
/// forty lines, and a person looks for the process first.
const SHORT_BELOW: usize = 40;
/// With fewer lines than this blank ones are left out.
const TIGHT_BELOW: usize = 20;

/// What does not change.
#[derive(Debug)]
pub(super) struct Ctx {
    /// For times of day.
    pub(super) zone: Zone,
    /// What can be chosen; the first is the one to begin with.
    pub(super) themes: Vec<Theme>,
}

/// Which pane has the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pane {
    /// The list.
    List,
    /// The details.
    Detail,
}

/// Whether time goes on.
#[derive(Clone, Debug)]
pub(super) enum Mode {
    /// What fires is shown.
    Live,
    /// What fires is held back and counted.
    Paused {
        /// Held back, at most as many as the list holds.
        held: Vec<Arc<Alert>>,
        /// How many there were.
        count: u64,
    },
}

/// How alerts are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Density {
    /// Two lines where there is room.
    Auto,
    /// One line.
    One,
    /// Two lines.
    Two,
}

/// A condition in force.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub(super) text: FilterText,
    /// How many stored alerts meet it, as of the last count.
    pub(super) hits: Option<u64>,
}

/// A sentence on the last line, for a while.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub(super) text: String,
    pub(super) role: Role,
    pub(super) until_ms: u64,
}

/// What a page of alerts was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageKind {
    /// The newest ones, for an empty list.
    Newest,
    /// Those before the oldest.
    Older,
    /// Those after the newest.
    After,
}

/// Questions under way. An answer to any other ticket is stale.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    pub(super) page: Option<(Ticket, PageKind)>,
    pub(super) count: Option<Ticket>,
    /// The text of the filter bar that is being compiled; at most one is, however fast somebody types.
    pub(super) compile: Option<(Ticket, Arc<str>)>,
    /// A filter that is to be applied as soon as it compiles.
    pub(super) apply: Option<Ticket>,
}

/// What is known of all that was lost.
#[derive(Clone, Debug)]
pub(super) enum Losses {
    /// Nobody has asked.
    Unasked,
    /// The store has been asked.
    Asked(Ticket),
    /// The newest first.
    Known(Vec<Gap>),
    /// The store could not say.
    Failed(String),
}

/// All that the console knows.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) size: Size,
    pub(super) now_ms: u64,
    pub(super) pulse: Arc<Pulse>,
    pub(super) rows: Rows,
    pub(super) mode: Mode,
    pub(super) focus: Pane,
    pub(super) detail: Option<DetailView>,
    pub(super) zoomed: bool,
    pub(super) column: Column,
    pub(super) density: Density,
    pub(super) filter: Option<Filter>,
    pub(super) filters: Vec<String>,
    pub(super) search: Option<Search>,
    /// Where the search stands.
    pub(super) found: Option<Found>,
    pub(super) searches: Vec<String>,
    pub(super) layers: Vec<Layer>,
    pub(super) bars: Bars,
    pub(super) notice: Option<Notice>,
    pub(super) losses: Losses,
    pub(super) theme: usize,
    pub(super) pending: Pending,
    pub(super) tickets: u64,
    /// Until when the store is asked again for newer alerts: it writes a moment after they fire.
    pub(super) catch_up_ms: u64,
    /// The first present that a pulse told of.
    pub(super) first_seen: Option<WallTime>,
    /// Whether leaving has been asked for and only the answer is missing.
    pub(super) leaving: bool,
    /// The alert to be chosen again when the list has been read anew.
    pub(super) again: Option<AlertId>,
    /// How many alerts have come in as they fired.
    pub(super) received: u64,
    pub(super) self_test: SelfTest,
}

impl State {
    /// A console that knows nothing yet.
    pub(super) fn new(size: Size, pulse: Arc<Pulse>) -> Self {
        let received = pulse.alerts;
        Self {
            size,
            now_ms: 0,
            pulse,
            rows: Rows::new(),
            mode: Mode::Live,
            focus: Pane::List,
            detail: None,
            zoomed: false,
            column: Column::Process,
            density: Density::Auto,
            filter: None,
            filters: Vec::new(),
            search: None,
            found: None,
            searches: Vec::new(),
            layers: Vec::new(),
            bars: Bars::new(),
            notice: None,
            losses: Losses::Unasked,
            theme: 0,
            pending: Pending::default(),
            tickets: 0,
            catch_up_ms: 0,
            first_seen: None,
            leaving: false,
            again: None,
            received,
            self_test: SelfTest::default(),
        }
    }

    pub(super) fn layout(&self) -> Layout {
        Layout::of(self.size, self)
    }

    /// Lines that an alert takes in the list.
    pub(super) fn lines_each(&self, layout: &Layout) -> u16 {
        match self.density {
            Density::Two => 2,
            Density::Auto if layout.list.height >= 18 => 2,
            Density::One | Density::Auto => 1,
        }
    }

    /// How many alerts the list shows at once.
    pub(super) fn list_rows(&self) -> usize {
        let layout = self.layout();
        layout.list_rows(self.lines_each(&layout))
    }

    /// The pane below all layers, as a place for keys.
    pub(super) fn base(&self) -> Place {
        match self.focus {
            Pane::List => Place::List,
            Pane::Detail => Place::Detail,
        }
    }

    /// Where keys go.
    pub(super) fn place(&self) -> Place {
        self.layers.last().map_or(self.base(), Layer::place)
    }

    /// How much the details show.
    pub(super) fn extent(&self) -> Extent {
        match self.layout().detail_lines() {
            _ if self.zoomed => Extent::Whole,
            lines if lines < TIGHT_BELOW => Extent::Tight,
            lines if lines < SHORT_BELOW => Extent::Short,
            _ => Extent::Pane,
        }
    }

    /// When the recording that is shown began, as far as that can be seen: at its oldest alert or at the first pulse.
    pub(super) fn recording_begin(&self) -> Option<WallTime> {
        let oldest = self.rows.iter().next().map(|a| a.time);
        [oldest, self.first_seen].into_iter().flatten().min().filter(|_| self.replaying())
    }

    /// Whether leaving this console ends a sensor that watches.
    pub(super) fn watching(&self) -> bool {
        matches!(self.pulse.sensor, Sensor::Starting | Sensor::On | Sensor::Degraded(_)) && !self.pulse.ended
    }

    /// Whether what is shown is a recording.
    pub(super) fn replaying(&self) -> bool {
        matches!(self.pulse.sensor, Sensor::Replay { .. })
    }
}
