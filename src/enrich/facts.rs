//! Facts as records, both ways: a process from the table as a PROCESS record and back, and the small ones. Writing
//! and reading a process gives the same process again; a test holds it to that.

use std::net::IpAddr;
use std::sync::Arc;

use eyas_ebpf::{
    Account, AccountFixed, Addresses, AddressesFixed, Body, Cgroup, CgroupFixed, Clock, ClockFixed, Exec,
    ExecFixed, ExecFlags, ExecMore, Head, Record, components, is_rooted, write_path,
};
use eyas_event::process::{ProcessFlags, Usage};
use eyas_event::{BootTime, Process, ProcessKey, User};

/// A comm of at most 15 bytes out of its NUL-padded field.
pub(crate) fn comm(field: &[u8; 16]) -> &[u8] {
    let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
    &field[..end]
}

fn comm_field(comm: &[u8]) -> [u8; 16] {
    let mut field = [0; 16];
    let n = comm.len().min(15);
    field[..n].copy_from_slice(&comm[..n]);
    field
}

const FLAGS: [(ExecFlags, ProcessFlags); 11] = [
    (ExecFlags::MEMFD, ProcessFlags::MEMFD),
    (ExecFlags::DELETED, ProcessFlags::DELETED),
    (ExecFlags::EXE_TRUNCATED, ProcessFlags::TRUNCATED),
    (ExecFlags::CWD_TRUNCATED, ProcessFlags::TRUNCATED),
    (ExecFlags::SNAPSHOT, ProcessFlags::SNAPSHOT),
    (ExecFlags::ARGV_FAULT, ProcessFlags::ARGS_INCOMPLETE),
    (ExecFlags::PARTIAL, ProcessFlags::PARTIAL),
    (ExecFlags::ENV_READ, ProcessFlags::ENV_READ),
    (ExecFlags::EXE_WRITABLE, ProcessFlags::EXE_WRITABLE),
    (ExecFlags::EXE_UPPER_LAYER, ProcessFlags::EXE_UPPER_LAYER),
    (ExecFlags::EXE_LOWER_LAYER, ProcessFlags::EXE_LOWER_LAYER),
];

/// A path section as text: leaf-first components turned round, or text as it is.
fn path(section: &[u8], textual: bool) -> Box<[u8]> {
    if textual {
        return section.into();
    }
    let mut text = Vec::with_capacity(section.len() + 1);
    push_path(section, &mut text);
    text.into()
}

/// Appends leaf-first components as text. Of a path that was cut off at its upper end, `/...` stands for what is missing.
pub(crate) fn push_path(section: &[u8], out: &mut Vec<u8>) {
    if is_rooted(section) || components(section).count() == 1 {
        write_path(section, out);
    } else if !section.is_empty() {
        out.extend_from_slice(b"/...");
        for name in components(section) {
            out.push(b'/');
            out.extend_from_slice(name);
        }
    }
}

/// The process that an EXEC or a PROCESS record describes. For EXEC, `exec_time` is the record's time.
pub(crate) fn process_of(head: &Head, exec: &Exec<'_>, container: Arc<str>) -> Process {
    let f = &exec.fixed;
    let textual = f.flags.has(ExecFlags::TEXTUAL);
    let flags = FLAGS
        .iter()
        .filter(|(bit, _)| f.flags.has(*bit))
        .fold(ProcessFlags::default(), |flags, (_, flag)| flags.with(*flag));
    let started = BootTime(head.start);
    Process {
        key: ProcessKey::at(head.tgid, started),
        parent: ProcessKey::at(f.ppid, BootTime(f.parent_start)),
        started,
        comm: comm(&f.comm).into(),
        exe_path: path(exec.exe, textual),
        filename: exec.filename.into(),
        argv: exec.argv.into(),
        env: exec.env.into(),
        cwd: path(exec.cwd, textual),
        uid: f.uid,
        gid: f.gid,
        euid: f.euid,
        egid: f.egid,
        loginuid: f.loginuid,
        audit_session: f.session,
        tty: f.tty,
        sid: f.sid,
        pgid: f.pgid,
        vpid: f.vpid,
        vpgid: f.vpgid,
        pid_ns: f.pidns,
        cgroup: head.cgroup,
        container,
        cap_effective: f.cap_effective,
        cap_permitted: f.cap_permitted,
        cap_inheritable: f.cap_inheritable,
        exec_time: BootTime(head.time),
        exe_dev: f.exe_dev,
        exe_ino: f.exe_ino,
        exe_ctime: f.exe_ctime,
        exe_mtime: f.exe_mtime,
        namespace_started: BootTime(exec.more().pidns_start),
        usage: (!exec.more.is_empty()).then(|| usage(&exec.more())),
        flags,
    }
}

fn usage(more: &ExecMore) -> Usage {
    Usage {
        fd_limit: more.fd_limit,
        faults_major: more.faults_major,
        faults_minor: more.faults_minor,
        vm_size_kib: more.vm_size_kib,
        vm_rss_kib: more.vm_rss_kib,
        vm_swap_kib: more.vm_swap_kib,
    }
}

/// The other way round.
fn more(p: &Process) -> Option<ExecMore> {
    let usage = p.usage?;
    Some(ExecMore {
        pidns_start: p.namespace_started.0,
        fd_limit: usage.fd_limit,
        faults_major: usage.faults_major,
        faults_minor: usage.faults_minor,
        vm_size_kib: usage.vm_size_kib,
        vm_rss_kib: usage.vm_rss_kib,
        vm_swap_kib: usage.vm_swap_kib,
        ..ExecMore::default()
    })
}

/// Appends a process as a PROCESS record.
pub(crate) fn put_process(p: &Process, ended: bool, out: &mut Vec<u8>) {
    let mut flags = ExecFlags::TEXTUAL;
    for (bit, flag) in FLAGS {
        if p.flags.has(flag) && flag != ProcessFlags::ENV_READ {
            flags = flags.with(bit);
        }
    }
    if ended {
        flags = flags.with(ExecFlags::ENDED);
    }
    let more = more(p).map(|more| more.bytes());
    let clip = |bytes: &[u8]| bytes.len().min(usize::from(u16::MAX));
    let exec = Exec {
        fixed: ExecFixed {
            ppid: p.parent.pid,
            parent_start: p.parent.start.saturating_mul(ProcessKey::TICK_NS),
            sid: p.sid,
            pgid: p.pgid,
            vpid: p.vpid,
            vpgid: p.vpgid,
            pidns: p.pid_ns,
            uid: p.uid,
            gid: p.gid,
            euid: p.euid,
            egid: p.egid,
            loginuid: p.loginuid,
            session: p.audit_session,
            tty: p.tty,
            flags,
            exe_ino: p.exe_ino,
            exe_dev: p.exe_dev,
            cap_effective: p.cap_effective,
            cap_permitted: p.cap_permitted,
            cap_inheritable: p.cap_inheritable,
            exe_ctime: p.exe_ctime,
            exe_mtime: p.exe_mtime,
            args_total: p.argv.len() as u64,
            comm: comm_field(&p.comm),
            ..ExecFixed::default()
        },
        more: more.as_ref().map_or(&[], |more| more),
        exe: &p.exe_path[..clip(&p.exe_path)],
        cwd: &p.cwd[..clip(&p.cwd)],
        filename: &p.filename[..clip(&p.filename)],
        interp: b"",
        argv: &p.argv,
        // Kept for as long as the process is known here, and no longer: a keyframe is kept in the store.
        env: b"",
    };
    let head = Head {
        tid: p.key.pid,
        tgid: p.key.pid,
        start: p.started.0,
        time: p.exec_time.0,
        cgroup: p.cgroup,
        uid: p.euid,
        gid: p.egid,
        ..Head::default()
    };
    put(&Record { head, body: Body::Process(exec) }, out);
}

/// Appends the clock fact; `events` is how many events came before it, `first_and_last` when the first and the last of them were.
pub(crate) fn put_clock(
    node: &[u8],
    wall_offset_ns: i64,
    events: u64,
    first_and_last: [Option<BootTime>; 2],
    out: &mut Vec<u8>,
) {
    let body = Body::Clock(Clock { fixed: ClockFixed { wall_offset_ns, ..ClockFixed::default() }, node });
    let [time, start] = first_and_last.map(|at| at.map_or(0, |at| at.0));
    put(&Record { head: Head { seq: events, time, start, ..Head::default() }, body }, out);
}

/// Appends the path of a cgroup of a v1 hierarchy, and which process is in it: its next record cannot tell.
pub(crate) fn put_cgroup_of(id: u64, path: &[u8], pid: u32, out: &mut Vec<u8>) {
    let fixed = CgroupFixed { id, tgid: pid, ..CgroupFixed::default() };
    put(&Record { head: Head::default(), body: Body::Cgroup(Cgroup { fixed, path }) }, out);
}

/// Appends the path of a cgroup.
pub(crate) fn put_cgroup(id: u64, path: &[u8], out: &mut Vec<u8>) {
    put(
        &Record {
            head: Head::default(),
            body: Body::Cgroup(Cgroup { fixed: CgroupFixed { id, ..CgroupFixed::default() }, path }),
        },
        out,
    );
}

/// A container's id as facts have it: empty for the host.
fn shown_container(container: &str) -> &[u8] {
    if container == Process::HOST { b"" } else { container.as_bytes() }
}

/// Appends what is known of a user; without a name it says that there is none.
pub(crate) fn put_user(container: &str, uid: u32, user: Option<&User>, out: &mut Vec<u8>) {
    let none = User::default();
    let user = user.unwrap_or(&none);
    let fixed = AccountFixed { id: uid, what: AccountFixed::USER, ..AccountFixed::default() };
    let container = shown_container(container);
    let account = Account { fixed, container, name: &user.name, home: &user.home, shell: &user.shell };
    put(&Record { head: Head::default(), body: Body::Account(account) }, out);
}

/// Appends the name of a group; an empty one says that there is none.
pub(crate) fn put_group(container: &str, gid: u32, name: &[u8], out: &mut Vec<u8>) {
    let fixed = AccountFixed { id: gid, what: AccountFixed::GROUP, ..AccountFixed::default() };
    let account = Account { fixed, container: shown_container(container), name, home: b"", shell: b"" };
    put(&Record { head: Head::default(), body: Body::Account(account) }, out);
}

/// Appends to which addresses a host name leads; none says that it leads nowhere. What a record cannot hold is left out:
/// 4,095 addresses are more than any name server gives.
pub(crate) fn put_addresses(name: &[u8], addresses: &[IpAddr], out: &mut Vec<u8>) {
    const ADDRESSES_MAX: usize = 4095;
    let octets = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    };
    let addresses: Vec<u8> = addresses.iter().take(ADDRESSES_MAX).flat_map(octets).collect();
    let addresses = Addresses { fixed: AddressesFixed::default(), name, addresses: &addresses };
    put(&Record { head: Head::default(), body: Body::Addresses(addresses) }, out);
}

/// Writes a record; one that is too long for its layout is left out, which then asks again.
fn put(record: &Record<'_>, out: &mut Vec<u8>) {
    let begin = out.len();
    if record.write(out).is_err() {
        out.truncate(begin);
    }
}
