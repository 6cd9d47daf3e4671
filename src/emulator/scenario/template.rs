//! The payload of an event as JSON text with variables in its strings.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;

use crate::emulator::demo::{DEMO_CALL, DEMO_WORKSPACE};
use crate::json::string::contents;

/// What begins and ends a variable in a string.
pub(super) const MARKS: (&str, &str) = ("{{", "}}");

/// A variable whose value is known when the scenario is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BuiltIn {
    /// The SID of the call.
    CallSid,
    /// The id of the workspace.
    WorkspaceId,
    /// The time of the event.
    Now,
    /// The time of the event, in seconds of Unix time.
    NowSeconds,
    /// The time at which the scenario began.
    Start,
    /// The time at which the scenario began, in seconds of Unix time.
    StartSeconds,
}

impl BuiltIn {
    pub const ALL: &[Self] = &[
        Self::CallSid,
        Self::WorkspaceId,
        Self::Now,
        Self::NowSeconds,
        Self::Start,
        Self::StartSeconds,
    ];

    /// Returns the name in a scenario.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CallSid => "call_sid",
            Self::WorkspaceId => "workspace_id",
            Self::Now => "now",
            Self::NowSeconds => "now_seconds",
            Self::Start => "start",
            Self::StartSeconds => "start_seconds",
        }
    }

    /// Returns the value of a missing field that is about the call or the workspace, as JSON.
    pub fn for_field(field: &str) -> Option<String> {
        let is_meant = |built_in: &&Self| built_in.name() == field;
        let built_in = [Self::CallSid, Self::WorkspaceId].iter().find(is_meant)?;
        Some(format!("\"{}{}{}\"", MARKS.0, built_in.name(), MARKS.1))
    }

    /// Returns whether its value is a number.
    const fn is_number(self) -> bool {
        matches!(self, Self::NowSeconds | Self::StartSeconds)
    }
}

/// The values of the built-in variables for one event.
#[derive(Debug, Clone, Copy)]
pub(super) struct BuiltInValues<'a> {
    /// The SID of the call.
    pub call_sid: &'a str,
    /// The id of the workspace.
    pub workspace_id: &'a str,
    /// The time of the event.
    pub now: Timestamp,
    /// The time at which the scenario began.
    pub start: Timestamp,
}

impl BuiltInValues<'static> {
    /// Values to check payloads with.
    pub const EXAMPLE: Self = Self {
        call_sid: DEMO_CALL,
        workspace_id: DEMO_WORKSPACE,
        now: Timestamp::UNIX_EPOCH,
        start: Timestamp::UNIX_EPOCH,
    };
}

#[derive(Debug)]
enum TemplatePart {
    Text(String),
    BuiltIn(BuiltIn),
}

/// JSON text with built-in variables. The variables of the file are already replaced.
#[derive(Debug)]
pub(super) struct EventTemplate(Vec<TemplatePart>);

/// Why JSON text is not a template.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TemplateError {
    /// A variable does not end.
    Open,
    /// No variable has this name.
    Unknown(String),
}

impl EventTemplate {
    /// Reads JSON text. `variables` are the values of the file's own variables, as JSON.
    pub fn new(json: &str, variables: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        let mut parts = vec![];
        let (mut text, mut rest) = (String::new(), json);
        while let Some((before, after)) = rest.split_once(MARKS.0) {
            let (name, after) = after.split_once(MARKS.1).ok_or(TemplateError::Open)?;
            let name = name.trim();
            text.push_str(before);
            let built_in = BuiltIn::ALL.iter().find(|built_in| built_in.name() == name);
            let value = variables.get(name).map(String::as_str);
            if built_in.is_none() && value.is_none() {
                return Err(TemplateError::Unknown(name.to_owned()));
            }
            let text_of =
                value.map(|json| (contents(json).unwrap_or(json), contents(json).is_some()));
            // A variable that is the whole string takes its place, with the type of its value.
            let is_text = text_of.map_or_else(
                || built_in.is_none_or(|built_in| !built_in.is_number()),
                |(_, is_text)| is_text,
            );
            rest = after;
            if !is_text && is_whole(&text, after) {
                text.pop();
                rest = &after[1..];
            }
            match (built_in, text_of) {
                (_, Some((value, _))) => text.push_str(value),
                (Some(built_in), None) => {
                    parts.push(TemplatePart::Text(std::mem::take(&mut text)));
                    parts.push(TemplatePart::BuiltIn(*built_in));
                }
                (None, None) => {}
            }
        }
        text.push_str(rest);
        parts.push(TemplatePart::Text(text));
        Ok(Self(parts))
    }

    /// Appends JSON text that needs no variable before the end of the object.
    pub fn render(&self, values: BuiltInValues<'_>) -> String {
        let mut json = String::new();
        for part in &self.0 {
            // Writing into a `String` does not fail.
            let _ = match part {
                TemplatePart::Text(text) => json.write_str(text),
                TemplatePart::BuiltIn(BuiltIn::CallSid) => json.write_str(values.call_sid),
                TemplatePart::BuiltIn(BuiltIn::WorkspaceId) => json.write_str(values.workspace_id),
                TemplatePart::BuiltIn(BuiltIn::Now) => write!(json, "{:.3}", values.now),
                TemplatePart::BuiltIn(BuiltIn::Start) => write!(json, "{:.3}", values.start),
                TemplatePart::BuiltIn(BuiltIn::NowSeconds) => {
                    write!(json, "{}", seconds(values.now))
                }
                TemplatePart::BuiltIn(BuiltIn::StartSeconds) => {
                    write!(json, "{}", seconds(values.start))
                }
            };
        }
        json
    }
}

/// Returns a time in seconds of Unix time, with milliseconds.
fn seconds(time: Timestamp) -> String {
    let millis = time.as_millisecond();
    format!("{}.{:03}", millis.div_euclid(1000), millis.rem_euclid(1000))
}

/// Returns whether a variable between these texts is the whole of a string, which is no key.
fn is_whole(before: &str, after: &str) -> bool {
    before.ends_with('"')
        && !before.ends_with("\\\"")
        && after.strip_prefix('"').is_some_and(|after| !after.trim_start().starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(json: &str) -> Result<String, TemplateError> {
        let variables = [("name", "\"Wrenna \\\"W\\\"\""), ("age", "41"), ("open", "\"{{\"")]
            .map(|(name, json)| (name.to_owned(), json.to_owned()));
        let values = BuiltInValues {
            call_sid: "CA1",
            workspace_id: "w",
            now: "2026-05-05T09:41:27.5Z".parse().expect("a time"),
            start: "2026-05-05T09:41:27.123Z".parse().expect("a time"),
        };
        EventTemplate::new(json, &variables.into()).map(|template| template.render(values))
    }

    #[test]
    fn variables_are_replaced_in_strings_and_keep_their_type_when_alone() {
        for (json, expected) in [
            (r#"{"a":"{{name}}"}"#, r#"{"a":"Wrenna \"W\""}"#),
            (r#"{"a":"{{ age }}"}"#, r#"{"a":41}"#),
            (r#"{"a":"is {{age}}"}"#, r#"{"a":"is 41"}"#),
            (r#"{"a":"\"{{age}}"}"#, r#"{"a":"\"41"}"#),
            (r#"{"{{age}}" :"{{age}}"}"#, r#"{"41" :41}"#),
            (r#"["{{call_sid}}","{{workspace_id}}"]"#, r#"["CA1","w"]"#),
            (
                r#"["{{now}}","{{now_seconds}}","at {{now_seconds}}"]"#,
                r#"["2026-05-05T09:41:27.500Z",1777974087.500,"at 1777974087.500"]"#,
            ),
            (
                r#"["{{start}}","{{start_seconds}}"]"#,
                r#"["2026-05-05T09:41:27.123Z",1777974087.123]"#,
            ),
            (r#"["{{open}}name}}"]"#, r#"["{{name}}"]"#),
        ] {
            assert_eq!(rendered(json).as_deref(), Ok(expected), "{json}");
        }
    }

    #[test]
    fn unknown_and_open_variables_are_errors() {
        assert_eq!(rendered(r#"["{{nome}}"]"#), Err(TemplateError::Unknown("nome".to_owned())));
        assert_eq!(rendered(r#"["{{name"]"#), Err(TemplateError::Open));
    }
}
