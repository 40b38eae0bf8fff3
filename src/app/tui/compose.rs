//! Filters made from what is under the cursor: `and field = value` and `and field != value`, quoted so that the condition
//! grammar reads back exactly the value, whatever is in it; and a process with everything below it, by its id at whatever
//! depth.

use std::fmt::Write as _;

use eyas_event::FieldId;

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
    join(filter, &format!("{field} {op} {}", quote(value)))
}

/// The filter with one more condition: a process with all that it started, or everything else.
pub(super) fn narrow_to_tree(filter: Option<&str>, keep: Keep, pid: u32) -> String {
    let tree =
        format!("({} = {pid} or {} = {pid})", FieldId::PROC_PID.info().name, FieldId::PROC_APID.info().name);
    match keep {
        Keep::With => join(filter, &tree),
        Keep::Without => join(filter, &format!("not {tree}")),
    }
}

fn join(filter: Option<&str>, check: &str) -> String {
    match filter.map(str::trim).filter(|f| !f.is_empty()) {
        None => check.to_owned(),
        // `and` binds tighter than `or`. Where the word only stands in a value, the parentheses are harmless.
        Some(filter) if has_or(filter) => format!("({filter}) and {check}"),
        Some(filter) => format!("{filter} and {check}"),
    }
}

/// Whether there is an `or` that is not inside parentheses. A quoted value may hold anything: then every `or` counts.
fn has_or(filter: &str) -> bool {
    let plain = !filter.contains(['"', '\'', '\\']);
    let mut depth = 0_usize;
    let outer: String = filter
        .chars()
        .map(|c| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if plain && depth > 0 { ' ' } else { c }
        })
        .collect();
    let filter = &*outer;
    filter.split(|c: char| c.is_ascii_whitespace() || "()\"'".contains(c)).any(|word| word == "or")
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
    for (at, c) in value.char_indices() {
        match c {
            '"' => out.push_str("\\\""),
            // No quote behind a backslash closes; the language's older spelling of a backslash ends with a blank.
            '\\' if at + 1 == value.len() => out.push_str("\\ "),
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
    use eyas_event::OutputValue;

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

    proptest::proptest! {
        /// The engine reads back what was put in, and nothing else: with any value, after any filter.
        #[test]
        fn a_filter_made_from_a_value_finds_exactly_that_value(
            value in proptest::prop_oneof![".{0,12}", "[ -~]{0,12}", "[a\\\\\"' ,()=/n]{0,8}"],
            other in ".{0,4}",
        ) {
            use eyas_engine::{FieldMap, Filter, Ruleset, Scratch};
            // The grammar has no way to write a NUL, and no process name contains one.
            proptest::prop_assume!(!value.contains('\0') && !other.contains('\0'));
            let (is, of) = (FieldId::PROC_NAME.info().name, |v: &str| {
                let value = OutputValue::Text(v.to_owned());
                FieldMap::from_output([(FieldId::PROC_NAME.info().name, &value)])
            });
            let holds = |keep, text: &str, event: &str| {
                let text = narrow(Some("proc.name exists or evt.type = open"), is, keep, text);
                let filter = Filter::compile(&text, &Ruleset::empty()).unwrap_or_else(|e| panic!("{text}: {:?}", e.diagnostics));
                filter.matches(&of(event), &mut Scratch::default())
            };
            proptest::prop_assert!(holds(Keep::With, &value, &value));
            proptest::prop_assert!(!holds(Keep::Without, &value, &value));
            proptest::prop_assert_eq!(holds(Keep::With, &value, &other), value == other);
            proptest::prop_assert_eq!(holds(Keep::Without, &value, &other), value != other);
        }
    }

    #[test]
    fn a_filter_grows_without_changing_its_meaning() {
        assert_eq!(narrow(None, "proc.name", Keep::With, "curl"), "proc.name = curl");
        assert_eq!(narrow(Some("a = b"), "user.name", Keep::Without, "root"), "a = b and user.name != root");
        assert_eq!(narrow(Some("a = b or c = d"), "e", Keep::With, "f"), "(a = b or c = d) and e = f");
        let tree = narrow_to_tree(None, Keep::With, 7);
        assert_eq!(narrow(Some(&tree), "e", Keep::With, "f"), format!("{tree} and e = f"));
        assert_eq!(
            narrow(Some("a = \"(\" or b = c"), "e", Keep::With, "f"),
            "(a = \"(\" or b = c) and e = f"
        );
        assert_eq!(narrow(Some("(a = b)or(c = d)"), "e", Keep::With, "f"), "((a = b)or(c = d)) and e = f");
        assert_eq!(
            narrow_to_tree(Some("a = b"), Keep::Without, 7),
            "a = b and not (proc.pid = 7 or proc.apid = 7)"
        );
        assert_eq!(narrow(Some("alert.priority = b"), "e", Keep::With, "f"), "alert.priority = b and e = f");
    }
}
