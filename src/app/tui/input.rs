//! [`Input`]: one line that a person types. The editing is tui-textarea's; painting is ours, because drawing must not
//! change anything and the filter bar underlines parts of the line.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_textarea::{CursorMove, TextArea};

/// Longer lines are cut: a paste may be anything, and each key press asks for the whole line to be compiled.
const BYTES_MAX: usize = 4_096;

/// One line of text with a cursor.
#[derive(Clone, Debug)]
pub(super) struct Input(TextArea<'static>);

impl Input {
    /// A line with the cursor at its end.
    pub(super) fn new(text: &str) -> Self {
        let mut area = TextArea::new(vec![one_line(text)]);
        area.move_cursor(CursorMove::End);
        Self(area)
    }

    /// What has been typed.
    pub(super) fn text(&self) -> &str {
        self.0.lines().first().map_or("", String::as_str)
    }

    /// The cursor's place, in bytes.
    pub(super) fn cursor(&self) -> usize {
        let tui_textarea::DataCursor(_, chars) = self.0.cursor();
        self.text().char_indices().nth(chars).map_or(self.text().len(), |(at, _)| at)
    }

    /// A key that is no command here. Returns whether the text changed.
    pub(super) fn key(&mut self, key: KeyEvent) -> bool {
        // Keys that would make a second line, or insert blanks instead of one tab.
        if matches!(key.code, KeyCode::Enter | KeyCode::Tab | KeyCode::BackTab)
            || (key.modifiers.contains(KeyModifiers::CONTROL)
                && matches!(key.code, KeyCode::Char('m' | 'j' | 'y')))
        {
            return false;
        }
        if matches!(key.code, KeyCode::Char(_)) && self.text().len() >= BYTES_MAX {
            return false;
        }
        let changed = match key.code {
            // What shells do; the editor's own meaning is undo.
            KeyCode::Char('u') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                self.0.delete_line_by_head()
            }
            _ => self.0.input(key),
        };
        if self.0.lines().len() > 1 {
            *self = Self::new(&self.0.lines().join(" "));
        }
        changed
    }

    /// Pasted text; line ends become blanks.
    pub(super) fn paste(&mut self, text: &str) {
        let room = BYTES_MAX.saturating_sub(self.text().len());
        let mut text = one_line(text);
        let mut end = room.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        self.0.insert_str(text);
    }

    /// Replaces the bytes from `start` to the cursor.
    pub(super) fn complete(&mut self, start: usize, with: &str) {
        let cursor = self.cursor();
        let text = format!("{}{with}{}", &self.text()[..start], &self.text()[cursor..]);
        let chars = text[..start + with.len()].chars().count();
        *self = Self::new(&text);
        self.0.move_cursor(CursorMove::Jump(0, u16::try_from(chars).unwrap_or(u16::MAX)));
    }
}

fn one_line(text: &str) -> String {
    text.trim_end_matches(['\r', '\n']).replace("\r\n", " ").replace(['\r', '\n', '\t'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(code: KeyCode) -> KeyEvent {
        KeyEvent::new(code, KeyModifiers::NONE)
    }

    #[test]
    fn it_stays_one_line() {
        let mut input = Input::new("proc.name");
        input.paste(" =\ncurl\n");
        assert!(!input.key(press(KeyCode::Enter)));
        assert_eq!(input.text(), "proc.name = curl");
        input.key(press(KeyCode::Backspace));
        assert_eq!((input.text(), input.cursor()), ("proc.name = cur", 15));
    }

    #[test]
    fn completion_replaces_the_word_before_the_cursor() {
        let mut input = Input::new("proc.na = curl");
        for _ in 0..7 {
            input.key(press(KeyCode::Left));
        }
        assert_eq!(input.cursor(), 7);
        input.complete(0, "proc.name");
        assert_eq!((input.text(), input.cursor()), ("proc.name = curl", 9));
    }

    #[test]
    fn a_huge_paste_is_cut_at_a_character() {
        let mut input = Input::new("");
        input.paste(&"é".repeat(5_000));
        assert_eq!(input.text().len(), BYTES_MAX);
    }
}
