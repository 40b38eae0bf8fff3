//! The plugins that rule files ask for: eyas does the work of some itself, each up to a version, and says so of the others.

use crate::collect::Collection;
use crate::diag::{Code, Diagnostic, ItemKind};
use crate::items::PluginItem;

/// Plugins whose work eyas does itself, and in which version.
const STANDS_IN_FOR: [(&str, (u64, u64, u64)); 11] = [
    ("cloudtrail", (0, 10, 0)),
    ("container", (0, 7, 4)),
    ("gcpaudit", (0, 3, 0)),
    ("github", (0, 8, 0)),
    ("json", (0, 7, 0)),
    ("k8saudit", (0, 18, 0)),
    ("k8saudit-aks", (0, 6, 0)),
    ("k8saudit-eks", (0, 12, 0)),
    ("k8saudit-gke", (0, 9, 0)),
    ("k8saudit-ovh", (0, 6, 0)),
    ("okta", (0, 11, 0)),
];

impl Collection {
    /// Reports the plugins that files ask for and eyas does not stand in for. It is known after the last file only.
    pub fn check_plugins(&self, diagnostics: &mut Vec<Diagnostic>) {
        for plugin in &self.required_plugins {
            check_plugin(plugin, diagnostics);
        }
    }
}

/// The first of the choices that is there at all decides, as in Falco: it must be of the same major version and not older.
fn check_plugin(plugin: &PluginItem, diagnostics: &mut Vec<Diagnostic>) {
    let there = plugin.choices.iter().find_map(|choice| {
        let known = STANDS_IN_FOR.iter().find(|(name, _)| *name == choice.name.text)?;
        Some((choice, known.1))
    });
    let Some(first) = plugin.choices.first() else { return };
    let found = match there {
        Some((choice, has)) if has.0 == choice.version.0 && has >= choice.version => return,
        Some((choice, (a, b, c))) => Diagnostic::new(
            Code::PluginMissing,
            format!(
                "eyas does the work of the plugin `{}` {a}.{b}.{c}, not of this version",
                choice.name.text
            ),
            choice.version_span,
            "asked for here",
        )
        .note(format!(
            "the first number must be equal and the whole not newer: ask for {a}.{b}.{c} or less if the file needs no more"
        )),
        None => {
            let names: Vec<_> = STANDS_IN_FOR.iter().map(|(name, _)| *name).collect();
            Diagnostic::new(
                Code::PluginMissing,
                format!("eyas does not do the work of the plugin `{}`", first.name.text),
                first.name.span,
                "asked for here",
            )
            .note(format!("it does that of {}", names.join(", ")))
            .note("name one of these under `alternatives`, or take the requirement out")
        }
    };
    diagnostics.push(found.of(ItemKind::Requirement, ""));
}
