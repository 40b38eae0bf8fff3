//! What a run of eyas goes by: the command line over the configuration over the defaults.

use std::path::PathBuf;

use eyas_engine::{Dialect, Selection};
use eyas_pipeline::RuleOptions;

use crate::cli::Common;
use crate::config::Config;
use crate::machine;
use crate::rule_switch::RuleSwitch;

/// The settings of one run.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) store: PathBuf,
    /// Whether the command line names the store.
    pub(crate) store_was_named: bool,
    pub(crate) node: String,
    /// Rule files; empty for the shipped rules.
    pub(crate) rules: Vec<PathBuf>,
    pub(crate) theme: Option<String>,
    /// The rule files of the command line, without those of the configuration.
    pub(crate) base_rules: Vec<PathBuf>,
    /// Whose meaning rules have.
    pub(crate) dialect: Dialect,
    /// Where the configuration lies.
    pub(crate) config_dir: Option<PathBuf>,
    /// Rules that a command switches on, after what the configuration says.
    pub(crate) switched_on: Vec<Selection>,
}

impl Settings {
    /// The same with other rule files.
    pub(crate) fn of_rules(&self, files: &[PathBuf]) -> Self {
        Self { rules: files.to_vec(), ..self.clone() }
    }

    /// The same, with Falco's meaning of rules if so.
    pub(crate) fn exact(&self, exact: bool) -> Self {
        let dialect = if exact { Dialect::FalcoExact } else { self.dialect };
        Self { dialect, ..self.clone() }
    }

    /// How rules are compiled.
    pub(crate) fn rule_options(&self) -> RuleOptions {
        RuleOptions {
            least: self.config.priority.0,
            dialect: self.dialect,
            matching: self.config.rule_matching.into(),
            selection: self
                .config
                .rules
                .iter()
                .flat_map(RuleSwitch::selections)
                .chain(self.switched_on.iter().cloned())
                .collect(),
        }
    }

    /// Puts them together.
    pub(crate) fn load(common: &Common) -> anyhow::Result<Self> {
        let config = Config::load(common)?;
        let or = |given: &Option<String>, configured: &Option<String>| {
            given.clone().or_else(|| configured.clone())
        };
        Ok(Self {
            store: common
                .store
                .clone()
                .or_else(|| config.eyas.store.clone())
                .unwrap_or_else(machine::default_store),
            node: or(&common.node, &config.eyas.node).unwrap_or_else(machine::node_name),
            rules: if common.rules.is_empty() { there(&config.rules_files) } else { common.rules.clone() },
            theme: or(&common.theme, &config.eyas.theme),
            base_rules: common.rules.clone(),
            dialect: Dialect::Eyas,
            config_dir: Config::path(common).parent().map(PathBuf::from),
            store_was_named: common.store.is_some(),
            switched_on: Vec::new(),
            config,
        })
    }
}

/// The entries of `rules_files` that are there: stock configurations name local files that nobody has written yet. Where none is
/// there, all stay, so that it is an error and not the shipped rules.
fn there(entries: &[PathBuf]) -> Vec<PathBuf> {
    let (there, missing): (Vec<_>, Vec<_>) = entries.iter().cloned().partition(|path| path.exists());
    if there.is_empty() {
        return missing;
    }
    for path in missing {
        crate::say(&format!("{}: not there; passed over", path.display()));
    }
    there
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn missing_rule_files_of_the_configuration_are_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let (file, none) = (dir.path().join("a.yaml"), dir.path().join("none.yaml"));
        std::fs::write(&file, "").unwrap();
        assert_eq!(there(&[none.clone(), file.clone()]), [file]);
        assert_eq!(there(std::slice::from_ref(&none)), [none]);
    }
}
