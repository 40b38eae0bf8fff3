//! The 48 actions of Falco's event-generator that run on a host. The names are theirs, what is done is ours: the system
//! calls are made here, and programs are played.

use super::super::action::Need::{Root, SysAdmin};
use super::super::action::{Action, Need};
use super::super::acts::{files, network, programs, system};

const ROOT: &[Need] = &[Root];
const ISLAND: &[Need] = &[SysAdmin];

pub(super) const ACTIONS: &[Action] = &[
    Action::host(
        "AddingSshKeysToAuthorizedKeys",
        "Adding ssh keys to authorized_keys",
        "Writes into .ssh/authorized_keys of a home directory made for it.",
        files::write_authorized_keys,
    )
    .after(files::with_home)
    .needs(ROOT)
    .shipped("Authorised SSH keys written"),
    Action::host(
        "ChangeThreadNamespace",
        "Change thread namespace",
        "Calls setns on the namespace that it is in.",
        system::change_namespace,
    )
    .shipped("Namespace entered")
    .needs(ISLAND),
    Action::host(
        "ClearLogActivities",
        "Clear Log Activities",
        "Empties a file in /var/log that was made for it.",
        files::empty_log,
    )
    .after(files::with_log)
    .needs(ROOT)
    .shipped("Log file truncated"),
    Action::host(
        "CreateFilesBelowDev",
        "Create files below dev",
        "Creates an empty file in /dev.",
        files::create_below_dev,
    )
    .shipped("File made below /dev")
    .needs(ROOT),
    Action::host(
        "CreateHardlinkOverSensitiveFiles",
        "Create Hardlink Over Sensitive Files",
        "Tries a hard link to /etc/shadow in a directory of its own.",
        files::link_to_shadow,
    )
    .shipped("Hard link to a sensitive file")
    .needs(ROOT),
    Action::host(
        "CreateHiddenFilesOrDirectories",
        "Create Hidden Files or Directories",
        "Makes a directory whose name begins with a dot, and a file in it.",
        files::make_hidden_directory,
    )
    .shipped("Hidden name made elsewhere"),
    Action::host(
        "CreateSymlinkOverSensitiveFiles",
        "Create Symlink Over Sensitive Files",
        "Makes a symbolic link to /etc in a directory of its own.",
        files::symlink_to_etc,
    )
    .shipped("Symlink to a sensitive file"),
    Action::host(
        "DbProgramSpawnedProcess",
        "DB program spawned process",
        "Plays mysqld, which runs id.",
        programs::mysqld_runs_id,
    )
    .shipped("Program started by a database"),
    Action::host(
        "DeleteOrRenameShellHistory",
        "Delete or rename shell history",
        "Empties and deletes a file called fish_history in a directory of its own.",
        files::delete_history,
    )
    .after(files::with_history)
    .shipped("Shell history truncated"),
    Action::host(
        "DetectCryptoMinersUsingTheStratumProtocol",
        "Detect crypto miners using the Stratum protocol",
        "Plays echo with stratum+tcp among its arguments.",
        programs::echo_stratum,
    )
    .shipped("Coin miner started"),
    Action::host(
        "DirectoryTraversalMonitoredFileRead",
        "Directory traversal monitored file read",
        "Plays nginx, which opens /etc/../etc/../etc/passwd.",
        programs::nginx_traverses,
    )
    .shipped("Path traversal to a system file"),
    Action::host(
        "DisallowedSSHConnectionNonStandardPort",
        "Disallowed SSH Connection Non Standard Port",
        "Plays ssh, which begins a connection to port 443 of nobody.",
        network::ssh_to_443,
    )
    .needs(ISLAND)
    .shipped("SSH to an unusual port"),
    Action::host(
        "ExecutionFromDevShm",
        "Execution from /dev/shm",
        "Runs a program in /dev/shm that does nothing.",
        programs::run_from_dev_shm,
    )
    .shipped("Program run from shared memory"),
    Action::host(
        "FilelessExecutionViaMemfdCreate",
        "Fileless execution via memfd_create",
        "Runs a program that does nothing from an anonymous memory file.",
        programs::run_from_memory,
    )
    .shipped("Program run from memory"),
    Action::host(
        "FindAwsCredentials",
        "Find AWS Credentials",
        "Plays find, looking for .aws/credentials.",
        programs::find_aws_credentials,
    )
    .shipped("Search for credentials"),
    Action::host(
        "InterpretedProcsInboundNetworkActivity",
        "Interpreted procs inbound network activity",
        "Plays lua, which takes a connection.",
        network::interpreter_serves,
    )
    .needs(ISLAND)
    .shipped("Shell or interpreter waits for connections"),
    Action::host(
        "InterpretedProcsOutboundNetworkActivity",
        "Interpreted procs outbound network activity",
        "Plays node, which begins a connection to nobody.",
        network::interpreter_calls,
    )
    .needs(ISLAND)
    .shipped("Interpreter connects to a public address"),
    Action::host(
        "JavaProcessClassFileDownload",
        "Java Process Class File Download",
        "Plays java, which receives the first bytes of a class file from itself.",
        network::java_receives_class,
    )
    .needs(ISLAND)
    .reads(&["evt.buffer"])
    .shipped("Java program receives a class"),
    Action::host(
        "LaunchSuspiciousNetworkToolOnHost",
        "Launch Suspicious Network Tool on Host",
        "Plays nmap.",
        programs::run_nmap,
    )
    .shipped("Network probing tool started"),
    Action::host(
        "MkdirBinaryDirs",
        "Mkdir binary dirs",
        "Makes a directory in /bin.",
        files::make_directory_in_bin,
    )
    .shipped("Directory made among the programs")
    .needs(ROOT),
    Action::host(
        "ModifyBinaryDirs",
        "Modify binary dirs",
        "Moves an empty file into /bin, or tries to.",
        files::move_into_bin,
    )
    .shipped("Program removed or replaced by name")
    .after(files::with_file)
    .needs(ROOT),
    Action::host(
        "ModifyShellConfigurationFile",
        "Modify Shell Configuration File",
        "Writes into .bashrc of a home directory made for it.",
        files::write_shell_configuration,
    )
    .after(files::with_home)
    .needs(ROOT)
    .shipped("Shell start-up file written"),
    Action::host(
        "NonSudoSetuid",
        "Non sudo setuid",
        "Becomes another user with setuid, and tries to become root again.",
        system::set_uid,
    )
    .shipped("Identity changed to root without sudo")
    .needs(ROOT),
    Action::host(
        "PolkitLocalPrivilegeEscalationVulnerabilityCVE20214034",
        "Polkit Local Privilege Escalation Vulnerability (CVE-2021-4034)",
        "Plays pkexec without arguments, as the user daemon.",
        programs::pkexec_as_daemon,
    )
    .needs(ROOT)
    .shipped("pkexec started without a program"),
    Action::host(
        "PotentialLocalPrivilegeEscalationViaEnvironmentVariablesMisuse",
        "Potential Local Privilege Escalation via Environment Variables Misuse",
        "Runs a program that does nothing with GLIBC_TUNABLES set.",
        programs::run_with_tunables,
    )
    .reads(&["proc.env"])
    .shipped("C library tuned by the environment"),
    Action::host(
        "ProgramRunWithDisallowedHttpProxyEnv",
        "Program run with disallowed http proxy env",
        "Plays curl with HTTP_PROXY set.",
        programs::curl_with_proxy,
    )
    .reads(&["proc.env"])
    .shipped("Download tool sent through a proxy"),
    Action::host(
        "PtraceAntiDebugAttempt",
        "PTRACE anti-debug attempt",
        "Asks to be traced by its parent.",
        system::trace_me,
    )
    .shipped("Process asks to be traced"),
    Action::host(
        "PtraceAttachedToProcess",
        "PTRACE attached to process",
        "Attaches to a sleeping process of its own and lets go of it.",
        system::trace_another,
    )
    .shipped("Process attached to by an unexpected program"),
    Action::host(
        "ReadSensitiveFileTrustedAfterStartup",
        "Read sensitive file trusted after startup",
        "Plays httpd, which opens /etc/shadow six seconds after its start.",
        programs::httpd_reads_shadow_late,
    )
    .needs(ROOT)
    .shipped("Sensitive file read by an unexpected program"),
    Action::host(
        "ReadSensitiveFileUntrusted",
        "Read sensitive file untrusted",
        "Opens /etc/shadow and reads nothing of it.",
        files::read_shadow,
    )
    .needs(ROOT)
    .shipped("Sensitive file read by an unexpected program"),
    Action::host(
        "ReadShellConfigurationFile",
        "Read Shell Configuration File",
        "Opens .bashrc of a home directory made for it.",
        files::read_shell_configuration,
    )
    .after(files::with_home)
    .needs(ROOT)
    .shipped("Shell start-up file read by another program"),
    Action::host(
        "ReadSshInformation",
        "Read ssh information",
        "Opens an empty private key in a home directory made for it.",
        files::read_ssh_key,
    )
    .after(files::with_home)
    .needs(ROOT)
    .shipped("Private SSH key read by an unexpected program"),
    Action::host(
        "RemoveBulkDataFromDisk",
        "Remove Bulk Data from Disk",
        "Plays shred on an empty file.",
        programs::run_shred,
    )
    .shipped("Data wiped from a disk")
    .after(files::with_file),
    Action::host(
        "RunShellUntrusted",
        "Run shell untrusted",
        "Plays redis-server, which runs bash.",
        programs::redis_runs_bash,
    )
    .shipped("Shell started by a network service"),
    Action::host(
        "ScheduleCronJobs",
        "Schedule Cron Jobs",
        "Plays crontab -l, and creates an empty file where cron does not look.",
        programs::schedule_cron_job,
    )
    .needs(ROOT)
    .shipped("Scheduled job written past crontab"),
    Action::host(
        "SearchPrivateKeysOrPasswords",
        "Search Private Keys or Passwords",
        "Plays find, looking for id_rsa.",
        programs::find_private_keys,
    )
    .shipped("Search for credentials"),
    Action::host(
        "SetSetuidOrSetgidBit",
        "Set Setuid or Setgid bit",
        "Sets the set-user-id bit of an empty file that nobody can run.",
        files::set_setuid_bit,
    )
    .shipped("Set-user-ID bit set in a writable place")
    .after(files::with_file),
    Action::host(
        "SudoPotentialPrivilegeEscalation",
        "Sudo Potential Privilege Escalation",
        "Plays sudoedit -s with a trailing backslash, as the user daemon.",
        programs::sudoedit_as_daemon,
    )
    .needs(ROOT)
    .shipped("sudoedit given a broken argument"),
    Action::host(
        "SystemProcsNetworkActivity",
        "System procs network activity",
        "Plays bash, which begins a connection to nobody.",
        network::shell_calls,
    )
    .needs(ISLAND)
    .shipped("Shell opens a network connection"),
    Action::host(
        "SystemUserInteractive",
        "System user interactive",
        "Plays sshd, in which the user daemon gets a shell on a terminal.",
        programs::daemon_logs_in,
    )
    .needs(ROOT)
    .shipped("Shell of a service account on a terminal"),
    Action::host(
        "UnexpectedUDPTraffic",
        "Unexpected UDP Traffic",
        "Sends a datagram to an unusual port of nobody.",
        network::unusual_udp,
    )
    .shipped("UDP to an unusual port")
    .needs(ISLAND),
    Action::host(
        "UnprivilegedDelegationOfPageFaultsHandlingToAUserspaceProcess",
        "Unprivileged Delegation of Page Faults Handling to a Userspace Process",
        "Calls userfaultfd as the user daemon.",
        system::delegate_page_faults,
    )
    .shipped("Page faults handled by a program")
    .needs(ROOT),
    Action::host("UserMgmtBinaries", "User mgmt binaries", "Plays usermod.", programs::run_usermod)
        .shipped("Account changed by hand"),
    Action::host(
        "WriteBelowBinaryDir",
        "Write below binary dir",
        "Creates an empty file in /bin.",
        files::write_below_bin,
    )
    .needs(ROOT)
    .shipped("Program directory written"),
    Action::host(
        "WriteBelowEtc",
        "Write below etc",
        "Creates an empty file in /etc.",
        files::write_below_etc,
    )
    .needs(ROOT)
    .shipped("Configuration below /etc written"),
    Action::host(
        "WriteBelowMonitoredDir",
        "Write below monitored dir",
        "Creates an empty file in /lib.",
        files::write_below_lib,
    )
    .needs(ROOT)
    .shipped("System library or boot file written"),
    Action::host(
        "WriteBelowRoot",
        "Write below root",
        "Creates an empty file in /root.",
        files::write_below_root,
    )
    .needs(ROOT)
    .shipped("File put into / or root's home"),
    Action::host(
        "WriteBelowRpmDatabase",
        "Write below rpm database",
        "Creates an empty file in /var/lib/rpm.",
        files::write_below_rpm,
    )
    .needs(ROOT)
    .shipped("Package database written"),
];
