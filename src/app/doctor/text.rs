//! The sheet for people: a heading a part, a line a finding, wrapped at 80 columns. Names and reasons come from files and from the
//! kernel, so they are escaped.

use std::io::{self, Write};

use eyas_event::text::escape;

use super::Part;

const COLUMNS: usize = 80;
/// What a name has before its text begins.
const NAME: usize = 26;

/// Prints all parts that have something to say.
pub(super) fn print(parts: &[Part], out: &mut impl Write) -> io::Result<()> {
    let spoken = parts.iter().filter(|part| !part.findings.is_empty());
    for (n, part) in spoken.enumerate() {
        if n > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{}", part.heading)?;
        for finding in &part.findings {
            let name = escape(finding.name.as_bytes());
            let says = escape(finding.says.as_bytes()).into_owned();
            let indent = 4 + NAME + 2;
            // A long name stands in a line of its own.
            if name.chars().count() > NAME {
                for line in wrapped(&name, COLUMNS - 4).iter().enumerate().map(|(at, line)| {
                    let word = if at == 0 { finding.state.word() } else { "" };
                    format!("{word:<2}  {line}")
                }) {
                    writeln!(out, "{line}")?;
                }
                for line in wrapped(&says, COLUMNS - indent) {
                    writeln!(out, "{:indent$}{line}", "")?;
                }
            } else {
                for (at, line) in wrapped(&says, COLUMNS - indent).iter().enumerate() {
                    let (word, name) = if at == 0 { (finding.state.word(), &*name) } else { ("", "") };
                    writeln!(out, "{word:<2}  {name:<NAME$}  {line}")?;
                }
            }
        }
    }
    Ok(())
}

/// Lines of at most so many columns; a word that is longer is cut.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let letters: Vec<char> = word.chars().collect();
        for (at, piece) in letters.chunks(width).enumerate() {
            let space = usize::from(at == 0 && used > 0);
            if used + space + piece.len() > width {
                lines.push(String::new());
                used = 0;
            } else if space == 1 {
                if let Some(line) = lines.last_mut() {
                    line.push(' ');
                }
                used += 1;
            }
            if let Some(line) = lines.last_mut() {
                line.extend(piece);
            }
            used += piece.len();
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use serde_json::Value;

    use super::super::{Finding, State};
    use super::*;

    #[test]
    fn lines_fit_and_nothing_of_the_text_is_lost() {
        let says = format!("one two \u{1b}[31m three {} end", "q".repeat(120));
        let findings = vec![
            Finding::new("short", State::Good, says.clone()),
            Finding::new("a name of a rule that is longer than the column for names", State::Note, "off"),
        ];
        let part = Part { heading: "Part", key: "part", findings, object: Value::Null };
        let mut out = Vec::new();
        print(&[part], &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
        assert!(
            !text.contains('\u{1b}') && text.contains("end") && text.contains("!!  a name of a rule"),
            "{text}"
        );
        assert_eq!(text.matches('q').count(), 120);
    }
}
