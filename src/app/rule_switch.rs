//! The keys `rules` and `rule_matching` of the configuration: which rules are on, and how many may answer to one event.

use eyas_engine::{Matching, Selected, Selection};
use serde::Deserialize;

/// How many rules may answer to one event; Falco's own default is the first, ours all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RuleMatching {
    First,
    #[default]
    All,
}

impl From<RuleMatching> for Matching {
    fn from(matching: RuleMatching) -> Self {
        match matching {
            RuleMatching::First => Self::First,
            RuleMatching::All => Self::All,
        }
    }
}

/// One entry of `rules`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RuleSwitch {
    enable: Option<Which>,
    disable: Option<Which>,
}

/// Which rules it means: by name with `*`, by tag, or both one after the other.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Which {
    rule: Option<String>,
    tag: Option<String>,
}

impl RuleSwitch {
    /// What the engine is told.
    pub(crate) fn selections(&self) -> Vec<Selection> {
        let of = |which: &Option<Which>, on| {
            let which = which.clone().unwrap_or_default();
            let rule = which.rule.map(Selected::Rule);
            rule.into_iter().chain(which.tag.map(Selected::Tag)).map(move |which| Selection { which, on })
        };
        of(&self.enable, true).chain(of(&self.disable, false)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_in_falcos_form() {
        let text = "[{disable: {rule: '*'}}, {enable: {tag: network}}]";
        let switches: Vec<RuleSwitch> = serde_yaml::from_str(text).expect("it reads");
        let all: Vec<_> = switches.iter().flat_map(RuleSwitch::selections).collect();
        assert_eq!(
            all,
            [
                Selection { which: Selected::Rule("*".into()), on: false },
                Selection { which: Selected::Tag("network".into()), on: true },
            ]
        );
    }
}
