//! Valid and invalid JSON as in a test suite for parsers: every path accepts the same.

use evtap::redact::Policy;
use serde_json::Value;

use super::{by_full_decoding, by_pipeline};
use crate::support::evtap;

/// Test cases named as in a test suite for JSON parsers: parsers must accept `y` and refuse `n`,
/// and may do either with `i`, where evtap agrees with `serde_json`.
const CASES: &[(&str, &str)] = &[
    ("y_array_empty", "[]"),
    ("y_array_of_all", r#"[null,true,1,"a",{},[]]"#),
    ("y_array_with_spaces", "[ 1 ,\t2 ]"),
    ("n_array_comma_after", "[1,]"),
    ("n_array_comma_before", "[,1]"),
    ("n_array_two_commas", "[1,,2]"),
    ("n_array_without_comma", "[1 2]"),
    ("n_array_colon", "[\"a\":1]"),
    ("n_array_unclosed", "[1"),
    ("n_array_closed_twice", "[1]]"),
    ("n_array_other_end", "[1}"),
    ("n_array_star", "[*]"),
    ("y_object_empty", "{}"),
    ("y_object_empty_key", r#"{"":1}"#),
    ("y_object_same_key", r#"{"a":1,"a":1}"#),
    ("y_object_escaped_key", r#"{"\u0061\u0000":1}"#),
    ("n_object_comma_after", r#"{"a":1,}"#),
    ("n_object_without_value", r#"{"a":}"#),
    ("n_object_without_colon", r#"{"a" 1}"#),
    ("n_object_two_colons", r#"{"a"::1}"#),
    ("n_object_key_unquoted", "{a:1}"),
    ("n_object_key_single_quotes", "{'a':1}"),
    ("n_object_key_number", "{1:1}"),
    ("n_object_comment", r#"{"a":1/**/}"#),
    ("n_object_unclosed", r#"{"a":1"#),
    ("y_number_zero", "0"),
    ("y_number_minus_zero", "-0"),
    ("y_number_fraction", "-12.50"),
    ("y_number_exponent", "1E+2"),
    ("y_number_exponent_of_zero", "0e1"),
    ("y_number_long", "123456789012345678901234567890"),
    ("n_number_leading_zero", "012"),
    ("n_number_minus_leading_zero", "-01"),
    ("n_number_plus", "+1"),
    ("n_number_minus_alone", "-"),
    ("n_number_two_minuses", "--1"),
    ("n_number_minus_space", "- 1"),
    ("n_number_point_first", ".5"),
    ("n_number_point_last", "5."),
    ("n_number_point_exponent", "5.e1"),
    ("n_number_exponent_alone", "5e"),
    ("n_number_exponent_sign", "5e+"),
    ("n_number_two_exponents", "5e1e1"),
    ("n_number_hexadecimal", "0x1F"),
    ("n_number_infinity", "Infinity"),
    ("n_number_not_a_number", "NaN"),
    ("n_number_letter_after", "1a"),
    ("n_number_wide_digit", "\u{ff11}"),
    ("i_number_exponent_beyond_doubles", "1e400"),
    ("i_number_tiny", "1e-400"),
    ("y_string_empty", "\"\""),
    ("y_string_escapes", r#""\"\\\/\b\f\n\r\t""#),
    ("y_string_unicode_escape", r#""\u00e9\uFFFF""#),
    ("y_string_pair", r#""\ud834\udd1e""#),
    ("y_string_utf8", "\"é€\u{1f600}\""),
    ("y_string_delete", "\"\u{7f}\""),
    ("y_string_line_separator", "\"\u{2028}\""),
    ("y_string_comment", r#""/* a */""#),
    ("n_string_unclosed", "\"a"),
    ("n_string_single_quotes", "'a'"),
    ("n_string_newline_escape_alone", "\"\\"),
    ("n_string_unknown_escape", r#""\a""#),
    ("n_string_hexadecimal_escape", r#""\x41""#),
    ("n_string_short_escape", r#""\u00e""#),
    ("n_string_no_digits", r#""\u00zz""#),
    ("n_string_tab", "\"\t\""),
    ("n_string_control", "\"\u{1f}\""),
    ("n_string_null", "\"\u{0}\""),
    ("n_string_after_string", "\"a\"\"b\""),
    ("i_string_first_half", r#""\ud834""#),
    ("i_string_second_half", r#""\udd1e""#),
    ("i_string_halves_swapped", r#""\udd1e\ud834""#),
    ("i_string_half_and_letter", r#""\ud834a""#),
    ("y_literal_true", "true"),
    ("y_literal_false", "false"),
    ("y_literal_null", "null"),
    ("n_literal_capital", "True"),
    ("n_literal_cut", "nul"),
    ("n_literal_long", "nulll"),
    ("n_literal_undefined", "undefined"),
    ("n_structure_nothing", ""),
    ("n_structure_two_values", "1 1"),
    ("n_structure_form_feed", "\u{c}1"),
    ("n_structure_no_break_space", "\u{a0}1"),
    ("n_structure_byte_order_mark", "\u{feff}1"),
];

/// Returns events of one shape, then each case as the value of two declared fields and of an
/// undeclared one.
fn cases() -> Vec<u8> {
    let plain = "{\"event_type\":\"call.ended\",\"call_sid\":\"CA1\",\"duration_seconds\":1}\n";
    let mut lines = plain.repeat(2);
    for (_, json) in CASES {
        lines += &plain.replace("\"CA1\"", json);
        lines += &plain.replace(":1}", &format!(":{json}}}"));
        lines += &plain.replace(",\"call_sid\"", &format!(",\"unknown\":{json},\"call_sid\""));
    }
    lines.into_bytes()
}

/// Returns whether each case was accepted, given the output for [`cases`].
fn verdicts(shown: &[String]) -> Vec<bool> {
    let accepted: Vec<_> = shown[2..].iter().map(|line| !line.contains("tap.malformed")).collect();
    let verdict = |(three, (name, _)): (&[bool], &(&str, &str))| {
        assert!(
            three.iter().all(|one| *one == three[0]),
            "{name} is taken in one field and not in another"
        );
        three[0]
    };
    assert_eq!(accepted.len(), 3 * CASES.len());
    accepted.chunks(3).zip(CASES).map(verdict).collect()
}

#[tokio::test]
async fn every_path_accepts_the_same_json() {
    let bytes = cases();
    let long = verdicts(&by_full_decoding(&bytes, &Policy::default()));
    for ((name, json), accepted) in CASES.iter().zip(&long) {
        let by_serde = serde_json::from_str::<Value>(json).is_ok();
        let expected = match name.as_bytes()[0] {
            b'y' => true,
            b'n' => false,
            _ => by_serde,
        };
        // A number outside the range of doubles is still a number.
        assert_eq!(*accepted, expected || *name == "i_number_exponent_beyond_doubles", "{name}");
    }
    assert_eq!(verdicts(&by_pipeline(&bytes, &Policy::default())), long);
    // The input is long enough for several threads.
    let input = bytes.repeat(1 + (600 << 10) / bytes.len());
    let one = evtap("replay - --threads 1").stdin(input.clone()).run().await.stdout();
    assert!(
        one == evtap("replay - --threads 2").stdin(input).run().await.stdout(),
        "threads differ"
    );
    let shown: Vec<_> = one.lines().take(2 + 3 * CASES.len()).map(str::to_owned).collect();
    assert_eq!(verdicts(&shown), long);
}
