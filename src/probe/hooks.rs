//! The table of hooks: which program hangs where and what for. Loading, reporting and the tests go by it.

use eyas_ebpf::Family;

/// A program and where it hangs.
pub(crate) struct Hook {
    /// Name for people.
    pub(crate) name: &'static str,
    /// What it is for.
    pub(crate) purpose: &'static str,
    /// Its function in the object.
    pub(crate) program: &'static str,
    /// The kernel's tracepoint.
    pub(crate) tracepoint: &'static str,
    /// How the kernel gets to it.
    pub(crate) entry: Entry,
}

/// How the kernel gets to a program.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// It is attached.
    Tracepoint,
    /// It is attached, and jumps to the family programs.
    Dispatcher,
    /// The dispatcher jumps to it.
    Family(Family),
    /// It is attached together with the others of its kind, while openings or connections are wanted.
    Uring,
}

/// The structs whose members the programs on `io_uring` cannot do without.
pub(crate) const URING_STRUCTS: &[&str] = &["io_kiocb", "io_open", "io_close", "io_connect", "filename"];

/// All of them. Family programs stand before the dispatcher, so that it finds them in place.
pub(crate) const HOOKS: &[Hook] = &[
    Hook {
        name: "tp_btf/sched_process_exec",
        purpose: "programs that start",
        program: "on_exec",
        tracepoint: "sched_process_exec",
        entry: Entry::Tracepoint,
    },
    Hook {
        name: "tp_btf/sched_process_fork",
        purpose: "processes that are made",
        program: "on_fork",
        tracepoint: "sched_process_fork",
        entry: Entry::Tracepoint,
    },
    Hook {
        name: "tp_btf/sched_process_exit",
        purpose: "processes that end",
        program: "on_exit",
        tracepoint: "sched_process_exit",
        entry: Entry::Tracepoint,
    },
    Hook {
        name: "sys_exit/open",
        purpose: "open, openat, openat2, creat",
        program: "on_open",
        tracepoint: "sys_exit",
        entry: Entry::Family(Family::Open),
    },
    Hook {
        name: "sys_exit/opened-file",
        purpose: "leaves out openings of files that no rule names",
        program: "on_opened_file",
        tracepoint: "sys_exit",
        entry: Entry::Family(Family::OpenedFile),
    },
    Hook {
        name: "sys_exit/connect",
        purpose: "connect",
        program: "on_connect",
        tracepoint: "sys_exit",
        entry: Entry::Family(Family::Connect),
    },
    Hook {
        name: "sys_exit/exec-failed",
        purpose: "execve and execveat that failed",
        program: "on_exec_failed",
        tracepoint: "sys_exit",
        entry: Entry::Family(Family::ExecFailed),
    },
    Hook {
        name: "sys_exit/call",
        purpose: "the other syscalls that rules know",
        program: "on_call",
        tracepoint: "sys_exit",
        entry: Entry::Family(Family::Call),
    },
    Hook {
        name: "tp_btf/sys_exit",
        purpose: "the way into the sys_exit families",
        program: "sys_exit",
        tracepoint: "sys_exit",
        entry: Entry::Dispatcher,
    },
    Hook {
        name: "tp_btf/io_uring_submit_req",
        purpose: "openings and connections that io_uring takes on",
        program: "on_uring_submit",
        tracepoint: "io_uring_submit_req",
        entry: Entry::Uring,
    },
    Hook {
        name: "tp_btf/io_uring_complete",
        purpose: "how they ended",
        program: "on_uring_complete",
        tracepoint: "io_uring_complete",
        entry: Entry::Uring,
    },
    Hook {
        name: "tp_btf/io_uring_cqe_overflow",
        purpose: "how they ended, where the process does not fetch the results",
        program: "on_uring_overflow",
        tracepoint: "io_uring_cqe_overflow",
        entry: Entry::Uring,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_has_one_row_and_stands_before_the_dispatcher() {
        let dispatcher = HOOKS.iter().position(|hook| hook.entry == Entry::Dispatcher).expect("a dispatcher");
        for family in Family::ALL {
            let rows: Vec<_> =
                (0..HOOKS.len()).filter(|at| HOOKS[*at].entry == Entry::Family(family)).collect();
            assert!(matches!(rows[..], [at] if at < dispatcher), "{family:?}: {rows:?}");
        }
    }
}
