//! Valid or not, as `serde_json` says, and where things stand.

use proptest::prelude::*;

use super::*;

fn verdict(bytes: &[u8]) -> Result<usize, Defect> {
    let mut members = Vec::new();
    object(bytes, &mut members).map(|_| members.len())
}

fn category(text: &str) -> Category {
    verdict(text.as_bytes()).expect_err("not an object").category
}

#[test]
fn finds_members_as_they_stand() {
    let text = r#" { "a" : [1, {"x":"}"}] ,"b\u0041":1.10,"a":null} "#;
    let mut members = Vec::new();
    object(text.as_bytes(), &mut members).expect("an object");
    let seen: Vec<_> = members
        .iter()
        .map(|m| (m.key.slice(text), m.value.slice(text), m.json, m.key_escaped, m.spaced))
        .collect();
    assert_eq!(
        seen,
        [
            ("a", r#"[1, {"x":"}"}]"#, JsonType::Array, false, true),
            (r"b\u0041", "1.10", JsonType::Number, true, false),
            ("a", "null", JsonType::Null, false, false),
        ]
    );
}

#[test]
fn says_why_it_is_none() {
    assert_eq!(category(""), Category::Empty);
    assert_eq!(category(" \n"), Category::Empty);
    assert_eq!(
        verdict(b"{\"a\":\"\xff\"}"),
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
fn nests_as_deep_as_serde_json() {
    for depth in [1, 126, 127, 128, 200, 100_000] {
        let text = format!("{{\"a\":{}1{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        let ours = verdict(text.as_bytes());
        assert_eq!(
            ours.is_ok(),
            serde_json::from_str::<serde_json::Value>(&text).is_ok(),
            "{depth}"
        );
        assert!(ours.is_ok() || category(&text) == Category::TooDeep);
    }
}

#[test]
fn takes_a_mebibyte_string_and_endless_digits() {
    let text = format!("{{\"a\":\"{}\",\"n\":{}}}", "é".repeat(1 << 19), "9".repeat(4000));
    assert_eq!(verdict(text.as_bytes()), Ok(2));
}

#[test]
fn lists_what_stands_inside() {
    assert_eq!(entries(" [ ] ".trim()), []);
    assert_eq!(entries("[1 , \"a,b\",{}]"), [(None, "1"), (None, "\"a,b\""), (None, "{}")]);
    assert_eq!(
        entries(r#"{ "a" : [1], "b\n":null }"#),
        [(Some("a"), "[1]"), (Some(r"b\n"), "null")]
    );
}

/// Bytes near JSON: what a parser trips over, glued together.
fn near_json() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
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
    prop::collection::vec(piece, 0..24)
        .prop_map(|pieces| format!("{{{}}}", pieces.concat()).into_bytes())
}

proptest! {
    #[test]
    fn agrees_with_serde_json(bytes in prop_oneof![near_json(), prop::collection::vec(any::<u8>(), 0..64)]) {
        let theirs = serde_json::from_slice::<serde_json::Value>(&bytes);
        let ours = verdict(&bytes);
        let out_of_range = theirs.as_ref().is_err_and(|error| error.to_string().contains("out of range"));
        prop_assert_eq!(ours.is_ok(), theirs.is_ok_and(|value| value.is_object()) || (out_of_range && ours.is_ok()));
    }

    #[test]
    fn agrees_on_mutated_objects(at in 0usize..60, byte in any::<u8>()) {
        let mut bytes = br#"{"s":"a\n\u00e9\ud834\udd1e","n":-1.5e+3,"l":[true,null,{"k":[]}],"o":{}}"#.to_vec();
        bytes[at] = byte;
        let theirs = serde_json::from_slice::<serde_json::Value>(&bytes).is_ok_and(|value| value.is_object());
        prop_assert_eq!(verdict(&bytes).is_ok(), theirs);
    }
}
