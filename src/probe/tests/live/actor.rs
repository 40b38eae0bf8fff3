//! The process that does what a test wants watched: this test binary, run again with a scene to play.
//!
//! It is a process of its own because the sensor never reports the one that opened it.

use std::ffi::CString;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use eyas_probe::ProbeOptions;

use crate::open::assert_blind_to_itself;
use crate::watch::open_watch;

const SCENE: &str = "EYAS_TEST_SCENE";
const PLACE: &str = "EYAS_TEST_PLACE";

/// Plays a scene in a directory; `place` is the scene's own argument.
pub(crate) fn play(scene: &str, dir: &Path, place: &str) -> Child {
    let me = Command::new(std::env::current_exe().unwrap());
    direct(me, scene, dir, place).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
}

/// Plays a scene as the first process of a new pid namespace, to its end.
pub(crate) fn play_in_pid_namespace(scene: &str, dir: &Path) -> ExitStatus {
    let mut unshare = Command::new("unshare");
    unshare.args(["--pid", "--fork"]).arg(std::env::current_exe().unwrap());
    direct(unshare, scene, dir, "").stdout(Stdio::null()).status().unwrap()
}

/// Plays a scene in namespaces of its own: `wrap` is the command that makes them and then runs what follows.
pub(crate) fn play_wrapped(mut wrap: Command, scene: &str, dir: &Path, place: &str) -> Child {
    wrap.arg(std::env::current_exe().unwrap());
    direct(wrap, scene, dir, place).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}

fn direct(mut command: Command, scene: &str, dir: &Path, place: &str) -> Command {
    command
        .args(["--exact", "actor::plays_a_scene_when_told", "--nocapture"])
        .env(SCENE, scene)
        .env(PLACE, place)
        .current_dir(dir);
    command
}

/// Not a test but the stage: without a scene there is nothing to play.
#[test]
fn plays_a_scene_when_told() {
    let Ok(scene) = std::env::var(SCENE) else { return };
    let place = std::env::var(PLACE).unwrap();
    match scene.as_str() {
        "opens" => opens(),
        "calls" => crate::calls::perform(),
        "matrix" => crate::matrix::play(&place),
        "connects" => connects(&place),
        "uring-opens" => crate::uring::perform_opens(),
        "uring-interest" => crate::uring::change_interest(),
        "uring-connects" => crate::uring::perform_connects(&place),
        "filter" => filter(&place),
        "open-one" => open_one(&place),
        "open-numbered" => open_numbered(&place),
        "open-often" => (0..place.parse().unwrap()).for_each(|_| drop(std::fs::File::open("/etc/passwd"))),
        "chdir-often" => chdir_often(&place),
        "on-each-cpu" => on_each_cpu(),
        "sockets" => sockets(),
        "hold-open" => hold_open(place.parse().unwrap()),
        "execveat" => execveat(&place),
        "deep" => deep(&place),
        "chain" => chain(&place),
        "blind" => assert_blind_to_itself(open_watch(&ProbeOptions::default()).unwrap()),
        "probe" => hold_probe(&place),
        other => panic!("no scene {other}"),
    }
}

pub(crate) fn call(number: libc::c_long, args: [usize; 4]) -> i64 {
    let [a, b, c, d] = args;
    call_six(number, [a, b, c, d, 0, 0])
}

pub(crate) fn call_six(number: libc::c_long, args: [usize; 6]) -> i64 {
    // SAFETY: the scenes pass paths and structs that outlive the call, or addresses that the kernel refuses.
    let ret = unsafe { libc::syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]) };
    if ret == -1 { -i64::from(std::io::Error::last_os_error().raw_os_error().unwrap()) } else { ret }
}

fn opens() {
    const HERE: usize = libc::AT_FDCWD as usize;
    let text = |path: &str| CString::new(path).unwrap();
    let at = |text: &CString| text.as_ptr() as usize;
    let (hostname, file, inner) = (text("/etc/hostname"), text("file"), text("inner"));
    let (missing, new, made) = (text("missing"), text("new"), text("made"));
    let (link, sub, dot) = (text("link"), text("sub"), text("sub/../sub/./inner"));

    call(libc::SYS_open, [at(&hostname), 0, 0, 0]);
    call(libc::SYS_openat, [HERE, at(&file), libc::O_RDONLY as usize, 0o7777]);
    let dir = call(libc::SYS_openat, [HERE, at(&sub), libc::O_DIRECTORY as usize, 0]);
    call(libc::SYS_openat, [dir as usize, at(&inner), 0, 0]);
    call(libc::SYS_openat, [HERE, at(&missing), 0, 0]);
    let create = (libc::O_CREAT | libc::O_WRONLY) as usize;
    call(libc::SYS_openat, [HERE, at(&new), create, 0o640]);
    call(libc::SYS_openat, [HERE, at(&new), create, 0o640]);
    call(libc::SYS_creat, [at(&made), 0o600, 0, 0]);
    let how = [libc::O_RDONLY as u64, 0, libc::RESOLVE_NO_MAGICLINKS];
    call(libc::SYS_openat2, [HERE, at(&link), how.as_ptr() as usize, 24]);
    call(libc::SYS_openat, [HERE, at(&dot), 0, 0]);
    call(libc::SYS_openat, [HERE, 1, 0, 0]);
    call(libc::SYS_openat, [9999, at(&inner), 0, 0]);
    open_as_ia32("file");
}

/// Opens by absolute paths below `dir`, and by others that mean the same.
fn filter(dir: &str) {
    const HERE: usize = libc::AT_FDCWD as usize;
    let open_with = |path: &str, flags: i32| {
        let path = CString::new(path).unwrap();
        call(libc::SYS_openat, [HERE, path.as_ptr() as usize, flags as usize, 0o600]);
    };
    let open = |path: &str| open_with(path, libc::O_RDONLY);
    for name in ["wanted", "other", "wanted-missing", "missing", "sub/wanted", "sub/other"] {
        open(&format!("{dir}/{name}"));
    }
    for path in ["wanted", "./wanted", "sub/../wanted"] {
        open(path);
    }
    for path in ["//wanted", "/./wanted", "/sub/../wanted", "/sub/.././wanted-missing"] {
        open(&format!("{dir}{path}"));
    }
    for name in ["new.made", "new.other", "new.made"] {
        let path = CString::new(format!("{dir}/{name}")).unwrap();
        call(libc::SYS_creat, [path.as_ptr() as usize, 0o600, 0, 0]);
    }
    for _ in 0..2 {
        // The first makes it, the second finds it.
        open_with(&format!("{dir}/read.made"), libc::O_CREAT | libc::O_RDONLY);
        open_with(&format!("{dir}/read.other"), libc::O_CREAT | libc::O_RDONLY);
    }
    open_with(&format!("{dir}/read.made"), libc::O_RDWR);
    for name in ["wanted", "other"] {
        let path = CString::new(format!("{dir}/{name}")).unwrap();
        let how = [libc::O_RDONLY as u64, 0, libc::RESOLVE_NO_MAGICLINKS];
        call(libc::SYS_openat2, [HERE, path.as_ptr() as usize, how.as_ptr() as usize, 24]);
        call(libc::SYS_open, [path.as_ptr() as usize, 0, 0, 0]);
        open_as_ia32(&format!("{dir}/{name}"));
    }
    call(libc::SYS_openat, [HERE, 1, 0, 0]);
}

/// `place`: how often, and what.
fn open_one(place: &str) {
    let (count, path) = place.split_once(' ').unwrap();
    for _ in 0..count.parse().unwrap() {
        drop(std::fs::File::open(path).unwrap());
    }
}

/// `place`: how often. Changes the directory to where it is already.
fn chdir_often(place: &str) {
    let here = CString::new(".").unwrap();
    for _ in 0..place.parse().unwrap() {
        assert_eq!(call(libc::SYS_chdir, [here.as_ptr() as usize, 0, 0, 0]), 0);
    }
}

/// Runs a program on each processor.
fn on_each_cpu() {
    for cpu in 0..std::thread::available_parallelism().unwrap().get() {
        // SAFETY: the set is plain data, and the call reads it only.
        unsafe {
            let mut set: libc::cpu_set_t = std::mem::zeroed();
            libc::CPU_SET(cpu, &mut set);
            assert_eq!(libc::sched_setaffinity(0, size_of_val(&set), &raw const set), 0);
        }
        assert!(Command::new("/bin/true").status().unwrap().success());
    }
}

/// Makes sockets of some families, one of which there is none, and a descriptor beside one.
fn sockets() {
    let socket =
        |family: libc::c_int| call(libc::SYS_socket, [family as usize, libc::SOCK_DGRAM as usize, 0, 0]);
    let made = [libc::AF_UNIX, libc::AF_INET, libc::AF_NETLINK].map(socket);
    assert!(made.iter().all(|fd| *fd >= 0));
    assert_eq!(socket(100), -i64::from(libc::EAFNOSUPPORT));
    assert!(call(libc::SYS_dup, [made[0] as usize, 0, 0, 0]) > made[2]);
}

/// `place`: how many, and what the numbers follow.
fn open_numbered(place: &str) {
    let (count, path) = place.split_once(' ').unwrap();
    for number in 0..count.parse::<u32>().unwrap() {
        assert!(std::fs::File::open(format!("{path}{number}")).is_err());
    }
}

/// Holds a file that is deleted as descriptor 3 and a memfd as 4, opens both again, and opens one file many times.
fn hold_open(count: usize) {
    use std::os::fd::AsRawFd as _;
    let gone = std::fs::File::create("gone").unwrap();
    std::fs::remove_file("gone").unwrap();
    // SAFETY: a NUL-terminated name; the descriptors 3 and 4 belong to nothing of this process that is used again.
    unsafe {
        let memfd = libc::memfd_create(c"hidden".as_ptr(), libc::MFD_CLOEXEC);
        let high = [libc::fcntl(gone.as_raw_fd(), libc::F_DUPFD, 9), libc::fcntl(memfd, libc::F_DUPFD, 9)];
        assert_eq!((libc::dup2(high[0], 3), libc::dup2(high[1], 4)), (3, 4));
    }
    let again = ["/proc/self/fd/3", "/proc/self/fd/4"].map(|path| std::fs::File::open(path).unwrap());
    let held: Vec<_> = (0..count).map(|_| std::fs::File::create("held").unwrap()).collect();
    drop((held, again));
}

/// open through the 32-bit entry: number 5 there.
fn open_as_ia32(path: &str) {
    call_as_ia32(5, path, 0);
}

/// A call through the 32-bit entry, by its number there, with a path below 4 GiB and a number.
pub(crate) fn call_as_ia32(number: u32, path: &str, second: u32) -> i32 {
    let ret: u32;
    // SAFETY: a fresh page is mapped and only its own bytes are written; the call reads a NUL-terminated path from it.
    // The 32-bit entry keeps all registers but the result's.
    unsafe {
        let page = libc::mmap(
            std::ptr::null_mut(),
            4096,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_32BIT,
            -1,
            0,
        );
        assert_ne!(page, libc::MAP_FAILED);
        page.cast::<u8>().copy_from(path.as_ptr(), path.len());
        std::arch::asm!(
            "push rbx",
            "mov ebx, {path:e}",
            "int 0x80",
            "pop rbx",
            path = in(reg) page as usize as u32,
            inlateout("eax") number => ret,
            in("ecx") second,
            in("edx") 0,
        );
    }
    ret as i32
}

/// `place`: the address that listens, the one that does not, the IPv6 one, then a unix socket's path; blanks between.
fn connects(place: &str) {
    let parts: Vec<&str> = place.split(' ').collect();
    let to = |at: usize| parts[at].parse::<SocketAddr>().unwrap();
    drop(TcpStream::connect(to(0)));
    drop(TcpStream::connect(to(1)));
    drop(TcpStream::connect(to(2)));
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.connect(to(0)).unwrap();
    drop(UnixStream::connect(parts[3]));
    drop(UnixStream::connect("no-such.sock"));
    let address = [0_u8; 16];
    call(libc::SYS_connect, [9999, address.as_ptr() as usize, 16, 0]);
}

/// Becomes `/bin/true`, by descriptor and without a name.
fn execveat(marker: &str) {
    use std::os::fd::IntoRawFd as _;
    let file = std::fs::File::open("/bin/true").unwrap().into_raw_fd();
    let (empty, name, marker) =
        (CString::default(), CString::new("by-fd").unwrap(), CString::new(marker).unwrap());
    let argv = [name.as_ptr(), marker.as_ptr(), std::ptr::null()];
    let envp = [std::ptr::null::<libc::c_char>()];
    // SAFETY: NUL-terminated strings and null-terminated lists of them, which outlive the call.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            file,
            empty.as_ptr(),
            argv.as_ptr(),
            envp.as_ptr(),
            libc::AT_EMPTY_PATH,
        );
    }
    panic!("{}", std::io::Error::last_os_error());
}

/// Goes down forty directories of that name, opens a file there that is missing, and becomes `/bin/true`.
fn deep(name: &str) {
    use std::os::unix::process::CommandExt as _;
    for _ in 0..40 {
        std::fs::create_dir(name).unwrap();
        std::env::set_current_dir(name).unwrap();
    }
    assert!(std::fs::File::open("missing").is_err());
    panic!("{}", Command::new("/bin/true").exec());
}

/// Runs `/bin/true 0`, `/bin/true 1`, … one after the other.
fn chain(count: &str) {
    for number in 0..count.parse::<u32>().unwrap() {
        assert!(Command::new("/bin/true").arg(number.to_string()).status().unwrap().success());
    }
}

/// Runs the sensor until killed, and writes `ready` into the file `place` when it runs.
fn hold_probe(place: &str) {
    let probe = eyas_probe::Probe::open(&ProbeOptions::default()).unwrap();
    let mut ready = std::fs::File::create(place).unwrap();
    ready.write_all(b"ready").unwrap();
    drop(ready);
    std::thread::sleep(std::time::Duration::from_mins(1));
    drop(probe);
}
