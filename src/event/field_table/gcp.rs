//! The audit log of Google Cloud.
//! One row a field; how to read a row stands in `field_table.rs`.

use crate::field::FieldType::Text;
use crate::field::{FieldInfo, FieldType};
use crate::field_table::{f, source, why};

const fn row(name: &'static str, ty: FieldType, doc: &'static str) -> FieldInfo {
    f(name, ty, doc).of(source::GCP_AUDITLOG).absent(why::GCP)
}

const fn text(name: &'static str, doc: &'static str) -> FieldInfo {
    row(name, Text, doc)
}

pub(super) const ROWS: &[FieldInfo] = &[
    text("gcp.user", "Mail address of who called."),
    text("gcp.callerIP", "Address from which the call came."),
    text("gcp.userAgent", "Program that made the call."),
    text("gcp.authorizationInfo", "What was allowed and denied, as JSON."),
    text("gcp.serviceName", "API service that was called."),
    text("gcp.policyDelta", "What the call changed in a policy's bindings, as JSON."),
    text("gcp.request", "The request itself, as JSON."),
    text("gcp.methodName", "Method that was called."),
    text("gcp.cloudfunctions.function", "Cloud function that the call concerns."),
    text("gcp.cloudsql.databaseId", "SQL database that the call concerns."),
    text("gcp.compute.instanceId", "Virtual machine that the call concerns."),
    text("gcp.compute.networkId", "Network that the call concerns."),
    text("gcp.compute.subnetwork", "Name of the subnetwork that the call concerns."),
    text("gcp.compute.subnetworkId", "Id of the subnetwork that the call concerns."),
    text("gcp.dns.zone", "DNS zone that the call concerns."),
    text("gcp.iam.serviceAccount", "Mail address of the service account that the call concerns."),
    text("gcp.iam.serviceAccountId", "Id of the service account that the call concerns."),
    text("gcp.location", "Region in which the resource lies."),
    text("gcp.logging.sink", "Log sink that the call concerns."),
    text("gcp.projectId", "Project of the resource."),
    text("gcp.resourceName", "Full name of the resource."),
    text("gcp.resourceType", "Kind of the resource."),
    text("gcp.resourceLabels", "Labels of the resource, as JSON."),
    text("gcp.storage.bucket", "Bucket that the call concerns."),
    text("gcp.time", "When the call was made, in RFC 3339."),
];
