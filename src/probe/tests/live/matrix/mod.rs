//! The matrix: every kind of event that the sensor sends, made so that it succeeds and so that it fails, through every
//! entry of the kernel, with each of its paths given in every way that a path can be given; and all of that in several
//! worlds: on the host, in a pid namespace, in a user namespace, in a network namespace, and below a root of its own.
//!
//! The program that makes the calls writes down what it knows of each; the records must say exactly the same, word for
//! word ([`facts`]). Which cells there must be is not said by the rows: it follows from the table of syscalls.

mod entry;
mod execs;
mod facts;
mod own;
mod paths;
mod plain;
mod printed;
mod sockets;
mod stage;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use eyas_ebpf::{Body, CALLS, Head, Shape, nr};
use eyas_probe::{ProbeOptions, Reads};

use self::entry::{OWN_KINDS, entries};
use self::facts::{Facts, of_line, of_record};
use self::stage::Stage;
use crate::actor::play_wrapped;
use crate::watch::{bodies, forks, is_root, watch_with};

/// The name of each of the directories that lie too deep for a path.
const DEEP: &str = "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd";
/// Who acts in the world of a user namespace, seen from outside.
const OUTER: u32 = 65534;

/// A world that the cells are made in.
struct World {
    name: &'static str,
    /// The command that makes it.
    wrap: &'static [&'static str],
    /// Everything is allowed, so what is meant to succeed must.
    is_free: bool,
}

const WORLDS: [World; 5] = [
    World { name: "host", wrap: &["unshare", "--mount"], is_free: true },
    World { name: "pid", wrap: &["unshare", "--mount", "--pid", "--fork"], is_free: true },
    World { name: "user", wrap: &["unshare", "--mount", "--user", "--map-root-user"], is_free: false },
    World {
        name: "net",
        wrap: &["unshare", "--mount", "--net", "sh", "-c", "ip link set lo up && exec \"$0\" \"$@\""],
        is_free: true,
    },
    World { name: "root", wrap: &["unshare", "--mount"], is_free: true },
];

/// The scene: all cells, in the world of this name, told into the file `told`.
pub(crate) fn play(world: &str) {
    let dir = std::env::current_dir().unwrap();
    let told = dir.join("told");
    let outer = (world == "user").then_some(OUTER);
    let mut stage = Stage::new(&dir.join("cells"), &told, outer);
    if world == "root" {
        stage.root = below_a_root_of_its_own(&dir.join("root"));
    }
    fs::create_dir(&stage.root).unwrap();
    paths::play(&mut stage);
    plain::play(&mut stage);
    sockets::play(&mut stage);
    execs::play(&mut stage);
}

/// Makes a file system with what programs need the root of everything, as runtimes of containers do.
fn below_a_root_of_its_own(root: &Path) -> PathBuf {
    let run = |program: &str, args: &[&str]| {
        assert!(Command::new(program).args(args).current_dir(root).status().unwrap().success(), "{args:?}");
    };
    fs::create_dir(root).unwrap();
    run("mount", &["-t", "tmpfs", "none", root.to_str().unwrap()]);
    run("sh", &["-ec", "mkdir proc usr old; for d in bin lib lib64; do ln -s usr/$d $d; done"]);
    run("mount", &["--rbind", "/proc", "proc"]);
    run("mount", &["--bind", "/usr", "usr"]);
    std::env::set_current_dir(root).unwrap();
    // SAFETY: texts with their NULs.
    unsafe {
        assert_eq!(libc::syscall(libc::SYS_pivot_root, c".".as_ptr(), c"old".as_ptr()), 0);
        assert_eq!(libc::chdir(c"/".as_ptr()), 0);
        assert_eq!(libc::umount2(c"/old".as_ptr(), libc::MNT_DETACH), 0);
    }
    "/cells".into()
}

/// A cell: which call, in which column, through which entry.
type Cell = (String, String, String);

/// Every cell that there must be. A column `success` or `failure` stands for all that begin so.
fn required() -> BTreeSet<Cell> {
    let mut cells = BTreeSet::new();
    let mut need = |name: &str, column: &str| {
        for entry in entries(name).1 {
            cells.insert((name.to_owned(), column.to_owned(), format!("{entry:?}")));
        }
    };
    let takes_dir = |name: &str| name != "creat" && (name.ends_with("at") || name.ends_with("at2"));
    let paths = |name: &str, slot: &str, need: &mut dyn FnMut(&str, &str)| {
        for (column, _) in paths::COLUMNS.iter().filter(|c| takes_dir(name) || !paths::needs_dir(c.0)) {
            need(name, &format!("{slot}/{column}"));
        }
    };
    for call in CALLS {
        let is_path = |arg: u32, dir: u32| arg != Shape::NONE && dir != Shape::NO_PATH;
        let first = is_path(call.shape.first(), call.shape.first_dir()) || call.name == "chdir";
        let second = is_path(call.shape.second(), call.shape.second_dir());
        for (slot, has) in [("first", first), ("second", second)] {
            if has {
                paths(call.name, slot, &mut need);
            }
        }
        if !first && !second {
            let never = |of: &[(&str, &str)]| of.iter().any(|row| row.0 == call.name);
            if !never(plain::NEVER_SUCCEED) {
                need(call.name, "success");
            }
            need(call.name, "failure");
        }
    }
    for (name, ..) in OWN_KINDS {
        match name {
            "connect" => ["success", "failure"].into_iter().for_each(|column| need(name, column)),
            "execve" | "execveat" => {
                let own = execs::COLUMNS.iter().filter(|column| execs::is_of(name, column.0));
                own.for_each(|(column, _)| need(name, column));
            }
            _ => paths(name, "first", &mut need),
        }
    }
    cells
}

/// The error that a cell must end with, 0 for none; `None` where any result will do.
fn wanted(row: &str, column: &str) -> Option<i32> {
    let (slot, rest) = column.split_once('/').unwrap_or((column, ""));
    let of = |columns: &[(&str, i32)], name: &str| columns.iter().find(|c| c.0 == name).map(|c| c.1);
    match (row, slot) {
        ("execve" | "execveat", _) => of(&execs::COLUMNS, column),
        (_, "success") => Some(0),
        (_, "failure") => None,
        _ => of(&paths::COLUMNS, rest),
    }
}

#[test]
fn every_cell_on_the_host_is_told_as_its_program_says() {
    holds(&WORLDS[0], Reads::Cheapest);
}

#[test]
fn every_cell_on_the_host_is_told_so_by_helper_calls_too() {
    holds(&WORLDS[0], Reads::Helper);
}

#[test]
fn every_cell_in_a_pid_namespace_is_told_as_its_program_says() {
    holds(&WORLDS[1], Reads::Cheapest);
}

#[test]
fn every_cell_in_a_user_namespace_is_told_as_its_program_says() {
    holds(&WORLDS[2], Reads::Cheapest);
}

#[test]
fn every_cell_in_a_network_namespace_is_told_as_its_program_says() {
    holds(&WORLDS[3], Reads::Cheapest);
}

#[test]
fn every_cell_below_a_root_of_its_own_is_told_as_its_program_says() {
    holds(&WORLDS[4], Reads::Cheapest);
}

/// Plays the cells in a world and compares. All that differ are told, not the first alone.
fn holds(world: &World, reads: Reads) {
    if !is_root() {
        return;
    }
    let Some(mut watch) = watch_with(&ProbeOptions { reads, ..ProbeOptions::default() }) else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut wrap = Command::new(world.wrap[0]);
    wrap.args(&world.wrap[1..]);
    if !world.is_free {
        std::os::unix::fs::chown(dir.path(), Some(OUTER), Some(OUTER)).unwrap();
        wrap.uid(OUTER).gid(OUTER);
    }
    let mut actor = play_wrapped(wrap, "matrix", dir.path(), world.name);
    watch.until_exit(actor.id());
    assert!(actor.wait().unwrap().success(), "the program that acts failed in the world {}", world.name);

    let mut by_process: BTreeMap<u32, Vec<(Head, Body<'_>)>> = BTreeMap::new();
    let mut exits = BTreeMap::new();
    for (head, body) in bodies(&watch.bytes) {
        match body {
            Body::Exit(exit) => drop(exits.insert((head.tgid, head.start), exit.status)),
            Body::Fork(_) | Body::Argv(_) => {}
            _ => by_process.entry(head.tgid).or_default().push((head, body)),
        }
    }
    let text = fs::read_to_string(dir.path().join("told")).unwrap();
    let actors = text.lines().map(|line| of_line(line)["pid"].parse().unwrap()).collect();
    let printed = printed::all(&watch.bytes, &actors);
    let (mut wrong, mut made) = (Vec::new(), BTreeSet::new());
    let mut at: BTreeMap<u32, usize> = BTreeMap::new();
    for mut told in text.lines().map(of_line) {
        let mut take = |name: &str| told.remove(name).unwrap();
        let (row, column, entry, mark) = (take("row"), take("column"), take("entry"), take("mark"));
        let pid: u32 = take("pid").parse().unwrap();
        let exit = told.remove("exit");
        let ret: i64 = told["ret"].parse().unwrap();
        let label = format!("{row} {column} {entry} in {}", world.name);
        let own = by_process.get(&pid).map_or(&[][..], |own| &own[at.get(&pid).copied().unwrap_or(0)..]);
        let Some(place) = own.iter().position(|(_, body)| is_mark(body, &mark)) else {
            wrong.push(format!("{label}: not marked"));
            continue;
        };
        *at.entry(pid).or_default() += place + 1;
        let seen = own.get(place + 1).and_then(|(head, body)| of_record(head, body)).unwrap_or_default();
        if let Some(printed) = own.get(place + 1).and_then(|(head, _)| printed.get(&(head.cpu, head.seq))) {
            let wrong_text = printed::wrong(&row, &told, printed);
            wrong.extend(wrong_text.into_iter().map(|what| format!("{label}: printed {what}")));
        } else {
            wrong.push(format!("{label}: nothing was printed"));
        }
        if seen != told {
            wrong.push(format!("{label}: {}", difference(&told, &seen)));
        }
        let is_free = world.is_free || ret < 0 && wanted(&row, &column) != Some(0);
        match wanted(&row, &column) {
            Some(0) if is_free && ret < 0 => wrong.push(format!("{label}: was to succeed: {ret}")),
            Some(error) if is_free && error != 0 && ret != -i64::from(error) => {
                wrong.push(format!("{label}: was to fail with {error}: {ret}"));
            }
            None if ret >= 0 => wrong.push(format!("{label}: was to fail: {ret}")),
            _ => {}
        }
        if let (Some(code), true) = (&exit, ret > 0) {
            let made = forks(&watch.bytes, pid).into_iter().find(|(_, fork)| i64::from(fork.vpid) == ret);
            let Some((_, fork)) = made else {
                wrong.push(format!("{label}: no process was told"));
                continue;
            };
            let status = exits.get(&(fork.tgid, fork.start)).copied();
            if status != Some(code.parse::<u32>().unwrap() << 8) {
                wrong.push(format!("{label}: ended with {status:?}, not {code}"));
            }
            // The child comes out of the same call, with 0.
            let child = by_process.get(&fork.tgid).and_then(|own| own.first());
            let child = child.and_then(|(head, body)| of_record(head, body)).unwrap_or_default();
            if child.get("ret").map(String::as_str) != Some("0") || child.get("number") != told.get("number")
            {
                wrong.push(format!("{label}: the child told {child:?}"));
            }
        }
        let kind = column.split('/').next().unwrap();
        let column = if matches!(kind, "success" | "failure") { kind } else { &column };
        made.insert((row.clone(), column.to_owned(), entry.clone()));
    }
    for (row, column, entry) in required().difference(&made) {
        wrong.push(format!("{row} {column} {entry}: there is no such cell"));
    }
    let all = text.lines().count();
    println!("{}: {all} cells, {} wrong", world.name, wrong.len());
    assert!(wrong.is_empty(), "{} of {all} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn is_mark(body: &Body<'_>, mark: &str) -> bool {
    matches!(body, Body::Call(call) if u64::from(call.fixed.syscall) == nr::PRCTL && call.first == mark.as_bytes())
}

/// The words in which two differ: what the program says, what the record says.
fn difference(told: &Facts, seen: &Facts) -> String {
    let names: BTreeSet<_> = told.keys().chain(seen.keys()).collect();
    let differ = names.into_iter().filter(|name| told.get(*name) != seen.get(*name));
    let words = differ.map(|name| format!("{name} {:?} told as {:?}", told.get(name), seen.get(name)));
    words.collect::<Vec<_>>().join(", ")
}
