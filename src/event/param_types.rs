//! The types of event parameters, for `evt.rawarg.NAME`, which is compared in the type of the parameter. A name that events
//! share with several types has the one of the first of them in Falco's table of events; what is in no list is an unsigned
//! number.

use crate::field::FieldType;
use crate::params::ParamId;

/// Texts and paths.
const TEXTS: &[&str] = &[
    "arg2_str",
    "comm",
    "container_id",
    "cwd",
    "desc",
    "description",
    "dir",
    "exe",
    "exepath",
    "filename",
    "home",
    "image",
    "json",
    "linkpath",
    "name",
    "newpath",
    "oldpath",
    "path",
    "pathname",
    "quotafilepath",
    "root",
    "scope",
    "shell",
    "special",
    "sun_path",
    "target",
    "trusted_exepath",
    "uargs",
    "value_charbuf",
];

/// Buffers, lists of texts, socket addresses: compared as raw bytes.
const BUFFERS: &[&str] = &[
    "addr",
    "arg2",
    "arg3",
    "arg4",
    "arg5",
    "args",
    "argv",
    "cgroups",
    "data",
    "env",
    "fds",
    "img",
    "msgcontrol",
    "res_or_fd",
    "tags",
    "tuple",
    "val",
    "value_bytebuf",
];

/// Signed numbers: ids of processes, descriptors, results.
const SIGNED: &[&str] = &[
    "arg2_int",
    "aux",
    "backlog",
    "cur",
    "dirfd",
    "dpid",
    "fd",
    "fd1",
    "fd2",
    "fd_in",
    "fd_out",
    "fdin",
    "fdout",
    "in_fd",
    "key",
    "linkdirfd",
    "max",
    "maxevents",
    "mountfd",
    "newcur",
    "newdir",
    "newdirfd",
    "newfd",
    "newmax",
    "next",
    "nsems",
    "oldcur",
    "olddir",
    "olddirfd",
    "oldfd",
    "oldmax",
    "out_fd",
    "pgid",
    "pid",
    "pid_fd",
    "ptid",
    "reaper_tid",
    "res",
    "ret",
    "sem_op_0",
    "sem_op_1",
    "semid",
    "semnum",
    "spid",
    "status",
    "target_fd",
    "tid",
    "timeout",
    "tty",
    "vpgid",
    "vpid",
    "vtid",
];

/// Instants.
const INSTANTS: &[&str] = &["exe_ino_ctime", "exe_ino_mtime", "start_time"];

/// Spans.
const SPANS: &[&str] = &["dqb_btime", "dqb_itime", "dqi_bgrace", "dqi_igrace", "interval"];

/// Ports.
const PORTS: &[&str] = &["local_port", "remote_port"];

/// Addresses.
const ADDRESSES: &[&str] = &["local_ip", "remote_ip"];

/// Parameters that Falco compares with nothing but `exists`: addresses, lists, values whose type is told by another
/// parameter, and signals, of which it reads no constant.
const INCOMPARABLE: &[&str] = &[
    "ID",
    "addr",
    "arg2",
    "arg3",
    "arg4",
    "arg5",
    "argv",
    "fds",
    "res_or_fd",
    "sig",
    "sigmask",
    "tags",
    "tuple",
    "val",
];

/// Parameters that are ids of users and groups in the first event that has them: Falco 0.44 compares those with nothing
/// but `exists` either, though it says that it does.
const OWNERS: &[&str] = &["egid", "euid", "loginuid", "rgid", "ruid", "sgid", "suid"];

/// Sets of flags and other numbers that print in hexadecimal.
const HEXADECIMAL: &[&str] = &[
    "argument",
    "cap_effective",
    "cap_inheritable",
    "cap_permitted",
    "creat_flags",
    "dev",
    "flags",
    "nstype",
    "operation",
    "prot",
    "resolve",
    "semflg",
];

/// How a parameter's number is printed, and read where an alert has it as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Radix {
    /// Base 8: permissions.
    Octal,
    /// Base 10.
    Decimal,
    /// Base 16 with capital letters: sets of flags.
    Hexadecimal,
}

impl Radix {
    /// The base.
    pub fn base(self) -> u32 {
        match self {
            Self::Octal => 8,
            Self::Decimal => 10,
            Self::Hexadecimal => 16,
        }
    }
}

/// Whether a raw parameter can be compared with constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparable {
    /// It can.
    Yes,
    /// It can here, and not in Falco 0.44.
    HereOnly,
    /// It is there or not, and that is all.
    No,
}

impl ParamId {
    /// How its numbers are printed raw.
    pub fn radix(self) -> Radix {
        match self.name() {
            "mode" => Radix::Octal,
            name if HEXADECIMAL.contains(&name) => Radix::Hexadecimal,
            _ => Radix::Decimal,
        }
    }

    /// Whether its raw value can be compared.
    pub fn comparable(self) -> Comparable {
        if INCOMPARABLE.contains(&self.name()) {
            Comparable::No
        } else if OWNERS.contains(&self.name()) {
            Comparable::HereOnly
        } else {
            Comparable::Yes
        }
    }

    /// The type of its values.
    pub fn ty(self) -> FieldType {
        let lists = [
            (TEXTS, FieldType::Text),
            (BUFFERS, FieldType::Bytes),
            (SIGNED, FieldType::Int),
            (INSTANTS, FieldType::Time),
            (SPANS, FieldType::Span),
            (PORTS, FieldType::Port),
            (ADDRESSES, FieldType::Ip),
        ];
        let found = lists.into_iter().find(|(names, _)| names.contains(&self.name()));
        found.map_or(FieldType::Uint, |(_, ty)| ty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_a_list_is_a_parameter_and_in_one_list() {
        let mut all: Vec<&str> = [TEXTS, BUFFERS, SIGNED, INSTANTS, SPANS, PORTS, ADDRESSES].concat();
        let marked = INCOMPARABLE.iter().chain(OWNERS).chain(HEXADECIMAL);
        assert!(all.iter().chain(marked).all(|name| ParamId::from_name(name).is_some()));
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn parameters_have_the_types_of_their_events() {
        for (name, ty) in [("flags", FieldType::Uint), ("name", FieldType::Text), ("res", FieldType::Int)] {
            assert_eq!(ParamId::from_name(name).map(ParamId::ty), Some(ty), "{name}");
        }
    }
}
