//! `pmatch`: path patterns as component-wise prefixes. A pattern holds when its components, each a literal or a glob, are
//! the first components of the value. Slashes at the ends and doubled ones do not count; a pattern without components
//! holds for every path.

use rustc_hash::FxHashSet;

use crate::matching::glob::Glob;

/// Patterns of which one must hold.
#[derive(Clone, Debug)]
pub struct PathPrefixes {
    /// Patterns without a wildcard: their components with one slash between them.
    literal: FxHashSet<Box<[u8]>>,
    /// The lengths of those, shortest first.
    lengths: Box<[usize]>,
    /// The others.
    globs: Vec<Vec<Component>>,
    /// Whether a pattern has no components.
    every: bool,
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
        let mut own =
            Self { literal: FxHashSet::default(), lengths: Box::default(), globs: Vec::new(), every: false };
        for pattern in patterns {
            let parts: Vec<Component> = components(pattern).map(component).collect();
            let literal: Option<Vec<&[u8]>> = parts
                .iter()
                .map(|part| if let Component::Literal(text) = part { Some(&**text) } else { None })
                .collect();
            match literal {
                Some(parts) if parts.is_empty() => own.every = true,
                Some(parts) => {
                    own.literal.insert(parts.join(&b'/').into());
                }
                None => own.globs.push(parts),
            }
        }
        let mut lengths: Vec<usize> = own.literal.iter().map(|text| text.len()).collect();
        lengths.sort_unstable();
        lengths.dedup();
        own.lengths = lengths.into();
        own
    }

    /// Whether one pattern holds for the path.
    pub fn matches(&self, path: &[u8]) -> bool {
        self.every || self.literal(path) || self.globs.iter().any(|pattern| begins(pattern, path))
    }

    fn literal(&self, path: &[u8]) -> bool {
        let start = path.iter().position(|b| *b != b'/').unwrap_or(path.len());
        let path = &path[start..];
        if memchr::memmem::find(path, b"//").is_some() {
            // Rare, so it may be slow.
            return self.literal.iter().any(|text| {
                let mut given = components(path);
                components(text).all(|wanted| given.next() == Some(wanted))
            });
        }
        // A prefix ends where a component does.
        let ends = |at: usize| path.get(at).is_none_or(|b| *b == b'/');
        self.lengths
            .iter()
            .take_while(|length| **length <= path.len())
            .any(|length| ends(*length) && self.literal.contains(&path[..*length]))
    }
}

fn begins(pattern: &[Component], path: &[u8]) -> bool {
    let mut given = components(path);
    pattern.iter().all(|wanted| {
        given.next().is_some_and(|component| match wanted {
            Component::Literal(literal) => **literal == *component,
            Component::Glob(glob) => glob.matches(component),
        })
    })
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
        assert!(holds("/etc//ssl/", "//etc///ssl//x"));
        assert!(!holds("/etc/ssl", "/etc//sslx"));
        assert!(!holds("/etc/ssl", "/etc"));
        assert!(!holds("/etc", ""));
        assert!(holds("/a\\b", "/a\\b/c"));
        assert!(!holds("/a\\b", "/ab"));
        assert!(holds("/a\\b*", "/abc"));
        assert!(!PathPrefixes::new(&[]).matches(b"/x"));
        let many: Vec<Box<[u8]>> = ["/a", "/usr/lib", "/usr/*/x"].map(|p| p.as_bytes().into()).into();
        for (path, wanted) in
            [("/usr", false), ("/usr/lib/y", true), ("/usr/libx", false), ("/usr/b/x", true)]
        {
            assert_eq!(PathPrefixes::new(&many).matches(path.as_bytes()), wanted, "{path}");
        }
    }
}
