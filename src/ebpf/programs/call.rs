//! The syscalls of the table `CALLS`: one program gathers what the table says of the number.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::{bpf_probe_read_user, bpf_probe_read_user_str};
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use eyas_ebpf::{CallBits, CallFixed, DATA_MAX, Head, HeadFlags, Kind, Payload, Role, Shape, nr, shape};

use super::connect::{ADDRESS, S_IFMT, S_IFSOCK};
use super::dispatch::Call;
use super::open::base;
use super::read::{Typed, follow, kernel, load, off, user};
use super::ring::{CAP, Marks, PIECE, Scratch, Slot, scratch, send};
use super::socket::{self, AF_INET, AF_INET6, AF_UNIX, ends_of};
use super::task;
use super::walk::{Appended, Place, append_by_call};

const FIXED: usize = Head::SIZE;
const SECTIONS: u64 = (Head::SIZE + CallFixed::SIZE) as u64;
/// prctl's options that give the thread a name and ask for it, and the one that asks whether it adopts (Linux:
/// include/uapi/linux/prctl.h).
const PR_SET_NAME: u64 = 15;
const PR_GET_NAME: u64 = 16;
const PR_GET_CHILD_SUBREAPER: u64 = 37;
/// Buffers of one message that are counted.
const BUFFERS: u64 = 16;

/// tp_btf/sys_exit, reached through the dispatcher.
#[btf_tracepoint(function = "sys_exit")]
#[inline(always)]
pub fn on_call(ctx: BtfTracePointContext) -> i32 {
    let task = task::current();
    let (Some(scratch), Some(call)) = (scratch(Slot::Call), Call::of(&ctx, task)) else { return 0 };
    // Its number stands for a call of the other entry; x86-64 has none of this number.
    if call.number == nr::UMOUNT && call.flags != HeadFlags::COMPAT {
        return 0;
    }
    let shape = shape(call.number);
    task::fill_head(scratch, task, call.flags);
    // SAFETY: the scratch is a checked map value with room for both fixed parts.
    let fixed = unsafe { &mut *scratch.cast::<u8>().add(FIXED).cast::<CallFixed>() };
    let cred = follow!(task, task_cred);
    fixed.ret = call.ret;
    [fixed.arg0, fixed.arg1, fixed.arg2, fixed.arg3, fixed.arg4, fixed.arg5] = call.six();
    fixed.syscall = call.number as u32;
    fixed.cap_permitted = load(cred, off!(cred_permitted));
    fixed.cap_effective = load(cred, off!(cred_effective));
    (fixed.aux, fixed.queue_max, fixed.pad, fixed.pad2) = (0, 0, 0, 0);
    (fixed.address_len, fixed.data_len) = (0, 0);
    // SAFETY: the scratch is a checked map value.
    let bits = unsafe { Marks::none(scratch) };
    bits.add(CallBits::CAPABILITIES.0);
    let mut gather = Gather { scratch, bits };
    gather.set(END, SECTIONS);
    let flags = HeadFlags(gather.forgotten(call.flags.0.into()) as _);
    let number = gather.forgotten(call.number);

    // The second argument of prctl is a text for these two of its options.
    let names = number == nr::PRCTL && (fixed.arg0 == PR_SET_NAME || fixed.arg0 == PR_GET_NAME);
    gather.text(FIRST, fixed, if names { 1 } else { shape.first() }, CallBits::FIRST_FAULT);
    fixed.first_len = gather.get(FIRST + 1) as u16;
    gather.text(SECOND, fixed, shape.second(), CallBits::SECOND_FAULT);
    fixed.second_len = gather.get(SECOND + 1) as u16;
    gather.payload(fixed, shape, task, flags);
    fixed.first_base_len = gather.base(fixed, task, shape.first_dir(), FIRST);
    fixed.second_base_len = gather.base(fixed, task, shape.second_dir(), SECOND);
    if shape.payload() == Payload::Directory as u32 && fixed.ret >= 0 {
        let place = Place::at(follow!(task, task_fs) as u64 + off!(fs_pwd));
        fixed.first_base_len = gather.path(place);
    }
    gather.descriptor(fixed, shape, task);
    fixed.bits = CallBits(gather.bits.get() as u16);
    send(scratch, Kind::Call, gather.get(END));
    0
}

/// Where in [`Scratch::gathered`] the end of the record stands so far,
const END: usize = 0;
/// where a first and a second text begin, and behind each its length.
const FIRST: usize = 1;
const SECOND: usize = 3;

/// A record that grows. What it has grown to lies in the scratch: the verifier would follow each number that it might be through
/// all that comes behind, and walk that once for each.
struct Gather {
    scratch: *mut Scratch,
    bits: Marks,
}

/// An argument by its number, which comes out of a table.
#[inline(always)]
fn argument(fixed: &CallFixed, number: u32) -> u64 {
    match number {
        0 => fixed.arg0,
        1 => fixed.arg1,
        2 => fixed.arg2,
        3 => fixed.arg3,
        4 => fixed.arg4,
        _ => fixed.arg5,
    }
}

impl Gather {
    #[inline(always)]
    fn get(&self, which: usize) -> u64 {
        // SAFETY: the scratch is a checked map value.
        unsafe { (&raw const (*self.scratch).gathered[which]).read_volatile() }
    }

    #[inline(always)]
    fn set(&self, which: usize, number: u64) {
        // SAFETY: as above.
        unsafe { (&raw mut (*self.scratch).gathered[which]).write_volatile(number) }
    }

    /// A number of which the verifier knows nothing any more.
    #[inline(always)]
    fn forgotten(&self, number: u64) -> u64 {
        self.set(SECOND, number);
        self.get(SECOND)
    }

    /// Where the next section goes. Before the first path that is less than half of CAP, so nothing is cut off by this.
    #[inline(always)]
    fn next(&self) -> *mut u8 {
        // SAFETY: below CAP, behind which there is room for a piece.
        unsafe { self.scratch.cast::<u8>().add((self.get(END) & (CAP - 1)) as usize) }
    }

    /// Appends the text in an argument, and notes where it lies.
    #[inline(always)]
    fn text(&mut self, which: usize, fixed: &CallFixed, number: u32, fault: CallBits) {
        let at = self.get(END);
        self.set(which, at);
        self.set(which + 1, 0);
        if number == Shape::NONE {
            return;
        }
        let address = argument(fixed, number) as *const c_void;
        // SAFETY: 4 KiB from `next` are within the scratch.
        let len = unsafe { bpf_probe_read_user_str(self.next().cast(), PIECE as u32, address) };
        if len <= 0 {
            self.bits.add(fault.0);
            return;
        }
        let len = (len - 1) as u64 & (PIECE - 1);
        self.set(which + 1, len);
        self.set(END, at + len);
    }

    /// Appends bytes of the caller's, at most 128; gives how many.
    #[inline(always)]
    fn bytes(&mut self, address: u64, len: u64, most: u64, fault: CallBits) -> u16 {
        let len = if len > most { most } else { len };
        if len == 0 || address == 0 {
            return 0;
        }
        // SAFETY: less than 4 KiB from `next` are within the scratch.
        let failed = unsafe {
            bpf_probe_read_user(self.next().cast(), (len & 255) as u32, address as *const c_void) != 0
        };
        if failed {
            self.bits.add(fault.0);
            return 0;
        }
        self.set(END, self.get(END) + len);
        len as u16
    }

    /// Appends a path of the kernel's.
    #[inline(always)]
    fn path(&mut self, place: Place) -> u16 {
        let appended = append_by_call(Slot::Call, self.get(END), place);
        self.take(&appended)
    }

    #[inline(always)]
    fn take(&mut self, appended: &Appended) -> u16 {
        if !appended.whole {
            self.bits.add(CallBits::PATH_TRUNCATED.0);
        }
        self.set(END, appended.end);
        appended.len as u16
    }

    /// Appends the directory that a relative path starts at.
    #[inline(always)]
    fn base(&mut self, fixed: &CallFixed, task: Typed, dir: u32, text: usize) -> u16 {
        if dir == Shape::NO_PATH || self.get(text + 1) == 0 {
            return 0;
        }
        // SAFETY: below CAP.
        let begins = unsafe { *self.scratch.cast::<u8>().add((self.get(text) & (CAP - 1)) as usize) };
        if begins == b'/' {
            return 0;
        }
        let fd = if dir == Shape::CWD { super::open::AT_FDCWD } else { argument(fixed, dir) as i32 };
        base(task, fd).map_or(0, |place| self.path(place))
    }

    /// What else the table says.
    #[inline(always)]
    fn payload(&mut self, fixed: &mut CallFixed, shape: Shape, task: Typed, flags: HeadFlags) {
        const NONE: u32 = Payload::None as u32;
        const ADDRESSED: u32 = Payload::Address as u32;
        const SEND: u32 = Payload::Send as u32;
        const RECEIVE: u32 = Payload::Receive as u32;
        const MESSAGE: u32 = Payload::Message as u32;
        const QUEUE: u32 = Payload::Queue as u32;
        const CAPABILITIES: u32 = Payload::Capabilities as u32;
        const RING_PARAMS: u32 = Payload::RingParams as u32;
        const CLONE_ARGS: u32 = Payload::CloneArgs as u32;
        const IMAGE: u32 = Payload::Image as u32;
        const TYPE: u32 = Payload::Type as u32;
        const BUFFERS: u32 = Payload::Buffers as u32;
        const OPTION: u32 = Payload::Option as u32;
        // Falco tells as much of a failed sending as was asked for.
        let moved = if fixed.ret > 0 { fixed.ret as u64 } else { 0 };
        let (mut address, mut address_len, mut data, mut data_len) = (0, 0, 0, 0);
        match shape.payload() {
            NONE => return,
            ADDRESSED => (address, address_len) = (fixed.arg1, u64::from(fixed.arg2 as u32)),
            SEND => {
                (address, address_len) = (fixed.arg4, u64::from(fixed.arg5 as u32));
                (data, data_len) = (fixed.arg1, if moved > 0 { moved } else { fixed.arg2 });
            }
            RECEIVE => {
                // A call that failed has written none, and what lies there is old.
                let is_written = fixed.ret >= 0 && fixed.arg5 != 0;
                let len = if is_written { user::<u32>(fixed.arg5).unwrap_or(0) } else { 0 };
                (address, address_len) = (fixed.arg4, len.into());
                (data, data_len) = (fixed.arg1, moved);
            }
            MESSAGE => {
                let message = Message::read(fixed.arg1, flags);
                (address, address_len) = (message.name, message.name_len);
                (data, data_len) = (message.buffers.data, message.buffers.data_len);
                if u64::from(fixed.syscall) == nr::RECVMSG {
                    data_len = if data_len > moved { moved } else { data_len };
                    address_len = if fixed.ret >= 0 { address_len } else { 0 };
                }
                fixed.aux = message.buffers.size;
            }
            QUEUE => {
                let file = task::file(task, i64::from(fixed.arg0 as i32));
                let sock: u64 = kernel(kernel::<u64>(file + off!(file_private)) + off!(socket_sk));
                if file != 0 && is_socket(kernel(file + off!(file_inode))) {
                    fixed.aux = kernel::<u32>(sock + off!(sock_queued)).into();
                    fixed.queue_max = kernel(sock + off!(sock_queue_max));
                }
            }
            CAPABILITIES => {
                let cred = follow!(task, task_cred);
                fixed.aux = load(cred, off!(cred_inheritable));
            }
            RING_PARAMS => (data, data_len) = (fixed.arg1, 24),
            CLONE_ARGS => (data, data_len) = (fixed.arg0, 8),
            IMAGE => (data, data_len) = (fixed.arg0, fixed.arg1),
            BUFFERS => {
                let buffers = Buffers::read(fixed.arg1, fixed.arg2, flags);
                (data, data_len) =
                    (buffers.data, if buffers.data_len > moved { moved } else { buffers.data_len });
            }
            OPTION => {
                if fixed.arg0 == PR_GET_CHILD_SUBREAPER {
                    fixed.aux = user::<u32>(fixed.arg1).unwrap_or(0).into();
                }
                return;
            }
            TYPE => {
                // It has two texts before it, and their places are needed still.
                let second = [self.get(SECOND), self.get(SECOND + 1)];
                self.text(SECOND, fixed, 2, CallBits::DATA_FAULT);
                fixed.data_len = self.get(SECOND + 1) as u16;
                self.set(SECOND, second[0]);
                self.set(SECOND + 1, second[1]);
                return;
            }
            _ => {}
        }
        fixed.address_len = self.bytes(address, address_len, ADDRESS, CallBits::ADDRESS_FAULT);
        fixed.data_len = self.bytes(data, data_len, DATA_MAX, CallBits::DATA_FAULT);
    }

    /// What the descriptor is: a socket with its ends, or a file with its path.
    #[inline(always)]
    fn descriptor(&mut self, fixed: &mut CallFixed, shape: Shape, task: Typed) {
        (fixed.ino, fixed.dev, fixed.mode, fixed.role, fixed.path_len) = (0, 0, 0, 0, 0);
        let mut ends = ends_of!(fixed);
        ends.clear();
        let fd = match shape.descriptor() {
            Shape::NONE => return,
            Shape::RESULT => fixed.ret,
            0 => i64::from(fixed.arg0 as i32),
            _ => i64::from(fixed.arg1 as i32),
        };
        let file = task::file(task, fd);
        if file == 0 {
            return;
        }
        self.bits.add(CallBits::DESCRIPTOR.0);
        let inode: u64 = kernel(file + off!(file_inode));
        fixed.mode = kernel(inode + off!(inode_mode));
        fixed.ino = kernel(inode + off!(inode_ino));
        fixed.dev = kernel(kernel::<u64>(inode + off!(inode_sb)) + off!(sb_dev));
        if fixed.mode & S_IFMT != S_IFSOCK {
            let appended = append_by_call(Slot::Call, self.get(END), Place::at(file + off!(file_path)));
            if appended.deleted {
                self.bits.add(CallBits::DELETED.0);
            }
            fixed.path_len = self.take(&appended);
            return;
        }
        let sock = ends.fill(kernel(file + off!(file_private)));
        if fixed.family == AF_UNIX {
            if let Some(place) = socket::peer_place(sock) {
                fixed.path_len = self.path(place);
            }
            return;
        }
        if fixed.ret >= 0 {
            match u64::from(fixed.syscall) {
                nr::ACCEPT | nr::ACCEPT4 => {
                    let (peer, port) = (&fixed.remote, fixed.remote_port);
                    fixed.role = socket::take_role(sock, fixed.ino, Role::Server, peer, port);
                    return;
                }
                nr::BIND if fixed.local_port != 0 => {
                    fixed.role = socket::take_role(sock, fixed.ino, Role::Server, &[0; 16], 0);
                    return;
                }
                nr::SENDTO | nr::SENDMSG | nr::RECVFROM | nr::RECVMSG => {
                    let (peer, port) = self.peer(fixed);
                    if socket::meets(sock, fixed.ino, fixed.protocol, &peer, port) {
                        self.bits.add(CallBits::PEER_CHANGED.0);
                    }
                }
                _ => {}
            }
        }
        fixed.role = socket::role(sock, fixed.ino);
    }

    /// Whom a datagram went to or came from: as the address says, or else the socket.
    #[inline(always)]
    fn peer(&self, fixed: &CallFixed) -> ([u8; 16], u16) {
        if fixed.address_len < 8 {
            return (fixed.remote, fixed.remote_port);
        }
        let mut peer = [0; 16];
        // SAFETY: below CAP; an address takes at most 128 bytes.
        unsafe {
            // Behind both texts, which such a call has none of.
            let address = self.scratch.cast::<u8>().add(SECTIONS as usize);
            let port = u16::from_be_bytes([*address.add(2), *address.add(3)]);
            match fixed.family {
                AF_INET => {
                    let mut at = 0;
                    while at < 4 {
                        peer[at] = *address.add(4 + at);
                        at += 1;
                    }
                }
                AF_INET6 if fixed.address_len >= 24 => {
                    let mut at = 0;
                    while at < 16 {
                        peer[at] = *address.add(8 + at);
                        at += 1;
                    }
                }
                _ => {}
            }
            (peer, port)
        }
    }
}

#[inline(always)]
fn is_socket(inode: u64) -> bool {
    kernel::<u16>(inode + off!(inode_mode)) & S_IFMT == S_IFSOCK
}

/// What matters of a `struct msghdr`.
struct Message {
    name: u64,
    name_len: u64,
    buffers: Buffers,
}

/// What matters of an array of `struct iovec`: the first buffer, and how many bytes all of them have.
struct Buffers {
    data: u64,
    data_len: u64,
    size: u64,
}

impl Message {
    /// Reads it as the entry lays it out (Linux: include/linux/socket.h, include/net/compat.h).
    #[inline(always)]
    fn read(address: u64, flags: HeadFlags) -> Self {
        let [name, name_len, buffers, count] = if flags == HeadFlags::COMPAT {
            let [name, name_len, buffers, count] = user::<[u32; 4]>(address).unwrap_or([0; 4]);
            [name.into(), name_len.into(), buffers.into(), count.into()]
        } else {
            user::<[u64; 4]>(address).unwrap_or([0; 4])
        };
        Self { name, name_len: name_len & 0xffff_ffff, buffers: Buffers::read(buffers, count, flags) }
    }
}

impl Buffers {
    /// Reads them as the entry lays them out.
    #[inline(always)]
    fn read(buffers: u64, count: u64, flags: HeadFlags) -> Self {
        let mut all = Self { data: 0, data_len: 0, size: 0 };
        let mut at = 0;
        while at < BUFFERS && at < count {
            let (data, len) = if flags == HeadFlags::COMPAT {
                let [data, len] = user::<[u32; 2]>(buffers + at * 8).unwrap_or([0; 2]);
                (u64::from(data), u64::from(len))
            } else {
                let [data, len] = user::<[u64; 2]>(buffers + at * 16).unwrap_or([0; 2]);
                (data, len)
            };
            if at == 0 {
                (all.data, all.data_len) = (data, len);
            }
            all.size = all.size.wrapping_add(len);
            at += 1;
        }
        all
    }
}
