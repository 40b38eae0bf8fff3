//! Lists put into conditions: Falco's textual replacement, on text that knows where each byte came from.
//!
//! The meaning is Falco's to the letter. An item that names an earlier list becomes that list's raw items, one level deep.
//! Then each list in order replaces its name wherever a blank, a parenthesis, a comma, `=` or the text's end stands on
//! both sides, in quotes too; blanks around the name shrink to one. An empty list takes one neighbouring comma along.

use crate::collect::{Collection, ListDef};
use crate::diag::{Certainty, Code, Diagnostic, ItemKind};
use crate::dialect::Dialect;
use crate::items::Text;
use crate::source::Span;
use crate::syntax::text::Spliced;

/// Lists with their items ready to be put in.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    defined: Vec<(String, Vec<Spliced>)>,
    /// Names of lists with a fault of their own.
    broken: Vec<String>,
    /// The dialect of the texts that they are put into.
    pub(crate) dialect: Dialect,
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'(' | b')' | b',' | b'=')
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

impl Lists {
    /// Prepares the lists of a collection and reports items that will not stay one item.
    pub fn new(collection: &Collection, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut lists = Vec::new();
        for list in &collection.lists {
            let mut items = Vec::new();
            for item in &list.items {
                let Some(inner) = collection.inner_list(list, item.as_str()) else {
                    shape(list, item, diagnostics);
                    items.push(quoted(&item.spliced));
                    continue;
                };
                for inner_item in &collection.lists[inner].items {
                    let second =
                        collection.inner_list(list, inner_item.as_str()).map(|i| &collection.lists[i]);
                    // A list that was appended to itself stays as it is, and what this list names as well is put in.
                    let here = |name: &str| list.items.iter().any(|item| item.as_str() == name);
                    let second =
                        second.filter(|second| second.position != list.position && !here(&second.name.text));
                    if let Some(second) = second {
                        nested(list, item, second, diagnostics);
                    }
                    items.push(quoted(&inner_item.spliced));
                }
            }
            lists.push((list.name.text.clone(), items));
        }
        let mut broken: Vec<_> = collection.broken_lists().map(str::to_owned).collect();
        broken.sort_unstable();
        Self { defined: lists, broken, dialect: collection.dialect }
    }

    /// How many lists there are.
    pub fn len(&self) -> usize {
        self.defined.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.defined.is_empty()
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.defined.iter().map(|(name, _)| name.as_str())
    }

    /// Where a text names lists that have a fault of their own: nothing is put in there.
    pub fn broken_in(&self, text: &Spliced) -> Vec<(String, Span)> {
        let mut out = Vec::new();
        for name in &self.broken {
            let mut from = 0;
            while let Some(at) = find(text.text(), name, from) {
                from = at + name.len();
                out.push((name.clone(), text.span(&(at as u32..from as u32))));
            }
        }
        out
    }

    /// Replaces every list's name in a text. Says, by index, which lists were used, and whether the text grew past
    /// `LONGEST`; what was not replaced by then stays.
    pub fn put_in(&self, text: &Spliced, used: &mut dyn FnMut(usize)) -> (Spliced, bool) {
        let mut text = text.clone();
        for (index, (name, items)) in self.defined.iter().enumerate() {
            let Some(first) = find(text.text(), name, 0) else { continue };
            used(index);
            text = put_one(&text, name, items, first);
            if text.text().len() > LONGEST {
                // Which lists would have come in after this one cannot be known.
                (index..self.defined.len()).for_each(used);
                return (text, true);
            }
        }
        (text, false)
    }
}

/// Longer than any condition that a person wants, with a list of a hundred thousand items in it, and short enough that lists
/// of lists cannot exhaust memory.
const LONGEST: usize = 1 << 21;

/// Replaces one list's name everywhere. Names inside its own items are not looked at.
fn put_one(text: &Spliced, name: &str, items: &[Spliced], first: usize) -> Spliced {
    let bytes = text.text().as_bytes();
    let mut out = text.start_like();
    let mut done = 0;
    let mut next = Some(first);
    while let Some(start) = next {
        let end = start + name.len();
        out.push_same(text, done..start);
        out.trim_end();
        let mut right = end + bytes[end..].iter().take_while(|b| is_blank(**b)).count();
        if items.iter().all(|item| item.text().is_empty()) {
            if out.text().ends_with(',') {
                out.pop();
            } else if bytes.get(right) == Some(&b',') {
                right += 1;
            }
        }
        out.push_list(text, start..end, name, items);
        done = right;
        if out.text().len() > LONGEST {
            return out;
        }
        next = find(text.text(), name, done.max(end));
    }
    out.push_same(text, done..bytes.len());
    out
}

/// The next place of `name` between delimiters, from `from` on.
fn find(text: &str, name: &str, from: usize) -> Option<usize> {
    if name.is_empty() {
        return None;
    }
    let bytes = text.as_bytes();
    let mut from = from;
    loop {
        let at = from + memchr::memmem::find(bytes.get(from..)?, name.as_bytes())?;
        let before = at.checked_sub(1).map(|i| bytes[i]);
        let after = bytes.get(at + name.len()).copied();
        if before.is_none_or(is_delimiter) && after.is_none_or(is_delimiter) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// An item with blanks gets double quotes, unless it has quotes.
fn quoted(item: &Spliced) -> Spliced {
    let text = item.text();
    if !text.contains(' ') || text.starts_with('"') || text.starts_with('\'') {
        return item.clone();
    }
    let whole = item.span(&(0..text.len() as u32));
    let mut out = Spliced::empty();
    out.push_standing_for("\"", whole);
    out.push(item);
    out.push_standing_for("\"", whole);
    out
}

fn shape(list: &ListDef, item: &Text, diagnostics: &mut Vec<Diagnostic>) {
    if let Some(found) = unquoted(item, Code::ListItemShape, "a list item") {
        diagnostics.push(found.of(ItemKind::List, &list.name.text));
    }
}

/// A value that is put into conditions as it stands and does not stay one value there.
pub(super) fn unquoted(value: &Text, code: Code, what: &str) -> Option<Diagnostic> {
    let text = value.as_str();
    if text.len() > 1 && text.starts_with(['"', '\'']) {
        return None;
    }
    let sign = text.chars().find(|c| matches!(c, ',' | '(' | ')' | '=' | '"' | '\''))?;
    let effect = if sign == ',' { "makes two values of it" } else { "does not parse in a condition" };
    let message = format!("`{sign}` in {what} {effect}");
    let found = Diagnostic::new(code, message, value.span, "this is put into conditions as it stands");
    let quote = if text.contains('"') { '\'' } else { '"' };
    if text.contains([quote, '\\', '\n']) {
        return Some(
            found.note("quote it inside the value: '\"…\"'; a quote within needs a backslash before it"),
        );
    }
    // In YAML's single quotes only the single quote is written twice.
    let inner = format!("{quote}{text}{quote}").replace('\'', "''");
    let certainty = if sign == ',' { Certainty::Guess } else { Certainty::Sure };
    let title = "quote it for the condition as well";
    Some(found.with_edit(title, value.span, format!("'{inner}'"), certainty))
}

fn nested(list: &ListDef, item: &Text, second: &ListDef, diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.push(
        Diagnostic::new(
            Code::NestedList,
            format!("`{}` stays a plain word here: lists are replaced one level deep", second.name.text),
            item.span,
            format!("this list holds the list `{}`", second.name.text),
        )
        .see(second.name.span, "the list that is not reached")
        .note(format!("add `{}` to the items here: {}", second.name.text, longer(list, &second.name.text)))
        .of(ItemKind::List, &list.name.text),
    );
}

/// How a list is written with one item more, what is long left out.
fn longer(list: &ListDef, more: &str) -> String {
    const SHOWN: usize = 4;
    let mut items: Vec<_> = list.items.iter().take(SHOWN).map(Text::as_str).collect();
    if list.items.len() > SHOWN {
        items.push("…");
    }
    items.push(more);
    format!("`items: [{}]`", items.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::items::ListItem;
    use crate::source::SourceId;

    fn lists(defs: &[(&str, &[&str])]) -> Lists {
        let text = |s: &str| Text {
            spliced: Spliced::whole(SourceId(0), s),
            span: Span::new(SourceId(0), 0, s.len() as u32),
        };
        let mut collection = Collection::default();
        for (name, items) in defs {
            let name = crate::items::Name { text: (*name).to_owned(), span: Span::new(SourceId(0), 0, 0) };
            let items = items.iter().map(|i| text(i)).collect();
            collection.list(ListItem { name, items, change: None, append: None }, &mut Vec::new());
        }
        Lists::new(&collection, &mut Vec::new())
    }

    fn put(lists: &Lists, text: &str) -> String {
        let (out, too_long) = lists.put_in(&Spliced::whole(SourceId(0), text), &mut |_| {});
        assert!(!too_long);
        out.text().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn replacement_is_textual_and_one_level_deep() {
        let all = lists(&[("a", &["x", "y"]), ("b", &["a", "z"]), ("c", &["b", "w"])]);
        assert_eq!(put(&all, "proc.name in (c)"), "proc.name in ( a, z, w )");
        let all = lists(&[("bash", &["x", "y"])]);
        assert_eq!(put(&all, "p contains \"run bash now\""), "p contains \"run x, y now\"");
        assert_eq!(put(&all, "p = bashful and q in (abash,bash)"), "p = bashful and q in (abash, x, y )");
        let all = lists(&[("e", &[])]);
        assert_eq!(put(&all, "p in (a, e, b)"), "p in (a , b)");
        assert_eq!(put(&all, "p in (e, b)"), "p in ( b)");
        assert_eq!(put(&all, "p in (e)"), "p in ( )");
        let all = lists(&[("s", &["two words", "\"q w\""])]);
        assert_eq!(put(&all, "p in (s)"), "p in ( \"two words\", \"q w\" )");
    }

    #[test]
    fn lists_of_lists_stop_growing() {
        let names: Vec<String> = (0..12).map(|i| format!("l{i}")).collect();
        let rows: Vec<Vec<&str>> = (0..11).map(|i| vec![names[i + 1].as_str(); 10]).collect();
        let mut defs: Vec<(&str, &[&str])> =
            (0..11).map(|i| (names[i].as_str(), rows[i].as_slice())).collect();
        defs.push(("l11", &["x"]));
        let (out, too_long) = lists(&defs).put_in(&Spliced::whole(SourceId(0), "p in (l0)"), &mut |_| {});
        assert!(too_long);
        assert!(out.text().len() < 2 * LONGEST);
    }

    #[test]
    fn a_later_list_inside_an_item_still_resolves() {
        let all = lists(&[("first", &["later", "k"]), ("later", &["m", "n"])]);
        assert_eq!(put(&all, "p in (first)"), "p in ( m, n , k )");
        let own = lists(&[("self", &["self", "k"])]);
        assert_eq!(put(&own, "p in (self)"), "p in ( self, k )");
    }
}
