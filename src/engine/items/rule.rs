//! Rules, and items that change a rule.

use eyas_event::Priority;

use crate::diag::{Code, Diagnostic, ItemKind, did_you_mean};
use crate::items::keys::{Keys, number};
use crate::items::{BrokenItem, Item, Name, Override, OverrideOp, Reader, RuleItem, Text};
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

/// What an item that begins with `rule` does, which decides the keys that are looked at.
enum Purpose {
    /// Defines a rule: all keys count.
    Define,
    /// Changes the keys that `override` names.
    Override,
    /// Appends in the old form: only these two keys count.
    Append,
    /// Switches a rule on or off.
    Switch,
    /// Changes a rule in a way that could not be read: every key may count.
    Unclear,
}

impl Purpose {
    fn of(keys: &Keys<'_>, appends: Option<bool>, overrides: Option<&[Override]>) -> Self {
        let (Some(appends), Some(overrides)) = (appends, overrides) else { return Self::Unclear };
        let defines = ["condition", "output", "desc", "priority"];
        if !overrides.is_empty() {
            Self::Override
        } else if appends {
            Self::Append
        } else if defines.iter().any(|key| keys.node(key).is_some()) || keys.node("enabled").is_none() {
            Self::Define
        } else {
            Self::Switch
        }
    }

    /// Whether a key is looked at; what stands in the others does not matter.
    fn reads(&self, key: &str, overrides: &[Override]) -> bool {
        match self {
            Self::Define | Self::Unclear => true,
            Self::Override => overrides.iter().any(|change| change.key.text == key),
            Self::Append => matches!(key, "condition" | "exceptions"),
            Self::Switch => key == "enabled",
        }
    }
}

/// The keys that an item in the old form appends to, and those that this form passes over.
fn appended(keys: &Keys<'_>) -> (Vec<&'static str>, Vec<&'static str>) {
    let there = REPLACE.into_iter().filter(|key| keys.node(key).is_some());
    there.partition(|key| matches!(*key, "condition" | "exceptions"))
}

impl Reader<'_> {
    pub(super) fn rule(&mut self, pairs: &[(Node, Node)]) -> Item {
        let all = self.keys(pairs, ItemKind::Rule, &KEYS);
        match self.rule_item(pairs, &all) {
            Ok(item) => Item::Rule(Box::new(item)),
            Err(broken) => Item::Broken(broken),
        }
    }

    fn rule_item(&mut self, pairs: &[(Node, Node)], all: &Keys<'_>) -> Result<RuleItem, Box<BrokenItem>> {
        // Every key is read before the first one that failed ends the item: one look shows all that is wrong.
        let name = all.name(self, "rule");
        let owner = name.clone().unwrap_or(Name { text: String::new(), span: all.span });
        let append = all.append(self);
        let (appended, unread) = appended(all);
        all.deprecated_append(self, append.flatten(), &appended, &unread);
        let overrides = all.overrides(self, &APPEND, &REPLACE);
        let purpose = Purpose::of(all, append.map(|append| append.is_some()), overrides.as_deref());
        let changes = overrides.as_deref().unwrap_or(&[]);
        let mut fits = true;
        if let (Some(append), false) = (append.flatten(), changes.is_empty()) {
            fits = false;
            all.two_changes(self, append.value);
        } else if matches!(purpose, Purpose::Override) {
            fits = all.overrides_fit(self, changes, &APPEND, &REPLACE);
        }
        let source = self.source(all, &purpose);
        let keys = all.only(|key| purpose.reads(key, changes));
        let desc = keys.text(self, "desc");
        let condition = keys.text(self, "condition");
        let output = keys.text(self, "output");
        let priority = self.priority(&keys, &owner);
        let enabled = keys.bool(self, "enabled");
        let tags = keys.texts(self, "tags");
        let appends = |change: &Override| change.key.text == "exceptions" && change.op == OverrideOp::Append;
        let way = match purpose {
            Purpose::Unclear => None,
            Purpose::Append => Some(OverrideOp::Append),
            _ if changes.iter().any(appends) => Some(OverrideOp::Append),
            _ => Some(OverrideOp::Replace),
        };
        let (exceptions, exceptions_fine) = self.exceptions(&keys, &owner, way);
        let warn_evttypes = keys.bool(self, "warn_evttypes");
        let skip_if_unknown = keys.bool(self, "skip-if-unknown-filter");
        let capture = keys.bool(self, "capture");
        let capture_duration = self.duration(&keys);
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
        let defines = matches!(purpose, Purpose::Define);
        if !parts {
            // A rule that lacks keys as well says so now.
            if defines && NEEDED.iter().any(|key| all.node(key).is_some()) {
                self.complete(all);
            }
            return Err(Box::new(BrokenItem {
                source: match source {
                    // What a change is for hangs on the rule that it changes.
                    Some(None) if defines => Some("syscall".to_owned()),
                    Some(Some(text)) => Some(text.as_str().to_owned()),
                    _ => None,
                },
                condition: all.likely_text(self, "condition"),
                output: all.likely_text(self, "output"),
                exceptions: exceptions.filter(|_| defines).unwrap_or_default(),
                skip_if_unknown: skip_if_unknown.flatten().is_some_and(|(on, _)| on),
                ..BrokenItem::new(ItemKind::Rule, name, all.span)
            }));
        }
        let read = || {
            Some(RuleItem {
                name: name?,
                whole: Span::new(first.source, self.dash_before(first.start), end),
                desc: desc?,
                condition: condition?,
                output: output?,
                priority: priority?,
                source: source?.map(|text| Name { text: text.as_str().to_owned(), span: text.span }),
                enabled: enabled?,
                tags: tags?.map(|tags| {
                    let tag = |text: Text| Name { text: text.as_str().to_owned(), span: text.span };
                    tags.into_iter().map(tag).collect()
                }),
                exceptions,
                warn_evttypes: on(warn_evttypes?),
                skip_if_unknown: on(skip_if_unknown?),
                capture: on(capture?),
                capture_duration: capture_duration?,
                append: append?,
                unread_output: append.flatten().and_then(|_| all.likely_text(self, "output")),
                complete: NEEDED.iter().all(|key| all.node(key).is_some()),
                append_line: all.key("append").and_then(|key| self.line_of(key)),
                indent: self.indent_of(first),
                overrides: overrides?,
            })
        };
        let Some(item) = read() else {
            return Err(Box::new(BrokenItem::new(ItemKind::Rule, None, all.span)));
        };
        let (whole, source) = match purpose {
            Purpose::Define => (self.complete(all), Some("syscall")),
            Purpose::Switch => {
                self.old_switch(&item);
                (true, None)
            }
            _ => (fits, None),
        };
        if whole {
            return Ok(item);
        }
        let condition = all.likely_text(self, "condition");
        let output = all.likely_text(self, "output");
        Err(Box::new(BrokenItem { condition, output, ..BrokenItem::of(item, source) }))
    }

    /// Says that a lone `enabled` is the old form.
    fn old_switch(&mut self, item: &RuleItem) {
        let span = item.enabled.map_or(item.name.span, |(_, span)| span);
        let found = Diagnostic::new(Code::Deprecated, "a lone `enabled` is the old form", span, "");
        let new = "override: {enabled: replace}";
        let found = match item.indent {
            Some(indent) => {
                let end = Span::new(span.source, span.end, span.end);
                found.mend("write the new form", end, format!("\n{}{new}", " ".repeat(indent)))
            }
            None => found.note(format!("add `{new}`")),
        };
        self.push(found.of(ItemKind::Rule, &item.name.text));
    }

    /// The event source. Only a definition needs one that is not empty.
    #[expect(clippy::option_option, reason = "outer: readable; inner: present")]
    fn source(&mut self, keys: &Keys<'_>, purpose: &Purpose) -> Option<Option<Text>> {
        match keys.node("source") {
            Some(node)
                if !matches!(purpose, Purpose::Define) && (node.is_null() || node.text() == Some("")) =>
            {
                Some(None)
            }
            _ => keys.text(self, "source"),
        }
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
        match node.text().filter(|_| !node.is_null()).and_then(number) {
            Some(ms) => Some(Some(ms.into())),
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
