//! The detail of an event as a tree of lines.
//!
//! The lines are every field with its value, type, privacy class and description, then the
//! deviations from the model, then the metadata in `_tap`. Drawing is left to the stream panel.

use std::borrow::Cow;
use std::fmt::Write;

use super::state::State;
use crate::analysis::byte_budget::ByteBudget;
use crate::json::string::unescape;
use crate::json::{JsonType, scan};
use crate::model::Type;
use crate::output::stored_event::StoredEventReader;
use crate::redact::RedactedEvent;
use crate::text::MASK;

/// The memory of the lines, in bytes. Every value contains the text of its members again, so a deep
/// event could take much more than its size.
const MAX_BYTES: usize = 8 << 20;

/// A line of the detail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DetailLine {
    /// The jq path of the value; empty if the line has no value.
    pub path: String,
    /// The value as JSON.
    pub json: String,
    /// Whether the value has members or elements, so that it can be folded.
    pub is_container: bool,
    /// Whether the value is hidden or contains something hidden.
    pub is_hidden: bool,
    /// The nesting depth of the value.
    pub depth: usize,
    /// The name of the field, or the text of the heading.
    pub name: String,
    /// The description of the field from the model.
    pub note: String,
    /// Whether the line is a heading.
    pub is_heading: bool,
}

impl DetailLine {
    /// Returns a filter that keeps events with this value.
    ///
    /// Returns `None` for headings, containers and hidden values, which a filter cannot compare.
    #[must_use]
    pub fn condition(&self) -> Option<String> {
        let usable = !self.path.is_empty() && !self.is_container && !self.is_hidden;
        usable.then(|| format!("{} == {}", self.path, self.json))
    }
}

/// Returns the lines of the selected event, without the members of folded values.
#[must_use]
pub fn lines(state: &State) -> Vec<DetailLine> {
    let Some(stored) = state.selected_event() else { return Vec::new() };
    let folded =
        |path: &str| state.detail.as_ref().is_some_and(|detail| detail.folded.contains(path));
    StoredEventReader::default().read(stored, |event| event_lines(event, &folded))
}

fn heading(name: &str, note: String) -> DetailLine {
    DetailLine { name: name.to_owned(), note, is_heading: true, ..DetailLine::default() }
}

fn event_lines(event: &RedactedEvent<'_>, folded: &dyn Fn(&str) -> bool) -> Vec<DetailLine> {
    let spec = event.kind().map(crate::model::Kind::spec);
    let event_type = event.event_type();
    let mut budget = ByteBudget::new(MAX_BYTES);
    let mut lines = vec![DetailLine {
        path: ".event_type".to_owned(),
        json: serde_json::Value::from(event_type).to_string(),
        is_hidden: event_type == MASK,
        ..heading(
            event_type,
            spec.map_or_else(|| "not in the model".to_owned(), |spec| spec.doc.to_owned()),
        )
    }];
    for field in event.fields() {
        let name = field.name();
        let note = match field.spec {
            Some(spec) => format!("{} · {} · {}", spec.ty.name(), spec.class.name(), spec.doc),
            None if field.hidden => "not in the model, so it is hidden".to_owned(),
            None => "not in the model".to_owned(),
        };
        let value = DetailValue {
            path: member_path("", &name),
            json: field.json,
            depth: 1,
            ty: field.spec.map(|spec| &spec.ty),
        };
        value.push_lines(&name, note, field.hidden, folded, &mut lines, &mut budget);
    }
    let tap = event.tap();
    if !tap.drift.is_empty() {
        lines.push(heading("Drift", "how the event differs from the model".to_owned()));
        for drift in &tap.drift {
            if !budget.take(size_of::<DetailLine>()) {
                break;
            }
            let name = drift.field.as_deref().unwrap_or("the event").to_owned();
            lines.push(DetailLine {
                depth: 1,
                name,
                json: drift.kind.name().replace('_', " "),
                ..DetailLine::default()
            });
        }
    }
    let mut missing = budget.missing();
    let mut budget = ByteBudget::new(MAX_BYTES);
    lines.push(heading("_tap", "metadata that evtap adds".to_owned()));
    for (key, json) in scan::entries(&event.tap_json()) {
        let Some(name) = key.map(unescape) else { continue };
        let value = DetailValue { path: member_path("._tap", &name), json, depth: 1, ty: None };
        value.push_lines(&name, String::new(), false, folded, &mut lines, &mut budget);
    }
    missing += budget.missing();
    if missing > 0 {
        let note = "the event is too large; fold values, or copy the event".to_owned();
        lines.push(heading("The rest is not shown", note));
    }
    lines
}

/// Returns the jq path of a member.
fn member_path(path: &str, name: &str) -> String {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|character: char| character.is_ascii_digit());
    if is_plain && !name.is_empty() {
        return format!("{path}.{name}");
    }
    let dot = if path.is_empty() { "." } else { "" };
    format!("{path}{dot}[{}]", serde_json::Value::from(name))
}

/// A value that is turned into lines.
struct DetailValue<'a> {
    path: String,
    json: &'a str,
    depth: usize,
    ty: Option<&'a Type>,
}

impl DetailValue<'_> {
    fn push_lines(
        &self,
        name: &str,
        note: String,
        hidden: bool,
        folded: &dyn Fn(&str) -> bool,
        lines: &mut Vec<DetailLine>,
        budget: &mut ByteBudget,
    ) {
        let bytes = size_of::<DetailLine>() + self.path.len() + self.json.len() + name.len();
        if !budget.take(bytes) {
            return;
        }
        let json = JsonType::from_first_byte(self.json.as_bytes().first().copied().unwrap_or(b'n'));
        let entries = if json.is_container() { scan::entries(self.json) } else { Vec::new() };
        let is_container = !entries.is_empty();
        lines.push(DetailLine {
            path: self.path.clone(),
            json: self.json.to_owned(),
            is_container,
            is_hidden: hidden || self.json.contains(MASK),
            depth: self.depth,
            name: name.to_owned(),
            note,
            is_heading: false,
        });
        if folded(&self.path) {
            return;
        }
        for (at, (key, json)) in entries.into_iter().enumerate() {
            if budget.missing() > 0 {
                return;
            }
            let name = key.map_or_else(|| Cow::Owned(format!("[{at}]")), unescape);
            let (ty, doc) = match self.ty {
                Some(Type::List(item) | Type::Map(item)) => (Some(*item), ""),
                Some(Type::Record(members)) => members
                    .iter()
                    .find(|member| member.name == name)
                    .map_or((None, ""), |member| (Some(&member.ty), member.doc)),
                _ => (None, ""),
            };
            let mut note = ty.filter(|_| !doc.is_empty()).map(Type::name).unwrap_or_default();
            if !doc.is_empty() {
                let _ = write!(note, " · {doc}");
            }
            let path = if key.is_some() {
                member_path(&self.path, &name)
            } else {
                format!("{}{name}", self.path)
            };
            DetailValue { path, json, depth: self.depth + 1, ty }
                .push_lines(&name, note, false, folded, lines, budget);
        }
    }
}
