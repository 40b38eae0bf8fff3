//! Lines for people. What is said to them holds names of files and rules, which anybody may have chosen: nothing in a line
//! acts on a terminal but its end.

use std::io::{self, Write};

use eyas_event::text;

/// Writes text on, and what would act on a terminal escaped. A character comes whole or not at all, as formatting writes it.
pub(crate) struct Lines<W>(pub(crate) W);

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (line, end) = match line {
                [line @ .., b'\n'] => (line, &b"\n"[..]),
                line => (line, &b""[..]),
            };
            self.0.write_all(text::escape(line).as_bytes())?;
            self.0.write_all(end)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn nothing_acts_but_the_end_of_a_line() {
        let mut out = Lines(Vec::new());
        let [rule, file] = ["a\x1b[2Jb\rc", "\u{202e}café"];
        writeln!(out, "rule {rule}\n  of {file}").unwrap();
        assert_eq!(String::from_utf8(out.0).unwrap(), "rule a\\x1b[2Jb\\rc\n  of \\u{202e}café\n");
    }
}
