//! Which rules are on: the `rules:` list of Falco's configuration, applied in order after all files. It counts more than a
//! rule's own `enabled`.

use crate::ruleset::Rule;

/// Which rules an entry means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selected {
    /// By name; `*` stands for any run of characters.
    Rule(String),
    /// By a tag, to the letter.
    Tag(String),
}

/// An entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Which rules.
    pub which: Selected,
    /// Whether they are switched on or off.
    pub on: bool,
}

/// Applies a list to compiled rules.
pub(crate) fn apply(selection: &[Selection], rules: &mut [Rule]) {
    for entry in selection {
        for rule in rules.iter_mut() {
            let meant = match &entry.which {
                Selected::Rule(pattern) => fits(pattern, &rule.name),
                Selected::Tag(tag) => rule.tags.iter().any(|own| **own == **tag),
            };
            if meant {
                rule.enabled = entry.on;
            }
        }
    }
}

/// Whether a name fits a pattern with stars.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let parts: Vec<_> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        // The earliest place is the best one: it leaves most for what follows.
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*", "any name", true),
            ("Read*", "Read a file", true),
            ("*file", "Read a file", true),
            ("R*a*e", "Read a file", true),
            ("R*x*e", "Read a file", false),
            ("Read", "Read a file", false),
            ("a*a", "a", false),
            ("exact", "exact", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
