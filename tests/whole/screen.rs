//! What a person sees: the console in a terminal that tmux draws, read back as text.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{NOBODY, PATIENCE, Place, Stage, alone, has_program, has_sensor, wait_for};

/// A screen with a server of its own, which ends with it.
struct Screen {
    socket: String,
}

impl Screen {
    fn open(place: &Place, (columns, rows): (u16, u16), command: &str) -> Self {
        let screen = Self { socket: place.path("tmux").display().to_string() };
        let (columns, rows) = (columns.to_string(), rows.to_string());
        screen.tmux(&["new-session", "-d", "-x", &columns, "-y", &rows, "-c", place.dir(), command]);
        screen
    }

    fn tmux(&self, args: &[&str]) -> String {
        let mut tmux = Command::new("tmux");
        tmux.args(["-S", &self.socket, "-f", "/dev/null"])
            .args(args)
            .env_remove("TMUX")
            .env_remove("NO_COLOR");
        let output = tmux.output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn text(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    fn press(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    /// Waits until all of these are on the screen, and gives it.
    #[track_caller]
    fn shows(&self, wanted: &[&str]) -> String {
        let mut last = String::new();
        let begun = Instant::now();
        loop {
            let text = self.text();
            let missing: Vec<&&str> = wanted.iter().filter(|w| !text.contains(**w)).collect();
            if missing.is_empty() {
                return text;
            }
            if !text.trim().is_empty() {
                last = text;
            }
            assert!(begun.elapsed() < PATIENCE, "{missing:?} is not on the screen:\n{last}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

#[test]
fn the_three_alerts_are_on_the_screen_within_a_second_and_enter_shows_their_ancestors() {
    let test = "the three alerts on the screen";
    if !has_sensor(test)
        || !has_program("tmux", test)
        || !has_program("curl", test)
        || !Path::new("/etc/shadow").exists()
    {
        return;
    }
    let _alone = alone();
    let place = Place::new();
    std::fs::copy("/bin/cat", place.path("kitten")).unwrap();
    let mut stage = Stage::new("intrusion", &place);
    let eyas = env!("CARGO_BIN_EXE_eyas");
    let command = format!("{eyas} run --store eyas.db --node demo-node --pid-namespace {}", stage.namespace);
    let screen = Screen::open(&place, (120, 40), &command);
    screen.shows(&["eyas", "demo-node", "0 alerts"]);
    stage.begin();
    stage.end();
    let acted = Instant::now();
    let text = screen.shows(&[
        "Download tool writes to a temporary",
        "Program run from a temporary",
        "Sensitive file read by an unexpected",
    ]);
    let took = acted.elapsed();
    println!("on the screen {took:?} after the last act");
    assert!(took < Duration::from_secs(1), "{took:?}\n{text}");
    let dir = place.dir();
    for (process, command) in [
        ("curl", format!("curl -q --silent --noproxy * -o {dir}/evil.sh http://127.0.0.1:")),
        ("evil.sh", format!("evil.sh {dir}/evil.sh now")),
        ("kitten", "kitten /etc/shadow".to_owned()),
    ] {
        assert!(text.contains(&command), "{command}\n{text}");
        assert!(text.lines().any(|l| l.contains(process) && l.contains("root")), "{process} of root\n{text}");
    }
    screen.press("Enter");
    let detail = screen.shows(&["ANCESTORS", "sh -c curl"]);
    assert!(detail.contains("kitten"), "{detail}");
    screen.press("q");
    wait_for("the details to close", PATIENCE, || (!screen.text().contains("ANCESTORS")).then_some(()));
    screen.press("q");
    screen.shows(&["Watching stops. q again to leave"]);
    screen.press("q");
    wait_for("the console to end", PATIENCE, || screen.text().trim().is_empty().then_some(()));
}

#[test]
fn nobody_sees_at_least_six_alerts_of_the_demo_on_a_small_screen() {
    let test = "the demo on a small screen";
    if !has_program("tmux", test) {
        return;
    }
    let place = Place::new();
    let program = place.path("eyas");
    std::fs::copy(env!("CARGO_BIN_EXE_eyas"), &program).unwrap();
    let demo = format!("env -i TERM=xterm-256color {} demo --speed 1000", program.display());
    let demo = if rustix::process::geteuid().is_root() && has_program("setpriv", test) {
        format!("setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups {demo}")
    } else {
        println!("not root: the demo runs as this user and not as nobody");
        demo
    };
    let screen = Screen::open(&place, (80, 24), &demo);
    let text = screen.shows(&["REPLAY", "23 alerts"]);
    // An alert begins with its time of day; the histogram's axis has times, too, but several in a line.
    let rows = text.lines().filter(|l| l.chars().skip(1).take(8).filter(|c| *c == ':').count() == 2).count();
    println!("{rows} alerts are on the screen");
    assert!(rows >= 6, "{rows}\n{text}");
    screen.press("q");
    wait_for("the demo to end", PATIENCE, || screen.text().trim().is_empty().then_some(()));
}

#[test]
fn the_console_survives_every_change_of_size() {
    let test = "every change of size";
    if !has_program("tmux", test) {
        return;
    }
    let place = Place::new();
    let command = format!("{} demo --speed 1000; echo $? > code", env!("CARGO_BIN_EXE_eyas"));
    let screen = Screen::open(&place, (120, 40), &command);
    screen.shows(&["23 alerts"]);
    for (columns, rows) in [(40, 12), (1, 1), (300, 100), (20, 5), (2, 50), (80, 24), (7, 7)] {
        for key in ["", "Enter", "Escape", "?", "Escape"] {
            let (columns, rows) = (columns.to_string(), rows.to_string());
            screen.tmux(&["resize-window", "-x", &columns, "-y", &rows]);
            screen.press(key);
            std::thread::sleep(Duration::from_millis(40));
        }
    }
    screen.tmux(&["resize-window", "-x", "120", "-y", "40"]);
    screen.shows(&["23 alerts", "ALERTS"]);
    screen.press("C-c");
    let code = wait_for("the console to end", PATIENCE, || {
        std::fs::read_to_string(place.path("code")).ok().filter(|code| code.ends_with('\n'))
    });
    assert_eq!(code, "0\n");
}

#[test]
fn the_time_in_which_nobody_watched_is_shown() {
    let test = "the gap is shown";
    if !has_sensor(test) || !has_program("tmux", test) {
        return;
    }
    let _alone = alone();
    let place = Place::new();
    place.watch::<&str>([]).kill();
    std::thread::sleep(Duration::from_millis(500));
    let eyas = env!("CARGO_BIN_EXE_eyas");
    let command = format!("{eyas} run --store eyas.db --node {}", place.marker());
    let screen = Screen::open(&place, (120, 40), &command);
    let text = screen.shows(&["not running"]);
    println!("{}", text.lines().find(|l| l.contains("not running")).unwrap_or_default());
}

/// The processes that were told that they play the self-test, of a console that runs in that directory.
fn players(dir: &Path) -> Vec<PathBuf> {
    let of = |process: &PathBuf| {
        let environment = std::fs::read(process.join("environ")).unwrap_or_default();
        let told = environment.split(|b| *b == 0).any(|v| v == b"EYAS_SELF_TEST=1");
        told && std::fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == dir)
    };
    std::fs::read_dir("/proc").unwrap().flatten().map(|e| e.path()).filter(of).collect()
}

#[test]
fn the_self_test_plays_one_action_and_all_and_is_stopped() {
    let test = "the self-test";
    if !has_sensor(test) || !has_program("tmux", test) {
        return;
    }
    let _alone = alone();
    let place = Place::new();
    let command = format!("{} run --store eyas.db", env!("CARGO_BIN_EXE_eyas"));
    let screen = Screen::open(&place, (120, 40), &command);
    screen.shows(&["sensor on"]);
    screen.press("t");
    screen.shows(&["SELF-TEST", "61 harmless attacks", "Authorised SSH keys written"]);
    assert_eq!(players(Path::new(place.dir())).len(), 1);
    // Two down, so that the row is not merely the first.
    for key in ["Down", "Down", "Enter"] {
        screen.press(key);
    }
    let text = screen.shows(&["1 action played: 1 seen, 0 not seen."]);
    let row = text.lines().find(|l| l.contains("● ClearLogActivities")).unwrap();
    assert!(row.contains("Log file truncated") && row.contains("seen "), "{text}");
    // All, until some have been seen; then it is stopped, in the middle of one.
    screen.press("a");
    screen.shows(&["of 61 played: ", "● ChangeThreadNamespace", "● CreateFilesBelowDev"]);
    screen.press("Escape");
    let text = screen.shows(&["actions played: ", "Esc closes"]);
    assert!(text.contains(" 0 not seen"), "{text}");
    assert!(!text.contains("playing"), "{text}");
    for _ in 0..3 {
        screen.press("q");
    }
    wait_for("the console to end", PATIENCE, || screen.text().trim().is_empty().then_some(()));
    wait_for("the process that plays to end", PATIENCE, || {
        players(Path::new(place.dir())).is_empty().then_some(())
    });
}

#[test]
fn without_root_the_self_test_says_what_each_action_needs() {
    let test = "the self-test without root";
    if !has_sensor(test) || !has_program("tmux", test) || !has_program("setpriv", test) {
        return;
    }
    let _alone = alone();
    let place = Place::new();
    let program = place.path("eyas");
    std::fs::copy(env!("CARGO_BIN_EXE_eyas"), &program).unwrap();
    std::os::unix::fs::chown(place.dir(), Some(NOBODY), Some(NOBODY)).unwrap();
    let caps = "+bpf,+perfmon,+sys_ptrace,+dac_read_search";
    let command = format!(
        "setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups --inh-caps={caps} --ambient-caps={caps} \
         --bounding-set=-all,{caps} {} run --store eyas.db",
        program.display()
    );
    let screen = Screen::open(&place, (120, 40), &command);
    screen.shows(&["sensor on"]);
    screen.press("t");
    screen.shows(&["61 harmless attacks", "why   needs root"]);
    screen.press("Enter");
    let text = screen.shows(&["1 action played: 0 seen, 0 not seen, 1 skipped."]);
    assert!(text.contains("– AddingSshKeysToAuthorizedKeys"), "{text}");
    // What needs nothing is played and seen.
    screen.press("a");
    screen.shows(&["● CreateSymlinkOverSensitiveFiles"]);
    screen.press("C-c");
    wait_for("the console to end", PATIENCE, || screen.text().trim().is_empty().then_some(()));
}

#[test]
fn a_recording_has_no_self_test_and_says_why() {
    let test = "no self-test of a recording";
    if !has_program("tmux", test) {
        return;
    }
    let place = Place::new();
    let screen = Screen::open(&place, (80, 24), &format!("{} demo --speed 1000", env!("CARGO_BIN_EXE_eyas")));
    screen.shows(&["REPLAY", "23 alerts"]);
    screen.press("t");
    let text = screen.shows(&["A recording is shown: nothing watches, so nothing could be seen."]);
    assert!(!text.contains("SELF-TEST"), "{text}");
    assert!(players(Path::new(place.dir())).is_empty());
}
