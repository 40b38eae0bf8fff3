//! The form of an alert in the spill file: JSON that says everything, processes included, so that it can be read back
//! without the store. Bytes that need not be text stand as hexadecimal digits.

use std::sync::Arc;

use eyas_event::process::ProcessFlags;
use eyas_event::{Alert, AlertId, BootTime, Priority, Process, ProcessKey, WallTime};
use serde::{Deserialize, Serialize};

use crate::alert_row::{event_type_of, hash_of, read_both, tags_of, tags_text};
use crate::error::StoreError;
use crate::json::{Numbers, write_fields};
use crate::rows::RunId;
use crate::run::Origin;

#[derive(Serialize, Deserialize)]
struct SpilledAlert {
    run: i64,
    boot: i64,
    id: u64,
    time: u64,
    boot_time: u64,
    rule: String,
    priority: u8,
    tags: String,
    ruleset: String,
    source: String,
    node: String,
    message: String,
    output_fields: String,
    fields: String,
    signed: Option<String>,
    event_num: u64,
    event_type: String,
    user: String,
    lost_before: u64,
    /// The process, then its ancestors.
    lineage: Vec<SpilledProcess>,
}

#[derive(Serialize, Deserialize)]
struct SpilledProcess {
    /// pid, `parent_pid`, uid, gid, euid, egid, loginuid, `audit_session`, tty, sid, pgid, vpid, vpgid, `pid_ns`,
    /// `exe_dev`, flags.
    narrow: [u32; 16],
    /// start, `parent_start`, cgroup, `cap_effective`, `exec_time`, `exe_ino`, started.
    wide: [u64; 7],
    /// comm, `exe_path`, filename, argv, cwd.
    bytes: [String; 5],
    container: String,
    /// `cap_permitted`, `cap_inheritable`; older files do not have them.
    #[serde(default)]
    further: [u64; 2],
    /// `exe_ctime`, `exe_mtime`; nor these.
    #[serde(default)]
    seconds: [i64; 2],
}

/// An alert in its spilled form.
pub(crate) fn write(origin: Origin, alert: &Alert) -> Vec<u8> {
    let mut numbers = Numbers::default();
    let output_fields = write_fields(&alert.output_fields, &mut numbers);
    let fields = write_fields(&alert.fields, &mut numbers);
    let lineage = std::iter::once(&alert.process).chain(&alert.ancestors);
    let spilled = SpilledAlert {
        run: origin.run.0,
        boot: origin.boot,
        id: alert.id.0,
        time: alert.time.0,
        boot_time: alert.boot_time.0,
        rule: alert.rule.to_string(),
        priority: alert.priority as u8,
        tags: tags_text(&alert.tags),
        ruleset: to_hex(&alert.ruleset.0),
        source: alert.source.to_string(),
        node: alert.node.to_string(),
        message: alert.message.clone(),
        output_fields,
        fields,
        signed: numbers.to_text(),
        event_num: alert.event_num,
        event_type: alert.event_type.to_owned(),
        user: alert.user.clone(),
        lost_before: alert.lost_before,
        lineage: lineage.map(|p| spill_process(p)).collect(),
    };
    serde_json::to_vec(&spilled).expect("it has a JSON form because it is made of texts and whole numbers")
}

/// Reads what [`write`] wrote.
pub(crate) fn read(bytes: &[u8]) -> Result<(Origin, Alert), StoreError> {
    let json = |e: serde_json::Error| StoreError::damaged(format!("a spilled alert: {e}"));
    let s: SpilledAlert = serde_json::from_slice(bytes).map_err(json)?;
    let (output_fields, fields) =
        read_both(&s.output_fields, &s.fields, s.signed.as_deref()).map_err(json)?;
    let mut lineage = s.lineage.iter().map(|p| read_process(p).map(Arc::new));
    let process =
        lineage.next().unwrap_or_else(|| Err(StoreError::damaged("a spilled alert without its process")))?;
    let ancestors = lineage.collect::<Result<_, _>>()?;
    let alert = Alert {
        id: AlertId(s.id),
        time: WallTime(s.time),
        boot_time: BootTime(s.boot_time),
        rule: s.rule.into(),
        priority: Priority::from_number(s.priority)
            .ok_or_else(|| StoreError::damaged(format!("a spilled alert of priority {}", s.priority)))?,
        tags: tags_of(&s.tags).map_err(json)?,
        ruleset: hash_of(&from_hex(&s.ruleset)?)?,
        source: s.source.into(),
        node: s.node.into(),
        message: s.message,
        output_fields,
        fields,
        event_num: s.event_num,
        event_type: event_type_of(&s.event_type),
        process,
        ancestors,
        user: s.user,
        lost_before: s.lost_before,
    };
    Ok((Origin { run: RunId(s.run), boot: s.boot }, alert))
}

fn spill_process(p: &Process) -> SpilledProcess {
    SpilledProcess {
        narrow: [
            p.key.pid,
            p.parent.pid,
            p.uid,
            p.gid,
            p.euid,
            p.egid,
            p.loginuid,
            p.audit_session,
            p.tty,
            p.sid,
            p.pgid,
            p.vpid,
            p.vpgid,
            p.pid_ns,
            p.exe_dev,
            p.flags.0,
        ],
        wide: [p.key.start, p.parent.start, p.cgroup, p.cap_effective, p.exec_time.0, p.exe_ino, p.started.0],
        bytes: [&p.comm, &p.exe_path, &p.filename, &p.argv, &p.cwd].map(|b| to_hex(b)),
        container: p.container.to_string(),
        further: [p.cap_permitted, p.cap_inheritable],
        seconds: [p.exe_ctime, p.exe_mtime],
    }
}

fn read_process(s: &SpilledProcess) -> Result<Process, StoreError> {
    let [
        pid,
        parent_pid,
        uid,
        gid,
        euid,
        egid,
        loginuid,
        audit_session,
        tty,
        sid,
        pgid,
        vpid,
        vpgid,
        pid_ns,
        exe_dev,
        flags,
    ] = s.narrow;
    let [start, parent_start, cgroup, cap_effective, exec_time, exe_ino, started] = s.wide;
    let [comm, exe_path, filename, argv, cwd] = &s.bytes;
    Ok(Process {
        key: ProcessKey { pid, start },
        parent: ProcessKey { pid: parent_pid, start: parent_start },
        started: BootTime(started),
        comm: from_hex(comm)?,
        exe_path: from_hex(exe_path)?,
        filename: from_hex(filename)?,
        argv: from_hex(argv)?,
        cwd: from_hex(cwd)?,
        uid,
        gid,
        euid,
        egid,
        loginuid,
        audit_session,
        tty,
        sid,
        pgid,
        vpid,
        vpgid,
        pid_ns,
        cgroup,
        container: s.container.as_str().into(),
        cap_effective,
        cap_permitted: s.further[0],
        cap_inheritable: s.further[1],
        exec_time: BootTime(exec_time),
        exe_dev,
        exe_ino,
        exe_ctime: s.seconds[0],
        exe_mtime: s.seconds[1],
        env: Box::default(),
        namespace_started: BootTime(0),
        usage: None,
        flags: ProcessFlags(flags),
    })
}

fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|b| [b >> 4, b & 15]);
    digits.map(|d| char::from(DIGITS[usize::from(d)])).collect()
}

fn from_hex(text: &str) -> Result<Box<[u8]>, StoreError> {
    let damaged = || StoreError::damaged("a spilled alert with something else than hexadecimal digits");
    let digit = |b: u8| char::from(b).to_digit(16).map(|d| d as u8).ok_or_else(damaged);
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match *pair {
            [high, low] => Ok(digit(high)? << 4 | digit(low)?),
            _ => Err(damaged()),
        })
        .collect()
}
