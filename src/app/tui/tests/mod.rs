//! The console on a stage: real keys through the real `update`, answers from a scripted world, pictures on a
//! `TestBackend`. A case is a world, a size and keys.

#![expect(clippy::unwrap_used, reason = "tests")]

mod behaviour;
mod hostile;
mod pictures;
mod self_test;

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use eyas_event::{Alert, AlertId, Priority, Process, WallTime};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Size;

use crate::tui::door::{Ask, Gap, Missing, Pulse, Reload, Reply, Sensor, StoreState, Ticket};
use crate::tui::draw::draw;
use crate::tui::msg::{Effect, Msg};
use crate::tui::overlay::{Layer, Verdict};
use crate::tui::state::{Ctx, State};
use crate::tui::theme::{ColorDepth, Theme};
use crate::tui::update::{open, update};
use crate::tui::world::{self, World, alert, incident, made, pulse};
use crate::tui::zone::Zone;

struct Stage {
    state: State,
    ctx: Ctx,
    world: World,
    /// Effects other than questions.
    out: Vec<Effect>,
    /// Questions, kept while the world does not answer.
    asked: Vec<Ask>,
    silent: bool,
}

impl Stage {
    fn new(width: u16, height: u16, world: World) -> Self {
        let alerts = world.alerts.len() as u64;
        Self::with_pulse(width, height, world, pulse(alerts))
    }

    fn with_pulse(width: u16, height: u16, world: World, pulse: Pulse) -> Self {
        let themes = Theme::names().map(|n| Theme::built_in(n, ColorDepth::True).unwrap()).collect();
        let ctx = Ctx { zone: Zone::utc(), themes };
        let state = State::new(Size::new(width, height), Arc::new(pulse));
        let mut stage = Self { state, ctx, world, out: Vec::new(), asked: Vec::new(), silent: false };
        let effects = open(&mut stage.state, &stage.ctx);
        stage.carry_out(effects);
        stage.tick(1_000);
        stage
    }

    fn send(&mut self, msg: Msg) {
        let effects = update(&mut self.state, msg, &self.ctx);
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Ask(ask) if self.silent => self.asked.push(ask),
                Effect::Ask(ask) => {
                    let reply = self.world.answer(&ask.question);
                    self.send(Msg::Reply(ask.ticket, reply));
                }
                other => self.out.push(other),
            }
        }
    }

    fn tick(&mut self, ms: u64) {
        self.send(Msg::Tick(self.state.now_ms + ms));
    }

    /// Presses keys: words are keys by name, `"…"` is typed letter by letter.
    fn keys(&mut self, keys: &str) -> &mut Self {
        let mut rest = keys.trim();
        while !rest.is_empty() {
            if let Some(quoted) = rest.strip_prefix('\'') {
                let (text, after) = quoted.split_once('\'').unwrap();
                for c in text.chars() {
                    self.send(Msg::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)));
                }
                rest = after.trim_start();
                continue;
            }
            let (name, after) = rest.split_once(' ').unwrap_or((rest, ""));
            self.send(Msg::Key(key(name)));
            rest = after.trim_start();
        }
        self
    }

    fn buffer(&self) -> Buffer {
        let size = self.state.size;
        let mut terminal = Terminal::new(TestBackend::new(size.width, size.height)).unwrap();
        let theme = &self.ctx.themes[self.state.theme];
        terminal.draw(|f| draw(&self.state, &self.ctx, theme, f.buffer_mut())).unwrap();
        terminal.backend().buffer().clone()
    }

    fn screen(&self) -> String {
        let buffer = self.buffer();
        let mut out = String::new();
        for y in 0..buffer.area.height {
            let line: String = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect();
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }

    fn shows(&self, text: &str) {
        let screen = self.screen();
        assert!(screen.contains(text), "`{text}` is not on the screen:\n{screen}");
    }

    fn selected(&self) -> AlertId {
        self.state.rows.selected_id().unwrap()
    }
}

fn key(name: &str) -> KeyEvent {
    let (name, modifiers) = match name.strip_prefix("ctrl-") {
        Some(rest) => (rest, KeyModifiers::CONTROL),
        None => (name, KeyModifiers::NONE),
    };
    let code = match name {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "BackTab" => KeyCode::BackTab,
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "Left" => KeyCode::Left,
        "Right" => KeyCode::Right,
        "PgUp" => KeyCode::PageUp,
        "PgDn" => KeyCode::PageDown,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        "Backspace" => KeyCode::Backspace,
        "Space" => KeyCode::Char(' '),
        one => KeyCode::Char(one.chars().next().unwrap()),
    };
    KeyEvent::new(code, modifiers)
}

fn told() -> World {
    World { alerts: incident(), ..World::default() }
}
