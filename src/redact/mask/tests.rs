//! Which stand-in each mode gives, and what counts as one.

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
fn a_key_needs_32_bytes_and_debug_does_not_print_it() {
    assert!(
        PseudonymKey::new(&[1; 31]).is_none()
            && PseudonymKey::new(&[1; 32]).is_some()
            && PseudonymKey::new(&[1; 100]).is_some()
    );
    assert_eq!(format!("{:?}", Mode::Hash(key())), "Hash(Key(hidden))");
    assert_ne!(PseudonymKey::random().id, PseudonymKey::random().id);
}

/// The expected code comes from OpenSSL:
/// `printf 'phone\0+12025550123' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707…07`.
#[test]
fn a_pseudonym_is_the_hmac_of_domain_zero_byte_and_value() {
    let pseudonym = hash("caller_id", "\"+12025550123\"");
    let parts: Vec<_> = pseudonym.trim_matches('"').split(':').collect();
    assert_eq!(parts[..2], ["phi", "phone"]);
    assert_eq!((parts[2], parts[3]), (ID, NUMBER));
}

const ID: &str = "c8a806eb";
const NUMBER: &str = "49bb82d2bd5e0c8da36f6746a02fa6bb";

#[test]
fn a_number_has_one_pseudonym_in_every_spelling_and_field() {
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
fn addresses_ignore_case_but_names_and_texts_do_not() {
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
fn partial_shows_two_characters_of_values_of_six_or_more() {
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
fn rejects_texts_that_only_resemble_a_stand_in() {
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
fn the_schema_pattern_matches_every_stand_in() {
    let pattern = regex::Regex::new(&stand_in_pattern()).expect("a regular expression");
    for stand_in in [hash("caller_id", "\"+12025550123\""), partial("\"abcdef\""), partial("1")] {
        assert!(pattern.is_match(stand_in.trim_matches('"')), "{stand_in}");
    }
    assert!(!pattern.is_match("Jane") && !pattern.is_match("phi:phone:x:y"));
}
