//! Processes and threads, users and groups.
//! One row a field; how to read a row stands in `field_table.rs`.

use crate::field::FieldType::{Bool, Double, Int, Path, Span, Text, Time, Uint};
use crate::field::{ArgKind, FieldFlags, FieldInfo, FieldType, Shape};
use crate::field_table::{f, source, why};

const fn row(name: &'static str, ty: FieldType, doc: &'static str) -> FieldInfo {
    f(name, ty, doc).of(source::SYSCALL)
}

pub(super) const ROWS: &[FieldInfo] = &[
    row("proc.name", Text, "The kernel's short name of the process."),
    row("proc.pname", Text, "Short name of the parent."),
    row("proc.aname", Text, "Short name of an ancestor: 0 is the process, 1 its parent.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::Ancestors)
        .flag(FieldFlags::NO_TRANSFORMER)
        .flag(FieldFlags::NO_RHS),
    row("proc.exe", Text, "The first argument, as the caller chose it."),
    row("proc.pexe", Text, "First argument of the parent."),
    row("proc.aexe", Text, "First argument of an ancestor.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::Ancestors)
        .flag(FieldFlags::NO_TRANSFORMER)
        .flag(FieldFlags::NO_RHS),
    row("proc.exepath", Path, "The executed file, as the kernel resolved it."),
    row("proc.pexepath", Path, "The parent's executed file."),
    row("proc.aexepath", Path, "An ancestor's executed file.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::Ancestors)
        .flag(FieldFlags::NO_TRANSFORMER)
        .flag(FieldFlags::NO_RHS),
    row("proc.args", Text, "The arguments after the first, joined by spaces; or one of them.")
        .arg(ArgKind::OptionalIndex),
    row("proc.cmdline", Text, "Short name and arguments."),
    row("proc.pcmdline", Text, "Short name and arguments of the parent."),
    row("proc.acmdline", Text, "Short name and arguments of an ancestor.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::Ancestors)
        .flag(FieldFlags::NO_TRANSFORMER)
        .flag(FieldFlags::NO_RHS),
    row("proc.cmdnargs", Uint, "How many arguments follow the first."),
    row("proc.cmdlenargs", Uint, "How long those arguments are together, separators left out."),
    row("proc.exeline", Text, "First argument, a space, and the arguments."),
    row("proc.cwd", Path, "Working directory, with a trailing slash."),
    row("proc.tty", Uint, "Device number of the controlling terminal, 0 without one.").bits(32),
    row("proc.pid", Int, "Process id on the host."),
    row("proc.ppid", Int, "Process id of the parent."),
    row("proc.apid", Int, "Process id of an ancestor.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::Ancestors)
        .flag(FieldFlags::NO_TRANSFORMER)
        .flag(FieldFlags::NO_RHS),
    row("proc.vpid", Int, "Process id in the process's own namespace."),
    row("proc.pvpid", Int, "The parent's process id in its own namespace."),
    row("proc.sid", Int, "Session id."),
    row("proc.sname", Text, "Short name of the session's leader."),
    row("proc.sid.exe", Text, "First argument of the session's leader."),
    row("proc.sid.exepath", Path, "Executed file of the session's leader."),
    row("proc.vpgid", Int, "Process group in the process's own namespace."),
    row("proc.pgid", Int, "Process group on the host."),
    row("proc.pgid.name", Text, "Short name of the process group's leader."),
    row("proc.pgid.exe", Text, "First argument of the process group's leader."),
    row("proc.pgid.exepath", Path, "Executed file of the process group's leader."),
    row("proc.duration", Span, "Nanoseconds since the process started."),
    row("proc.ppid.duration", Span, "Nanoseconds since the parent started."),
    row("proc.pid.ts", Span, "When the process started."),
    row("proc.ppid.ts", Span, "When the parent started."),
    row("proc.is_exe_from_memfd", Bool, "Whether the executed file is a memfd."),
    row("proc.is_sid_leader", Bool, "Whether the process leads its session."),
    row("proc.is_vpgid_leader", Bool, "Whether the process leads its group, seen from its own namespace."),
    row("proc.is_pgid_leader", Bool, "Whether the process leads its group."),
    row("proc.exe_ino", Int, "Inode of the executed file; absent when unknown."),
    row("thread.tid", Int, "Id of the thread on the host."),
    row("thread.ismain", Bool, "Whether it is the process's first thread."),
    row("thread.cap_effective", Text, "Effective capabilities by name, separated by spaces."),
    row("user.uid", Uint, "Effective user id at the event.").bits(32),
    row("user.name", Text, "Name of that user, on the host or in the container; the text `<NA>` when it has none."),
    row("user.loginuid", Int, "User id at login, kept through su and sudo; -1 when unset."),
    row("user.loginname", Text, "Name of the login user; the text `<NA>` when it has none."),
    row("group.gid", Uint, "Effective group id at the event.").bits(32),
    row("group.name", Text, "Name of that group, on the host or in the container; the text `<NA>` when it has none."),
    row("proc.aargs", Text, "Arguments of an ancestor.").arg(ArgKind::OptionalIndex),
    row(
        "proc.env",
        Text,
        "The variables of the environment that loaded rules name, or the one that the brackets name.",
    )
    .arg(ArgKind::OptionalKey),
    row(
        "proc.aenv",
        Text,
        "What `proc.env` says of an ancestor by its number, or the nearest value of a variable among ancestors.",
    )
    .arg(ArgKind::OptionalIndexOrKey)
    .shape(Shape::Ancestors)
    .flag(FieldFlags::NO_TRANSFORMER)
    .flag(FieldFlags::NO_RHS),
    row("proc.loginshellid", Int, "Process id of the outermost shell among the process and its ancestors."),
    row("proc.vpgid.name", Text, "Short name of the group's leader, found in the process's own namespace."),
    row("proc.vpgid.exe", Text, "First argument of that leader."),
    row("proc.vpgid.exepath", Text, "Executed file of that leader."),
    row(
        "proc.is_exe_writable",
        Bool,
        "Whether the user who started the program could have changed its file.",
    ),
    row(
        "proc.is_exe_upper_layer",
        Bool,
        "Whether the program's file was made or changed inside the running container.",
    ),
    row("proc.is_exe_lower_layer", Bool, "Whether the program's file is part of the container's image."),
    row("proc.exe_ino.ctime", Time, "When the inode of the executed file last changed, to the second."),
    row("proc.exe_ino.mtime", Time, "When the content of the executed file last changed, to the second."),
    row(
        "proc.exe_ino.ctime_duration_proc_start",
        Time,
        "How long before the process started its file last changed; told once an exec was seen.",
    ),
    row(
        "proc.exe_ino.ctime_duration_pidns_start",
        Time,
        "How long after the start of the process's pid namespace that change came, where it came after.",
    ),
    row("proc.pidns_init_start_ts", Uint, "When the first process of the process's pid namespace started."),
    row("thread.cap_permitted", Text, "Permitted capabilities by name, separated by spaces."),
    row("thread.cap_inheritable", Text, "Inheritable capabilities by name, separated by spaces."),
    row("proc.fdopencount", Uint, "How many descriptors of the process are known to be open.")
        .absent(why::NO_FD_TABLE),
    row("proc.fdlimit", Int, "The soft limit on open descriptors, when the process last ran a program."),
    row("proc.fdusage", Double, "Share of that limit that is in use.").absent(why::NO_FD_TABLE),
    row("proc.vmsize", Uint, "Size of the address space in kilobytes, when the process last ran a program."),
    row("proc.vmrss", Uint, "Memory held in RAM in kilobytes, at that moment."),
    row("proc.vmswap", Uint, "Memory moved to swap in kilobytes, at that moment."),
    row("thread.pfmajor", Uint, "Page faults that had to wait for a disk, up to that moment."),
    row("thread.pfminor", Uint, "Page faults answered from memory, up to that moment."),
    row(
        "thread.vtid",
        Int,
        "Id of the thread in its own namespace; of further threads in a container absent.",
    ),
    row("thread.nametid", Text, "Short name and thread id in one text, for old views.")
        .flag(FieldFlags::HIDDEN),
    row("thread.exectime", Span, "Processor time up to a switch of tasks; 0 in all other events."),
    row("thread.totexectime", Span, "Processor time summed over the switches seen; 0, as none is observed."),
    row("thread.cgroups", Text, "Every control group as controller=path, separated by spaces.")
        .absent(why::NO_CONTROLLERS),
    row("thread.cgroup", Text, "Control group of the controller that follows, for example `.cpuset`.")
        .arg(ArgKind::Word)
        .absent(why::NO_CONTROLLERS),
    row("proc.nthreads", Uint, "How many threads the process has now.").absent(why::NO_THREADS),
    row("proc.nchilds", Uint, "How many of them are not the first.").absent(why::NO_THREADS),
    row("thread.cpu", Double, "Share of a processor used in the last second.").absent(why::NO_SAMPLES),
    row("thread.cpu.user", Double, "The part of that share spent in the program itself.")
        .absent(why::NO_SAMPLES),
    row("thread.cpu.system", Double, "The part of that share spent in the kernel.").absent(why::NO_SAMPLES),
    row("thread.vmsize", Uint, "Address space in kilobytes, given for the first thread alone."),
    row("thread.vmrss", Uint, "Memory in RAM in kilobytes, given for the first thread alone."),
    row("thread.vmsize.b", Uint, "thread.vmsize counted in bytes.").flag(FieldFlags::HIDDEN),
    row("thread.vmrss.b", Uint, "thread.vmrss counted in bytes.").flag(FieldFlags::HIDDEN),
    row("proc.stdin.type", Text, "What standard input is.").absent(why::NO_FD_TABLE),
    row("proc.stdout.type", Text, "What standard output is.").absent(why::NO_FD_TABLE),
    row("proc.stderr.type", Text, "What standard error is.").absent(why::NO_FD_TABLE),
    row("proc.stdin.name", Text, "Where standard input comes from.").absent(why::NO_FD_TABLE),
    row("proc.stdout.name", Text, "Where standard output goes.").absent(why::NO_FD_TABLE),
    row("proc.stderr.name", Text, "Where standard error goes.").absent(why::NO_FD_TABLE),
    row("user.homedir", Text, "Home directory of that user; the text `<NA>` when it is not known, but for root."),
    row("user.shell", Text, "Shell that the user gets at login; the text `<NA>` when it is not known."),
];
