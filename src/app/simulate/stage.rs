//! [`Stage`]: the directory in which an action plays, with a name that nothing else has. Whatever an action leaves outside
//! of it is noted in the file `undo` first, so that the one who started it can take it away even when it was killed.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::acts::quiet;

/// What a process that plays a part is told; both are set, or it is an ordinary eyas.
pub(super) const PART: &str = "EYAS_SIMULATED_PART";
pub(super) const DIR: &str = "EYAS_SIMULATED_DIR";

/// A directory to play in.
#[derive(Debug)]
pub(super) struct Stage {
    dir: PathBuf,
}

impl Stage {
    /// The stage in a directory that is there.
    pub(super) fn at(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The directory's own name: it marks everything that an action makes elsewhere.
    pub(super) fn name(&self) -> &OsStr {
        self.dir.file_name().unwrap_or_else(|| OsStr::new("eyas-simulate"))
    }

    /// A path in the directory.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Makes an empty file in the directory.
    pub(super) fn file(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.path(name);
        File::create(&path)?;
        Ok(path)
    }

    /// A path with the stage's name below another directory; it will be removed afterwards. A directory that is missing
    /// is made, and removed too.
    pub(super) fn outside(&self, parent: &str) -> io::Result<PathBuf> {
        let parent = Path::new(parent);
        if !parent.exists() {
            self.leaves(parent)?;
            fs::create_dir(parent)?;
        }
        let path = parent.join(self.name());
        self.leaves(&path)?;
        Ok(path)
    }

    /// Notes that something is about to be there. Removing what is not there is no error, so it is noted first.
    pub(super) fn leaves(&self, path: &Path) -> io::Result<()> {
        let mut undo = OpenOptions::new().append(true).create(true).open(self.path("undo"))?;
        writeln!(undo, "{}", path.display())
    }

    /// Makes a directory outside, with what was noted of it.
    pub(super) fn directory_outside(&self, parent: &str) -> io::Result<PathBuf> {
        let path = self.outside(parent)?;
        fs::create_dir(&path)?;
        Ok(path)
    }

    /// Takes away what was noted, the last first. Only files and empty directories go: nothing that was there before
    /// can be lost.
    pub(super) fn undo(&self) -> Vec<String> {
        let noted = fs::read_to_string(self.path("undo")).unwrap_or_default();
        let mut stays = Vec::new();
        for path in noted.lines().rev().map(Path::new) {
            let Ok(meta) = path.symlink_metadata() else { continue };
            let gone = if meta.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) };
            if let Err(error) = gone {
                stays.push(format!("{}: {error}", path.display()));
            }
        }
        stays
    }

    /// A program of that name that does nothing at all, to be run with any arguments by anybody.
    pub(super) fn program(&self, name: &str) -> io::Result<Command> {
        write_program(&self.path(name))?;
        Ok(self.ready_program(name))
    }

    /// The same, written before: by root, for somebody who may not write here.
    pub(super) fn ready_program(&self, name: &str) -> Command {
        command(&self.path(name), name)
    }

    /// eyas under another name, playing a part: the kernel calls a process after the file name that was executed.
    pub(super) fn player(&self, name: &str, part: &str) -> io::Result<Command> {
        let path = self.path(name);
        if path.symlink_metadata().is_err() {
            symlink(std::env::current_exe()?, &path)?;
        }
        Ok(self.cast(&path, name, part))
    }

    /// The same from a file that is not a link, so that the path of the program executed carries the name as well.
    pub(super) fn real_player(&self, name: &str, part: &str) -> io::Result<Command> {
        let path = self.path(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let own = std::env::current_exe()?;
        if fs::hard_link(&own, &path).is_err() {
            fs::copy(&own, &path)?;
        }
        Ok(self.cast(&path, name, part))
    }

    fn cast(&self, path: &Path, name: &str, part: &str) -> Command {
        let mut command = command(path, name.rsplit('/').next().unwrap_or(name));
        command.env(PART, part).env(DIR, &self.dir);
        command
    }
}

/// A program with `argv[0]` as a shell would give it, and nothing to read.
fn command(path: &Path, name: &str) -> Command {
    let mut command = Command::new(path);
    command.arg0(name).env_remove(PART).env_remove(DIR).stdin(Stdio::null());
    command
}

/// Writes a program that does nothing.
pub(super) fn write_program(path: &Path) -> io::Result<()> {
    fs::write(path, quiet::PROGRAM)?;
    fs::set_permissions(path, Permissions::from_mode(0o755))
}

/// Runs a command to its end.
pub(super) fn finish(command: &mut Command) -> io::Result<()> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("a part of it ended with {status}"))) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn what_was_noted_goes_and_nothing_else() {
        let dir = tempfile::Builder::new().prefix("eyas-simulate-").tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let stage = Stage::at(dir.path());
        let parent = elsewhere.path().join("made");
        let file = stage.outside(parent.to_str().unwrap()).unwrap();
        fs::write(&file, "x").unwrap();
        stage.leaves(&elsewhere.path().join("never-made")).unwrap();
        assert_eq!(stage.undo(), [""; 0]);
        assert!(!parent.exists());
        // A directory in which something else lies stays, and that is told.
        let kept = stage.directory_outside(elsewhere.path().to_str().unwrap()).unwrap();
        fs::write(kept.join("someone's"), "x").unwrap();
        assert_eq!(stage.undo().len(), 1);
        assert!(kept.join("someone's").exists());
    }

    #[test]
    fn a_quiet_program_runs_under_any_name() {
        let dir = tempfile::tempdir().unwrap();
        let stage = Stage::at(dir.path());
        finish(stage.program("nmap").unwrap().args(["-sS", "192.0.2.1"])).unwrap();
    }
}
