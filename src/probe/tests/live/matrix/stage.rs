//! The side that acts: a program makes calls through each entry, and says of each what it knows itself: its arguments, its
//! own directory, what `fstat`, `getsockname`, `capget` and `/proc/self` tell it.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use super::entry::{Entry, entries, raw, raw_forking};
use super::facts::{Facts, to_line, word};
use super::own::{base, capabilities, descriptor, own_pid};

/// An argument, by what it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arg<'a> {
    /// A number, or an address of something that is told apart.
    N(u64),
    /// A path, relative to the directory of the `Dir` before it, or to the working directory.
    Path(&'a [u8]),
    /// A text that is no path.
    Text(&'a [u8]),
    /// A path or text that lies nowhere.
    Nowhere(u64),
    /// The same where the call reads a path.
    NowherePath(u64),
    /// The directory that the next path starts at.
    Dir(i64),
    /// The same, and the event is about it.
    DirFd(i64),
    /// The descriptor that the event is about.
    Fd(i64),
}

/// What else is known of a call before it is made.
#[expect(clippy::struct_excessive_bools, reason = "each says one thing of a call")]
#[derive(Clone, Debug, Default)]
pub(crate) struct Hints {
    /// The event is about the descriptor that is made.
    pub(crate) makes: bool,
    /// Words that the row knows.
    pub(crate) words: Vec<(&'static str, String)>,
    /// The working directory after the call is told as the base of the first text.
    pub(crate) tells_cwd: bool,
    /// Where it succeeds, it has made a file.
    pub(crate) created: bool,
    /// The record's kind is not CALL, and has no arguments and capabilities.
    pub(crate) own_kind: bool,
}

/// A call on its way.
struct Made {
    numbers: [u64; 6],
    facts: Facts,
    /// The descriptor that the event is about.
    about: Option<i64>,
    ret: i64,
}

/// The stage.
pub(crate) struct Stage {
    told: File,
    arena: usize,
    used: usize,
    cells: u32,
    /// Its number outside of all namespaces, as the first /proc says.
    pid: String,
    /// The user and group that this program is outside its user namespace, when it is in one.
    outer: Option<u32>,
    /// Where cells may make files.
    pub(crate) root: PathBuf,
    /// Which call, in which column, through which entry.
    pub(crate) row: &'static str,
    pub(crate) number: u64,
    pub(crate) entry: Entry,
}

const ARENA: usize = 1 << 20;

impl Stage {
    pub(crate) fn new(root: &Path, told: &Path, outer: Option<u32>) -> Self {
        // SAFETY: fresh memory, below 4 GiB so that both entries can be given addresses in it.
        let arena = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                ARENA,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_32BIT,
                -1,
                0,
            )
        };
        assert_ne!(arena, libc::MAP_FAILED);
        Self {
            told: OpenOptions::new().append(true).create(true).open(told).unwrap(),
            arena: arena as usize,
            used: 0,
            cells: 0,
            pid: own_pid(),
            outer,
            root: root.to_owned(),
            row: "",
            number: 0,
            entry: Entry::Native,
        }
    }

    /// Puts bytes where both entries reach them. What was put before the last cell is gone.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> u64 {
        let at = self.arena + self.used.next_multiple_of(16);
        self.used = at + bytes.len() - self.arena;
        assert!(self.used <= ARENA);
        // SAFETY: within the arena, of which nothing else is borrowed.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), at as *mut u8, bytes.len()) };
        at as u64
    }

    /// The bytes at an address that `put` gave.
    pub(crate) fn get(&self, at: u64, len: usize) -> Vec<u8> {
        assert!(at as usize >= self.arena && at as usize + len <= self.arena + ARENA);
        // SAFETY: within the arena.
        unsafe { std::slice::from_raw_parts(at as *const u8, len) }.to_vec()
    }

    /// A number of the entry's own width.
    pub(crate) fn long(&self, number: u64) -> Vec<u8> {
        if self.entry.is_narrow() {
            (number as u32).to_le_bytes().to_vec()
        } else {
            number.to_le_bytes().to_vec()
        }
    }

    /// Plays a part through every entry that the call has.
    pub(crate) fn each_entry(&mut self, name: &'static str, mut part: impl FnMut(&mut Self)) {
        let (number, entries) = entries(name);
        (self.row, self.number) = (name, number);
        for entry in entries {
            self.entry = entry;
            self.used = 0;
            part(self);
        }
        self.entry = Entry::Native;
    }

    /// Plays a part through one entry that is none of the call's own numbers.
    pub(crate) fn through(&mut self, name: &'static str, entry: Entry, part: impl FnOnce(&mut Self)) {
        (self.row, self.number, self.entry, self.used) = (name, entries(name).0, entry, 0);
        part(self);
        self.entry = Entry::Native;
    }

    /// Marks what comes next, for whoever reads the records.
    fn mark(&mut self) -> String {
        self.cells += 1;
        let name = format!("cell{}", self.cells);
        let bytes = [name.as_bytes(), b"\0"].concat();
        // SAFETY: a text with its NUL.
        unsafe { libc::prctl(libc::PR_SET_NAME, bytes.as_ptr()) };
        name
    }

    /// Makes the call and tells of it.
    pub(crate) fn go(&mut self, column: &str, args: &[Arg<'_>], hints: &Hints) {
        self.made(column, args, hints);
    }

    /// The same, and gives what it returned.
    pub(crate) fn made(&mut self, column: &str, args: &[Arg<'_>], hints: &Hints) -> i64 {
        let mut call = self.before(column, args);
        call.ret = raw(self.entry, self.number, call.numbers);
        let ret = call.ret;
        self.told(call, hints);
        ret
    }

    /// The same; more words are found after the call.
    pub(crate) fn go_then(
        &mut self,
        column: &str,
        args: &[Arg<'_>],
        hints: &Hints,
        then: impl FnOnce(&Self, &mut Facts),
    ) {
        let mut call = self.before(column, args);
        call.ret = raw(self.entry, self.number, call.numbers);
        then(self, &mut call.facts);
        self.told(call, hints);
    }

    /// Makes a call of which the child ends at once with this code; gives the child.
    pub(crate) fn go_forking(&mut self, column: &str, args: &[Arg<'_>], code: i32, hints: &Hints) -> i64 {
        let mut call = self.before(column, args);
        call.ret = raw_forking(self.entry, self.number, call.numbers, code);
        call.facts.insert("exit".into(), code.to_string());
        let ret = call.ret;
        self.told(call, hints);
        ret
    }

    /// Tells of a call that will not return, before it is made; then makes it.
    pub(crate) fn go_away(&mut self, column: &str, args: &[Arg<'_>], words: Facts) {
        let mut call = self.before(column, args);
        let mark = call.facts.remove("mark").unwrap();
        call.facts.clear();
        self.common(&mut call.facts);
        // By which entry a program was started is not told (docs/kernel.md).
        call.facts.remove("compat");
        call.facts.extend(words);
        call.facts.extend([("column".into(), column.into()), ("mark".into(), mark)]);
        self.told.write_all(to_line(&call.facts).as_bytes()).unwrap();
        let ret = raw(self.entry, self.number, call.numbers);
        panic!("{} {column} came back with {ret}", self.row);
    }

    /// What is known of a call before it is made; what comes next is marked to be it.
    fn before(&mut self, column: &str, args: &[Arg<'_>]) -> Made {
        let (numbers, mut facts) = self.given(args);
        facts.insert("column".into(), column.into());
        facts.insert("mark".into(), self.mark());
        let is_about = |arg: &Arg<'_>| match arg {
            Arg::Fd(fd) | Arg::DirFd(fd) => Some(*fd),
            _ => None,
        };
        Made { numbers, facts, about: args.iter().find_map(is_about), ret: 0 }
    }

    fn given(&mut self, args: &[Arg<'_>]) -> ([u64; 6], Facts) {
        let mut numbers = [0; 6];
        let mut facts = Facts::new();
        let (mut texts, mut dir) = (["first", "second"].into_iter(), i64::from(libc::AT_FDCWD));
        for (at, arg) in args.iter().enumerate() {
            let seen = |text: &[u8]| text[..text.len().min(4095)].to_vec();
            numbers[at] = match *arg {
                Arg::N(number) => number,
                Arg::Dir(fd) | Arg::DirFd(fd) => {
                    dir = fd;
                    fd as u64
                }
                Arg::Fd(fd) => fd as u64,
                Arg::Path(text) | Arg::Text(text) => {
                    let name = texts.next().unwrap();
                    if !text.is_empty() {
                        facts.insert(name.into(), word(&seen(text)));
                    }
                    if matches!(arg, Arg::Path(_)) {
                        let is_relative = !text.is_empty() && !text.starts_with(b"/");
                        if let Some(base) = base(dir).filter(|_| is_relative) {
                            facts.insert(format!("{name}.base"), base);
                        }
                        dir = libc::AT_FDCWD.into();
                    }
                    self.put(&[text, b"\0"].concat())
                }
                Arg::Nowhere(address) | Arg::NowherePath(address) => {
                    facts.insert(format!("{}.fault", texts.next().unwrap()), "yes".into());
                    dir = libc::AT_FDCWD.into();
                    address
                }
            };
        }
        (numbers, facts)
    }

    /// Own user and group, as they are outside of all namespaces.
    pub(crate) fn outer_ids(&self) -> (u32, u32) {
        // SAFETY: no requirements.
        let own = unsafe { (libc::geteuid(), libc::getegid()) };
        self.outer.map_or(own, |outer| (outer, outer))
    }

    fn common(&self, facts: &mut Facts) {
        let (uid, gid) = self.outer_ids();
        let mut put = |name: &str, value: String| facts.insert(name.into(), value);
        put("row", self.row.into());
        put("pid", self.pid.clone());
        put("number", self.number.to_string());
        put("entry", format!("{:?}", self.entry));
        put("uid", uid.to_string());
        put("gid", gid.to_string());
        if self.entry.is_narrow() {
            put("compat", "yes".into());
        }
    }

    /// Tells of a call that was made.
    fn told(&mut self, call: Made, hints: &Hints) {
        let Made { numbers, mut facts, about, ret } = call;
        self.common(&mut facts);
        facts.insert("ret".into(), ret.to_string());
        if !hints.own_kind {
            // Registers beyond the call's own arguments hold zero.
            let width = if self.entry.is_narrow() { u64::from(u32::MAX) } else { u64::MAX };
            let args = numbers.map(|number| (number & width).to_string());
            facts.insert("args".into(), args.join(","));
            let (permitted, effective, _) = capabilities();
            facts.insert("capabilities".into(), format!("{permitted:x}/{effective:x}"));
        }
        if hints.tells_cwd && ret >= 0 {
            facts.insert("first.base".into(), base(libc::AT_FDCWD.into()).unwrap());
        }
        if hints.created && ret >= 0 {
            facts.insert("created".into(), "yes".into());
        }
        if let Some(fd) = about {
            descriptor(fd, &mut facts);
        }
        if hints.makes {
            descriptor(ret, &mut facts);
            // SAFETY: it was made for this alone.
            unsafe { libc::close(ret.max(-1) as i32) };
        }
        for (name, value) in &hints.words {
            if value.is_empty() {
                facts.remove(*name);
            } else {
                facts.insert((*name).into(), value.clone());
            }
        }
        self.told.write_all(to_line(&facts).as_bytes()).unwrap();
    }

    /// Plays a part in a child process, which then ends.
    pub(crate) fn in_child(&mut self, part: impl FnOnce(&mut Self)) {
        // SAFETY: the child uses only what this thread owns, and ends without running what others left.
        match unsafe { libc::fork() } {
            0 => {
                self.pid = own_pid();
                let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| part(self)));
                // SAFETY: as above.
                unsafe { libc::_exit(i32::from(played.is_err())) };
            }
            child => assert_eq!(wait(child), 0, "{}: the child failed", self.row),
        }
    }
}

/// Waits for a child and gives its status word.
pub(crate) fn wait(child: i32) -> i32 {
    let mut status = 0;
    // SAFETY: `status` outlives the call.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, libc::__WALL) }, child);
    status
}

/// A path as bytes.
pub(crate) fn bytes(path: &Path) -> Vec<u8> {
    path.to_owned().into_os_string().into_vec()
}
