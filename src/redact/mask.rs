//! What takes the place of one hidden value: a mask, a pseudonym, its last two characters, or nothing.
//!
//! A pseudonym (`phi:phone:9b1d04c2:…`) is HMAC-SHA-256 over the kind of value, a zero byte and the value in its normal form,
//! cut to 128 bits. Who holds the key can find out whose it is, so it is not de-identified data: nor is what `partial` leaves.

use std::borrow::Cow;
use std::fmt;
use std::fmt::Write;

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
    /// A pseudonym by that key.
    Hash(PseudonymKey),
    /// Nothing: the field is left out.
    Drop,
}

/// The key of pseudonyms. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct PseudonymKey {
    mac: Hmac<Sha256>,
    /// What tells pseudonyms of one key from those of another, in hexadecimal digits.
    id: String,
}

/// The fewest bytes of a key.
pub const KEY_LENGTH: usize = 32;

impl PseudonymKey {
    /// A key of at least [`KEY_LENGTH`] bytes; `None` if there are fewer.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < KEY_LENGTH {
            return None;
        }
        Hmac::new_from_slice(bytes).ok().map(Self::of)
    }

    /// A key that nobody knows and that is gone with the process.
    #[must_use]
    pub fn random() -> Self {
        Self::of(Hmac::new(&rand::random::<[u8; 64]>().into()))
    }

    fn of(mac: Hmac<Sha256>) -> Self {
        // No kind of value has an empty name, so this is no pseudonym.
        let id = hex(&code(&mac, b"", b"id")[..KEY_ID_LENGTH]);
        Self { mac, id }
    }

    fn pseudonym(&self, json: &str, field: Domain) -> String {
        let (domain, text) = normal(json, field);
        let code = code(&self.mac, domain.name().as_bytes(), text.as_bytes());
        format!("phi:{}:{}:{}", domain.name(), self.id, hex(&code[..PSEUDONYM_LENGTH]))
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(hidden)")
    }
}

fn code(mac: &Hmac<Sha256>, domain: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = mac.clone();
    mac.update(domain);
    mac.update(&[0]);
    mac.update(text);
    mac.finalize().into_bytes().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A value in the form that all its spellings share, and its kind: an address that is a number is a number.
fn normal(json: &str, field: Domain) -> (Domain, String) {
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

/// The text of a string; anything else as JSON, without white space.
fn text(json: &str) -> String {
    unquote(json).map_or_else(|| compact(json), Cow::into_owned)
}

/// A telephone number by E.164. Without a country, ten digits are taken for a number of North America.
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
    let abroad = digits
        .strip_prefix("011")
        .or_else(|| digits.strip_prefix("00"))
        .filter(|rest| rest.len() >= 8);
    match (plus, digits.len()) {
        (true, 7..=15) => Some(format!("+{digits}")),
        (false, 10) if !digits.starts_with('0') => Some(format!("+1{digits}")),
        (false, 11) if digits.starts_with('1') => Some(format!("+{digits}")),
        (false, _) => abroad.filter(|rest| rest.len() <= 15).map(|rest| format!("+{rest}")),
        _ => None,
    }
}

/// The fewest characters of a value of which two are shown.
const PARTIAL_LENGTH: usize = 6;

/// Appends what takes the place of a value, as JSON.
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

/// The last two characters of a string or a number that is long enough for that.
fn last_two(json: &str) -> Option<[char; 2]> {
    if !json.starts_with(['"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) {
        return None;
    }
    let text = text(json);
    let mut characters = text.chars().rev();
    let last = [characters.next()?, characters.next()?];
    let is_long = characters.count() + 2 >= PARTIAL_LENGTH;
    (is_long && last.iter().all(|character| is_plain(*character))).then_some([last[1], last[0]])
}

/// A regular expression that every stand-in for a value matches, for the JSON Schema.
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

/// Returns a JSON value without white space between its tokens, so that its spelling does not change its pseudonym.
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
mod tests {
    use super::*;

    fn key() -> PseudonymKey {
        PseudonymKey::new(&[7; 32]).expect("long enough")
    }

    fn hash(field: &str, json: &str) -> String {
        let mut out = String::new();
        push(&Mode::Hash(key()), || Domain::for_field(field), json, &mut out);
        assert!(is_stand_in(&out) && !is_partial(&out), "{out}");
        out
    }

    fn partial(json: &str) -> String {
        let mut out = String::new();
        push(&Mode::Partial, || Domain::Text, json, &mut out);
        assert!(is_stand_in(&out), "{out}");
        out
    }

    #[test]
    fn a_key_has_32_bytes_and_is_not_shown() {
        assert!(
            PseudonymKey::new(&[1; 31]).is_none()
                && PseudonymKey::new(&[1; 32]).is_some()
                && PseudonymKey::new(&[1; 100]).is_some()
        );
        assert_eq!(format!("{:?}", Mode::Hash(key())), "Hash(Key(hidden))");
        assert_ne!(PseudonymKey::random().id, PseudonymKey::random().id);
    }

    /// By hand: `printf 'phone\0+12025550123' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707…07`.
    #[test]
    fn a_pseudonym_is_the_hmac_of_kind_zero_and_value() {
        let pseudonym = hash("caller_id", "\"+12025550123\"");
        let parts: Vec<_> = pseudonym.trim_matches('"').split(':').collect();
        assert_eq!(parts[..2], ["phi", "phone"]);
        assert_eq!((parts[2], parts[3]), (ID, NUMBER));
    }

    const ID: &str = "c8a806eb";
    const NUMBER: &str = "49bb82d2bd5e0c8da36f6746a02fa6bb";

    #[test]
    fn one_number_has_one_pseudonym_however_and_wherever_it_is_written() {
        let number = hash("caller_id", "\"+12025550123\"");
        for spelling in [
            "\"+1 (202) 555-0123\"",
            "\"(202) 555-0123\"",
            "\"202.555.0123\"",
            "\"1-202-555-0123\"",
            "\"00 1 202 555 0123\"",
            "\"011 1 202 555 0123\"",
            "\"tel:+12025550123\"",
            "\" +1\\u0032025550123 \"",
            "12025550123",
            "2025550123",
        ] {
            for field in [
                "phone_number",
                "target_number",
                "recipient_phone_number",
                "channel_address",
                "to_address",
            ] {
                assert_eq!(hash(field, spelling), number, "{field} {spelling}");
            }
        }
        for other in [
            "\"+12025550124\"",
            "\"+442025550123\"",
            "\"555-0123\"",
            "\"anonymous\"",
            "\"+1 202 555 0123 x5\"",
            "true",
        ] {
            assert_ne!(hash("caller_id", other), number, "{other}");
        }
        assert_ne!(hash("transcript", "\"+12025550123\""), number, "text is another domain");
    }

    #[test]
    fn addresses_are_alike_in_any_case_and_names_and_texts_are_taken_as_they_are() {
        let address = hash("to_address", "\"Jane.Roe@Example.com\"");
        assert!(address.starts_with("\"phi:address:"));
        assert_eq!(hash("from_address", "\" jane.roe@example.COM\""), address);
        assert_eq!(
            hash("caller_id", "\"jane.roe@example.com\""),
            address,
            "not every caller has a number"
        );
        assert_ne!(hash("name", "\"Jane\""), hash("name", "\"jane\""));
        assert_ne!(hash("name", "\"Jane\""), hash("transcript", "\"Jane\""));
        assert_eq!(hash("display_name", "\"Jane\""), hash("participant_name", "\"\\u004aane\""));
        assert_eq!(hash("input", "{ \"a\" : [1] }"), hash("input", "{\"a\":[1]}"));
        assert_ne!(hash("input", "{\"a\":1}"), hash("input", "{\"a\":2}"));
    }

    #[test]
    fn partial_leaves_two_characters_of_what_has_six() {
        assert_eq!(partial("\"+12025550123\""), "\"[redacted ..23]\"");
        assert_eq!(partial("4081516234"), "\"[redacted ..34]\"");
        assert_eq!(partial("\"abcdé漢\""), "\"[redacted ..é漢]\"");
        for short in [
            "\"abcde\"",
            "\"\"",
            "12345",
            "true",
            "false",
            "[1,2,3,4]",
            "{\"a\":123456}",
            "\"abcde\\\"\"",
            "\"abcd\\u202ef\"",
        ] {
            assert_eq!(partial(short), MASK_JSON, "{short}");
        }
    }

    #[test]
    fn nothing_else_passes_for_a_stand_in() {
        let code = "0".repeat(32);
        assert!(is_stand_in(&format!("\"phi:phone:00000000:{code}\"")) && is_stand_in(MASK_JSON));
        for other in [
            "\"[redacted ]\"",
            "\"[redacted ..1]\"",
            "\"[redacted ..123]\"",
            "\"[redacted ..\\n]\"",
            "\"[redacted ..\u{202e}1]\"",
            "\"phi:phone:00000000:\"",
            &format!("\"phi:phone:0000000:{code}\""),
            &format!("\"phi:phone:00000000:{code}0\""),
            &format!("\"phi:phone:0000000G:{code}\""),
            &format!("\"phi:Jane:00000000:{code}\""),
            &format!("\"phi:phone:00000000:{code}:x\""),
            &format!("\"\"phi:phone:00000000:{code}\"\""),
            &format!("phi:phone:00000000:{code}"),
            "null",
        ] {
            assert!(!is_stand_in(other), "{other}");
        }
    }

    #[test]
    fn the_pattern_of_the_schema_says_the_same() {
        let pattern = regex::Regex::new(&stand_in_pattern()).expect("a regular expression");
        for stand_in in [hash("caller_id", "\"+12025550123\""), partial("\"abcdef\""), partial("1")]
        {
            assert!(pattern.is_match(stand_in.trim_matches('"')), "{stand_in}");
        }
        assert!(!pattern.is_match("Jane") && !pattern.is_match("phi:phone:x:y"));
    }
}
