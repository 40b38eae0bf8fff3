//! Which rules were blind: those that could have fired for what was lost, had it come.

use std::sync::Arc;

use eyas_ebpf::{CALLS, Kind};
use eyas_engine::ruleset::{RuleId, Ruleset};
use eyas_event::{EventType, Lost};

/// The names of the rules in force whose condition an event of what was lost could satisfy, in load order. Where the kind is
/// not known these are all; where the events had been judged before, none.
pub(crate) fn blind_rules(rules: &Ruleset, lost: Lost) -> Arc<[Arc<str>]> {
    let mut ids: Vec<RuleId> = match events(lost) {
        Some(events) => events.iter().flat_map(|event| rules.rules_for(*event)).copied().collect(),
        None => rules.in_force().map(|(id, _)| id).collect(),
    };
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter().map(|id| rules.rule(id).name.clone()).collect()
}

/// The event types that such records become; `None` when it is not known.
fn events(lost: Lost) -> Option<Vec<EventType>> {
    Some(match lost {
        Lost::AnyRecords => return None,
        Lost::Alerts | Lost::Recording => Vec::new(),
        Lost::Calls(number) => {
            let call = CALLS.iter().find(|call| call.number == u64::from(number))?;
            vec![EventType::from_name(call.name)?]
        }
        Lost::Records(kind) => match Kind::from_number(kind)? {
            Kind::Exec | Kind::Argv | Kind::ExecFailed => vec![EventType::EXECVE, EventType::EXECVEAT],
            Kind::Exit => vec![EventType::PROCEXIT],
            Kind::Open => EventType::all().filter(|event| event.is_open_family()).collect(),
            Kind::Connect => vec![EventType::CONNECT],
            // No event: the calls that make processes have records of their own.
            Kind::Fork => Vec::new(),
            _ => return None,
        },
    })
}

#[cfg(test)]
mod tests {
    use eyas_event::Priority;

    use super::*;
    use eyas_engine::source::SourceFile;

    #[test]
    fn rules_are_blind_for_what_they_could_have_seen() {
        let text = "\
- {rule: opens, desc: d, condition: evt.type = openat and fd.name startswith /etc, output: o, priority: NOTICE}
- {rule: moves, desc: d, condition: evt.type = renameat and proc.name = x, output: o, priority: NOTICE}
- {rule: starts, desc: d, condition: evt.type = execve, output: o, priority: NOTICE}
- {rule: off, desc: d, condition: evt.type = execve, output: o, priority: NOTICE, enabled: false}
- {rule: audit, desc: d, condition: ka.verb = create, output: o, priority: NOTICE, source: k8s_audit}
- {rule: any, desc: d, condition: proc.name = x, output: o, priority: NOTICE}
";
        let outcome = crate::load_texts(vec![SourceFile::new("r.yaml", text)], Priority::Debug);
        let names = |lost| {
            let blind = blind_rules(&outcome.ruleset, lost);
            blind.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(names(Lost::Records(Kind::Open.number())), ["opens", "any"]);
        assert_eq!(names(Lost::Records(Kind::Argv.number())), ["starts", "any"]);
        assert_eq!(names(Lost::Calls(264)), ["moves", "any"]);
        assert_eq!(names(Lost::Records(Kind::Fork.number())), Vec::<String>::new());
        assert_eq!(names(Lost::AnyRecords), ["opens", "moves", "starts", "any"]);
        assert_eq!(names(Lost::Records(0xee)), names(Lost::AnyRecords), "a kind of a newer sensor");
        assert_eq!(names(Lost::Alerts), Vec::<String>::new());
    }
}
