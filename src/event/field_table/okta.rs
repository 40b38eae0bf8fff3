//! The system log of Okta.
//! One row a field; how to read a row stands in `field_table.rs`.

use crate::field::FieldType::{Text, Uint};
use crate::field::{ArgKind, FieldInfo, FieldType};
use crate::field_table::{f, source, why};

const fn row(name: &'static str, ty: FieldType, doc: &'static str) -> FieldInfo {
    f(name, ty, doc).of(source::OKTA).absent(why::OKTA)
}

const fn text(name: &'static str, doc: &'static str) -> FieldInfo {
    row(name, Text, doc)
}

pub(super) const ROWS: &[FieldInfo] = &[
    text("okta.app", "Application that the request concerns."),
    text("okta.behaviors", "Behaviours that Okta noticed."),
    text("okta.org", "Organisation whose log this is."),
    text("okta.evt.type", "Kind of the log entry."),
    text("okta.evt.legacytype", "Kind of the log entry in the older scheme."),
    text("okta.severity", "How grave Okta thinks it is."),
    text("okta.message", "What the entry says to people."),
    text("okta.published", "When the entry was published."),
    text("okta.logonlysecuritydata", "What Okta's risk engine noted."),
    text("okta.actor.id", "Id of who acted."),
    text("okta.actor.Type", "Kind of who acted."),
    text("okta.actor.alternateid", "Login of who acted."),
    text("okta.actor.name", "Displayed name of who acted."),
    text("okta.client.zone", "Network zone of the client."),
    text("okta.client.ip", "Address of the client."),
    text("okta.client.device", "Kind of device of the client."),
    text("okta.client.id", "Id of the client."),
    text("okta.client.geo.city", "City where the client seems to be."),
    text("okta.client.geo.state", "State where the client seems to be."),
    text("okta.client.geo.country", "Country where the client seems to be."),
    text("okta.client.geo.postalcode", "Postal code where the client seems to be."),
    text("okta.client.geo.lat", "Latitude of the client."),
    text("okta.client.geo.lon", "Longitude of the client."),
    text("okta.useragent.os", "Operating system of the client."),
    text("okta.useragent.browser", "Browser of the client."),
    text("okta.useragent.raw", "How the client's program calls itself."),
    text("okta.result", "How it ended."),
    text("okta.reason", "Why it ended so."),
    text("okta.transaction.id", "Id of the transaction."),
    text("okta.transaction.type", "Kind of the transaction."),
    text("okta.requesturi", "Path that was requested."),
    text("okta.principal.id", "Id of the principal behind the actor."),
    text("okta.principal.alternateid", "Login of the principal behind the actor."),
    text("okta.principal.type", "Kind of the principal behind the actor."),
    text("okta.principal.name", "Displayed name of the principal behind the actor."),
    text("okta.authentication.step", "At which step of the login this happened."),
    text("okta.authentication.sessionid", "Session of the login."),
    text("okta.authentication.provider", "What checked the login."),
    text("okta.authentication.credentialprovider", "Who issued the credential."),
    row("okta.security.asnumber", Uint, "Number of the client's autonomous system."),
    text("okta.security.asorg", "Owner of that autonomous system."),
    text("okta.security.isp", "The client's network provider."),
    text("okta.security.domain", "Domain of the client's address."),
    text("okta.security.isproxy", "Whether the client came through a proxy."),
    text("okta.target.user.id", "Id of the user acted upon."),
    text("okta.target.user.alternateid", "Login of the user acted upon."),
    text("okta.target.user.name", "Displayed name of the user acted upon."),
    text("okta.target.group.id", "Id of the group acted upon."),
    text("okta.target.group.alternateid", "Alternate id of the group acted upon."),
    text("okta.target.group.name", "Displayed name of the group acted upon."),
    text("okta.target.app.alternateid", "Alternate id of the application acted upon."),
    text("okta.targets.displayName", "Displayed names of all that was acted upon, or one of them by number.")
        .arg(ArgKind::OptionalIndex),
    row(
        "okta.mfa.failure.countlast",
        Uint,
        "How often the actor's second factor failed in so many last seconds.",
    )
    .arg(ArgKind::Index),
    row(
        "okta.mfa.deny.countlast",
        Uint,
        "How often the actor denied a second factor in so many last seconds.",
    )
    .arg(ArgKind::Index),
];
