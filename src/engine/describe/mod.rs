//! What rule files hold, said in the JSON shape of Falco's `-L`: lists, macros, requirements, and each rule with what its
//! condition and output read. Tools of other people parse it, so names and nesting are Falco's.
//!
//! It is taken from trees and texts alone: a rule that does not compile here is described all the same. Falco's arrays of
//! names come in the order of its hash tables; ours are sorted.

pub mod canonical;
pub mod facts;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::collect::{Collection, ListDef, Lists, MacroDef, RuleDef, SOURCES, SYSCALL, with_exceptions};
use crate::lower::{Body, Owner, Vocabulary};
use crate::ruleset::Ruleset;
use crate::syntax::ast::{Ast, Rhs};
use crate::syntax::text::Spliced;

pub use canonical::canonical;
pub use facts::{Events, Facts, event_names};

/// Which plugin of Falco gives a field, by the field's first word.
const PLUGINS: [(&str, &str); 7] = [
    ("container.", "container"),
    ("ct.", "cloudtrail"),
    ("s3.", "cloudtrail"),
    ("ec2.", "cloudtrail"),
    ("jevt.", "json"),
    ("json.", "json"),
    ("ka.", "k8saudit"),
];

/// Which plugin of Falco gives the events of a source.
const GIVES: [(&str, &str); 5] = [
    ("aws_cloudtrail", "cloudtrail"),
    ("gcp_auditlog", "gcpaudit"),
    ("github", "github"),
    ("k8s_audit", "k8saudit"),
    ("okta", "okta"),
];

/// Everything that was loaded.
pub fn describe(ruleset: &Ruleset) -> Value {
    let vocabulary = &ruleset.vocabulary;
    let collection = &vocabulary.collection;
    let (a, b, c) = collection.required_engine;
    let mut events = Events::default();
    let used = Used::new(vocabulary);
    let lists: Vec<_> = collection
        .lists
        .iter()
        .map(|list| {
            let compiled = compiled_items(list, collection);
            // What does not come through is the name of another list.
            let written = list.items.iter().map(crate::items::Text::as_str);
            let through: BTreeSet<&str> = compiled.iter().copied().collect();
            let (items, inner): (Vec<_>, Vec<_>) = written.partition(|item| through.contains(item));
            let inner: BTreeSet<_> = inner.into_iter().collect();
            json!({
                "info": {"name": list.name.text, "items": items},
                "details": {
                    "items_compiled": compiled,
                    "lists": inner,
                    "plugins": [],
                    "used": used.lists.contains(list.name.text.as_str()),
                },
            })
        })
        .collect();
    let macros: Vec<_> = collection
        .macros
        .iter()
        .zip(&vocabulary.macros)
        .map(|(def, body)| one_macro(def, body, vocabulary, &mut events, &used))
        .collect();
    let described = collection.rules.iter().filter(|def| !def.passed_over);
    let rules: Vec<_> = described.map(|def| one_rule(def, ruleset, &mut events)).collect();
    let plugins: Vec<_> = collection
        .required_plugins
        .iter()
        .map(|plugin| {
            let choice = |choice: &crate::items::PluginChoice| {
                json!({"name": choice.name.text, "version": choice.written})
            };
            let mut all = plugin.choices.iter().map(choice);
            let mut first = all.next().unwrap_or_default();
            first["alternatives"] = all.collect();
            first
        })
        .collect();
    json!({
        "lists": lists,
        "macros": macros,
        "rules": rules,
        "required_engine_version": format!("{a}.{b}.{c}"),
        "required_plugin_versions": plugins,
    })
}

/// A rule by name, as [`describe`] has it.
pub fn describe_rule(ruleset: &Ruleset, name: &str) -> Option<Value> {
    let def = ruleset.vocabulary.collection.rules.iter().find(|def| def.name.text == name)?;
    Some(one_rule(def, ruleset, &mut Events::default()))
}

/// A rule's condition as it is judged: macros, lists and exceptions put in.
pub fn compiled_condition(ruleset: &Ruleset, name: &str) -> Option<String> {
    let vocabulary = &ruleset.vocabulary;
    let def = vocabulary.collection.rules.iter().find(|def| def.name.text == name)?;
    Some(canonical(&body(&with_exceptions(&def.condition, &def.exceptions), &vocabulary.lists), vocabulary))
}

/// A text with its lists put in, parsed; what is wrong with it was reported when it was loaded.
fn body(text: &Spliced, lists: &Lists) -> Body {
    let owner = Owner { kind: crate::diag::ItemKind::Rule, name: "" };
    Body::new(text, lists, owner, &mut |_| {}, &mut Vec::new())
}

fn one_macro(
    def: &MacroDef,
    body: &Body,
    vocabulary: &Vocabulary,
    events: &mut Events,
    used: &Used<'_>,
) -> Value {
    let facts = Facts::new(body, vocabulary);
    json!({
        "info": {"name": def.name.text, "condition": def.condition.text()},
        "details": {
            "used": used.macros.contains(def.name.text.as_str()),
            "macros": facts.macros,
            "lists": lists_in(&def.condition, &vocabulary.lists),
            "condition_compiled": canonical(body, vocabulary),
            "condition_fields": facts.fields,
            "condition_operators": facts.operators,
            "events": event_names(events.of(body, vocabulary)),
            // Which plugin gives a field is known of rules only, by their source.
            "plugins": [],
        },
    })
}

fn one_rule(def: &RuleDef, ruleset: &Ruleset, events: &mut Events) -> Value {
    let vocabulary = &ruleset.vocabulary;
    let body = body(&with_exceptions(&def.condition, &def.exceptions), &vocabulary.lists);
    let facts = Facts::new(&body, vocabulary);
    let output = def.output.text();
    let output_fields = output_fields(output);
    let mut names = BTreeSet::new();
    let mut fields = BTreeSet::new();
    let mut operators = BTreeSet::new();
    for exception in &def.exceptions {
        names.insert(exception.name.text.as_str());
        // Falco names the fields of those that have values.
        fields.extend(exception.fields().filter(|_| !exception.is_empty()));
        operators.extend(exception.operators());
    }
    let mut plugins = plugins(facts.fields.iter().map(String::as_str));
    plugins.extend(self::plugins(output_fields.iter().map(String::as_str)));
    plugins.extend(GIVES.iter().filter(|(source, _)| *source == &*def.source).map(|(_, plugin)| *plugin));
    // Rules of other sources are judged for the events of plugins, whatever their conditions say.
    let types = if &*def.source == SYSCALL {
        event_names(events.of(&body, vocabulary))
    } else {
        vec!["asyncevent", "pluginevent"]
    };
    json!({
        "info": {
            "name": def.name.text,
            "condition": def.condition.text(),
            "output": output,
            "description": def.desc,
            "priority": def.priority.name(),
            "source": &*def.source,
            "tags": def.tags,
            "enabled": def.enabled,
            "capture": def.capture,
            "capture_duration": def.capture_duration_ms,
        },
        "details": {
            "macros": facts.macros,
            "lists": lists_in(&def.condition, &vocabulary.lists),
            "condition_compiled": canonical(&body, vocabulary),
            "condition_fields": facts.fields,
            "condition_operators": facts.operators,
            "output_compiled": output.replace("%container.info", ""),
            "output_fields": output_fields,
            "exception_names": names,
            "exception_fields": fields,
            "exception_operators": operators,
            "events": types,
            "plugins": plugins,
        },
    })
}

/// The items of a list with earlier lists put in, one level deep.
fn compiled_items<'c>(list: &'c ListDef, collection: &'c Collection) -> Vec<&'c str> {
    let mut items = Vec::new();
    for item in &list.items {
        match collection.inner_list(list, item.as_str()) {
            Some(inner) => items.extend(collection.lists[inner].items.iter().map(crate::items::Text::as_str)),
            None => items.push(item.as_str()),
        }
    }
    items
}

fn plugins<'f>(fields: impl Iterator<Item = &'f str>) -> BTreeSet<&'static str> {
    fields
        .filter_map(|field| {
            PLUGINS.iter().find(|(first, _)| field.starts_with(first)).map(|(_, plugin)| *plugin)
        })
        .collect()
}

/// The lists that a condition names itself: constants that are a list's name, lists not put in.
fn lists_in(condition: &Spliced, lists: &Lists) -> BTreeSet<String> {
    let parsed = crate::syntax::parse(condition.text());
    constants(&parsed.ast).filter(|text| lists.names().any(|name| name == text)).collect()
}

fn constants(ast: &Ast) -> impl Iterator<Item = String> {
    facts::checks(ast).flat_map(|(_, check)| {
        let values = match &check.rhs {
            Rhs::Value(value) => std::slice::from_ref(value),
            Rhs::List(values) => values.as_slice(),
            _ => &[],
        };
        values.iter().map(|value| String::from_utf8_lossy(&value.bytes).into_owned()).collect::<Vec<_>>()
    })
}

/// Which macros and lists something else names.
struct Used<'v> {
    macros: BTreeSet<&'v str>,
    lists: BTreeSet<String>,
}

impl<'v> Used<'v> {
    fn new(vocabulary: &'v Vocabulary) -> Self {
        let collection = &vocabulary.collection;
        let mut lists = BTreeSet::new();
        let mut named = BTreeSet::new();
        for def in collection.rules.iter().filter(|def| SOURCES.contains(&&*def.source)) {
            let text = with_exceptions(&def.condition, &def.exceptions);
            let parsed = crate::syntax::parse(text.text());
            named.extend(parsed.ast.macros().map(|(name, _)| name.to_owned()));
            vocabulary.lists.put_in(&text, &mut |i| lists.extend(vocabulary.lists.names().nth(i)));
        }
        for (def, body) in collection.macros.iter().zip(&vocabulary.macros) {
            named.extend(body.ast.macros().map(|(name, _)| name.to_owned()));
            vocabulary.lists.put_in(&def.condition, &mut |i| lists.extend(vocabulary.lists.names().nth(i)));
        }
        for list in &collection.lists {
            let inner = list.items.iter().filter_map(|item| collection.inner_list(list, item.as_str()));
            lists.extend(inner.map(|i| collection.lists[i].name.text.as_str()));
        }
        let lists = lists.into_iter().map(str::to_owned).collect();
        let macros = collection.macros.iter().map(|def| def.name.text.as_str());
        Self { macros: macros.filter(|name| named.contains(*name)).collect(), lists }
    }
}

/// The fields that an output prints, in order, each once.
fn output_fields(output: &str) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for part in output.split('%').skip(1) {
        let part = part.trim_start_matches(|c: char| c.is_ascii_digit());
        // Of a transformer call the field inside is what is read.
        let part =
            part.rsplit('(').next().filter(|_| part.contains('(') && part.contains(')')).unwrap_or(part);
        let end =
            part.find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '_').unwrap_or(part.len());
        let name = part[..end].trim_end_matches('.');
        let bracket = part[end..].strip_prefix('[').and_then(|rest| rest.find(']'));
        let field = match bracket {
            Some(close) if end == name.len() => &part[..end + close + 2],
            _ => name,
        };
        if field.contains('.') && field != "container.info" && !fields.iter().any(|seen| seen == field) {
            fields.push(field.to_owned());
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::output_fields;

    #[test]
    fn fields_of_outputs_are_found_in_order() {
        let text =
            "a %proc.name, b=%10fd.name. %proc.aname[2]] (%container.info) %proc.name %tolower(user.name)";
        assert_eq!(output_fields(text), ["proc.name", "fd.name", "proc.aname[2]", "user.name"]);
    }
}
