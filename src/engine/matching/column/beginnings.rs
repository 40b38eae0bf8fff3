//! Texts of which the longest that a value begins with is looked for.

use rustc_hash::FxHashMap;

/// The texts, with what was given for each.
#[derive(Debug)]
pub(super) struct Beginnings<T> {
    /// In order of bytes: the text, the next shorter one that it begins with, what was given.
    sorted: Vec<(Box<[u8]>, Option<u32>, T)>,
    /// By their first bytes: where the texts that are at least so long begin and end in the order.
    ranges: FxHashMap<[u8; FIRST], (u32, u32)>,
    /// The shorter texts, longest first.
    short: Vec<u32>,
}

/// So many bytes tell most paths apart: `/etc` and `/usr`.
const FIRST: usize = 4;

impl<T> Beginnings<T> {
    /// Of texts in order of bytes, each once. What a text gets is made from what the next shorter one got that it begins
    /// with, which was made before.
    pub(super) fn new<'t, S>(
        texts: impl Iterator<Item = (&'t [u8], S)>,
        make: impl Fn(Option<&T>, S) -> T,
    ) -> Self {
        let mut own = Self { sorted: Vec::new(), ranges: FxHashMap::default(), short: Vec::new() };
        for (text, given) in texts {
            let at = own.sorted.len() as u32;
            let mut shorter = at.checked_sub(1);
            while let Some(at) = shorter {
                let (other, next, _) = &own.sorted[at as usize];
                if text.starts_with(other) {
                    break;
                }
                shorter = *next;
            }
            let made = make(shorter.map(|at| &own.sorted[at as usize].2), given);
            own.sorted.push((text.into(), shorter, made));
            match text.first_chunk() {
                Some(first) => own.ranges.entry(*first).or_insert((at, at)).1 = at + 1,
                None => own.short.push(at),
            }
        }
        own.short.sort_by_key(|at| std::cmp::Reverse(own.sorted[*at as usize].0.len()));
        own
    }

    /// The same texts with something else for each.
    pub(super) fn map<U>(self, mut turn: impl FnMut(T) -> U) -> Beginnings<U> {
        let Self { sorted, ranges, short } = self;
        let sorted = sorted.into_iter().map(|(text, shorter, given)| (text, shorter, turn(given))).collect();
        Beginnings { sorted, ranges, short }
    }

    /// What was given for the longest text that the value begins with.
    pub(super) fn longest(&self, value: &[u8]) -> Option<&T> {
        let short = || {
            self.short.iter().map(|at| &self.sorted[*at as usize]).find(|(text, ..)| value.starts_with(text))
        };
        let range = value.first_chunk().and_then(|first| self.ranges.get(first));
        let Some((begin, end)) = range.map(|(begin, end)| (*begin as usize, *end as usize)) else {
            return short().map(|(.., given)| given);
        };
        // It is the last text that is not behind the value in the order, or one that this begins with.
        let behind = self.sorted[begin..end].partition_point(|(text, ..)| **text <= *value);
        let mut at = (begin + behind).checked_sub(1)?;
        loop {
            let (text, shorter, given) = &self.sorted[at];
            if value.starts_with(text) {
                return Some(given);
            }
            at = (*shorter)? as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_beginning_is_found() {
        let texts: [&[u8]; 9] =
            [b"", b"/e", b"/etc", b"/etc/", b"/etc/ssh", b"/etc/z", b"/usr", b"/usr/lib", b"0"];
        let beginnings = Beginnings::new(texts.into_iter().map(|text| (text, text)), |_, text| text);
        let values = [
            "",
            "x",
            "/etc",
            "/etc/passwd",
            "/etc/ssh/key",
            "/etc/zz",
            "/usr/li",
            "/usr/lib64",
            "0",
            "/ea",
            "/e",
            "/es/x",
            "/etcz",
            "/var/x",
            "/us",
            "zzzzzz",
        ];
        for value in values {
            let wanted = texts.iter().filter(|t| value.as_bytes().starts_with(t)).max_by_key(|t| t.len());
            assert_eq!(beginnings.longest(value.as_bytes()), wanted, "{value}");
        }
        let some = Beginnings::new([(&b"b"[..], 1)].into_iter(), |_, n| n);
        assert_eq!(some.longest(b"a"), None);
        assert_eq!(some.longest(b"c"), None);
    }
}
