//! The table of actions: those of Falco's event-generator for the host and for containers, and ours for stock rules that
//! have none there.

mod containers;
mod host;
mod own;

use super::action::Action;

/// All of them, by place and origin.
pub(super) fn all() -> impl Iterator<Item = &'static Action> {
    [host::ACTIONS, own::ACTIONS, containers::ACTIONS].into_iter().flatten()
}

/// The action with that name, in any case.
pub(super) fn find(name: &str) -> Option<&'static Action> {
    all().find(|action| action.is_called(name))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::action::{Origin, Place};
    use super::*;

    /// A rule's name as the event-generator makes an action's name of it.
    fn squeezed(text: &str) -> String {
        text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
    }

    #[test]
    fn the_event_generator_has_66_actions_and_48_run_on_a_host() {
        let theirs: Vec<_> = all().filter(|a| a.origin == Origin::EventGenerator).collect();
        assert_eq!(theirs.len(), 66);
        assert_eq!(theirs.iter().filter(|a| a.place == Place::Host).count(), 48);
    }

    #[test]
    fn each_name_stands_once_and_is_its_rules() {
        let names: BTreeSet<String> = all().map(|a| a.name.to_lowercase()).collect();
        assert_eq!(names.len(), all().count());
        for action in all() {
            // A name may be a variant of its rule: io_uring in place of a system call.
            let name = action.name.to_lowercase();
            assert!(name.starts_with(&squeezed(action.stock)), "{name}");
            assert_eq!(action.act.is_some(), action.place == Place::Host, "{name}");
        }
    }

    #[test]
    fn shipped_rules_are_called_so() {
        let rules = include_str!("../../../../rules/eyas.yaml");
        let named: BTreeSet<&str> =
            rules.lines().filter_map(|line| line.strip_prefix("- rule: ")).map(str::trim).collect();
        for action in all() {
            let known = action.shipped.is_none_or(|rule| named.contains(rule));
            assert!(known, "{}: no shipped rule is called {:?}", action.name, action.shipped);
        }
    }

    #[test]
    fn fields_that_an_action_relies_on_are_known() {
        for action in all() {
            for field in action.reads {
                assert!(eyas_event::FieldId::from_name(field).is_some(), "{}: {field}", action.name);
            }
        }
    }
}
