//! Decides whether a typed line may be written to a file.
//!
//! A filter or a search may contain a name or a number that the user typed or took from an event, and
//! no search for identifiers finds every name. So a line is kept only if it consists of words that
//! are known without any event: those of the event model, of jq, of the screen's commands and of the
//! configuration; ids that the platform gives out; and short numbers. Anything else in it, and the
//! whole line stays in memory.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use super::commands::COMMANDS;
use super::style::ThemeName;
use crate::model::{Kind, Type, is_call_sid, is_uuid};
use crate::text::scrub;

/// The maximum length of a line that is kept, in bytes.
const MAX_LINE: usize = 512;

/// The maximum number of digits of a number that identifies nobody.
const MAX_DIGITS: usize = 5;

/// The words of jq that filters usually contain, and of the envelope of events.
const WORDS: &str = "\
    abs add all and any arrays as ascii_downcase ascii_upcase booleans by capture catch contains def \
    elif else empty end endswith error explode first flatten floor foreach from_entries fromjson \
    group group_by has if in IN index indices inside iterables join keys last length limit ltrimstr \
    map match max max_by min min_by not now null nulls numbers objects or paths range recurse reduce \
    reverse round rtrimstr scan scalars select split sqrt startswith strings sub gsub test then time \
    to_entries tojson tonumber tostring trim try type unique unique_by values with_entries false true \
    _tap id received_at stream workspace_id call_sid redacted scrubbed drift event_type payload \
    workspace observer evtap tap";

/// Every known word, in lower case.
static VOCABULARY: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let mut words: HashSet<String> = WORDS.split_whitespace().map(str::to_lowercase).collect();
    let mut add = |text: &str| {
        let whole = text.split(|letter: char| !is_part(letter)).map(str::to_lowercase);
        // The parts of `tool_call_started` are words, too.
        let parts = text.split(|letter: char| !letter.is_alphanumeric()).map(str::to_lowercase);
        words.extend(whole.chain(parts).filter(|word| !word.is_empty()));
    };
    for spec in Kind::ALL.iter().chain(Kind::OWN).map(|kind| kind.spec()) {
        add(spec.event_type);
        for field in spec.fields {
            add(field.name);
            add_type(&field.ty, &mut add);
        }
    }
    for (name, _) in COMMANDS {
        add(name);
    }
    for theme in ThemeName::ALL {
        add(theme.name());
    }
    words
});

fn add_type(ty: &Type, add: &mut impl FnMut(&str)) {
    match ty {
        Type::Choice(values) => {
            for value in *values {
                add(value);
            }
        }
        Type::List(item) | Type::Map(item) => add_type(item, add),
        Type::OneOf(types) => {
            for ty in *types {
                add_type(ty, add);
            }
        }
        Type::Record(members) => {
            for member in *members {
                add(member.name);
                add_type(&member.ty, add);
            }
        }
        _ => {}
    }
}

fn is_part(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Returns whether a typed line may be kept. `named` are the named filters of the configuration.
#[must_use]
pub fn may_be_kept(line: &str, named: &BTreeMap<String, String>) -> bool {
    if line.len() > MAX_LINE || line.trim().is_empty() {
        return false;
    }
    if let Some(name) = line.trim().strip_prefix('@') {
        return named.contains_key(name);
    }
    // Ids contain digits and hyphens, so they are taken out first.
    let mut rest = String::with_capacity(line.len());
    for word in line.split_inclusive(|letter: char| !is_part(letter) && letter != '-') {
        let id = word.trim_end_matches(|letter: char| !is_part(letter) && letter != '-');
        rest.push_str(if is_uuid(id) || is_call_sid(id) { &word[id.len()..] } else { word });
    }
    !scrub::finds_identifier(&rest)
        && rest.split(|letter: char| !is_part(letter)).all(is_known)
        && rest.chars().all(|letter| letter.is_ascii() && !letter.is_control())
}

fn is_known(word: &str) -> bool {
    let unit = word.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let digits = word.len() - unit.len();
    if digits > 0 {
        return digits <= MAX_DIGITS && matches!(unit, "" | "s" | "m" | "h" | "d" | "ms");
    }
    let word = word.to_lowercase();
    word.is_empty()
        || VOCABULARY.contains(&word)
        || word.split('_').all(|part| part.is_empty() || VOCABULARY.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_kept(line: &str) -> bool {
        may_be_kept(line, &[("long".to_owned(), String::new())].into())
    }

    #[test]
    fn lines_of_known_words_are_kept() {
        for line in [
            "call.*",
            "surface.{created,submitted}",
            "tool failed",
            "tool_call*",
            r#".event_type == "call.ended" and .duration_seconds > 60"#,
            r#"(.reason // "") | test("escalated")"#,
            r#"(.call_sid // ._tap.call_sid) == "CA0e7600000000000000000000000000ab""#,
            r#".operator_id == "88611d6b-0000-4000-8000-000000000001""#,
            r#".completion_reason | IN("error", "timeout")"#,
            "@long",
            "at 09:30",
            "at -30s",
            "columns call_sid,direction",
            "theme colour-blind",
        ] {
            assert!(is_kept(line), "{line}");
        }
    }

    /// What a user may have typed or taken from an event.
    #[test]
    fn lines_with_anything_else_are_not_kept() {
        for line in [
            "Wrenna",
            "tool wrenna",
            r#".reason | test("(?i)refill for Wrenna")"#,
            r#".caller_id == "+13035550161""#,
            ".caller_id == 13035550161",
            "3035550161",
            "303 555 0161",
            "first_wrenna",
            "1980-05-05",
            "123456",
            "12a4",
            "wrenna@example.org",
            "call.Müller",
            "氏名",
            "@unknown",
            "save wrenna.ndjson",
            "mark asks for a refill",
            "CA0e76",
            "\u{1b}[31m",
            "",
            " ",
        ] {
            assert!(!is_kept(line), "{line}");
        }
        assert!(!is_kept(&"call ".repeat(200)), "too long");
    }
}
