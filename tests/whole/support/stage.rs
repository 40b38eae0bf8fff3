//! [`Stage`]: a pid namespace of a test's own, with this test binary in it, run again to play a scene. A sensor that watches
//! only that namespace is not disturbed by what else goes on on the machine, however loud it is.

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Place;
use crate::{crash, detections, hostile, records, reload, replay};

const SCENE: &str = "EYAS_TEST_SCENE";
/// Begins each line that is meant for the test.
const SAYS: &str = "stage: ";

/// A scene that waits to be played, is played, or has been.
pub(crate) struct Stage {
    unshare: Child,
    stdin: Option<ChildStdin>,
    says: Lines<BufReader<ChildStdout>>,
    /// What `--pid-namespace` wants.
    pub(crate) namespace: String,
    /// The player's pid as the rest of the machine sees it.
    pub(crate) pid: u32,
}

/// Whether the one who plays should end.
#[derive(Clone, Default)]
pub(crate) struct Curtain(Arc<AtomicBool>);

impl Curtain {
    pub(crate) fn has_fallen(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Stage {
    /// Prepares a scene in the place's directory. It does not begin yet.
    #[track_caller]
    pub(crate) fn new(scene: &str, place: &Place) -> Self {
        let mut unshare = Command::new("unshare")
            .args(["--pid", "--fork", "--kill-child"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "support::stage::plays_a_scene_when_told", "--nocapture"])
            .env(SCENE, scene)
            .current_dir(place.dir())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = unshare.stdin.take();
        let says = BufReader::new(unshare.stdout.take().unwrap()).lines();
        let mut stage = Self { unshare, stdin, says, namespace: String::new(), pid: 0 };
        let ready = stage.hear();
        let (namespace, pid) = ready.split_once(' ').expect("a namespace and a pid");
        namespace.clone_into(&mut stage.namespace);
        stage.pid = pid.parse().unwrap();
        stage
    }

    /// Lets the scene begin.
    pub(crate) fn begin(&mut self) {
        self.stdin.as_mut().unwrap().write_all(b"begin\n").unwrap();
    }

    /// Lets the curtain fall, waits for the end, and gives what the scene has to say of itself.
    #[track_caller]
    pub(crate) fn end(mut self) -> String {
        drop(self.stdin.take());
        let result = self.hear();
        assert!(self.unshare.wait().unwrap().success(), "the scene failed");
        result
    }

    #[track_caller]
    fn hear(&mut self) -> String {
        // The harness's own words may stand before ours on the line.
        let said = self.says.by_ref().map_while(Result::ok).find_map(|line| {
            let at = line.find(SAYS)?;
            Some(line[at + SAYS.len()..].to_owned())
        });
        said.expect("the stage says something")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _gone = self.unshare.kill();
        let _gone = self.unshare.wait();
    }
}

/// Not a test but the stage: without a scene there is nothing to play.
#[test]
fn plays_a_scene_when_told() {
    let Ok(scene) = std::env::var(SCENE) else { return };
    // The mounted /proc is that of the outer namespace, so it tells what the machine sees.
    let name = std::fs::read_link("/proc/self/ns/pid").unwrap().display().to_string();
    let namespace: String = name.chars().filter(char::is_ascii_digit).collect();
    let pid = std::fs::read_link("/proc/self").unwrap().display().to_string();
    println!("{SAYS}{namespace} {pid}");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    assert_eq!(line, "begin\n");
    let curtain = Curtain::default();
    let falls = curtain.clone();
    std::thread::spawn(move || {
        let _until_closed = std::io::stdin().read_to_end(&mut Vec::new());
        falls.0.store(true, Ordering::Relaxed);
    });
    let result = match scene.as_str() {
        "programs" => records::start_programs(),
        "opens" => crash::open_steadily(&curtain),
        "series" => reload::open_a_series(&curtain),
        "mixture" => replay::do_a_mixture(),
        "hostile" => hostile::use_hostile_names(),
        "intrusion" => detections::intrude(),
        other => panic!("no scene {other}"),
    };
    println!("{SAYS}{result}");
}
