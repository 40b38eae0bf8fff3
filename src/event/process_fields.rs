//! Fields that are taken from the process of an [`Event`], its ancestors, its user and its container. What an ancestor is
//! follows from the process table; nothing is looked up outside.

use std::sync::Arc;

use crate::call::Call;
use crate::environment::{self, Looked};
use crate::event::{Body, Event, rendered, text};
use crate::field::{Arg, FieldId};
use crate::names::User;
use crate::process::{Process, ProcessFlags, Usage};
use crate::symbol;
use crate::value::Value;

impl Event<'_> {
    /// The process `n` steps up, 0 being the process itself.
    pub(crate) fn ancestor(&self, n: u32) -> Option<&Arc<Process>> {
        match n {
            0 => Some(self.process),
            n => self.table.ancestors(self.process).nth(n as usize - 1),
        }
    }

    /// A user's name where the process runs: on the host, or in its container.
    pub fn user_name(&self, uid: u32) -> Option<&[u8]> {
        self.names.user_name(&self.process.container, uid)
    }

    /// A group's name there.
    pub fn group_name(&self, gid: u32) -> Option<&[u8]> {
        self.names.group_name(&self.process.container, gid)
    }

    fn user(&self) -> Option<&User> {
        self.names.user(&self.process.container, self.uid)
    }

    /// Permitted and effective capabilities: as the call left them, else as the process had them when it was told of last.
    fn capabilities(&self) -> (u64, u64) {
        match self.body {
            Body::Call(Call { capabilities: Some(sets), .. }) => *sets,
            _ => (self.process.cap_permitted, self.process.cap_effective),
        }
    }

    fn parent(&self) -> Option<&Arc<Process>> {
        self.table.parent(self.process)
    }

    /// The leader of the process's session: the process with that pid, else the oldest ancestor of an unbroken run in
    /// the same session. Where there is none, its name is empty, not missing.
    fn session_leader(&self) -> Option<&Arc<Process>> {
        self.leader(self.process.sid, |p| p.sid)
    }

    fn group_leader(&self) -> Option<&Arc<Process>> {
        self.leader(self.process.pgid, |p| p.pgid)
    }

    /// The leader of the group that the process's own namespace numbers. Only where those numbers are the host's is the
    /// process with that pid asked for.
    fn own_group_leader(&self) -> Option<&Arc<Process>> {
        let me = &**self.process;
        if me.key.pid == me.vpid {
            return self.leader(me.vpgid, |p| p.vpgid);
        }
        self.oldest_with(me.vpgid, |p| p.vpgid)
    }

    fn leader(&self, id: u32, of: fn(&Process) -> u32) -> Option<&Arc<Process>> {
        let named = self.table.by_pid(id).filter(|p| of(p) == id);
        named.or_else(|| self.oldest_with(id, of))
    }

    /// Only the nearest ancestors count, so the walk ends with the first of another session or group.
    fn oldest_with(&self, id: u32, of: fn(&Process) -> u32) -> Option<&Arc<Process>> {
        self.table.ancestors(self.process).take_while(|p| of(p) == id).last()
    }

    /// The outermost shell: the last on the way up whose name ends in `sh`.
    fn login_shell(&self) -> Option<&Arc<Process>> {
        let line = std::iter::once(self.process).chain(self.table.ancestors(self.process));
        line.filter(|p| p.comm.ends_with(b"sh")).last()
    }

    pub(crate) fn process_field<'s>(&'s self, id: FieldId, arg: &Arg, buf: &'s mut Vec<u8>) -> Value<'s> {
        let me = &**self.process;
        let nth = |n: &Arg| match n {
            Arg::Index(n) => Some(*n),
            _ => None,
        };
        match id {
            FieldId::PROC_NAME => Value::Bytes(&me.comm),
            FieldId::PROC_PNAME => Value::bytes_or_absent(self.parent().map(|p| &*p.comm)),
            FieldId::PROC_EXE => text(Some(me.exe())),
            FieldId::PROC_PEXE => text(self.parent().map(|p| p.exe())),
            FieldId::PROC_EXEPATH => text(Some(&me.exe_path)),
            FieldId::PROC_PEXEPATH => text(self.parent().map(|p| &*p.exe_path)),
            FieldId::PROC_ARGS => match nth(arg) {
                // Beyond the last it is empty, not missing, as with Falco.
                Some(n) => Value::Bytes(me.args().skip(1).nth(n as usize).unwrap_or_default()),
                None => rendered(buf, |b| me.write_args(b)),
            },
            FieldId::PROC_AARGS => match nth(arg) {
                Some(n) => match self.ancestor(n) {
                    Some(p) => rendered(buf, |b| p.write_args(b)),
                    None => Value::Absent,
                },
                None => self.all_ancestors_args(buf),
            },
            FieldId::PROC_LOGINSHELLID => {
                self.login_shell().map_or(Value::Absent, |p| Value::Int(p.key.pid.into()))
            }
            FieldId::PROC_CMDLINE => rendered(buf, |b| me.write_cmdline(b)),
            FieldId::PROC_PCMDLINE => match self.parent() {
                Some(p) => rendered(buf, |b| p.write_cmdline(b)),
                None => Value::Absent,
            },
            FieldId::PROC_CMDNARGS => Value::Uint(me.args().skip(1).count() as u64),
            FieldId::PROC_CMDLENARGS => Value::Uint(me.args().skip(1).map(|a| a.len() as u64).sum()),
            FieldId::PROC_EXELINE => rendered(buf, |b| {
                b.extend_from_slice(me.exe());
                b.push(b' ');
                me.write_args(b);
            }),
            FieldId::PROC_CWD => rendered(buf, |b| {
                b.extend_from_slice(&me.cwd);
                if !me.cwd.is_empty() && !me.cwd.ends_with(b"/") {
                    b.push(b'/');
                }
            }),
            FieldId::PROC_TTY => Value::Uint(me.tty.into()),
            FieldId::PROC_PID => Value::Int(me.key.pid.into()),
            FieldId::PROC_PPID => {
                if me.parent.pid == 0 {
                    Value::Absent
                } else {
                    Value::Int(me.parent.pid.into())
                }
            }
            FieldId::PROC_VPID => Value::Int(me.vpid.into()),
            FieldId::PROC_PVPID => self.parent().map_or(Value::Absent, |p| Value::Int(p.vpid.into())),
            FieldId::PROC_SID => Value::Int(me.sid.into()),
            FieldId::PROC_SNAME => Value::Bytes(self.session_leader().map_or(b"", |p| &p.comm)),
            FieldId::PROC_SID_EXE => Value::Bytes(self.session_leader().map_or(b"", |p| p.exe())),
            FieldId::PROC_SID_EXEPATH => Value::Bytes(self.session_leader().map_or(b"", |p| &p.exe_path)),
            FieldId::PROC_VPGID => Value::Int(me.vpgid.into()),
            FieldId::PROC_PGID => Value::Int(me.pgid.into()),
            FieldId::PROC_PGID_NAME => Value::Bytes(self.group_leader().map_or(b"", |p| &p.comm)),
            FieldId::PROC_PGID_EXE => Value::Bytes(self.group_leader().map_or(b"", |p| p.exe())),
            FieldId::PROC_PGID_EXEPATH => Value::Bytes(self.group_leader().map_or(b"", |p| &p.exe_path)),
            FieldId::PROC_VPGID_NAME => Value::Bytes(self.own_group_leader().map_or(b"", |p| &p.comm)),
            FieldId::PROC_VPGID_EXE => Value::Bytes(self.own_group_leader().map_or(b"", |p| p.exe())),
            FieldId::PROC_VPGID_EXEPATH => Value::Bytes(self.own_group_leader().map_or(b"", |p| &p.exe_path)),
            FieldId::PROC_DURATION => self.since(Some(me)),
            FieldId::PROC_PPID_DURATION => self.since(self.parent().map(|p| &**p)),
            FieldId::PROC_PID_TS => self.started(Some(me)),
            FieldId::PROC_PPID_TS => self.started(self.parent().map(|p| &**p)),
            FieldId::PROC_IS_EXE_FROM_MEMFD => Value::Bool(me.flags.has(ProcessFlags::MEMFD)),
            FieldId::PROC_ENV if me.flags.has(ProcessFlags::ENV_READ) => match arg {
                // A variable that is not set is empty. A number is no name of one: the whole is meant.
                Arg::Key(name) if !name.bytes().all(|b| b.is_ascii_digit()) => {
                    match environment::look(&me.env, name) {
                        Looked::Set(value) => Value::Bytes(value),
                        Looked::Unset => Value::Bytes(b""),
                        Looked::Forgotten => Value::Absent,
                    }
                }
                _ => whole_environment(me, buf),
            },
            FieldId::PROC_IS_EXE_WRITABLE => Value::Bool(me.flags.has(ProcessFlags::EXE_WRITABLE)),
            FieldId::PROC_IS_EXE_UPPER_LAYER => Value::Bool(me.flags.has(ProcessFlags::EXE_UPPER_LAYER)),
            FieldId::PROC_IS_EXE_LOWER_LAYER => Value::Bool(me.flags.has(ProcessFlags::EXE_LOWER_LAYER)),
            FieldId::PROC_IS_SID_LEADER => Value::Bool(me.sid == me.key.pid),
            FieldId::PROC_IS_VPGID_LEADER => Value::Bool(me.vpgid == me.vpid),
            FieldId::PROC_IS_PGID_LEADER => Value::Bool(me.pgid == me.key.pid),
            FieldId::PROC_EXE_INO if me.exe_ino != 0 => Value::Int(me.exe_ino as i64),
            FieldId::PROC_EXE_INO_CTIME => changed(me.exe_ctime),
            FieldId::PROC_EXE_INO_MTIME => changed(me.exe_mtime),
            FieldId::PROC_EXE_INO_CTIME_AGE => self.file_age(),
            FieldId::PROC_EXE_INO_CTIME_PIDNS => {
                match (self.namespace_started(), nanoseconds(me.exe_ctime)) {
                    // Only a program that changed after its namespace began; in a container: that the image did not bring.
                    (Some(start), ctime) if ctime > start && me.exec_time.0 != 0 => {
                        Value::Time(ctime - start)
                    }
                    _ => Value::Absent,
                }
            }
            FieldId::PROC_PIDNS_INIT_START_TS => self.namespace_started().map_or(Value::Absent, Value::Uint),
            FieldId::PROC_FDLIMIT => self.used(|usage| Value::Int(usage.fd_limit as i64)),
            FieldId::PROC_VMSIZE => self.used(|usage| Value::Uint(usage.vm_size_kib.into())),
            FieldId::PROC_VMRSS => self.used(|usage| Value::Uint(usage.vm_rss_kib.into())),
            FieldId::PROC_VMSWAP => self.used(|usage| Value::Uint(usage.vm_swap_kib.into())),
            FieldId::THREAD_PFMAJOR => self.used(|usage| Value::Uint(usage.faults_major)),
            FieldId::THREAD_PFMINOR => self.used(|usage| Value::Uint(usage.faults_minor)),
            FieldId::THREAD_VMSIZE => self.first_thread_uses(|usage| usage.vm_size_kib, 1),
            FieldId::THREAD_VMRSS => self.first_thread_uses(|usage| usage.vm_rss_kib, 1),
            FieldId::THREAD_VMSIZE_B => self.first_thread_uses(|usage| usage.vm_size_kib, 1024),
            FieldId::THREAD_VMRSS_B => self.first_thread_uses(|usage| usage.vm_rss_kib, 1024),
            FieldId::THREAD_TID => Value::Int(self.tid.into()),
            FieldId::THREAD_ISMAIN => Value::Bool(self.tid == me.key.pid),
            FieldId::THREAD_CAP_EFFECTIVE => {
                rendered(buf, |b| symbol::write_capabilities(self.capabilities().1, b))
            }
            FieldId::THREAD_CAP_PERMITTED => {
                rendered(buf, |b| symbol::write_capabilities(self.capabilities().0, b))
            }
            FieldId::THREAD_CAP_INHERITABLE => {
                rendered(buf, |b| symbol::write_capabilities(me.cap_inheritable, b))
            }
            // Of a further thread the sensor tells the number on the host alone.
            FieldId::THREAD_VTID if self.tid == me.key.pid => Value::Int(me.vpid.into()),
            FieldId::THREAD_VTID if me.key.pid == me.vpid => Value::Int(self.tid.into()),
            FieldId::THREAD_NAMETID => rendered(buf, |b| {
                b.extend_from_slice(&me.comm);
                Value::Uint(self.tid.into()).write_text(b);
            }),
            FieldId::CONTAINER_ID => Value::Bytes(me.container.as_bytes()),
            FieldId::CONTAINER_START_TS => self.container_started().map_or(Value::Absent, Value::Time),
            FieldId::CONTAINER_DURATION => match self.container_started() {
                Some(start) => Value::Span(self.time.0.saturating_sub(start) as i64),
                None => Value::Absent,
            },
            FieldId::USER_UID => Value::Uint(self.uid.into()),
            FieldId::USER_NAME => Value::Bytes(self.user_name(self.uid).unwrap_or(b"<NA>")),
            FieldId::USER_LOGINUID => Value::Int(login(me.loginuid)),
            FieldId::USER_LOGINNAME => Value::Bytes(match me.loginuid {
                u32::MAX => b"<NA>",
                uid => self.user_name(uid).unwrap_or(b"<NA>"),
            }),
            FieldId::USER_HOMEDIR => Value::Bytes(match self.user() {
                Some(user) => &user.home,
                None if self.uid == 0 => b"/root",
                None => b"<NA>",
            }),
            FieldId::USER_SHELL => Value::Bytes(self.user().map_or(b"<NA>", |user| &user.shell)),
            FieldId::GROUP_GID => Value::Uint(self.gid.into()),
            FieldId::GROUP_NAME => Value::Bytes(self.group_name(self.gid).unwrap_or(b"<NA>")),
            _ => id.constant().unwrap_or(Value::Absent),
        }
    }

    /// One ancestor's value.
    pub(crate) fn ancestor_value<'s>(id: FieldId, p: &'s Process, buf: &'s mut Vec<u8>) -> Value<'s> {
        match id {
            FieldId::PROC_ANAME => Value::Bytes(&p.comm),
            FieldId::PROC_AEXE => text(Some(p.exe())),
            FieldId::PROC_AEXEPATH => text(Some(&p.exe_path)),
            FieldId::PROC_ACMDLINE => rendered(buf, |b| p.write_cmdline(b)),
            FieldId::PROC_APID => Value::Int(p.key.pid.into()),
            FieldId::PROC_AENV => whole_environment(p, buf),
            _ => Value::Absent,
        }
    }

    pub(crate) fn ancestors_field<'s>(&'s self, id: FieldId, arg: &Arg, buf: &'s mut Vec<u8>) -> Value<'s> {
        if let Arg::Index(n) = arg {
            return self.ancestor(*n).map_or(Value::Absent, |p| Self::ancestor_value(id, p, buf));
        }
        match (id, arg) {
            (FieldId::PROC_APID, _) => return Value::Int(self.process.key.pid.into()),
            (FieldId::PROC_AENV, Arg::Key(name)) => return self.nearest_variable(name),
            (FieldId::PROC_AENV, _) => return whole_environment(self.process, buf),
            _ => {}
        }
        // The chain as an output prints it: parent first, separated by spaces.
        let begin = buf.len();
        for p in self.table.ancestors(self.process) {
            if buf.len() > begin {
                buf.push(b' ');
            }
            match id {
                FieldId::PROC_ANAME => buf.extend_from_slice(&p.comm),
                FieldId::PROC_AEXE => buf.extend_from_slice(or_na(p.exe())),
                FieldId::PROC_AEXEPATH => buf.extend_from_slice(or_na(&p.exe_path)),
                FieldId::PROC_ACMDLINE => p.write_cmdline(buf),
                _ => {}
            }
        }
        if buf.len() == begin { Value::Absent } else { Value::Bytes(&buf[begin..]) }
    }

    /// The value that the nearest ancestor gives to a variable. Where none does it is empty, as with Falco; but missing when
    /// an ancestor's environment was not looked at.
    fn nearest_variable(&self, name: &str) -> Value<'_> {
        let mut seen_all = true;
        for p in self.table.ancestors(self.process) {
            seen_all &= p.flags.has(ProcessFlags::ENV_READ);
            match environment::look(&p.env, name) {
                Looked::Set(value) if !value.is_empty() => return Value::Bytes(value),
                Looked::Set(_) | Looked::Unset => {}
                Looked::Forgotten => return Value::Absent,
            }
        }
        if seen_all { Value::Bytes(b"") } else { Value::Absent }
    }

    /// The arguments of all ancestors, one after the other; absent when none has any.
    fn all_ancestors_args<'s>(&self, buf: &'s mut Vec<u8>) -> Value<'s> {
        let begin = buf.len();
        for p in self.table.ancestors(self.process) {
            if buf.len() > begin {
                buf.push(b' ');
            }
            p.write_args(buf);
        }
        if buf.len() == begin { Value::Absent } else { Value::Bytes(&buf[begin..]) }
    }

    /// The start of the process less the change of its file, for programs whose exec was seen. Falco counts in unsigned
    /// numbers, also when the file is younger than the process.
    fn file_age(&self) -> Value<'static> {
        let me = &**self.process;
        match self.started(Some(me)) {
            Value::Time(start) if me.exec_time.0 != 0 => {
                match start.wrapping_sub(nanoseconds(me.exe_ctime)) {
                    0 => Value::Absent,
                    age => Value::Time(age),
                }
            }
            _ => Value::Absent,
        }
    }

    /// When the process's container began, in nanoseconds since the epoch; none on the host, and in a container that shares the
    /// host's pid namespace.
    fn container_started(&self) -> Option<u64> {
        let me = &**self.process;
        if *me.container == *Process::HOST || me.vpid == me.key.pid { None } else { self.namespace_started() }
    }

    /// When the process's pid namespace began, in nanoseconds since the epoch. That of the host began with the machine.
    fn namespace_started(&self) -> Option<u64> {
        let me = &**self.process;
        let booted = self.time.0.checked_sub(self.boot_time.0)?;
        match me.namespace_started.0 {
            0 => None,
            _ if me.vpid == me.key.pid => Some(booted),
            start => Some(booted + start),
        }
    }

    fn used(&self, of: impl FnOnce(&Usage) -> Value<'static>) -> Value<'static> {
        self.process.usage.as_ref().map_or(Value::Absent, of)
    }

    /// What a process uses is told of its first thread alone; of another it is 0.
    fn first_thread_uses(&self, of: impl FnOnce(&Usage) -> u32, unit: u64) -> Value<'static> {
        let first = self.tid == self.process.key.pid;
        self.used(|usage| Value::Uint(if first { u64::from(of(usage)) * unit } else { 0 }))
    }

    fn since(&self, p: Option<&Process>) -> Value<'static> {
        match p {
            Some(p) if p.started.0 != 0 => Value::Span(self.boot_time.0.saturating_sub(p.started.0) as i64),
            _ => Value::Absent,
        }
    }

    fn started(&self, p: Option<&Process>) -> Value<'static> {
        match p {
            Some(p) if p.started.0 != 0 => {
                let ago = self.boot_time.0.saturating_sub(p.started.0);
                Value::Time(self.time.0.saturating_sub(ago))
            }
            _ => Value::Absent,
        }
    }
}

/// What is known of an environment, its variables separated by blanks; absent where it was not looked at.
fn whole_environment<'s>(p: &Process, buf: &'s mut Vec<u8>) -> Value<'s> {
    if !p.flags.has(ProcessFlags::ENV_READ) {
        return Value::Absent;
    }
    rendered(buf, |b| {
        let variables = p.env.strip_suffix(&[0]).unwrap_or(&p.env);
        b.extend(variables.iter().map(|byte| if *byte == 0 { b' ' } else { *byte }));
    })
}

/// What an output prints where an ancestor has no such text.
fn or_na(bytes: &[u8]) -> &[u8] {
    if bytes.is_empty() { b"<NA>" } else { bytes }
}

/// When a file changed; absent when that is not known.
fn changed(seconds: i64) -> Value<'static> {
    if seconds == 0 { Value::Absent } else { Value::Time(nanoseconds(seconds)) }
}

/// Seconds since the epoch as nanoseconds; what lies before it, or beyond 2554, is cut off.
pub(crate) fn nanoseconds(seconds: i64) -> u64 {
    u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000_000_000)
}

/// The login user, -1 when unset.
fn login(uid: u32) -> i64 {
    if uid == u32::MAX { -1 } else { uid.into() }
}
