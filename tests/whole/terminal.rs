//! The terminal is given back as it was, however the console ends, and no size of it is too small. script(1) gives each
//! console a terminal of its own; the test sees the bytes that would go to a screen.

use std::fs;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{PATIENCE, Place, has_program, has_sensor, wait_for};

/// What a console writes first, and what it writes when it leaves.
const ENTER: &str = "\u{1b}[?1049h";
const LEAVE: &str = "\u{1b}[?1049l";
const SHOW_CURSOR: &str = "\u{1b}[?25h";

/// "Where is the cursor?", which every terminal answers, and the answer.
const WHERE: &str = "\u{1b}[6n";
const HERE: &str = "\u{1b}[1;1R";

/// A terminal with a console in it.
struct Terminal<'p> {
    place: &'p Place,
    script: Child,
    keys: Arc<Mutex<ChildStdin>>,
    seen: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

/// What was left when the console had ended.
struct Left {
    code: i32,
    screen: String,
}

impl<'p> Terminal<'p> {
    /// Opens a terminal of a size, starts `eyas` in it and waits until it has drawn.
    fn open(place: &'p Place, (columns, rows): (u16, u16), arguments: &str) -> Self {
        let eyas = env!("CARGO_BIN_EXE_eyas");
        let session = format!(
            "stty rows {rows} cols {columns} -ixany erase ^H\nstty -a > before\n\
             sh -c 'echo $$ > pid; exec \"{eyas}\" --store eyas.db --node {} {arguments}'\n\
             echo $? > code\nstty -a > after\n",
            place.marker()
        );
        place.write("session", &session);
        let mut script = Command::new("script")
            .args(["-q", "-e", "-c", "sh session", "/dev/null"])
            .current_dir(place.dir())
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .env_remove("COLORTERM")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let keys = Arc::new(Mutex::new(script.stdin.take().unwrap()));
        let mut stdout = script.stdout.take().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (into, answers) = (seen.clone(), keys.clone());
        let reader = std::thread::spawn(move || {
            let mut buf = [0; 4096];
            while let Ok(n @ 1..) = stdout.read(&mut buf) {
                let mut seen = into.lock().unwrap();
                let asked = count(&seen, WHERE);
                seen.extend_from_slice(&buf[..n]);
                for _ in asked..count(&seen, WHERE) {
                    // A console that has gone hears nothing.
                    let _answered = answers.lock().unwrap().write_all(HERE.as_bytes());
                }
            }
        });
        let terminal = Self { place, script, keys, seen, reader: Some(reader) };
        wait_for("the console's first screen", PATIENCE, || {
            let screen = terminal.screen();
            // Something is drawn after the switch: a small terminal gets a few words only.
            let drawn = screen.split_once(ENTER).is_some_and(|(_, after)| after.len() > 60);
            assert!(!place.path("code").exists(), "it ended: {screen}");
            drawn.then_some(())
        });
        terminal
    }

    fn screen(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
    }

    fn press(&self, keys: &str) {
        self.keys.lock().unwrap().write_all(keys.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(80));
    }

    fn pid(&self) -> Pid {
        let text = fs::read_to_string(self.place.path("pid")).unwrap();
        Pid::from_raw(text.trim().parse().unwrap()).unwrap()
    }

    /// Waits for the end and asserts that the terminal is as it was.
    #[track_caller]
    fn left(mut self) -> Left {
        let place = self.place;
        wait_for("the console to end", PATIENCE, || place.path("after").exists().then_some(()));
        wait_for("script to end", PATIENCE, || self.script.try_wait().unwrap());
        self.reader.take().unwrap().join().unwrap();
        let read = |name| fs::read_to_string(place.path(name)).unwrap();
        let screen = self.screen();
        assert_eq!(read("before"), read("after"), "{screen}");
        // `stty` was asked in a terminal that is not the usual one, so equality is no accident of defaults.
        assert!(read("before").contains("erase = ^H"), "{}", read("before"));
        let last = |what: &str| screen.rfind(what).unwrap_or_else(|| panic!("{what:?} is not in {screen:?}"));
        assert!(last(LEAVE) > last(ENTER), "the screen below is back");
        assert!(last(SHOW_CURSOR) > last(ENTER) && Some(last(SHOW_CURSOR)) > screen.rfind("\u{1b}[?25l"));
        Left { code: read("code").trim().parse().unwrap(), screen }
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        let _gone = self.script.kill();
        let _gone = self.script.wait();
    }
}

fn count(bytes: &[u8], text: &str) -> usize {
    bytes.windows(text.len()).filter(|w| *w == text.as_bytes()).count()
}

fn has_terminals(test: &str) -> bool {
    has_program("script", test) && has_program("stty", test)
}

#[test]
fn q_gives_the_terminal_back() {
    if !has_terminals("q gives the terminal back") || !has_sensor("q gives the terminal back") {
        return;
    }
    let place = Place::new();
    let terminal = Terminal::open(&place, (120, 40), "");
    terminal.press("q");
    wait_for("the question", PATIENCE, || terminal.screen().contains("q again to leave").then_some(()));
    assert!(!place.path("code").exists(), "a sensor that watches does not end by one key");
    terminal.press("q");
    let left = terminal.left();
    assert_eq!(left.code, 0);
    let after = &left.screen[left.screen.rfind(LEAVE).unwrap()..];
    assert!(after.contains(" alerts not stored"), "the last words are on the old screen: {after}");
}

#[test]
fn sigterm_gives_the_terminal_back() {
    if !has_terminals("SIGTERM gives the terminal back") || !has_sensor("SIGTERM gives the terminal back") {
        return;
    }
    let place = Place::new();
    let terminal = Terminal::open(&place, (120, 40), "");
    kill_process(terminal.pid(), Signal::TERM).unwrap();
    assert_eq!(terminal.left().code, 0);
}

#[test]
fn a_panic_gives_the_terminal_back_and_is_exit_code_3() {
    if !has_terminals("a panic gives the terminal back") {
        return;
    }
    let place = Place::new();
    let terminal = Terminal::open(&place, (80, 24), "demo --speed 1000");
    terminal.press(":");
    terminal.press("debug panic");
    terminal.press("\r");
    let left = terminal.left();
    assert_eq!(left.code, 3, "{}", left.screen);
    let after = &left.screen[left.screen.rfind(LEAVE).unwrap()..];
    assert!(
        after.contains("debug panic") && after.contains("bug in eyas"),
        "it is explained on the old screen: {after}"
    );
}

/// What cannot be caught leaves the terminal as the console had it: so the comparison of the other tests can fail.
#[test]
fn a_kill_does_not_give_the_terminal_back() {
    if !has_terminals("a kill does not give the terminal back") {
        return;
    }
    let place = Place::new();
    let terminal = Terminal::open(&place, (80, 24), "demo");
    kill_process(terminal.pid(), Signal::KILL).unwrap();
    wait_for("the console to end", PATIENCE, || place.path("after").exists().then_some(()));
    wait_for("what stty says", PATIENCE, || {
        let after = fs::read_to_string(place.path("after")).unwrap();
        (after.contains("-icanon") && fs::read_to_string(place.path("before")).unwrap() != after)
            .then_some(())
    });
}

#[test]
fn without_a_sensor_signals_and_keys_end_the_demo_the_same() {
    if !has_terminals("the demo gives the terminal back") {
        return;
    }
    for signal in [None, Some(Signal::TERM), Some(Signal::HUP), Some(Signal::INT)] {
        let place = Place::new();
        let terminal = Terminal::open(&place, (80, 24), "demo");
        match signal {
            None => terminal.press("\u{3}"),
            Some(signal) => kill_process(terminal.pid(), signal).unwrap(),
        }
        assert_eq!(terminal.left().code, 0, "{signal:?}");
    }
}

#[test]
fn no_terminal_is_too_small() {
    if !has_terminals("no terminal is too small") {
        return;
    }
    for size in [(40, 12), (20, 5), (1, 1), (200, 3), (3, 60)] {
        let place = Place::new();
        let terminal = Terminal::open(&place, size, "demo --speed 1000");
        // Everything that opens something, at this size.
        for keys in [
            "\r",
            "]",
            "Z",
            "\u{1b}",
            "?",
            "\u{1b}",
            "f",
            "proc.name = x",
            "\u{1b}",
            "/",
            "a\r",
            ":",
            "\u{1b}",
            "pjkG\u{1b}",
        ] {
            terminal.press(keys);
        }
        terminal.press("\u{3}");
        let left = terminal.left();
        assert_eq!(left.code, 0, "{size:?}: {}", left.screen);
        assert!(!left.screen.contains("panicked"), "{size:?}: {}", left.screen);
    }
}
