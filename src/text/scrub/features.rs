//! A first pass over the bytes of a text, which finds out which rules could match at all, so that
//! most clean text costs little.

use memchr::{memchr, memchr_iter};

use super::detector::Requirement;

/// What a text contains, as far as a [`Requirement`] asks for it.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each tells something else about the text")]
pub(super) struct TextFeatures {
    pub digits: usize,
    /// Which ASCII characters stand right before a digit, a bit each.
    characters: u128,
    /// Which sequences of three bytes there are, other than inside words. Only filled if there are
    /// digits.
    triples: Triples,
    /// Those of them that a digit follows in time.
    announcing: Triples,
    colon: bool,
    at: bool,
    query: bool,
    path: bool,
    spoken: bool,
}

impl TextFeatures {
    pub fn scan(text: &str) -> Self {
        let bytes = text.as_bytes();
        let digits = bytes.iter().map(|byte| usize::from(byte.is_ascii_digit())).sum();
        let (mut characters, mut triples, mut announcing) =
            (0, Triples::default(), Triples::default());
        if digits > 0 {
            (triples, announcing) = (Triples::with_room(), Triples::with_room());
            let mut next_digit = usize::MAX;
            for (at, byte) in bytes.iter().enumerate().rev() {
                let distance = next_digit - at;
                if byte.is_ascii_digit() {
                    next_digit = at;
                } else if byte.is_ascii() && distance <= MAX_SEPARATOR {
                    characters |= 1 << byte;
                }
                let is_inside_word = byte.is_ascii_alphabetic()
                    && at.checked_sub(1).is_some_and(|before| bytes[before].is_ascii_alphabetic());
                if let (Some(triple), false) = (bytes[at..].first_chunk(), is_inside_word) {
                    triples.insert(*triple);
                    if distance <= MAX_ANNOUNCEMENT {
                        announcing.insert(*triple);
                    }
                }
            }
        }
        let has = |byte| memchr(byte, bytes).is_some();
        let is_followed =
            |at: usize| bytes.get(at + 1).is_some_and(|next| !next.is_ascii_whitespace());
        let is_scheme = |at: usize| bytes[at..].starts_with(b"://");
        Self {
            digits,
            characters,
            triples,
            announcing,
            colon: digits > 0 && has(b':'),
            at: has(b'@'),
            query: memchr_iter(b'?', bytes).any(is_followed),
            path: has(b'/') && (has_host_name(bytes) || memchr_iter(b':', bytes).any(is_scheme)),
            spoken: has_spoken_address(text),
        }
    }

    pub fn meet(&self, requirement: Requirement) -> bool {
        match requirement {
            Requirement::Digits(digits) => self.digits >= digits,
            Requirement::With(digits, texts) => {
                self.digits >= digits
                    && texts.iter().any(|text| match text.as_bytes() {
                        [character] => self.characters & (1 << character) != 0,
                        triple => self.triples.may_contain(triple),
                    })
            }
            Requirement::After(digits, texts) => {
                self.digits >= digits
                    && texts.iter().any(|text| self.announcing.may_contain(text.as_bytes()))
            }
            Requirement::Colon => self.colon,
            Requirement::At => self.at,
            Requirement::Query => self.query,
            Requirement::Path => self.path,
            Requirement::Spoken => self.spoken || self.at,
        }
    }
}

/// How far a separator may be from the digits that it separates, in bytes.
const MAX_SEPARATOR: usize = 3;

/// How far the beginning of an announcement may be from the number that it announces, in bytes.
const MAX_ANNOUNCEMENT: usize = 120;

/// A set of sequences of three bytes, in which only letters are told apart from one another, and in
/// any case. A new one has no room.
#[derive(Debug, Default)]
struct Triples(Vec<u64>);

impl Triples {
    fn with_room() -> Self {
        Self(vec![0; 32 * 32 * 32 / 64])
    }

    fn bit(triple: [u8; 3]) -> usize {
        triple.into_iter().fold(0, |index, byte| index * 32 + usize::from(class(byte)))
    }

    fn insert(&mut self, triple: [u8; 3]) {
        let bit = Self::bit(triple);
        self.0[bit / 64] |= 1 << (bit % 64);
    }

    /// Whether three bytes may be in the set. `false` is certain.
    fn may_contain(&self, triple: &[u8]) -> bool {
        triple.first_chunk().is_some_and(|triple| {
            let bit = Self::bit(*triple);
            self.0.get(bit / 64).is_some_and(|bits| bits & (1 << (bit % 64)) != 0)
        })
    }
}

/// Returns the number of a letter, or of a class of other bytes, below 32.
const fn class(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' => byte & 0x1f,
        b' ' => 27,
        b'#' | b':' | b'=' | b'_' | b'"' | b'\'' => 28,
        b'.' => 29,
        b'-' | b'/' => 30,
        0x80.. => 31,
        _ => 0,
    }
}

/// Whether a byte is a digit or a mark of an address: every identifier contains at least one, or is
/// found by [`has_spoken_address`].
pub(super) const fn is_identifier_byte(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'@' | b'?' | b'/')
}

/// Whether a text may contain an address that is spoken or disguised: `at` in brackets, or `at` with
/// `dot`, with a host name or with a provider of email, or the words of another language for it.
pub(super) fn has_spoken_address(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (mut is_spoken, mut has_at, mut has_dot) = (false, false, false);
    for window in bytes.windows(4) {
        // With the bit of lower case, brackets become braces.
        match [0, 1, 2, 3].map(|at| window[at] | 0x20) {
            [_, b'{' | b'(' | b'<', b'a', b't' | b')' | b'}']
            // arroba, arobase, Klammeraffe
            | [b'r' | b'a', b'r', b'o', b'b']
            | [b'r', b'a', b'f', b'f'] => is_spoken = true,
            [_, b' ' | b'-', b'a', b't'] => has_at = true,
            // dot, Punkt, Gmail, Hotmail, Proton Mail, Yahoo
            [_, b'd', b'o', b't']
            | [b'u', b'n', b'k', b't']
            | [b'g' | b't' | b'n', b'm', b'a', b'i']
            | [b'a', b'h', b'o', b'o'] => has_dot = true,
            _ => {}
        }
    }
    is_spoken || (has_at && (has_dot || has_host_name(bytes)))
}

/// Whether a text contains a full stop between letters or digits.
fn has_host_name(bytes: &[u8]) -> bool {
    memchr_iter(b'.', bytes).any(|at| {
        at > 0
            && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'[')
            && bytes.get(at + 1).is_some_and(|next| next.is_ascii_alphanumeric() || *next == b']')
    })
}
