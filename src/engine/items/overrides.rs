//! How an item says that it changes an earlier one: the `override` map and the old `append: true`, read and reported. Whether
//! there is something to change is not known here; that is seen where the items are put together.

use crate::diag::{Code, Diagnostic, did_you_mean};
use crate::items::keys::Keys;
use crate::items::{Append, Name, Override, OverrideOp, Reader};
use crate::source::Span;
use crate::yaml::{Kind, Node};

/// What is said of an `override` that cannot be read: where there is nothing to change, it should go.
pub(crate) const UNREADABLE: [&str; 2] =
    ["`override` is a mapping, not a sequence", "an override is one word"];

impl Keys<'_> {
    /// The `override` map. `append` and `replace` name the keys that allow each.
    pub(crate) fn overrides(
        &self,
        reader: &mut Reader<'_>,
        append: &[&str],
        replace: &[&str],
    ) -> Option<Vec<Override>> {
        let Some(node) = self.node("override") else { return Some(Vec::new()) };
        let pairs = match &node.kind {
            Kind::Mapping(pairs) => pairs,
            Kind::Sequence(nodes) if nodes.is_empty() => return Some(Vec::new()),
            Kind::Sequence(nodes) => {
                let mut found = self.not_one_word(UNREADABLE[0], node);
                let named: Option<Vec<_>> = nodes.iter().map(Node::text).collect();
                found = match named.as_ref().and_then(|named| map_of(named, append, replace)) {
                    Some(map) => found.near(node.span, &map),
                    None => self.for_example(found, named.as_deref().unwrap_or(&[]), append, replace),
                };
                reader.push(found);
                return None;
            }
            Kind::Scalar(_) => {
                self.ignored(reader, node, append, replace);
                return Some(Vec::new());
            }
        };
        let mut overrides: Vec<Override> = Vec::new();
        let mut fine = true;
        for (key, value) in pairs {
            let Some(name) = key.text().map(str::to_owned) else {
                reader.push(self.not_one_word("a key of `override` is no single word", key));
                return None;
            };
            let op = match value.text() {
                Some("append") => OverrideOp::Append,
                Some("replace") => OverrideOp::Replace,
                None => {
                    let mut found = self.not_one_word(UNREADABLE[1], value);
                    if let Kind::Sequence(words) = &value.kind
                        && let [word] = words.as_slice()
                        && let Some(word @ ("append" | "replace")) = word.text()
                    {
                        found = found.near(value.span, word);
                    }
                    reader.push(found);
                    return None;
                }
                Some(written) => {
                    fine = false;
                    let message = "an override is `append` or `replace`";
                    let found = self.override_fault(message, value.span, "this is neither");
                    reader.push(match override_word(written) {
                        Some(near) => found.near(value.span, near),
                        None => found,
                    });
                    continue;
                }
            };
            let allowed = if op == OverrideOp::Append { append } else { replace };
            if !allowed.contains(&name.as_str()) {
                fine = false;
                let word = value.text().unwrap_or("");
                let message =
                    format!("`{name}` of a {} cannot be overridden with `{word}`", self.kind.word());
                let label = format!("`{word}` works for {}", allowed.join(", "));
                let found = self.override_fault(message, key.span, label);
                let other = if op == OverrideOp::Append { replace } else { append };
                reader.push(match did_you_mean(&name, allowed.iter().copied()) {
                    _ if other.contains(&name.as_str()) => found.near(value.span, "replace"),
                    Some(near) => found.near(key.span, near),
                    None => found,
                });
            }
            overrides.push(Override { key: Name { text: name, span: key.span }, op });
        }
        fine.then_some(overrides)
    }

    /// Whether what is overridden and what the item has are the same keys; what is not is reported. `append` and `replace`
    /// name the keys that allow each.
    pub(crate) fn overrides_fit(
        &self,
        reader: &mut Reader<'_>,
        overrides: &[Override],
        append: &[&str],
        replace: &[&str],
    ) -> bool {
        let mut fine = true;
        for (i, change) in overrides.iter().enumerate() {
            let name = &change.key.text;
            if self.node(name).is_none() {
                fine = false;
                let message = format!("`{name}` is to be overridden, and the item does not have it");
                let note = format!("add `{name}` to the item, or take it out of `override`");
                reader.push(self.override_fault(message, change.key.span, "").note(note));
            } else if overrides[..i].iter().any(|other| other.key.text == *name && other.op != change.op) {
                fine = false;
                let message = format!("`{name}` cannot be appended to and replaced at once");
                let found = self.override_fault(message, change.key.span, "");
                reader.push(found.note("write an item for each, the replacement first"));
            }
        }
        let payload = |key: &str| append.contains(&key) || replace.contains(&key);
        for (key, span, _) in self.pairs.iter().filter(|(key, _, _)| payload(key)) {
            if !overrides.iter().any(|o| o.key.text == *key) {
                fine = false;
                let message = format!("`{key}` is given, and `override` does not say what to do with it");
                let words = if append.contains(key) { "append` or `replace" } else { "replace" };
                let label = format!("add it to `override`, with `{words}`");
                reader.push(self.override_fault(message, *span, label));
            }
        }
        fine
    }

    /// Says which of the named keys cannot be overridden, and how the keys of the item are.
    fn for_example(
        &self,
        mut found: Diagnostic,
        named: &[&str],
        append: &[&str],
        replace: &[&str],
    ) -> Diagnostic {
        let changes = |key: &str| append.contains(&key) || replace.contains(&key);
        for name in named.iter().filter(|name| !changes(name)) {
            found = found.note(format!("`{name}` is no key that can be overridden"));
        }
        let keys: Vec<_> = self.pairs.iter().map(|(key, _, _)| *key).filter(|key| changes(key)).collect();
        // A text to read is written anew rather than gone on with.
        let joined: Vec<_> =
            append.iter().copied().filter(|key| !matches!(*key, "output" | "desc")).collect();
        found.note(match map_of(&keys, &joined, replace) {
            Some(map) => format!("for example `override: {map}`"),
            None => "leave `override` out: the item has no key that could be overridden".to_owned(),
        })
    }

    fn not_one_word(&self, message: &str, node: &Node) -> Diagnostic {
        let label = format!("this is {}", node.kind_word());
        Diagnostic::new(Code::NoWord, message, node.span, label).of(self.kind, &self.name)
    }

    /// Falco reads an `override` that is a single value as if it were not there. Whether there is something to change is known
    /// only where the items are put together.
    fn ignored(&self, reader: &mut Reader<'_>, node: &Node, append: &[&str], replace: &[&str]) {
        let found = Diagnostic::new(
            Code::OverrideIgnored,
            "this `override` changes nothing: it is no mapping",
            self.key("override").unwrap_or(node.span),
            "read as if it were not there",
        );
        let keys: Vec<_> = replace.iter().copied().filter(|key| self.node(key).is_some()).collect();
        let word = node.text().and_then(override_word);
        let appended = if word == Some("replace") { &[][..] } else { append };
        let found = match (map_of(&keys, appended, replace), word) {
            (Some(map), Some(_)) => found.near(node.span, &map),
            (Some(map), None) => found.note(format!("write `override: {map}`")),
            (None, _) => found.note("leave `override` out"),
        };
        reader.push(found.of(self.kind, &self.name));
    }

    /// `append: true`, where it is there and on. The outer `None` means that it is neither true nor false.
    #[expect(clippy::option_option, reason = "outer: readable; inner: present")]
    pub(crate) fn append(&self, reader: &mut Reader<'_>) -> Option<Option<Append>> {
        let on = self.bool(reader, "append")?.filter(|(on, _)| *on);
        Some(on.map(|(_, value)| {
            let whole = self.key("append").map_or(value, |key| key.to(value));
            Append { value, whole }
        }))
    }

    /// Says that `append: true` is the old form of an override, where it is there and on. `appended` are the keys that it
    /// appends to, `unread` those that it passes over.
    pub(crate) fn deprecated_append(
        &self,
        reader: &mut Reader<'_>,
        append: Option<Append>,
        appended: &[&str],
        unread: &[&str],
    ) {
        let Some(append) = append else { return };
        let found = Diagnostic::new(Code::Deprecated, "`append: true` is the old form", append.value, "");
        let found = match appended {
            // Beside an `override` it has to go, and that is said where it is found.
            _ if self.node("override").is_some() => found,
            [] => found.note(
                "`override` says for each key whether it appends or replaces, and what it does not name must go",
            ),
            _ => {
                let map = appended.iter().map(|key| format!("{key}: append")).collect::<Vec<_>>().join(", ");
                if unread.is_empty() {
                    found.mend("write the new form", append.whole, format!("override: {{{map}}}"))
                } else {
                    self.unread(found, &map, unread)
                }
            }
        };
        reader.push(found.of(self.kind, &self.name));
    }

    /// Where the old form passes keys over, the new one cannot: either they go, or they count.
    fn unread(&self, mut found: Diagnostic, map: &str, unread: &[&str]) -> Diagnostic {
        for span in unread.iter().filter_map(|key| self.key(key)) {
            found = found.see(span, "not read");
        }
        let names: Vec<_> = unread.iter().map(|key| format!("`{key}`")).collect();
        let (are, them) = if unread.len() == 1 { ("is", "it") } else { ("are", "them") };
        let count: Vec<_> = unread.iter().map(|key| format!("{key}: replace")).collect();
        found
            .note(format!("{} {are} not read beside `append: true`", names.join(", ")))
            .note(format!(
                "to keep the meaning remove {}, and in place of `append: true` write `override: {{{map}}}`",
                names.join(", ")
            ))
            .note(format!(
                "to make {them} count write, in place of `append: true`, `override: {{{map}, {}}}`",
                count.join(", ")
            ))
    }

    /// `append: true` beside `override`.
    pub(crate) fn two_changes(&self, reader: &mut Reader<'_>, span: Span) {
        let message = "`append` and `override` do not go together";
        let found = self.override_fault(message, span, "the old form");
        let line = self.key("append").and_then(|key| reader.line_of(key));
        reader.push(match line {
            Some(line) => found.guess("remove `append`", line, ""),
            None => found.note("remove `append`"),
        });
    }

    fn override_fault(&self, message: impl Into<String>, span: Span, label: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Code::BadOverride, message, span, label).of(self.kind, &self.name)
    }
}

/// How keys of an item are written in an `override`; `None` where one of them cannot be changed, or there is none.
fn map_of(keys: &[&str], append: &[&str], replace: &[&str]) -> Option<String> {
    let word = |key: &&str| {
        let word = if append.contains(key) {
            "append"
        } else if replace.contains(key) {
            "replace"
        } else {
            return None;
        };
        Some(format!("{key}: {word}"))
    };
    let words: Option<Vec<_>> = keys.iter().map(word).collect();
    words.filter(|words| !words.is_empty()).map(|words| format!("{{{}}}", words.join(", ")))
}

/// The operation that a word of an override comes near to.
fn override_word(written: &str) -> Option<&'static str> {
    match written {
        "add" | "extend" | "merge" | "join" => Some("append"),
        "set" | "overwrite" | "override" | "change" | "true" => Some("replace"),
        _ => did_you_mean(written, ["append", "replace"]),
    }
}
