//! `pmatch`: path patterns as component-wise prefixes. A pattern holds when its components, each a literal or a glob, are
//! the first components of the value. Slashes at the ends and doubled ones do not count; a pattern without components
//! holds for every path.

use crate::matching::glob::Glob;

/// Patterns of which one must hold.
#[derive(Clone, Debug)]
pub struct PathPrefixes {
    patterns: Vec<Vec<Component>>,
}

#[derive(Clone, Debug)]
enum Component {
    Literal(Box<[u8]>),
    Glob(Glob),
}

fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|b| *b == b'/').filter(|c| !c.is_empty())
}

impl PathPrefixes {
    /// Prepares the patterns.
    pub fn new(patterns: &[Box<[u8]>]) -> Self {
        // A component is a glob only when it has one of the signs; without them a backslash is itself.
        let component = |text: &[u8]| {
            if text.iter().any(|b| matches!(b, b'?' | b'*' | b'[')) {
                Component::Glob(Glob::new(text, false))
            } else {
                Component::Literal(text.into())
            }
        };
        Self { patterns: patterns.iter().map(|p| components(p).map(component).collect()).collect() }
    }

    /// Whether one pattern holds for the path.
    pub fn matches(&self, path: &[u8]) -> bool {
        self.patterns.iter().any(|pattern| {
            let mut given = components(path);
            pattern.iter().all(|wanted| {
                given.next().is_some_and(|component| match wanted {
                    Component::Literal(literal) => **literal == *component,
                    Component::Glob(glob) => glob.matches(component),
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_match_as_a_prefix() {
        let holds = |pattern: &str, path: &str| {
            PathPrefixes::new(&[pattern.as_bytes().into()]).matches(path.as_bytes())
        };
        assert!(holds("/etc", "/etc/shadow file"));
        assert!(!holds("/et", "/etc/shadow"));
        assert!(holds("/etc/*", "/etc/shadow"));
        assert!(!holds("/etc/*", "/etc"));
        assert!(holds("/e*c", "/etc/x"));
        assert!(holds("etc", "/etc/x"));
        assert!(holds("/", "/anything"));
        assert!(holds("/*", "/etc"));
        assert!(holds("/a\\b", "/a\\b/c"));
        assert!(!holds("/a\\b", "/ab"));
        assert!(holds("/a\\b*", "/abc"));
        assert!(!PathPrefixes::new(&[]).matches(b"/x"));
    }
}
