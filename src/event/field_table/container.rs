//! Containers and the pods that they belong to, as the container plugin of Falco gives them.
//! One row a field; how to read a row stands in `field_table.rs`.

use crate::field::FieldType::{Bool, Span, Text, Time};
use crate::field::{ArgKind, FieldFlags, FieldInfo, FieldType};
use crate::field_table::{f, source, why};

const fn row(name: &'static str, ty: FieldType, doc: &'static str) -> FieldInfo {
    f(name, ty, doc).of(source::SYSCALL)
}

pub(super) const ROWS: &[FieldInfo] = &[
    row("container.id", Text, "First 12 digits of the container's id, or host.").flag(FieldFlags::SUGGESTED),
    row("container.name", Text, "Name of the container.")
        .flag(FieldFlags::SUGGESTED)
        .absent(why::NO_METADATA),
    row("container.image", Text, "Image of the container, as it was asked for.").absent(why::NO_METADATA),
    row("container.image.repository", Text, "Image without tag and digest.")
        .flag(FieldFlags::SUGGESTED)
        .absent(why::NO_METADATA),
    row("container.image.tag", Text, "Tag of the image.")
        .flag(FieldFlags::SUGGESTED)
        .absent(why::NO_METADATA),
    row("k8s.pod.name", Text, "Name of the pod.").flag(FieldFlags::SUGGESTED).absent(why::NO_METADATA),
    row("k8s.ns.name", Text, "Namespace of the pod.").flag(FieldFlags::SUGGESTED).absent(why::NO_METADATA),
    row("container.full_id", Text, "The container's id in full length.").absent(why::NO_METADATA),
    row("container.image.id", Text, "Id of the image.").absent(why::NO_METADATA),
    row("container.type", Text, "Which engine runs the container.").absent(why::NO_METADATA),
    row("container.privileged", Bool, "Whether the container was given every privilege.")
        .absent(why::NO_METADATA),
    row("container.mounts", Text, "Every mount of the container, with its options.").absent(why::NO_METADATA),
    row("container.mount", Text, "One mount, picked by number or by a pattern for its source.")
        .arg(ArgKind::IndexOrKey)
        .absent(why::NO_METADATA),
    row(
        "container.mount.source",
        Text,
        "Where a mount comes from, picked by number or by a pattern for its destination.",
    )
    .arg(ArgKind::IndexOrKey)
    .absent(why::NO_METADATA),
    row(
        "container.mount.dest",
        Text,
        "Where a mount appears in the container, picked by number or by a pattern for its source.",
    )
    .arg(ArgKind::IndexOrKey)
    .absent(why::NO_METADATA),
    row("container.mount.mode", Text, "Mode of the picked mount.")
        .arg(ArgKind::IndexOrKey)
        .absent(why::NO_METADATA),
    row("container.mount.rdwr", Text, "Whether the picked mount may be written to.")
        .arg(ArgKind::IndexOrKey)
        .absent(why::NO_METADATA),
    row("container.mount.propagation", Text, "How the picked mount spreads to other namespaces.")
        .arg(ArgKind::IndexOrKey)
        .absent(why::NO_METADATA),
    row("container.image.digest", Text, "Digest under which a registry knows the image.")
        .absent(why::NO_METADATA),
    row("container.healthcheck", Text, "Command that once told whether the container was healthy.")
        .absent(why::NEVER_PROBES),
    row("container.liveness_probe", Text, "Command of the liveness probe, once.").absent(why::NEVER_PROBES),
    row("container.readiness_probe", Text, "Command of the readiness probe, once.").absent(why::NEVER_PROBES),
    row("container.start_ts", Time, "When the container started: the first process of its pid namespace."),
    row("container.duration", Span, "How long the container has been running, by container.start_ts."),
    row("container.ip", Text, "IPv4 address of the container.").absent(why::NO_METADATA),
    row("container.cni.json", Text, "What the network plugin said when it wired the container, as JSON.")
        .absent(why::NO_METADATA),
    row("container.host_pid", Bool, "Whether the container sees the node's processes.")
        .absent(why::NO_METADATA),
    row("container.host_network", Bool, "Whether the container uses the node's network.")
        .absent(why::NO_METADATA),
    row("container.host_ipc", Bool, "Whether the container shares the node's IPC objects.")
        .absent(why::NO_METADATA),
    row("container.label", Text, "The container's label of that name.")
        .arg(ArgKind::Key)
        .absent(why::NO_METADATA),
    row("container.labels", Text, "Every label of the container.").absent(why::NO_METADATA),
    row("proc.is_container_healthcheck", Bool, "Whether the process was started by a health check.")
        .absent(why::NEVER_PROBES),
    row("proc.is_container_liveness_probe", Bool, "Whether the process was started by a liveness probe.")
        .absent(why::NEVER_PROBES),
    row("proc.is_container_readiness_probe", Bool, "Whether the process was started by a readiness probe.")
        .absent(why::NEVER_PROBES),
    row("k8s.pod.id", Text, "An old name of k8s.pod.uid.").absent(why::NO_METADATA),
    row("k8s.pod.uid", Text, "Uid that the cluster gave the pod.").absent(why::NO_METADATA),
    row("k8s.pod.sandbox_id", Text, "First 12 digits of the id of the pod's sandbox.")
        .absent(why::NO_METADATA),
    row("k8s.pod.full_sandbox_id", Text, "Id of the pod's sandbox in full length.").absent(why::NO_METADATA),
    row("k8s.pod.label", Text, "The pod's label of that name.").arg(ArgKind::Key).absent(why::NO_METADATA),
    row("k8s.pod.labels", Text, "Every label of the pod.").absent(why::NO_METADATA),
    row("k8s.pod.ip", Text, "IPv4 address of the pod.").absent(why::NO_METADATA),
    row("k8s.pod.cni.json", Text, "What the network plugin said when it wired the pod, as JSON.")
        .absent(why::NO_METADATA),
    row("k8s.rc.name", Text, "Name of the replication controller, from the days before k8smeta.")
        .absent(why::NEVER_K8S),
    row("k8s.rc.id", Text, "Id of the replication controller, from the days before k8smeta.")
        .absent(why::NEVER_K8S),
    row("k8s.rc.label", Text, "One label of the replication controller, from the days before k8smeta.")
        .arg(ArgKind::Key)
        .absent(why::NEVER_K8S),
    row("k8s.rc.labels", Text, "All labels of the replication controller, from the days before k8smeta.")
        .absent(why::NEVER_K8S),
    row("k8s.svc.name", Text, "Name of the service, from the days before k8smeta.").absent(why::NEVER_K8S),
    row("k8s.svc.id", Text, "Id of the service, from the days before k8smeta.").absent(why::NEVER_K8S),
    row("k8s.svc.label", Text, "One label of the service, from the days before k8smeta.")
        .arg(ArgKind::Key)
        .absent(why::NEVER_K8S),
    row("k8s.svc.labels", Text, "All labels of the service, from the days before k8smeta.")
        .absent(why::NEVER_K8S),
    row("k8s.ns.id", Text, "Id of the namespace, from the days before k8smeta.").absent(why::NEVER_K8S),
    row("k8s.ns.label", Text, "One label of the namespace, from the days before k8smeta.")
        .arg(ArgKind::Key)
        .absent(why::NEVER_K8S),
    row("k8s.ns.labels", Text, "All labels of the namespace, from the days before k8smeta.")
        .absent(why::NEVER_K8S),
    row("k8s.rs.name", Text, "Name of the replica set, from the days before k8smeta.").absent(why::NEVER_K8S),
    row("k8s.rs.id", Text, "Id of the replica set, from the days before k8smeta.").absent(why::NEVER_K8S),
    row("k8s.rs.label", Text, "One label of the replica set, from the days before k8smeta.")
        .arg(ArgKind::Key)
        .absent(why::NEVER_K8S),
    row("k8s.rs.labels", Text, "All labels of the replica set, from the days before k8smeta.")
        .absent(why::NEVER_K8S),
    row("k8s.deployment.name", Text, "Name of the deployment, from the days before k8smeta.")
        .absent(why::NEVER_K8S),
    row("k8s.deployment.id", Text, "Id of the deployment, from the days before k8smeta.")
        .absent(why::NEVER_K8S),
    row("k8s.deployment.label", Text, "One label of the deployment, from the days before k8smeta.")
        .arg(ArgKind::Key)
        .absent(why::NEVER_K8S),
    row("k8s.deployment.labels", Text, "All labels of the deployment, from the days before k8smeta.")
        .absent(why::NEVER_K8S),
];
