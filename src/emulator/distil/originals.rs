//! The texts, words and numbers of a recorded call, none of which may appear in what is invented for
//! it.

use std::collections::HashSet;

use crate::json::scan::iter_entries;
use crate::json::string::{unescape, unquote};

/// The length of the shortest word that is remembered, in bytes. Shorter words say nothing.
const MIN_WORD: usize = 3;

/// The length of the shortest number that is remembered whole however it is written, in digits.
const MIN_DIGITS: usize = 7;

/// The texts of the originals, in lower case.
#[derive(Debug, Default)]
pub(super) struct Originals {
    /// Their words.
    words: HashSet<String>,
    /// Those without a word that is long enough.
    short: HashSet<String>,
    /// The digits in each.
    digits: HashSet<String>,
}

impl Originals {
    /// Remembers a text.
    pub fn add_text(&mut self, text: &str) {
        let known = self.words.len();
        self.words.extend(words(text));
        if self.words.len() == known {
            self.short.insert(text.to_lowercase());
        }
        self.digits.extend(digits(text));
    }

    /// Remembers the words in JSON, those of its keys included.
    pub fn add_json(&mut self, json: &str) {
        if json.starts_with(['{', '[']) {
            for (key, json) in iter_entries(json) {
                if let Some(key) = key {
                    self.add_text(&unescape(key));
                }
                self.add_json(json);
            }
        } else {
            self.add_text(&unquote(json).unwrap_or(json.into()));
        }
    }

    /// Returns whether a text is one of the originals, or has the digits of one.
    pub fn have(&self, text: &str) -> bool {
        let words = words(text);
        let is_known = || self.short.contains(&text.to_lowercase());
        (text.len() < MIN_WORD || words.count() == 0) && is_known()
            || digits(text).is_some_and(|digits| self.digits.contains(&digits))
    }

    /// Returns whether a text has a word of the originals.
    pub fn share_a_word_with(&self, text: &str) -> bool {
        words(text).any(|word| self.words.contains(&word))
    }
}

/// Returns the digits of a text that may be a telephone or record number.
fn digits(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (digits.len() >= MIN_DIGITS).then_some(digits)
}

/// Iterates over the words of a text that are long enough to be remembered.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| word.len() >= MIN_WORD)
        .map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_texts_keys_and_numbers_whatever_their_case() {
        let mut originals = Originals::default();
        originals.add_json(r#"{"Jane":["Roe, born \u0031980",{"mood":"ok"}],"n":4081516.5}"#);
        for text in ["jane", "a ROE b", "x-1980", "MOOD", "4081516"] {
            assert!(originals.share_a_word_with(text), "{text}");
        }
        for text in ["", "ok", "janet", "198", "n"] {
            assert!(!originals.share_a_word_with(text), "{text}");
        }
    }
}
