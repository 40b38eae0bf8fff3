//! Shell patterns as POSIX `fnmatch` without flags reads them: `*` and `?` also match `/`, `[…]` are byte classes, a
//! backslash takes the next byte literally. Matching backtracks to the last `*` only, so it is never exponential.

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Glob {
    parts: Vec<Part>,
    fold: bool,
}

#[derive(Clone, Debug)]
enum Part {
    Byte(u8),
    Any,
    Star,
    Class(Box<[u64; 4]>),
}

impl Glob {
    /// Compiles a pattern; `fold` ignores the case of ASCII letters.
    pub fn new(pattern: &[u8], fold: bool) -> Self {
        let mut parts = Vec::with_capacity(pattern.len());
        let mut at = 0;
        while let Some((step, next)) = step(pattern, at, fold) {
            at = next;
            parts.push(match step {
                Step::Star if matches!(parts.last(), Some(Part::Star)) => continue,
                Step::Star => Part::Star,
                Step::Any => Part::Any,
                Step::Byte(byte) => Part::Byte(byte),
                Step::Class(set) => Part::Class(Box::new(set)),
            });
        }
        Self { parts, fold }
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &[u8]) -> bool {
        let (mut p, mut t) = (0, 0);
        // Where the last star stands, and how much of the text it has taken.
        let mut star: Option<(usize, usize)> = None;
        while t < text.len() {
            match self.parts.get(p) {
                Some(Part::Star) => {
                    star = Some((p, t));
                    p += 1;
                    continue;
                }
                Some(part) if self.one(part, text[t]) => {
                    p += 1;
                    t += 1;
                    continue;
                }
                _ => {}
            }
            let Some((at, taken)) = star else { return false };
            star = Some((at, taken + 1));
            p = at + 1;
            t = taken + 1;
        }
        self.parts[p..].iter().all(|part| matches!(part, Part::Star))
    }

    fn one(&self, part: &Part, byte: u8) -> bool {
        let byte = if self.fold { byte.to_ascii_lowercase() } else { byte };
        match part {
            Part::Byte(b) => *b == byte,
            Part::Any => true,
            Part::Star => false,
            Part::Class(set) => holds(set, byte),
        }
    }
}

/// Whether a text matches a pattern that no rule could prepare, because an event gives it. Nothing is allocated.
pub fn matches(pattern: &[u8], text: &[u8], fold: bool) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        let taken = match (step(pattern, p, fold), text.get(t)) {
            (None, None) => return true,
            (Some((Step::Star, next)), _) => {
                star = Some((next, t));
                p = next;
                continue;
            }
            (Some((step, next)), Some(byte)) => step.takes(*byte, fold).then_some(next),
            _ => None,
        };
        if let Some(next) = taken {
            (p, t) = (next, t + 1);
            continue;
        }
        // Only the last star can take more.
        let Some((behind, begin)) = star.filter(|(_, begin)| *begin < text.len()) else { return false };
        star = Some((behind, begin + 1));
        (p, t) = (behind, begin + 1);
    }
}

/// One part of a pattern as it is read.
enum Step {
    Byte(u8),
    Any,
    Star,
    Class([u64; 4]),
}

impl Step {
    fn takes(&self, byte: u8, fold: bool) -> bool {
        let byte = if fold { byte.to_ascii_lowercase() } else { byte };
        match self {
            Self::Byte(b) => *b == byte,
            Self::Any => true,
            Self::Star => false,
            Self::Class(set) => holds(set, byte),
        }
    }
}

fn holds(set: &[u64; 4], byte: u8) -> bool {
    set[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
}

/// The part that begins at a place, and where the next one begins; `None` at the end.
fn step(pattern: &[u8], at: usize, fold: bool) -> Option<(Step, usize)> {
    let folded = |byte: u8| if fold { byte.to_ascii_lowercase() } else { byte };
    let byte = *pattern.get(at)?;
    Some(match byte {
        b'*' => (Step::Star, at + 1),
        b'?' => (Step::Any, at + 1),
        b'[' => match class(&pattern[at + 1..], fold) {
            Some((set, used)) => (Step::Class(set), at + 1 + used),
            None => (Step::Byte(b'['), at + 1),
        },
        b'\\' => match pattern.get(at + 1) {
            Some(&next) => (Step::Byte(folded(next)), at + 2),
            // A backslash that escapes nothing matches nothing.
            None => (Step::Class([0; 4]), at + 1),
        },
        byte => (Step::Byte(folded(byte)), at + 1),
    })
}

/// Reads a class behind its `[`. Gives the set and how many bytes it took; `None` when it is not closed.
fn class(pattern: &[u8], fold: bool) -> Option<([u64; 4], usize)> {
    let mut set = [0_u64; 4];
    let mut at = 0;
    let negated = matches!(pattern.first(), Some(b'!' | b'^'));
    at += usize::from(negated);
    let first = at;
    loop {
        let byte = *pattern.get(at)?;
        if byte == b']' && at > first {
            at += 1;
            break;
        }
        if byte == b'['
            && pattern.get(at + 1) == Some(&b':')
            && let Some(end) = memchr::memmem::find(&pattern[at + 2..], b":]")
        {
            let name = &pattern[at + 2..at + 2 + end];
            (0..=255_u8).filter(|b| named(name, *b)).for_each(|b| add(&mut set, b, fold));
            at += end + 4;
            continue;
        }
        let (low, next) = literal(pattern, at)?;
        at = next;
        if pattern.get(at) == Some(&b'-') && pattern.get(at + 1).is_some_and(|b| *b != b']') {
            let (high, next) = literal(pattern, at + 1)?;
            at = next;
            (low..=high).for_each(|b| add(&mut set, b, fold));
        } else {
            add(&mut set, low, fold);
        }
    }
    if negated {
        for word in &mut set {
            *word = !*word;
        }
    }
    Some((set, at))
}

/// One byte of a class, a backslash before it taken off. `[.x.]` and `[=x=]` are the byte in them.
fn literal(pattern: &[u8], at: usize) -> Option<(u8, usize)> {
    if let [b'[', open @ (b'.' | b'='), byte, close, b']', ..] = pattern[at..]
        && open == close
    {
        return Some((byte, at + 5));
    }
    match *pattern.get(at)? {
        b'\\' => Some((*pattern.get(at + 1)?, at + 2)),
        byte => Some((byte, at + 1)),
    }
}

fn add(set: &mut [u64; 4], byte: u8, fold: bool) {
    let byte = if fold { byte.to_ascii_lowercase() } else { byte };
    set[usize::from(byte >> 6)] |= 1 << (byte & 63);
}

fn named(name: &[u8], b: u8) -> bool {
    match name {
        b"alpha" => b.is_ascii_alphabetic(),
        b"digit" => b.is_ascii_digit(),
        b"alnum" => b.is_ascii_alphanumeric(),
        b"upper" => b.is_ascii_uppercase(),
        b"lower" => b.is_ascii_lowercase(),
        b"space" => b.is_ascii_whitespace() || b == 0x0b,
        b"blank" => b == b' ' || b == b'\t',
        b"punct" => b.is_ascii_punctuation(),
        b"print" => (0x20..0x7f).contains(&b),
        b"graph" => b.is_ascii_graphic(),
        b"cntrl" => b.is_ascii_control(),
        b"xdigit" => b.is_ascii_hexdigit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_fnmatch_does() {
        let cases: &[(&str, &str, bool)] = &[
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("/etc/*", "/etc/shadow file", true),
            ("/e*e", "/etc/x/file", true),
            ("/etc/[rs]hadow", "/etc/shadow", true),
            ("/etc/[!rs]hadow", "/etc/shadow", false),
            ("[a-c]?", "bz", true),
            ("[a-c]?", "dz", false),
            ("[]x]", "]", true),
            ("[^]x]", "y", true),
            ("[[:digit:]][[:alpha:]]", "4x", true),
            ("[[.a.]-c][[=b=]]", "cb", true),
            ("[x", "[x", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("a**b", "ab", true),
            ("end\\", "end\\", false),
        ];
        for (pattern, text, expected) in cases {
            let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
            let named = format!("{} {}", pattern.escape_ascii(), text.escape_ascii());
            assert_eq!(Glob::new(pattern, false).matches(text), *expected, "{named}");
            assert_eq!(matches(pattern, text, false), *expected, "{named}, not prepared");
        }
        assert!(Glob::new(b"/ETC/[S]*", true).matches(b"/etc/shadow"));
        assert!(!Glob::new(b"/ETC/*", false).matches(b"/etc/shadow"));
    }
}
