//! Tests of the scanner, with `serde_json` as the reference for what is valid.

use proptest::prelude::*;

use super::*;

fn member_count(bytes: &[u8]) -> Result<usize, Defect> {
    let mut members = Vec::new();
    scan_object(bytes, &mut members).map(|_| members.len())
}

fn category(text: &str) -> Category {
    member_count(text.as_bytes()).expect_err("not an object").category
}

#[test]
fn finds_members_without_changing_them() {
    let text = r#" { "a" : [1, {"x":"}"}] ,"b\u0041":1.10,"a":null} "#;
    let mut members = Vec::new();
    scan_object(text.as_bytes(), &mut members).expect("an object");
    let found: Vec<_> = members
        .iter()
        .map(|m| (m.key.slice(text), m.value.slice(text), m.json, m.key_escaped, m.spaced))
        .collect();
    assert_eq!(
        found,
        [
            ("a", r#"[1, {"x":"}"}]"#, JsonType::Array, false, true),
            (r"b\u0041", "1.10", JsonType::Number, true, false),
            ("a", "null", JsonType::Null, false, false),
        ]
    );
}

#[test]
fn reports_why_bytes_are_not_an_object() {
    assert_eq!(category(""), Category::Empty);
    assert_eq!(category(" \n"), Category::Empty);
    assert_eq!(
        member_count(b"{\"a\":\"\xff\"}"),
        Err(Defect { category: Category::NotUtf8, offset: 6 })
    );
    for cut in [
        "{",
        "{\"a",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":tr",
        "{\"a\":1",
        "{\"a\":-",
        "{\"a\":\"\\u12",
        "{\"a\":\"\\ud834",
        "{\"a\":[1,",
    ] {
        assert_eq!(category(cut), Category::Truncated, "{cut}");
    }
    for bad in [
        "{a:1}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":1,}",
        "{\"a\":NaN}",
        "{\"a\":'x'}",
        "{} x",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\t\"}",
        "{,}",
    ] {
        assert_eq!(category(bad), Category::NotJson, "{bad}");
    }
    for lone in
        [r#"{"a":"\ud834"}"#, r#"{"a":"\udd1e"}"#, r#"{"a":"\ud834\u0041"}"#, r#"{"a":"\ud834x"}"#]
    {
        assert_eq!(category(lone), Category::LoneSurrogate, "{lone}");
    }
    for other in ["1", "null", "[]", "\"x\"", "true", "[{}]"] {
        assert_eq!(category(other), Category::NotAnObject, "{other}");
    }
}

#[test]
fn accepts_the_nesting_that_serde_json_accepts() {
    for depth in [1, 126, 127, 128, 200, 100_000] {
        let text = format!("{{\"a\":{}1{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        let ours = member_count(text.as_bytes());
        assert_eq!(
            ours.is_ok(),
            serde_json::from_str::<serde_json::Value>(&text).is_ok(),
            "{depth}"
        );
        assert!(ours.is_ok() || category(&text) == Category::TooDeep);
    }
}

#[test]
fn accepts_a_mebibyte_string_and_thousands_of_digits() {
    let text = format!("{{\"a\":\"{}\",\"n\":{}}}", "é".repeat(1 << 19), "9".repeat(4000));
    assert_eq!(member_count(text.as_bytes()), Ok(2));
}

#[test]
fn lists_the_entries_of_arrays_and_objects() {
    assert_eq!(entries(" [ ] ".trim()), []);
    assert_eq!(entries("[1 , \"a,b\",{}]"), [(None, "1"), (None, "\"a,b\""), (None, "{}")]);
    assert_eq!(
        entries(r#"{ "a" : [1], "b\n":null }"#),
        [(Some("a"), "[1]"), (Some(r"b\n"), "null")]
    );
}

/// Generates bytes that are almost JSON: tokens in any order.
fn near_json() -> impl Strategy<Value = Vec<u8>> {
    let token = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\"a\":",
        "\"b\"",
        "\\",
        "\\u",
        "\\ud834",
        "\\udd1e",
        "\\n",
        "0",
        "-",
        "1.5",
        "e9",
        "E+1",
        ".",
        "true",
        "false",
        "null",
        "nul",
        " ",
        "\n",
        "\t",
        "\u{1}",
        "é",
        "{}",
        "[]",
        "{\"a\":1}",
        "\"x\\\"y\"",
    ]);
    prop::collection::vec(token, 0..24)
        .prop_map(|tokens| format!("{{{}}}", tokens.concat()).into_bytes())
}

proptest! {
    #[test]
    fn agrees_with_serde_json(
        bytes in prop_oneof![near_json(), prop::collection::vec(any::<u8>(), 0..64)]
    ) {
        let ours = member_count(&bytes).is_ok();
        match serde_json::from_slice::<serde_json::Value>(&bytes) {
            Ok(value) => prop_assert_eq!(ours, value.is_object()),
            // Numbers out of range are the exception that the module documents.
            Err(error) => prop_assert!(!ours || error.to_string().contains("out of range")),
        }
    }

    #[test]
    fn agrees_on_mutated_objects(at in 0usize..60, byte in any::<u8>()) {
        let object = br#"{"s":"a\n\u00e9\ud834\udd1e","n":-1.5e+3,"l":[true,null,{"k":[]}],"o":{}}"#;
        let mut bytes = object.to_vec();
        bytes[at] = byte;
        let theirs = serde_json::from_slice::<serde_json::Value>(&bytes)
            .is_ok_and(|value| value.is_object());
        prop_assert_eq!(member_count(&bytes).is_ok(), theirs);
    }
}
