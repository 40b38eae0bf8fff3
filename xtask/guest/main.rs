//! The first process of a guest that `cargo xtask kernels` boots: it lays out a small system, runs the steps that the image
//! names, writes what they say to the second serial line, and ends the machine.
//!
//! It is no part of eyas: eyas runs here as it does anywhere. Each line of a step's output goes out with the step's name in
//! front of it, `NAME< ` for standard output and `NAME! ` for standard error, and the last is `NAME= CODE MILLISECONDS`.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::mount::{MountFlags, mount, mount_move};
use rustix::process::{Pid, Signal, kill_process};
use rustix::system::{RebootCommand, reboot};

/// Where the report goes: the first line is the kernel's, and on arm64 no line of this kind.
const REPORT: &str = if cfg!(target_arch = "aarch64") { "/dev/ttyS0" } else { "/dev/ttyS1" };
/// The steps, a line each.
const STEPS: &str = "/steps";
/// How long a step that is only to get ready may take.
const READY_LIMIT: Duration = Duration::from_mins(2);

fn main() {
    if let Err(error) = live() {
        // Nobody else is there to be told; the kernel's line has it.
        let _unsaid = writeln!(io::stderr(), "eyas-guest: {error}");
    }
    rustix::fs::sync();
    let _stays = reboot(RebootCommand::Restart);
}

fn live() -> io::Result<()> {
    lay_out()?;
    let mut report = File::options().write(true).open(REPORT)?;
    let uname = rustix::system::uname();
    writeln!(report, "guest= up {}", uname.release().to_string_lossy())?;
    for step in fs::read_to_string(STEPS)?.lines() {
        if let Err(error) = play(step, &mut report) {
            writeln!(report, "guest! {step}: {error}")?;
        }
    }
    writeln!(report, "guest= down")
}

/// Goes from the first file system, which is none that a machine lives on, to one in memory, as an ordinary start does; then
/// mounts what eyas looks at.
fn lay_out() -> io::Result<()> {
    let new = Path::new("/new");
    fs::create_dir_all(new)?;
    put("tmpfs", new, "tmpfs", "mode=755")?;
    for entry in fs::read_dir("/")? {
        let path = entry?.path();
        if path != new {
            copy(&path, &new.join(path.strip_prefix("/").unwrap_or(&path)))?;
        }
    }
    std::env::set_current_dir(new)?;
    mount_move(".", "/")?;
    rustix::process::chroot(".")?;
    std::env::set_current_dir("/")?;
    for (kind, at) in [
        ("proc", "/proc"),
        ("sysfs", "/sys"),
        ("devtmpfs", "/dev"),
        ("tmpfs", "/dev/shm"),
        ("devpts", "/dev/pts"),
        ("tmpfs", "/run"),
        ("cgroup2", "/sys/fs/cgroup"),
        ("securityfs", "/sys/kernel/security"),
    ] {
        fs::create_dir_all(at)?;
        let mode = if at == "/dev/shm" { "mode=1777" } else { "" };
        // What an older or smaller kernel does not have is left out; eyas says what it misses.
        if let Err(error) = put(kind, Path::new(at), kind, mode) {
            writeln!(io::stderr(), "eyas-guest: {at}: {error}")?;
        }
    }
    Ok(())
}

fn put(source: &str, at: &Path, kind: &str, data: &str) -> io::Result<()> {
    let data = std::ffi::CString::new(data).map_err(io::Error::other)?;
    mount(source, at, kind, MountFlags::empty(), Some(data.as_c_str())).map_err(io::Error::from)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let kind = from.symlink_metadata()?.file_type();
    if kind.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    } else if kind.is_symlink() {
        symlink(fs::read_link(from)?, to)?;
    } else if kind.is_file() {
        fs::copy(from, to)?;
    }
    // Devices are left out: there is a file system of them.
    if kind.is_dir() || kind.is_file() {
        fs::set_permissions(to, from.metadata()?.permissions())?;
    }
    Ok(())
}

/// A step is `run NAME PROGRAM ARGUMENTS…`, which runs to its end, or `ready NAME WORD PROGRAM ARGUMENTS…`, which is ended as soon
/// as it writes a line with that word to its standard error.
fn play(step: &str, report: &mut File) -> io::Result<()> {
    let words: Vec<&str> = step.split_whitespace().collect();
    match words[..] {
        ["run", name, program, ref args @ ..] => {
            let began = Instant::now();
            let output = quiet(program, args).output()?;
            tell(report, name, &output, began.elapsed())
        }
        ["ready", name, word, program, ref args @ ..] => {
            let began = Instant::now();
            let mut child = quiet(program, args).stderr(Stdio::piped()).stdout(Stdio::null()).spawn()?;
            let said = child.stderr.take().map(BufReader::new);
            let mut took = None;
            for line in said.into_iter().flat_map(BufRead::lines) {
                let line = line?;
                writeln!(report, "{name}! {line}")?;
                if took.is_none() && line.contains(word) {
                    took = Some(began.elapsed());
                    kill_process(Pid::from_child(&child), Signal::TERM)?;
                }
                if began.elapsed() > READY_LIMIT {
                    child.kill()?;
                }
            }
            let code = child.wait()?.code().unwrap_or(-1);
            let took =
                took.ok_or_else(|| io::Error::other(format!("it ended with {code} before it was ready")))?;
            writeln!(report, "{name}= {code} {}", took.as_millis())
        }
        _ => Err(io::Error::other("no such step")),
    }
}

fn quiet(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).env("PATH", "/usr/bin").env("HOME", "/root").stdin(Stdio::null());
    command
}

fn tell(report: &mut File, name: &str, output: &Output, took: Duration) -> io::Result<()> {
    for (mark, bytes) in [('<', &output.stdout), ('!', &output.stderr)] {
        for line in String::from_utf8_lossy(bytes).lines() {
            writeln!(report, "{name}{mark} {line}")?;
        }
    }
    writeln!(report, "{name}= {} {}", output.status.code().unwrap_or(-1), took.as_millis())
}
