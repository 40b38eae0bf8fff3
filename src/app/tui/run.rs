//! The loop: signals first, then keys, answers, alerts, and the tick; each becomes a message, `update` takes it in, its
//! effects are carried out. The screen is painted at most every 16 ms, and only if something changed.

use std::collections::VecDeque;
use std::io::{self, Stdout};
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event, EventStream};
use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use futures_util::StreamExt as _;
use ratatui::Terminal;
use ratatui::backend::{Backend as _, CrosstermBackend};
use ratatui::layout::Size;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::door::{Doors, Pulse, Reply, TestDoor, TestNews};
use super::draw::draw;
use super::msg::{Effect, Msg};
use super::state::{Ctx, State};
use super::terminal::Guard;
use super::theme::Theme;
use super::update::{open, update};
use super::zone::Zone;

/// Sixty frames a second are as many as terminals show.
const FRAME: Duration = Duration::from_millis(16);
/// How often the pulse is looked at.
const TICK: Duration = Duration::from_millis(100);

/// How the console looks.
#[derive(Debug)]
pub struct Console {
    /// What can be chosen; the first is the one to begin with. At least one.
    pub themes: Vec<Theme>,
    /// In which times are shown.
    pub zone: Zone,
}

/// How the console ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// A person left it.
    Quit,
    /// A signal asked the process to end, or the terminal went away.
    Stopped,
    /// Another thread panicked; the text is its message. The terminal has been restored.
    Crashed(String),
}

/// Empties the screen, and forgets what was on it, so that the next frame is painted whole. `Terminal::clear` does that
/// too, but asks the terminal for its cursor first, and not every terminal answers.
fn blank(terminal: &mut Terminal<CrosstermBackend<Stdout>>) -> io::Result<()> {
    terminal.backend_mut().clear()?;
    terminal.swap_buffers();
    terminal.swap_buffers();
    Ok(())
}

/// Runs the console on this terminal until it ends. Needs a tokio runtime with time and I/O enabled; the terminal is
/// restored when this returns, fails or panics.
pub async fn run(mut doors: Doors, console: Console) -> io::Result<Exit> {
    if console.themes.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the console was given no theme"));
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut interrupt = signal(SignalKind::interrupt())?;

    let guard = Guard::enter()?;
    let mut terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
    blank(&mut terminal)?;
    let mut input = EventStream::new();
    let size = terminal.size()?;
    let ctx = Ctx { zone: console.zone, themes: console.themes };
    let mut state = State::new(Size::new(size.width, size.height), doors.pulse.load_full());
    state.self_test.why_not = doors.test.as_ref().err().copied();
    let start = Instant::now();
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (mut alerts_open, mut replies_open) = (true, true);
    let mut dirty = true;
    let mut next_frame = start;
    let effects = open(&mut state, &ctx);
    if let Some(exit) = carry_out(effects, &mut state, &ctx, &doors, &mut terminal)? {
        return Ok(exit);
    }
    loop {
        if dirty && Instant::now() >= next_frame {
            paint(&mut terminal, &state, &ctx)?;
            dirty = false;
            next_frame = Instant::now() + FRAME;
        }
        let msg = tokio::select! {
            biased;
            _ = terminate.recv() => Msg::Signal,
            _ = hangup.recv() => Msg::Signal,
            _ = interrupt.recv() => Msg::Signal,
            event = input.next() => match event {
                Some(Ok(Event::Key(key))) => Msg::Key(key),
                Some(Ok(Event::Paste(text))) => Msg::Paste(text),
                Some(Ok(Event::Resize(width, height))) => Msg::Resize(Size::new(width, height)),
                Some(Ok(_)) => continue,
                // The terminal is gone.
                Some(Err(_)) | None => Msg::Signal,
            },
            reply = doors.replies.recv(), if replies_open => if let Some((ticket, reply)) = reply {
                Msg::Reply(ticket, reply)
            } else {
                replies_open = false;
                continue;
            },
            news = told(&mut doors.test) => Msg::Test(news),
            alerts = doors.alerts.recv(), if alerts_open => if let Some(alerts) = alerts {
                Msg::Alerts(alerts)
            } else {
                alerts_open = false;
                continue;
            },
            now = tick.tick() => {
                if let Some(text) = guard.crash() {
                    return Ok(Exit::Crashed(text));
                }
                let pulse = doors.pulse.load_full();
                if !Arc::ptr_eq(&pulse, &state.pulse) {
                    // Time alone is no reason to paint: the bars move on when the store has counted anew.
                    let changed = *pulse != Pulse { now: pulse.now, ..Pulse::clone(&state.pulse) };
                    let effects = update(&mut state, Msg::Pulse(pulse), &ctx);
                    if let Some(exit) = carry_out(effects, &mut state, &ctx, &doors, &mut terminal)? {
                        return Ok(exit);
                    }
                    dirty |= changed;
                }
                Msg::Tick(now.duration_since(start).as_millis() as u64)
            }
            () = sleep_until(next_frame), if dirty => continue,
        };
        let quiet = matches!(msg, Msg::Tick(_));
        let notice = state.notice.is_some();
        let effects = update(&mut state, msg, &ctx);
        dirty |= !quiet || notice != state.notice.is_some();
        if let Some(exit) = carry_out(effects, &mut state, &ctx, &doors, &mut terminal)? {
            return Ok(exit);
        }
    }
}

/// What the self-test tells next; for ever nothing where there is none or it has ended.
async fn told(test: &mut Result<TestDoor, &'static str>) -> TestNews {
    if let Ok(door) = test
        && let Some(news) = door.news.recv().await
    {
        return news;
    }
    std::future::pending().await
}

type Screen = Terminal<CrosstermBackend<Stdout>>;

fn paint(terminal: &mut Screen, state: &State, ctx: &Ctx) -> io::Result<()> {
    let theme = &ctx.themes[state.theme.min(ctx.themes.len() - 1)];
    queue!(terminal.backend_mut(), BeginSynchronizedUpdate)?;
    terminal.draw(|frame| draw(state, ctx, theme, frame.buffer_mut()))?;
    crossterm::execute!(terminal.backend_mut(), EndSynchronizedUpdate)
}

fn carry_out(
    effects: Vec<Effect>,
    state: &mut State,
    ctx: &Ctx,
    doors: &Doors,
    terminal: &mut Screen,
) -> io::Result<Option<Exit>> {
    let mut queue = VecDeque::from(effects);
    while let Some(effect) = queue.pop_front() {
        match effect {
            Effect::Ask(ask) => {
                let ticket = ask.ticket;
                let why = match doors.asks.try_send(ask) {
                    Ok(()) => continue,
                    Err(TrySendError::Full(_)) => "the store is busy; counts lag",
                    Err(TrySendError::Closed(_)) => "the store is closed",
                };
                queue.extend(update(state, Msg::Reply(ticket, Reply::Failed(why.to_owned())), ctx));
            }
            Effect::Test(order) => {
                let sent = doors.test.as_ref().is_ok_and(|test| test.orders.try_send(order).is_ok());
                if !sent {
                    let news =
                        TestNews::Failed("the process that plays the actions does not listen".to_owned());
                    queue.extend(update(state, Msg::Test(news), ctx));
                }
            }
            Effect::Repaint => blank(terminal)?,
            Effect::Quit => return Ok(Some(Exit::Quit)),
            Effect::Stop => return Ok(Some(Exit::Stopped)),
            Effect::Panic => panic!("asked for by the command `debug panic`"),
        }
    }
    Ok(None)
}
