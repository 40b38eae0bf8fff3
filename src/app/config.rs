//! The configuration: `falco.yaml`'s keys where they mean the same here, and a map `eyas` for what Falco does not have.
//! Keys that this version does not use are kept apart, so that `eyas doctor` can name them; none is an error.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use eyas_engine::diag::did_you_mean;
use eyas_event::Priority;
use serde::Deserialize;

use crate::cli::Common;
use crate::rule_switch::{RuleMatching, RuleSwitch};

/// Where the configuration is when nobody says.
const DEFAULT_PATH: &str = "/etc/eyas/eyas.yaml";

/// What is configured.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of falco.yaml")]
pub(crate) struct Config {
    /// Rule files and directories, in order.
    pub(crate) rules_files: Vec<PathBuf>,
    /// Follow changes of rule files.
    pub(crate) watch_config_files: bool,
    /// Alerts on standard output as JSON; `None` leaves it to the command.
    pub(crate) json_output: Option<bool>,
    /// The key `output` in JSON.
    pub(crate) json_include_output_property: bool,
    /// The key `message` in JSON.
    pub(crate) json_include_message_property: bool,
    /// The key `output_fields` in JSON.
    pub(crate) json_include_output_fields_property: bool,
    /// The key `tags` in JSON.
    pub(crate) json_include_tags_property: bool,
    /// Times in text lines with date and zone.
    pub(crate) time_format_iso_8601: bool,
    /// Rules below this priority are not loaded.
    pub(crate) priority: PriorityName,
    /// Rules switched on and off, in order.
    pub(crate) rules: Vec<RuleSwitch>,
    /// How many rules may answer to one event.
    pub(crate) rule_matching: RuleMatching,
    /// What Falco has no key for.
    pub(crate) eyas: Own,
    /// Keys that this version does not use.
    #[serde(flatten)]
    pub(crate) unused: BTreeMap<String, serde_yaml::Value>,
}

/// Keys of our own, below `eyas`.
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own in the file")]
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Own {
    /// The store.
    pub(crate) store: Option<PathBuf>,
    /// The node's name.
    pub(crate) node: Option<String>,
    /// The console's colours.
    pub(crate) theme: Option<String>,
    /// Keep records for replay.
    pub(crate) record: bool,
    /// Compressed size of the recording, MiB; beyond it the oldest goes.
    pub(crate) record_limit_mib: u64,
    /// Size of the ring between kernel and eyas, MiB; a power of two.
    #[serde(deserialize_with = "ring_mib")]
    pub(crate) ring_mib: u32,
    /// Further patterns of secrets in command lines.
    pub(crate) redact: Vec<String>,
    /// The patterns that ship.
    pub(crate) redact_builtin: bool,
    /// After the start, give up what is not needed any more: capabilities, and most of the file system.
    pub(crate) sandbox: bool,
    /// Keep a process beside the console that can play the actions of the self-test.
    pub(crate) self_test: bool,
    /// Ask name servers for the host names that rules mention.
    pub(crate) resolve_names: bool,
}

impl Default for Own {
    fn default() -> Self {
        Self {
            store: None,
            node: None,
            theme: None,
            record: true,
            record_limit_mib: 1024,
            ring_mib: 16,
            redact: Vec::new(),
            redact_builtin: true,
            sandbox: true,
            self_test: true,
            resolve_names: true,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rules_files: Vec::new(),
            watch_config_files: true,
            json_output: None,
            json_include_output_property: true,
            json_include_message_property: false,
            json_include_output_fields_property: true,
            json_include_tags_property: true,
            time_format_iso_8601: false,
            priority: PriorityName(Priority::Debug),
            rules: Vec::new(),
            rule_matching: RuleMatching::All,
            eyas: Own::default(),
            unused: BTreeMap::new(),
        }
    }
}

fn ring_mib<'de, D: serde::Deserializer<'de>>(d: D) -> Result<u32, D::Error> {
    let mib = u32::deserialize(d)?;
    if mib.is_power_of_two() && mib <= 1024 {
        return Ok(mib);
    }
    Err(serde::de::Error::custom(format!(
        "`ring_mib` is a power of two from 1 to 1024 (MiB), and {mib} is none"
    )))
}

/// A priority by its name in any case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PriorityName(pub(crate) Priority);

impl<'de> Deserialize<'de> for PriorityName {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let name = String::deserialize(d)?;
        let names = Priority::ALL.map(Priority::name).join(", ").to_lowercase();
        Priority::from_name(&name).map(Self).ok_or_else(|| {
            serde::de::Error::custom(format!("no priority is called `{name}`; there are {names}"))
        })
    }
}

impl Config {
    /// What to say of keys that do nothing: of every one that `-o KEY=VALUE` sets, and of those in the file that are nearly one
    /// that would. A file written for Falco has many others, which `eyas doctor` names.
    pub(crate) fn unused_notes(&self, common: &Common) -> Vec<String> {
        let keys = common.set.iter().filter_map(|set| set.split_once('='));
        let of = |key: &str| key.split('.').next().unwrap_or(key).to_owned();
        let set: Vec<String> = keys.clone().map(|(key, _)| of(key)).collect();
        let in_file = self.unused.keys().filter(|key| !set.contains(key)).filter_map(|key| {
            let near = did_you_mean(key, KEYS)?;
            let path = Self::path(common).display();
            Some(format!("{path}: this version does not use the key `{key}`; did you mean `{near}`?"))
        });
        let unused = keys.filter(|(key, _)| self.unused.contains_key(&of(key)));
        let say = |(key, _): (&str, &str)| {
            let near = did_you_mean(key, KEYS);
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            format!("-o {key}: this key is not used by this version{hint}")
        };
        in_file.chain(unused.map(say)).collect()
    }

    /// The file that it is read from.
    pub(crate) fn path(common: &Common) -> &Path {
        common.config.as_deref().unwrap_or(Path::new(DEFAULT_PATH))
    }

    /// Reads the configuration that the command line asks for, and lets `-o KEY=VALUE` change it.
    pub(crate) fn load(common: &Common) -> anyhow::Result<Self> {
        let path = Self::path(common);
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && common.config.is_none() => String::new(),
            Err(e) => {
                return Err(e).with_context(|| format!("cannot read the configuration {}", path.display()));
            }
        };
        let mut tree: serde_yaml::Value = serde_yaml::from_str(&text)
            .with_context(|| format!("{}: not a configuration", path.display()))?;
        let says_nothing = tree.is_null();
        if says_nothing {
            tree = serde_yaml::Value::Mapping(serde_yaml::Mapping::new());
        }
        // Checked by itself first, and as text, so that what is wrong is sought where it stands.
        let config: Self = serde_yaml::from_str(if says_nothing { "{}" } else { &text })
            .with_context(|| format!("{}: not a configuration", path.display()))?;
        if common.set.is_empty() {
            return Ok(config);
        }
        for set in &common.set {
            apply(&mut tree, set)?;
        }
        // By way of its text, so that an error names the key; the place would be that of a line that nobody has written.
        let text = serde_yaml::to_string(&tree)?;
        serde_yaml::from_str(&text).map_err(|error| {
            let error = error.to_string();
            let said = error.rsplit_once(" at line ").map_or(&*error, |(said, _)| said);
            anyhow!("-o {}: not a configuration: {said}", common.set.join(" -o "))
        })
    }
}

/// The keys that are used.
const KEYS: [&str; 12] = [
    "rules_files",
    "watch_config_files",
    "json_output",
    "json_include_output_property",
    "json_include_message_property",
    "json_include_output_fields_property",
    "json_include_tags_property",
    "time_format_iso_8601",
    "priority",
    "rules",
    "rule_matching",
    "eyas",
];

/// Sets one key in the tree; dots lead into maps.
fn apply(tree: &mut serde_yaml::Value, set: &str) -> anyhow::Result<()> {
    let Some((key, value)) = set.split_once('=').filter(|(key, _)| !key.is_empty()) else {
        bail!("-o {set}: write KEY=VALUE, for example -o json_output=false");
    };
    let value: serde_yaml::Value =
        serde_yaml::from_str(value).with_context(|| format!("-o {set}: the value is not YAML"))?;
    let mut at = tree;
    for part in key.split('.') {
        if !at.is_mapping() {
            *at = serde_yaml::Value::Mapping(serde_yaml::Mapping::new());
        }
        let Some(map) = at.as_mapping_mut() else { bail!("-o {set}: `{part}` is not in a map") };
        at = map.entry(part.into()).or_insert(serde_yaml::Value::Null);
    }
    *at = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn common(config: Option<PathBuf>, set: &[&str]) -> Common {
        Common {
            rules: Vec::new(),
            store: None,
            config,
            node: None,
            set: set.iter().map(ToString::to_string).collect(),
            theme: None,
        }
    }

    #[test]
    fn options_change_what_the_file_says() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("eyas.yaml");
        std::fs::write(&path, "json_output: true\npriority: notice\nengine: {kind: modern_ebpf}\n")
            .expect("write");
        let config =
            Config::load(&common(Some(path), &["json_output=false", "eyas.node=n7"])).expect("it loads");
        assert_eq!(config.json_output, Some(false));
        assert_eq!(config.eyas.node.as_deref(), Some("n7"));
        assert_eq!(config.priority.0, Priority::Notice);
        assert!(config.unused.contains_key("engine"));
    }

    #[test]
    fn a_key_that_does_nothing_is_told() {
        let sets = ["json_ouput=false", "engine.kind=x", "json_output=false", "eyas.node=n"];
        let config = Config::load(&common(None, &sets)).expect("it loads");
        let said = config.unused_notes(&common(None, &sets));
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains("`json_output`") && said[1].starts_with("-o engine.kind: "), "{said:?}");
        // A key that is used refuses a value of a wrong kind.
        for key in KEYS {
            let set = format!("{key}={{no_such_thing: 1}}");
            assert!(Config::load(&common(None, &[&set])).is_err(), "{key}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("eyas.yaml");
        let missing = Config::load(&common(Some(path.clone()), &[])).expect_err("it is not there");
        assert!(format!("{missing:#}").contains("eyas.yaml"));
        std::fs::write(&path, "priority: loud\n").expect("write");
        let wrong =
            format!("{:#}", Config::load(&common(Some(path.clone()), &[])).expect_err("no such priority"));
        assert!(wrong.contains("loud") && wrong.contains("warning"), "{wrong}");
        std::fs::write(&path, "eyas: {stoer: x}\n").expect("write");
        let wrong = format!("{:#}", Config::load(&common(Some(path.clone()), &[])).expect_err("no such key"));
        assert!(wrong.contains("stoer"), "{wrong}");
        let value = |text: &str| {
            std::fs::write(&path, text).expect("write");
            format!("{:#}", Config::load(&common(Some(path.clone()), &[])).expect_err("no such value"))
        };
        let wrong = value("eyas:\n  record_limit_mib: -5\n");
        assert!(wrong.contains("eyas.record_limit_mib: ") && wrong.contains("line 2"), "{wrong}");
        let wrong = value("eyas:\n  ring_mib: 3\n");
        assert!(
            wrong.contains("`ring_mib` is a power of two from 1 to 1024") && wrong.contains("line 2"),
            "{wrong}"
        );
        let wrong = format!("{:#}", Config::load(&common(None, &["eyas.ring_mib=3"])).expect_err("no ring"));
        assert!(wrong.contains("`ring_mib` is a power of two") && !wrong.contains("line"), "{wrong}");
        std::fs::write(&path, "json_ouput: true\nengine: {kind: modern_ebpf}\n").expect("write");
        let common_of = common(Some(path), &[]);
        let said = Config::load(&common_of).expect("it loads").unused_notes(&common_of);
        assert!(
            matches!(&said[..], [one] if one.contains("`json_ouput`") && one.contains("`json_output`")),
            "{said:?}"
        );
        let wrong =
            format!("{:#}", Config::load(&common(None, &["priority=loud"])).expect_err("no such priority"));
        assert!(wrong.starts_with("-o priority=loud: ") && wrong.contains("warning"), "{wrong}");
        let wrong = format!("{:#}", Config::load(&common(None, &["json_output"])).expect_err("no value"));
        assert!(wrong.contains("KEY=VALUE"), "{wrong}");
    }
}
