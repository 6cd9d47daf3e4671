//! Stand-ins for hidden values: a mask, a pseudonym, the last two characters, or nothing.
//!
//! A pseudonym (`phi:phone:9b1d04c2:…`) names the domain of the value and the key, followed by
//! HMAC-SHA-256 (RFC 2104, FIPS 180-4) over the domain, a zero byte and the normalised value,
//! truncated to 128 bits. Whoever holds the key can find the person by trying values, so a
//! pseudonym is not de-identified data. Nor is what `partial` leaves.

use std::borrow::Cow;
use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::json::string::unquote;
use crate::model::Domain;
use crate::model::stand_in::{KEY_ID_LENGTH, PARTIAL, PSEUDONYM_LENGTH, is_plain};
pub(super) use crate::model::stand_in::{MASK_JSON, is_partial, is_stand_in};
use crate::text::{MASK, terminal};

/// What takes the place of a hidden value.
#[derive(Debug, Clone, Default)]
pub enum Mode {
    /// `"[redacted]"`, whatever the value.
    #[default]
    Mask,
    /// The last two characters: `"[redacted ..23]"`.
    Partial,
    /// A pseudonym made with a key.
    Hash(PseudonymKey),
    /// Nothing: the field is left out.
    Drop,
}

impl Mode {
    /// Returns a text that is equal for modes that replace a value by the same text.
    pub(super) fn fingerprint(&self) -> String {
        match self {
            Self::Mask => "mask".to_owned(),
            Self::Partial => "partial".to_owned(),
            Self::Hash(key) => format!("hash {}", key.id),
            Self::Drop => "drop".to_owned(),
        }
    }
}

/// The key for pseudonyms. Its `Debug` output does not contain the key.
#[derive(Clone)]
pub struct PseudonymKey {
    mac: Hmac<Sha256>,
    /// Identifies the key in its pseudonyms, in hexadecimal digits.
    id: String,
}

/// The minimum length of a key, in bytes.
pub const KEY_LENGTH: usize = 32;

impl PseudonymKey {
    /// Creates a key from at least [`KEY_LENGTH`] bytes; `None` if there are fewer.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < KEY_LENGTH {
            return None;
        }
        Hmac::new_from_slice(bytes).ok().map(Self::from_mac)
    }

    /// Creates a random key, which is lost when the process ends.
    #[must_use]
    pub fn random() -> Self {
        Self::from_mac(Hmac::new(&rand::random::<[u8; 64]>().into()))
    }

    fn from_mac(mac: Hmac<Sha256>) -> Self {
        // No domain has an empty name, so the id cannot be the code of a value.
        let id = hex(&authentication_code(&mac, b"", b"id")[..KEY_ID_LENGTH]);
        Self { mac, id }
    }

    fn pseudonym(&self, json: &str, field: Domain) -> String {
        let (domain, text) = normalize(json, field);
        let code = authentication_code(&self.mac, domain.name().as_bytes(), text.as_bytes());
        format!("phi:{}:{}:{}", domain.name(), self.id, hex(&code[..PSEUDONYM_LENGTH]))
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(hidden)")
    }
}

fn authentication_code(mac: &Hmac<Sha256>, domain: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = mac.clone();
    mac.update(domain);
    mac.update(&[0]);
    mac.update(text);
    mac.finalize().into_bytes().into()
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])).collect()
}

/// Returns the form that all spellings of a value share, and its domain.
///
/// The value decides between telephone number and address, so that a number has one pseudonym in
/// `caller_id` and `to_address`.
fn normalize(json: &str, field: Domain) -> (Domain, String) {
    let text = text(json);
    match field {
        Domain::Phone | Domain::Address => {
            if let Some(number) = e164(&text) {
                (Domain::Phone, number)
            } else if field == Domain::Address || text.contains('@') {
                (Domain::Address, text.trim().to_lowercase())
            } else {
                (Domain::Phone, text)
            }
        }
        Domain::Name | Domain::Text => (field, text),
    }
}

/// Returns the text of a string, or any other value as JSON without white space between tokens.
fn text(json: &str) -> String {
    unquote(json).map_or_else(|| compact(json), Cow::into_owned)
}

/// Returns a telephone number in the form of ITU-T E.164.
///
/// Ten digits without a country code are taken as a number of the North American Numbering Plan;
/// `00` and `011` are international call prefixes.
fn e164(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.split_once(':').map_or(text, |(scheme, rest)| match scheme {
        "tel" | "sms" | "whatsapp" => rest,
        _ => text,
    });
    let (plus, rest) = text.strip_prefix('+').map_or((false, text), |rest| (true, rest));
    let mut digits = String::new();
    for character in rest.chars() {
        match character {
            '0'..='9' => digits.push(character),
            ' ' | '(' | ')' | '-' | '.' | '/' | '\u{a0}' | '\u{2010}'..='\u{2013}' => {}
            _ => return None,
        }
    }
    let international = digits
        .strip_prefix("011")
        .or_else(|| digits.strip_prefix("00"))
        .filter(|rest| rest.len() >= 8);
    match (plus, digits.len()) {
        (true, 7..=15) => Some(format!("+{digits}")),
        (false, 10) if !digits.starts_with('0') => Some(format!("+1{digits}")),
        (false, 11) if digits.starts_with('1') => Some(format!("+{digits}")),
        (false, _) => international.filter(|rest| rest.len() <= 15).map(|rest| format!("+{rest}")),
        _ => None,
    }
}

/// The minimum length of a value of which `partial` shows two characters.
const PARTIAL_MIN_LENGTH: usize = 6;

/// Appends the stand-in for a value, as JSON.
pub(super) fn push(mode: &Mode, domain: impl FnOnce() -> Domain, json: &str, out: &mut String) {
    match mode {
        Mode::Mask | Mode::Drop => out.push_str(MASK_JSON),
        Mode::Partial => match last_two(json) {
            Some(last) => {
                out.push_str(PARTIAL.0);
                out.extend(last);
                out.push_str(PARTIAL.1);
            }
            None => out.push_str(MASK_JSON),
        },
        Mode::Hash(key) => {
            out.push('"');
            out.push_str(&key.pseudonym(json, domain()));
            out.push('"');
        }
    }
}

/// Returns the last two characters of a string or a number that is long enough.
fn last_two(json: &str) -> Option<[char; 2]> {
    if !json.starts_with(['"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) {
        return None;
    }
    let text = text(json);
    let mut characters = text.chars().rev();
    let last = [characters.next()?, characters.next()?];
    let is_long = characters.count() + 2 >= PARTIAL_MIN_LENGTH;
    (is_long && last.iter().all(|character| is_plain(*character))).then_some([last[1], last[0]])
}

/// Returns a regular expression, for the JSON Schema, that the text of every stand-in matches.
#[must_use]
pub fn stand_in_pattern() -> String {
    let domains: Vec<_> = Domain::ALL.iter().map(|domain| domain.name()).collect();
    let (id, code) = (2 * KEY_ID_LENGTH, 2 * PSEUDONYM_LENGTH);
    let mask = MASK.trim_matches(['[', ']']);
    format!(
        "^(\\[{mask}( \\.\\...)?\\]|phi:({}):[0-9a-f]{{{id}}}:[0-9a-f]{{{code}}})$",
        domains.join("|")
    )
}

/// Returns a JSON value without white space between its tokens, so that its spelling does not
/// change its pseudonym.
fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut is_string, mut is_escaped) = (false, false);
    let mut start = 0;
    for (at, byte) in json.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_string => is_escaped = true,
            b'"' => is_string = !is_string,
            b' ' | b'\t' | b'\n' | b'\r' if !is_string => {
                terminal::push_json(&json[start..at], &mut out);
                start = at + 1;
            }
            _ => {}
        }
    }
    terminal::push_json(&json[start..], &mut out);
    out
}

#[cfg(test)]
mod tests;
