//! The trail of AWS: `ct.*`, `s3.*`, `ec2.*`, `ecr.*`, `iam.*`.
//! One row a field; how to read a row stands in `field_table.rs`.

use crate::field::FieldType::{Text, Uint};
use crate::field::{ArgKind, FieldFlags, FieldInfo, FieldType, Shape};
use crate::field_table::{f, source, why};

const fn row(name: &'static str, ty: FieldType, doc: &'static str) -> FieldInfo {
    f(name, ty, doc).of(source::AWS_CLOUDTRAIL).absent(why::CLOUDTRAIL)
}

const fn text(name: &'static str, doc: &'static str) -> FieldInfo {
    row(name, Text, doc)
}

pub(super) const ROWS: &[FieldInfo] = &[
    text("ct.id", "Id of the record."),
    text("ct.error", "Code of the error, where the request failed."),
    text("ct.errormessage", "What the error says."),
    text("ct.time", "When the request was made, as the record writes it.").flag(FieldFlags::HIDDEN),
    text("ct.src", "The service that was asked, as a host name."),
    text("ct.shortsrc", "The service's short name, such as s3."),
    text("ct.name", "The action that was asked for."),
    text("ct.user", "Who asked; for an assumed role, the role's name."),
    text("ct.originaluser", "Who asked; for an assumed role, the name of the session."),
    text("ct.user.accountid", "The asker's account, or else the account that received the record."),
    text("ct.user.identitytype", "What kind of identity asked."),
    text("ct.user.principalid", "The asker's principal id."),
    text("ct.user.arn", "The asker's ARN."),
    text("ct.region", "Region in which the request was made."),
    text("ct.response.subnetid", "Subnet that the answer names."),
    text("ct.response.reservationid", "Reservation that the answer names."),
    text("ct.response", "All of the answer, as JSON."),
    text("ct.request.availabilityzone", "Availability zone that was asked for."),
    text("ct.request.cluster", "Cluster that was asked for."),
    text("ct.request.functionname", "Function that was asked for."),
    text("ct.request.groupname", "Group that was asked for."),
    text("ct.request.host", "Host that was asked for."),
    text("ct.request.name", "Name given in the request."),
    text("ct.request.policy", "Policy given in the request."),
    text("ct.request.reason", "Reason given in the request."),
    text("ct.request.target", "Target given in the request."),
    text("ct.request.documentname", "Document given in the request."),
    text("ct.request.serialnumber", "Serial number given in the request."),
    text("ct.request.servicename", "Service given in the request."),
    text("ct.request.subnetid", "Subnet given in the request."),
    text("ct.request.taskdefinition", "Definition of a task given in the request."),
    text("ct.request.username", "User that the request is about."),
    text("ct.request", "All parameters of the request, as JSON."),
    text("ct.srcip", "Address, or name of an AWS service, from which the request came."),
    text("ct.useragent", "Program that made the request."),
    text("ct.info", "One line that sums the record up."),
    text("ct.managementevent", "Whether the record is of the management plane."),
    text("ct.readonly", "Whether the action only reads."),
    text("ct.requestid", "Id of the request."),
    text("ct.eventtype", "What kind of record this is."),
    text("ct.apiversion", "Version of the API that was called."),
    text("ct.resources", "The resources touched, as JSON."),
    text("ct.recipientaccountid", "Account that received the record."),
    text("ct.serviceeventdetails", "What a service said of its own event, as JSON."),
    text("ct.sharedeventid", "Id that records of one action share over accounts."),
    text("ct.vpcendpointid", "VPC endpoint through which the request came."),
    text("ct.eventcategory", "Category of the record."),
    text("ct.addendum.reason", "Why the record was sent again or late."),
    text("ct.addendum.updatedfields", "Which of its fields an addendum changes."),
    text("ct.addendum.originalrequestid", "Request of the record that is amended."),
    text("ct.addendum.originaleventid", "Id of the record that is amended."),
    text(
        "ct.sessioncredentialfromconsole",
        "Whether the credentials came from a session of the web console.",
    ),
    text("ct.edgedevicedetails", "The edge device that was the target, as JSON."),
    text("ct.tlsdetails.tlsversion", "TLS version of the call."),
    text("ct.tlsdetails.ciphersuite", "Cipher suite of the call."),
    text("ct.tlsdetails.clientprovidedhostheader", "Host name to which the client meant to talk."),
    text("ct.additionaleventdata", "What belongs to neither request nor answer, as JSON."),
    text("s3.uri", "The object as an s3:// address."),
    text("s3.bucket", "Name of the bucket."),
    text("s3.key", "Key of the object."),
    row("s3.bytes", Uint, "Bytes moved, both ways together."),
    row("s3.bytes.in", Uint, "Bytes moved into the bucket.").flag(FieldFlags::HIDDEN),
    row("s3.bytes.out", Uint, "Bytes moved out of the bucket.").flag(FieldFlags::HIDDEN),
    row("s3.cnt.get", Uint, "1 where an object was fetched.").flag(FieldFlags::HIDDEN),
    row("s3.cnt.put", Uint, "1 where an object was stored.").flag(FieldFlags::HIDDEN),
    row("s3.cnt.other", Uint, "1 where something else was asked of S3.").flag(FieldFlags::HIDDEN),
    text("ec2.name", "What the instances' Name tag says."),
    text("ec2.imageid", "Image of the first instance."),
    text("ec2.imageids", "Images of the instances, or one of them by number.")
        .arg(ArgKind::OptionalIndex)
        .shape(Shape::List),
    text("ecr.repository", "Repository of the container registry."),
    text("ecr.imagetag", "Image tag in the container registry."),
    text("iam.role", "Role that the request is about."),
    text("iam.policy", "Policy that the request is about."),
];
