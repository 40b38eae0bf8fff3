//! An action's process: started in a directory of its own, watched for its time limit, ended with all that it started, and
//! cleaned up after. And the other side: what eyas does when it finds that it is such a process.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use eyas_event::{ProcessKey, text};
use rustix::process::{Pid, Signal, kill_process_group, set_parent_process_death_signal, setsid};
use tempfile::TempDir;

use super::action::Action;
use super::stage::{DIR, PART, Stage};
use super::{acts, table};

/// How long an action may take. The longest one waits for six seconds.
const LIMIT: Duration = Duration::from_secs(20);
/// How much of what it said is kept.
const SAID: u64 = 4096;

/// Plays a part, if that is what this process was started for; then there is nothing else to do.
pub(crate) fn play() -> Option<ExitCode> {
    let part = std::env::var(PART).ok()?;
    let stage = Stage::at(std::env::var_os(DIR)?);
    let step = match table::find(&part) {
        Some(action) => {
            // A session of its own: no terminal of the person's, and a group that can be ended as a whole.
            let _leads_already = setsid();
            let _lives_on = set_parent_process_death_signal(Some(Signal::KILL));
            action.act
        }
        None => acts::part(&part),
    };
    let done = step.map_or_else(|| Err(io::Error::other(format!("no part is called {part}"))), |s| s(&stage));
    Some(match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            crate::say(&error.to_string());
            ExitCode::FAILURE
        }
    })
}

/// An action that was started.
pub(super) struct Playing {
    child: Child,
    /// Who it is; all that it starts descends from it.
    pub(super) key: ProcessKey,
    stage: Stage,
    dir: TempDir,
    began: Instant,
}

/// How it ended.
#[derive(Debug)]
pub(super) enum End {
    /// It did what it should.
    Done,
    /// It could not, or not in time; this says why.
    Failed(String),
}

impl Playing {
    /// Prepares an action and starts it.
    pub(super) fn start(action: &Action) -> io::Result<Self> {
        let dir = tempfile::Builder::new().prefix("eyas-simulate-").tempdir_in("/tmp")?;
        // Some parts are played as another user, who has to come in.
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755))?;
        let stage = Stage::at(dir.path());
        let started = action.prepare.map_or(Ok(()), |step| step(&stage)).and_then(|()| {
            let said = File::create(stage.path("said"))?;
            let child = Command::new(std::env::current_exe()?)
                // What happens to be in the person's environment is no part of an action.
                .env_clear()
                .env(PART, action.name)
                .env(DIR, dir.path())
                .current_dir(dir.path())
                .stdin(Stdio::null())
                .stdout(said.try_clone()?)
                .stderr(said)
                .spawn()?;
            let key = ProcessKey { pid: child.id(), start: start_ticks(child.id())? };
            Ok((child, key))
        });
        match started {
            Ok((child, key)) => Ok(Self { child, key, stage, dir, began: Instant::now() }),
            Err(error) => {
                let _stays = stage.undo();
                Err(error)
            }
        }
    }

    /// Whether it has ended, or has taken too long.
    pub(super) fn is_over(&mut self) -> io::Result<bool> {
        Ok(self.child.try_wait()?.is_some() || self.began.elapsed() >= LIMIT)
    }

    /// Ends what still runs, takes away what was left, and says how it went.
    pub(super) fn finish(mut self) -> io::Result<End> {
        let status = self.child.try_wait()?;
        // It leads its own group unless it died before it could; a group that is gone is no error.
        let _gone = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ended = self.child.kill();
        self.child.wait()?;
        let mut said = Vec::new();
        if let Ok(file) = File::open(self.stage.path("said")) {
            file.take(SAID).read_to_end(&mut said)?;
        }
        let stays = self.stage.undo();
        self.dir.close()?;
        if !stays.is_empty() {
            return Ok(End::Failed(format!("could not take away {}", stays.join(", "))));
        }
        Ok(match status {
            None => End::Failed(format!("took more than {} s", LIMIT.as_secs())),
            Some(status) if status.success() => End::Done,
            Some(status) => End::Failed(reason(status, &said)),
        })
    }
}

/// The last thing it said, or how it ended.
fn reason(status: ExitStatus, said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let last = said.lines().rev().find(|line| !line.trim().is_empty());
    last.map_or_else(
        || status.to_string(),
        |line| text::escape(line.trim_start_matches("eyas: ").as_bytes()).into_owned(),
    )
}

/// When a process started, as `/proc/PID/stat` has it. The process may have ended: it is there until it is waited for.
fn start_ticks(pid: u32) -> io::Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name may hold anything but is followed by the last bracket; the start is the 20th value after it.
    let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after
        .split_ascii_whitespace()
        .nth(19)
        .and_then(|ticks| ticks.parse().ok())
        .ok_or_else(|| io::Error::other("/proc/PID/stat cannot be read"))
}
