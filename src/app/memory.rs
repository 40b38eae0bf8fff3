//! Gives freed memory back to the system. An agent runs for months, and what one busy minute took must not stay with it: the C
//! library keeps what is freed in the middle of its arenas until it is asked.

#![cfg_attr(target_env = "gnu", expect(unsafe_code, reason = "the C library's own call has no safe wrapper"))]

use std::io;
use std::time::Duration;

/// How often.
const EVERY: Duration = Duration::from_secs(10);
/// After the start, when the texts of the rules and of the processes that ran already have been read.
const FIRST: Duration = Duration::from_secs(1);

/// Larger blocks are mapped by themselves and go back when they are freed. Left alone, the C library moves this up to 32 MiB as such
/// blocks are freed, and what tells of every process now and then would stay.
#[cfg(target_env = "gnu")]
const MAPPED: libc::c_int = 4 << 20;

/// Starts a thread that does so now and then as long as the process lives.
pub(crate) fn give_back_now_and_then() -> io::Result<()> {
    map_large_blocks();
    let mut wait = FIRST;
    let give_back = move || {
        loop {
            std::thread::sleep(std::mem::replace(&mut wait, EVERY));
            give_back();
        }
    };
    std::thread::Builder::new().name("eyas-memory".into()).spawn(give_back).map(drop)
}

#[cfg(target_env = "gnu")]
fn map_large_blocks() {
    // SAFETY: it takes numbers alone, and the lock of the main arena itself (mallopt(3)).
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED) };
}

#[cfg(not(target_env = "gnu"))]
fn map_large_blocks() {}

#[cfg(target_env = "gnu")]
fn give_back() {
    // SAFETY: it takes no pointer, and takes the locks of the arenas itself (malloc_trim(3), MT-Safe).
    unsafe { libc::malloc_trim(0) };
}

/// Other C libraries give it back by themselves.
#[cfg(not(target_env = "gnu"))]
fn give_back() {}
