//! `regex`: RE2's POSIX syntax, the whole value, as Falco has it. What that syntax rejects is rejected here; what it
//! writes otherwise than the `regex` crate is rewritten; that crate does the matching, in time linear in the value.

use std::cell::RefCell;
use std::fmt::Write as _;

use regex::bytes::{Regex, RegexBuilder};

/// The largest compiled form: RE2's own limit is of this order, and no pattern of a rule comes near.
const SIZE_LIMIT: usize = 2 << 20;
/// RE2's limit of a counted repetition.
const MOST_REPEATS: u32 = 1000;

/// The classes that have a name.
const CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

thread_local! {
    /// Where a value that is no UTF-8 is mended before it is matched. Kept, so that a process which chooses such names
    /// does not make us allocate for each.
    static MENDED: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A pattern ready to match.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Reads a pattern; the error is a sentence for the person who wrote it.
    pub fn new(pattern: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(pattern).map_err(|_| "the pattern is not UTF-8".to_owned())?;
        let body = translate(text)?;
        RegexBuilder::new(&format!(r"\A(?:{body})\z"))
            .size_limit(SIZE_LIMIT)
            .dfa_size_limit(SIZE_LIMIT)
            .nest_limit(200)
            .build()
            .map(Self)
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => "the pattern is too large when it is compiled".to_owned(),
                error => {
                    let text = error.to_string();
                    text.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned()
                }
            })
    }

    /// Whether the whole value matches. Bytes that are no UTF-8 count as U+FFFD.
    pub fn matches(&self, value: &[u8]) -> bool {
        if std::str::from_utf8(value).is_ok() {
            return self.0.is_match(value);
        }
        MENDED.with_borrow_mut(|mended| {
            mended.clear();
            for chunk in value.utf8_chunks() {
                mended.push_str(chunk.valid());
                if !chunk.invalid().is_empty() {
                    mended.push('\u{fffd}');
                }
            }
            self.0.is_match(mended.as_bytes())
        })
    }
}

struct Reader<'t> {
    chars: std::iter::Peekable<std::str::Chars<'t>>,
    out: String,
}

/// The pattern in the crate's words.
fn translate(text: &str) -> Result<String, String> {
    let mut reader = Reader { chars: text.chars().peekable(), out: String::with_capacity(text.len() + 8) };
    let mut repeated = false;
    while let Some(c) = reader.chars.next() {
        let was_repeated = std::mem::replace(&mut repeated, false);
        match c {
            '\\' => {
                let c = reader.escape()?;
                reader.literal(c);
            }
            '[' => reader.class()?,
            // Lines have their ends everywhere in this syntax; the whole value is anchored besides.
            '^' => reader.out.push_str("(?m:^)"),
            '$' => reader.out.push_str("(?m:$)"),
            '(' if reader.chars.peek() == Some(&'?') => {
                return Err(
                    "`(?` is not part of POSIX syntax: no flags, no named or silent groups".to_owned()
                );
            }
            // Nothing prefers less in this syntax: a second sign repeats what the first one made.
            '?' if was_repeated => {
                repeated = true;
                reader.out.push_str("{0,1}");
            }
            '*' | '+' | '?' => {
                repeated = true;
                reader.out.push(c);
            }
            '{' => repeated = reader.braces()?,
            '(' | ')' | '|' | '.' => reader.out.push(c),
            c => reader.literal(c),
        }
    }
    Ok(reader.out)
}

impl Reader<'_> {
    fn literal(&mut self, c: char) {
        if c.is_ascii_alphanumeric() || !c.is_ascii() {
            self.out.push(c);
        } else {
            let _ = write!(self.out, r"\x{:02x}", c as u32);
        }
    }

    /// The character that an escape stands for; the backslash is taken.
    fn escape(&mut self) -> Result<char, String> {
        let Some(c) = self.chars.next() else {
            return Err("a backslash at the end escapes nothing".to_owned());
        };
        Ok(match c {
            'a' => '\x07',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'x' => return self.hex(),
            '0'..='7' if c == '0' || self.chars.peek().is_some_and(|n| ('0'..='7').contains(n)) => {
                let mut code = c as u32 - '0' as u32;
                for _ in 0..2 {
                    let Some(digit) = self.chars.peek().and_then(|d| d.to_digit(8)) else { break };
                    code = code * 8 + digit;
                    self.chars.next();
                }
                char::from_u32(code).unwrap_or('\0')
            }
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
            c => {
                return Err(format!(
                    "`\\{c}` is not part of POSIX syntax; classes are written [[:alnum:]], [0-9], …"
                ));
            }
        })
    }

    fn hex(&mut self) -> Result<char, String> {
        let bad = || r"a character's number is written \x2f or \x{2f}".to_owned();
        let mut code = 0_u32;
        if self.chars.next_if_eq(&'{').is_some() {
            let mut some = false;
            loop {
                let c = self.chars.next().ok_or_else(bad)?;
                if c == '}' && some {
                    break;
                }
                some = true;
                code = code * 16 + c.to_digit(16).ok_or_else(bad)?;
                if code > 0x0010_ffff {
                    return Err(bad());
                }
            }
        } else {
            for _ in 0..2 {
                let digit = self.chars.next().and_then(|c| c.to_digit(16)).ok_or_else(bad)?;
                code = code * 16 + digit;
            }
        }
        char::from_u32(code).ok_or_else(bad)
    }

    /// `{n}`, `{n,}`, `{n,m}`; any other brace is a brace. Says whether it was a repetition.
    fn braces(&mut self) -> Result<bool, String> {
        let ahead: String = self.chars.clone().take_while(|c| *c != '}').take(12).collect();
        let closed = self.chars.clone().nth(ahead.chars().count()) == Some('}');
        let (least, most) = ahead.split_once(',').unwrap_or((&ahead, ""));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if !closed || least.is_empty() || !digits(least) || !digits(most) {
            self.literal('{');
            return Ok(false);
        }
        let many = |text: &str| text.parse::<u32>().map_or(!text.is_empty(), |n| n > MOST_REPEATS);
        if many(least) || many(most) {
            return Err(format!("a repetition counts to {MOST_REPEATS} at most"));
        }
        let _ = write!(self.out, "{{{ahead}}}");
        self.chars.nth(ahead.chars().count());
        Ok(true)
    }

    /// A class in brackets; the opening one is taken.
    fn class(&mut self) -> Result<(), String> {
        let unclosed = || "a class in brackets is not closed".to_owned();
        self.out.push('[');
        if self.chars.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let c = self.chars.next().ok_or_else(unclosed)?;
            if c == ']' && !first {
                self.out.push(']');
                return Ok(());
            }
            if c == '-' && !first && self.chars.peek() != Some(&']') {
                return Err("a `-` in brackets stands first, last or inside a range".to_owned());
            }
            first = false;
            if c == '[' && self.chars.peek() == Some(&':') {
                let name: String = self.chars.clone().take_while(|c| *c != ']').collect();
                if name.ends_with(':') && name.len() > 2 {
                    let bare = name.trim_matches(':').trim_start_matches('^');
                    if !CLASSES.contains(&bare) {
                        return Err(format!("there is no class `[:{bare}:]`"));
                    }
                    let _ = write!(self.out, "[{name}]");
                    self.chars.nth(name.chars().count());
                    continue;
                }
            }
            let low = if c == '\\' { self.escape()? } else { c };
            let _ = write!(self.out, r"\x{{{:x}}}", low as u32);
            let mut ahead = self.chars.clone();
            if ahead.next() == Some('-') && ahead.next().is_some_and(|c| c != ']') {
                self.chars.next();
                let c = self.chars.next().ok_or_else(unclosed)?;
                let high = if c == '\\' { self.escape()? } else { c };
                if high < low {
                    return Err(format!("the range `{low}-{high}` runs backwards"));
                }
                let _ = write!(self.out, r"-\x{{{:x}}}", high as u32);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::Pattern;

    #[test]
    fn the_whole_value_is_matched() {
        for (pattern, value, answer) in [
            ("/etc/.*", "/etc/x", true),
            ("/etc/", "/etc/x", false),
            ("^/etc/.*$", "/etc/x", true),
            ("a|b", "ab", false),
            ("[[:digit:]]{2,3}", "123", true),
            ("[]a&&b]+", "]&ab", true),
            ("[a-c-]+", "a-c", true),
            (r"\.\x41\x{42}\060", ".AB0", true),
            ("a{,2}", "a{,2}", true),
            (".", "é", true),
            ("a.b", "a\nb", false),
            ("a[^x]b", "a\nb", true),
            ("a*?b", "aab", true),
            ("(a+?)(b{2}?)c", "c", true),
            ("(a+?)(b{2}?)c", "abbc", true),
            ("(a+?)(b{2}?)c", "abc", false),
            (r"\_[[:^alpha:]-]", "_-", true),
        ] {
            assert_eq!(
                Pattern::new(pattern.as_bytes()).unwrap().matches(value.as_bytes()),
                answer,
                "{pattern}"
            );
        }
        assert!(Pattern::new(b"a.*secret").unwrap().matches(b"a\xff secret"));
    }

    #[test]
    fn what_posix_syntax_lacks_is_rejected() {
        for pattern in [
            r"\w+",
            r"\d",
            r"\bx",
            r"\pL",
            r"\Ax",
            "(?i)x",
            "(?:x)",
            "[a",
            "(a",
            "a)",
            "[z-a]",
            "[[:foo:]]",
            "[[:alpha:]-z]",
            "[a-c-e]",
            "*a",
            "a{1001}",
            "a\\",
            "((a{1000}){1000}){1000}",
        ] {
            assert!(Pattern::new(pattern.as_bytes()).is_err(), "{pattern}");
        }
    }
}
