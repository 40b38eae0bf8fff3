//! Actions on processes and on the kernel: tracing, namespaces, users, programs for the kernel. And what other actions need of
//! the kind: another user, a terminal.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, IntoRawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Gid, Pid, Uid, WaitOptions, waitpid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::thread::{
    LinkNameSpaceType, move_into_link_name_space, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
    set_thread_uid,
};

use super::super::action::Step;
use super::super::raw;
use super::super::stage::{Stage, finish};

/// User and group 1: `daemon` on Debian and Alpine's relatives, `bin` on Red Hat's. Rules know both.
const DAEMON: u32 = 1;

/// What other processes do in these actions.
pub(crate) const PARTS: &[(&str, Step)] = &[
    ("sleep", |_| {
        sleep(Duration::from_secs(15));
        Ok(())
    }),
    ("trace-me", |_| raw::ptrace_me()),
];

/// Makes this process another user's, in a way that no rule on `setuid` looks at.
pub(crate) fn become_daemon() -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(DAEMON), Gid::from_raw(DAEMON));
    set_thread_groups(&[])?;
    set_thread_res_gid(gid, gid, gid)?;
    Ok(set_thread_res_uid(uid, uid, uid)?)
}

/// Rules on a way to root leave out who logged in as root. The mark is this process's and its children's alone.
pub(crate) fn login_user_is_not_root() -> io::Result<()> {
    let mark = Path::new("/proc/self/loginuid");
    match fs::read_to_string(mark) {
        Ok(user) if user.trim() == "0" => fs::write(mark, DAEMON.to_string()),
        _ => Ok(()),
    }
}

/// A terminal for this process, which leads a session without one. Both ends stay open as long as it lives: when one is
/// closed, the kernel sends SIGHUP to the session's leader.
pub(crate) fn take_terminal() -> io::Result<()> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?;
    // A leader without a terminal that opens one has it for its own, drivers/tty/tty_io.c.
    let slave = File::options().read(true).write(true).open(std::ffi::OsStr::from_bytes(name.to_bytes()))?;
    let _stay_open = (master.into_raw_fd(), slave.into_raw_fd());
    Ok(())
}

pub(crate) fn change_namespace(_: &Stage) -> io::Result<()> {
    let own = File::open("/proc/self/ns/uts")?;
    Ok(move_into_link_name_space(own.as_fd(), Some(LinkNameSpaceType::HostNameAndNISDomainName))?)
}

/// Down to another user, and an attempt to come back, which the kernel refuses.
pub(crate) fn set_uid(_: &Stage) -> io::Result<()> {
    set_thread_uid(Uid::from_raw(DAEMON))?;
    match set_thread_uid(Uid::ROOT) {
        Err(_) => Ok(()),
        Ok(()) => Err(io::Error::other("the kernel let a user become root")),
    }
}

pub(crate) fn trace_me(stage: &Stage) -> io::Result<()> {
    finish(&mut stage.player("traced", "trace-me")?)
}

pub(crate) fn trace_another(stage: &Stage) -> io::Result<()> {
    let mut sleeper = stage.player("sleeper", "sleep")?.spawn()?;
    let pid = Pid::from_child(&sleeper);
    let traced = raw::ptrace_attach(pid).and_then(|()| {
        waitpid(Some(pid), WaitOptions::UNTRACED)?;
        raw::ptrace_detach(pid)
    });
    sleeper.kill()?;
    sleeper.wait()?;
    traced
}

pub(crate) fn delegate_page_faults(_: &Stage) -> io::Result<()> {
    become_daemon()?;
    raw::userfaultfd().map(drop)
}

pub(crate) fn load_bpf_program(_: &Stage) -> io::Result<()> {
    raw::bpf_load().map(drop)
}
