//! The keys of one item: unknown and repeated ones are reported, the others are handed out by type.

use crate::diag::{Code, Diagnostic, ItemKind, did_you_mean};
use crate::items::{Name, Reader, Text};
use crate::source::Span;
use crate::yaml::{Kind, Node};

/// An item's keys.
pub(crate) struct Keys<'n> {
    pub(super) kind: ItemKind,
    pub(super) name: String,
    /// The span of the key that names the item.
    pub(crate) span: Span,
    pub(super) pairs: Vec<(&'n str, Span, &'n Node)>,
    /// Keys that no item of this kind has, by the near ones that it has.
    slips: Vec<(&'static str, Span, &'n Node)>,
}

impl<'n> Keys<'n> {
    pub(crate) fn new(
        reader: &mut Reader<'_>,
        pairs: &'n [(Node, Node)],
        kind: ItemKind,
        known: &'static [&'static str],
    ) -> Self {
        let name_key = known.first().copied().unwrap_or("");
        let name = pairs.iter().find(|(key, _)| key.text() == Some(name_key));
        let mut keys = Self {
            kind,
            name: name.and_then(|(_, value)| value.text()).unwrap_or("").to_owned(),
            span: name.or(pairs.first()).map_or(Span::new(reader.source, 0, 0), |(key, _)| key.span),
            pairs: Vec::new(),
            slips: Vec::new(),
        };
        // Few, however many keys there are.
        let mut given: Vec<(&str, Span)> = Vec::new();
        for (key, _) in pairs {
            if let Some(text) = key.text().filter(|text| known.contains(text))
                && given.iter().all(|(seen, _)| *seen != text)
            {
                given.push((text, key.span));
            }
        }
        for (key, value) in pairs {
            // A key that is no single word cannot be compared with those that are known.
            let text = match key.text() {
                Some(_) if key.is_null() => "null",
                Some(text) => text,
                None => {
                    let message = format!("a key of this {} is no single word", kind.word());
                    let found = Diagnostic::new(Code::NoWord, message, key.span, "").of(kind, &keys.name);
                    reader.push(match as_plain_key(key, value, known) {
                        Some(plain) => found.note(format!("write it as `{plain}`")),
                        None => found.note(match kind {
                            ItemKind::List => "a key is one word before a colon: `items: [a]`, `override: {items: append}`",
                            _ => "a key is one word before a colon: `condition: …`, `override: {condition: append}`",
                        }),
                    });
                    continue;
                }
            };
            if !known.contains(&text) {
                let mut found = Diagnostic::new(
                    Code::UnknownKey,
                    format!("a {} has no key `{text}`; it was ignored", kind.word()),
                    key.span,
                    "",
                );
                // A word that goes on from a key that is given says the same as that.
                let longer = given.iter().map(|(key, _)| *key).find(|key| {
                    text.strip_prefix(key).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_lowercase()))
                });
                let near = did_you_mean(text, known.iter().copied())
                    .or_else(|| longer.and_then(|key| known.iter().copied().find(|k| *k == key)));
                let there = near.and_then(|near| given.iter().find(|(key, _)| *key == near));
                match (near, there) {
                    (_, Some(there)) => found = given_already(found, reader, *there, key, value),
                    (Some(near), None) => {
                        keys.slips.push((near, key.span, value));
                        found = found.near(key.span, near);
                    }
                    (None, None) => found = found.note(format!("its keys are {}", known.join(", "))),
                }
                reader.push(found.of(kind, &keys.name));
            } else if let Some((_, first, _)) = keys.pairs.iter().find(|(seen, _, _)| *seen == text) {
                let found = Diagnostic::new(
                    Code::DuplicateKey,
                    format!("the key `{text}` is given twice; the first counts"),
                    key.span,
                    "this one is ignored",
                )
                .see(*first, "this one counts")
                .of(kind, &keys.name);
                reader.push(found);
            } else {
                keys.pairs.push((text, key.span, value));
            }
        }
        keys
    }

    /// The same with some of its keys only.
    pub(crate) fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        let pairs = self.pairs.iter().filter(|(key, _, _)| keep(key)).copied().collect();
        let slips = self.slips.iter().filter(|(near, _, _)| keep(near)).copied().collect();
        Self { kind: self.kind, name: self.name.clone(), span: self.span, pairs, slips }
    }

    /// The span of a key, if it is there.
    pub(crate) fn key(&self, key: &str) -> Option<Span> {
        self.pairs.iter().find(|(k, _, _)| *k == key).map(|(_, span, _)| *span)
    }

    pub(crate) fn node(&self, key: &str) -> Option<&'n Node> {
        self.pairs.iter().find(|(k, _, _)| *k == key).map(|(_, _, node)| *node)
    }

    /// Reports that a key must be there; gives `None` for `?`.
    pub(crate) fn missing<T>(&self, reader: &mut Reader<'_>, key: &str) -> Option<T> {
        let found = Diagnostic::new(
            Code::MissingKey,
            format!("this {} has no `{key}`", self.kind.word()),
            self.span,
            format!("a {} needs one", self.kind.word()),
        );
        let found = match self.slips.iter().find(|(near, _, _)| *near == key) {
            Some((near, span, _)) => found.see(*span, "this is not read").near(*span, near),
            None => found.note(example(key)),
        };
        reader.push(found.of(self.kind, &self.name));
        None
    }

    /// What stands behind a key, or behind one that is spelled like it: for the checks of an item that is broken anyhow.
    pub(crate) fn likely_text(&self, reader: &Reader<'_>, key: &str) -> Option<Text> {
        let slip = || self.slips.iter().find(|(near, _, _)| *near == key).map(|(_, _, node)| *node);
        let node = self.node(key).or_else(slip)?;
        node.text().filter(|text| !node.is_null() && !text.trim().is_empty())?;
        Some(reader.text(node))
    }

    pub(crate) fn wrong<T>(
        &self,
        reader: &mut Reader<'_>,
        key: &str,
        node: &Node,
        wanted: &str,
    ) -> Option<T> {
        let found = self.mistyped(key, node, wanted);
        reader.push(found);
        None
    }

    fn mistyped(&self, key: &str, node: &Node, wanted: &str) -> Diagnostic {
        let message = format!("`{key}` must be {wanted}");
        let label = format!("this is {}", node.kind_word());
        Diagnostic::new(Code::WrongType, message, node.span, label).of(self.kind, &self.name)
    }

    fn empty<T>(&self, reader: &mut Reader<'_>, key: &str, span: Span) -> Option<T> {
        let found =
            Diagnostic::new(Code::MissingKey, format!("`{key}` is empty"), span, "").note(example(key));
        reader.push(found.of(self.kind, &self.name));
        None
    }

    /// A text that must not be empty. The outer `None` means that something was wrong.
    #[expect(clippy::option_option, reason = "outer: readable; inner: present")]
    pub(crate) fn text(&self, reader: &mut Reader<'_>, key: &str) -> Option<Option<Text>> {
        let Some(node) = self.node(key) else { return Some(None) };
        match node.text() {
            Some(text) if node.is_null() || text.is_empty() => {
                let span = self.key(key).unwrap_or(node.span);
                self.empty(reader, key, span)
            }
            Some(_) => Some(Some(reader.text(node))),
            None => {
                let found = self.mistyped(key, node, "one text");
                let found = match reader.joined(node, if key == "condition" { " and " } else { " " }) {
                    Some(text) => found.guess("did you mean this?", node.span, text),
                    None => found.note(example(key)),
                };
                reader.push(found);
                None
            }
        }
    }

    /// The name of the item.
    pub(crate) fn name(&self, reader: &mut Reader<'_>, key: &str) -> Option<Name> {
        let Some(node) = self.node(key) else { return self.missing(reader, key) };
        match node.text() {
            Some(text) if !node.is_null() && !text.is_empty() => {
                Some(Name { text: text.to_owned(), span: node.span })
            }
            Some(_) => self.empty(reader, key, self.span),
            None => self.wrong(reader, key, node, "a name"),
        }
    }

    /// A truth value in the words of YAML 1.1.
    #[expect(clippy::option_option, reason = "outer: readable; inner: present")]
    pub(crate) fn bool(&self, reader: &mut Reader<'_>, key: &str) -> Option<Option<(bool, Span)>> {
        let Some(node) = self.node(key) else { return Some(None) };
        if let Some(value) = node.text().and_then(bool_word) {
            return Some(Some((value, node.span)));
        }
        let found = self.mistyped(key, node, "true or false");
        let near = node.text().and_then(|text| did_you_mean(text, ["true", "false"]));
        reader.push(match near {
            Some(near) => found.near(node.span, near),
            None => found,
        });
        None
    }

    /// A sequence of single values.
    #[expect(clippy::option_option, reason = "outer: readable; inner: present")]
    pub(crate) fn texts(&self, reader: &mut Reader<'_>, key: &str) -> Option<Option<Vec<Text>>> {
        let Some(node) = self.node(key) else { return Some(None) };
        let Kind::Sequence(nodes) = &node.kind else {
            let found = self.mistyped(key, node, "a sequence");
            let found = match reader.as_sequence(node) {
                Some((text, certainty)) => found.with_edit("put it in brackets", node.span, text, certainty),
                None => found
                    .note("a sequence is `[one, two]`, or a line for each value: a dash, a blank, the value"),
            };
            reader.push(found);
            return None;
        };
        let mut texts = Vec::with_capacity(nodes.len());
        for node in nodes {
            if node.text().is_none() || node.is_null() {
                return self.wrong(reader, key, node, "a sequence of single values");
            }
            texts.push(reader.text(node));
        }
        Some(Some(texts))
    }
}

/// A key that nothing knows, where the one that it is near to is given as well.
fn given_already(
    found: Diagnostic,
    reader: &Reader<'_>,
    (near, at): (&str, Span),
    key: &Node,
    value: &Node,
) -> Diagnostic {
    let title = format!("remove it, since `{near}` is given as well");
    let found = found.see(at, "given here");
    match reader.line_of(key.span) {
        Some(whole) if value.end <= whole.end => found.guess(title, whole, ""),
        _ => found.note(title),
    }
}

/// How the value of a key is written that stood where only one word may stand.
fn as_plain_key(key: &Node, value: &Node, known: &[&str]) -> Option<String> {
    let Kind::Sequence(words) = &key.kind else { return None };
    let [word] = words.as_slice() else { return None };
    let word = word.text().filter(|word| known.contains(word))?;
    Some(match value.text() {
        Some(text) if matches!(word, "tags" | "items") => format!("{word}: [{text}]"),
        Some(text) => format!("{word}: {text}"),
        None => format!("{word}: …"),
    })
}

/// How a key is written, for one that is missing or empty.
fn example(key: &str) -> &'static str {
    match key {
        "desc" => "say in a sentence what the rule finds: `desc: A shell was started`",
        "condition" => "say when it holds, for example `condition: evt.type = execve and proc.name = bash`",
        "output" => "say what is printed, for example `output: shell started (user=%user.name)`",
        "priority" => {
            "the priorities are EMERGENCY, ALERT, CRITICAL, ERROR, WARNING, NOTICE, INFORMATIONAL, DEBUG"
        }
        "items" => "for example `items: [bash, sh]`; a list without items is `items: []`",
        "name" => "each exception has a name of its own: `name: known_shells`",
        "source" => "name the event source, or leave the key out: it is `syscall` then",
        _ => "write its name behind the colon",
    }
}

/// A number as YAML 1.1 and the streams of C++ read one: hexadecimal after `0x`, octal after `0`, at most 32 bits.
pub(crate) fn number(text: &str) -> Option<u32> {
    let text = text.trim_end_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let digits = text.strip_prefix('+').unwrap_or(text);
    let all = |radix: u32| digits.chars().all(|c| c.is_digit(radix));
    if let Some(hex) = digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        return if hex.starts_with('+') { None } else { u32::from_str_radix(hex, 16).ok() };
    }
    if digits.len() > 1 && digits.starts_with('0') {
        return if all(8) { u32::from_str_radix(digits, 8).ok() } else { None };
    }
    if all(10) { digits.parse().ok() } else { None }
}

/// The words that YAML 1.1 reads as a truth value.
pub(crate) fn bool_word(text: &str) -> Option<bool> {
    let lower = text.to_ascii_lowercase();
    let capital = text.chars().skip(1).all(|c| c.is_ascii_lowercase());
    if !capital && text.chars().any(|c| c.is_ascii_lowercase()) {
        return None;
    }
    match lower.as_str() {
        "true" | "yes" | "on" | "y" => Some(true),
        "false" | "no" | "off" | "n" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_streams_of_c_read_them() {
        let read =
            [("5", 5), ("+5", 5), ("0", 0), ("010", 8), ("0x10", 16), ("5 ", 5), ("4294967295", u32::MAX)];
        for (text, value) in read {
            assert_eq!(number(text), Some(value), "{text}");
        }
        for text in ["", " 5", "-1", "08", "5s", "5.0", "0x", "0x+1", "4294967296", "1e3"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn truth_has_the_words_of_yaml_1_1() {
        for (text, value) in [("yes", true), ("Yes", true), ("YES", true), ("n", false), ("off", false)] {
            assert_eq!(bool_word(text), Some(value), "{text}");
        }
        for text in ["yEs", "1", "", "truee"] {
            assert_eq!(bool_word(text), None, "{text}");
        }
    }
}
