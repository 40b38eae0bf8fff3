//! Actions that want a container around them. They are listed, so that nobody thinks that their rules were tried.

use super::super::action::{Action, Place};

/// One of the event-generator's.
const fn theirs(name: &'static str, stock: &'static str, does: &'static str) -> Action {
    Action::listed(name, stock, does, Place::Container)
}

/// One for a stock rule without an action there.
const fn ours(name: &'static str, stock: &'static str, does: &'static str) -> Action {
    theirs(name, stock, does).own()
}

pub(super) const ACTIONS: &[Action] = &[
    theirs(
        "ChangeNamespacePrivilegesViaUnshare",
        "Change namespace privileges via unshare",
        "Calls unshare without CAP_SYS_ADMIN.",
    ),
    theirs(
        "ContactEC2InstanceMetadataServiceFromContainer",
        "Contact EC2 Instance Metadata Service From Container",
        "Connects to the metadata service of the cloud.",
    )
    .shipped("Cloud metadata service contacted"),
    theirs("ContainerDriftDetectedChmod", "Container Drift Detected (chmod)", "Makes a new file executable."),
    theirs(
        "ContainerDriftDetectedOpenCreate",
        "Container Drift Detected (open+create)",
        "Creates an executable file.",
    ),
    theirs(
        "DebugfsLaunchedInPrivilegedContainer",
        "Debugfs Launched in Privileged Container",
        "Runs debugfs.",
    ),
    theirs(
        "DecodingPayloadInContainer",
        "Decoding Payload in Container",
        "Runs a program with base64 -d among its arguments.",
    ),
    theirs(
        "DetectReleaseAgentFileContainerEscapes",
        "Detect release_agent File Container Escapes",
        "Writes a file called release_agent.",
    )
    .shipped("Kernel callout written from a container"),
    theirs(
        "DropAndExecuteNewBinaryInContainer",
        "Drop and execute new binary in container",
        "Runs a program that is not in the image.",
    ),
    theirs(
        "KubernetesClientToolLaunchedInContainer",
        "Kubernetes Client Tool Launched in Container",
        "Runs kubectl.",
    ),
    theirs(
        "LaunchIngressRemoteFileCopyToolsInContainer",
        "Launch Ingress Remote File Copy Tools in Container",
        "Runs wget.",
    ),
    theirs(
        "LaunchPackageManagementProcessInContainer",
        "Launch Package Management Process in Container",
        "Runs apt-get.",
    )
    .shipped("Package manager run in a container"),
    theirs("LaunchRemoteFileCopyToolsInContainer", "Launch Remote File Copy Tools in Container", "Runs scp."),
    theirs(
        "LaunchSuspiciousNetworkToolInContainer",
        "Launch Suspicious Network Tool in Container",
        "Runs nmap.",
    ),
    theirs(
        "ModifyContainerEntrypoint",
        "Modify Container Entrypoint",
        "Opens a descriptor of its own below /proc/self/fd for writing.",
    ),
    theirs("MountLaunchedInPrivilegedContainer", "Mount Launched in Privileged Container", "Runs mount."),
    theirs(
        "NetcatRemoteCodeExecutionInContainer",
        "Netcat Remote Code Execution in Container",
        "Runs nc -e.",
    )
    .shipped("Network tool started with a shell attached"),
    theirs("PacketSocketCreatedInContainer", "Packet socket created in container", "Makes a packet socket."),
    theirs(
        "ReadEnvironmentVariableFromProcFiles",
        "Read environment variable from /proc files",
        "Reads /proc/self/environ.",
    ),
    ours(
        "ContactCloudMetadataServiceFromContainer",
        "Contact cloud metadata service from container",
        "Connects to the metadata service of the cloud.",
    )
    .shipped("Cloud metadata service contacted"),
    ours(
        "ContactK8SAPIServerFromContainer",
        "Contact K8S API Server From Container",
        "Connects to the cluster's API server.",
    ),
    ours(
        "ContainerAccessToHostSensitivePaths",
        "Container Access to Host Sensitive Paths",
        "Opens a file of the host below /host.",
    ),
    ours("ContainerRunAsRootUser", "Container Run as Root User", "Starts as root."),
    ours(
        "ExfiltratingArtifactsViaKubernetesControlPlane",
        "Exfiltrating Artifacts via Kubernetes Control Plane",
        "Runs tar as kubectl cp does.",
    ),
    ours("LaunchDisallowedContainer", "Launch Disallowed Container", "Starts from an image not on a list."),
    ours(
        "LaunchExcessivelyCapableContainer",
        "Launch Excessively Capable Container",
        "Starts with capabilities that matter.",
    ),
    ours("LaunchPrivilegedContainer", "Launch Privileged Container", "Starts with all privileges."),
    ours(
        "LaunchSensitiveMountContainer",
        "Launch Sensitive Mount Container",
        "Starts with a directory of the host.",
    ),
    ours(
        "LinuxKernelModuleInjectionDetected",
        "Linux Kernel Module Injection Detected",
        "Loads a kernel module.",
    ),
    ours(
        "NetworkConnectionOutsideLocalSubnet",
        "Network Connection outside Local Subnet",
        "Connects to an address beyond its network.",
    ),
    ours(
        "NetworkToolExecutedDuringNPMPackageInstall",
        "Network Tool Executed During NPM Package Install",
        "Runs nc below npm.",
    ),
    ours(
        "OutboundOrInboundTrafficNotToAuthorizedServerProcessAndPort",
        "Outbound or Inbound Traffic not to Authorized Server Process and Port",
        "Connects from a process that is not the server.",
    ),
    ours(
        "PrivilegedContainerDeviceAccess",
        "Privileged Container Device Access",
        "Opens a disk of the host.",
    ),
    ours(
        "RedirectSTDOUTSTDINToNetworkConnectionInContainer",
        "Redirect STDOUT/STDIN to Network Connection in Container",
        "Makes a socket its standard input.",
    ),
    ours("TerminalShellInContainer", "Terminal shell in container", "Runs a shell on a terminal.")
        .shipped("Terminal shell in a container"),
    ours(
        "UnexpectedK8sNodePortConnection",
        "Unexpected K8s NodePort Connection",
        "Takes a connection on a node port.",
    ),
];
