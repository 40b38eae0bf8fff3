//! Actions on files. What has to be there before is laid out by the `with_…` functions, which run in the process that
//! starts the action and that the sensor does not see; so the action itself does little beside what its rule looks for.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::super::ring;
use super::super::stage::Stage;

/// A home directory with empty files in it that attackers look for.
pub(crate) fn with_home(stage: &Stage) -> io::Result<()> {
    let home = stage.directory_outside("/home")?;
    stage.leaves(&home.join(".ssh"))?;
    fs::create_dir(home.join(".ssh"))?;
    for file in [".bashrc", ".ssh/id_ed25519", ".ssh/authorized_keys"] {
        stage.leaves(&home.join(file))?;
        File::create(home.join(file))?;
    }
    Ok(())
}

/// A log file.
pub(crate) fn with_log(stage: &Stage) -> io::Result<()> {
    File::create(stage.outside("/var/log")?).map(drop)
}

/// An empty history of a shell.
pub(crate) fn with_history(stage: &Stage) -> io::Result<()> {
    stage.file("fish_history").map(drop)
}

/// An empty file of that name which nothing depends on.
pub(crate) fn with_file(stage: &Stage) -> io::Result<()> {
    stage.file("file").map(drop)
}

/// An empty file with the name of a library that had a back door.
pub(crate) fn with_library(stage: &Stage) -> io::Result<()> {
    stage.file("liblzma.so.5.6.0").map(drop)
}

fn home(stage: &Stage, file: &str) -> PathBuf {
    Path::new("/home").join(stage.name()).join(file)
}

fn write(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.write_all(b"# written by eyas simulate\n")
}

pub(crate) fn write_authorized_keys(stage: &Stage) -> io::Result<()> {
    write(&home(stage, ".ssh/authorized_keys"))
}

pub(crate) fn write_shell_configuration(stage: &Stage) -> io::Result<()> {
    write(&home(stage, ".bashrc"))
}

pub(crate) fn read_shell_configuration(stage: &Stage) -> io::Result<()> {
    File::open(home(stage, ".bashrc")).map(drop)
}

pub(crate) fn read_ssh_key(stage: &Stage) -> io::Result<()> {
    File::open(home(stage, ".ssh/id_ed25519")).map(drop)
}

pub(crate) fn empty_log(stage: &Stage) -> io::Result<()> {
    let path = Path::new("/var/log").join(stage.name());
    OpenOptions::new().write(true).truncate(true).open(path).map(drop)
}

/// Empties it first: either counts as getting rid of it.
pub(crate) fn delete_history(stage: &Stage) -> io::Result<()> {
    let path = stage.path("fish_history");
    OpenOptions::new().write(true).truncate(true).open(&path)?;
    fs::remove_file(path)
}

pub(crate) fn create_below_dev(stage: &Stage) -> io::Result<()> {
    File::create(stage.outside("/dev")?).map(drop)
}

pub(crate) fn write_below_bin(stage: &Stage) -> io::Result<()> {
    File::create(stage.outside("/bin")?).map(drop)
}

pub(crate) fn write_below_etc(stage: &Stage) -> io::Result<()> {
    File::create(stage.outside("/etc")?).map(drop)
}

pub(crate) fn write_below_lib(stage: &Stage) -> io::Result<()> {
    File::create(stage.outside("/lib")?).map(drop)
}

pub(crate) fn write_below_root(stage: &Stage) -> io::Result<()> {
    File::create(stage.outside("/root")?).map(drop)
}

pub(crate) fn write_below_rpm(stage: &Stage) -> io::Result<()> {
    File::create(stage.outside("/var/lib/rpm")?).map(drop)
}

/// The file's name does not end as apt wants it, so apt passes over it.
pub(crate) fn write_package_source(stage: &Stage) -> io::Result<()> {
    if !Path::new("/etc/apt").exists() {
        stage.leaves(Path::new("/etc/apt"))?;
        fs::create_dir("/etc/apt")?;
    }
    File::create(stage.outside("/etc/apt/sources.list.d")?).map(drop)
}

/// The link is refused when the two lie on different file systems; that it was tried is enough.
pub(crate) fn link_to_shadow(stage: &Stage) -> io::Result<()> {
    match fs::hard_link("/etc/shadow", stage.path("link")) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => Ok(()),
        tried => tried,
    }
}

pub(crate) fn symlink_to_etc(stage: &Stage) -> io::Result<()> {
    symlink("/etc", stage.path("link"))
}

pub(crate) fn make_hidden_directory(stage: &Stage) -> io::Result<()> {
    let dir = stage.path(".hidden");
    fs::create_dir(&dir)?;
    File::create(dir.join("file")).map(drop)
}

pub(crate) fn make_directory_in_bin(stage: &Stage) -> io::Result<()> {
    fs::create_dir(stage.outside("/bin")?)
}

/// The same; a file of its own is moved, nothing of the system is touched.
pub(crate) fn move_into_bin(stage: &Stage) -> io::Result<()> {
    match fs::rename(stage.path("file"), stage.outside("/bin")?) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => Ok(()),
        tried => tried,
    }
}

pub(crate) fn set_setuid_bit(stage: &Stage) -> io::Result<()> {
    fs::set_permissions(stage.path("file"), Permissions::from_mode(0o4600))
}

pub(crate) fn read_shadow(_: &Stage) -> io::Result<()> {
    File::open("/etc/shadow").map(drop)
}

pub(crate) fn read_shadow_by_uring(_: &Stage) -> io::Result<()> {
    ring::open(c"/etc/shadow").map(drop)
}

pub(crate) fn read_by_traversal(_: &Stage) -> io::Result<()> {
    File::open("/etc/../etc/../etc/passwd").map(drop)
}

pub(crate) fn read_library(stage: &Stage) -> io::Result<()> {
    File::open(stage.path("liblzma.so.5.6.0")).map(drop)
}
