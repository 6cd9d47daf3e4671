//! The typed model, told: as text for people, as JSON, and as a JSON Schema.

use std::fmt::Write;

use colored::Colorize;
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::model::{Class, Domain, EventSpec, FieldSpec, Kind, Type, family};
use crate::query::suggest;
use crate::redact;

/// The columns that a description keeps to.
const WIDTH: usize = 98;

/// The platform's events, or the one of that name.
pub fn select(event: Option<&str>) -> Result<Vec<&'static EventSpec>> {
    let specs: Vec<_> = Kind::ALL.iter().chain(Kind::OWN).map(|kind| kind.spec()).collect();
    let Some(name) = event else { return Ok(specs) };
    specs.iter().find(|spec| spec.event_type == name).map(|spec| vec![*spec]).ok_or_else(|| {
        let advice = match suggest::nearest(name, specs.iter().map(|spec| spec.event_type)) {
            Some(meant) => format!("did you mean {meant}? `evtap schema` lists them all"),
            None => "`evtap schema` lists them all".to_owned(),
        };
        Error::usage(format!("cannot describe {name}"), "there is no such event", advice)
    })
}

/// A line an event, by family.
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

/// What is hidden, and why: as JSON, or a line a field.
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
    text + "A field or an event that is not in the model is hidden too, nested keys included: nobody has classed it yet.\n"
}

/// All there is to say about one event.
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
            facts.push("always there".to_owned());
        }
        match (field.first_seen, field.last_seen) {
            (None, _) => facts.push("only on the documentation page".to_owned()),
            (Some(_), Some(last)) => facts.push(format!("in the contract until {last}")),
            (Some(first), None) if first != spec.first_seen => {
                facts.push(format!("in the contract since {first}"))
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

/// Words with something between them, in lines of at most so many columns.
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

/// Everything, for machines.
#[must_use]
pub fn json(specs: &[&EventSpec]) -> Value {
    let events: Vec<_> = specs
        .iter()
        .map(|spec| {
            json!({
                "event_type": spec.event_type,
                "stream": spec.stream.name(),
                "doc": spec.doc,
                "first_seen": spec.first_seen,
                "documented": spec.documented,
                "fields": spec.fields.iter().map(field_json).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({"events": events})
}

fn field_json(field: &FieldSpec) -> Value {
    json!({
        "name": field.name,
        "class": field.class.name(),
        "type": field.ty.name(),
        "nullable": field.nullable,
        "required": field.required,
        "enum": field.ty.choices(),
        "max_length": field.max_length,
        "first_seen": field.first_seen,
        "last_seen": field.last_seen,
        "documented": field.documented,
        "doc": field.doc,
    })
}

/// A JSON Schema of the lines that evtap writes: a hidden field may hold its value or the mask.
#[must_use]
pub fn json_schema(specs: &[&EventSpec]) -> Value {
    let names: Vec<_> =
        specs.iter().map(|spec| json!({"$ref": format!("#/$defs/{}", spec.event_type)})).collect();
    let mut defs: Map<_, _> =
        specs.iter().map(|spec| (spec.event_type.to_owned(), event_schema(spec))).collect();
    defs.insert(
        "_tap".to_owned(),
        json!({"type": "object", "description": "What evtap says about the event."}),
    );
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of evtap's NDJSON",
        "oneOf": names,
        "$defs": defs,
    })
}

fn event_schema(spec: &EventSpec) -> Value {
    let mut properties = Map::new();
    properties.insert("event_type".to_owned(), json!({"const": spec.event_type}));
    for field in spec.fields {
        properties.insert(field.name.to_owned(), field_schema(field));
    }
    properties.insert("_tap".to_owned(), json!({"$ref": "#/$defs/_tap"}));
    // What is hidden may be left out.
    let always = spec
        .fields
        .iter()
        .filter(|field| field.required && !field.class.is_hidden())
        .map(|field| field.name);
    let required: Vec<_> = std::iter::once("event_type").chain(always).collect();
    json!({"type": "object", "description": spec.doc, "properties": properties, "required": required})
}

fn field_schema(field: &FieldSpec) -> Value {
    let mut options = vec![type_schema(&field.ty, field.max_length)];
    if field.nullable {
        options.push(json!({"type": "null"}));
    }
    if field.class.is_hidden() && !matches!(field.ty, Type::Text) {
        options.push(json!({"type": "string", "pattern": redact::stand_in_pattern()}));
    }
    let mut schema = match options.as_slice() {
        [one] => one.clone(),
        _ => json!({"anyOf": options}),
    };
    schema["description"] = json!(field.doc);
    if field.class == Class::Phi {
        schema["x-phi"] = json!(true);
    }
    schema
}

fn type_schema(ty: &Type, max_length: Option<u32>) -> Value {
    match ty {
        Type::Bool => json!({"type": "boolean"}),
        Type::Integer => json!({"type": "integer"}),
        Type::Number => json!({"type": "number"}),
        Type::Text => max_length.map_or_else(
            || json!({"type": "string"}),
            |most| json!({"type": "string", "maxLength": most}),
        ),
        Type::Uuid => json!({"type": "string", "format": "uuid"}),
        Type::Choice(choices) => json!({"type": "string", "enum": choices}),
        Type::List(item) => json!({"type": "array", "items": type_schema(item, None)}),
        Type::Map(value) => {
            json!({"type": "object", "additionalProperties": type_schema(value, None)})
        }
        Type::Record(members) => {
            let properties: Map<_, _> = members
                .iter()
                .map(|member| {
                    let schema = type_schema(&member.ty, None);
                    (
                        member.name.to_owned(),
                        if member.required {
                            schema
                        } else {
                            json!({"anyOf": [schema, {"type": "null"}]})
                        },
                    )
                })
                .collect();
            let required: Vec<_> =
                members.iter().filter(|member| member.required).map(|member| member.name).collect();
            json!({"type": "object", "properties": properties, "required": required})
        }
        Type::OneOf(types) => {
            json!({"anyOf": types.iter().map(|ty| type_schema(ty, None)).collect::<Vec<_>>()})
        }
        Type::Any | Type::Unstated => json!({}),
    }
}
