//! Arguments of a tool call, which are checked by name, type and size.

use rmcp::model::JsonObject;
use serde_json::Value;

use super::tools::ToolSpec;
use crate::error::{Error, Result};
use crate::query::suggest;

/// The maximum size of a text, in bytes.
const MAX_TEXT: usize = 4096;

/// The maximum number of texts in a list.
const MAX_TEXTS: usize = 32;

/// The arguments of one call.
pub struct ToolArguments {
    object: JsonObject,
}

impl ToolArguments {
    /// Checks the names of the arguments. An argument that is null counts as missing.
    pub fn new(tool: &ToolSpec, mut object: JsonObject) -> Result<Self> {
        object.retain(|_, value| !value.is_null());
        let names = || tool.arguments.iter().map(|argument| argument.name);
        for name in object.keys() {
            if names().all(|known| known != name) {
                let advice = match suggest::nearest(name, names()) {
                    Some(meant) => format!("did you mean {meant}?"),
                    None => format!("it takes {}", names().collect::<Vec<_>>().join(", ")),
                };
                let what = format!("cannot call {}", tool.name);
                return Err(Error::usage(what, "it has no such argument", advice));
            }
        }
        Ok(Self { object })
    }

    /// Returns a text.
    pub fn text(&self, name: &'static str) -> Result<Option<&str>> {
        self.object.get(name).map(|value| text(name, value)).transpose()
    }

    /// Returns a list of texts, which may also be given as one text.
    pub fn texts(&self, name: &'static str) -> Result<Vec<String>> {
        let Some(value) = self.object.get(name) else { return Ok(Vec::new()) };
        let Value::Array(list) = value else { return Ok(vec![text(name, value)?.to_owned()]) };
        if list.len() > MAX_TEXTS {
            return Err(invalid(name, format!("it has more than {MAX_TEXTS} items")));
        }
        list.iter().map(|value| text(name, value).map(str::to_owned)).collect()
    }

    /// Returns a whole number from 1 to `max`, or `default`.
    pub fn number(&self, name: &'static str, default: usize, max: usize) -> Result<usize> {
        let Some(value) = self.object.get(name) else { return Ok(default) };
        let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
        number
            .filter(|number| (1..=max).contains(number))
            .ok_or_else(|| invalid(name, format!("it is not a whole number from 1 to {max}")))
    }
}

fn text<'v>(name: &'static str, value: &'v Value) -> Result<&'v str> {
    match value.as_str() {
        None => Err(invalid(name, "it is not a text".to_owned())),
        Some("") => Err(invalid(name, "it is empty".to_owned())),
        Some(text) if text.len() > MAX_TEXT => {
            Err(invalid(name, format!("it is longer than {MAX_TEXT} bytes")))
        }
        Some(text) => Ok(text),
    }
}

/// Creates the error for the value of an argument, which it does not quote.
pub fn invalid(name: &'static str, why: String) -> Error {
    Error::usage(format!("cannot use {name}"), why, "see the description of the tool")
}
