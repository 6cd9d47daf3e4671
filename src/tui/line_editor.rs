//! A single-line text editor with the usual keys of a shell.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The maximum length of the line, in characters.
pub const MAX_CHARACTERS: usize = 4096;

/// An editable line and its cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineEditor {
    characters: Vec<char>,
    /// The index of the character that the next one is inserted before.
    pub cursor: usize,
}

impl LineEditor {
    /// Creates a line with the cursor at its end. Text beyond the maximum length is cut.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let characters: Vec<_> = text.chars().take(MAX_CHARACTERS).collect();
        Self { cursor: characters.len(), characters }
    }

    /// Returns the text.
    #[must_use]
    pub fn text(&self) -> String {
        self.characters.iter().collect()
    }

    /// Returns the text before the cursor.
    #[must_use]
    pub fn before(&self) -> String {
        self.characters[..self.cursor].iter().collect()
    }

    /// Inserts typed or pasted text at the cursor, without control characters.
    pub fn insert(&mut self, text: &str) {
        for character in text.chars().filter(|character| !character.is_control()) {
            if self.characters.len() < MAX_CHARACTERS {
                self.characters.insert(self.cursor, character);
                self.cursor += 1;
            }
        }
    }

    /// Replaces that many characters before the cursor with text.
    pub fn replace(&mut self, characters: usize, text: &str) {
        let start = self.cursor.saturating_sub(characters);
        self.characters.drain(start..self.cursor);
        self.cursor = start;
        self.insert(text);
    }

    /// Handles a key press as a shell does.
    pub fn handle_key(&mut self, key: &KeyEvent) {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('a') if control => self.cursor = 0,
            KeyCode::Char('e') if control => self.cursor = self.characters.len(),
            KeyCode::Char('u') if control => {
                self.characters.drain(..self.cursor);
                self.cursor = 0;
            }
            KeyCode::Char('k') if control => self.characters.truncate(self.cursor),
            KeyCode::Char('w') if control => {
                let end = self.characters[..self.cursor]
                    .iter()
                    .rposition(|character| *character != ' ')
                    .map_or(0, |at| at + 1);
                let start = self.characters[..end]
                    .iter()
                    .rposition(|character| *character == ' ')
                    .map_or(0, |at| at + 1);
                self.characters.drain(start..self.cursor);
                self.cursor = start;
            }
            KeyCode::Char(character) if !control => self.insert(character.encode_utf8(&mut [0; 4])),
            KeyCode::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.characters.remove(self.cursor);
            }
            KeyCode::Delete if self.cursor < self.characters.len() => {
                self.characters.remove(self.cursor);
            }
            KeyCode::Left => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::Right => self.cursor = (self.cursor + 1).min(self.characters.len()),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.characters.len(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str, keys: &[(KeyCode, KeyModifiers)]) -> (String, usize) {
        let mut line = LineEditor::new(text);
        for (code, modifiers) in keys {
            line.handle_key(&KeyEvent::new(*code, *modifiers));
        }
        (line.text(), line.cursor)
    }

    #[test]
    fn handles_the_editing_keys_of_a_shell() {
        let control = |character| (KeyCode::Char(character), KeyModifiers::CONTROL);
        let plain = |code| (code, KeyModifiers::NONE);
        assert_eq!(
            after("ab é", &[plain(KeyCode::Backspace), plain(KeyCode::Char('漢'))]),
            ("ab 漢".into(), 4)
        );
        assert_eq!(after("one two  ", &[control('w')]), ("one ".into(), 4));
        assert_eq!(after("one two", &[plain(KeyCode::Left), control('u')]), ("o".into(), 0));
        assert_eq!(
            after("one", &[control('a'), plain(KeyCode::Right), control('k')]),
            ("o".into(), 1)
        );
        assert_eq!(after("one", &[plain(KeyCode::Home), plain(KeyCode::Delete)]), ("ne".into(), 0));
    }

    #[test]
    fn drops_control_characters_from_pasted_text() {
        let mut line = LineEditor::default();
        line.insert("a\u{1b}[31m\nb");
        assert_eq!(line.text(), "a[31mb");
    }
}
