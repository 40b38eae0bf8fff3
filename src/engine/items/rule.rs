//! Rules, and items that change a rule.

use eyas_event::Priority;

use crate::diag::{Code, Diagnostic, ItemKind, did_you_mean};
use crate::items::keys::Keys;
use crate::items::{BrokenItem, Item, Name, Reader, RuleItem};
use crate::source::Span;
use crate::yaml::Node;

/// The keys that a rule may have; the first names it.
pub(super) static KEYS: [&str; 15] = [
    "rule",
    "desc",
    "condition",
    "output",
    "priority",
    "source",
    "enabled",
    "tags",
    "exceptions",
    "warn_evttypes",
    "skip-if-unknown-filter",
    "capture",
    "capture_duration",
    "append",
    "override",
];
/// What a full definition has.
const NEEDED: [&str; 4] = ["desc", "condition", "output", "priority"];
const APPEND: [&str; 5] = ["condition", "output", "desc", "tags", "exceptions"];
const REPLACE: [&str; 11] = [
    "condition",
    "output",
    "desc",
    "priority",
    "tags",
    "exceptions",
    "enabled",
    "warn_evttypes",
    "skip-if-unknown-filter",
    "capture",
    "capture_duration",
];

impl Reader<'_> {
    pub(super) fn rule(&mut self, pairs: &[(Node, Node)]) -> Item {
        let keys = self.keys(pairs, ItemKind::Rule, &KEYS);
        match self.rule_item(pairs, &keys) {
            Ok(item) => Item::Rule(Box::new(item)),
            Err(broken) => Item::Broken(broken),
        }
    }

    fn rule_item(&mut self, pairs: &[(Node, Node)], keys: &Keys<'_>) -> Result<RuleItem, Box<BrokenItem>> {
        // Every key is read before the first one that failed ends the item: one look shows all that is wrong.
        let name = keys.name(self, "rule");
        let owner = name.clone().unwrap_or(Name { text: String::new(), span: keys.span });
        let desc = keys.text(self, "desc");
        let condition = keys.text(self, "condition");
        let output = keys.text(self, "output");
        let priority = self.priority(keys, &owner);
        // A change needs no source, so an empty one is no fault there.
        let change = keys.node("append").is_some() || keys.node("override").is_some();
        let source = match keys.node("source") {
            Some(node) if change && (node.is_null() || node.text() == Some("")) => Some(None),
            _ => keys.text(self, "source"),
        };
        let enabled = keys.bool(self, "enabled");
        let tags = keys.texts(self, "tags");
        let (exceptions, exceptions_fine) = self.exceptions(keys, &owner);
        let warn_evttypes = keys.bool(self, "warn_evttypes");
        let skip_if_unknown = keys.bool(self, "skip-if-unknown-filter");
        let capture = keys.bool(self, "capture");
        let capture_duration = self.duration(keys);
        let append = keys.append(self);
        let overrides = keys.overrides(self, &APPEND, &REPLACE);
        let on = |flag: Option<(bool, Span)>| flag.map(|(value, _)| value);
        let first = pairs.first().map_or(owner.span, |(key, _)| key.span);
        let end = pairs.last().map_or(owner.span.end, |(_, node)| node.end);
        let parts = [&desc, &condition, &output].into_iter().all(Option::is_some)
            && [&enabled, &warn_evttypes, &skip_if_unknown, &capture].into_iter().all(Option::is_some)
            && append.is_some()
            && name.is_some()
            && priority.is_some()
            && source.is_some()
            && tags.is_some()
            && capture_duration.is_some()
            && overrides.is_some()
            && exceptions_fine;
        if !parts {
            // A rule that lacks keys as well says so now.
            if !change && NEEDED.iter().any(|key| keys.node(key).is_some()) {
                self.complete(keys);
            }
            return Err(Box::new(BrokenItem {
                source: match source {
                    // What a change is for hangs on the rule that it changes.
                    Some(None) if !change => Some("syscall".to_owned()),
                    Some(Some(text)) => Some(text.as_str().to_owned()),
                    _ => None,
                },
                condition: keys.likely_text(self, "condition"),
                output: keys.likely_text(self, "output"),
                exceptions: exceptions.filter(|_| !change).unwrap_or_default(),
                skip_if_unknown: skip_if_unknown.flatten().is_some_and(|(on, _)| on),
                ..BrokenItem::new(ItemKind::Rule, name, keys.span)
            }));
        }
        let read = || {
            Some(RuleItem {
                name: name?,
                whole: Span::new(first.source, self.dash_before(first.start), end),
                desc: desc?,
                condition: condition?,
                output: output?.map(|mut text| {
                    text.spliced = text.spliced.trimmed();
                    text
                }),
                priority: priority?,
                source: source?.map(|text| Name { text: text.as_str().to_owned(), span: text.span }),
                enabled: enabled?,
                tags: tags?.map(|tags| {
                    let tag =
                        |text: crate::items::Text| Name { text: text.as_str().to_owned(), span: text.span };
                    tags.into_iter().map(tag).collect()
                }),
                exceptions,
                warn_evttypes: on(warn_evttypes?),
                skip_if_unknown: on(skip_if_unknown?),
                capture: on(capture?),
                capture_duration: capture_duration?,
                append: append?,
                indent: self.indent_of(first),
                append_line: keys.key("append").and_then(|key| self.line_of(key)),
                overrides: overrides?,
            })
        };
        let Some(item) = read() else {
            return Err(Box::new(BrokenItem::new(ItemKind::Rule, None, keys.span)));
        };
        if let (Some(append), false) = (item.append, item.overrides.is_empty()) {
            let old = Diagnostic::new(Code::Deprecated, "`append: true` is the old form", append.value, "");
            self.push(old.of(ItemKind::Rule, &item.name.text));
            keys.two_changes(self, append.value);
            return Err(Box::new(BrokenItem::of(item, None)));
        }
        if self.whole(keys, &item) {
            return Ok(item);
        }
        let condition = keys.likely_text(self, "condition");
        let output = keys.likely_text(self, "output");
        Err(Box::new(BrokenItem { condition, output, ..BrokenItem::of(item, Some("syscall")) }))
    }

    /// Where the dash stands that begins the item whose first key is at `key`; `key` itself when there is none.
    fn dash_before(&self, key: u32) -> u32 {
        let before = self.file.get(..key as usize).unwrap_or("");
        let dash = before.trim_end_matches(' ');
        if dash.ends_with('-') { dash.len() as u32 - 1 } else { key }
    }

    /// How far in a key stands that begins a line or follows a dash.
    fn indent_of(&self, key: Span) -> Option<usize> {
        let before = self.file.get(..key.start as usize)?;
        let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
        line.chars().all(|c| matches!(c, ' ' | '-')).then_some(line.len())
    }

    /// The line of a key that is the first in it, with its line break.
    pub(super) fn line_of(&self, key: Span) -> Option<Span> {
        let before = self.file.get(..key.start as usize)?;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = self.file.get(key.start as usize..)?;
        let end = key.start as usize + rest.find('\n').map_or(rest.len(), |at| at + 1);
        before[start..].trim().is_empty().then(|| Span::new(self.source, start as u32, end as u32))
    }

    /// A full definition needs its four keys; a lone `enabled` is a switch; the rest is a change.
    fn whole(&mut self, keys: &Keys<'_>, item: &RuleItem) -> bool {
        let change = item.append.is_some() || !item.overrides.is_empty();
        let any = item.condition.is_some()
            || item.output.is_some()
            || item.desc.is_some()
            || item.priority.is_some();
        if change || (!any && item.enabled.is_some()) {
            return true;
        }
        self.complete(keys)
    }

    /// Reports the keys that a full definition needs and does not have.
    fn complete(&mut self, keys: &Keys<'_>) -> bool {
        let mut fine = true;
        for key in NEEDED {
            if keys.node(key).is_none() {
                fine = false;
                keys.missing::<()>(self, key);
            }
        }
        fine
    }

    #[expect(clippy::option_option, reason = "outer: readable; inner: present")]
    fn priority(&mut self, keys: &Keys<'_>, rule: &Name) -> Option<Option<(Priority, Span)>> {
        let Some(node) = keys.node("priority") else { return Some(None) };
        let Some(text) = node.text() else { return keys.wrong(self, "priority", node, "one word") };
        if let Some(priority) = Priority::from_name(text) {
            return Some(Some((priority, node.span)));
        }
        let names = Priority::ALL.map(Priority::name);
        let upper = names.map(str::to_ascii_uppercase);
        let mut found = Diagnostic::new(Code::BadPriority, "this is not a priority", node.span, "")
            .note(format!("the priorities are {}", upper.join(", ")))
            .of(ItemKind::Rule, &rule.text);
        let written = text.to_ascii_uppercase();
        let first = written.split([' ', '(']).next().unwrap_or("");
        let number = Priority::ALL.get(written.parse::<usize>().unwrap_or(usize::MAX));
        let near = did_you_mean(first, upper.iter().map(String::as_str).chain(["INFO"]));
        if let (true, Some(priority)) = (first.len() < written.len(), Priority::from_name(first)) {
            let word = priority.name().to_ascii_uppercase();
            found = found.mend("write the word alone", node.span, word);
        } else if let Some(near) = often_meant(&written).or(near) {
            found = found.near(node.span, near);
        } else if let Some(priority) = number {
            found = found.near(node.span, &priority.name().to_ascii_uppercase());
        }
        self.push(found);
        None
    }

    #[expect(clippy::option_option, reason = "outer: readable; inner: present")]
    fn duration(&mut self, keys: &Keys<'_>) -> Option<Option<u64>> {
        let Some(node) = keys.node("capture_duration") else { return Some(None) };
        match node.text().and_then(|text| text.parse().ok()) {
            Some(ms) => Some(Some(ms)),
            None => keys.wrong(self, "capture_duration", node, "a number of milliseconds"),
        }
    }
}

/// Words of other scales, with the priority that comes near.
fn often_meant(word: &str) -> Option<&'static str> {
    match word {
        "EMERG" | "FATAL" | "PANIC" => Some("EMERGENCY"),
        "HIGH" | "CRIT" | "SEVERE" => Some("CRITICAL"),
        "ERR" => Some("ERROR"),
        "MEDIUM" | "MODERATE" | "WARN" => Some("WARNING"),
        "LOW" => Some("NOTICE"),
        "INFORMATION" => Some("INFORMATIONAL"),
        "TRACE" | "VERBOSE" => Some("DEBUG"),
        _ => None,
    }
}
