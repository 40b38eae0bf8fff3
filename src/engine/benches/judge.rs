//! How fast events are judged, with the three stock files when they lie beside the checkout, else with the shipped rules.
//!
//! `cargo bench -p eyas-engine`; the figure is events a second on one core. The events are live ones that fire nothing: a
//! compiler run that starts programs, reads, writes and connects. The same with a thousand rules, and how long loading takes.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a bench")]

#[path = "../tests/support/live.rs"]
mod live;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use eyas_engine::{Loader, Ruleset, Scratch, SourceFile};
use eyas_event::Event;
use live::Live;

fn main() {
    let ruleset = ruleset();
    let program = ruleset.program();
    eprintln!("{} rules, {} tests, {} operations", ruleset.len(), program.tests(), program.ops());
    divan::main();
}

/// The rule files: name and text.
fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let stock = std::env::var_os("EYAS_SHARED")
        .map_or_else(|| root.join("../shared"), PathBuf::from)
        .join("falco/rules");
    let names = ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"];
    let files: Vec<PathBuf> = if stock.is_dir() {
        names.iter().map(|name| stock.join(name)).collect()
    } else {
        vec![root.join("rules/eyas.yaml")]
    };
    let read = |file: PathBuf| {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(&file).unwrap())
    };
    files.into_iter().map(read).collect()
}

fn load(files: &[(String, String)]) -> Arc<Ruleset> {
    let add = |loader: Loader, (name, text): &(String, String)| {
        loader.add(SourceFile::new(name.as_str(), text.as_str()))
    };
    files.iter().fold(Loader::new(), add).finish().ruleset
}

fn ruleset() -> Arc<Ruleset> {
    load(&files())
}

/// Rules such as a team writes over the years, each about a service of its own, until there are a thousand with the stock ones.
fn thousand() -> Arc<Ruleset> {
    let mut files = files();
    let stock = load(&files).len();
    let mut text = String::new();
    for i in 0..1000 - stock {
        let (a, b) = (i % 250, i / 250);
        let condition = match i % 8 {
            0 => format!(
                "evt.type in (execve, execveat) and proc.name in (tool{i}, tool{i}-cli) and not proc.pname in (svc{i}, systemd)"
            ),
            1 => format!(
                "evt.type in (open, openat, openat2) and evt.is_open_write = true and fd.num >= 0 and fd.name startswith /srv/app{i}/ and proc.name != app{i}"
            ),
            2 => format!(
                "evt.type in (open, openat, openat2) and evt.is_open_read = true and fd.name in (/etc/app{i}/key, /etc/app{i}/token) and not proc.name in (app{i}, app{i}-reload)"
            ),
            3 => format!(
                "evt.type = connect and fd.sip in (10.{b}.{a}.1, 10.{b}.{a}.2) and proc.name != app{i}"
            ),
            4 => format!(
                "evt.type in (execve, execveat) and proc.cmdline contains \"--unsafe-{i}\" and proc.pname != app{i}"
            ),
            5 => format!(
                "evt.type in (execve, execveat) and proc.exepath startswith /opt/vendor{i}/ and user.name != vendor{i}"
            ),
            6 => format!(
                "evt.type in (open, openat, openat2) and evt.is_open_read = true and fd.name startswith /var/lib/app{i} and proc.aname[2] != app{i}"
            ),
            _ => format!(
                "evt.type = connect and fd.snet in (172.16.{a}.0/24, 172.{}.{a}.0/24) and not proc.name in (app{i}, curl)",
                20 + b
            ),
        };
        let _ = writeln!(
            text,
            "- rule: Service {i}\n  desc: d\n  condition: >\n    {condition}\n  output: found\n  priority: NOTICE"
        );
    }
    files.push(("services.yaml".to_owned(), text));
    let ruleset = load(&files);
    assert_eq!(ruleset.len(), 1000);
    ruleset
}

/// Out of ten events seven read, one writes, one starts a program, one connects.
fn mix<'l>(events: &'l [(&'static str, Event<'l>)]) -> Vec<&'l Event<'l>> {
    let at = |i: usize| &events[i].1;
    (0..1000)
        .map(|i| match i % 10 {
            0 => at(0),
            1 => at(2),
            2 => at(3),
            _ => at(1),
        })
        .collect()
}

/// What the events are judged by.
const RULES: [&str; 2] = ["stock rules", "a thousand rules"];

fn by(rules: &str) -> Arc<Ruleset> {
    if rules == RULES[0] { ruleset() } else { thousand() }
}

#[divan::bench]
fn load_the_files(bencher: Bencher<'_, '_>) {
    let files = files();
    bencher.bench_local(|| load(&files).len());
}

#[divan::bench(args = RULES)]
fn judge_a_mixed_thousand(bencher: Bencher<'_, '_>, rules: &str) {
    let live = Live::new("host");
    let events = live.events();
    measure(bencher, &by(rules), &mix(&events));
}

#[divan::bench(args = ["exec", "open for reading", "open for writing", "connect"], consts = [0, 1])]
fn judge_one_kind<const BY: usize>(bencher: Bencher<'_, '_>, kind: &str) {
    let live = Live::new("host");
    let events = live.events();
    let (_, event) = events.iter().find(|(name, _)| *name == kind).unwrap();
    measure(bencher, &by(RULES[BY]), &vec![event; 1000]);
}

fn measure(bencher: Bencher<'_, '_>, ruleset: &Ruleset, events: &[&Event<'_>]) {
    let mut scratch = Scratch::new();
    let mut fired = Vec::new();
    bencher.counter(ItemsCount::new(events.len())).bench_local(|| {
        fired.clear();
        for event in events {
            ruleset.judge(divan::black_box(*event), &mut scratch, &mut fired);
        }
        assert!(fired.is_empty());
    });
}
