//! The subjects of published events.
//!
//! An event of a workspace has the subject `PREFIX.WORKSPACE.TYPE`, such as
//! `evtap.d3300000-….call.ended`, and an event of an observed call
//! `PREFIX.WORKSPACE.observer.CALL.TYPE`. The subjects of `tap.connected`, `tap.position`,
//! `tap.gap` and `tap.ended` end with the name of the tap. A subject consists of tokens that are separated by dots
//! and contain no white space, `*` or `>` (NATS documentation, "Subject-Based Messaging").

use std::fmt::Write;
use std::ops::Range;

use crate::error::{Error, Result};

/// The first token of subjects, unless another one is configured.
const DEFAULT_PREFIX: &str = "evtap";

/// The token for a workspace that is not known.
const NO_WORKSPACE: &str = "unknown";

/// The maximum length of a token, in bytes: longer texts are truncated. The server limits the whole
/// subject by its `max_control_line`, 4 KiB by default.
const MAX_TOKEN: usize = 128;

/// The maximum number of tokens of an event type.
pub(super) const MAX_TOKENS: usize = 8;

/// The first tokens of all subjects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectPrefix(pub(super) String);

impl SubjectPrefix {
    /// Checks the value of `option`.
    ///
    /// # Errors
    ///
    /// Fails if the text is not a sequence of letters, digits, `-` and `_`, separated by dots.
    pub fn new(option: &'static str, text: &str) -> Result<Self> {
        let is_token =
            |token: &str| (1..=MAX_TOKEN).contains(&token.len()) && token.bytes().all(is_plain);
        if text.split('.').count() <= MAX_TOKENS && text.split('.').all(is_token) {
            return Ok(Self(text.to_owned()));
        }
        let why = "it has an empty part, or other characters than letters, digits, - and _";
        Err(Error::invalid_value(option, text, why, "give one such as evtap or clinic.evtap"))
    }

    /// Returns the subject that matches all events.
    #[must_use]
    pub fn all(&self) -> String {
        format!("{}.>", self.0)
    }

    /// Returns the subject that matches the events of workspaces whose types have two parts, as
    /// nearly all have.
    #[must_use]
    pub fn events(&self) -> String {
        format!("{}.*.*.*", self.0)
    }

    /// Returns the subject that matches the notices of taps of workspaces.
    #[must_use]
    pub fn notices(&self) -> String {
        format!("{}.*.tap.*.*", self.0)
    }

    /// Returns the tokens after the prefix; `None` if the subject has another one.
    #[must_use]
    pub fn tokens<'s>(&self, subject: &'s str) -> Option<Vec<&'s str>> {
        let rest = subject.strip_prefix(&self.0)?.strip_prefix('.')?;
        Some(rest.split('.').collect())
    }

    /// Returns the subject that matches all events of the workspace with this token.
    #[must_use]
    pub fn of_workspace(&self, token: &str) -> String {
        format!("{}.{token}.>", self.0)
    }

    /// Returns the subject that matches the notices with which taps say that they are connected to a
    /// workspace.
    #[must_use]
    pub fn announcements(&self) -> String {
        format!("{}.*.tap.connected.*", self.0)
    }

    /// Returns the part of the subject of an event that names the workspace.
    #[must_use]
    pub fn workspace_in(&self, subject: &str) -> Range<usize> {
        let begin = self.0.len() + 1;
        let rest = subject.get(begin..).unwrap_or_default();
        begin..begin + rest.find('.').unwrap_or(rest.len())
    }
}

impl Default for SubjectPrefix {
    fn default() -> Self {
        Self(DEFAULT_PREFIX.to_owned())
    }
}

/// Returns the subject of an event.
#[must_use]
pub fn subject(
    prefix: &SubjectPrefix,
    workspace_id: Option<&str>,
    call_sid: Option<&str>,
    event_type: &str,
) -> String {
    let mut subject = prefix.0.clone();
    push_token(&mut subject, workspace_id.unwrap_or(NO_WORKSPACE));
    if let Some(sid) = call_sid {
        push_token(&mut subject, "observer");
        push_token(&mut subject, sid);
    }
    push_type(&mut subject, event_type);
    subject
}

/// Returns the subject of a notice of the tap with this name, such as
/// `evtap.d3300000-….tap.position.east`: the `subject` of the event and the name. Each tap has
/// subjects of its own, so that the last notice of each is found without reading the others.
#[must_use]
pub fn of_tap(mut subject: String, tap: &str) -> String {
    push_token(&mut subject, tap);
    subject
}

/// Appends a dot and the tokens of an event type.
pub(super) fn push_type(subject: &mut String, event_type: &str) {
    event_type.splitn(MAX_TOKENS, '.').for_each(|token| push_token(subject, token));
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Appends a dot and a token in which every other byte is encoded as `%` and two digits. An empty
/// token is a single `%`.
pub(super) fn push_token(subject: &mut String, text: &str) {
    subject.push('.');
    if text.is_empty() {
        subject.push('%');
    }
    let begin = subject.len();
    for byte in text.bytes() {
        if subject.len() - begin >= MAX_TOKEN {
            break;
        }
        if is_plain(byte) {
            subject.push(char::from(byte));
        } else {
            let _ = write!(subject, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_name_the_workspace_the_call_and_the_type() {
        let prefix = SubjectPrefix::default();
        for (workspace, call, event_type, expected) in [
            (Some("w"), None, "call.ended", "evtap.w.call.ended"),
            (Some("w"), Some("CA1"), "tool_call", "evtap.w.observer.CA1.tool_call"),
            (None, None, "tap.malformed", "evtap.unknown.tap.malformed"),
            (Some("a b"), None, "é.*..>\n", "evtap.a%20b.%C3%A9.%2A.%.%3E%0A"),
        ] {
            assert_eq!(subject(&prefix, workspace, call, event_type), expected);
        }
        let subject = subject(&prefix, Some("w"), None, "tap.position");
        assert_eq!(of_tap(subject, "east.1"), "evtap.w.tap.position.east%2E1");
        assert_eq!(prefix.tokens("evtap.w.tap.gap.a"), Some(vec!["w", "tap", "gap", "a"]));
        assert_eq!(prefix.tokens("evtapw.a"), None);
        assert_eq!(prefix.all(), "evtap.>");
        assert_eq!(prefix.of_workspace("w"), "evtap.w.>");
        assert_eq!(prefix.workspace_in("evtap.w%20x.call.ended"), 6..11);
        assert_eq!(prefix.workspace_in("evtap.w"), 6..7);
    }

    #[test]
    fn hostile_types_give_bounded_and_legal_subjects() {
        let prefix = SubjectPrefix::default();
        for hostile in ["x".repeat(1 << 20), ".".repeat(1 << 20), "\u{1f600}.".repeat(1 << 18)] {
            let subject = subject(&prefix, Some(&hostile), Some(&hostile), &hostile);
            assert!(subject.len() < 2048, "{}", subject.len());
            assert!(subject.split('.').all(|token| {
                !token.is_empty() && token.bytes().all(|byte| byte == b'%' || is_plain(byte))
            }));
        }
    }

    #[test]
    fn prefixes_are_checked() {
        for good in ["evtap", "a.b-c_D.1"] {
            assert_eq!(SubjectPrefix::new("--x", good).expect(good).all(), format!("{good}.>"));
        }
        for bad in ["", ".", "a.", "a b", "*", "a.>", "é", &"a.".repeat(99)] {
            assert!(SubjectPrefix::new("--x", bad).is_err(), "{bad}");
        }
    }
}
