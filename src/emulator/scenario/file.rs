//! Reads a scenario from a TOML file, and names its lines in errors.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use toml_edit::{Document, Item, TableLike, Value};

use super::events::{Scenario, ScenarioEvent};
use super::payload::{PayloadError, check_object, check_payload, compact, complete_payload};
use super::template::{BuiltIn, BuiltInValues, EventTemplate, MARKS, TemplateError};
use crate::error::{Error, Result};
use crate::model::{Kind, Stream, is_name};
use crate::query::suggest;
use crate::text::units::{DurationError, parse_duration};
use crate::transport::input_file;

/// The version of the format.
const FORMAT: i64 = 1;

/// The maximum size of a file, in bytes.
const MAX_BYTES: u64 = 64 << 20;

/// The longest pause between two events.
const MAX_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

const FILE_KEYS: &[&str] = &["format", "variables", "event"];
const EVENT_KEYS: &[&str] = &["after", "type", "stream", "data", "unchecked"];

/// Reads a scenario.
///
/// # Errors
///
/// Returns a usage error if the file cannot be read or is not a scenario.
pub fn read_scenario(path: &Path) -> Result<Scenario> {
    let text = input_file::read_text(path, MAX_BYTES).map_err(|error| {
        let what = format!("cannot use the scenario {}", path.display());
        Error::usage(what, input_file::cause(&error), "check the path and its permissions")
    })?;
    ScenarioReader { path, text: &text, variables: BTreeMap::new() }.read()
}

/// Reads the text of a scenario.
struct ScenarioReader<'a> {
    path: &'a Path,
    text: &'a str,
    /// The variables of the file, as JSON.
    variables: BTreeMap<String, String>,
}

type Place = Option<Range<usize>>;

impl ScenarioReader<'_> {
    fn read(mut self) -> Result<Scenario> {
        let document = Document::parse(self.text).map_err(|error| {
            self.wrong(error.span(), "invalid TOML", "`evtap help serve` has an example")
        })?;
        let root = document.as_table();
        self.check_keys(root, FILE_KEYS, "a scenario")?;
        let format = root.get("format");
        if format.and_then(Item::as_integer) != Some(FORMAT) {
            let why = if format.is_some() { "unknown format" } else { "it names no format" };
            let advice = format!("write format = {FORMAT} at the top");
            return Err(self.wrong(format.and_then(Item::span), why, advice));
        }
        if let Some(item) = root.get("variables") {
            let variables = item.as_table_like().ok_or_else(|| {
                self.wrong(item.span(), "variables is no table", "write [variables] above them")
            })?;
            for (name, item) in variables.iter() {
                let json = self.variable(name, item, place(variables, name))?;
                self.variables.insert(name.to_owned(), json);
            }
        }
        let events = root.get("event");
        let tables = events.and_then(Item::as_array_of_tables).ok_or_else(|| {
            let place = events.and_then(Item::span);
            self.wrong(place, "it has no events", "write [[event]] above each event")
        })?;
        let mut at = Duration::ZERO;
        let mut read = Vec::with_capacity(tables.len());
        for (number, table) in tables.iter().enumerate() {
            self.check_keys(table, EVENT_KEYS, "an event")?;
            at += self.pause(table.get("after"))?;
            read.push(self.event(table, at, number, table.span())?);
        }
        Ok(Scenario { events: read })
    }

    fn event(
        &self,
        table: &dyn TableLike,
        at: Duration,
        number: usize,
        place: Place,
    ) -> Result<ScenarioEvent> {
        let is_unchecked = match table.get("unchecked") {
            None => false,
            Some(item) => item.as_bool().ok_or_else(|| {
                self.wrong(item.span(), "unchecked is neither true nor false", "use true")
            })?,
        };
        let types = "`evtap schema` lists the types";
        let item = table
            .get("type")
            .ok_or_else(|| self.wrong(place.clone(), "an event has no type", types))?;
        let name =
            item.as_str().ok_or_else(|| self.wrong(item.span(), "type is no text", types))?;
        let kind = Kind::from_name(name);
        let stream = self.stream(table.get("stream"), kind)?;
        let event_type = match kind {
            Some(kind) => Cow::Borrowed(kind.spec().event_type),
            None if is_unchecked && is_name(name) => Cow::Owned(name.to_owned()),
            None => {
                let names = Kind::ALL.iter().map(|kind| kind.spec().event_type);
                let advice = suggest::nearest(name, names).map_or_else(
                    || format!("{types}; to send another one, add unchecked = true"),
                    |meant| format!("did you mean {meant}?"),
                );
                return Err(self.wrong(item.span(), "no such event type", advice));
            }
        };
        let (json, data) = match table.get("data") {
            None => ("{}".to_owned(), place),
            Some(data) => (self.data(data)?, data.span()),
        };
        let refuse = |error: PayloadError| self.wrong(data.clone(), error.why, error.advice);
        let example = self.template(&json, data.clone())?.render(BuiltInValues::EXAMPLE);
        let json = if let Some(kind) = kind.filter(|_| !is_unchecked) {
            let unchecked = "; to send it as it is, add unchecked = true";
            check_payload(kind.spec(), &example).map_err(|PayloadError { why, advice }| {
                refuse(PayloadError { why, advice: advice + unchecked })
            })?;
            complete_payload(kind.spec(), &json, number as u64, BuiltIn::for_field)
        } else {
            check_object(&example).map_err(refuse)?;
            compact(&json)
        };
        let payload = self.template(&json, data)?;
        Ok(ScenarioEvent { at, event_type, kind, stream, payload })
    }

    fn stream(&self, item: Option<&Item>, kind: Option<Kind>) -> Result<Stream> {
        let declared = kind.map(|kind| kind.spec().stream);
        let Some(item) = item else { return Ok(declared.unwrap_or(Stream::Workspace)) };
        let known = [Stream::Workspace, Stream::Observer];
        let named = known.into_iter().find(|stream| item.as_str() == Some(stream.name()));
        let advice = "use \"workspace\" or \"observer\"";
        let stream = named.ok_or_else(|| self.wrong(item.span(), "no such stream", advice))?;
        if declared.is_some_and(|declared| declared != stream) {
            let why = "the other stream carries this type";
            return Err(self.wrong(item.span(), why, "omit stream"));
        }
        Ok(stream)
    }

    /// Returns the payload of an event as JSON with variables.
    fn data(&self, item: &Item) -> Result<String> {
        if let Some(json) = item.as_str() {
            return Ok(json.to_owned());
        }
        let table = item.as_table_like().ok_or_else(|| {
            let advice = "write JSON in '…', or a table";
            self.wrong(item.span(), "data is neither JSON nor a table", advice)
        })?;
        Ok(self.object(table)?.to_string())
    }

    fn object(&self, table: &dyn TableLike) -> Result<serde_json::Value> {
        let mut members = serde_json::Map::new();
        for (name, item) in table.iter() {
            let value = match (item.as_value(), item.as_table_like(), item.as_array_of_tables()) {
                (_, Some(table), _) => self.object(table)?,
                (Some(value), ..) => self.json(value)?,
                (.., Some(tables)) => {
                    tables.iter().map(|table| self.object(table)).collect::<Result<_>>()?
                }
                _ => serde_json::Value::Null,
            };
            members.insert(name.to_owned(), value);
        }
        Ok(members.into())
    }

    fn json(&self, value: &Value) -> Result<serde_json::Value> {
        Ok(match value {
            Value::String(text) => text.value().as_str().into(),
            Value::Integer(number) => (*number.value()).into(),
            Value::Float(number) => {
                serde_json::Number::from_f64(*number.value()).map(Into::into).ok_or_else(|| {
                    self.wrong(value.span(), "JSON has no such number", "use a finite number")
                })?
            }
            Value::Boolean(value) => (*value.value()).into(),
            Value::Datetime(time) => time.value().to_string().into(),
            Value::Array(items) => {
                items.iter().map(|item| self.json(item)).collect::<Result<_>>()?
            }
            Value::InlineTable(table) => self.object(table)?,
        })
    }

    /// Returns the value of a variable of the file as JSON.
    fn variable(&self, name: &str, item: &Item, place: Place) -> Result<String> {
        if BuiltIn::ALL.iter().any(|built_in| built_in.name() == name) {
            let why = format!("the variable {name} is built in");
            return Err(self.wrong(place, why, "choose another name"));
        }
        let value = item.as_value().filter(|value| !value.is_array() && !value.is_inline_table());
        let Some(value) = value else {
            let why = "a variable is neither text nor a number nor true or false";
            return Err(self.wrong(item.span(), why, "write each variable as name = \"value\""));
        };
        Ok(self.json(value)?.to_string())
    }

    fn template(&self, json: &str, place: Place) -> Result<EventTemplate> {
        EventTemplate::new(json, &self.variables).map_err(|error| match error {
            TemplateError::Open => {
                let why = format!("a variable lacks its {}", MARKS.1);
                let advice = format!("write it like {}now{}", MARKS.0, MARKS.1);
                self.wrong(place, why, advice)
            }
            TemplateError::Unknown(name) => {
                let built_in = BuiltIn::ALL.iter().map(|built_in| built_in.name());
                let names = self.variables.keys().map(String::as_str).chain(built_in);
                let advice = suggest::nearest(&name, names.clone()).map_or_else(
                    || format!("there are {}", names.collect::<Vec<_>>().join(", ")),
                    |meant| format!("did you mean {meant}?"),
                );
                self.wrong(place, format!("no variable is called {name}"), advice)
            }
        })
    }

    /// Returns the time between an event and the one before it.
    fn pause(&self, item: Option<&Item>) -> Result<Duration> {
        let Some(item) = item else { return Ok(Duration::ZERO) };
        let millis = item.as_float().or_else(|| {
            let whole = item.as_integer()?;
            u32::try_from(whole).ok().map(f64::from)
        });
        let pause = match (millis, item.as_str()) {
            (Some(millis), _) => Duration::try_from_secs_f64(millis / 1e3).ok(),
            (None, Some(text)) => parse_duration(text).ok(),
            (None, None) => None,
        };
        pause.filter(|pause| *pause <= MAX_PAUSE).ok_or_else(|| {
            let why = "after is no pause of at most 24 hours";
            let advice = format!("give milliseconds, or {}", DurationError::ADVICE);
            self.wrong(item.span(), why, advice)
        })
    }

    fn check_keys(&self, table: &dyn TableLike, known: &[&str], what: &str) -> Result<()> {
        let Some((key, _)) = table.iter().find(|(key, _)| !known.contains(key)) else {
            return Ok(());
        };
        let advice = suggest::nearest(key, known.iter().copied()).map_or_else(
            || format!("{what} has {}", known.join(", ")),
            |meant| format!("did you mean {meant}?"),
        );
        Err(self.wrong(place(table, key), format!("{what} has no {key}"), advice))
    }

    fn wrong(&self, place: Place, why: impl Into<String>, advice: impl Into<String>) -> Error {
        let start = place.map_or(0, |place| place.start).min(self.text.len());
        let line = self.text.get(..start).map_or(1, |before| before.matches('\n').count() + 1);
        let what = format!("cannot use the scenario {}, line {line}", self.path.display());
        Error::usage(what, why, advice)
    }
}

fn place(table: &dyn TableLike, key: &str) -> Place {
    table.get_key_value(key).and_then(|(key, item)| key.span().or_else(|| item.span()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::DEMO_CALL;

    fn read(text: &str) -> Result<Scenario> {
        ScenarioReader { path: Path::new("a.toml"), text, variables: BTreeMap::new() }.read()
    }

    fn error(text: &str) -> String {
        read(text).expect_err(text).to_string()
    }

    #[test]
    fn events_have_their_times_types_streams_and_exact_data() {
        let scenario = read(
            "format = 1\n[variables]\nreason = 'pain'\nseconds = 1.5\n\
             [[event]]\ntype = 'call.started'\ndata = '''{ \"caller_id\" : null, \"service_id\":\"{{call_sid}}\" }'''\n\
             [[event]]\nafter = 250\ntype = 'session_end'\ndata = { duration_s = '{{seconds}}', turns = 3 }\n\
             [[event]]\nafter = '1.5s'\ntype = 'brand.new'\nunchecked = true\nstream = 'observer'\ndata = '{\"n\":1.10}'\n\
             [[event]]\nafter = 0.5\ntype = 'call.escalated'\n[event.data]\nreason = 'chest {{reason}}'\n",
        )
        .expect("a scenario");
        let events: Vec<_> = scenario
            .events
            .iter()
            .map(|event| {
                let payload = event.payload.render(BuiltInValues::EXAMPLE);
                (event.at.as_micros(), &*event.event_type, event.stream, payload)
            })
            .collect();
        let (at, event_type, stream, payload) = &events[0];
        assert_eq!((*at, *event_type, *stream), (0, "call.started", Stream::Workspace));
        assert!(
            payload.starts_with(&format!("{{\"caller_id\":null,\"service_id\":\"{DEMO_CALL}\","))
        );
        assert!(payload.contains(&format!("\"call_sid\":\"{DEMO_CALL}\"")), "{payload}");
        assert_eq!(
            events[1],
            (
                250_000,
                "session_end",
                Stream::Observer,
                r#"{"duration_s":1.5,"turns":3}"#.to_owned()
            )
        );
        assert_eq!(
            events[2],
            (1_750_000, "brand.new", Stream::Observer, r#"{"n":1.10}"#.to_owned())
        );
        assert_eq!(events[3].0, 1_750_500);
        assert!(events[3].3.starts_with(r#"{"reason":"chest pain","#), "{}", events[3].3);
    }

    #[test]
    fn mistakes_are_named_with_their_line_and_a_suggestion() {
        let event = |text: &str| error(&format!("format = 1\n[[event]]\n{text}\n"));
        for (message, expected) in [
            (
                error("[[event]]\ntype = 'call.started'\n"),
                "line 1: it names no format; write format = 1",
            ),
            (error("format = 2\n"), "line 1: unknown format; write format = 1"),
            (error("format = 1\n"), "line 1: it has no events; write [[event]]"),
            (
                error("format = 1\nevnt = 1\n"),
                "line 2: a scenario has no evnt; did you mean event?",
            ),
            (error("format = 1\n[variables]\nnow = 1\n"), "line 3: the variable now is built in"),
            (error("format = 1\n[variables]\na = [1]\n"), "line 3: a variable is neither"),
            (error("format = \n"), "line 1: invalid TOML"),
            (event("after = 1"), "line 2: an event has no type"),
            (event("type = 'call.end'"), "line 3: no such event type; did you mean call.ended?"),
            (event("type = 'call.ended'\nafter = -1"), "line 4: after is no pause"),
            (event("type = 'call.ended'\nafter = 'soon'"), "line 4: after is no pause"),
            (
                event("type = 'call.ended'\nafte = 1"),
                "line 4: an event has no afte; did you mean after?",
            ),
            (event("type = 'call.ended'\nstream = 'observer'"), "line 4: the other stream carries"),
            (event("type = 'call.ended'\nstream = 'both'"), "line 4: no such stream"),
            (event("type = 'call.ended'\ndata = 7"), "line 4: data is neither JSON nor a table"),
            (event("type = 'call.ended'\ndata = '{'"), "line 4: its data is no JSON object"),
            (
                event("type = 'call.ended'\ndata = '{\"a\":\"{{now_second}}\"}'"),
                "line 4: no variable is called now_second; did you mean now_seconds?",
            ),
            (
                event("type = 'call.ended'\ndata = { duration_secs = 1 }"),
                "line 4: call.ended has no field duration_secs; did you mean duration_seconds?",
            ),
        ] {
            assert!(message.contains(expected), "{message}");
            assert!(message.starts_with("cannot use the scenario a.toml, "), "{message}");
        }
    }
}
