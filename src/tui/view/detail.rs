//! The detail of an event: every field with its value, type, class and what it means, nested values unfolded; then what the
//! model did not expect, and what evtap says about the event.

use std::borrow::Cow;
use std::fmt::Write;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{self, Span};

use super::text::{cut, wrap};
use crate::json::string::{unescape, unquote};
use crate::json::{JsonType, scan};
use crate::model::Type;
use crate::output::stored_event::StoredEventReader;
use crate::redact::RedactedEvent;
use crate::text::{MASK, terminal};
use crate::tui::state::State;

/// A line of the detail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DetailLine {
    /// How jq gets at the value; empty where there is none.
    pub path: String,
    /// Its JSON.
    pub json: String,
    /// Whether it can be folded.
    pub is_container: bool,
    /// Whether it stands for something hidden.
    pub is_hidden: bool,
    depth: usize,
    name: String,
    note: String,
    is_heading: bool,
}

impl DetailLine {
    /// The condition that an event has this value.
    #[must_use]
    pub fn condition(&self) -> Option<String> {
        let usable = !self.path.is_empty() && !self.is_container && !self.is_hidden;
        usable.then(|| format!("{} == {}", self.path, self.json))
    }
}

/// What the detail of the selected event says.
#[must_use]
pub fn lines(state: &State) -> Vec<DetailLine> {
    let Some(stored) = state.chosen() else { return Vec::new() };
    let folded =
        |path: &str| state.detail.as_ref().is_some_and(|detail| detail.folded.contains(path));
    StoredEventReader::default().read(stored, |shown| of(shown, &folded))
}

fn heading(name: &str, note: String) -> DetailLine {
    DetailLine { name: name.to_owned(), note, is_heading: true, ..DetailLine::default() }
}

fn of(shown: &RedactedEvent<'_>, folded: &dyn Fn(&str) -> bool) -> Vec<DetailLine> {
    let spec = shown.kind().map(crate::model::Kind::spec);
    let event_type = shown.event_type();
    let mut lines = vec![DetailLine {
        path: ".event_type".to_owned(),
        json: serde_json::Value::from(event_type).to_string(),
        is_hidden: event_type == MASK,
        ..heading(
            event_type,
            spec.map_or_else(
                || "no such event in the model".to_owned(),
                |spec| spec.doc.to_owned(),
            ),
        )
    }];
    for field in shown.fields() {
        let name = field.name();
        let note = match field.spec {
            Some(spec) => format!("{} · {} · {}", spec.ty.name(), spec.class.name(), spec.doc),
            None => "not in the model, so it is hidden".to_owned(),
        };
        let value = DetailValue {
            path: step("", &name),
            json: field.json,
            depth: 1,
            ty: field.spec.map(|spec| &spec.ty),
        };
        value.push(&name, note, field.hidden, folded, &mut lines);
    }
    let tap = shown.tap();
    if !tap.drift.is_empty() {
        lines.push(heading("Drift", "what the model did not expect".to_owned()));
        for drift in &tap.drift {
            let name = drift.field.as_deref().unwrap_or("the event").to_owned();
            lines.push(DetailLine {
                depth: 1,
                name,
                json: drift.kind.name().replace('_', " "),
                ..DetailLine::default()
            });
        }
    }
    lines.push(heading("_tap", "what evtap says about it".to_owned()));
    for (key, json) in scan::entries(&shown.tap_json()) {
        let Some(name) = key.map(unescape) else { continue };
        let value = DetailValue { path: step("._tap", &name), json, depth: 1, ty: None };
        value.push(&name, String::new(), false, folded, &mut lines);
    }
    lines
}

/// The path of a member, as jq has it.
fn step(path: &str, name: &str) -> String {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|character: char| character.is_ascii_digit());
    if is_plain && !name.is_empty() {
        return format!("{path}.{name}");
    }
    let dot = if path.is_empty() { "." } else { "" };
    format!("{path}{dot}[{}]", serde_json::Value::from(name))
}

/// A value that lines are made from.
struct DetailValue<'a> {
    path: String,
    json: &'a str,
    depth: usize,
    ty: Option<&'a Type>,
}

impl DetailValue<'_> {
    fn push(
        &self,
        name: &str,
        note: String,
        hidden: bool,
        folded: &dyn Fn(&str) -> bool,
        lines: &mut Vec<DetailLine>,
    ) {
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
                step(&self.path, &name)
            } else {
                format!("{}{name}", self.path)
            };
            DetailValue { path, json, depth: self.depth + 1, ty }
                .push(&name, note, false, folded, lines);
        }
    }
}

/// The lines as they are drawn, each with the place of the line that it belongs to.
fn drawn(state: &State, width: usize) -> Vec<(usize, text::Line<'static>)> {
    let theme = state.setup.theme;
    let Some(detail) = &state.detail else { return Vec::new() };
    let lines = lines(state);
    let cursor = detail.cursor.min(lines.len().saturating_sub(1));
    let mut drawn = Vec::new();
    for (at, line) in lines.into_iter().enumerate() {
        let name = terminal::visible(&line.name).into_owned();
        let spans = if line.is_heading {
            vec![
                Span::styled(format!(" {name} "), theme.heading()),
                Span::styled(line.note, theme.quiet()),
            ]
        } else {
            let folded = detail.folded.contains(&line.path);
            let sign = match (line.is_container, folded) {
                (true, true) => "▸ ",
                (true, false) => "▾ ",
                _ => "  ",
            };
            let value = match unquote(&line.json) {
                Some(text) => terminal::visible(&text).into_owned(),
                None if line.is_container && !folded => String::new(),
                None => line.json,
            };
            let style = if line.is_hidden { theme.masked() } else { ratatui::style::Style::new() };
            let mut spans = vec![
                Span::raw(" ".repeat(line.depth * 2 - 1)),
                Span::styled(sign, theme.quiet()),
                Span::styled(format!("{name} "), theme.key()),
                Span::styled(value, style),
            ];
            if !line.note.is_empty() {
                spans.push(Span::styled(format!("  {}", line.note), theme.quiet()));
            }
            spans
        };
        let made = if state.wrap { wrap(spans, width) } else { vec![cut(spans, width)] };
        for mut made in made {
            if at == cursor && detail.focused {
                made = made.patch_style(theme.selected());
            }
            drawn.push((at, made));
        }
    }
    drawn
}

/// Where drawing begins, so that the cursor is in sight.
fn first(drawn: &[(usize, text::Line<'static>)], cursor: usize, height: usize) -> usize {
    let end = drawn.iter().rposition(|(at, _)| *at <= cursor).map_or(0, |place| place + 1);
    end.saturating_sub(height)
}

/// Draws the detail.
pub fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let drawn = drawn(state, usize::from(area.width));
    let cursor = state.detail.as_ref().map_or(0, |detail| detail.cursor);
    let from = first(&drawn, cursor, usize::from(area.height));
    super::scrolled(frame, area, drawn.into_iter().map(|(_, line)| line).collect(), from);
}

/// The line of the detail that is at that place.
#[must_use]
pub fn at(state: &State, area: Rect, at: Position) -> usize {
    let cursor = state.detail.as_ref().map_or(0, |detail| detail.cursor);
    let drawn = drawn(state, usize::from(area.width));
    let place =
        first(&drawn, cursor, usize::from(area.height)) + usize::from(at.y.saturating_sub(area.y));
    drawn.get(place).map_or(cursor, |(line, _)| *line)
}
