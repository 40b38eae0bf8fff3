//! [`Place`]: a directory below /tmp with a name that nothing else has, so that it marks what happens in it. Beside it a
//! web server on the loopback that serves one script.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{Agent, eyas};

/// A directory of a test's own; gone afterwards.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("eyas-test-").tempdir_in("/tmp").unwrap();
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
        Self(dir)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The directory itself, as text.
    pub(crate) fn dir(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    /// The last part of the directory's name: unique on this machine.
    pub(crate) fn marker(&self) -> &str {
        self.0.path().file_name().unwrap().to_str().unwrap()
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path("eyas.db")
    }

    /// Writes a file and gives its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// `eyas` with this place's store and node.
    pub(crate) fn eyas(&self) -> Command {
        let mut command = eyas();
        command.arg("--store").arg(self.store()).args(["--node", self.marker()]).current_dir(self.dir());
        command
    }

    /// `eyas run --headless` with more arguments, started, watching.
    #[track_caller]
    pub(crate) fn watch<I: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Agent {
        Agent::start(self.eyas().args(["run", "--headless"]).args(args))
    }

    /// The same, watching one stage only.
    #[track_caller]
    pub(crate) fn watch_stage<I: AsRef<std::ffi::OsStr>>(
        &self,
        stage: &super::Stage,
        args: impl IntoIterator<Item = I>,
    ) -> Agent {
        let command = &mut self.eyas();
        command.args(["run", "--headless", "--pid-namespace", &stage.namespace]);
        Agent::start(command.args(args))
    }

    /// A rule on every open of a file whose path begins with `prefix` in this place.
    pub(crate) fn open_rule(&self, name: &str, prefix: &str) -> String {
        format!(
            "- rule: {name}\n  desc: A file of a test was opened.\n  condition: >\n    evt.type in (open, openat, openat2) and fd.name \
             startswith {}\n  output: opened %fd.name as number %evt.num by %proc.name\n  priority: NOTICE\n  tags: [test]\n",
            Path::new(self.dir()).join(prefix).display()
        )
    }
}

/// What `proc.name` says of this process: the kernel's name for it, which ends after 15 bytes.
pub(crate) fn name_of(pid: u32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap().trim_end().to_owned()
}

/// Serves `body` to whoever asks on a loopback port, until the test ends.
pub(crate) fn loopback_server(body: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            // A client that goes away is its own affair.
            let _timeout = stream.set_read_timeout(Some(Duration::from_secs(5)));
            let _asked = stream.read(&mut [0; 4096]);
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _answered =
                stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
        }
    });
    port
}
