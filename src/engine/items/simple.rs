//! Lists, macros and version requirements.

use crate::diag::{Code, Diagnostic, ItemKind};
use crate::items::keys::Keys;
use crate::items::{
    Append, BrokenItem, EngineItem, Item, ListItem, MacroItem, Name, Override, OverrideOp, PluginItem, Reader,
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
                Diagnostic::new(Code::OddName, "a condition cannot name this list", name.span, "")
                    .note("a list's name has no blanks, quotes, parentheses, commas or =")
                    .of(ItemKind::List, &name.text),
            );
        }
        let items = keys.texts(self, "items");
        let change = self.change(&keys, "items");
        let items = items.and_then(|items| items.or_else(|| keys.missing(self, "items")));
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
        let change = self.change(&keys, "condition");
        let condition = condition.and_then(|text| text.or_else(|| keys.missing(self, "condition")));
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
        let overrides: Option<Vec<Override>> = keys.overrides(self, &[payload], &[payload]);
        let append = append?;
        let overrides = overrides?;
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
        let version = node.text().and_then(|text| match text.parse::<u64>() {
            Ok(minor) => Some((0, minor, 0)),
            Err(_) => version(text),
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
        for node in nodes {
            let Kind::Mapping(pairs) = &node.kind else {
                self.bad_plugin("a plugin requirement has a name and a version", node.span);
                continue;
            };
            let Some(first) = self.plugin(pairs) else { continue };
            let mut choices = vec![first];
            if let Some((_, others)) = pairs.iter().find(|(key, _)| key.text() == Some("alternatives"))
                && let Kind::Sequence(others) = &others.kind
            {
                for other in others {
                    match &other.kind {
                        Kind::Mapping(pairs) => choices.extend(self.plugin(pairs)),
                        _ => self.bad_plugin("an alternative has a name and a version", other.span),
                    }
                }
            }
            for (i, (name, _)) in choices.iter().enumerate() {
                if choices[..i].iter().any(|(seen, _)| seen.text == name.text) {
                    let message = format!("the plugin `{}` is named twice in one requirement", name.text);
                    self.bad_plugin(&message, name.span);
                }
            }
            plugins.push(PluginItem { choices });
        }
        Some(plugins)
    }

    fn plugin(&mut self, pairs: &[(Node, Node)]) -> Option<(Name, (u64, u64, u64))> {
        let get =
            |wanted: &str| pairs.iter().find(|(key, _)| key.text() == Some(wanted)).map(|(_, node)| node);
        let place = pairs.first().map_or(Span::new(self.source, 0, 0), |(key, _)| key.span);
        let (Some(name), Some(number)) = (get("name"), get("version")) else {
            self.bad_plugin("a plugin requirement has a name and a version", place);
            return None;
        };
        let Some(parsed) = number.text().and_then(version) else {
            self.bad_plugin("a plugin version is three numbers such as 0.4.0", number.span);
            return None;
        };
        Some((Name { text: name.text().unwrap_or("").to_owned(), span: name.span }, parsed))
    }

    fn bad_plugin(&mut self, message: &str, span: Span) {
        self.push(Diagnostic::new(Code::BadPlugin, message, span, ""));
    }
}

/// Three numbers with points between; what follows a dash or a plus is ignored.
fn version(text: &str) -> Option<(u64, u64, u64)> {
    let core = text.split(['-', '+']).next()?;
    let mut parts = core.split('.').map(|part| part.parse::<u64>().ok());
    let version = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(version)
}
