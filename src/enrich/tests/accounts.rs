//! Users of a container, read live from the root of a process in it: the container's file and not the machine's, and nothing
//! that the container puts in its way.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::rc::Rc;
use std::time::{Duration, Instant};

use eyas_ebpf::{Body, Exec, ExecFixed, Head, Open, OpenFixed, Record, records};
use eyas_enrich::{Enrich, LiveHost, SilentHost};
use eyas_event::{Event, FieldId, FieldRef, Fields, Host, Lookup, Process, User, Whose};

/// A process in a root of its own: `sleep`, and what it needs. It ends with this value.
struct Inside {
    child: Child,
    root: tempfile::TempDir,
}

impl Drop for Inside {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Inside {
    /// `None` where nobody may change a root, or `sleep` does not start in another.
    fn start() -> Option<Self> {
        let root = tempfile::tempdir().unwrap();
        let sleep = PathBuf::from("/bin/sleep").canonicalize().ok()?;
        let needs = Command::new("ldd").arg(&sleep).output().ok()?;
        let needs = String::from_utf8_lossy(&needs.stdout).into_owned();
        let files = needs.split_whitespace().filter(|word| word.starts_with('/')).map(Path::new);
        for file in files.chain([&*sleep]) {
            let copy = root.path().join(file.strip_prefix("/").ok()?);
            fs::create_dir_all(copy.parent()?).ok()?;
            fs::copy(file, copy).ok()?;
        }
        fs::create_dir_all(root.path().join("etc")).unwrap();
        let child = Command::new("chroot").arg(root.path()).arg(&sleep).arg("60").spawn().ok()?;
        let inside = Self { child, root };
        let link = format!("/proc/{}/root", inside.child.id());
        let until = Instant::now() + Duration::from_secs(5);
        while fs::read_link(&link).ok()? != inside.root.path().canonicalize().ok()? {
            if Instant::now() > until {
                return None;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Some(inside)
    }

    fn passwd(&self) -> PathBuf {
        self.root.path().join("etc/passwd")
    }

    fn whose<'c>(&self, id: &'c str) -> Whose<'c> {
        Whose::Container { id, pid: self.child.id() }
    }
}

fn found(name: &str, home: &str, shell: &str) -> Lookup<User> {
    let [name, home, shell] = [name, home, shell].map(|text| text.as_bytes().into());
    Lookup::Found(User { name, home, shell })
}

#[test]
fn a_container_has_users_of_its_own_and_cannot_lead_us_astray() {
    let Some(inside) = Inside::start() else {
        println!("skipped: no process with a root of its own can be started here");
        return;
    };
    let mut host = LiveHost::new("node".into(), 0);
    let line = "root:x:0:0::/inside:/bin/none\nweb:x:33:33::/srv/web:/bin/false\n";
    fs::write(inside.passwd(), line).unwrap();
    fs::write(inside.root.path().join("etc/group"), "webs:x:33:\n").unwrap();
    assert_eq!(host.user(33, inside.whose("c1")), found("web", "/srv/web", "/bin/false"));
    assert_eq!(host.user(0, inside.whose("c1")), found("root", "/inside", "/bin/none"));
    assert_eq!(host.user(7, inside.whose("c1")), Lookup::Nobody);
    assert_eq!(host.group(33, inside.whose("c1")), Lookup::Found(b"webs".to_vec()));
    assert!(matches!(host.user(0, Whose::Host), Lookup::Found(user) if &*user.home == b"/root"));

    // Somebody is added, and then the process that is asked about is gone.
    fs::write(inside.passwd(), format!("{line}new:x:7:7::/new:/bin/sh\n")).unwrap();
    assert_eq!(host.user(7, inside.whose("c1")), found("new", "/new", "/bin/sh"));
    let gone = Whose::Container { id: "c1", pid: u32::MAX };
    assert_eq!(host.user(7, gone), found("new", "/new", "/bin/sh"));
    assert_eq!(host.user(7, Whose::Container { id: "c2", pid: u32::MAX }), Lookup::Unknown);

    // Who goes into a root of his own making has no say over the others' names.
    let Some(other) = Inside::start() else { return };
    fs::write(other.passwd(), "fake:x:33:33::/:/\n").unwrap();
    assert_eq!(host.user(33, other.whose("c1")), found("web", "/srv/web", "/bin/false"));
    assert_eq!(host.user(33, inside.whose("c1")), found("web", "/srv/web", "/bin/false"));

    // A container that is started again has another root.
    let Some(again) = Inside::start() else { return };
    fs::write(again.passwd(), "first:x:33:33::/:/\n").unwrap();
    assert_eq!(host.user(33, again.whose("c6")), found("first", "/", "/"));
    assert_eq!(host.user(33, other.whose("c6")), found("first", "/", "/"));
    drop(again);
    assert_eq!(host.user(33, other.whose("c6")), found("fake", "/", "/"));

    // A link leads to the container's own file, wherever it points.
    let secret = inside.root.path().join("elsewhere");
    fs::write(&secret, "linked:x:5:5::/l:/l\n").unwrap();
    fs::remove_file(inside.passwd()).unwrap();
    symlink("../../../../elsewhere", inside.passwd()).unwrap();
    assert_eq!(host.user(5, inside.whose("c3")), found("linked", "/l", "/l"));
    fs::remove_file(inside.passwd()).unwrap();
    symlink("/etc/shadow", inside.passwd()).unwrap();
    assert_eq!(host.user(0, inside.whose("c4")), Lookup::Unknown);

    // What is no file is not waited for.
    fs::remove_file(inside.passwd()).unwrap();
    assert!(Command::new("mkfifo").arg(inside.passwd()).status().unwrap().success());
    let begin = Instant::now();
    assert_eq!(host.user(0, inside.whose("c5")), Lookup::Unknown);
    assert!(begin.elapsed() < Duration::from_secs(1));
}

/// Calls user 1000 what it is told to.
struct Renaming(Rc<Cell<&'static str>>);

impl Host for Renaming {
    fn node(&self) -> &'static str {
        "n"
    }
    fn wall_offset_ns(&self) -> i64 {
        0
    }
    fn processes(&mut self, _: &mut dyn FnMut(Process)) {}
    fn process(&mut self, _: u32) -> Option<Process> {
        None
    }
    fn user(&mut self, uid: u32, _: Whose<'_>) -> Lookup<User> {
        if uid == 1000 { found(self.0.get(), "/", "/") } else { Lookup::Nobody }
    }
    fn group(&mut self, _: u32, _: Whose<'_>) -> Lookup<Vec<u8>> {
        Lookup::Nobody
    }
    fn cgroup_path(&mut self, _: u64, _: u32) -> Option<Vec<u8>> {
        None
    }
}

/// An account is deleted, and its number given to somebody else.
#[test]
fn a_name_is_looked_at_again_after_a_while_and_replays_as_it_was() {
    let name = Rc::new(Cell::new("alice"));
    let mut enrich = Enrich::new(Renaming(name.clone()));
    let (mut recording, mut facts, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    enrich.keyframe(&mut recording);
    let see = |event: &Event<'_>, seen: &mut Vec<String>| {
        let (mut buf, mut text) = (Vec::new(), Vec::new());
        event.get(&FieldRef::plain(FieldId::USER_NAME), &mut buf).write_text(&mut text);
        seen.push(String::from_utf8(text).unwrap());
    };
    let mut facts_of = Vec::new();
    for (second, called) in [(1, "alice"), (2, "bob"), (7, "bob"), (8, "bob"), (20, "carol")] {
        name.set(called);
        let time = second * 1_000_000_000;
        let head = Head { tid: 9, tgid: 9, start: 5, time, uid: 1000, ..Head::default() };
        let open = Body::Open(Open {
            fixed: OpenFixed { ret: 3, ..OpenFixed::default() },
            given: b"/x",
            resolved: b"",
            base: b"",
        });
        let exec = Body::Exec(Exec {
            fixed: ExecFixed { loginuid: u32::MAX, ..ExecFixed::default() },
            exe: b"",
            cwd: b"",
            filename: b"",
            interp: b"",
            more: b"",
            argv: b"",
            env: b"",
        });
        // A new program, too, is judged with the name of now.
        let record = Record { head, body: if called == "carol" { exec } else { open } };
        facts.clear();
        enrich.fold(&record, &mut facts, &mut |event| see(event, &mut seen));
        facts_of.push(facts.len());
        recording.extend_from_slice(&facts);
        record.write(&mut recording).unwrap();
    }
    assert_eq!(seen, ["alice", "alice", "bob", "bob", "carol"]);
    assert!(facts_of[2] > 0 && facts_of[1] == 0 && facts_of[3] == 0, "told once: {facts_of:?}");
    let (mut replay, mut again) = (Enrich::new(SilentHost), Vec::new());
    for (_, record) in records(&recording) {
        replay.fold(&record.unwrap(), &mut Vec::new(), &mut |event| see(event, &mut again));
    }
    assert_eq!(again, seen);
}
