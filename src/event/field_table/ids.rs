//! The fields that code names, as constants. A name that the table lacks does not compile.

use crate::field::FieldId;
use crate::field_table::place_of;

macro_rules! ids {
    ($($konst:ident $name:literal;)*) => {
        impl FieldId {
            $(
                #[doc = concat!("`", $name, "`.")]
                pub const $konst: Self = Self(place_of($name));
            )*
        }
    };
}

ids! {
    EVT_NUM "evt.num";
    EVT_TIME "evt.time";
    EVT_TIME_S "evt.time.s";
    EVT_TIME_ISO "evt.time.iso8601";
    EVT_DATETIME "evt.datetime";
    EVT_DATETIME_S "evt.datetime.s";
    EVT_RAWTIME "evt.rawtime";
    EVT_RAWTIME_S "evt.rawtime.s";
    EVT_RAWTIME_NS "evt.rawtime.ns";
    EVT_SOURCE "evt.source";
    EVT_HOSTNAME "evt.hostname";
    EVT_TYPE "evt.type";
    SYSCALL_TYPE "syscall.type";
    EVT_CATEGORY "evt.category";
    EVT_CPU "evt.cpu";
    EVT_ARGS "evt.args";
    EVT_INFO "evt.info";
    EVT_ARG "evt.arg";
    EVT_RES "evt.res";
    EVT_RAWRES "evt.rawres";
    EVT_FAILED "evt.failed";
    EVT_COUNT "evt.count";
    EVT_IS_ASYNC "evt.is_async";
    EVT_IS_OPEN_READ "evt.is_open_read";
    EVT_IS_OPEN_WRITE "evt.is_open_write";
    EVT_IS_OPEN_EXEC "evt.is_open_exec";
    EVT_IS_OPEN_CREATE "evt.is_open_create";
    PROC_NAME "proc.name";
    PROC_PNAME "proc.pname";
    PROC_ANAME "proc.aname";
    PROC_EXE "proc.exe";
    PROC_PEXE "proc.pexe";
    PROC_AEXE "proc.aexe";
    PROC_EXEPATH "proc.exepath";
    PROC_PEXEPATH "proc.pexepath";
    PROC_AEXEPATH "proc.aexepath";
    PROC_ARGS "proc.args";
    PROC_CMDLINE "proc.cmdline";
    PROC_PCMDLINE "proc.pcmdline";
    PROC_ACMDLINE "proc.acmdline";
    PROC_CMDNARGS "proc.cmdnargs";
    PROC_CMDLENARGS "proc.cmdlenargs";
    PROC_EXELINE "proc.exeline";
    PROC_CWD "proc.cwd";
    PROC_TTY "proc.tty";
    PROC_PID "proc.pid";
    PROC_PPID "proc.ppid";
    PROC_APID "proc.apid";
    PROC_VPID "proc.vpid";
    PROC_PVPID "proc.pvpid";
    PROC_SID "proc.sid";
    PROC_SNAME "proc.sname";
    PROC_SID_EXE "proc.sid.exe";
    PROC_SID_EXEPATH "proc.sid.exepath";
    PROC_VPGID "proc.vpgid";
    PROC_PGID "proc.pgid";
    PROC_PGID_NAME "proc.pgid.name";
    PROC_PGID_EXE "proc.pgid.exe";
    PROC_PGID_EXEPATH "proc.pgid.exepath";
    PROC_DURATION "proc.duration";
    PROC_PPID_DURATION "proc.ppid.duration";
    PROC_PID_TS "proc.pid.ts";
    PROC_PPID_TS "proc.ppid.ts";
    PROC_IS_EXE_FROM_MEMFD "proc.is_exe_from_memfd";
    PROC_IS_SID_LEADER "proc.is_sid_leader";
    PROC_IS_VPGID_LEADER "proc.is_vpgid_leader";
    PROC_IS_PGID_LEADER "proc.is_pgid_leader";
    PROC_EXE_INO "proc.exe_ino";
    THREAD_TID "thread.tid";
    THREAD_ISMAIN "thread.ismain";
    THREAD_CAP_EFFECTIVE "thread.cap_effective";
    USER_UID "user.uid";
    USER_NAME "user.name";
    USER_LOGINUID "user.loginuid";
    USER_LOGINNAME "user.loginname";
    GROUP_GID "group.gid";
    GROUP_NAME "group.name";
    FD_NUM "fd.num";
    FD_TYPE "fd.type";
    FD_TYPECHAR "fd.typechar";
    FD_NAME "fd.name";
    FD_REALPATH "fd.realpath";
    FD_NAMERAW "fd.nameraw";
    FD_DIRECTORY "fd.directory";
    FD_FILENAME "fd.filename";
    FD_DEV "fd.dev";
    FD_DEV_MAJOR "fd.dev.major";
    FD_DEV_MINOR "fd.dev.minor";
    FD_INO "fd.ino";
    FD_IP "fd.ip";
    FD_CIP "fd.cip";
    FD_SIP "fd.sip";
    FD_LIP "fd.lip";
    FD_RIP "fd.rip";
    FD_PORT "fd.port";
    FD_CPORT "fd.cport";
    FD_SPORT "fd.sport";
    FD_LPORT "fd.lport";
    FD_RPORT "fd.rport";
    FD_NET "fd.net";
    FD_CNET "fd.cnet";
    FD_SNET "fd.snet";
    FD_LNET "fd.lnet";
    FD_RNET "fd.rnet";
    FD_L4PROTO "fd.l4proto";
    FD_SOCKFAMILY "fd.sockfamily";
    FD_IS_SERVER "fd.is_server";
    FD_CONNECTED "fd.connected";
    FD_NAME_CHANGED "fd.name_changed";
    FS_PATH_NAME "fs.path.name";
    FS_PATH_NAMERAW "fs.path.nameraw";
    CONTAINER_ID "container.id";
    CONTAINER_NAME "container.name";
    CONTAINER_IMAGE "container.image";
    CONTAINER_IMAGE_REPOSITORY "container.image.repository";
    CONTAINER_IMAGE_TAG "container.image.tag";
    K8S_POD_NAME "k8s.pod.name";
    K8S_NS_NAME "k8s.ns.name";
    ALERT_RULE "alert.rule";
    ALERT_PRIORITY "alert.priority";
    EVT_DIR "evt.dir";
    EVT_TYPE_IS "evt.type.is";
    EVT_RAWARG "evt.rawarg";
    EVT_OUTPUTTIME "evt.outputtime";
    EVT_AROUND "evt.around";
    PROC_ENV "proc.env";
    PROC_AENV "proc.aenv";
    FD_TYPES "fd.types";
    FD_PROTO "fd.proto";
}
