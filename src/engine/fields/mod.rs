//! Field names to field references: the border where names die.
//!
//! A name is in the table (it becomes a [`FieldRef`], whether or not eyas gives it a value) or unknown. Arguments are
//! checked against what the field takes.

use eyas_event::{Arg, ArgKind, EventType, FieldId, FieldRef, ParamId, Provision, Shape};

use crate::diag::{Certainty, did_you_mean};
use crate::syntax::ast::Value;

/// Why a name did not become a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldFault {
    /// Nobody has it; perhaps this one was meant.
    Unknown(Option<(&'static str, Certainty)>),
    /// The argument is wrong: why.
    BadArgument(String),
}

/// Finds a field by its dotted name and what stood in brackets.
pub fn resolve(name: &str, arg: Option<&Value>) -> Result<FieldRef, FieldFault> {
    find(name, arg).unwrap_or_else(|| Err(FieldFault::Unknown(near(name))))
}

/// The same, without a search for what was meant by an unknown name; that is `None` here.
pub fn find(name: &str, arg: Option<&Value>) -> Option<Result<FieldRef, FieldFault>> {
    if let Some(id) = FieldId::from_name(name) {
        return Some(with_arg(id, arg));
    }
    // A dotted argument: the longest name that takes one.
    for (at, _) in name.rmatch_indices('.') {
        let Some(id) = FieldId::from_name(&name[..at]) else { continue };
        if !id.info().arg.is_dotted() {
            continue;
        }
        if arg.is_some() {
            return Some(Err(FieldFault::BadArgument(
                "an argument by name and one in brackets do not go together".into(),
            )));
        }
        return Some(dotted(id, &name[at + 1..]));
    }
    None
}

/// The field with the word that followed a point.
fn dotted(id: FieldId, word: &str) -> Result<FieldRef, FieldFault> {
    let fault = |text: String, near: Option<&str>| {
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        Err(FieldFault::BadArgument(text + &hint))
    };
    let key = || Ok(FieldRef { id, arg: Arg::Key(word.into()) });
    match id.info().arg {
        ArgKind::Param | ArgKind::ParamName => match ParamId::from_name(word) {
            Some(param) => Ok(FieldRef { id, arg: Arg::Param(param) }),
            None => fault(
                format!("no event has a parameter `{word}`"),
                did_you_mean(word, ParamId::names().iter().copied()),
            ),
        },
        ArgKind::Event if EventType::from_name(word).is_none() => fault(
            format!("there is no event `{word}`"),
            did_you_mean(word, EventType::all().map(EventType::name)),
        ),
        ArgKind::OptionalSide if !matches!(word, "src" | "dst") => {
            fault("only `.src` and `.dst` may follow this field".into(), None)
        }
        _ => key(),
    }
}

fn with_arg(id: FieldId, arg: Option<&Value>) -> Result<FieldRef, FieldFault> {
    let info = id.info();
    let fault = |text: &str| Err(FieldFault::BadArgument(text.to_owned()));
    let Some(value) = arg else {
        return match info.arg {
            ArgKind::Param => fault("this field needs a parameter: `.name` or `[n]`"),
            ArgKind::ParamName => fault("this field needs a parameter: `.name`"),
            ArgKind::Event => fault("this field needs an event: `.open`"),
            ArgKind::Word => fault("this field needs a word after a point"),
            ArgKind::Key => fault("this field needs a key in brackets"),
            ArgKind::Index => fault("this field needs a number in brackets"),
            ArgKind::IndexOrKey => fault("this field needs a number or a key in brackets"),
            ArgKind::Instant => fault("this field needs nanoseconds since the epoch in brackets"),
            ArgKind::None
            | ArgKind::OptionalIndex
            | ArgKind::OptionalKey
            | ArgKind::OptionalIndexOrKey
            | ArgKind::OptionalSide => Ok(FieldRef::plain(id)),
        };
    };
    let text = std::str::from_utf8(&value.bytes).unwrap_or("");
    let by = |arg: Arg| Ok(FieldRef { id, arg });
    match (info.arg, index(text, id)) {
        (ArgKind::None, _) => fault("this field takes no argument"),
        (
            ArgKind::OptionalIndex
            | ArgKind::Index
            | ArgKind::Param
            | ArgKind::IndexOrKey
            | ArgKind::OptionalIndexOrKey,
            Some(n),
        ) => by(Arg::Index(n)),
        (ArgKind::Key | ArgKind::OptionalKey | ArgKind::IndexOrKey | ArgKind::OptionalIndexOrKey, _) => {
            by(Arg::Key(text.into()))
        }
        (ArgKind::Instant, _) if text.parse::<u64>().is_ok() => by(Arg::Key(text.into())),
        (ArgKind::Instant, _) => fault("nanoseconds since the epoch were expected here"),
        (ArgKind::Param, None) => {
            fault("a number was expected here; a parameter's name follows a point: `evt.arg.flags`")
        }
        (ArgKind::OptionalIndex | ArgKind::Index, None) => fault("a number was expected here"),
        (ArgKind::ParamName, _) => fault("the name of a parameter follows a point and stands in no brackets"),
        (ArgKind::Event, _) => fault("the name of an event follows a point and stands in no brackets"),
        (ArgKind::Word | ArgKind::OptionalSide, _) => {
            fault("what this field takes follows a point and stands in no brackets")
        }
    }
}

/// A number in brackets. Of ancestors and parameters a negative one may be asked for, which is never there; of arguments
/// it says nothing, and all are meant.
fn index(text: &str, id: FieldId) -> Option<u32> {
    let below = id.info().shape == Shape::Ancestors || matches!(id, FieldId::EVT_ARG | FieldId::PROC_ARGS);
    let (minus, digits) = match text.strip_prefix('-') {
        Some(rest) if below => (true, rest),
        _ => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let number = digits.parse::<u32>().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))?;
    Some(match (minus, number) {
        (false, n) | (true, n @ 0) => n,
        (true, n) => u32::MAX - (n - 1),
    })
}

/// Why a field that rules may name has no value in events, as a sentence; `None` for one that has.
pub fn why_absent(field: &FieldRef) -> Option<String> {
    if let Arg::Param(param) = field.arg
        && !param.is_ever_told()
    {
        return Some(format!(
            "`{}` is known in Falco, not provided here because no event that eyas sees tells it",
            field.name()
        ));
    }
    let info = field.id.info();
    let Provision::AlwaysAbsent(why) = info.provision else { return None };
    Some(if info.is_ours() {
        format!("`{}` has no value here: {why}", info.name)
    } else {
        format!("`{}` is known in Falco, not provided here because {why}", info.name)
    })
}

/// Names that people write and nobody has, with the field that surely says it.
static OFTEN_MEANT: &[(&str, &str)] = &[
    ("evt.local_addr", "fd.lip"),
    ("evt.local_port", "fd.lport"),
    ("evt.remote_addr", "fd.rip"),
    ("evt.remote_port", "fd.rport"),
    ("net.addr", "fd.ip"),
    ("net.port", "fd.port"),
    ("net.protocol", "fd.l4proto"),
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

/// The same with fields that say it otherwise, and how: the values that they are compared with may not fit.
static SAID_OTHERWISE: &[(&str, &str, &str)] = &[
    (
        "file.name",
        "fd.filename",
        "`fd.filename` is the last part of the path; it is absent when the open failed",
    ),
    ("file.path", "fd.name", "`fd.name` is also the name of what is no file, such as a connection"),
    ("net.protocol_num", "fd.l4proto", "`fd.l4proto` is a word: tcp for 6, udp for 17, icmp for 1"),
];

/// The field that prints what a name of the second kind says; an output compares nothing, so nothing can fail to fit.
pub(crate) fn prints(name: &str) -> Option<&'static str> {
    SAID_OTHERWISE.iter().find(|(written, _, _)| *written == name).map(|(_, meant, _)| *meant)
}

/// How the field that was meant by such a name differs from what the name says.
pub(crate) fn differs(name: &str) -> Option<&'static str> {
    SAID_OTHERWISE.iter().find(|(written, _, _)| *written == name).map(|(_, _, how)| *how)
}

/// What was meant by a name that nobody has: surely where others call the field so or write it in capitals, else by a guess
/// from its spelling.
pub(crate) fn near(name: &str) -> Option<(&'static str, Certainty)> {
    if let Some((_, meant)) = OFTEN_MEANT.iter().find(|(written, _)| *written == name) {
        return Some((meant, Certainty::Sure));
    }
    if let Some(meant) = prints(name) {
        return Some((meant, Certainty::Guess));
    }
    if let Some(id) = FieldId::from_name(&name.to_ascii_lowercase()) {
        return Some((id.info().name, Certainty::Sure));
    }
    // One that has a value was meant rather than one that has none.
    let names = |provided: bool| {
        FieldId::all().map(FieldId::info).filter(move |i| i.is_provided() == provided).map(|i| i.name)
    };
    let near = did_you_mean(name, names(true)).or_else(|| did_you_mean(name, names(false)))?;
    Some((near, Certainty::Guess))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn at(name: &str, arg: &str) -> Result<FieldRef, FieldFault> {
        resolve(name, Some(&Value { bytes: arg.into(), quoted: false, at: 0..0 }))
    }

    #[test]
    fn names_resolve_or_say_what_is_wrong() {
        assert!(resolve("proc.name", None).is_ok());
        assert!(matches!(resolve("evt.arg.flags", None), Ok(FieldRef { arg: Arg::Param(_), .. })));
        assert!(matches!(resolve("evt.arg.nosuch", None), Err(FieldFault::BadArgument(_))));
        assert!(matches!(resolve("evt.arg", None), Err(FieldFault::BadArgument(_))));
        assert_eq!(
            resolve("proc.nmae", None),
            Err(FieldFault::Unknown(Some(("proc.name", Certainty::Guess))))
        );
        assert_eq!(
            resolve("net.protocol", None),
            Err(FieldFault::Unknown(Some(("fd.l4proto", Certainty::Sure))))
        );
        assert_eq!(
            resolve("Proc.Name", None),
            Err(FieldFault::Unknown(Some(("proc.name", Certainty::Sure))))
        );
        assert_eq!(resolve("weather.today", None), Err(FieldFault::Unknown(None)));
    }

    #[test]
    fn arguments_that_fit_are_part_of_the_name_again() {
        for name in [
            "ka.verb",
            "evt.type.is.open",
            "evt.rawarg.flags",
            "evt.abspath",
            "evt.abspath.src",
            "thread.cgroup.cpuset",
            "static.team",
        ] {
            assert_eq!(resolve(name, None).unwrap().name(), name);
        }
        for (name, arg) in [
            ("json.value", "/a/b"),
            ("proc.env", "HOME"),
            ("proc.aenv", "2"),
            ("proc.aenv", "HOME"),
            ("container.mount", "0"),
            ("container.mount.dest", "/proc*"),
            ("evt.around", "1566230400010000000"),
            ("ka.req.pod.containers.image", "0"),
            ("okta.mfa.deny.countlast", "300"),
            ("fd.types", "3"),
        ] {
            assert_eq!(at(name, arg).unwrap().name(), format!("{name}[{arg}]"));
        }
        assert_eq!(at("proc.aname", "-1").unwrap().arg, Arg::Index(u32::MAX));
    }

    #[test]
    fn arguments_that_do_not_fit_are_refused() {
        for name in [
            "evt.type.is",
            "evt.type.is.opne",
            "evt.rawarg",
            "evt.rawarg.nosuch",
            "evt.abspath.both",
            "thread.cgroup",
            "static",
            "json.value",
            "k8s.pod.label",
            "container.mount",
            "okta.mfa.deny.countlast",
            "evt.around",
        ] {
            assert!(matches!(resolve(name, None), Err(FieldFault::BadArgument(_))), "{name}");
        }
        for (name, arg) in [
            ("ka.verb", "0"),
            ("evt.rawarg", "flags"),
            ("evt.arg", "flags"),
            ("evt.around", "soon"),
            ("thread.cgroup", "cpuset"),
            ("fd.types", "file"),
            ("ka.req.pod.containers.image", "x"),
        ] {
            assert!(matches!(at(name, arg), Err(FieldFault::BadArgument(_))), "{name}[{arg}]");
        }
    }
}
