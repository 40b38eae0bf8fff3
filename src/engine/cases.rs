//! Test cases of rules: a rule, an event in the documented form, and whether the rule fires.
//!
//! A case file is a YAML sequence of `{name, rule, expect: fires|silent, event: {field: value, …}}`; `name` says what it
//! shows. Running one goes
//! through the same judging as a live event. A ruleset whose rules lack a case that fires, or one that stays silent, is
//! told so.

use std::sync::Arc;

use crate::diag::{Code, Diagnostic, did_you_mean};
use crate::fieldmap::FieldMap;
use crate::program::Scratch;
use crate::ruleset::Ruleset;
use crate::source::{SourceFile, SourceId, Sources, Span};
use crate::yaml::{self, Kind, Node};

/// What a case expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// The rule fires.
    Fires,
    /// It does not.
    Silent,
}

/// A case that was read.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// The rule's name.
    pub rule: String,
    /// What the rule should do.
    pub expect: Expect,
    /// The event.
    pub event: FieldMap,
    /// Where the case stands.
    pub span: Span,
    rule_span: Span,
}

/// How a case went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As expected.
    Passed,
    /// The rule fired and should not have.
    Fired,
    /// The rule should have fired and did not.
    StayedSilent,
    /// No rule has that name.
    NoSuchRule,
}

/// A case with its outcome.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// The case.
    pub case: Case,
    /// How it went.
    pub outcome: Outcome,
}

/// A rule without enough cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncovered {
    /// The rule.
    pub rule: Arc<str>,
    /// No case expects it to fire.
    pub no_positive: bool,
    /// No case expects it to stay silent.
    pub no_negative: bool,
}

/// All that running case files gave.
#[derive(Debug)]
pub struct Report {
    /// Every case that could be read, in order.
    pub results: Vec<CaseResult>,
    /// Rules without a positive or a negative case.
    pub uncovered: Vec<Uncovered>,
    /// Cases that could not be read, or name no rule.
    pub diagnostics: Vec<Diagnostic>,
    /// The case files, to print diagnostics with.
    pub sources: Sources,
}

impl Report {
    /// Whether every case was read and passed and every rule is covered.
    pub fn is_clean(&self) -> bool {
        self.uncovered.is_empty()
            && self.diagnostics.iter().all(|d| !d.is_error())
            && self.results.iter().all(|r| r.outcome == Outcome::Passed)
    }
}

/// Runs case files against a ruleset.
pub fn run(ruleset: &Ruleset, files: Vec<SourceFile>) -> Report {
    let mut sources = Sources::default();
    let mut diagnostics = Vec::new();
    let mut results = Vec::new();
    let mut scratch = Scratch::new();
    let mut covered = vec![(false, false); ruleset.len()];
    for file in files {
        let id = sources.add(file);
        for case in read(id, sources.text(id), &mut diagnostics) {
            let outcome = match ruleset.find(&case.rule) {
                None => {
                    diagnostics.push(no_such_rule(ruleset, &case));
                    Outcome::NoSuchRule
                }
                Some(rule) => {
                    let (positive, negative) = &mut covered[rule.0 as usize];
                    match case.expect {
                        Expect::Fires => *positive = true,
                        Expect::Silent => *negative = true,
                    }
                    match (case.expect, ruleset.matches(rule, &case.event, &mut scratch)) {
                        (Expect::Fires, true) | (Expect::Silent, false) => Outcome::Passed,
                        (Expect::Fires, false) => Outcome::StayedSilent,
                        (Expect::Silent, true) => Outcome::Fired,
                    }
                }
            };
            results.push(CaseResult { case, outcome });
        }
    }
    let uncovered = ruleset
        .rules()
        .zip(covered)
        .filter(|(_, (positive, negative))| !positive || !negative)
        .map(|((_, rule), (positive, negative))| Uncovered {
            rule: rule.name.clone(),
            no_positive: !positive,
            no_negative: !negative,
        })
        .collect();
    Report { results, uncovered, diagnostics, sources }
}

fn no_such_rule(ruleset: &Ruleset, case: &Case) -> Diagnostic {
    let found =
        Diagnostic::new(Code::CaseRule, format!("there is no rule `{}`", case.rule), case.rule_span, "");
    match did_you_mean(&case.rule, ruleset.rules().map(|(_, rule)| &*rule.name)) {
        Some(near) => found.near(case.rule_span, near),
        None => found,
    }
}

/// Reads the cases of one file. A broken case is reported and left out.
pub fn read(source: SourceId, text: &str, diagnostics: &mut Vec<Diagnostic>) -> Vec<Case> {
    let mut cases = Vec::new();
    for document in yaml::read(source, text, diagnostics) {
        match &document.kind {
            Kind::Sequence(nodes) => cases.extend(nodes.iter().filter_map(|node| case(node, diagnostics))),
            _ if document.is_null() => {}
            _ => {
                let label = format!("this is {}", document.kind_word());
                diagnostics.push(Diagnostic::new(
                    Code::BadCase,
                    "a case file is a sequence of cases",
                    document.span,
                    label,
                ));
            }
        }
    }
    cases
}

/// How a key of a case is written, for one that is missing.
fn example(key: &str) -> Option<&'static str> {
    match key {
        "event" => Some("for example `event: {evt.type: open, fd.name: /etc/shadow}`"),
        "expect" => Some("`expect: fires` or `expect: silent`"),
        _ => None,
    }
}

fn case(node: &Node, diagnostics: &mut Vec<Diagnostic>) -> Option<Case> {
    let mut wrong = |message: String, span: Span, note: Option<&str>| {
        let found = Diagnostic::new(Code::BadCase, message, span, "");
        diagnostics.push(match note {
            Some(note) => found.note(note),
            None => found,
        });
    };
    let Kind::Mapping(pairs) = &node.kind else {
        let message = "a case is a mapping with `name`, `rule`, `expect` and `event`".to_owned();
        wrong(message, node.span, None);
        return None;
    };
    let mut fine = true;
    for (key, _) in pairs {
        if !matches!(key.text(), Some("name" | "rule" | "expect" | "event")) {
            let message = format!("a case has no key `{}`", key.text().unwrap_or(""));
            wrong(message, key.span, Some("its keys are name, rule, expect, event"));
            fine = false;
        }
    }
    let mut get = |wanted: &str| {
        let found = pairs.iter().find(|(key, _)| key.text() == Some(wanted)).map(|(_, value)| value);
        if found.is_none() {
            wrong(format!("this case has no `{wanted}`"), node.span, example(wanted));
        }
        found
    };
    let (name, rule, expect, event) = (get("name"), get("rule"), get("expect"), get("event"));
    let expect = match expect.and_then(Node::text) {
        Some("fires") => Some(Expect::Fires),
        Some("silent") => Some(Expect::Silent),
        _ => {
            if let Some(node) = expect {
                wrong("`expect` is `fires` or `silent`".to_owned(), node.span, None);
            }
            None
        }
    };
    let event = match FieldMap::from_yaml(event?) {
        Ok(event) => Some(event),
        Err(errors) => {
            for (node, error) in errors {
                wrong(error.to_string(), node.span, None);
            }
            None
        }
    };
    let rule = rule?;
    let case = Case {
        name: name?.text()?.to_owned(),
        rule: rule.text()?.to_owned(),
        expect: expect?,
        event: event?,
        span: node.span,
        rule_span: rule.span,
    };
    fine.then_some(case)
}
