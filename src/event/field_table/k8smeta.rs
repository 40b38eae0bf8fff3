//! What the k8smeta plugin of Falco knows from the cluster.
//! One row a field; how to read a row stands in `field_table.rs`.

use crate::field::FieldType::Text;
use crate::field::{ArgKind, FieldFlags, FieldInfo, FieldType, Shape};
use crate::field_table::{f, source, why};

const fn row(name: &'static str, ty: FieldType, doc: &'static str) -> FieldInfo {
    f(name, ty, doc).of(source::SYSCALL).absent(why::K8SMETA)
}

const fn text(name: &'static str, doc: &'static str) -> FieldInfo {
    row(name, Text, doc)
}

pub(super) const ROWS: &[FieldInfo] = &[
    text("k8smeta.pod.name", "Name of the pod, as the cluster has it.").flag(FieldFlags::SUGGESTED),
    text("k8smeta.pod.uid", "Uid of the pod, as the cluster has it."),
    text("k8smeta.pod.label", "The label of that name of the pod, as the cluster has it.").arg(ArgKind::Key),
    text("k8smeta.pod.labels", "Every label of the pod as name:value.").shape(Shape::List),
    text("k8smeta.pod.ip", "Address of the pod, as the cluster has it."),
    text("k8smeta.ns.name", "Name of the pod's namespace, as the cluster has it.")
        .flag(FieldFlags::SUGGESTED),
    text("k8smeta.ns.uid", "Uid of the pod's namespace, as the cluster has it."),
    text("k8smeta.ns.label", "The label of that name of the pod's namespace, as the cluster has it.")
        .arg(ArgKind::Key),
    text("k8smeta.ns.labels", "Every label of the pod's namespace as name:value.").shape(Shape::List),
    text("k8smeta.deployment.name", "Name of the pod's deployment, as the cluster has it."),
    text("k8smeta.deployment.uid", "Uid of the pod's deployment, as the cluster has it."),
    text(
        "k8smeta.deployment.label",
        "The label of that name of the pod's deployment, as the cluster has it.",
    )
    .arg(ArgKind::Key),
    text("k8smeta.deployment.labels", "Every label of the pod's deployment as name:value.")
        .shape(Shape::List),
    text("k8smeta.svc.name", "Names of the pod's services, as the cluster has it.").shape(Shape::List),
    text("k8smeta.svc.uid", "Uids of the pod's services, as the cluster has it.").shape(Shape::List),
    text("k8smeta.svc.label", "The label of that name of the pod's services, as the cluster has it.")
        .arg(ArgKind::Key)
        .shape(Shape::List),
    text("k8smeta.svc.labels", "Every label of the pod's services as name:value.").shape(Shape::List),
    text("k8smeta.rs.name", "Name of the pod's replica set, as the cluster has it."),
    text("k8smeta.rs.uid", "Uid of the pod's replica set, as the cluster has it."),
    text("k8smeta.rs.label", "The label of that name of the pod's replica set, as the cluster has it.")
        .arg(ArgKind::Key),
    text("k8smeta.rs.labels", "Every label of the pod's replica set as name:value.").shape(Shape::List),
    text("k8smeta.rc.name", "Name of the pod's replication controller, as the cluster has it."),
    text("k8smeta.rc.uid", "Uid of the pod's replication controller, as the cluster has it."),
    text(
        "k8smeta.rc.label",
        "The label of that name of the pod's replication controller, as the cluster has it.",
    )
    .arg(ArgKind::Key),
    text("k8smeta.rc.labels", "Every label of the pod's replication controller as name:value.")
        .shape(Shape::List),
];
