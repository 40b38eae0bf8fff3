//! What the console knows of the self-test: the actions, what came of each, and which is chosen. The actions are played by
//! another process; what it tells comes in as [`TestNews`], what it should do goes out as orders.

use super::door::{TestAction, TestNews, TestOutcome, TestVerdict};

/// The self-test, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(super) struct SelfTest {
    /// Why there is none.
    pub(super) why_not: Option<&'static str>,
    /// Whether the actions have been asked for.
    pub(super) asked: bool,
    pub(super) rows: Vec<Row>,
    /// The chosen row.
    pub(super) chosen: usize,
    /// Whether the choice goes along with what plays.
    pub(super) along: bool,
    /// How many are to be played, while some are.
    pub(super) playing: Option<usize>,
    /// Whether it has been asked to stop.
    pub(super) stopping: bool,
    /// Why it could not be done or go on.
    pub(super) failed: Option<String>,
}

/// An action and what came of it.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) action: TestAction,
    pub(super) now: Now,
}

/// Where an action stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Now {
    /// It has not been played.
    Waits,
    /// It is.
    Plays,
    /// It was.
    Ended(TestOutcome),
}

impl SelfTest {
    /// Takes in what was told.
    pub(super) fn hear(&mut self, news: TestNews) {
        match news {
            TestNews::Listed(actions) => {
                self.rows = actions.into_iter().map(|action| Row { action, now: Now::Waits }).collect();
                self.chosen = 0;
            }
            TestNews::Began(name) => self.set(&name, Now::Plays),
            TestNews::Ended(name, outcome) => self.set(&name, Now::Ended(outcome)),
            TestNews::Over => self.end(),
            TestNews::Failed(why) => {
                self.end();
                // The next look may find it mended.
                self.asked = !self.rows.is_empty();
                self.failed = Some(why);
            }
        }
    }

    fn set(&mut self, name: &str, now: Now) {
        let Some(at) = self.rows.iter().position(|row| row.action.name == name) else { return };
        self.rows[at].now = now;
        if self.along {
            self.chosen = at;
        }
    }

    fn end(&mut self) {
        self.playing = None;
        self.stopping = false;
        for row in &mut self.rows {
            if row.now == Now::Plays {
                row.now = Now::Waits;
            }
        }
    }

    /// A run of all begins, or of the chosen one alone, whose name this gives.
    pub(super) fn begin(&mut self, all: bool) -> Option<String> {
        self.failed = None;
        self.along = all;
        self.playing = Some(if all { self.rows.len() } else { 1 });
        if all {
            for row in &mut self.rows {
                row.now = Now::Waits;
            }
            return None;
        }
        let row = self.rows.get_mut(self.chosen)?;
        row.now = Now::Waits;
        Some(row.action.name.clone())
    }

    /// How many ended so.
    pub(super) fn count(&self, holds: impl Fn(TestVerdict) -> bool) -> usize {
        self.rows.iter().filter(|row| matches!(&row.now, Now::Ended(o) if holds(o.verdict))).count()
    }
}
