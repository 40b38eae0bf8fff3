//! Text from events is bytes that an attacker may have chosen. Two conversions, and no third:
//! [`to_utf8`] keeps everything that is valid UTF-8 and writes other bytes as `\xHH` (for JSON and for the store);
//! [`escape`] also neutralises what a terminal would act on (for screens and text lines).

use std::borrow::Cow;
use std::fmt::Write as _;

/// Valid UTF-8 as it is; every other byte as `\xHH`.
pub fn to_utf8(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(s) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(s);
    }
    let mut out = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        push_hex(&mut out, chunk.invalid());
    }
    Cow::Owned(out)
}

/// Like [`to_utf8`], and control characters, line separators and bidirectional or invisible format characters are
/// written as `\n`, `\r`, `\t`, `\xHH` or `\u{HHHH}`, so that no text can move a cursor, forge a line or reorder one.
pub fn escape(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(s) = std::str::from_utf8(bytes)
        && !s.chars().any(acts_on_terminal)
    {
        return Cow::Borrowed(s);
    }
    let mut out = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                c if !acts_on_terminal(c) => out.push(c),
                c if (c as u32) < 0x100 => push_hex(&mut out, &[c as u8]),
                c => {
                    let _ = write!(out, "\\u{{{:04x}}}", c as u32);
                }
            }
        }
        push_hex(&mut out, chunk.invalid());
    }
    Cow::Owned(out)
}

fn push_hex(out: &mut String, bytes: &[u8]) {
    for b in bytes {
        let _ = write!(out, "\\x{b:02x}");
    }
}

/// Characters that change how a terminal shows the text around them.
fn acts_on_terminal(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_bytes_lose_their_power_and_stay_readable() {
        assert_eq!(escape(b"plain /etc/passwd"), "plain /etc/passwd");
        assert_eq!(escape(b"a\x1b[2Jb\nc\x07"), "a\\x1b[2Jb\\nc\\x07");
        assert_eq!(escape(b"\xff\xfe caf\xc3\xa9"), "\\xff\\xfe café");
        assert_eq!(escape("x\u{202e}gpj.exe".as_bytes()), "x\\u{202e}gpj.exe");
        assert_eq!(escape("\u{9b}31m".as_bytes()), "\\x9b31m");
    }

    #[test]
    fn to_utf8_keeps_control_characters_and_marks_invalid_bytes() {
        assert_eq!(to_utf8(b"a\nb\xc3"), "a\nb\\xc3");
    }
}
