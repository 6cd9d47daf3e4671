//! Filters that are typed without jq: words that an event must contain, and globs for its type.

use regex::escape;

use super::event_text::event_text;
use crate::error::Result;
use crate::query::{GrepFilter, TypeFilter};
use crate::redact::RedactedEvent;

/// A filter without jq.
pub enum PlainFilter {
    /// Event types, such as `call.*` or `surface.{created,submitted}`.
    Types { filter: TypeFilter, pattern: String },
    /// Words, each of which must occur in the text of the event as the list shows it. The case
    /// matters only for words with an upper-case letter.
    Words(Vec<(String, GrepFilter)>),
}

impl PlainFilter {
    /// Parses a filter. Returns `None` if it is anything but words or a glob, and thus jq.
    pub fn parse(source: &str) -> Option<Result<Self>> {
        let source = source.trim();
        let is_word = |character: char| character.is_alphanumeric() || "_-".contains(character);
        let is_glob = |character: char| is_word(character) || ".*{},?".contains(character);
        if source.is_empty() {
            None
        } else if source.chars().all(|character| is_word(character) || character == ' ') {
            Some(Self::words(source.split_whitespace().map(str::to_owned)))
        } else if let Ok(text) = serde_json::from_str::<String>(source) {
            Some(Self::words(std::iter::once(text)))
        } else if source.starts_with(char::is_alphabetic) && source.chars().all(is_glob) {
            let filter = TypeFilter::new(&[source.to_owned()], &[]);
            Some(filter.map(|filter| Self::Types { filter, pattern: source.to_owned() }))
        } else {
            None
        }
    }

    fn words(words: impl Iterator<Item = String>) -> Result<Self> {
        let compiled = words.map(|word| GrepFilter::new(&escape(&word)).map(|grep| (word, grep)));
        compiled.collect::<Result<_>>().map(Self::Words)
    }

    /// Returns whether an event passes the filter.
    #[must_use]
    pub fn matches(&self, event: &RedactedEvent<'_>) -> bool {
        match self {
            Self::Types { filter, .. } => filter.matches(event.event_type()),
            Self::Words(words) => {
                let text = event_text(event, None);
                words.iter().all(|(_, grep)| grep.is_match(&text))
            }
        }
    }

    /// Returns whether an event type of the model can pass the filter.
    #[must_use]
    pub fn has_type(&self, mut types: impl Iterator<Item = &'static str>) -> bool {
        match self {
            Self::Types { filter, .. } => types.any(|event_type| filter.matches(event_type)),
            Self::Words(_) => true,
        }
    }

    /// Returns a jq expression for combining the filter with others. For words it is an
    /// approximation: it also finds them in `_tap`.
    #[must_use]
    pub fn expression(&self) -> String {
        match self {
            Self::Types { pattern, .. } => {
                let mut regex = String::from("^");
                for character in pattern.chars() {
                    match character {
                        '*' => regex.push_str(".*"),
                        '?' => regex.push('.'),
                        '{' => regex.push('('),
                        '}' => regex.push(')'),
                        ',' => regex.push('|'),
                        other => regex.push_str(&escape(other.encode_utf8(&mut [0; 4]))),
                    }
                }
                format!(".event_type | test({})", serde_json::Value::from(regex + "$"))
            }
            Self::Words(words) => {
                let terms = words.iter().map(|(word, _)| {
                    let is_exact = word.chars().any(char::is_uppercase);
                    let text = if is_exact { "tojson" } else { "tojson | ascii_downcase" };
                    format!("({text} | contains({}))", serde_json::Value::from(word.as_str()))
                });
                terms.collect::<Vec<_>>().join(" and ")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinguishes_words_types_and_jq() {
        let kind = |source: &str| match PlainFilter::parse(source) {
            None => "jq",
            Some(Ok(PlainFilter::Words(_))) => "words",
            Some(Ok(PlainFilter::Types { .. })) => "types",
            Some(Err(_)) => "error",
        };
        for (source, expected) in [
            ("zzz", "words"),
            ("find_slots timeout", "words"),
            ("false", "words"),
            ("754", "words"),
            ("\"754.16\"", "words"),
            ("Ärger", "words"),
            ("call.*", "types"),
            ("call.started", "types"),
            ("surface.{created,submitted}", "types"),
            ("*.failed", "jq"),
            (".duration_seconds > 60", "jq"),
            (".call_sid", "jq"),
            ("@slow", "jq"),
            ("true and .x", "jq"),
            ("length > 3", "jq"),
            ("", "jq"),
        ] {
            assert_eq!(kind(source), expected, "{source}");
        }
    }

    #[test]
    fn globs_and_words_become_expressions() {
        let expression =
            |source| PlainFilter::parse(source).expect("plain").expect("valid").expression();
        assert_eq!(
            expression("surface.{created,sub*}"),
            r#".event_type | test("^surface\\.(created|sub.*)$")"#
        );
        assert_eq!(
            expression("slow Call"),
            r#"(tojson | ascii_downcase | contains("slow")) and (tojson | contains("Call"))"#
        );
    }
}
