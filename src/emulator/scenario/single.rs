//! One event that is sent on request.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::payload::{PayloadError, check_payload, complete_payload};
use super::template::{BuiltIn, BuiltInValues, EventTemplate, MARKS, TemplateError};
use crate::model::{EventSpec, Kind};
use crate::query::suggest;

/// An event that the model declares, with every required field.
#[derive(Debug)]
pub(in crate::emulator) struct CheckedEvent {
    /// The event type.
    pub kind: Kind,
    payload: EventTemplate,
}

impl CheckedEvent {
    /// Checks the type and the fields of an event, and completes them. `seed` is what values of
    /// missing fields are drawn from.
    pub fn new(event_type: &str, json: &str, seed: u64) -> Result<Self, PayloadError> {
        let kind = Kind::from_name(event_type).ok_or_else(|| {
            let names = Kind::ALL.iter().map(|kind| kind.spec().event_type);
            let advice = suggest::nearest(event_type, names).map_or_else(
                || "`evtap schema` lists the types".to_owned(),
                |meant| format!("did you mean {meant}?"),
            );
            PayloadError { why: "no such event type".to_owned(), advice }
        })?;
        let spec: &'static EventSpec = kind.spec();
        check_payload(spec, &template(json)?.render(BuiltInValues::EXAMPLE))?;
        let payload = template(&complete_payload(spec, json, seed, BuiltIn::for_field))?;
        Ok(Self { kind, payload })
    }

    /// Returns the payload of the event in a workspace and a call.
    pub fn payload(&self, workspace_id: &str, call_sid: &str, now: Timestamp) -> String {
        self.payload.render(BuiltInValues { call_sid, workspace_id, now, start: now })
    }
}

fn template(json: &str) -> Result<EventTemplate, PayloadError> {
    EventTemplate::new(json, &BTreeMap::new()).map_err(|error| {
        let why = match error {
            TemplateError::Open => format!("a variable lacks its {}", MARKS.1),
            TemplateError::Unknown(name) => format!("no variable is called {name}"),
        };
        let names: Vec<_> = BuiltIn::ALL.iter().map(|built_in| built_in.name()).collect();
        PayloadError { why, advice: format!("there are {}", names.join(", ")) }
    })
}
