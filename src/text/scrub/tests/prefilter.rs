//! The first pass leaves out only rules that find nothing: with it, the result is the same as with
//! every rule on every text.

use proptest::prelude::*;

use super::SHORTEST;
use crate::text::scrub::features::{RuleSet, candidates};
use crate::text::scrub::fold::FoldedText;
use crate::text::scrub::{hits, may_contain_identifier, rules, scrub, scrub_with};

/// Asserts that every rule that is left out for a text finds nothing in it, and that the result is
/// that of all rules.
#[track_caller]
fn assert_nothing_is_missed(text: &str) {
    let folded = FoldedText::new(text).text;
    let candidates = candidates(&folded);
    for (index, rule) in rules::all().enumerate() {
        if candidates & (1 << index) == 0 {
            let found = hits(&folded, 1 << index);
            assert!(found.is_empty(), "{text:?}: {}", rule.pattern);
        }
    }
    let scrubbed = scrub(text);
    assert_eq!(scrubbed, scrub_with(text, |_| RuleSet::MAX), "{text:?}");
    assert!(scrubbed.is_none() || may_contain_identifier(text), "{text:?}");
}

/// The texts of the labelled set of hard examples: identifiers and what only looks like them.
pub(super) fn hard_examples() -> Vec<String> {
    include_str!("../../../../tests/data/scrub_hard.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .map(|example| example["text"].as_str().expect("a text").to_owned())
        .collect()
}

#[test]
fn no_rule_is_left_out_that_finds_something_in_the_examples() {
    for text in hard_examples().iter().map(String::as_str).chain(SHORTEST.iter().copied()) {
        assert_nothing_is_missed(text);
        assert_nothing_is_missed(&format!("日本 é {text}, naïve"));
        assert_nothing_is_missed(&in_full_width(text));
        for end in text.char_indices().map(|(at, _)| at) {
            assert_nothing_is_missed(&text[..end]);
            assert_nothing_is_missed(&text[end..]);
        }
    }
}

#[test]
fn the_last_digits_of_a_card_are_masked_inside_a_word() {
    for text in ["Axxxxxxxx1234", "cardXXXX-XXXX-1234", "Axxxxxxxx 1234日"] {
        assert_nothing_is_missed(text);
        assert!(scrub(text).is_some_and(|scrubbed| !scrubbed.text.contains("1234")), "{text}");
    }
}

#[test]
fn no_text_that_a_rule_requires_begins_with_a_digit() {
    use crate::text::scrub::detector::Requirement::{After, With};
    for rule in rules::all() {
        if let With(_, texts) | After(_, texts) = rule.requirement {
            assert!(texts.iter().all(|text| !text.starts_with(|first: char| first.is_numeric())));
        }
    }
}

fn in_full_width(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '!'..='~' => char::from_u32(u32::from(character) - 0x21 + 0xff01).unwrap_or(character),
            _ => character,
        })
        .collect()
}

/// A character in another spelling, which folds to it.
fn disguised(character: char, way: u8) -> String {
    match way {
        0 if character.is_ascii_graphic() => in_full_width(&character.to_string()),
        1 if character.is_ascii() => format!("%{:02X}", u32::from(character)),
        2 => format!("&#{};", u32::from(character)),
        3 => format!("&#x{:x};", u32::from(character)),
        4 => format!("{character}\u{200b}"),
        5 => format!("{character}\u{301}"),
        6 if character == ' ' => "\u{a0}".to_owned(),
        7 if character == '-' => "\u{2011}".to_owned(),
        8 => character.to_uppercase().collect(),
        _ => character.to_string(),
    }
}

/// A text that a rule finds, or part of it, or what only looks like one.
pub(super) fn seed() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(SHORTEST.to_vec()).prop_map(str::to_owned),
        prop::sample::select(hard_examples()),
        "[0-9]{1,5}([ .,/_~*|()+'-]{0,3}[0-9]{1,4}){0,6}",
        "[0-9]{1,4}( (and|uh|dash|oh|o|one|zero|um|y|then) [0-9]{1,4}){1,4}",
        "[0-9o]( [0-9o]){4,12}",
        "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        "(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?Z",
        "[A-Z]{2}[0-9a-f]{8,32}",
        "[a-z]{1,8}(\\.| dot | at |@|\\[at\\]|-at-)[a-z]{1,8}(\\.| dot |@)(com|org|de|example)",
        "(https?://|www\\.)?[a-z]{1,6}\\.[a-z]{2,4}/[a-zA-Z0-9/?=&#%]{0,12}",
        "[0-9]{1,3}(\\.[0-9]{1,3}){3}(/[0-9]{1,2})?",
        "[0-9a-f]{0,4}(:[0-9a-f]{0,4}){2,8}",
        "(dob|ssn|mrn|card|call|born|member id|last four|visa ending)[ :]{1,2}[0-9a-z ]{1,10}",
        "[0-3]?[0-9](st|th|\\.)? ?(may|march|jan|feb|dez|juin|ene) ?[0-9]{2,4}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_rule_is_left_out_that_finds_something(
        parts in prop::collection::vec((seed(), "[a-zA-Z .,:;!'\"é日\u{200b}_-]{0,12}"), 1..4),
        edits in prop::collection::vec((any::<prop::sample::Index>(), "[0-9a-z @.:/-]?"), 0..3),
        disguises in prop::collection::vec((any::<prop::sample::Index>(), 0u8..12), 0..4),
        padding in prop::sample::select(vec![0, 0, 0, 6, 130, 1500]),
    ) {
        let text: String = parts.iter().flat_map(|(seed, around)| [&**around, &**seed]).collect();
        let mut characters: Vec<String> = text.chars().map(String::from).collect();
        for (index, edit) in edits {
            let at = index.index(characters.len().max(1));
            characters.splice(at..(at + 1).min(characters.len()), [edit]);
        }
        for (index, way) in disguises {
            let at = index.index(characters.len().max(1));
            if let Some(character) = characters.get_mut(at) {
                *character = character.chars().map(|character| disguised(character, way)).collect();
            }
        }
        let text = "lorem ".repeat(padding / 6) + &characters.concat();
        assert_nothing_is_missed(&text);
    }

    #[test]
    fn no_rule_is_left_out_for_any_text(text in "\\PC{0,80}", dense in "[0-9oO .,@/:?(+-]{0,40}") {
        assert_nothing_is_missed(&text);
        assert_nothing_is_missed(&dense);
        assert_nothing_is_missed(&(text + &dense));
    }
}
