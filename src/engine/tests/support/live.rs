//! Events as `enrich` makes them, for tests and benches that must not go through a map of fields: a compiler run below a
//! shell that came in by ssh.

use std::net::SocketAddr;
use std::sync::Arc;

use eyas_event::event::{Body, Connect, Layer, Open};
use eyas_event::process::{ProcessFlags, Usage};
use eyas_event::socket::{Family, Role, Socket};
use eyas_event::{BootTime, Event, EventType, Names, Process, ProcessKey, ProcessTable, User, WallTime};

/// What the events borrow from.
pub(crate) struct Live {
    table: ProcessTable,
    names: Names,
    process: Arc<Process>,
}

fn process(pid: u32, parent: u32, comm: &str, exe: &str, argv: &str, container: &str) -> Process {
    let at = |pid: u32| ProcessKey::at(pid, BootTime(u64::from(pid) * 1_000_000_000));
    Process {
        key: at(pid),
        parent: if parent == 0 { ProcessKey::default() } else { at(parent) },
        started: BootTime(u64::from(pid) * 1_000_000_000),
        comm: comm.as_bytes().into(),
        exe_path: exe.as_bytes().into(),
        filename: exe.as_bytes().into(),
        argv: argv.as_bytes().into(),
        cwd: b"/home/u/src"[..].into(),
        uid: 1000,
        gid: 1000,
        euid: 1000,
        egid: 1000,
        loginuid: 1000,
        tty: 34816,
        sid: 3,
        pgid: pid,
        vpid: pid,
        vpgid: pid,
        container: container.into(),
        env: if comm == "bash" { b"EDITOR=vi\0"[..].into() } else { Box::default() },
        namespace_started: BootTime(1_000_000),
        usage: Some(Usage {
            fd_limit: 1024,
            faults_major: 0,
            faults_minor: 3,
            vm_size_kib: 10,
            vm_rss_kib: 4,
            vm_swap_kib: 0,
        }),
        flags: ProcessFlags::ENV_READ,
        ..Process::default()
    }
}

impl Live {
    pub(crate) fn new(container: &str) -> Self {
        let mut table = ProcessTable::default();
        let chain = [
            (1, 0, "systemd", "/usr/lib/systemd/systemd", "/sbin/init\0"),
            (2, 1, "sshd", "/usr/sbin/sshd", "sshd: u@pts/0\0"),
            (3, 2, "bash", "/usr/bin/bash", "-bash\0"),
            (4, 3, "make", "/usr/bin/make", "make\0-j2\0all\0"),
        ];
        for (pid, parent, comm, exe, argv) in chain {
            table.insert(Arc::new(process(pid, parent, comm, exe, argv, container)));
        }
        let compiler = process(
            5,
            4,
            "cc1",
            "/usr/lib/gcc/cc1",
            "/usr/lib/gcc/cc1\0-quiet\0main.c\0-o\0main.s\0",
            container,
        );
        let compiler = Arc::new(compiler);
        table.insert(compiler.clone());
        let mut names = Names::default();
        names.set_addresses(b"api.test", ["10.0.0.9".parse().unwrap_or([0; 4].into())]);
        let user =
            User { name: b"u"[..].into(), home: b"/home/u"[..].into(), shell: b"/bin/bash"[..].into() };
        names.set_user(Process::HOST, 1000, Some(user));
        Self { table, names, process: compiler }
    }

    /// One event of each kind, named.
    pub(crate) fn events(&self) -> Vec<(&'static str, Event<'_>)> {
        let open = |flags: u64, name: &'static [u8]| {
            Body::Open(Open {
                ret: 3,
                dirfd: -100,
                flags,
                mode: 0,
                resolve: 0,
                created: false,
                layer: if flags == 0 { Layer::Upper } else { Layer::None },
                dev: 0x80_0001,
                ino: 4711,
                file_mode: 0o100_644,
                base: b"",
                given: name,
                name,
                real: name,
            })
        };
        let end = |text: &str| text.parse::<SocketAddr>().ok();
        let socket = Socket {
            kind: 1,
            fd: 4,
            family: Family::Inet,
            protocol: 6,
            role: Role::Client,
            connected: true,
            changed: true,
            local: end("10.0.0.5:51000"),
            remote: end("10.0.0.9:443"),
            unix_path: b"",
        };
        let connect = Body::Connect(Connect { ret: 0, socket });
        let kinds = [
            ("exec", EventType::EXECVE, Body::Exec),
            ("open for reading", EventType::OPENAT, open(0, b"/usr/include/stdio.h")),
            ("open for writing", EventType::OPENAT, open(0o1101, b"/home/u/src/main.s")),
            ("connect", EventType::CONNECT, connect),
            ("exit", EventType::PROCEXIT, Body::Exit { status: 0 }),
        ];
        kinds.into_iter().map(|(name, kind, body)| (name, self.event(kind, body))).collect()
    }

    fn event<'a>(&'a self, kind: EventType, body: Body<'a>) -> Event<'a> {
        Event {
            num: 7,
            time: WallTime(1_700_000_000_000_000_000),
            boot_time: BootTime(90_000_000_000),
            first: BootTime(80_000_000_000),
            previous: BootTime(89_000_000_000),
            cpu: 0,
            kind,
            tid: 5,
            uid: 1000,
            gid: 1000,
            node: "node",
            process: &self.process,
            table: &self.table,
            names: &self.names,
            uring: false,
            body,
        }
    }
}
