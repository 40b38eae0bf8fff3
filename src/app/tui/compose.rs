//! Filters made from values under the cursor: `and field = value` and `and field != value`, quoted so that the condition
//! grammar reads back exactly the value, whatever is in it.

use std::fmt::Write as _;

/// Whether alerts with the value stay or go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// Only those with the value.
    With,
    /// Only those without.
    Without,
}

/// The filter with one more condition.
pub(super) fn narrow(filter: Option<&str>, field: &str, keep: Keep, value: &str) -> String {
    let op = match keep {
        Keep::With => "=",
        Keep::Without => "!=",
    };
    let check = format!("{field} {op} {}", quote(value));
    match filter.map(str::trim).filter(|f| !f.is_empty()) {
        None => check,
        // `and` binds tighter than `or`. A superfluous pair of parentheses around a text that merely contains the
        // letters is harmless.
        Some(filter) if filter.contains("or") => format!("({filter}) and {check}"),
        Some(filter) => format!("{filter} and {check}"),
    }
}

/// A value as the grammar reads it: bare where every byte is harmless, else in double quotes with escapes.
pub(super) fn quote(value: &str) -> String {
    let harmless = |b: u8| b.is_ascii_alphanumeric() || b"_-./:@+%".contains(&b);
    let keyword = matches!(value, "and" | "or" | "not" | "exists");
    if !value.is_empty() && !keyword && value.bytes().all(harmless) {
        return value.to_owned();
    }
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c.is_ascii_control() => {
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_only_where_they_must_be() {
        assert_eq!(quote("/tmp/evil.sh"), "/tmp/evil.sh");
        assert_eq!(quote("10.0.0.1:80"), "10.0.0.1:80");
        assert_eq!(quote("a b"), "\"a b\"");
        assert_eq!(quote("a,b"), "\"a,b\"");
        assert_eq!(quote("f(x)=y"), "\"f(x)=y\"");
        assert_eq!(quote("say \"hi\" it's"), "\"say \\\"hi\\\" it's\"");
        assert_eq!(quote("C:\\x"), "\"C:\\\\x\"");
        assert_eq!(quote("a\nb\x1b"), "\"a\\nb\\x1b\"");
        assert_eq!((quote("and"), quote("")), ("\"and\"".into(), "\"\"".into()));
    }

    #[test]
    fn a_filter_grows_without_changing_its_meaning() {
        assert_eq!(narrow(None, "proc.name", Keep::With, "curl"), "proc.name = curl");
        assert_eq!(narrow(Some("a = b"), "user.name", Keep::Without, "root"), "a = b and user.name != root");
        assert_eq!(narrow(Some("a = b or c = d"), "e", Keep::With, "f"), "(a = b or c = d) and e = f");
    }
}
