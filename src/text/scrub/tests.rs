//! Tests of the search, of the first pass and of each kind of rule.

use proptest::prelude::*;

use super::detector::{DigitCount, Requirement};
use super::*;

mod examples;
mod pattern;
mod prefilter;

fn scrubbed(text: &str) -> String {
    scrub(text).map_or_else(|| text.to_owned(), |scrubbed| scrubbed.text)
}

#[test]
fn masks_identifiers_and_keeps_the_other_text() {
    for (text, expected) in [
        ("Call +1 202 555 0123, or jane@example.org.", "Call [phone], or [email]."),
        ("(202) 555-0123x45; 020 7946 0958", "[phone]; [phone]"),
        ("SSN 078-05-1120 and DOB 05/03/1980", "SSN [ssn] and DOB [date]"),
        ("MRN: A-00123456, member ID is 88123-01", "MRN: [record], member ID is [record]"),
        ("Visa 4111 1111 1111 1111 declined", "Visa [card] declined"),
        ("from 203.0.113.9 and 2001:db8::1", "from [ip] and [ip]"),
        ("see https://a.example/x?patient=7#top now", "see [url] now"),
        ("born on May 3, 1980", "born on [date]"),
        ("phone:2025550123", "phone:[phone]"),
    ] {
        assert_eq!(scrubbed(text), expected);
    }
}

#[test]
fn an_undivided_number_must_be_assignable_in_north_america() {
    for number in
        ["2025550123", "12025550123", "4082516234", "2022120123", "3625550123", "9525550123"]
    {
        assert_eq!(scrubbed(number), "[phone]", "{number}");
    }
    for other in [
        "2115550123",
        "2925550123",
        "3705550123",
        "3795550123",
        "9605550123",
        "2024110123",
        "19115550123",
    ] {
        assert_eq!(scrubbed(other), other, "not assignable");
        let divided = format!("{}-{}", &other[..other.len() - 4], &other[other.len() - 4..]);
        assert_eq!(scrubbed(&divided), "[phone]", "divided like a telephone number");
    }
}

/// For each rule, a text that it finds and that has no more than the rule requires.
const SHORTEST: &[&str] = &[
    "www.a?a",
    "a.bc?d=e",
    "http://a/1234",
    "a.bc/1234",
    "a@b.co",
    "a @ b.co",
    "a@[ab]",
    "a@gmail",
    "x at gmail",
    "a[at]b.c",
    "a@b dot co",
    "a at b dot co",
    "a.b at c.co",
    "4222222222222",
    "4111-1111-1111-1112",
    "card 4222222222221",
    "****1234",
    "xxxxxxxx1234",
    "visa ending 1234",
    "cvv 123",
    "KW07CBKUAAAAAAAAAAAAAAAA123456",
    "iban XX00AAAAA123456",
    "078-05-1120",
    "078 and 05 and 1120",
    "078, and 05 1120",
    "4 o 7 o 5 o 1 o 2",
    "one two three four five 6 7 8 9",
    "ssn 078051120",
    "078051120 ssn",
    "ssn last four 1120",
    "last four 1120",
    "1120 last four",
    "xx-xx-1120",
    "ssn ending 1120",
    "ending 1120 ssn",
    "AB123456C",
    "mrn 12-a3",
    "mrn is a a123",
    "mrn a123",
    "12345 is my mrn",
    "a1234, my mrn",
    "1234-a5, my mrn",
    "1 o 2 o 4 o 9 6",
    "1EG4TE5MK73",
    "1AA1AA1AA11",
    "123.456.789-09",
    "12345678Z",
    "RSSMRA80A01H501U",
    "+44 555 012",
    "001 20 20 120",
    "2025550123",
    "202 and 555 and 0123",
    "202 5 5 5 0123",
    "202-555-oooo",
    "2 o 5 5 o 1 3",
    "two zero two five five five 0 1 2 3",
    "020 794609",
    "(11)555-0123",
    "0612345678",
    "call 5550123",
    "5550123 cell",
    "tel. 1234567",
    "call 555 and 0123",
    "tel:1234567",
    "2020/1/1",
    "1/1/80",
    "1/1/80-1/1/81",
    "19800101",
    "1 1 1980",
    "1.1.1980",
    "01.01.80",
    "3 Jun '80",
    "3May80",
    "3 May",
    "May 3 1980",
    "1980 May 3",
    "May 3",
    "May third 1980",
    "month 3 day 4 year 80",
    "1年1月1日",
    "appt 3/4",
    "born in May 1980",
    "dob 010180",
    "dob 1/1",
    "born 3 and 4 and 80",
    "1.1.1.1",
    "http://1.1.1.1",
    "1::1",
];

#[test]
fn each_rule_requires_no_more_than_its_shortest_match_has() {
    let is_tight = |index: usize, rule: &DetectorRule, text: &str| {
        let is_found = next_match(rule, &SearchedText::new(text), 0)
            .is_some_and(|candidate| rule.check.length(&candidate).is_some());
        let is_tried = candidates(text) & (1 << index) != 0;
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let (Requirement::Digits(DigitCount { min, .. })
        | Requirement::With(DigitCount { min, .. }, _)
        | Requirement::After(DigitCount { min, .. }, _)) = rule.requirement
        else {
            return is_found && is_tried;
        };
        is_found && is_tried && digits == min
    };
    let wrong: Vec<_> = rules::all()
        .enumerate()
        .filter(|(index, rule)| !SHORTEST.iter().any(|text| is_tight(*index, rule, text)))
        .map(|(_, rule)| format!("{:?} {}", rule.requirement, rule.pattern))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for rule in rules::all() {
        if let Requirement::With(_, texts) | Requirement::After(_, texts) = rule.requirement {
            let is_known = |text: &&str| (1..=3).contains(&text.len());
            assert!(texts.iter().all(is_known), "{texts:?}");
        }
    }
}

#[test]
fn unusual_digits_spaces_and_zero_width_characters_do_not_hide_an_identifier() {
    for text in [
        "555\u{200b}-0123 \u{ff0b}1 202\u{a0}555\u{2011}0123",
        "\u{ff12}\u{ff10}\u{ff12}-555-0123",
        "\u{662}\u{660}\u{662} 555 0123",
        "202\u{ad}555\u{2060}0123",
        "202\n555\t0123",
    ] {
        assert!(scrubbed(text).ends_with("[phone]"), "{}", scrubbed(text));
    }
    assert_eq!(
        scrubbed("é\u{200b} 202\u{200b}-555-0123 é"),
        "é\u{200b} [phone] é",
        "the surrounding text keeps its characters"
    );
}

#[test]
fn words_without_spaces_around_them_do_not_hide_an_identifier() {
    for (text, expected) in [
        ("1stmarch 1980", "[date]"),
        ("o 078.05.1120", "[phone]"),
        ("PTa0a0aa0a", "PT[record]"),
        ("nº de historia 12345", "nº de historia [record]"),
        ("202.555.12.o", "[ssn]"),
    ] {
        assert_eq!(scrubbed(text), expected);
    }
}

#[test]
fn text_that_a_mask_isolates_is_masked_too() {
    assert_eq!(scrubbed("::202+12020123"), "[ip][phone]");
    assert_eq!(scrubbed(&"::202+12020123".repeat(20)), MASK, "too many passes");
}

#[test]
fn a_mebibyte_of_near_matches_is_searched_quickly() {
    for text in [
        "2".repeat(1 << 20),
        "2025550123-".repeat(1 << 16),
        "1.".repeat(1 << 19),
        "a@".repeat(1 << 19),
    ] {
        let _ = scrub(&text);
    }
}

proptest! {
    #[test]
    fn scrubbing_twice_changes_nothing(text in "[0-9a-zA-Z +().@:/?#,é\u{200b}-]{0,60}") {
        if let Some(once) = scrub(&text) {
            prop_assert_eq!(scrub(&once.text).map(|again| again.text), None, "{}", once.text);
        }
    }

    #[test]
    fn a_rule_that_is_skipped_would_not_match(
        parts in prop::collection::vec(
            prop_oneof![
                prop::sample::select(vec![
                    "https://", "www.", "a.example/x", "?", "?a=1", "jane", "@", "mrn",
                    "member id ", "ssn ", "dob ", "May ", "of ", "call ", "ext", "::", ":", ".",
                    "-", "/", " ", "(", ")", "+", "00", "ff", "\u{a0}", "\u{ff12}", " at ", " dot ",
                    "com", "[at]", "gmail", "last four ", "ending ", "xx-", "****", "cvv ", "iban ",
                    "claim no ", "is my policy", "and ", "uh, ", "one ", "oh ", "3 mar 1980", "born ",
                    "appt ", "GB82WEST", "1EG4-TE5-MK73", "my cell", "%40", "&#64;",
                ]).prop_map(str::to_owned),
                "[0-9]{1,5}",
            ],
            0..9,
        )
    ) {
        let text = parts.concat();
        let folded = FoldedText::new(&text).text;
        let candidates = candidates(&folded);
        for (index, rule) in rules::all().enumerate() {
            let is_skipped = candidates & (1 << index) == 0;
            prop_assert!(!is_skipped || hits(&folded, 1 << index).is_empty(), "{}", rule.pattern);
        }
    }

    #[test]
    fn punctuation_does_not_make_an_identifier_of_text_without_a_trigger(
        words in prop::collection::vec(("[[:alpha:]]{0,6}|at|dot|arroba|gmail|com", "[ _.-]"), 1..6)
    ) {
        let text: String = words.iter().flat_map(|(word, mark)| [&**word, mark]).collect();
        for other in [text.clone(), text.replace(['_', '-'], " "), text.replace(['_', '.', '-'], " ")] {
            prop_assert!(may_contain_disguised_identifier(&text) || !may_contain_identifier(&other));
        }
    }

    #[test]
    fn the_quick_check_misses_nothing(text in any::<String>()) {
        prop_assert!(scrub(&text).is_none() || may_contain_identifier(&text));
    }
}
