//! Lists, macros and version requirements.

use crate::diag::{Code, Diagnostic, ItemKind};
use crate::items::keys::{Keys, number};
use crate::items::{
    Append, BrokenItem, EngineItem, Item, ListItem, MacroItem, Name, Override, OverrideOp, PluginChoice,
    PluginItem, Reader,
};
use crate::source::Span;
use crate::yaml::{Kind, Node};

/// How an item changes an earlier one, and where `append: true` stands.
type Change = (Option<(OverrideOp, Span)>, Option<Append>);

impl Reader<'_> {
    pub(super) fn list(&mut self, pairs: &[(Node, Node)]) -> Item {
        let keys = self.keys(pairs, ItemKind::List, &["list", "items", "append", "override"]);
        let name = keys.name(self, "list");
        let odd = |c: char| c.is_whitespace() || "()\"'=,".contains(c);
        if let Some(name) = name.as_ref().filter(|name| name.text.chars().any(odd)) {
            self.push(
                Diagnostic::new(
                    Code::OddName,
                    "this name is not one that Falco allows for a list",
                    name.span,
                    "",
                )
                .note("rename it without blanks, quotes, parentheses, commas or =")
                .of(ItemKind::List, &name.text),
            );
        }
        let items = keys.texts(self, "items").and_then(|items| items.or_else(|| keys.missing(self, "items")));
        let change = self.change(&keys, "items");
        match (&name, items, change) {
            (Some(name), Some(items), Some((change, append))) => {
                Item::List(ListItem { name: name.clone(), items, change, append })
            }
            _ => Item::Broken(Box::new(BrokenItem::new(ItemKind::List, name, keys.span))),
        }
    }

    pub(super) fn macro_item(&mut self, pairs: &[(Node, Node)]) -> Item {
        let keys = self.keys(pairs, ItemKind::Macro, &["macro", "condition", "append", "override"]);
        let name = keys.name(self, "macro");
        let fits = |name: &Name| {
            name.text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
                && name.text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        if let Some(name) = name.as_ref().filter(|name| !fits(name)) {
            self.push(
                Diagnostic::new(Code::OddName, "a condition cannot name this macro", name.span, "")
                    .note("a macro's name is a letter, then letters, digits and underscores")
                    .of(ItemKind::Macro, &name.text),
            );
        }
        let condition = keys.text(self, "condition");
        let condition = condition.and_then(|text| text.or_else(|| keys.missing(self, "condition")));
        let change = self.change(&keys, "condition");
        if let (Some(name), Some(condition), Some((change, append))) = (&name, condition, change) {
            return Item::Macro(MacroItem { name: name.clone(), condition, change, append });
        }
        let condition = keys.likely_text(self, "condition");
        let broken = BrokenItem::new(ItemKind::Macro, name, keys.span);
        Item::Broken(Box::new(BrokenItem { condition, ..broken }))
    }

    /// `append: true` or `override` of an item with one payload key.
    fn change(&mut self, keys: &Keys<'_>, payload: &str) -> Option<Change> {
        let append = keys.append(self);
        keys.deprecated_append(self, append.flatten(), &[payload], &[]);
        let overrides: Option<Vec<Override>> = keys.overrides(self, &[payload], &[payload]);
        let append = append?;
        let mut overrides = overrides?;
        // Where both are asked for, it is appended.
        overrides.sort_by_key(|change| change.op != OverrideOp::Append);
        match (append, overrides.first()) {
            (Some(append), Some(_)) => {
                keys.two_changes(self, append.value);
                None
            }
            (Some(append), None) => Some((Some((OverrideOp::Append, append.value)), Some(append))),
            (None, Some(o)) => Some((Some((o.op, o.key.span)), None)),
            (None, None) => Some((None, None)),
        }
    }

    pub(super) fn engine(&mut self, pairs: &[(Node, Node)]) -> Option<EngineItem> {
        let keys = self.keys(pairs, ItemKind::Requirement, &["required_engine_version"]);
        let node = keys.node("required_engine_version")?;
        let version = node.text().filter(|_| !node.is_null()).and_then(|text| match number(text) {
            Some(minor) => Some((0, minor.into(), 0)),
            None => version(text),
        });
        let Some(version) = version else {
            let found = Diagnostic::new(Code::BadVersion, "this is not an engine version", node.span, "")
                .note("an engine version is a number such as 57, or three numbers such as 0.57.0");
            let two =
                node.text().map(|text| format!("{text}.0")).filter(|text| self::version(text).is_some());
            self.push(match two {
                Some(three) => found.mend("write three numbers", node.span, three),
                None => found,
            });
            return None;
        };
        Some(EngineItem { version, span: node.span })
    }

    pub(super) fn plugins(&mut self, pairs: &[(Node, Node)]) -> Option<Vec<PluginItem>> {
        let keys = self.keys(pairs, ItemKind::Requirement, &["required_plugin_versions"]);
        let node = keys.node("required_plugin_versions")?;
        let Kind::Sequence(nodes) = &node.kind else {
            return keys.wrong(self, "required_plugin_versions", node, "a sequence of mappings");
        };
        let mut plugins = Vec::new();
        let mut fine = true;
        for node in nodes {
            match self.requirement(node) {
                Some(plugin) => plugins.push(plugin),
                None => fine = false,
            }
        }
        fine.then_some(plugins)
    }

    /// A plugin and those that would do in its place.
    fn requirement(&mut self, node: &Node) -> Option<PluginItem> {
        let first = self.plugin(node)?;
        let mut choices = vec![first];
        let Kind::Mapping(pairs) = &node.kind else { return None };
        if let Some((_, others)) = pairs.iter().find(|(key, _)| key.text() == Some("alternatives")) {
            let Kind::Sequence(others) = &others.kind else {
                let label = format!("this is {}", others.kind_word());
                let message = "`alternatives` must be a sequence of mappings";
                let found = requirement(Code::WrongType, message, others.span, &label);
                self.push(found.note("for example `alternatives: [{name: github, version: 0.8.0}]`"));
                return None;
            };
            for other in others {
                choices.push(self.plugin(other)?);
            }
        }
        for (i, choice) in choices.iter().enumerate() {
            if version(&choice.written).is_none() {
                let message = "a plugin version is three numbers such as 0.4.0";
                self.push(requirement(Code::BadPlugin, message, choice.version_span, ""));
                return None;
            }
            if choices[..i].iter().any(|seen| seen.name.text == choice.name.text) {
                let message = format!("the plugin `{}` is named twice in one requirement", choice.name.text);
                self.push(requirement(Code::BadPlugin, &message, choice.name.span, ""));
                return None;
            }
        }
        Some(PluginItem { choices })
    }

    fn plugin(&mut self, node: &Node) -> Option<PluginChoice> {
        let Kind::Mapping(pairs) = &node.kind else {
            let label = format!("this is {}", node.kind_word());
            let message = "a plugin requirement is a mapping with `name` and `version`";
            self.push(requirement(Code::WrongType, message, node.span, &label));
            return None;
        };
        let mut word = |wanted: &str| -> Option<(String, Span)> {
            let found = pairs.iter().find(|(key, _)| key.text() == Some(wanted)).map(|(_, node)| node);
            match found {
                Some(node) if node.text().is_some_and(|text| !text.is_empty() && !node.is_null()) => {
                    Some((node.text().unwrap_or("").to_owned(), node.span))
                }
                _ => {
                    let message = format!("a plugin requirement needs a `{wanted}`");
                    let span = found.map_or(node.span, |node| node.span);
                    self.push(requirement(Code::MissingKey, &message, span, ""));
                    None
                }
            }
        };
        let (name, span) = word("name")?;
        let (written, version_span) = word("version")?;
        let version = version(&written).unwrap_or_default();
        Some(PluginChoice { name: Name { text: name, span }, version, written, version_span })
    }
}

fn requirement(code: Code, message: &str, span: Span, label: &str) -> Diagnostic {
    Diagnostic::new(code, message, span, label).of(ItemKind::Requirement, "")
}

/// Three numbers with points between, as `sscanf` reads them: what follows the third does not matter.
fn version(text: &str) -> Option<(u64, u64, u64)> {
    let (major, rest) = leading_number(text)?;
    let (minor, rest) = leading_number(rest.strip_prefix('.')?)?;
    let (patch, _) = leading_number(rest.strip_prefix('.')?)?;
    Some((major, minor, patch))
}

/// The number that a text begins with, blanks and a plus before it passed over, and what follows.
fn leading_number(text: &str) -> Option<(u64, &str)> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\r']);
    let text = text.strip_prefix('+').unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number = text[..end].parse::<u64>().ok()?;
    Some((number.min(u32::MAX.into()), &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_are_read_as_sscanf_reads_them() {
        for text in ["1.2.3", " 1. 2.3", "1.2.3-rc1", "1.2.3.4", "1.2.3foo", "+1.2.3"] {
            assert_eq!(version(text), Some((1, 2, 3)), "{text}");
        }
        for text in ["", "1", "1.2", "1.2.", "a.b.c", "1 .2.3", "v1.2.3", "1.2.x"] {
            assert_eq!(version(text), None, "{text}");
        }
    }
}
