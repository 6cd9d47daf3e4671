//! Decides which names may be shown: names of events and fields, keys of nested objects, and values
//! that stand for names, such as those of an enum.
//!
//! A name that the model does not declare comes from the wire, and may be text about a person. It
//! is shown only if it looks like an identifier of a program ([`is_name`]). Everything that shows a
//! name asks this module.

use std::borrow::Cow;
use std::num::NonZeroU32;

use crate::text::MASK;
use crate::text::scrub;

/// The maximum length of a name that is shown, in bytes.
const MAX_NAME_LENGTH: usize = 64;

/// This many digits in a row may be a part of a date, a telephone number or a record number.
const LONG_NUMBER: usize = 4;

/// How far the numbers of placeholders may be apart when they are read again, after `--phi drop`
/// has left out what is between them. A larger number could be part of a date or a telephone
/// number.
const MAX_LEFT_OUT: u32 = 999;

/// Returns whether `text` may be shown as a name: at most 64 ASCII letters, digits, `_`, `.` and
/// `-`, the first one a letter, without four digits in a row, and nothing that looks like an
/// identifier of a person.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME_LENGTH
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && has_form_of_name(text)
        && !looks_personal(text)
}

/// Returns a name as it may be shown: the mask if it does not look like a name.
#[must_use]
pub fn shown_name(name: &str) -> &str {
    if is_name(name) { name } else { MASK }
}

/// Returns whether `path`, which is one of `count` in an event, may be shown as the path of a value:
/// names and placeholders, joined by dots.
///
/// Dots may also be part of a name, so a part of the path may be empty or begin with a digit.
pub(crate) fn is_path(path: &str, count: usize) -> bool {
    let is_part = |part: &str| {
        let is_mask = number_of_mask(part).is_some_and(|number| {
            usize::try_from(number.get())
                .is_ok_and(|number| number <= count + MAX_LEFT_OUT as usize)
        });
        is_mask || (part.len() <= MAX_NAME_LENGTH && has_form_of_name(part))
    };
    path == "_tap"
        || (path.starts_with(|first: char| first.is_ascii_alphabetic() || first == '[')
            && path.split('.').all(is_part)
            && !looks_personal(path))
}

fn has_form_of_name(text: &str) -> bool {
    let mut digits = 0;
    text.bytes().all(|byte| {
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        digits < LONG_NUMBER && is_name_byte(byte)
    })
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

/// Returns whether a detector fires, also with spaces where a name has other separators.
fn looks_personal(text: &str) -> bool {
    let fires = |text: &str| scrub::may_contain_identifier(text) && scrub::scrub(text).is_some();
    if !scrub::may_contain_disguised_identifier(text) {
        return false;
    }
    fires(text)
        || (text.contains(['_', '-']) && with_spaces(text, &['_', '-'], fires))
        || (text.contains('.') && with_spaces(text, &['_', '.', '-'], fires))
}

/// Calls `accepts` with a copy of `text` that has spaces in place of the `separators`.
fn with_spaces(text: &str, separators: &[char], accepts: impl Fn(&str) -> bool) -> bool {
    let mut copy = [0; MAX_NAME_LENGTH];
    let Some(copy) = copy.get_mut(..text.len()) else {
        return accepts(&text.replace(separators, " "));
    };
    for (copy, byte) in copy.iter_mut().zip(text.bytes()) {
        *copy = if separators.contains(&char::from(byte)) { b' ' } else { byte };
    }
    str::from_utf8(copy).is_ok_and(accepts)
}

/// Numbers the placeholders of the names that are masked in one object, so that no two members get
/// the same key: `[redacted]`, `[redacted 2]`, `[redacted 3]`.
///
/// The names have to be given in the order of the object. What was numbered before keeps its
/// number, so that a recorded line stays the same.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NameMasks {
    last: u32,
}

impl NameMasks {
    /// Returns the number of the placeholder for `name`; `None` if the name may be shown.
    pub(crate) fn number(&mut self, name: &str) -> Option<NonZeroU32> {
        if is_name(name) {
            return None;
        }
        let next = NonZeroU32::MIN.saturating_add(self.last);
        let is_next =
            |number: &NonZeroU32| *number >= next && number.get() - next.get() <= MAX_LEFT_OUT;
        let kept = number_of_mask(name).filter(is_next);
        let number = kept.unwrap_or(next);
        self.last = number.get();
        Some(number)
    }

    /// Returns `name` as it may be shown.
    pub(crate) fn show<'n>(&mut self, name: Cow<'n, str>) -> Cow<'n, str> {
        self.number(&name).map_or(name, mask_of_name)
    }
}

/// Returns the placeholder with that number.
pub(crate) fn mask_of_name<'m>(number: NonZeroU32) -> Cow<'m, str> {
    match number.get() {
        1 => Cow::Borrowed(MASK),
        number => Cow::Owned(format!("{} {number}]", &MASK[..MASK.len() - 1])),
    }
}

/// Returns the number of a placeholder; `None` if `text` is not one.
fn number_of_mask(text: &str) -> Option<NonZeroU32> {
    if text == MASK {
        return Some(NonZeroU32::MIN);
    }
    let number =
        text.strip_prefix(&MASK[..MASK.len() - 1])?.strip_prefix(' ')?.strip_suffix(']')?;
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
    number.parse().ok().filter(|number: &NonZeroU32| is_plain && number.get() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;

    #[test]
    fn only_identifiers_of_programs_are_names() {
        for name in ["call.started", "field_key", "e2e-ttfb", "v1.2", "A", "x999", "FULL_EMPATHY"] {
            assert!(is_name(name), "{name}");
            assert!(is_path(name, 1), "{name}");
        }
        let kinds = Kind::ALL.iter().chain(Kind::OWN).map(|kind| kind.spec());
        for spec in kinds {
            assert!(is_name(spec.event_type));
            assert!(spec.fields.iter().all(|field| is_name(field.name)), "{}", spec.event_type);
        }
        let long = "x".repeat(65);
        for other in [
            "",
            "Jane Roe",
            "Jane-Roe-1980-03-04",
            "x1234",
            "1st",
            "_tap",
            "-x",
            "$ref",
            "caf\u{e9}",
            "\u{ff4a}ane",
            "jane@example.org",
            "Jane-3-May-80",
            "born_3_march_80",
            "mrnA-123-456",
            "[redacted]",
            &long,
        ] {
            assert!(!is_name(other), "{other}");
            assert_eq!(shown_name(other), MASK);
        }
        assert!(is_name(&long[1..]));
    }

    #[test]
    fn a_path_consists_of_names_and_placeholders() {
        for path in
            ["scores.who", "a.v1.2", "a.", "_tap", "[redacted]", "a.[redacted]", "[redacted 2].b"]
        {
            assert!(is_path(path, 1), "{path}");
        }
        assert!(is_path("[redacted 1980]", 1000), "so many were masked");
        for other in [
            "",
            ".a",
            "_a",
            "a.Jane Roe",
            "a.1980",
            "[redacted 1]",
            "[redacted 02]",
            "[redacted 1980]",
            "[redacted Jane]",
            "a.mrnA-123-456",
            "a.group.x123y",
            &"x".repeat(65),
        ] {
            assert!(!is_path(other, 900), "{other}");
        }
    }

    #[test]
    fn placeholders_are_distinct_and_stay_the_same_when_they_are_read_again() {
        let show = |names: &[&str]| {
            let mut masks = NameMasks::default();
            names.iter().map(|name| masks.show((*name).into()).into_owned()).collect::<Vec<_>>()
        };
        let once = show(&["Jane Roe", "mood", "+1 303", "Jane Roe"]);
        assert_eq!(once, ["[redacted]", "mood", "[redacted 2]", "[redacted 3]"]);
        let kept = [&*once[2], &once[3]];
        assert_eq!(show(&kept), kept, "the first one was dropped");
        assert_eq!(
            show(&["[redacted 2]", "Jane Roe", "[redacted 2]", "[redacted 1980]"]),
            ["[redacted 2]", "[redacted 3]", "[redacted 4]", "[redacted 5]"]
        );
    }
}
