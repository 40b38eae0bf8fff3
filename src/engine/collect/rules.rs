//! Rules and the items that change them.

use std::sync::Arc;

use eyas_event::Priority;

use crate::collect::exceptions::{Of, append_exceptions, define_exceptions};
use crate::collect::{Collection, RuleDef, SOURCES, append_precedence, append_text};
use crate::diag::{Certainty, Code, Diagnostic, ItemKind, did_you_mean};
use crate::dialect::Dialect;
use crate::items::{Append, BrokenItem, Name, Override, OverrideOp, RuleItem, Text};
use crate::source::Span;
use crate::syntax::parse;

impl Collection {
    pub(super) fn rule(&mut self, item: RuleItem, diagnostics: &mut Vec<Diagnostic>) {
        self.next_position();
        let known = self.rule_index.get(&item.name.text).copied();
        if item.append.is_some() {
            self.append(item, known, diagnostics);
        } else if !item.overrides.is_empty() {
            self.override_rule(item, known, diagnostics);
        } else if item.condition.is_some() {
            self.define(item, known, diagnostics);
        } else {
            self.switch(&item, known, diagnostics);
        }
    }

    /// The old form: only `condition` and `exceptions` count.
    fn append(&mut self, item: RuleItem, known: Option<usize>, diagnostics: &mut Vec<Diagnostic>) {
        let Some(Append { value: span, .. }) = item.append else { return };
        if self.moved(&item, known, diagnostics) {
            self.rule_aside(RuleItem { source: None, ..item }, None, diagnostics);
            return;
        }
        if item.condition.is_none() && item.exceptions.is_none() {
            diagnostics.push(
                Diagnostic::new(Code::EmptyAppend, "this append changes nothing", span, "")
                    .note("with `append: true` only `condition` and `exceptions` are read; `override` changes the other keys")
                    .of(ItemKind::Rule, &item.name.text),
            );
            self.rule_aside(item, None, diagnostics);
            return;
        }
        let Some(index) = known else {
            self.orphan(item, span, diagnostics);
            return;
        };
        let dialect = self.dialect;
        let rule = &mut self.rules[index];
        if let Some(condition) = &item.condition {
            append_precedence(ItemKind::Rule, &item.name, &rule.condition, condition, diagnostics);
            append_text(&mut rule.condition, condition);
        }
        if let Some(exceptions) = item.exceptions {
            let of = Of { rule: &item.name, source: Some(&rule.source), dialect };
            append_exceptions(of, &mut rule.exceptions, exceptions, diagnostics);
        }
    }

    /// A change of a rule that is not there.
    fn orphan(&mut self, item: RuleItem, change: Span, diagnostics: &mut Vec<Diagnostic>) {
        if !self.no_base(ItemKind::Rule, &item.name, change, diagnostics) {
            self.rule_aside(item, None, diagnostics);
            return;
        }
        let word = if item.append.is_some() { "`append: true`" } else { "`override`" };
        let joins = item.condition.as_ref().and_then(joined_by);
        if let Some(found) = diagnostics.last_mut() {
            // With the name mended the condition is put behind another one.
            if let (Some(near), None, true) = (&found.edit, joins, appends_condition(&item)) {
                let base = &near.replacement;
                found.notes.push(format!(
                    "where that rule was meant, begin the condition with `and` or `or`: it is put behind that of `{base}`"
                ));
            }
        }
        if let (true, Some(found)) = (item.complete, diagnostics.last_mut()) {
            match joins {
                None => found.notes.push(format!(
                    "if this is meant to be a new rule, remove {word}: the item has all that one needs"
                )),
                // Such an item goes on from the rule whose name was misspelled.
                Some(_) if found.edit.is_some() => {}
                Some(joins) => found.notes.push(format!(
                    "if this is meant to be a new rule, remove {word} and the `{joins}` at the start of the condition"
                )),
            }
            // A name that is only misspelled says which rule the change is for.
            if let (Some(line), None) = (item.append_line, &found.edit)
                && let Some(certainty) = item.condition.as_ref().and_then(stands_alone)
            {
                *found = found.clone().with_edit(format!("remove {word}"), line, "", certainty);
            }
        }
        self.rule_aside(item, None, diagnostics);
    }

    /// Keeps a rule item that has no effect for the checks.
    fn rule_aside(&mut self, item: RuleItem, source: Option<&str>, diagnostics: &mut Vec<Diagnostic>) {
        self.set_aside(BrokenItem::of(item, source), diagnostics);
    }

    fn override_rule(&mut self, mut item: RuleItem, known: Option<usize>, diagnostics: &mut Vec<Diagnostic>) {
        let Some(index) = known else {
            let span = item.overrides.first().map_or(item.name.span, |o| o.key.span);
            self.orphan(item, span, diagnostics);
            return;
        };
        // Falco looks at the source where the condition is changed, and only there.
        if item.condition.is_some() && self.moved(&item, known, diagnostics) {
            self.rule_aside(RuleItem { source: None, ..item }, None, diagnostics);
            return;
        }
        let dialect = self.dialect;
        let rule = &mut self.rules[index];
        let mut overrides = std::mem::take(&mut item.overrides);
        // Appends come first, whatever the order in the file.
        overrides.sort_by_key(|o| o.op != OverrideOp::Append);
        for change in &overrides {
            match change.op {
                OverrideOp::Append => append_key(rule, &mut item, &change.key.text, dialect, diagnostics),
                OverrideOp::Replace => replace_key(rule, &mut item, &change.key.text, dialect, diagnostics),
            }
        }
    }

    /// Whether a change names another source than its rule has, which is reported.
    fn moved(&self, item: &RuleItem, known: Option<usize>, diagnostics: &mut Vec<Diagnostic>) -> bool {
        let Some(index) = known else { return false };
        match &item.source {
            Some(source) if *source.text != *self.rules[index].source => {
                self.source_changed(item, index, &source.text, diagnostics);
                true
            }
            _ => false,
        }
    }

    fn source_changed(&self, item: &RuleItem, index: usize, source: &str, diagnostics: &mut Vec<Diagnostic>) {
        let before = &self.rules[index];
        let at = item.source.as_ref().unwrap_or(&item.name);
        diagnostics.push(
            Diagnostic::new(
                Code::SourceChanged,
                format!("this rule was defined for `{}` and cannot move to `{source}`", before.source),
                at.span,
                "",
            )
            .see(before.name.span, "defined here")
            .note("a rule keeps its source; give this one another name")
            .of(ItemKind::Rule, &item.name.text),
        );
    }

    fn define(&mut self, item: RuleItem, known: Option<usize>, diagnostics: &mut Vec<Diagnostic>) {
        let source: Arc<str> = item.source.as_ref().map_or("syscall", |s| &s.text).into();
        if let Some(index) = known
            && self.rules[index].source != source
        {
            self.source_changed(&item, index, &source, diagnostics);
            // Of which source its fields should be is what is in question.
            self.rule_aside(RuleItem { source: None, ..item }, None, diagnostics);
            return;
        }
        if !SOURCES.contains(&&*source) {
            let message = format!("there is no event source `{source}`; the rule was skipped");
            let at = item.source.as_ref().map_or(item.name.span, |source| source.span);
            let found = Diagnostic::new(Code::UnknownSource, message, at, "");
            let found = found.of(ItemKind::Rule, &item.name.text);
            diagnostics.push(match did_you_mean(&source, SOURCES) {
                Some(near) => found.near(at, near),
                None => found.note(format!("the sources are {}", SOURCES.join(", "))),
            });
        }
        let items = item.exceptions.clone().unwrap_or_default();
        let of = Of { rule: &item.name, source: Some(&source), dialect: self.dialect };
        // A rule without its exceptions would say too much; it is left out until they are mended.
        let Some(exceptions) = define_exceptions(of, items, diagnostics) else {
            self.mark_broken(ItemKind::Rule, &item.name.text);
            self.rule_aside(RuleItem { exceptions: None, ..item }, Some(&source), diagnostics);
            return;
        };
        let mut rule = RuleDef {
            name: item.name,
            whole: item.whole,
            desc: item.desc.map(|t| t.as_str().to_owned()).unwrap_or_default(),
            condition: item.condition.map_or_else(crate::syntax::text::Spliced::empty, |t| t.spliced),
            output: item.output.map_or_else(crate::syntax::text::Spliced::empty, |t| t.spliced.trimmed()),
            priority: item.priority.map_or(Priority::Debug, |(p, _)| p),
            source,
            enabled: item.enabled.is_none_or(|(on, _)| on),
            tags: Vec::new(),
            exceptions,
            warn_evttypes: item.warn_evttypes.unwrap_or(true),
            skip_if_unknown: item.skip_if_unknown.unwrap_or(false),
            capture: item.capture.unwrap_or(false),
            capture_duration_ms: item.capture_duration.unwrap_or(0),
            passed_over: false,
        };
        add_tags(&mut rule.tags, item.tags.unwrap_or_default());
        if let Some(index) = known {
            self.rules[index] = rule;
        } else {
            self.rule_index.insert(rule.name.text.clone(), self.rules.len());
            self.rules.push(rule);
        }
    }

    /// A lone `enabled`.
    fn switch(&mut self, item: &RuleItem, known: Option<usize>, diagnostics: &mut Vec<Diagnostic>) {
        let Some((on, span)) = item.enabled else { return };
        match known {
            Some(index) => self.rules[index].enabled = on,
            None => {
                self.no_base(ItemKind::Rule, &item.name, span, diagnostics);
            }
        }
    }
}

/// How surely a text is a whole condition; `None` where it goes on from another one, as what is appended does.
fn stands_alone(condition: &Text) -> Option<Certainty> {
    let text = condition.as_str();
    if text.split(|c: char| c.is_whitespace() || c == '(').find(|word| !word.is_empty()).is_some_and(joins) {
        return None;
    }
    Some(if parse(text).errors.is_empty() { Certainty::Sure } else { Certainty::Guess })
}

/// The word by which a condition goes on from the one that it is put behind.
fn joined_by(condition: &Text) -> Option<&'static str> {
    match condition.as_str().split(|c: char| c.is_whitespace() || c == '(').find(|word| !word.is_empty())? {
        "and" => Some("and"),
        "or" => Some("or"),
        _ => None,
    }
}

/// Whether the condition of a change is put behind that of its rule.
fn appends_condition(item: &RuleItem) -> bool {
    let appended = |o: &Override| o.key.text == "condition" && o.op == OverrideOp::Append;
    item.condition.is_some() && (item.append.is_some() || item.overrides.iter().any(appended))
}

fn joins(word: &str) -> bool {
    matches!(word, "and" | "or" | "not")
}

fn add_tags(tags: &mut Vec<String>, more: Vec<Name>) {
    tags.extend(more.into_iter().map(|tag| tag.text));
    tags.sort_unstable();
    tags.dedup();
}

fn append_key(
    rule: &mut RuleDef,
    item: &mut RuleItem,
    key: &str,
    dialect: Dialect,
    diagnostics: &mut Vec<Diagnostic>,
) {
    match key {
        "condition" => {
            if let Some(text) = &item.condition {
                append_precedence(ItemKind::Rule, &item.name, &rule.condition, text, diagnostics);
                append_text(&mut rule.condition, text);
            }
        }
        "output" => {
            if let Some(text) = &item.output {
                append_text(&mut rule.output, text);
            }
        }
        "desc" => {
            if let Some(text) = &item.desc {
                rule.desc.push(' ');
                rule.desc.push_str(text.as_str());
            }
        }
        "tags" => add_tags(&mut rule.tags, item.tags.take().unwrap_or_default()),
        "exceptions" => {
            let more = item.exceptions.take().unwrap_or_default();
            let of = Of { rule: &item.name, source: Some(&rule.source), dialect };
            append_exceptions(of, &mut rule.exceptions, more, diagnostics);
        }
        _ => {}
    }
}

fn replace_key(
    rule: &mut RuleDef,
    item: &mut RuleItem,
    key: &str,
    dialect: Dialect,
    diagnostics: &mut Vec<Diagnostic>,
) {
    match key {
        "condition" => {
            if let Some(text) = item.condition.take() {
                rule.condition = text.spliced;
            }
        }
        "output" => {
            if let Some(text) = item.output.take() {
                rule.output = text.spliced;
            }
        }
        "desc" => {
            if let Some(text) = &item.desc {
                text.as_str().clone_into(&mut rule.desc);
            }
        }
        "priority" => {
            if let Some((priority, _)) = item.priority {
                rule.priority = priority;
            }
        }
        "tags" => {
            rule.tags.clear();
            add_tags(&mut rule.tags, item.tags.take().unwrap_or_default());
        }
        "exceptions" => {
            let items = item.exceptions.take().unwrap_or_default();
            let of = Of { rule: &item.name, source: Some(&rule.source), dialect };
            if let Some(exceptions) = define_exceptions(of, items, diagnostics) {
                rule.exceptions = exceptions;
            }
        }
        "enabled" => rule.enabled = item.enabled.is_none_or(|(on, _)| on),
        "warn_evttypes" => rule.warn_evttypes = item.warn_evttypes.unwrap_or(true),
        "skip-if-unknown-filter" => rule.skip_if_unknown = item.skip_if_unknown.unwrap_or(false),
        "capture" => rule.capture = item.capture.unwrap_or(false),
        "capture_duration" => rule.capture_duration_ms = item.capture_duration.unwrap_or(0),
        _ => {}
    }
}
