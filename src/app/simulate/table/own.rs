//! Actions for stock rules that the event-generator has none for, where a host can show what the rule looks for; and the
//! rules of the host for which no harmless action can be made, with the reason.

use super::super::action::Need::{Bpf, Root, SysAdmin};
use super::super::action::{Action, Need, Place};
use super::super::acts::{files, network, programs, system};

const ROOT: &[Need] = &[Root];
const ISLAND: &[Need] = &[SysAdmin];

pub(super) const ACTIONS: &[Action] = &[
    Action::host(
        "BackdooredLibraryLoadedIntoSSHDCVE20243094",
        "Backdoored library loaded into SSHD (CVE-2024-3094)",
        "Plays sshd, which opens an empty file called liblzma.so.5.6.0.",
        programs::sshd_opens_library,
    )
    .shipped("Suspicious library loaded by sshd")
    .own()
    .after(files::with_library),
    Action::host(
        "BasicInteractiveReconnaissance",
        "Basic Interactive Reconnaissance",
        "Plays whoami on a terminal.",
        programs::look_round_on_terminal,
    )
    .own()
    .shipped("Survey command typed on a terminal"),
    Action::host(
        "BPFProgramNotProfiled",
        "BPF Program Not Profiled",
        "Loads a BPF program of two instructions and attaches it to nothing.",
        system::load_bpf_program,
    )
    .shipped("BPF program loaded by an unexpected program")
    .own()
    .needs(&[Bpf]),
    Action::host(
        "DisallowedSSHConnection",
        "Disallowed SSH Connection",
        "Begins a connection to port 22 of nobody.",
        network::ssh_to_22,
    )
    .own()
    .needs(ISLAND)
    .shipped("SSH connection"),
    Action::host(
        "KnownCryptominerProcessExecuted",
        "Known Cryptominer Process Executed",
        "Plays xmrig.",
        programs::run_xmrig,
    )
    .own()
    .shipped("Coin miner started"),
    Action::host(
        "NetcatSocatRemoteCodeExecutionOnHost",
        "Netcat/Socat Remote Code Execution on Host",
        "Plays nc, told to hand a connection to /bin/sh.",
        programs::run_nc_with_shell,
    )
    .own()
    .shipped("Network tool started with a shell attached"),
    Action::host(
        "ReadSensitiveFileUntrustedByIoUring",
        "Read sensitive file untrusted",
        "Has io_uring open /etc/shadow, and reads nothing of it.",
        files::read_shadow_by_uring,
    )
    .own()
    .needs(ROOT)
    .shipped("Sensitive file read by an unexpected program"),
    Action::host(
        "ReverseShellFromWebServer",
        "Reverse Shell from Web Server",
        "Plays gunicorn, which runs bash -i.",
        programs::gunicorn_runs_bash_i,
    )
    .own()
    .shipped("Interactive shell from a network service"),
    Action::host(
        "UnexpectedInboundConnectionSource",
        "Unexpected inbound connection source",
        "Takes a connection from an address kept for documentation.",
        network::serve_a_stranger,
    )
    .own()
    .needs(ISLAND)
    .shipped("Connection taken from an unexpected address"),
    Action::host(
        "UnexpectedUDPTrafficByIoUring",
        "Unexpected UDP Traffic",
        "Has io_uring connect a socket to an unusual port of nobody.",
        network::unusual_udp_by_uring,
    )
    .own()
    .needs(ISLAND)
    .shipped("UDP to an unusual port"),
    Action::host(
        "UpdatePackageRepository",
        "Update Package Repository",
        "Creates an empty file in /etc/apt/sources.list.d that apt passes over.",
        files::write_package_source,
    )
    .own()
    .needs(ROOT)
    .shipped("Configuration below /etc written"),
    Action::host(
        "WebServerSpawnedShell",
        "Web Server Spawned Shell",
        "Plays gunicorn, which runs bash.",
        programs::gunicorn_runs_bash,
    )
    .own()
    .shipped("Shell started by a network service"),
    Action::host(
        "WebServerSpawnedSuspiciousChildProcess",
        "Web Server Spawned Suspicious Child Process",
        "Plays gunicorn, which runs id.",
        programs::gunicorn_runs_id,
    )
    .own()
    .shipped("Survey command run by a network service"),
    Action::listed(
        "DetectOutboundConnectionsToCommonMinerPoolPorts",
        "Detect outbound connections to common miner pool ports",
        "Would connect to a mining pool.",
        Place::Nowhere("the rule wants the host name of a real mining pool"),
    )
    .own(),
    Action::listed(
        "OutboundConnectionToC2Servers",
        "Outbound Connection to C2 Servers",
        "Would connect to a server on a list of known attackers.",
        Place::Nowhere("the rule's list of servers is empty until somebody fills it"),
    )
    .own(),
    Action::listed(
        "UnexpectedOutboundConnectionDestination",
        "Unexpected outbound connection destination",
        "Would connect to an address that is not allowed.",
        Place::Nowhere("the rule looks at nothing until connections are allowed in it"),
    )
    .own(),
];
