//! [`ParamId`]: the names of event parameters (`evt.arg.NAME`), as an index; and the parameters of each event type that
//! the sensor sends, in Falco's order, so that `evt.arg[n]` finds the n-th. Those of every event stand in `param_lists.rs`.

use crate::event_names::index_in;
use crate::event_type::EventType;

/// An index into the sorted table of parameter names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParamId(u16);

/// Every parameter name of Falco's event table, sorted by its bytes.
const NAMES: &[&str] = &[
    "ID",
    "action",
    "addr",
    "arg",
    "arg2",
    "arg2_int",
    "arg2_str",
    "arg3",
    "arg4",
    "arg5",
    "args",
    "argument",
    "argv",
    "aux",
    "backlog",
    "cap_effective",
    "cap_inheritable",
    "cap_permitted",
    "cgroups",
    "clockid",
    "cmd",
    "comm",
    "container_id",
    "core",
    "cpu",
    "cpu_sys",
    "cpu_usr",
    "cq_entries",
    "creat_flags",
    "cur",
    "cwd",
    "data",
    "desc",
    "description",
    "dev",
    "dir",
    "dirfd",
    "domain",
    "dpid",
    "dqb_bhardlimit",
    "dqb_bsoftlimit",
    "dqb_btime",
    "dqb_curspace",
    "dqb_ihardlimit",
    "dqb_isoftlimit",
    "dqb_itime",
    "dqi_bgrace",
    "dqi_flags",
    "dqi_igrace",
    "egid",
    "entries",
    "env",
    "error",
    "euid",
    "event_data",
    "event_type",
    "exe",
    "exe_ino",
    "exe_ino_ctime",
    "exe_ino_mtime",
    "exe_ino_num",
    "exepath",
    "fd",
    "fd1",
    "fd2",
    "fd_in",
    "fd_out",
    "fd_type",
    "fdin",
    "fdlimit",
    "fdout",
    "fds",
    "features",
    "filename",
    "first",
    "flags",
    "gid",
    "home",
    "how",
    "id",
    "image",
    "img",
    "in_fd",
    "initval",
    "ino",
    "ino_num",
    "interval",
    "ip",
    "json",
    "key",
    "last",
    "len",
    "length",
    "level",
    "linkdirfd",
    "linkpath",
    "local_ip",
    "local_port",
    "loginuid",
    "mask",
    "max",
    "maxevents",
    "min_complete",
    "mnt_id",
    "mode",
    "mountfd",
    "msgcontrol",
    "name",
    "nativeID",
    "newcur",
    "newdir",
    "newdirfd",
    "newfd",
    "newmax",
    "newpath",
    "next",
    "nr_args",
    "nsems",
    "nsops",
    "nstype",
    "offin",
    "offout",
    "offset",
    "oldcur",
    "olddir",
    "olddirfd",
    "oldfd",
    "oldmax",
    "oldpath",
    "op",
    "opcode",
    "operation",
    "option",
    "optlen",
    "optname",
    "out_fd",
    "path",
    "pathname",
    "peer",
    "pgft_maj",
    "pgft_min",
    "pgid",
    "pgoffset",
    "pid",
    "pid_fd",
    "pidns_init_start_ts",
    "plugin_id",
    "pos",
    "ppid",
    "prot",
    "proto",
    "ptid",
    "queuelen",
    "queuemax",
    "queuepct",
    "quota_fmt",
    "quota_fmt_out",
    "quotafilepath",
    "ratio",
    "reaper_tid",
    "remote_ip",
    "remote_port",
    "request",
    "res",
    "res_or_fd",
    "resolve",
    "resource",
    "ret",
    "rgid",
    "root",
    "ruid",
    "scope",
    "sem_flg_0",
    "sem_flg_1",
    "sem_num_0",
    "sem_num_1",
    "sem_op_0",
    "sem_op_1",
    "semflg",
    "semid",
    "semnum",
    "sgid",
    "shell",
    "sid",
    "sig",
    "sigmask",
    "size",
    "sk_pointer",
    "sk_proto",
    "sk_type",
    "source",
    "special",
    "spid",
    "sq_entries",
    "sq_thread_cpu",
    "sq_thread_idle",
    "start_time",
    "status",
    "suid",
    "sun_path",
    "tags",
    "target",
    "target_fd",
    "tid",
    "timeout",
    "to_submit",
    "trusted_exepath",
    "tty",
    "tuple",
    "type",
    "uargs",
    "uid",
    "val",
    "value_bytebuf",
    "value_charbuf",
    "vm_rss",
    "vm_size",
    "vm_swap",
    "vpgid",
    "vpid",
    "vtgid",
    "vtid",
    "whence",
];

impl ParamId {
    /// The parameter with that name.
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES.binary_search(&name).ok().map(|i| Self(i as u16))
    }

    /// The name.
    pub fn name(self) -> &'static str {
        NAMES[usize::from(self.0)]
    }

    /// All names, sorted.
    pub fn names() -> &'static [&'static str] {
        NAMES
    }

    /// Whether an event that the sensor sends ever has a value for it.
    pub fn is_ever_told(self) -> bool {
        EventType::PROVIDED.iter().any(|event| ids_of(*event).contains(&self) && !is_untold(*event, self))
    }
}

/// Constants for those that events have, so that nothing is compared by name while events are judged.
macro_rules! constants {
    ($($konst:ident $name:literal;)*) => {
        impl ParamId {
            $(pub(crate) const $konst: Self = Self(index_in(NAMES, $name));)*
        }
    };
}

constants! {
    ADDR "addr";
    ARGS "args";
    CAP_EFFECTIVE "cap_effective";
    CAP_INHERITABLE "cap_inheritable";
    CAP_PERMITTED "cap_permitted";
    CGROUPS "cgroups";
    COMM "comm";
    CORE "core";
    CREAT_FLAGS "creat_flags";
    CWD "cwd";
    DEV "dev";
    DIRFD "dirfd";
    ENV "env";
    EXE "exe";
    EXE_INO "exe_ino";
    EXE_INO_CTIME "exe_ino_ctime";
    EXE_INO_MTIME "exe_ino_mtime";
    FD "fd";
    FILENAME "filename";
    FLAGS "flags";
    GID "gid";
    INO "ino";
    LOGINUID "loginuid";
    MODE "mode";
    NAME "name";
    PGID "pgid";
    PID "pid";
    PTID "ptid";
    REAPER_TID "reaper_tid";
    RES "res";
    RESOLVE "resolve";
    RET "ret";
    SIG "sig";
    STATUS "status";
    TID "tid";
    FDLIMIT "fdlimit";
    PGFT_MAJ "pgft_maj";
    PGFT_MIN "pgft_min";
    TRUSTED_EXEPATH "trusted_exepath";
    VM_RSS "vm_rss";
    VM_SIZE "vm_size";
    VM_SWAP "vm_swap";
    TTY "tty";
    TUPLE "tuple";
    UID "uid";
    VPGID "vpgid";
}

pub(crate) const fn ids<const N: usize>(names: [&str; N]) -> [ParamId; N] {
    let mut ids = [ParamId(0); N];
    let mut at = 0;
    while at < N {
        ids[at] = ParamId(index_in(NAMES, names[at]));
        at += 1;
    }
    ids
}

/// The parameters of each event that a hook of ours feeds, in Falco's order.
macro_rules! parameters {
    ($($event:ident = $names:expr;)*) => {
        /// An event's parameters in Falco's order; none for types that no hook sends.
        pub(crate) fn ids_of(event: EventType) -> &'static [ParamId] {
            match event {
                $(EventType::$event => const { &ids($names) },)*
                _ => crate::call_params::ids_of(event),
            }
        }
    };
}

// Those of an exec that the sensor does not read yet are absent in an event.
parameters! {
    OPEN = ["fd", "name", "flags", "mode", "dev", "ino"];
    OPENAT = ["fd", "dirfd", "name", "flags", "mode", "dev", "ino"];
    OPENAT2 = ["fd", "dirfd", "name", "flags", "mode", "resolve", "dev", "ino"];
    CREAT = ["fd", "name", "mode", "dev", "ino", "creat_flags"];
    CONNECT = ["res", "tuple", "fd", "addr"];
    PROCEXIT = ["status", "ret", "sig", "core", "reaper_tid"];
    EXECVE = ["res", "exe", "args", "tid", "pid", "ptid", "cwd", "fdlimit", "pgft_maj", "pgft_min", "vm_size", "vm_rss", "vm_swap", "comm", "cgroups", "env", "tty", "vpgid", "loginuid", "flags", "cap_inheritable", "cap_permitted", "cap_effective", "exe_ino", "exe_ino_ctime", "exe_ino_mtime", "uid", "trusted_exepath", "pgid", "gid", "filename"];
    EXECVEAT = ["res", "exe", "args", "tid", "pid", "ptid", "cwd", "fdlimit", "pgft_maj", "pgft_min", "vm_size", "vm_rss", "vm_swap", "comm", "cgroups", "env", "tty", "vpgid", "loginuid", "flags", "cap_inheritable", "cap_permitted", "cap_effective", "exe_ino", "exe_ino_ctime", "exe_ino_mtime", "uid", "trusted_exepath", "pgid", "gid"];
}

/// Whether an event of this type never tells this parameter of its own.
fn is_untold(event: EventType, name: ParamId) -> bool {
    match event {
        // A whole environment would print what no rule names.
        EventType::EXECVE | EventType::EXECVEAT => matches!(name, ParamId::CGROUPS | ParamId::ENV),
        EventType::CREAT => name == ParamId::CREAT_FLAGS,
        EventType::PROCEXIT => name == ParamId::REAPER_TID,
        _ => crate::call_params::is_untold(event, name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_of_a_provided_event_are_those_of_the_list() {
        assert!(NAMES.is_sorted());
        for event in EventType::PROVIDED {
            let ours: Vec<_> = ids_of(*event).iter().map(|id| id.name()).collect();
            let all = crate::param_lists::of(*event);
            assert!(ours == all && !all.is_empty(), "{}", event.name());
        }
    }
}
