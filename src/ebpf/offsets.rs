//! Where the kernel keeps what the programs read: one list is both the struct that the kernel half holds as a frozen
//! constant and the names that the user half looks up in the running kernel's BTF.
//!
//! A name is `struct.member.member…`, with `+bytes` where an element of an array is meant, `sizeof.struct`, or several of these
//! with `|` between them, tried in turn because kernels have renamed the member, or because machines differ. A `?` in front marks one that a kernel may be built without: its offset is then
//! [`Offsets::ABSENT`].

macro_rules! offsets {
    ($($field:ident = $path:literal,)*) => {
        /// Byte offsets of kernel struct members.
        #[expect(missing_docs, reason = "each field is documented by the member it is the offset of")]
        #[repr(C)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Offsets { $(pub $field: u32,)* }

        impl Offsets {
            /// What the object holds before it is loaded.
            pub const ZERO: Self = Self { $($field: 0,)* };

            /// The member names, in the order of the fields.
            pub const NAMES: &'static [&'static str] = &[$($path),*];

            /// Looks every name up; an error is the first name that was not found.
            pub fn resolve(
                mut find: impl FnMut(&str) -> Option<u32>,
            ) -> Result<Self, &'static str> {
                Ok(Self { $($field: resolve_one($path, &mut find)?,)* })
            }

            /// The first member of one of these structs that the kernel does not have, as its name.
            pub fn absent(&self, structs: &[&str]) -> Option<&'static str> {
                let of = |name: &str| structs.iter().any(|own| name.split('.').next() == Some(*own));
                let words = self.to_words();
                let named = Self::NAMES.iter().map(|name| name.trim_start_matches('?')).zip(words);
                named.filter(|(name, _)| of(name)).find(|(_, at)| *at == Self::ABSENT).map(|(name, _)| name)
            }

            /// The offsets as numbers, in the order of the fields: what the loader puts into the object.
            pub fn to_words(&self) -> [u32; Self::NAMES.len()] {
                [$(self.$field),*]
            }
        }
    };
}

fn resolve_one(path: &'static str, find: &mut impl FnMut(&str) -> Option<u32>) -> Result<u32, &'static str> {
    let names = path.trim_start_matches('?');
    let found = names.split('|').find_map(|name| {
        let (name, plus) = name.split_once('+').unwrap_or((name, "0"));
        find(name)?.checked_add(plus.parse().ok()?)
    });
    match found {
        Some(offset) => Ok(offset),
        None if path.starts_with('?') => Ok(Offsets::ABSENT),
        None => Err(path),
    }
}

impl Offsets {
    /// Stands for a member that this kernel does not have.
    pub const ABSENT: u32 = u32::MAX;
}

offsets! {
    task_pid = "task_struct.pid",
    task_tgid = "task_struct.tgid",
    task_leader = "task_struct.group_leader",
    task_parent = "task_struct.real_parent",
    task_start = "task_struct.start_boottime|task_struct.real_start_time",
    task_comm = "task_struct.comm",
    task_cred = "task_struct.cred",
    task_loginuid = "?task_struct.loginuid",
    task_session = "?task_struct.sessionid",
    task_signal = "task_struct.signal",
    task_exit_code = "task_struct.exit_code",
    task_mm = "task_struct.mm",
    task_fs = "task_struct.fs",
    task_files = "task_struct.files",
    task_thread_pid = "task_struct.thread_pid",
    task_cgroups = "task_struct.cgroups",
    task_status = "task_struct.thread_info.status|task_struct.thread_info.flags",
    cred_uid = "cred.uid",
    cred_gid = "cred.gid",
    cred_euid = "cred.euid",
    cred_egid = "cred.egid",
    cred_fsuid = "cred.fsuid",
    cred_fsgid = "cred.fsgid",
    cred_inheritable = "cred.cap_inheritable",
    cred_permitted = "cred.cap_permitted",
    cred_effective = "cred.cap_effective",
    task_faults_major = "task_struct.maj_flt",
    task_faults_minor = "task_struct.min_flt",
    signal_limits = "signal_struct.rlim",
    pidns_reaper = "pid_namespace.child_reaper",
    mm_total = "mm_struct.total_vm",
    mm_rss = "mm_struct.rss_stat",
    rss_size = "?sizeof.mm_rss_stat",
    counter_size = "?sizeof.percpu_counter",
    counter_count = "?percpu_counter.count",
    signal_live = "signal_struct.live",
    signal_flags = "signal_struct.flags",
    signal_exit_code = "signal_struct.group_exit_code",
    signal_pids = "signal_struct.pids",
    signal_tty = "signal_struct.tty",
    tty_index = "tty_struct.index",
    tty_driver = "tty_struct.driver",
    driver_major = "tty_driver.major",
    driver_minor = "tty_driver.minor_start",
    pid_level = "pid.level",
    pid_numbers = "pid.numbers",
    upid_nr = "upid.nr",
    upid_ns = "upid.ns",
    upid_size = "sizeof.upid",
    pidns_inum = "pid_namespace.ns.inum",
    css_set_default = "css_set.dfl_cgrp",
    css_set_links = "?css_set.cgrp_links",
    link_node = "?cgrp_cset_link.cgrp_link",
    link_group = "?cgrp_cset_link.cgrp",
    cgroup_root = "?cgroup.root",
    hierarchy_id = "?cgroup_root.hierarchy_id",
    cgroup_node = "cgroup.kn",
    node_id = "kernfs_node.id",
    mm_arg_start = "mm_struct.arg_start",
    mm_arg_end = "mm_struct.arg_end",
    mm_env_start = "mm_struct.env_start",
    mm_env_end = "mm_struct.env_end",
    mm_exe_file = "mm_struct.exe_file",
    bprm_filename = "linux_binprm.filename",
    bprm_interp = "linux_binprm.interp",
    bprm_fdpath = "?linux_binprm.fdpath",
    fs_pwd = "fs_struct.pwd",
    path_mnt = "path.mnt",
    path_dentry = "path.dentry",
    mount_mnt = "mount.mnt",
    mount_parent = "mount.mnt_parent",
    mount_mountpoint = "mount.mnt_mountpoint",
    vfsmount_root = "vfsmount.mnt_root",
    task_nsproxy = "task_struct.nsproxy",
    nsproxy_mount = "nsproxy.mnt_ns",
    mount_ns_root = "mnt_namespace.root",
    dentry_pprev = "dentry.d_hash.pprev",
    dentry_parent = "dentry.d_parent",
    dentry_sb = "dentry.d_sb",
    dentry_name = "dentry.d_name.name",
    dentry_name_len = "dentry.d_name.len",
    dentry_short_name = "?dentry.d_shortname|dentry.d_iname",
    files_fdt = "files_struct.fdt",
    fdt_fd = "fdtable.fd",
    fdt_max = "fdtable.max_fds",
    file_mode = "file.f_mode",
    file_path = "file.f_path",
    file_inode = "file.f_inode",
    file_private = "file.private_data",
    inode_mode = "inode.i_mode",
    inode_uid = "inode.i_uid",
    inode_gid = "inode.i_gid",
    inode_flags = "inode.i_flags",
    inode_size = "sizeof.inode",
    inode_sb = "inode.i_sb",
    inode_ino = "inode.i_ino",
    inode_mtime = "inode.i_mtime_sec|inode.i_mtime.tv_sec",
    inode_ctime = "inode.i_ctime_sec|inode.__i_ctime.tv_sec|inode.i_ctime.tv_sec",
    sb_dev = "super_block.s_dev",
    sb_flags = "super_block.s_flags",
    sb_magic = "super_block.s_magic",
    sb_type = "super_block.s_type",
    type_name = "file_system_type.name",
    socket_type = "socket.type",
    socket_sk = "socket.sk",
    sock_protocol = "sock.sk_protocol",
    sock_family = "sock.__sk_common.skc_family",
    sock_local4 = "sock.__sk_common.skc_rcv_saddr",
    sock_remote4 = "sock.__sk_common.skc_daddr",
    sock_local6 = "sock.__sk_common.skc_v6_rcv_saddr",
    sock_remote6 = "sock.__sk_common.skc_v6_daddr",
    sock_local_port = "sock.__sk_common.skc_num",
    sock_remote_port = "sock.__sk_common.skc_dport",
    unix_path = "unix_sock.path",
    unix_peer = "unix_sock.peer",
    regs_nr = "pt_regs.orig_ax|pt_regs.syscallno",
    regs_arg0 = "pt_regs.di|pt_regs.orig_x0",
    regs_arg1 = "pt_regs.si|pt_regs.regs+8",
    regs_arg2 = "pt_regs.dx|pt_regs.regs+16",
    regs_arg3 = "pt_regs.r10|pt_regs.regs+24",
    regs_arg4 = "pt_regs.r8|pt_regs.regs+32",
    regs_arg5 = "pt_regs.r9|pt_regs.regs+40",
    regs_short0 = "pt_regs.bx|pt_regs.orig_x0",
    regs_short1 = "pt_regs.cx|pt_regs.regs+8",
    regs_short2 = "pt_regs.dx|pt_regs.regs+16",
    regs_short3 = "pt_regs.si|pt_regs.regs+24",
    regs_short4 = "pt_regs.di|pt_regs.regs+32",
    regs_short5 = "pt_regs.bp|pt_regs.regs+40",
    sock_queued = "sock.sk_ack_backlog",
    sock_queue_max = "sock.sk_max_ack_backlog",
    filename_name = "?filename.name",
    kiocb_file = "?io_kiocb.file",
    kiocb_cmd = "?io_kiocb.cmd",
    kiocb_opcode = "?io_kiocb.opcode",
    kiocb_flags = "?io_kiocb.flags",
    kiocb_data = "?io_kiocb.cqe.user_data",
    kiocb_res = "?io_kiocb.cqe.res",
    kiocb_fd = "?io_kiocb.cqe.fd",
    kiocb_ring = "?io_kiocb.ctx",
    uring_open_dirfd = "?io_open.dfd",
    uring_open_slot = "?io_open.file_slot",
    uring_open_name = "?io_open.filename",
    uring_open_flags = "?io_open.how.flags",
    uring_open_mode = "?io_open.how.mode",
    uring_open_resolve = "?io_open.how.resolve",
    uring_close_fd = "?io_close.fd",
    uring_close_slot = "?io_close.file_slot",
    uring_connect_address = "?io_connect.addr",
    uring_connect_len = "?io_connect.addr_len",
    uring_files = "?io_ring_ctx.file_table.data.nodes",
    uring_files_count = "?io_ring_ctx.file_table.data.nr",
    uring_node_file = "?io_rsrc_node.file_ptr",
}
