//! The audit log of Kubernetes: `ka.*`.
//! One row a field; how to read a row stands in `field_table.rs`.

use crate::field::FieldType::Text;
use crate::field::{ArgKind, FieldInfo, FieldType, Shape};
use crate::field_table::{f, source, why};

const fn row(name: &'static str, ty: FieldType, doc: &'static str) -> FieldInfo {
    f(name, ty, doc).of(source::K8S_AUDIT).absent(why::K8S_AUDIT)
}

const fn text(name: &'static str, doc: &'static str) -> FieldInfo {
    row(name, Text, doc)
}

pub(super) const ROWS: &[FieldInfo] = &[
    text("ka.auditid", "Id of the audited request."),
    text("ka.stage", "How far the request had come."),
    text("ka.auth.decision", "Whether authorization allowed it."),
    text("ka.auth.reason", "Why authorization decided so."),
    text("ka.auth.openshift.decision", "What OpenShift decided about the login."),
    text("ka.validations.admission.policy.failure", "Which admission policy the object failed."),
    text("ka.security.pod.violations", "Which pod security standards the object breaks."),
    text("ka.auth.openshift.username", "User name that OpenShift saw at the login."),
    text("ka.user.name", "Who made the request."),
    text("ka.user.groups", "Groups of who made it.").shape(Shape::List),
    text("ka.impuser.name", "In whose name it was made."),
    text("ka.verb", "What was asked: get, create, delete and so on."),
    text("ka.uri", "Path and query of the request."),
    text("ka.uri.param", "The query's parameter of that name.").arg(ArgKind::Key),
    text("ka.target.name", "Name of the object."),
    text("ka.target.namespace", "Namespace of the object."),
    text("ka.target.resource", "Kind of the object."),
    text("ka.target.subresource", "Part of the object, such as exec."),
    text("ka.target.pod.name", "Name of the pod that was made."),
    text("ka.req.binding.subjects", "Subjects of a role binding.").shape(Shape::List),
    text("ka.req.binding.subjects.user_names", "Users that a role binding names.").shape(Shape::List),
    text("ka.req.binding.subjects.serviceaccount_names", "Service accounts that a role binding names.")
        .shape(Shape::List),
    text("ka.req.binding.subjects.serviceaccount_ns_names", "The same with their namespaces before them.")
        .shape(Shape::List),
    text("ka.req.binding.subjects.group_names", "Groups that a role binding names.").shape(Shape::List),
    text("ka.req.binding.role", "Role that a binding gives."),
    text(
        "ka.req.binding.subject.has_name",
        "An old question whether a binding names the key; true for all in Falco.",
    )
    .arg(ArgKind::Key),
    text("ka.req.configmap.name", "Name of the config map."),
    text("ka.req.configmap.obj", "Content of the config map."),
    text("ka.req.pod.containers.args", "Arguments of the pod's containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.pod.containers.command", "Commands of the pod's containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.pod.containers.name", "Names of the pod's containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.pod.containers.image", "Images of the pod's containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.container.image", "Image of the first container, under an old name."),
    text("ka.req.pod.containers.image.repository", "Images without tag and digest of the pod's containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.container.image.repository", "Repository of that image, under an old name."),
    text("ka.req.pod.host_ipc", "Whether the pod shares the node's IPC objects."),
    text("ka.req.pod.host_network", "Whether the pod uses the node's network."),
    text("ka.req.container.host_network", "An old name of ka.req.pod.host_network."),
    text("ka.req.pod.host_pid", "Whether the pod sees the node's processes."),
    text("ka.req.pod.containers.host_port", "Ports taken on the node of the pod's containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.pod.containers.privileged", "Which are privileged of the pod's containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.container.privileged", "Whether any container is privileged, under an old name."),
    text(
        "ka.req.pod.containers.allow_privilege_escalation",
        "Which may gain privileges of the pod's containers.",
    )
    .arg(ArgKind::OptionalIndex)
    .shape(Shape::List),
    text(
        "ka.req.pod.containers.read_only_fs",
        "Which cannot write to their root file system of the pod's containers.",
    )
    .arg(ArgKind::OptionalIndex)
    .shape(Shape::List),
    text("ka.req.pod.run_as_user", "User id that the pod sets for its containers."),
    text("ka.req.pod.containers.run_as_user", "User ids set of the pod's containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.pod.containers.eff_run_as_user", "User ids in effect of the pod's containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.pod.run_as_group", "Group id that the pod sets for its containers."),
    text("ka.req.pod.containers.run_as_group", "Group ids set of the pod's containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.pod.containers.eff_run_as_group", "Group ids in effect of the pod's containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.pod.containers.proc_mount", "Kinds of the proc mount of the pod's containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.role.rules", "Rules of a role, each as JSON.").shape(Shape::List),
    text("ka.req.role.rules.apiGroups", "API groups that a role's rules concern.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.role.rules.nonResourceURLs", "Plain URLs that a role's rules concern.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.role.rules.verbs", "Verbs that a role's rules allow.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.role.rules.resources", "Resources that a role's rules concern.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.pod.fs_group", "Group that owns the pod's volumes."),
    text("ka.req.pod.supplemental_groups", "Further groups of the pod's processes.").shape(Shape::List),
    text("ka.req.pod.containers.add_capabilities", "Capabilities added of the pod's containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.service.type", "How a service is reached."),
    text("ka.req.service.ports", "Ports of a service.").arg(ArgKind::OptionalIndex).shape(Shape::List),
    text("ka.req.pod.volumes.hostpath", "Paths of the node that the pod mounts.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.volume.hostpath", "Whether the pod mounts that path of the node; an old form.")
        .arg(ArgKind::Key),
    text("ka.req.pod.volumes.flexvolume_driver", "Drivers of the pod's flex volumes.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.pod.volumes.volume_type", "Kinds of the pod's volumes.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.resp.name", "Name of the object in the answer."),
    text("ka.response.code", "Status code of the answer."),
    text("ka.response.reason", "Why the answer is what it is."),
    text("ka.useragent", "Program that made the request."),
    text("ka.sourceips", "Addresses from which the request came.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.cluster.name", "Name of the cluster, where a hosting service adds it."),
    text("ka.req.pod.initContainers.name", "Names of the pod's init containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.pod.initContainers.image", "Images of the pod's init containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text(
        "ka.req.pod.initContainers.image.repository",
        "Images without tag and digest of the pod's init containers.",
    )
    .arg(ArgKind::OptionalIndex)
    .shape(Shape::List),
    text("ka.req.pod.initContainers.command", "Commands of the pod's init containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.pod.initContainers.args", "Arguments of the pod's init containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.pod.initContainers.privileged", "Which are privileged of the pod's init containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text(
        "ka.req.pod.initContainers.allow_privilege_escalation",
        "Which may gain privileges of the pod's init containers.",
    )
    .arg(ArgKind::OptionalIndex)
    .shape(Shape::List),
    text(
        "ka.req.pod.initContainers.read_only_fs",
        "Which cannot write to their root file system of the pod's init containers.",
    )
    .arg(ArgKind::OptionalIndex)
    .shape(Shape::List),
    text("ka.req.pod.initContainers.run_as_user", "User ids set of the pod's init containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.pod.initContainers.eff_run_as_user", "User ids in effect of the pod's init containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.pod.initContainers.run_as_group", "Group ids set of the pod's init containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.pod.initContainers.eff_run_as_group", "Group ids in effect of the pod's init containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.pod.initContainers.proc_mount", "Kinds of the proc mount of the pod's init containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.pod.initContainers.add_capabilities", "Capabilities added of the pod's init containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.pod.initContainers.host_port", "Ports taken on the node of the pod's init containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.pod.ephemeralContainers.name", "Names of the pod's ephemeral containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.pod.ephemeralContainers.image", "Images of the pod's ephemeral containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text(
        "ka.req.pod.ephemeralContainers.image.repository",
        "Images without tag and digest of the pod's ephemeral containers.",
    )
    .arg(ArgKind::OptionalIndex)
    .shape(Shape::List),
    text("ka.req.pod.ephemeralContainers.command", "Commands of the pod's ephemeral containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ka.req.pod.ephemeralContainers.args", "Arguments of the pod's ephemeral containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text(
        "ka.req.pod.ephemeralContainers.privileged",
        "Which are privileged of the pod's ephemeral containers.",
    )
    .arg(ArgKind::OptionalIndex)
    .shape(Shape::List),
    text(
        "ka.req.pod.ephemeralContainers.allow_privilege_escalation",
        "Which may gain privileges of the pod's ephemeral containers.",
    )
    .arg(ArgKind::OptionalIndex)
    .shape(Shape::List),
    text(
        "ka.req.pod.ephemeralContainers.read_only_fs",
        "Which cannot write to their root file system of the pod's ephemeral containers.",
    )
    .arg(ArgKind::OptionalIndex)
    .shape(Shape::List),
    text("ka.req.pod.ephemeralContainers.run_as_user", "User ids set of the pod's ephemeral containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text(
        "ka.req.pod.ephemeralContainers.eff_run_as_user",
        "User ids in effect of the pod's ephemeral containers.",
    )
    .arg(ArgKind::OptionalIndex)
    .shape(Shape::List),
    text("ka.req.pod.ephemeralContainers.run_as_group", "Group ids set of the pod's ephemeral containers.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text(
        "ka.req.pod.ephemeralContainers.eff_run_as_group",
        "Group ids in effect of the pod's ephemeral containers.",
    )
    .arg(ArgKind::OptionalIndex)
    .shape(Shape::List),
    text(
        "ka.req.pod.ephemeralContainers.proc_mount",
        "Kinds of the proc mount of the pod's ephemeral containers.",
    )
    .arg(ArgKind::OptionalIndex)
    .shape(Shape::List),
    text(
        "ka.req.pod.ephemeralContainers.add_capabilities",
        "Capabilities added of the pod's ephemeral containers.",
    )
    .arg(ArgKind::OptionalIndex)
    .shape(Shape::List),
];
