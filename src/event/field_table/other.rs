//! What remains: JSON of any source, static texts, and the plugins krsi and anomalydetection.
//! One row a field; how to read a row stands in `field_table.rs`.

use crate::field::FieldType::{Ip, Text, Uint};
use crate::field::{ArgKind, FieldFlags, FieldInfo, FieldType};
use crate::field_table::{f, source, why};

const fn row(name: &'static str, ty: FieldType, doc: &'static str) -> FieldInfo {
    f(name, ty, doc).of(source::SYSCALL)
}

/// A field of every source.
const fn any(name: &'static str, ty: FieldType, doc: &'static str) -> FieldInfo {
    f(name, ty, doc)
}

pub(super) const ROWS: &[FieldInfo] = &[
    any("json.value", Text, "The part of the event's JSON at which the pointer in brackets points.")
        .arg(ArgKind::Key)
        .absent(why::NO_JSON),
    any("json.obj", Text, "All of the event's JSON.").absent(why::NO_JSON),
    any("json.rawtime", Text, "Nanoseconds since the epoch, as text.").absent(why::NO_JSON),
    any("jevt.value", Text, "Another name of json.value.").arg(ArgKind::Key).absent(why::NO_JSON),
    any("jevt.obj", Text, "Another name of json.obj.").absent(why::NO_JSON),
    any("jevt.rawtime", Text, "Another name of json.rawtime.").absent(why::NO_JSON),
    row("anomaly.count_min_sketch", Uint, "How often that behaviour was seen, estimated.")
        .arg(ArgKind::OptionalIndex)
        .absent(why::ANOMALY),
    row("anomaly.count_min_sketch.profile", Text, "The behaviour that is counted, as text.")
        .arg(ArgKind::OptionalIndex)
        .absent(why::ANOMALY),
    row("anomaly.falco.duration_ns", Uint, "How long the counting has been going on.").absent(why::ANOMALY),
    row("krsi.name", Text, "The file opened, or both ends of the connection.").absent(why::KRSI),
    row("krsi.fd", Uint, "Descriptor of the operation.").absent(why::KRSI),
    row("krsi.file_index", Uint, "Slot of a file that was registered with io_uring.").absent(why::KRSI),
    row("krsi.flags", Uint, "Flags of the operation.").absent(why::KRSI),
    row("krsi.mode", Uint, "Mode with which something is made.").absent(why::KRSI),
    row("krsi.dev", Uint, "Device of the file.").absent(why::KRSI),
    row("krsi.ino", Uint, "Inode of the file.").absent(why::KRSI),
    row("krsi.domain", Uint, "Address family of the socket.").absent(why::KRSI),
    row("krsi.type", Uint, "Kind of the socket.").absent(why::KRSI),
    row("krsi.protocol", Uint, "Protocol of the socket.").absent(why::KRSI),
    row("krsi.iou_ret", Uint, "What io_uring returned.").absent(why::KRSI),
    row("krsi.res", Uint, "What the operation returned.").absent(why::KRSI),
    row("krsi.target", Text, "What a symbolic link points to.").absent(why::KRSI),
    row("krsi.linkdirfd", Uint, "Directory descriptor of a new symbolic link.").absent(why::KRSI),
    row("krsi.linkpath", Text, "Path of a new symbolic link.").absent(why::KRSI),
    row("krsi.olddirfd", Uint, "Directory descriptor of the path before.").absent(why::KRSI),
    row("krsi.newdirfd", Uint, "Directory descriptor of the path after.").absent(why::KRSI),
    row("krsi.dirfd", Uint, "Directory descriptor of what is made or removed.").absent(why::KRSI),
    row("krsi.path", Text, "Path of what is made or removed.").absent(why::KRSI),
    row("krsi.oldpath", Text, "Path before the operation.").absent(why::KRSI),
    row("krsi.newpath", Text, "Path after the operation.").absent(why::KRSI),
    row("krsi.cip", Ip, "Address of the client.").absent(why::KRSI),
    row("krsi.sip", Ip, "Address of the server.").absent(why::KRSI),
    row("krsi.cport", Uint, "Port of the client.").absent(why::KRSI),
    row("krsi.sport", Uint, "Port of the server.").absent(why::KRSI),
    any("static", Text, "A constant text that the configuration gives under the name that follows.")
        .arg(ArgKind::Word)
        .flag(FieldFlags::SUGGESTED)
        .absent(why::NO_STATIC),
];
