//! Text on its way to the screen: neutralised, measured, cut. Whatever came from an event, a file or another room goes
//! through [`clean`] before it is painted; [`fit`] and [`wrap`] cut by columns, not by bytes.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar as _;

/// Marks that stack on one cell are kept up to this many: more is an attack on the screen, not a language.
const MARKS_MAX: usize = 3;

/// Text that no terminal acts on.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    eyas_event::text::escape(text.as_bytes())
}

/// The same for bytes.
pub(super) fn clean_bytes(bytes: &[u8]) -> Cow<'_, str> {
    eyas_event::text::escape(bytes)
}

/// How many columns a text takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// The text in at most `columns` columns; what is cut off leaves an ellipsis.
pub(super) fn fit(text: &str, columns: usize) -> String {
    let mut out = String::with_capacity(text.len().min(columns * 4));
    let (mut used, mut marks) = (0, 0);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let w = c.width().unwrap_or(0);
        if w == 0 {
            marks += 1;
            if marks <= MARKS_MAX && used > 0 {
                out.push(c);
            }
            continue;
        }
        marks = 0;
        let last = chars.as_str().is_empty();
        if used + w > columns || (used + w == columns && !last && width(chars.as_str()) > 0) {
            while used + 1 > columns {
                let Some(popped) = out.pop() else { return out };
                used -= popped.width().unwrap_or(0);
            }
            out.push('…');
            return out;
        }
        out.push(c);
        used += w;
    }
    out
}

/// The text cut or padded to exactly `columns` columns.
pub(super) fn pad(text: &str, columns: usize) -> String {
    let mut out = fit(text, columns);
    let used = width(&out);
    out.extend(std::iter::repeat_n(' ', columns.saturating_sub(used)));
    out
}

/// The text in lines of at most `columns` columns, broken at blanks where that leaves at least half a line. At most
/// `lines_max` lines; the last then ends in an ellipsis.
pub(super) fn wrap(text: &str, columns: usize, lines_max: usize) -> Vec<String> {
    if columns == 0 || lines_max == 0 {
        return Vec::new();
    }
    let mut lines = Vec::new();
    let mut rest = text.trim_end();
    loop {
        if lines.len() + 1 == lines_max || width(rest) <= columns {
            lines.push(fit(rest, columns));
            return lines;
        }
        let (mut used, mut cut, mut blank) = (0, 0, None);
        for (at, c) in rest.char_indices() {
            let w = c.width().unwrap_or(0);
            if used + w > columns {
                break;
            }
            used += w;
            cut = at + c.len_utf8();
            if c == ' ' && used * 2 >= columns {
                blank = Some(cut);
            }
        }
        if rest[cut..].starts_with(' ') {
            blank = Some(cut);
        }
        let cut = blank.unwrap_or(cut);
        if cut == 0 {
            // A wide character does not fit into a single column.
            lines.push("…".to_owned());
            return lines;
        }
        lines.push(fit(rest[..cut].trim_end(), columns));
        rest = rest[cut..].trim_start();
    }
}

/// A number with its thousands set apart.
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A noun with its number: `1 alert`, `2 alerts`.
pub(super) fn plural(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{} {noun}s", count(n)) }
}

/// A number of bytes for people.
pub(super) fn bytes(n: u64) -> String {
    const MB: u64 = 1 << 20;
    match n {
        0..MB => format!("{} kB", n >> 10),
        n if n < 10 * MB => format!("{:.1} MB", n as f64 / MB as f64),
        n => format!("{} MB", n / MB),
    }
}

/// A span of seconds in its largest even unit: `30 s`, `5 min`, `2 h`, `7 d`.
pub(super) fn span(seconds: u64) -> String {
    match seconds {
        s if s >= 86_400 && s % 86_400 == 0 => format!("{} d", s / 86_400),
        s if s >= 3_600 && s % 3_600 == 0 => format!("{} h", s / 3_600),
        s if s >= 60 && s % 60 == 0 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutting_goes_by_columns_and_shows_itself() {
        assert_eq!(fit("short", 10), "short");
        assert_eq!(fit("exactly ten", 11), "exactly ten");
        assert_eq!(fit("a longer text", 8), "a longe…");
        assert_eq!(fit("日本語テキスト", 7), "日本語…");
        assert_eq!(width(&fit("日本語テキスト", 6)), 5, "a wide character is not cut in half");
        assert_eq!(fit("x", 0), "");
        assert_eq!(pad("日", 4), "日  ");
    }

    #[test]
    fn stacked_marks_stay_few() {
        let zalgo = format!("a{}", "\u{301}".repeat(500));
        assert_eq!(fit(&zalgo, 5).chars().count(), 1 + MARKS_MAX);
    }

    #[test]
    fn wrapping_loses_nothing_but_blanks() {
        assert_eq!(wrap("one two three four", 9, 10), ["one two", "three", "four"]);
        assert_eq!(wrap("abcdefghijkl", 5, 10), ["abcde", "fghij", "kl"]);
        assert_eq!(wrap("abcdefghijkl", 5, 2), ["abcde", "fghi…"]);
        assert_eq!(wrap("日", 1, 3), ["…"]);
        assert_eq!(wrap("", 5, 3), [""]);
    }

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!((count(0), count(999), count(1_203)), ("0".into(), "999".into(), "1,203".into()));
        assert_eq!(bytes(24_300_000), "23 MB");
        assert_eq!(
            (span(30), span(300), span(90), span(86_400)),
            ("30 s".into(), "5 min".into(), "90 s".into(), "1 d".into())
        );
        assert_eq!(plural(1, "alert") + " " + &plural(0, "rule"), "1 alert 0 rules");
    }
}
