//! How fast events are judged, with the three stock files when they lie beside the checkout, else with the shipped rules.
//!
//! `cargo bench -p eyas-engine`; the figure is events a second on one core. Events come from a map of fields, which costs
//! more to ask than a live event, so the figure is a lower bound.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a bench")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use eyas_engine::{FieldMap, Loader, Ruleset, Scratch, SourceFile};

fn main() {
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
    let ruleset = loader.finish().ruleset;
    eprintln!(
        "{} rules, {} tests, {} operations",
        ruleset.len(),
        ruleset.program().tests(),
        ruleset.program().ops()
    );
    ruleset
}

const EVENTS: [(&str, &str); 4] = [
    (
        "exec",
        r#"{"evt.type":"execve","evt.num":7,"evt.res":"SUCCESS","evt.rawres":0,"proc.name":"cc1","proc.pname":"gcc",
        "proc.exe":"/usr/lib/gcc/cc1","proc.exepath":"/usr/lib/gcc/cc1","proc.args":"-quiet main.c -o /tmp/x.s",
        "proc.cmdline":"cc1 -quiet main.c -o /tmp/x.s","proc.pcmdline":"gcc main.c","proc.cwd":"/home/u/","proc.tty":34816,
        "proc.aname[1]":"gcc","proc.aname[2]":"make","proc.aname[3]":"bash","proc.aname[4]":"sshd","proc.vpid":4100,
        "user.name":"u","user.uid":1000,"user.loginuid":1000,"container.id":"host","proc.is_exe_from_memfd":false}"#,
    ),
    (
        "open for reading",
        r#"{"evt.type":"openat","evt.num":8,"evt.res":"SUCCESS","evt.rawres":3,"evt.is_open_read":true,
        "evt.is_open_write":false,"fd.num":3,"fd.typechar":"f","fd.type":"file","fd.name":"/usr/include/stdio.h",
        "fd.nameraw":"/usr/include/stdio.h","fd.directory":"/usr/include","fd.filename":"stdio.h","proc.name":"cc1",
        "proc.pname":"gcc","proc.cmdline":"cc1 main.c","proc.aname[1]":"gcc","proc.aname[2]":"make","user.uid":1000,
        "container.id":"host"}"#,
    ),
    (
        "open for writing",
        r#"{"evt.type":"openat","evt.num":9,"evt.res":"SUCCESS","evt.rawres":3,"evt.is_open_read":false,
        "evt.is_open_write":true,"fd.num":3,"fd.typechar":"f","fd.type":"file","fd.name":"/home/u/src/main.o",
        "fd.nameraw":"main.o","fd.directory":"/home/u/src","fd.filename":"main.o","proc.name":"as","proc.pname":"gcc",
        "proc.cmdline":"as -o main.o","proc.aname[1]":"gcc","proc.aname[2]":"make","user.uid":1000,"container.id":"host"}"#,
    ),
    (
        "connect",
        r#"{"evt.type":"connect","evt.num":10,"evt.res":"SUCCESS","evt.rawres":0,"fd.type":"ipv4","fd.typechar":"4",
        "fd.l4proto":"tcp","fd.cip":"10.0.0.5","fd.sip":"93.184.216.34","fd.cport":51000,"fd.sport":443,"fd.connected":true,
        "fd.name":"10.0.0.5:51000->93.184.216.34:443","proc.name":"curl","proc.exe":"curl","container.id":"host",
        "user.uid":1000}"#,
    ),
];

/// An event, and how it is called in the output.
struct Named(&'static str, FieldMap);

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

fn events() -> Vec<Named> {
    EVENTS.iter().map(|(name, json)| Named(name, FieldMap::from_json_text(json).unwrap())).collect()
}

#[divan::bench]
fn judge_a_mixed_thousand(bencher: Bencher<'_, '_>) {
    let ruleset = ruleset();
    let events = events();
    let mut scratch = Scratch::new();
    let mut fired = Vec::new();
    // Out of ten events seven read, one writes, one starts a program, one connects.
    let mix: Vec<&FieldMap> = (0..1000)
        .map(|i| match i % 10 {
            0 => &events[0].1,
            1 => &events[2].1,
            2 => &events[3].1,
            _ => &events[1].1,
        })
        .collect();
    bencher.counter(ItemsCount::new(mix.len())).bench_local(|| {
        for event in &mix {
            fired.clear();
            ruleset.judge(*event, &mut scratch, &mut fired);
        }
        fired.len()
    });
}

#[divan::bench(args = events())]
fn judge_one(bencher: Bencher<'_, '_>, event: &Named) {
    let ruleset = ruleset();
    let mut scratch = Scratch::new();
    let mut fired = Vec::new();
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        fired.clear();
        ruleset.judge(&event.1, &mut scratch, &mut fired);
        fired.len()
    });
}
