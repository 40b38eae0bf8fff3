//! The filter of openings in the running kernel: what is wanted arrives, what is not is passed over and counted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use eyas_engine::{Loader, SourceFile};
use eyas_event::{Among, Domains, EventSet, EventType, Interest, OpenWant, Opens, PathTest, Source, Ways};
use eyas_probe::{ProbeOptions, Reads};

use crate::actor::play;
use crate::watch::{Watch, calls, opens, real, watch, watch_with};

fn of(opens: Opens) -> Interest {
    Interest { opens, ..Interest::everything() }
}

fn one(test: PathTest) -> OpenWant {
    OpenWant { path: Among::These([test].into()), ..OpenWant::ALL }
}

fn bytes(text: &str) -> Box<[u8]> {
    text.as_bytes().into()
}

/// Does the same with a probe of each way in which the programs read the kernel's memory.
fn each_way_of_reading(test: impl Fn(Watch, Reads)) {
    for reads in [Reads::Cheapest, Reads::Helper] {
        if let Some(watch) = watch_with(&ProbeOptions { reads, ..ProbeOptions::default() }) {
            test(watch, reads);
        }
    }
}

/// The paths that a process gave, as far as its openings arrived, with `DIR` for the directory.
fn given(watch: &Watch, pid: u32, dir: &str) -> Vec<String> {
    let opens = opens(&watch.bytes, pid).into_iter();
    opens.map(|(_, open)| String::from_utf8(open.given.to_vec()).unwrap().replace(dir, "DIR")).collect()
}

#[test]
fn openings_that_are_wanted_arrive_and_others_do_not() {
    each_way_of_reading(wanted_arrive_others_do_not);
}

fn wanted_arrive_others_do_not(mut watch: Watch, reads: Reads) {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("sub")).unwrap();
    for name in ["wanted", "other", "sub/wanted"] {
        fs::write(dir.path().join(name), "x").unwrap();
    }
    let dir = real(dir.path());
    let made = OpenWant {
        ways: Ways::WRITE.or(Ways::CREATED).or(Ways::CREAT),
        ..one(PathTest::Ends(bytes(".made")))
    };
    let opens_wanted =
        Opens::one(one(PathTest::Begins(bytes(&format!("{dir}/wanted"))))).or(&Opens::one(made));
    watch.probe.set_interest(&of(opens_wanted)).unwrap();
    let before = watch.probe.totals().unwrap();
    let mut child = play("filter", Path::new(&dir), &dir);
    watch.until_exit(child.id());
    assert!(child.wait().unwrap().success());

    let arrived = given(&watch, child.id(), &dir);
    assert_eq!(
        arrived,
        [
            "DIR/wanted",
            "DIR/wanted-missing",
            // A relative path, or one to be folded, is decided by the rules themselves.
            "wanted",
            "./wanted",
            "sub/../wanted",
            "DIR//wanted",
            "DIR/./wanted",
            "DIR/sub/../wanted",
            "DIR/sub/.././wanted-missing",
            "DIR/new.made",
            "DIR/new.made",
            "DIR/read.made",
            "DIR/read.made",
            "DIR/wanted",
            "DIR/wanted",
            "DIR/wanted",
            // What cannot be read cannot be decided.
            "",
        ],
        "{reads:?}"
    );
    let after = watch.probe.totals().unwrap();
    // other and missing, sub twice, one by creat, three for reading only, and by openat2, open and the 32-bit entry.
    assert!(after.filtered >= before.filtered + 11, "{before:?} {after:?}");
}

/// A file that only a link leads to, and one through a directory that is a link.
#[test]
fn openings_of_files_that_are_wanted_arrive_by_whatever_path() {
    each_way_of_reading(files_arrive_by_whatever_path);
}

fn files_arrive_by_whatever_path(mut watch: Watch, reads: Reads) {
    let dir = tempfile::tempdir().unwrap();
    let dir = real(dir.path());
    let at = |name: &str| format!("{dir}/{name}");
    fs::create_dir_all(at("a/deep/er/one")).unwrap();
    for name in ["wanted", "other", "a/deep/er/one/wanted", "a/deep/er/one/other", "a/under"] {
        fs::write(at(name), "x").unwrap();
    }
    for (link, to) in [("link", "wanted"), ("other-link", "other"), ("deep", "a/deep/er"), ("b", "a")] {
        std::os::unix::fs::symlink(to, at(link)).unwrap();
    }
    let real = |test| OpenWant { real: Among::These([test].into()), ..OpenWant::ALL };
    let wanted = [
        real(PathTest::Is(bytes(&at("wanted")))),
        real(PathTest::Ends(bytes("/one/wanted"))),
        OpenWant { ways: Ways::WRITE, ..real(PathTest::Begins(bytes(&at("a/under")))) },
        one(PathTest::Is(bytes(&at("other-link")))),
    ];
    let wanted = wanted.into_iter().fold(Opens::none(), |all, want| all.or(&Opens::one(want)));
    watch.probe.set_interest(&of(wanted)).unwrap();
    let script = "
        for file in wanted other link ./link other-link deep/one/wanted deep/one/other b/under missing; do
            true < \"$0/$file\"
        done
        true >> \"$0/b/under\"
        cd \"$0\" && true < link
        true < /proc/self/root/\"$0\"/wanted
        exit 0";
    let mut shell = Command::new("/bin/sh");
    let mut child = shell.args(["-c", script, &dir]).stderr(Stdio::null()).spawn().unwrap();
    watch.until_exit(child.id());
    assert!(child.wait().unwrap().success());
    let arrived = given(&watch, child.id(), &dir);
    assert_eq!(
        arrived,
        [
            "DIR/wanted",
            "DIR/link",
            "DIR/./link",
            "DIR/other-link",
            "DIR/deep/one/wanted",
            "DIR/b/under",
            "link",
            "/proc/self/root/DIR/wanted",
        ],
        "{reads:?}"
    );
}

/// Sockets by their family; of a process on the host not what is wanted of containers.
#[test]
fn calls_are_sent_for_what_they_ask_for_and_where_they_happen() {
    each_way_of_reading(calls_by_family_and_place);
}

fn calls_by_family_and_place(mut watch: Watch, _: Reads) {
    const SOCKET: u32 = libc::SYS_socket as u32;
    const DUP: u32 = libc::SYS_dup as u32;
    let dir = tempfile::tempdir().unwrap();
    let events: EventSet = [EventType::SOCKET, EventType::DUP].into_iter().collect();
    let all = Interest::of(events);
    let mut cgroup = 0;
    let mut sent = |interest: &Interest, not_a_container: u64| {
        watch.probe.set_interest(interest).unwrap();
        watch.probe.not_a_container(not_a_container);
        let before = watch.probe.totals().unwrap().filtered;
        let mut child = play("sockets", dir.path(), "");
        watch.until_exit(child.id());
        assert!(child.wait().unwrap().success());
        let calls = calls(&watch.bytes, child.id()).into_iter();
        let calls = calls.inspect(|(head, _)| cgroup = head.cgroup).map(|(_, call)| call.fixed);
        // The runtime of the test has its own sockets and descriptors, none of these.
        let calls = calls.filter(|call| call.syscall == SOCKET || call.syscall == DUP);
        let what = |call: eyas_ebpf::CallFixed| if call.syscall == DUP { DUP } else { call.arg0 as u32 };
        (calls.map(what).collect::<Vec<_>>(), watch.probe.totals().unwrap().filtered - before, cgroup)
    };
    let (arrived, _, own) = sent(&all, u64::MAX);
    assert_eq!(arrived, [1, 2, 16, 100, DUP]);
    let netlink = Domains::named(|name| name == b"AF_NETLINK");
    let (arrived, filtered, _) = sent(&Interest { domains: netlink, ..all.clone() }, u64::MAX);
    // A family without a name is never left out.
    assert_eq!(arrived, [16, 100, DUP]);
    assert!(filtered >= 2, "{filtered}");
    let contained = [EventType::DUP].into_iter().collect();
    let (arrived, ..) = sent(&Interest { contained, ..all.clone() }, u64::MAX);
    assert_eq!(arrived, [1, 2, 16, 100, DUP], "nobody has said that this is no container");
    let (arrived, filtered, _) = sent(&Interest { contained, ..all.clone() }, own);
    assert_eq!(arrived, [1, 2, 16, 100]);
    assert!(filtered >= 1, "{filtered}");
    assert_eq!(sent(&all, u64::MAX).0, [1, 2, 16, 100, DUP], "back to everywhere, without a gap");
}

#[test]
fn a_program_is_known_by_its_own_name_and_its_threads_by_theirs_too() {
    let Some(mut watch) = watch() else { return };
    let mut count = |name: &str, command: &mut Command| {
        let comm = Among::These([bytes(name)].into());
        watch.probe.set_interest(&of(Opens::one(OpenWant { comm, ..OpenWant::ALL }))).unwrap();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        watch.until_exit(child.id());
        assert!(child.wait().unwrap().success());
        opens(&watch.bytes, child.id()).iter().filter(|(_, open)| open.given == b"/etc/hostname").count()
    };
    assert_eq!(count("head", Command::new("head").arg("/etc/hostname")), 1);
    assert_eq!(count("head", Command::new("cat").arg("/etc/hostname")), 0);
    assert_eq!(count("hea", Command::new("head").arg("/etc/hostname")), 0);
    let dir = tempfile::tempdir().unwrap();
    // The scene runs in a thread that the test harness gives a name to; the process has its file's.
    let me = std::env::current_exe().unwrap();
    let own = &me.file_name().unwrap().to_str().unwrap()[..15];
    for (name, seen) in [(own, 7), ("actor::plays_a_", 7), ("another", 0)] {
        let comm = Among::These([bytes(name)].into());
        watch.probe.set_interest(&of(Opens::one(OpenWant { comm, ..OpenWant::ALL }))).unwrap();
        let mut child = play("open-one", dir.path(), "7 /etc/hostname");
        watch.until_exit(child.id());
        assert!(child.wait().unwrap().success());
        let opens = opens(&watch.bytes, child.id());
        let count = opens.iter().filter(|(_, open)| open.given == b"/etc/hostname").count();
        assert_eq!(count, seen, "{name}");
    }
}

#[test]
fn a_change_of_interest_loses_nothing_that_both_want() {
    const COUNT: usize = 30_000;
    let Some(mut watch) = watch() else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = real(dir.path()) + "/no-such-";
    let wanted = Opens::one(one(PathTest::Begins(bytes(&path))));
    watch.probe.set_interest(&of(wanted.clone())).unwrap();
    let mut child = play("open-numbered", dir.path(), &format!("{COUNT} {path}"));
    let mut changes = 0;
    while child.try_wait().unwrap().is_none() {
        changes += 1;
        let more = Opens::one(one(PathTest::Begins(bytes(&format!("/nowhere/{changes}")))));
        watch.probe.set_interest(&of(wanted.or(&more))).unwrap();
        watch.take(std::time::Duration::ZERO);
    }
    watch.until_exit(child.id());
    assert!(changes > 10, "{changes}");
    let seen = opens(&watch.bytes, child.id());
    let numbered: Vec<_> =
        seen.iter().filter_map(|(_, open)| open.given.strip_prefix(path.as_bytes())).collect();
    assert_eq!(numbered.len(), COUNT);
    for (number, text) in numbered.iter().enumerate() {
        assert_eq!(**text, *number.to_string().as_bytes());
    }
}

/// The same of a file that is wanted now by its path, now by the link that leads to it: no answer is half of old tables and half of new.
#[test]
fn a_change_between_path_and_file_loses_nothing() {
    const COUNT: usize = 30_000;
    let Some(mut watch) = watch() else { return };
    let dir = tempfile::tempdir().unwrap();
    let dir = real(dir.path());
    let (file, link) = (format!("{dir}/file"), format!("{dir}/link"));
    fs::write(&file, "").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let by_path = one(PathTest::Is(bytes(&link)));
    let by_file = OpenWant { real: Among::These([PathTest::Is(bytes(&file))].into()), ..OpenWant::ALL };
    watch.probe.set_interest(&of(Opens::one(by_path.clone()))).unwrap();
    let mut child = play("open-one", Path::new(&dir), &format!("{COUNT} {link}"));
    let mut changes = 0;
    while child.try_wait().unwrap().is_none() {
        changes += 1;
        let want = if changes % 2 == 0 { &by_path } else { &by_file };
        watch.probe.set_interest(&of(Opens::one(want.clone()))).unwrap();
        watch.take(std::time::Duration::ZERO);
    }
    watch.until_exit(child.id());
    assert!(changes > 10, "{changes}");
    let seen = opens(&watch.bytes, child.id());
    assert_eq!(seen.iter().filter(|(_, open)| open.given == link.as_bytes()).count(), COUNT);
}

#[test]
fn what_is_wanted_anew_arrives_from_the_change_on() {
    let Some(mut watch) = watch() else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = real(dir.path()) + "/no-such-";
    for (wanted, seen) in [(false, 0), (true, 50), (false, 0), (true, 50)] {
        let test = if wanted { PathTest::Begins(bytes(&path)) } else { PathTest::Is(bytes(&path)) };
        watch.probe.set_interest(&of(Opens::one(one(test)))).unwrap();
        let mut child = play("open-numbered", dir.path(), &format!("50 {path}"));
        watch.until_exit(child.id());
        assert!(child.wait().unwrap().success());
        let opens = opens(&watch.bytes, child.id());
        assert_eq!(opens.iter().filter(|(_, open)| open.given.starts_with(path.as_bytes())).count(), seen);
    }
}

#[test]
fn by_the_shipped_rules_a_loop_on_a_file_of_no_rule_sends_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    a_loop_on_a_file_of_no_rule_sends_nothing(&[root.join("rules/eyas.yaml")]);
}

#[test]
fn by_the_stock_rules_a_loop_on_a_file_of_no_rule_sends_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = std::env::var_os("EYAS_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    if !folder.is_dir() {
        println!("skipped: no reference files at {}", folder.display());
        return;
    }
    let names = ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"];
    a_loop_on_a_file_of_no_rule_sends_nothing(&names.map(|name| folder.join("falco/rules").join(name)));
}

fn a_loop_on_a_file_of_no_rule_sends_nothing(rules: &[PathBuf]) {
    const COUNT: u64 = 100_000;
    let Some(mut watch) = watch() else { return };
    let mut loader = Loader::new();
    for file in rules {
        let text = fs::read_to_string(file).unwrap();
        loader = loader.add(SourceFile::new(file.display().to_string(), text));
    }
    let ruleset = loader.finish().ruleset;
    watch.probe.set_interest(&ruleset.interest().union(&Interest::recorded())).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let file = real(file.path());
    for path in ["/etc/hostname", &file] {
        let before = watch.probe.totals().unwrap();
        let mut child = play("open-one", Path::new("/"), &format!("{COUNT} {path}"));
        watch.until_exit(child.id());
        assert!(child.wait().unwrap().success());
        let sent = opens(&watch.bytes, child.id());
        assert_eq!(sent.iter().filter(|(_, open)| open.given == path.as_bytes()).count(), 0, "{path}");
        let after = watch.probe.totals().unwrap();
        assert!(after.filtered >= before.filtered + COUNT, "{before:?} {after:?}");
        // One that a rule reads comes through the same filter.
        let mut child = Command::new("cat").arg("/etc/shadow").stdout(Stdio::null()).spawn().unwrap();
        watch.until_exit(child.id());
        child.wait().unwrap();
        assert!(opens(&watch.bytes, child.id()).iter().any(|(_, open)| open.given == b"/etc/shadow"));
    }
}
