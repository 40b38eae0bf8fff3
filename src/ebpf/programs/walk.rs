//! Paths: from a `struct path` up to the root of its mount tree, across mounts, as names from the leaf up.
//!
//! The kernel's own `bpf_d_path` is not open to these programs. Race with a rename: each name is read once, so a path
//! that is renamed meanwhile may mix old and new names, never bytes from elsewhere.

use core::arch::asm;
use core::ffi::c_void;

use aya_ebpf::helpers::generated::{bpf_loop, bpf_probe_read_kernel_str};

use super::read::{Window, follow, kernel, load, off};
use super::ring::{CAP, Context, PIECE, Scratch, Slot, scratch_of};
use super::task;

/// The state of a walk.
#[repr(C)]
pub struct Walk {
    /// Where the next name goes.
    pub at: u64,
    /// Names start below this.
    limit: u64,
    dentry: u64,
    mount: u64,
    /// Of `mount`: its root, and where it is mounted.
    root: u64,
    parent: u64,
    mountpoint: u64,
    /// The mount that the task's namespace begins with, and its root: what is mounted on that is the root of everything.
    top: u64,
    top_root: u64,
    /// The walk came to its end by itself.
    done: u64,
    /// Whether the leaf has been unlinked; [`UNSEEN`] until it has been looked at.
    unlinked: u64,
}

/// The state before the leaf.
const UNSEEN: u64 = 2;
/// How many names and mounts a path may have. A path of 4096 bytes has at most 2048 names.
const STEPS: u32 = 2048;
/// The same without loops of the kernel's.
const OLDER_STEPS: u32 = 24;
/// How many steps are taken before the loop.
const FIRST_STEPS: u32 = 4;
/// Stands for a cursor whose walk has gone on into another mount, or out.
const LEFT: u64 = u64::MAX;
/// The longest name, with its NUL.
const NAME: u64 = 256;

impl Walk {
    #[inline(always)]
    fn enter(&mut self, mount: u64) {
        let first = off!(mount_parent);
        let mut window = Window::<3>::new();
        window.read(mount, first);
        self.mount = mount;
        self.parent = window.get(0);
        self.mountpoint = window.get(off!(mount_mountpoint).wrapping_sub(first));
        self.root = window.get((off!(mount_mnt) + off!(vfsmount_root)).wrapping_sub(first));
    }
}

/// Where a walk stands.
#[derive(Clone, Copy)]
struct Cursor {
    at: u64,
    dentry: u64,
    unlinked: u64,
}

/// What became of one step.
enum Stepped {
    /// One name further up.
    Up,
    /// The dentry is its mount's root: another mount comes, or the end.
    MountRoot,
    /// A file without a place in any tree: nothing is above it.
    Placeless,
    /// No room, or a name that cannot be read.
    Stuck,
}

impl Cursor {
    /// Appends one name and goes up by it.
    ///
    /// # Safety
    /// `scratch` is a checked map value.
    #[inline(always)]
    unsafe fn step(&mut self, scratch: *mut Scratch, root: u64, limit: u64) -> Stepped {
        let at = self.at;
        if at >= limit || at >= CAP {
            return Stepped::Stuck;
        }
        let dentry = self.dentry;
        if dentry == root {
            return Stepped::MountRoot;
        }
        let mut window = Node::window();
        let node = Node::read(&mut window, dentry);
        let parent = node.parent;
        if self.unlinked == UNSEEN {
            self.unlinked = u64::from(node.pprev == 0 && parent != dentry);
        }
        // SAFETY: `at` is below CAP, and behind that there is room for more than the longest name.
        let read = unsafe {
            let into = scratch.cast::<u8>().add(at as usize);
            match node.copy_short(&window, dentry, into) {
                0 => bpf_probe_read_kernel_str(into.cast(), NAME as u32, node.name as *const c_void),
                copied => copied as i64,
            }
        };
        if read <= 0 {
            return Stepped::Stuck;
        }
        if parent == dentry || parent == 0 {
            // A memfd, a pipe, a socket. A pipe has no name either.
            self.at = if read > 1 { at + read as u64 } else { at };
            return Stepped::Placeless;
        }
        self.at = at + read as u64;
        self.dentry = parent;
        Stepped::Up
    }
}

impl Walk {
    /// Leaves a mount by its root: into the one that it is mounted on, or out of the walk. True at the end.
    ///
    /// # Safety
    /// `scratch` is a checked map value, and `at` below CAP.
    #[inline(always)]
    unsafe fn leave_mount(&mut self, scratch: *mut Scratch, at: u64) -> bool {
        let parent = self.parent;
        let on_top = parent == self.top && self.mountpoint == self.top_root;
        if on_top || parent == self.mount || parent == 0 {
            // The root of everything: its own empty name says that the path is whole.
            // SAFETY: there is room for more than one byte behind `at`.
            unsafe { *scratch.cast::<u8>().add(at as usize) = 0 };
            self.at = at + 1;
            self.done = 1;
            return true;
        }
        self.dentry = self.mountpoint;
        self.enter(parent);
        false
    }
}

/// The rest of the names: by a loop of the kernel's or, where there are none, as far as one goes whose every turn the verifier
/// walks.
#[inline(always)]
fn further(context: &mut Context) {
    let context: *mut c_void = (&raw mut *context).cast();
    if cfg!(feature = "older") {
        let mut steps = FIRST_STEPS;
        while steps < OLDER_STEPS && step(0, context) == 0 {
            steps += 1;
        }
    } else {
        // SAFETY: the callback is a private function that takes this context.
        unsafe { bpf_loop(STEPS, step as *mut c_void, context, 0) };
    }
}

/// One name, or one mount up. Gives 1 at the end.
#[cfg_attr(feature = "older", inline(never))]
extern "C" fn step(_: u64, context: *mut c_void) -> i64 {
    // SAFETY: `context` is the Context of `append`, and its scratch a checked map value that outlives the loop.
    unsafe {
        let scratch = (*context.cast::<Context>()).scratch;
        let walk = &mut (*scratch).walk;
        let mut cursor = Cursor { at: walk.at, dentry: walk.dentry, unlinked: walk.unlinked };
        let stepped = cursor.step(scratch, walk.root, walk.limit);
        match stepped {
            Stepped::MountRoot => return i64::from(walk.leave_mount(scratch, cursor.at)),
            Stepped::Stuck => return 1,
            Stepped::Up | Stepped::Placeless => {}
        }
        walk.at = cursor.at;
        walk.dentry = cursor.dentry;
        walk.unlinked = cursor.unlinked;
        if matches!(stepped, Stepped::Placeless) {
            walk.done = 1;
            return 1;
        }
        0
    }
}

/// What the walk needs of a `struct dentry`: out of its hash or not, where it hangs, what it is called.
struct Node {
    pprev: u64,
    parent: u64,
    name: u64,
    name_len: u32,
}

/// How much of a `struct dentry` is read at once: from its place in the hash to what most short names need.
type NodeWindow = Window<8>;

/// Short names are kept in the dentry itself (Linux: `DNAME_INLINE_LEN`, 40 bytes on 64-bit machines); those that fit into so
/// many words, as nearly all do, are taken from there.
const SHORT_WORDS: u64 = 3;

impl Node {
    #[inline(always)]
    fn window() -> NodeWindow {
        NodeWindow::new()
    }

    #[inline(always)]
    fn read(window: &mut NodeWindow, dentry: u64) -> Self {
        let first = off!(dentry_pprev);
        window.read(dentry, first);
        let at = |offset: u64| offset.wrapping_sub(first);
        Self {
            pprev: window.get(0),
            parent: window.get(at(off!(dentry_parent))),
            name: window.get(at(off!(dentry_name))),
            name_len: window.get(at(off!(dentry_name_len))),
        }
    }

    /// Copies a name that the window holds already, with its NUL, and gives how many bytes that is; 0 when it is not
    /// there. A helper call less for nearly every name.
    #[inline(always)]
    fn copy_short(&self, window: &NodeWindow, dentry: u64, into: *mut u8) -> u64 {
        let short = off!(dentry_short_name);
        let behind = short.wrapping_sub(off!(dentry_pprev));
        let len = u64::from(self.name_len);
        if behind > (NodeWindow::BYTES - SHORT_WORDS * 8)
            || self.name != dentry + short
            || len >= SHORT_WORDS * 8
        {
            return 0;
        }
        let mut word = 0;
        while word < SHORT_WORDS {
            let bytes: u64 = window.get(behind + word * 8);
            // One store: the compiler makes eight of `write_unaligned`, but x86 needs no alignment, nor does the verifier.
            // SAFETY: the caller has checked that a whole name has room, and 24 bytes are less than that.
            unsafe {
                let into = into.add(word as usize * 8);
                asm!("*(u64 *)({into} + 0) = {bytes}", into = in(reg) into, bytes = in(reg) bytes, options(nostack));
            }
            word += 1;
        }
        // The name may be about to be changed; the length is what this record says it was.
        // SAFETY: as above; `len` is below 24.
        unsafe { *into.add((len & 31) as usize) = 0 };
        len + 1
    }
}

/// A `struct path` by its two pointers.
#[derive(Clone, Copy)]
pub struct Place {
    pub mnt: u64,
    pub dentry: u64,
}

impl Place {
    /// The `struct path` at this address.
    #[inline(always)]
    pub fn at(path: u64) -> Self {
        Self::within(Window::<2>::new().read(path, 0), 0)
    }

    /// The `struct path` so many bytes behind a window's begin.
    #[inline(always)]
    pub fn within<const WORDS: usize>(window: &Window<WORDS>, behind: u64) -> Self {
        Self { mnt: window.get(behind + off!(path_mnt)), dentry: window.get(behind + off!(path_dentry)) }
    }

    /// Whether it never had a place in a tree and calls itself a memfd.
    #[inline(always)]
    pub fn is_memfd(self) -> bool {
        let node = Node::read(&mut Node::window(), self.dentry);
        node.parent == self.dentry && &kernel::<[u8; 6]>(node.name) == b"memfd:"
    }
}

/// What an append did.
pub struct Appended {
    /// Length of the section.
    pub len: u64,
    /// Where the next one starts.
    pub end: u64,
    /// The path came to its end by itself.
    pub whole: bool,
    /// The leaf has been unlinked: it is out of its hash, and not a file that never had a place.
    pub deleted: bool,
}

/// Like [`append`], for a program that walks many paths. The function that it calls takes and gives numbers only, so the verifier
/// looks at it once and not once for each of them.
#[inline(always)]
pub fn append_by_call(slot: Slot, at: u64, place: Place) -> Appended {
    let walked = walk_path(slot as u32, at, place.mnt, place.dentry);
    let end = walked & END;
    Appended {
        len: end.wrapping_sub(at) & END,
        end,
        whole: walked & WHOLE != 0,
        deleted: walked & DELETED != 0,
    }
}

/// Where a path ends in its record, as [`walk_path`] gives it, and what it says beside.
const END: u64 = 0xffff_ffff;
const WHOLE: u64 = 1 << 32;
const DELETED: u64 = 1 << 33;

/// Appends a path in the scratch of this number. It is not `pub` for others, but the verifier takes it as a whole only if it has a
/// name of its own.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn walk_path(slot: u32, at: u64, mnt: u64, dentry: u64) -> u64 {
    let Some(scratch) = scratch_of(slot) else { return at & END };
    if at >= CAP {
        return at & END;
    }
    let appended = append_with::<0>(scratch, at, Place { mnt, dentry });
    let mut walked = appended.end & END;
    if appended.whole {
        walked |= WHOLE;
    }
    if appended.deleted {
        walked |= DELETED;
    }
    walked
}

/// Appends the names of `place` at `at`, leaf first.
#[inline(always)]
pub fn append(scratch: *mut Scratch, at: u64, place: Place) -> Appended {
    append_with::<FIRST_STEPS>(scratch, at, place)
}

/// The same with so many steps taken before the loop, which make the quickest walk of what most files have, and take room on the stack.
#[inline(always)]
fn append_with<const FIRST: u32>(scratch: *mut Scratch, at: u64, place: Place) -> Appended {
    let mut context = Context { scratch };
    let top = follow!(task::current(), task_nsproxy, nsproxy_mount, mount_ns_root);
    // SAFETY: the scratch is a checked map value; the callback is a private function that takes this context.
    unsafe {
        let walk = &mut (*scratch).walk;
        walk.at = at;
        walk.limit = at + PIECE;
        walk.done = 0;
        walk.unlinked = UNSEEN;
        walk.top = top as u64;
        walk.top_root = load(top, off!(mount_mnt) + off!(vfsmount_root));
        walk.enter(place.mnt.wrapping_sub(off!(mount_mnt)));
        // The first names without a loop of the kernel's: most paths have no more, and registers are quicker than a map.
        let (root, limit) = (walk.root, walk.limit);
        let mut cursor = Cursor { at, dentry: place.dentry, unlinked: UNSEEN };
        let mut more = place.dentry != 0;
        let mut steps = 0;
        while more && steps < FIRST {
            steps += 1;
            match cursor.step(scratch, root, limit) {
                Stepped::Up => {}
                Stepped::MountRoot => {
                    walk.unlinked = cursor.unlinked;
                    more = !walk.leave_mount(scratch, cursor.at);
                    if more {
                        walk.at = cursor.at;
                    }
                    cursor.at = LEFT;
                    break;
                }
                Stepped::Placeless => {
                    walk.done = 1;
                    more = false;
                }
                Stepped::Stuck => more = false,
            }
        }
        if cursor.at != LEFT {
            walk.at = cursor.at;
            walk.dentry = cursor.dentry;
            walk.unlinked = cursor.unlinked;
        }
        if more {
            further(&mut context);
        }
        let end = (&raw const (*scratch).walk.at).read_volatile();
        let whole = (&raw const (*scratch).walk.done).read_volatile() == 1;
        let deleted = (&raw const (*scratch).walk.unlinked).read_volatile() == 1;
        let end = if end.wrapping_sub(at) == SLASH { name_of_type(scratch, at, place.dentry) } else { end };
        Appended { len: end.wrapping_sub(at), end, whole, deleted }
    }
}

/// The length of what a file without a place leaves that is called `/`, as those of some file systems are (Linux: fs/libfs.c,
/// `stashed_dentry_get`). Nothing else is so short: a root has no name at all, and what hangs below it has at least one.
const SLASH: u64 = 2;

/// Writes the name of a file's file system (`nsfs`, `pidfs`) in place of a name that says nothing; gives where it ends.
#[inline(always)]
fn name_of_type(scratch: *mut Scratch, at: u64, dentry: u64) -> u64 {
    let block: u64 = kernel(dentry + off!(dentry_sb));
    let name: u64 = kernel(kernel::<u64>(block + off!(sb_type)) + off!(type_name));
    // SAFETY: behind CAP there is room for more than the longest name.
    let read = unsafe {
        let into = scratch.cast::<u8>().add((at & (CAP - 1)) as usize);
        bpf_probe_read_kernel_str(into.cast(), NAME as u32, name as *const c_void)
    };
    at + if read > 1 { read as u64 & (NAME - 1) } else { SLASH }
}
