//! The table of fields that eyas provides: one row a field. Names, types and arguments are Falco's; the sentences are
//! ours. `fd.realpath` and `alert.*` are ours alone. What Falco has and this table lacks is known to the engine, which says so.

use crate::field::{ArgKind, FieldId, FieldInfo, FieldType, Origin, Provision, Shape};

const NO_METADATA: &str = "container and pod metadata is not collected yet";
const ALERTS_ONLY: &str = "it has a value only where alerts are filtered, not where events are judged";

macro_rules! provision {
    () => {
        Provision::Provided
    };
    ($why:ident) => {
        Provision::AlwaysAbsent($why)
    };
}

macro_rules! fields {
    ($($konst:ident $name:literal $ty:ident $arg:ident $shape:ident $(absent($why:ident))? $doc:literal;)*) => {
        #[expect(non_camel_case_types, reason = "only counts the rows")]
        enum Row { $($konst),* }

        impl FieldId {
            $(
                #[doc = concat!("`", $name, "`: ", $doc)]
                pub const $konst: Self = Self(Row::$konst as u16);
            )*
        }

        pub(crate) static FIELDS: &[FieldInfo] = &[$(FieldInfo {
            name: $name,
            ty: FieldType::$ty,
            arg: ArgKind::$arg,
            shape: Shape::$shape,
            provision: provision!($($why)?),
            origin: Origin::of($name),
            doc: $doc,
        }),*];
    };
}

fields! {
    EVT_NUM "evt.num" Uint None One "Number of the event in its source, from 1.";
    EVT_TIME "evt.time" Time None One "Time of day with nanoseconds (UTC); in JSON, nanoseconds since the epoch.";
    EVT_TIME_S "evt.time.s" Time None One "Time of day in seconds (UTC); in JSON, nanoseconds since the epoch.";
    EVT_TIME_ISO "evt.time.iso8601" Time None One "Date and time in ISO 8601, UTC; in JSON, nanoseconds since the epoch.";
    EVT_DATETIME "evt.datetime" Time None One "Date and time of day with nanoseconds (UTC).";
    EVT_DATETIME_S "evt.datetime.s" Time None One "Date and time of day in seconds (UTC).";
    EVT_RAWTIME "evt.rawtime" Time None One "Nanoseconds since the epoch.";
    EVT_RAWTIME_S "evt.rawtime.s" Time None One "Whole seconds since the epoch.";
    EVT_RAWTIME_NS "evt.rawtime.ns" Time None One "Nanoseconds within the second.";
    EVT_SOURCE "evt.source" Text None One "Name of the event source.";
    EVT_HOSTNAME "evt.hostname" Text None One "Name of the node.";
    EVT_TYPE "evt.type" Text None One "Name of the call or of the event.";
    SYSCALL_TYPE "syscall.type" Text None One "Name of the system call; absent for other events.";
    EVT_CATEGORY "evt.category" Text None One "Coarse family of the event: file, net, process.";
    EVT_CPU "evt.cpu" Int None One "The processor that recorded it.";
    EVT_ARGS "evt.args" Text None One "All parameters as name=value, separated by spaces.";
    EVT_INFO "evt.info" Text None One "The same as evt.args.";
    EVT_ARG "evt.arg" Text Param One "One parameter as text, by name or by position.";
    EVT_RES "evt.res" Text None One "SUCCESS, or the name of the error.";
    EVT_RAWRES "evt.rawres" Int None One "The number that the call returned.";
    EVT_FAILED "evt.failed" Bool None One "Whether the call returned an error.";
    EVT_COUNT "evt.count" Uint None One "Always 1.";
    EVT_IS_ASYNC "evt.is_async" Bool None One "Whether the event was injected beside the main stream.";
    EVT_IS_OPEN_READ "evt.is_open_read" Bool None One "Whether an open asked to read.";
    EVT_IS_OPEN_WRITE "evt.is_open_write" Bool None One "Whether an open asked to write.";
    EVT_IS_OPEN_EXEC "evt.is_open_exec" Bool None One "Whether a creating open asked for an executable file.";
    EVT_IS_OPEN_CREATE "evt.is_open_create" Bool None One "Whether the open really created the file.";

    PROC_NAME "proc.name" Text None One "The kernel's short name of the process.";
    PROC_PNAME "proc.pname" Text None One "Short name of the parent.";
    PROC_ANAME "proc.aname" Text OptionalIndex Ancestors "Short name of an ancestor: 0 is the process, 1 its parent.";
    PROC_EXE "proc.exe" Text None One "The first argument, as the caller chose it.";
    PROC_PEXE "proc.pexe" Text None One "First argument of the parent.";
    PROC_AEXE "proc.aexe" Text OptionalIndex Ancestors "First argument of an ancestor.";
    PROC_EXEPATH "proc.exepath" Path None One "The executed file, as the kernel resolved it.";
    PROC_PEXEPATH "proc.pexepath" Path None One "The parent's executed file.";
    PROC_AEXEPATH "proc.aexepath" Path OptionalIndex Ancestors "An ancestor's executed file.";
    PROC_ARGS "proc.args" Text OptionalIndex One "The arguments after the first, joined by spaces; or one of them.";
    PROC_CMDLINE "proc.cmdline" Text None One "Short name and arguments.";
    PROC_PCMDLINE "proc.pcmdline" Text None One "Short name and arguments of the parent.";
    PROC_ACMDLINE "proc.acmdline" Text OptionalIndex Ancestors "Short name and arguments of an ancestor.";
    PROC_CMDNARGS "proc.cmdnargs" Uint None One "How many arguments follow the first.";
    PROC_CMDLENARGS "proc.cmdlenargs" Uint None One "How long those arguments are together, separators left out.";
    PROC_EXELINE "proc.exeline" Text None One "First argument, a space, and the arguments.";
    PROC_CWD "proc.cwd" Path None One "Working directory, with a trailing slash.";
    PROC_TTY "proc.tty" Uint None One "Device number of the controlling terminal, 0 without one.";
    PROC_PID "proc.pid" Int None One "Process id on the host.";
    PROC_PPID "proc.ppid" Int None One "Process id of the parent.";
    PROC_APID "proc.apid" Int OptionalIndex Ancestors "Process id of an ancestor.";
    PROC_VPID "proc.vpid" Int None One "Process id in the process's own namespace.";
    PROC_PVPID "proc.pvpid" Int None One "The parent's process id in its own namespace.";
    PROC_SID "proc.sid" Int None One "Session id.";
    PROC_SNAME "proc.sname" Text None One "Short name of the session's leader.";
    PROC_SID_EXE "proc.sid.exe" Text None One "First argument of the session's leader.";
    PROC_SID_EXEPATH "proc.sid.exepath" Path None One "Executed file of the session's leader.";
    PROC_VPGID "proc.vpgid" Int None One "Process group in the process's own namespace.";
    PROC_PGID "proc.pgid" Int None One "Process group on the host.";
    PROC_PGID_NAME "proc.pgid.name" Text None One "Short name of the process group's leader.";
    PROC_PGID_EXE "proc.pgid.exe" Text None One "First argument of the process group's leader.";
    PROC_PGID_EXEPATH "proc.pgid.exepath" Path None One "Executed file of the process group's leader.";
    PROC_DURATION "proc.duration" Span None One "Nanoseconds since the process started.";
    PROC_PPID_DURATION "proc.ppid.duration" Span None One "Nanoseconds since the parent started.";
    PROC_PID_TS "proc.pid.ts" Time None One "When the process started.";
    PROC_PPID_TS "proc.ppid.ts" Time None One "When the parent started.";
    PROC_IS_EXE_FROM_MEMFD "proc.is_exe_from_memfd" Bool None One "Whether the executed file is a memfd.";
    PROC_IS_SID_LEADER "proc.is_sid_leader" Bool None One "Whether the process leads its session.";
    PROC_IS_VPGID_LEADER "proc.is_vpgid_leader" Bool None One "Whether the process leads its group, seen from its own namespace.";
    PROC_IS_PGID_LEADER "proc.is_pgid_leader" Bool None One "Whether the process leads its group.";
    PROC_EXE_INO "proc.exe_ino" Int None One "Inode of the executed file; absent when unknown.";
    THREAD_TID "thread.tid" Int None One "Id of the thread on the host.";
    THREAD_ISMAIN "thread.ismain" Bool None One "Whether it is the process's first thread.";
    THREAD_CAP_EFFECTIVE "thread.cap_effective" Text None One "Effective capabilities by name, separated by spaces.";

    USER_UID "user.uid" Uint None One "Effective user id at the event.";
    USER_NAME "user.name" Text None One "Name of that user; the text `<NA>` when it has none.";
    USER_LOGINUID "user.loginuid" Int None One "User id at login, kept through su and sudo; -1 when unset.";
    USER_LOGINNAME "user.loginname" Text None One "Name of the login user; the text `<NA>` when it has none.";
    GROUP_GID "group.gid" Uint None One "Effective group id at the event.";
    GROUP_NAME "group.name" Text None One "Name of that group; the text `<NA>` when it has none.";

    FD_NUM "fd.num" Int None One "Number of the descriptor; -1 when the call failed to make one.";
    FD_TYPE "fd.type" Text None One "Kind of the descriptor as a word.";
    FD_TYPECHAR "fd.typechar" Text None One "Kind of the descriptor as one character.";
    FD_NAME "fd.name" Path None One "Path as the caller meant it, without following symlinks; or both ends of the connection.";
    FD_REALPATH "fd.realpath" Path None One "Path as the kernel resolved it, symlinks followed; eyas only.";
    FD_NAMERAW "fd.nameraw" Path None One "Path exactly as it was given to the call.";
    FD_DIRECTORY "fd.directory" Path None One "Directory part of fd.name.";
    FD_FILENAME "fd.filename" Path None One "Last part of fd.name; absent when the open failed.";
    FD_DEV "fd.dev" Int None One "Device of the opened file.";
    FD_DEV_MAJOR "fd.dev.major" Int None One "Major number of that device.";
    FD_DEV_MINOR "fd.dev.minor" Int None One "Minor number of that device.";
    FD_INO "fd.ino" Int None One "Inode of the opened file.";
    FD_IP "fd.ip" Ip None AnySide "Address of either end.";
    FD_CIP "fd.cip" Ip None One "Address of the client.";
    FD_SIP "fd.sip" Ip None One "Address of the server.";
    FD_LIP "fd.lip" Ip None One "Address of this end.";
    FD_RIP "fd.rip" Ip None One "Address of the other end.";
    FD_PORT "fd.port" Port None AnySide "Port of either end.";
    FD_CPORT "fd.cport" Port None One "Port of the client.";
    FD_SPORT "fd.sport" Port None One "Port of the server.";
    FD_LPORT "fd.lport" Port None One "Port of this end.";
    FD_RPORT "fd.rport" Port None One "Port of the other end.";
    FD_NET "fd.net" Net None AnySide "Network of either end.";
    FD_CNET "fd.cnet" Net None One "Network of the client.";
    FD_SNET "fd.snet" Net None One "Network of the server.";
    FD_LNET "fd.lnet" Net None One "Network of this end.";
    FD_RNET "fd.rnet" Net None One "Network of the other end.";
    FD_L4PROTO "fd.l4proto" Text None One "Transport: tcp, udp, icmp, raw.";
    FD_SOCKFAMILY "fd.sockfamily" Text None One "ip or unix.";
    FD_IS_SERVER "fd.is_server" Bool None One "Whether this end is the server.";
    FD_CONNECTED "fd.connected" Bool None One "Whether the socket is connected, or connecting.";
    FD_NAME_CHANGED "fd.name_changed" Bool None One "Whether this event gave the descriptor another name.";
    FS_PATH_NAME "fs.path.name" Path None One "The path that the call works on, made absolute.";
    FS_PATH_NAMERAW "fs.path.nameraw" Path None One "The path that the call works on, as given.";

    CONTAINER_ID "container.id" Text None One "First 12 digits of the container's id, or host.";
    CONTAINER_NAME "container.name" Text None One absent(NO_METADATA) "Name of the container.";
    CONTAINER_IMAGE "container.image" Text None One absent(NO_METADATA) "Image of the container, as it was asked for.";
    CONTAINER_IMAGE_REPOSITORY "container.image.repository" Text None One absent(NO_METADATA) "Image without tag and digest.";
    CONTAINER_IMAGE_TAG "container.image.tag" Text None One absent(NO_METADATA) "Tag of the image.";
    K8S_POD_NAME "k8s.pod.name" Text None One absent(NO_METADATA) "Name of the pod.";
    K8S_NS_NAME "k8s.ns.name" Text None One absent(NO_METADATA) "Namespace of the pod.";

    ALERT_RULE "alert.rule" Text None One absent(ALERTS_ONLY) "Name of the rule that fired; eyas only.";
    ALERT_PRIORITY "alert.priority" Priority None One absent(ALERTS_ONLY) "Priority of the rule that fired; eyas only.";
}
