//! The loop: what comes out for what goes in, live and replayed; swaps of the ruleset, losses, stops and failures.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use eyas_ebpf::{
    Argv, ArgvBits, ArgvFixed, Body, Connect, ConnectFixed, Exec, ExecFixed, ExecFlags, Head, Record,
};
use eyas_engine::source::SourceFile;
use eyas_enrich::{Enrich, SilentHost};
use eyas_event::{
    BootTime, Loss, LossCause, LossMaker, Lost, LostBy, OutputValue, Priority, ProcessKey, SourceKind,
};
use eyas_pipeline::{FoundHost, HostNames, Pace, Recording, Replay, RulesCell, Segment, Stop, load_texts};

use crate::support::{
    Collected, Machine, Ran, Step, Steps, T0, cell, live, open, rules, run, run_resolving, shown,
};

fn loss(count: u64) -> Loss {
    let (lost, cause) = (Lost::Records(5), LossCause::RingFull);
    let by = LostBy {
        cpu: Some(1),
        process: Some(LossMaker { key: ProcessKey { pid: 9, start: 3 }, comm: [0; 16] }),
    };
    Loss { lost, cause, by, count, from: BootTime(T0), to: BootTime(T0 + 5) }
}

fn replay(segments: &[Segment], rules: &RulesCell) -> Ran {
    let raw: Vec<_> = segments.iter().map(|s| Ok(s.raw.clone())).collect();
    let source = Replay::new("recording".into(), raw.into_iter(), Pace::Unpaced);
    run(source, Enrich::new(SilentHost), rules, Recording::Off, Collected::default(), Stop::default())
}

#[test]
fn an_event_that_a_rule_asks_for_is_an_alert_and_another_is_none() {
    let rules = cell(&rules("Shadow", "/etc/shadow"));
    let ran = live([Step::Give([open("/etc/hosts", 1), open("/etc/shadow", 2)].concat())], &rules);
    let [alert] = &*ran.out.alerts else { panic!("{} alerts", ran.out.alerts.len()) };
    assert_eq!(alert.message, "opened /etc/shadow by sshd (root)");
    assert_eq!((&*alert.rule, &*alert.node, alert.event_num), ("Shadow", "node-1", 2));
    assert_eq!(alert.time.0, 1_700_000_000_000_000_000 + T0 + 2_000_000);
    assert_eq!(alert.ruleset, rules.load().hash());
    assert!(ran.pulse.ended && ran.pulse.failed.is_none());
    assert_eq!((ran.pulse.events, ran.pulse.alerts, ran.pulse.lost), (2, 1, 0));
    assert_eq!(ran.out.rulesets, [rules.load().hash()]);
}

#[test]
fn a_replay_gives_the_same_alerts_with_the_same_losses_before_them() {
    let rules = cell(&rules("Shadow", "/etc/shadow"));
    let ran = live(
        [
            Step::Lose(loss(3)),
            Step::Give(open("/etc/shadow", 1)),
            Step::Lose(loss(4)),
            Step::Give([open("/etc/shadow", 2), open("/etc/shadow", 3)].concat()),
        ],
        &rules,
    );
    assert_eq!(ran.out.losses, [loss(3), loss(4)]);
    assert_eq!(ran.pulse.lost, 7);
    assert_eq!(ran.out.alerts.iter().map(|a| a.lost_before).collect::<Vec<_>>(), [3, 7, 7]);
    // The loss came before the first record, and the keyframe before both.
    assert!(ran.out.segments[0].keyframe);
    let want: Vec<_> = ran.out.alerts.iter().map(|a| shown(a)).collect();
    assert!(want[0].1.contains("sshd"), "{want:?}");
    for _ in 0..2 {
        let again = replay(&ran.out.segments, &rules);
        assert!(again.result.is_ok());
        assert_eq!(again.out.alerts.iter().map(|a| shown(a)).collect::<Vec<_>>(), want);
        assert_eq!((again.out.losses, again.pulse.lost), (ran.out.losses.clone(), 7));
    }
}

#[test]
fn a_batch_is_judged_by_one_ruleset_and_the_next_by_the_new_one() {
    let (old, new) = (rules("Old", "/a"), rules("New", "/a"));
    let rules = cell(&old);
    let swap = {
        let (rules, new) = (rules.clone(), new.clone());
        move || rules.store(new.clone())
    };
    let batch = |n| Step::Give([open("/a", n), open("/a", n + 1)].concat());
    let ran = live([batch(1), Step::Do(Box::new(swap)), batch(3)], &rules);
    let fired: Vec<_> = ran.out.alerts.iter().map(|a| (&*a.rule, a.event_num)).collect();
    assert_eq!(fired, [("Old", 1), ("Old", 2), ("New", 3), ("New", 4)], "no gap in the numbers");
    assert_eq!(ran.out.rulesets, [old.hash(), new.hash()]);
    assert_eq!(ran.pulse.ruleset, Some(new.hash()));
}

#[test]
fn bytes_that_are_no_record_are_a_loss_and_what_comes_later_is_judged() {
    let rules = cell(&rules("A", "/a"));
    let mut broken = open("/a", 1);
    broken.extend_from_slice(&[7; 100]);
    let ran = live([Step::Give(broken), Step::Give(open("/a", 2))], &rules);
    assert_eq!(ran.out.alerts.len(), 2);
    let [loss] = &*ran.out.losses else { panic!("{:?}", ran.out.losses) };
    assert_eq!((loss.lost, loss.cause, loss.count), (Lost::AnyRecords, LossCause::Unreadable, 1));
    assert_eq!(replay(&ran.out.segments, &rules).out.alerts.len(), 2);
}

#[test]
fn a_source_that_fails_is_said_and_what_came_before_is_kept() {
    let rules = cell(&rules("A", "/a"));
    let ran = live([Step::Give(open("/a", 1)), Step::Fail("the ring is gone")], &rules);
    assert!(ran.result.is_err_and(|e| e.to_string().contains("the ring is gone")));
    assert!(
        ran.pulse.failed.as_ref().is_some_and(|why| why.contains("the ring is gone")) && !ran.pulse.ended
    );
    assert_eq!((ran.out.alerts.len(), ran.out.segments.len()), (1, 1));
}

#[test]
fn a_recording_that_is_damaged_behind_good_records_gives_their_alerts_first() {
    let rules = cell(&rules("A", "/a"));
    let mut segment = live([Step::Give(open("/a", 1))], &rules).out.segments.remove(0);
    let whole = segment.raw.len();
    segment.raw.extend_from_slice(&[9; 70]);
    let ran = replay(&[segment], &rules);
    assert_eq!(ran.out.alerts.len(), 1);
    let error = ran.result.unwrap_err().to_string();
    assert!(error.contains(&format!("at byte {whole} of a segment")), "{error}");
}

#[test]
fn a_stop_ends_it_and_live_records_that_were_there_are_judged_first() {
    let rules = cell(&rules("A", "/a"));
    for (kind, want) in [(SourceKind::Live, 2), (SourceKind::Recording, 1)] {
        let stop = Stop::default();
        let ask = {
            let stop = stop.clone();
            move || stop.ask()
        };
        let steps = [Step::Give(open("/a", 1)), Step::Do(Box::new(ask)), Step::Give(open("/a", 2))];
        let source = Steps { kind, ..Steps::new(steps) };
        let ran = run(source, Enrich::new(Machine), &rules, Recording::Off, Collected::default(), stop);
        assert_eq!(ran.out.alerts.len(), want, "{kind:?}");
        assert!(ran.result.is_ok() && ran.out.segments.is_empty());
    }
}

#[test]
fn after_a_segment_that_could_not_be_kept_comes_a_keyframe_and_a_replay_can_begin_there() {
    let long = format!("/{}", "x".repeat(4000));
    let rules = cell(&rules("Long", &long));
    let big = (0..20).map(|n| Step::Give((0..50).flat_map(|m| open(&long, n * 50 + m)).collect()));
    let mut enrich = Enrich::new(Machine);
    enrich.snapshot();
    let out = Collected { refuse: 1, ..Collected::default() };
    let ran = run(Steps::new(big), enrich, &rules, Recording::On, out, Stop::default());
    assert!(ran.out.segments.len() >= 2, "{}", ran.out.segments.len());
    assert!(ran.out.segments[0].keyframe, "the first was refused, so the second begins anew");
    assert!(!ran.out.segments[1].keyframe);
    let again: Vec<_> = replay(&ran.out.segments, &rules).out.alerts.iter().map(|a| shown(a)).collect();
    assert!(again.len() > 500 && again.len() < 1_000, "{}", again.len());
    let live: Vec<_> = ran.out.alerts.iter().map(|a| shown(a)).collect();
    assert_eq!(live[1_000 - again.len()..], again);
}

#[test]
fn a_keyframe_waits_for_an_exec_that_is_not_complete() {
    // An exec whose arguments come in two pieces; between them a segment is cut, refused, and a keyframe is due.
    let head = Head { tid: 20, tgid: 20, start: T0 + 30_000_000, time: T0 + 31_000_000, ..Head::default() };
    let flags = ExecFlags::ARGV_MORE;
    let fixed =
        ExecFixed { ppid: 10, parent_start: T0, args_total: 7, flags, syscall: 59, ..ExecFixed::default() };
    let argv: &[u8] = b"sh\0";
    let exec = Exec {
        fixed,
        exe: b"sh\0bin\0\0",
        cwd: b"\0",
        filename: b"/bin/sh",
        interp: b"",
        more: b"",
        argv,
        env: b"",
    };
    let last = ArgvFixed { offset: 3, bits: ArgvBits::LAST, ..ArgvFixed::default() };
    let mut first = open(&format!("/{}", "x".repeat(4000)), 1).repeat(280);
    let mut second = Vec::new();
    Record { head, body: Body::Exec(exec) }.write(&mut first).unwrap();
    Record { head, body: Body::Argv(Argv { fixed: last, bytes: b"-c\0\0" }) }.write(&mut second).unwrap();
    let rules = cell(&rules("A", "/a"));
    let mut enrich = Enrich::new(Machine);
    enrich.snapshot();
    let steps = batches(&first).into_iter().chain([Step::Give(second)]);
    let out = Collected { refuse: 1, ..Collected::default() };
    let ran = run(Steps::new(steps), enrich, &rules, Recording::On, out, Stop::default());
    assert!(ran.out.segments.iter().all(|s| !s.keyframe), "nothing but a half exec to tell of");
}

#[test]
fn an_exec_that_still_waits_at_the_end_is_judged() {
    let begun = shell(ExecFlags::ARGV_MORE, 7, b"");
    let text = "- rule: Any\n  desc: d\n  condition: evt.type = execve\n  output: o\n  priority: WARNING\n";
    let source = SourceFile::new("r.yaml", text);
    let rules = cell(&load_texts(vec![source], Priority::Debug).ruleset);
    let ran = live([Step::Give(begun)], &rules);
    assert_eq!(ran.out.alerts.len(), 1);
    assert_eq!(replay(&ran.out.segments, &rules).out.alerts.len(), 1);
}

#[test]
fn variables_are_judged_and_only_those_that_an_output_prints_are_recorded() {
    let (tunables, secret) = (&b"GLIBC_TUNABLES=x\0"[..], &b"api_key=y\0"[..]);
    let begun = shell(ExecFlags::ENV_READ, 3, &[tunables, secret].concat());
    // What was set and not kept is not taken for something that was not set.
    let other = "- rule: Unset\n  desc: d\n  condition: evt.type = execve and proc.env[api_key] = \"\"\n  output: o\n  priority: WARNING\n- rule: Other\n  desc: d\n  condition: evt.type = execve and proc.env[API_KEY] exists\n  output: %proc.name\n  priority: WARNING\n";
    for (output, is_kept, replayed) in [
        ("o", false, 0),
        ("o %proc.env", true, 1),
        ("o %proc.env[GLIBC_TUNABLES]", true, 1),
        // That it was set is known all the same.
        ("o %proc.aenv[HOME]", false, 1),
    ] {
        let text = format!(
            "- rule: Any\n  desc: d\n  condition: evt.type = execve and proc.env contains GLIBC_TUNABLES\n  output: {output}\n  priority: WARNING\n{other}"
        );
        let source = SourceFile::new("r.yaml", text);
        let rules = cell(&load_texts(vec![source], Priority::Debug).ruleset);
        let ran = live([Step::Give(begun.clone())], &rules);
        assert_eq!(ran.out.alerts.len(), 1);
        let kept =
            |env: &[u8]| ran.out.segments.iter().any(|s| s.raw.windows(env.len()).any(|part| part == env));
        assert_eq!(kept(tunables), is_kept, "{output}");
        assert!(!kept(secret), "{output}");
        let again = replay(&ran.out.segments, &rules);
        assert_eq!(again.out.alerts.len(), replayed, "{output}");
        let texts = |ran: &Ran| ran.out.alerts.iter().map(|alert| alert.message.clone()).collect::<Vec<_>>();
        assert!(replayed == 0 || texts(&again) == texts(&ran), "{output}: {:?}", texts(&again));
    }
}

/// A shell that starts: how much of its command line is said to come, and what of its environment came.
fn shell(flags: ExecFlags, args_total: u64, env: &[u8]) -> Vec<u8> {
    let head = Head { tid: 20, tgid: 20, start: T0 + 30_000_000, time: T0 + 31_000_000, ..Head::default() };
    let fixed =
        ExecFixed { ppid: 10, parent_start: T0, args_total, flags, syscall: 59, ..ExecFixed::default() };
    let (exe, cwd, filename, argv) = (b"sh\0bin\0\0", b"\0", b"/bin/sh", b"sh\0");
    let exec = Exec { fixed, exe, cwd, filename, interp: b"", more: b"", argv, env };
    let mut record = Vec::new();
    Record { head, body: Body::Exec(exec) }.write(&mut record).unwrap();
    record
}

/// Records cut into batches that fit.
fn batches(records: &[u8]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut batch = Vec::new();
    for (at, record) in eyas_ebpf::records(records) {
        let len = record.unwrap().head.len as usize;
        if batch.len() + len > 200 << 10 {
            steps.push(Step::Give(std::mem::take(&mut batch)));
        }
        batch.extend_from_slice(&records[at..at + len]);
    }
    steps.push(Step::Give(batch));
    steps
}

#[test]
fn a_recording_is_replayed_at_its_own_pace() {
    let rules = cell(&rules("A", "/a"));
    let ran = live([Step::Give([open("/a", 1), open("/a", 201), open("/a", 100_201)].concat())], &rules);
    let raw = vec![Ok(ran.out.segments[0].raw.clone())];
    let source = Replay::new("r".into(), raw.into_iter(), Pace::Times(100.0));
    let begin = Instant::now();
    let paced =
        run(source, Enrich::new(SilentHost), &rules, Recording::Off, Collected::default(), Stop::default());
    let took = begin.elapsed();
    assert_eq!(
        paced.out.alerts.iter().map(|a| shown(a)).collect::<Vec<_>>(),
        ran.out.alerts.iter().map(|a| shown(a)).collect::<Vec<_>>()
    );
    // 100.2 s a hundred times as fast.
    assert!((Duration::from_millis(990)..Duration::from_secs(3)).contains(&took), "{took:?}");
    assert!(Arc::strong_count(&paced.out.alerts[0]) == 1);
}

/// A connection of process 10 to 192.0.2.7, at `n` ms.
fn connect(n: u64) -> Vec<u8> {
    let mut remote = [0; 16];
    remote[..4].copy_from_slice(&[192, 0, 2, 7]);
    let fixed = ConnectFixed {
        fd: 4,
        syscall: 42,
        family: 2,
        kind: 1,
        protocol: 6,
        local_port: 50_000,
        remote,
        remote_port: 443,
        ..ConnectFixed::default()
    };
    let head = Head { tid: 10, tgid: 10, start: T0, time: T0 + n * 1_000_000, seq: n, ..Head::default() };
    let mut out = Vec::new();
    Record { head, body: Body::Connect(Connect { fixed, address: b"", path: b"" }) }.write(&mut out).unwrap();
    out
}

#[test]
fn a_host_name_counts_from_its_answer_on_live_and_in_a_replay() {
    let rule = |name: &str| {
        let text = format!(
            "- rule: {name}\n  desc: d\n  condition: evt.type = connect and fd.sip.name = {name}\n  output: to %fd.sip.name\n  priority: INFO\n"
        );
        load_texts(vec![SourceFile::new("rules.yaml", text)], Priority::Debug).ruleset
    };
    let (old, new) = (rule("a.test"), rule("b.test"));
    let rules = cell(&old);
    let (answer, answers) = mpsc::channel();
    let say = |name: &'static str, last: u8| {
        let answer = answer.clone();
        let addresses = vec![IpAddr::from([192, 0, 2, last])];
        Step::Do(Box::new(move || {
            answer.send(FoundHost { name: name.into(), addresses: addresses.clone() }).unwrap();
        }))
    };
    let swap = {
        let (rules, new) = (rules.clone(), new.clone());
        Step::Do(Box::new(move || rules.store(new.clone())))
    };
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = asked.clone();
    let door = HostNames::new(move |names| heard.lock().unwrap().extend_from_slice(names), answers);
    let steps = [
        Step::Give(connect(1)),
        say("a.test", 7),
        Step::Give(connect(2)),
        say("a.test", 8),
        Step::Give(connect(3)),
        say("a.test", 7),
        Step::Give(connect(4)),
        // The new ruleset asks for another name, and an answer to the old one comes late.
        swap,
        say("a.test", 7),
        Step::Give(connect(5)),
        say("b.test", 7),
        Step::Give(connect(6)),
    ];
    let ran = run_resolving(steps, &rules, door);
    let fired =
        |ran: &Ran| ran.out.alerts.iter().map(|a| (a.message.clone(), a.event_num)).collect::<Vec<_>>();
    let to = |name: &str, num| (format!("to {name}"), num);
    assert_eq!(fired(&ran), [to("a.test", 2), to("a.test", 4), to("b.test", 6)]);
    assert_eq!(*asked.lock().unwrap(), [Box::from("a.test"), "b.test".into()]);
    let kept = ran.out.alerts[0].fields.iter().find(|(field, _)| field == "fd.sip.name");
    assert_eq!(kept.map(|(_, value)| value.clone()), Some(OutputValue::Text("a.test".into())));
    // A replay asks nobody, and is judged by one ruleset from its begin.
    assert_eq!(fired(&replay(&ran.out.segments, &cell(&old))), [to("a.test", 2), to("a.test", 4)]);
    assert_eq!(fired(&replay(&ran.out.segments, &cell(&new))), [to("b.test", 6)]);
}
