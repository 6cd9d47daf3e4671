//! Texts of a given length: words, names, telephone numbers, addresses and links of nobody.

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};

use super::originals::Originals;
use crate::emulator::cast::{FAMILY, GIVEN, phone};
use crate::text::scrub;

/// Words that are about nothing.
const WORDS: &[&str] = &[
    "it", "so", "we", "is", "on", "and", "but", "for", "now", "one", "the", "was", "you", "yes",
    "also", "back", "blue", "four", "from", "have", "here", "just", "like", "more", "note", "only",
    "over", "part", "same", "side", "some", "that", "then", "this", "with", "about", "after",
    "again", "along", "below", "early", "eight", "first", "green", "later", "maybe", "never",
    "often", "other", "place", "plain", "quite", "right", "round", "seven", "small", "still",
    "three", "today", "under", "water", "where", "which", "white", "across", "always", "around",
    "before", "better", "during", "either", "little", "number", "orange", "people", "rather",
    "really", "second", "simple", "toward", "window", "yellow", "already", "another", "because",
    "between", "finally", "instead", "morning", "perhaps", "quietly", "usually", "without",
];
const CONSONANTS: &[u8] = b"bdfgklmnprstvz";
const VOWELS: &[u8] = b"aeiou";
/// The domain of invented addresses, which is reserved for examples (RFC 2606).
const MAIL: &str = "@example.com";
const SHORT_MAIL: &str = "@x.example";
const LINK: &str = "https://example.com/";
/// The length of a SID, and of the letters at its start that say what it is of, in bytes.
const SID_LENGTH: usize = 34;
const SID_PREFIX: usize = 2;
/// How often a text is drawn until one is acceptable.
const ATTEMPTS: usize = 24;

/// Draws texts that share no word with the originals.
pub(super) struct Fictions {
    pub rng: StdRng,
    originals: Originals,
    words: Vec<&'static str>,
    names: Vec<(&'static str, &'static str)>,
}

impl Fictions {
    pub fn new(seed: u64, originals: Originals) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let is_new = |word: &str| !originals.share_a_word_with(word);
        let words = WORDS.iter().copied().filter(|word| is_new(word)).collect();
        let pairs =
            GIVEN.iter().flat_map(|given| FAMILY.iter().map(move |family| (*given, *family)));
        let mut names: Vec<_> =
            pairs.filter(|(given, family)| is_new(given) && is_new(family)).collect();
        names.shuffle(&mut rng);
        Self { rng, originals, words, names }
    }

    /// Draws until a text is none of the originals and `is_good`, or for too long.
    fn draw(
        &mut self,
        mut draw: impl FnMut(&mut Self) -> String,
        is_good: impl Fn(&Self, &str) -> bool,
    ) -> String {
        let mut text = draw(self);
        for _ in 0..ATTEMPTS {
            if !self.originals.have(&text) && is_good(self, &text) {
                break;
            }
            text = draw(self);
        }
        text
    }

    /// Whether a text shares no word with the originals.
    fn is_new(&self, text: &str) -> bool {
        !self.originals.share_a_word_with(text)
    }

    /// Whether a text shares no word with the originals, and no detector finds an identifier in it.
    fn is_plain(&self, text: &str) -> bool {
        self.is_new(text) && !scrub::finds_identifier(text)
    }

    /// Draws prose of a length in bytes.
    pub fn prose(&mut self, length: usize) -> String {
        self.draw(|fictions| fictions.sentence(length), Self::is_plain)
    }

    fn sentence(&mut self, length: usize) -> String {
        let mut text = String::with_capacity(length);
        let has_stop = length >= 12;
        let end = if has_stop { length - 1 } else { length };
        while text.len() < end {
            if !text.is_empty() {
                text.push(' ');
            }
            let left = end - text.len();
            // A word leaves nothing, or room for a space and another word.
            let fits = |word: &&str| word.len() == left || word.len() + 2 <= left;
            let word = self.words.choose(&mut self.rng).copied().filter(fits);
            match word {
                Some(word) => text.push_str(word),
                None if left <= 8 => {
                    let word = self.word(left);
                    text.push_str(&word);
                }
                None => {
                    let word = self.word(5);
                    text.push_str(&word);
                }
            }
        }
        if has_stop {
            text.push('.');
            text[..1].make_ascii_uppercase();
        }
        text
    }

    /// Draws a word that does not exist, of a length in bytes.
    pub fn word(&mut self, length: usize) -> String {
        let offset = self.rng.random_range(0..2);
        let letter = |at: usize, rng: &mut StdRng| {
            let letters = if (at + offset).is_multiple_of(2) { CONSONANTS } else { VOWELS };
            char::from(letters[rng.random_range(0..letters.len())])
        };
        (0..length).map(|at| letter(at, &mut self.rng)).collect()
    }

    /// Draws a name in one word, as programs have them, of a length in bytes.
    pub fn identifier(&mut self, length: usize) -> String {
        self.draw(|fictions| fictions.word(length), Self::is_plain)
    }

    /// Draws the name of a person of a length in bytes.
    pub fn name(&mut self, length: usize) -> String {
        let fits = |(given, family): &(&str, &str)| given.len() + family.len() + 1 == length;
        if let Some(known) = self.names.iter().position(fits) {
            let (given, family) = self.names.swap_remove(known);
            return format!("{given} {family}");
        }
        let given = if length < 7 { length } else { length / 2 - 1 };
        let draw = |fictions: &mut Self| {
            let mut name = fictions.capitalised(given);
            if length > given {
                name.push(' ');
                name += &fictions.capitalised(length - given - 1);
            }
            name
        };
        self.draw(draw, Self::is_new)
    }

    fn capitalised(&mut self, length: usize) -> String {
        let mut word = self.word(length);
        if let Some(first) = word.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        word
    }

    /// Draws an address of a length in bytes: of an email, if it is long enough.
    pub fn address(&mut self, length: usize) -> String {
        let domain = if length > MAIL.len() { MAIL } else { SHORT_MAIL };
        let local = length.saturating_sub(domain.len());
        if local == 0 { self.identifier(length) } else { self.identifier(local) + domain }
    }

    /// Draws a link of a length in bytes, if it is long enough.
    pub fn link(&mut self, length: usize) -> String {
        let path = length.saturating_sub(LINK.len());
        if path == 0 { self.identifier(length) } else { LINK.to_owned() + &self.identifier(path) }
    }

    /// Draws a telephone number that is reserved for fiction, written like the original.
    pub fn telephone(&mut self, original: &str) -> String {
        let draw = |fictions: &mut Self| {
            let digits = phone(&mut fictions.rng);
            in_place_of_digits(original, digits.trim_start_matches('+'))
        };
        self.draw(draw, |_, _| true)
    }

    /// Draws a number that is written like the original, in digits and a point.
    pub fn number(&mut self, original: &str) -> String {
        let draw = |fictions: &mut Self| {
            let rng = &mut fictions.rng;
            let mut low = 1;
            let replace = |character: char| {
                let digit = char::from_digit(rng.random_range(low..10), 10);
                // JSON allows no zero before another digit.
                low = 0;
                digit.filter(|_| character.is_ascii_digit()).unwrap_or(character)
            };
            original.chars().map(replace).collect()
        };
        self.draw(draw, |_, _| true)
    }

    /// Draws an id like the original: other digits for digits, other letters for letters, which stay
    /// hexadecimal after the prefix. The prefix of a SID stays.
    pub fn id(&mut self, original: &str) -> String {
        let prefix = original.bytes().take_while(u8::is_ascii_alphabetic).count();
        let range = |text: &str| {
            let mut letters = text.bytes().filter(u8::is_ascii_alphabetic);
            if letters.all(|letter| letter.is_ascii_hexdigit()) { 6 } else { 26 }
        };
        let is_sid = original.len() == SID_LENGTH && prefix >= SID_PREFIX;
        let letters = [range(&original[..prefix]), range(&original[prefix..])];
        let draw = |fictions: &mut Self| {
            let rng = &mut fictions.rng;
            let replace = |(at, character)| {
                if at < SID_PREFIX && is_sid {
                    return character;
                }
                let letters = letters[usize::from(at >= prefix)];
                match character {
                    '0'..='9' => char::from(b'0' + rng.random_range(0..10)),
                    'a'..='z' => char::from(b'a' + rng.random_range(0..letters)),
                    'A'..='Z' => char::from(b'A' + rng.random_range(0..letters)),
                    other => other,
                }
            };
            original.char_indices().map(replace).collect()
        };
        self.draw(draw, Self::is_plain)
    }
}

/// Writes digits in place of those of a text, from the end, with zeros where there are too few.
fn in_place_of_digits(text: &str, digits: &str) -> String {
    let mut digits = digits.bytes().rev();
    let mut replaced: Vec<_> = text
        .chars()
        .rev()
        .map(|character| {
            if character.is_ascii_digit() {
                char::from(digits.next().unwrap_or(b'0'))
            } else {
                character
            }
        })
        .collect();
    replaced.reverse();
    replaced.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fictions(originals: &str) -> Fictions {
        let mut known = Originals::default();
        known.add_text(originals);
        Fictions::new(7, known)
    }

    #[test]
    fn texts_have_the_length_and_no_word_of_the_originals() {
        let all = [WORDS.join(" "), GIVEN.join(" "), FAMILY.join(" ")].join(" ");
        for originals in ["the morning about", &all] {
            let mut fictions = fictions(originals);
            for length in 0..200 {
                let texts = [
                    fictions.prose(length),
                    fictions.name(length),
                    fictions.address(length),
                    fictions.link(length),
                    fictions.identifier(length),
                ];
                for text in texts {
                    assert_eq!(text.len(), length, "{text}");
                    assert!(length < 8 || !fictions.originals.share_a_word_with(&text), "{text}");
                }
            }
        }
    }

    #[test]
    fn numbers_and_ids_keep_their_form() {
        let mut fictions = fictions("");
        assert_eq!(fictions.telephone("+13035550161").len(), 12);
        assert!(fictions.telephone("+13035550161")[5..].starts_with("55501"));
        let written = fictions.telephone("(303) 867-5309");
        assert!(written.starts_with('(') && written.contains(") 555-01"), "{written}");
        assert!(fictions.telephone("+44 20 7946 0958 1").starts_with("+00 "), "more digits");
        let id = fictions.id("call_4fe09");
        assert!(id.len() == 10 && id.as_bytes()[4] == b'_' && id != "call_4fe09", "{id}");
        let hex = fictions.id("3f2504e0-4f89-41d3-9a0c-0305e82c3301");
        assert!(crate::model::is_uuid(&hex), "{hex}");
        let number = fictions.number("10.50");
        assert!(number.len() == 5 && number.as_bytes()[2] == b'.' && number.parse::<f64>().is_ok());
        let short = fictions.id("id_3fa9c0d1");
        assert!(crate::model::is_opaque_id(&short), "{short}");
    }
}
