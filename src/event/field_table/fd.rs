//! Descriptors, paths that calls work on, and lists of polled descriptors. `fd.realpath` is ours alone.
//! One row a field; how to read a row stands in `field_table.rs`.

use crate::field::FieldType::{Bool, Int, Ip, Net, Path, Port, Text};
use crate::field::{ArgKind, FieldFlags, FieldInfo, FieldType, Shape};
use crate::field_table::{f, source, why};

const fn row(name: &'static str, ty: FieldType, doc: &'static str) -> FieldInfo {
    f(name, ty, doc).of(source::SYSCALL)
}

pub(super) const ROWS: &[FieldInfo] = &[
    row("fd.num", Int, "Number of the descriptor; -1 when the call failed to make one."),
    row("fd.type", Text, "Kind of the descriptor as a word."),
    row("fd.typechar", Text, "Kind of the descriptor as one character."),
    row(
        "fd.name",
        Path,
        "Path of what was opened as the caller meant it, without following symlinks; of a descriptor that a call is about, the kernel's; or both ends of the connection.",
    ),
    row("fd.realpath", Path, "Path as the kernel resolved it, symlinks followed; eyas only."),
    row("fd.nameraw", Path, "Path exactly as it was given to the call."),
    row("fd.directory", Path, "Directory part of fd.name."),
    row("fd.filename", Path, "Last part of fd.name; absent when the open failed."),
    row("fd.dev", Int, "Device of the opened file.").bits(32),
    row("fd.dev.major", Int, "Major number of that device.").bits(32),
    row("fd.dev.minor", Int, "Minor number of that device.").bits(32),
    row("fd.ino", Int, "Inode of the opened file."),
    row("fd.ip", Ip, "Address of either end.")
        .shape(Shape::AnySide)
        .flag(FieldFlags::FILTER_ONLY)
        .flag(FieldFlags::NO_TRANSFORMER)
        .flag(FieldFlags::NO_RHS),
    row("fd.cip", Ip, "Address of the client."),
    row("fd.sip", Ip, "Address of the server."),
    row("fd.lip", Ip, "Address of this end."),
    row("fd.rip", Ip, "Address of the other end."),
    row("fd.port", Port, "Port of either end.")
        .shape(Shape::AnySide)
        .flag(FieldFlags::FILTER_ONLY)
        .flag(FieldFlags::NO_TRANSFORMER)
        .flag(FieldFlags::NO_RHS),
    row("fd.cport", Port, "Port of the client."),
    row("fd.sport", Port, "Port of the server."),
    row("fd.lport", Port, "Port of this end."),
    row("fd.rport", Port, "Port of the other end."),
    row("fd.net", Net, "Network of either end.")
        .shape(Shape::AnySide)
        .flag(FieldFlags::FILTER_ONLY)
        .flag(FieldFlags::NO_TRANSFORMER)
        .flag(FieldFlags::NO_RHS),
    row("fd.cnet", Net, "Network of the client.")
        .flag(FieldFlags::FILTER_ONLY)
        .flag(FieldFlags::NO_TRANSFORMER)
        .flag(FieldFlags::NO_RHS),
    row("fd.snet", Net, "Network of the server.")
        .flag(FieldFlags::FILTER_ONLY)
        .flag(FieldFlags::NO_TRANSFORMER)
        .flag(FieldFlags::NO_RHS),
    row("fd.lnet", Net, "Network of this end.")
        .flag(FieldFlags::FILTER_ONLY)
        .flag(FieldFlags::NO_TRANSFORMER)
        .flag(FieldFlags::NO_RHS),
    row("fd.rnet", Net, "Network of the other end.")
        .flag(FieldFlags::FILTER_ONLY)
        .flag(FieldFlags::NO_TRANSFORMER)
        .flag(FieldFlags::NO_RHS),
    row("fd.l4proto", Text, "Transport: tcp, udp, icmp, raw."),
    row("fd.sockfamily", Text, "ip or unix."),
    row("fd.is_server", Bool, "Whether this end is the server."),
    row("fd.connected", Bool, "Whether the socket is connected, or connecting."),
    row("fd.name_changed", Bool, "Whether this event gave the descriptor another name."),
    row("fs.path.name", Path, "The path that the call works on, made absolute."),
    row("fs.path.nameraw", Path, "The path that the call works on, as given."),
    row("fd.uid", Text, "Thread id and descriptor number in one text."),
    row("fd.containername", Text, "The container's id, a colon and fd.name."),
    row("fd.containerdirectory", Text, "The container's id, a colon and fd.directory."),
    row("fd.proto", Port, "Service name or port of either end.")
        .shape(Shape::AnySide)
        .flag(FieldFlags::FILTER_ONLY)
        .flag(FieldFlags::NO_TRANSFORMER)
        .flag(FieldFlags::NO_RHS),
    row("fd.cproto", Text, "The client's port as text; names of services are not looked up."),
    row("fd.sproto", Text, "The server's port as text."),
    row("fd.lproto", Text, "The port of this end as text."),
    row("fd.rproto", Text, "The port of the other end as text."),
    row("fd.cip.name", Text, "A host name that loaded rules mention and that leads to the client's address.")
        .shape(Shape::AnySide)
        .flag(FieldFlags::NO_TRANSFORMER)
        .flag(FieldFlags::NO_RHS),
    row("fd.sip.name", Text, "A host name that loaded rules mention and that leads to the server's address.")
        .shape(Shape::AnySide)
        .flag(FieldFlags::NO_TRANSFORMER)
        .flag(FieldFlags::NO_RHS),
    row(
        "fd.lip.name",
        Text,
        "A host name that loaded rules mention and that leads to the address of this end.",
    )
    .shape(Shape::AnySide)
    .flag(FieldFlags::NO_TRANSFORMER)
    .flag(FieldFlags::NO_RHS),
    row(
        "fd.rip.name",
        Text,
        "A host name that loaded rules mention and that leads to the address of the other end.",
    )
    .shape(Shape::AnySide)
    .flag(FieldFlags::NO_TRANSFORMER)
    .flag(FieldFlags::NO_RHS),
    row(
        "fd.types",
        Text,
        "Kinds of all open descriptors, each once; or the kind of the descriptor in brackets.",
    )
    .arg(ArgKind::OptionalIndex)
    .shape(Shape::List)
    .flag(FieldFlags::NO_RHS)
    .absent(why::NO_FD_TABLE),
    row(
        "fd.is_upper_layer",
        Bool,
        "Whether the opened file was made or changed inside the running container.",
    ),
    row("fd.is_lower_layer", Bool, "Whether the opened file comes from the container's image."),
    row("fs.path.source", Text, "The first path of a call with two, made absolute."),
    row("fs.path.sourceraw", Text, "The first path of a call with two, as given."),
    row("fs.path.target", Text, "The second path of a call with two, made absolute."),
    row("fs.path.targetraw", Text, "The second path of a call with two, as given."),
    row("fdlist.nums", Text, "Numbers of the descriptors that a poll watches.").absent(why::NO_POLL),
    row("fdlist.names", Text, "Names of the descriptors that a poll watches.").absent(why::NO_POLL),
    row("fdlist.cips", Text, "Clients of the sockets that a poll watches.").absent(why::NO_POLL),
    row("fdlist.sips", Text, "Servers of the sockets that a poll watches.").absent(why::NO_POLL),
    row("fdlist.cports", Text, "Client ports of the sockets that a poll watches.").absent(why::NO_POLL),
    row("fdlist.sports", Text, "Server ports of the sockets that a poll watches.").absent(why::NO_POLL),
];
