//! Bytes that want to be more than text, and everything else that may happen in any order.

use ratatui::layout::Rect;

use super::*;

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
        1 => self_test::any_news().prop_map(Msg::Test),
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
    for keys in ["", "Enter", "f 'x'", "?", ":", "S", "/ 'a'", "t"] {
        let mut stage = Stage::new(80, 24, told());
        stage.keys(keys);
        for (width, height) in (0..45).flat_map(|w| (0..26).map(move |h| (w, h))) {
            stage.send(Msg::Resize(Size::new(width, height)));
            let _ = stage.buffer();
            // A terminal that has just become another size: the message about it is still on its way.
            let mut other = Buffer::empty(Rect::new(0, 0, 33, 9));
            draw(&stage.state, &stage.ctx, &stage.ctx.themes[0], &mut other);
        }
    }
}
