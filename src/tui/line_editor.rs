//! A line that is edited: the text, and where in it the next character goes.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The longest line, in characters.
const LONGEST: usize = 4096;

/// A line that is edited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineEditor {
    characters: Vec<char>,
    /// Before which character the next one goes.
    pub at: usize,
}

impl LineEditor {
    /// A line with the cursor at its end.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let characters: Vec<_> = text.chars().collect();
        Self { at: characters.len(), characters }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> String {
        self.characters.iter().collect()
    }

    /// The text before the cursor.
    #[must_use]
    pub fn before(&self) -> String {
        self.characters[..self.at].iter().collect()
    }

    /// Puts text in, as typed or pasted.
    pub fn insert(&mut self, text: &str) {
        for character in text.chars().filter(|character| !character.is_control()) {
            if self.characters.len() < LONGEST {
                self.characters.insert(self.at, character);
                self.at += 1;
            }
        }
    }

    /// Puts text in place of so many characters before the cursor.
    pub fn replace(&mut self, characters: usize, text: &str) {
        let start = self.at.saturating_sub(characters);
        self.characters.drain(start..self.at);
        self.at = start;
        self.insert(text);
    }

    /// Takes a key as a shell would.
    pub fn key(&mut self, key: &KeyEvent) {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('a') if control => self.at = 0,
            KeyCode::Char('e') if control => self.at = self.characters.len(),
            KeyCode::Char('u') if control => {
                self.characters.drain(..self.at);
                self.at = 0;
            }
            KeyCode::Char('k') if control => self.characters.truncate(self.at),
            KeyCode::Char('w') if control => {
                let end = self.characters[..self.at]
                    .iter()
                    .rposition(|character| *character != ' ')
                    .map_or(0, |at| at + 1);
                let start = self.characters[..end]
                    .iter()
                    .rposition(|character| *character == ' ')
                    .map_or(0, |at| at + 1);
                self.characters.drain(start..self.at);
                self.at = start;
            }
            KeyCode::Char(character) if !control => self.insert(character.encode_utf8(&mut [0; 4])),
            KeyCode::Backspace if self.at > 0 => {
                self.at -= 1;
                self.characters.remove(self.at);
            }
            KeyCode::Delete if self.at < self.characters.len() => {
                self.characters.remove(self.at);
            }
            KeyCode::Left => self.at = self.at.saturating_sub(1),
            KeyCode::Right => self.at = (self.at + 1).min(self.characters.len()),
            KeyCode::Home => self.at = 0,
            KeyCode::End => self.at = self.characters.len(),
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
            line.key(&KeyEvent::new(*code, *modifiers));
        }
        (line.text(), line.at)
    }

    #[test]
    fn edits_as_a_shell_does() {
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
    fn takes_no_control_character_from_a_paste() {
        let mut line = LineEditor::default();
        line.insert("a\u{1b}[31m\nb");
        assert_eq!(line.text(), "a[31mb");
    }
}
