//! Programs that start: every field against the truth.

use std::fs;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use eyas_ebpf::{Body, ExecFlags, OpenBits, components, is_rooted};
use eyas_event::{Interest, Source as _};

use crate::actor::play;
use crate::names::{Stat, namespace, own_cgroup, own_number, ticks};
use crate::watch::{args, bodies, execs, failed_execs, is_root, kernel_dev, opens, path, real, watch};

#[test]
fn an_exec_is_described_in_full() {
    if !is_root() {
        return;
    }
    let Some(mut watch) = watch() else { return };
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut child = Command::new("/bin/true")
        .args(["marker", "two words", ""])
        .current_dir(dir.path())
        .uid(65534)
        .gid(65533)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let (pid, own) = (child.id(), std::process::id());
    watch.until_exit(pid);
    // Not waited for before now, so that /proc still knows it.
    let stat = Stat::of(pid);
    child.wait().unwrap();

    let execs = execs(&watch.bytes, pid);
    let [(head, exec)] = &execs[..] else { panic!("one exec expected: {execs:?}") };
    let fixed = &exec.fixed;
    assert_eq!(args(exec.argv), ["/bin/true", "marker", "two words", ""]);
    assert_eq!(fixed.args_total, exec.argv.len() as u64);
    assert_eq!((path(exec.exe), path(exec.cwd)), (real("/bin/true"), real(dir.path())));
    assert_eq!((exec.filename, exec.interp), (&b"/bin/true"[..], &b"/bin/true"[..]));
    assert_eq!(&fixed.comm, b"true\0\0\0\0\0\0\0\0\0\0\0\0");
    assert_eq!((head.tid, head.tgid, fixed.vpid, fixed.ppid), (pid, pid, pid, own));
    assert_eq!(
        (ticks(head.start), ticks(fixed.parent_start)),
        (stat.start_ticks(), Stat::of(own).start_ticks())
    );
    assert_eq!((head.uid, head.gid), (65534, 65533));
    assert_eq!((fixed.uid, fixed.gid, fixed.euid, fixed.egid), (65534, 65533, 65534, 65533));
    assert_eq!((fixed.cap_effective, fixed.cap_permitted), (0, 0));
    assert_eq!((u64::from(fixed.pgid), u64::from(fixed.sid)), (stat.number(5), stat.number(6)));
    assert_eq!((fixed.vpgid, fixed.vsid), (fixed.pgid, fixed.sid));
    assert_eq!(u64::from(fixed.tty), Stat::of(own).number(7));
    assert_eq!(fixed.pidns, namespace(own, "pid"));
    assert_eq!((fixed.loginuid, fixed.session), (own_number("loginuid"), own_number("sessionid")));
    assert_eq!((fixed.flags, fixed.syscall), (ExecFlags(0), 59));
    if let Some(cgroup) = own_cgroup() {
        assert_eq!(head.cgroup, cgroup);
    }
    let file = fs::metadata("/bin/true").unwrap();
    assert_eq!((fixed.exe_ino, fixed.exe_dev), (file.ino(), kernel_dev(file.dev())));
    assert_eq!((fixed.exe_ctime, fixed.exe_mtime), (file.ctime(), file.mtime()));
    assert_eq!((u32::from(fixed.exe_mode), fixed.exe_uid), (file.mode(), file.uid()));
}

#[test]
fn a_script_is_named_beside_its_interpreter() {
    let Some(mut watch) = watch() else { return };
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("do.sh");
    fs::write(&script, "#!/bin/sh -e\nexit 7\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let mut child = Command::new(&script).arg("marker").spawn().unwrap();
    watch.until_exit(child.id());
    child.wait().unwrap();

    let execs = execs(&watch.bytes, child.id());
    let [(_, exec)] = &execs[..] else { panic!("one exec expected: {execs:?}") };
    let name = script.to_str().unwrap();
    assert_eq!(exec.filename, name.as_bytes());
    assert_eq!(exec.interp, b"/bin/sh");
    assert_eq!(path(exec.exe), real("/bin/sh"));
    assert_eq!(args(exec.argv), ["/bin/sh", "-e", name, "marker"]);
    assert_eq!(&exec.fixed.comm[..6], b"do.sh\0");
}

#[test]
fn an_exec_that_failed_names_what_it_was_about() {
    let Some(mut watch) = watch() else { return };
    let dir = tempfile::tempdir().unwrap();
    let named = format!("./no-such-program-{}", std::process::id());
    let absolute = dir.path().join(&named);
    assert!(Command::new(&absolute).spawn().is_err());
    // Spawned by a shell that is there already, since a failed spawn leaves no child to ask for its pid.
    let mut shell = Command::new("/bin/sh")
        .args(["-c", &format!("exec {named}")])
        .current_dir(dir.path())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    watch.until_exit(shell.id());
    shell.wait().unwrap();

    let failed = failed_execs(&watch.bytes, shell.id());
    let [(_, relative)] = &failed[..] else { panic!("one failed exec expected: {failed:?}") };
    assert_eq!((relative.fixed.ret, relative.fixed.syscall), (-i64::from(libc::ENOENT), 59));
    assert_eq!((relative.given, path(relative.base)), (named.as_bytes(), real(dir.path())));

    let absolute = absolute.to_str().unwrap().as_bytes();
    let whole = bodies(&watch.bytes).find_map(|(_, body)| match body {
        Body::ExecFailed(failed) if failed.given == absolute => Some(failed),
        _ => None,
    });
    let whole = whole.expect("the absolute one was reported too");
    assert_eq!((whole.fixed.ret, whole.base), (-i64::from(libc::ENOENT), &b""[..]));
}

#[test]
fn a_command_line_of_a_megabyte_arrives_whole() {
    let Some(mut watch) = watch() else { return };
    let long: Vec<String> = (0..16_u8).map(|at| char::from(b'a' + at).to_string().repeat(65_536)).collect();
    let mut child = Command::new("/bin/true").args(&long).spawn().unwrap();
    watch.until_exit(child.id());
    child.wait().unwrap();

    let execs = execs(&watch.bytes, child.id());
    let [(head, exec)] = &execs[..] else { panic!("one exec expected") };
    assert!(exec.fixed.flags.has(ExecFlags::ARGV_MORE));
    let mut argv = exec.argv.to_vec();
    for (piece, body) in bodies(&watch.bytes) {
        if let Body::Argv(more) = body
            && (piece.tgid, piece.start) == (head.tgid, head.start)
        {
            assert_eq!(more.fixed.offset, argv.len() as u64);
            argv.extend_from_slice(more.bytes);
        }
    }
    assert_eq!(argv.len() as u64, exec.fixed.args_total);
    assert!(argv.len() > 1 << 20);
    let got = args(&argv);
    assert_eq!(got[0], "/bin/true");
    assert!(got[1..] == long, "the arguments are not those that were given");
}

#[test]
fn a_program_in_memory_is_called_so() {
    let Some(mut watch) = watch() else { return };
    let memory = rustix::fs::memfd_create("hidden", rustix::fs::MemfdFlags::empty()).unwrap();
    let mut memory = fs::File::from(memory);
    memory.write_all(&fs::read("/bin/true").unwrap()).unwrap();
    // Through a descriptor opened for reading: a file that is open for writing cannot be run.
    let name = format!("/proc/self/fd/{}", memory.as_raw_fd());
    let reading = fs::File::open(&name).unwrap();
    drop(memory);
    let name = format!("/proc/self/fd/{}", reading.as_raw_fd());
    let mut child = Command::new(&name).arg("marker").spawn().unwrap();
    watch.until_exit(child.id());
    child.wait().unwrap();

    let execs = execs(&watch.bytes, child.id());
    let [(_, exec)] = &execs[..] else { panic!("one exec expected: {execs:?}") };
    assert_eq!(path(exec.exe), "memfd:hidden");
    assert!(exec.fixed.flags.has(ExecFlags::MEMFD));
    assert_eq!(exec.filename, name.as_bytes());
}

#[test]
fn a_program_without_a_name_is_called_deleted() {
    let Some(mut watch) = watch() else { return };
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("gone");
    fs::copy("/bin/true", &copy).unwrap();
    let open = fs::File::open(&copy).unwrap();
    let truth = real(&copy);
    fs::remove_file(&copy).unwrap();
    let mut child = Command::new(format!("/proc/self/fd/{}", open.as_raw_fd())).spawn().unwrap();
    watch.until_exit(child.id());
    child.wait().unwrap();

    let execs = execs(&watch.bytes, child.id());
    let [(_, exec)] = &execs[..] else { panic!("one exec expected: {execs:?}") };
    assert_eq!(path(exec.exe), truth);
    assert!(exec.fixed.flags.has(ExecFlags::DELETED));
    assert!(!exec.fixed.flags.has(ExecFlags::MEMFD));
}

#[test]
fn an_exec_by_descriptor_is_told_as_execveat() {
    let Some(mut watch) = watch() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut child = play("execveat", dir.path(), "marker");
    watch.until_exit(child.id());
    child.wait().unwrap();

    let execs = execs(&watch.bytes, child.id());
    let [_, (_, exec)] = &execs[..] else { panic!("two execs expected: {execs:?}") };
    assert_eq!((args(exec.argv), exec.fixed.syscall), (vec!["by-fd".into(), "marker".into()], 322));
    assert_eq!(path(exec.exe), real("/bin/true"));
    assert!(exec.filename.starts_with(b"/dev/fd/"));
}

#[test]
fn a_terminal_is_named_by_its_device_number() {
    let Some(mut watch) = watch() else { return };
    let dir = tempfile::tempdir().unwrap();
    let said = dir.path().join("said");
    // `script` runs a command on a terminal of its own.
    let command = format!("cat /proc/self/stat > {0}; /bin/true {0}", said.display());
    let Ok(mut child) = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
    else {
        println!("skipped: there is no script(1) here");
        return;
    };
    watch.until_exit(child.id());
    child.wait().unwrap();
    let argv = format!("/bin/true\0{}\0", said.display());
    let said = fs::read_to_string(said).unwrap();
    let tty: u32 = said.rsplit_once(')').unwrap().1.split_whitespace().nth(4).unwrap().parse().unwrap();
    assert_ne!(tty, 0);
    let exec = bodies(&watch.bytes).find_map(|(_, body)| match body {
        Body::Exec(exec) if exec.argv == argv.as_bytes() => Some(exec),
        _ => None,
    });
    assert_eq!(exec.unwrap().fixed.tty, tty);
}

#[test]
fn a_path_that_is_too_long_is_cut_at_its_upper_end_and_says_so() {
    let Some(mut watch) = watch() else { return };
    let dir = tempfile::tempdir().unwrap();
    let name = "d".repeat(120);
    let mut child = play("deep", dir.path(), &name);
    watch.until_exit(child.id());
    assert!(child.wait().unwrap().success());

    let execs = execs(&watch.bytes, child.id());
    let (_, exec) = execs.last().unwrap();
    assert!(exec.fixed.flags.has(ExecFlags::CWD_TRUNCATED));
    assert!(!exec.fixed.flags.has(ExecFlags::EXE_TRUNCATED));
    let opens = opens(&watch.bytes, child.id());
    let missing = opens.iter().find(|(_, open)| open.given == b"missing").unwrap().1;
    assert_eq!(missing.fixed.bits, OpenBits::BASE_TRUNCATED);
    assert_eq!(missing.base, exec.cwd);
    // 4096 bytes hold 33 such names and a part of one more, which is not cut itself.
    let names: Vec<_> = components(exec.cwd).collect();
    assert_eq!(names, vec![name.as_bytes(); 34]);
    assert!(!is_rooted(exec.cwd));
}

#[test]
fn whether_the_file_could_be_written_and_where_in_an_overlay_it_lies_is_told() {
    if !is_root() {
        return;
    }
    let Some(mut watch) = watch() else { return };
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let inside = |name: &str| dir.path().join(name);
    for name in ["lower", "upper", "work", "merged"] {
        fs::create_dir(inside(name)).unwrap();
    }
    fs::copy("/bin/true", inside("lower/image")).unwrap();
    let layers =
        format!("lowerdir={0}/lower,upperdir={0}/upper,workdir={0}/work", dir.path().to_str().unwrap());
    let script =
        "mount -t overlay overlay -o $0 merged && cp merged/image merged/new && merged/image && merged/new";
    let mut child = Command::new("unshare")
        .args(["--mount", "sh", "-c", script, &layers])
        .current_dir(dir.path())
        .spawn()
        .unwrap();
    assert!(child.wait().unwrap().success(), "an overlay could not be mounted");
    // As nobody: the first belongs to root, the second is for all to write.
    fs::copy("/bin/true", inside("open")).unwrap();
    fs::set_permissions(inside("open"), fs::Permissions::from_mode(0o777)).unwrap();
    let mut last = 0;
    for program in ["/bin/true", inside("open").to_str().unwrap()] {
        let mut child = Command::new(program).uid(65534).gid(65534).spawn().unwrap();
        last = child.id();
        child.wait().unwrap();
    }
    watch.until_exit(last);

    let flags = |name: &str| {
        let own = bodies(&watch.bytes).filter_map(|(head, body)| match body {
            Body::Exec(exec) if exec.filename.ends_with(name.as_bytes()) => {
                Some((head.uid, exec.fixed.flags))
            }
            _ => None,
        });
        own.last().unwrap_or_else(|| panic!("{name} did not run"))
    };
    let layered =
        |flags: ExecFlags| (flags.has(ExecFlags::EXE_UPPER_LAYER), flags.has(ExecFlags::EXE_LOWER_LAYER));
    assert_eq!(layered(flags("merged/image").1), (false, true));
    assert_eq!(layered(flags("merged/new").1), (true, false));
    assert_eq!(layered(flags("/open").1), (false, false));
    assert!(flags("merged/new").1.has(ExecFlags::EXE_WRITABLE), "root may write everything");
    assert_eq!(flags("/open"), (65534, ExecFlags::EXE_WRITABLE));
    let nobody = bodies(&watch.bytes).any(|(head, body)| {
        matches!(body, Body::Exec(exec) if head.uid == 65534 && exec.filename == b"/bin/true" && exec.fixed.flags == ExecFlags(0))
    });
    assert!(nobody, "nobody may not write /bin/true");

    // The same of files that are opened: the copy reads the one and makes the other.
    let layered = |name: &str| {
        let own = bodies(&watch.bytes).filter_map(|(_, body)| match body {
            Body::Open(open) if open.given.ends_with(name.as_bytes()) && open.fixed.ret >= 0 => {
                let bits = open.fixed.bits;
                Some((bits.has(OpenBits::UPPER_LAYER), bits.has(OpenBits::LOWER_LAYER)))
            }
            _ => None,
        });
        own.last().unwrap_or_else(|| panic!("{name} was not opened"))
    };
    assert_eq!(layered("merged/image"), (false, true));
    assert_eq!(layered("merged/new"), (true, false));
    assert_eq!(layered("/etc/ld.so.cache"), (false, false));
}

#[test]
fn limits_memory_and_the_begin_of_the_namespace_are_told() {
    let Some(mut watch) = watch() else { return };
    let mut child = Command::new("sh").args(["-c", "ulimit -Sn 321; exec /bin/true"]).spawn().unwrap();
    child.wait().unwrap();
    watch.until_exit(child.id());
    let execs_of = execs(&watch.bytes, child.id());
    let more: Vec<_> = execs_of.iter().map(|(_, exec)| exec.more()).collect();
    let [shell, program] = &more[..] else { panic!("two execs expected: {more:?}") };
    assert_ne!(shell.fd_limit, 321);
    assert_eq!(program.fd_limit, 321);
    for more in [shell, program] {
        assert!(more.vm_size_kib > 100 && more.vm_rss_kib < more.vm_size_kib, "{more:?}");
        assert!(more.faults_minor > 0, "{more:?}");
    }
    // Both run in the test's own namespace, which is older than they are.
    assert_eq!(shell.pidns_start, program.pidns_start);
    assert!(shell.pidns_start < execs_of[0].0.start);
    if !is_root() {
        return;
    }
    let ran = Command::new("unshare").args(["--pid", "--fork", "/bin/true"]).status().unwrap();
    assert!(ran.success());
    let first_of_its_own = |bytes: &[u8]| {
        let mut found = bodies(bytes).filter_map(|(head, body)| match body {
            Body::Exec(exec) if exec.fixed.vpid == 1 && exec.fixed.vpid != head.tgid => {
                Some((head.start, exec.more().pidns_start))
            }
            _ => None,
        });
        found.next()
    };
    watch.until(|bytes| first_of_its_own(bytes).is_some());
    let (started, namespace) = first_of_its_own(&watch.bytes).unwrap();
    assert_eq!(started, namespace, "the first process is the one that the namespace began with");
}

#[test]
fn of_an_environment_the_variables_that_are_wanted_are_sent_and_no_others() {
    let Some(mut watch) = watch() else { return };
    let wanted = |names: &[&str]| Interest {
        variables: names.iter().map(|name| name.as_bytes().into()).collect(),
        ..Interest::everything()
    };
    let long = "x".repeat(5000);
    let mut run = |names: &[&str]| {
        watch.probe.set_interest(&wanted(names)).unwrap();
        let mut child = Command::new("/bin/true")
            .env_clear()
            .env("FIRST", "1")
            .env("HTTP_PROXY", "http://proxy")
            .env("http_proxy", "low")
            .env("HTTP_PROXY_OTHER", "no")
            // What would begin behind a read that its length filled is no variable.
            .env("LONG", format!("{}HTTP_PROXY=forged", &long))
            .env("SECRET", "hunter2")
            .env("WANTED_LONG", &long)
            .spawn()
            .unwrap();
        child.wait().unwrap();
        watch.until_exit(child.id());
        let execs = execs(&watch.bytes, child.id());
        let [(_, exec)] = &execs[..] else { panic!("one exec expected: {execs:?}") };
        let mut sent: Vec<String> = exec
            .env
            .split(|byte| *byte == 0)
            .filter(|variable| !variable.is_empty())
            .map(|variable| String::from_utf8(variable.to_vec()).unwrap())
            .collect();
        sent.sort_unstable();
        (exec.fixed.flags.has(ExecFlags::ENV_READ), sent)
    };
    assert_eq!(run(&[]), (false, vec![]));
    let (read, sent) = run(&["HTTP_PROXY", "NOT_SET", "WANTED_LONG"]);
    let cut = format!("WANTED_LONG={}", &long[.."WANTED_LONG=".len().abs_diff(1023)]);
    assert_eq!((read, sent), (true, vec!["HTTP_PROXY=http://proxy".into(), cut, "http_proxy=low".into()]));
    assert_eq!(run(&["FIRST"]), (true, vec!["FIRST=1".into()]));
    assert_eq!(run(&[]), (false, vec![]));
}

#[test]
fn a_wanted_variable_is_found_wherever_it_lies_and_however_long_it_is() {
    let Some(mut watch) = watch() else { return };
    let interest =
        Interest { variables: [Box::from(&b"WANTED"[..])].into_iter().collect(), ..Interest::everything() };
    watch.probe.set_interest(&interest).unwrap();
    // The kernel half reads windows of 2 KiB, and sends 1,023 bytes of a variable at most.
    let room = 1023;
    let around = |middle: usize| middle - 12..=middle + 12;
    let places = around(1024).chain(around(2048)).chain(around(4096)).map(|before| (before, 20));
    let lengths = around(1024).chain(around(2048)).map(|length| (7, length));
    for (before, length) in places.chain(lengths).chain([(1, 8), (60_000, 2)]) {
        let value = "v".repeat(length);
        // They come in the order of their names; each of the first takes ten bytes.
        let mut command = Command::new("/bin/true");
        command.env_clear();
        for n in 0..before / 10 {
            command.env(format!("A{n:05}"), "bb");
        }
        command.env("B", "b".repeat(before % 10)).env("WANTED", &value).env("WANTED_NOT", "WANTED=forged");
        let mut child = command.env("XWANTED", &value).spawn().unwrap();
        child.wait().unwrap();
        watch.until_exit(child.id());
        let execs = execs(&watch.bytes, child.id());
        let [(_, exec)] = &execs[..] else { panic!("one exec expected: {execs:?}") };
        let mut expected = format!("WANTED={value}").into_bytes();
        expected.truncate(room);
        expected.push(0);
        assert!(exec.env == expected, "{length} bytes behind {before}");
        watch.bytes.clear();
    }
}

#[test]
fn of_very_many_variables_those_are_sent_for_which_there_is_room() {
    let Some(mut watch) = watch() else { return };
    let names: Vec<String> = (10..27).map(|n| format!("WANTED{n}")).collect();
    let interest = Interest {
        variables: names.iter().map(|name| name.as_bytes().into()).collect(),
        ..Interest::everything()
    };
    watch.probe.set_interest(&interest).unwrap();
    let mut run = |command: &mut Command| {
        let mut child = command.spawn().unwrap();
        child.wait().unwrap();
        watch.until_exit(child.id());
        let execs = execs(&watch.bytes, child.id());
        let [(_, exec)] = &execs[..] else { panic!("one exec expected: {execs:?}") };
        let sent = exec.env.split(|byte| *byte == 0).filter(|variable| !variable.is_empty());
        let sent: Vec<_> = sent.map(|variable| String::from_utf8(variable.to_vec()).unwrap()).collect();
        watch.bytes.clear();
        sent
    };
    // More of them than there is room for: those that come first.
    let long = "x".repeat(2000);
    let mut command = Command::new("/bin/true");
    command.env_clear().envs(names.iter().skip(1).map(|name| (name, &long))).env(&names[0], "1");
    let sent = run(&mut command);
    assert!(
        sent.len() > 15 && sent.iter().zip(&names).all(|(sent, name)| sent.starts_with(name)),
        "{sent:?}"
    );

    // As many as an exec takes, nearly.
    let mut command = Command::new("/bin/true");
    command.env_clear().env("WANTED10", "1");
    for n in 0..300_000 {
        command.env(format!("{n:05X}"), "");
    }
    let unlimited = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: between fork and exec there is one call, which takes no lock.
    unsafe {
        command.pre_exec(move || match libc::setrlimit(libc::RLIMIT_STACK, &raw const unlimited) {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        });
    }
    assert_eq!(run(&mut command), ["WANTED10=1"]);
}
