//! What may happen to the console ([`Msg`]) and what it may do to the world ([`Effect`]). Both are closed: nothing else
//! comes in, nothing else gets out.

use std::sync::Arc;

use crossterm::event::KeyEvent;
use eyas_event::Alert;
use ratatui::layout::Size;

use super::door::{Ask, Pulse, Reply, TestNews, TestOrder, Ticket};

/// Something happened.
#[derive(Clone, Debug)]
pub(super) enum Msg {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has this size now.
    Resize(Size),
    /// Time has passed; the number is milliseconds since the console opened.
    Tick(u64),
    /// There is a newer pulse.
    Pulse(Arc<Pulse>),
    /// Alerts have fired.
    Alerts(Vec<Arc<Alert>>),
    /// A question was answered.
    Reply(Ticket, Reply),
    /// The self-test has told something.
    Test(TestNews),
    /// Somebody asked the process to end.
    Signal,
}

/// Something to be done outside of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Send a question.
    Ask(Ask),
    /// Tell the self-test what to do.
    Test(TestOrder),
    /// Paint everything anew: something else wrote to the terminal.
    Repaint,
    /// Leave, because a person said so.
    Quit,
    /// Leave, because a signal said so.
    Stop,
    /// Panic on purpose, so that a test can see the terminal restored.
    Panic,
}
