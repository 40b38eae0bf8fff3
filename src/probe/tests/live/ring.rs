//! An `io_uring` as its system calls give it, for the scenes: requests are put in as the kernel lays them out.

use std::ffi::c_void;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::actor::call_six;

/// `struct io_uring_sqe`, as far as the scenes use it (Linux: `include/uapi/linux/io_uring.h`).
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct Request {
    pub(crate) opcode: u8,
    pub(crate) flags: u8,
    pub(crate) ioprio: u16,
    pub(crate) fd: i32,
    pub(crate) second: u64,
    pub(crate) address: u64,
    pub(crate) len: u32,
    pub(crate) op_flags: u32,
    pub(crate) data: u64,
    pub(crate) buf: u16,
    pub(crate) personality: u16,
    /// One more than the slot for a direct descriptor.
    pub(crate) slot: u32,
    pub(crate) rest: [u64; 2],
}

const _: () = assert!(size_of::<Request>() == 64);

/// `struct io_uring_params`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Params {
    sq_entries: u32,
    cq_entries: u32,
    flags: u32,
    sq_thread_cpu: u32,
    sq_thread_idle: u32,
    features: u32,
    wq_fd: u32,
    resv: [u32; 3],
    /// head, tail, mask, entries, flags, dropped, array, resv1, and an address of 64 bits.
    sq_off: [u32; 10],
    /// head, tail, mask, entries, overflow, cqes, flags, resv1, and an address of 64 bits.
    cq_off: [u32; 10],
}

pub(crate) const SETUP_SQPOLL: u32 = 1 << 1;
pub(crate) const SETUP_CQSIZE: u32 = 1 << 3;
pub(crate) const SETUP_SINGLE_ISSUER: u32 = 1 << 12;
pub(crate) const SETUP_DEFER_TASKRUN: u32 = 1 << 13;
const ENTER_GETEVENTS: usize = 1;
const ENTER_SQ_WAKEUP: usize = 1 << 1;
const NEED_WAKEUP: u32 = 1;
const REGISTER_FILES: usize = 2;
const OFF_SQES: i64 = 0x1000_0000;

pub(crate) struct Ring {
    fd: usize,
    flags: u32,
    params: Params,
    rings: *mut c_void,
    requests: *mut Request,
}

impl Ring {
    /// A ring of eight requests; the number of completions counts with `SETUP_CQSIZE` only.
    pub(crate) fn new(flags: u32, completions: u32) -> io::Result<Self> {
        let mut params = Params { flags, cq_entries: completions, sq_thread_idle: 2000, ..Params::default() };
        let fd = call_six(libc::SYS_io_uring_setup, [8, (&raw mut params) as usize, 0, 0, 0, 0]);
        if fd < 0 {
            return Err(io::Error::from_raw_os_error(-fd as i32));
        }
        let map = |len: usize, offset: i64| {
            // SAFETY: a new mapping of the ring's own memory.
            let at = unsafe {
                let access = libc::PROT_READ | libc::PROT_WRITE;
                libc::mmap(std::ptr::null_mut(), len, access, libc::MAP_SHARED, fd as i32, offset)
            };
            assert_ne!(at, libc::MAP_FAILED);
            at
        };
        // One mapping has both rings (Linux 5.4).
        let sq = params.sq_off[6] as usize + params.sq_entries as usize * 4;
        let cq = params.cq_off[5] as usize + params.cq_entries as usize * 16;
        let rings = map(sq.max(cq), 0);
        let requests = map(params.sq_entries as usize * 64, OFF_SQES).cast();
        Ok(Self { fd: fd as usize, flags, params, rings, requests })
    }

    /// Makes a table of so many empty slots for direct descriptors.
    pub(crate) fn with_slots(self, slots: usize) -> Self {
        let empty = vec![-1_i32; slots];
        let args = [self.fd, REGISTER_FILES, empty.as_ptr() as usize, slots, 0, 0];
        assert_eq!(call_six(libc::SYS_io_uring_register, args), 0);
        self
    }

    fn word(&self, offset: u32) -> &AtomicU32 {
        // SAFETY: within the mapping, which lives as long as the process.
        unsafe { &*self.rings.byte_add(offset as usize).cast::<AtomicU32>() }
    }

    /// Puts a request in.
    pub(crate) fn push(&self, request: Request) {
        let tail = self.word(self.params.sq_off[1]);
        let now = tail.load(Ordering::Relaxed);
        let at = now & (self.params.sq_entries - 1);
        // SAFETY: there are as many requests in the mapping.
        unsafe { *self.requests.add(at as usize) = request };
        self.word(self.params.sq_off[6] + at * 4).store(at, Ordering::Relaxed);
        tail.store(now + 1, Ordering::Release);
    }

    /// Hands in so many requests, and waits for as many completions as is said.
    pub(crate) fn submit(&self, count: usize, wait: usize) {
        let mut flags = ENTER_GETEVENTS;
        if self.flags & SETUP_SQPOLL != 0
            && self.word(self.params.sq_off[4]).load(Ordering::Acquire) & NEED_WAKEUP != 0
        {
            flags |= ENTER_SQ_WAKEUP;
        }
        let done = call_six(libc::SYS_io_uring_enter, [self.fd, count, wait, flags, 0, 0]);
        assert!(done >= 0, "io_uring_enter: {done}");
    }

    /// The next completion: what the request was called, and its result.
    pub(crate) fn completion(&self) -> Option<(u64, i32)> {
        let head = self.word(self.params.cq_off[0]);
        let now = head.load(Ordering::Relaxed);
        if now == self.word(self.params.cq_off[1]).load(Ordering::Acquire) {
            return None;
        }
        let at = now & (self.params.cq_entries - 1);
        // SAFETY: there are as many completions of 16 bytes in the mapping.
        let found = unsafe {
            let place = self.rings.byte_add(self.params.cq_off[5] as usize + at as usize * 16);
            (place.cast::<u64>().read(), place.byte_add(8).cast::<i32>().read())
        };
        head.store(now + 1, Ordering::Release);
        Some(found)
    }

    /// Does one request and gives its result.
    pub(crate) fn one(&self, request: Request) -> i32 {
        self.push(request);
        self.submit(1, 1);
        self.completion().unwrap().1
    }
}
