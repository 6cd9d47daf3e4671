//! Describes the lines that evtap writes as types of TypeScript.

use std::fmt::Write;

use super::kinds::title;
use super::tap::TAP;
use crate::model::{Class, EventSpec, MemberSpec, Type};
use crate::text::MASK;

/// Returns a module whose type `EvtapEvent` is a union, which `event_type` tells apart.
#[must_use]
pub fn typescript(specs: &[&EventSpec]) -> String {
    let mut text = format!(
        "// Lines of evtap's NDJSON, written by evtap {}.\n\
         //\n\
         // A switch on `event_type` narrows an EvtapEvent to one event. Two things are not in the types:\n\
         // a field that is hidden on request (--redact) holds a Hidden too, or is absent with --phi drop,\n\
         // and an event with `_tap.drift` deviates from its type in the fields that it names.\n\n",
        env!("CARGO_PKG_VERSION")
    );
    let names = specs.iter().map(|spec| title(spec)).collect::<Vec<_>>().join("\n  | ");
    doc(&mut text, "", "An event whose type is declared.");
    let _ = writeln!(text, "export type EvtapEvent =\n  | {names};\n");
    doc(&mut text, "", "What replaces a hidden value.");
    let _ = writeln!(text, "export type Hidden = {};\n", hidden_type());
    doc(&mut text, "", "What evtap knows about the event.");
    text.push_str("export interface Tap {\n");
    for it in TAP {
        member(&mut text, it.doc, it.name, it.required, &type_name(&it.ty));
    }
    text.push_str("}\n\n");
    doc(
        &mut text,
        "",
        "An event whose type is not declared. All its fields are hidden by default.",
    );
    text.push_str(
        "export interface UnknownEvent {\n  readonly event_type: string;\n  \
         readonly _tap: Tap;\n  readonly [field: string]: unknown;\n}\n",
    );
    for spec in specs {
        text.push('\n');
        event(&mut text, spec);
    }
    text
}

fn event(text: &mut String, spec: &EventSpec) {
    doc(text, "", spec.doc);
    let _ = writeln!(text, "export interface {} {{", title(spec));
    let _ = writeln!(text, "  readonly event_type: {};", quoted(spec.event_type));
    for field in spec.fields {
        let mut ty = type_name(&field.ty);
        if field.nullable {
            ty.push_str(" | null");
        }
        let is_hidden = field.class.is_hidden();
        if is_hidden {
            ty.push_str(" | Hidden");
        }
        // `--phi drop` leaves out what is hidden.
        let is_required = field.required && !is_hidden;
        let note = if field.class == Class::Phi { " Protected health information." } else { "" };
        member(text, &format!("{}{note}", field.doc), field.name, is_required, &ty);
    }
    text.push_str("  readonly _tap: Tap;\n}\n");
}

fn member(text: &mut String, doc_text: &str, name: &str, is_required: bool, ty: &str) {
    doc(text, "  ", doc_text);
    let mark = if is_required { "" } else { "?" };
    let _ = writeln!(text, "  readonly {}{mark}: {ty};", key(name));
}

fn doc(text: &mut String, indent: &str, doc: &str) {
    let _ = writeln!(text, "{indent}/** {} */", doc.replace("*/", "* /"));
}

fn type_name(ty: &Type) -> String {
    match ty {
        Type::Bool => "boolean".to_owned(),
        Type::Integer | Type::Number => "number".to_owned(),
        Type::Text | Type::Uuid | Type::Time => "string".to_owned(),
        Type::Choice(choices) => {
            choices.iter().map(|choice| quoted(choice)).collect::<Vec<_>>().join(" | ")
        }
        Type::List(item) => format!("readonly ({} | null)[]", type_name(item)),
        Type::Map(value) => {
            format!("{{ readonly [key: string]: {} | null }}", type_name(value))
        }
        Type::Record(members) => {
            let member = |it: &MemberSpec| {
                let (mark, null) = if it.required { ("", "") } else { ("?", " | null") };
                format!("readonly {}{mark}: {}{null}", key(it.name), type_name(&it.ty))
            };
            format!("{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join("; "))
        }
        Type::OneOf(types) => types.iter().map(type_name).collect::<Vec<_>>().join(" | "),
        Type::Any | Type::Unstated => "unknown".to_owned(),
    }
}

/// Returns a name as the key of a member, quoted unless it is an identifier.
fn key(name: &str) -> String {
    let is_plain = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
    let is_identifier =
        name.bytes().all(is_plain) && !name.starts_with(|first: char| first.is_ascii_digit());
    if is_identifier { name.to_owned() } else { quoted(name) }
}

/// Returns the type of what replaces a hidden value: a mask, one with the last characters, or a
/// pseudonym.
fn hidden_type() -> String {
    let mask = MASK.trim_end_matches(']');
    format!(
        "{} | `{mask} ..${{string}}]` | `phi:${{string}}:${{string}}:${{string}}`",
        quoted(MASK)
    )
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
