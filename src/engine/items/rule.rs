//! Rules, and items that change a rule.

use eyas_event::Priority;

use crate::diag::{Code, Diagnostic, ItemKind, did_you_mean};
use crate::items::keys::{Keys, number};
use crate::items::{Name, Override, OverrideOp, Reader, RuleItem, Text, deprecated_append};
use crate::source::Span;
use crate::yaml::Node;

/// The keys that a rule may have; the first names it.
pub(super) const KEYS: [&str; 15] = [
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
}

impl Purpose {
    fn of(keys: &Keys<'_>, append: bool, overrides: &[Override]) -> Self {
        let defines = ["condition", "output", "desc", "priority"];
        if !overrides.is_empty() {
            Self::Override
        } else if append {
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
            Self::Define => true,
            Self::Override => overrides.iter().any(|change| change.key.text == key),
            Self::Append => matches!(key, "condition" | "exceptions"),
            Self::Switch => key == "enabled",
        }
    }
}

impl Reader<'_> {
    pub(super) fn rule(&mut self, pairs: &[(Node, Node)]) -> Option<RuleItem> {
        let all = self.keys(pairs, ItemKind::Rule, &KEYS);
        let name = all.name(self, "rule")?;
        let append = all.bool(self, "append")?.filter(|(on, _)| *on).map(|(_, span)| span);
        deprecated_append(self, ItemKind::Rule, &name, append, "condition");
        let overrides = all.overrides(self, &APPEND, &REPLACE)?;
        if let (Some(span), false) = (append, overrides.is_empty()) {
            all.bad_override(self, "`append` and `override` do not go together", span, "remove this");
            return None;
        }
        let purpose = Purpose::of(&all, append.is_some(), &overrides);
        let fits = !matches!(purpose, Purpose::Override) || all.overrides_fit(self, &overrides, &REPLACE);
        // Every key is read before the first one that failed ends the item: one look shows all that is wrong.
        let source = self.source(&all, &purpose);
        let keys = all.only(|key| purpose.reads(key, &overrides));
        let desc = keys.text(self, "desc");
        let condition = keys.text(self, "condition");
        let output = keys.text(self, "output");
        let priority = self.priority(&keys, &name);
        let enabled = keys.bool(self, "enabled");
        let tags = keys.texts(self, "tags");
        let appends = |change: &Override| change.key.text == "exceptions" && change.op == OverrideOp::Append;
        let way = if matches!(purpose, Purpose::Append) || overrides.iter().any(appends) {
            OverrideOp::Append
        } else {
            OverrideOp::Replace
        };
        let exceptions = self.exceptions(&keys, &name, way);
        let warn_evttypes = keys.bool(self, "warn_evttypes");
        let skip_if_unknown = keys.bool(self, "skip-if-unknown-filter");
        let capture = keys.bool(self, "capture");
        let capture_duration = self.duration(&keys);
        let on = |flag: Option<(bool, Span)>| flag.map(|(value, _)| value);
        let first = pairs.first().map_or(name.span, |(key, _)| key.span);
        let end = pairs.last().map_or(name.span.end, |(_, node)| node.end);
        let item = RuleItem {
            name,
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
            exceptions: exceptions?,
            warn_evttypes: on(warn_evttypes?),
            skip_if_unknown: on(skip_if_unknown?),
            capture: on(capture?),
            capture_duration: capture_duration?,
            append,
            complete: ["desc", "condition", "output", "priority"].iter().all(|key| all.node(key).is_some()),
            append_line: all.key("append").and_then(|key| self.line_of(key)),
            overrides,
        };
        match purpose {
            Purpose::Define => self.whole(&all, item),
            Purpose::Override => fits.then_some(item),
            Purpose::Append => Some(item),
            Purpose::Switch => {
                let span = item.enabled.map_or(item.name.span, |(_, span)| span);
                let found = Diagnostic::new(Code::Deprecated, "a lone `enabled` is the old form", span, "")
                    .note("add `override: {enabled: replace}`");
                self.push(found.of(ItemKind::Rule, &item.name.text));
                Some(item)
            }
        }
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

    /// The line of a key that is the first in it, with its line break.
    fn line_of(&self, key: Span) -> Option<Span> {
        let before = self.file.get(..key.start as usize)?;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = self.file.get(key.start as usize..)?;
        let end = key.start as usize + rest.find('\n').map_or(rest.len(), |at| at + 1);
        before[start..].trim().is_empty().then(|| Span::new(self.source, start as u32, end as u32))
    }

    /// A full definition needs its four keys.
    fn whole(&mut self, keys: &Keys<'_>, item: RuleItem) -> Option<RuleItem> {
        let mut fine = true;
        for (key, there) in [
            ("desc", item.desc.is_some()),
            ("condition", item.condition.is_some()),
            ("output", item.output.is_some()),
            ("priority", item.priority.is_some()),
        ] {
            if !there {
                fine = false;
                keys.missing::<()>(self, key);
            }
        }
        fine.then_some(item)
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
        let near = did_you_mean(first, upper.iter().map(String::as_str).chain(["INFO"]));
        if let Some(near) = near.or(if written == "HIGH" { Some("CRITICAL") } else { None }) {
            found = found.mend(format!("did you mean {near}?"), node.span, near);
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
