//! Field names to field references: the border where names die.
//!
//! A name is either provided (it becomes a [`FieldRef`]), known in Falco and not provided yet, or unknown; each case has
//! its own answer. Arguments are checked against what the field takes.

mod known;

use eyas_event::{Arg, ArgKind, FieldId, FieldRef, ParamId};

use crate::diag::did_you_mean;
use crate::syntax::ast::Value;

/// Types of fields that are known and not provided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum KnownType {
    Bool,
    Bytes,
    Double,
    Dynamic,
    Int,
    Ip,
    Port,
    Span,
    Text,
    TextList,
    Time,
    Uint,
}

/// What may stand behind the name of a field that is known and not provided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownArg {
    /// Nothing.
    None,
    /// `[n]`.
    Index,
    /// `[n]` or nothing.
    OptionalIndex,
    /// `[text]`.
    Key,
    /// `[text]` or nothing.
    OptionalKey,
    /// `.word`.
    Dotted,
    /// `.word` or nothing.
    OptionalDotted,
}

/// Why a name did not become a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldFault {
    /// Falco has it, eyas does not provide it yet.
    NotProvided,
    /// Nobody has it; perhaps this one was meant.
    Unknown(Option<&'static str>),
    /// The argument is wrong: why.
    BadArgument(String),
}

/// Finds a field by its dotted name and what stood in brackets.
pub fn resolve(name: &str, arg: Option<&Value>) -> Result<FieldRef, FieldFault> {
    if let Some(id) = FieldId::from_name(name) {
        return with_arg(id, arg);
    }
    // A dotted argument: the longest provided name that takes one.
    for (at, _) in name.rmatch_indices('.') {
        let Some(id) = FieldId::from_name(&name[..at]) else { continue };
        if id.info().arg != ArgKind::Param {
            continue;
        }
        let written = &name[at + 1..];
        if arg.is_some() {
            return Err(FieldFault::BadArgument(
                "an argument by name and one in brackets do not go together".into(),
            ));
        }
        let Some(param) = ParamId::from_name(written) else {
            let near = did_you_mean(written, ParamId::names().iter().copied());
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(FieldFault::BadArgument(format!("no event has a parameter `{written}`{hint}")));
        };
        return Ok(FieldRef { id, arg: Arg::Param(param) });
    }
    Err(if is_known(name) { FieldFault::NotProvided } else { FieldFault::Unknown(near(name)) })
}

fn with_arg(id: FieldId, arg: Option<&Value>) -> Result<FieldRef, FieldFault> {
    let info = id.info();
    let fault = |text: &str| Err(FieldFault::BadArgument(text.to_owned()));
    let Some(value) = arg else {
        return match info.arg {
            ArgKind::Param => fault("this field needs a parameter: `.name` or `[n]`"),
            ArgKind::Key => fault("this field needs a key in brackets"),
            ArgKind::None | ArgKind::OptionalIndex | ArgKind::OptionalKey => Ok(FieldRef::plain(id)),
        };
    };
    let text = std::str::from_utf8(&value.bytes).unwrap_or("");
    let index = text.parse::<u32>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
    match (info.arg, index) {
        (ArgKind::None, _) => fault("this field takes no argument"),
        (ArgKind::OptionalIndex | ArgKind::Param, Some(n)) => Ok(FieldRef { id, arg: Arg::Index(n) }),
        (ArgKind::Param, None) => {
            fault("a number was expected here; a parameter's name follows a point: `evt.arg.flags`")
        }
        (ArgKind::Key | ArgKind::OptionalKey, _) => Ok(FieldRef { id, arg: Arg::Key(text.into()) }),
        (ArgKind::OptionalIndex, None) => fault("a number was expected here"),
    }
}

/// Whether Falco has a field of that name, dotted arguments included.
pub fn is_known(name: &str) -> bool {
    let row =
        |name: &str| known::KNOWN.binary_search_by(|(n, _, _)| n.cmp(&name)).ok().map(|i| known::KNOWN[i]);
    if row(name).is_some() || name.starts_with("static.") {
        return true;
    }
    name.rmatch_indices('.').any(|(at, _)| {
        row(&name[..at]).is_some_and(|(_, _, arg)| matches!(arg, KnownArg::Dotted | KnownArg::OptionalDotted))
    })
}

/// The type and argument of a field that is known and not provided.
pub fn known(name: &str) -> Option<(KnownType, KnownArg)> {
    let i = known::KNOWN.binary_search_by(|(n, _, _)| n.cmp(&name)).ok()?;
    Some((known::KNOWN[i].1, known::KNOWN[i].2))
}

/// Names that people write and nobody has, with the field that says it.
static OFTEN_MEANT: &[(&str, &str)] = &[
    ("evt.local_addr", "fd.lip"),
    ("evt.local_port", "fd.lport"),
    ("evt.remote_addr", "fd.rip"),
    ("evt.remote_port", "fd.rport"),
    ("file.name", "fd.name"),
    ("file.path", "fd.name"),
    ("net.addr", "fd.ip"),
    ("net.port", "fd.port"),
    ("net.protocol", "fd.l4proto"),
    ("net.protocol_num", "fd.l4proto"),
    ("alert.name", "alert.rule"),
    ("alert.severity", "alert.priority"),
    ("priority", "alert.priority"),
    ("proc.path", "proc.exepath"),
    ("process.name", "proc.name"),
    ("rule", "alert.rule"),
    ("rule.name", "alert.rule"),
    ("rule.priority", "alert.priority"),
    ("severity", "alert.priority"),
];

/// What was probably meant by a name that nobody has.
pub(crate) fn near(name: &str) -> Option<&'static str> {
    if let Some((_, meant)) = OFTEN_MEANT.iter().find(|(written, _)| *written == name) {
        return Some(meant);
    }
    let provided = FieldId::all().map(|id| id.info().name);
    did_you_mean(name, provided.chain(known::KNOWN.iter().map(|(n, _, _)| *n)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_names_are_sorted_and_many() {
        assert!(known::KNOWN.is_sorted_by_key(|(n, _, _)| *n));
        assert!(known::KNOWN.len() + FieldId::all().count() > 600);
    }

    #[test]
    fn names_resolve_to_one_of_four_answers() {
        assert!(resolve("proc.name", None).is_ok());
        assert!(matches!(resolve("evt.arg.flags", None), Ok(FieldRef { arg: Arg::Param(_), .. })));
        assert!(matches!(resolve("evt.arg.nosuch", None), Err(FieldFault::BadArgument(_))));
        assert!(matches!(resolve("evt.arg", None), Err(FieldFault::BadArgument(_))));
        assert_eq!(resolve("ka.verb", None), Err(FieldFault::NotProvided));
        assert_eq!(resolve("evt.type.is.open", None), Err(FieldFault::NotProvided));
        assert_eq!(resolve("proc.nmae", None), Err(FieldFault::Unknown(Some("proc.name"))));
        assert_eq!(resolve("net.protocol", None), Err(FieldFault::Unknown(Some("fd.l4proto"))));
        assert_eq!(resolve("weather.today", None), Err(FieldFault::Unknown(None)));
    }
}
