//! Describes the event model as text for people.

use std::fmt::Write;

use colored::Colorize;
use serde_json::json;

use crate::model::{Class, Domain, EventSpec, FieldSpec, family};

/// Maximum width of a list of choices, in columns.
const WIDTH: usize = 98;

/// Returns one line per event, grouped by family.
#[must_use]
pub fn list(specs: &[&EventSpec]) -> String {
    let mut text = String::new();
    let mut last = "";
    for spec in specs {
        let family = family(spec.event_type);
        if family != last {
            let _ = writeln!(text, "{}{}", if last.is_empty() { "" } else { "\n" }, family.bold());
            last = family;
        }
        let hidden = spec.fields.iter().filter(|field| field.class.is_hidden()).count();
        let hidden = if hidden == 0 {
            String::new()
        } else {
            format!(", {hidden} hidden").magenta().to_string()
        };
        let fields = format!(
            "{} {}",
            spec.fields.len(),
            if spec.fields.len() == 1 { "field" } else { "fields" }
        );
        let _ = writeln!(
            text,
            "  {:32} {} {}{hidden}{}",
            spec.event_type.cyan().to_string()
                + &" ".repeat(32usize.saturating_sub(spec.event_type.len())),
            spec.doc,
            "(".dimmed().to_string() + &fields.dimmed().to_string(),
            ")".dimmed()
        );
    }
    text
}

/// Lists the fields that are not open, and the reason for each class: as JSON or as text.
#[must_use]
pub fn hidden(specs: &[&EventSpec], as_json: bool) -> String {
    let fields: Vec<_> = specs
        .iter()
        .flat_map(|spec| spec.fields.iter().map(move |field| (*spec, field)))
        .filter(|(_, field)| field.class != Class::Open)
        .collect();
    if as_json {
        let fields: Vec<_> = fields
            .iter()
            .map(|(spec, field)| {
                let domain = field.class.is_hidden().then(|| Domain::for_field(field.name).name());
                json!({"event_type": spec.event_type, "field": field.name, "class": field.class.name(), "domain": domain, "why": field.class.why()})
            })
            .collect();
        return json!({"fields": fields}).to_string() + "\n";
    }
    let mut text = String::new();
    let name = |spec: &EventSpec, field: &FieldSpec| format!("{}.{}", spec.event_type, field.name);
    let width = fields.iter().map(|(spec, field)| name(spec, field).len()).max().unwrap_or(0);
    for class in [Class::Phi, Class::Sensitive, Class::Free] {
        let _ = writeln!(text, "{}: {}", class.name().bold(), class.why());
        for (spec, field) in fields.iter().filter(|(_, field)| field.class == class) {
            let domain = if class.is_hidden() { Domain::for_field(field.name).name() } else { "" };
            let _ = writeln!(text, "  {:width$}  {domain:7}  {}", name(spec, field), field.doc);
        }
        text.push('\n');
    }
    text + "Fields and events that are not declared are hidden too, including nested keys.\n"
}

/// Describes one event and all its fields.
#[must_use]
pub fn detail(spec: &EventSpec) -> String {
    let mut text = format!("{}  {}\n", spec.event_type.cyan().bold(), spec.doc);
    let known = if spec.documented { "documented" } else { "not on the documentation page" };
    let _ = writeln!(
        text,
        "{}\n",
        format!(
            "stream: {}, in the contract since {}, {known}",
            spec.stream.name(),
            spec.first_seen
        )
        .dimmed()
    );
    let name = spec.fields.iter().map(|field| field.name.len()).max().unwrap_or(0);
    let ty = spec.fields.iter().map(|field| type_name(field).len()).max().unwrap_or(0);
    for field in spec.fields {
        let class = format!("{:9}", field.class.name());
        let class = if field.class.is_hidden() { class.magenta() } else { class.normal() };
        let _ = writeln!(
            text,
            "  {:name$}  {:ty$}  {class}  {}",
            field.name,
            type_name(field),
            field.doc
        );
        let mut facts = Vec::new();
        if field.required {
            facts.push("always present".to_owned());
        }
        match (field.first_seen, field.last_seen) {
            (None, _) => facts.push("only on the documentation page".to_owned()),
            (Some(_), Some(last)) => facts.push(format!("in the contract until {last}")),
            (Some(first), None) if first != spec.first_seen => {
                facts.push(format!("in the contract since {first}"));
            }
            _ => {}
        }
        let choices = field
            .ty
            .choices()
            .map(|choices| wrapped(choices, " | ", WIDTH.saturating_sub(name + 4)));
        let facts = (!facts.is_empty()).then(|| facts.join("; "));
        for line in choices.into_iter().flatten().chain(facts) {
            let _ = writeln!(text, "  {:name$}  {}", "", line.dimmed());
        }
    }
    text
}

/// Joins words with `between`, and breaks lines before they are longer than `width`.
fn wrapped(words: &[&str], between: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.len() + between.len() + word.len() <= width => {
                line.push_str(between);
                line.push_str(word);
            }
            Some(line) => {
                line.push_str(between.trim_end());
                lines.push((*word).to_owned());
            }
            None => lines.push((*word).to_owned()),
        }
    }
    lines
}

fn type_name(field: &FieldSpec) -> String {
    field.ty.name() + if field.nullable { " or null" } else { "" }
}
