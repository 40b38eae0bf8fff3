//! CALL records as the bodies of events, and what some calls change of the process that made them.

use std::net::SocketAddr;
use std::sync::Arc;

use eyas_ebpf as record;
use eyas_ebpf::{CALLS, CallBits, Shape, shape};
use eyas_event::call::{Call, Descriptor, File, Given};
use eyas_event::socket::{Role, Socket};
use eyas_event::{EventType, Host, Process, ProcessKey};

use crate::facts::push_path;
use crate::fold::Enrich;
use crate::open_connect::{self, Address, Scratch, ends, family_of};

/// The event of each x86-64 number that has one.
pub(crate) fn event_types() -> Box<[Option<EventType>]> {
    let mut types = vec![None; 512];
    for call in CALLS {
        if let Some(place) = types.get_mut(call.number as usize) {
            *place = EventType::from_name(call.name);
        }
    }
    types.into()
}

/// The body of a call.
pub(crate) fn body<'s>(c: &record::Call<'s>, kind: EventType, scratch: &'s mut Scratch) -> Call<'s> {
    let f = c.fixed;
    let shape = shape(f.syscall.into());
    if shape.first_dir() != Shape::NO_PATH {
        scratch.absolute(c.first_base, c.first);
    }
    if shape.second_dir() != Shape::NO_PATH {
        scratch.second_absolute(c.second_base, c.second);
    }
    push_path(c.path, &mut scratch.real);
    open_connect::name_placeless(&mut scratch.real, f.ino);
    let address = Address::read(c.address);
    address.write(&mut scratch.address);
    let scratch = &*scratch;
    let fd = match shape.descriptor() {
        Shape::RESULT => f.ret,
        0 => i64::from(f.arg0 as i32),
        _ => i64::from(f.arg1 as i32),
    };
    let descriptor = f.bits.has(CallBits::DESCRIPTOR).then(|| {
        if f.mode & S_IFMT == S_IFSOCK {
            Descriptor::Socket(socket(c, kind, fd, &address, &scratch.real, &scratch.address))
        } else {
            Descriptor::File(File { fd, path: &scratch.real, mode: f.mode, dev: f.dev, ino: f.ino })
        }
    });
    let given = |text, absolute, fault| Given { text, absolute, unreadable: f.bits.has(fault) };
    Call {
        ret: f.ret,
        args: c.args(),
        first: given(c.first, &scratch.name, CallBits::FIRST_FAULT),
        second: given(c.second, &scratch.second, CallBits::SECOND_FAULT),
        address: &scratch.address,
        data: c.data,
        data_unreadable: f.bits.has(CallBits::DATA_FAULT),
        aux: f.aux,
        queue_max: f.queue_max,
        capabilities: f.bits.has(CallBits::CAPABILITIES).then_some((f.cap_permitted, f.cap_effective)),
        descriptor,
    }
}

const S_IFMT: u16 = 0o170_000;
const S_IFSOCK: u16 = 0o140_000;
/// `IPPROTO_TCP`.
const TCP: u16 = 6;

/// The socket of a call: a datagram's other end is the one that the call names.
fn socket<'s>(
    c: &record::Call<'_>,
    kind: EventType,
    fd: i64,
    address: &Address<'_>,
    peer_path: &'s [u8],
    given_path: &'s [u8],
) -> Socket<'s> {
    let f = &c.fixed;
    let (local, connected_to) = ends(f.family, &f.local, f.local_port, &f.remote, f.remote_port);
    let moves =
        matches!(kind, EventType::SENDTO | EventType::SENDMSG | EventType::RECVFROM | EventType::RECVMSG);
    let remote = if moves && f.protocol != TCP { address.ip.or(connected_to) } else { connected_to };
    let accepted = matches!(kind, EventType::ACCEPT | EventType::ACCEPT4);
    let connected = f.ret >= 0 && (accepted || moves) || connected_to.is_some();
    let role = match record::Role::from_number(f.role) {
        record::Role::Client => Role::Client,
        record::Role::Server => Role::Server,
        record::Role::Unknown => guessed_role(local, remote),
    };
    let changed = accepted || f.bits.has(CallBits::PEER_CHANGED);
    let unix_path = if peer_path.is_empty() { given_path } else { peer_path };
    Socket {
        fd,
        family: family_of(f.family, connected, local, remote),
        kind: f.kind,
        protocol: f.protocol,
        role,
        connected,
        changed,
        local,
        remote,
        unix_path,
    }
}

/// Of two ends whose history nobody saw, the one with the port that the kernel gives out by itself is the client; else the
/// one with the higher port. (Linux: `ip_local_port_range` begins at 32768.)
fn guessed_role(local: Option<SocketAddr>, remote: Option<SocketAddr>) -> Role {
    match (local, remote) {
        (Some(local), Some(remote)) if local.port() >= remote.port() => Role::Client,
        (Some(_), Some(_)) => Role::Server,
        _ => Role::Unknown,
    }
}

impl<H: Host> Enrich<H> {
    /// What a call that went well changed of its process.
    pub(crate) fn change(&mut self, key: ProcessKey, tid: u32, c: &record::Call<'_>, kind: EventType) {
        let changes = matches!(
            kind,
            EventType::CHDIR
                | EventType::FCHDIR
                | EventType::PRCTL
                | EventType::SETSID
                | EventType::SETPGID
                | EventType::CAPSET
        );
        if c.fixed.ret < 0 || !changes {
            return;
        }
        let Some(now) = self.table.get(key) else { return };
        let mut changed = Process::clone(now);
        match kind {
            EventType::CHDIR | EventType::FCHDIR => {
                let mut cwd = Vec::new();
                push_path(c.first_base, &mut cwd);
                changed.cwd = cwd.into();
            }
            // A further thread's name is its own.
            EventType::PRCTL if c.fixed.arg0 == PR_SET_NAME && tid == key.pid => {
                let len = c.first.len().min(COMM_MAX);
                changed.comm = c.first[..len].into();
            }
            EventType::SETSID => {
                (changed.sid, changed.pgid, changed.vpgid) = (key.pid, key.pid, changed.vpid);
                changed.tty = 0;
            }
            EventType::SETPGID => return self.change_group(&changed, c),
            EventType::CAPSET => {
                changed.cap_inheritable = c.fixed.aux;
            }
            _ => return,
        }
        if c.fixed.bits.has(CallBits::CAPABILITIES) {
            (changed.cap_permitted, changed.cap_effective) = (c.fixed.cap_permitted, c.fixed.cap_effective);
        }
        self.table.insert(Arc::new(changed));
    }

    /// setpgid names process and group as the caller's namespace numbers them. Where those are not the host's, only what is
    /// the caller's own is known.
    fn change_group(&mut self, caller: &Process, c: &record::Call<'_>) {
        let (pid, pgid) = (c.fixed.arg0 as u32, c.fixed.arg1 as u32);
        let on_host = caller.vpid == caller.key.pid;
        let target = match pid {
            0 => Some(caller.clone()),
            pid if pid == caller.vpid => Some(caller.clone()),
            pid if on_host => self.table.by_pid(pid).map(|p| Process::clone(p)),
            _ => None,
        };
        let Some(mut target) = target else { return };
        if pgid == 0 || pgid == target.vpid {
            (target.pgid, target.vpgid) = (target.key.pid, target.vpid);
        } else if on_host {
            (target.pgid, target.vpgid) = (pgid, pgid);
        } else {
            return;
        }
        self.table.insert(Arc::new(target));
    }
}

const PR_SET_NAME: u64 = 15;
/// `TASK_COMM_LEN` without the NUL.
const COMM_MAX: usize = 15;
