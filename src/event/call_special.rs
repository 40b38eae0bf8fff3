//! What is particular in the parameters of calls: texts that could not be read, the arguments of `prctl` and the flags of
//! `mount`, which mean one thing or another, and what a process tells of itself.

use std::io::Write as _;

use crate::call::{Call, Given};
use crate::call_params::What;
use crate::event::Event;
use crate::params::ParamId;
use crate::render;

/// What Falco writes in place of a text or an address that was not given or could not be read.
pub(crate) const UNREADABLE: &[u8] = b"<NA>";
/// The same in place of data and of both ends of a socket.
pub(crate) const NOTHING: &[u8] = b"NULL";

/// A text as it was given.
pub(crate) fn given(text: Given<'_>, out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(if text.unreadable { UNREADABLE } else { text.text });
    true
}

/// `PR_SET_NAME`, `PR_GET_NAME`, `PR_GET_CHILD_SUBREAPER`.
const NAMES: [u64; 2] = [15, 16];
const GET_CHILD_SUBREAPER: u64 = 37;

/// Whether the second argument of this prctl is a text.
pub(crate) fn is_about_a_name(call: &Call<'_>) -> bool {
    NAMES.contains(&call.args[0])
}

/// The second argument of prctl as Falco tells it: 0 where it is a text, and what it points to where it is answered so.
pub(crate) fn option_int(call: &Call<'_>) -> i64 {
    match call.args[0] {
        GET_CHILD_SUBREAPER => (call.aux as i32).into(),
        _ if is_about_a_name(call) => 0,
        _ => call.args[1] as i64,
    }
}

/// Flags of mount without the number that Linux before 2.4 wanted in their upper half (`MS_MGC_VAL`).
pub(crate) fn without_magic(flags: u32) -> u32 {
    if flags & 0xffff_0000 == 0xc0ed_0000 { flags & 0xffff } else { flags }
}

/// Appends what a process tells of itself, with or without the name behind an id; `None` for what it does not.
pub(crate) fn own(
    event: &Event<'_>,
    call: &Call<'_>,
    what: What,
    name: ParamId,
    out: &mut Vec<u8>,
    is_paired: bool,
) -> Option<bool> {
    let process = event.process;
    let number = match what {
        What::OfProcess => {
            let text = |out: &mut Vec<u8>| render::exec_param(event, call.ret, name, out);
            return Some(is_paired && render::own_id(event, name, out, text) || text(out));
        }
        What::OwnUser => event.uid,
        What::OwnGroup => event.gid,
        What::OwnVtid if event.tid != process.key.pid => return Some(false),
        What::OwnVpid | What::OwnVtid if process.vpid == 0 => return Some(false),
        What::OwnVpid | What::OwnVtid => process.vpid,
        _ => return None,
    };
    // Writing to a Vec cannot fail.
    Some(write!(out, "{number}").is_ok())
}

/// The name of a process, when it is known. The caller numbers processes as its own pid namespace does.
pub(crate) fn process(event: &Event<'_>, pid: i64, out: &mut Vec<u8>) {
    let Ok(pid) = u32::try_from(pid) else { return };
    let own = event.process;
    let known = if own.vpid == own.key.pid || own.vpid == 0 {
        event.table.by_pid(pid)
    } else {
        event.table.in_namespace(own.pid_ns, pid)
    };
    out.extend_from_slice(known.map_or(b"".as_slice(), |process| &process.comm));
}

/// A relative path made absolute; nothing more is to be said of an absolute one.
pub(crate) fn path(given: Given<'_>, out: &mut Vec<u8>) {
    if !given.text.starts_with(b"/") {
        out.extend_from_slice(given.absolute);
    }
}
