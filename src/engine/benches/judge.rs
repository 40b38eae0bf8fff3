//! How fast events are judged, with the three stock files when they lie beside the checkout, else with the shipped rules.
//!
//! `cargo bench -p eyas-engine`; the figure is events a second on one core. The events are live ones that fire nothing: a
//! compiler run that starts programs, reads, writes and connects.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a bench")]

#[path = "../tests/support/live.rs"]
mod live;

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

fn ruleset() -> Arc<Ruleset> {
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
    let mut loader = Loader::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        loader = loader.add(SourceFile::new(name, std::fs::read_to_string(&file).unwrap()));
    }
    loader.finish().ruleset
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

#[divan::bench]
fn judge_a_mixed_thousand(bencher: Bencher<'_, '_>) {
    let ruleset = ruleset();
    let live = Live::new("host");
    let events = live.events();
    let mix = mix(&events);
    let mut scratch = Scratch::new();
    let mut fired = Vec::new();
    bencher.counter(ItemsCount::new(mix.len())).bench_local(|| {
        fired.clear();
        for event in &mix {
            ruleset.judge(*event, &mut scratch, &mut fired);
        }
        fired.len()
    });
}

#[divan::bench(args = ["exec", "open for reading", "open for writing", "connect"])]
fn judge_a_thousand(bencher: Bencher<'_, '_>, kind: &str) {
    let ruleset = ruleset();
    let live = Live::new("host");
    let events = live.events();
    let (_, event) = events.iter().find(|(name, _)| *name == kind).unwrap();
    let mut scratch = Scratch::new();
    let mut fired = Vec::new();
    bencher.counter(ItemsCount::new(1000_usize)).bench_local(|| {
        fired.clear();
        for _ in 0..1000 {
            ruleset.judge(divan::black_box(event), &mut scratch, &mut fired);
        }
        fired.len()
    });
}
