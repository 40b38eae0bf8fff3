//! Paths: from a `struct path` up to the root of its mount tree, across mounts, as names from the leaf up.
//!
//! The kernel's own `bpf_d_path` is not open to these programs. Race with a rename: each name is read once, so a path
//! that is renamed meanwhile may mix old and new names, never bytes from elsewhere.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::{bpf_loop, bpf_probe_read_kernel_str};

use super::read::{Window, kernel, off};
use super::ring::{CAP, Context, PIECE, Scratch};

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
    /// The walk came to its end by itself.
    done: u64,
    /// Whether the leaf has been unlinked; [`UNSEEN`] until it has been looked at.
    unlinked: u64,
}

/// The state before the leaf.
const UNSEEN: u64 = 2;
/// How many names and mounts a path may have. A path of 4096 bytes has at most 2048 names.
const STEPS: u32 = 2048;
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

/// One name, or one mount up. Gives 1 at the end.
extern "C" fn step(_: u64, context: *mut c_void) -> i64 {
    // SAFETY: `context` is the Context of `append`, and its scratch a checked map value that outlives the loop.
    unsafe {
        let scratch = (*context.cast::<Context>()).scratch;
        let walk = &mut (*scratch).walk;
        let at = walk.at;
        if at >= walk.limit || at >= CAP {
            return 1;
        }
        let dentry = walk.dentry;
        if dentry == walk.root {
            let parent = walk.parent;
            if parent == walk.mount || parent == 0 {
                // The root of everything: its own empty name says that the path is whole.
                *scratch.cast::<u8>().add(at as usize) = 0;
                walk.at = at + 1;
                walk.done = 1;
                return 1;
            }
            walk.dentry = walk.mountpoint;
            walk.enter(parent);
            return 0;
        }
        let Node { pprev, parent, name } = Node::read(dentry);
        if walk.unlinked == UNSEEN {
            walk.unlinked = u64::from(pprev == 0 && parent != dentry);
        }
        let into = scratch.cast::<u8>().add(at as usize).cast();
        let read = bpf_probe_read_kernel_str(into, NAME as u32, name as *const c_void);
        if read <= 0 {
            return 1;
        }
        if parent == dentry || parent == 0 {
            // A file without a place in any tree: a memfd, a pipe, a socket. A pipe has no name either.
            walk.at = if read > 1 { at + read as u64 } else { at };
            walk.done = 1;
            return 1;
        }
        walk.at = at + read as u64;
        walk.dentry = parent;
        0
    }
}

/// What the walk needs of a `struct dentry`: out of its hash or not, where it hangs, what it is called.
struct Node {
    pprev: u64,
    parent: u64,
    name: u64,
}

impl Node {
    #[inline(always)]
    fn read(dentry: u64) -> Self {
        let first = off!(dentry_pprev);
        let mut window = Window::<4>::new();
        window.read(dentry, first);
        let get = |offset: u64| window.get(offset.wrapping_sub(first));
        Self { pprev: window.get(0), parent: get(off!(dentry_parent)), name: get(off!(dentry_name)) }
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
        let Node { parent, name, .. } = Node::read(self.dentry);
        parent == self.dentry && &kernel::<[u8; 6]>(name) == b"memfd:"
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

/// Appends the names of `place` at `at`, leaf first.
#[inline(always)]
pub fn append(scratch: *mut Scratch, at: u64, place: Place) -> Appended {
    let mut context = Context { scratch };
    // SAFETY: the scratch is a checked map value; the callback is a private function that takes this context.
    unsafe {
        let walk = &mut (*scratch).walk;
        walk.at = at;
        walk.limit = at + PIECE;
        walk.done = 0;
        walk.unlinked = UNSEEN;
        walk.dentry = place.dentry;
        walk.enter(place.mnt.wrapping_sub(off!(mount_mnt)));
        if place.dentry != 0 {
            bpf_loop(STEPS, step as *mut c_void, (&raw mut context).cast(), 0);
        }
        let end = (&raw const (*scratch).walk.at).read_volatile();
        let whole = (&raw const (*scratch).walk.done).read_volatile() == 1;
        let deleted = (&raw const (*scratch).walk.unlinked).read_volatile() == 1;
        Appended { len: end.wrapping_sub(at), end, whole, deleted }
    }
}
