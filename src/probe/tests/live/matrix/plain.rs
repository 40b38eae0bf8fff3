//! Calls without paths: each of them so that it succeeds and so that it fails, through every entry.

use std::fs;
use std::os::fd::AsRawFd as _;

use super::entry::Entry;
use super::facts::word;
use super::own::capabilities;
use super::stage::{Arg, Hints, Stage, wait};

use Arg::{Fd, N, Nowhere, Text};

const NO_FD: i64 = 9999;

/// Calls that never succeed here, and why.
pub(crate) const NEVER_SUCCEED: &[(&str, &str)] = &[
    ("init_module", "no module is at hand that this kernel would take"),
    ("finit_module", "no module is at hand that this kernel would take"),
    ("delete_module", "no module is loaded that could be done without"),
];

pub(crate) fn play(stage: &mut Stage) {
    std::env::set_current_dir(stage.root.clone()).unwrap();
    descriptors(stage);
    processes(stage);
    signals(stage);
    credentials(stage);
    options(stage);
    others(stage);
}

/// The event is about the descriptor that the call makes.
fn makes() -> Hints {
    Hints { makes: true, ..Hints::default() }
}

fn knows(words: &[(&'static str, String)]) -> Hints {
    Hints { words: words.to_vec(), ..Hints::default() }
}

fn descriptors(stage: &mut Stage) {
    let root = stage.root.clone();
    let dir = fs::File::open(&root).unwrap();
    let gone = fs::File::create(root.join("gone")).unwrap();
    fs::remove_file(root.join("gone")).unwrap();
    let (reading, _writing) = std::io::pipe().unwrap();
    // SAFETY: a text with its NUL.
    let memory = unsafe { libc::memfd_create(c"memory".as_ptr(), 0) };
    // SAFETY: numbers.
    let event = unsafe { libc::eventfd(0, 0) };
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let all = [
        ("directory", dir.as_raw_fd()),
        ("deleted", gone.as_raw_fd()),
        ("pipe", reading.as_raw_fd()),
        ("memfd", memory),
        ("eventfd", event),
        ("socket", socket.as_raw_fd()),
    ];
    for (name, fd) in all {
        let column = format!("success/{name}");
        let mut hints = makes();
        if name == "socket" {
            hints.words.push(("socket.role", "server".into()));
        }
        stage.each_entry("dup", |stage| stage.go(&column, &[N(fd as u64)], &hints));
        stage.each_entry("dup2", |stage| stage.go(&column, &[N(fd as u64), N(200)], &hints));
        let flags = N(libc::O_CLOEXEC as u64);
        stage.each_entry("dup3", |stage| stage.go(&column, &[N(fd as u64), N(201), flags], &hints));
    }
    let none = N(NO_FD as u64);
    stage.each_entry("dup", |stage| stage.go("failure", &[none], &makes()));
    stage.each_entry("dup2", |stage| stage.go("failure", &[none, N(200)], &makes()));
    stage.each_entry("dup3", |stage| stage.go("failure", &[none, N(201), N(1)], &makes()));
    let (dir, gone) = (i64::from(dir.as_raw_fd()), i64::from(gone.as_raw_fd()));
    let tells_cwd = Hints { tells_cwd: true, ..Hints::default() };
    stage.each_entry("fchdir", |stage| stage.go("success", &[Fd(dir)], &tells_cwd));
    stage.each_entry("fchdir", |stage| stage.go("failure", &[Fd(gone)], &tells_cwd));
    stage.each_entry("fchdir", |stage| stage.go("failure/bad", &[Fd(NO_FD)], &tells_cwd));
    let plain = Hints::default();
    stage.each_entry("fchmod", |stage| stage.go("success", &[Fd(dir), N(0o755)], &plain));
    stage.each_entry("fchmod", |stage| stage.go("success/deleted", &[Fd(gone), N(0o600)], &plain));
    stage.each_entry("fchmod", |stage| stage.go("failure", &[Fd(-1), N(0o600)], &plain));
    stage.each_entry("memfd_create", |stage| stage.go("success", &[Text(b"x y"), N(1)], &makes()));
    stage.each_entry("memfd_create", |stage| stage.go("failure", &[Text(b"x"), N(1 << 20)], &makes()));
    stage.each_entry("memfd_create", |stage| stage.go("failure/bad", &[Nowhere(1), N(0)], &makes()));
    let close = N(libc::O_CLOEXEC as u64);
    stage.each_entry("userfaultfd", |stage| stage.go("success", &[close], &makes()));
    stage.each_entry("userfaultfd", |stage| stage.go("failure", &[N(0x4000_0000)], &makes()));
    let pid = u64::from(std::process::id());
    // Its inode is a regular file's, which fstat hides.
    let mut pidfd = makes();
    pidfd.words.push(("fd.mode", "100700".into()));
    stage.each_entry("pidfd_open", |stage| stage.go("success", &[N(pid), N(0)], &pidfd));
    stage.each_entry("pidfd_open", |stage| stage.go("failure", &[N(0x3fff_ffff), N(0)], &makes()));
    // SAFETY: a call with numbers.
    let own = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) } as u64;
    stage.each_entry("pidfd_getfd", |stage| stage.go("success", &[N(own), N(dir as u64), N(0)], &makes()));
    stage.each_entry("pidfd_getfd", |stage| {
        stage.go("failure", &[N(own), N(NO_FD as u64), N(0)], &makes());
    });
    for fd in [memory, event, own as i32] {
        // SAFETY: opened here.
        unsafe { libc::close(fd) };
    }
}

fn processes(stage: &mut Stage) {
    let chld = N(libc::SIGCHLD as u64);
    let forked = |stage: &mut Stage, column: &str, args: &[Arg<'_>], code: i32| {
        let child = stage.go_forking(column, args, code, &Hints::default());
        if child > 0 {
            assert_eq!(wait(child as i32), code << 8);
        }
    };
    stage.each_entry("fork", |stage| forked(stage, "success", &[], 41));
    stage.each_entry("vfork", |stage| forked(stage, "success", &[], 42));
    stage.each_entry("clone", |stage| forked(stage, "success", &[chld], 43));
    stage.each_entry("clone3", |stage| {
        let args = clone_args(libc::SIGCHLD as u64);
        let hints = knows(&[("data", word(&args[..8]))]);
        let at = stage.put(&args);
        let child = stage.go_forking("success", &[N(at), N(64)], 44, &hints);
        if child > 0 {
            assert_eq!(wait(child as i32), 44 << 8);
        }
    });
    // A process cannot be made in a pid namespace whose first process has ended.
    for name in ["fork", "vfork"] {
        stage.each_entry(name, |stage| {
            stage.in_child(|stage| {
                // SAFETY: numbers; the child of the fork ends at once.
                unsafe {
                    if libc::unshare(libc::CLONE_NEWPID) == 0 {
                        match libc::fork() {
                            0 => libc::_exit(0),
                            first => drop(wait(first)),
                        }
                    }
                }
                stage.go_forking("failure", &[], 0, &Hints::default());
            });
        });
    }
    stage.each_entry("clone", |stage| {
        stage.go("failure", &[N(libc::CLONE_SIGHAND as u64)], &Hints::default());
    });
    stage.each_entry("clone3", |stage| {
        let args = clone_args(libc::CLONE_SIGHAND as u64);
        let hints = knows(&[("data", word(&args[..8]))]);
        let at = stage.put(&args);
        stage.go("failure", &[N(at), N(64)], &hints);
        stage.go("failure/bad", &[N(1), N(64)], &knows(&[("data.fault", "yes".into())]));
    });
    stage.each_entry("setsid", |stage| stage.in_child(|stage| stage.go("success", &[], &Hints::default())));
    stage.each_entry("setsid", |stage| {
        stage.in_child(|stage| {
            // SAFETY: no arguments.
            unsafe { libc::setsid() };
            stage.go("failure", &[], &Hints::default());
        });
    });
    stage.each_entry("setpgid", |stage| {
        stage.in_child(|stage| stage.go("success", &[N(0), N(0)], &Hints::default()));
        stage.go("failure", &[N(0x3fff_ffff), N(0)], &Hints::default());
    });
    stage.each_entry("unshare", |stage| {
        let flags = N(libc::CLONE_FS as u64 | libc::CLONE_FILES as u64);
        stage.in_child(|stage| stage.go("success", &[flags], &Hints::default()));
        stage.go("failure", &[N(1)], &Hints::default());
    });
    let uts = fs::File::open("/proc/self/ns/uts").unwrap();
    let uts = i64::from(uts.as_raw_fd());
    stage.each_entry("setns", |stage| {
        let kind = N(libc::CLONE_NEWUTS as u64);
        stage.in_child(|stage| stage.go("success", &[Fd(uts), kind], &Hints::default()));
        stage.go("failure", &[Fd(uts), N(libc::CLONE_NEWNET as u64)], &Hints::default());
    });
}

fn clone_args(flags: u64) -> Vec<u8> {
    // flags, then exit_signal as the fifth number.
    let (flags, signal) = (flags & !0xff, flags & 0xff);
    [flags, 0, 0, 0, signal, 0, 0, 0].map(u64::to_le_bytes).concat()
}

fn signals(stage: &mut Stage) {
    let pid = N(std::process::id().into());
    // SAFETY: no arguments.
    let tid = N(unsafe { libc::gettid() } as u64);
    let plain = Hints::default();
    let nobody = N(0x3fff_ffff);
    stage.each_entry("kill", |stage| {
        stage.go("success", &[pid, N(0)], &plain);
        stage.go("failure", &[nobody, N(9)], &plain);
    });
    stage.each_entry("tkill", |stage| {
        stage.go("success", &[tid, N(0)], &plain);
        stage.go("failure", &[nobody, N(9)], &plain);
    });
    stage.each_entry("tgkill", |stage| {
        stage.go("success", &[pid, tid, N(0)], &plain);
        stage.go("failure", &[pid, nobody, N(9)], &plain);
    });
    stage.each_entry("ptrace", |stage| {
        stage.in_child(|stage| stage.go("success", &[N(0), N(0), N(0), N(0)], &plain));
        stage.go("failure", &[N(16), nobody, N(0x10), N(0x20)], &plain);
    });
}

/// What a call with ids of 16 bits takes each for.
fn taken(stage: &Stage, ids: &[u64]) -> Vec<(&'static str, String)> {
    let Entry::Narrow(number) = stage.entry else { return Vec::new() };
    if ![23, 46, 70, 71, 164, 170].contains(&number) {
        return Vec::new();
    }
    let mut args = ids.iter().map(|id| if id & 0xffff == 0xffff { 0xffff_ffff } else { id & 0xffff });
    let args: Vec<_> = (0..6).map(|_| args.next().unwrap_or(0).to_string()).collect();
    vec![("args", args.join(","))]
}

fn credentials(stage: &mut Stage) {
    const KEEP: u64 = u64::MAX;
    // Another user, if there is another here; in a child, since it is for good.
    for (name, ids, impossible) in [
        ("setuid", &[1000][..], &[KEEP][..]),
        ("setgid", &[1001], &[KEEP]),
        ("setreuid", &[KEEP, 1000], &[0xfff0_fff0, KEEP]),
        ("setregid", &[1001, KEEP], &[0xfff0_fff0, KEEP]),
        ("setresuid", &[1000, KEEP, KEEP], &[0xfff0_fff0, KEEP, KEEP]),
        ("setresgid", &[1001, 1001, KEEP], &[0xfff0_fff0, KEEP, KEEP]),
    ] {
        stage.each_entry(name, |stage| {
            let args = |ids: &[u64]| ids.iter().map(|id| N(*id)).collect::<Vec<_>>();
            let hints = |stage: &Stage, ids: &[u64]| Hints { words: taken(stage, ids), ..Hints::default() };
            stage.in_child(|stage| {
                let hints = hints(stage, ids);
                stage.go("success", &args(ids), &hints);
            });
            let first = hints(stage, impossible);
            stage.in_child(|stage| {
                // Without privilege no other id can be had; ids of 16 bits are all within a map.
                if ids.len() > 1 {
                    // SAFETY: numbers. In a user namespace there may be no other user to become.
                    unsafe {
                        libc::setresgid(65534, 65534, 65534);
                        libc::setresuid(65534, 65534, 65534);
                    }
                }
                stage.go("failure", &args(impossible), &first);
            });
            // What has more than 16 bits is cut by the calls that take 16: this asks for root.
            let cut = hints(stage, &[0x1_0000, 0x1_0000, 0x1_0000]);
            if !cut.words.is_empty() {
                let args = vec![N(0x1_0000); ids.len()];
                let cut = hints(stage, &vec![0x1_0000; ids.len()]);
                stage.in_child(|stage| stage.go("success/cut", &args, &cut));
            }
        });
    }
    stage.each_entry("capset", |stage| {
        stage.in_child(|stage| {
            let header = stage.put(&[0x2008_0522_u32.to_le_bytes(), [0; 4]].concat());
            let (permitted, effective, _) = capabilities();
            // Inheritable what is permitted; effective without the first.
            let low = [effective as u32 & !1, permitted as u32, permitted as u32];
            let high = [effective >> 32, permitted >> 32, permitted >> 32].map(|half| half as u32);
            let data: Vec<u8> = [low, high].concat().iter().flat_map(|word| word.to_le_bytes()).collect();
            let data = stage.put(&data);
            let hints = knows(&[("aux", permitted.to_string())]);
            stage.go("success", &[N(header), N(data)], &hints);
        });
        let inheritable = capabilities().2;
        let aux = if inheritable == 0 { String::new() } else { inheritable.to_string() };
        stage.go("failure", &[N(1), N(1)], &knows(&[("aux", aux)]));
    });
}

fn options(stage: &mut Stage) {
    let plain = Hints::default();
    stage.each_entry("prctl", |stage| {
        stage.go("success/number", &[N(36), N(1)], &plain);
        let name = stage.put(b"a name\0");
        let hints = knows(&[("first", word(b"a name"))]);
        stage.go("success/name", &[N(15), N(name)], &hints);
        let into = stage.put(&[0; 16]);
        stage.go_then("success/get-name", &[N(16), N(into)], &plain, |stage, words| {
            let name = stage.get(into, 16);
            words.insert("first".into(), word(name.split(|byte| *byte == 0).next().unwrap()));
        });
        let into = stage.put(&[9, 9, 9, 9]);
        stage.go("success/answer", &[N(37), N(into)], &knows(&[("aux", "1".into())]));
        stage.go("failure", &[N(0x7fff), N(1)], &plain);
        stage.go("failure/bad", &[N(15), N(1)], &knows(&[("first.fault", "yes".into())]));
    });
}

fn others(stage: &mut Stage) {
    let plain = Hints::default();
    let image = b"\x7fELF no module";
    let data = ("data", word(image));
    stage.each_entry("init_module", |stage| {
        let at = stage.put(image);
        let hints = knows(std::slice::from_ref(&data));
        stage.go("failure", &[N(at), N(image.len() as u64), Text(b"a=1 b=2")], &hints);
    });
    let file = fs::File::open("/proc/self/exe").unwrap();
    let file = i64::from(file.as_raw_fd());
    stage.each_entry("finit_module", |stage| {
        stage.go("failure", &[Fd(file), Text(b"a=1"), N(1)], &plain);
    });
    stage.each_entry("delete_module", |stage| {
        stage.go("failure", &[Text(b"no_such_module"), N(libc::O_NONBLOCK as u64)], &plain);
    });
    // A map of one number.
    let map: Vec<u8> = [2_u32, 4, 4, 1].into_iter().flat_map(u32::to_le_bytes).chain([0; 112]).collect();
    stage.each_entry("bpf", |stage| {
        let attr = stage.put(&map);
        let made = stage.made("success", &[N(0), N(attr), N(128)], &plain);
        // SAFETY: made for this.
        unsafe { libc::close(made.max(-1) as i32) };
        stage.go("failure", &[N(9999), N(0), N(0)], &plain);
    });
    stage.each_entry("io_uring_setup", |stage| {
        let params = stage.put(&[0; 120]);
        stage.go_then("success", &[N(8), N(params)], &makes(), |stage, words| {
            words.insert("data".into(), word(&stage.get(params, 24)));
        });
        stage.go("failure", &[N(0), N(1)], &knows(&[("data.fault", "yes".into())]));
    });
    let pid = N(std::process::id().into());
    for name in ["process_vm_readv", "process_vm_writev"] {
        stage.each_entry(name, |stage| {
            let (local, remote) = (stage.put(b"written by local"), stage.put(b"read from remote"));
            let buffer = |stage: &Stage, at: u64, len: u64| [stage.long(at), stage.long(len)].concat();
            let (ours, theirs) = (buffer(stage, local, 16), buffer(stage, remote, 9));
            let (ours, theirs) = (stage.put(&ours), stage.put(&theirs));
            let moved: &[u8] = if name == "process_vm_readv" { b"read from" } else { b"written b" };
            let args = [pid, N(ours), N(1), N(theirs), N(1), N(0)];
            stage.go("success", &args, &knows(&[("data", word(moved))]));
            let ours = buffer(stage, local, 4);
            let ours = stage.put(&ours);
            stage.go("failure", &[N(0x3fff_ffff), N(ours), N(1), N(ours), N(1), N(0)], &plain);
        });
    }
}
