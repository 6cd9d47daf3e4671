//! Asks a running emulator to send an event to its clients.

use std::net::SocketAddr;

use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::scenario::{CheckedEvent, PayloadError};
use crate::error::{Error, Exit, Result};
use crate::model::{Kind, Type};
use crate::transport::client::{ClientPurpose, Network, build, secret};
use crate::transport::credential::Credential;

/// The path of the route.
pub const PATH: &str = "/_emulator/events";

/// An event to send now.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// The event type.
    pub(super) event_type: String,
    /// Its fields. Required fields that are missing get synthetic values.
    pub(super) data: Box<RawValue>,
    /// The workspace whose clients receive it; all workspaces if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) workspace_id: Option<String>,
}

/// The answer to a request.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TriggerResult {
    /// The number of streams, or of observers, that received the event.
    pub clients: usize,
}

impl Trigger {
    /// Reads an event from words of the command line: its type, and `field=value` for each field.
    ///
    /// # Errors
    ///
    /// Returns a usage error if the model does not declare the type, a field or a value.
    pub fn parse(words: &[String], workspace_id: Option<String>) -> Result<Self> {
        let refuse = |why: String, advice: String| {
            Error::usage("cannot send the event", why, advice).with_setting("--trigger")
        };
        let (event_type, fields) =
            words.split_first().map_or(("", words), |(first, rest)| (first, rest));
        let kind = Kind::from_name(event_type);
        let mut data = serde_json::Map::new();
        for field in fields {
            let Some((path, text)) = field.split_once('=') else {
                let why = "a field has no value".to_owned();
                return Err(refuse(why, "write each field as FIELD=VALUE".to_owned()));
            };
            if !insert(&mut data, path, value(kind, path, text)) {
                let why = format!("the field {path} is given twice");
                return Err(refuse(why, "give each field once".to_owned()));
            }
        }
        let data = to_raw_value(&data).map_err(|_| {
            refuse("a value is not JSON".to_owned(), "write it in quotes".to_owned())
        })?;
        CheckedEvent::new(event_type, data.get(), 0)
            .map_err(|PayloadError { why, advice }| refuse(why, advice))?;
        Ok(Self { event_type: event_type.to_owned(), data, workspace_id })
    }

    /// Sends the event to the clients of the emulator at an address, and returns their number.
    ///
    /// # Errors
    ///
    /// Fails if no emulator listens there, or if it refuses the event.
    pub async fn send(
        &self,
        address: SocketAddr,
        credential: Option<&Credential>,
    ) -> Result<usize> {
        let what = "cannot send the event";
        let unreachable = || {
            let why = format!("no emulator listens on {address}");
            Error::new(
                Exit::Failure,
                what,
                why,
                "start `evtap serve`, and name its address with --listen",
            )
        };
        let url = Url::parse(&format!("http://{address}{PATH}")).map_err(|_| unreachable())?;
        let client = build(&url, &Network::default(), ClientPurpose::Post)?;
        let token = credential.map_or("demo", Credential::expose);
        let request = client
            .post(url)
            .header(axum::http::header::AUTHORIZATION, secret(&format!("Bearer {token}")))
            .body(serde_json::to_vec(self).unwrap_or_default());
        let answer = request.send().await.map_err(|_| unreachable())?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(|_| unreachable())?;
        let refused = |exit, why: &str, advice: &str| Err(Error::new(exit, what, why, advice));
        match status {
            200 => {
                let result: TriggerResult =
                    serde_json::from_slice(&body).map_err(|_| unreachable())?;
                Ok(result.clients)
            }
            401 => refused(
                Exit::Credential,
                "the emulator refuses the API key",
                "name its key with --api-key-file",
            ),
            404 => refused(
                Exit::Failure,
                "the server takes no events",
                "start `evtap serve` on a loopback address",
            ),
            _ => refused(
                Exit::Failure,
                "the emulator does not accept it",
                "use the same version of evtap for both",
            ),
        }
    }
}

/// Returns the value of a field. Text needs no quotes where the field is declared to be text.
fn value(kind: Option<Kind>, path: &str, text: &str) -> serde_json::Value {
    let field = kind.and_then(|kind| kind.spec().field(path));
    let is_text = field.is_some_and(|field| {
        matches!(field.ty, Type::Text | Type::Uuid | Type::Time | Type::Choice(_))
    });
    let json = serde_json::from_str(text).ok();
    let json =
        json.filter(|json: &serde_json::Value| !is_text || json.is_string() || json.is_null());
    json.unwrap_or_else(|| text.into())
}

/// Inserts a value at a dotted path. Returns whether there was none.
fn insert(
    data: &mut serde_json::Map<String, serde_json::Value>,
    path: &str,
    value: serde_json::Value,
) -> bool {
    let Some((outer, inner)) = path.split_once('.') else {
        return data.insert(path.to_owned(), value).is_none();
    };
    let nested = data.entry(outer).or_insert_with(|| serde_json::Map::new().into());
    nested.as_object_mut().is_some_and(|nested| insert(nested, inner, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<String> {
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        Trigger::parse(&words, None).map(|trigger| trigger.data.get().to_owned())
    }

    #[test]
    fn values_are_text_or_json_by_the_type_of_their_field() {
        for (line, expected) in [
            ("call.ended", "{}"),
            (
                "call.ended duration_seconds=2.5 escalated=true",
                r#"{"duration_seconds":2.5,"escalated":true}"#,
            ),
            ("call.escalated reason=5 trigger=ai", r#"{"reason":"5","trigger":"ai"}"#),
            ("call.escalated reason=a=b", r#"{"reason":"a=b"}"#),
            ("call.started caller_id=null", r#"{"caller_id":null}"#),
            (
                "emotion speaker.energy_trend=rising speaker.normalized=false",
                r#"{"speaker":{"energy_trend":"rising","normalized":false}}"#,
            ),
            ("barge_in discarded_texts=[\"a\"]", r#"{"discarded_texts":["a"]}"#),
            ("call.ended call_sid={{call_sid}}", r#"{"call_sid":"{{call_sid}}"}"#),
        ] {
            assert_eq!(parse(line).as_deref(), Ok(expected), "{line}");
        }
        for (line, expected) in [
            ("call.escalate", "no such event type; did you mean call.escalated?"),
            ("call.escalated reson=x", "call.escalated has no field reson; did you mean reason?"),
            ("call.escalated trigger=nurse", "use caller, ai, operator"),
            ("call.ended duration_seconds=long", "the value of duration_seconds has another type"),
            ("call.ended escalated", "a field has no value; write each field as FIELD=VALUE"),
            ("call.ended escalated=true escalated=false", "the field escalated is given twice"),
            ("call.ended call_sid={{sid}}", "no variable is called sid; there are call_sid"),
        ] {
            let error = parse(line).expect_err(line);
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(error.exit, Exit::Usage);
        }
    }
}
