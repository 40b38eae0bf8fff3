//! The event itself: `evt.*`, `syscall.*`. Those about time, number and origin are there for every source.
//! One row a field; how to read a row stands in `field_table.rs`.

use crate::field::FieldType::{Bool, Bytes, Int, Span, Text, Time, Uint};
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
    any("evt.num", Uint, "Number of the event in its source, from 1."),
    any("evt.time", Text, "Time of day with nanoseconds (UTC); in JSON, nanoseconds since the epoch."),
    any("evt.time.s", Text, "Time of day in seconds (UTC); in JSON, nanoseconds since the epoch."),
    any("evt.time.iso8601", Text, "Date and time in ISO 8601, UTC; in JSON, nanoseconds since the epoch."),
    any("evt.datetime", Text, "Date and time of day with nanoseconds (UTC)."),
    any("evt.datetime.s", Text, "Date and time of day in seconds (UTC)."),
    any("evt.rawtime", Time, "Nanoseconds since the epoch."),
    any("evt.rawtime.s", Time, "Whole seconds since the epoch."),
    any("evt.rawtime.ns", Time, "Nanoseconds within the second."),
    any("evt.source", Text, "Name of the event source."),
    any("evt.hostname", Text, "Name of the node."),
    row("evt.type", Text, "Name of the call or of the event."),
    row("syscall.type", Text, "Name of the system call; absent for other events."),
    row("evt.category", Text, "Coarse family of the event: file, net, process."),
    row("evt.cpu", Int, "The processor that recorded it.").bits(16),
    row("evt.args", Text, "All parameters as name=value, separated by spaces."),
    row("evt.info", Text, "The same as evt.args."),
    row("evt.arg", Text, "One parameter as text, by name or by position.").arg(ArgKind::Param),
    row("evt.res", Text, "SUCCESS, or the name of the error."),
    row("evt.rawres", Int, "The number that the call returned."),
    row("evt.failed", Bool, "Whether the call returned an error."),
    row("evt.count", Uint, "Always 1.").bits(32),
    any("evt.is_async", Bool, "Whether the event was injected beside the main stream."),
    row("evt.is_open_read", Bool, "Whether an open asked to read."),
    row("evt.is_open_write", Bool, "Whether an open asked to write."),
    row("evt.is_open_exec", Bool, "Whether a creating open asked for an executable file."),
    row("evt.is_open_create", Bool, "Whether the open really created the file."),
    row("evt.is_uring", Bool, "Whether the process had io_uring do it, in place of a call; eyas only."),
    any("evt.reltime", Span, "Time since the first event of this run."),
    any("evt.reltime.s", Span, "That time in whole seconds."),
    any("evt.reltime.ns", Span, "What is left of that time beyond whole seconds."),
    any("evt.pluginname", Text, "The plugin from which the event came.").absent(why::NO_PLUGIN),
    any("evt.plugininfo", Text, "A line with which the plugin sums its event up.").absent(why::NO_PLUGIN),
    any("evt.asynctype", Text, "What kind of event was injected, for example container.")
        .absent(why::NO_PLUGIN),
    row(
        "evt.latency",
        Span,
        "How long the call took, in older versions of Falco; always 0 since a call gives one event.",
    )
    .flag(FieldFlags::DEPRECATED),
    row("evt.latency.s", Span, "Seconds of that time, always 0.").flag(FieldFlags::DEPRECATED),
    row("evt.latency.ns", Span, "Nanoseconds of that time beyond the seconds, always 0.")
        .flag(FieldFlags::DEPRECATED),
    row("evt.latency.quantized", Uint, "That time on a logarithmic scale, once for charts; always 0.")
        .flag(FieldFlags::HIDDEN)
        .flag(FieldFlags::DEPRECATED),
    row("evt.latency.human", Text, "That time in words for people, always `0ns`.")
        .flag(FieldFlags::DEPRECATED),
    row("evt.deltatime", Span, "Time between this event and the one that was told of before it."),
    row("evt.deltatime.s", Span, "That distance in whole seconds."),
    row("evt.deltatime.ns", Span, "What is left of that distance beyond whole seconds."),
    row("evt.outputtime", Text, "The time as Falco's command line prints it; for printing alone.")
        .flag(FieldFlags::PRINT_ONLY),
    row("evt.dir", Text, "Direction, a mark from the days when calls gave two events; always `<`.")
        .flag(FieldFlags::DEPRECATED),
    row("evt.type.is", Uint, "1 if the event has the name that follows, else 0.")
        .bits(32)
        .arg(ArgKind::Event),
    row("evt.rawarg", Text, "One parameter by name, compared in its own type rather than as text.")
        .arg(ArgKind::ParamName)
        .flag(FieldFlags::NO_TRANSFORMER)
        .flag(FieldFlags::NO_RHS),
    row("evt.buffer", Bytes, "The first 80 bytes of what was sent or received."),
    row("evt.buflen", Uint, "How many bytes were sent or received."),
    row("evt.is_io", Bool, "Whether the call moves data over a descriptor."),
    row("evt.is_io_read", Bool, "Whether the call takes data from a descriptor."),
    row("evt.is_io_write", Bool, "Whether the call puts data into a descriptor."),
    row("evt.io_dir", Text, "`read` or `write`, where the call moves data."),
    row(
        "evt.is_wait",
        Bool,
        "Whether the call waits for something, as poll and sleep do; none that is told of does.",
    ),
    row("evt.wait_latency", Span, "How long a waiting call waited, in older versions of Falco; always 0.")
        .flag(FieldFlags::DEPRECATED),
    row(
        "evt.is_syslog",
        Bool,
        "Whether something was written to the system's log socket; writes are not told of.",
    ),
    row("evt.count.error", Uint, "1 for a call that failed, else 0, for sums.").bits(32),
    row("evt.count.error.file", Uint, "The same for calls on files alone.").bits(32),
    row("evt.count.error.net", Uint, "The same for calls on the network alone.").bits(32),
    row("evt.count.error.memory", Uint, "The same for calls on memory alone.").bits(32),
    row("evt.count.error.other", Uint, "The same for all other calls.").bits(32),
    row("evt.count.exit", Uint, "1 for the end of a call; by now every event is one.").bits(32),
    row("evt.count.procinfo", Uint, "Counts snapshots of processes in old views; always 0.")
        .bits(32)
        .flag(FieldFlags::HIDDEN),
    row("evt.count.threadinfo", Uint, "Counts snapshots of threads in old views; always 0.")
        .bits(32)
        .flag(FieldFlags::HIDDEN),
    row("evt.around", Uint, "Whether the event lies within so many milliseconds of the instant in brackets.")
        .arg(ArgKind::Instant)
        .flag(FieldFlags::FILTER_ONLY)
        .flag(FieldFlags::NO_TRANSFORMER)
        .flag(FieldFlags::NO_RHS),
    row(
        "evt.abspath",
        Text,
        "Path of the call made absolute from its directory descriptor; `.src` and `.dst` pick one of two.",
    )
    .arg(ArgKind::OptionalSide),
    row("evt.buflen.in", Uint, "Bytes that came in by reads.")
        .flag(FieldFlags::HIDDEN)
        .absent(why::NO_PAYLOAD),
    row("evt.buflen.out", Uint, "Bytes that went out by writes.")
        .flag(FieldFlags::HIDDEN)
        .absent(why::NO_PAYLOAD),
    row("evt.buflen.file", Uint, "Bytes moved from or to files.")
        .flag(FieldFlags::HIDDEN)
        .absent(why::NO_PAYLOAD),
    row("evt.buflen.file.in", Uint, "Bytes that came out of files.")
        .flag(FieldFlags::HIDDEN)
        .absent(why::NO_PAYLOAD),
    row("evt.buflen.file.out", Uint, "Bytes that went into files.")
        .flag(FieldFlags::HIDDEN)
        .absent(why::NO_PAYLOAD),
    row("evt.buflen.net", Uint, "Bytes moved over sockets.").flag(FieldFlags::HIDDEN).absent(why::NO_PAYLOAD),
    row("evt.buflen.net.in", Uint, "Bytes received over sockets.")
        .flag(FieldFlags::HIDDEN)
        .absent(why::NO_PAYLOAD),
    row("evt.buflen.net.out", Uint, "Bytes sent over sockets.")
        .flag(FieldFlags::HIDDEN)
        .absent(why::NO_PAYLOAD),
    row("evt.infra.docker.name", Text, "Name of a Docker event, which nothing sends any more.")
        .flag(FieldFlags::HIDDEN)
        .absent(why::OLD_VIEWS),
    row("evt.infra.docker.container.id", Text, "Container of such a Docker event.")
        .flag(FieldFlags::HIDDEN)
        .absent(why::OLD_VIEWS),
    row("evt.infra.docker.container.name", Text, "Name of that container.")
        .flag(FieldFlags::HIDDEN)
        .absent(why::OLD_VIEWS),
    row("evt.infra.docker.container.image", Text, "Image of that container.")
        .flag(FieldFlags::HIDDEN)
        .absent(why::OLD_VIEWS),
    row("util.cnt", Uint, "A number that grows each time somebody asks.").absent(why::OLD_VIEWS),
];
