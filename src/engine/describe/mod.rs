//! What rule files hold, said in the JSON shape of Falco's `-L`: lists, macros, requirements, and each rule with what its
//! condition and output read. Tools of other people parse it, so names and nesting are Falco's.
//!
//! It is taken from trees and texts alone: a rule that does not compile here is described all the same. Falco's arrays of
//! names come in the order of its hash tables; ours are sorted.

pub mod canonical;
pub mod facts;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::collect::{Collection, Lists, MacroDef, RuleDef, with_exceptions};
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
            let items: Vec<_> = list.items.iter().map(crate::items::Text::as_str).collect();
            let inner: BTreeSet<_> =
                items.iter().copied().filter(|item| vocabulary.lists.names().any(|n| n == *item)).collect();
            json!({
                "info": {"name": list.name.text, "items": items},
                "details": {
                    "items_compiled": compiled_items(&list.name.text, collection),
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
    let rules: Vec<_> = collection.rules.iter().map(|def| one_rule(def, ruleset, &mut events)).collect();
    let plugins: Vec<_> = collection
        .required_plugins
        .iter()
        .map(|plugin| {
            let choice = |(name, (a, b, c)): &(crate::items::Name, (u64, u64, u64))| {
                json!({"name": name.text, "version": format!("{a}.{b}.{c}")})
            };
            Value::Array(plugin.choices.iter().map(choice).collect())
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
            "plugins": plugins(facts.fields.iter().map(String::as_str)),
        },
    })
}

fn one_rule(def: &RuleDef, ruleset: &Ruleset, events: &mut Events) -> Value {
    let vocabulary = &ruleset.vocabulary;
    let body = body(&with_exceptions(&def.condition, &def.exceptions), &vocabulary.lists);
    let facts = Facts::new(&body, vocabulary);
    let enabled = ruleset.find(&def.name.text).map_or(def.enabled, |id| ruleset.rule(id).enabled);
    let output = def.output.text();
    let output_fields = output_fields(output);
    let mut names = BTreeSet::new();
    let mut fields = BTreeSet::new();
    let mut operators = BTreeSet::new();
    for exception in &def.exceptions {
        names.insert(exception.name.text.as_str());
        fields.extend(exception.fields());
        operators.extend(exception.operators());
    }
    let mut plugins = plugins(facts.fields.iter().map(String::as_str));
    plugins.extend(self::plugins(output_fields.iter().map(String::as_str)));
    json!({
        "info": {
            "name": def.name.text,
            "condition": def.condition.text(),
            "output": output,
            "description": def.desc,
            "priority": def.priority.name(),
            "source": &*def.source,
            "tags": def.tags,
            "enabled": enabled,
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
            "events": event_names(events.of(&body, vocabulary)),
            "plugins": plugins,
        },
    })
}

/// The items of a list with earlier lists put in, one level deep.
fn compiled_items<'c>(name: &str, collection: &'c Collection) -> Vec<&'c str> {
    let Some(at) = collection.lists.iter().position(|list| list.name.text == name) else { return Vec::new() };
    let mut items = Vec::new();
    for item in &collection.lists[at].items {
        match collection.lists[..at].iter().find(|list| list.name.text == item.as_str()) {
            Some(inner) => items.extend(inner.items.iter().map(crate::items::Text::as_str)),
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
        for def in &collection.rules {
            let text = with_exceptions(&def.condition, &def.exceptions);
            let parsed = crate::syntax::parse(text.text());
            named.extend(parsed.ast.macros().map(|(name, _)| name.to_owned()));
            vocabulary.lists.put_in(&text, &mut |i| lists.extend(vocabulary.lists.names().nth(i)));
        }
        for (def, body) in collection.macros.iter().zip(&vocabulary.macros) {
            named.extend(body.ast.macros().map(|(name, _)| name.to_owned()));
            vocabulary.lists.put_in(&def.condition, &mut |i| lists.extend(vocabulary.lists.names().nth(i)));
        }
        let inner = collection.lists.iter().flat_map(|list| &list.items);
        let lists = lists.into_iter().chain(inner.map(crate::items::Text::as_str)).map(str::to_owned);
        let macros = collection.macros.iter().map(|def| def.name.text.as_str());
        Self { macros: macros.filter(|name| named.contains(*name)).collect(), lists: lists.collect() }
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
