//! Webhooks of GitHub.
//! One row a field; how to read a row stands in `field_table.rs`.

use crate::field::FieldType::Text;
use crate::field::{FieldInfo, FieldType};
use crate::field_table::{f, source, why};

const fn row(name: &'static str, ty: FieldType, doc: &'static str) -> FieldInfo {
    f(name, ty, doc).of(source::GITHUB).absent(why::GITHUB)
}

const fn text(name: &'static str, doc: &'static str) -> FieldInfo {
    row(name, Text, doc)
}

pub(super) const ROWS: &[FieldInfo] = &[
    text("github.type", "Kind of the webhook's event, such as push."),
    text("github.action", "What was done, within that kind."),
    text("github.user", "Who did it."),
    text("github.repo", "Address of the repository, under an old name."),
    text("github.repo.url", "Address of the repository."),
    text("github.repo.name", "Owner and name of the repository."),
    text("github.repo.description", "What the repository says of itself."),
    text("github.org", "Organisation of the repository."),
    text("github.owner", "Owner of the repository."),
    text("github.repo.public", "Whether everybody may see the repository."),
    text("github.collaborator.name", "Who became or ceased to be a member."),
    text("github.collaborator.role", "What that member may do."),
    text("github.webhook.id", "Id of a webhook that was made."),
    text("github.webhook.type", "Kind of a webhook that was made."),
    text("github.commit.added", "Files that a push brought."),
    text("github.commit.modified", "Files that a push changed."),
    text("github.commit.removed", "Files that a push took away."),
    text("github.diff.has_secrets", "Whether a push seems to contain secrets."),
    text("github.diff.committed_secrets.desc", "What sort of secrets those are."),
    text("github.diff.committed_secrets.files", "Files in which they stand."),
    text("github.diff.committed_secrets.lines", "Lines in which they stand."),
    text("github.diff.committed_secrets.links", "Web addresses of those lines."),
    text("github.workflow.has_miners", "Whether a workflow seems to mine coins."),
    text("github.workflow.miners.type", "Which miners it seems to run."),
    text("github.workflow.filename", "File of the workflow."),
];
