//! Texts of which the longest that a value begins with is looked for.

/// The texts, with what was given for each.
#[derive(Debug)]
pub(super) struct Beginnings<T> {
    /// In order of bytes: the text, the next shorter one that it begins with, what was given.
    sorted: Vec<(Box<[u8]>, Option<u32>, T)>,
}

impl<T> Beginnings<T> {
    /// Of texts in order of bytes, each once. What a text gets is made from what the next shorter one got that it begins
    /// with, which was made before.
    pub(super) fn new<'t, S>(
        texts: impl Iterator<Item = (&'t [u8], S)>,
        make: impl Fn(Option<&T>, S) -> T,
    ) -> Self {
        let mut sorted: Vec<(Box<[u8]>, Option<u32>, T)> = Vec::new();
        for (text, given) in texts {
            let mut shorter = sorted.len().checked_sub(1).map(|last| last as u32);
            while let Some(at) = shorter {
                let (other, next, _) = &sorted[at as usize];
                if text.starts_with(other) {
                    break;
                }
                shorter = *next;
            }
            let made = make(shorter.map(|at| &sorted[at as usize].2), given);
            sorted.push((text.into(), shorter, made));
        }
        Self { sorted }
    }

    /// The same texts with something else for each.
    pub(super) fn map<U>(self, mut turn: impl FnMut(T) -> U) -> Beginnings<U> {
        let sorted = self.sorted.into_iter().map(|(text, shorter, given)| (text, shorter, turn(given)));
        Beginnings { sorted: sorted.collect() }
    }

    /// What was given for the longest text that the value begins with. It is the last text that is not behind the value in
    /// the order, or one that this begins with.
    pub(super) fn longest(&self, value: &[u8]) -> Option<&T> {
        let mut at = self.sorted.partition_point(|(text, ..)| **text <= *value).checked_sub(1)?;
        loop {
            let (text, shorter, given) = self.sorted.get(at)?;
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
        let texts: [&[u8]; 7] = [b"", b"/etc", b"/etc/", b"/etc/ssh", b"/etc/z", b"/usr", b"/usr/lib"];
        let beginnings = Beginnings::new(texts.into_iter().map(|text| (text, text)), |_, text| text);
        for value in ["", "x", "/etc", "/etc/passwd", "/etc/ssh/key", "/etc/zz", "/usr/li", "/usr/lib64", "0"]
        {
            let wanted = texts.iter().filter(|t| value.as_bytes().starts_with(t)).max_by_key(|t| t.len());
            assert_eq!(beginnings.longest(value.as_bytes()), wanted, "{value}");
        }
        let some = Beginnings::new([(&b"b"[..], 1)].into_iter(), |_, n| n);
        assert_eq!(some.longest(b"a"), None);
        assert_eq!(some.longest(b"c"), None);
    }
}
